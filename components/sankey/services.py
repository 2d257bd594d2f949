"""Where services stand: in a column of their own at the end, each as near as can be to its users.

They take no part in the layout, so that nothing else moves for them but the right edge.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from catalogs import units
from catalogs.sankey.parts import Join, Node
from components.numbers import significant
from components.sankey.grid import rising
from components.sankey.parts import Frame, Layout, PlacedNode
from components.sankey.words import label_width, line_width

#: A service's box, a line of its words, and what is free between two.
_WIDTH, _HEIGHT = 12.0, 24.0
_LINE, _BETWEEN = 16.0, 5.0
#: Between users and services is room for the users' names and a part of the join.
_LEAST_GAP, _MOST_GAP, _SEEN = 104.0, 144.0, 40.0
#: Of the width of a frame, what may be kept free for the column and the words at both its sides.
_MOST_SHARE = 0.31


def amounts_of(service: Node) -> list[str]:
    """Return what a service says of its amounts: two lines at most, of most energy first."""
    written = [_amount(unit, amount) for unit, amount in service.services]
    return written if len(written) < 3 else [written[0], f"+{len(written) - 1} more units"]


def _amount(unit: str, amount: float) -> str:
    useful = " useful" if units.is_energy(unit) else ""
    return f"{significant(amount)} {unit}{useful}"


def every_amount(node: Node) -> list[str]:
    """Return all amounts that a node gives in other units than the picture's."""
    return [_amount(unit, amount) for unit, amount in node.services]


def with_room(frame: Frame, services: Sequence[Node], users: Collection[str]) -> Frame:
    """Return a frame with room at its right for a column of services; ``users`` are names."""
    if not services:
        return frame
    wanted = _gap(users) + _WIDTH + _words(services)
    return replace(frame, right=max(frame.right, min(wanted, _MOST_SHARE * frame.width)))


def _gap(users: Collection[str]) -> float:
    longest = max((line_width(name) for name in users), default=0.0)
    return min(max(longest + _SEEN, _LEAST_GAP), _MOST_GAP)


def _words(services: Sequence[Node]) -> float:
    """What stands beside services: their names may be broken, amounts not."""
    return max(
        width
        for service in services
        for width in (label_width(service.label), *map(line_width, amounts_of(service)))
    )


def place_services(
    layout: Layout,
    services: Sequence[Node],
    joins: Sequence[Join],
    names: Mapping[str, str],
) -> tuple[PlacedNode, ...]:
    """Return the boxes of services, as high as the middle of what is joined to them allows.

    ``names`` are those of users by their ids. Boxes have one size: their amounts have unlike
    units, and nothing could be read off them.
    """
    boxes = {node.id: node for node in layout.nodes}
    wanted = {}
    for service in services:
        joined = [boxes[join.user] for join in joins if join.service == service.id]
        weight = sum(max(user.height, 1.0) for user in joined)
        middles = sum((user.y0 + user.y1) / 2 * max(user.height, 1.0) for user in joined)
        wanted[service.id] = middles / weight
    # Of one user's, that of most energy stands first: they come in that order.
    ordered = sorted(services, key=lambda service: wanted[service.id])
    heights = [_LINE * (1 + len(amounts_of(service))) + _BETWEEN for service in ordered]
    room = layout.frame.inner_height
    squeeze = min(1.0, room / sum(heights)) if heights else 1.0
    starts = [squeeze * sum(heights[:place]) for place in range(len(heights))]
    last = room - squeeze * sum(heights)
    tops = [
        wanted[service.id] - layout.frame.top - squeeze * height / 2 - start
        for service, height, start in zip(ordered, heights, starts, strict=True)
    ]
    right = max((node.x1 for node in layout.nodes), default=0.0)
    room = layout.frame.width - right - _WIDTH - (_words(services) if services else 0.0)
    x0 = right + max(min(_gap([names[join.user] for join in joins]), room), _LEAST_GAP)
    placed = []
    for service, height, start, top in zip(
        ordered, heights, starts, rising(tops, [1.0] * len(tops)), strict=True
    ):
        middle = layout.frame.top + start + min(max(top, 0.0), last) + squeeze * height / 2
        half = min(_HEIGHT, squeeze * height) / 2
        placed.append(
            PlacedNode(
                id=service.id,
                layer=layout.layers,
                x0=x0,
                y0=middle - half,
                x1=x0 + _WIDTH,
                y1=middle + half,
                value=0.0,
            )
        )
    return tuple(placed)
