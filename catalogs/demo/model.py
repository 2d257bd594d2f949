"""The linear program of the demo model: least discounted cost with perfect foresight.

Columns are the activity of a process by region, year, timeslice and mode (``act``), its new
capacity (``new``), what a storage takes, gives and holds (``in``, ``out``, ``level``), and what is
sent over a link in either direction (``send``). Every commodity is balanced exactly in each of its
timeslices; capacity, potentials, water, waste and the cap on CO2 bound the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from catalogs.demo import data
from catalogs.demo import inputs as given
from catalogs.demo.commodities import ANNUAL, COMMODITIES
from catalogs.demo.program import Key, Program
from catalogs.demo.technologies import GW_YEAR, LINKS, Link, Process

#: What a reservoir may let out in a season, relative to an even flow over the year.
SEASON_RELEASE = (0.55, 1.40)
COLD_SPELL_RELEASE = (0.55, 2.00)


def links_of(regions: Iterable[str]) -> list[Link]:
    """Return the links that run between the given regions."""
    known = set(regions)
    return [link for link in LINKS if link.first in known and link.second in known]


def is_outside_trade(process: Process) -> bool:
    """Whether the process is a cable to a neighbour outside the model."""
    return process.code.startswith(("IMPELC", "EXPELC"))


def link_limit(link: Link, year: int, scenario: given.Scenario) -> float:
    """Return the most that may be added to a link in the period [GW]."""
    if link.commodity == "ELC" and not scenario.new_lines:
        return 0.0
    return given.line_limit(link, year)


@dataclass
class Builder:
    """Writes the program of one scenario for the given regions and milestone years."""

    scenario: given.Scenario
    regions: tuple[str, ...]
    years: tuple[int, ...]
    program: Program = field(default_factory=Program)

    def build(self) -> Program:
        """Return the complete program."""
        for region in self.regions:
            for process in given.processes_of(region):
                self._invest(process, region)
                for year in self.years:
                    if process.is_storage:
                        self._store(process, region, year)
                    else:
                        self._operate(process, region, year)
            self._demand(region)
        for link in links_of(self.regions):
            self._connect(link)
        self.program.right.update({("co2", year): cap for year, cap in data.CO2_CAP.items()})
        return self.program

    def _demand(self, region: str) -> None:
        for commodity in COMMODITIES.values():
            if commodity.type == "DEM":
                for year in self.years:
                    key: Key = ("balance", region, commodity.code, year, ANNUAL)
                    self.program.right[key] = given.demand(commodity.code, region, year)

    def _invest(self, process: Process, region: str) -> None:
        ceiling = given.potential(process, region)
        for year in self.years:
            limit = given.build_limit(process, region, year)
            if limit <= 0 or process.investment is None:
                continue
            price = given.interpolate(process.investment, year)
            cost = self._standing_cost(price, process.fixed, process.life, year)
            least = given.decided(process, region, year)
            self.program.column(("new", region, process.code, year), cost, limit, least)
        if np.isfinite(ceiling):
            for year in self.years:
                key: Key = ("potential", region, process.code, year)
                self.program.right[key] = max(0.0, ceiling - given.stock(process, region, year))
                for column in self._standing(region, process.code, process.life, year):
                    self.program.bound(key, column, 1.0)

    def _standing_cost(self, price: float, fixed: float, life: int, vintage: int) -> float:
        """Return the discounted payments and fixed costs of one unit built in ``vintage``."""
        worth = sum(map(given.period_factor, given.alive(life, vintage, self.years)))
        return (price * given.annuity(life) + fixed) * worth

    def _standing(self, where: str, code: str, life: int, year: int) -> list[int]:
        """Return the columns of the new capacity that stands in a year."""
        vintages = [v for v in self.years if year in given.alive(life, v, self.years)]
        keys: list[Key] = [("new", where, code, vintage) for vintage in vintages]
        return [self.program.columns[key] for key in keys if key in self.program.columns]

    def _capacity(
        self,
        key: Key,
        process: Process,
        region: str,
        year: int,
        *,
        factor: float,
        left: list[int],
    ) -> None:
        """Bound the sum of the columns by capacity times ``factor``: stock right, new left."""
        self.program.right[key] = factor * given.stock(process, region, year)
        for column in left:
            self.program.bound(key, column, 1.0)
        for column in self._standing(region, process.code, process.life, year):
            self.program.bound(key, column, -factor)

    def _limits(
        self, process: Process, region: str, year: int, timeslice: str
    ) -> tuple[float, float]:
        if process.demand:
            total = given.demand(process.demand, region, year)
            low, high = given.share_limits(process, region, year)
            return low * total, high * total
        if is_outside_trade(process):
            return 0.0, given.outside_limit(process, region, year, timeslice)
        return given.supply_limits(process, region, year)

    def _operate(self, process: Process, region: str, year: int) -> None:
        worth = given.period_factor(year)
        least = given.least_activity(process, region, year)
        self.program.right["least", region, process.code, year] = -least
        for timeslice in given.timeslices(process.level):
            low, high = self._limits(process, region, year, timeslice)
            used = []
            for number, mode in enumerate(process.modes):
                carbon = given.emission(process, mode.inputs)
                cost = process.variable + given.flow_price(process, year, timeslice)
                cost += carbon * given.co2_tax(year)
                key: Key = ("act", region, process.code, year, timeslice, number)
                column = self.program.column(key, cost * worth, high, low)
                used.append(column)
                if least:
                    self.program.bound(("least", region, process.code, year), column, -1.0)
                flows = [(code, -amount) for code, amount in mode.inputs.items()]
                for code, amount in (*flows, *mode.outputs.items()):
                    self._flow(
                        column, process, region, code, year=year, timeslice=timeslice, amount=amount
                    )
                if carbon and self.scenario.co2_cap and year in data.CO2_CAP:
                    self.program.bound(("co2", year), column, carbon)
            if process.capacity_unit and not is_outside_trade(process):
                factor = given.availability(process, region, timeslice)
                factor *= process.capacity_to_activity * given.fraction(timeslice)
                key = ("capacity", region, process.code, year, timeslice)
                self._capacity(key, process, region, year, factor=factor, left=used)
        if process.code == "EHYDAM00":
            self._hold_water(process, region, year)

    def _flow(
        self,
        column: int,
        process: Process,
        region: str,
        code: str,
        *,
        year: int,
        timeslice: str,
        amount: float,
    ) -> None:
        """Enter a flow into its commodity's balance: in its slice, over the year, or by load."""
        if not given.is_slice_commodity(code):
            parts = {ANNUAL: 1.0}
        elif timeslice != ANNUAL:
            parts = {timeslice: 1.0}
        else:
            parts = given.load_profile(process.load)
        for part, share in parts.items():
            self.program.balance(("balance", region, code, year, part), column, amount * share)

    def _hold_water(self, process: Process, region: str, year: int) -> None:
        """Bound a reservoir by the year's inflow, and its release in each season."""
        water = data.INFLOW_TWH[region] * 3.6
        self.program.right["water", region, year] = water
        for season, (_, days) in data.SEASONS.items():
            low, high = COLD_SPELL_RELEASE if season == "CS" else SEASON_RELEASE
            even = water * days / 365
            least: Key = ("release least", region, year, season)
            most: Key = ("release most", region, year, season)
            self.program.right.update({least: -low * even, most: high * even})
            for part in data.DAY_PARTS:
                timeslice = f"{season}-{part}"
                column = self.program.columns["act", region, process.code, year, timeslice, 0]
                self.program.bound(("water", region, year), column, 1.0)
                self.program.bound(least, column, -1.0)
                self.program.bound(most, column, 1.0)

    def _store(self, process: Process, region: str, year: int) -> None:
        """Store within the average day of each season.

        Flows are totals of the timeslice [PJ]; the level is that of one day, at its start [PJ].
        """
        add, name = self.program.column, (region, process.code, year)
        commodity = next(iter(process.modes[0].inputs))
        cost = process.variable * given.period_factor(year)
        for season, (_, days) in data.SEASONS.items():
            slices = [f"{season}-{part}" for part in data.DAY_PARTS]
            into = [add(("in", *name, part), 0.0) for part in slices]
            out = [add(("out", *name, part), cost) for part in slices]
            level = [add(("level", *name, part), 0.0) for part in slices]
            for i, part in enumerate(slices):
                after = level[(i + 1) % len(slices)]
                balance: Key = ("balance", region, commodity, year, part)
                self.program.balance(balance, into[i], -1.0)
                self.program.balance(balance, out[i], 1.0)
                ring: Key = ("ring", *name, part)
                self.program.balance(ring, into[i], process.efficiency / days)
                self.program.balance(ring, out[i], -1.0 / days)
                self.program.balance(ring, level[i], 1.0)
                self.program.balance(ring, after, -1.0)
                room = process.capacity_to_activity
                self._capacity(
                    ("room", *name, part), process, region, year, factor=room, left=[level[i]]
                )
                power = GW_YEAR * given.fraction(part)
                self._capacity(
                    ("power", *name, part),
                    process,
                    region,
                    year,
                    factor=power,
                    left=[into[i], out[i]],
                )

    def _connect(self, link: Link) -> None:
        for year in self.years:
            limit = link_limit(link, year, self.scenario)
            if limit > 0:
                cost = self._standing_cost(link.investment, link.fixed, link.life, year)
                self.program.column(("new", "", link.code, year), cost, limit)
        for year in self.years:
            for timeslice in given.timeslices(COMMODITIES[link.commodity].level):
                factor = GW_YEAR * given.LINE_USE * given.fraction(timeslice)
                key: Key = ("line", link.code, year, timeslice)
                self.program.right[key] = factor * link.stock
                for start, end in ((link.first, link.second), (link.second, link.first)):
                    column = self.program.column(
                        ("send", link.code, start, year, timeslice),
                        link.variable * given.period_factor(year),
                    )
                    here: Key = ("balance", start, link.commodity, year, timeslice)
                    there: Key = ("balance", end, link.commodity, year, timeslice)
                    self.program.balance(here, column, -1.0)
                    self.program.balance(there, column, 1.0 - link.loss)
                    self.program.bound(key, column, 1.0)
                for column in self._standing("", link.code, link.life, year):
                    self.program.bound(key, column, -factor)
