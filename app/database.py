"""The page at /database: SQL over the published data."""

from functools import partial
from secrets import token_hex

import panel as pn

from app.page import serve_page
from app.server.api import sql_service
from app.server.documents import VISITOR_HEADER
from components.database.explorer import DatabaseExplorer

# A page is a visitor to the fair queue; the address is what limits somebody with many pages.
build = partial(
    DatabaseExplorer,
    service=sql_service(),
    who=token_hex(8),
    address=pn.state.headers.get(VISITOR_HEADER, ""),
)

serve_page("/database", build, extensions=["codeeditor"])
