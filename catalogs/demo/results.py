"""Results of a solved demo scenario as rows of TIMES attributes.

A row is ``(attribute, commodity, process, period, region, vintage, timeslice, user constraint,
value)``. Flows and capacities are rounded to nine significant digits. Costs are rounded first and
totals are summed from the rounded rows, so that the sums hold in what is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from catalogs.demo import inputs as given
from catalogs.demo.commodities import ANNUAL, COMMODITIES, TOTAL_EMISSION
from catalogs.demo.model import Builder, is_outside_trade, links_of
from catalogs.demo.program import Key, Optimum
from catalogs.demo.technologies import PROCESSES, Link, Process

CURRENCY = "MEUR20"
NOISE = 1e-8
Record = tuple[str, str, str, str, str, str, str, str, float]
Flow = tuple[str, str, str, int, str]  # region, process, commodity, year, timeslice


def significant(value: float, digits: int = 9) -> float:
    """Return the value rounded to significant digits."""
    return float(f"{value:.{digits}g}")


def _record(
    attribute: str,
    value: float,
    *,
    commodity: str = "-",
    process: str = "-",
    year: int | str = "-",
    region: str = "-",
    vintage: int | str = "-",
    timeslice: str = "-",
    kind: str = "-",
) -> Record:
    period = str(year)
    return attribute, commodity, process, period, region, str(vintage), timeslice, kind, value


class Results:
    """Rows of one solved scenario; ``rows`` returns them all."""

    def __init__(self, builder: Builder, optimum: Optimum) -> None:
        self.regions, self.years = builder.regions, builder.years
        self.scenario = builder.scenario
        self.value, self.reduced = optimum.value, optimum.reduced
        self.dual = optimum.dual
        self.links = links_of(builder.regions)
        self.flow_in: dict[Flow, float] = defaultdict(float)
        self.flow_out: dict[Flow, float] = defaultdict(float)
        self.activity: dict[tuple[str, str, int, str], float] = defaultdict(float)
        self.cost: dict[tuple[str, int, str], float] = defaultdict(float)  # region, year, kind
        for key, value in self.value.items():
            self._collect(key, value)

    def _collect(self, key: Key, value: float) -> None:
        """Enter a column of the program into activities and flows."""
        if value < NOISE:
            return
        if key[0] == "act":
            self._collect_activity(key, value)
        elif key[0] in {"in", "out", "level"}:
            region, code, year, part = str(key[1]), str(key[2]), int(key[3]), str(key[4])
            commodity = next(iter(PROCESSES[code].modes[0].inputs))
            if key[0] == "level":
                self.activity[region, code, year, part] += value
            else:
                side = self.flow_in if key[0] == "in" else self.flow_out
                side[region, code, commodity, year, part] += value

    def _collect_activity(self, key: Key, value: float) -> None:
        region, code, year, part = str(key[1]), str(key[2]), int(key[3]), str(key[4])
        process = PROCESSES[code]
        mode = process.modes[int(key[5])]
        self.activity[region, code, year, part] += value
        for side, amounts in ((self.flow_in, mode.inputs), (self.flow_out, mode.outputs)):
            for commodity, amount in amounts.items():
                for timeslice, share in self._spread(process, commodity, part).items():
                    side[region, code, commodity, year, timeslice] += value * amount * share
        if carbon := given.emission(process, mode.inputs):
            self.flow_out[region, code, process.emission, year, part] += value * carbon

    @staticmethod
    def _spread(process: Process, commodity: str, timeslice: str) -> dict[str, float]:
        if timeslice == ANNUAL and given.is_slice_commodity(commodity):
            return given.load_profile(process.load)
        return {timeslice: 1.0}

    def rows(self) -> Iterator[Record]:
        """Return all rows; reading them to the end is what adds up the costs."""
        yield from self._flows()
        yield from self._trade()
        yield from self._capacities()
        yield from self._emissions()
        yield from self._prices()
        yield from self._costs()
        yield from self._totals()

    # --- Activities, flows and capacities ---------------------------------------------------------

    def _flows(self) -> Iterator[Record]:
        for (region, code, year, part), value in sorted(self.activity.items()):
            yield _record(
                "VAR_Act",
                significant(value),
                process=code,
                year=year,
                region=region,
                vintage=year,
                timeslice=part,
            )
        for name, side in (("VAR_FIn", self.flow_in), ("VAR_FOut", self.flow_out)):
            for (region, code, commodity, year, part), value in sorted(side.items()):
                yield _record(
                    name,
                    significant(value),
                    commodity=commodity,
                    process=code,
                    year=year,
                    region=region,
                    vintage=year,
                    timeslice=part,
                )

    def _trade(self) -> Iterator[Record]:
        """Return what links carry: the exporter takes in, the importer gives out less the loss."""
        for link in self.links:
            level = COMMODITIES[link.commodity].level
            for year in self.years:
                for part in given.timeslices(level):
                    yield from self._trade_at(link, year, part)

    def _trade_at(self, link: Link, year: int, part: str) -> Iterator[Record]:
        total = 0.0
        for start, end in ((link.first, link.second), (link.second, link.first)):
            sent = significant(self.value["send", link.code, start, year, part])
            if sent < NOISE:
                continue
            total += sent
            common: dict[str, Any] = {
                "commodity": link.commodity,
                "process": link.code,
                "year": year,
                "vintage": year,
                "timeslice": part,
            }
            yield _record("VAR_FIn", sent, region=start, **common)
            yield _record("VAR_FOut", significant(sent * (1 - link.loss)), region=end, **common)
        if total:
            for region in (link.first, link.second):
                yield _record(
                    "VAR_Act",
                    significant(total),
                    process=link.code,
                    year=year,
                    region=region,
                    vintage=year,
                    timeslice=part,
                )

    def _new(self, where: str, code: str, year: int) -> float:
        value = self.value.get(("new", where, code, year), 0.0)
        return significant(value) if value > NOISE else 0.0

    def _standing(self, where: str, code: str, life: int, year: int) -> float:
        return sum(
            self._new(where, code, vintage)
            for vintage in self.years
            if year in given.alive(life, vintage, self.years)
        )

    def _capacities(self) -> Iterator[Record]:
        for region in self.regions:
            for process in given.processes_of(region):
                prices = process.investment
                for year in self.years:
                    old = given.stock(process, region, year)
                    price = given.interpolate(prices, year) if prices else 0.0
                    yield from self._capacity(
                        region, region, process.code, year, life=process.life, old=old, price=price
                    )
        for link in self.links:
            for region in (link.first, link.second):
                for year in self.years:
                    # Each region owns the whole line and pays half of it.
                    yield from self._capacity(
                        region,
                        "",
                        link.code,
                        year,
                        life=link.life,
                        old=link.stock,
                        price=link.investment / 2,
                    )

    def _capacity(
        self,
        region: str,
        where: str,
        code: str,
        year: int,
        *,
        life: int,
        old: float,
        price: float,
    ) -> Iterator[Record]:
        common: dict[str, Any] = {"process": code, "year": year, "region": region}
        new, standing = self._new(where, code, year), self._standing(where, code, life, year)
        if standing:
            yield _record("VAR_Cap", significant(standing), **common)
        if old > NOISE:
            yield _record("VAR_Cap", significant(old), vintage=0, **common)
        if new:
            yield _record("VAR_Ncap", new, **common)
            yield _record("Cap_New", new, vintage=year, kind="INSTCAP", **common)
            yield _record(
                "Cap_New", significant(new * price), vintage=year, kind="LUMPINV", **common
            )
        reduced = self.reduced.get(("new", where, code, year), 0.0)
        worth = sum(map(given.period_factor, given.alive(life, year, self.years)))
        undiscounted = reduced / (worth * given.annuity(life))
        if abs(undiscounted) > 1e-4:
            yield _record("VAR_NcapM", significant(undiscounted, 6), **common)

    # --- Emissions and prices ---------------------------------------------------------------------

    def _emissions(self) -> Iterator[Record]:
        net: dict[tuple[str, str, int], float] = defaultdict(float)
        for (region, _, commodity, year, _), value in sorted(self.flow_out.items()):
            if COMMODITIES[commodity].type == "ENV":
                net[commodity, region, year] += value
                net[TOTAL_EMISSION, region, year] += value
        for (commodity, region, year), value in sorted(net.items()):
            at: dict[str, Any] = {"year": year, "region": region, "timeslice": ANNUAL}
            yield _record("VAR_Comnet", significant(value), commodity=commodity, **at)
            price = self.cap_price(year)
            if commodity == TOTAL_EMISSION:
                if price:
                    yield _record("EQ_CombalM", -price, commodity=commodity, **at)
                    yield _record("VAR_ComnetM", -price, commodity=commodity, **at)
            else:
                tax = given.co2_tax(year)
                yield _record("EQ_CombalM", -significant(price + tax, 6), commodity=commodity, **at)
                amount = significant(value * tax)
                self.cost[region, year, "VARX"] += amount
                yield _record("Cost_Comx", amount, commodity=commodity, year=year, region=region)
        yield from self._cap()

    def cap_price(self, year: int) -> float:
        """Return the shadow price of the cap on CO2, taxes apart [MEUR20/kt]."""
        return significant(-self.dual.get(("co2", year), 0.0) / given.period_factor(year), 6)

    def _cap(self) -> Iterator[Record]:
        for year in self.years:
            if ("co2", year) not in self.dual:
                continue
            total = sum(
                value
                for (_, _, commodity, when, _), value in self.flow_out.items()
                if when == year and COMMODITIES[commodity].type == "ENV"
            )
            at: dict[str, Any] = {
                "year": year,
                "region": "NONE",
                "timeslice": ANNUAL,
                "kind": "UC_CO2CAP",
            }
            yield _record("User_con", significant(total), **at)
            yield _record("User_conFXM", -self.cap_price(year), **at)

    def _price(self, region: str, commodity: str, year: int, part: str) -> float:
        dual = self.dual.get(("balance", region, commodity, year, part), 0.0)
        return dual / given.period_factor(year)

    def _prices(self) -> Iterator[Record]:
        """Return the price of each commodity that flows; that of an unused one means nothing."""
        used = {(key[0], key[2], key[3]) for key in (*self.flow_in, *self.flow_out)}
        for region, code, year in sorted(used):
            commodity = COMMODITIES[code]
            if commodity.type == "ENV":
                continue
            for part in given.timeslices(commodity.level):
                at: dict[str, Any] = {
                    "commodity": code,
                    "year": year,
                    "region": region,
                    "timeslice": part,
                }
                if price := significant(self._price(region, code, year, part), 6):
                    yield _record("EQ_CombalM", price, **at)
                if commodity.type == "DEM":
                    level = given.demand(code, region, year)
                    yield _record("EQ_Combal", significant(level), **at)

    # --- Costs ------------------------------------------------------------------------------------

    def _costs(self) -> Iterator[Record]:
        for region in self.regions:
            for process in given.processes_of(region):
                price = process.investment
                for year in self.years:
                    yield from self._yearly_costs(process, region, year)
                    if price:
                        unit = given.interpolate(price, year) * given.annuity(process.life)
                        yield from self._payments(
                            region, region, process.code, year, life=process.life, unit=unit
                        )
        for link in self.links:
            for region in (link.first, link.second):
                for year in self.years:
                    unit = link.investment / 2 * given.annuity(link.life)
                    yield from self._payments(
                        region, "", link.code, year, life=link.life, unit=unit
                    )
                    yield from self._link_costs(link, region, year)

    def _cost(
        self,
        attribute: str,
        kind: str,
        value: float,
        *,
        process: str,
        region: str,
        year: int,
        vintage: int | None = None,
        commodity: str = "-",
        word: str = "-",
    ) -> Iterator[Record]:
        """Return a cost row and add it to its kind; nothing for no cost."""
        amount = significant(value)
        if abs(amount) > 1e-7:
            self.cost[region, year, kind] += amount
            yield _record(
                attribute,
                amount,
                commodity=commodity,
                process=process,
                year=year,
                region=region,
                vintage=year if vintage is None else vintage,
                kind=word,
            )

    def _payments(
        self, region: str, where: str, code: str, vintage: int, *, life: int, unit: float
    ) -> Iterator[Record]:
        """Return the yearly payments for what was built in ``vintage``."""
        new = self._new(where, code, vintage)
        for year in given.alive(life, vintage, self.years):
            yield from self._cost(
                "Cost_Inv",
                "INV",
                new * unit,
                process=code,
                region=region,
                year=year,
                vintage=vintage,
                word="INV",
            )

    def _yearly_costs(self, process: Process, region: str, year: int) -> Iterator[Record]:
        standing = self._standing(region, process.code, process.life, year)
        standing += given.stock(process, region, year)
        at: dict[str, Any] = {"process": process.code, "region": region, "year": year}
        yield from self._cost("Cost_Fom", "FIX", standing * process.fixed, **at)
        if process.is_storage:
            commodity = next(iter(process.modes[0].inputs))
            used = sum(
                self.flow_out.get((region, process.code, commodity, year, part), 0.0)
                for part in given.TIMESLICES
            )
            yield from self._cost("Cost_Act", "VAR", used * process.variable, **at)
            return
        acts = {
            part: self.activity.get((region, process.code, year, part), 0.0)
            for part in given.timeslices(process.level)
        }
        yield from self._cost("Cost_Act", "VAR", sum(acts.values()) * process.variable, **at)
        if process.code.startswith("IMP") or is_outside_trade(process):
            mode = process.modes[0]
            commodity = next(iter({**mode.inputs, **mode.outputs}))
            paid = sum(
                value * given.flow_price(process, year, part) for part, value in acts.items()
            )
            yield from self._cost("Cost_Flo", "VAR", paid, commodity=commodity, **at)

    def _link_costs(self, link: Link, region: str, year: int) -> Iterator[Record]:
        """Return fixed and use costs of a link, half each, and what is paid for what it carries."""
        at: dict[str, Any] = {"process": link.code, "region": region, "year": year}
        standing = self._standing("", link.code, link.life, year)
        fixed = standing * link.fixed / 2
        yield from self._cost("Cost_Fom", "FIX", fixed, **at)
        used, balance = 0.0, 0.0
        for part in given.timeslices(COMMODITIES[link.commodity].level):
            for start, end in ((link.first, link.second), (link.second, link.first)):
                sent = self.value["send", link.code, start, year, part]
                sent = sent if sent >= NOISE else 0.0
                used += sent
                # The middle between what it is worth where it leaves and where it arrives.
                worth = self._price(start, link.commodity, year, part) * sent
                worth += self._price(end, link.commodity, year, part) * sent * (1 - link.loss)
                balance += worth / 2 if region == end else -worth / 2
        yield from self._cost("Cost_Act", "VAR", used * link.variable / 2, **at)
        yield from self._cost("Cost_ire", "IRE", balance, commodity=link.commodity, **at)

    def _totals(self) -> Iterator[Record]:
        """Return the yearly costs by kind, the parts of the objective, and the objective."""
        objective = 0.0
        for region in self.regions:
            parts: dict[str, float] = defaultdict(float)
            for year in self.years:
                factor = significant(given.period_factor(year), 12)
                yield _record(
                    "Time_NPV", factor, year=year, region=region, timeslice=ANNUAL, kind="COST"
                )
                for kind in ("IRE", "INV", "FIX", "VAR", "VARX"):
                    amount = significant(self.cost.get((region, year, kind), 0.0), 12)
                    parts[kind] += amount * factor
                    if amount:
                        yield _record("Reg_ACost", amount, year=year, region=region, kind=kind)
            transfers = parts.pop("IRE", 0.0)
            for kind, amount in parts.items():
                yield _record(
                    "Reg_wobj",
                    significant(amount, 12),
                    commodity=CURRENCY,
                    region=region,
                    kind=kind,
                )
            total = sum(significant(amount, 12) for amount in parts.values())
            objective += total
            yield _record("Reg_obj", significant(total, 12), region=region)
            yield _record("Reg_irec", significant(transfers, 12), region=region)
        yield _record("ObjZ", significant(objective, 12))


def constant_cost(regions: tuple[str, ...], years: tuple[int, ...]) -> float:
    """Return the discounted fixed costs of the stock, which the program leaves out [MEUR20]."""
    return sum(
        process.fixed * given.stock(process, region, year) * given.period_factor(year)
        for region in regions
        for process in given.processes_of(region)
        for year in years
    )
