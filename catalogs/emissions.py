"""Emission accounts: which emission commodities add up without counting a tonne twice.

Models put the same tonne under several commodities: per sector, per trading system, and all
together. For each substance one account is chosen, by a declaration or by rule; only what is in it
is ever added up. The tables are ``semantics/substances.csv`` and ``emission_accounts.csv``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from catalogs import semantics, units
from catalogs.network import OUT, Network, Node
from catalogs.readers.base import report

CARBON_DIOXIDE = "CO2"
GREENHOUSE_GASES = "GHG"

#: A row of COM_AGG: the commodity made up, one that it is made of, and by what factor.
Aggregation = Sequence[tuple[str, str, float]]


@dataclass(frozen=True)
class Substance:
    """What is emitted: how its commodities are known, and its weight in a sum of gases.

    ``warming`` is its warming potential over 100 years in tonnes of CO2; None where it has none.
    """

    name: str
    code: re.Pattern[str]
    description: re.Pattern[str] | None
    exclude: re.Pattern[str] | None
    warming: float | None

    def names(self, commodity: str, text: str) -> bool:
        """Whether a commodity of that code and description is of this substance."""
        if self.exclude and (self.exclude.search(commodity) or self.exclude.search(text)):
            return False
        return bool(
            self.code.search(commodity) or (self.description and self.description.search(text))
        )


@dataclass(frozen=True)
class EmissionAccount:
    """The emission commodities that add up, each times a factor, and the rule that chose them."""

    name: str
    substance: str
    factors: Mapping[str, float]
    rule: str

    @property
    def boundary(self) -> str:
        """The name of its boundary."""
        return boundary_of(self.substance)


@dataclass
class Emitted:
    """What a scenario emits of one substance, by commodity: how much, and from which processes."""

    weight: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    feeders: dict[str, set[Node]] = field(default_factory=lambda: defaultdict(set))


def boundary_of(substance: str) -> str:
    """Return the name of the boundary of a substance's emissions."""
    return "emissions" if substance == CARBON_DIOXIDE else f"emissions {substance}"


def substances() -> tuple[Substance, ...]:
    """Return the table of substances in its order."""

    def pattern(text: str) -> re.Pattern[str] | None:
        return re.compile(text, re.IGNORECASE) if text else None

    return tuple(
        Substance(
            row["substance"],
            re.compile(row["code"], re.IGNORECASE),
            pattern(row["description"]),
            pattern(row["exclude"]),
            float(row["warming"]) if row["warming"] else None,
        )
        for row in semantics.rows("substances")
    )


def emission_accounts(network: Network, aggregation: Aggregation) -> list[EmissionAccount]:
    """Choose an account for each substance that a scenario emits.

    A declared account whose commodities are all there; else the children of the aggregate
    (COM_AGG) with the largest emissions; else the commodities, the largest first, of which no two
    come from the same process and none is an aggregate. Greenhouse gases together are, in the
    last place, the accounts of the single gases, each times its warming potential.
    """
    found = {}
    for substance in substances():
        emitted = _emitted(network, substance)
        account = _declared(network, substance.name) or _aggregated(
            network, substance, emitted, aggregation
        )
        if not account and emitted.weight:
            account = _apart(substance.name, emitted)
        if account:
            found[substance.name] = account
    if GREENHOUSE_GASES not in found and (together := _greenhouse_gases(found)):
        found[GREENHOUSE_GASES] = together
    return list(found.values())


def _emitted(network: Network, substance: Substance) -> Emitted:
    """Return what is emitted of a substance over all years, with the processes behind it."""
    found = Emitted()
    for (region, process, commodity, direction), value in network.amount.items():
        if network.kind(region, commodity) != "emission" or not units.is_mass(
            network.commodity_unit.get((region, commodity))
        ):
            continue
        if not substance.names(commodity, network.commodity_text.get((region, commodity), "")):
            continue
        found.weight[commodity] += value if direction == OUT else -value
        if direction == OUT:
            found.feeders[commodity].add((region, process))
    found.weight = {c: w for c, w in found.weight.items() if found.feeders[c]}
    return found


