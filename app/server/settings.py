"""Settings of the server, from the environment and the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from components.flowmap import OPENSTREETMAP


@dataclass(frozen=True)
class Settings:
    """How the application is served. Times are in seconds."""

    data_directory: Path = Path(".data")
    address: str = "localhost"
    port: int = 5006
    websocket_origins: tuple[str, ...] = ()
    prefix: str = ""
    # A closed tab's session is kept this long, so that a short loss of connection costs nothing.
    unused_session_lifetime: int = 60
    keep_alive: int = 25
    # A backend that runs already (unix:/path or http://host:port) and the token it asks for.
    # Without one the server starts its own.
    sql_service: str = ""
    sql_token: str = field(default="", repr=False)
    # Where browsers find the web map that a visitor may put below flows; "" offers none.
    tiles: str = OPENSTREETMAP

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """The settings that the environment gives; what it lacks keeps its default.

        Reads TIMES_DATA, TIMES_ADDRESS, TIMES_PORT, TIMES_PREFIX, TIMES_SQL_SERVICE,
        TIMES_SQL_TOKEN, TIMES_TILES and BOKEH_ALLOW_WS_ORIGIN (names separated by commas). Raises
        ValueError on a bad number or address.
        """
        given = os.environ if environment is None else environment
        origins = given.get("BOKEH_ALLOW_WS_ORIGIN", "")
        return cls(
            data_directory=Path(given.get("TIMES_DATA", cls.data_directory)),
            address=given.get("TIMES_ADDRESS", cls.address),
            port=int(given.get("TIMES_PORT", cls.port)),
            websocket_origins=tuple(name.strip() for name in origins.split(",") if name.strip()),
            prefix=given.get("TIMES_PREFIX", cls.prefix),
            sql_service=given.get("TIMES_SQL_SERVICE", cls.sql_service),
            sql_token=given.get("TIMES_SQL_TOKEN", ""),
            tiles=_tiles(given.get("TIMES_TILES", OPENSTREETMAP).strip()),
        )

    @property
    def tile_host(self) -> str:
        """Scheme and host of the web map, "" without one."""
        parts = urlsplit(self.tiles)
        return f"{parts.scheme}://{parts.netloc}" if self.tiles else ""


def _tiles(address: str) -> str:
    # Its host becomes part of the header that says what a page may load.
    known = re.fullmatch(r"https?://[\w.:-]+/[^\s;,'\"]*", address, re.ASCII)
    if address and not (known and all(part in address for part in ("{X}", "{Y}", "{Z}"))):
        raise ValueError(
            f"TIMES_TILES is {address!r}, not the address of a web map such as {OPENSTREETMAP}"
        )
    return address
