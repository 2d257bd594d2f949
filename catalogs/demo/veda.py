"""Write results as VEDA files (``.vd``, ``.vde``, ``.vds``, ``.vdt``) and the side tables.

Files are compressed without a time stamp, so that the same results give the same bytes.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from catalogs.demo import data
from catalogs.demo import inputs as given
from catalogs.demo.commodities import ANNUAL, COMMODITIES, DAYNITE
from catalogs.demo.model import links_of
from catalogs.demo.results import Record
from catalogs.demo.technologies import PROCESSES

MODEL = "Nordic-Baltic demo"
HEADER = (
    "*  GDX2VEDAversion- 2005-10-07",
    "*         ImportID- Scenario:{name}",
    "*       VEDAFlavor- TIMES",
    "*       Dimensions- Attribute;Commodity;Process;Period;Region;Vintage;TimeSlice;"
    "UserConstraint;PV",
    "* ParentDimensions- Commodity: Region; Process: Region; UserConstraint: Region",
    "*      SetsAllowed- Commodity;Process;UserConstraint",
    "*        FieldSize- Attribute:31;Commodity:31;Process:31;Period:31;Region:31;Vintage:31;"
    "TimeSlice:31;UserConstraint:31;PV:20",
    "*       NotIndexed- PV",
    "*         ValueDim- PV",
    "*  DefaultValueDim- PV",
    "*   FieldSeparator- ,",
    '*        TextDelim- "',
    "",
)
ATTRIBUTES = {
    "VAR_Act": "Activity of a process",
    "VAR_FIn": "Consumption of a commodity by a process",
    "VAR_FOut": "Production of a commodity by a process",
    "VAR_Cap": "Installed capacity",
    "VAR_Ncap": "New capacity",
    "VAR_NcapM": "Reduced cost of new capacity",
    "Cap_New": "New capacity and lump-sum investment by vintage",
    "VAR_Comnet": "Net production of a commodity",
    "VAR_ComnetM": "Marginal of a bound on net production",
    "EQ_Combal": "Level of a commodity balance",
    "EQ_CombalM": "Shadow price of a commodity",
    "User_con": "Level of a user constraint",
    "User_conFXM": "Marginal of a user constraint",
    "Cost_Inv": "Yearly payments for investments",
    "Cost_Fom": "Yearly fixed operation and maintenance costs",
    "Cost_Act": "Yearly costs of activity",
    "Cost_Flo": "Yearly costs of flows, imports and exports among them",
    "Cost_Comx": "Yearly taxes and subsidies on commodities",
    "Cost_ire": "Yearly payments between regions for trade, at shadow prices",
    "Reg_ACost": "Yearly costs of a region by kind",
    "Reg_wobj": "Parts of a region's discounted costs by kind",
    "Reg_obj": "Discounted costs of a region",
    "Reg_irec": "Discounted payments of a region for trade with others",
    "ObjZ": "Total discounted system cost",
    "Time_NPV": "Discounted value of a period",
}
KINDS = {
    "INSTCAP": "Installed new capacity",
    "LUMPINV": "Lump-sum investment",
    "INV": "Investment costs",
    "FIX": "Fixed costs",
    "VAR": "Variable costs",
    "VARX": "Taxes and subsidies on flows and commodities",
    "IRE": "Payments for trade between regions",
    "COST": "Discount factor of costs",
    "UC_CO2CAP": "Cap on the CO2 of all regions together",
}
PROCESS_SETS = {
    "DMD": "Demand devices",
    "ELE": "Electric power plants",
    "CHP": "Combined heat and power plants",
    "HPL": "Heat plants",
    "IRE": "Exchange with other regions, the world market and nature",
    "STG": "Storage",
    "PRE": "Energy conversion",
    "DISTR": "Distribution",
    "RENEW": "Renewables",
    "RES": "Homes",
    "COMM": "Services",
    "IND": "Industry",
    "AGR": "Agriculture",
    "TRN": "Transport",
}
COMMODITY_SETS = {
    "NRG": "Energy carriers",
    "DEM": "Demands",
    "ENV": "Emissions",
    "ELC+": "Electricity",
    "HET+": "Heat",
    "FOS+": "Fossil fuels",
    "REN+": "Renewables",
    "SYN+": "Synthetic fuels",
    **{code: PROCESS_SETS[code] for code in ("RES", "COMM", "IND", "AGR", "TRN")},
}


def _quoted(cells: Iterable[str]) -> str:
    return ",".join(f'"{cell}"' for cell in cells)


def _compressed(lines: Iterable[str]) -> bytes:
    return gzip.compress(("\n".join(lines) + "\n").encode("utf-8"), 9, mtime=0)


def result_file(name: str, rows: Sequence[Record]) -> bytes:
    """Return the compressed ``.vd`` of a scenario."""
    lines = [line.format(name=name) for line in HEADER]
    lines += [f"{_quoted(row[:8])},{row[8]:.12g}" for row in rows]
    return _compressed(lines)


def _elements(regions: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return (region, process, description) of all processes, links on both their sides."""
    own = [
        (region, process.code, process.description)
        for region in regions
        for process in given.processes_of(region)
    ]
    links = [
        (region, link.code, link.description)
        for link in links_of(regions)
        for region in (link.first, link.second)
    ]
    return own + links


