"""The page shell: bar, rail, main, drawer and foot, the same around every tool.

`shell(...)` returns a `pmui.Page`. It knows nothing of data or serving: what it shows is handed
in, and every part may be a reactive reference (a param, a bound function, an rx expression).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any, Protocol

import panel as pn
import panel_material_ui as pmui
import param
from jinja2 import Environment, Template
from panel.util import edit_readonly
from panel.viewable import Viewable

from components.assets import icon, read_asset
from components.browser_history import REPORT_HISTORY, BrowserHistory
from components.notices import PlainText
from components.theme import (
    BAR_HEIGHT,
    DARK,
    DRAWER_WIDTH,
    FONT_STACK,
    LIGHT,
    RAIL_WIDTH,
    THEME_CONFIG,
    custom_properties,
)

PRODUCT = "TIMES Energy Analytics"
THEME_COOKIE = "times-theme"

# What stands above this in a page's HTML is the same for every visit of the page.
SESSION_MARK = "<!-- what follows belongs to this visit -->"
BAR_ICONS = ("link", "check", "help", "close", "sun", "moon", "database")

# Scripts that Panel puts on every page and no page of ours needs: WebGL, formulas, notebooks'
# module loader (the browser's own `import` replaces it, see assets/head.js).
UNUSED_SCRIPTS = re.compile(r"bokeh-gl|bokeh-mathjax|es-module-shims|esms-options|notyf")
# Scripts that every page loads, whatever is on it.
CORE_SCRIPTS = re.compile(r"/bokeh(-widgets|-tables)?\.min\.js|/panel\.min\.js")
# Style sheets that no page needs: other libraries' notifications and icons.
UNUSED_STYLES = re.compile(r"notyf|font-awesome")


class ToolLink(Protocol):
    """What the bar shows of a tool; `app.tools.Tool` is one."""

    @property
    def route(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def description(self) -> str: ...


class AppBar(BrowserHistory):
    """The bar's contents. The browser alone answers its buttons: they work while Python does.

    It also reports the back button: one component less is 6 ms less of the server's time.
    """

    product = param.String(default=PRODUCT, doc="Name of the application")
    tools = param.List(default=[], item_type=dict, doc="Route, name, icon (SVG), description")
    current = param.String(default="/", doc="Route of the tool on this page")
    shared = param.List(
        default=[], item_type=str, doc="Names in the address that go along from tool to tool"
    )
    title = param.String(default="", doc="What the page shows, for the browser's tab")
    help = param.String(default="", doc="Help text; paragraphs are separated by blank lines")
    icons = param.Dict(default={}, doc="SVG text of the buttons' icons")
    datasets = param.List(default=[], item_type=str, doc="Names of the published datasets")
    dataset = param.String(default="", doc="Name of the dataset on this page")
    working = param.Boolean(default=False, doc="Whether an answer is on its way")

    _esm = REPORT_HISTORY + read_asset("app_bar.js")
    _stylesheets = [read_asset("app_bar.css")]


def shell(
    *,
    tools: Iterable[ToolLink],
    current: str,
    title: Any,
    main: Any,
    sidebar: Any = None,
    foot: Any = None,
    drawer: Viewable | None = None,
    drawer_open: Any = False,
    datasets: Sequence[str] = (),
    dataset: str = "",
    help: str | None = None,
    shared: Sequence[str] = (),
    on_move: Callable[[str], None] | None = None,
    on_load: Callable[[], None] | None = None,
    working: Any = False,
) -> pmui.Page:
    """Lay a tool out as a page.

    Args:
        tools: the tools in the order of their tabs.
        current: route of the tool on this page, "/times".
        title: a sentence made from the state; a string or a reference to one.
        main: a viewable or a list of them; a reference is fine.
        sidebar: the rail's contents, a viewable or a list; None leaves the rail out. There are
            268 px: give nested parts `sizing_mode="stretch_width"` (those named here get it).
        foot: the foot line: text, a reference to text, or a viewable.
        drawer: the right drawer's contents.
        drawer_open: whether the drawer is open: a bool or a Boolean param, which becomes False
            when the reader closes the drawer. Its contents are made when it first opens.
        datasets: names of the datasets to choose from; choosing one opens its page.
        dataset: the one shown.
        help: help text, paragraphs separated by blank lines; None leaves the button out.
        shared: names in the address's query that the tabs' links take along.
        on_move: called with the query of the address that the back button went to.
        on_load: called once the page is in the browser.
        working: whether an answer is on its way, a bool or a Boolean param: the bar shows it.
    """
    bar = AppBar(
        tools=[_link(tool) for tool in tools],
        current=current,
        shared=list(shared),
        title=title,
        help=help or "",
        icons={name: icon(name) for name in BAR_ICONS},
        datasets=list(datasets),
        dataset=dataset,
        on_move=on_move,
        on_load=on_load,
        working=working,
        sizing_mode="stretch_width",
        margin=0,
    )
    page = pmui.Page(
        header=[bar],
        sidebar=_sidebar(sidebar),
        main=_main(title, main, foot),
        sidebar_width=RAIL_WIDTH,
        sidebar_resizable=False,
        contextbar_width=DRAWER_WIDTH,
        # With nothing in it, "auto" would still push the page's width beyond the screen.
        contextbar_variant="temporary",
        theme_toggle=False,
        theme_config=THEME_CONFIG,
        busy_indicator=None,
        title="",
        meta_title=PRODUCT,
        template=_template(),
        sx=_PAGE_STYLE,
    )
    # Panel's page follows whether the server works for anybody at all: every event of one reader
    # would be sent to all others, and the server's state would keep every page that ever was.
    with edit_readonly(page):
        page.busy = Idle().param.busy
    if drawer is not None:
        _add_drawer(page, drawer, drawer_open)
    return page


class Idle(param.Parameterized):
    """What a page follows in place of the whole server; the bar says when its own works."""

    busy = param.Boolean(default=False, constant=True, doc="Never")


def _link(tool: ToolLink) -> dict[str, str]:
    return {
        "route": tool.route,
        "name": tool.name,
        "icon": tool.icon if tool.icon.startswith("<") else icon(tool.icon),
        "description": tool.description,
    }


def _sidebar(sidebar: Any) -> list[Viewable]:
    if sidebar is None:
        return []
    parts = sidebar if isinstance(sidebar, list | tuple) else [sidebar]
    for part in parts:
        # Widgets are 300 px wide unless told otherwise, more than the rail has room for.
        if isinstance(part, Viewable) and part.sizing_mode is None:
            part.param.update(width=None, sizing_mode="stretch_width")
    return list(parts)


def _main(title: Any, main: Any, foot: Any) -> list[Any]:
    parts = main if isinstance(main, list | tuple) else [main]
    heading = PlainText(
        text=title, tag="h1", look="title", sizing_mode="stretch_width", margin=(0, 0, 12, 0)
    )
    for part in parts:
        # Bokeh lets nothing be higher than what it is in: the foot would lie over long tables.
        if isinstance(part, Viewable):
            part.styles = {**part.styles, "max-height": "none"}
    return [heading, *parts, *_foot(foot)]


def _foot(foot: Any) -> list[Viewable]:
    if foot is None:
        return []
    if isinstance(foot, Viewable):
        return [foot]
    return [
        PlainText(
            text=foot,
            look="muted",
            role="status",
            sizing_mode="stretch_width",
            margin=(12, 0, 0, 0),
        )
    ]


def _add_drawer(page: pmui.Page, drawer: Viewable, drawer_open: Any) -> None:
    """Let the page's drawer follow a Boolean, and make its contents when it first opens.

    Args:
        drawer_open: a bool, or a Boolean param, which is also told when the reader closes it.
    """
    close = partial(page.param.update, contextbar_open=False)

    def show(is_open: bool) -> None:
        if is_open and not page.contextbar:
            button = pmui.Button(
                label="Close details",
                icon=icon("close"),
                variant="text",
                align="end",
                on_click=lambda _event: close(),
            )
            page.contextbar = [pmui.Column(button, drawer, margin=(8, 16))]
            page.contextbar_variant = "auto"
        page.contextbar_open = is_open

    if not isinstance(drawer_open, param.Parameter):
        show(bool(drawer_open))
        return
    owner, name = drawer_open.owner, str(drawer_open.name)
    show(getattr(owner, name))
    owner.param.watch(lambda event: show(event.new), name)
    page.param.watch(lambda event: owner.param.update(**{name: event.new}), "contextbar_open")


_BAR = f"{BAR_HEIGHT}px"
_PAGE_STYLE: dict[str, Any] = {
    # This pair of colours also tells panel-material-ui to leave the header's contents as they are.
    ".MuiAppBar-root": {
        "bgcolor": "primary.contrastText",
        "color": "primary.main",
        "boxShadow": "none",
        "borderBottom": "1px solid var(--times-line)",
        "height": _BAR,
    },
    ".MuiAppBar-root .MuiLinearProgress-root": {
        "position": "absolute",
        "left": 0,
        "bottom": "-1px",
        "height": "2px",
    },
    ".MuiToolbar-root": {"minHeight": f"{_BAR} !important", "height": _BAR, "margin": 0, "px": 2},
    ".MuiToolbar-root > .MuiBox-root": {"minWidth": 0},
    # The data is the brightest surface; what chooses it stands back.
    ".sidebar, .contextbar": {"bgcolor": "background.default", "borderColor": "divider"},
    ".main": {"bgcolor": "background.paper"},
    ".main-content": {
        "padding": {"xs": "16px 16px 72px", "sm": "20px 24px"},
        "boxSizing": "border-box",
    },
    # Drawers open when something was clicked, and close with the button inside.
    "button[aria-label$='contextbar']": {"display": "none"},
    "button:focus-visible": {"outline": "2px solid", "outlineColor": "primary.main"},
}


@cache
def _template() -> Template:
    environment = Environment(autoescape=False)
    environment.filters["core_script"] = lambda line: bool(CORE_SCRIPTS.search(line))
    environment.filters["unused_script"] = lambda line: bool(UNUSED_SCRIPTS.search(line))
    environment.filters["unused_style"] = lambda line: bool(UNUSED_STYLES.search(line))
    template = environment.from_string(read_asset("page.html"))
    template.globals.update(
        head_script=read_asset("head.js"),
        page_css=_page_css(),
        product=PRODUCT,
        favicon=_favicon(),
        component_bundle=_component_bundle,
        session_mark=SESSION_MARK,
    )
    return template


def _component_bundle() -> str:
    """Address of panel-material-ui's script, as its components will ask for it.

    Named in the document's head it loads beside Bokeh's scripts rather than after them.
    """
    return str(pmui.Page._render_esm(server=True) or "")


def _page_css() -> str:
    css = read_asset("page.css")
    for name, value in {
        "light": custom_properties(LIGHT),
        "dark": custom_properties(DARK),
        "font": FONT_STACK,
    }.items():
        css = css.replace("{{" + name + "}}", value)
    return css


def _favicon() -> str:
    """The icon as a data address: one request less, and no path to get wrong under a prefix."""
    svg = icon("bars").replace("currentColor", LIGHT.accent).replace("#", "%23")
    return "data:image/svg+xml," + svg.replace('"', "'")


def remembered_theme() -> str:
    """The theme of the reader's last visit, "dark" or "default", from the cookie."""
    return "dark" if (pn.state.cookies or {}).get(THEME_COOKIE) == "dark" else "default"
