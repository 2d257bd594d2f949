"""Real result files: what they hold, and figures worked out a second way.

The figures are those of DOMAIN section 4. The second way uses only the tables that come straight
from the files (``result``, ``topology``, the sets, units), never those that the import derives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from catalogs import open_source
from catalogs.errors import MixedUnitsError, NotAvailableError, TimesError
from catalogs.exporting import Results, export
from catalogs.importing import import_files
from catalogs.query import Query
from catalogs.source import Source
from catalogs.store import Store
from catalogs.tables import DERIVED_TABLES, TABLES
from tests.example_queries import check_figures, check_rows_and_chart

pytestmark = pytest.mark.real_data

DANISH = "miro/times_miro_DK_Regeringen.miroscen"
STARTER = "miro/times_miro_Starter_P-CO2L20.miroscen"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def denmark(real_data: Path, data: Path) -> Source:
    import_files(Store(data), "denmark", [real_data / DANISH])
    return open_source(data, "denmark")


@pytest.fixture(scope="module")
def demos(real_data: Path, data: Path) -> Source:
    import_files(Store(data), "demos", sorted((real_data / "veda").glob("DemoS_007.*")))
    return open_source(data, "demos")


def one(source: Source, sql: str) -> float:
    [(value,)] = source.rows(sql)
    return float(value)


def total(source: Source, query: Query) -> float:
    [value] = source.ask(query).frame.value
    return float(value)


# ---------------------------------------------------------------------------- Denmark


def test_denmark_is_read_whole(denmark: Source) -> None:
    report = denmark.import_report()
    assert report[report.message.str.startswith("Result rows read")]["count"].tolist() == [589_455]
    assert one(denmark, "SELECT count(*) FROM result") == 589_455
    assert len(denmark.attribute_names) == 34
    assert denmark.regions == ("DKE", "DKW")
    assert denmark.years == (2010, 2012, 2015, 2020, 2025, 2030, 2035, 2040, 2045, 2050)


def test_the_lowest_timeslices_make_a_year_in_each_region(denmark: Source) -> None:
    assert denmark.rows(
        "SELECT region, count(*), round(sum(year_fraction), 9) FROM timeslice"
        " WHERE level = 'DAYNITE' GROUP BY region ORDER BY region"
    ) == [("DKE", 32, 1.0), ("DKW", 32, 1.0)]


def test_the_objective_is_the_sum_of_the_regions_and_transfers_cancel(denmark: Source) -> None:
    by_region = Query("attribute:Reg_obj", group_by=("region",))
    frame = denmark.ask(by_region).frame
    assert dict(zip(frame.region, frame.value.round(), strict=True)) == {
        "DKE": 1_085_307,
        "DKW": 1_172_504,
    }
    objective = total(denmark, Query("attribute:ObjZ", group_by=("region",)))
    assert objective == pytest.approx(frame.value.sum())
    assert round(objective) == 2_257_811
    transfers = denmark.ask(Query("attribute:Reg_irec", group_by=("region",))).frame
    assert transfers.value.round(3).tolist() == [2431.657, -2431.657]


def test_a_regions_objective_is_the_sum_of_its_parts(denmark: Source) -> None:
    parts = denmark.ask(Query("attribute:Reg_wobj", group_by=("region",))).frame
    regions = denmark.ask(Query("attribute:Reg_obj", group_by=("region",))).frame
    assert parts.value.tolist() == pytest.approx(regions.value.tolist())


def test_what_is_given_of_a_commodity_is_taken_by_others(denmark: Source) -> None:
    [(both, balanced)] = denmark.rows(
        """
        WITH sides AS (
            SELECT commodity, region, year,
                sum(value) FILTER (attribute = 'VAR_FIn') AS taken,
                sum(value) FILTER (attribute = 'VAR_FOut') AS given
            FROM result WHERE attribute IN ('VAR_FIn', 'VAR_FOut') GROUP BY ALL
        )
        SELECT count(*), count(*) FILTER (abs(taken - given) <= 0.001 * abs(given))
        FROM sides WHERE taken IS NOT NULL AND given IS NOT NULL
        """
    )
    assert both == 3157
    assert round(100 * balanced / both, 2) == 98.07


def test_danish_electricity_is_lost_on_the_grid(denmark: Source) -> None:
    """DOMAIN: FOut 227.6, FIn 211.7 PJ in 2030; COM_IE tells the share that arrives."""
    flows = dict(
        denmark.rows(
            "SELECT attribute, sum(value) FROM result WHERE year = 2030 AND commodity = 'ELCC'"
            " AND attribute IN ('VAR_FIn', 'VAR_FOut') GROUP BY ALL"
        )
    )
    [(share,)] = denmark.rows(
        "SELECT DISTINCT value FROM commodity_efficiency WHERE commodity = 'ELCC'"
    )
    assert flows["VAR_FIn"] == pytest.approx(flows["VAR_FOut"] * share, rel=1e-6)


def test_the_regions_trade_electricity_both_ways_with_a_known_partner(denmark: Source) -> None:
    assert denmark.rows(
        "SELECT DISTINCT region_from, region_to, commodity_from, commodity_to, partner_source"
        " FROM trade WHERE process = 'TB_ELCC_DKE_DKW_01' ORDER BY ALL"
    ) == [
        ("DKE", "DKW", "ELCC", "ELCC", "TOP_IRE"),
        ("DKW", "DKE", "ELCC", "ELCC", "TOP_IRE"),
    ]
    assert one(denmark, "SELECT count(*) FROM trade WHERE partner_source = 'unknown'") == 0


def test_electricity_crosses_the_border_to_five_countries(denmark: Source) -> None:
    rows = denmark.rows(
        "SELECT DISTINCT process[:3], right(process, 2), region_from, region_to FROM trade"
        " WHERE regexp_matches(process, '^(IMP|EXP)ELC-')"
    )
    assert {country for _, country, _, _ in rows} == {"DE", "NL", "NO", "SE", "UK"}
    for kind, _, region_from, region_to in rows:
        outside, inside = (region_from, region_to) if kind == "IMP" else (region_to, region_from)
        assert outside == "IMPEXP"
        assert inside in ("DKE", "DKW")


def test_example_queries_answer_on_denmark(denmark: Source) -> None:
    # One scenario alone has none to compare with; Denmark has no storage and needs no dummies.
    without = ("most-changed", "new-technologies", "storage", "dummy-imports")
    check_rows_and_chart(denmark, "DK_Regeringen", without=without)
    check_figures(denmark, "DK_Regeringen")


# ---------------------------------------------------------------------------- Denmark, again


def test_danish_emissions_equal_the_two_accounts_added_by_hand(denmark: Source) -> None:
    by_hand = one(
        denmark,
        "SELECT sum(CASE attribute WHEN 'VAR_FOut' THEN value ELSE -value END) FROM result"
        " WHERE commodity IN ('ETSCO2', 'NETSCO2') AND process <> '-' AND year = 2030"
        " AND attribute IN ('VAR_FIn', 'VAR_FOut')",
    )
    assert round(by_hand, 2) == 17_973.51
    answer = denmark.ask(Query("emissions", years=(2030,)))
    assert answer.unit == "kt"
    assert answer.frame.value.tolist() == pytest.approx([by_hand])
    by_sector = denmark.ask(Query("emissions", years=(2030,), group_by=("sector",))).frame
    assert by_sector.value.sum() == pytest.approx(by_hand)
    net = one(
        denmark,
        "SELECT sum(value) FROM result WHERE attribute = 'VAR_Comnet' AND year = 2030"
        " AND commodity IN ('ETSCO2', 'NETSCO2')",
    )
    assert net == pytest.approx(by_hand)


def test_danish_generation_equals_the_electricity_of_plants_added_by_hand(
    denmark: Source,
) -> None:
    by_hand = one(
        denmark,
        """
        WITH electricity AS (
            SELECT DISTINCT region, commodity FROM commodity_set WHERE set_name IN ('ELC', 'ELC+')
        ), taking AS (
            SELECT region, process FROM result SEMI JOIN electricity USING (region, commodity)
            WHERE attribute = 'VAR_FIn'
            UNION SELECT region, process FROM topology
            SEMI JOIN electricity USING (region, commodity) WHERE direction = 'IN'
            UNION SELECT region, process FROM process_set
            WHERE set_name IN ('IRE', 'STG', 'STS', 'NST')
        )
        SELECT sum(value) FROM result
        SEMI JOIN electricity USING (region, commodity)
        ANTI JOIN taking USING (region, process)
        WHERE attribute = 'VAR_FOut' AND year = 2030
        """,
    )
    answer = denmark.ask(Query("electricity_generation", years=(2030,), unit="PJ"))
    assert answer.frame.value.tolist() == pytest.approx([by_hand])
    assert 100 < by_hand < 400  # PJ; Denmark generates 30 to 100 TWh


def test_danish_system_cost_equals_the_annual_costs_added_by_hand(denmark: Source) -> None:
    by_hand = one(
        denmark, "SELECT sum(value) FROM result WHERE attribute = 'Reg_ACost' AND year = 2030"
    )
    answer = denmark.ask(Query("system_cost", years=(2030,), unit="MKr12"))
    assert answer.frame.value.tolist() == pytest.approx([by_hand])
    frame = denmark.ask(Query("system_cost", group_by=("region",), unit="MKr12")).frame
    factors = {
        (region, year): factor
        for region, year, factor in denmark.rows(
            "SELECT region, year, value FROM result WHERE attribute = 'Time_NPV'"
            " AND user_constraint = 'COST'"
        )
    }
    discounted = sum(
        value * factors[region, year]
        for region, year, value in zip(frame.region, frame.year, frame.value, strict=True)
    )
    # DOMAIN: the discounted annual costs come within 0.2% of the objective.
    assert discounted == pytest.approx(2_257_811, rel=0.003)


Node = tuple[str, str]


class FinalUse:
    """Final use after DOMAIN section 3, from topology, sets, units and the raw flows alone."""

    def __init__(self, source: Source) -> None:
        self.energy = set(
            source.rows(
                "SELECT region, commodity FROM commodity WHERE unit = 'PJ'"
                " EXCEPT SELECT region, commodity FROM commodity_set"
                " WHERE set_name IN ('DEM', 'ENV', 'MAT')"
            )
        )
        self.sets: dict[Node, set[str]] = defaultdict(set)
        for region, process, name in source.rows(
            "SELECT region, process, set_name FROM process_set"
        ):
            self.sets[region, process].add(name)
        self.amount: dict[tuple[str, str, str, str], float] = defaultdict(float)
        for region, process, commodity, side in source.rows(
            "SELECT region, process, commodity, direction FROM topology"
            " WHERE region NOT IN ('IMPEXP', 'MINRNW')"
        ):
            self.amount[region, process, commodity, side] += 0.0
        for *key, value in source.rows(
            "SELECT region, process, commodity, CASE attribute WHEN 'VAR_FIn' THEN 'IN' ELSE 'OUT'"
            " END, sum(value) FROM result WHERE attribute IN ('VAR_FIn', 'VAR_FOut')"
            " AND process <> '-' GROUP BY ALL"
        ):
            self.amount[key[0], key[1], key[2], key[3]] += value
        self.taken: dict[Node, list[str]] = defaultdict(list)
        self.given: dict[Node, list[str]] = defaultdict(list)
        self.users: dict[Node, set[Node]] = defaultdict(set)
        for region, process, commodity, side in self.amount:
            if side == "IN":
                self.users[region, commodity].add((region, process))
            if (region, commodity) in self.energy:
                (self.taken if side == "IN" else self.given)[region, process].append(commodity)

    def hands_on(self, node: Node) -> bool:
        """One energy carrier in, one out, and as much (0.1%) over all years."""
        if len(self.taken[node]) != 1 or len(self.given[node]) != 1:
            return False
        if self.sets[node] & {"STG", "STS", "NST", "ELE", "CHP", "HPL"}:
            return False
        put_in = self.amount[(*node, self.taken[node][0], "IN")]
        put_out = self.amount[(*node, self.given[node][0], "OUT")]
        return "DISTR" in self.sets[node] or (put_in > 0 and abs(put_out / put_in - 1) < 1e-3)

    def processes(self) -> set[Node]:
        inside = {node for node, names in self.sets.items() if "DMD" in names}
        while True:
            joining = set(self._joining(inside))
            if not joining:
                return inside
            inside |= joining

    def _joining(self, inside: set[Node]) -> Iterator[Node]:
        for node, names in self.sets.items():
            if node in inside or "PRE" not in names or "IRE" in names or not self.given[node]:
                continue
            users = set().union(*(self.users[node[0], c] for c in self.given[node]))
            if users and users <= inside and not self.hands_on(node):
                yield node


def test_danish_final_energy_equals_the_definition_worked_out_apart(denmark: Source) -> None:
    model = FinalUse(denmark)
    inside = model.processes()
    with_input = {(region, process) for region, process, _, side in model.amount if side == "IN"}
    use = savings = 0.0
    for region, process, commodity, attribute, value in denmark.rows(
        "SELECT region, process, commodity, attribute, sum(value) FROM result WHERE year = 2030"
        " AND attribute IN ('VAR_FIn', 'VAR_FOut') GROUP BY ALL"
    ):
        if (region, process) in inside and (region, commodity) in model.energy:
            signed = value if attribute == "VAR_FIn" else -value
            if (region, process) in with_input:
                use += signed
            else:
                savings += signed
    assert round(use, 2) == 596.85
    assert round(savings, 2) == -17.25
    by_part = denmark.ask(Query("final_energy", years=(2030,), unit="PJ"))
    assert by_part.frame.value.tolist() == pytest.approx([use + savings])
    counted = denmark.rows(
        "SELECT part, sum(value * factor) FROM flow_annual JOIN boundary"
        " USING (region, process, commodity, direction)"
        " WHERE boundary = 'final' AND year = 2030 GROUP BY part ORDER BY part"
    )
    assert dict(counted) == pytest.approx({"savings": savings, "use": use})


# ---------------------------------------------------------------------------- DemoS


def test_demos_is_read_whole(demos: Source) -> None:
    report = demos.import_report()
    assert report[report.message == "result rows read"]["count"].tolist() == [2727]
    assert one(demos, "SELECT count(*) FROM result") == 2727
    assert demos.regions == ("REG1", "REG2")
    assert demos.scenario_names == ("DemoS_007_3108",)
    [(description,)] = [(s.description,) for s in demos.manifest.scenarios]
    assert description == "DemoS_007"


def test_demos_trades_electricity_both_ways(demos: Source) -> None:
    assert demos.rows(
        "SELECT DISTINCT region_from, region_to, partner_source FROM trade"
        " WHERE process = 'TB_ELC_REG1_REG2_01' ORDER BY ALL"
    ) == [("REG1", "REG2", "topology"), ("REG2", "REG1", "topology")]
    assert (
        one(
            demos,
            "SELECT count(*) FROM trade WHERE process = 'TB_ELC_REG1_REG2_01'"
            " AND (sent IS NULL OR received IS NULL)",
        )
        == 0
    )


def test_the_objectives_of_demos_are_those_that_veda_shows(demos: Source) -> None:
    frame = demos.ask(Query("attribute:Reg_obj", group_by=("region",))).frame
    assert dict(zip(frame.region, frame.value.round(3), strict=True)) == {
        "REG1": 2859388.907,
        "REG2": 2625576.684,
    }


COLUMNS = {
    "Attribute": "attribute",
    "Commodity": "commodity",
    "Process": "process",
    "Period": "year",
    "Region": "region",
    "Vintage": "vintage",
    "Timeslice": "timeslice",
    "Userconstraint": "user_constraint",
}


@pytest.mark.parametrize(
    ("name", "rows"),
    [("_SysCost", 2), ("All costs", 453), ("Demands", 49), ("Process Marginals", 430)],
)
def test_every_row_of_vedas_own_tables_is_in_the_results(
    demos: Source, real_data: Path, name: str, rows: int
) -> None:
    exported = pd.read_csv(
        real_data / "veda" / f"batch_export_{name}.csv",
        encoding="utf-8-sig",
        dtype=str,
        keep_default_na=False,
    )
    columns = [COLUMNS[c] for c in exported.columns if c in COLUMNS]
    veda = exported.rename(columns=COLUMNS).set_index(columns).Pv.astype(float).sort_index()
    # A table of one commodity set names it in its last column.
    of_set = "SEMI JOIN (FROM commodity_set WHERE set_name = 'DEM') USING (region, commodity)"
    ours = demos.sql(
        "SELECT * REPLACE (coalesce(year::VARCHAR, '-') AS year) FROM result "
        + (of_set if "Commodityset" in exported.columns else "")
    )
    ours = ours[ours.attribute.isin(set(exported.Attribute))]
    found = ours.set_index(columns).value.sort_index()
    assert len(veda) == rows
    assert found.index.is_unique
    assert found.index.equals(veda.index)
    # VEDA writes ten significant digits.
    assert found.to_numpy() == pytest.approx(veda.to_numpy(), rel=1e-9)


def test_a_scenario_without_units_refuses_energy_but_shows_costs(demos: Source) -> None:
    assert demos.measure_names == ("system_cost", "objective", "objective_with_trade")
    assert demos.ask(Query("system_cost")).unit == "MEuro05"
    with pytest.raises(NotAvailableError, match="a table of units beside them"):
        demos.ask(Query("final_energy"))
    with pytest.raises(MixedUnitsError, match=r"units of .* are unknown.*commodity_units\.csv"):
        demos.ask(Query("electricity_generation"))


# ---------------------------------------------------------------------------- worked out


def by(source: Source, query: Query) -> dict[str, float]:
    """Return the values of a query by its one group."""
    frame = source.ask(query).frame
    return dict(zip(frame[query.group_by[0]], frame["value"], strict=True))


def test_the_danish_grid_loses_what_no_process_takes(denmark: Source) -> None:
    # DOMAIN section 3: electricity of 2030, FOut 227.6, FIn 211.7.
    only = (("commodity", ("ELCC",)),)
    parts = by(denmark, Query("commodity_balance", years=(2030,), group_by=("part",), filters=only))
    produced = sum(value for value in parts.values() if value > 0)
    assert produced == pytest.approx(227.6, abs=0.05)
    assert parts["Grid loss"] == pytest.approx(-0.07 * produced)
    assert sum(parts.values()) == pytest.approx(0, abs=1e-3)
    assert produced + parts["Grid loss"] == pytest.approx(211.7, abs=0.05)


def test_danish_wind_and_sun_are_domestic(denmark: Source) -> None:
    parts = by(denmark, Query("primary_energy", years=(2030,), group_by=("part",)))
    share = total(denmark, Query("import_dependency", years=(2030,)))
    primary = sum(parts.values())
    assert share == pytest.approx(100 * (parts["Imports"] + parts["Exports"]) / primary)
    ambient = by(
        denmark,
        Query("primary_energy", years=(2030,), group_by=("fuel",),
              filters=(("part", ("Domestic",)),)),
    )  # fmt: skip
    assert ambient["Wind"] + ambient["Solar"] > 100


def test_the_danish_objective_is_the_sum_of_its_regions_and_kinds(denmark: Source) -> None:
    whole = total(denmark, Query("objective"))
    assert whole == pytest.approx(2_257_811, abs=1)
    assert by(denmark, Query("objective", group_by=("region",))) == pytest.approx(
        {"DKE": 1_085_307, "DKW": 1_172_504}, abs=1
    )
    traded = by(denmark, Query("objective_with_trade", group_by=("region",)))
    assert sum(traded.values()) == pytest.approx(whole)
    assert abs(traded["DKE"] - 1_085_307) == pytest.approx(2_431.657, abs=1)


def test_danish_emissions_are_those_of_the_system(denmark: Source) -> None:
    parts = by(denmark, Query("emissions_reconciled", years=(2030,), group_by=("part",)))
    emitted = total(denmark, Query("emissions", years=(2030,)))
    assert emitted == pytest.approx(17_974, abs=1)
    assert parts["From processes"] == pytest.approx(emitted)
    assert abs(parts["Residual"]) < 1e-3 * emitted


def test_the_price_of_a_starter_cap_is_its_shadow_price(real_data: Path, tmp_path: Path) -> None:
    import_files(Store(tmp_path), "starter", [real_data / STARTER])
    source = open_source(tmp_path, "starter")
    prices = by(source, Query("emission_price", years=(2030,), group_by=("commodity",)))
    capped = one(
        source,
        "SELECT -1000 * value FROM result WHERE attribute = 'VAR_ComnetM' AND commodity = 'CO2'"
        " AND year = 2030",
    )
    assert prices["CO2"] == pytest.approx(capped)
    # The model's own aggregate has its own factors: 21 for CH4.
    gases = by(source, Query("emissions_ghg", years=(2030,), group_by=("commodity",)))
    methane = total(source, Query("emissions_ch4", years=(2030,)))
    assert sum(v for c, v in gases.items() if c.startswith("CH4")) == pytest.approx(21 * methane)


# ---------------------------------------------------------------------------- both formats

RESULT_COLUMNS = (
    "sow, attribute, commodity, process, year, region, vintage, timeslice, user_constraint, value"
)


def through_veda(folder: Path, source: Source, data: Path) -> Source:
    """Write a published scenario as VEDA files and import those."""
    export(source, Results(), "vd", folder)
    import_files(Store(data), f"{source.dataset}-veda", [folder])
    return open_source(data, f"{source.dataset}-veda")


def assert_same_results(left: Source, right: Source) -> None:
    """Compare the result tables as multisets of rows, without their units."""
    paths = [s.manifest_path.parent / s.manifest.scenarios[0].file for s in (left, right)]
    with duckdb.connect() as connection:
        for name, path in zip(("a", "b"), paths, strict=True):
            connection.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        [(rows, others)] = connection.execute(
            "SELECT (SELECT count(*) FROM a.result), (SELECT count(*) FROM b.result)"
        ).fetchall()
        assert rows == others > 0
        missing = connection.execute(
            f"SELECT {RESULT_COLUMNS} FROM a.result EXCEPT ALL SELECT {RESULT_COLUMNS} FROM"
            " b.result LIMIT 3"
        ).fetchall()
        assert missing == []


def test_denmark_read_from_veda_files_has_the_same_results(
    denmark: Source, data: Path, tmp_path: Path
) -> None:
    written = through_veda(tmp_path / "dk", denmark, data)
    assert_same_results(denmark, written)
    assert written.rows("SELECT count(*) FROM result") == [(589_455,)]
    # What VEDA files do carry leads to the same network: sets, topology and trade.
    for table in ("process_set", "commodity_set", "topology"):
        asked = f"SELECT * EXCLUDE (scenario) FROM {table} WHERE region NOT IN"
        asked += " ('IMPEXP', 'MINRNW') ORDER BY ALL"
        assert set(denmark.rows(asked)) <= set(written.rows(asked)), table
    asked = (
        "SELECT process, region_from, region_to, sum(sent), sum(received) FROM trade"
        " WHERE process LIKE 'TB_ELCC%' GROUP BY ALL ORDER BY ALL"
    )
    for mine, theirs in zip(denmark.rows(asked), written.rows(asked), strict=True):
        assert mine[:3] == theirs[:3]
        assert mine[3:] == pytest.approx(theirs[3:])


def test_starter_read_from_veda_files_has_the_same_results(
    real_data: Path, data: Path, tmp_path: Path
) -> None:
    import_files(Store(data), "starter", [real_data / STARTER])
    starter = open_source(data, "starter")
    assert_same_results(starter, through_veda(tmp_path / "starter", starter, data))


# ---------------------------------------------------------------------------- canonical Parquet


@pytest.mark.parametrize("name", ["denmark", "demos"])
def test_real_scenarios_exported_as_parquet_are_read_the_same(
    name: str, request: pytest.FixtureRequest, data: Path, tmp_path: Path
) -> None:
    source: Source = request.getfixturevalue(name)
    export(source, Results(), "parquet", tmp_path / "export.zip")
    import_files(Store(data), f"{name}-parquet", [tmp_path / "export.zip"])
    again = open_source(data, f"{name}-parquet")
    paths = [s.manifest_path.parent / s.manifest.scenarios[0].file for s in (source, again)]
    with duckdb.connect() as connection:
        for alias, path in zip(("a", "b"), paths, strict=True):
            connection.execute(f"ATTACH '{path}' AS {alias} (READ_ONLY)")
        for table in TABLES:
            [(before, after)] = connection.execute(
                f"SELECT (SELECT count(*) FROM a.{table}), (SELECT count(*) FROM b.{table})"
            ).fetchall()
            assert before == after, table
            # Sums in derived tables depend on the order in which threads add up.
            if table not in DERIVED_TABLES:
                missing = f"FROM a.{table} EXCEPT ALL FROM b.{table} LIMIT 3"
                assert connection.execute(missing).fetchall() == [], table
    assert again.measure_names == source.measure_names
    for measure in source.measure_names:
        try:
            figures = source.ask(Query(measure)).frame.value.tolist()
        except TimesError as error:
            with pytest.raises(type(error)):
                again.ask(Query(measure))
        else:
            assert again.ask(Query(measure)).frame.value.tolist() == pytest.approx(figures)
