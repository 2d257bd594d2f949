"""What a reader is: it turns the files of one scenario into canonical tables.

A new format is one module here with a class that has ``name``, ``format``, ``gather`` and ``read``,
and one line in ``readers/__init__.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
from numpy.typing import NDArray

from catalogs import codes

#: Called with a share between 0 and 1 and a word for what is being done.
Progress = Callable[[float, str], None]


def no_progress(share: float, doing: str) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class ScenarioFiles:
    """The files that make up one scenario, the one with the results first.

    ``reader`` is the name of the reader that gathered them. ``part`` says which of the scenarios
    in those files this is, in words of that reader's own; () where they hold only one.
    """

    reader: str
    main: Path
    beside: tuple[Path, ...] = ()
    part: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """All files, the one with the results first."""
        return (self.main, *self.beside)

    @property
    def shown(self) -> str:
        """What to call them to a person: the main file's name, and which part of it."""
        part = ", ".join(name for name in self.part if name)
        return f"{self.main.name} ({part})" if part else self.main.name


@dataclass
class ScenarioHeader:
    """What the files say of the scenario as a whole.

    ``model`` is '' when they do not name it. ``rows_read`` is the number of result rows in the
    file, before duplicates are merged. ``notes`` keeps what else they say of themselves.
    """

    scenario: str
    model: str = ""
    description: str = ""
    source_format: str = ""
    rows_read: int = 0
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Format:
    """What people are told of a format: what it is called, how its files end, what they hold."""

    label: str
    suffix: str
    about: str


class Reader(Protocol):
    """One file format: its ``name`` in manifests and reports, and ``format`` for people."""

    name: str
    format: Format

    def gather(self, paths: Sequence[Path]) -> tuple[list[ScenarioFiles], list[Path]]:
        """Pick from ``paths`` the scenarios of this format; return them and the paths left over.

        Goes by the files' content wherever it can, and looks into a file only as far as it must:
        at its first bytes, or for the names of the scenarios in it. Raises
        ``UnreadableFileError`` for a file that is plainly meant for this reader but cannot be used
        (a ``.vde`` without its ``.vd``).
        """

    def read(
        self,
        files: ScenarioFiles,
        connection: duckdb.DuckDBPyConnection,
        progress: Progress = no_progress,
    ) -> ScenarioHeader:
        """Fill the canonical tables in ``connection`` (created, empty) and ``raw_result``.

        ``raw_result`` is a temporary table made by ``create_raw_result``: the result rows as the
        file has them, in its order. Nothing is merged, converted or left out; what cannot be kept
        in a column goes to ``import_report``. Raises ``UnreadableFileError``.
        """


RAW_RESULT_COLUMNS = (
    "sow",
    "attribute",
    "commodity",
    "process",
    "year",
    "region",
    "vintage",
    "timeslice",
    "user_constraint",
)
UNIT_COLUMNS = ("unit", "currency")


def create_raw_result(connection: duckdb.DuckDBPyConnection, *, with_units: bool = False) -> None:
    """Create the temporary table of result rows: text in every dimension, DOUBLE value.

    "No value" (``-``, ``NONE`` or empty in the file) is ``'-'`` in every column, year included.
    Where a file names the unit of every row, ``with_units`` adds the columns ``unit`` and
    ``currency`` (NULL: what the tables of processes and commodities say holds).
    """
    names = (*RAW_RESULT_COLUMNS, *(UNIT_COLUMNS if with_units else ()))
    columns = ", ".join(f"{name} VARCHAR" for name in names)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE raw_result ({columns}, value DOUBLE)")


def store_coded_results(
    columns: Mapping[str, tuple[NDArray[np.integer[Any]], list[str]]],
    values: NDArray[np.float64],
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Make ``raw_result``, in codes, of all its columns; NaN stands for a missing value.

    Each of ``RAW_RESULT_COLUMNS`` has a number per row, and the sorted texts that these are the
    positions of.
    """
    import pandas as pd  # slow to load: see importing._load_soon

    codes.make(connection, {name: texts for name, (_, texts) in columns.items()})
    categories = {
        name: pd.Categorical.from_codes(places, categories=pd.Index(texts))
        for name, (places, texts) in columns.items()
    }
    frame = pd.DataFrame({**categories, "value": values}, copy=False)
    connection.register("coded_columns", frame)
    # DuckDB takes categories for an ENUM: with the same texts it is the same type.
    cells = ", ".join(f"{name}::{codes.type_of(name)} AS {name}" for name in RAW_RESULT_COLUMNS)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE raw_result AS SELECT {cells}, value FROM coded_columns"
    )
    connection.unregister("coded_columns")


def raw_result_as_text(connection: duckdb.DuckDBPyConnection) -> None:
    """Turn codes in ``raw_result`` back into text, so that any text may be added to it.

    A reader may fill ``raw_result`` with codes (see ``catalogs.codes``), which is faster where
    there are millions of rows.
    """
    if not codes.dimensions(connection):
        return
    columns = ", ".join(f"{name}::VARCHAR AS {name}" for name in RAW_RESULT_COLUMNS)
    connection.execute(
        f"CREATE TEMP TABLE raw_text AS SELECT * REPLACE ({columns}) FROM raw_result"
    )
    connection.execute("DROP TABLE raw_result")
    connection.execute("ALTER TABLE raw_text RENAME TO raw_result")
    codes.drop(connection)


def report(
    connection: duckdb.DuckDBPyConnection,
    severity: str,
    topic: str,
    message: str,
    *,
    file: str | None = None,
    line: int | None = None,
    count: int | None = None,
) -> None:
    """Note something in the import report.

    ``severity`` is info or warning, ``topic`` one of ``catalogs.import_report.TOPICS``.
    """
    connection.execute(
        "INSERT INTO import_report VALUES (?, ?, ?, ?, ?, ?)",
        [severity, topic, file, line, message, count],
    )


def account(
    connection: duckdb.DuckDBPyConnection,
    file: str,
    content: str,
    *,
    read: int,
    kept: int,
    merged: int = 0,
    conflicting: int = 0,
    left_out: int = 0,
) -> None:
    """Note what became of the rows of a file; the last four counts add up to ``read``.

    Readers do so for what lies beside the results; the import does it for the results.
    """
    connection.execute(
        "INSERT INTO import_account VALUES (?, ?, ?, ?, ?, ?, ?)",
        [file, content, read, kept, merged, conflicting, left_out],
    )
