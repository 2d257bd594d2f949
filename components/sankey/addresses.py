"""Where the scenario explorer shows what a mark of a Sankey is of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from catalogs.sankey.graph import GAIN, GRID_LOSS, LOSS, SURPLUS, UNEXPLAINED
from catalogs.sankey.grouping import CARRIER, unplain
from catalogs.sankey.parts import SERVICE, Node
from catalogs.sankey.roles import CONVERSION, EXPORT, FINAL, STORAGE, SUPPLY, TRADE
from catalogs.sankey.services import service_group

#: Members beyond which an address would be too long to name them.
_MOST_NAMED = 60

Asked = dict[str, str | list[str]]

#: The part of the measure "primary energy" that a group of supply or export is.
_PARTS = {
    "Domestic resources": "Domestic",
    "Imports": "Imports",
    "Dummy imports": "Dummy imports",
    "Exports": "Exports",
}


@dataclass(frozen=True)
class Shown:
    """What a Sankey shows, as far as the explorer shares it."""

    dataset: str
    scenarios: Sequence[str]
    base: str
    year: int
    regions: Sequence[str] = ()
    unit: str = ""


def address_of_node(node: Node, shown: Shown) -> str:
    """Return the address of a node's figures; '' where the explorer has none."""
    return _address(_asked_of_node(node), shown)


def address_of_link(source: Node, target: Node, shown: Shown) -> str:
    """Return the address of a link's figures; '' where the explorer has none."""
    return _address(_asked_of_link(source, target), shown)


def _address(asked: Asked, shown: Shown) -> str:
    if not asked:
        return ""
    state: Asked = {
        "dataset": shown.dataset,
        "scenarios": list(shown.scenarios),
        "base": shown.base,
        "years": [str(shown.year)],
        "regions": list(shown.regions),
        "unit": shown.unit,
    }
    pairs = {name: _written(value) for name, value in {**state, **asked}.items()}
    return "times?" + "&".join(f"{n}={quote(text, safe=',')}" for n, text in pairs.items() if text)


def _written(value: str | list[str]) -> str:
    """A value as addresses have it: in lists, commas within an item are escaped."""
    if isinstance(value, str):
        return value
    return ",".join(item.replace("\\", "\\\\").replace(",", "\\,") for item in value)


def _attribute(name: str, group_by: str, filters: Iterable[str] = ()) -> Asked:
    return {
        "measure": "attribute",
        "attribute": name,
        "group_by": group_by,
        "filters": list(filters),
    }


def _asked_of_node(node: Node) -> Asked:
    if node.kind in (CARRIER, CONVERSION, STORAGE, TRADE):
        group = "technology" if node.kind == CARRIER else "commodity"
        return _attribute("VAR_FOut", group, _filters(node))
    if node.kind == FINAL:
        return {"measure": "final_energy", "group_by": "fuel", "filters": _filters(node)}
    if node.kind in (SUPPLY, EXPORT):
        return _asked_of_supply(node)
    if node.kind == SERVICE:
        return _asked_of_service(node)
    if node.id in (GRID_LOSS, SURPLUS, UNEXPLAINED):
        return {"measure": "commodity_balance"}
    return {}


def _asked_of_service(node: Node) -> Asked:
    """Demands of one unit: the first of a service that has several."""
    part, group, _ = service_group(node.id)
    if part != FINAL:
        return _attribute("VAR_FOut", "commodity", [f"technology={group}"])
    unit = node.services[0][0]
    return {
        "measure": "demand",
        "group_by": "commodity",
        "filters": [f"sector={group}"],
        "unit": unit,
    }


def _asked_of_supply(node: Node) -> Asked:
    if node.code:
        return _attribute("VAR_FIn" if node.kind == EXPORT else "VAR_FOut", "commodity",
                          _filters(node))  # fmt: skip
    outer, inner = [*(unplain(part) for part in node.id.split("/")[1:3]), ""][:2]
    if outer == "Energy savings":
        return {"measure": "savings"}
    if inner.startswith(("From ", "To ")):
        return {"measure": "trade"}
    filters = [f"part={_PARTS[outer]}"] if outer in _PARTS else []
    return {
        "measure": "primary_energy",
        "group_by": "fuel",
        "filters": [*filters, *([f"fuel={inner}"] if inner else [])],
    }


def _asked_of_link(source: Node, target: Node) -> Asked:
    if source.kind in (GAIN,) or target.kind == LOSS:
        return _asked_of_node(target if source.kind == GAIN else source)
    taken = source.kind == CARRIER
    carrier, other = (source, target) if taken else (target, source)
    return _attribute(
        "VAR_FIn" if taken else "VAR_FOut",
        "process" if other.kind != FINAL else "technology",
        [*_filters(carrier), *(_processes(other) or _filters(other))],
    )


def _processes(node: Node) -> list[str]:
    """What picks the processes of a group of final use that has no groups inside.

    Its sector would not: a process that a rule has on the side of supply stands here all the same,
    under the sector that uses what it hands on.
    """
    named = [member.removeprefix("process/") for member in node.members]
    inside = [f"process={code}" for code in named]
    is_group = node.kind == FINAL and all(m.startswith("process/") for m in node.members)
    return inside if is_group and len(inside) <= _MOST_NAMED else []


def _filters(node: Node) -> list[str]:
    """What picks the processes or commodities of a node; nothing where only its part does."""
    kind, _, rest = node.id.partition("/")
    if kind in ("process", "commodity"):
        return [f"{kind}={node.code}"]
    named = [member.partition("/") for member in node.members]
    if node.kind in (CARRIER, STORAGE, TRADE):
        codes = [f"{what}={code}" for what, _, code in named if what in ("process", "commodity")]
        return codes if len(codes) == len(named) <= _MOST_NAMED else []
    groups = [unplain(part) for part in rest.split("/")]
    if kind == CONVERSION:
        return [f"technology={groups[0]}"]
    if kind == FINAL:
        return [f"sector={groups[0]}", *(f"technology={group}" for group in groups[1:2])]
    return []
