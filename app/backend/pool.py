"""The workers there are: kept warm for the datasets that are asked, replaced when they end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import select
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.backend import wire
from app.backend.settings import BackendSettings
from catalogs import semantics
from catalogs.sql.service import SqlRefused

logger = logging.getLogger(__name__)

#: Seconds between asking a worker to stop and ending it.
GRACE = 2.0
#: Seconds that opening a dataset may take, and starting the workers' parent.
_OPENING = 60.0

#: What a worker's parent inherits of the environment: where Python and its libraries are.
_INHERITED = (
    "PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
    "LANG",
    "LC_ALL",
    "VIRTUAL_ENV",
)

#: Keep libraries from starting threads at import: a process with threads can neither be forked
#: safely nor leave its network as an ordinary user.
_WITHOUT_THREADS = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}

#: Takes a piece of an export and the rows written so far.
OnPiece = Callable[[int, bytes], Awaitable[None]]


@dataclass(frozen=True)
class Opening:
    """A version of a dataset and where its files are."""

    dataset: str
    version: str
    folder: Path
    manifest: str = field(repr=False, compare=False)


class Died(Exception):
    """A worker ended by itself, or was ended; ``had_begun`` says whether it had taken its job."""

    had_begun = False


@dataclass(eq=False)
class Worker:
    """A process with one dataset open, as this process sees it."""

    opening: Opening
    number: int
    handle: int  # of the process: a number may soon be another's
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    rows: int = 0
    share: float | None = None
    is_dead: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended, even where that has not been heard of yet."""
        ended, _, _ = select.select([self.handle], [], [], 0)
        return bool(ended)

    async def receive(self) -> wire.Frame:
        """Wait for a frame. Raises ``Died``."""
        try:
            head = await self.reader.readexactly(wire.HEAD.size)
            of_text, of_payload = wire.HEAD.unpack(head)
            text = await self.reader.readexactly(of_text)
            return json.loads(text), await self.reader.readexactly(of_payload)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.is_dead = True
            raise Died from error

    async def send(self, content: dict[str, Any]) -> None:
        """Send a frame. Raises ``Died``."""
        try:
            self.writer.write(wire.frame(content))
            await self.writer.drain()
        except ConnectionError as error:
            self.is_dead = True
            raise Died from error

    async def answer(self, job: dict[str, Any], on_piece: OnPiece | None) -> wire.Frame:
        """Have a job done: its last frame. Raises ``Died``."""
        self.rows, self.share = 0, None
        has_begun = False
        try:
            await self.send(job)
            while True:
                content, payload = await self.receive()
                if "begun" in content:
                    has_begun = True
                elif "progress" in content:
                    self.share = content["progress"]["share"]
                elif "done" in content:
                    return content, payload
                else:
                    self.rows = content["rows"]
                    if on_piece is not None:
                        await on_piece(self.rows, payload)
        except Died as died:
            died.had_begun = has_begun
            raise

    async def stop(self, answering: asyncio.Task[wire.Frame]) -> None:
        """Have the present job stopped; end the process when it does not within the grace."""
        with contextlib.suppress(Died):
            await self.send({"do": "stop"})
        done, _ = await asyncio.wait({answering}, timeout=GRACE)
        if not done:
            self.kill()
            answering.cancel()
        with contextlib.suppress(Died, asyncio.CancelledError):
            await answering

    def kill(self) -> None:
        """End the process at once."""
        self.is_dead = True
        with contextlib.suppress(ProcessLookupError, OSError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Let go of it; a worker that nobody listens to ends."""
        self.is_dead = True
        self.writer.close()
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1


class Pool:
    """Hands out workers, one to each job."""

    def __init__(self, settings: BackendSettings) -> None:
        limits = self._limits = settings.limits
        self._semantics = settings.data_directory / semantics.FOLDER
        self._user = settings.user
        self._nice = settings.nice
        self._most = limits.running + limits.exporting + 1
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._parent: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._asking = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.held: list[str] = []

    # ------------------------------------------------------------------ the workers' parent

    async def start(self) -> None:
        """Start the workers' parent. Raises ``SqlRefused`` when that fails."""
        async with self._asking:
            await self._start()

    async def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        settings = {"parent": os.getpid(), "user": self._user}
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        try:
            self._parent = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "app.backend.zygote",
                json.dumps(settings),
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                env={**environment, **_WITHOUT_THREADS},
                cwd=Path(__file__).parents[2],
            )
        finally:
            theirs.close()
        self._control = ours
        said = await self._reply()
        self.held = list(json.loads(said)) if said else []
        if not said:
            self._control = None
            raise SqlRefused("unavailable", "The service that runs SQL could not be started.")
        logger.info("Workers: %s", "; ".join(self.held))

    async def _reply(self) -> bytes:
        if self._control is None:
            return b""
        try:
            loop = asyncio.get_running_loop()
            return await asyncio.wait_for(loop.sock_recv(self._control, 4096), _OPENING)
        except (OSError, TimeoutError):
            return b""

    async def close(self) -> None:
        """End all workers and their parent."""
        for worker in [*self._idle, *self._busy]:
            worker.kill()
        for task in self._tasks:
            task.cancel()
        if self._control is not None:
            self._control.close()
        if self._parent is not None:
            with contextlib.suppress(ProcessLookupError):
                self._parent.kill()
            await self._parent.wait()

    # ------------------------------------------------------------------ workers

    @property
    def numbers(self) -> list[int]:
        """Process numbers of the workers."""
        return [worker.number for worker in (*self._idle, *self._busy)]

    async def take(self, opening: Opening) -> Worker:
        """Return a worker that has a version open. Raises ``SqlRefused``."""
        self._idle = [worker for worker in self._idle if self._lives(worker)]
        for worker in reversed(self._idle):
            if worker.opening == opening:
                self._idle.remove(worker)
                self._busy.add(worker)
                return worker
        while self._idle and len(self._idle) + len(self._busy) >= self._most:
            self._idle.pop(0).close()
        worker = await self._open(opening)
        self._busy.add(worker)
        return worker

    def give_back(self, worker: Worker) -> None:
        """Take a worker back; one that ended is replaced at once."""
        self._busy.discard(worker)
        if not worker.is_dead:
            self._idle.append(worker)
        else:
            worker.close()
            self.warm(worker.opening)

    def warm(self, opening: Opening) -> None:
        """Have a worker ready for a version, before it is asked."""

        async def open_one() -> None:
            with contextlib.suppress(SqlRefused):
                worker = await self._open(opening)
                self._idle.append(worker)

        task = asyncio.create_task(open_one())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    def _lives(worker: Worker) -> bool:
        if not worker.is_dead and not worker.reader.at_eof() and not worker.has_ended:
            return True
        worker.close()
        return False

    async def _open(self, opening: Opening) -> Worker:
        ours, theirs = socket.socketpair()
        try:
            number = await self._fork(theirs)
        finally:
            theirs.close()
        ours.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        try:
            handle = os.pidfd_open(number)
        except OSError as error:
            writer.close()
            raise _not_started() from error
        worker = Worker(opening, number, handle, reader, writer)
        try:
            await worker.send(
                {
                    "folder": str(opening.folder),
                    "semantics": str(self._semantics),
                    "manifest": opening.manifest,
                    "memory": self._limits.memory,
                    "threads": self._limits.threads,
                    "nice": self._nice,
                }
            )
            content, _ = await asyncio.wait_for(worker.receive(), _OPENING)
        except (Died, TimeoutError) as error:
            worker.kill()
            raise _not_started() from error
        if "failed" in content:
            worker.close()
            raise SqlRefused(
                "dataset",
                f"The dataset {opening.dataset!r} cannot be opened.",
                details=str(content["failed"]),
            )
        return worker

    async def _fork(self, connection: socket.socket) -> int:
        """Have the parent fork a worker, started anew where it has gone."""
        async with self._asking:
            for _ in range(2):
                if self._control is None:
                    await self._start()
                try:
                    assert self._control is not None
                    socket.send_fds(self._control, [b"fork"], [connection.fileno()])
                    reply = await self._reply()
                except OSError:
                    reply = b""
                if reply:
                    return int(reply)
                self._control = None
        raise _not_started()


def _not_started() -> SqlRefused:
    return SqlRefused(
        "unavailable", "No process could be started for this query.", "Try again in a minute."
    )
