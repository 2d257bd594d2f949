"""Coverage: how much of the energy and emissions the groups name, and what they leave out.

For every measure that counts flows over a boundary, and every dimension it can be grouped by: the
share of its amount in a named group, by a rule of a table or by the defaults; what no rule takes;
what more than one takes. Amounts are net within a process (or commodity, where that decides), as
charts show them, without their sign, over all years.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from catalogs import units
from catalogs.boundaries import FUEL_OF_PROCESS
from catalogs.errors import MixedUnitsError
from catalogs.groups import DEFAULT, TABLE, Choice, Classifier
from catalogs.measures import PROCESS_GROUPS, measures
from catalogs.readers.base import report
from catalogs.rules import Item, Rule, RuleBook, RuleTable, make_rule

#: The measures that are checked.
MEASURES = ("final_energy", "electricity_generation", "primary_energy", "emissions")

#: The share of an amount that must be in named groups for a scenario to pass.
ENOUGH = 0.99

#: How many items a line of the import report names.
_NAMED_IN_REPORT = 3


@dataclass(frozen=True)
class Taken:
    """A process or commodity, its amount in a measure, and the group it is given."""

    measure: str
    dimension: str
    kind: str
    region: str
    code: str
    description: str
    amount: float
    unit: str
    choice: Choice


@dataclass(frozen=True)
class Share:
    """What becomes of a measure's amount in one dimension. Amounts are in ``unit``."""

    measure: str
    dimension: str
    unit: str
    total: float
    by_table: float
    by_default: float
    unnamed: float
    contested: float

    @property
    def named_share(self) -> float:
        """The share in a named group, between 0 and 1 (1 where there is no amount)."""
        return 1 - self.unnamed / self.total if self.total else 1.0


@dataclass(frozen=True)
class Coverage:
    """The coverage of one scenario.

    ``unnamed`` and ``contested`` are sorted by amount, the largest first. ``unknown`` says which
    rules name sets or regions that the scenario does not have; ``idle`` are the rules that take
    nothing, where they were looked for.
    """

    shares: tuple[Share, ...]
    unnamed: tuple[Taken, ...]
    contested: tuple[Taken, ...]
    unknown: tuple[tuple[Rule, str], ...]
    idle: tuple[Rule, ...]

    @property
    def is_enough(self) -> bool:
        """Whether all measures are named well enough and no rules disagree."""
        return not (self.contested or self.unknown) and all(
            share.named_share >= ENOUGH for share in self.shares
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "enough": self.is_enough,
            "shares": [
                {**vars(share), "named_share": round(share.named_share, 6)} for share in self.shares
            ],
            "unnamed": [_item_json(taken) for taken in self.unnamed],
            "contested": [_item_json(taken) for taken in self.contested],
            "unknown": [
                {"table": rule.table, "line": rule.line, "problem": problem}
                for rule, problem in self.unknown
            ],
            "idle": [{"table": rule.table, "line": rule.line} for rule in self.idle],
        }


def cover(
    connection: duckdb.DuckDBPyConnection, classifier: Classifier, *, find_idle: bool = False
) -> Coverage:
    """Work out the coverage of a scenario whose boundaries are in its tables.

    ``find_idle`` asks every rule of every item: slower, and only for those who write rules.
    """
    taken = list(_taken(connection, classifier))
    return Coverage(
        shares=tuple(_shares(taken)),
        unnamed=_largest_first(t for t in taken if not t.choice.is_named),
        contested=_largest_first(_contested(classifier, taken)),
        unknown=tuple(_unknown(classifier)),
        idle=tuple(_idle(classifier)) if find_idle else (),
    )


def _taken(connection: duckdb.DuckDBPyConnection, classifier: Classifier) -> Iterable[Taken]:
    for name in MEASURES:
        asked = measures()[name]
        for dimension in PROCESS_GROUPS:
            if dimension not in asked.groups:
                continue
            by_commodity = dimension == "fuel" and asked.boundary not in FUEL_OF_PROCESS
            kind = "commodity" if by_commodity else "process"
            unit = asked.units[0]
            for region, code, amount in _amounts(connection, asked.boundary, kind, unit):
                item = classifier.item(kind, region, code)
                choice = (
                    classifier.fuel(region, code)
                    if by_commodity
                    else classifier.choice(dimension, region, code)
                )
                yield Taken(
                    name, dimension, kind, region, code, item.description, amount, unit, choice
                )