def description_file(regions: Sequence[str], years: Sequence[int]) -> bytes:
    """Return the compressed ``.vde``: what each code of a dimension stands for."""
    rows: list[tuple[str, str, str, str]] = []
    rows += [("Attribute", "-", code, text) for code, text in ATTRIBUTES.items()]
    rows += [
        ("Commodity", region, commodity.code, commodity.description)
        for commodity in COMMODITIES.values()
        for region in regions
    ]
    rows += [("Process", *element) for element in _elements(regions)]
    rows += [("TimeSlice", "-", code, text) for code, _, _, _, _, text in timeslice_rows()]
    rows += [("Region", "-", region, data.REGIONS[region][0]) for region in regions]
    for dimension in ("Period", "Vintage"):
        rows += [(dimension, "-", str(year), str(year)) for year in years]
    rows.append(("Vintage", "-", "0", "Stock from before the first period"))
    rows += [("UserConstraint", "-", code, text) for code, text in KINDS.items()]
    rows += [("CommoditySET", "-", code, text) for code, text in COMMODITY_SETS.items()]
    rows += [("ProcessSET", "-", code, text) for code, text in PROCESS_SETS.items()]
    return _compressed(_quoted(row) for row in rows)


def set_file(regions: Sequence[str]) -> bytes:
    """Return the compressed ``.vds``: members of the sets."""
    rows: list[tuple[str, str, str, str]] = []
    for region in regions:
        for commodity in COMMODITIES.values():
            rows.append(("Commodity", region, commodity.type, commodity.code))
            if commodity.group:
                plus = "+" if commodity.type == "NRG" else ""
                rows.append(("Commodity", region, commodity.group + plus, commodity.code))
        for process in given.processes_of(region):
            rows += [("Process", region, name, process.code) for name in process.sets]
    for process in PROCESSES.values():
        if "IRE" in process.sets:
            beyond = "MINRNW" if process.code.startswith("MIN") else "IMPEXP"
            rows.append(("Process", beyond, "IRE", process.code))
    for link in links_of(regions):
        rows += [("Process", side, "IRE", link.code) for side in (link.first, link.second)]
    return _compressed(_quoted(row) for row in rows)


def topology_file(name: str, regions: Sequence[str]) -> bytes:
    """Return the compressed ``.vdt``: what each process takes in and gives out."""
    rows: set[tuple[str, str, str, str]] = set()
    for region in regions:
        for process in given.processes_of(region):
            for mode in process.modes:
                rows |= {(region, process.code, code, "IN") for code in mode.inputs}
                rows |= {(region, process.code, code, "OUT") for code in mode.outputs}
            if process.emission:
                rows.add((region, process.code, process.emission, "OUT"))
    for link in links_of(regions):
        for side in (link.first, link.second):
            rows |= {(side, link.code, link.commodity, way) for way in ("IN", "OUT")}
    lines = ["*VFEPATH=", f"ScenDesc={name}", f"ScenEDesc={name}"]
    return _compressed(lines + [_quoted(row) for row in sorted(rows)])


def timeslice_rows() -> list[tuple[str, str, str, float, int, str]]:
    """Return (timeslice, parent, level, year fraction, order, description), the year first."""
    rows: list[tuple[str, str, str, float, int, str]] = [
        (ANNUAL, "", "ANNUAL", 1.0, 0, "Whole year")
    ]
    for season, (text, days) in data.SEASONS.items():
        rows.append((season, ANNUAL, "SEASON", round(days / 365, 12), len(rows), text))
        for part, (word, _) in data.DAY_PARTS.items():
            code = f"{season}-{part}"
            share = round(given.YEAR_FRACTION[code], 12)
            rows.append((code, season, DAYNITE, share, len(rows), f"{text} {word}"))
    return rows


def _table(header: str, rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def _process_units(regions: Sequence[str]) -> Iterable[tuple[str, str, str, object]]:
    for process in PROCESSES.values():
        if set(process.regions) & set(regions):
            factor = process.capacity_to_activity if process.capacity_unit else ""
            yield process.code, process.activity_unit, process.capacity_unit, factor
    for link in links_of(regions):
        yield link.code, "PJ", "GW", 31.536


def side_tables(
    scenarios: Sequence[given.Scenario], regions: Sequence[str], years: Sequence[int]
) -> dict[str, bytes]:
    """Return the tables that say what VEDA files cannot, by file name."""
    return {
        "commodity_units.csv": _table(
            "commodity,unit", [(c.code, c.unit) for c in COMMODITIES.values()]
        ),
        "process_units.csv": _table(
            "process,activity_unit,capacity_unit,capacity_to_activity", _process_units(regions)
        ),
        "timeslices.csv": _table(
            "timeslice,parent,level,year_fraction,order,description", timeslice_rows()
        ),
        "periods.csv": _table("year,start,end", [(y, *data.PERIODS[y]) for y in years]),
        "regions.csv": _table(
            "region,description,latitude,longitude", [(r, *data.REGIONS[r]) for r in regions]
        ),
        "scenarios.csv": _table(
            "scenario,description,model", [(s.name, s.description, MODEL) for s in scenarios]
        ),
    }


def scenario_files(
    scenario: given.Scenario,
    rows: Sequence[Record],
    regions: Sequence[str],
    years: Sequence[int],
) -> dict[str, bytes]:
    """Return the four files of a scenario, by file name."""
    return {
        f"{scenario.stem}.vd.gz": result_file(scenario.name, rows),
        f"{scenario.stem}.vde.gz": description_file(regions, years),
        f"{scenario.stem}.vds.gz": set_file(regions),
        f"{scenario.stem}.vdt.gz": topology_file(scenario.name, regions),
    }


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder, which is made when it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
