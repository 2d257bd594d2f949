"""Serve the application with the stand-in on every page: python -m tests.stand_in --port ..."""

import sys
from types import ModuleType

from tests.stand_in.component import StandIn

for module, name in (
    ("components.home", "Home"),
    ("components.explorer", "ScenarioExplorer"),
    ("components.sankey.explorer", "SankeyExplorer"),
    ("components.flowmap.explorer", "FlowMap"),
    ("components.database.explorer", "DatabaseExplorer"),
):
    stand_in = ModuleType(module)
    setattr(stand_in, name, StandIn)
    sys.modules[module] = stand_in

if __name__ == "__main__":
    from app.server.__main__ import main

    main()
