"""``python -m catalogs export``: what it writes, what it says, and its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalogs.__main__ import main
from tests.times_files import flows, publish, row, write_set


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command")
    options = {"units": {"PJ": "ELC"}, "commodity_sets": {"ELC": "ELC"}}
    rows = [*flows("PLANT: -> ELC 40"), row("ObjZ", 5, year="-", region="-", timeslice="-")]
    write_set(folder / "files", rows, scenario="Base", **options)  # type: ignore[arg-type]
    write_set(folder / "files", flows("PLANT: -> ELC 60"), scenario="High [x]")
    publish(folder / "files", folder / "data", "sea")
    return folder / "data"


def run(data: Path, *arguments: object) -> int:
    return main(["export", "--data-directory", str(data), *map(str, arguments)])


def test_a_measure_is_written_and_said_to_be(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.csv"
    asked = ("--measure", "electricity_generation", "--group-by", "process", "--unit", "PJ")
    assert run(data, "sea", "--format", "csv", "--to", path, *asked) == 0
    assert path.read_text("utf-8-sig").splitlines() == [
        '"scenario","year","process","unit","value"',
        '"Base",2020,"PLANT","PJ",40',
    ]
    said = capsys.readouterr().out
    assert "1 values written to" in said
    # Its electricity is in no set.
    assert "Left out: High [x] has none" in said


def test_a_part_of_the_results_is_written(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    chosen = ("--scenario", "High [x]", "--year", 2020, "--region", "R1", "--attribute", "VAR_FOut")
    assert run(data, "--format", "csv", "--to", path, *chosen) == 0
    [_, line] = path.read_text("utf-8-sig").splitlines()
    assert line.endswith(",60")


def test_what_was_written_as_json(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.csv"
    assert run(data, "sea", "--format", "iamc", "--to", path, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["rows"] == 2
    assert summary["files"] == [{"name": "out.csv", "size": path.stat().st_size}]
    assert summary["left_out"] == ["values without a year (1)"]
    assert summary["dataset"] == "sea"


def test_what_is_left_out_is_said(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "--format", "iamc-long", "--to", tmp_path / "out.csv") == 0
    assert "Left out: values without a year (1)" in capsys.readouterr().out


def test_a_folder_of_parquet_can_be_imported_again(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "--format", "parquet", "--to", tmp_path / "all", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert {file["name"] for file in summary["files"]} >= {
        "manifest.json",
        "scenario=Base/result.parquet",
        "scenario=High %5Bx%5D/result.parquet",
    }
    again = ["import", str(tmp_path / "all"), "--data-directory", str(tmp_path), "--json"]
    assert main(again) == 0
    published = json.loads(capsys.readouterr().out)
    assert [s["scenario"] for s in published["scenarios"]] == ["Base", "High [x]"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "csv", "--scenario", "Bse"), "no scenario 'Bse'. It has Base, High [x]."),
        (("--format", "csv", "--group-by", "fuel"), "--group-by and --unit go with a measure"),
        (
            ("--format", "csv", "--measure", "demand", "--attribute", "VAR_FIn"),
            "or --measure attribute:VAR_FIn.",
        ),
        (("--format", "csv", "--measure", "energy"), "There is no measure 'energy'."),
        (("--format", "vd"), "A .vd holds one scenario, and 2 are chosen."),
        (
            ("--format", "vd", "--measure", "electricity_generation"),
            "VEDA .vd holds result rows as they are",
        ),
        (("no-such", "--format", "csv"), "There is no dataset 'no-such'."),
    ],
)
def test_errors_say_what_to_do_and_write_nothing(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    assert run(data, *arguments, "--to", tmp_path / "out.vd") == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_an_error(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "--format", "csv", "--to", tmp_path / "none" / "out.csv") == 2
    assert "No such file or directory" in " ".join(capsys.readouterr().err.split())
