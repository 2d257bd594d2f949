"""Parameters of the demo model by region, year and timeslice, worked out from ``data``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from catalogs.demo import data, shares
from catalogs.demo.commodities import ANNUAL, COMMODITIES
from catalogs.demo.technologies import GW_YEAR, PROCESSES, Link, Process

YEARS = tuple(data.PERIODS)
TIMESLICES = tuple(f"{season}-{part}" for season in data.SEASONS for part in data.DAY_PARTS)
#: Share of the year of each timeslice; they sum to 1.
YEAR_FRACTION: dict[str, float] = {
    f"{season}-{part}": days * hours / 8760
    for season, (_, days) in data.SEASONS.items()
    for part, (_, hours) in data.DAY_PARTS.items()
}
LINE_USE = 0.90  # share of the time a line or pipeline is in service
STOCK_MARGIN = 1.03  # devices stand a little above what 2025 needs


@dataclass(frozen=True)
class Scenario:
    """What sets a scenario apart: a cap on CO2, and whether new lines may be built."""

    name: str
    stem: str
    description: str
    co2_cap: bool = False
    new_lines: bool = True


def interpolate(pair: tuple[float, float], year: int) -> float:
    """Return the value in ``year`` on the line through 2025 and 2050."""
    return pair[0] + (pair[1] - pair[0]) * (year - YEARS[0]) / (YEARS[-1] - YEARS[0])


def season(timeslice: str) -> str:
    """Return the season of a timeslice."""
    return timeslice.partition("-")[0]


def _part(timeslice: str) -> str:
    return timeslice.partition("-")[2]


def timeslices(level: str) -> tuple[str, ...]:
    """Return the timeslices of a level, ANNUAL or DAYNITE."""
    return (ANNUAL,) if level == ANNUAL else TIMESLICES


def fraction(timeslice: str) -> float:
    """Return the share of the year of a timeslice, 1 of ANNUAL."""
    return YEAR_FRACTION.get(timeslice, 1.0)


@cache
def load_profile(name: str) -> dict[str, float]:
    """Return the share of a year's use in each timeslice; they sum to 1."""
    raw = {
        timeslice: data.LOAD_SEASON[name][season(timeslice)]
        * data.LOAD_DAY_PART[name][_part(timeslice)]
        for timeslice in TIMESLICES
    }
    return {timeslice: value / sum(raw.values()) for timeslice, value in raw.items()}


@cache
def _shape(kind: str) -> dict[str, float]:
    """Return output by timeslice relative to its yearly mean, of wind, sun or rivers."""
    by_season, by_part = {
        "wind": (data.WIND_SEASON, data.WIND_DAY_PART),
        "sun": (data.SOLAR_SEASON, data.SOLAR_DAY_PART),
        "river": (data.RIVER_SEASON, dict.fromkeys(data.DAY_PARTS, 1.0)),
    }[kind]
    raw = {t: by_season[season(t)] * by_part[_part(t)] for t in TIMESLICES}
    mean = sum(raw[t] * YEAR_FRACTION[t] for t in TIMESLICES)
    return {t: value / mean for t, value in raw.items()}


