"""The import report: every row that was read is accounted for, and every line has a known topic."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from catalogs.__main__ import main
from catalogs.import_report import TOPICS, account_results
from catalogs.importing import gather, load_attributes
from catalogs.readers.veda import VedaReader
from catalogs.results import build_result
from catalogs.source import Source
from catalogs.tables import create_tables
from tests.times_files import Row, flows, publish, row, write_set, write_vd

ACCOUNT = "SELECT content, read, kept, merged, conflicting, left_out FROM import_account"


def accounts(source: Source) -> dict[str, tuple[int, ...]]:
    return {content: tuple(counts) for content, *counts in source.rows(ACCOUNT)}


def test_every_row_of_every_file_is_accounted_for(tmp_path: Path) -> None:
    rows = flows("MINCOA: -> COA 100\nPLANT: COA 100 -> ELC 40")
    contradicting = [row("VAR_Act", value, process="PLANT") for value in (1, 2)]
    folder = write_set(
        tmp_path / "files",
        [*rows, rows[0], rows[0], *contradicting],
        scenario="Case",
        process_sets={"ELE": "PLANT"},
        units={"PJ": "COA ELC"},
        more_topology=[("R1", "PLANT", "NRGI", "IN"), ("R1", "PLANT", "LIMIT", "UC")],
        more_sets=[("Unknown", "R1", "ANY", "PLANT")],
    )
    with (folder / "Case.vde").open("w") as elements:
        elements.write('"Process","R1","PLANT","Plant"\n' * 2 + '"Process","R1","PLANT","Works"\n')
    assert accounts(publish(folder, tmp_path / "data")) == {
        # read, kept, merged, conflicting, left out
        "results": (7, 3, 2, 2, 0),
        "descriptions": (3, 0, 1, 2, 0),
        "sets": (2, 1, 0, 0, 1),
        "topology": (5, 3, 0, 0, 2),
        "commodity units": (2, 2, 0, 0, 0),
    }


@st.composite
def result_rows(draw: st.DrawFn) -> list[Row]:
    """Draw rows out of so few texts and values that many repeat or contradict each other."""
    one = st.builds(
        row,
        st.sampled_from(["VAR_FIn", "VAR_Act", "VAR_act"]),
        st.sampled_from([1, 2.5, "nan", ""]),
        process=st.sampled_from(["A", "B"]),
        year=st.sampled_from([2020, "-", "BY"]),
        vintage=st.sampled_from(["-", "NONE", "0"]),
    )
    return draw(st.lists(one, min_size=1, max_size=30))


def merged_rows(folder: Path) -> tuple[tuple[int, ...], int]:
    """Read a VEDA set and merge its rows, without all that is derived from them.

    Returns the account of the results, and how many are stored.
    """
    [files], _ = gather([folder / "Case.vd"])
    with duckdb.connect() as connection:
        create_tables(connection)
        load_attributes(connection)
        header = VedaReader().read(files, connection)
        [(handed_on,)] = connection.execute("SELECT count(*) FROM raw_result").fetchall()
        build_result(connection)
        account_results(connection, "Case.vd", header, handed_on)
        counts = {content: counts for content, *counts in connection.execute(ACCOUNT).fetchall()}
        [(stored,)] = connection.execute("SELECT count(*) FROM result").fetchall()
    return tuple(counts["results"]), stored


@given(rows=result_rows())
@settings(max_examples=25, deadline=None, derandomize=True, phases=[Phase.generate])
def test_counts_add_up_whatever_repeats(rows: list[Row]) -> None:
    with TemporaryDirectory() as place:
        (read, kept, merged, conflicting, left_out), stored = merged_rows(
            write_set(Path(place, "files"), rows)
        )
    assert read == len(rows) == kept + merged + conflicting + left_out
    plain = [tuple("-" if c == "NONE" else str(c).lower() for c in r) for r in rows]
    values_of: dict[tuple[str, ...], set[str]] = {}
    for *key, value in plain:
        values_of.setdefault(tuple(key), set()).add(value)
    assert stored == len(set(plain)) == kept + conflicting
    assert conflicting == sum(len(values) for values in values_of.values() if len(values) > 1)


def test_a_report_says_whether_there_are_timeslices(tmp_path: Path) -> None:
    asked = "SELECT message, count FROM import_report WHERE topic = 'timeslices'"
    annual = write_set(tmp_path / "annual", flows("PLANT: -> ELC 40"))
    assert publish(annual, tmp_path / "data", "annual").rows(asked) == [
        ("flows are annual figures only: there is no timeslice detail", 0)
    ]
    rows = [*flows("PLANT: -> ELC 1", timeslice="WD"), *flows("PLANT: -> ELC 1", timeslice="WN")]
    fine = write_set(tmp_path / "fine", rows)
    assert publish(fine, tmp_path / "data", "fine").rows(asked) == [
        ("timeslices that flows tell apart", 2)
    ]


def test_inferred_and_unknown_units_are_told_apart(tmp_path: Path) -> None:
    folder = write_set(
        tmp_path / "files",
        flows("PLANT: -> ELC 40\nBOILER: -> HET 1"),
        process_units="""process,activity_unit,capacity_to_activity
            PLANT,PJ,31.536""",
    )
    source = publish(folder, tmp_path / "data")
    asked = "SELECT message, count FROM import_report WHERE topic = 'units' AND severity = 'info'"
    assert dict(source.rows(asked)) == {
        "processes whose capacity unit follows from PRC_CAPACT and the activity unit": 1,
        "processes whose activity unit is not told": 1,
    }


def test_every_line_of_real_reports_has_a_known_topic(real_data: Path, tmp_path: Path) -> None:
    source = publish(real_data / "veda", tmp_path)
    severities = source.rows("SELECT DISTINCT severity, topic FROM import_report")
    assert {severity for severity, _ in severities} <= {"info", "warning"}
    assert {topic for _, topic in severities} <= set(TOPICS)


def test_the_terminal_shows_accounts_and_what_was_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path / "files", flows("PLANT: -> ELC 40"))
    write_vd(folder / "Case.vd", flows("PLANT: -> ELC 40"), "[b]Case[/b]")
    assert main(["import", str(folder), "--data-directory", str(tmp_path / "data")]) == 0
    shown = " ".join(capsys.readouterr().err.split())
    assert "[b]Case[/b]" in shown  # markup in data is data
    assert "results 1 1 0 0 0" in shown
    assert "! units" in shown


def test_json_holds_the_report_and_what_was_left_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path / "files", flows("PLANT: -> ELC 40"))
    (folder / "notes.txt").write_text("remember the milk")
    assert main(["import", str(folder), "--json", "--data-directory", str(tmp_path / "data")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["left_aside"] == ["notes.txt"]
    [results] = [a for a in told["import_account"] if a["content"] == "results"]
    assert (results["read"], results["kept"]) == (1, 1)
    assert {line["topic"] for line in told["import_report"]} <= set(TOPICS)
