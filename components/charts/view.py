"""The HoloViews side of the charts: elements that are updated in place, never built anew.

Each view is made once per session and fed through a pipe, so that a change of the selection sends
data, not a new figure.
"""

from __future__ import annotations

from typing import Any

import holoviews as hv
import panel as pn
from bokeh.models import FixedTicker, HoverTool, LinearAxis

from components.charts.bars import BarLayout
from components.charts.lines import POINT_COLUMNS, SEGMENT_COLUMNS, LineLayout
from components.charts.series import year_label
from components.theme import style_figure

hv.extension("bokeh", logo=False)

HEIGHT = 460


def _hover(renderer_fields: tuple[tuple[str, str], ...]) -> HoverTool:
    return HoverTool(tooltips=list(renderer_fields), point_policy="follow_mouse")


class BarView:
    """Stacked bars in a pane of their own; ``show`` replaces what they show."""

    def __init__(self) -> None:
        self._pipe = hv.streams.Pipe(data=None)
        self._layout: BarLayout | None = None
        self._axis: LinearAxis | None = None
        marks = hv.DynamicMap(
            lambda data: self._bars(data) * self._sums(data), streams=[self._pipe]
        )
        self.pane = pn.pane.HoloViews(
            marks.opts(
                hv.opts.Overlay(
                    responsive=True,
                    height=HEIGHT,
                    show_legend=False,
                    framewise=True,
                    hooks=[self._finish],
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
        content = frame if frame is not None else {name: [] for name in (*kinds, *details)}
        return hv.Rectangles(content, kinds, details).opts(
            color="colour",
            line_width=0.5,
            line_color="white",
            line_alpha=0.35,
            tools=[
                _hover(
                    (
                        ("", "@label"),
                        ("", "@shown @share"),
                        ("", "@scenario @year"),
                        ("to base", "@difference"),
                    )
                )
            ],
            default_tools=[],
            framewise=True,
        )

    def _sums(self, data: BarLayout | None) -> hv.Labels:
        shown = data is not None and 0 < len(data.sums) <= 40
        content = data.sums if shown and data is not None else {"x": [], "y": [], "text": []}
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
        axis = figure.below[0]
        _set_ticks(axis, layout.ticks)
        axis.major_label_orientation = 1.57 if _crowded(layout) else 0.0
        if self._axis is None or self._axis not in figure.below:
            self._axis = LinearAxis(axis_line_color=None, major_tick_line_color=None)
            figure.add_layout(self._axis, "below")
        self._axis.visible = len(layout.blocks) > 1 or len(layout.ticks) > 1
        _set_ticks(self._axis, layout.blocks)
        self._axis.major_label_text_font_style = "bold"
        style_figure(figure)
        _number_axis(figure)


def _crowded(layout: BarLayout) -> bool:
    characters = sum(len(text) + 1 for _, text in layout.ticks)
    return characters > 110


def _set_ticks(axis: Any, ticks: list[tuple[float, str]]) -> None:
    axis.ticker = FixedTicker(ticks=[position for position, _ in ticks])
    axis.major_label_overrides = dict(ticks)
    axis.major_tick_line_color = None


def _number_axis(figure: Any) -> None:
    axis = figure.left[0]
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
                    show_legend=False,
                    framewise=True,
                    hooks=[self._finish],
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
        content = data.segments if data is not None else {name: [] for name in SEGMENT_COLUMNS}
        return hv.Segments(content, list(SEGMENT_COLUMNS[:4]), list(SEGMENT_COLUMNS[4:])).opts(
            color="colour",
            line_dash="dash",
            line_width=2,
            default_tools=[],
            framewise=True,
        )

    def _points(self, data: LineLayout | None) -> hv.Points:
        content = data.points if data is not None else {name: [] for name in POINT_COLUMNS}
        return hv.Points(content, ["x", "y"], list(POINT_COLUMNS[2:])).opts(
            color="colour",
            size=6,
            tools=[
                _hover(
                    (
                        ("", "@label"),
                        ("", "@shown"),
                        ("", "@scenario @year"),
                        ("to base", "@difference"),
                    )
                )
            ],
            default_tools=[],
            framewise=True,
        )

    def _ends(self, data: LineLayout | None) -> hv.Labels:
        content = data.ends if data is not None else {n: [] for n in ("x", "y", "text", "colour")}
        return hv.Labels(content, ["x", "y"], ["text", "colour"]).opts(
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
            start=layout.years[0] - 0.03 * span, end=layout.years[-1] + 0.22 * span
        )
        room = (layout.high - layout.low) * 0.07 or 1.0
        figure.y_range.update(
            start=layout.low - (room if layout.low < 0 else 0), end=layout.high + room
        )
        _set_ticks(figure.below[0], [(year, year_label(year)) for year in layout.years])
        _number_axis(figure)
