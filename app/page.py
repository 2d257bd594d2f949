"""What all pages share: a page file calls `serve_page` and names its component.

    from app.page import serve_page
    from components.explorer import ScenarioExplorer

    serve_page("/times", ScenarioExplorer)

`serve_page` calls Panel's extension, opens the dataset that the address names, makes the
component, keeps its state and the address the same, and lays it out in the shell. It is the one
boundary where errors end: whatever is raised below becomes a notice and a line in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any, Protocol
from urllib.parse import parse_qs

import panel as pn
import panel_material_ui as pmui
import param

from app.address import AddressSync, Location
from app.server.settings import Settings
from app.sources import Sources
from app.tools import TOOLS, Tool, tool_at
from catalogs.errors import TimesError, UnknownDatasetError
from catalogs.store import WORDS
from components.notices import announce, error_notice, log_error, notice
from components.shell import remembered_theme, shell
from components.theme import THEME_CONFIG

logger = logging.getLogger(__name__)

#: Milliseconds between looks for a newer version of the dataset that a page shows.
LOOK_FOR_NEWER = 5000


class ToolComponent(Protocol):
    """What a page needs of a component, usually a Parameterized `pn.viewable.Viewer`.

    Besides these, a component may have `foot`, `drawer`, `drawer_open` (Boolean), `help` (text),
    `working` (Boolean: an answer is on its way) and `selection` (a Parameterized object with
    `url_params` of its own, shared by the tools). Where its `source` is a param, a version that is
    published while the page is open takes its place.
    A part that is a param is followed when it changes; a method is called when the page loads and
    again when what it depends on changes.
    """

    url_params: Sequence[str]  # names of its params that belong in the address
    title: str  # a sentence made from the state
    sidebar: Any  # a viewable or a list of them, or None for a page without a rail
    main: Any  # a viewable, a list of them, or a method


class PageState(param.Parameterized):
    """What the address says of the page itself."""

    dataset = param.String(default="", doc="Name of the dataset; empty is the one published last")


def serve_page(
    route: str,
    build: Callable[..., Any],
    *,
    extensions: Sequence[str] = (),
) -> None:
    """Serve a component as the page at a route. To be called by a page file, once per session.

    Args:
        route: the tool's route in the manifest, "/times".
        build: makes the `ToolComponent`; called with `source=`, the opened dataset.
        extensions: Panel extensions that the component needs, such as "tabulator".
    """
    pn.extension(
        *extensions,
        # Measured: deferring costs a round trip and a second layout, 0.3 s until the first chart.
        # The first query of a page is answered from the source's cache.
        defer_load=False,
        loading_indicator=True,
        notifications=True,
        exception_handler=_report,
        disconnect_notification="The connection to the server was lost. Reload the page.",
    )
    pn.config.theme = remembered_theme()  # type: ignore[misc]  # a property with a setter
    if pn.state.notifications is not None:
        pn.state.on_session_destroyed(partial(_forget, pn.state.notifications))
        pn.state.notifications.param.update(theme_config=THEME_CONFIG)
    try:
        page = _page(route, build)
    except Exception as error:  # the boundary: nothing may leave a person with a blank page
        page = _error_page(route, error)
    page.servable()


def _forget(view: object, _context: object) -> None:
    """Let go of a root that Panel does not take down with its session, and so of its document."""
    for reference, (shown, *_) in list(pn.state._views.items()):
        if shown is view:
            pn.state._views.pop(reference, None)


def _page(route: str, build: Callable[..., Any]) -> pmui.Page:
    location = _location()
    asked = parse_qs(location.search.lstrip("?")).get("dataset", [""])[-1]
    sources = shared_sources()
    names = sources.names()
    unknown = asked not in names
    tool = tool_at(route)
    kinds = sources.kinds()
    # Without a name, and with nothing there that the tool shows, it says so of what there is.
    shown = asked if not unknown else next((n for n in names if kinds[n] in tool.kinds), "")
    shown = shown or next(iter(names), "")
    if shown and kinds[shown] not in tool.kinds:
        return _other_kind_page(tool, shown, names, kinds[shown])
    source = sources.open("" if unknown else asked, tool.kinds)
    component: ToolComponent = build(source=source)
    if asked and unknown:
        pn.state.onload(lambda: _warn(["dataset"]))
    _keep_current(component)
    sync, shared = _follow_address(component, source.dataset)
    return shell(
        tools=TOOLS,
        current=route,
        title=_reference(component, "title"),
        sidebar=getattr(component, "sidebar", None),
        main=component.main,
        foot=_reference(component, "foot"),
        drawer=getattr(component, "drawer", None),
        drawer_open=_reference(component, "drawer_open") or False,
        help=getattr(component, "help", None),
        datasets=names,
        dataset=source.dataset,
        shared=shared,
        on_move=sync.follow,
        on_load=sync.write,
        working=_reference(component, "working") or False,
    )


def _keep_current(component: Any) -> None:
    """Show a version of the dataset that is published while the page is open."""
    if "source" not in getattr(component, "param", ()):
        return

    def look() -> None:
        with suppress(UnknownDatasetError):  # taken away meanwhile: what is open stays readable
            if not component.source.is_current:
                component.source = shared_sources().open(component.source.dataset)
                announce("New results were published: the page shows them now.", kind="info")

    pn.state.add_periodic_callback(look, period=LOOK_FOR_NEWER)


def _follow_address(component: ToolComponent, dataset: str) -> tuple[AddressSync, list[str]]:
    """Keep state and address the same. Also returns the names that all tools share."""
    selection = getattr(component, "selection", None)
    selected = list(getattr(selection, "url_params", ()))
    parts: list[tuple[param.Parameterized, Sequence[str]]] = []
    if selection is not None:
        parts.append((selection, selected))
    parts.append((component, component.url_params))  # type: ignore[arg-type]  # a Parameterized
    if "dataset" not in selected:
        parts.insert(0, (PageState(dataset=dataset), ["dataset"]))
    sync = AddressSync(
        _location(), parts, on_error=lambda names: pn.state.onload(lambda: _warn(names))
    )
    return sync, ["dataset", *selected]


def _location() -> Location:
    """The address of this session's page. Raises RuntimeError outside of a session."""
    if pn.state.location is None:
        raise RuntimeError("A page is served by `panel serve`; there is no address here.")
    return pn.state.location


