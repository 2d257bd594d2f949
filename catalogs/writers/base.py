"""What a writer is: it turns a selection of a dataset into a file of one format.

A new format is one module here with ``Writer`` entries, and one line in ``writers/__init__.py``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from catalogs.query import Query
from catalogs.source import Answer, Source
from catalogs.writers.selection import Results

#: What can be exported: result rows as they are, or the answer to a question.
Selection = Results | Query

#: What a writer is given: the choice of result rows, or the answer to the question.
Content = Results | Answer


@dataclass(frozen=True)
class Written:
    """What an export wrote.

    ``files`` are names relative to the folder that was written to ('' stands for the one file of
    a stream); ``rows`` counts result rows or rows of the answer; ``left_out`` says in words what
    of the selection is not in the file, with counts.
    """

    rows: int
    files: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Writer:
    """One file format for one or both kinds of selection.

    Parameters
    ----------
    name
        What the command line calls it.
    label
        What a page calls it.
    ending
        Ending of its files, with the dot.
    media_type
        What HTTP calls it.
    takes
        The kinds of selection it can hold.
    write
        Writes a selection to a binary stream, a batch of rows at a time.
    write_folder
        Writes a selection as a folder of files, where the format can be one. The folder is
        empty; files in it need not appear whole, because the folder does.
    """

    name: str
    label: str
    ending: str
    media_type: str
    takes: tuple[type[Results] | type[Query], ...]
    write: Callable[[Source, Content, BinaryIO], Written]
    write_folder: Callable[[Source, Content, Path], Written] | None = None


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside ``path`` for writing, and give it that name if nothing goes wrong."""
    unfinished = _beside(path)
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Make a folder beside ``path``, and give it that name if nothing goes wrong.

    ``path`` must not exist, or be an empty folder.
    """
    unfinished = _beside(path)
    unfinished.mkdir()
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _beside(path: Path) -> Path:
    path = path.resolve()
    return path.with_name(f".{path.name[:100]}.{os.getpid()}.unfinished")
