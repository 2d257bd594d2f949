"""The rows of a result as a table of which only what is seen is sent.

Not Tabulator: it takes names of columns as markup, keeps a copy of everything as a data frame, and
has no cells for nested values. 500 columns are no more to this than five.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import param
import pyarrow as pa
import pyarrow.compute as pc
from panel.custom import JSComponent

from components.assets import read_asset
from components.database.cells import can_sort, cell, is_number, whole

#: Rows and columns that are sent with the first message, and at most with any other.
_FIRST_ROWS = 40
_FIRST_COLUMNS = 20
_MOST_ROWS = 200
_MOST_COLUMNS = 100
#: Widths in pixels: of a character, of what stands beside it, and the bounds.
_CHARACTER = 7.4
_PADDING = 30
_LEAST, _MOST = 64, 360


class RowsView(JSComponent):
    """Shows an Arrow table. ``fill`` replaces it; a click on a heading sorts, on a cell opens it.

    ``on_cell`` is called with the name of the column and the whole value of the cell clicked, as
    text; None for NULL.
    """

    columns = param.List(default=[], item_type=dict, doc="Name, kind, width ... of each column")
    count = param.Integer(default=0, doc="Number of rows")
    first_cells = param.Dict(
        default={"first": 0, "from": 0, "rows": []}, doc="The cells that are seen at first"
    )
    sorted = param.Dict(default={"column": -1, "down": False}, doc="What the rows are sorted by")
    most_high = param.Integer(default=420, doc="Greatest height in pixels")
    version = param.Integer(default=0, doc="Counts up with every table and order")

    on_cell = param.Callable(default=None, allow_None=True, doc="Told of a cell that was clicked")

    _esm = read_asset("database_rows.js")
    _stylesheets = [read_asset("database_rows.css")]
    _rename = {"on_cell": None}

    def __init__(
        self, on_cell: Callable[[str, str | None], None] | None = None, **params: Any
    ) -> None:
        super().__init__(on_cell=on_cell, **params)
        self._table = pa.table({})
        self._kinds: tuple[str, ...] = ()
        self._order: pa.Array | None = None

    def fill(self, table: pa.Table, kinds: tuple[str, ...] = ()) -> None:
        """Show a table; ``kinds`` are what its types are called, by default Arrow's names."""
        self._table = table
        self._kinds = kinds or tuple(str(field.type) for field in table.schema)
        self._order = None
        self._send({"column": -1, "down": False})

    def sort(self, column: int) -> None:
        """Sort by a column: upwards, downwards, then as the rows came."""
        if not 0 <= column < self._table.num_columns:
            return
        if not can_sort(self._table.schema.field(column).type):
            return
        before = self.sorted
        if before["column"] != column:
            now = {"column": column, "down": False}
        elif not before["down"]:
            now = {"column": column, "down": True}
        else:
            now = {"column": -1, "down": False}
        self._order = None
        if now["column"] >= 0:
            direction = "descending" if now["down"] else "ascending"
            self._order = pc.array_sort_indices(
                _chunk(self._table.column(column)), order=direction, null_placement="at_end"
            )
        self._send(now)

    def _send(self, order: dict[str, Any]) -> None:
        first = self.block(0, _FIRST_ROWS, 0, _FIRST_COLUMNS)
        self.param.update(
            columns=self._describe(),
            count=self._table.num_rows,
            first_cells=first,
            sorted=order,
            version=self.version + 1,
        )

    def _describe(self) -> list[dict[str, Any]]:
        described = []
        for place, field in enumerate(self._table.schema):
            longest = len(field.name) + 2
            if place < _FIRST_COLUMNS or self._table.num_columns <= _MOST_COLUMNS:
                shown = self._table.column(place).slice(0, _FIRST_ROWS).to_pylist()
                longest = max([longest, *(len(cell(v, field.name) or "NULL") for v in shown)])
            described.append(
                {
                    "name": field.name,
                    "kind": self._kinds[place],
                    "right": is_number(field.type),
                    "sorts": can_sort(field.type),
                    "width": round(min(_MOST, max(_LEAST, longest * _CHARACTER + _PADDING))),
                }
            )
        return described

    def block(self, first: int, last: int, start: int, end: int) -> dict[str, Any]:
        """Return the cells of rows first to last and columns start to end, as text."""
        columns = self._table.columns[start:end]
        names = self._table.column_names[start:end]
        if self._order is not None:
            taken = self._order.slice(first, last - first)
            parts = [column.take(taken).to_pylist() for column in columns]
        else:
            parts = [column.slice(first, last - first).to_pylist() for column in columns]
        texts = [[cell(v, n) for v in part] for part, n in zip(parts, names, strict=True)]
        return {
            "first": first,
            "from": start,
            "rows": [list(row) for row in zip(*texts, strict=True)],
        }

    def _handle_msg(self, message: dict[str, Any]) -> None:
        if message.get("version") != self.version:
            return  # asked of an earlier table
        want, clicked, sort = message.get("want"), message.get("whole"), message.get("sort")
        if isinstance(want, dict):
            first, last, start, end = (int(want[name]) for name in ("first", "last", "from", "to"))
            last = min(last, first + _MOST_ROWS, self._table.num_rows)
            end = min(end, start + _MOST_COLUMNS, self._table.num_columns)
            if 0 <= first < last and 0 <= start < end:
                block = self.block(first, last, start, end)
                self._send_msg({"block": block, "version": self.version})
        if isinstance(clicked, dict) and self.on_cell is not None:
            row, column = int(clicked["row"]), int(clicked["column"])
            if 0 <= row < self._table.num_rows and 0 <= column < self._table.num_columns:
                place = row if self._order is None else self._order[row].as_py()
                value = self._table.column(column)[place].as_py()
                self.on_cell(self._table.column_names[column], whole(value))
        if isinstance(sort, int):
            self.sort(sort)


def _chunk(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) and joined.num_chunks else joined
