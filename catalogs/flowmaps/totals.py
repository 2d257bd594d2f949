"""What a region produces, uses, imports and exports, as a trade map shows it beside its arcs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalogs.errors import TimesError
from catalogs.flowmaps.amounts import ENERGY, factor, is_power
from catalogs.flowmaps.places import COUNTRY_PREFIX, OUTSIDE, UNKNOWN
from catalogs.query import Query
from catalogs.source import Source

if TYPE_CHECKING:
    from catalogs.flowmaps.trade_map import Frame, TradeRequest

Numbers: TypeAlias = NDArray[np.float64]

#: Totals that a region can show: the two halves of a circle, or one value.
TOTALS: Mapping[str, tuple[str, ...]] = {
    "production and use": ("production", "use"),
    "imports and exports": ("imports", "exports"),
    "production": ("production",),
    "use": ("use",),
    "imports": ("imports",),
    "exports": ("exports",),
    "net imports": ("net imports",),
    "none": (),
}
#: What stands for two halves where there is room for one value only.
SINGLE: Mapping[str, str] = {
    "production and use": "use",
    "imports and exports": "net imports",
}
#: Totals that may be below zero.
SIGNED = ("net imports",)
_DOMESTIC = ("production", "use")
_ELECTRICITY = "Electricity"


def totals_shown(request: TradeRequest) -> tuple[str, ...]:
    """Return what the totals of a request are: two halves, one value, or none.

    A filled region has room for one, and so has a difference. What is produced and used in a
    timeslice is seldom told, trade always is: it stands in for them there.
    """
    name = request.totals
    if request.is_filled or request.other:
        name = SINGLE.get(name, name)
    kinds = TOTALS.get(name, ())
    if stands_for_others(request):
        return TOTALS["imports and exports" if len(kinds) == 2 else "net imports"]
    return kinds


def stands_for_others(request: TradeRequest) -> bool:
    """Whether trade is shown in place of the production or use that was asked for."""
    is_part_of_year = request.query.by_timeslice or request.query.timeslice
    return bool(is_part_of_year and set(TOTALS.get(request.totals, ())) & set(_DOMESTIC))


def totals_of(
    source: Source,
    request: TradeRequest,
    frames: Sequence[Frame],
    places: Sequence[str],
    asked: pd.DataFrame,
) -> Numbers:
    """Return frames x places x 2: what ``totals_shown`` names, NaN where it is not known.

    ``asked`` is the trade of the carriers and regions chosen: imports and exports count no other.
    Those of a country outside of the model are what it trades with the model's regions.
    """
    found = np.full((len(frames), len(places), 2), np.nan)
    for half, kind in enumerate(totals_shown(request)):
        if kind in _DOMESTIC:
            found[:, :, half] = _domestic(source, request, kind, frames, places)
        else:
            found[:, :, half] = _traded(kind, asked, frames, places)
    nowhere = np.isin(np.array(places, dtype=object), [OUTSIDE, UNKNOWN])
    found[:, nowhere, :] = np.nan
    return found


def difference(other: Numbers, base: Numbers) -> Numbers:
    """Return other less base; what only one of them has counts from zero."""
    less: Numbers = np.where(
        np.isnan(other) & np.isnan(base), np.nan, np.nan_to_num(other) - np.nan_to_num(base)
    )
    return less


def _traded(
    kind: str, asked: pd.DataFrame, frames: Sequence[Frame], places: Sequence[str]
) -> Numbers:
    def side(name: str, column: str) -> Numbers:
        summed = asked.groupby(["frame", name])[column].sum().unstack()
        placed = summed.reindex(index=list(frames), columns=list(places))
        return np.nan_to_num(placed.to_numpy(dtype=float))

    if kind == "exports":
        return side("origin", "sent")
    imports = side("destination", "received")
    return imports if kind == "imports" else imports - side("origin", "sent")


# ---------------------------------------------------------------------- at home


def _domestic(
    source: Source,
    request: TradeRequest,
    kind: str,
    frames: Sequence[Frame],
    places: Sequence[str],
) -> Numbers:
    found = np.full((len(frames), len(places)), np.nan)
    for query in _use(request) if kind == "use" else _production(request):
        try:
            answered = source.answer_to(query).frame
        except TimesError:
            continue  # the scenario does not have it: it is not shown
        summed = answered.groupby(["year", "region"])["value"].sum().unstack()
        known = summed.reindex(index=list(frames), columns=list(places))
        # A region of the model that the answer does not name has none of it.
        of_model = np.array([not name.startswith(COUNTRY_PREFIX) for name in places])
        has_year = np.isin(np.array(frames, dtype=object), summed.index.to_numpy(dtype=object))
        values = known.to_numpy(dtype=float) * factor(query.unit or ENERGY, request.query.unit)
        told = has_year[:, None] & of_model[None, :]
        found = np.where(told, np.nan_to_num(found) + np.nan_to_num(values), found)
    return found


def _unit_at_home(request: TradeRequest) -> str:
    """Return the unit of energy that production and use are asked in."""
    return ENERGY if is_power(request.query.unit) else request.query.unit


def _use(request: TradeRequest) -> list[Query]:
    return [_query(request, "final_energy", request.kept)]


def _production(request: TradeRequest) -> list[Query]:
    """What is extracted and won at home; electricity where it is generated."""
    kept = request.kept
    parts = []
    if _ELECTRICITY in kept:
        parts.append(_query(request, "electricity_generation", ()))
    others = tuple(name for name in kept if name != _ELECTRICITY)
    if others or not kept:
        parts.append(_query(request, "primary_energy", others, (("part", ("Domestic",)),)))
    return parts


def _query(
    request: TradeRequest,
    measure: str,
    fuels: tuple[str, ...],
    filters: tuple[tuple[str, tuple[str, ...]], ...] = (),
) -> Query:
    by = "commodity" if request.query.colour_by == "commodity" else "fuel"
    kept = ((by, fuels),) if fuels else ()
    return Query(
        measure=measure,
        scenarios=(request.query.scenario,),
        group_by=("region",),
        filters=(*filters, *kept),
        unit=_unit_at_home(request),
    )
