"""The sheets of the editor: each a text with values, what was asked, and how it is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalogs.sql.examples import ChartChoice, Value, examples
from catalogs.sql.service import SqlPlan, SqlQuestion, SqlRefused, SqlResult
from catalogs.sql.statements import Statement

#: Statements of one text that are run one after the other.
MOST_STATEMENTS = 10
#: Sheets that are open at the same time.
MOST_SHEETS = 12
#: Sheets whose rows are kept while another is shown.
MOST_KEPT_ROWS = 2


@dataclass
class Outcome:
    """What became of one statement: an answer, a plan, or why there is none."""

    statement: Statement
    question: SqlQuestion
    result: SqlResult | None = None
    plan: SqlPlan | None = None
    refusal: SqlRefused | None = None


@dataclass
class Sheet:
    """A query being worked at.

    ``asked`` is the text that was run last; ``example`` the name of the query that came along
    with the program and whose text this is; ``said`` stands above the editor until the next run
    (a link's query waits for its reader to run it).
    """

    id: int
    name: str
    text: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    example: str = ""
    asked: str = ""
    said: str = ""
    outcomes: list[Outcome] = field(default_factory=list)
    shown: int = 0
    view: str = "table"
    chart: ChartChoice | None = None

    @property
    def is_untouched(self) -> bool:
        """Whether nothing is lost when another query takes its place."""
        return not self.text.strip() or self.text == self.asked or self.is_example

    @property
    def is_example(self) -> bool:
        """Whether the text is, to the letter, that of a query that comes along."""
        return bool(self.example) and self.text == examples()[self.example].sql

    @property
    def outcome(self) -> Outcome | None:
        """The outcome that is shown."""
        return self.outcomes[self.shown] if self.shown < len(self.outcomes) else None


class Sheets:
    """The sheets that are open, one of which is shown."""

    def __init__(self) -> None:
        self._numbers = 0
        self.all: list[Sheet] = [self._new()]
        self.open: Sheet = self.all[0]

    def _new(self) -> Sheet:
        self._numbers += 1
        return Sheet(self._numbers, f"Query {self._numbers}")

    @property
    def is_full(self) -> bool:
        """Whether no other sheet may be opened."""
        return len(self.all) >= MOST_SHEETS

    def add(self) -> None:
        """Open another sheet, empty."""
        self.all = [*self.all, self._new()]
        self.open = self.all[-1]

    def find(self, number: int) -> Sheet | None:
        """Return the sheet of a number; None for one that was closed."""
        return next((sheet for sheet in self.all if sheet.id == number), None)

    def close(self, number: int) -> None:
        """Close a sheet; the last one is never closed."""
        place = next((i for i, sheet in enumerate(self.all) if sheet.id == number), None)
        if place is None or len(self.all) == 1:
            return
        was_open = self.all[place] is self.open
        self.all = [sheet for sheet in self.all if sheet.id != number]
        if was_open:
            self.open = self.all[min(place, len(self.all) - 1)]

    def place_for(self, name: str) -> Sheet:
        """Return a blank sheet for another query: this one where nothing of it is lost."""
        if not self.open.is_untouched and not self.is_full:
            self.add()
        old = self.open
        new = Sheet(old.id, name or old.name)
        self.all = [new if sheet is old else sheet for sheet in self.all]
        self.open = new
        return new

    def let_go_of_old_rows(self) -> None:
        """Keep the rows of a few sheets only: those of a dozen would fill the memory."""
        others = [sheet for sheet in self.all if sheet is not self.open and sheet.outcomes]
        for sheet in others[: max(0, len(others) - MOST_KEPT_ROWS)]:
            sheet.outcomes = []
