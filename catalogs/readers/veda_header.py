"""The first lines of a ``.vd``: what the columns are, and how cells are cut."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from catalogs.errors import UnreadableFileError
from catalogs.readers.text_files import MAX_LINE, decode, open_bytes

_HEADER_ENTRY = re.compile(r"^\*\s*(?P<key>[^-]+?)\s*-\s?(?P<value>.*)$")

#: Dimension names of the header, without case, and the canonical column of each.
COLUMN_OF_DIMENSION = {
    "sow": "sow",
    "attribute": "attribute",
    "commodity": "commodity",
    "process": "process",
    "period": "year",
    "region": "region",
    "vintage": "vintage",
    "timeslice": "timeslice",
    "userconstraint": "user_constraint",
}


@dataclass(frozen=True)
class VedaHeader:
    """The ``*`` lines of a ``.vd``: dimensions in order, the value's name, and how cells are cut.

    ``lines`` counts the lines before the first row.
    """

    scenario: str
    dimensions: tuple[str, ...]
    value_dimension: str
    separator: str
    quote: str
    lines: int


def plain_name(path: Path) -> str:
    name = path.name.lower()
    return name.removesuffix(".gz")


def stem_of(path: Path) -> str:
    return path.name[: len(Path(plain_name(path)).stem)]


def read_header(path: Path) -> VedaHeader:
    """Read the ``*`` lines of a ``.vd``. Raises ``UnreadableFileError``."""
    entries: dict[str, str] = {}
    lines = 0
    with open_bytes(path) as stream:
        while raw := stream.readline(MAX_LINE + 1):
            if len(raw) > MAX_LINE:
                raise UnreadableFileError(
                    path.name,
                    "the line is longer than a megabyte",
                    "a VEDA .vd file",
                    line=lines + 1,
                )
            text = decode(raw).rstrip("\r\n")
            if text.startswith("*"):
                if match := _HEADER_ENTRY.match(text):
                    entries[match["key"].strip().lower()] = match["value"]
            elif text.strip():
                break
            lines += 1
        else:
            raw = b""
    if lines == 0 and not raw:
        raise UnreadableFileError(path.name, "the file is empty", "a VEDA .vd file with a header")
    if "dimensions" not in entries:
        raise UnreadableFileError(
            path.name,
            "there is no '* Dimensions-' line before the rows",
            "the header that GDX2VEDA writes, with Dimensions-, FieldSeparator- and ValueDim-",
            line=1,
        )
    return _header_from(path, entries, lines)


def _header_from(path: Path, entries: dict[str, str], lines: int) -> VedaHeader:
    dimensions = tuple(d.strip() for d in entries["dimensions"].split(";") if d.strip())
    value_dimension = entries.get("valuedim", "PV").strip()
    without_case = [d.lower() for d in dimensions]
    missing = [d for d in ("attribute", value_dimension.lower()) if d not in without_case]
    if missing or len(set(without_case)) != len(without_case):
        raise UnreadableFileError(
            path.name,
            f"the Dimensions- line reads {';'.join(dimensions)}",
            f"each dimension once, with Attribute and {value_dimension} among them",
        )
    scenario = entries.get("importid", "").partition(":")[2].strip()
    return VedaHeader(
        scenario=scenario or stem_of(path),
        dimensions=dimensions,
        value_dimension=value_dimension,
        separator=_separator(entries.get("fieldseparator", ",")),
        quote=entries.get("textdelim", '"').strip() or '"',
        lines=lines,
    )


def _separator(text: str) -> str:
    named = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}
    if "\t" in text:
        return "\t"
    return named.get(text.strip().lower(), text.strip()[:1] or ",")
