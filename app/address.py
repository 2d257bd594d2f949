"""The state of a page in its address: readable, complete, and followed when it changes.

Panel's own `location.sync` applies all values of an object or none, writes lists as JSON, leaves
a name in the address when its value becomes None and keeps the old value when a name is missing
after the back button. So this module does the translation and uses Panel only to carry the query.

    ?scenarios=Base,Low CO2&years=2020,2050&stacked=true

A list is its items separated by commas; a comma in an item is written as a backslash and a comma.
A value that the page starts with and that is its class's default is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote

import param

_SEQUENCES = (param.List, param.Tuple)
_NUMBERS = (param.NumericTuple, param.Range)


class Location(Protocol):
    """What carries the query: Panel's location."""

    search: str


class BadAddressError(ValueError):
    """A value in an address cannot be read as what the name stands for."""


def encode(value: Any) -> str:
    """A value as it stands in an address, before percent-encoding."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(_escape(encode(item)) for item in value)
    return str(value)


def decode(text: str, parameter: param.Parameter, current: Any = None) -> Any:
    """The value that a text in an address stands for. Raises BadAddressError.

    Args:
        text: the text after percent-decoding.
        parameter: what the value is for; decides how the text is read.
        current: a value of the kind wanted, for params that do not say what their items are.
    """
    try:
        return _decode(text, parameter, current)
    except (ValueError, TypeError) as error:
        raise BadAddressError(f"{text!r} is not a value of {parameter.name}") from error


def _decode(text: str, parameter: param.Parameter, current: Any) -> Any:
    if isinstance(parameter, param.ListSelector):
        known = {encode(value): value for value in parameter.objects}
        return [_known(item, known) for item in _split(text)]
    if isinstance(parameter, param.Selector):
        if text == "" and parameter.allow_None:
            return None
        return _known(text, {encode(value): value for value in parameter.objects})
    if text == "" and parameter.allow_None:
        return None
    if isinstance(parameter, _NUMBERS):
        return tuple(_number(item) for item in _split(text))
    if isinstance(parameter, _SEQUENCES):
        kind = _item_kind(parameter, current)
        items = [_as_kind(item, kind) for item in _split(text)]
        return tuple(items) if isinstance(parameter, param.Tuple) else items
    return _decode_single(text, parameter, current)


def _decode_single(text: str, parameter: param.Parameter, current: Any) -> Any:
    if isinstance(parameter, param.Boolean):
        return _as_kind(text, bool)
    if isinstance(parameter, param.Integer):
        return int(text)
    if isinstance(parameter, param.Number):
        return _number(text)
    if isinstance(current, tuple) and not isinstance(parameter, param.String):
        return tuple(_as_kind(item, _kind_of(current)) for item in _split(text))
    return text


def _item_kind(parameter: param.Parameter, current: Any) -> type:
    kind = getattr(parameter, "item_type", None)
    if isinstance(kind, type):
        return kind
    return _kind_of(current or parameter.default)


def _kind_of(items: Any) -> type:
    kinds = {type(item) for item in items or ()}
    return kinds.pop() if len(kinds) == 1 else str


def _as_kind(text: str, kind: type) -> Any:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    return kind(text) if kind in (int, float) else text


def _known(text: str, known: Mapping[str, Any]) -> Any:
    if text not in known:
        raise ValueError(text)
    return known[text]


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _escape(item: str) -> str:
    # An empty item has a sign of its own: "" is the empty list.
    return item.replace("\\", "\\\\").replace(",", "\\,") if item else "\\e"


def _split(text: str) -> list[str]:
    if not text:
        return []
    items = re.findall(r"(?:^|,)((?:\\.|[^,\\])*)", text)
    return ["" if item == "\\e" else re.sub(r"\\(.)", r"\1", item) for item in items]


class AddressSync:
    """Keeps params and the query of the page's address the same.

    Args:
        location: Panel's location; anything with a `search`, "?a=1" or "".
        parts: pairs of an object and the names of its params that belong in the address.
        on_error: told of the names in the address whose values could not be used; they keep
            what they had when the page started.
    """

    def __init__(
        self,
        location: Location,
        parts: Sequence[tuple[param.Parameterized, Sequence[str]]],
        on_error: Callable[[list[str]], None],
    ) -> None:
        self._location = location
        self._owners = {name: owner for owner, names in parts for name in names}
        if len(self._owners) != sum(len(names) for _, names in parts):
            raise ValueError("Two objects want the same name in the address")
        self._initial = {name: getattr(owner, name) for name, owner in self._owners.items()}
        self._on_error = on_error
        self._quiet = False
        self.follow(location.search)
        for owner, names in parts:
            owner.param.watch(self.write, list(names))

    def follow(self, search: str) -> None:
        """Set all params from a query; names that it lacks get their initial values back."""
        texts = dict(parse_qsl(search.lstrip("?"), keep_blank_values=True))
        bad: list[str] = []
        wanted: dict[param.Parameterized, dict[str, Any]] = {}
        for name, owner in self._owners.items():
            value = self._initial[name]
            if name in texts:
                try:
                    value = decode(texts[name], owner.param[name], value)
                except BadAddressError:
                    bad.append(name)
            wanted.setdefault(owner, {})[name] = value
        with self._silence():
            for owner, values in wanted.items():
                bad += self._apply(owner, values)
        if bad:
            self._on_error(bad)
        self.write()

    def _apply(self, owner: param.Parameterized, values: dict[str, Any]) -> list[str]:
        """Set the values, all at once if possible. Returns the names that were refused."""
        changed = {name: v for name, v in values.items() if getattr(owner, name) != v}
        try:
            owner.param.update(**changed)
        except (ValueError, TypeError):
            return [name for name, value in changed.items() if not self._set(owner, name, value)]
        return []

    def _set(self, owner: param.Parameterized, name: str, value: Any) -> bool:
        try:
            setattr(owner, name, value)
        except (ValueError, TypeError):
            setattr(owner, name, self._initial[name])
            return False
        return True

    def query(self) -> str:
        """The query that stands for the present state, "?a=1&b=x,y" or ""."""
        pairs = []
        for name, owner in self._owners.items():
            value = getattr(owner, name)
            if value != type(owner).param[name].default or value != self._initial[name]:
                pairs.append(f"{quote(name)}={quote(encode(value), safe=',:()')}")
        return "?" + "&".join(pairs) if pairs else ""

    def write(self, *_events: param.parameterized.Event) -> None:
        """Put the present state into the address."""
        if not self._quiet:
            self._location.search = self.query()

    @contextmanager
    def _silence(self) -> Iterator[None]:
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False
