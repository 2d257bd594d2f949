"""A large VEDA scenario, the same at every run, for measuring how fast files are imported."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

#: Rows of the ``.vd``: those of a large national model with all its timeslices.
ROWS = 6_000_000

HEADER = """\
*  GDX2VEDAversion- 2005-10-07
*         ImportID- Scenario:Large
*       VEDAFlavor- TIMES
*       Dimensions- Attribute;Commodity;Process;Period;Region;Vintage;TimeSlice;UserConstraint;PV
* ParentDimensions- Commodity: Region; Process: Region; UserConstraint: Region
*      SetsAllowed- Commodity;Process;UserConstraint
*       NotIndexed- PV
*         ValueDim- PV
*  DefaultValueDim- PV
*   FieldSeparator- ,
*        TextDelim- "
"""

#: 8 regions of 700 processes over 10 years, four in ten of them timeslice by timeslice (32). Plants
#: make electricity or heat of a fuel, supply makes fuels of what is mined, demands take
#: electricity. Vintages overlap as in a model with a stock.
_MODEL = """
CREATE TEMP TABLE plant AS
SELECT 'REG' || r AS region, p, p >= 600 OR p % 3 = 0 AS fine,
    CASE WHEN p >= 600 THEN 'DEMAND' WHEN p % 3 = 0 THEN 'ELCNTPP' ELSE 'FTE-SUP' END
        || lpad(p::VARCHAR, 5, '0') AS process,
    CASE WHEN p >= 600 THEN 'ELC' WHEN p % 3 = 0 THEN 'FUEL' || lpad((p % 40)::VARCHAR, 3, '0')
        ELSE 'MIN' || lpad((p % 40)::VARCHAR, 3, '0') END AS fuel,
    CASE WHEN p >= 600 THEN 'DMD' || lpad((p % 25)::VARCHAR, 3, '0')
        WHEN p % 3 = 0 THEN 'ELC' WHEN p % 7 = 0 THEN 'LTH'
        ELSE 'FUEL' || lpad((p % 40)::VARCHAR, 3, '0') END AS product
FROM range(8) AS region(r), range(700) AS process(p);

