"""The command line: python -m app.server [--port 5006] [--address localhost]."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.server.settings import Settings


def parse(words: Sequence[str] | None = None) -> Settings:
    """The settings from the environment, changed by the command line."""
    known = Settings.from_environment()
    parser = argparse.ArgumentParser(
        "python -m app.server", description="Serve TIMES Energy Analytics."
    )
    parser.add_argument("--port", type=int, default=known.port, help="default: %(default)s")
    parser.add_argument("--address", default=known.address, help="default: %(default)s")
    parser.add_argument(
        "--data-directory",
        type=Path,
        default=known.data_directory,
        help="where datasets are published; default: TIMES_DATA or %(default)s",
    )
    parser.add_argument(
        "--allow-websocket-origin",
        action="append",
        metavar="HOST[:PORT]",
        default=[],
        help="a host name under which people open the application; may be repeated",
    )
    parser.add_argument("--prefix", default=known.prefix, help="what all addresses begin with")
    given = parser.parse_args(words)
    return replace(
        known,
        port=given.port,
        address=given.address,
        data_directory=given.data_directory,
        prefix=given.prefix,
        websocket_origins=tuple(given.allow_websocket_origin) or known.websocket_origins,
    )


def main(words: Sequence[str] | None = None) -> None:
    """Publish the demo if there is nothing to show, then serve."""
    settings = parse(words)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for name in ("bokeh", "tornado.access", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Everything is served from here; nothing is asked of other hosts.
    os.environ["BOKEH_RESOURCES"] = "server"
    os.environ.setdefault("BOKEH_PY_LOG_LEVEL", "warning")
    # Pages read their settings from the environment: they run apart from this function.
    os.environ["TIMES_DATA"] = str(settings.data_directory.resolve())

    import catalogs
    from app.server.serve import serve

    catalogs.ensure_demo(settings.data_directory)
    logging.getLogger("app.server").info(
        "Serving http://%s:%d%s/", settings.address, settings.port, settings.prefix
    )
    serve(settings)


if __name__ == "__main__":
    main()
