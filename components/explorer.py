"""The scenario explorer: one measure, grouped and compared, as bars or lines, table and query.

from catalogs import open_source
from components.explorer import ScenarioExplorer

explorer = ScenarioExplorer(source=open_source(Path(".data")))
explorer.measure = "emissions"      # the same as choosing it
explorer                            # in a notebook: options and pictures side by side
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import pandas as pd
import panel as pn
import param
from panel.viewable import Viewable

from catalogs import palette
from catalogs.errors import Offer, TimesError
from catalogs.measures import (
    ATTRIBUTE_PREFIX,
    RESULT_DIMENSIONS,
    Measure,
    measure,
    measures,
)
from catalogs.query import DIMENSIONS, Query
from catalogs.source import Answer
from catalogs.writers.delimited import to_csv
from components import explorer_panels as panels
from components.charts.bars import lay_out_bars
from components.charts.difference import difference
from components.charts.lines import lay_out_lines
from components.charts.series import OTHER, Series, make_series
from components.charts.view import ChartView
from components.explorer_words import foot_line, legend_of, sentence, version_line
from components.legend import ChartKey
from components.names import shorten
from components.notices import notice
from components.tool import Tool

ANY_ATTRIBUTE = "attribute"
_MOST_GROUPS = 11


class ScenarioExplorer(Tool):
    """Explore one measure over scenarios, years and one dimension."""

    measure = param.Selector(
        default="final_energy",
        objects=[*measures(), ANY_ATTRIBUTE],
        doc="What is shown: a measure, or 'attribute' for the one named in attribute",
    )
    attribute = param.String(default="", doc="VEDA name of the attribute shown as it is")
    group_by = param.Selector(
        default="",
        objects=["", *DIMENSIONS],
        doc="Dimension that the colours stand for; '' for the measure's own",
    )
    filters = param.List(
        default=[], item_type=str, doc="Members kept, as dimension=member; none means all"
    )
    arrangement = param.Selector(
        default="scenario", objects=["scenario", "year"], doc="What a block of bars has in common"
    )
    compare = param.Selector(
        default="values",
        objects=["values", "difference"],
        doc="Show values, or their difference to the base scenario",
    )
    chart = param.Selector(
        default="auto",
        objects=["auto", "bars", "lines"],
        doc="Kind of chart; auto is the measure's",
    )
    tab = param.Selector(
        default="chart", objects=["chart", "table", "query"], doc="Which tab is open"
    )
    most_groups = param.Integer(
        default=_MOST_GROUPS, bounds=(2, 40), doc="Groups shown before the rest becomes one"
    )

    _REDRAWN_BY: ClassVar[tuple[str, ...]] = (
        "measure",
        "attribute",
        "group_by",
        "filters",
        "arrangement",
        "compare",
        "chart",
        "most_groups",
    )
    url_params: ClassVar[tuple[str, ...]] = (
        "measure",
        "attribute",
        "group_by",
        "filters",
        "arrangement",
        "compare",
        "chart",
        "tab",
        "most_groups",
    )
    help = (
        "Choose scenarios and a measure on the left. Colours stand for the groups in the legend:"
        " click one there, or its bar or point in the chart, to look inside it, and go back with"
        " the browser's back button.\n\n"
        "Totals are only shown where adding up makes sense. The tab Query shows what is counted,"
        " and the SQL behind the picture.\n\n"
        "The address holds all that you chose: copy the link to share what you see."
    )

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._known_members: dict[tuple[str, ...], list[str]] = {}

    # ------------------------------------------------------------------ state

    def _adapt(self) -> None:
        self.param.measure.objects = [*measures(), ANY_ATTRIBUTE]  # users may have their own
        if self.measure != ANY_ATTRIBUTE and self.measure not in self.source.measure_names:
            self.measure = next(iter(self.source.measure_names), ANY_ATTRIBUTE)

    @property
    def asked(self) -> Measure:
        """The measure in force."""
        if self.measure != ANY_ATTRIBUTE:
            return measure(self.measure)
        names = self.source.attribute_names
        name = self.attribute or next(iter(names), "")
        return measure(ATTRIBUTE_PREFIX + name)

    @property
    def groups(self) -> tuple[str, ...]:
        """The dimensions that the colours may stand for."""
        return self.source.groups(self.asked.name)

    @property
    def group(self) -> str:
        """The dimension in force: the one chosen where the measure has it, else its default."""
        groups = self.groups
        return self.group_by if self.group_by in groups else groups[0]

    @property
    def unit(self) -> str:
        """The unit in force: the one wanted where it fits, else the measure's own."""
        choices = self.unit_choices
        return self.selection.unit if self.selection.unit in choices else (choices or [""])[0]

    @property
    def unit_choices(self) -> list[str]:
        """Units that the measure can be shown in."""
        scenarios = tuple(self.selection.scenarios)
        return self.source.unit_choices(self.asked.name, scenarios, self._filters)

    @property
    def kept(self) -> dict[str, tuple[str, ...]]:
        """The members kept of each dimension that is filtered."""
        found: dict[str, list[str]] = {}
        for entry in self.filters:
            dimension, _, member = entry.partition("=")
            if dimension in self.groups:
                found.setdefault(dimension, []).append(member)
        return {dimension: tuple(members) for dimension, members in found.items()}

    @property
    def _filters(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What is kept; where nothing is chosen, that which a measure starts with."""
        return tuple(self.kept.items()) or self.source.starting_filter(self.asked.name)

    @property
    def query(self) -> Query:
        """What is asked for, as the catalog understands it."""
        return Query(
            measure=self.asked.name,
            scenarios=self.selection.ordered_scenarios,
            regions=tuple(self.selection.regions),
            years=tuple(self.selection.years),
            group_by=(self.group,),
            filters=self._filters,
            unit=self.unit,
        )

    def answer(self) -> Answer:
        """Ask the source; raises the errors of ``Source.ask``."""
        return self.source.ask(self.query)

    @property
    def shown(self) -> pd.DataFrame:
        """The figures of the picture: scenario, year, the group and value."""
        frame = self.answer().frame
        if self.compare == "values":
            return frame
        # No flow is a flow of zero, but no price is not a price of zero.
        absent = 0.0 if self.totals_make_sense else math.nan
        return difference(frame, self.group, self.selection.base_scenario, absent)

    @property
    def is_lines(self) -> bool:
        """Whether the chart is drawn as lines."""
        # Stacked, values that must not be added up would be.
        if not self.totals_make_sense:
            return True
        return self.chart == "lines" or (self.chart == "auto" and self.asked.chart == "lines")

    @property
    def totals_make_sense(self) -> bool:
        """Whether the values of all groups may be added up."""
        return self.asked.adds_up_over(self.group)

    def choices(self, dimension: str) -> list[str]:
        """Return the members that the selection has of a dimension, for filtering by it."""
        try:
            return self.source.members(self.query, dimension)
        except TimesError:
            return []

    # ------------------------------------------------------------------ doing

    def open_group(self, code: str) -> None:
        """Go deeper: keep only one group and show what it is made of."""
        if code == OTHER:
            self.most_groups = min(40, self.most_groups * 2)
            return
        group = self.group
        deeper = [g for g in self.groups if g != group and g not in self.kept]
        kept = [entry for entry in self.filters if not entry.startswith(f"{group}=")]
        self.param.update(
            filters=[*kept, f"{group}={code}"], group_by=deeper[0] if deeper else group
        )

    def keep(self, dimension: str, members: list[str]) -> None:
        """Keep only some members of a dimension; an empty list keeps all."""
        others = [entry for entry in self.filters if not entry.startswith(f"{dimension}=")]
        self.filters = others + [f"{dimension}={member}" for member in members]

    def label(self, dimension: str, code: str) -> str:
        """Return how a member is called: its description where it has one."""
        if dimension == "user_constraint" and (kind := palette.cost_kinds().get(code)):
            return kind["label"]
        return self.source.labels(dimension).get(code, code)

    def csv(self) -> Any:
        """Return the figures shown as a CSV file, codes and descriptions side by side."""
        return to_csv(self.table())

    def table(self) -> pd.DataFrame:
        """Return the figures shown with descriptions and unit, one row per value."""
        frame = self.shown.copy()
        described = [self.label(self.group, str(code)) for code in frame[self.group]]
        frame.insert(
            list(frame.columns).index(self.group) + 1, f"{self.group}_description", described
        )
        frame["unit"] = self.answer().unit
        return frame

    # ------------------------------------------------------------------ seeing

    def _build(self) -> dict[str, Viewable]:
        self._chart_view = ChartView(on_open=self.open_group)
        self._legend = ChartKey(
            on_open=self.open_group,
            sizing_mode="stretch_width",
            min_width=200,
        )
        self._picture = pn.Column(sizing_mode="stretch_width", styles={"flex": "1 1 520px"})
        self._beside = pn.Column(
            self._legend, styles={"flex": "0 1 230px"}, min_width=200, margin=(8, 0, 0, 0)
        )
        self._controls = panels.Controls(self)
        self._table = panels.TablePanel(self)
        self._query_panel = panels.QueryPanel(self)
        self._trail = panels.Trail(self)
        return {
            "chart": pn.FlexBox(self._picture, self._beside, gap="12px"),
            "table": self._table.view,
            "query": self._query_panel.view,
        }

    def _question(self) -> Callable[[], Answer]:
        return partial(self.source.ask, self.query)

    def _show(self, answer: Answer) -> None:
        frame = self.shown
        if frame.empty:
            self._show_instead(
                f"There is no {self.asked.label_within} in this selection.",
                "Choose more scenarios, regions or years, or take filters away.",
            )
        else:
            self._picture_of(frame, answer)()

    def _follow(self) -> None:
        self._controls.follow()
        self._trail.follow()

    def _picture_of(self, frame: pd.DataFrame, answer: Answer) -> Callable[[], None]:
        """Lay the picture out; return what shows it."""
        series = self._series(frame)
        unit, base = answer.unit, self.selection.base_scenario
        draw: Callable[[], None]
        if self.is_lines:
            draw = partial(self._chart_view.show_lines, lay_out_lines(series, unit=unit, base=base))
        else:
            layout = lay_out_bars(
                series,
                arrangement=self.arrangement,
                unit=unit,
                base=base,
                show_totals=self.totals_make_sense,
                scenario_label=shorten(
                    series.scenarios, longest=16 if self.arrangement == "year" else 28
                ),
            )
            draw = partial(self._chart_view.show_bars, layout)
        said = {"title": sentence(self, answer), "foot": foot_line(self, series, answer)}
        return partial(
            self._take_over, draw, legend_of(series, unit, lines=self.is_lines), answer, said
        )

    def _take_over(
        self,
        draw: Callable[[], None],
        legend: dict[str, Any],
        answer: Answer,
        said: dict[str, str],
    ) -> None:
        draw()
        if list(self._picture) != [self._chart_view.pane]:
            self._picture[:] = [self._chart_view.pane]
        self._beside.visible = True
        self._legend.param.update(**legend)
        self._table.show(self)
        self._query_panel.show(answer)
        self.param.update(**said)

    def _show_refusal(self, error: TimesError) -> None:
        self._show_instead(error.what, error.remedy, error.instead)

    def _show_instead(self, what: str, remedy: str, instead: Sequence[Offer] = ()) -> None:
        # The picture has one dimension for its colours.
        offered = [
            (offer.label, partial(self.take, offer.query))
            for offer in instead
            if len(offer.query.group_by) <= 1
        ]
        ways = offered or self._ways_out()
        self._picture[:] = [notice(what, remedy, kind="refusal", ways=ways)]
        self._beside.visible = False
        self._table.show(None)
        self._query_panel.show(None)
        self.param.update(title=self.asked.label, foot=version_line(self))

    def _ways_out(self) -> list[tuple[str, Callable[[], object]]]:
        """What buttons under a refusal offer where the source has no offer of its own."""
        if self.filters or self.selection.regions or self.selection.years:
            return [("Show everything", self.reset)]
        names = [name for name in self.source.measure_names if name != self.measure]
        if not names:
            return []
        label = measures()[names[0]].label_within
        return [(f"Show {label}", partial(self.param.update, measure=names[0]))]

    def take(self, query: Query) -> None:
        """Ask a query in place of the present one: set everything that it says."""
        self.selection.param.update(
            scenarios=list(query.scenarios) or list(self.selection.scenarios),
            regions=list(query.regions),
            years=list(query.years),
            unit=query.unit,
        )
        name = query.measure
        attribute = name.removeprefix(ATTRIBUTE_PREFIX) if name.startswith(ATTRIBUTE_PREFIX) else ""
        self.param.update(
            measure=ANY_ATTRIBUTE if attribute else name,
            attribute=attribute or self.attribute,
            group_by=query.group_by[0] if query.group_by else "",
            filters=[f"{dimension}={m}" for dimension, members in query.filters for m in members],
        )

    def reset(self) -> None:
        """Take all filters away."""
        self.selection.param.update(regions=[], years=[])
        self.filters = []

    def _series(self, frame: pd.DataFrame) -> Series:
        group, looks = self.group, self.source.group_looks
        members = self._members(group)
        return make_series(
            frame,
            group,
            self.selection.ordered_scenarios,
            most=self.most_groups,
            label=lambda code: self.label(group, code),
            colour=lambda code: palette.colour(group, code, members, looks),
            order=lambda code: palette.order(group, code, looks),
        )

    def _members(self, group: str) -> list[str]:
        """All members of a dimension in the dataset, for colours that stay."""
        if group == "region":
            return list(self.source.regions)
        if group in ("process", "commodity", "timeslice"):
            table, parameters = group, []
        elif group in ("part", "partner"):
            table, parameters = "boundary", []
        elif group in RESULT_DIMENSIONS:
            table, parameters = "result WHERE attribute = ?", [self.asked.attribute]
        else:
            return []  # sectors, fuels and technologies have colours of their own
        key = (self.source.version, group, table, *parameters)
        if key not in self._known_members:
            rows = self.source.rows(
                f"SELECT DISTINCT {group} FROM {table} ORDER BY ALL", parameters
            )
            self._known_members[key] = [str(code) for (code,) in rows]
        return self._known_members[key]

    def _controls_view(self) -> list[Viewable]:
        return self._controls.view

    def _above(self) -> list[Viewable]:
        return [self._trail.view]
