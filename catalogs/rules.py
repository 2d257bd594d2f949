"""Rules that people write: which sector, technology and fuel a process or commodity belongs to.

A rule is a row of a table (``rule_tables.py`` reads them). It names a group of one dimension and
says, in the cells set, code, description and region, which processes or commodities it takes; all
cells that are filled must fit. Among the rules of a table the one with the highest priority
decides. Two that are level and disagree are a finding: the first decides until somebody gives one
of them a higher priority.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

#: What rules give, and what they give it to.
DIMENSIONS = ("sector", "technology", "fuel")
ITEMS = ("process", "commodity")

#: The cells that say what a rule takes. A code, set or region fits as a whole.
CONDITIONS = ("set", "code", "description", "region")

#: Between the patterns of a cell: any of them fits.
SEPARATOR = "|"

#: A pattern of a cell, up to the separator: ``!`` excludes, ``/.../`` is a regular expression.
_REGEX = re.compile(r"\s*(!?)\s*/(.+?)/\s*(?:\||\Z)")
_PLAIN = re.compile(r"\s*(!?)\s*([^|]*?)\s*(?:\||\Z)")


@dataclass(frozen=True)
class Condition:
    """What a cell asks of a text: any pattern wanted, if there are such, and none unwanted.

    ``names`` are the wanted patterns that have neither wildcard nor regular expression;
    ``only_names`` is whether there are no others.
    """

    text: str
    wanted: tuple[re.Pattern[str], ...]
    unwanted: tuple[re.Pattern[str], ...]
    names: tuple[str, ...]
    only_names: bool = False

    def accepts(self, texts: Iterable[str]) -> bool:
        """Whether one of the texts is wanted and none is unwanted."""
        is_wanted = not self.wanted
        for text in texts:
            for pattern in self.unwanted:
                if pattern.search(text):
                    return False
            if not is_wanted:
                for pattern in self.wanted:
                    if pattern.search(text):
                        is_wanted = True
                        break
        return is_wanted


def parse_condition(text: str, *, anywhere: bool = False) -> Condition:
    """Read a cell such as ``HP* | !HPX*`` or ``!/retro(fit)?/``.

    Case does not matter. A regular expression fits anywhere in a text; anything else fits the
    whole text, unless ``anywhere``. Raises ``re.error`` for a bad regular expression and
    ``ValueError`` for a pattern that is empty or has no end.
    """
    expressions: dict[bool, list[str]] = {True: [], False: []}
    wildcards: dict[bool, list[str]] = {True: [], False: []}
    names = []
    for negated, is_regex, pattern in _patterns(text):
        if is_regex:
            expressions[negated].append(pattern)
            continue
        wildcards[negated].append(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."))
        if not (negated or "*" in pattern or "?" in pattern):
            names.append(pattern)
    only_names = len(names) == sum(map(len, (*wildcards.values(), *expressions.values())))
    for negated, parts in wildcards.items():
        if parts:
            joined = f"(?:{'|'.join(parts)})"
            expressions[negated].append(joined if anywhere else rf"\A{joined}\Z")
    wanted, unwanted = (
        tuple(re.compile(source, re.IGNORECASE) for source in expressions[negated])
        for negated in (False, True)
    )
    return Condition(text, wanted, unwanted, tuple(names), only_names)


def _patterns(text: str) -> Iterator[tuple[bool, bool, str]]:
    """Yield whether a pattern excludes, whether it is a regular expression, and the pattern."""
    position = 0
    while position < len(text):
        found = _REGEX.match(text, position) or _PLAIN.match(text, position)
        if found is None or not found[2]:
            raise ValueError("a pattern is empty")
        if found.re is _PLAIN and found[2].startswith("/"):
            raise ValueError(f"the regular expression {found[2]} does not end with /")
        yield bool(found[1]), found.re is _REGEX, found[2]
        position = found.end()


@dataclass(frozen=True)
class Item:
    """A process or commodity of a region, as rules see it."""

    kind: str
    region: str
    code: str
    description: str = ""
    sets: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rule:
    """A row of a rule table.

    ``cells`` are the filled cells of ``CONDITIONS``; without any, the row only gives its group an
    order and a colour. ``line`` is the row's line in its file.
    """

    table: str
    line: int
    dimension: str
    group: str
    item: str
    cells: tuple[tuple[str, str], ...] = ()
    model: str = ""
    priority: int = 0
    order: int | None = None
    colour: str = ""
    conditions: tuple[tuple[str, Condition], ...] = field(default=(), compare=False, repr=False)

    @property
    def place(self) -> str:
        """Where the rule stands."""
        return f"{self.table}, line {self.line}"

    @property
    def shown(self) -> str:
        """Where the rule stands and what it takes, as the reason for a choice."""
        return f"{self.place}: {', '.join(f'{name} {text}' for name, text in self.cells)}"

    def takes(self, item: Item) -> bool:
        """Whether all filled cells fit an item."""
        if item.kind != self.item or not self.conditions:
            return False
        for name, condition in self.conditions:
            texts = item.sets if name == "set" else (getattr(item, name),)
            if not condition.accepts(texts):
                return False
        return True

    def belongs_to(self, models: Sequence[str]) -> bool:
        """Whether the rule is for a model that goes by any of these names."""
        return not self.model or parse_condition(self.model).accepts(models)


def make_rule(
    table: str, line: int, cells: Mapping[str, str], *, order: int | None, priority: int
) -> Rule:
    """Make a rule of the text cells of a row. Raises ``re.error`` and ``ValueError``."""
    dimension = cells["dimension"].lower()
    filled = tuple((name, cells[name]) for name in CONDITIONS if cells.get(name))
    # The cell that leaves out most is asked first.
    asked = sorted(filled, key=lambda cell: cell[0] != "code")
    return Rule(
        table=table,
        line=line,
        dimension=dimension,
        group=cells["group"],
        item=cells.get("item", "").lower() or ("commodity" if dimension == "fuel" else "process"),
        cells=filled,
        model=cells.get("model", ""),
        priority=priority,
        order=order,
        colour=cells.get("colour", "").lower(),
        conditions=tuple(
            (name, parse_condition(text, anywhere=name == "description")) for name, text in asked
        ),
    )


@dataclass(frozen=True)
class RuleTable:
    """A table of rules under the name of its file."""

    name: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Verdict:
    """The rule that decides, and those of the same table and priority that give another group."""

    rule: Rule
    rivals: tuple[Rule, ...] = ()


class _Layer:
    """The rules of one table for one dimension and kind of item.

    Rules that name their codes letter by letter are found by them, so that a table may have a row
    for every process of a model.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = list(enumerate(rules))
        self._named: dict[str, list[tuple[int, Rule]]] = {}
        self._others: list[tuple[int, Rule]] = []
        for place, rule in self._rules:
            names = [
                condition.names
                for cell, condition in rule.conditions
                if cell == "code" and condition.only_names and condition.text.isascii()
            ]
            for name in {name.lower() for name in names[0]} if names else ():
                self._named.setdefault(name, []).append((place, rule))
            if not names:
                self._others.append((place, rule))

    def taking(self, item: Item) -> list[Rule]:
        """Return the rules that take an item, in the order of the table."""
        asked = self._rules
        if item.code.isascii():
            named = self._named.get(item.code.lower())
            asked = sorted([*named, *self._others], key=_place) if named else self._others
        return [rule for _, rule in asked if rule.takes(item)]