def _warn(names: Sequence[str]) -> None:
    announce(
        f"This page's address asks for {_listed(names)} that this dataset does not have or that "
        "make no sense. The usual values are shown instead.",
        kind="warning",
    )


def _listed(names: Sequence[str]) -> str:
    words = [name.replace("_", " ") for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _reference(component: Any, name: str) -> Any:
    """The param of that name if there is one, so that the shell follows it; else the attribute."""
    if isinstance(component, param.Parameterized) and name in component.param:
        return component.param[name]
    return getattr(component, name, None)


def _report(error: Exception) -> None:
    """Whatever a callback raised: logged under an id, and said on the page."""
    error_id = log_error(error)
    if isinstance(error, TimesError):
        announce(f"{error.what} {error.remedy}".strip(), kind="warning")
        return
    announce(
        f"That did not work: something went wrong in the server (error id {error_id}).",
        kind="error",
    )


def _other_kind_page(tool: Tool, dataset: str, names: Sequence[str], kind: str) -> pmui.Page:
    """Say that a tool does not show the dataset, and which ones do."""
    showing = [other.name for other in TOOLS if kind in other.kinds]
    return shell(
        tools=TOOLS,
        current=tool.route,
        title=tool.name,
        main=notice(
            f"{tool.name} shows {_listed([WORDS[k] for k in tool.kinds])};"
            f" the dataset {dataset} holds {WORDS[kind]}.",
            f"Open it with {_listed(showing)}: the tabs keep the dataset. Or choose another dataset"
            " above.",
            kind="refusal",
        ),
        datasets=names,
        dataset=dataset,
        shared=["dataset"],
    )


def _error_page(route: str, error: Exception) -> pmui.Page:
    return shell(
        tools=TOOLS,
        current=route,
        title=tool_at(route).name,
        main=error_notice(error),
    )


@cache
def shared_sources() -> Sources:
    """The datasets of this process's data directory."""
    return Sources(Settings.from_environment().data_directory)
