"""The parts around the explorer's chart: controls, trail of filters, table and query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable

from catalogs.measures import measures
from catalogs.source import Answer
from components.charts.series import WHOLE_HORIZON, year_label
from components.downloads import Downloads
from components.figures_table import figures_table
from components.names import dimension_name, readable
from components.notices import PlainText
from components.numbers import significant
from components.widgets import offer

if TYPE_CHECKING:
    from components.explorer import ScenarioExplorer

#: Members beyond which a list of choices would be slower to send than to search by hand.
_MOST_CHOICES = 400

#: Place of the filter among the folded options.
_FILTER = 0


class Controls:
    """The rail's widgets. They hold no state: each follows a param and sets it."""

    def __init__(self, explorer: ScenarioExplorer) -> None:
        self._explorer = explorer
        self._following = False
        selection = explorer.selection
        self._scenarios = pmui.MultiChoice(label="Scenarios", chip=True, searchable=True)
        self._base = pmui.Select(label="Base scenario", size="small")
        self._regions = pmui.MultiChoice(label="Regions", chip=True, placeholder="All regions")
        self._years = pmui.MultiChoice(label="Years", chip=True, placeholder="All years")
        self._measure = pmui.Select(label="Measure", searchable=True, size="small")
        self._attribute = pmui.Select(label="Attribute", searchable=True, size="small")
        self._group = pmui.Select(label="Colours by", size="small")
        self._unit = pmui.Select(label="Unit", size="small")
        self._filter_by = pmui.Select(label="Filter by", size="small")
        self._members = pmui.MultiChoice(label="Keep only", chip=True, placeholder="All")
        self._arrangement = pmui.RadioButtonGroup(
            label="Bars side by side",
            options={"Years of a scenario": "scenario", "Scenarios of a year": "year"},
            size="small",
        )
        self._compare = pmui.RadioButtonGroup(
            label="Show",
            options={"Values": "values", "Difference to base": "difference"},
            size="small",
        )
        self._chart = pmui.RadioButtonGroup(
            label="Chart",
            options={"Automatic": "auto", "Bars": "bars", "Lines": "lines"},
            size="small",
        )
        self._downloads = Downloads(explorer)
        for widget, owner, name in (
            (self._scenarios, selection, "scenarios"),
            (self._base, selection, "base"),
            (self._regions, selection, "regions"),
            (self._years, selection, "years"),
            (self._unit, selection, "unit"),
            (self._measure, explorer, "measure"),
            (self._attribute, explorer, "attribute"),
            (self._group, explorer, "group_by"),
            (self._arrangement, explorer, "arrangement"),
            (self._compare, explorer, "compare"),
            (self._chart, explorer, "chart"),
        ):
            widget.param.watch(self._setter(owner, name), "value")
        self._filter_by.param.watch(lambda _: self._offer_members(), "value")
        self._members.param.watch(self._keep, "value")
        self.view: list[Viewable] = self._laid_out()

    def _laid_out(self) -> list[Viewable]:
        self._folded = pmui.Accordion(
            ("Filter", pn.Column(self._filter_by, self._members, sizing_mode="stretch_width")),
            (
                "Picture",
                pn.Column(
                    self._compare, self._arrangement, self._chart, sizing_mode="stretch_width"
                ),
            ),
            active=[],
            toggle=False,
            dynamic=True,  # what is folded costs the first picture nothing
            sizing_mode="stretch_width",
            margin=0,
        )
        self._folded.param.watch(lambda _: self._offer_members(), "active")
        widgets = [
            self._scenarios, self._base, self._regions, self._years, self._measure,
            self._attribute, self._group, self._unit, self._filter_by, self._members,
            self._arrangement, self._compare, self._chart, self._downloads.format,
            self._downloads.button,
        ]  # fmt: skip
        for widget in widgets:
            widget.param.update(width=None, sizing_mode="stretch_width", margin=(6, 0))
            # A choice comes alone: Panel need not wait 50 ms for further changes.
            widget._debounce = 0  # type: ignore[misc]  # a class variable
        self._downloads.format.margin = (20, 0, 6, 0)  # its label is clear of what is folded
        return [
            self._scenarios,
            self._base,
            self._regions,
            self._years,
            PlainText(text="What is shown", look="muted", margin=(14, 0, 2, 0)),
            self._measure,
            self._attribute,
            self._group,
            self._unit,
            self._folded,
            self._downloads.format,
            self._downloads.button,
        ]

    def _setter(self, owner: Any, name: str) -> Any:
        def take(event: Any) -> None:
            if not self._following and event.new is not None:
                setattr(owner, name, event.new)

        return take

    def _keep(self, event: Any) -> None:
        if not self._following:
            self._explorer.keep(self._filter_by.value, list(event.new))

    def follow(self) -> None:
        """Show in the widgets what the params say."""
        explorer, selection = self._explorer, self._explorer.selection
        self._following = True
        try:
            offer(
                self._scenarios,
                _named(selection.param.scenarios.objects, readable),
                selection.scenarios,
            )
            offer(self._base, _named(selection.scenarios, readable), selection.base_scenario)
            offer(
                self._regions,
                _named(selection.param.regions.objects, lambda r: explorer.label("region", r)),
                selection.regions,
            )
            offer(self._years, {str(y): y for y in selection.param.years.objects}, selection.years)
            offer(self._measure, self._sections(), explorer.measure, options="groups")
            self._attribute.visible = explorer.measure == "attribute"
            names = explorer.source.attribute_names
            offer(
                self._attribute,
                {name: name for name in names},
                explorer.asked.attribute or (names or ("",))[0],
            )
            groups = {dimension_name(g).capitalize(): g for g in explorer.groups}
            offer(self._group, groups, explorer.group)
            offer(self._unit, {u: u for u in explorer.unit_choices}, explorer.unit)
            offer(self._filter_by, groups, self._filter_dimension())
            self._arrangement.value = explorer.arrangement
            self._compare.value = explorer.compare
            self._chart.value = explorer.chart
            self._offer_charts()
            self._offer_members()
        finally:
            self._following = False

    def _sections(self) -> dict[str, dict[str, str]]:
        """The measures under their headings, that in force too where the dataset lacks it."""
        explorer = self._explorer
        known = dict.fromkeys((*explorer.source.measure_names, explorer.measure))
        sections: dict[str, dict[str, str]] = {}
        for name in known:
            if found := measures().get(name):
                sections.setdefault(found.section, {})[found.label] = name
        sections.setdefault("Results as they are", {})["Any attribute …"] = "attribute"
        return sections

    def _filter_dimension(self) -> str:
        groups = self._explorer.groups
        if self._filter_by.value in groups:
            return str(self._filter_by.value)
        return next((g for g in ("sector", "fuel", "technology") if g in groups), groups[0])

    def _offer_charts(self) -> None:
        """Offer bars where what they stack adds up, and ways to arrange those there are."""
        stacks = self._explorer.totals_make_sense
        self._chart.disabled = not stacks
        self._chart.label = "Chart" if stacks else "Chart: lines, as these values do not add up"
        self._arrangement.disabled = self._explorer.is_lines

    def _offer_members(self) -> None:
        """Offer the members of the dimension that is filtered, those of this selection.

        Asking for them takes as long as the picture: only while the filter is open.
        """
        if _FILTER not in self._folded.active:
            return
        explorer, dimension = self._explorer, self._filter_dimension()
        before, self._following = self._following, True
        try:
            found = explorer.choices(dimension)[:_MOST_CHOICES]
            kept = list(explorer.kept.get(dimension, ()))
            options = _named([*found, *kept], lambda code: explorer.label(dimension, code))
            offer(self._members, options, kept)
        finally:
            self._following = before


