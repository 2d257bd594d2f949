"""GAMS MIRO scenarios of TIMES: ``.miroscen`` files, and the ``data.gdx`` within them.

A ``.miroscen`` is a zip of ``data.gdx``, ``metadata.json`` (the scenario's name), ``views.json``
and ``attachments/``. The GDX holds the results in one parameter, ``cubeoutput``, and the model's
inputs in another, ``cubeinput`` (GAMS-dev/TIMES_MIRO); see ``miro_inputs`` and ``miro_tables``
for what is taken from those.
"""

from __future__ import annotations

import errno
import json
import shutil
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from catalogs.errors import UnreadableFileError
from catalogs.readers import gdx_times, miro_inputs, miro_tables
from catalogs.readers.archives import is_outside, is_zip
from catalogs.readers.base import (
    RAW_RESULT_COLUMNS,
    Format,
    Progress,
    ScenarioFiles,
    ScenarioHeader,
    create_raw_result,
    no_progress,
    report,
    store_coded_results,
)
from catalogs.readers.gdx import GdxContents, is_gdx, numbers, read_gdx, require_extra
from catalogs.readers.text_files import first_bytes

ARCHIVE_SUFFIX = ".miroscen"
DATA = "data.gdx"
METADATA = "metadata.json"

#: Bytes. What a ``data.gdx`` may unpack to: far above any model's, below any disk's.
LARGEST_DATA = 8 * 2**30
LARGEST_METADATA = 2**20

#: How far data may have been squeezed. GDX squeezes about tenfold; a zip bomb a thousandfold.
LARGEST_RATIO = 250

#: The name in ``cubeoutput`` of each column of ``raw_result``.
_RESULT_DOMAIN = {
    "sow": "sow",
    "attribute": "soname",
    "commodity": "com_grp",
    "process": "prc",
    "year": "allyear",
    "region": "all_reg",
    "vintage": "vintage",
    "timeslice": "all_ts",
    "user_constraint": "uc_n",
}
_RESULT_ORDER = (
    "soname",
    "sow",
    "com_grp",
    "prc",
    "allyear",
    "all_reg",
    "vintage",
    "all_ts",
    "uc_n",
)

#: What ``zipfile`` raises for a damaged archive, where offsets and sizes may be anything.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
)

_EXPECTED_ARCHIVE = "the zip that GAMS MIRO exports as a scenario, with a data.gdx in it"
_EXPECTED_SYMBOLS = (
    "the symbol cubeoutput (and cubeinput), as TIMES in GAMS MIRO writes them, or those of a TIMES"
    " run (f_in, f_out, par_actl, par_capl, reg_obj ...)"
)


class MiroReader:
    """Reads ``.miroscen``, the bare ``.gdx`` out of one, and the ``.gdx`` of a TIMES run."""

    name = "miro"
    format = Format(
        "GAMS MIRO and GDX",
        ".miroscen",
        "A scenario as TIMES MIRO exports it, a zip; or the data.gdx out of it, or of a TIMES run."
        " It brings its own units, sets and topology.",
    )

    def gather(self, paths: Sequence[Path]) -> tuple[list[ScenarioFiles], list[Path]]:
        """Claim ``.miroscen`` and ``.gdx`` files, each a scenario; see ``Reader.gather``.

        Raises ``UnreadableFileError`` for one that is not what its name says.
        """
        scenarios, others = [], []
        for path in paths:
            suffix = path.suffix.lower()
            if suffix == ARCHIVE_SUFFIX or _holds_data(path):
                with _open_archive(path):
                    pass
            elif suffix == ".gdx" or _begins_as_gdx(path):
                _check_gdx(path)
            else:
                others.append(path)
                continue
            scenarios.append(ScenarioFiles(self.name, path))
        return scenarios, others

    def read(
        self,
        files: ScenarioFiles,
        connection: duckdb.DuckDBPyConnection,
        progress: Progress = no_progress,
    ) -> ScenarioHeader:
        """Fill the canonical tables and ``raw_result``; see ``Reader.read``.

        The scenario is named by ``metadata.json``, else by the file. The model's name is nowhere
        in the file (the metadata's ``model`` is that of the MIRO application).
        """
        require_extra()
        path = files.main
        header = ScenarioHeader(scenario=path.stem, source_format="GAMS MIRO")
        progress(0.0, "unpacking")
        if path.suffix.lower() == ARCHIVE_SUFFIX or not _begins_as_gdx(path):
            with TemporaryDirectory(prefix="times-miro-") as folder:
                metadata = _unpack(path, Path(folder), connection)
                _name(header, metadata, path, connection)
                contents = _read_data(Path(folder, DATA), path.name, progress)
        else:
            _check_gdx(path)
            contents = _read_data(path, path.name, progress)
        progress(0.5, "storing results")
        if "cubeoutput" in contents.symbols:
            store_results, load_inputs = _store_results, miro_inputs.load
        else:
            header.source_format = "GDX of TIMES"
            store_results, load_inputs = gdx_times.store_results, gdx_times.load_inputs
        header.rows_read = store_results(contents, path.name, connection)
        progress(0.8, "storing what the model says of processes and commodities")
        header.notes.update(miro_tables.store(contents, path.name, connection, load_inputs))
        progress(1.0, "read")
        return header