def _place(placed: tuple[int, Rule]) -> int:
    return placed[0]


@dataclass
class RuleBook:
    """The rules for one scenario: tables in the order in which they are asked.

    The first table that takes an item decides. Each question is asked once, for all regions where
    no rule mentions one.
    """

    tables: tuple[RuleTable, ...] = ()

    def __post_init__(self) -> None:
        self._layers: dict[tuple[str, str], list[_Layer]] = {}
        for dimension in DIMENSIONS:
            for item in ITEMS:
                layers = [
                    [r for r in t.rules if (r.dimension, r.item) == (dimension, item) and r.cells]
                    for t in self.tables
                ]
                self._layers[dimension, item] = [_Layer(layer) for layer in layers if layer]
        self._regions_matter = any(
            name == "region" for t in self.tables for r in t.rules for name, _ in r.cells
        )
        self._verdicts: dict[tuple[str, Item], Verdict | None] = {}

    def find(self, dimension: str, item: Item) -> Verdict | None:
        """Return the rule that gives an item its group of a dimension, None where there is none."""
        layers = self._layers[dimension, item.kind]
        if not layers:
            return None
        if not self._regions_matter:
            item = Item(item.kind, "", item.code, item.description, item.sets)
        key = (dimension, item)
        if key not in self._verdicts:
            verdicts = (_decide(layer.taking(item)) for layer in layers)
            self._verdicts[key] = next(filter(None, verdicts), None)
        return self._verdicts[key]

    def taking(self, item: Item) -> Iterator[Rule]:
        """Yield every rule that takes an item, whether or not another one decides."""
        for dimension in DIMENSIONS:
            for layer in self._layers[dimension, item.kind]:
                yield from layer.taking(item)

    @property
    def rules(self) -> Iterator[Rule]:
        """All rules, table by table."""
        return (rule for table in self.tables for rule in table.rules)


def _decide(taking: Sequence[Rule]) -> Verdict | None:
    if not taking:
        return None
    highest = max(rule.priority for rule in taking)
    first, *level = [rule for rule in taking if rule.priority == highest]
    return Verdict(first, tuple(rule for rule in level if rule.group != first.group))


def book_for(tables: Iterable[RuleTable], models: Sequence[str]) -> RuleBook:
    """Return the rules for a model that goes by ``models``: its given name, its regions' names."""
    fitting = (
        RuleTable(table.name, tuple(rule for rule in table.rules if rule.belongs_to(models)))
        for table in tables
    )
    return RuleBook(tuple(table for table in fitting if table.rules))


@dataclass(frozen=True)
class Look:
    """How a group is shown: its place in the order (None for no place) and its colour, or ''."""

    order: int | None
    colour: str

    def filled_by(self, other: Look) -> Look:
        """Return this look, with what it leaves open as the other has it."""
        return Look(other.order if self.order is None else self.order, self.colour or other.colour)


def looks_of(rules: Iterable[Rule]) -> dict[tuple[str, str], Look]:
    """Return how rules show their groups, by dimension and name; the first word counts."""
    looks: dict[tuple[str, str], Look] = {}
    for rule in rules:
        key = (rule.dimension, rule.group)
        looks[key] = looks.get(key, Look(None, "")).filled_by(Look(rule.order, rule.colour))
    return looks
