"""The manifest of tools: one entry makes a tab, a route and a test.

A new tool is a component, a page file of the same name as its route, and a line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalogs.store import FLOWS, SCENARIOS


@dataclass(frozen=True, order=True)
class Tool:
    """One tool of the application, shown as a tab."""

    order: int
    route: str
    name: str
    icon: str
    description: str
    #: Kinds of datasets that it shows, see ``catalogs.store``.
    kinds: tuple[str, ...] = (SCENARIOS,)

    @property
    def page_file(self) -> Path:
        """The script that `panel serve` runs for this tool."""
        return Path(__file__).parent / f"{self.route.strip('/') or 'home'}.py"


TOOLS: tuple[Tool, ...] = (
    Tool(0, "/", "Home", "home", "What data there is", (SCENARIOS, FLOWS)),
    Tool(1, "/times", "Scenarios", "bars", "Compare results of scenarios"),
    Tool(2, "/sankey", "Energy flows", "flows", "Follow energy from supply to use"),
    Tool(3, "/flowmaps", "Flow maps", "map", "See where energy goes", (SCENARIOS, FLOWS)),
    Tool(4, "/database", "Database", "database", "Ask your own questions with SQL"),
)


def tool_at(route: str) -> Tool:
    """The tool of a route. Raises KeyError."""
    for tool in TOOLS:
        if tool.route == route:
            return tool
    raise KeyError(route)
