"""The picture of a Sankey: one drawing or two side by side, its key, and the largest changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import panel as pn

from components.legend import ChartKey
from components.names import readable
from components.notices import PlainText
from components.numbers import significant
from components.sankey.layout import Frame
from components.sankey.picture import LESS, MORE, picture_of
from components.sankey.request import LaidOut, link_key
from components.sankey.view import SankeyView

if TYPE_CHECKING:
    from components.sankey.explorer import SankeyExplorer

#: Changes that are listed beside the picture; all are in the tables.
_MOST_LISTED = 14
#: Widths in pixels: of the list, of the space before it, and what a drawing has at least.
_LIST, _GAP, _LEAST = 230, 16, 640
#: The narrowest picture that is drawn as wide as there is room; narrower ones scroll, this wide.
_NARROWEST, _SCROLLED = 700, 880


def frame_for(width: int, *, beside: bool = False) -> Frame:
    """Return the frame for a width in pixels: narrow ones scroll in their box."""
    left, right = (112, 140) if width >= 900 else (100, 110)
    height = 520 if beside else 640
    return Frame(width=fitted(width), height=height, left=left, right=right)


def fitted(width: int) -> int:
    """Return how wide a picture is for a width in pixels: what scrolls may be wide."""
    return width if width >= _NARROWEST else _SCROLLED


class PicturePanel:
    """The drawing of one scenario, or of two, with what changed most between them."""

    def __init__(self, sankey: SankeyExplorer) -> None:
        self._sankey = sankey
        self.main = SankeyView(
            on_open=sankey.open,
            on_focus=sankey.look_around,
            on_link=sankey.tell_of_link,
            on_width=sankey.fit,
            sizing_mode="stretch_width",
        )
        self.second = SankeyView(
            on_open=sankey.open,
            on_focus=sankey.look_around,
            on_link=sankey.tell_of_link,
            sizing_mode="stretch_width",
        )
        self._key = PlainText(look="muted", visible=False, margin=(0, 0, 6, 0))
        self._names = [PlainText(tag="h2", look="heading", margin=(4, 0)) for _ in range(2)]
        self._changes = ChartKey(
            on_open=self._light,
            hint="click to light it in the picture",
            sizing_mode="stretch_width",
            min_width=200,
        )
        self._beside = pn.Column(
            self._changes, styles={"flex": f"1 1 {_LIST}px"}, min_width=220, margin=(4, 0, 0, 0)
        )
        self._drawings = pn.FlexBox(
            gap="12px", styles={"flex": f"9 1 {_LEAST}px", "min-width": "0"}
        )
        self.view = pn.Column(sizing_mode="stretch_width")

    @property
    def _shown(self) -> list[SankeyView]:
        return [self.main, self.second] if self._two else [self.main]

    def show(self, worked: LaidOut) -> None:
        """Draw what was worked out."""
        sankey = self._sankey
        looks, label = sankey.source.group_looks, sankey.label
        self._two = worked.compared is not None and sankey.compare == "beside"
        if self._two:
            self.main.picture = picture_of(worked, label, looks, "base")
            self.second.picture = picture_of(worked, label, looks, "other")
        else:
            self.main.picture = picture_of(worked, label, looks)
        self._say(worked)
        self._arrange(worked)

    def export(self, kind: Literal["svg", "png"], name: str) -> None:
        """Let the browser download what is drawn."""
        for number, view in enumerate(self._shown, start=1):
            view.export(kind, f"{name}-{number}" if self._two else name)

    def _say(self, worked: LaidOut) -> None:
        base, other = readable(self._sankey.scenario), readable(worked.request.other)
        self._key.visible = worked.compared is not None and not self._two
        self._key.text = (
            f"Filled: {other}. Outlined: {base}."
            " Blue is more than in the outline, orange is less, grey as much."
        )
        for place, name in zip(self._names, (base, other), strict=True):
            place.text = name
        if worked.compared is not None:
            self._changes.param.update(
                groups=self._entries(worked),
                heading=f"Largest changes to {base}, {worked.request.query.unit}",
            )

    def _entries(self, worked: LaidOut) -> list[dict[str, Any]]:
        assert worked.compared is not None
        names = {node.id: self._sankey.label(node) for node in worked.compared.nodes}
        return [
            {
                "code": link_key(change.source, change.target, change.fuel),
                "label": f"{names[change.source]} → {names[change.target]}",
                "colour": MORE if change.difference > 0 else LESS,
                "amount": f"{'+' if change.difference > 0 else ''}{significant(change.difference)}",
            }
            for change in worked.compared.changes[:_MOST_LISTED]
            if change.difference
        ]

    def _arrange(self, worked: LaidOut) -> None:
        drawings: list[Any] = [self.main]
        if self._two:
            parts = zip(self._names, self._shown, strict=True)
            drawings = [
                pn.Column(name, view, styles={"flex": f"1 1 {_LEAST}px"}, min_width=0)
                for name, view in parts
            ]
        wanted = [self._key, self._drawings]
        if worked.compared is not None:
            wanted = [self._key, pn.FlexBox(self._drawings, self._beside, gap=f"{_GAP}px")]
        arrangement = (self._two, worked.compared is not None)
        if getattr(self, "_arranged", None) != arrangement:
            self._arranged = arrangement
            self._drawings.objects = drawings
            self.view.objects = wanted

    def _light(self, key: str) -> None:
        for view in self._shown:
            view.light(key)
        self._sankey.tell_of_link(key)
