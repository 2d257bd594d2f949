"""From the inputs in a MIRO file to the canonical tables: SQL over ``miro_inputs``' two tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import duckdb
import numpy as np

from catalogs.readers import miro_inputs
from catalogs.readers.base import report
from catalogs.readers.gdx import GdxContents
from catalogs.readers.timeslices import TimesliceInputs, timeslice_tree
from catalogs.tables import GROUP_COMMODITIES


def store(
    contents: GdxContents,
    file: str,
    connection: duckdb.DuckDBPyConnection,
    load: Callable[[GdxContents, str, duckdb.DuckDBPyConnection], None] = miro_inputs.load,
) -> dict[str, str]:
    """Fill the canonical tables except ``raw_result``; return notes on the scenario.

    ``load`` makes the two tables of inputs that all of it is taken from.
    ``raw_result`` must be filled already: the regions with results are the internal ones.
    ``commodity_efficiency`` holds the years that the file gives; TIMES interpolates between them
    and holds the first and last value beyond. Year 0 is left out: there TIMES keeps the option
    for interpolating. A capacity unit is only known where ``PRC_CAPUNT`` gives it: ``UNITS_CAP``
    lists the units of all processes together.
    """
    load(contents, file, connection)
    for statement in _STATEMENTS:
        connection.execute(statement)
    _store_timeslices(contents, file, connection)
    _store_periods(contents, file, connection)
    _report_left_out(file, connection)
    _report_conflicts(file, connection)
    notes = _notes(connection)
    connection.execute("DROP TABLE miro_input; DROP TABLE miro_description")
    return notes


_STATEMENTS = (
    """
    INSERT INTO element
    SELECT dimension, region, element, arg_max(description, place)
    FROM miro_description GROUP BY ALL ORDER BY ALL
    """,
    """
    INSERT INTO process
    WITH known AS (
        SELECT region, process FROM miro_input
        WHERE name IN ('PRC_DESC', 'PRC_MAP', 'PRC_ACTUNT', 'TOP')
        UNION SELECT region, element FROM miro_description
        WHERE dimension = 'Process' AND region IN (SELECT region FROM raw_result)
    ), given AS (
        SELECT region, process,
            arg_max(item, place) FILTER (name = 'PRC_ACTUNT') AS activity_unit,
            arg_max(item, place) FILTER (name = 'PRC_CAPUNT') AS capacity_unit,
            arg_max(value, place) FILTER (name = 'PRC_CAPACT') AS capacity_to_activity
        FROM miro_input GROUP BY region, process
    )
    SELECT known.region, known.process, description, nullif(activity_unit, '-'),
        nullif(capacity_unit, '-'), if(nullif(capacity_unit, '-') IS NULL, NULL, 'file'),
        capacity_to_activity
    FROM known
    LEFT JOIN given USING (region, process)
    LEFT JOIN element ON dimension = 'Process'
        AND element.region = known.region AND element.element = known.process
    ORDER BY known.region, known.process
    """,
    """
    INSERT INTO commodity
    WITH known AS (
        SELECT region, commodity FROM miro_input WHERE name IN ('COM_DESC', 'COM_UNIT')
        UNION SELECT region, item FROM miro_input WHERE name = 'COM_TMAP'
        UNION SELECT region, element FROM miro_description
        WHERE dimension = 'Commodity' AND region IN (SELECT region FROM raw_result)
    ), given AS (
        SELECT region, commodity, arg_max(item, place) AS unit
        FROM miro_input WHERE name = 'COM_UNIT' GROUP BY ALL
    )
    SELECT known.region, known.commodity, description, nullif(unit, '-')
    FROM known
    LEFT JOIN given USING (region, commodity)
    LEFT JOIN element ON dimension = 'Commodity'
        AND element.region = known.region AND element.element = known.commodity
    ORDER BY known.region, known.commodity
    """,
    """
    INSERT INTO process_set
    SELECT DISTINCT region, process, item FROM miro_input WHERE name = 'PRC_MAP' ORDER BY ALL
    """,
    # VEDA puts a plus behind the types of energy carrier (ELC+): one name for both formats.
    """
    INSERT INTO commodity_set
    SELECT DISTINCT region, item, commodity FROM miro_input WHERE name = 'COM_TMAP'
    UNION SELECT region, commodity, item || '+' FROM miro_input WHERE name = 'NRG_TMAP'
    ORDER BY ALL
    """,
    f"""
    INSERT INTO topology
    SELECT DISTINCT region, process, commodity, upper(item) FROM miro_input
    WHERE name = 'TOP' AND commodity NOT IN {GROUP_COMMODITIES} ORDER BY ALL
    """,
    """
    INSERT INTO trade_link
    SELECT DISTINCT process, region, commodity, item, item_2, 'TOP_IRE' FROM miro_input
    WHERE name = 'TOP_IRE' ORDER BY ALL
    """,
    # COM_AGG(region, year, child, parent): the child counts in the parent, times the factor.
    """
    INSERT INTO commodity_aggregation
    SELECT region, item, commodity, arg_max(value, (try_cast(year AS SMALLINT), place))
    FROM miro_input WHERE name = 'COM_AGG' AND try_cast(year AS SMALLINT) > 0
    GROUP BY ALL ORDER BY ALL
    """,
    """
    INSERT INTO commodity_efficiency
    SELECT region, commodity, try_cast(year AS SMALLINT), timeslice, arg_max(value, place)
    FROM miro_input WHERE name = 'COM_IE' AND try_cast(year AS SMALLINT) > 0
    GROUP BY ALL ORDER BY ALL
    """,
    """
    INSERT INTO region (region, kind)
    WITH internal AS (
        SELECT DISTINCT region FROM raw_result WHERE region NOT IN ('-', 'IMPEXP', 'MINRNW')
    ), linked AS (
        SELECT region_from AS region FROM trade_link UNION SELECT region_to FROM trade_link
    )
    SELECT region, 'internal' FROM internal
    UNION SELECT region, 'external' FROM linked WHERE region NOT IN (FROM internal)
    ORDER BY 2 DESC, 1
    """,
)


def _store_timeslices(
    contents: GdxContents, file: str, connection: duckdb.DuckDBPyConnection
) -> None:
    """Fill ``timeslice`` and its elements, one tree per region; warn of fractions that lack."""
    keys = contents.keys.get("timeslice", np.empty((0, 1), np.int32))
    listed = contents.column(keys[:, 0]).to_pylist()
    texts = contents.texts.get("timeslice", [""] * len(listed))
    described = {name: text.strip() or None for name, text in zip(listed, texts, strict=True)}
    rows: dict[str, TimesliceInputs] = {}
    for name, region, timeslice, item, value in connection.execute(
        "SELECT name, region, timeslice, item, value FROM miro_input"
        " WHERE name IN ('TS_GROUP', 'TS_MAP', 'G_YRFR') ORDER BY place"
    ).fetchall():
        given = rows.setdefault(region, TimesliceInputs())
        if name == "TS_GROUP":
            given.level[timeslice] = item
        elif name == "TS_MAP":
            given.ancestors.setdefault(item, []).append(timeslice)
        elif value is not None:
            given.year_fraction[timeslice] = value
    for region in sorted(rows):
        nodes, problems = timeslice_tree(rows[region], listed)
        connection.executemany(
            "INSERT INTO timeslice VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    region,
                    n.name,
                    n.parent,
                    n.level,
                    n.year_fraction,
                    n.position,
                    described.get(n.name),
                )
                for n in nodes
            ],
        )
        for problem in problems:
            report(connection, "warning", "timeslice", f"Region {region}: {problem}", file=file)
    if described:
        connection.executemany(
            "INSERT INTO element VALUES ('TimeSlice', '-', ?, ?)", list(described.items())
        )


def _store_periods(contents: GdxContents, file: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``period`` for the milestone years, from B (first year), E (last) and D (length)."""
    keys = contents.keys.get("milestonyr", np.empty((0, 1), np.int32))
    years = sorted({int(y) for y in contents.column(keys[:, 0]).to_pylist() if y.isdecimal()})
    if not years:
        message = "There are no milestone years (milestonyr): the periods are unknown."
        report(connection, "warning", "period", message, file=file)
        return
    connection.execute(
        """
        INSERT INTO period
        WITH given AS (
            SELECT try_cast(year AS SMALLINT) AS year,
                arg_max(value, place) FILTER (name = 'B') AS first_year,
                arg_max(value, place) FILTER (name = 'E') AS last_year,
                arg_max(value, place) FILTER (name = 'D') AS length
            FROM miro_input WHERE name IN ('B', 'D', 'E') GROUP BY 1
        )
        SELECT milestone.year, first_year, last_year, coalesce(length, last_year - first_year + 1)
        FROM (SELECT unnest(?::SMALLINT[]) AS year) AS milestone LEFT JOIN given USING (year)
        ORDER BY 1
        """,
        [years],
    )
    unknown = connection.execute("SELECT count(*) FROM period WHERE length IS NULL").fetchall()[0][
        0
    ]
    if unknown:
        message = "Milestone years whose period is unknown: nothing can be cumulated over them."
        report(connection, "warning", "period", message, file=file, count=unknown)


