"""Readers against damaged files: whatever they are given, they read it or say what is wrong.

Each example changes some bytes of a good file. Anything but a clean refusal (``TimesError``) or a
whole reading fails the test. What it once found is kept below as tests of their own.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import duckdb
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogs.errors import TimesError
from catalogs.importing import gather, load_attributes
from catalogs.readers import READERS
from catalogs.tables import create_tables

BATCH = """\
Scenario,ModelName,Attribute,Commodity,Process,Period,Region,Vintage,Timeslice,Pv,Commodityset
Base,North,VAR_FOut,ELC,PLANT,2020,R1,2010,S,40.5,NRG
Base,North,VAR_FOut,ELC,"PLANT, old",2020,R1,2010,W,60,NRG
High,North,Reg_ACost,-,-,2020,R1,-,-,1e-3,
"""
IAMC_WIDE = """\
Model,Scenario,Region,Variable,Unit,Subannual,2020,2030
M,Base,World,Primary Energy,EJ/yr,summer,1.5,2
M,Base,World,"Primary Energy|Coal, hard",EJ/yr,winter,,-2e3
"""
IAMC_LONG = """\
model;scenario;region;variable;unit;year;value
M;Base;World;Primary Energy;EJ/yr;2020;1.5
M;High;World;Primary Energy;EJ/yr;2030;N/A
"""
VD = """\
*         ImportID- Scenario:Base
*       Dimensions- Attribute;Commodity;Process;Period;Region;Vintage;TimeSlice;UserConstraint;PV
*         ValueDim- PV
*   FieldSeparator- ,
*        TextDelim- "

"VAR_FIn","COA","PLANT","2020","R1","2010","S","-",100.5
"Reg_obj","-","-","-","R1","-","-","-",-2e-7
"""
TEXTS = {"batch.csv": BATCH, "wide.csv": IAMC_WIDE, "long.csv": IAMC_LONG, "base.vd": VD}

#: Pieces that mean something to one of the readers, or to the libraries below them.
PIECES = st.sampled_from(
    [
        *(b",", b";", b"\t", b'"', b'""', b"'", b"\n", b"\r", b"\r\n", b"\0", b"*", b"=", b"-"),
        *(b"\xff\xfe", b"\xef\xbb\xbf", b"\xa4", "é".encode(), b"\x1f\x8b", b"PK\x03\x04"),
        *(b"NONE", b"NA", b"nan", b"inf", b"1,5", b"2020", b"2020-01-01", b"99999999999", b"1e999"),
        *(b"Scenario", b"Variable", b"Pv", b"Attribute", b"value", b"year", b"time", b"$1", b"%s"),
        *(b"'); DROP TABLE result; --", b"Dimensions-", b"x" * 5000),
    ]
)
EDIT = st.tuples(st.floats(0, 1), st.integers(0, 12), st.one_of(PIECES, st.binary(max_size=4)))


def edited(content: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """Replace, at each place (a share of the length), so many bytes by a piece."""
    for share, count, piece in edits:
        start = int(share * len(content))
        content = content[:start] + piece + content[start + count :]
    return content


def read_all(path: Path) -> None:
    """Read every scenario of a file; raise ``TimesError`` where it is refused."""
    readers = {reader.name: reader for reader in READERS}
    for files in gather([path])[0]:
        with duckdb.connect() as connection:
            create_tables(connection)
            load_attributes(connection)
            header = readers[files.reader].read(files, connection)
            assert header.scenario
            [(rows,)] = connection.execute("SELECT count(*) FROM raw_result").fetchall()
            assert rows >= 0


def survives(path: Path) -> None:
    try:
        read_all(path)
    except TimesError as error:
        if not error.what.strip():
            raise AssertionError("a refusal must say what is wrong") from error


fuzzed = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("name", TEXTS)
@fuzzed
@given(edits=st.lists(EDIT, min_size=1, max_size=4))
def test_damaged_text_is_read_or_refused(
    tmp_path: Path, name: str, edits: list[tuple[float, int, bytes]]
) -> None:
    path = tmp_path / name
    path.write_bytes(edited(TEXTS[name].encode(), edits))
    survives(path)


@pytest.fixture(scope="module")
def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in IAMC_WIDE.replace('"', "").splitlines():
        sheet.append([float(c) if c[:1].isdigit() else c for c in line.split(",")[:8]])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def damaged_zip(whole: bytes, edits: list[tuple[float, int, bytes]], part: int | None) -> bytes:
    """Edit the bytes of a zip, or of one of its parts."""
    if part is None:
        return edited(whole, edits)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = sorted(parts)[part % len(parts)]
    parts[name] = edited(parts[name], edits)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for entry, content in parts.items():
            archive.writestr(entry, content)
    return written.getvalue()


@fuzzed
@given(
    edits=st.lists(EDIT, min_size=1, max_size=3),
    part=st.one_of(st.none(), st.integers(0, 20)),
)
def test_a_damaged_workbook_is_read_or_refused(
    tmp_path: Path, workbook: bytes, edits: list[tuple[float, int, bytes]], part: int | None
) -> None:
    path = tmp_path / "table.xlsx"
    path.write_bytes(damaged_zip(workbook, edits, part))
    survives(path)


# ---------------------------------------------------------------------------- what it found


def test_damaged_compressed_data_of_a_workbook_is_refused(tmp_path: Path, workbook: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        start = archive.getinfo("xl/workbook.xml").header_offset + 60
    path = tmp_path / "table.xlsx"
    path.write_bytes(workbook[:start] + b"\xff" * 40 + workbook[start + 40 :])
    with pytest.raises(TimesError, match="cut off or damaged"):
        read_all(path)
