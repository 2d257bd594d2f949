"""What can be had in place of what was refused: the nearest queries that are answered.

Candidates are made from what the refusal is about, the nearest first; each is asked before it is
offered, and where it is refused as well, what is nearest to that. So every offer is answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from catalogs import units
from catalogs.errors import MixedUnitsError, Offer, TimesError
from catalogs.measures import ATTRIBUTE_PREFIX, measure, measures
from catalogs.query import Query

if TYPE_CHECKING:
    from catalogs.source import Source

#: Offers made for one refusal, and refusals that are followed on the way to one.
_MOST_OFFERS = 3
_DEEPEST = 3
_WORDS = {
    "user_constraint": "kind",
    "sow": "state of the world",
}

#: The attribute that shows what a measure counts as it is, and what to show it by.
_AS_IT_IS = {
    "final": ("VAR_FIn", "commodity"),
    "generation": ("VAR_FOut", "commodity"),
    "primary": ("VAR_FOut", "commodity"),
    "demand": ("VAR_FOut", "commodity"),
    "generation capacity": ("VAR_Cap", "process"),
    "trade": ("VAR_FOut", "commodity"),
    "storage": ("VAR_FIn", "commodity"),
}


def offers(source: Source, query: Query, error: TimesError) -> tuple[Offer, ...]:
    """Return the nearest queries that a source answers with something, each once."""
    found: dict[Query, Offer] = {}
    tried: set[Query] = {query}
    for candidate in _candidates(source, query, error):
        answered = _answered(source, candidate, tried, _DEEPEST)
        if answered and answered not in found:
            found[answered] = Offer(_label(source, query, answered), answered)
            if len(found) == _MOST_OFFERS:
                break
    return tuple(found.values())


def _answered(source: Source, query: Query, tried: set[Query], deep: int) -> Query | None:
    """Return the query where it is answered with something, else what is nearest to it."""
    if query in tried:
        return None
    tried.add(query)
    try:
        return None if source.answer_to(query).frame.empty else query
    except TimesError as error:
        if deep == 0:
            return None
        for candidate in _candidates(source, query, error):
            if found := _answered(source, candidate, tried, deep - 1):
                return found
    return None


def _candidates(source: Source, query: Query, error: TimesError) -> Iterator[Query]:
    """Yield what may be meant instead, the nearest first; nothing here has been asked yet."""
    yield from _with_known_names(source, query)
    start = source.starting_filter(query.measure)
    if start and not query.filters:
        yield replace(query, filters=start)
    yield from _apart(source, query, getattr(error, "dimensions", ()))
    if isinstance(error, MixedUnitsError):
        kinds: dict[str, str] = {}
        for unit in source.unit_choices(query.measure, query.scenarios, query.filters):
            kinds.setdefault(units.dimension(unit), unit)
        for unit in kinds.values():
            yield replace(query, unit=unit)
    if query.unit:
        yield replace(query, unit="")
    yield from _wider(query)
    yield from _otherwise(source, query)


def _with_known_names(source: Source, query: Query) -> Iterator[Query]:
    """Put what the data has in place of names that it does not have."""

    def near(values: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
        kept = [v if v in known else (get_close_matches(v, known, 1) or [""])[0] for v in values]
        return tuple(dict.fromkeys(filter(None, kept)))

    years = tuple(
        min(source.years, key=lambda known, year=year: abs(known - year))  # type: ignore[misc]
        for year in query.years
        if source.years
    )
    mended = replace(
        query,
        scenarios=near(query.scenarios, source.scenario_names),
        regions=near(query.regions, source.regions),
        years=tuple(dict.fromkeys(years)),
    )
    if mended != query:
        yield mended


def _apart(source: Source, query: Query, wrong: tuple[str, ...]) -> Iterator[Query]:
    """Keep apart what must not be added up: the largest of all but one dimension, or all."""
    if not wrong:
        return
    asked = measure(query.measure)
    usable = (*asked.groups, "sow")
    if any(dimension not in usable for dimension in wrong):
        return
    apart = tuple(dict.fromkeys((*query.group_by, *wrong)))
    largest = source.largest(replace(query, group_by=apart))
    first, *others = wrong
    loose = [g for g in query.group_by if not asked.adds_up_over(g)]
    yield _filtered(replace(query, group_by=(first,)), largest, [*others, *loose])
    yield _filtered(query, largest, list(wrong))
    yield replace(query, group_by=apart)


def _filtered(query: Query, members: Mapping[str, str], dimensions: list[str]) -> Query:
    """Keep one member of each dimension, where it is known."""
    wanted = {d: (members[d],) for d in dimensions if d in members}
    kept = tuple((d, values) for d, values in query.filters if d not in wanted)
    return replace(query, filters=(*kept, *wanted.items()))


def _wider(query: Query) -> Iterator[Query]:
    """Take away what narrows the selection, one thing after the other."""
    if query.filters:
        query = replace(query, filters=())
        yield query
    for narrowing in ("years", "regions", "scenarios"):
        if getattr(query, narrowing):
            query = replace(query, **{narrowing: ()})  # type: ignore[arg-type]
            yield query


def _otherwise(source: Source, query: Query) -> Iterator[Query]:
    """Show the rows behind a measure as they are, else a measure of the same section, else any."""
    asked = measure(query.measure)
    where = {"scenarios": query.scenarios, "regions": query.regions, "years": query.years}
    if shown := _AS_IT_IS.get(asked.boundary):
        attribute, group = shown
        if attribute in source.attribute_names:
            yield Query(ATTRIBUTE_PREFIX + attribute, group_by=(group,), **where)  # type: ignore[arg-type]
    if asked.attribute and asked.attribute in source.attribute_names and not asked.is_ratio:
        name = ATTRIBUTE_PREFIX + asked.attribute
        yield Query(name, group_by=(measure(name).default_group,), **where)  # type: ignore[arg-type]
    same = [n for n in source.measure_names if measures()[n].section == asked.section]
    for name in dict.fromkeys([*same, *source.measure_names]):
        yield Query(
            name,
            group_by=(measure(name).default_group,),
            filters=source.starting_filter(name),
            **where,  # type: ignore[arg-type]
        )
    for name in source.attribute_names:
        attribute = ATTRIBUTE_PREFIX + name
        yield Query(attribute, group_by=(measure(attribute).default_group,))


# ---------------------------------------------------------------------------- in words


def _label(source: Source, before: Query, after: Query) -> str:
    """Say in a few words how an offer differs from what was asked."""
    asked = measure(after.measure)
    said = []
    if after.measure != before.measure:
        said.append(asked.label)
    if after.group_by != before.group_by and after.group_by:
        said.append(f"by {' and '.join(map(_word, after.group_by))}")
    for dimension, members in after.filters:
        if (dimension, members) not in before.filters:
            names = source.labels(dimension)
            listed = ", ".join(names.get(m, m) for m in members[:2])
            more = " …" if len(members) > 2 else ""
            said.append(f"{_word(dimension)} {listed}{more} only")
    if after.unit and after.unit != before.unit:
        said.append(f"in {after.unit}")
    said += _what_else(before, after)
    text = ", ".join(said) or asked.label
    return text[0].upper() + text[1:]


def _what_else(before: Query, after: Query) -> list[str]:
    gone = {d for d, _ in before.filters} - {d for d, _ in after.filters}
    said = [f"every {_word(dimension)}" for dimension in sorted(gone)]
    for what, old, new in (
        ("scenarios", before.scenarios, after.scenarios),
        ("regions", before.regions, after.regions),
        ("years", before.years, after.years),
    ):
        if new != old:
            said.append(", ".join(map(str, new[:2])) if new else f"all {what}")
    if before.unit and not after.unit:
        said.append("in its own unit")
    return said


def _word(dimension: str) -> str:
    return _WORDS.get(dimension, dimension)
