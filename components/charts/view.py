"""The HoloViews side of the charts: elements that are updated in place, never built anew.

Each view is made once per session and fed through a pipe, so that a change of the selection sends
data, not a new figure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

import holoviews as hv
import holoviews.plotting.bokeh  # registers the backend
import numpy as np
import panel as pn
from bokeh.models import CustomJS, CustomJSTickFormatter, FixedTicker, HoverTool, LinearAxis, Text

from components.assets import read_asset
from components.charts.bars import BarLayout
from components.charts.lines import POINT_COLUMNS, SEGMENT_COLUMNS, LineLayout
from components.charts.series import year_label
from components.theme import style_figure

# What hv.extension does, but without its message to a notebook: that would load scripts from the
# network, whatever the notebook's own pn.extension asked for.
hv.Store.set_current_backend("bokeh")

#: Pixels: with bar, title, tabs and foot line the picture fits a first screen of 900.
HEIGHT = 540

#: As everywhere: thin spaces between thousands, a true minus sign.
_WRITE_NUMBER = r"""
return tick.toLocaleString("en-US", {maximumSignificantDigits: 6})
  .replaceAll(",", "\u2009").replace("-", "\u2212")
"""

#: Bars beyond which their sums would run into each other.
MOST_SUMS = 24


def _hover(*after_value: str) -> HoverTool:
    """Return a hover that says what a mark is and its value; further columns stand behind it.

    Bokeh escapes what it fills in, so that markup in data stays text.
    """
    behind = " ".join(f"@{column}" for column in after_value)
    return HoverTool(
        tooltips=f"""
        <div style="font: 13px/1.5 system-ui, sans-serif; max-width: 320px">
          <div><b>@label</b></div>
          <div style="font-variant-numeric: tabular-nums">@shown
            <span style="opacity: .7">{behind}</span></div>
          <div style="opacity: .7">@scenario, @year</div>
          <div style="opacity: .7">@difference</div>
          <div style="opacity: .7">@code</div>
        </div>""",
        point_policy="follow_mouse",
    )


class BarView:
    """Stacked bars in a pane of their own; ``show`` replaces what they show."""

    def __init__(self) -> None:
        self._pipe = hv.streams.Pipe(data=None)
        self._layout: BarLayout | None = None
        self._outer: LinearAxis | None = None
        marks = hv.DynamicMap(
            lambda data: self._bars(data) * self._sums(data), streams=[self._pipe]
        )
        self.pane = pn.pane.HoloViews(
            marks.opts(
                hv.opts.Overlay(
                    responsive=True,
                    height=HEIGHT,
                    show_grid=True,
                    show_legend=False,
                    framewise=True,
                    hooks=[_weakly(self._finish)],
                    xlabel="",
                    ylabel="",
                )
            ),
            sizing_mode="stretch_width",
            height=HEIGHT,
            linked_axes=False,
        )

    def show(self, layout: BarLayout) -> None:
        """Draw another layout."""
        self._layout = layout
        self._pipe.send(layout)

    def _bars(self, data: BarLayout | None) -> hv.Rectangles:
        frame = data.bars if data is not None else None
        kinds = ["left", "bottom", "right", "top"]
        details = [
            "colour", "label", "scenario", "year", "shown", "share", "difference", "code",
        ]  # fmt: skip
        content: Any = frame if frame is not None else {name: [] for name in (*kinds, *details)}
        return hv.Rectangles(_styled(content, color="colour"), kinds, [*details, "color"]).opts(
            color="colour",
            line_width=0.5,
            line_color="white",
            line_alpha=0.35,
            tools=[_hover("share")],
            default_tools=[],
            framewise=True,
        )

    def _sums(self, data: BarLayout | None) -> hv.Labels:
        shown = data is not None and 0 < len(data.sums) <= MOST_SUMS
        content: Any = data.sums if shown and data is not None else {"x": [], "y": [], "text": []}
        return hv.Labels(content, ["x", "y"], "text").opts(
            text_font_size="11px",
            text_baseline="bottom",
            text_color="#7d8794",
            yoffset=0,
            default_tools=[],
            framewise=True,
        )

    def _finish(self, plot: Any, _element: Any) -> None:
        """Set ranges, ticks and the second row of labels, which HoloViews has no option for."""
        figure = plot.state
        style_figure(figure)
        layout = self._layout
        if layout is None:
            return
        figure.x_range.update(start=-0.6, end=layout.width - 0.4)
        room = (layout.high - layout.low) * 0.07 or 1.0
        figure.y_range.update(
            start=layout.low - (room if layout.low < 0 else 0), end=layout.high + room
        )
        ticks = figure.below[0]
        _set_ticks(ticks, layout.ticks)
        if self._outer is None or self._outer not in figure.below:
            self._outer = LinearAxis(axis_line_color=None, major_tick_line_color=None)
            figure.add_layout(self._outer, "below")
            self._fit_in_browser(figure, ticks, self._outer)
        _set_ticks(self._outer, layout.blocks)
        style_figure(figure)
        _number_axis(figure)
        figure.tags = [
            {
                "slots": layout.width,
                "longest_tick": max((len(text) for _, text in layout.ticks), default=1),
                "blocks": [list(block) for block in layout.blocks],
            }
        ]

    def _fit_in_browser(self, figure: Any, ticks: LinearAxis, outer: LinearAxis) -> None:
        """Turn and break labels by the width that the reader's screen has."""
        sums = next(r for r in figure.renderers if isinstance(r.glyph, Text))
        fit = CustomJS(
            args={
                "figure": figure,
                "ticks": ticks,
                "outer": outer,
                "sums": sums,
                "most_sums": MOST_SUMS,
            },
            code=read_asset("fit_bars.js"),
        )
        figure.js_on_change("inner_width", fit)
        figure.js_on_change("tags", fit)


