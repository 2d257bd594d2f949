"""The page at /: what data there is, and where to go from it."""

from typing import Any

from app.page import serve_page
from app.tools import TOOLS
from catalogs.source import Source
from catalogs.store import FLOWS
from components.home import Home


def home(source: Any) -> Any:
    """Describe a dataset, by its kind."""
    if isinstance(source, Source):
        return Home(source=source, tools=TOOLS)
    from components.flow_home import FlowHome

    return FlowHome(source=source, tools=[tool for tool in TOOLS if FLOWS in tool.kinds])


serve_page("/", home)
