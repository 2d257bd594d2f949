"""The page at /times: results of scenarios, compared."""

from app.page import serve_page
from components.explorer import ScenarioExplorer

serve_page("/times", ScenarioExplorer, extensions=["tabulator"])
