"""Figures as files: the table of a picture, and the answer behind it in any format."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import panel_material_ui as pmui

from catalogs.exporting import download, formats, writer_of
from catalogs.query import Query
from catalogs.writers.delimited import to_csv

if TYPE_CHECKING:
    from components.explorer import ScenarioExplorer

#: The picture's own table, descriptions and differences included; all others hold the answer.
_AS_SHOWN = "shown"


class Downloads:
    """The choice of a format, and the button that fetches the explorer's figures in it."""

    def __init__(self, explorer: ScenarioExplorer) -> None:
        self._explorer = explorer
        others = {writer.label: writer.name for writer in formats(Query) if writer.name != "csv"}
        self.format = pmui.Select(
            label="Download as",
            options={"CSV, as shown": _AS_SHOWN, **others},
            value=_AS_SHOWN,
            size="small",
        )
        self.button = pmui.FileDownload(
            label="Download", callback=self._file, filename="times-results.csv", size="small"
        )
        # Among the arguments above it would give a warning: Panel 1.9 looks at them twice.
        self.button.variant = "outlined"
        self.format.param.watch(lambda _event: self._name(), "value")

    def _name(self) -> None:
        chosen = str(self.format.value)
        ending = ".csv" if chosen == _AS_SHOWN else writer_of(chosen, self._explorer.query).ending
        self.button.filename = f"times-results{ending}"

    def _file(self) -> IO[bytes]:
        """Return the file; what a format cannot hold is said in the errors of ``export``."""
        chosen = str(self.format.value)
        if chosen == _AS_SHOWN:
            return to_csv(self._explorer.table())
        return download(self._explorer.source, self._explorer.query, chosen).file
