"""Asking the service: statements one after the other, the plan of one, and stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from catalogs.sql import statements
from catalogs.sql.service import SqlPlan, SqlQuestion, SqlRefused, SqlResult, new_query_id
from catalogs.sql.statements import Statement
from components.database.cells import count_of
from components.database.sheets import MOST_STATEMENTS, Outcome, Sheet
from components.notices import log_error

if TYPE_CHECKING:
    from components.database.explorer import DatabaseExplorer


@dataclass(eq=False)
class Wanted:
    """Something that the reader asked for, on a sheet."""

    sheet: Sheet


class Runner:
    """Runs what sheets say and tells the explorer when it is done."""

    def __init__(self, explorer: DatabaseExplorer) -> None:
        self._explorer = explorer
        self._running = ""
        self._turn = asyncio.Lock()
        self._newest: Wanted | None = None
        #: Texts that this reader has run: they may be run again when the address leads back.
        self.known_texts: set[str] = set()

    def statements_of(self, text: str) -> list[Statement]:
        """Return the statements of a text; one that will be refused for its length is one."""
        if len(text) > self._explorer.limits.text:
            return [Statement(text, 0, len(text), 0)]
        return statements.split(text)

    async def run(
        self, sheet: Sheet, parts: Sequence[Statement], version: str | None = None
    ) -> None:
        """Run statements one after the other, up to the first that is refused.

        ``version`` is that of the data, by default the one shown; '' is whichever is current.
        """
        if not parts:
            sheet.said = "There is no query yet: write one, or open an example."
            self._explorer.follow()
            return
        sheet.asked, sheet.said = sheet.text, ""

        async def answers(wanted: Wanted) -> list[Outcome]:
            outcomes: list[Outcome] = []
            for part in parts[:MOST_STATEMENTS]:
                outcome = Outcome(part, self._question(sheet, part, version))
                outcomes.append(outcome)
                await self._answer(outcome, self._explorer.service.run)
                if outcome.refusal is not None or self._newest is not wanted:
                    break
            if len(parts) > MOST_STATEMENTS:
                sheet.said = f"The first {MOST_STATEMENTS} of {len(parts)} statements were run."
            return outcomes

        await self._ask(sheet, answers)

    async def _ask(
        self, sheet: Sheet, answers: Callable[[Wanted], Awaitable[list[Outcome]]]
    ) -> None:
        """Have something answered; what is being answered for the same page gives way to it."""
        explorer = self._explorer
        wanted = self._newest = Wanted(sheet)
        await self.cancel()
        async with self._turn:
            if self._newest is not wanted:
                return
            explorer.working = True
            outcomes = await answers(wanted)
        # What gave way to a newer question of its sheet is not worth a look.
        newest = self._newest
        if newest is wanted or newest.sheet is not sheet:
            explorer.tasks.on_page(partial(self._finish, wanted, outcomes))

    async def run_at(self, sheet: Sheet, place: int) -> None:
        """Run the statement at a place of a sheet's text."""
        parts = self.statements_of(sheet.text)
        if len(parts) > 1:
            found = statements.statement_at(sheet.text, place)
            parts = [found] if found else []
        await self.run(sheet, parts)

    async def explain(self, sheet: Sheet) -> None:
        """Ask how the statement that is shown, or the last one, would be worked out."""
        parts = self.statements_of(sheet.text)
        if not parts:
            return
        shown = sheet.outcome
        part = next((p for p in parts if shown and p.sql == shown.statement.sql), parts[-1])
        outcome = Outcome(part, self._question(sheet, part))

        async def answers(_wanted: Wanted) -> list[Outcome]:
            await self._answer(outcome, self._explorer.service.explain)
            return [outcome]

        await self._ask(sheet, answers)

    async def cancel(self) -> None:
        """Stop what is running; who waits for it is told by its refusal."""
        if self._running:
            await self._explorer.service.cancel(self._running)

    async def _answer(
        self, outcome: Outcome, ask: Callable[[SqlQuestion], Awaitable[SqlResult | SqlPlan]]
    ) -> None:
        self._running = outcome.question.query_id
        try:
            found = await ask(outcome.question)
        except Exception as error:  # whatever goes wrong is said, and the page goes on
            outcome.refusal = refusal_of(error)
        else:
            if isinstance(found, SqlPlan):
                outcome.plan = found
            else:
                outcome.result = found
        finally:
            self._running = ""

    def _question(self, sheet: Sheet, part: Statement, version: str | None = None) -> SqlQuestion:
        explorer = self._explorer
        names = [parameter.name for parameter in explorer.parameters_of(part.sql)]
        return SqlQuestion(
            dataset=explorer.source.dataset,
            sql=part.sql,
            parameters={name: sheet.values[name] for name in names if name in sheet.values},
            version=explorer.source.version if version is None else version,
            rows=explorer.limits.rows,
            query_id=new_query_id(),
            who=explorer.who,
            address=explorer.address,
        )

    def _finish(self, wanted: Wanted, outcomes: list[Outcome]) -> None:
        explorer = self._explorer
        sheet = wanted.sheet
        sheet.outcomes, sheet.shown = outcomes, len(outcomes) - 1
        self.known_texts.add(sheet.asked)
        explorer.sheets.let_go_of_old_rows()
        if outcomes[-1].plan is not None:
            sheet.view = "plan"
        elif sheet.view == "plan":
            sheet.view = "table"
        explorer.working = self._newest is not wanted
        explorer.follow()
        explorer.write_address()
        self._remember(sheet, outcomes[-1])

    def _remember(self, sheet: Sheet, outcome: Outcome) -> None:
        """Have the browser keep what was run; what comes along anyway is not kept."""
        explorer = self._explorer
        if sheet.is_example or outcome.plan is not None or len(sheet.asked) > explorer.limits.text:
            return
        result = outcome.result
        said = "refused" if result is None else _rows_of(result.rows)
        explorer.rail.history.keep(sheet.asked, sheet.values, "", said)


def _rows_of(rows: int | None) -> str:
    return "more rows than were counted" if rows is None else f"{count_of(rows)} rows"


def refusal_of(error: Exception) -> SqlRefused:
    """Return an error as a refusal; what is no refusal is logged under an id."""
    if isinstance(error, SqlRefused):
        return error
    error_id = log_error(error)
    return SqlRefused(
        "unavailable",
        "The query could not be answered: something went wrong in the server.",
        f"Try again. If it comes back, tell whoever runs this site the error id {error_id}.",
    )
