"""Tabs over one place, of which only the open one is there."""

from __future__ import annotations

import param
from panel.custom import JSComponent

from components.assets import read_asset


class TabBar(JSComponent):
    """A row of tabs; a click, or an arrow key, sets ``active``.

    Lighter than panel-material-ui's tabs, which draw what is below them a second time and cost
    the first picture a third of a second; with the roles that screen readers know.
    """

    labels = param.List(default=[], item_type=str, doc="What the tabs are called")
    active = param.Integer(default=0, bounds=(0, None), doc="Place of the open tab, from 0")
    purpose = param.String(default="", doc="What the tabs are for, for screen readers")

    _esm = read_asset("tab_bar.js")
    _stylesheets = [read_asset("tab_bar.css")]
