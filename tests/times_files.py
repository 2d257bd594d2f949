"""Small VEDA sets for tests, written out of the shortest text that says what flows.

A line ``PLANT: COA 100 -> ELC 40, CO2 9.4`` becomes a ``VAR_FIn`` row and two ``VAR_FOut`` rows.
The files are written with plain string formatting and not with the project's own writer, so that
reader and writer do not confirm each other's mistakes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from catalogs import open_source
from catalogs.importing import import_files
from catalogs.source import Source
from catalogs.store import Store

DIMENSIONS = (
    "Attribute",
    "Commodity",
    "Process",
    "Period",
    "Region",
    "Vintage",
    "TimeSlice",
    "UserConstraint",
    "PV",
)

#: Attribute, commodity, process, year, region, vintage, timeslice, user constraint, value.
Row = tuple[str, str, str, str, str, str, str, str, object]


def row(
    attribute: str,
    value: object,
    *,
    commodity: str = "-",
    process: str = "-",
    year: object = 2020,
    region: str = "R1",
    vintage: str = "-",
    timeslice: str = "ANNUAL",
    user_constraint: str = "-",
) -> Row:
    """Return a result row."""
    return (
        attribute,
        commodity,
        process,
        str(year),
        region,
        vintage,
        timeslice,
        user_constraint,
        value,
    )


def flows(
    text: str, *, region: str = "R1", year: int = 2020, timeslice: str = "ANNUAL"
) -> list[Row]:
    """Return the rows of lines such as ``PLANT: COA 100 -> ELC 40, CO2 9.4``."""
    rows = []
    for line in filter(None, map(str.strip, text.splitlines())):
        process, _, sides = line.partition(":")
        taken, _, given = sides.partition("->")
        for attribute, side in (("VAR_FIn", taken), ("VAR_FOut", given)):
            for part in filter(None, map(str.strip, side.split(","))):
                commodity, value = part.split()
                rows.append(
                    row(
                        attribute,
                        value,
                        commodity=commodity,
                        process=process.strip(),
                        region=region,
                        year=year,
                        timeslice=timeslice,
                    )
                )
    return rows


def header(
    scenario: str = "Case",
    *,
    dimensions: Sequence[str] = DIMENSIONS,
    separator: str = ",",
    quote: str = '"',
    value: str = "PV",
) -> str:
    """Return the ``*`` lines of a ``.vd`` and the blank line after them (seven lines)."""
    return (
        "*  GDX2VEDAversion- 2005-10-07\n"
        f"*         ImportID- Scenario:{scenario}\n"
        f"*       Dimensions- {';'.join(dimensions)}\n"
        f"*         ValueDim- {value}\n"
        f"*   FieldSeparator- {separator}\n"
        f"*        TextDelim- {quote}\n"
        "\n"
    )


def cells(rows: Iterable[Sequence[object]], *, separator: str = ",", quote: str = '"') -> str:
    """Return rows as text: everything quoted but the last cell."""
    lines = []
    for given in rows:
        *names, last = given
        quoted = [quote + str(name) + quote for name in names]
        lines.append(separator.join([*quoted, str(last)]) + "\n")
    return "".join(lines)


def _all_quoted(rows: Iterable[Sequence[str]]) -> str:
    return "".join(",".join(f'"{cell}"' for cell in cells) + "\n" for cells in rows)


def write_vd(path: Path, rows: Iterable[Sequence[object]], scenario: str = "Case") -> Path:
    """Write a ``.vd`` with the usual header."""
    path.write_text(header(scenario) + cells(rows), encoding="utf-8")
    return path


def topology_of(rows: Iterable[Row]) -> list[tuple[str, str, str, str]]:
    """Return the topology that the flows themselves show: region, process, commodity, side."""
    sides = {"VAR_FIn": "IN", "VAR_FOut": "OUT"}
    return sorted({(r[4], r[2], r[1], sides[r[0]]) for r in rows if r[0] in sides and r[2] != "-"})


def write_set(
    folder: Path,
    rows: Sequence[Row],
    *,
    scenario: str = "Case",
    process_sets: Mapping[str, str] | None = None,
    commodity_sets: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    commodity_units: str = "",
    process_units: str = "",
    descriptions: Mapping[str, str] | None = None,
    timeslices: str = "",
    more_topology: Sequence[tuple[str, str, str, str]] = (),
    topology: Sequence[tuple[str, str, str, str]] | None = None,
    more_sets: Sequence[tuple[str, str, str, str]] = (),
) -> Path:
    """Write the four files of a scenario and the tables beside them; return the folder.

    Parameters
    ----------
    process_sets, commodity_sets
        A set and its members, separated by blanks, in every region that has results.
    units
        A unit and the commodities measured in it, separated by blanks.
    commodity_units, process_units
        Text of ``commodity_units.csv`` (in place of ``units``) and ``process_units.csv``, headers
        included.
    descriptions
        Text for processes and commodities, by code.
    timeslices
        Text of ``timeslices.csv``, header included.
    more_topology
        Rows beside those that the flows show; ``topology`` takes the place of both.
    more_sets
        Rows of the ``.vds`` beside the sets above: dimension, region, set, item.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / scenario
    regions = sorted({r[4] for r in rows if r[4] != "-"})
    write_vd(stem.with_suffix(".vd"), rows, scenario)
    sets = [
        (dimension, region, name, item)
        for dimension, given in (("Process", process_sets), ("Commodity", commodity_sets))
        for name, items in (given or {}).items()
        for item in items.split()
        for region in regions
    ]
    stem.with_suffix(".vds").write_text(_all_quoted([*sets, *more_sets]), encoding="utf-8")
    processes = {r[2] for r in rows}
    elements = [
        ("Process" if code in processes else "Commodity", region, code, text)
        for code, text in (descriptions or {}).items()
        for region in regions
    ]
    stem.with_suffix(".vde").write_text(_all_quoted(elements), encoding="utf-8")
    sides = topology if topology is not None else [*topology_of(rows), *more_topology]
    stem.with_suffix(".vdt").write_text(_all_quoted(sides), encoding="utf-8")
    if units:
        lines = [f"{c},{unit}" for unit, members in units.items() for c in members.split()]
        (folder / "commodity_units.csv").write_text(
            "\n".join(["commodity,unit", *lines, ""]), encoding="utf-8"
        )
    for name, text in (
        ("commodity_units", commodity_units),
        ("process_units", process_units),
        ("timeslices", timeslices),
    ):
        if text:
            lines = [line.strip() for line in text.strip().splitlines()]
            (folder / f"{name}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder


def publish(folder: Path, data: Path, dataset: str = "case", *, model: str = "") -> Source:
    """Import a folder of files into ``dataset`` below ``data`` and open what was published."""
    import_files(Store(data), dataset, [folder], model=model)
    return open_source(data, dataset)