def _open_archive(path: Path) -> zipfile.ZipFile:
    """Open a ``.miroscen``; raise ``UnreadableFileError`` if it is none, or not safe to unpack."""
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGED as error:
        _raise_if_of_the_disk(error)
        problem = "the file is empty" if not path.stat().st_size else "the file is not a zip"
        raise UnreadableFileError(
            path.name, problem, _EXPECTED_ARCHIVE, details=str(error)
        ) from error
    names = archive.namelist()
    if DATA not in names:
        archive.close()
        inside = f"it holds {_some(names)}" if names else "it holds nothing"
        raise UnreadableFileError(path.name, f"the zip has no {DATA}; {inside}", _EXPECTED_ARCHIVE)
    try:
        _check_sizes(archive, path.name)
    except UnreadableFileError:
        archive.close()
        raise
    return archive


def _raise_if_of_the_disk(error: Exception) -> None:
    """Raise again what is no fault of the archive's: a place before its begin is one (EINVAL)."""
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        raise error


def _check_sizes(archive: zipfile.ZipFile, file: str) -> None:
    """Refuse names that lead outside, and what would unpack to absurdly much.

    ``zipfile`` never unpacks more than the archive says.
    """
    if outside := [name for name in archive.namelist() if is_outside(name)]:
        raise UnreadableFileError(
            file, f"the zip names a file outside itself, {outside[0]}", _EXPECTED_ARCHIVE
        )
    for name, largest in ((DATA, LARGEST_DATA), (METADATA, LARGEST_METADATA)):
        if name not in archive.namelist():
            continue
        entry = archive.getinfo(name)
        if entry.flag_bits & 1:
            raise UnreadableFileError(file, f"{name} is encrypted", _EXPECTED_ARCHIVE)
        if entry.file_size > largest:
            raise UnreadableFileError(
                file, f"{name} would unpack to {entry.file_size:,} bytes", f"at most {largest:,}"
            )
        if entry.file_size > LARGEST_RATIO * max(entry.compress_size, 1):
            raise UnreadableFileError(
                file,
                f"{name} would unpack from {entry.compress_size:,} to {entry.file_size:,} bytes",
                f"data squeezed at most {LARGEST_RATIO} times, as no real GDX is squeezed more",
            )


def _holds_data(path: Path) -> bool:
    """Whether a file of any other name is a zip with a ``data.gdx``."""
    if not is_zip(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return DATA in archive.namelist()
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, OSError):
        return False


def _begins_as_gdx(path: Path) -> bool:
    return is_gdx(first_bytes(path))


def _check_gdx(path: Path) -> None:
    """Raise ``UnreadableFileError`` unless the file begins as GDX does."""
    if not _begins_as_gdx(path):
        raise UnreadableFileError(
            path.name, "the file does not begin as a GDX file does", "a GDX file of GAMS"
        )


