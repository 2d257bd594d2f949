"""A running backend for tests, asked from ordinary functions."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Awaitable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from app.backend.child import OwnBackend
from catalogs.sql.service import SqlQuestion, SqlRefused, SqlResult

T = TypeVar("T")

Values = dict[str, Any] | None

#: Somebody who is not root and owns nothing but what a test gives him.
USER = 10001

#: Runs a backend as that user. Python may be where he could not read it: he may read everything.
AS_USER = (
    "setpriv",
    f"--reuid={USER}",
    f"--regid={USER}",
    "--clear-groups",
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
)


@dataclass
class Running:
    """A backend that runs, what it has logged, and the loop in which it is asked."""

    own: OwnBackend
    loop: asyncio.AbstractEventLoop
    data_directory: Path
    log_file: Path
    dataset: str

    def wait(self, work: Coroutine[Any, Any, T], seconds: float = 120) -> T:
        """Have something done in the loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def question(self, sql: str, parameters: Values = None, **more: Any) -> SqlQuestion:
        """A question to the dataset."""
        given = {"dataset": self.dataset, "who": "tester", **more}
        return SqlQuestion(sql=sql, parameters=parameters or {}, **given)

    def run(self, sql: str, parameters: Values = None, **more: Any) -> SqlResult:
        """Run a query."""
        return self.wait(self.own.service.run(self.question(sql, parameters, **more)))

    def refusal(self, sql: str, parameters: Values = None, **more: Any) -> SqlRefused:
        """Run a query that has to be refused; what is said of it."""
        return self.wait(refused(self.own.service.run(self.question(sql, parameters, **more))))

    def get(self, path: str, **parameters: Any) -> Any:
        """Ask the backend over HTTP, as the server does."""

        async def ask() -> Any:
            async with self.own.backend.client(60) as client:
                return await client.get(path, params=parameters or None)

        return self.wait(ask())

    def export(self, sql: str, format: Any, **more: Any) -> Any:
        """Export a query: the response to the address handed out."""
        address = self.wait(self.own.service.export_address(self.question(sql, **more), format))
        return self.get(address)

    @property
    def log(self) -> list[dict[str, Any]]:
        """What has been logged."""
        return [json.loads(line) for line in self.log_file.read_text().splitlines()]


async def refused(work: Awaitable[Any]) -> SqlRefused:
    """Wait for what has to be refused."""
    try:
        result = await work
    except SqlRefused as refusal:
        return refusal
    raise AssertionError(f"It was answered: {result}")


@contextlib.contextmanager
def running(
    data_directory: Path, dataset: str, scratch: Path, *, as_user: bool = False, **limits: object
) -> Iterator[Running]:
    """Run a backend with some limits until the block ends."""
    log_file = scratch / f"sql-{'user' if as_user else 'own'}.log"
    log_file.touch()
    environment = {f"TIMES_SQL_{name.upper()}": str(value) for name, value in limits.items()}
    # As quick as others: tests may run beside much else.
    environment |= {"TIMES_SQL_LOG": str(log_file), "TIMES_SQL_NICE": "0"}
    own = OwnBackend(data_directory, "a key", environment, AS_USER if as_user else ())
    if as_user:
        for path in (own.folder, log_file):
            os.chown(path, USER, USER)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    backend = Running(own, loop, data_directory, log_file, dataset)

    async def begin() -> None:
        own.start()
        await own.ready()

    try:
        backend.wait(begin())
        yield backend
    finally:
        backend.wait(own.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def copied(data: Path, target: Path, *, owner: int | None = None) -> Path:
    """Copy a data directory; the copy and the way to it can be read by all, and owned by one."""
    shutil.copytree(data, target)
    for path in [target, *target.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        if owner is not None:
            os.chown(path, owner, owner)
    return target


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
