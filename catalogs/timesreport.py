"""The view ``timesreport``: everything imported, as databases of that schema have it.

SQL that people wrote for such databases (DOMAIN section 1) runs unchanged on any dataset:
``timesreport``, its older name ``timesreport_facts``, and beside it ``all_ts_data``, the tables of
descriptions and ``source_files``. Two tables in ``semantics/`` say how: ``timesreport.csv`` gives
the topic and attr of an attribute, ``timesreport_topics.csv`` the topic of the attributes without
one, by their kind; those keep their own name as attr.

As in such databases, flows, activities, capacities and annual costs have an ``ANNUAL`` row per key
that is the total of its timeslices, **beside** them: a sum takes ``all_ts = 'ANNUAL'``, or all
others, never both. Levels of storage have no total.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import duckdb

from catalogs.store import PublishedScenario


def create_views(
    connection: duckdb.DuckDBPyConnection, scenarios: Sequence[PublishedScenario]
) -> None:
    """Create the views over the canonical ones of a ``Source``, and the small tables they need."""
    _create_tables(connection, scenarios)
    for statement in _VIEWS:
        connection.execute(statement)


def _create_tables(
    connection: duckdb.DuckDBPyConnection, scenarios: Sequence[PublishedScenario]
) -> None:
    connection.execute(
        "CREATE TABLE scenario_name"
        " (scenario VARCHAR, timesmodel VARCHAR, scen VARCHAR, description VARCHAR,"
        " file_id INTEGER, filename VARCHAR, load_timestamp TIMESTAMP)"
    )
    connection.executemany(
        "INSERT INTO scenario_name VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (s.key, s.model, s.scenario, s.description, number, s.inputs[0].name, s.imported_at)
            for number, s in enumerate(scenarios)
        ]
        or [(None,) * 7],
    )
    connection.execute("DELETE FROM scenario_name WHERE scenario IS NULL")
    for name in ("attributes", "timesreport", "timesreport_topics"):
        path = files("catalogs.semantics").joinpath(f"{name}.csv")
        connection.execute(
            f"CREATE TABLE meaning_{name} AS SELECT *"
            " FROM read_csv(?, header = true, all_varchar = true, nullstr = '')",
            [str(path)],
        )
    connection.execute(
        """
        CREATE TABLE report_meaning AS
        SELECT a.attribute, r.user_constraint, coalesce(r.attr, a.attribute) AS attr,
            coalesce(r.written_topic, t.topic) AS topic, t.has_total IS NOT NULL AS has_total,
            a.unit_source
        FROM meaning_attributes AS a
        LEFT JOIN meaning_timesreport AS r USING (attribute)
        LEFT JOIN meaning_timesreport_topics AS t USING (kind)
        UNION ALL
        SELECT a.attribute, NULL, a.attribute, t.topic, t.has_total IS NOT NULL, a.unit_source
        FROM meaning_attributes AS a LEFT JOIN meaning_timesreport_topics AS t USING (kind)
        WHERE a.attribute IN
            (SELECT attribute FROM meaning_timesreport WHERE user_constraint IS NOT NULL)
        """
    )
    connection.execute(
        "DROP TABLE meaning_attributes; DROP TABLE meaning_timesreport;"
        "DROP TABLE meaning_timesreport_topics"
    )


#: With whom a process trades, where that is one region only. Extraction (MINRNW) is no trade.
_PARTNERS = """
    SELECT scenario, process, region_to AS region, any_value(region_from) AS comes_from
    FROM trade_link WHERE region_from <> 'MINRNW' AND region_from <> region_to
    GROUP BY ALL HAVING count(DISTINCT region_from) = 1
"""
_BUYERS = """
    SELECT scenario, process, region_from AS region, any_value(region_to) AS goes_to
    FROM trade_link WHERE region_from <> region_to
    GROUP BY ALL HAVING count(DISTINCT region_to) = 1
