"""Opening text files that may be compressed or in an old encoding.

VEDA and GAMS write whatever bytes a model's author typed. A vintage of one byte 0xA4
(early-retired capacity) is common, so a byte that is not UTF-8 is read as Windows-1252 and
counted, never dropped.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from catalogs.errors import UnreadableFileError

_CHUNK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: No line of a VEDA file comes near this; one that does is a binary or broken file.
MAX_LINE = 1 << 20
#: Characters; the csv module refuses a cell beyond it, which may be a whole line.
_LONGEST_CELL = csv.field_size_limit()
#: Begins a note; what a modeller wrote behind it may hold separators.
_NOTE = re.compile(r"\*|\w+=")


class _Windows1252Fallback:
    """A decoder of UTF-8 that reads what is not UTF-8 as Windows-1252, and counts it."""

    name = "times-windows-1252"

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        byte = error.object[error.start : error.start + 1]
        try:
            return byte.decode("cp1252"), error.start + 1
        except UnicodeDecodeError:  # five bytes have no meaning in Windows-1252
            return byte.decode("latin-1"), error.start + 1


codecs.register_error(_Windows1252Fallback.name, _Windows1252Fallback())


def decode(data: bytes) -> str:
    """Return ``data`` as text: UTF-8, and Windows-1252 for each byte that is not."""
    return data.removeprefix(_BYTE_ORDER_MARK).decode("utf-8", _Windows1252Fallback.name)


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, through gzip where its first bytes say so."""
    try:
        with path.open("rb") as plain:
            if is_compressed(plain.read(2)):
                plain.seek(0)
                with gzip.open(plain) as unpacked:
                    yield io.BufferedReader(unpacked)
            else:
                plain.seek(0)
                yield plain
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableFileError(
            path.name, "the compressed file is cut off or damaged", "a whole gzip file"
        ) from error
    except FileNotFoundError as error:
        raise UnreadableFileError(path.name, "there is no such file") from error
    except (PermissionError, IsADirectoryError) as error:
        raise UnreadableFileError(path.name, "it cannot be opened", "a readable file") from error


def first_bytes(path: Path, count: int = 64) -> bytes:
    """Return how a file begins; nothing where it cannot be opened, which reading it will say."""
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except OSError:
        return b""


def is_compressed(beginning: bytes) -> bool:
    """Whether a file that begins so is packed by gzip."""
    return beginning.startswith(_GZIP_MAGIC)


@dataclass(frozen=True)
class PlainText:
    """A file on disk that is surely UTF-8 and not compressed.

    ``repaired`` counts the bytes that were not UTF-8; ``ends_with_newline`` is False when the
    last line may be cut off.
    """

    path: Path
    repaired: int
    ends_with_newline: bool


@contextmanager
def as_plain_utf8(path: Path) -> Iterator[PlainText]:
    """Give ``path`` itself where it is plain UTF-8, else a temporary copy that is."""
    with TemporaryDirectory(prefix="times-") as folder:
        with open_bytes(path) as stream:
            copy, repaired, last = _check_or_copy(
                stream, Path(folder) / "text", must_copy=is_compressed(first_bytes(path))
            )
        yield PlainText(copy or path, repaired, last in (b"\n", b""))


def _check_or_copy(
    stream: BinaryIO, target: Path, must_copy: bool
) -> tuple[Path | None, int, bytes]:
    """Read the whole stream; write a UTF-8 copy to ``target`` if one is needed."""
    if not must_copy:
        valid, last = _is_utf8(stream)
        if valid:
            return None, 0, last
        stream.seek(0)
    last, repaired = b"", 0
    decoder = codecs.getincrementaldecoder("utf-8")(_Windows1252Fallback.name)
    with target.open("w", encoding="utf-8", newline="") as copy:
        while chunk := stream.read(_CHUNK):
            last = chunk[-1:]
            text = decoder.decode(chunk)
            repaired += _count_repaired(chunk)
            copy.write(text.removeprefix("\ufeff"))
        copy.write(decoder.decode(b"", final=True))
    return target, repaired, last


def _is_utf8(stream: BinaryIO) -> tuple[bool, bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    last = b""
    try:
        while chunk := stream.read(_CHUNK):
            last = chunk[-1:]
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False, last
    return True, last


def _count_repaired(chunk: bytes) -> int:
    """Count the bytes of a chunk that are not UTF-8 (a character cut by its end counts too)."""
    try:
        chunk.decode("utf-8")
    except UnicodeDecodeError:
        return (
            chunk.decode("utf-8", "surrogateescape")
            .encode("utf-16", "surrogatepass")
            .count(b"\xdc")
        )
    return 0


def read_delimited(
    path: Path, *, separator: str = ",", quote: str = '"'
) -> Iterator[tuple[int, list[str]]]:
    """Yield ``(line number, cells)`` of a small delimited file; blank lines are left out.

    A line that is a note rather than cells (``* ...`` or ``ScenDesc=...``) comes as one cell.
    """
    with open_bytes(path) as stream:
        line_number = 0
        while raw := stream.readline(MAX_LINE + 1):
            line_number += 1
            if len(raw) > MAX_LINE:
                raise UnreadableFileError(
                    path.name,
                    "the line is longer than a megabyte",
                    "a text file",
                    line=line_number,
                )
            line = decode(raw).rstrip("\r\n")
            if not line.strip():
                continue
            if _NOTE.match(line):
                yield line_number, [line]
                continue
            if (cells := _plain_cells(line, separator, quote)) is not None:
                yield line_number, cells
                continue
            try:
                yield line_number, next(csv.reader([line], delimiter=separator, quotechar=quote))
            except csv.Error as error:
                raise UnreadableFileError(
                    path.name,
                    "the line cannot be read",
                    f"cells separated by {separator!r}",
                    line=line_number,
                    details=str(error),
                ) from error


def _plain_cells(line: str, separator: str, quote: str) -> list[str] | None:
    """Cut a line whose cells are all quoted, or none is, as nearly all are; None for any other."""
    if "\r" in line or len(line) > _LONGEST_CELL:
        return None
    quotes = line.count(quote)
    if not quotes:
        return line.split(separator)
    cells = line[1:-1].split(quote + separator + quote)
    is_plain = quotes == 2 * len(cells) and line[0] == quote == line[-1]
    return cells if is_plain else None
