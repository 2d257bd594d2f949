"""The first page of a dataset of flow records: how much there is, and what the import noticed."""

from __future__ import annotations

from typing import Any, ClassVar

import param
from panel.viewable import Viewable, Viewer

from catalogs.flow_records.records import FlowRecords
from components.home import (
    Overview,
    account_rows,
    cards,
    counted,
    describe,
    figure,
    own_files,
    report_lines,
    some,
    version_line,
)


class FlowHome(Viewer):
    """What a dataset of flow records holds, and the tools that show it."""

    source = param.ClassSelector(class_=FlowRecords, doc="The published dataset that is described")
    tools = param.ClassSelector(
        class_=(tuple, list), default=(), doc="The tools (route, name, icon, description)"
    )

    title = param.String(default="", doc="What is loaded, as a sentence")
    foot = param.String(default="", doc="Name, version and time of publication")

    sidebar = None
    url_params: ClassVar[tuple[str, ...]] = ()
    help = (
        "This page says what is loaded: every number is counted from the imported files.\n\n"
        "Open the dataset below to see which files it was made from and what the import noticed."
        " A card opens its tool with this dataset."
    )

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._overview = Overview(sizing_mode="stretch_width", margin=0)
        self._show()

    @param.depends("source", "tools", watch=True)
    def _show(self) -> None:
        """Describe the source; one published anew takes the place of the old one."""
        source = self.source
        if source is None:
            raise ValueError("FlowHome needs a source: open_flow_records(directory)")
        [entry] = source.manifest.scenarios
        lines, account = report_lines(source), account_rows(source)
        described = describe(
            entry, lines.get(entry.key, []), account.get(entry.key, []), is_base=False
        )
        self._overview.param.update(
            figures=figures(source),
            cards=cards(self.tools, None, ""),
            scenarios=[described],
            listed="Datasets",
            own_files=own_files(),
            shared=["dataset"],
            dataset=source.dataset,
        )
        self.param.update(title=sentence(source), foot=version_line(source))

    @property
    def main(self) -> Viewable:
        """The overview."""
        return self._overview

    def __panel__(self) -> Viewable:
        return self._overview


def sentence(source: FlowRecords) -> str:
    """Return what is loaded: "grid: 98 112 300 flows between 8 807 places"."""
    parts = [counted(source.about.records, "flow"), counted(len(source.places[-1]), "place")]
    text = f"{source.dataset}: {' between '.join(parts)}"
    return text if source.lines is None else f"{text}, {counted(len(source.lines.id), 'line')}"


def figures(source: FlowRecords) -> list[dict[str, str]]:
    """Return the counts that say how large the dataset is, each with a note on what it counts."""
    steps = source.steps["label"]
    time = steps.iloc[0] if len(steps) == 1 else f"{steps.iloc[0]} to {steps.iloc[-1]}"
    coarser = [
        f"{name}: {len(places)}"
        for places, name in zip(source.places[:-1], source.levels[:-1], strict=True)
    ]
    found = [
        figure(source.about.records, "flow", f"in {source.unit or 'an unknown unit'}"),
        figure(len(source.places[-1]), "place", some(coarser) or "at one level"),
        figure(len(steps), "step", time or "without a time"),
        figure(len(source.commodities), "commodity", some(source.commodities)),
    ]
    if source.lines is not None:
        found.insert(2, figure(len(source.lines.id), "line", "with their own geometry"))
    return found
