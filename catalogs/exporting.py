"""Exporting: from a selection of a published dataset to a file of any format.

    export(source, Results(scenarios=("Base",)), "parquet", Path("base.zip"))
    export(source, Query("final_energy", group_by=("fuel",)), "xlsx", Path("fuels.xlsx"))
    download(source, query, "csv").file            for a page: a file-like that is whole

A selection is ``Results`` (rows as imported) or a ``Query`` (the answer to a question). A file
appears under its name only when it is complete.
"""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, cast

from catalogs.errors import TimesError
from catalogs.query import Query
from catalogs.source import Source
from catalogs.writers import WRITERS
from catalogs.writers.base import Content, Selection, Writer, Written, whole_file, whole_folder
from catalogs.writers.selection import Results, answer_of

__all__ = ["Download", "Results", "Selection", "Writer", "Written", "download", "export", "formats"]

#: Bytes up to which a download is held in memory; a larger one stays a temporary file.
_IN_MEMORY = 1 << 24

_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Download:
    """A whole export to hand to a browser.

    ``file`` stands at its beginning, open for reading. Close it when it has been read: a large
    one is a temporary file, which goes then. ``name`` is a name for the file, ``media_type``
    what HTTP calls it.
    """

    file: IO[bytes]
    name: str
    media_type: str
    written: Written


def formats(kind: type[Results] | type[Query]) -> list[Writer]:
    """Return the formats that can hold a kind of selection, in the order to offer them."""
    return [writer for writer in WRITERS if kind in writer.takes]


def writer_of(name: str, selection: Selection) -> Writer:
    """Return the writer of a format for a selection. Raises ``TimesError``."""
    named = [writer for writer in WRITERS if writer.name == name]
    if not named:
        raise TimesError(
            f"There is no format {name!r}.",
            f"Choose one of {', '.join(dict.fromkeys(w.name for w in WRITERS))}.",
        )
    for writer in named:
        if type(selection) in writer.takes:
            return writer
    possible = ", ".join(writer.name for writer in formats(type(selection)))
    raise TimesError(
        f"{named[0].label} holds result rows as they are, not the answer to a measure."
        if isinstance(selection, Query)
        else f"{named[0].label} holds the answer to a measure, not result rows.",
        f"Choose one of {possible}.",
    )


def export(source: Source, selection: Selection, name: str, to: Path | BinaryIO) -> Written:
    """Write a selection in a format to a path or a binary stream; return what was written.

    A path is replaced when the new file is complete, and left as it was on any error. Where the
    format can be a folder, a path that does not end as its files do is one; it must be new or
    empty. A stream gets rows as they are read.

    Raises
    ------
    TimesError
        The format does not exist, or cannot hold the selection; the folder is not empty.
    UnknownNameError, NotAvailableError
        The selection names what the dataset does not have, or holds nothing.
    MixedUnitsError, NotAdditiveError
        The question makes no sense, see ``Source.ask``.
    """
    writer = writer_of(name, selection)
    content = _content(source, selection)
    if not isinstance(to, Path):
        return _noted(content, writer.write(source, content, to))
    if writer.write_folder and (to.is_dir() or to.suffix.lower() != writer.ending):
        _refuse_full_folder(to)
        with whole_folder(to) as folder:
            return _noted(content, writer.write_folder(source, content, folder))
    if to.is_dir():
        raise TimesError(
            f"{to} is a folder, and {writer.label} is one file.",
            f"Name a file in it, such as {to / ('export' + writer.ending)}.",
        )
    with whole_file(to) as file:
        written = writer.write(source, content, file)
    return replace(_noted(content, written), files=(to.name,))


def download(source: Source, selection: Selection, name: str) -> Download:
    """Return a selection in a format as a file-like; see ``export`` for what it raises.

    For a page: ``formats(Query)`` lists what to offer; Panel's ``FileDownload`` takes ``file``
    as what its callback returns and ``name`` as ``filename``.
    """
    writer = writer_of(name, selection)
    content = _content(source, selection)
    file: IO[bytes] = TemporaryFile()  # noqa: SIM115 - open for whoever reads it
    try:
        written = _noted(content, writer.write(source, content, cast(BinaryIO, file)))
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    if size <= _IN_MEMORY:
        with file as small:
            file = io.BytesIO(small.read())
    return Download(file, file_name(source, selection, writer), writer.media_type, written)


def _content(source: Source, selection: Selection) -> Content:
    return selection if isinstance(selection, Results) else answer_of(source, selection)


def _noted(content: Content, written: Written) -> Written:
    """Add what is not in the answer itself to what the format has no place for."""
    if isinstance(content, Results):
        return written
    return replace(written, left_out=(*content.left_out, *written.left_out))


def file_name(source: Source, selection: Selection, writer: Writer) -> str:
    """Return a name for the file of an export: what it holds, of which dataset."""
    if isinstance(selection, Query):
        words = [
            source.dataset,
            selection.measure,
            *(f"by-{group}" for group in selection.group_by),
        ]
    else:
        words = [source.dataset, *(selection.scenarios or ("results",))[:3]]
    stem = "_".join(_UNSAFE.sub("-", word).strip("-.") for word in words)[:100]
    return f"{stem}{writer.ending}"


def _refuse_full_folder(path: Path) -> None:
    if path.exists() and not (path.is_dir() and not os.listdir(path)):
        raise TimesError(
            f"{path} is there already.",
            "Name a new folder, or empty that one: an export never mixes with other files.",
        )
