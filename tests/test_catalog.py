"""The Intake catalog of a data directory, and the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

import catalogs
from catalogs.__main__ import main
from catalogs.errors import TimesError, UnknownDatasetError
from catalogs.query import Query
from catalogs.source import Source
from catalogs.store import Store
from tests.times_files import cells, flows, header, publish, write_set

PROJECT = Path(__file__).parents[1]
OPTIONS: dict[str, Any] = {
    "units": {"PJ": "ELC"},
    "commodity_sets": {"ELC": "ELC"},
    "process_sets": {"ELE": "PLANT"},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(
        tmp_path_factory.mktemp("files"), flows("PLANT: -> ELC 40"), scenario="Base", **OPTIONS
    )


@pytest.fixture(scope="module")
def data(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a dataset whose name is not a plain word."""
    directory = tmp_path_factory.mktemp("my data %20")
    publish(files, directory, "North Sea v1.2")
    return directory


# ---------------------------------------------------------------------------- Intake


def test_the_catalog_lists_the_datasets_and_nothing_else(data: Path) -> None:
    catalog = catalogs.open_catalog(data)
    assert list(catalog) == ["North Sea v1.2"]
    assert list(catalog.entries) == ["North Sea v1.2"]


def test_an_entry_gives_a_source_that_answers(data: Path) -> None:
    source = catalogs.open_catalog(data)["North Sea v1.2"].read()
    assert isinstance(source, Source)
    frame = source.ask(Query("electricity_generation", unit="PJ")).frame
    assert frame.value.tolist() == [40]


def test_an_entry_says_what_it_is(data: Path) -> None:
    entry = catalogs.open_catalog(data).entries["North Sea v1.2"]
    assert entry.metadata["dataset"] == "North Sea v1.2"
    assert "TIMES scenarios" in entry.metadata["description"]


def test_a_directory_without_data_has_an_empty_catalog(tmp_path: Path) -> None:
    assert list(catalogs.open_catalog(tmp_path / "nothing here")) == []


def test_a_dataset_may_be_called_dataset(files: Path, tmp_path: Path) -> None:
    publish(files, tmp_path, "dataset")
    assert list(catalogs.open_catalog(tmp_path)) == ["dataset"]
    assert catalogs.open_catalog(tmp_path)["dataset"].read().dataset == "dataset"


def test_all_who_ask_for_a_version_share_it(data: Path) -> None:
    assert catalogs.open_source(data) is catalogs.open_source(data, "North Sea v1.2")


def test_an_unknown_dataset_is_named_with_those_there_are(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownDatasetError, match=r"no dataset 'South'\. There are: North Sea v1"):
        catalogs.open_source(data, "South")
    with pytest.raises(UnknownDatasetError, match=r"No dataset has been published\. Import files"):
        catalogs.open_source(tmp_path)


def test_the_demo_comes_only_where_there_is_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = catalogs.open_source(data).version
    catalogs.ensure_demo(data)
    assert Store(data).datasets() == ["North Sea v1.2"]
    assert catalogs.open_source(data).version == version
    imported: list[str] = []
    monkeypatch.setattr(
        "catalogs.importing.import_files", lambda store, dataset, paths: imported.append(dataset)
    )
    catalogs.ensure_demo(tmp_path)
    assert imported == [catalogs.DEMO_DATASET]


def test_a_demo_of_another_version_is_published_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("catalogs.hashing.IMPORT_VERSION", -1)
        catalogs.ensure_demo(tmp_path)
    old = Store(tmp_path).manifest("demo").version
    catalogs.ensure_demo(tmp_path)
    new = Store(tmp_path).manifest("demo")
    assert new.version != old
    catalogs.ensure_demo(tmp_path)
    assert Store(tmp_path).manifest("demo") == new


def test_somebodys_own_dataset_called_demo_is_left_alone(files: Path, tmp_path: Path) -> None:
    publish(files, tmp_path, "demo")
    before = Store(tmp_path).manifest("demo")
    catalogs.ensure_demo(tmp_path)
    assert Store(tmp_path).manifest("demo") == before


# ---------------------------------------------------------------------------- command line


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run a command within this process; return its exit code, output and errors."""
    code = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def flat(text: str) -> str:
    """Return text without the line breaks that the terminal's width makes."""
    return " ".join(text.split())


def test_import_list_and_describe(
    capsys: pytest.CaptureFixture[str], files: Path, tmp_path: Path
) -> None:
    where = ("--data-directory", tmp_path)
    code, out, err = run(capsys, "import", files, "--name", "north", *where)
    assert (code, out) == (0, "")
    assert "Dataset north, version" in flat(err)
    assert "1 scenarios, 1 result rows" in flat(err)

    code, out, err = run(capsys, "list", *where)
    assert (code, err) == (0, "")
    assert "north" in out

    code, out, err = run(capsys, "describe", *where)
    assert (code, err) == (0, "")
    assert "Regions: R1" in out
    assert "Years: 2020" in out
    assert "electricity_generation" in out
    assert re.search(r"North.vd results 1 1 0 0 0|results 1 1 0 0 0", flat(out))


