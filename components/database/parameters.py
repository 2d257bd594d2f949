"""Named parameters of a query: fields that fit what each takes, and values of the right type."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import panel as pn
import panel_material_ui as pmui

from catalogs.errors import TimesError
from catalogs.sql.dictionary import Dictionary
from catalogs.sql.examples import Value
from catalogs.sql.statements import Parameter

#: Columns whose codes are chosen from a list; those of others are typed, with proposals.
_LISTED = ("scenario", "year", "region", "sector", "technology", "fuel")
#: Codes that are proposed while one is typed.
_PROPOSED = 2000
_FLAGS: Mapping[str, bool] = {
    "true": True,
    "yes": True,
    "1": True,
    "false": False,
    "no": False,
    "0": False,
}


class WrongValueError(TimesError):
    """A value that a parameter does not take."""


def typed(parameter: Parameter, text: object) -> Value:
    """Return a value as its parameter takes it. Raises ``WrongValueError``."""
    try:
        return _typed(parameter, str(text).strip())
    except ValueError as error:
        takes = {
            "whole": "a whole number", "number": "a number", "flag": "true or false",
            "date": "a date such as 2030-12-31",
        }.get(parameter.kind, "text")  # fmt: skip
        raise WrongValueError(
            f"The parameter ${parameter.name} takes {takes}, not {str(text)[:60]!r}.",
            "Change its value and run the query again.",
        ) from error


def _typed(parameter: Parameter, text: str) -> Value:
    if parameter.kind == "whole":
        return int(text)
    if parameter.kind == "number":
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(text)
        return number
    if parameter.kind == "flag":
        if text.lower() not in _FLAGS:
            raise ValueError(text)
        return _FLAGS[text.lower()]
    if parameter.kind == "date":
        return date.fromisoformat(text).isoformat()
    return text


class ParameterForm:
    """A row with a field for each parameter. ``on_change`` is called with name and value."""

    def __init__(self, on_change: Callable[[str, Value], None]) -> None:
        self._on_change = on_change
        self._fields: dict[Parameter, Any] = {}
        self._following = False
        self.view = pn.FlexBox(gap="10px", margin=0, visible=False, sizing_mode=None)

    def follow(
        self, parameters: Sequence[Parameter], values: Mapping[str, Value], dictionary: Dictionary
    ) -> None:
        """Show a field for each parameter, with its value; fields that stay are kept."""
        fields = {p: self._fields.get(p) or self._make(p, dictionary) for p in parameters}
        self._following = True
        try:
            for parameter, field in fields.items():
                _fill(field, parameter, values.get(parameter.name))
            if fields.keys() != self._fields.keys() or list(fields) != list(self._fields):
                self._fields = fields
                self.view.objects = list(fields.values())
            self.view.visible = bool(fields)
        finally:
            self._following = False

    def forget(self) -> None:
        """Make all fields anew: another version of the data has other codes."""
        self._fields = {}

    def _make(self, parameter: Parameter, dictionary: Dictionary) -> Any:
        label = f"${parameter.name}"
        look = {"label": label, "size": "small", "width": 210, "margin": (4, 0)}
        members = dictionary.members(parameter.column) if parameter.column else ()
        field: Any
        if members and parameter.column in _LISTED:
            options = {
                f"{code} – {text}" if text and text != code else code: _of_kind(parameter, code)
                for code, text in members
            }
            field = pmui.Select(options=options, searchable=len(options) > 10, **look)
        elif members:
            field = pmui.AutocompleteInput(
                options=[code for code, _ in members[:_PROPOSED]],
                restrict=False,
                min_characters=1,
                case_sensitive=False,
                search_strategy="includes",
                **look,
            )
        elif parameter.kind == "whole":
            field = pmui.IntInput(value=0, **look)
        elif parameter.kind == "number":
            field = pmui.FloatInput(value=0.0, **look)
        elif parameter.kind == "flag":
            field = pmui.Checkbox(label=label, margin=(8, 0))
        else:
            field = pmui.TextInput(**look)
        field._debounce = 0
        field.param.watch(lambda event: self._take(parameter, event.new), "value")
        return field

    def _take(self, parameter: Parameter, value: Any) -> None:
        if not self._following and value is not None:
            self._on_change(parameter.name, value)


def _of_kind(parameter: Parameter, code: str) -> Value:
    return int(code) if parameter.kind == "whole" else code


def _fill(field: Any, parameter: Parameter, value: Value) -> None:
    if value is None:
        return
    if isinstance(field, pmui.Select) and value not in field.options.values():
        # A value of another dataset: it is shown, so that the reader sees what is asked.
        field.options = {f"{value} (not in this dataset)": value, **field.options}
    if isinstance(field, pmui.TextInput | pmui.AutocompleteInput):
        value = str(value)
    if field.value != value:
        field.value = value


def values_in_address(values: Mapping[str, Value]) -> list[str]:
    """Return values as they stand in an address, ``name=value``; long ones are left out."""
    return [f"{name}={_written(value)}" for name, value in values.items() if len(str(value)) <= 200]


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def values_of_address(entries: Sequence[str]) -> dict[str, str]:
    """Return the texts of values that an address brings, by name."""
    pairs = (entry.partition("=") for entry in entries)
    return {name: text for name, sign, text in pairs if sign and name}
