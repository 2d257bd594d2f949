"""What all tools share: source and selection, tabs, and drawing what is asked for now.

A tool says what it asks (``_question``) and how an answer is shown (``_show``); this makes sure
that on a server the asking is done in a thread, that only the newest question is drawn, in one
message, and that a refusal stands in the picture's place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

import panel as pn
import param
from panel.io import hold
from panel.viewable import Viewable, Viewer

from catalogs.errors import TimesError
from catalogs.source import Source
from components.selection import Selection
from components.tab_bar import TabBar

#: A first picture is of the future: of this year or the next that a scenario has.
_FIRST_YEAR = 2030


def year_shown(chosen: int, years: Sequence[int]) -> int:
    """Return the year of a picture of one year: the one chosen where a scenario has it.

    Else the first from 2030 on, or the last where all are before; 0 where there is none.
    """
    if chosen in years:
        return chosen
    return next((year for year in years if year >= _FIRST_YEAR), years[-1] if years else 0)


class Tool(Viewer):
    """A tool over a published dataset.

    A subclass gives

    - a param ``tab``, whose objects are its tabs;
    - ``_REDRAWN_BY``, its own params whose change asks anew;
    - ``_build``: makes its views, once, and returns what each tab shows;
    - ``_question``: returns what works the answer out. It is called in a thread, so it holds all
      it needs and touches no widget and no param;
    - ``_show`` (an answer), ``_show_refusal`` (why there is none), ``_follow`` (controls take
      over what the params say).
    """

    # Never None once made, whatever the types of param say.
    source: Source = param.ClassSelector(  # type: ignore[assignment]
        class_=Source, doc="The published dataset that is explored"
    )
    selection: Selection = param.ClassSelector(  # type: ignore[assignment]
        class_=Selection, doc="What all tools share"
    )

    tab = param.Selector(default="", objects=[""], doc="Which tab is open")
    title = param.String(default="", doc="What is shown, as a sentence")
    foot = param.String(default="", doc="Version, and what is left out of the picture")
    working = param.Boolean(default=False, doc="Whether the next picture is being worked out")

    _REDRAWN_BY: ClassVar[tuple[str, ...]] = ()
    _REDRAWN_BY_SELECTION: ClassVar[tuple[str, ...]] = (
        "scenarios",
        "base",
        "regions",
        "years",
        "unit",
    )

    def __init__(self, **params: Any) -> None:
        params.setdefault("selection", Selection())
        super().__init__(**params)
        if self.source is None:
            raise ValueError(f"{type(self).__name__} needs a source: open_source(directory)")
        self._built = False
        self._questions = 0
        self._take_source()

    @param.depends("source", watch=True)
    def _take_source(self) -> None:
        """Offer what a source has; one published anew takes the place of the old one."""
        self.selection.offer(self.source)
        self._adapt()

    def _adapt(self) -> None:
        """Choose anew what a new source does not have."""

    # ------------------------------------------------------------------ what a tool gives

    def _build(self) -> dict[str, Viewable]:
        """Make the views, once; drawing only feeds them. Return what each tab shows."""
        raise NotImplementedError

    def _question(self) -> Callable[[], Any]:
        """Return what works out the answer to what is asked now; safe to call in a thread."""
        raise NotImplementedError

    def _show(self, answer: Any) -> None:
        """Show an answer. A TimesError raised here is shown as a refusal is."""
        raise NotImplementedError

    def _show_refusal(self, error: TimesError) -> None:
        """Say in the picture's place why there is none, and what leads out."""
        raise NotImplementedError

    def _follow(self) -> None:
        """Show in controls and trail what the params say."""
        raise NotImplementedError

    # ------------------------------------------------------------------ asking and drawing

    def _ensure_built(self) -> None:
        if self._built:
            return
        self._panels = self._build()
        self._body = pn.Column(self._panels[self.tab], sizing_mode="stretch_width")
        names = self.param.tab.objects
        self._tabs = TabBar(
            labels=[name.capitalize() for name in names],
            active=names.index(self.tab),
            purpose="How the figures are shown",
            sizing_mode="stretch_width",
            margin=(0, 0, 8, 0),
        )
        self._tabs.param.watch(lambda event: setattr(self, "tab", names[event.new]), "active")
        self.selection.param.watch(self._redraw, list(self._REDRAWN_BY_SELECTION))
        self.param.watch(self._redraw, ["source", *self._REDRAWN_BY])
        self.param.watch(self._open_tab, "tab")
        self._built = True
        self._draw()

    def _open_tab(self, event: param.parameterized.Event) -> None:
        self._tabs.active = self.param.tab.objects.index(event.new)
        self._body.objects = [self._panels[event.new]]

    def _redraw(self, *_events: Any) -> None:
        """Draw what is asked for now; on a server, once the answer is there.

        There it is worked out in a thread, so that nobody waits for another's question, and what
        is drawn is the newest question only.
        """
        document = pn.state.curdoc
        self.working = True
        if document is None or document.session_context is None:
            self._draw()
            return
        self._questions += 1
        pn.state.execute(partial(self._ask_and_draw, self._questions))

    async def _ask_and_draw(self, number: int) -> None:
        answer: Any = None
        # Whatever else is wrong is met again, and told, when it is drawn.
        with suppress(Exception):
            try:
                answer = await asyncio.to_thread(self._question())
            except TimesError as error:
                answer = error  # not asked again: finding what to offer instead may take long
        if number == self._questions:
            pn.state.execute(partial(self._draw, answer), schedule=True)

    def _draw(self, answer: Any = None) -> None:
        """Show an answer, or the refusal that it is, in one message; without one, ask first."""
        with hold():
            try:
                self._show_or_refuse(answer)
                self._follow()
            finally:
                self.working = False

    def _show_or_refuse(self, answer: Any) -> None:
        try:
            if answer is None:
                answer = self._question()()
            if isinstance(answer, TimesError):
                raise answer
            self._show(answer)
        except TimesError as error:
            self._show_refusal(error)

    # ------------------------------------------------------------------ composing

    def _controls_view(self) -> Sequence[Viewable]:
        """The controls, what all tools share first."""
        raise NotImplementedError

    def _above(self) -> Sequence[Viewable]:
        """What stands above the tabs."""
        return ()

    @property
    def sidebar(self) -> list[Viewable]:
        """The controls, for the page's rail.

        On a page they come right after the picture, which does not wait for them.
        """
        self._ensure_built()
        return [after_the_picture(list(self._controls_view()))]

    @property
    def main(self) -> Viewable:
        """What the tabs show, below them."""
        self._ensure_built()
        return pn.Column(*self._above(), self._tabs, self._body, sizing_mode="stretch_width")

    def __panel__(self) -> Viewable:
        return pn.Row(
            pn.Column(*self.sidebar, width=300),
            pn.Column(pn.pane.Str(self.param.title), self.main, sizing_mode="stretch_width"),
            sizing_mode="stretch_width",
        )


def after_the_picture(parts: list[Viewable]) -> Viewable:
    """Return a column of parts; on a page that is still loading they are added when it has."""
    column = pn.Column(sizing_mode="stretch_width", margin=0)
    if pn.state.curdoc is None or pn.state.loaded:
        column.objects = parts
    else:
        pn.state.onload(lambda: setattr(column, "objects", parts))
    return column
