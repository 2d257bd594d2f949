"""The page for SQL: schema, editor, parameters, results.

from catalogs import open_source
from components.database.cells import count_of
from components.database.chart import load_soon
from components.database.explorer import DatabaseExplorer

database = DatabaseExplorer(source=open_source(Path(".data")), service=service)
database                                    # in a notebook
await database.run("FROM flow LIMIT 5")     # the same as writing it and pressing Run

Unlike the other tools it asks nothing by itself: SQL is run when its reader says so. Only queries
that come with the program run when their link is opened; of any other link the text may be
anybody's, so it is shown and waits for its reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import panel as pn
import param
from panel.io import hold
from panel.viewable import Viewable, Viewer

from catalogs.errors import TimesError
from catalogs.source import Source
from catalogs.sql import statements
from catalogs.sql.dictionary import Dictionary, dictionary_of
from catalogs.sql.examples import (
    ChartChoice,
    Example,
    Value,
    examples,
    starting_value,
    starting_values,
)
from catalogs.sql.service import SqlLimits, SqlRefused, SqlService
from components.database.cells import count_of
from components.database.chart import load_soon
from components.database.desk import Desk
from components.database.dictionary_panel import DictionaryPanel
from components.database.exports import Exports
from components.database.link import pack, unpack
from components.database.parameters import (
    WrongValueError,
    typed,
    values_in_address,
    values_of_address,
)
from components.database.rail import Rail
from components.database.results import VIEWS, ResultPanel
from components.database.runner import Runner
from components.database.sheets import MOST_SHEETS, Outcome, Sheet, Sheets
from components.database.tasks import Tasks, is_on_page
from components.notices import announce
from components.selection import Selection
from components.tool import after_the_picture

FIRST_EXAMPLE = "final-energy-by-sector"
#: How an example is first looked at, by its kind of picture; all others are charts.
VIEWS_OF_KINDS = {"table": "table", "sankey": "flows", "map": "map"}


class DatabaseExplorer(Viewer):
    """SQL over a published dataset, asked of a service that runs it elsewhere."""

    # Never None once made, whatever the types of param say.
    source: Source = param.ClassSelector(  # type: ignore[assignment]
        class_=Source, doc="The published dataset that is asked"
    )
    selection: Selection = param.ClassSelector(  # type: ignore[assignment]
        class_=Selection, doc="What all tools share; parameters begin with it"
    )
    service: SqlService = param.Parameter(doc="Runs the SQL, see catalogs.sql.service")
    who = param.String(default="", doc="Opaque id of the visitor, for the fair queue")
    address = param.String(default="", doc="Network address of the visitor, for the rate limit")

    example = param.Selector(
        default=FIRST_EXAMPLE, objects=["", *examples()], doc="Query that comes along; '' for none"
    )
    sql = param.String(default="", doc="Text of the query, packed where it is long")
    values = param.List(default=[], item_type=str, doc="Values of its parameters, name=value")
    view = param.Selector(default="", objects=["", *VIEWS], doc="How the result is looked at")
    chart = param.List(default=[], item_type=str, doc="Kind, x, y and colour of the chart")

    title = param.String(default="", doc="What is shown, as a sentence")
    foot = param.String(default="", doc="Version, and the limits of a query")
    working = param.Boolean(default=False, doc="Whether a query is running")
    drawer_open = param.Boolean(default=False, doc="Whether a table is being explained")

    url_params: ClassVar[tuple[str, ...]] = ("example", "sql", "values", "view", "chart")
    help = (
        "Ctrl+Enter runs everything, Ctrl+Shift+Enter the statement at the cursor. Ctrl+Shift+E"
        " shows the plan, Ctrl+Shift+F lays the text out, Ctrl+S saves it in this browser,"
        " Ctrl+Alt+T opens another sheet, Ctrl+Space completes. On a Mac it is Command.\n\n"
        "With the keyboard, Enter goes into the editor and Escape leaves it. F2 renames a sheet,"
        " Delete closes it.\n\n"
        "Write $name for a value: a field for it appears above the editor.\n\n"
        "SQL is DuckDB's. It only reads: one SELECT at a time, within the limits of the foot line."
        " A link carries the text and its values; who opens it sees the query before it runs."
    )

    def __init__(self, **params: Any) -> None:
        params.setdefault("selection", Selection())
        super().__init__(**params)
        if self.source is None or self.service is None:
            raise ValueError("DatabaseExplorer needs a source and a service that runs SQL")
        self.selection.offer(self.source)
        self.limits = SqlLimits()
        self.dictionary: Dictionary = dictionary_of(self.source)
        self.tasks = Tasks()
        self.sheets = Sheets()
        self.runner = Runner(self)
        self._built = False
        self._writing = False

    # ------------------------------------------------------------------ sheets

    @property
    def sheet(self) -> Sheet:
        """The sheet that is shown."""
        return self.sheets.open

    def add_sheet(self) -> None:
        """Open another sheet, empty."""
        if self.sheets.is_full:
            announce(f"There are {MOST_SHEETS} sheets open: close one first.", kind="warning")
            return
        self.sheets.add()
        self.follow()
        self.write_address()

    def open_sheet(self, number: int) -> None:
        """Show a sheet."""
        self.sheets.open = self.sheets.find(number) or self.sheet
        self.follow()
        self.write_address()

    def close_sheet(self, number: int) -> None:
        """Close a sheet; the last one is never closed."""
        self.sheets.close(number)
        self.follow()
        self.write_address()

    def rename_sheet(self, number: int, name: str) -> None:
        """Give a sheet another name."""
        sheet = self.sheets.find(number)
        if sheet is not None:
            sheet.name = name
        self.follow()

    # ------------------------------------------------------------------ opening queries

    def open_example(self, name: str) -> None:
        """Open a query that comes along, and run it."""
        self._take_example(examples()[name])
        self.follow()
        self.tasks.start(self.run)

    def _take_example(self, example: Example, given: Mapping[str, str] | None = None) -> None:
        sheet = self.sheets.place_for(example.title)
        sheet.text, sheet.example = example.sql, example.name
        base = self.selection.base_scenario
        others = [n for n in self.selection.ordered_scenarios if n != base]
        sheet.values = dict(starting_values(self.source, example, base, next(iter(others), "")))
        self._take_values(sheet, given or {})
        kind = example.chart.kind
        sheet.view = VIEWS_OF_KINDS.get(kind, "chart")
        sheet.chart = example.chart if sheet.view == "chart" else None

    def open_kept(self, text: str, values: Mapping[str, Any], title: str = "") -> None:
        """Open a query that this browser has kept; it is run when its reader says so."""
        sheet = self.sheets.place_for(title)
        sheet.text = text
        self._take_values(sheet, {name: str(value) for name, value in values.items()})
        self.follow()

    def _take_values(self, sheet: Sheet, given: Mapping[str, str]) -> None:
        """Set values that came as text; what does not fit is said, and the usual value taken."""
        for parameter in self.parameters_of(sheet.text):
            if parameter.name not in given:
                continue
            try:
                sheet.values[parameter.name] = typed(parameter, given[parameter.name])
            except WrongValueError as error:
                sheet.said = f"{error.what} {error.remedy}"

    def parameters_of(self, text: str) -> list[statements.Parameter]:
        """Return the parameters of a text; none of one that is too long to be run."""
        return statements.parameters(text) if len(text) <= self.limits.text else []

    # ------------------------------------------------------------------ the address

    @param.depends("example", "sql", "values", "view", "chart", watch=True)
    def _follow_address(self) -> None:
        """Show what the address asks for, where it was not this page that wrote it."""
        if not self._writing and self._built and self._open_address():
            self.tasks.start(self.run)

    def _open_address(self) -> bool:
        """Show what the address asks for; return whether it may be run without being asked."""
        given = values_of_address(self.values)
        text = ""
        if self.sql:
            try:
                text = unpack(self.sql)
            except ValueError:
                announce("The query in this link cannot be read.", kind="warning")
        if text:
            self._take_link(text, given)
        else:
            self._take_example(examples()[self.example or FIRST_EXAMPLE], given)
        sheet = self.sheet
        if self.view:
            sheet.view = self.view
        if len(self.chart) == 4:
            sheet.chart = ChartChoice(*self.chart)
        self.follow()
        return bool(sheet.example or text in self.runner.known_texts) and not sheet.said

    def _take_link(self, text: str, given: Mapping[str, str]) -> None:
        sheet = self.sheets.place_for("Query of a link")
        sheet.text = text
        sheet.values = {
            p.name: starting_value(self.source, p, self.selection.base_scenario)
            for p in self.parameters_of(text)
        }
        self._take_values(sheet, given)
        if text not in self.runner.known_texts and not sheet.said:
            sheet.said = "This query came with the link. Look at it, then run it."

    def write_address(self) -> None:
        """Put what is shown into the address: text, values, view and chart."""
        sheet = self.sheet
        chart = sheet.chart if sheet.view == "chart" else None
        is_example = sheet.is_example
        packed = "" if is_example else pack(sheet.text)
        used = self.parameters_of(sheet.text)
        self._writing = True
        try:
            self.param.update(
                example=sheet.example if is_example else "",
                sql=packed,
                values=values_in_address(
                    {p.name: sheet.values[p.name] for p in used if p.name in sheet.values}
                ),
                view=sheet.view,
                chart=[chart.kind, chart.x, chart.y, chart.colour] if chart else [],
            )
        finally:
            self._writing = False
        if not is_example and sheet.text.strip() and not packed:
            self.foot = f"{self._foot_line()} · This query is too long for a link."

    # ------------------------------------------------------------------ running

    async def run(self, text: str | None = None) -> None:
        """Run the statements of a text one after the other, by default of the open sheet."""
        self._ensure_built(ask=False)
        sheet = self.sheet
        if text is not None:
            self.set_text(sheet.id, text)
        await self.runner.run(sheet, self.runner.statements_of(sheet.text))

    def run_again(self) -> None:
        """Run the open sheet once more."""
        self.tasks.start(self.run)

    def run_on_new_version(self) -> None:
        """Run the open sheet on whichever version is current."""
        sheet = self.sheet
        parts = self.runner.statements_of(sheet.text)
        self.tasks.start(partial(self.runner.run, sheet, parts, ""))

    def explain(self) -> None:
        """Show how the statement that is shown would be worked out."""
        self.tasks.start(partial(self.runner.explain, self.sheet))

    def cancel(self) -> None:
        """Stop what is running."""
        self.tasks.start(self.runner.cancel)

    # ------------------------------------------------------------------ what buttons and keys do

    def act(self, act: str, place: int) -> None:
        """Do what the editor asks for."""
        acts: dict[str, Callable[[], object]] = {
            "all": lambda: self.tasks.start(self.run),
            "statement": lambda: self.tasks.start(partial(self.runner.run_at, self.sheet, place)),
            "format": self.format,
            "explain": self.explain,
            "save": self.save,
            "new": self.add_sheet,
        }
        if act in acts:
            acts[act]()

    def format(self) -> None:
        """Lay the open sheet's text out anew."""
        sheet, text = self.sheet, self.sheet.text

        def work() -> Any:
            try:
                return statements.format_sql(text)
            except TimesError as error:
                return error

        def take(found: Any) -> None:
            if isinstance(found, TimesError):
                announce(f"{found.what} {found.remedy}", kind="warning")
            elif sheet.text == text:
                sheet.text = found
                self.follow()

        self.tasks.work_out(work, take, newest=False)

    def save(self) -> None:
        """Have the browser keep the open sheet under its name."""
        sheet = self.sheet
        if not sheet.text.strip():
            announce("There is no query to save yet.", kind="info")
            return
        self.rail.saved.keep(sheet.text, sheet.values, sheet.name, "")
        announce(f"Saved in this browser as “{sheet.name}”.", kind="success")

    def rewrite(self, outcome: Outcome, text: str) -> None:
        """Put another text in the place of a statement."""
        sheet = self.sheet
        part = outcome.statement
        if sheet.text[part.start : part.end] == part.sql:
            sheet.text = sheet.text[: part.start] + text.rstrip() + sheet.text[part.end :]
        sheet.outcomes = []
        self.follow()

    def insert(self, text: str) -> None:
        """Put text at the editor's cursor."""
        self.desk.editor.insert(text)

    def explain_table(self, name: str) -> None:
        """Open the drawer with a table's columns and what stands in them."""
        self.dictionary_panel.show(name)
        self.drawer_open = True

    def set_value(self, name: str, value: Value) -> None:
        """Give a parameter a value; of an example the answer follows at once."""
        self.sheet.values = {**self.sheet.values, name: value}
        if self.sheet.example and self.sheet.text in (self.sheet.asked, ""):
            self.tasks.start(self.run)

    def set_text(self, number: int, text: str) -> None:
        """Take over a sheet's text from the editor."""
        sheet = self.sheets.find(number)
        if sheet is None or sheet.text == text:
            return
        sheet.text = text
        for parameter in self.parameters_of(text):
            if parameter.name not in sheet.values:
                base = self.selection.base_scenario
                sheet.values[parameter.name] = starting_value(self.source, parameter, base)
        if self._built:
            self.desk.follow_text()

    def look_at(self, view: str) -> None:
        """Look at the result in another way."""
        self.sheet.view = view
        self.results.show(self.sheet.outcomes, self.sheet.shown, view)
        self.write_address()

    def draw_as(self, choice: ChartChoice) -> None:
        """Draw the chart in another way."""
        self.sheet.chart = choice
        self.results.redraw()
        self.write_address()

    def show_statement(self, place: int) -> None:
        """Show what became of another statement of the text."""
        self.sheet.shown = place
        self.follow()

    def show_refusal(self, outcome: Outcome) -> None:
        """Put the cursor where a statement goes wrong."""
        for mark in self.desk.marks(outcome):
            self.desk.editor.show_place(mark["row"], mark["column"])

    # ------------------------------------------------------------------ seeing

    def _build(self, ask: bool) -> None:
        load_soon()
        self.desk = Desk(self)
        self.results = ResultPanel(self)
        self.rail = Rail(self)
        self.dictionary_panel = DictionaryPanel(self)
        self.exports = Exports(self)
        self._built = True
        self.foot = self._foot_line()
        self.param.watch(self._take_source, "source")
        self.selection.param.watch(lambda _event: self.results.redraw(), "unit")
        # The address is known by the time that a page asks for its parts, and answers are shown
        # once the page is there.
        begin = partial(self._begin, self._open_address() and ask)
        if is_on_page() and not pn.state.loaded:
            pn.state.onload(begin)
        else:
            begin()

    def _begin(self, ask: bool) -> None:
        if ask:
            self.tasks.start(self.run)
        self.tasks.start(self._take_limits)
        # Codes take a second to gather: before anybody looks for one.
        gather = partial(self.dictionary.search_codes, ["-"])
        self.tasks.work_out(gather, lambda _found: None, newest=False)

    async def _take_limits(self) -> None:
        try:
            self.limits = await self.service.limits()
        except SqlRefused:
            return  # said when something is run
        self.tasks.on_page(self._show_limits)

    def _show_limits(self) -> None:
        self.foot = self._foot_line()
        self.desk.editor.longest = self.limits.text

    def _take_source(self, _event: Any) -> None:
        """Go on with a version that was published meanwhile; rows that are there stay."""
        self.selection.offer(self.source)
        self.dictionary = dictionary_of(self.source)
        self.rail.take_source()
        self.desk.take_source()
        self.foot = self._foot_line()
        self.follow()

    def follow(self) -> None:
        """Show in all parts what the open sheet says."""
        if not self._built:
            return
        sheet = self.sheet
        with hold():
            self.desk.follow()
            self.rail.follow()
            self.results.show(sheet.outcomes, sheet.shown, sheet.view)
            self.exports.follow()
            changed = ", changed" if sheet.example and not sheet.is_example else ""
            self.title = f"{sheet.name}{changed}, {self.source.dataset}"

    def _foot_line(self) -> str:
        limits = self.limits
        return (
            f"{self.source.dataset}, version {self.source.version[:8]} · A query may run"
            f" {limits.seconds:.0f} s, use {count_of(limits.memory // 1024**2)} MB and bring"
            f" {count_of(limits.rows)} rows here; exports have all rows."
        )

    def _ensure_built(self, *, ask: bool = True) -> None:
        """Make the views, once, and ask the first query unless another is about to be."""
        if not self._built:
            self._build(ask)

    @property
    def sidebar(self) -> list[Viewable]:
        """Tables, examples and what this browser has kept, for the page's rail."""
        self._ensure_built()
        return [after_the_picture([self.rail.view])]

    @property
    def drawer(self) -> Viewable:
        """The data dictionary of one table."""
        self._ensure_built()
        return self.dictionary_panel.view

    @property
    def main(self) -> Viewable:
        """Sheets, editor, parameters and result."""
        self._ensure_built()
        return pn.Column(
            *self.desk.parts, self.results.view, self.exports.view, sizing_mode="stretch_width"
        )

    def __panel__(self) -> Viewable:
        return pn.Row(
            pn.Column(*self.sidebar, width=300),
            pn.Column(pn.pane.Str(self.param.title), self.main, sizing_mode="stretch_width"),
            sizing_mode="stretch_width",
        )
