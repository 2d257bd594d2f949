"""A line of ten million characters, in every format of text: refused with file and line.

What is served does not change, and the message stays short enough to read.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from catalogs import open_source, semantics
from catalogs.errors import TimesError, UnreadableFileError
from catalogs.exporting import Results, export
from catalogs.importing import import_files
from catalogs.store import Store
from tests.times_files import flows, write_set

ENDLESS = "x" * 10**7

#: A good file of each format beside the ``.vd``, and the line after which the endless one comes.
BESIDE = {
    "Case.vd": ("", 10),
    "Case.vde": ("", 2),
    "Case.vds": ("", 1),
    "Case.vdt": ("", 2),
    "commodity_units.csv": ("", 2),
    "timeslices.csv": ("timeslice,year_fraction\nD,0.5\nN,0.5\n", 3),
    "periods.csv": ("year,start,end\n2020,2018,2022\n", 2),
    "regions.csv": ("region,description\nR1,One\n", 2),
    "scenarios.csv": ("scenario,description\nCase,A case\n", 2),
}
#: Rule tables, named as such: they are written by people, and no file of that size is one.
RULES = {
    "rules.csv": ("dimension,group,code\nsector,Power,PLANT\n", 2),
    "rules.yaml": ("- {dimension: sector, group: Power, code: PLANT}\n", 1),
}
#: Formats that stand alone.
ALONE = {
    "batch.csv": ("Scenario,Attribute,Region,Period,Pv\nBase,Reg_ACost,R1,2020,1\n", 2),
    "batch_semicolons.csv": ("Scenario;Attribute;Region;Period;Pv\nBase;Reg_ACost;R1;2020;1\n", 1),
    "wide.csv": ("Model,Scenario,Region,Variable,Unit,2020\nM,Base,World,Energy,EJ,1\n", 2),
    "long.csv": ("model;scenario;region;variable;unit;year;value\nM;B;World;E;EJ;2020;1\n", 2),
}
#: Tables of meanings in the data directory.
MEANINGS = {
    "units.csv": ("unit,dimension,expression\nbarrel,energy,5.8e9 joule\n", 2),
    "emission_accounts.csv": ("account,commodity\nmine,CO2\n", 2),
    "measures.yaml": ("final_energy: {label: Final}\n", 1),
}


def with_endless(text: str, after: int) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:after], ENDLESS, "\n", *lines[after:]])


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a VEDA set and the data directory where it is published."""
    place = tmp_path_factory.mktemp("published")
    files = write_set(
        place / "files",
        flows("MINCOA: -> COA 100\nPLANT: COA 100 -> ELC 40"),
        process_sets={"ELE": "PLANT"},
        units={"PJ": "COA ELC"},
        descriptions={"PLANT": "A plant", "COA": "Coal"},
    )
    import_files(Store(place / "data"), "case", [files])
    return place


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """The files of a VEDA set that is published, to be changed."""
    return shutil.copytree(published, tmp_path / "place") / "files"


def refused(folder: Path, file: str, rules: Sequence[Path] = ()) -> UnreadableFileError:
    """Import what is refused, and see that what was served before still is."""
    data = folder.parent / "data"
    before = open_source(data, "case").version
    with pytest.raises(UnreadableFileError) as caught:
        import_files(Store(data), "case", [folder], rules=rules)
    assert Store(data).manifest("case").version == before
    assert caught.value.file == file
    assert len(caught.value.what) + len(caught.value.remedy) + len(caught.value.details) < 5000
    return caught.value


@pytest.mark.parametrize("name", BESIDE)
def test_beside_a_vd(folder: Path, name: str) -> None:
    text, after = BESIDE[name]
    path = folder / name
    path.write_text(with_endless(text or path.read_text(encoding="utf-8"), after), encoding="utf-8")
    assert refused(folder, name).line == after + 1


@pytest.mark.parametrize("name", RULES)
def test_in_a_rule_table(folder: Path, name: str) -> None:
    path = folder.parent / name
    path.write_text(with_endless(*RULES[name]), encoding="utf-8")
    assert "larger than" in refused(folder, name, [path]).what


@pytest.mark.parametrize("name", ALONE)
def test_in_a_table_alone(folder: Path, name: str) -> None:
    text, after = ALONE[name]
    alone = folder.parent / "alone"
    alone.mkdir()
    (alone / name).write_text(with_endless(text, after), encoding="utf-8")
    assert refused(alone, name).line == after + 1


@pytest.mark.parametrize("name", MEANINGS)
def test_in_a_table_of_meanings(folder: Path, name: str) -> None:
    text, after = MEANINGS[name]
    own = folder.parent / "data" / semantics.FOLDER
    own.mkdir()
    (own / name).write_text(with_endless(text, after), encoding="utf-8")
    try:
        with pytest.raises(UnreadableFileError) as caught:
            import_files(Store(folder.parent / "data"), "case", [folder])
    finally:
        shutil.rmtree(own)
        semantics.use(None)
    assert caught.value.file == name
    assert "larger than 8 MB" in caught.value.what


def test_in_the_manifest_of_an_export(folder: Path) -> None:
    exported = folder.parent / "exported"
    export(open_source(folder.parent / "data", "case"), Results(), "parquet", exported)
    manifest = exported / "manifest.json"
    manifest.write_text(with_endless(manifest.read_text(encoding="utf-8"), 3), encoding="utf-8")
    with pytest.raises(TimesError) as caught:
        import_files(Store(folder.parent / "data"), "case", [exported])
    assert len(str(caught.value)) < 2000
