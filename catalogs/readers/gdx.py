"""GDX, the data file of GAMS: read symbols of it as NumPy and Arrow columns.

GDX is read by GAMS's own library (PyPI ``gamsapi`` with ``gamspy_base``), an optional extra with
GAMS's own terms; no GAMS installation is needed. The arrays are taken as the library keeps them
(positions in one list of labels), which is several times faster than its data frames.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalogs.errors import MissingExtraError, UnreadableFileError
from catalogs.readers import gdx_process
from catalogs.tables import NO_VALUE

#: Stands within the first bytes of every GDX file (after its number formats, at byte 20).
MAGIC = b"GAMSGDX"
_MAGIC_WITHIN = 64

_PACKAGES = ("gams", "gamspy_base")

#: Seconds. The largest file at hand takes one; a damaged one can keep the library busy for ever.
_TIME_LIMIT = 600

#: How the library shows GAMS's special values; above them are acronyms (no numbers either).
_UNDEFINED, _NOT_AVAILABLE, _INFINITY, _MINUS_INFINITY, _EPSILON = 1e300, 2e300, 3e300, 4e300, 5e300

#: What the library makes of a byte that is not UTF-8.
_ESCAPED_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")


def is_gdx(first_bytes: bytes) -> bool:
    """Whether a file that begins so is GDX."""
    return MAGIC in first_bytes[:_MAGIC_WITHIN]


def require_extra() -> None:
    """Raise ``MissingExtraError`` unless the packages that read GDX are installed."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise _missing_extra(f"Not installed: {', '.join(missing)}.")


def _missing_extra(details: str) -> MissingExtraError:
    return MissingExtraError(
        "Reading GDX and MIRO files needs GAMS's data library, which is not installed.",
        'Install it with: pip install "times-energy-analytics[gdx]"',
        details,
    )


@dataclass(frozen=True)
class GdxSymbol:
    """A symbol of a GDX file; ``domain`` has one name per dimension, ``*`` where it has none."""

    name: str
    dimension: int
    kind: str
    rows: int
    domain: tuple[str, ...]


@dataclass(frozen=True)
class Numbers:
    """Values of a parameter, with GAMS's special values turned into what they mean.

    EPS (a zero that is stored) is 0, the infinities are kept, UNDEF, NA and acronyms are null.
    ``special`` counts each kind that occurred.
    """

    values: pa.Array
    special: dict[str, int]


class GdxContents:
    """The symbols of a GDX file, and the rows of those that were asked for.

    ``keys[name]`` is int32, rows x dimension: positions in ``labels``; ``numbers[name]`` are a
    parameter's values, float64; ``texts[name]`` are a set's explanatory texts. Names are in lower
    case: GAMS does not distinguish it.
    """

    def __init__(self, contents: dict[str, Any], folder: Path) -> None:
        self.labels = [_readable(label) for label in contents["labels"]]
        if NO_VALUE not in self.labels:
            self.labels.append(NO_VALUE)
        self.symbols = {
            name.lower(): GdxSymbol(name, **{**described, "domain": tuple(described["domain"])})
            for name, described in contents["symbols"].items()
        }
        self.texts = {
            name: [_readable(text) for text in texts] for name, texts in contents["texts"].items()
        }
        self.keys: dict[str, NDArray[np.int32]] = {}
        self.numbers: dict[str, NDArray[np.float64]] = {}
        for file in folder.glob("*.keys.npy"):
            self.keys[file.name.removesuffix(".keys.npy")] = np.load(file)
        for file in folder.glob("*.values.npy"):
            self.numbers[file.name.removesuffix(".values.npy")] = np.load(file)

    @cached_property
    def _label_array(self) -> pa.Array:
        return pa.array(self.labels, pa.string())

    @cached_property
    def _without_none(self) -> NDArray[np.int32]:
        """Map every position to itself, or to that of ``'-'`` where the label means no value."""
        mapped = np.arange(len(self.labels), dtype=np.int32)
        empty = [n for n, label in enumerate(self.labels) if label.upper() in {"NONE", ""}]
        mapped[empty] = self.labels.index(NO_VALUE)
        return mapped

    def column(self, keys: NDArray[np.int32]) -> pa.DictionaryArray:
        """Return text for keys; ``-``, ``NONE`` and the empty label become ``'-'``."""
        mapped = self._without_none[keys]
        return pa.DictionaryArray.from_arrays(pa.array(mapped), self._label_array)

    def coded(self, keys: NDArray[np.int32]) -> tuple[NDArray[np.integer[Any]], list[str]]:
        """Return the same text as positions in the sorted texts that occur."""
        mapped = self._without_none[keys]
        used = np.flatnonzero(np.bincount(mapped, minlength=len(self.labels)))
        texts = sorted({self.labels[label] for label in used})
        place = {text: number for number, text in enumerate(texts)}
        rank = np.zeros(len(self.labels), np.min_scalar_type(-max(len(texts), 1)))
        rank[used] = [place[self.labels[label]] for label in used]
        return rank[mapped], texts


