"""The chart in the browser: one Bokeh figure for bars and lines, made once and fed with marks.

Bokeh directly, not HoloViews: what a change of the selection sends is data for marks that are laid
out already, and HoloViews' way from elements to a figure took longer than everything else between
a click and its picture, on the server (35 of 80 ms) and in the browser, which had to exchange one
figure for another between bars and lines. Maps and networks, which need its projections and
aggregations, use it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import panel as pn
from bokeh.core.properties import value
from bokeh.models import (
    ColumnDataSource,
    CustomJS,
    CustomJSTickFormatter,
    FixedTicker,
    HoverTool,
    LinearAxis,
    Range1d,
    TapTool,
)
from bokeh.models.annotations import LabelSet
from bokeh.models.renderers import GlyphRenderer
from bokeh.plotting import figure

from components.assets import read_asset
from components.charts.bars import Bar, BarLayout, Sum
from components.charts.lines import End, LineLayout, Point, Segment
from components.charts.series import year_label
from components.theme import FONT_STACK, style_figure

#: Pixels: with bar, title, tabs and foot line the picture fits a first screen of 900.
HEIGHT = 540

#: As everywhere: thin spaces between thousands, a true minus sign.
_WRITE_NUMBER = r"""
return tick.toLocaleString("en-US", {maximumSignificantDigits: 6})
  .replaceAll(",", "\u2009").replace("-", "\u2212")