def _styled(content: Any, **styles: str) -> dict[str, Any]:
    """Return the columns of marks with those that style them under their styles' names as well.

    Where all marks look alike HoloViews sends one style and not its column; a chart that had the
    column before would look for it in the browser until the style arrives.
    """
    columns = {name: np.asarray(content[name]) for name in content}
    return columns | {style: columns[name] for style, name in styles.items()}


def _weakly(method: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Return a hook that does not keep its view alive.

    HoloViews keeps options, hooks among them, in one table for all sessions until their element
    is gone. A hook that holds its view, and with it the element, would keep both for ever.
    """
    held = WeakMethod(method)

    def hook(plot: Any, element: Any) -> None:
        finish = held()
        if finish is not None:
            finish(plot, element)

    return hook


def _set_ticks(axis: Any, ticks: list[tuple[float, str]]) -> None:
    axis.ticker = FixedTicker(ticks=[position for position, _ in ticks])
    axis.major_label_overrides = dict(ticks)
    axis.major_tick_line_color = None


def _number_axis(figure: Any) -> None:
    axis = figure.left[0]
    if not isinstance(axis.formatter, CustomJSTickFormatter):
        axis.formatter = CustomJSTickFormatter(code=_WRITE_NUMBER)
    axis.axis_line_color = None
    axis.major_tick_line_color = None


class LineView:
    """Lines in a pane of their own; ``show`` replaces what they show."""

    def __init__(self) -> None:
        self._pipe = hv.streams.Pipe(data=None)
        self._layout: LineLayout | None = None
        marks = hv.DynamicMap(
            lambda data: self._segments(data) * self._points(data) * self._ends(data),
            streams=[self._pipe],
        )
        self.pane = pn.pane.HoloViews(
            marks.opts(
                hv.opts.Overlay(
                    responsive=True,
                    height=HEIGHT,
                    show_grid=True,
                    show_legend=False,
                    framewise=True,
                    hooks=[_weakly(self._finish)],
                    xlabel="",
                    ylabel="",
                )
            ),
            sizing_mode="stretch_width",
            height=HEIGHT,
            linked_axes=False,
        )

    def show(self, layout: LineLayout) -> None:
        """Draw another layout."""
        self._layout = layout
        self._pipe.send(layout)

    def _segments(self, data: LineLayout | None) -> hv.Segments:
        content: Any = data.segments if data is not None else {name: [] for name in SEGMENT_COLUMNS}
        styled = _styled(content, color="colour", line_dash="dash")
        details = [*SEGMENT_COLUMNS[4:], "color", "line_dash"]
        return hv.Segments(styled, list(SEGMENT_COLUMNS[:4]), details).opts(
            color="colour",
            line_dash="dash",
            line_width=2,
            default_tools=[],
            framewise=True,
        )

    def _points(self, data: LineLayout | None) -> hv.Points:
        content: Any = data.points if data is not None else {name: [] for name in POINT_COLUMNS}
        details = [*POINT_COLUMNS[2:], "color"]
        return hv.Points(_styled(content, color="colour"), ["x", "y"], details).opts(
            color="colour",
            size=6,
            tools=[_hover()],
            default_tools=[],
            framewise=True,
        )

    def _ends(self, data: LineLayout | None) -> hv.Labels:
        content: Any = (
            data.ends if data is not None else {n: [] for n in ("x", "y", "text", "colour")}
        )
        styled = _styled(content, text_color="colour")
        return hv.Labels(styled, ["x", "y"], ["text", "colour", "text_color"]).opts(
            text_color="colour",
            text_font_size="12px",
            text_align="left",
            xoffset=0.4,
            default_tools=[],
            framewise=True,
        )

    def _finish(self, plot: Any, _element: Any) -> None:
        figure = plot.state
        style_figure(figure)
        layout = self._layout
        if layout is None or not layout.years:
            return
        span = max(layout.years[-1] - layout.years[0], 1)
        figure.x_range.update(
            start=layout.years[0] - 0.03 * span, end=layout.years[-1] + 0.24 * span
        )
        room = (layout.high - layout.low) * 0.07 or 1.0
        figure.y_range.update(
            start=layout.low - (room if layout.low < 0 else 0.4 * room), end=layout.high + room
        )
        _set_ticks(figure.below[0], [(year, year_label(year)) for year in layout.years])
        _number_axis(figure)
        if not figure.js_property_callbacks:
            self._fit_in_browser(figure)
        figure.tags = [{"first": layout.years[0], "last": layout.years[-1]}]

    def _fit_in_browser(self, figure: Any) -> None:
        """Leave the labels at the lines' ends out where the reader's screen has no room."""
        ends = next(r for r in figure.renderers if isinstance(r.glyph, Text))
        fit = CustomJS(
            args={"figure": figure, "ticks": figure.below[0], "ends": ends},
            code=read_asset("fit_lines.js"),
        )
        figure.js_on_change("inner_width", fit)
        figure.js_on_change("tags", fit)
