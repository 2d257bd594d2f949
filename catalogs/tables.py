"""The canonical tables: what every reader fills, and what every query reads.

One scenario is one DuckDB file holding all of these tables. They carry no scenario column: a
``Source`` adds it when it puts several scenarios side by side. "No value in this dimension"
(``-`` and ``NONE`` in TIMES files) is ``'-'`` in a text column and NULL in a year.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import duckdb

NO_VALUE = "-"

#: Pseudo-regions of TIMES: the world market and the extraction of domestic resources.
EXTERNAL_REGIONS = ("IMPEXP", "MINRNW")

#: Commodity groups that TIMES writes into the topology, for all inputs or outputs of a kind; they
#: are no commodities.
GROUP_COMMODITIES = ("NRGI", "NRGO", "ENVI", "ENVO", "DEMO", "MATI", "MATO")

#: Process used by COM_AGG parents: an aggregate, never a flow of its own.
AGGREGATE_PROCESS = NO_VALUE


@dataclass(frozen=True)
class Table:
    """A canonical table: its columns with their DuckDB types, and what one row of it says."""

    name: str
    columns: Mapping[str, str]
    one_row: str

    def create(self) -> str:
        """Return the CREATE TABLE statement."""
        columns = ", ".join(f'"{name}" {kind}' for name, kind in self.columns.items())
        return f'CREATE TABLE "{self.name}" ({columns})'


def _columns(text: str) -> Mapping[str, str]:
    """Read ``name TYPE, name TYPE`` where a missing type means VARCHAR."""
    parts = (part.split() for part in text.split(","))
    return MappingProxyType({p[0]: p[1] if len(p) > 1 else "VARCHAR" for p in parts})


_READ = (
    Table(
        "result",
        _columns(
            "row UINTEGER, sow, attribute, commodity, process, year SMALLINT, region, vintage,"
            " timeslice, user_constraint, unit, currency, value DOUBLE"
        ),
        "one value of the solution, under its attribute's VEDA name, per year of its period",
    ),
    Table(
        "result_extra",
        _columns("row UINTEGER, name, value"),
        "what a source says of a result row beyond the columns of `result`",
    ),
    Table(
        "element",
        _columns("dimension, region, element, description"),
        "the description of an element of a dimension, as its file gives it",
    ),
    Table(
        "process",
        _columns(
            "region, process, description, activity_unit, capacity_unit, capacity_unit_source,"
            " capacity_to_activity DOUBLE"
        ),
        "a technology in a region; capacity_to_activity is PRC_CAPACT (activity per capacity)",
    ),
    Table(
        "commodity",
        _columns("region, commodity, description, unit"),
        "a commodity in a region, with the unit of its flows; NULL where it is unknown",
    ),
    Table("process_set", _columns("region, process, set_name"), "a process is in a set"),
    Table("commodity_set", _columns("region, commodity, set_name"), "a commodity is in a set"),
    Table(
        "topology",
        _columns("region, process, commodity, direction"),
        "a process may take (IN) or give (OUT) a commodity",
    ),
    Table(
        "trade_link",
        _columns("process, region_from, commodity_from, region_to, commodity_to, link_source"),
        "a process may carry a commodity between regions",
    ),
    Table(
        "commodity_aggregation",
        _columns("region, parent, child, factor DOUBLE"),
        "COM_AGG: a commodity that is the weighted sum of others",
    ),
    Table(
        "commodity_efficiency",
        _columns("region, commodity, year SMALLINT, timeslice, value DOUBLE"),
        "COM_IE: the share of a commodity's production that reaches its users",
    ),
    Table(
        "timeslice",
        _columns(
            "region, timeslice, parent, level, year_fraction DOUBLE, position INTEGER, description"
        ),
        "a node of the timeslice tree; year_fraction as a share of the year",
    ),
    Table(
        "period",
        _columns("year SMALLINT, start_year SMALLINT, end_year SMALLINT, length DOUBLE"),
        "a milestone year and the calendar years it stands for",
    ),
    Table(
        "region",
        _columns("region, description, kind, latitude DOUBLE, longitude DOUBLE"),
        "a region; kind is internal (has results) or external (the world market, resources)",
    ),
    Table(
        "import_report",
        _columns("severity, topic, file, line BIGINT, message, count BIGINT"),
        "something the import noticed; severity is info or warning",
    ),
    Table(
        "import_account",
        _columns(
            "file, content, read BIGINT, kept BIGINT, merged BIGINT, conflicting BIGINT,"
            " left_out BIGINT"
        ),
        "what became of the rows of a file; the last four add up to read",
    ),
)

_DERIVED = (
    Table(
        "flow",
        _columns(
            "sow, year SMALLINT, timeslice, region, process, commodity, direction, value DOUBLE,"
            " unit"
        ),
        "what a process takes (IN) or gives (OUT) of a commodity; vintages added up",
    ),
    Table(
        "flow_annual",
        _columns("sow, year SMALLINT, region, process, commodity, direction, value DOUBLE, unit"),
        "a flow over the whole year: the sum over all its timeslices, ANNUAL included",
    ),
    Table(
        "trade",
        _columns(
            "sow, year SMALLINT, timeslice, process, region_from, region_to, commodity_from,"
            " commodity_to, sent DOUBLE, received DOUBLE, unit, partner_source"
        ),
        "what one region sends and another receives; one side may be NULL",
    ),
    Table(
        "price",
        _columns(
            "sow, year SMALLINT, timeslice, region, commodity, value DOUBLE, unit, weight DOUBLE,"
            " weighted_by, price_source"
        ),
        "the shadow price of a commodity, with the flow by which it may be averaged, and what it"
        " was taken from",
    ),
    Table(
        "process_group",
        _columns(
            "region, process, sector, sector_rule, technology, technology_rule, fuel, fuel_rule"
        ),
        "the groups a process is shown under, and the rule that put it there",
    ),
    Table(
        "group_rule",
        _columns(
            "position INTEGER, rule_table, line INTEGER, dimension, group_name, item, set_name,"
            " code, description, region, model, priority INTEGER, group_order INTEGER, colour"
        ),
        "a rule that may give a process or commodity its group, in the order of the tables",
    ),
    Table(
        "commodity_group",
        _columns("region, commodity, kind, is_electricity BOOLEAN, fuel, fuel_rule, sector"),
        "what a commodity is (energy, emission, demand, other) and the group it is shown under",
    ),
    Table(
        "boundary",
        _columns(
            "boundary, region, process, commodity, direction, factor DOUBLE, unit, part, sector,"
            " fuel, technology, partner"
        ),
        "a flow or process that a measure counts, with its sign and the groups it counts under",
    ),
    Table(
        "renewable",
        _columns("sow, year SMALLINT, region, process, commodity, direction, share DOUBLE"),
        "the share of a flow's energy that comes from renewable carriers, where there is any",
    ),
    Table(
        "figure",
        _columns(
            "figure, sow, year SMALLINT, region, process, commodity, user_constraint, part, unit,"
            " value DOUBLE, base DOUBLE"
        ),
        "a figure worked out from several results; base is what a ratio divides by",
    ),
)

#: Tables that an import works out from the others.
DERIVED_TABLES = frozenset(table.name for table in _DERIVED)

TABLES: Mapping[str, Table] = MappingProxyType({t.name: t for t in (*_READ, *_DERIVED)})


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create all canonical tables, empty."""
    connection.execute(";".join(table.create() for table in TABLES.values()))