"""

#: Bars beyond which their sums would run into each other.
MOST_SUMS = 24

Marks = type[Bar] | type[Sum] | type[Segment] | type[Point] | type[End]


class ChartView:
    """A chart in a pane of its own; ``show_bars`` and ``show_lines`` replace what it shows.

    ``on_open`` is called with the code of a mark that was clicked.
    """

    def __init__(self, on_open: Callable[[str], None] | None = None) -> None:
        self._on_open = on_open
        self._bars, self._sums = _source(Bar), _source(Sum)
        self._segments, self._points, self._ends = _source(Segment), _source(Point), _source(End)
        self._figure = figure(
            height=HEIGHT,
            sizing_mode="stretch_width",
            tools=[],
            x_axis_type=None,
            x_range=Range1d(start=0, end=1),
            y_range=Range1d(start=0, end=1),
        )
        marks = self._draw_bars(), self._draw_lines()
        self._inner, self._outer = self._make_axes()
        self._figure.add_tools(TapTool(renderers=list(marks)))
        for source in (self._bars, self._points):
            source.selected.on_change("indices", self._opener(source))
        style_figure(self._figure)
        self._fit_in_browser()
        self.pane = pn.pane.Bokeh(self._figure, sizing_mode="stretch_width", height=HEIGHT)

    # ------------------------------------------------------------------ what is shown

    def show_bars(self, layout: BarLayout) -> None:
        """Draw stacked bars."""
        sums = layout.sums if len(layout.sums) <= MOST_SUMS else ()
        self._fill({self._bars: layout.bars, self._sums: sums})
        room = (layout.high - layout.low) * 0.07 or 1.0
        self._figure.x_range.update(start=-0.6, end=layout.width - 0.4)
        self._figure.y_range.update(
            start=layout.low - (room if layout.low < 0 else 0), end=layout.high + room
        )
        _set_ticks(self._inner, layout.ticks)
        _set_ticks(self._outer, layout.blocks)
        self._outer.visible = True
        self._say_what_to_fit(
            kind="bars",
            slots=layout.width,
            longest_tick=max((len(text) for _, text in layout.ticks), default=1),
            blocks=[list(block) for block in layout.blocks],
        )

    def show_lines(self, layout: LineLayout) -> None:
        """Draw lines over the years."""
        self._fill(
            {
                self._segments: layout.segments,
                self._points: layout.points,
                self._ends: layout.ends,
            }
        )
        first, last = (layout.years[0], layout.years[-1]) if layout.years else (0, 1)
        span = max(last - first, 1)
        room = (layout.high - layout.low) * 0.07 or 1.0
        self._figure.x_range.update(start=first - 0.03 * span, end=last + 0.24 * span)
        self._figure.y_range.update(
            start=layout.low - (room if layout.low < 0 else 0.4 * room), end=layout.high + room
        )
        _set_ticks(self._inner, [(year, year_label(year)) for year in layout.years])
        self._outer.visible = False
        self._say_what_to_fit(kind="lines", first=first, last=last, years=list(layout.years))

    def _fill(self, shown: dict[ColumnDataSource, Sequence[Any]]) -> None:
        """Give every source its marks, none to those that are not shown."""
        for source in (self._bars, self._sums, self._segments, self._points, self._ends):
            columns = [str(name) for name in source.data]
            marks = shown.get(source, ())
            values = zip(*marks, strict=True) if marks else ((),) * len(columns)
            data: Any = {name: list(column) for name, column in zip(columns, values, strict=True)}
            if data != source.data:
                source.data = data

    def _say_what_to_fit(self, **known: Any) -> None:
        # Tags reach the browser's script, and a change of them calls it.
        self._figure.tags = [known]

    # ------------------------------------------------------------------ making the figure

    def _draw_bars(self) -> GlyphRenderer:
        bars = self._figure.quad(
            left="left",
            bottom="bottom",
            right="right",
            top="top",
            fill_color="colour",
            line_color="white",
            line_width=0.5,
            line_alpha=0.35,
            source=self._bars,
        )
        self._sum_marks = self._figure.text(
            x="x",
            y="y",
            text="text",
            text_align="center",
            text_baseline="bottom",
            text_font=value(FONT_STACK),
            text_font_size="11px",
            text_color="#7d8794",
            source=self._sums,
        )
        return self._with_hover(bars, "share")

    def _draw_lines(self) -> GlyphRenderer:
        self._figure.segment(
            x0="x0",
            y0="y0",
            x1="x1",
            y1="y1",
            line_color="colour",
            line_dash="dash",
            line_width=2,
            source=self._segments,
        )
        points = self._figure.scatter(x="x", y="y", size=7, color="colour", source=self._points)
        # Not a text glyph: with a colour for each it fails in the browser (Bokeh 3.9) when fewer
        # texts than before come together with another range.
        self._end_marks = LabelSet(
            x="x",
            y="y",
            x_offset=8,
            text="text",
            text_color="colour",
            text_baseline="middle",
            text_font=value(FONT_STACK),
            text_font_size="12px",
            source=self._ends,
        )
        self._figure.add_layout(self._end_marks)
        return self._with_hover(points)

    def _with_hover(self, marks: GlyphRenderer, *after_value: str) -> GlyphRenderer:
        # A mark that was clicked opens its group: it is not to look chosen meanwhile.
        marks.selection_glyph = marks.nonselection_glyph = None
        self._figure.add_tools(_hover(marks, *after_value))
        return marks

    def _make_axes(self) -> tuple[LinearAxis, LinearAxis]:
        """Return the axes of bars or years, and of blocks of bars; set up that of values."""
        self._figure.yaxis.update(
            formatter=CustomJSTickFormatter(code=_WRITE_NUMBER),
            axis_line_color=None,
            major_tick_line_color=None,
        )
        inner, outer = LinearAxis(), LinearAxis(axis_line_color=None)
        for axis in (inner, outer):
            axis.update(ticker=FixedTicker(ticks=[]), major_tick_line_color=None)
            self._figure.add_layout(axis, "below")
        return inner, outer

    def _fit_in_browser(self) -> None:
        """Turn, break and leave out labels by the width that the reader's screen has."""
        fit = CustomJS(
            args={
                "figure": self._figure,
                "ticks": self._inner,
                "outer": self._outer,
                "sums": self._sum_marks,
                "ends": self._end_marks,
            },
            code=read_asset("fit_chart.js"),
        )
        self._figure.js_on_change("inner_width", fit)
        self._figure.js_on_change("tags", fit)
        # What the browser works out stays there: nobody here reads it, and each is a message.
        for model in (
            self._figure,
            self._figure.x_range,
            self._inner,
            self._outer,
            self._sum_marks,
            self._end_marks,
        ):
            model.syncable = False

    def _opener(self, source: ColumnDataSource) -> Callable[[str, list[int], list[int]], None]:
        def opened(_attribute: str, _before: list[int], places: list[int]) -> None:
            codes = source.data["code"]
            if not places or places[0] >= len(codes):
                return
            code = str(codes[places[0]])
            source.selected.indices = []
            if self._on_open is not None:
                self._on_open(code)

        return opened


def _source(marks: Marks) -> ColumnDataSource:
    return ColumnDataSource({name: [] for name in marks._fields})


def _hover(marks: GlyphRenderer, *after_value: str) -> HoverTool:
    """Return a hover that says what a mark is and its value; further columns stand behind it.

    Bokeh escapes what it fills in, so that markup in data stays text.
    """
    behind = " ".join(f"@{column}" for column in after_value)
    return HoverTool(
        renderers=[marks],
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


def _set_ticks(axis: LinearAxis, ticks: Sequence[tuple[float, str]]) -> None:
    axis.ticker.update(ticks=[position for position, _ in ticks])
    axis.major_label_overrides = dict(ticks)
