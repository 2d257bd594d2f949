"""Checks that results add up, and figures that show whether they are plausible."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from catalogs.demo import inputs as given
from catalogs.demo.commodities import COMMODITIES
from catalogs.demo.results import Record
from catalogs.demo.technologies import LINKS, PROCESSES

TOLERANCE = 1e-6
#: The kind of yearly cost that each cost attribute belongs to.
COST_KINDS = {
    "Cost_Inv": "INV",
    "Cost_Fom": "FIX",
    "Cost_Act": "VAR",
    "Cost_Flo": "VAR",
    "Cost_Comx": "VARX",
    "Cost_ire": "IRE",
}


class InconsistentResultsError(AssertionError):
    """A sum that must hold does not."""


def _same(what: str, left: float, right: float, least: float = 1.0) -> None:
    scale = max(abs(left), abs(right), least)
    if abs(left - right) > TOLERANCE * scale:
        raise InconsistentResultsError(f"{what}: {left} is not {right}")


def check(rows: Iterable[Record]) -> None:
    """Check costs, balances, storage and trade.

    Raises:
        InconsistentResultsError: a sum does not hold within a millionth.
    """
    rows = list(rows)
    _check_costs(rows)
    _check_balances(rows)
    _check_storage(rows)
    _check_trade(rows)


def _sums(rows: list[Record], attribute: str, *places: int) -> dict[tuple[str, ...], float]:
    """Return the sums of an attribute by the cells at the given places of a row."""
    found: dict[tuple[str, ...], float] = defaultdict(float)
    for row in rows:
        if row[0] == attribute:
            found[tuple(str(row[place]) for place in places)] += row[8]
    return found


def _check_costs(rows: list[Record]) -> None:
    by_region, parts = _sums(rows, "Reg_obj", 4), _sums(rows, "Reg_wobj", 4)
    _same("ObjZ and the sum of Reg_obj", _sums(rows, "ObjZ")[()], sum(by_region.values()))
    _same("the sum of Reg_irec and nothing", sum(_sums(rows, "Reg_irec", 4).values()), 0.0)
    yearly, factor = _sums(rows, "Reg_ACost", 4, 3, 7), _sums(rows, "Time_NPV", 4, 3)
    detail: dict[tuple[str, ...], float] = defaultdict(float)
    for attribute, kind in COST_KINDS.items():
        for place, value in _sums(rows, attribute, 4, 3).items():
            detail[(*place, kind)] += value
    for key in {*yearly, *detail}:
        _same(f"Reg_ACost of {key} and its Cost rows", yearly[key], detail[key])
    for (region,), total in by_region.items():
        _same(f"Reg_obj of {region} and its Reg_wobj", total, parts[(region,)])
        discounted = sum(
            value * factor[where, year]
            for (where, year, kind), value in yearly.items()
            if where == region and kind != "IRE"
        )
        _same(f"Reg_obj of {region} and its discounted yearly costs", total, discounted)


def _check_balances(rows: list[Record]) -> None:
    taken: dict[tuple[str, str, str], float] = defaultdict(float)
    given_out: dict[tuple[str, str, str], float] = defaultdict(float)
    for name, commodity, _, year, region, _, _, _, value in rows:
        if name == "VAR_FIn":
            taken[commodity, region, year] += value
        elif name == "VAR_FOut":
            given_out[commodity, region, year] += value
    for key in {*taken, *given_out}:
        commodity, region, year = key
        kind = COMMODITIES[commodity].type
        if kind == "NRG":
            _same(f"what is made and used of {key}", given_out[key], taken[key])
        elif kind == "DEM":
            _same(f"demand {key}", given_out[key], given.demand(commodity, region, int(year)))


def _check_storage(rows: list[Record]) -> None:
    into: dict[tuple[str, str, str], float] = defaultdict(float)
    out: dict[tuple[str, str, str], float] = defaultdict(float)
    for name, _, code, year, region, _, _, _, value in rows:
        if code in PROCESSES and PROCESSES[code].is_storage:
            if name == "VAR_FIn":
                into[code, region, year] += value
            elif name == "VAR_FOut":
                out[code, region, year] += value
    for key in {*into, *out}:
        efficiency = PROCESSES[key[0]].efficiency
        _same(f"what storage {key} gives and keeps", out[key], into[key] * efficiency)


def _check_trade(rows: list[Record]) -> None:
    links = {link.code: link for link in LINKS}
    sent: dict[tuple[str, str, str, str], float] = defaultdict(float)
    received: dict[tuple[str, str, str, str], float] = defaultdict(float)
    for name, _, code, year, region, _, part, _, value in rows:
        if code in links and name in {"VAR_FIn", "VAR_FOut"}:
            link = links[code]
            other = link.second if region == link.first else link.first
            if name == "VAR_FIn":
                sent[code, year, part, region] += value
            else:
                received[code, year, part, other] += value
    for key in {*sent, *received}:
        _same(
            f"what {key} sends less the loss", sent[key] * (1 - links[key[0]].loss), received[key]
        )


# --- Figures to look at ---------------------------------------------------------------------------


def _figure(row: Record) -> tuple[str, float] | None:
    """Return the label of the figure that a row belongs to, and what it adds; None for none."""
    name, commodity, code, _, region, _, part, _, value = row
    final = code[0] in "RCIAT" and not code.startswith("TB_")
    if name == "VAR_FOut" and commodity == "ELC" and not code.startswith(("TB_", "S")):
        return f"{code} [TWh]", value / 3.6
    if name == "VAR_FOut" and code == "TCELC01":
        return "Battery cars [Gvkm]", value
    if name == "VAR_FIn" and commodity in {"ELC", "ELCD"} and (final or code == "PELYZE01"):
        label = "Final electricity [TWh]" if final else "Electrolysers use [TWh]"
        return label, value / 3.6
    if name == "VAR_FIn" and code.startswith("EXPELC"):
        return "Electricity exports [TWh]", value / 3.6
    if name == "VAR_Comnet" and commodity == "TOTCO2":
        return "Emissions of CO2 [Mt]", value / 1000
    if name == "User_conFXM":
        return "CO2 price above the tax [EUR/t]", -value * 1000
    if name == "EQ_CombalM" and commodity == "ELC":
        return f"Price in {region} [EUR/MWh]", 3.6 * value * given.fraction(part)
    return None


def summary(rows: Iterable[Record], years: Iterable[int]) -> str:
    """Return a table of generation, use, emissions and prices by milestone year."""
    columns = [str(year) for year in years]
    figures: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(columns, 0.0))
    for row in rows:
        if found := _figure(row):
            figures[found[0]][row[3]] += found[1]
    lines = [f"{'':<33}" + "".join(f"{column:>9}" for column in columns)]
    for label in sorted(figures):
        cells = "".join(f"{value:9.1f}" for value in figures[label].values())
        lines.append(f"{label:<33}{cells}")
    return "\n".join(lines)
