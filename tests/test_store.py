"""Publishing: what readers see while others import, replace, drop and fail."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalogs import open_source
from catalogs.errors import StoreBusyError, TimesError, UnknownDatasetError, UnknownNameError
from catalogs.importing import import_files
from catalogs.query import Query
from catalogs.source import Source
from catalogs.store import (
    GRACE_TIME,
    Manifest,
    PublishedScenario,
    Store,
    data_version,
    read_manifest,
)
from tests.times_files import flows, publish, write_set

OPTIONS: dict[str, Any] = {
    "process_sets": {"ELE": "PLANT"},
    "commodity_sets": {"ELC": "ELC"},
}


def write(
    folder: Path,
    electricity: float,
    *,
    scenario: str = "Base",
    region: str = "R1",
    unit: str = "PJ",
) -> Path:
    """Write a scenario in which a plant generates so much."""
    return write_set(
        folder,
        flows(f"PLANT: -> ELC {electricity}", region=region),
        scenario=scenario,
        units={unit: "ELC"},
        **OPTIONS,
    )


def generation(source: Source) -> dict[str, float]:
    frame = source.ask(Query("electricity_generation", unit="PJ")).frame
    return dict(zip(frame.scenario, frame.value.round(9), strict=True))


def stored(folder: Path) -> set[str]:
    """Return the names of what lies in a dataset's folder, without the lock."""
    return {path.name for path in folder.iterdir()} - {".lock"}


def grow_old(path: Path, seconds: float = GRACE_TIME) -> None:
    past = time.time() - seconds - 60
    os.utime(path, (past, past))


# ---------------------------------------------------------------------------- versions


def test_the_same_files_twice_are_one_version_and_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, store = write(tmp_path / "files", 40), Store(tmp_path / "data")
    first = import_files(store, "d", [folder])

    def fail(*_: object) -> None:
        raise AssertionError("the files were read again")

    monkeypatch.setattr("catalogs.readers.veda.VedaReader.read", fail)
    doing: list[str] = []
    again = import_files(
        store, "d", [folder], progress=lambda name: lambda share, what: doing.append(what)
    )
    assert again == first
    assert doing == ["unchanged"]


def test_a_version_does_not_depend_on_the_order_or_number_of_imports(tmp_path: Path) -> None:
    a = write(tmp_path / "a", 40, scenario="A")
    b = write(tmp_path / "b", 50, scenario="B")
    versions = set()
    for number, steps in enumerate([[[a, b]], [[b, a]], [[a], [b]], [[b], [a]]]):
        store = Store(tmp_path / f"data{number}")
        for step in steps:
            manifest = import_files(store, "d", step)
        versions.add(manifest.version)
        assert [s.key for s in manifest.scenarios] == ["A", "B"]
    assert len(versions) == 1


def test_other_content_units_or_model_are_another_version(tmp_path: Path) -> None:
    versions = []
    for number, (amount, unit, model) in enumerate(
        [(40, "PJ", ""), (41, "PJ", ""), (40, "TWh", ""), (40, "PJ", "M")]
    ):
        source = publish(
            write(tmp_path / f"files{number}", amount, unit=unit),
            tmp_path / f"data{number}",
            model=model,
        )
        versions.append(source.version)
    assert len(set(versions)) == 4


def test_rules_are_part_of_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, store = write(tmp_path / "files", 40), Store(tmp_path / "data")
    first = import_files(store, "d", [folder])
    monkeypatch.setattr("catalogs.hashing.IMPORT_VERSION", 999)
    assert import_files(store, "d", [folder]).version != first.version


# ---------------------------------------------------------------------------- replacing


def test_a_scenario_imported_again_takes_the_place_of_the_old(tmp_path: Path) -> None:
    folder, data = write(tmp_path / "files", 40), tmp_path / "data"
    publish(folder, data)
    publish(write(tmp_path / "more", 7, scenario="Other"), data)
    source = publish(write(folder, 55), data)
    assert generation(source) == {"Base": 55, "Other": 7}


def test_a_reader_keeps_the_version_it_opened(tmp_path: Path) -> None:
    folder, data = write(tmp_path / "files", 40), tmp_path / "data"
    old = publish(folder, data)
    new = publish(write(folder, 55), data)
    assert generation(old) == {"Base": 40}
    assert generation(new) == {"Base": 55}
    assert not old.is_current
    assert new.is_current
    # Even when its files have been removed since.
    for name in stored(data / "case") - {"manifest.json", new.manifest.scenarios[0].file}:
        (data / "case" / name).unlink()
    assert old.rows("SELECT sum(value) FROM result") == [(40.0,)]


def test_two_models_with_a_scenario_of_one_name_stay_apart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    publish(write(tmp_path / "a", 40, region="North"), data)
    source = publish(write(tmp_path / "b", 10, region="South", unit="TWh"), data)
    assert source.scenario_names == ("Base (North)", "Base (South)")
    # Each keeps its own units: 10 TWh are 36 PJ.
    assert generation(source) == {"Base (North)": 40, "Base (South)": 36}
    assert source.regions_of == {
        "Base (North)": frozenset({"North"}),
        "Base (South)": frozenset({"South"}),
    }
    assert source.rows("SELECT scenario, unit FROM commodity ORDER BY ALL") == [
        ("Base (North)", "PJ"),
        ("Base (South)", "TWh"),
    ]