def test_json_is_all_that_is_on_standard_output(
    capsys: pytest.CaptureFixture[str], files: Path, tmp_path: Path
) -> None:
    where = ("--data-directory", tmp_path, "--json")
    code, out, _ = run(capsys, "import", files, "--name", "north", "--model", "M", *where)
    imported = json.loads(out)
    assert code == 0
    assert imported["dataset"] == "north"
    assert [(s["key"], s["model"], s["rows"]) for s in imported["scenarios"]] == [("Base", "M", 1)]

    _, out, err = run(capsys, "list", *where)
    [listed] = json.loads(out)
    assert listed == {name: imported[name] for name in listed}
    assert err == ""

    _, out, err = run(capsys, "describe", "north", *where)
    described = json.loads(out)
    assert err == ""
    assert described["version"] == imported["version"]
    assert (described["regions"], described["years"]) == (["R1"], [2020])
    assert "electricity_generation" in described["measures"]
    assert described["attributes"] == ["VAR_FOut"]
    [read] = [r for r in described["import_report"] if r["message"] == "result rows read"]
    assert (read["scenario"], read["count"]) == ("Base", 1)


def test_an_import_tells_what_it_noticed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = header() + cells(flows("PLANT: -> ELC 40"))
    (tmp_path / "cut.vd").write_text(text.removesuffix("\n"))
    code, _, err = run(capsys, "import", tmp_path / "cut.vd", "--data-directory", tmp_path / "data")
    assert code == 0
    assert "! truncated the last line has no line end" in flat(err)
    assert "commodities have no unit" in flat(err)


def test_nothing_imported_yet_is_no_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, _ = run(capsys, "list", "--data-directory", tmp_path)
    assert code == 0
    assert "Nothing has been imported yet" in flat(out)
    code, out, _ = run(capsys, "list", "--data-directory", tmp_path, "--json")
    assert (code, json.loads(out)) == (0, [])


@pytest.fixture
def folder_of_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Work in a folder with a good file and several bad ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TIMES_DATA", raising=False)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.vd").write_text(header() + '"VAR_Act"\n')
    (tmp_path / "good.vd").write_text(header() + cells(flows("PLANT: -> ELC 40")))
    (tmp_path / "notes.txt").write_text("milk")
    return tmp_path


@pytest.mark.usefixtures("folder_of_files")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("import", "nowhere.vd"), "nowhere.vd: there is no such file or folder"),
        (("import", "empty"), "no files: nothing was named that could be imported"),
        (("import", "bad.vd"), "bad.vd, line 8: the row cannot be read"),
        (("import", "notes.txt"), "notes.txt: the format is not known"),
        (("import", "bad.vd", "--name", "../up"), "'../up' cannot be the name of a dataset"),
        (("describe", "nothing"), "There is no dataset 'nothing'"),
        (("describe",), "No dataset has been published"),
        (("import", "good.vd", "--data-directory", "bad.vd"), "bad.vd/my-data: Not a directory"),
        (("import", "[bold]x[/]"), "[bold]x[/]: there is no such file or folder"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "json"])
def test_bad_input_is_an_exit_code_and_a_sentence(
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
    more: tuple[str, ...],
) -> None:
    code, out, err = run(capsys, *arguments, *more)
    assert code == 2
    assert out == ""
    assert f"Error: {message}" in flat(err)
    assert "Traceback" not in err


def test_a_wrong_command_says_how_to_use_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["imprt"])
    assert caught.value.code == 2
    assert "invalid choice: 'imprt'" in capsys.readouterr().err


def test_the_command_runs_as_a_program(files: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "TIMES_DATA": str(tmp_path / "data")}

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "catalogs", *map(str, arguments)],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    done = command("import", files, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["dataset"] == "my-data"
    failed = command("import", tmp_path / "nowhere.vd")
    assert failed.returncode == 2
    assert "Traceback" not in failed.stderr
    assert "there is no such file or folder" in flat(failed.stderr)


def test_a_dataset_of_another_version_of_the_program_is_said_to_be_one(
    files: Path, tmp_path: Path
) -> None:
    source = publish(files, tmp_path)
    path = source.manifest_path.parent / source.manifest.scenarios[0].file
    source.close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP TABLE group_rule")
    with pytest.raises(TimesError, match="imported by another version of this program") as caught:
        Source(source.manifest_path)
    assert caught.value.remedy == "Import its files again."
