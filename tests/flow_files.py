"""Small files of flow records, and what they are imported into."""

from __future__ import annotations

import gzip
from pathlib import Path

from catalogs.flow_records.records import FlowRecords
from catalogs.importing import import_files
from catalogs.store import Store

HEADER = "time,origin,destination,commodity,value"
#: Two places in Denmark, one in Norway, one in Germany.
LOCATIONS = """id,name,longitude,latitude,country
AAL,Aalborg,9.92,57.05,DK
CPH,Copenhagen,12.57,55.68,DK
OSL,Oslo,10.75,59.91,NO
HAM,Hamburg,9.99,53.55,DE
"""


def write(folder: Path, name: str, text: str) -> Path:
    """Write a text file, compressed where its name says so."""
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def records_text(*rows: str, header: str = HEADER) -> str:
    """Return a table of records as CSV."""
    return "\n".join([header, *rows]) + "\n"


def publish(folder: Path, *paths: Path, name: str = "flows") -> FlowRecords:
    """Import files into a data directory in a folder, and open the dataset."""
    store = Store(folder / "data")
    import_files(store, name, paths)
    return FlowRecords(store.manifest_path(name))


def imported(
    folder: Path, *rows: str, locations: str = LOCATIONS, header: str = HEADER
) -> FlowRecords:
    """Import records and locations written as CSV."""
    paths = [write(folder, "flows.csv", records_text(*rows, header=header))]
    if locations:
        paths.append(write(folder, "locations.csv", locations))
    return publish(folder, *paths)


def noticed(records: FlowRecords) -> dict[str, int | None]:
    """Return the messages of the import report, and how many cases each counts."""
    rows = records.rows("SELECT message, count FROM import_report")
    return dict(rows)
