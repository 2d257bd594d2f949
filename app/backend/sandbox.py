"""The service: takes questions, lets them wait their turn, has workers answer them, and logs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.backend import wire
from app.backend.pool import Died, OnPiece, Opening, Pool, Worker
from app.backend.queueing import FairQueue, Rates, Turn
from app.backend.settings import BackendSettings
from catalogs.errors import TimesError, UnknownDatasetError
from catalogs.sql.service import SqlLimits, SqlProgress, SqlQuestion, SqlRefused
from catalogs.store import SCENARIOS, Store

queries = logging.getLogger("times.sql")

#: How long progress is known after the end of a job, and of how many jobs.
_REMEMBERED_SECONDS = 300.0
_REMEMBERED = 1000
#: Seconds after which an export is ended whose reader takes nothing.
_STALLED = 60.0
#: Workers that a job is given to, one after the other, while none of them begins it.
_MOST_TRIES = 3
#: Characters of a text that the log keeps.
_LOGGED = 10_000


@dataclass(eq=False)
class Job:
    """A question on its way."""

    question: SqlQuestion
    how: str  # run, explain, check, export csv ...
    stop: asyncio.Future[SqlRefused]
    began: float = field(default_factory=time.monotonic)
    waited: float = 0.0
    tries: int = 0
    ended: float = 0.0
    turn: Turn | None = None
    queue: FairQueue | None = None
    worker: Worker | None = None
    rows: int | None = None
    refusal: SqlRefused | None = None

    @property
    def progress(self) -> SqlProgress:
        """How far it is."""
        seconds = round((self.ended or time.monotonic()) - self.began, 3)
        if self.refusal is not None:
            return SqlProgress(
                "failed", rows=self.rows or 0, seconds=seconds, message=str(self.refusal)
            )
        if self.ended:
            return SqlProgress("finished", rows=self.rows or 0, share=1.0, seconds=seconds)
        if self.worker is not None:
            return SqlProgress(
                "running", rows=self.worker.rows, share=self.worker.share, seconds=seconds
            )
        place = self.queue.place(self.turn) if self.queue and self.turn else 0
        return SqlProgress("waiting", place=place, seconds=seconds)


class Sandbox:
    """Answers questions in workers. All of its methods may raise ``SqlRefused``."""

    def __init__(self, settings: BackendSettings) -> None:
        self.limits: SqlLimits = settings.limits
        self.store = Store(settings.data_directory)
        self.pool = Pool(settings)
        waiting = (self.limits.running_each, self.limits.waiting, self.limits.waiting_each)
        self._queries = FairQueue(self.limits.running, *waiting)
        self._exports = FairQueue(self.limits.exporting, *waiting)
        self._rates = Rates(self.limits)
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start, with workers ready for the dataset published last."""
        await self.pool.start()
        with contextlib.suppress(IndexError, TimesError):
            opening = self._opening(self.store.datasets(SCENARIOS)[0], "")
            for _ in range(self.limits.running):
                self.pool.warm(opening)

    async def close(self) -> None:
        """End everything."""
        for task in self._tasks:
            task.cancel()
        await self.pool.close()

    # ------------------------------------------------------------------ asking

    async def run(self, question: SqlQuestion) -> wire.Frame:
        """Answer a question: what ``SqlResult`` has, and the rows as an Arrow stream."""
        limits = self.limits
        job = {
            "rows": max(0, min(question.rows, limits.rows)),
            "bytes": limits.result_bytes,
            "cell": limits.cell,
            "count_seconds": limits.count_seconds,
        }
        content, payload = await self._answer(question, "run", job)
        rows, complete = content["rows"], content["complete"]
        sentences = list(content["limits"])
        if not complete and not sentences:
            shown = f"Shown are the first {job['rows']:,} "
            sentences = [
                f"{shown}of {rows:,} rows."
                if rows is not None
                else f"{shown}rows; there are more, and counting all took too long."
            ]
        return {**content, "limits": sentences}, payload

    async def explain(self, question: SqlQuestion) -> dict[str, Any]:
        """Return a plan, as ``SqlPlan`` has it."""
        content, _ = await self._answer(question, "explain", {})
        return {name: content[name] for name in ("root", "text", "seconds", "version", "query_id")}

    async def check(self, question: SqlQuestion) -> None:
        """Refuse a question that the gate refuses, without answering it."""
        await self._answer(question, "check", {})

    async def export(self, question: SqlQuestion, format: str) -> AsyncGenerator[bytes]:
        """Return the pieces of an export; the first is there when this returns.

        Whatever is refused is refused before, or ends the iteration with ``SqlRefused``.
        """
        pieces: asyncio.Queue[bytes | None] = asyncio.Queue(2)

        async def put(_rows: int, piece: bytes) -> None:
            try:
                await asyncio.wait_for(pieces.put(piece), _STALLED)
            except TimeoutError:
                self._stop(question.query_id, "The export was ended: nobody took its rows.")

        async def write() -> None:
            try:
                await self._answer(question, f"export {format}", {"format": format}, put)
            finally:
                # Who reads is told of the end after the last piece; who has gone is not waited for.
                await asyncio.wait_for(pieces.put(None), _STALLED)

        writing = asyncio.create_task(write())
        first = await pieces.get()
        if first is None:
            await writing
        return self._pieces(first, pieces, writing, question.query_id)

    async def _pieces(
        self,
        piece: bytes | None,
        pieces: asyncio.Queue[bytes | None],
        writing: asyncio.Task[None],
        query_id: str,
    ) -> AsyncGenerator[bytes]:
        try:
            while piece is not None:
                yield piece
                piece = await pieces.get()
            await writing
        finally:
            if not writing.done():
                self._stop(query_id, "The export was ended: its reader has gone.")
                while not writing.done():
                    with contextlib.suppress(asyncio.QueueEmpty):
                        pieces.get_nowait()
                    await asyncio.wait({writing}, timeout=0.05)
                with contextlib.suppress(SqlRefused, asyncio.CancelledError):
                    await writing

    def cancel(self, query_id: str) -> bool:
        """Stop a job; False where there is none (any more)."""
        return self._stop(query_id, "The query was cancelled.")

    def progress(self, query_id: str) -> SqlProgress | None:
        """Return how far a job is; None where it is not known."""
        job = self._jobs.get(query_id)
        return job.progress if job else None

    def _stop(self, query_id: str, why: str) -> bool:
        job = self._jobs.get(query_id)
        if job is None or job.ended or job.stop.done():
            return False
        job.stop.set_result(SqlRefused("cancelled", why))
        return True

    # ------------------------------------------------------------------ one job

    async def _answer(
        self,
        question: SqlQuestion,
        how: str,
        asked: dict[str, Any],
        on_piece: OnPiece | None = None,
    ) -> wire.Frame:
        job = Job(question, how, asyncio.get_running_loop().create_future())
        is_export = on_piece is not None
        job.queue = self._exports if is_export else self._queries
        seconds = self.limits.export_seconds if is_export else self.limits.seconds
        version = ""
        try:
            self._remember(job)
            opening = self._admitted(question, how)
            version = opening.version
            content = {
                **asked,
                "do": how.split(maxsplit=1)[0],
                "sql": question.sql,
                "parameters": {n: wire.packed(v) for n, v in question.parameters.items()},
                "columns": self.limits.columns,
                "seconds": seconds,
            }
            await self._wait(job)
            reply, payload = await self._work(job, opening, content, seconds, on_piece)
        except SqlRefused as refusal:
            job.refusal = refusal
            raise
        finally:
            job.ended = time.monotonic()
            self._log(job, version)
        return {
            **reply,
            "waited": job.waited,
            "version": version,
            "query_id": question.query_id,
        }, payload

    def _remember(self, job: Job) -> None:
        now = time.monotonic()
        for query_id, known in list(self._jobs.items()):
            old = known.ended and known.ended < now - _REMEMBERED_SECONDS
            if not old and len(self._jobs) < _REMEMBERED:
                break
            if known.ended:
                del self._jobs[query_id]
        known_job = self._jobs.get(job.question.query_id)
        if known_job is not None and not known_job.ended:
            raise SqlRefused("rate", "This question is being answered already.", "Make a new id.")
        self._jobs[job.question.query_id] = job
        self._jobs.move_to_end(job.question.query_id)

    def _admitted(self, question: SqlQuestion, how: str) -> Opening:
        """Return what the question is about. Raises ``SqlRefused``."""
        self._rates.count(question.who, question.address)
        limits = self.limits
        if len(question.sql) > limits.text:
            raise SqlRefused(
                "size",
                f"The text has {len(question.sql):,} characters, more than {limits.text:,}.",
                "Put long lists of values into fewer, or join tables.",
            )
        if len(question.parameters) > limits.parameters:
            raise SqlRefused("size", f"At most {limits.parameters} parameters are taken.")
        if how != "check" and not question.sql.strip():
            raise SqlRefused("not_a_select", "There is no SQL to run.", "Write a SELECT.")
        return self._opening(question.dataset, question.version)

    def _opening(self, dataset: str, version: str) -> Opening:
        try:
            path = self.store.manifest_path(dataset)
            manifest = self.store.manifest(dataset)
        except UnknownDatasetError as error:
            names = ", ".join(self.store.datasets(SCENARIOS)[:20])
            raise SqlRefused(
                "dataset", error.what, f"There are: {names}." if names else error.remedy
            ) from error
        except TimesError as error:
            raise SqlRefused("dataset", error.what, error.remedy) from error
        if version and version != manifest.version:
            raise SqlRefused(
                "stale",
                f"New results have been published to {dataset!r} since the page was opened.",
                "Run the query again: it is answered from the new ones.",
            )
        return Opening(dataset, manifest.version, path.parent.resolve(), manifest.to_json())

    async def _wait(self, job: Job) -> None:
        assert job.queue is not None
        job.turn = job.queue.enter(job.question.who or job.question.address)
        try:
            await _first_of(job.turn.came, job.stop)
        except asyncio.CancelledError:
            job.queue.leave(job.turn)
            raise
        if job.stop.done():
            job.queue.leave(job.turn)
            raise job.stop.result()

    async def _work(
        self,
        job: Job,
        opening: Opening,
        content: dict[str, Any],
        seconds: float,
        on_piece: OnPiece | None,
    ) -> wire.Frame:
        """Have a worker do a job; the turn ends when the worker is free again, or has ended.

        A worker may end while it is idle: a job that it never took goes to another one.
        """
        try:
            worker = job.worker = await self.pool.take(opening)
            job.waited = time.monotonic() - job.began
        except BaseException:
            self._end_turn(job)
            raise
        answering = asyncio.create_task(worker.answer(content, on_piece))
        answering.add_done_callback(_heard)
        try:
            await _first_of(answering, job.stop, seconds=seconds)
        except asyncio.CancelledError:
            self._stop(job.question.query_id, "Who asked has gone.")
            raise
        finally:
            job.rows = worker.rows
            if not answering.done() or job.stop.done():
                self._later(self._stop_and_end(job, worker, answering))
        if job.stop.done():
            raise job.stop.result()
        if not answering.done():
            raise _too_long(seconds)
        job.tries += 1
        if job.tries < _MOST_TRIES and _was_not_begun(answering):
            self.pool.give_back(worker)
            return await self._work(job, opening, content, seconds, on_piece)
        return self._outcome(job, worker, answering)

    def _outcome(self, job: Job, worker: Worker, answering: asyncio.Task[wire.Frame]) -> wire.Frame:
        try:
            reply, payload = answering.result()
        except Died as error:
            raise SqlRefused(
                "killed",
                "The process that worked at the query ended: most likely the query needed more"
                " than it may have. Another one has taken its place.",
                "Ask for less at a time, or in another way.",
            ) from error
        else:
            done = {**reply["done"], "seconds": reply["seconds"]}
            if "refused" in done:
                refusal = wire.refusal_from_json(done["refused"])
                if refusal.kind == "memory":
                    worker.kill()  # what is left of its memory is in pieces
                raise refusal
            job.rows = done.get("rows", job.rows)
            return done, payload
        finally:
            self.pool.give_back(worker)
            self._end_turn(job)

    async def _stop_and_end(
        self, job: Job, worker: Worker, answering: asyncio.Task[wire.Frame]
    ) -> None:
        try:
            await worker.stop(answering)
        finally:
            self.pool.give_back(worker)
            self._end_turn(job)

    @staticmethod
    def _end_turn(job: Job) -> None:
        if job.queue is not None and job.turn is not None:
            job.queue.leave(job.turn)

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------ the log

    def _log(self, job: Job, version: str) -> None:
        question = job.question
        queries.info(
            json.dumps(
                {
                    "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    "event": "sql",
                    "how": job.how,
                    "outcome": job.refusal.kind if job.refusal else "answered",
                    "who": question.who,
                    "address": question.address,
                    "dataset": question.dataset,
                    "version": version,
                    "sql": question.sql[:_LOGGED],
                    "characters": len(question.sql),
                    "parameters": sorted(question.parameters),
                    "rows": job.rows,
                    "waited": round(job.waited, 4),
                    "seconds": round(job.ended - job.began - job.waited, 4),
                    "query_id": question.query_id,
                },
                ensure_ascii=False,
            )
        )


def _heard(answering: asyncio.Task[wire.Frame]) -> None:
    """Take note of how a job ended, also where nobody waits for it any more."""
    if not answering.cancelled():
        answering.exception()


def _was_not_begun(answering: asyncio.Task[wire.Frame]) -> bool:
    error = answering.exception()
    return isinstance(error, Died) and not error.had_begun


async def _first_of(*waited: asyncio.Future[Any], seconds: float | None = None) -> None:
    """Wait until one is done, or some seconds; none is cancelled."""
    await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


def _too_long(seconds: float) -> SqlRefused:
    return SqlRefused(
        "time",
        f"The query was stopped after {seconds:g} s, the longest that one may take.",
        "Choose fewer scenarios, years or attributes, or group before joining.",
    )


def limits_to_json(limits: SqlLimits) -> dict[str, Any]:
    """Return limits as JSON."""
    return asdict(limits)
