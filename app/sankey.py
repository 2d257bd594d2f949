"""The page at /sankey: energy from supply to use."""

from app.page import serve_page
from components.sankey.explorer import SankeyExplorer

serve_page("/sankey", SankeyExplorer, extensions=["tabulator"])