def _declared(network: Network, substance: str) -> EmissionAccount | None:
    """Return the first declared account all of whose commodities come from processes."""
    accounts: dict[str, dict[str, float]] = defaultdict(dict)
    for row in semantics.rows("emission_accounts"):
        if (row["substance"] or CARBON_DIOXIDE) == substance:
            accounts[row["account"]][row["commodity"]] = float(row["factor"] or 1)
    produced = {c for (_, c) in network.producers}
    for name, factors in accounts.items():
        if factors.keys() <= produced:
            return EmissionAccount(name, substance, factors, "declared account")
    return None


def _aggregated(
    network: Network, substance: Substance, emitted: Emitted, aggregation: Aggregation
) -> EmissionAccount | None:
    """Return the children of the largest aggregate of a substance.

    The factors of COM_AGG count where the aggregate is itself of the substance (CH4 in an
    aggregate of greenhouse gases has the factor of the sum, and a tonne of CH4 remains one).
    """
    own: dict[str, dict[str, float]] = defaultdict(dict)
    others: dict[str, dict[str, float]] = defaultdict(dict)
    text = {commodity: words for (_, commodity), words in network.commodity_text.items()}
    produced = {c for (_, c) in network.producers}
    for parent, child, factor in aggregation:
        if substance.names(parent, text.get(parent, "")) and child in produced:
            own[parent][child] = factor
        elif child in emitted.weight:
            others[parent][child] = 1.0
    parents = own or others
    if not parents:
        return None
    totals: dict[str, float] = defaultdict(float)
    for (_, _, commodity, direction), value in network.amount.items():
        totals[commodity] += value if direction == OUT else -value
    largest = max(sorted(parents), key=lambda p: sum(totals[c] * f for c, f in parents[p].items()))
    return EmissionAccount(
        substance.name, substance.name, parents[largest], f"parts of {largest} (COM_AGG)"
    )


def _apart(substance: str, emitted: Emitted) -> EmissionAccount:
    chosen: list[str] = []
    for commodity in sorted(emitted.weight, key=lambda c: (-emitted.weight[c], c)):
        feeders = emitted.feeders[commodity]
        if all(not (feeders & emitted.feeders[other]) for other in chosen):
            chosen.append(commodity)
    factors = dict.fromkeys(chosen, 1.0)
    return EmissionAccount(substance, substance, factors, "no two from the same process")


def _greenhouse_gases(found: Mapping[str, EmissionAccount]) -> EmissionAccount | None:
    warming = {s.name: s.warming for s in substances() if s.warming is not None}
    gases = [account for name, account in found.items() if name in warming]
    if len(gases) < 2:
        return None
    factors = {
        commodity: factor * (warming[account.substance] or 0)
        for account in gases
        for commodity, factor in account.factors.items()
    }
    names = ", ".join(account.substance for account in gases)
    return EmissionAccount(
        GREENHOUSE_GASES, GREENHOUSE_GASES, factors, f"{names} times their warming potential"
    )


def counted(
    network: Network, account: EmissionAccount
) -> Iterator[tuple[str, str, str, str, float, str]]:
    """Yield what processes emit into the account, less what they take out of it (capture).

    Region, process, commodity, direction, how often it counts, and the part it is.
    """
    for region, process, commodity, direction in network.amount:
        if commodity in account.factors:
            emits = direction == OUT
            sign = 1.0 if emits else -1.0
            part = "emission" if emits else "capture"
            yield region, process, commodity, direction, sign * account.factors[commodity], part


def report_accounts(
    connection: duckdb.DuckDBPyConnection, accounts: Sequence[EmissionAccount]
) -> None:
    """Note in the import report what each account is made of, and the rule that chose it."""
    for account in accounts:
        names = [
            name if factor == 1 else f"{factor:g} x {name}"
            for name, factor in sorted(account.factors.items())
        ]
        more = f" and {len(names) - 12} more" if len(names) > 12 else ""
        label = (
            account.name
            if account.substance in account.name
            else (f"{account.substance}, {account.name}")
        )
        report(
            connection,
            "info",
            "emission account",
            f"{label}: {', '.join(names[:12])}{more} ({account.rule})",
            count=len(names),
        )
