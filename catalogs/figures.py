"""Figures that are worked out from several results, once, at import.

Each is a set of rows of the table ``figure``; measures of the source ``figure`` read them. All of
it is SQL inside the scenario's own file.
"""

from __future__ import annotations

import duckdb

from catalogs import balance
from catalogs.readers.base import report

_COLUMNS = (
    "INSERT INTO figure (figure, sow, year, region, process, commodity, user_constraint, part,"
    " unit, value, base)"
)


def build_figures(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``figure``; expects flows, groups and boundaries."""
    _grid_losses(connection)
    _balances(connection)
    _delivered(connection)
    _capacities(connection)
    _utilisation(connection)
    _objective(connection)
    _reconciliation(connection)
    connection.execute("DROP TABLE grid_loss; DROP TABLE generating")


def _grid_losses(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``grid_loss``: what of a commodity's production the grid loses in a year (COM_IE)."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE grid_loss AS {balance.losses(('sow', 'year'))}"
    )


def _balances(connection: duckdb.DuckDBPyConnection) -> None:
    """What becomes of each commodity in a year; all parts sum to zero."""
    connection.execute(
        f"""
        {_COLUMNS}
        SELECT 'balance', sow, year, region, process, commodity, '-', part, unit, value, NULL
        FROM ({balance.parts("flow_annual", "grid_loss", ("sow", "year"))})
        ORDER BY commodity, region, year, sow, process, part
        """
    )


def _delivered(connection: duckdb.DuckDBPyConnection) -> None:
    """Generation of electricity less the grid's losses."""
    connection.execute(
        f"""
        {_COLUMNS}
        SELECT 'delivered', f.sow, f.year, f.region, f.process, f.commodity, '-', '-', f.unit,
            f.value * (1 - coalesce(l.lost / nullif(l.produced, 0), 0)), NULL
        FROM flow_annual AS f
        SEMI JOIN (FROM boundary WHERE boundary = 'generation') AS b
            USING (region, process, commodity, direction)
        LEFT JOIN grid_loss AS l USING (sow, year, region, commodity)
        ORDER BY ALL
        """
    )


def _capacities(connection: duckdb.DuckDBPyConnection) -> None:
    """Additions per year, and retirements, of the processes that generate electricity.

    VAR_Ncap holds what a whole period adds. What a period retires is the stock before, and what
    was added, less the stock then; of the first year it is not known.
    """
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE generating AS
        SELECT DISTINCT region, process FROM boundary WHERE boundary = 'generation'
        """
    )
    connection.execute(
        f"""
        {_COLUMNS}
        WITH kept AS (
            SELECT r.sow, r.year, r.region, r.process, any_value(r.unit) AS unit,
                coalesce(sum(r.value) FILTER (r.attribute = 'VAR_Cap'), 0) AS stock,
                coalesce(sum(r.value) FILTER (r.attribute = 'VAR_Ncap'), 0) AS added
            FROM coded_result AS r SEMI JOIN generating USING (region, process)
            WHERE r.attribute IN ('VAR_Cap', 'VAR_Ncap') AND r.year IS NOT NULL
                AND isfinite(r.value)
            GROUP BY ALL
        ), states AS (SELECT DISTINCT sow, region, process, unit FROM kept
        ), years AS (
            SELECT year FROM kept UNION SELECT year FROM flow_annual
        ), every AS (
            SELECT s.*, y.year, coalesce(k.stock, 0) AS stock, coalesce(k.added, 0) AS added
            FROM states AS s CROSS JOIN years AS y LEFT JOIN kept AS k
                ON k.sow = s.sow AND k.region = s.region AND k.process = s.process
                AND k.unit IS NOT DISTINCT FROM s.unit AND k.year = y.year
        ), gone AS (
            SELECT *, lag(stock) OVER (
                PARTITION BY sow, region, process, unit ORDER BY year) + added - stock AS retired
            FROM every
        )
        SELECT 'additions per year', sow, year, region, process, '-', '-', '-', unit || '/a',
            added / p.length, NULL
        FROM every JOIN period AS p USING (year) WHERE p.length > 0 AND added <> 0
        UNION ALL
        SELECT 'retirements', sow, year, region, process, '-', '-', '-', unit, retired, NULL
        FROM gone WHERE abs(retired) > 1e-9 * (abs(stock) + abs(added) + abs(retired))
        ORDER BY ALL
        """
    )


def _utilisation(connection: duckdb.DuckDBPyConnection) -> None:
    """Activity of a year beside what the capacity could do (capacity x PRC_CAPACT)."""
    connection.execute(
        f"""
        {_COLUMNS}
        WITH storing AS (
            SELECT DISTINCT region, process FROM process_set WHERE set_name IN ('STG', 'STS', 'NST')
        ), kept AS (
            SELECT sow, year, region, process,
                coalesce(sum(value) FILTER (attribute = 'VAR_Act'), 0) AS activity,
                sum(value) FILTER (attribute = 'VAR_Cap') AS capacity
            FROM coded_result ANTI JOIN storing USING (region, process)
            WHERE attribute IN ('VAR_Act', 'VAR_Cap') AND year IS NOT NULL AND isfinite(value)
            GROUP BY ALL
        )
        SELECT 'utilisation', sow, year, region, process, '-', '-', '-', p.activity_unit, activity,
            capacity * p.capacity_to_activity
        FROM kept JOIN process AS p USING (region, process)
        WHERE capacity * p.capacity_to_activity > 0
        ORDER BY ALL
        """
    )


def _objective(connection: duckdb.DuckDBPyConnection) -> None:
    """The objective of each region: its own cost by kind, and the transfers of trade."""
    connection.execute(
        f"""
        {_COLUMNS}
        WITH parts AS (
            SELECT sow, year, region, user_constraint, 'Domestic' AS part, unit, sum(value) AS value
            FROM result WHERE attribute = 'Reg_wobj' GROUP BY ALL
        ), whole AS (
            SELECT sow, year, region, '-', 'Domestic', unit, sum(value)
            FROM result ANTI JOIN parts USING (sow, region)
            WHERE attribute = 'Reg_obj' GROUP BY ALL
        ), transfers AS (
            SELECT sow, year, region, 'IRE', 'Transfers by trade', unit, sum(value)
            FROM result WHERE attribute = 'Reg_irec' GROUP BY ALL
        )
        SELECT 'objective', sow, year, region, '-', '-', user_constraint, part, unit, value, NULL
        FROM (FROM parts UNION ALL FROM whole UNION ALL FROM transfers) ORDER BY ALL
        """
    )


def _reconciliation(connection: duckdb.DuckDBPyConnection) -> None:
    """Emissions of the processes beside the system's own total (VAR_Comnet), and the residual."""
    connection.execute(
        f"""
        {_COLUMNS}
        WITH account AS (
            SELECT DISTINCT boundary, region, commodity, abs(factor) AS factor FROM boundary
            WHERE boundary = 'emissions' OR starts_with(boundary, 'emissions ')
        ), system AS (
            SELECT a.boundary, r.sow, r.year, r.region, r.commodity, any_value(r.unit) AS unit,
                sum(r.value * a.factor) AS value
            FROM result AS r JOIN account AS a USING (region, commodity)
            WHERE r.attribute = 'VAR_Comnet' AND r.year IS NOT NULL AND isfinite(r.value)
            GROUP BY ALL
        ), processes AS (
            SELECT b.boundary, f.sow, f.year, f.region, f.commodity,
                sum(f.value * b.factor) AS value
            FROM flow_annual AS f
            JOIN boundary AS b USING (region, process, commodity, direction)
            SEMI JOIN system AS s ON s.boundary = b.boundary AND s.sow = f.sow
                AND s.year = f.year AND s.region = f.region AND s.commodity = f.commodity
            GROUP BY ALL
        ), compared AS (
            SELECT s.*, coalesce(p.value, 0) AS counted FROM system AS s
            LEFT JOIN processes AS p USING (boundary, sow, year, region, commodity)
        )
        SELECT 'reconciled ' || boundary, sow, year, region, '-', commodity, '-',
            'From processes', unit, counted, NULL
        FROM compared
        UNION ALL
        SELECT 'reconciled ' || boundary, sow, year, region, '-', commodity, '-',
            'Residual', unit, value - counted, NULL
        FROM compared
        ORDER BY ALL
        """
    )
    residual = connection.execute(
        """
        SELECT sum(abs(value)) FILTER (part = 'Residual'), sum(value)
        FROM figure WHERE figure = 'reconciled emissions'
        """
    ).fetchone()
    if residual and residual[1] and residual[0] > 1e-3 * abs(residual[1]):
        report(
            connection,
            "info",
            "emission account",
            f"the processes' emissions and the system's net total (VAR_Comnet) differ by"
            f" {residual[0]:.4g} of {residual[1]:.4g} over all years: see the residual",
        )