CREATE TEMP TABLE slice AS
SELECT s, ['R', 'S', 'F', 'W'][1 + s % 4] || ['WD', 'WE'][1 + (s // 4) % 2]
    || lpad((s // 8)::VARCHAR, 2, '0') AS timeslice FROM range(32) AS slice(s);

CREATE TEMP TABLE running AS
SELECT plant.*, (2010 + 5 * y)::VARCHAR AS year, (2010 + 5 * (y - back))::VARCHAR AS vintage,
    coalesce(timeslice, 'ANNUAL') AS timeslice, coalesce(s, 0) AS s
FROM plant CROSS JOIN range(10) AS milestone(y) CROSS JOIN range(3) AS stock(back)
LEFT JOIN slice ON fine
WHERE back <= y AND (back = 0 OR back = p % 5);
"""

#: One process of each priced commodity: electricity, the demands and some fuels.
_PRICED = "p BETWEEN 0 AND 20 AND p % 3 <> 0 AND p % 7 <> 0 OR p = 0 OR p BETWEEN 600 AND 624"

#: Attribute, commodity, vintage, timeslice, scale of the values, and which processes have it. Those
#: with the most rows come last, and of the last one as many as are wanted.
_ATTRIBUTES = (
    ("VAR_Cap", "'-'", "'-'", "'-'", 25, "s = 0 AND vintage = year"),
    ("VAR_Ncap", "'-'", "vintage", "'-'", 5, "s = 0 AND vintage = year"),
    ("VAR_CapM", "'-'", "'-'", "'-'", -10, "s = 0 AND vintage = year AND p % 4 = 0"),
    ("Cost_Inv", "'-'", "vintage", "'-'", 300, "s = 0"),
    ("Cost_Fom", "'-'", "vintage", "'-'", 40, "s = 0"),
    ("Cost_Act", "'-'", "vintage", "'-'", 12, "s = 0"),
    ("Cost_Flo", "fuel", "vintage", "'-'", 12, "s = 0"),
    ("EQ_CombalM", "product", "'-'", "timeslice", 30, f"vintage = year AND ({_PRICED})"),
    ("VAR_Act", "'-'", "vintage", "timeslice", 80, "true"),
    ("VAR_ActM", "'-'", "vintage", "timeslice", 2, "p % 3 = 0"),
    ("VAR_FOut", "product", "vintage", "timeslice", 80, "true"),
    ("VAR_FOut", "'CO2'", "vintage", "timeslice", 9, "p < 600 AND p % 5 < 3"),
    ("VAR_FIn", "fuel", "vintage", "timeslice", 120, "true"),
    ("VAR_FIn", "'BIO' || right(fuel, 3)", "vintage", "timeslice", 30, "true"),
)

_TOPOLOGY = """
SELECT region, process, fuel, 'IN' FROM plant
UNION SELECT region, process, 'BIO' || right(fuel, 3), 'IN' FROM plant
UNION SELECT region, process, product, 'OUT' FROM plant
UNION SELECT region, process, 'CO2', 'OUT' FROM plant WHERE p < 600 AND p % 5 < 3
ORDER BY ALL
"""

_SETS = """
SELECT 'Process', region, CASE WHEN p >= 600 THEN 'DMD' WHEN p % 3 = 0 THEN 'ELE' ELSE 'PRE' END,
    process FROM plant
UNION SELECT 'Commodity', region, CASE WHEN p >= 600 THEN 'DEM' ELSE 'NRG' END, product FROM plant
UNION SELECT 'Commodity', region, 'NRG', fuel FROM plant
UNION SELECT 'Commodity', region, 'ENV', 'CO2' FROM plant
UNION SELECT 'Commodity', region, 'ELC+', 'ELC' FROM plant
ORDER BY ALL
"""

_DESCRIPTIONS = """
SELECT 'Process', region, process, 'Process ' || p || ' that makes ' || product FROM plant
UNION SELECT 'Commodity', region, fuel, 'Fuel ' || fuel FROM plant
ORDER BY ALL
"""


def write(folder: Path, rows: int = ROWS) -> Path:
    """Write the four VEDA files of a scenario ``Large`` and its units; return the ``.vd``."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"temp_directory": str(folder / "spill")}) as connection:
        connection.execute(_MODEL)
        path = folder / "Large.vd"
        connection.execute(f"CREATE TEMP TABLE line AS {_results()} LIMIT {rows - rows // 10_000}")
        # VEDA files repeat a row here and there.
        connection.execute("INSERT INTO line FROM (FROM line LIMIT ?)", [rows // 10_000])
        connection.execute(
            "COPY (SELECT * EXCLUDE (value), value FROM line) TO ? (HEADER false,"
            " FORCE_QUOTE (attribute, commodity, process, year, region, vintage, timeslice,"
            " user_constraint))",
            [str(folder / "rows.csv")],
        )
        for suffix, sql in ((".vde", _DESCRIPTIONS), (".vds", _SETS), (".vdt", _TOPOLOGY)):
            connection.execute(
                f"COPY ({sql}) TO ? (HEADER false, FORCE_QUOTE *)",
                [str(path.with_suffix(suffix))],
            )
        connection.execute(
            "COPY (SELECT DISTINCT commodity, CASE WHEN commodity = 'CO2' THEN 'kt' ELSE 'PJ' END"
            " AS unit FROM line WHERE commodity <> '-' ORDER BY 1) TO ? (HEADER)",
            [str(folder / "commodity_units.csv")],
        )
    with path.open("wb") as whole, (folder / "rows.csv").open("rb") as body:
        whole.write(HEADER.encode())
        while chunk := body.read(1 << 22):
            whole.write(chunk)
    (folder / "rows.csv").unlink()
    return path


def _results() -> str:
    """Return the rows of all attributes, in the order of VEDA: attribute, region, year."""
    parts = [
        f"SELECT {place} AS place, '{name}' AS attribute, {commodity} AS commodity,"
        f" CASE WHEN '{name}' <> 'EQ_CombalM' THEN process ELSE '-' END AS process, year, region,"
        f" {vintage} AS vintage, {timeslice} AS timeslice, '-' AS user_constraint,"
        f" (hash({place}, region, p, year, vintage, s) % 1000000007) / 1000000007.0 * {scale}"
        f" AS value FROM running WHERE {condition}"
        for place, (name, commodity, vintage, timeslice, scale, condition) in enumerate(_ATTRIBUTES)
    ]
    return (
        f"SELECT * EXCLUDE (place) FROM ({' UNION ALL '.join(parts)})"
        " ORDER BY place, region, year, process, commodity, vintage, timeslice, value"
    )


if __name__ == "__main__":
    write(Path(sys.argv[1]))
