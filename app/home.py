"""The page at /: what data there is, and where to go from it."""

from components.home import Home

from app.page import serve_page

serve_page("/", Home)
