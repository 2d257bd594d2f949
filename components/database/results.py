"""What became of a query: its rows, a chart, flows, a map, columns, and how it was worked out.

Only the view that is open is made; charts and profiles are worked out in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable

from catalogs.errors import TimesError
from catalogs.sql.examples import ChartChoice
from catalogs.sql.service import SqlPlan, SqlResult
from catalogs.sql.statements import dialect_of
from components.database import chart as charts
from components.database import flows, profile
from components.database.cells import count_of
from components.database.map_panel import MapPanel
from components.database.plan import PlanTree, readable_plan
from components.database.rows_view import RowsView
from components.database.sheets import Outcome
from components.legend import ChartKey
from components.notices import PlainText, notice
from components.sankey.layout import Frame
from components.sankey.view import SankeyView
from components.tab_bar import TabBar
from components.widgets import offer

if TYPE_CHECKING:
    from components.database.explorer import DatabaseExplorer

VIEWS = ("table", "chart", "flows", "map", "columns", "plan")
_LABELS = ("Table", "Chart", "Flows", "Map", "Columns", "Plan")
_NEW_VERSION = "Run on the new version"


class ResultPanel:
    """The lower half of the page. It holds no state: ``show`` takes an outcome and a view."""

    def __init__(self, explorer: DatabaseExplorer) -> None:
        self._explorer = explorer
        self._outcome: Outcome | None = None
        self._made: tuple[int, str] | None = None
        self._following = False
        self._said = PlainText(look="body", role="status", margin=(0, 0, 2, 0))
        self._limits = PlainText(look="muted", margin=(0, 0, 6, 0), visible=False)
        self._which = pmui.RadioButtonGroup(size="small", visible=False, margin=(4, 0))
        self._which._debounce = 0  # type: ignore[misc]  # a class variable
        self._tabs = TabBar(
            labels=list(_LABELS),
            active=0,
            purpose="How the result is looked at",
            sizing_mode="stretch_width",
            margin=(0, 0, 8, 0),
            stylesheets=["@media (max-width: 480px) { button { padding: 10px 9px !important; } }"],
        )
        self._rows = RowsView(on_cell=self._show_cell, sizing_mode="stretch_width")
        self._cell = PlainText(look="code", tag="pre", role="status", margin=(8, 0), visible=False)
        self._profiles = profile.ColumnProfiles(sizing_mode="stretch_width")
        self._plan = PlanTree(sizing_mode="stretch_width")
        self._chart = ChartBuilder(explorer)
        self._sankey = SankeyView(sizing_mode="stretch_width", on_width=self._fit)
        self._frame = Frame(width=1000, height=560)
        self._flow_remarks = PlainText(look="muted", margin=(4, 0))
        self._map = MapPanel(explorer)
        self._body = pn.Column(sizing_mode="stretch_width", min_height=200)
        self._tabs.param.watch(self._choose_view, "active")
        self._which.param.watch(self._choose_statement, "value")
        self.view = pn.Column(
            self._which, self._said, self._limits, self._tabs, self._body,
            sizing_mode="stretch_width",
        )  # fmt: skip

    # ------------------------------------------------------------------ what is shown

    def show(self, outcomes: Sequence[Outcome], place: int, view: str) -> None:
        """Show an outcome of several, in a view."""
        outcome = outcomes[place] if place < len(outcomes) else None
        self._following = True
        try:
            names = {f"Statement {n + 1}": n for n in range(len(outcomes))}
            self._which.visible = len(outcomes) > 1
            if len(outcomes) > 1:
                offer(self._which, names, place)
            self._tabs.active = VIEWS.index(view)
        finally:
            self._following = False
        if outcome is not self._outcome:
            self._made = None
            self._outcome = outcome
            self._cell.visible = False
        self._summarize(outcome)
        self._fill(outcome, view)

    def _summarize(self, outcome: Outcome | None) -> None:
        result = outcome.result if outcome else None
        if result is not None:
            self._said.text = summary(result)
        elif outcome is not None and outcome.plan is not None:
            self._said.text = "This is how the query would be worked out; it has not been run."
        else:
            self._said.text = "" if outcome else "Run the query to see its rows here."
        limits = list(result.limits) if result else []
        if result is not None and result.version != self._explorer.source.version:
            limits.append(
                "These rows are of an earlier version of the dataset: run the query again."
            )
        self._limits.param.update(text=" ".join(limits), visible=bool(limits))

    def _fill(self, outcome: Outcome | None, view: str) -> None:
        if outcome is None:
            self._body[:] = []
        elif outcome.refusal is not None:
            self._body[:] = [self._refused(outcome)]
        elif outcome.plan is not None:
            self._show_plan(outcome.plan)
        elif self._made != (id(outcome), view):
            self._made = (id(outcome), view)
            assert outcome.result is not None
            make = {
                "table": self._show_table, "chart": self._show_chart, "flows": self._show_flows,
                "map": self._show_map, "columns": self._show_columns, "plan": self._offer_plan,
            }[view]  # fmt: skip
            make(outcome.result)

    def redraw(self) -> None:
        """Draw the open view anew: another chart, another unit."""
        self._made = None
        sheet = self._explorer.sheet
        self.show(sheet.outcomes, sheet.shown, sheet.view)

    def _choose_view(self, event: Any) -> None:
        if not self._following:
            self._explorer.look_at(VIEWS[event.new])

    def _choose_statement(self, event: Any) -> None:
        if not self._following and event.new is not None:
            self._explorer.show_statement(int(event.new))

    # ------------------------------------------------------------------ the views

    def _show_table(self, result: SqlResult) -> None:
        self._rows.fill(result.table, result.types)
        parts: list[Viewable] = [self._rows, self._cell]
        if not result.table.num_rows:
            parts = [
                notice(
                    "The query is right, and no row fits it.",
                    "Change its conditions or the values of its parameters.",
                ),
                *([self._rows] if result.table.num_columns else []),
            ]
        self._body[:] = parts

    def _show_cell(self, name: str, text: str | None) -> None:
        shown = "NULL: there is no value" if text is None else text
        self._cell.param.update(text=f"{name}\n{shown}", visible=True)

    def _show_chart(self, result: SqlResult) -> None:
        self._chart.show(result)
        self._body[:] = [self._chart.view]

    def _show_flows(self, result: SqlResult) -> None:
        try:
            looks = self._explorer.source.group_looks
            picture, remarks = flows.flows_picture(result.table, self._frame, looks)
        except TimesError as error:
            self._body[:] = [notice(error.what, error.remedy, kind="refusal")]
            return
        self._sankey.picture = picture
        self._flow_remarks.text = " ".join(remarks)
        self._body[:] = [self._sankey, self._flow_remarks]

    def _show_map(self, result: SqlResult) -> None:
        self._map.show(result)
        self._body[:] = [self._map.view]

    def _fit(self, width: int) -> None:
        frame = Frame(width=max(width, 640), height=560)
        if frame != self._frame:
            self._frame = frame
            if self._explorer.sheet.view == "flows":
                self.redraw()

    def _show_columns(self, result: SqlResult) -> None:
        def fill(found: list[dict[str, Any]]) -> None:
            self._profiles.columns = found
            remarks = []
            if not result.complete:
                remarks.append(
                    f"Counted are the {count_of(result.table.num_rows)} rows brought here."
                )
            if result.table.num_columns > profile.MOST_COLUMNS:
                remarks.append(f"Shown are the first {profile.MOST_COLUMNS} columns.")
            parts: list[Viewable] = [self._profiles]
            if remarks:
                parts.insert(
                    0, PlainText(text=" ".join(remarks), look="muted", margin=(0, 0, 8, 0))
                )
            self._body[:] = parts

        work = partial(profile.profile, result.table, result.types)
        self._explorer.tasks.work_out(work, fill)

    def _offer_plan(self, _result: SqlResult) -> None:
        self._body[:] = [
            notice(
                "How is this worked out?",
                "The plan shows each step with the rows that DuckDB expects. It runs nothing.",
                ways=[("Show the plan", self._explorer.explain)],
            )
        ]

    def _show_plan(self, plan: SqlPlan) -> None:
        self._plan.plan = readable_plan(plan.root)
        text = pmui.Accordion(
            ("As DuckDB draws it", PlainText(text=plan.text, tag="pre", look="code")),
            elevation=0,
            sizing_mode="stretch_width",
            margin=(12, 0),
        )
        self._body[:] = [self._plan, text]

    # ------------------------------------------------------------------ refusals

    def _refused(self, outcome: Outcome) -> Viewable:
        refusal = outcome.refusal
        assert refusal is not None
        ways: list[tuple[str, Callable[[], object]]] = []
        remedy = refusal.hint
        if refusal.kind == "stale":
            ways.append((_NEW_VERSION, self._explorer.run_on_new_version))
        elif refusal.kind in ("queue", "rate", "killed", "unavailable", "cancelled"):
            ways.append(("Run it again", self._explorer.run_again))
        if refusal.line is not None:
            line = refusal.line + outcome.statement.line
            ways.append((f"Go to line {line}", partial(self._explorer.show_refusal, outcome)))
        if refusal.kind in ("syntax", "forbidden", "not_a_select"):
            dialect = dialect_of(outcome.statement.sql)
            if dialect is not None:
                pairs = "; ".join(f"{there} is {here}" for there, here in dialect.differences)
                remedy = f"{remedy} This looks like {dialect.name}. In DuckDB {pairs}.".strip()
                if dialect.rewritten:
                    rewrite = partial(self._explorer.rewrite, outcome, dialect.rewritten)
                    ways.insert(0, (f"Rewrite {dialect.name} for DuckDB", rewrite))
        return notice(
            refusal.what, remedy, kind="refusal", ways=ways, details=refusal.details or None
        )


def summary(result: SqlResult) -> str:
    """Return rows, columns and time of an answer as a sentence."""
    rows = "an unknown number of" if result.rows is None else count_of(result.rows)
    word = "row" if result.rows == 1 else "rows"
    columns = result.table.num_columns
    text = f"{rows} {word}, {columns} column{'' if columns == 1 else 's'}, {_time(result.seconds)}"
    if not result.complete:
        text += f" · the first {count_of(result.table.num_rows)} are shown, exports have all"
    if result.waited >= 0.1:
        text += f" · waited {_time(result.waited)} for a free worker"
    return text[0].upper() + text[1:]


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


class ChartBuilder:
    """The chart, and the fields that say what is on it."""

    def __init__(self, explorer: DatabaseExplorer) -> None:
        self._explorer = explorer
        self._result: SqlResult | None = None
        self._following = False
        self._drawing = 0
        self._kind = pmui.Select(label="Kind", options={v: k for k, v in charts.KINDS.items()})
        self._x = pmui.Select(label="Across (x)")
        self._y = pmui.Select(label="Up (y)")
        self._colour = pmui.Select(label="Colour")
        fields = [self._kind, self._x, self._y, self._colour]
        for field in fields:
            field.param.update(size="small", width=165, margin=(4, 0))
            field._debounce = 0  # type: ignore[misc]  # a class variable
            field.param.watch(self._take, "value")
        self._place = pn.Column(sizing_mode="stretch_width", styles={"flex": "1 1 480px"})
        self._legend = ChartKey(min_width=180, sizing_mode="stretch_width")
        self._beside = pn.Column(self._legend, styles={"flex": "0 1 220px"}, min_width=180)
        self._remarks = PlainText(look="muted", margin=(4, 0))
        self.view = pn.Column(
            pn.FlexBox(*fields, gap="10px"),
            pn.FlexBox(self._place, self._beside, gap="12px"),
            self._remarks,
            sizing_mode="stretch_width",
        )

    def show(self, result: SqlResult) -> None:
        """Draw a result as its sheet says, or as fits best."""
        self._result = result
        sheet = self._explorer.sheet
        choice = charts.checked(sheet.chart or ChartChoice(""), result.table)
        sheet.chart = choice
        every, numbers, groups = charts.choices(result.table)
        self._following = True
        try:
            offer(self._kind, self._kind.options, choice.kind or "bars")
            offer(self._x, every, choice.x if choice.x in every else None)
            offer(self._y, numbers, choice.y if choice.y in numbers else None)
            colours = {"None": "", **{name: name for name in groups}}
            if choice.colour and choice.colour not in groups:
                colours[choice.colour] = choice.colour
            offer(self._colour, colours, choice.colour)
            self._x.disabled = self._colour.disabled = choice.kind == "spread"
        finally:
            self._following = False
        explorer = self._explorer
        unit = explorer.selection.unit
        looks = explorer.source.group_looks

        def work() -> Any:
            try:
                layout = charts.lay_out(result.table, choice, explorer.dictionary, looks, unit)
                return layout, charts.draw(layout)
            except TimesError as error:
                return error

        explorer.tasks.work_out(work, self._draw)

    def _draw(self, found: Any) -> None:
        if isinstance(found, TimesError):
            self._place[:] = [notice(found.what, found.remedy, kind="refusal")]
            self._beside.visible = False
            self._remarks.text = ""
            return
        layout, plot = found
        self._place[:] = [
            pn.pane.HoloViews(
                plot, sizing_mode="stretch_width", height=charts.HEIGHT, linked_axes=False
            )
        ]
        named = [group for group in layout.groups if group.name]
        self._beside.visible = bool(named)
        self._legend.param.update(
            heading=layout.label,
            groups=[
                {"code": g.name, "label": g.name, "colour": g.colour, "amount": ""} for g in named
            ],
        )
        self._remarks.text = " ".join(layout.remarks)

    def _take(self, _event: Any) -> None:
        if self._following:
            return
        self._explorer.draw_as(
            ChartChoice(
                str(self._kind.value or ""),
                str(self._x.value or ""),
                str(self._y.value or ""),
                str(self._colour.value or ""),
            )
        )
