"""VEDA batch exports: alone, in several tables, and beside the ``.vd`` they were made of."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from catalogs import open_source
from catalogs.errors import TimesError, UnreadableFileError
from catalogs.importing import import_files
from catalogs.query import Query
from catalogs.source import Source
from catalogs.store import Store
from tests.times_files import row, write_set

FLOWS = """\
Scenario,UserName,ModelName,Studyname,Attribute,Commodity,Process,Period,Region,Timeslice,Pv,Commodityset
Base,anna,North,,VAR_FOut,ELC,PLANT,2020,R1,S,40,NRG
Base,anna,North,,VAR_FOut,ELC,PLANT,2020,R1,W,60,NRG
High,anna,North,,VAR_FOut,ELC,PLANT,2020,R1,S,44,NRG
"""
COSTS = """\
Scenario,UserName,ModelName,Studyname,Attribute,Region,Userconstraint,Period,Pv
Base,anna,North,,Reg_ACost,R1,INV,2020,7.5
High,anna,North,,Reg_ACost,R1,INV,2020,9
"""


def write(path: Path, text: str, encoding: str = "utf-8-sig") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def publish(data: Path, *paths: Path) -> Source:
    import_files(Store(data), "case", paths)
    return open_source(data, "case")


def messages(source: Source, topic: str) -> list[tuple[str, int]]:
    report = source.import_report()
    found = report[report.topic == topic]
    return list(zip(found.message, found["count"].astype(int), strict=True))


def test_tables_of_the_same_scenario_are_gathered_into_one(tmp_path: Path) -> None:
    flows = write(tmp_path / "flows.csv", FLOWS)
    costs = write(tmp_path / "any name.txt", COSTS)
    source = publish(tmp_path / "data", flows, costs)
    assert source.scenario_names == ("Base", "High")
    assert {s.model for s in source.manifest.scenarios} == {"North"}
    frame = source.ask(Query("attribute:VAR_FOut", group_by=("commodity",))).frame
    assert dict(zip(frame.scenario, frame.value, strict=True)) == {"Base": 100, "High": 44}
    costs_of = source.ask(Query("attribute:Reg_ACost", group_by=("user_constraint",))).frame
    assert costs_of.value.tolist() == [7.5, 9]
    assert source.rows("SELECT DISTINCT commodity, set_name FROM commodity_set") == [("ELC", "NRG")]


def test_the_order_and_the_case_of_columns_do_not_matter(tmp_path: Path) -> None:
    text = "PV;period;REGION;attribute;Scenario\n3.5;2030;R1;Reg_ACost;Base\n"
    source = publish(tmp_path / "data", write(tmp_path / "x.csv", text, "utf-8"))
    assert source.rows("SELECT attribute, region, year, value FROM result") == [
        ("Reg_ACost", "R1", 2030, 3.5)
    ]


def test_a_table_without_timeslices_does_not_count_the_same_flows_again(tmp_path: Path) -> None:
    annual = "Scenario,ModelName,Attribute,Commodity,Process,Period,Region,Pv\n"
    annual += "Base,North,VAR_FOut,ELC,PLANT,2020,R1,100\n"
    annual += "Base,North,VAR_FOut,ELC,WIND,2020,R1,5\n"
    source = publish(
        tmp_path / "data",
        write(tmp_path / "annual.csv", annual),
        write(tmp_path / "flows.csv", FLOWS),
    )
    frame = source.ask(Query("attribute:VAR_FOut", ("Base",), group_by=("process",))).frame
    assert dict(zip(frame.process, frame.value, strict=True)) == {"PLANT": 100, "WIND": 5}
    assert messages(source, "duplicates") == [
        ("figures of the batch export repeat those of another table", 1)
    ]


def of_a_vd(folder: Path, exported: str) -> tuple[Path, Path]:
    write_set(
        folder,
        [
            row("VAR_FOut", 40, commodity="ELC", process="PLANT", timeslice="S"),
            row("VAR_FOut", 60, commodity="ELC", process="PLANT", timeslice="W"),
        ],
        scenario="Base",
        descriptions={"PLANT": "Power plant, coal"},
    )
    return folder / "Base.vd", write(folder / "table.csv", exported)


def test_beside_its_vd_a_batch_export_is_no_second_scenario(tmp_path: Path) -> None:
    text = "Scenario,Attribute,Commodity,Process,Period,Region,Pv\n"
    text += "base,VAR_fout,ELC,PLANT,2020,R1,100.0000004\n"
    source = publish(tmp_path / "data", *of_a_vd(tmp_path / "files", text))
    assert source.scenario_names == ("Base",)
    assert source.manifest.scenarios[0].rows == 2
    assert messages(source, "duplicates") == [
        ("figures of the batch export repeat those of the .vd", 1)
    ]


def test_a_description_in_the_place_of_a_code_is_turned_into_the_code(tmp_path: Path) -> None:
    text = "Scenario,Attribute,Commodity,Process,Period,Region,Pv\n"
    text += 'Base,VAR_FOut,ELC,"Power plant, coal",2020,R1,100\n'
    source = publish(tmp_path / "data", *of_a_vd(tmp_path / "files", text))
    assert messages(source, "duplicates") == [
        ("figures of the batch export repeat those of the .vd", 1)
    ]
    assert source.rows("SELECT DISTINCT process FROM result") == [("PLANT",)]


def test_where_the_code_cannot_be_told_the_description_stays_and_is_reported(
    tmp_path: Path,
) -> None:
    text = "Scenario,Attribute,Process,Period,Region,Pv\nBase,VAR_Act,Coal plant,2020,R1,1\n"
    source = publish(tmp_path / "data", write(tmp_path / "x.csv", text))
    assert source.rows("SELECT process FROM result") == [("Coal plant",)]
    [(message, count)] = messages(source, "descriptions")
    assert "descriptions in place of codes" in message
    assert count == 1


def test_figures_that_differ_from_the_vd_are_reported_and_the_vd_holds(tmp_path: Path) -> None:
    text = "Scenario,Attribute,Commodity,Process,Period,Region,Pv\n"
    text += "Base,VAR_FOut,ELC,PLANT,2020,R1,101\nBase,VAR_FOut,HET,PLANT,2020,R1,7\n"
    source = publish(tmp_path / "data", *of_a_vd(tmp_path / "files", text))
    frame = source.ask(Query("attribute:VAR_FOut", group_by=("commodity",))).frame
    assert dict(zip(frame.commodity, frame.value, strict=True)) == {"ELC": 100, "HET": 7}
    [(message, count)] = messages(source, "conflicts")
    assert "101.0 against 100.0" in message
    assert count == 1
    assert ("figures that the .vd does not have were added from the batch export", 1) in messages(
        source, "read"
    )


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ('2020,"1,5"', "'1,5' has a decimal comma"),
        ("2020,03-Mar", "'03-Mar' is not a number"),
        ("2020,2020-03-01", "'2020-03-01' is a date"),
        ("01/01/2020,1", "Period is the date '01/01/2020'"),
        ("2020", "the row cannot be read"),
        ("2020;1", "the row cannot be read"),
        ("2020," + "9" * 10_000_000, "the row cannot be read"),
    ],
    ids=[
        *("decimal comma", "text", "date", "date as year", "too few cells"),
        *("mixed separators", "huge line"),
    ],
)
def test_bad_cells_are_refused_with_their_line(tmp_path: Path, cells: str, problem: str) -> None:
    good = "Scenario,Attribute,Region,Period,Pv\nBase,Reg_ACost,R1,2020,1\n"
    source = publish(tmp_path / "data", write(tmp_path / "x.csv", good))
    bad = write(tmp_path / "y.csv", good + f"Base,Reg_ACost,R1,{cells}\n")
    with pytest.raises(UnreadableFileError) as caught:
        import_files(Store(tmp_path / "data"), "case", [bad])
    assert problem in caught.value.what
    assert caught.value.line == 3
    assert source.is_current


def test_infinite_and_missing_values_are_kept_and_counted(tmp_path: Path) -> None:
    text = "Scenario,Attribute,Region,Period,Pv\n"
    text += "Base,Reg_ACost,R1,2020,inf\nBase,Reg_ACost,R1,2030,nan\nBase,Reg_ACost,R1,2040,\n"
    source = publish(tmp_path / "data", write(tmp_path / "x.csv", text))
    assert source.manifest.scenarios[0].rows == 3
    assert sorted(count for _, count in messages(source, "values")) == [1, 2]


def test_a_column_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    text = "Scenario,Attribute,Region,Region,Pv\nBase,Reg_ACost,R1,R2,1\n"
    with pytest.raises(TimesError, match="'region' occurs twice"):
        publish(tmp_path / "data", write(tmp_path / "x.csv", text))


@pytest.mark.real_data
def test_vedas_own_tables_agree_with_the_vd_on_every_figure(
    real_data: Path, tmp_path: Path
) -> None:
    together = publish(tmp_path / "data", real_data / "veda")
    assert together.scenario_names == ("DemoS_007_3108",)
    assert together.manifest.scenarios[0].rows == 2727
    report = together.import_report()
    assert report[report.topic == "duplicates"]["count"].sum() == 453 + 49 + 430 + 2
    assert "conflicts" not in set(report.topic)

    tables = sorted((real_data / "veda").glob("*.csv"))
    import_files(Store(tmp_path / "data"), "alone", tables)
    alone = open_source(tmp_path / "data", "alone")
    assert alone.manifest.scenarios[0].rows == 934
    columns = "attribute, commodity, process, year, region, vintage, user_constraint, value"
    both = pd.merge(
        alone.sql(f"SELECT {columns}, timeslice FROM result"),
        together.sql(f"SELECT {columns}, timeslice FROM result"),
        on=[c for c in columns.split(", ") if c not in ("value", "commodity", "year")],
        how="left",
    )
    matching = both[abs(both.value_x - both.value_y) <= 1e-6 * (1 + abs(both.value_y))]
    assert len(matching.drop_duplicates()) >= 934