@cache
def _wind(group: str) -> dict[str, float]:
    """Return wind by timeslice relative to its yearly mean, as it passes a group of regions."""
    raw = {}
    for number, timeslice in enumerate(TIMESLICES):
        # The pattern moves on by one part of the day from season to season.
        turn = (number + number // len(data.DAY_PARTS)) % len(data.DAY_PARTS)
        raw[timeslice] = _shape("wind")[timeslice] * data.WIND_PASSING[group][turn]
    mean = sum(raw[t] * YEAR_FRACTION[t] for t in TIMESLICES)
    return {t: value / mean for t, value in raw.items()}


def availability(process: Process, region: str, timeslice: str) -> float:
    """Return the highest use of the capacity in a timeslice, as a share."""
    if process.code == "EHYROR00":
        mean = data.RIVER_TWH[region] / (data.STOCK[process.code][region] * 8.76)
        return min(1.0, mean * _shape("river")[timeslice])
    factors = data.CAPACITY_FACTOR.get(process.code)
    if factors is None:
        return process.availability
    if process.code.startswith("ESOL"):
        return factors[region] * _shape("sun")[timeslice]
    return min(1.0, factors[region] * _wind(data.WIND_GROUP[region])[timeslice])


def demand(code: str, region: str, year: int) -> float:
    """Return a demand [its commodity's unit a year]."""
    if code == "DIHH2":
        levels = data.HYDROGEN_DEMAND.get(region, (0.0,) * len(YEARS))
        return levels[YEARS.index(year)]
    levels, growth = data.DEMANDS[code]
    growth = data.DEMAND_GROWTH.get((code, region), growth)
    return levels[data.DEMAND_REGIONS.index(region)] * interpolate((1.0, growth), year)


def base_share(process: Process, region: str) -> float:
    """Return the share of a device in its demand in 2025; 1 where it has no rival."""
    kind = process.code[2:5]
    if process.demand in {"DRHEA", "DCHEA"}:
        return shares.HEAT_SHARES[region].get(kind, 0.0)
    if process.demand == "DIHEA":
        return shares.INDUSTRY_SHARES[region].get(kind, 0.0)
    if process.demand == "DAGRI":
        return shares.AGRICULTURE_SHARES.get(kind, 0.0)
    if process.demand == "DTCAR":
        return dict(zip(("GSL", "DSL", "ELC"), shares.CAR_SHARES[region], strict=True))[kind]
    if process.demand == "DTTRU":
        return 1.0 if kind == "DSL" else 0.0
    return 1.0


def share_limits(process: Process, region: str, year: int) -> tuple[float, float]:
    """Return the lowest and highest share of a device in its demand."""
    base = base_share(process, region)
    if process.code not in shares.SHARE_LIMITS:
        return 0.0, 1.0
    if base == 0 and process.code.startswith(("RHGAS", "RHOIL", "CHGAS", "CHOIL")):
        return 0.0, 0.0
    bounds = (limit[YEARS.index(year)] for limit in shares.SHARE_LIMITS[process.code])
    low, high = (base + ((1 - base) if s > 0 else base) * s for s in bounds)
    return low, min(1.0, high + 0.001)


def stock(process: Process, region: str, year: int) -> float:
    """Return what stands of the capacity of 2025 [capacity unit]."""
    left = data.RETIREMENT[process.retirement][YEARS.index(year)]
    if process.demand:
        if process.investment is None:
            return 0.0
        output = demand(process.demand, region, YEARS[0]) * base_share(process, region)
        use = process.availability * process.capacity_to_activity
        return STOCK_MARGIN * left * output / use
    return data.STOCK.get(process.code, {}).get(region, 0.0) * left


def build_limit(process: Process, region: str, year: int) -> float:
    """Return the most that may be built in the period [capacity unit]; 0 for none."""
    if process.investment is None:
        return 0.0
    if process.demand:
        return float("inf")
    if process.code in data.BUILD_LIMIT:
        share, first = data.BUILD_LIMIT[process.code]
        return share * data.POTENTIAL[process.code].get(region, 0.0) if year >= first else 0.0
    return float("inf") if year >= process.first_year else 0.0


def decided(process: Process, region: str, year: int) -> float:
    """Return the least that is built in the period [capacity unit]."""
    return data.DECIDED.get(process.code, {}).get(region, 0.0) if year == 2030 else 0.0


def potential(process: Process, region: str) -> float:
    """Return the most that may stand in a year [capacity unit]."""
    return data.POTENTIAL.get(process.code, {}).get(region, float("inf"))


def line_limit(link: Link, year: int) -> float:
    """Return the most that may be added to a link in the period [GW]."""
    if year < (2035 if link.commodity == "HH2" else 2030):
        return 0.0
    return 0.5 * link.limit


def supply_limits(process: Process, region: str, year: int) -> tuple[float, float]:
    """Return the least and the most a mine may yield in a year [PJ]."""
    if process.code == "MINWST1":
        waste = data.WASTE_PJ[region] * interpolate(data.WASTE_TREND, year)
        return 0.95 * waste, waste
    limits = {"MINBIO1": data.BIOMASS[region][0], "MINBIO2": data.BIOMASS[region][1]}
    return 0.0, limits.get(process.code, float("inf"))


def least_activity(process: Process, region: str, year: int) -> float:
    """Return the least activity of the year [activity unit]; 0 for most."""
    if process.code not in data.LEAST_USE:
        return 0.0
    share = data.LEAST_USE[process.code][YEARS.index(year)]
    return share * stock(process, region, year) * process.capacity_to_activity


def outside_limit(process: Process, region: str, year: int, timeslice: str) -> float:
    """Return the most a cable to the outside carries in a timeslice [PJ]."""
    now, later = data.OUTSIDE[region, process.code[-2:]]
    capacity = now if year < 2035 else later
    return capacity * process.availability * GW_YEAR * YEAR_FRACTION[timeslice]


def flow_price(process: Process, year: int, timeslice: str) -> float:
    """Return what a unit of activity costs on the world market [MEUR/PJ]; negative earns."""
    if process.code.startswith(("IMPELC", "EXPELC")):
        mean = interpolate(data.OUTSIDE_PRICE[process.code[-2:]], year) / 3.6
        part = interpolate(data.OUTSIDE_DAY_PART[_part(timeslice)], year)
        price = mean * data.OUTSIDE_SEASON[season(timeslice)] * part
        return price + 0.4 if process.code.startswith("IMP") else 0.4 - price
    if process.code.startswith("IMP"):
        return interpolate(data.IMPORT_PRICE[process.code[3:6]], year)
    return 0.0


def co2_tax(year: int) -> float:
    """Return the tax on CO2 [MEUR/kt]."""
    return interpolate(data.CO2_TAX, year) / 1000


def emission(process: Process, inputs: dict[str, float]) -> float:
    """Return the CO2 of one unit of activity [kt]."""
    if not process.emission:
        return 0.0
    return sum(use * data.EMISSION_FACTOR.get(fuel, 0.0) for fuel, use in inputs.items())


def period_factor(year: int) -> float:
    """Return the discounted worth of one unit in every year of the period."""
    start, end = data.PERIODS[year]
    rate = 1 + data.DISCOUNT_RATE
    return sum(rate ** (data.BASE_YEAR - t) for t in range(start, end + 1))


def annuity(life: int) -> float:
    """Return the yearly payment for an investment of one over its life."""
    rate = data.HURDLE_RATE
    return rate / (1 - (1 + rate) ** -life)


def alive(life: int, vintage: int, years: tuple[int, ...]) -> list[int]:
    """Return the years in which what was built in ``vintage`` stands."""
    return [year for year in years if vintage <= year < vintage + life]


def processes_of(region: str) -> list[Process]:
    """Return the processes a region has."""
    return [process for process in PROCESSES.values() if region in process.regions]


def is_slice_commodity(code: str) -> bool:
    """Whether the commodity is balanced in every timeslice of the day."""
    return COMMODITIES[code].level != ANNUAL
