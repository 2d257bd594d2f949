"""Finding canonical Parquet on disk: its manifest, and its tables in a folder or a zip.

Nothing a manifest or a zip says of itself is trusted: a file it names must lie in its own folder,
and what would unpack to absurdly much is refused before it is unpacked. The format is described in
``catalogs/canonical.py``.
"""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from catalogs.canonical import FORMAT, FORMAT_VERSION, MANIFEST
from catalogs.errors import UnreadableFileError
from catalogs.readers.archives import ZIP_MAGIC, is_outside, open_zip

#: Bytes. A manifest has a few kilobytes for each scenario.
LARGEST_MANIFEST = 1 << 26
#: Bytes that an export may unpack to: far above any model's, below any disk's.
LARGEST_EXPORT = 1 << 36

_EXPECTED = "what `python -m catalogs export --format parquet` wrote"


@dataclass(frozen=True)
class TableFile:
    """A file of the export: its path below the manifest's folder, and the rows it should have."""

    path: PurePosixPath
    rows: int


@dataclass(frozen=True)
class CanonicalScenario:
    """A scenario as a manifest describes it; ``part`` says in words which rows it is limited to."""

    key: str
    scenario: str
    model: str
    description: str
    source_format: str
    part: str
    tables: Mapping[str, TableFile]


@dataclass(frozen=True)
class Canonical:
    """A manifest, and where it lies: a file itself, or an entry ``prefix/manifest.json`` of a zip.

    ``file`` is what to call it to a person.
    """

    path: Path
    prefix: str | None
    scenarios: Mapping[str, CanonicalScenario] = field(default_factory=dict)

    @property
    def is_zip(self) -> bool:
        """Whether the tables lie in a zip."""
        return self.prefix is not None

    @property
    def root(self) -> Path:
        """The folder of the tables, where they are not in a zip."""
        return self.path.parent

    def name_of(self, table: TableFile) -> str:
        """What to call a table's file to a person."""
        return f"{self.path.name}: {table.path}" if self.is_zip else str(table.path)


def find(path: Path) -> Canonical | None:
    """Return what a file is the manifest or the zip of, None where it is something else.

    Raises ``UnreadableFileError`` for a manifest of ours that cannot be used.
    """
    with path.open("rb") as file:
        beginning = file.read(4096)
    if beginning.startswith(ZIP_MAGIC):
        return _find_in_zip(path, beginning)
    if beginning.lstrip()[:1] != b"{" or FORMAT.encode() not in beginning:
        return None
    if path.stat().st_size > LARGEST_MANIFEST:
        raise UnreadableFileError(
            path.name, f"the manifest is larger than {LARGEST_MANIFEST:,} bytes", _EXPECTED
        )
    return Canonical(path, None, _parse(path.read_bytes(), path.name))


def _find_in_zip(path: Path, beginning: bytes) -> Canonical | None:
    try:
        with zipfile.ZipFile(path) as archive:
            entry = _manifest_entry(archive)
            if entry is None:
                return None
            content = archive.read(entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError, NotImplementedError) as e:
        if MANIFEST.encode() not in beginning:
            return None
        raise UnreadableFileError(
            path.name, "the zip is cut off or damaged", _EXPECTED, details=str(e)
        ) from e
    if FORMAT.encode() not in content[:4096]:
        return None
    open_zip(path, largest=LARGEST_EXPORT, expected=_EXPECTED).close()
    prefix = entry.filename.removesuffix(MANIFEST)
    return Canonical(path, prefix, _parse(content, path.name))


def _manifest_entry(archive: zipfile.ZipFile) -> zipfile.ZipInfo | None:
    """Return the manifest at the top of a zip, or in the folder that was zipped whole."""
    for entry in archive.infolist():
        parts = entry.filename.split("/")
        readable = entry.file_size <= LARGEST_MANIFEST and not entry.flag_bits & 1
        if parts[-1] == MANIFEST and len(parts) <= 2 and readable:
            return entry
    return None


# ---------------------------------------------------------------------------- the manifest


