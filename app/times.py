"""The page at /times: results of scenarios, compared."""

from components.explorer import ScenarioExplorer

from app.page import serve_page

serve_page("/times", ScenarioExplorer, extensions=["tabulator"])
