"""The figures beside a Sankey as tables that can be downloaded, and the query behind them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable

from catalogs.sankey.flows import compiled
from catalogs.writers.delimited import to_csv
from components.figures_table import figures_table
from components.notices import PlainText
from components.numbers import significant
from components.sankey import tables
from components.sankey.layout import Frame
from components.sankey.request import LaidOut, SankeyRequest

if TYPE_CHECKING:
    from components.sankey.explorer import SankeyExplorer

_ROWS_PER_PAGE = 12
_SERVICES = "Demands in their own units"
_NUMBERS = (
    "amount",
    "value",
    "base",
    "other",
    "difference",
    "in",
    "out",
    "of it lost",
    "taken",
    "given",
)


class TablesPanel:
    """Flows, balances and what was contracted, as tables; made while their tab is open."""

    def __init__(self, sankey: SankeyExplorer) -> None:
        self._sankey = sankey
        self._worked: LaidOut | None = None
        # The question whose figures are shown, and the version that answered it.
        self._filled: tuple[SankeyRequest, str] | None = None
        self.view = pn.Column(sizing_mode="stretch_width", min_height=300)
        sankey.param.watch(lambda _event: self._fill(), "tab")

    def show(self, worked: LaidOut | None) -> None:
        """Take over another picture's figures."""
        self._worked = worked
        self._fill()

    def _fill(self) -> None:
        worked = self._worked
        if self._sankey.tab != "tables":
            return
        if worked is None:
            self._filled = None
            self.view.clear()
            return
        # A picture that is only laid out for another width has the same figures: were their tables
        # made anew, whoever has just pressed Download would wait for ever.
        wanted = (replace(worked.request, frame=Frame()), self._sankey.source.version)
        if wanted == self._filled:
            return
        self._filled = wanted
        parts: list[Viewable] = []
        unit = worked.request.query.unit
        for heading, table in self.tables(worked).items():
            text = heading if heading == _SERVICES else f"{heading}, {unit}"
            title = PlainText(text=text, tag="h2", look="heading", margin=0)
            parts += [
                pn.FlexBox(title, self._download(heading), gap="16px", align_items="center"),
                _tabulator(table),
            ]
        self.view[:] = parts

    def tables(self, worked: LaidOut) -> dict[str, pd.DataFrame]:
        """Return the tables of a picture by what they are called."""
        label = self._sankey.label
        found: dict[str, pd.DataFrame] = {}
        if worked.compared is not None:
            found["Largest changes"] = tables.changes_table(worked.compared, label)
            found["Balances, base"] = tables.balances_table(worked.compared.base, label)
            found["Balances, other"] = tables.balances_table(worked.compared.other, label)
            if worked.compared.services:
                found[_SERVICES] = tables.service_changes_table(worked.compared, label)
        else:
            found["Largest flows"] = tables.flows_table(worked.graph, label)
            found["Kinds of flow"] = tables.kinds_table(worked.graph)
            found["Balances"] = tables.balances_table(worked.graph, label)
            if worked.graph.services:
                found[_SERVICES] = tables.services_table(worked.graph, label)
        called = self._sankey.process_label
        found["Distribution that is not drawn"] = tables.contracted_table(worked.whole, called)
        return found

    def _download(self, heading: str) -> Viewable:
        name = heading.lower().replace(",", "").replace(" ", "-")
        button = pmui.FileDownload(
            label="Download",
            callback=partial(self.csv, heading),
            filename=f"{name}.csv",
            description=f"Download {heading.lower()} as CSV",
            size="small",
            margin=0,
        )
        button.variant = "outlined"
        return button

    def csv(self, heading: str) -> Any:
        """Return one of the tables as a CSV file, with its unit and in full precision."""
        worked = self._sankey.answer
        query = worked.request.query
        table = self.tables(worked)[heading]
        unit = {} if "unit" in table else {"unit": query.unit}
        return to_csv(table.assign(**unit, scenario=query.scenario, year=query.year))


def _tabulator(table: pd.DataFrame) -> Viewable:
    written = table.copy()
    for name in set(_NUMBERS).intersection(written.columns):
        written[name] = [significant(value) for value in table[name]]
    return figures_table(written, _NUMBERS, rows=_ROWS_PER_PAGE, margin=(4, 0, 18, 0))


class QueryPanel:
    """What is counted, in words and in SQL."""

    def __init__(self, sankey: SankeyExplorer) -> None:
        self._sankey = sankey
        self._sql = PlainText(tag="pre", look="code")
        self.view = pn.Column(
            PlainText(text="What is counted", tag="h2", look="heading", margin=(12, 0, 4, 0)),
            PlainText(text=_WORDS, look="body", margin=(0, 0, 12, 0), max_width=760),
            PlainText(text="The query behind the picture", tag="h3", look="heading"),
            self._sql,
            sizing_mode="stretch_width",
        )

    def show(self, request: SankeyRequest | None) -> None:
        """Show the query of a picture; None where it was refused."""
        if request is None:
            self._sql.text = "The question was refused, so nothing was run."
            return
        source = self._sankey.source
        asked = compiled(source, request.query).shown()
        self._sql.text = asked.replace("\t", " ")


_WORDS = (
    "Each link is the sum of what processes take of a commodity or give of it, added over"
    " timeslices, in the groups that the picture shows. Emissions, and rows that only add others"
    " up, are left out; what is not measured in the unit of the picture has a picture of its own."
    " Distribution, one commodity in and one of the same fuel out, is contracted and listed under"
    " Tables; trade between regions that are both shown is netted to its loss. What a process takes"
    " and does not give is a conversion loss; what a commodity gains and nobody takes is a grid"
    " loss as far as its efficiency (COM_IE) says so, and not used otherwise."
)
