"""A backend of one's own: started beside this process, started again when it ends.

    async with OwnBackend(directory) as own:
        result = await own.service.run(SqlQuestion("demo", "SELECT 1"))

Token and key reach it through a pipe, which is also how it notices that this process has gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from app.backend.client import Backend, RemoteSql
from catalogs.sql.service import SqlRefused

logger = logging.getLogger(__name__)

#: Seconds before one that ended is started again, doubled each time up to the longest.
_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
#: Seconds that it may take to begin to answer.
_STARTING = 60.0
#: What it inherits of the environment: where Python is, and settings. No secret.
_INHERITED = (
    "PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONDONTWRITEBYTECODE",
    "LD_LIBRARY_PATH",
    "LANG",
    "LC_ALL",
    "VIRTUAL_ENV",
    "HOME",
    "TMPDIR",
)
_SECRETS = {"TIMES_SQL_TOKEN"}


class OwnBackend:
    """Starts a backend for a data directory and keeps one running until ``close``.

    Parameters
    ----------
    directory
        Where datasets are published.
    key
        Signs addresses of exports; with the same key on every replica, any of them serves an
        address. By default one that is made up.
    environment
        Settings beside those of this process, such as ``{"TIMES_SQL_SECONDS": "5"}``.
    wrapper
        A command that runs the backend's command, such as ``("setpriv", "--reuid=10001")``.

    ``folder`` has the socket; only this process's user can reach it.
    """

    def __init__(
        self,
        directory: Path,
        key: str = "",
        environment: dict[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="times-sql-"))
        self._wrapper = tuple(wrapper)
        self._socket = self.folder / "socket"
        self._token = secrets.token_urlsafe(32)
        self._key = key or secrets.token_urlsafe(32)
        self._environment = {
            **{n: v for n, v in os.environ.items() if _is_inherited(n)},
            "TIMES_DATA": str(directory.resolve()),
            **(environment or {}),
        }
        if log := self._environment.get("TIMES_SQL_LOG"):
            self._environment["TIMES_SQL_LOG"] = str(Path(log).resolve())  # it runs elsewhere
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self.backend = Backend(f"unix:{self._socket}", self._token)
        self.service = RemoteSql(self.backend)

    async def __aenter__(self) -> OwnBackend:
        self.start()
        await self.ready()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def start(self) -> None:
        """Begin to keep one running; called within an event loop."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep_running())

    async def ready(self) -> None:
        """Wait until it answers. Raises ``SqlRefused`` when it does not."""
        end = asyncio.get_running_loop().time() + _STARTING
        while True:
            try:
                await self.service.limits()
                return
            except SqlRefused:
                if asyncio.get_running_loop().time() > end:
                    raise
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        """End it."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """End it at once; it is started again."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _keep_running(self) -> None:
        pause = _PAUSE
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                code = await self._run_once()
                logger.error("The backend ended with code %s; it is started again", code)
            except OSError:
                logger.exception("The backend could not be started; it is tried again")
            pause = _PAUSE if clock() - began > _LONGEST_PAUSE else min(2 * pause, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _run_once(self) -> int:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self._socket.unlink()
        self._process = await asyncio.create_subprocess_exec(
            *self._wrapper,
            sys.executable,
            *("-m", "app.backend", "--supervised", "--socket", str(self._socket)),
            stdin=asyncio.subprocess.PIPE,
            env=self._environment,
            cwd=Path(__file__).parents[2],
        )
        assert self._process.stdin is not None
        handed = {"token": self._token, "key": self._key}
        self._process.stdin.write(json.dumps(handed).encode() + b"\n")
        with contextlib.suppress(ConnectionError):
            await self._process.stdin.drain()
        return await self._process.wait()


def _is_inherited(name: str) -> bool:
    return (name in _INHERITED or name.startswith("TIMES_")) and name not in _SECRETS