def _amounts(
    connection: duckdb.DuckDBPyConnection, boundary: str, kind: str, unit: str
) -> list[tuple[str, str, float]]:
    """Return region, code and amount of what a boundary counts; other units are left out."""
    factors = _factors(connection, boundary, unit)
    return connection.execute(
        f"""
        SELECT region, {kind}, sum(abs(net)) FROM (
            SELECT f.region, f.{kind}, f.year, sum(f.value * b.factor * u.factor) AS net
            FROM flow_annual AS f
            JOIN boundary AS b USING (region, process, commodity, direction)
            JOIN (SELECT unnest($units) AS unit, unnest($factors) AS factor) AS u
                ON u.unit = b.unit
            WHERE b.boundary = $boundary
            GROUP BY ALL
        ) GROUP BY ALL ORDER BY ALL
        """,
        {"boundary": boundary, "units": list(factors), "factors": list(factors.values())},
    ).fetchall()


def _factors(
    connection: duckdb.DuckDBPyConnection, boundary: str, unit: str
) -> Mapping[str, float]:
    found = {}
    for (name,) in connection.execute(
        "SELECT DISTINCT unit FROM boundary WHERE boundary = ? AND unit IS NOT NULL", [boundary]
    ).fetchall():
        try:
            found[name] = units.factor(name, unit)
        except MixedUnitsError:
            continue
    return found


def _contested(classifier: Classifier, taken: Sequence[Taken]) -> Iterable[Taken]:
    """Yield what level rules disagree on, with its largest amount in any measure, 0 for none."""
    largest: dict[tuple[str, str, str, str], Taken] = {}
    for found in sorted(taken, key=lambda t: t.amount):
        largest[found.dimension, found.kind, found.region, found.code] = found
    for item in _items(classifier):
        for dimension in PROCESS_GROUPS:
            choice = classifier.ruled(dimension, item.kind, item.region, item.code)
            if choice and choice.rivals:
                key = (dimension, item.kind, item.region, item.code)
                counted = largest.get(key) or Taken("", *key, item.description, 0.0, "", choice)
                yield replace(counted, choice=choice)


def _items(classifier: Classifier) -> list[Item]:
    network = classifier.network
    commodities = sorted(network.consumers.keys() | network.producers.keys())
    return [
        *(classifier.item("process", *node) for node in network.processes),
        *(classifier.item("commodity", *node) for node in commodities),
    ]


def _shares(taken: Sequence[Taken]) -> Iterable[Share]:
    for measure, dimension, unit in dict.fromkeys((t.measure, t.dimension, t.unit) for t in taken):
        here = [t for t in taken if (t.measure, t.dimension) == (measure, dimension)]
        named = [t for t in here if t.choice.is_named]
        yield Share(
            measure,
            dimension,
            unit,
            total=_sum(here),
            by_table=_sum(t for t in named if t.choice.origin == TABLE),
            by_default=_sum(t for t in named if t.choice.origin == DEFAULT),
            unnamed=_sum(t for t in here if not t.choice.is_named),
            contested=_sum(t for t in here if t.choice.rivals),
        )


def _sum(taken: Iterable[Taken]) -> float:
    return sum(t.amount for t in taken)


def _largest_first(taken: Iterable[Taken]) -> tuple[Taken, ...]:
    return tuple(sorted(taken, key=lambda t: (-t.amount, t.measure, t.dimension, t.code)))


# ---------------------------------------------------------------------------- rules themselves


def _unknown(classifier: Classifier) -> Iterable[tuple[Rule, str]]:
    """Yield the rules that name, letter by letter, a set or region that is not there."""
    network = classifier.network
    regions = {region.lower() for region, _ in network.processes}
    sets = {
        "process": _names(network.process_sets.values()),
        "commodity": _names(network.commodity_sets.values()),
    }
    for rule in classifier.rules.rules:
        for cell, condition in rule.conditions:
            if cell not in ("set", "region"):
                continue
            known = regions if cell == "region" else sets[rule.item]
            missing = [name for name in condition.names if name.lower() not in known]
            if missing:
                have = ", ".join(sorted(known)[:20]).upper() or "none"
                yield (
                    rule,
                    f"there is no {cell} {missing[0]!r} here, so that the rule never takes anything"
                    f" for it; there are {have}",
                )


def _names(sets: Iterable[Iterable[str]]) -> set[str]:
    return {name.lower() for names in sets for name in names}


