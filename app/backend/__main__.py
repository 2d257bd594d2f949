"""The command line: python -m app.backend (--socket PATH | --port 5007 [--address 127.0.0.1]).

TIMES_SQL_TOKEN holds the token that the server beside it gives with every request. Started by that
server instead (--supervised), it reads token and key from its standard input, and ends when that
does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import secrets
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn

from app.backend import jail
from app.backend.api import create_app
from app.backend.settings import BackendSettings


def main(words: Sequence[str] | None = None) -> None:
    """Answer until told to stop."""
    given = _parse(words)
    jail.hide_memory()
    settings = BackendSettings.from_environment()
    handed = json.loads(sys.stdin.readline()) if given.supervised else _from_environment()
    _set_up_logs(settings)
    app = create_app(settings, handed["token"], handed["key"])
    where: dict[str, Any] = (
        {"uds": given.socket} if given.socket else {"host": given.address, "port": given.port}
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            **where,
            log_config=None,
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=1 << 18,
            timeout_graceful_shutdown=5,
        )
    )
    asyncio.run(_serve(server, given.socket, given.supervised))


async def _serve(server: uvicorn.Server, socket: str, supervised: bool) -> None:
    """Serve; where a server has started this process, until that server goes."""

    async def watch() -> None:
        await asyncio.to_thread(sys.stdin.read)
        # Whoever made the folder of the socket has gone, perhaps without removing it.
        shutil.rmtree(Path(socket).parent, ignore_errors=True)
        server.should_exit = True

    watching = asyncio.create_task(watch()) if supervised else None
    await server.serve()
    if watching is not None and not watching.done():
        os._exit(0)  # the thread still reads


def _from_environment() -> dict[str, str]:
    token = os.environ.pop("TIMES_SQL_TOKEN", "")
    if len(token) < 16:
        raise SystemExit(
            "TIMES_SQL_TOKEN has to hold a secret of 16 characters or more, the same here and for"
            " the server that asks."
        )
    return {"token": token, "key": secrets.token_hex(32)}


def _set_up_logs(settings: BackendSettings) -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # Said of every export that is cancelled: its response has no end, on purpose.
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: "without completing response" not in record.getMessage()
    )
    queries = logging.getLogger("times.sql")
    queries.propagate = False
    handler = logging.FileHandler(settings.log) if settings.log else logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    queries.addHandler(handler)


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m app.backend", description="Answer the API and SQL.")
    parser.add_argument("--socket", default="", help="path of a Unix socket to listen on")
    parser.add_argument("--address", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=5007, help="default: %(default)s")
    parser.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
