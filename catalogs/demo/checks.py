"""Checks that results add up, and figures that show whether they are plausible."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from catalogs.demo import inputs as given
from catalogs.demo.results import Record
from catalogs.demo.technologies import COMMODITIES, LINKS, PROCESSES

TOLERANCE = 1e-6


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


def _check_costs(rows: list[Record]) -> None:
    objective, transfers = 0.0, 0.0
    by_region: dict[str, float] = defaultdict(float)
    parts: dict[str, float] = defaultdict(float)
    factor: dict[tuple[str, str], float] = {}
    yearly: dict[tuple[str, str, str], float] = defaultdict(float)
    detail: dict[tuple[str, str, str], float] = defaultdict(float)
    kinds = {"Cost_Inv": "INV", "Cost_Fom": "FIX", "Cost_Act": "VAR", "Cost_Flo": "VAR",
             "Cost_Comx": "VARX", "Cost_ire": "IRE"}
    for name, _, _, year, region, _, _, kind, value in rows:
        if name == "ObjZ":
            objective = value
        elif name == "Reg_obj":
            by_region[region] = value
        elif name == "Reg_irec":
            transfers += value
        elif name == "Reg_wobj":
            parts[region] += value
        elif name == "Time_NPV":
            factor[region, year] = value
        elif name == "Reg_ACost":
            yearly[region, year, kind] += value
        elif name in kinds:
            detail[region, year, kinds[name]] += value
    _same("ObjZ and the sum of Reg_obj", objective, sum(by_region.values()))
    _same("the sum of Reg_irec and nothing", transfers, 0.0)
    for key in {*yearly, *detail}:
        _same(f"Reg_ACost of {key} and its Cost rows", yearly[key], detail[key])
    for region, total in by_region.items():
        _same(f"Reg_obj of {region} and its Reg_wobj", total, parts[region])
        discounted = sum(
            value * factor[where, year]
            for (where, year, kind), value in yearly.items() if where == region and kind != "IRE"
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
        _same(f"what {key} sends less the loss", sent[key] * (1 - links[key[0]].loss),
              received[key])


# --- Figures to look at ---------------------------------------------------------------------------


def summary(rows: Iterable[Record], years: Iterable[int]) -> str:
    """Return a table of generation, use, emissions and prices by milestone year."""
    rows = list(rows)
    columns = [str(year) for year in years]
    lines = ["".join(f"{column:>9}" for column in ["", *columns]).rjust(36)]

    def line(label: str, values: dict[str, float]) -> None:
        cells = "".join(f"{values.get(column, 0.0):9.1f}" for column in columns)
        lines.append(f"{label:<27}{cells}")

    generation: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    other: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    price: dict[tuple[str, str], float] = defaultdict(float)
    for name, commodity, code, year, region, _, part, _, value in rows:
        if name == "VAR_FOut" and commodity == "ELC" and not code.startswith(("TB_", "S")):
            generation[code][year] += value / 3.6
        elif name == "VAR_FIn" and commodity in {"ELC", "ELCD"}:
            if code.startswith("EXP"):
                other["Electricity exports [TWh]"][year] += value / 3.6
            elif code.startswith(("R", "C", "I", "A", "T")) and not code.startswith("TB_"):
                other["Final electricity [TWh]"][year] += value / 3.6
            elif code == "PELYZE01":
                other["Electrolysers use [TWh]"][year] += value / 3.6
        elif name == "VAR_Comnet" and commodity == "TOTCO2":
            other["CO2 [Mt]"][year] += value / 1000
        elif name == "VAR_FOut" and code == "TCELC01":
            other["Battery cars [Gvkm]"][year] += value
        elif name == "User_conFXM":
            other["CO2 price above tax [EUR/t]"][year] -= value * 1000
        elif name == "EQ_CombalM" and commodity == "ELC":
            price[region, year] += 3.6 * value * given.fraction(part)
    for code in sorted(generation):
        line(f"{code} [TWh]", generation[code])
    for label in sorted(other):
        line(label, other[label])
    for region in sorted({key[0] for key in price}):
        line(f"Price in {region} [EUR/MWh]", {year: price[region, year] for year in columns})
    return "\n".join(lines)
