"""Charts of a result, drawn by hvPlot, in the colours and units of the whole application.

Pure up to the drawing: ``lay_out`` decides what is drawn (and says what is not), ``draw`` makes it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa

from catalogs import palette, units
from catalogs.errors import TimesError
from catalogs.sql.dictionary import Dictionary
from catalogs.sql.examples import ChartChoice
from components.charts.series import OTHER
from components.database.cells import can_sort, count_of, is_number
from components.theme import style_figure

KINDS: Mapping[str, str] = {
    "bars": "Bars, stacked",
    "grouped": "Bars, side by side",
    "lines": "Lines",
    "step": "Steps",
    "area": "Areas, stacked",
    "points": "Points",
    "spread": "Spread (histogram)",
}
#: Kinds in which values stand on one another: what shares a place is added up.
_STACKED = ("bars", "area")
_MOST_GROUPS = 11
_MOST_PLACES = 400
HEIGHT = 380

#: The dimension whose colours a column has, by its name.
_DIMENSIONS: Mapping[str, str] = {
    "techgroup": "technology", "comgroup": "fuel", "prc": "process", "com": "commodity",
    "regfrom": "region", "regto": "region", "region_from": "region", "region_to": "region",
    "carrier": "fuel", "scen": "scenario",
}  # fmt: skip


_loading = threading.Lock()


@dataclass(frozen=True)
class Group:
    """A colour of the chart, and the value it stands for."""

    name: str
    colour: str


@dataclass(frozen=True)
class ChartLayout:
    """What is drawn: a frame with the columns x, y and group, the groups, and what is said."""

    choice: ChartChoice
    frame: pd.DataFrame
    groups: tuple[Group, ...]
    label: str
    remarks: tuple[str, ...]


def choices(table: pa.Table) -> tuple[list[str], list[str], list[str]]:
    """Return the columns that may stand on x, on y, and for colours."""
    fields = [field for field in table.schema if can_sort(field.type)]
    every = [field.name for field in fields]
    numbers = [field.name for field in fields if is_number(field.type)]
    groups = [name for name in every if name not in numbers or name in ("year", "vintage")]
    return every, numbers, groups


def first_choice(table: pa.Table) -> ChartChoice:
    """Return the chart that fits the columns of a result best; the kind is '' where none does."""
    every, numbers, groups = choices(table)
    amounts = [name for name in numbers if name not in ("year", "row", "file_id", "line")]
    if not amounts:
        return ChartChoice("")
    y = next((name for name in ("value", "price", "difference") if name in amounts), amounts[0])
    named = [name for name in groups if name not in ("unit", "currency", "cur", y)]
    x = next((name for name in ("year", "timeslice", "all_ts") if name in every), "")
    x = x or next(iter(named), "") or next((name for name in amounts if name != y), "")
    if not x:
        return ChartChoice("spread", "", y, "")
    colour = next((name for name in named if name != x), "")
    return ChartChoice("points" if x in numbers and x != "year" else "bars", x, y, colour)


def checked(choice: ChartChoice, table: pa.Table) -> ChartChoice:
    """Return a choice as far as its columns are there, else the one that fits best."""
    every, numbers, _ = choices(table)
    if choice.kind not in KINDS or choice.y not in numbers:
        return first_choice(table)
    kept = replace(choice, colour=choice.colour if choice.colour in every else "")
    return kept if choice.kind == "spread" or choice.x in every else first_choice(table)


def dimension_of(column: str) -> str:
    """Return the dimension whose colours a column of this name has."""
    return _DIMENSIONS.get(column.lower(), column.lower())


def lay_out(
    table: pa.Table,
    choice: ChartChoice,
    dictionary: Dictionary,
    looks: palette.Looks | None = None,
    unit: str = "",
) -> ChartLayout:
    """Arrange a result for drawing.

    Values are converted to ``unit`` where that fits, else to the unit that most rows have; rows of
    other units are left out, and that is said. Raises ``TimesError`` where nothing can be drawn.
    """
    if choice.kind not in KINDS:
        raise TimesError(
            "These columns make no chart.",
            "A chart needs a column of numbers. Give the query one, or look at the table.",
        )
    remarks: list[str] = []
    frame = _frame(table, choice)
    label = choice.y
    if "unit" in table.column_names and choice.y == "value":
        frame, used = _in_one_unit(frame, table, unit, remarks)
        label = f"{choice.y}, {used}" if used else choice.y
    missing = int(frame["y"].isna().sum())
    frame = frame[frame["y"].notna()]
    if missing:
        remarks.append(f"{count_of(missing)} rows without a value are left out.")
    if frame.empty:
        raise TimesError("There is nothing to draw: no row has a value.", "Choose another column.")
    if choice.kind == "spread":
        return ChartLayout(choice, frame, (), label, tuple(remarks))
    frame = _few_places(frame, choice, remarks)
    frame, groups = _grouped(frame, choice, dictionary, looks, remarks)
    return ChartLayout(choice, frame, groups, label, tuple(remarks))


def _frame(table: pa.Table, choice: ChartChoice) -> pd.DataFrame:
    y = pd.to_numeric(pd.Series(table.column(choice.y).to_pylist()), errors="coerce")
    frame = pd.DataFrame({"y": y.astype(float)})
    if choice.kind != "spread":
        frame["x"] = table.column(choice.x).to_pylist()
        frame["group"] = [
            "NULL" if value is None else str(value)
            for value in (
                table.column(choice.colour).to_pylist() if choice.colour else [""] * len(y)
            )
        ]
        continuous = choice.kind in ("lines", "step", "area", "points")
        if not (continuous and is_number(table.schema.field(choice.x).type)):
            frame["x"] = ["NULL" if value is None else str(value) for value in frame["x"]]
    return frame


def _in_one_unit(
    frame: pd.DataFrame, table: pa.Table, wanted: str, remarks: list[str]
) -> tuple[pd.DataFrame, str]:
    """Convert to one unit; rows that do not convert are left out."""
    names = pd.Series([str(u) if u is not None else "" for u in table.column("unit").to_pylist()])
    counted = names.value_counts()
    common = str(counted.index[0]) if len(counted) else ""
    target = wanted if wanted and wanted in units.compatible(common) else common
    factors: dict[str, float] = {}
    for name in counted.index:
        try:
            factors[name] = 1.0 if name == target else units.factor(name, target)
        except TimesError:
            continue
    fits = names.isin(list(factors)).to_numpy()
    if not fits.all():
        others = sorted({name or "no unit" for name in names[~fits]})
        remarks.append(
            f"{count_of(int((~fits).sum()))} rows in {', '.join(others[:5])} do not convert"
            f" into {target or 'no unit'} and are left out."
        )
    frame = frame[fits].copy()
    frame["y"] *= names[fits].map(factors).to_numpy()
    return frame, target


def _few_places(frame: pd.DataFrame, choice: ChartChoice, remarks: list[str]) -> pd.DataFrame:
    """Leave bars out beyond those that anybody can tell apart."""
    if choice.kind not in ("bars", "grouped"):
        return frame
    places = frame["x"].drop_duplicates()
    if len(places) <= _MOST_PLACES:
        return frame
    remarks.append(f"Only the first {_MOST_PLACES} of {count_of(len(places))} bars are drawn.")
    return frame[frame["x"].isin(places[:_MOST_PLACES])]


def _grouped(
    frame: pd.DataFrame,
    choice: ChartChoice,
    dictionary: Dictionary,
    looks: palette.Looks | None,
    remarks: list[str],
) -> tuple[pd.DataFrame, tuple[Group, ...]]:
    sizes = frame["y"].abs().groupby(frame["group"]).sum().sort_values(ascending=False)
    names = [str(name) for name in sizes.index]
    stacked = choice.kind in _STACKED
    if len(names) > _MOST_GROUPS + 1:
        kept, rest = names[:_MOST_GROUPS], names[_MOST_GROUPS:]
        if stacked:
            frame = frame.assign(group=frame["group"].where(frame["group"].isin(kept), OTHER))
            names = [*kept, OTHER]
            remarks.append(f"{len(rest)} small groups are added up as {OTHER}.")
        else:
            frame = frame[frame["group"].isin(kept)]
            names = kept
            remarks.append(f"Drawn are the {len(kept)} largest of {len(kept) + len(rest)} groups.")
    if stacked:
        summed = frame.groupby(["x", "group"], sort=False, as_index=False)["y"].sum()
        if len(summed) < len(frame):
            remarks.append(
                f"{count_of(len(frame))} rows are added up in {count_of(len(summed))}"
                " pieces: mind whether they may be."
            )
        frame = pd.DataFrame(summed)
    dimension = dimension_of(choice.colour)
    members = [code for code, _ in dictionary.members(dimension)] or sorted(names)
    order = {name: palette.order(dimension, name, looks) for name in names}
    names.sort(key=lambda name: (name == OTHER, order[name]))
    groups = tuple(
        Group(
            name,
            palette.OTHER_COLOUR
            if name == OTHER
            else palette.colour(dimension, name, members, looks)
            if name
            else palette.CATEGORICAL[0],
        )
        for name in names
    )
    return frame, groups


@cache
def load_soon() -> None:
    """Start loading hvPlot, which takes seconds, beside what else there is to do."""
    threading.Thread(target=_libraries, name="load hvPlot", daemon=True).start()


def _libraries() -> tuple[Any, Any]:
    """Return HoloViews and hvPlot's entry for frames.

    Not ``hvplot.pandas``, which hands out scripts to whichever page or notebook it is imported in.
    """
    with _loading:
        import holoviews
        import holoviews.plotting.bokeh
        from hvplot import hvPlotTabular

        if holoviews.Store.current_backend != "bokeh":
            holoviews.Store.set_current_backend("bokeh")
    return holoviews, hvPlotTabular


def draw(layout: ChartLayout) -> Any:
    """Return the HoloViews element of a layout."""
    hv, plot_of = _libraries()

    choice: ChartChoice = layout.choice
    frame = layout.frame
    look: dict[str, Any] = {
        "xlabel": choice.x, "ylabel": layout.label, "legend": False, "height": HEIGHT,
        "responsive": True, "shared_axes": False,
    }  # fmt: skip
    if choice.kind == "spread":
        look.update(xlabel=layout.label, ylabel="rows")
        plot = plot_of(frame).hist("y", bins=30, color=palette.CATEGORICAL[0], **look)
        return _styled(plot)
    names = [group.name for group in layout.groups]
    colours = [group.colour for group in layout.groups]
    frame = frame.assign(group=pd.Categorical(frame["group"], names, ordered=True))
    if choice.kind in ("bars", "grouped"):
        look.update(rot=45 if frame["x"].astype(str).str.len().max() > 6 else 0)
        plot = hv.Bars(_padded(frame), ["x", "group"], "y").opts(
            stacked=choice.kind == "bars",
            color="group",
            cmap=dict(zip(names, colours, strict=True)),
            line_color=None,
            show_legend=False,
            responsive=True,
            height=HEIGHT,
            xlabel=choice.x,
            ylabel=layout.label,
            xrotation=look["rot"],
            tools=["hover"],
            shared_axes=False,
            multi_level=False,
            backend="bokeh",
        )
        return _styled(plot)
    draw_it = {
        "lines": "line", "step": "step", "area": "area", "points": "scatter",
    }[choice.kind]  # fmt: skip
    if choice.kind == "points":
        look["size"] = 40
    if choice.kind == "area":
        look["stacked"] = True
        frame = _padded(frame)
    if choice.kind in ("lines", "step", "area") and frame["x"].dtype != object:
        frame = frame.sort_values("x", kind="stable")
    frame["group"] = frame["group"].astype(str)
    plots = plot_of(frame)(kind=draw_it, x="x", y="y", by="group", color=colours, **look)
    return _styled(plots)


def _padded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with a value for every place and group: none is a flow of zero."""
    wide: Any = frame.pivot_table(
        index="x", columns="group", values="y", aggfunc="sum", sort=False, observed=False
    ).fillna(0.0)
    return wide.stack(future_stack=True).rename("y").reset_index()


def _styled(plot: Any) -> Any:
    def style(made: Any, _element: Any) -> None:
        style_figure(made.state)

    return plot.opts(hooks=[style], backend="bokeh")