def _named(codes: Sequence[str], label: Callable[[str], str]) -> dict[str, str]:
    """Return codes by what they are called; those that share a name show their code as well."""
    labels = {code: label(code) for code in codes}
    shared = Counter(labels.values())
    return {
        text if shared[text] == 1 else f"{text} ({code})": code for code, text in labels.items()
    }


class Trail:
    """The filters in force, above the picture; a click on one takes it away."""

    def __init__(self, explorer: ScenarioExplorer) -> None:
        self._explorer = explorer
        self._shown: list[str] = []
        self.view = pn.FlexBox(gap="6px", margin=(0, 0, 8, 0), visible=False)

    def follow(self) -> None:
        """Show the filters that are in force."""
        explorer = self._explorer
        entries = [f"{d}={m}" for d, members in explorer.kept.items() for m in members]
        if entries == self._shown:
            return
        self._shown = entries
        self.view.objects = [self._chip(entry) for entry in entries[:20]]
        self.view.visible = bool(entries)

    def _chip(self, entry: str) -> Viewable:
        dimension, _, member = entry.partition("=")
        label = (
            f"{dimension_name(dimension).capitalize()}: {self._explorer.label(dimension, member)}"
        )
        button = pmui.Button(
            label=f"{label}  ×",
            variant="outlined",
            size="small",
            margin=0,
            description="Take this filter away",
        )
        button.on_click(lambda _event: self._take_away(entry))
        return button

    def _take_away(self, entry: str) -> None:
        self._explorer.filters = [e for e in self._explorer.filters if e != entry]


