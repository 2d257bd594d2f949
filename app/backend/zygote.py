"""The workers' parent: has imported what they need, has opened nothing, and forks them.

It is started with an environment of its own that holds no secret. Its standard input is a socket:
each message on it brings the socket of a worker to be, and is answered with the worker's number.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import traceback
from typing import Any

from app.backend import jail

_FORK = b"fork"


def main() -> None:
    """Serve until the backend goes."""
    control = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    settings = json.loads(sys.argv[1])
    jail.die_with_parent(settings["parent"])
    settings["zygote"] = os.getpid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who waits for a worker reads its socket
    _import_what_workers_need()
    network_left = jail.leave_network()
    os.environ.clear()
    control.send(json.dumps(jail.held(settings["user"], network_left)).encode())
    while True:
        request, sockets, _, _ = socket.recv_fds(control, len(_FORK), 1)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _be_worker(socket.socket(fileno=sockets[0]), settings)
        for descriptor in sockets:
            os.close(descriptor)
        control.send(json.dumps(pid).encode())


def _import_what_workers_need() -> None:
    import duckdb
    import pyarrow.csv
    import pyarrow.parquet  # noqa: F401

    import app.backend.worker

    # Modules that DuckDB imports when it is first used: a worker can open no file any more.
    with duckdb.connect(config={"threads": 1}) as connection:
        app.backend.worker.warm_up(connection)


def _be_worker(connection: socket.socket, settings: dict[str, Any]) -> None:
    from app.backend import worker

    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        worker.main(connection, settings["user"], settings["zygote"])
        code = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