def test_a_model_can_be_named_by_who_imports(tmp_path: Path) -> None:
    data = tmp_path / "data"
    publish(write(tmp_path / "a", 40), data, model="One")
    source = publish(write(tmp_path / "b", 50), data, model="Two")
    assert generation(source) == {"Base (One)": 40, "Base (Two)": 50}


def test_two_files_of_one_scenario_in_one_import_are_refused(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", 40), write(tmp_path / "b", 50)
    store = Store(tmp_path / "data")
    with pytest.raises(TimesError, match=r"Base\.vd .* the scenario 'Base'"):
        import_files(store, "d", [a, b])
    assert store.datasets() == []


# ---------------------------------------------------------------------------- dropping


def test_a_dropped_scenario_is_gone_and_the_others_untouched(tmp_path: Path) -> None:
    store, data = Store(tmp_path / "data"), tmp_path / "data"
    publish(write(tmp_path / "a", 40, scenario="A"), data)
    before = publish(write(tmp_path / "b", 50, scenario="B"), data)
    manifest = store.drop("case", ["A"])
    assert [s.key for s in manifest.scenarios] == ["B"]
    assert manifest.scenarios[0] == before.manifest.scenarios[1]
    assert generation(open_source(data, "case")) == {"B": 50}
    assert generation(before) == {"A": 40, "B": 50}


def test_dropping_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    publish(write(tmp_path / "a", 40), tmp_path / "data")
    with pytest.raises(UnknownNameError, match=r"no scenario 'Bsae'.*It has Base\."):
        Store(tmp_path / "data").drop("case", ["Bsae"])


def test_a_dataset_without_scenarios_is_empty_and_not_broken(tmp_path: Path) -> None:
    publish(write(tmp_path / "a", 40), tmp_path / "data")
    Store(tmp_path / "data").drop("case", ["Base"])
    source = open_source(tmp_path / "data", "case")
    assert (source.scenario_names, source.years, source.regions) == ((), (), ())
    assert source.measure_names == ()
    assert source.rows("FROM result") == []


# ---------------------------------------------------------------------------- old files


def test_files_no_longer_used_go_after_the_grace_time_and_not_before(tmp_path: Path) -> None:
    folder, data = write(tmp_path / "files", 40), tmp_path / "data"
    [first] = publish(folder, data).manifest.scenarios
    # However long it had been published: it is unused only from now on.
    grow_old(data / "case" / first.file)
    [second] = publish(write(folder, 50), data).manifest.scenarios
    assert stored(data / "case") == {"manifest.json", first.file, second.file}
    grow_old(data / "case" / first.file)
    [third] = publish(write(folder, 60), data).manifest.scenarios
    assert stored(data / "case") == {"manifest.json", second.file, third.file}


def test_a_used_file_stays_however_old_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    [first] = publish(write(tmp_path / "a", 40, scenario="A"), data).manifest.scenarios
    grow_old(data / "case" / first.file)
    source = publish(write(tmp_path / "b", 50, scenario="B"), data)
    assert generation(source) == {"A": 40, "B": 50}


def test_what_a_killed_import_left_is_never_served_and_goes_at_the_next_import(
    tmp_path: Path,
) -> None:
    folder, data = write(tmp_path / "files", 40), tmp_path / "data"
    publish(folder, data)
    work = data / "case" / ".importing-killed"
    work.mkdir()
    (work / "0.duckdb").write_bytes(b"half")
    (data / "case" / "manifest.123.new").write_bytes(b"half")
    with (work / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert generation(publish(write(folder, 50), data)) == {"Base": 50}
        assert (work / "0.duckdb").exists()  # its import is at work
    # Also where there is nothing new to publish.
    assert generation(publish(folder, data)) == {"Base": 50}
    assert not work.exists()
    assert not (data / "case" / "manifest.123.new").exists()


# ---------------------------------------------------------------------------- failing midway


@pytest.mark.parametrize(
    "breaks",
    [
        "catalogs.readers.veda.VedaReader.read",
        "catalogs.importing.complete",
        "catalogs.store.os.replace",
        "catalogs.store.Manifest.to_json",
        "catalogs.store.os.fsync",
    ],
)
def test_a_failed_import_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    folder, data = write(tmp_path / "files", 40), tmp_path / "data"
    before = publish(folder, data)
    manifest = (data / "case" / "manifest.json").read_bytes()
    write(folder, 55)

    def fail(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(breaks, fail)
        with pytest.raises(OSError, match="no space left"):
            publish(folder, data)
    assert (data / "case" / "manifest.json").read_bytes() == manifest
    assert not [name for name in stored(data / "case") if name.startswith(".importing")]
    assert not [name for name in stored(data / "case") if name.endswith(".new")]
    assert generation(open_source(data, "case")) == generation(before) == {"Base": 40}
    # And nothing is in the way of the next attempt.
    assert generation(publish(folder, data)) == {"Base": 55}


def test_one_bad_file_among_good_ones_publishes_none(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    good, bad = write(tmp_path / "a", 40), write(tmp_path / "b", 50, scenario="Bad")
    with (bad / "Bad.vd").open("a", encoding="utf-8") as file:
        file.write('"VAR_Act","-"\n')
    with pytest.raises(TimesError, match=r"Bad\.vd, line 9"):
        import_files(store, "d", [good, bad])
    assert store.datasets() == []
    with pytest.raises(UnknownDatasetError, match="No dataset has been published"):
        open_source(tmp_path / "data")


# ---------------------------------------------------------------------------- two at once


def test_publishing_at_the_same_time_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    folder, data = write(tmp_path / "files", 40), tmp_path / "data"
    publish(folder, data)
    with (data / "case" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreBusyError, match="Another import is publishing"):
            publish(write(folder, 55), data)
        with pytest.raises(StoreBusyError):
            Store(data).drop("case", ["Base"])
        assert generation(open_source(data, "case")) == {"Base": 40}
    assert generation(publish(folder, data)) == {"Base": 55}


def test_other_datasets_are_not_held_up(tmp_path: Path) -> None:
    folder, data = write(tmp_path / "files", 40), tmp_path / "data"
    publish(folder, data, "one")
    with (data / "one" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert generation(publish(folder, data, "two")) == {"Base": 40}


# ---------------------------------------------------------------------------- manifests


@pytest.fixture(scope="module")
def two_datasets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the datasets ``case`` and ``healthy``; tests work on copies."""
    folder = tmp_path_factory.mktemp("two")
    write(folder / "files", 40)
    publish(folder / "files", folder / "data", "healthy")
    publish(folder / "files", folder / "data", "case")
    return folder


DAMAGED = [b"", b"{", b"null", b'"text"', b"[]", b"{}", b'{"format": 99}', b"\xff\xfe\x00"]


@pytest.mark.parametrize("content", [*DAMAGED, b'{"format": 1}'])
def test_a_damaged_manifest_says_which_and_harms_no_other_dataset(
    two_datasets: Path, tmp_path: Path, content: bytes
) -> None:
    data = Path(shutil.copytree(two_datasets / "data", tmp_path / "data"))
    (data / "case" / "manifest.json").write_bytes(content)
    with pytest.raises(TimesError, match="manifest of the dataset 'case' cannot be read") as caught:
        open_source(data, "case")
    assert caught.value.remedy.startswith("Delete case/manifest.json in the data directory, then")
    assert generation(open_source(data)) == {"Base": 40}


def test_the_advice_on_a_damaged_manifest_works(two_datasets: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(two_datasets / "data", tmp_path / "data"))
    (data / "case" / "manifest.json").write_text("{")
    with pytest.raises(TimesError, match="cannot be read"):
        publish(two_datasets / "files", data)
    (data / "case" / "manifest.json").unlink()
    assert generation(publish(two_datasets / "files", data)) == {"Base": 40}


def test_a_missing_file_is_named_by_its_scenario(tmp_path: Path) -> None:
    folder, data = write(tmp_path / "files", 40), tmp_path / "data"
    [scenario] = publish(folder, data).manifest.scenarios
    (data / "case" / scenario.file).unlink()
    with pytest.raises(TimesError, match=r"file of the scenario 'Base' is missing\. Import"):
        Source(data / "case" / "manifest.json")
    # Importing again reads it again: the manifest alone is not trusted.
    assert generation(publish(folder, data)) == {"Base": 40}


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    source = publish(write(tmp_path / "files", 40, scenario='Übergang: "a"'), tmp_path / "data")
    assert read_manifest(source.manifest_path) == source.manifest
    assert Manifest.from_json(source.manifest.to_json()) == source.manifest
    content = json.loads(source.manifest_path.read_text(encoding="utf-8"))
    assert content["scenarios"][0]["scenario"] == 'Übergang: "a"'
    assert str(tmp_path) not in source.manifest.to_json()


def test_the_data_version_has_no_order() -> None:
    one = PublishedScenario("A", "M", "A", "", "VEDA", "a", "1", 1, "", ())
    two = replace(one, scenario="B", digest="2")
    assert data_version([one, two]) == data_version([two, one])
    assert data_version([one]) != data_version([replace(one, digest="3")])


@pytest.mark.parametrize("name", ["", "../escape", "a/b", ".hidden", "x" * 65, "a\nb", "é"])
def test_a_dataset_cannot_have_any_name(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "files", 40)
    with pytest.raises(TimesError, match="cannot be the name of a dataset"):
        import_files(Store(tmp_path / "data"), name, [folder])
    assert not (tmp_path / "data").exists()


def test_the_dataset_published_last_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, data = write(tmp_path / "files", 40), tmp_path / "data"
    for second, name in enumerate(("b", "a", "c")):
        moment = f"2030-01-01T00:00:0{second}+00:00"
        monkeypatch.setattr("catalogs.store.now", lambda moment=moment: moment)
        publish(folder, data, name)
    assert Store(data).datasets() == ["c", "a", "b"]
    assert open_source(data).dataset == "c"