"""

_VIEWS = (
    # A commodity in several sets is what comes first of demand, emission, material, energy.
    """
    CREATE VIEW report_commodity AS
    SELECT scenario, region, commodity, any_value(g.fuel) AS fuel,
        CASE min(CASE set_name WHEN 'DEM' THEN 1 WHEN 'ENV' THEN 2 WHEN 'MAT' THEN 3
                WHEN 'NRG' THEN 4 END)
            WHEN 1 THEN 'demand' WHEN 2 THEN 'emission' WHEN 3 THEN 'material' WHEN 4 THEN 'energy'
            ELSE any_value(nullif(g.kind, 'other')) END AS topic
    FROM commodity_group AS g LEFT JOIN commodity_set USING (scenario, region, commodity)
    GROUP BY ALL
    """,
    # What has a total is added up to it; a process that stores has levels, which have none.
    """
    CREATE VIEW report_row AS
    WITH meant AS (
        SELECT r.*, coalesce(m.attr, r.attribute) AS attr, m.topic, m.unit_source,
            coalesce(m.has_total, false) AND NOT (r.attribute = 'VAR_Act' AND EXISTS (
                FROM storage AS s WHERE s.scenario = r.scenario AND s.region = r.region
                    AND s.process = r.process)) AS has_total
        FROM result AS r LEFT JOIN report_meaning AS m ON m.attribute = r.attribute
            AND (m.user_constraint IN (r.user_constraint, replace(r.user_constraint, '+', ''))
                OR m.user_constraint IS NULL AND NOT EXISTS (
                    FROM report_meaning AS o WHERE o.attribute = r.attribute
                    AND o.user_constraint IN
                        (r.user_constraint, replace(r.user_constraint, '+', ''))))
    )
    SELECT scenario, sow, attribute, attr, topic, unit_source, commodity, process, year, region,
        vintage, timeslice, unit, currency, value
    FROM meant WHERE NOT has_total OR timeslice <> 'ANNUAL'
    UNION ALL
    SELECT scenario, sow, attribute, attr, topic, unit_source, commodity, process, year, region,
        vintage, 'ANNUAL', unit, currency, sum(value)
    FROM meant WHERE has_total
    GROUP BY scenario, sow, attribute, attr, topic, unit_source, commodity, process, year, region,
        vintage, unit, currency
    """,
    f"""
    CREATE VIEW timesreport AS
    SELECT n.timesmodel, n.scen, r.sow, coalesce(g.sector, 'NA') AS sector, 'NA' AS subsector,
        'NA' AS service, coalesce(g.technology, 'NA') AS techgroup,
        coalesce(c.fuel, if(r.commodity = '-', '-', 'NA')) AS comgroup,
        coalesce(r.topic, c.topic, 'NA') AS topic, r.attr, r.process AS prc, r.commodity AS com,
        r.timeslice AS all_ts,
        CASE WHEN r.attribute IN ('VAR_FOut', 'VAR_Act') THEN coalesce(p.comes_from, r.region)
            ELSE r.region END AS regfrom,
        CASE WHEN r.attribute = 'VAR_FIn' THEN coalesce(b.goes_to, r.region)
            WHEN r.attribute = 'VAR_Act' AND p.comes_from IS NULL
                THEN coalesce(b.goes_to, r.region)
            ELSE r.region END AS regto,
        coalesce(r.year::VARCHAR, 'NA') AS year, r.vintage AS vntg,
        coalesce(CASE WHEN r.unit_source = 'currency' THEN NULL
            WHEN r.unit_source LIKE 'currency per %' THEN nullif(split_part(r.unit, '/', 2), '')
            ELSE r.unit END, 'NA') AS unit,
        coalesce(r.currency, 'NA') AS cur, r.value, n.file_id
    FROM report_row AS r
    JOIN scenario_name AS n USING (scenario)
    LEFT JOIN process_group AS g ON g.scenario = r.scenario AND g.region = r.region
        AND g.process = r.process
    LEFT JOIN report_commodity AS c ON c.scenario = r.scenario AND c.region = r.region
        AND c.commodity = r.commodity
    LEFT JOIN ({_PARTNERS}) AS p ON p.scenario = r.scenario AND p.process = r.process
        AND p.region = r.region
    LEFT JOIN ({_BUYERS}) AS b ON b.scenario = r.scenario AND b.process = r.process
        AND b.region = r.region
    """,
    "CREATE VIEW timesreport_facts AS SELECT * RENAME (timesmodel AS model) FROM timesreport",
    # The lowest timeslices only: their hours make up the year.
    """
    CREATE VIEW all_ts_data AS
    SELECT n.timesmodel, n.scen, t.region AS all_reg, t.timeslice AS all_ts,
        t.year_fraction * 8760 AS value, n.file_id
    FROM timeslice AS t JOIN scenario_name AS n USING (scenario)
    WHERE t.timeslice <> 'ANNUAL' AND t.year_fraction IS NOT NULL AND NOT EXISTS (
        FROM timeslice AS child WHERE child.scenario = t.scenario AND child.region = t.region
        AND child.parent = t.timeslice)
    """,
    *(
        f"""
        CREATE VIEW {name}_desc AS
        SELECT {column} AS id, any_value(d.description) AS description, n.scen
        FROM {column} AS d JOIN scenario_name AS n USING (scenario)
        WHERE d.description IS NOT NULL GROUP BY ALL
        """
        for name, column in (("prc", "process"), ("com", "commodity"))
    ),
    "CREATE VIEW scen_desc AS SELECT scen, description FROM scenario_name",
    "CREATE VIEW source_files AS SELECT file_id, filename, load_timestamp FROM scenario_name",
)
