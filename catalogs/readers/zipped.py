"""Plain zips of result files: whatever the other readers know, packed together.

A zip is unpacked into a temporary folder while it is looked into and again while each of its
scenarios is read; nothing of it stays. Zips within zips are left alone.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from catalogs.errors import UnreadableFileError
from catalogs.readers.archives import is_zip, open_zip
from catalogs.readers.base import (
    Format,
    Progress,
    Reader,
    ScenarioFiles,
    ScenarioHeader,
    no_progress,
    report,
)

#: Bytes that a zip may unpack to.
LARGEST = 8 * 2**30
_EXPECTED = "a whole zip of result files"
#: Stands in every file of an office program, which is a zip but not one of files.
_OFFICE = "[Content_Types].xml"


class ZipReader:
    """Reads what is in a zip with the readers it is given.

    A scenario's ``part`` is the name of its reader, its main file within the zip, and that
    reader's own part.
    """

    name = "zip"
    format = Format("Zip", ".zip", "Files of any of these formats, packed together.")

    def __init__(self, readers: Sequence[Reader]) -> None:
        self.readers = readers

    def gather(self, paths: Sequence[Path]) -> tuple[list[ScenarioFiles], list[Path]]:
        """Claim zips in which there is a file that one of the readers knows."""
        scenarios: list[ScenarioFiles] = []
        others = []
        for path in paths:
            found = self._look_into(path) if _is_plain_zip(path) else []
            scenarios += found
            if not found:
                others.append(path)
        return scenarios, others

    def _look_into(self, path: Path) -> list[ScenarioFiles]:
        with _unpacked(path) as folder:
            inside, _ = self._gather(folder)
            return [ScenarioFiles(self.name, path, part=_part(s, folder)) for s in inside]

    def _gather(self, folder: Path) -> tuple[list[ScenarioFiles], list[Path]]:
        left = sorted(p for p in folder.rglob("*") if p.is_file() and not _is_hidden(p, folder))
        scenarios: list[ScenarioFiles] = []
        for reader in self.readers:
            found, left = reader.gather(left)
            scenarios += found
        return scenarios, left

    def read(
        self,
        files: ScenarioFiles,
        connection: duckdb.DuckDBPyConnection,
        progress: Progress = no_progress,
    ) -> ScenarioHeader:
        """Unpack the zip and let the scenario's own reader read it."""
        progress(0.0, "unpacking")
        with _unpacked(files.main) as folder:
            inside, left = self._gather(folder)
            chosen = next((s for s in inside if _part(s, folder) == files.part), None)
            if chosen is None:
                raise UnreadableFileError(files.main.name, "the file has changed", _EXPECTED)
            reader = next(r for r in self.readers if r.name == chosen.reader)
            header = reader.read(chosen, connection, progress)
        if left:
            names = ", ".join(path.name for path in left[:8])
            message = f"files in the zip that are of no known format were left out: {names}"
            report(connection, "info", "left_out", message, file=files.main.name, count=len(left))
        return header


def _is_plain_zip(path: Path) -> bool:
    if not is_zip(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return _OFFICE not in archive.namelist()
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, OSError):
        return True  # unpacking it says what is wrong


def _is_hidden(path: Path, folder: Path) -> bool:
    """Whether a file is one that systems put beside others (``.DS_Store``, ``__MACOSX``)."""
    return any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)


def _part(files: ScenarioFiles, folder: Path) -> tuple[str, ...]:
    return (files.reader, files.main.relative_to(folder).as_posix(), *files.part)


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """Give a temporary folder with the contents of a zip. Raises ``UnreadableFileError``."""
    with TemporaryDirectory(prefix="times-zip-") as name:
        folder = Path(name).resolve()
        with open_zip(path, largest=LARGEST, expected=_EXPECTED) as archive:
            try:
                archive.extractall(folder)
            except (
                zipfile.BadZipFile,
                zlib.error,
                EOFError,
                OSError,
                NotImplementedError,
            ) as error:
                raise UnreadableFileError(
                    path.name, "the zip is damaged", _EXPECTED, details=str(error)
                ) from error
        yield folder