def read_gdx(
    path: Path,
    symbols: Sequence[str],
    *,
    shown_as: str,
    only: Mapping[str, Sequence[str]] | None = None,
) -> GdxContents:
    """Read ``symbols``, those of them that exist, from the GDX file at ``path``.

    Of a symbol in ``only``, just the rows whose first label is one of those given are kept.

    Raises ``UnreadableFileError`` (about ``shown_as``) for a file that the library refuses, or at
    which it crashes or hangs, and ``MissingExtraError`` where there is no library.
    """
    require_extra()
    with TemporaryDirectory(prefix="times-gdx-") as folder:
        # The library takes at most 255 characters of a path: give it the name alone.
        request: dict[str, Any] = {"gdx": path.name, "folder": folder, "symbols": list(symbols)}
        request["only"] = {name: list(labels) for name, labels in (only or {}).items()}
        command = [sys.executable, "-P", gdx_process.__file__, json.dumps(request)]
        try:
            done = subprocess.run(
                command,
                cwd=path.resolve().parent,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIME_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _damaged(shown_as, f"still reading after {_TIME_LIMIT} s") from error
        if done.returncode == gdx_process.NO_LIBRARY:
            raise _missing_extra(done.stderr.strip())
        if done.returncode == gdx_process.NO_GDX:
            raise _damaged(shown_as, done.stderr.strip())
        if done.returncode:
            raise _damaged(shown_as, f"exit status {done.returncode}. {done.stderr.strip()}")
        contents = json.loads(Path(folder, "contents.json").read_text(encoding="utf-8"))
        read = GdxContents(contents, Path(folder))
    for name, keys in read.keys.items():
        if keys.size and not 0 <= keys.min() <= keys.max() < len(read.labels):
            raise _damaged(shown_as, f"{name} has labels that the file does not list")
    return read


def _damaged(file: str, details: str) -> UnreadableFileError:
    return UnreadableFileError(
        file,
        "the GDX data cannot be read; it is cut off or damaged",
        "a complete GDX file",
        details=details,
    )


def numbers(raw: NDArray[np.float64]) -> Numbers:
    """Turn GAMS's special values into numbers, infinities and nulls."""
    kinds = {
        "UNDEF": (raw == _UNDEFINED) | np.isnan(raw),
        "NA": raw == _NOT_AVAILABLE,
        "+INF": raw == _INFINITY,
        "-INF": raw == _MINUS_INFINITY,
        "acronym": np.isfinite(raw) & (raw > _EPSILON),
    }
    special = {name: int(where.sum()) for name, where in kinds.items() if where.any()}
    values = np.where(raw == _EPSILON, 0.0, raw)
    values[kinds["+INF"]] = np.inf
    values[kinds["-INF"]] = -np.inf
    nothing = kinds["UNDEF"] | kinds["NA"] | kinds["acronym"]
    # Adding 0 turns -0 (one way in which EPS is kept) into 0.
    return Numbers(pa.array(values + 0.0, mask=nothing), special)


def _readable(text: str) -> str:
    """Put back the letters of a text in cp1252, of which the library kept the bytes' numbers."""
    if "\\x" not in text:
        return text
    return _ESCAPED_BYTE.sub(
        lambda found: bytes.fromhex(found[1]).decode("cp1252", errors="replace"), text
    )
