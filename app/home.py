"""The page at /: what data there is, and where to go from it."""

from functools import partial

from app.page import serve_page
from app.tools import TOOLS
from components.home import Home

serve_page("/", partial(Home, tools=TOOLS))
