"""A result as a Sankey, where its columns say what flows from where to where."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from catalogs import palette
from catalogs.errors import TimesError
from components.database.cells import count_of, is_number
from components.numbers import significant
from components.sankey.layout import Frame, Link, Node, lay_out
from components.sankey.view import make_picture

#: Names of the columns of a flow's two ends, in small letters.
ENDS: tuple[tuple[str, str], ...] = (
    ("source", "target"),
    ("origin", "destination"),
    ("from", "to"),
    ("region_from", "region_to"),
    ("regfrom", "regto"),
)
#: Columns of the coordinates of a flow's two ends (degrees), of the origin and of the destination.
COORDINATES = (
    "origin_latitude", "origin_longitude", "destination_latitude", "destination_longitude",
)  # fmt: skip
_AMOUNTS = ("value", "sent", "received", "amount")
_KINDS = ("fuel", "carrier", "commodity", "comgroup", "com")
_MOST_LINKS = 200

#: What flows by source, target and kind (of fuel, commodity ...; '' where there are none).
Links = dict[tuple[str, str, str], float]


def ends_of(table: pa.Table) -> tuple[str, str, str] | None:
    """Return the columns of source, target and amount; None where a result has no flows."""
    by_name = {name.lower(): name for name in table.column_names}
    for source, target in ENDS:
        if source in by_name and target in by_name:
            numbers = [
                field.name
                for field in table.schema
                if is_number(field.type) and field.name.lower() not in COORDINATES
            ]
            named = [by_name[name] for name in _AMOUNTS if by_name.get(name) in numbers]
            amount = next(iter([*named, *numbers]), "")
            if amount:
                return by_name[source], by_name[target], amount
    return None


def needed_ends(table: pa.Table) -> tuple[str, str, str]:
    """Return what ``ends_of`` does. Raises ``TimesError`` where a result has no flows."""
    ends = ends_of(table)
    if ends is None:
        raise TimesError(
            "These columns say of no flow where it comes from and goes to.",
            "Name two columns source and target (or origin and destination) and give the query a"
            " column of numbers called value.",
        )
    return ends


def has_number(table: pa.Table, name: str | None) -> bool:
    """Whether a result has a column of numbers of that name."""
    return name is not None and is_number(table.schema.field(name).type)


def flows_picture(
    table: pa.Table, frame: Frame, looks: palette.Looks | None = None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what ``SankeyView`` draws of a result, and what is not in it.

    Raises ``TimesError`` where the columns do not fit.
    """
    ends = needed_ends(table)
    remarks: list[str] = []
    sums, unit = sums_of(table, ends, remarks)
    if not sums:
        raise TimesError("No flow is above zero.", "Change the query so that it returns some.")
    links = largest(sums, _MOST_LINKS, remarks)
    names = sorted({name for source, target, _ in links for name in (source, target)})
    layout = lay_out(
        [Node(name) for name in names],
        [Link(s, t, value, f"{s} → {t} · {kind}") for (s, t, kind), value in links.items()],
        frame,
    )
    amounts = _amounts(links)
    picture = make_picture(
        layout,
        nodes={
            node.id: {
                "amount": significant(amounts[node.id]),
                "lines": [f"{significant(amounts[node.id])} {unit}".strip()],
                "colour": _colour(node.id, looks),
            }
            for node in layout.nodes
        },
        links={
            f"{s} → {t} · {kind}": {
                "amount": f"{significant(value)} {unit}".strip(),
                "lines": [kind] if kind else [],
                "colour": _colour(kind or s, looks, _colour(s, looks)),
            }
            for (s, t, kind), value in links.items()
        },
        title="Flows of the result",
    )
    return picture, tuple(remarks)


def sums_of(table: pa.Table, ends: tuple[str, str, str], remarks: list[str]) -> tuple[Links, str]:
    """Return what flows between the same two ends, added up, and its unit.

    Of several units the one of most rows is taken. What is left out is said in ``remarks``.
    """
    source, target, amount = ends
    by_name = {name.lower(): name for name in table.column_names}
    kind = next((by_name[name] for name in _KINDS if name in by_name), "")
    columns = [table.column(name).to_pylist() for name in (source, target, amount)]
    rows = table.num_rows
    kinds = table.column(kind).to_pylist() if kind else [""] * rows
    units = table.column(by_name["unit"]).to_pylist() if "unit" in by_name else [""] * rows
    named = [str(unit) for unit in units if unit]
    unit = max(set(named), key=named.count) if named else ""
    sums: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    left_out = others = 0
    for s, t, value, k, own in zip(*columns, kinds, units, strict=True):
        if unit and own != unit:
            others += 1
        elif s is None or t is None or value is None or not 0 < float(value) < math.inf:
            left_out += 1
        else:
            sums[str(s), str(t), str(k or "")] += float(value)
    if others:
        remarks.append(f"{count_of(others)} rows in other units than {unit} are left out.")
    if left_out:
        remarks.append(f"{count_of(left_out)} rows without a flow above zero are left out.")
    return dict(sums), unit


def largest(sums: Links, most: int, remarks: list[str]) -> Links:
    """Return the largest flows, the largest first, and say in ``remarks`` what that leaves."""
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) > most:
        kept = sum(value for _, value in ordered[:most]) / sum(sums.values())
        remarks.append(
            f"Drawn are the {count_of(most)} largest of {count_of(len(ordered))} flows,"
            f" {significant(100 * kept)}% of all."
        )
    return dict(ordered[:most])


def _amounts(links: Links) -> Mapping[str, float]:
    incoming: defaultdict[str, float] = defaultdict(float)
    outgoing: defaultdict[str, float] = defaultdict(float)
    for (source, target, _), value in links.items():
        outgoing[source] += value
        incoming[target] += value
    return {name: max(incoming[name], outgoing[name]) for name in {*incoming, *outgoing}}


def _colour(name: str, looks: palette.Looks | None, otherwise: str = "#7d8794") -> str:
    """Return the colour of a fuel, technology or sector of that name."""
    plain = name.removesuffix(" made")
    for dimension in ("fuel", "technology", "sector"):
        found = palette.colour(dimension, plain, looks=looks)
        if found != palette.OTHER_COLOUR:
            return found
    return otherwise
