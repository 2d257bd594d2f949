"""The page at /flowmaps: where energy goes."""

from app.page import serve_page
from components.flowmap.explorer import FlowMap

serve_page("/flowmaps", FlowMap, extensions=["tabulator"])