def _idle(classifier: Classifier) -> list[Rule]:
    """Return the rules that take no process and no commodity of the scenario."""
    taking = {
        (rule.table, rule.line)
        for item in _items(classifier)
        for rule in classifier.rules.taking(item)
    }
    return [
        rule
        for rule in classifier.rules.rules
        if rule.cells and (rule.table, rule.line) not in taking
    ]


# ---------------------------------------------------------------------------- kept and reported


def store_rules(connection: duckdb.DuckDBPyConnection, rules: RuleBook) -> None:
    """Keep the rules with the scenario, so that it can say later what decided."""
    rows = []
    for position, rule in enumerate(rules.rules):
        cells = dict(rule.cells)
        rows.append(
            (
                position,
                rule.table,
                rule.line,
                rule.dimension,
                rule.group,
                rule.item,
                *(cells.get(name) for name in ("set", "code", "description", "region")),
                rule.model or None,
                rule.priority,
                rule.order,
                rule.colour or None,
            )
        )
    columns = {f"c{place}": list(cells) for place, cells in enumerate(zip(*rows, strict=True))}
    if columns:
        lists = ", ".join(f"unnest(${name})" for name in columns)
        connection.execute(f"INSERT INTO group_rule SELECT {lists}", columns)


def stored_rules(connection: duckdb.DuckDBPyConnection) -> RuleBook:
    """Return the rules that a scenario was imported with."""
    columns = ("rule_table", "line", "dimension", "group_name", "item", "set_name", "code")
    more = ("description", "region", "model", "priority", "group_order", "colour")
    tables: dict[str, list[Rule]] = {}
    for row in connection.execute(
        f"SELECT {', '.join((*columns, *more))} FROM group_rule ORDER BY position"
    ).fetchall():
        named = dict(zip((*columns, *more), row, strict=True))
        cells = {
            "dimension": named["dimension"],
            "group": named["group_name"],
            "item": named["item"],
            "set": named["set_name"] or "",
            **{name: named[name] or "" for name in ("code", "description", "region")},
            **{name: named[name] or "" for name in ("model", "colour")},
        }
        tables.setdefault(named["rule_table"], []).append(
            make_rule(
                named["rule_table"],
                named["line"],
                cells,
                order=named["group_order"],
                priority=named["priority"],
            )
        )
    return RuleBook(tuple(RuleTable(name, tuple(rules)) for name, rules in tables.items()))


def report_coverage(connection: duckdb.DuckDBPyConnection, coverage: Coverage) -> None:
    """Note in the import report what the groups leave out and where rules disagree."""
    for share in coverage.shares:
        if share.unnamed > 0.0005 * share.total:
            _report_unnamed(connection, coverage, share)
    level: dict[tuple[str, str, str, tuple[str, ...]], dict[str, None]] = {}
    for found in coverage.contested:
        choice = found.choice
        key = (found.dimension, choice.group, choice.rule, choice.rivals)
        level.setdefault(key, {})[found.code] = None
    for (dimension, group, rule, rivals), codes in level.items():
        report(
            connection,
            "warning",
            "groups",
            f"more than one rule gives a {dimension} to {_first(codes)}: {group} ({rule}) holds,"
            f" against {'; '.join(rivals)}. Give one of them a higher priority",
            count=len(codes),
        )
    for unknown, problem in coverage.unknown:
        report(connection, "warning", "groups", problem, file=unknown.table, line=unknown.line)


def _report_unnamed(
    connection: duckdb.DuckDBPyConnection, coverage: Coverage, share: Share
) -> None:
    left = [
        t for t in coverage.unnamed if (t.measure, t.dimension) == (share.measure, share.dimension)
    ]
    codes = dict.fromkeys(t.code for t in left)
    report(
        connection,
        "info" if share.named_share >= ENOUGH else "warning",
        "groups",
        f"no rule names the {share.dimension} of {1 - share.named_share:.1%} of"
        f" {measures()[share.measure].label.lower()}"
        f" ({_first(codes)})",
        count=len(codes),
    )


def _first(codes: Iterable[str]) -> str:
    """Return the first few codes as text."""
    named = list(codes)
    return ", ".join(named[:_NAMED_IN_REPORT]) + (" ..." if len(named) > _NAMED_IN_REPORT else "")


def _item_json(taken: Taken) -> dict[str, Any]:
    found = {key: value for key, value in vars(taken).items() if key != "choice"}
    return {
        **found,
        "group": taken.choice.group,
        "rule": taken.choice.rule,
        "rivals": list(taken.choice.rivals),
    }
