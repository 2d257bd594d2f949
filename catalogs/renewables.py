"""How much of each flow of energy comes from renewable carriers, mixed input pro rata.

Carriers enter as ``semantics/carriers.csv`` says; a process gives what it takes, in proportion (so
both products of CHP have the share of its fuel); a commodity is the mix of what is produced of it,
and of what regions receive of it from each other. Worked out for every year by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np
from numpy.typing import NDArray

from catalogs import carriers
from catalogs.groups import Classifier

if TYPE_CHECKING:
    import pandas as pd

#: Rounds after which a share that still goes round in a circle is taken as it is.
_MOST_ROUNDS = 500
_CLOSE_ENOUGH = 1e-10

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class _Flows:
    """Flows as edges between nodes: which node each comes from and goes to, and sources' shares.

    A node is a commodity or a process of a region in a year and state of the world. What a
    process without any input gives is a node of its own, with the share that the rules give it.
    """

    source: Places
    target: Places
    amount: Numbers
    share: Numbers
    fixed: Places


def build_renewables(connection: duckdb.DuckDBPyConnection, classifier: Classifier) -> None:
    """Fill ``renewable`` from the flows, the groups and the links of trade."""
    flows = _read(connection)
    if flows.empty:
        return
    edges, node = _edges(flows, classifier)
    flows["share"] = np.minimum(_spread(edges)[node], 1.0)
    names = ["sow", "year", "region", "process", "commodity", "direction", "share"]
    traced = flows.loc[flows["share"] > 0, names]
    connection.register("traced", traced)
    connection.execute("INSERT INTO renewable SELECT * FROM traced ORDER BY ALL")
    connection.unregister("traced")


def _read(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return all flows of energy, what their groups are, and where trade comes from if told."""
    return connection.execute(
        """
        WITH origin AS (
            SELECT process, region_to AS region, commodity_to AS commodity,
                any_value(region_from) AS region_from, any_value(commodity_from) AS commodity_from
            FROM trade_link
            WHERE region_from IN (SELECT region FROM region WHERE kind = 'internal')
            GROUP BY ALL HAVING count(DISTINCT (region_from, commodity_from)) = 1
        )
        SELECT f.sow, f.year, f.region, f.process, f.commodity, f.direction, f.value,
            o.region_from, o.commodity_from
        FROM flow_annual AS f
        JOIN commodity_group AS c ON c.region = f.region AND c.commodity = f.commodity
            AND c.kind = 'energy'
        LEFT JOIN origin AS o ON o.process = f.process AND o.region = f.region
            AND o.commodity = f.commodity AND f.direction = 'OUT'
        WHERE f.value > 0
        """
    ).df()


def _edges(flows: pd.DataFrame, classifier: Classifier) -> tuple[_Flows, Places]:
    """Return the edges, and the node whose share is that of each flow."""
    import pandas as pd  # slow to load: see importing._load_soon

    when = _places(flows.groupby(["sow", "year"], sort=False).ngroup())
    taken = (flows["direction"] == "IN").to_numpy()
    process = _numbers(when, flows["region"], flows["process"])
    has_input = np.isin(process, process[taken])
    traded = flows["region_from"].notna().to_numpy() & ~has_input
    from_elsewhere = flows[traded]
    commodities = _numbers(
        np.concatenate([when, when[traded]]),
        pd.concat([flows["region"], from_elsewhere["region_from"]]),
        pd.concat([flows["commodity"], from_elsewhere["commodity_from"]]),
    )
    commodity, origin = commodities[: len(flows)], commodities[len(flows) :]
    process = process + commodities.max() + 1
    lone = ~taken & ~has_input
    giver = np.where(lone, process.max() + 1 + np.arange(len(flows)), process)
    amount = flows["value"].to_numpy(dtype=float)
    share = np.zeros(int(giver.max()) + 1)
    rules = lone & ~traded
    share[giver[rules]] = _by_rule(flows[rules], classifier)
    edges = _Flows(
        source=np.concatenate([np.where(taken, commodity, giver), origin]),
        target=np.concatenate([np.where(taken, process, commodity), giver[traded]]),
        amount=np.concatenate([amount, amount[traded]]),
        share=share,
        fixed=giver[rules],
    )
    return edges, np.where(taken, commodity, giver)


def _numbers(when: Places, region: pd.Series, item: pd.Series) -> Places:
    """Number what differs in when, region or item."""
    import pandas as pd

    keys = pd.DataFrame({"when": when, "region": region.to_numpy(), "item": item.to_numpy()})
    return _places(keys.groupby(["when", "region", "item"], sort=False).ngroup())


def _places(numbers: pd.Series) -> Places:
    return np.asarray(numbers.to_numpy(), dtype=np.int64)


def _by_rule(flows: pd.DataFrame, classifier: Classifier) -> Numbers:
    """Return the share of what comes from nowhere: by its carrier, else by the process's fuel."""
    known: dict[tuple[str, str, str], float] = {}
    names = ("region", "process", "commodity")
    keys = list(zip(*(flows[name] for name in names), strict=True))
    for region, process, commodity in set(keys):
        shown = classifier.fuel(region, commodity).group
        standard = classifier.standard_fuel(region, commodity)
        share = carriers.renewable_share(commodity, shown, standard)
        if not classifier.network.is_trade(region, process):
            own = classifier.process_fuel(region, process).group
            share = max(share, carriers.renewable_share(commodity, own))
        known[region, process, commodity] = share
    return np.array([known[key] for key in keys], dtype=float)


def _spread(edges: _Flows) -> Numbers:
    """Return the share of every node: the mean of what it takes, until nothing changes."""
    share, count = edges.share, len(edges.share)
    given = share[edges.fixed]
    total = np.bincount(edges.target, edges.amount, count)
    total[total == 0] = np.inf
    for _ in range(_MOST_ROUNDS):
        after = np.bincount(edges.target, edges.amount * share[edges.source], count) / total
        after[edges.fixed] = given
        if np.max(np.abs(after - share)) < _CLOSE_ENOUGH:
            break
        share = after
    return share