def _unpack(path: Path, folder: Path, connection: duckdb.DuckDBPyConnection) -> bytes | None:
    """Write ``data.gdx`` into ``folder`` and return ``metadata.json``, None if there is none.

    Everything else in the archive is left, and said to be left, in the import report.
    """
    with _open_archive(path) as archive:
        try:
            with archive.open(DATA) as packed, (folder / DATA).open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, 2**20)
            metadata = archive.read(METADATA) if METADATA in archive.namelist() else None
        except _DAMAGED as error:
            _raise_if_of_the_disk(error)
            raise UnreadableFileError(
                path.name, "the zip is damaged", _EXPECTED_ARCHIVE, details=str(error)
            ) from error
        left = [
            entry.filename
            for entry in archive.infolist()
            if entry.filename not in {DATA, METADATA} and not entry.is_dir()
        ]
    if left:
        message = f"Parts of the archive that hold no model data were not read: {_some(left)}."
        report(connection, "info", "left_out", message, file=path.name, count=len(left))
    return metadata


def _name(
    header: ScenarioHeader,
    metadata: bytes | None,
    path: Path,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Take the scenario's name and notes from ``metadata.json``, as far as it can be read."""
    problem, found = "is missing", {}
    if metadata is not None:
        problem = "cannot be read"
        try:
            parsed = json.loads(metadata)
        except (UnicodeDecodeError, json.JSONDecodeError):
            parsed = None
        if isinstance(parsed, dict):
            problem, found = "has no scen_name", parsed
    header.notes |= _text_notes(found)
    scenario = found.get("scen_name")
    if isinstance(scenario, str) and scenario.strip():
        header.scenario = scenario.strip()
        return
    message = f"{METADATA} {problem}; the scenario is named after the file, {path.stem}."
    report(connection, "warning", "name", message, file=path.name)


def _text_notes(metadata: dict[str, Any]) -> dict[str, str]:
    """Pick from the metadata what is worth keeping. Not ``uid``: that is a person's name."""
    names = {
        "model": "miro_application",
        "created_by": "written_by",
        "last_modified": "last_modified",
        "scen_tags": "tags",
    }
    return {
        note: value
        for name, note in names.items()
        if isinstance(value := metadata.get(name), str) and value
    }


def _read_data(path: Path, shown_as: str, progress: Progress) -> GdxContents:
    """Read the symbols needed; raise ``UnreadableFileError`` if there are no results."""
    progress(0.1, "reading GDX")
    wanted = ("cubeoutput", *miro_inputs.SYMBOLS, *gdx_times.symbols())
    contents = read_gdx(
        path,
        tuple(dict.fromkeys(wanted)),
        shown_as=shown_as,
        only={"cubeinput": miro_inputs.USED},
    )
    symbol = contents.symbols.get("cubeoutput")
    if symbol is None and gdx_times.is_times_run(contents):
        return contents
    if symbol is None:
        names = [found.name for found in contents.symbols.values()]
        raise UnreadableFileError(
            shown_as,
            f"the GDX has no results of TIMES; it holds {_some(names) if names else 'no symbols'}",
            _EXPECTED_SYMBOLS,
        )
    if symbol.kind != "parameter" or symbol.dimension != len(_RESULT_ORDER):
        raise UnreadableFileError(
            shown_as,
            f"cubeoutput is a {symbol.kind} of {symbol.dimension} dimensions",
            f"a parameter of {len(_RESULT_ORDER)}: {', '.join(_RESULT_ORDER)}",
        )
    return contents


def _store_results(contents: GdxContents, file: str, connection: duckdb.DuckDBPyConnection) -> int:
    """Fill ``raw_result`` from ``cubeoutput``, row by row as in the file; return the rows."""
    keys = contents.keys["cubeoutput"]
    domain = contents.symbols["cubeoutput"].domain
    order = domain if set(domain) == set(_RESULT_ORDER) else _RESULT_ORDER
    found = numbers(contents.numbers["cubeoutput"])
    rows = len(keys)
    if rows:
        columns = {
            name: contents.coded(keys[:, order.index(_RESULT_DOMAIN[name])])
            for name in RAW_RESULT_COLUMNS
        }
        values = found.values.to_numpy(zero_copy_only=False)
        store_coded_results(columns, values, connection)
    else:
        create_raw_result(connection)
    report(connection, "info", "read", "Result rows read from cubeoutput.", file=file, count=rows)
    for kind, count in found.special.items():
        kept = "kept" if kind.endswith("INF") else "kept without a value"
        message = f"Result rows whose value is {kind} in GAMS were {kept}."
        report(connection, "warning", "special_value", message, file=file, count=count)
    return rows


def _some(names: Sequence[str], most: int = 8) -> str:
    """Return some of the names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
