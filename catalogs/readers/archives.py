"""Zip files from elsewhere: what is checked before anything in them is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from catalogs.errors import UnreadableFileError
from catalogs.readers.text_files import first_bytes

ZIP_MAGIC = b"PK\x03\x04"

#: Bytes up to which a part may be squeezed by any factor.
_HARMLESS = 2**24
#: How far larger parts may have been squeezed; a zip bomb is squeezed a thousandfold.
LARGEST_RATIO = 250


def is_zip(path: Path) -> bool:
    """Whether the first bytes are those of a zip."""
    return first_bytes(path, 4) == ZIP_MAGIC


def open_zip(path: Path, *, largest: int, expected: str) -> zipfile.ZipFile:
    """Open a zip whose parts together unpack to at most ``largest`` bytes.

    Raises ``UnreadableFileError`` for a file that is no zip, is encrypted, names a file outside
    itself (``../``, ``/``), or would unpack to absurdly much.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, OSError) as error:
        raise UnreadableFileError(
            path.name, "the file is not a whole zip", expected, details=str(error)
        ) from error
    try:
        _check(archive, path.name, largest, expected)
    except UnreadableFileError:
        archive.close()
        raise
    return archive


def _check(archive: zipfile.ZipFile, file: str, largest: int, expected: str) -> None:
    total = 0
    for entry in archive.infolist():
        name = entry.filename
        if is_outside(name):
            raise UnreadableFileError(
                file, f"the zip names a file outside itself, {name}", expected
            )
        if entry.flag_bits & 1:
            raise UnreadableFileError(file, f"{name} is encrypted", expected)
        squeezed = max(entry.compress_size, 1)
        if entry.file_size > _HARMLESS and entry.file_size > LARGEST_RATIO * squeezed:
            raise UnreadableFileError(
                file,
                f"{name} would unpack from {entry.compress_size:,} to {entry.file_size:,} bytes",
                f"data squeezed at most {LARGEST_RATIO} times",
            )
        total += entry.file_size
    if total > largest:
        raise UnreadableFileError(
            file, f"the zip would unpack to {total:,} bytes", f"at most {largest:,}"
        )


def is_outside(name: str) -> bool:
    """Whether a part's name leads out of the folder that it would be unpacked into."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or (len(name) > 1 and name[1] == ":")