class TablePanel:
    """The figures of the picture as a table: a row per scenario and group, a column per year."""

    def __init__(self, explorer: ScenarioExplorer) -> None:
        self._explorer = explorer
        self._place = pn.Column(sizing_mode="stretch_width", min_height=300)
        self._stale = True
        self.view = self._place
        explorer.param.watch(lambda _event: self._fill(), "tab")

    def show(self, explorer: ScenarioExplorer | None) -> None:
        """Take over new figures; they are only laid out while the tab is open."""
        self._stale = True
        if explorer is None:
            self._place.clear()
            return
        self._fill()

    def _fill(self) -> None:
        explorer = self._explorer
        if explorer.tab != "table" or not self._stale:
            return
        self._stale = False
        wide = wide_table(explorer.table(), explorer.group, explorer.selection.ordered_scenarios)
        self._place[:] = [
            figures_table(wide, [str(year) for year in wide.columns[2:]], margin=(8, 0))
        ]


def wide_table(table: pd.DataFrame, group: str, scenarios: Sequence[str]) -> pd.DataFrame:
    """Return the figures with a column per year, written to three significant figures.

    Rows are in the order of ``scenarios``, and within one in that of the stack.
    """
    order = table.groupby(group)["value"].apply(lambda values: values.abs().sum())
    labelled = table.assign(
        label=table[f"{group}_description"],
        size=-table[group].map(order),
        scenario=pd.Categorical(table["scenario"], pd.Index(scenarios), ordered=True),
        year=table["year"].fillna(WHOLE_HORIZON).astype(int),
    )
    wide = labelled.pivot_table(
        index=["scenario", "size", "label"],
        columns="year",
        values="value",
        aggfunc="sum",
        observed=True,
    )
    text = wide.map(significant)
    text.columns = [year_label(int(year)) for year in text.columns]
    return (
        text.reset_index()
        .assign(scenario=lambda rows: [readable(name) for name in rows["scenario"]])
        .drop(columns="size")
        .rename(columns={"scenario": "Scenario", "label": dimension_name(group).capitalize()})
    )


class QueryPanel:
    """What is counted, in words and in SQL."""

    def __init__(self, explorer: ScenarioExplorer) -> None:
        self._explorer = explorer
        self._name = PlainText(tag="h2", look="heading", margin=(12, 0, 4, 0))
        self._definition = PlainText(look="body", margin=(0, 0, 12, 0), max_width=760)
        self._sql = PlainText(tag="pre", look="code")
        self.view = pn.Column(
            self._name,
            self._definition,
            PlainText(text="The query behind the picture", tag="h3", look="heading"),
            self._sql,
            sizing_mode="stretch_width",
        )

    def show(self, answer: Answer | None) -> None:
        """Show the definition and SQL of an answer; None where the question was refused."""
        asked = self._explorer.asked
        self._name.text = asked.label
        self._definition.text = asked.definition
        self._sql.text = answer.sql if answer else "The question was refused, so nothing was run."
