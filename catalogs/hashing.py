"""The hashes of input files, worked out beside reading them.

Hashing a large file takes as long as a good part of reading it, and leaves Python to others
meanwhile. A file that belongs to many scenarios is hashed once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from catalogs import semantics
from catalogs.store import InputFile

#: Part of every data version: raise it when a reader or a derived table changes its meaning.
IMPORT_VERSION = 6


@dataclass(frozen=True)
class Inputs:
    """The files that a scenario is made from; asking what is in them waits for their hashes."""

    sizes: tuple[int, ...]
    _found: tuple[Future[InputFile], ...]

    def files(self) -> tuple[InputFile, ...]:
        """Return the files with their hashes, in order. Raises ``OSError``."""
        return tuple(found.result() for found in self._found)

    def digest(self, model: str, part: Sequence[str]) -> str:
        """Hash what a scenario is made from: its files, the rules, and this program's readings."""
        digest = hashlib.sha256(f"{IMPORT_VERSION}\n{model}\n".encode())
        for file in self.files():
            digest.update(f"{file.name}\t{file.sha256}\n".encode())
        for name in part:
            digest.update(f"{name}\n".encode())
        digest.update(semantics.digest())
        return digest.hexdigest()


class Hashing:
    """Hashes files in a thread of its own, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="hash")
        self._found: dict[Path, Future[InputFile]] = {}

    def start(self, paths: Sequence[Path]) -> Inputs:
        """Begin to hash files, those that are not yet. Raises ``OSError``."""
        for path in paths:
            if path not in self._found:
                self._found[path] = self._pool.submit(_input_file, path)
        sizes = tuple(path.stat().st_size for path in paths)
        return Inputs(sizes, tuple(self._found[path] for path in paths))

    def close(self) -> None:
        """Hash nothing that has not been begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _input_file(path: Path) -> InputFile:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return InputFile(path.name, digest.hexdigest(), stream.tell())