def _parse(content: bytes, file: str) -> dict[str, CanonicalScenario]:
    """Read a manifest; return its scenarios by key. Raises ``UnreadableFileError``."""
    try:
        manifest: Any = json.loads(content)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise UnreadableFileError(
            file, "the manifest is cut off or no JSON", _EXPECTED, details=str(error)
        ) from error
    written = manifest.get("format_version")
    if written != FORMAT_VERSION:
        raise UnreadableFileError(
            file,
            f"it has the format version {written!r}",
            f"version {FORMAT_VERSION}; export it again with this version of the program, or"
            " import it with the one that wrote it",
        )
    try:
        part = _part(manifest["selection"])
        scenarios = [_scenario(entry, part) for entry in manifest["scenarios"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableFileError(
            file, "the manifest does not describe its scenarios", _EXPECTED, details=repr(error)
        ) from error
    found = {scenario.key: scenario for scenario in scenarios}
    if not found or len(found) < len(scenarios):
        problem = "names a scenario twice" if found else "names no scenario"
        raise UnreadableFileError(file, f"the manifest {problem}", _EXPECTED)
    return found


def _part(selection: Mapping[str, list[object]]) -> str:
    limits = [(name, ", ".join(map(str, values))) for name, values in selection.items()]
    return "; ".join(f"{name} {values}" for name, values in limits if values)


def _scenario(entry: Mapping[str, Any], part: str) -> CanonicalScenario:
    return CanonicalScenario(
        **{
            name: _text(entry[name])
            for name in ("key", "scenario", "model", "description", "source_format")
        },
        part=part,
        tables={
            name: TableFile(_safe(table["file"]), _count(table["rows"]))
            for name, table in entry["tables"].items()
        },
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is no number of rows")
    return value


def _safe(name: object) -> PurePosixPath:
    """Return a path below the manifest's folder; raise ``ValueError`` for one outside it."""
    path = PurePosixPath(_text(name))
    if is_outside(str(path)) or not path.parts or "\0" in str(path):
        raise ValueError(f"{name!r} is no path below the manifest's folder")
    return path


# ---------------------------------------------------------------------------- its tables


@contextmanager
def tables_on_disk(found: Canonical, scenario: CanonicalScenario) -> Iterator[Mapping[str, Path]]:
    """Give the files of a scenario's tables, out of the zip where they are in one.

    Raises ``UnreadableFileError`` for files that are missing, outside the folder, or not safe to
    unpack.
    """
    if not found.is_zip:
        yield {name: _in_folder(found, table) for name, table in scenario.tables.items()}
        return
    with TemporaryDirectory(prefix="times-parquet-") as folder:
        yield _unpack(found, scenario, Path(folder))


def _in_folder(found: Canonical, table: TableFile) -> Path:
    path = found.root / table.path
    if not path.resolve().is_relative_to(found.root.resolve()):
        raise UnreadableFileError(
            str(table.path), "it is a link to a file outside the folder of the export", _EXPECTED
        )
    if not path.is_file():
        raise _missing(found, table)
    return path


def _unpack(found: Canonical, scenario: CanonicalScenario, folder: Path) -> dict[str, Path]:
    """Unpack a scenario's tables under names of our own."""
    unpacked = {}
    try:
        with open_zip(found.path, largest=LARGEST_EXPORT, expected=_EXPECTED) as archive:
            names = set(archive.namelist())
            for number, (table, file) in enumerate(scenario.tables.items()):
                name = f"{found.prefix}{file.path}"
                if name not in names:
                    raise _missing(found, file)
                unpacked[table] = folder / f"{number}.parquet"
                with archive.open(name) as packed, unpacked[table].open("wb") as target:
                    shutil.copyfileobj(packed, target, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise UnreadableFileError(
            found.path.name, "the zip is cut off or damaged", _EXPECTED, details=str(error)
        ) from error
    return unpacked


def _missing(found: Canonical, table: TableFile) -> UnreadableFileError:
    return UnreadableFileError(
        found.path.name,
        f"it names {table.path}, which is not there",
        "the whole folder or zip that was exported",
    )
