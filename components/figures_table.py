"""Figures as a table in a page: written out for reading, a page of rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import panel as pn
from panel.viewable import Viewable

from components.assets import read_asset


def figures_table(
    written: pd.DataFrame, numbers: Sequence[str], rows: int = 15, **options: Any
) -> Viewable:
    """Return a table of figures that are written out as text.

    ``numbers`` are the columns of figures, which stand to the right; ``rows`` go on one page.
    """
    return pn.widgets.Tabulator(
        written,
        show_index=False,
        disabled=True,
        pagination="local",
        page_size=rows,
        # The figures are written out for reading; sorted as text they would mislead.
        configuration={"columnDefaults": {"headerSort": False}},
        text_align={name: "right" for name in numbers if name in written.columns},
        stylesheets=[read_asset("table.css")],
        sizing_mode="stretch_width",
        theme="simple",
        **options,
    )
