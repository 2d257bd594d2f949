"""Making the map of a network: what flows on each line, along its own geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalogs.flow_records.dimensions import (
    Detail,
    LevelPlaces,
    LineColumns,
    add_up,
    as_numbers,
    as_positions,
)
from catalogs.flow_records.query import FlowView
from catalogs.flow_records.views import categories_of, unit_of_sums
from catalogs.flowmaps.picture import (
    Arcs,
    FlowMapData,
    Numbers,
    Paths,
    Places,
    Positions,
    Segments,
    Shown,
    unknown,
)

if TYPE_CHECKING:
    from catalogs.flow_records.records import FlowRecords

#: Pixels that a view is taken to be wide where its zoom is not told.
_WIDTH = 1200
_TILE = 256


@dataclass(frozen=True, eq=False)
class _LineSums:
    """What flows on each line, by its number."""

    forward: Numbers
    backward: Numbers
    records: Positions


def _line_sums(records: FlowRecords, view: FlowView, count: int) -> _LineSums:
    """Ask for the sums of all lines in a stretch of time; the same wherever the map is."""

    def ask() -> _LineSums:
        rows, bound = records.rows_in(
            len(records.levels) - 1, view.first, view.last, view.commodities, lines=True
        )
        found = records.columns(
            "SELECT line, sum(forward) AS forward, sum(backward) AS backward,"
            f" sum(records)::BIGINT AS records FROM ({rows}) GROUP BY line",
            bound,
        )
        line = as_positions(found["line"])
        forward, backward = np.zeros(count), np.zeros(count)
        number = np.zeros(count, dtype=np.int64)
        forward[line] = as_numbers(found["forward"])
        backward[line] = as_numbers(found["backward"])
        number[line] = as_positions(found["records"])
        return _LineSums(forward, backward, number)

    question = ("lines", view.first, view.last, view.commodities)
    return records.kept(question, ask, lambda _: count)


def _zoom(view: FlowView) -> float:
    if view.zoom >= 0 or view.bounds is None:
        return max(view.zoom, 0.0)
    width = (view.bounds[2] - view.bounds[0]) % 360 or 360.0
    return float(np.log2(360.0 / width * _WIDTH / _TILE))


def view_of_lines(records: FlowRecords, view: FlowView) -> FlowMapData:
    """Return the map of a view by lines, whose times and names have been checked."""
    lines = records.lines
    if lines is None:
        raise ValueError("the records are not of lines")
    names, category = categories_of(records, view)
    sums = _line_sums(records, view, len(lines.id))
    net = sums.forward - sums.backward
    carried = sums.forward + sums.backward
    is_chosen = (
        np.isin(lines.commodity, [records.commodities.index(name) for name in view.commodities])
        if view.commodities
        else np.ones(len(lines.id), dtype=bool)
    )
    chosen = np.flatnonzero(lines.within(view.bounds) & is_chosen)
    # Lines without a flow are part of the network: they are drawn, after all others.
    value = np.abs(net) if view.is_net else carried
    chosen = chosen[np.lexsort((chosen, -value[chosen]))]
    detail = lines.detail(_zoom(view))
    is_onward = net >= 0
    places = records.places[-1]
    ends = np.unique(np.concatenate([lines.origin[chosen], lines.destination[chosen]]))
    positions = np.full(len(places), -1, dtype=np.int64)
    positions[ends] = np.arange(len(ends))
    origin = np.where(is_onward, lines.origin, lines.destination)[chosen]
    destination = np.where(is_onward, lines.destination, lines.origin)[chosen]
    hours = _capacity_hours(records, view)
    arcs = Arcs(
        origin=positions[origin],
        destination=positions[destination],
        category=category[lines.commodity[chosen]],
        value=value[chosen],
        back=np.minimum(sums.forward, sums.backward)[chosen],
        capacity=lines.capacity[chosen] * hours,
        id=lines.id[chosen],
        carried=carried[chosen],
    )
    # From a place to itself, without a geometry: there is no way to draw.
    is_loop = (lines.origin == lines.destination) & ~lines.within(None)
    all_records, all_value = records.totals(view.first, view.last, view.commodities)
    segments = None
    if len(chosen) > view.most:
        segments = _pieces(detail, chosen, value, category[lines.commodity])
    shown = Shown(
        flows=int(sums.records[chosen].sum()),
        all_flows=all_records,
        value=float(carried[chosen].sum()),
        all_value=all_value,
        within=float(carried[is_chosen & is_loop].sum()),
    )
    return FlowMapData(
        places=_line_ends(places, ends, lines, sums),
        arcs=arcs,
        categories=names,
        unit=unit_of_sums(records, view),
        level="line",
        is_net=view.is_net,
        shown=shown,
        paths=_directed(detail.of(chosen), is_onward[chosen]),
        segments=segments,
        remarks=_line_remarks(lines, is_chosen & ~is_loop),
    )


def _directed(paths: Paths, is_onward: NDArray[np.bool_]) -> Paths:
    """Return the paths from where energy comes to where it goes."""
    counts = np.diff(paths.starts)
    place = np.arange(len(paths.longitude)) - np.repeat(paths.starts[:-1], counts)
    turned = np.repeat(paths.starts[1:], counts) - 1 - place
    points = np.where(np.repeat(is_onward, counts), np.arange(len(place)), turned)
    return Paths(paths.starts, paths.longitude[points], paths.latitude[points])


def _capacity_hours(records: FlowRecords, view: FlowView) -> float:
    """Return by what a capacity is multiplied to be compared with sums of a stretch of time.

    Sums of energy (MWh per step) are of as many hours; sums of power (MW) of as many steps.
    """
    steps = view.last - view.first + 1
    is_energy = records.unit.lower().endswith("h") and not np.isnan(records.about.step_hours)
    return steps * (records.about.step_hours if is_energy else 1.0)


def _pieces(detail: Detail, chosen: Positions, value: Numbers, category: Positions) -> Segments:
    """Return the straight pieces of lines as segments; arcs are the chosen lines in their order."""
    arc = np.full(len(value), -1, dtype=np.int64)
    arc[chosen] = np.arange(len(chosen))
    line, first = detail.pieces
    kept = arc[line] >= 0
    line, first = line[kept], first[kept]
    return Segments(
        detail.longitude[first],
        detail.latitude[first],
        detail.longitude[first + 1],
        detail.latitude[first + 1],
        arc[line],
        category[line],
        value[line],
    )


def _line_ends(places: LevelPlaces, ends: Positions, lines: LineColumns, sums: _LineSums) -> Places:
    count = len(places)
    outgoing = add_up(lines.origin, sums.forward, count)
    outgoing += add_up(lines.destination, sums.backward, count)
    incoming = add_up(lines.destination, sums.forward, count)
    incoming += add_up(lines.origin, sums.backward, count)
    return Places(
        id=places.id[ends],
        name=places.name[ends],
        longitude=places.longitude[ends],
        latitude=places.latitude[ends],
        outgoing=outgoing[ends],
        incoming=incoming[ends],
        within=np.zeros(len(ends)),
        production=unknown(len(ends)),
        use=unknown(len(ends)),
        members=places.members[ends],
    )


def _line_remarks(lines: LineColumns, is_chosen: NDArray[np.bool_]) -> tuple[str, ...]:
    hidden = int((is_chosen & ~lines.within(None)).sum())
    if not hidden:
        return ()
    are = "line has" if hidden == 1 else "lines have"
    return (f"{hidden:,} {are} neither geometry nor ends with coordinates and cannot be drawn.",)