def _report_left_out(file: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Report group pseudo-commodities, interpolation options and regions without results."""
    for message, condition in (
        (
            "Topology of group pseudo-commodities left out.",
            f"name = 'TOP' AND commodity IN {GROUP_COMMODITIES}",
        ),
        (
            "Options for interpolating (year 0) left out.",
            "name IN ('COM_AGG', 'COM_IE') AND coalesce(try_cast(year AS SMALLINT), 0) <= 0",
        ),
        (
            "Regions of the model without results left out.",
            "name = 'REG' AND region NOT IN (SELECT region FROM region WHERE kind = 'internal')",
        ),
    ):
        query = f"SELECT count(*) FROM miro_input WHERE {condition}"
        count = connection.execute(query).fetchall()[0][0]
        if count:
            report(connection, "info", "left_out", message, file=file, count=count)


def _report_conflicts(file: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Warn of what several data files say differently; the one loaded last was kept."""
    for severity, topic, message, query in (
        (
            "warning",
            "units",
            "Commodities with several units",
            _differing("COM_UNIT", "commodity", "item"),
        ),
        (
            "warning",
            "units",
            "Processes with several activity units",
            _differing("PRC_ACTUNT", "process", "item"),
        ),
        (
            "warning",
            "aggregation",
            "Aggregations whose factor changes with the year",
            _differing("COM_AGG", "commodity || ' in ' || item", "value"),
        ),
        (
            "info",
            "description",
            "Elements described in several ways",
            "SELECT region || ' ' || element AS what FROM miro_description"
            " GROUP BY dimension, region, element HAVING count(DISTINCT description) > 1",
        ),
    ):
        found = [what for (what,) in connection.execute(f"{query} ORDER BY 1").fetchall()]
        if found:
            shown = ", ".join(found[:5]) + (" ..." if len(found) > 5 else "")
            whole = f"{message}; the one given last holds: {shown}."
            report(connection, severity, topic, whole, file=file, count=len(found))


def _differing(name: str, key: str, given: str) -> str:
    """Return a query for the regions and keys to which an input gives more than one value."""
    return (
        f"SELECT region || ' ' || {key} AS what FROM miro_input WHERE name = '{name}'"
        f" AND coalesce(try_cast(year AS SMALLINT), 1) > 0"
        f" GROUP BY ALL HAVING count(DISTINCT {given}) > 1"
    )


def _notes(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the currency that the model discounts (and so reports costs) in, and the year."""
    notes = {}
    for note, query in (
        ("currency", "SELECT DISTINCT currency FROM miro_input WHERE name = 'G_DRATE'"),
        ("currencies", "SELECT DISTINCT currency FROM miro_input WHERE name = 'CUR'"),
        (
            "discount_year",
            "SELECT max(value)::INTEGER::VARCHAR FROM miro_input WHERE name = 'G_DYEAR'",
        ),
    ):
        found: Sequence[str] = [
            text for (text,) in connection.execute(f"{query} ORDER BY 1").fetchall() if text
        ]
        if found:
            notes[note] = ", ".join(found)
    return notes
