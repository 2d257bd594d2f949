"""Groups by rule tables: imported, kept, checked; sums that stay whatever the groups."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogs import ensure_demo, open_source, palette
from catalogs.__main__ import main
from catalogs.boundaries import build_boundaries, classify
from catalogs.check import check
from catalogs.coverage import MEASURES, Coverage, cover, stored_rules
from catalogs.errors import UnreadableFileError
from catalogs.importing import import_files
from catalogs.measures import PROCESS_GROUPS, measure
from catalogs.query import Query
from catalogs.rules import DIMENSIONS, RuleBook, RuleTable, book_for, make_rule
from catalogs.source import Source
from catalogs.store import Manifest, Store
from catalogs.tables import TABLES
from tests.times_files import flows, write_set

# A gas boiler and a heat pump hand their heat to homes; an office burns gas itself.
FLOWS = """
    MINGAS:            -> GAS 240
    MINELC:            -> ELC 40
    BOILER: GAS 100    -> HEAT 90, CO2 5.6
    PUMP:   ELC 40     -> HEAT 120
    HOMES:  HEAT 210   -> WARM 210
    OFFICE: GAS 140    -> WORK 130, CO2 7.8
"""
RULES = """dimension,group,item,code,description,priority,order,colour
technology,Boilers,process,BOIL* | OFFICE,,,1,#112233
technology,Heat pumps,process,,heat pump,,2,
technology,Heat used in homes,process,HOMES,,,3,
sector,Homes,process,HOMES | BOILER | PUMP,,,,#445566
fuel,Gas of all kinds,commodity,GAS,,,,
"""


def files(folder: Path, rules: str = "", name: str = "groups.csv") -> Path:
    write_set(
        folder,
        flows(FLOWS),
        process_sets={"DMD": "HOMES OFFICE", "PRE": "BOILER PUMP", "IRE": "MINGAS MINELC"},
        commodity_sets={
            "NRG": "GAS ELC HEAT",
            "DEM": "WARM WORK",
            "ENV": "CO2",
            "ELC+": "ELC",
        },
        units={"PJ": "GAS ELC HEAT WARM WORK", "kt": "CO2"},
        descriptions={
            "PUMP": "Heat pump, ground",
            "GAS": "Natural gas",
            "HEAT": "Room heat",
            "WORK": "Office work",
            "WARM": "Warm homes",
            "CO2": "Carbon dioxide",
        },
    )
    if rules:
        (folder / name).write_text(rules, encoding="utf-8")
    return folder


def publish(folder: Path, data: Path, *rules: Path) -> Source:
    import_files(Store(data), "case", [folder], rules=rules)
    return open_source(data, "case")


def ask(source: Source, measure_name: str, group: str) -> dict[str, float]:
    frame = source.ask(Query(measure_name, group_by=(group,))).frame
    return {
        str(name): round(value, 6) for name, value in zip(frame[group], frame.value, strict=True)
    }


def messages(source: Source) -> list[str]:
    report = source.import_report()
    return report[report.topic == "groups"].message.tolist()


@pytest.fixture
def grouped(tmp_path: Path) -> Source:
    """The case with a rule table among its files."""
    return publish(files(tmp_path / "files", RULES), tmp_path / "data")


# ---------------------------------------------------------------------------- rules at import


def test_a_table_among_the_files_gives_the_groups(grouped: Source) -> None:
    assert ask(grouped, "final_energy", "sector") == {"Homes": 140, "Services": 140}
    assert ask(grouped, "final_energy", "fuel") == {"Gas of all kinds": 240, "Electricity": 40}


def test_every_group_says_which_rule_gave_it(grouped: Source) -> None:
    rows = grouped.rows(
        "SELECT process, technology_rule, sector_rule FROM process_group ORDER BY ALL"
    )
    rules = {process: (technology, sector) for process, technology, sector in rows}
    homes = "groups.csv, line 5: code HOMES | BOILER | PUMP"
    assert rules["PUMP"] == ("groups.csv, line 3: description heat pump", homes)
    assert rules["OFFICE"] == ("groups.csv, line 2: code BOIL* | OFFICE", "demand downstream")
    assert rules["MINGAS"] == ("trade partner", "no single demand sector downstream")
    fuels = dict(grouped.rows("SELECT commodity, fuel_rule FROM commodity_group"))
    assert fuels["GAS"] == "groups.csv, line 6: code GAS"
    assert fuels["ELC"] == "set ELC+"


def test_heat_counts_where_it_is_made(grouped: Source) -> None:
    expected = {"Boilers": 240, "Heat pumps": 40}
    assert ask(grouped, "final_energy", "technology") == expected
    # By process it stays what each takes less what it hands on.
    by_process = {"BOILER": 10, "PUMP": -80, "HOMES": 210, "OFFICE": 140}
    assert ask(grouped, "final_energy", "process") == by_process


def test_heat_of_a_pipe_counts_with_those_it_serves(tmp_path: Path) -> None:
    rules = RULES.replace("HOMES | BOILER | PUMP", "HOMES | PUMP").replace(
        "BOIL* | OFFICE", "BOIL*"
    )
    source = publish(files(tmp_path / "files", rules + "sector,Pipes,,BOILER\n"), tmp_path / "data")
    found = ask(source, "final_energy", "technology")
    assert found == {
        "Boilers": 10,
        "Gas of all kinds end use": 140,
        "Heat pumps": 40,
        "Heat used in homes": 90,
    }


@pytest.mark.parametrize("rule", ["PIPE", "PIPE | VALVE"])
def test_what_a_pipe_on_the_side_of_supply_loses_is_used_where_most_of_it_goes(
    tmp_path: Path, rule: str
) -> None:
    folder = write_set(
        tmp_path / "files",
        # Of 100 the pipe hands on 90: 30 to homes, 60 to offices, through a valve that loses 6.
        flows("""
            PLANT:            -> HET 100
            PIPE:    HET 100  -> HETD 90
            VALVE:   HETD 60  -> HETO 54
            HOMES:   HETD 30  -> WARM 30
            OFFICE:  HETO 54  -> WORK 54
        """),
        process_sets={"PRE": "PIPE VALVE", "DMD": "HOMES OFFICE"},
        commodity_sets={"NRG": "HET HETD HETO", "DEM": "WARM WORK"},
        units={"PJ": "HET HETD HETO WARM WORK"},
        descriptions={"WORK": "Office work", "WARM": "Residential warmth"},
    )
    (folder / "groups.csv").write_text(
        f"dimension,group,item,code\nsector,Supply and conversion,process,{rule}\n"
    )
    source = publish(folder, tmp_path / "data")
    assert ask(source, "final_energy", "sector") == {"Residential": 30, "Services": 70}
    assert ask(source, "final_energy", "process")["PIPE"] == 10
    # The process itself stays where the rule puts it.
    sectors = dict(source.rows("SELECT process, sector FROM process_group"))
    assert sectors["PIPE"] == "Supply and conversion"


def test_a_plant_on_the_side_of_supply_stays_there_in_final_energy(tmp_path: Path) -> None:
    folder = write_set(
        tmp_path / "files",
        flows("MINE: -> GAS 100\nREFORMER: GAS 100 -> HYD 70\nOFFICE: HYD 70 -> WORK 60"),
        process_sets={"PRE": "REFORMER", "DMD": "OFFICE"},
        commodity_sets={"NRG": "GAS HYD", "DEM": "WORK"},
        units={"PJ": "GAS HYD WORK"},
        descriptions={"WORK": "Office work", "GAS": "Natural gas", "HYD": "Hydrogen"},
    )
    (folder / "groups.csv").write_text(
        "dimension,group,item,code\nsector,Supply and conversion,process,REFORMER\n"
    )
    source = publish(folder, tmp_path / "data")
    found = ask(source, "final_energy", "sector")
    assert found == {"Services": 70, "Supply and conversion": 30}


def test_tables_named_come_before_those_beside_the_files(tmp_path: Path) -> None:
    folder = files(tmp_path / "files", RULES)
    mine = tmp_path / "mine.csv"
    mine.write_text("dimension,group,code\ntechnology,Mine,PUMP\n", encoding="utf-8")
    (tmp_path / "beside").mkdir()
    source = publish(folder, tmp_path / "data", mine)
    groups = dict(source.rows("SELECT process, technology FROM process_group"))
    assert (groups["PUMP"], groups["BOILER"]) == ("Mine", "Boilers")
    names = [file.name for file in source.manifest.scenarios[0].inputs]
    assert names[-2:] == ["mine.csv", "groups.csv"]
    # One file named alone finds the table in its folder as well.
    import_files(Store(tmp_path / "data"), "alone", [folder / "Case.vd"])
    alone = open_source(tmp_path / "data", "alone")
    groups = dict(alone.rows("SELECT process, technology FROM process_group"))
    assert (groups["PUMP"], groups["BOILER"]) == ("Heat pumps", "Boilers")


def test_other_rules_make_a_new_version_and_the_same_rules_do_not(tmp_path: Path) -> None:
    folder, store = files(tmp_path / "files", RULES), Store(tmp_path / "data")

    def version() -> Manifest:
        return import_files(store, "case", [folder])

    first = version()
    assert version() == first
    (folder / "groups.csv").write_text(RULES.replace("Homes", "Houses"), encoding="utf-8")
    second = version()
    assert second.version != first.version
    assert len(second.scenarios) == 1
    source = open_source(tmp_path / "data", "case")
    assert ask(source, "final_energy", "sector") == {"Houses": 140, "Services": 140}


def test_a_wrong_table_changes_nothing_that_is_published(tmp_path: Path) -> None:
    folder, store = files(tmp_path / "files", RULES), Store(tmp_path / "data")
    before = import_files(store, "case", [folder])
    (folder / "groups.csv").write_text(RULES + "fuel,A,,/(/,,,,\n", encoding="utf-8")
    with pytest.raises(UnreadableFileError, match=r"groups\.csv, line 7: code has a bad regular"):
        import_files(store, "case", [folder])
    assert store.manifest("case") == before


def test_a_table_with_a_wrong_column_among_the_files_is_no_unknown_format(tmp_path: Path) -> None:
    folder = files(tmp_path / "files", "dimension,grp,code,priority\nfuel,A,B,\n")
    with pytest.raises(UnreadableFileError, match=r"groups\.csv, line 1: the column 'grp' is not"):
        publish(folder, tmp_path / "data")
    # Beside a file that is named alone it is somebody else's.
    import_files(Store(tmp_path / "data"), "case", [folder / "Case.vd"])


def test_a_rule_may_rename_wind_and_it_stays_domestic(tmp_path: Path) -> None:
    write_set(
        tmp_path / "files",
        flows("IMPWIN: -> WIN 100\nMILL: WIN 100 -> ELC 90"),
        process_sets={"IRE": "IMPWIN", "ELE": "MILL"},
        commodity_sets={"NRG": "WIN ELC", "ELC+": "ELC"},
        units={"PJ": "WIN ELC"},
        descriptions={"WIN": "Wind"},
        more_sets=[("Process", "IMPEXP", "IRE", "IMPWIN")],
    )
    rules = tmp_path / "rules.csv"
    rules.write_text("dimension,group,code\nfuel,Vindkraft,WIN\n", encoding="utf-8")
    source = publish(tmp_path / "files", tmp_path / "data", rules)
    assert ask(source, "primary_energy", "fuel") == {"Vindkraft": 100}
    assert ask(source, "primary_energy", "part") == {"Domestic": 100}


# ---------------------------------------------------------------------------- looks


def test_colours_and_order_of_a_table_reach_the_palette(grouped: Source) -> None:
    looks = grouped.group_looks
    assert palette.colour("technology", "Boilers", looks=looks) == "#112233"
    assert palette.colour("sector", "Homes", looks=looks) == "#445566"
    assert palette.order("technology", "Boilers", looks) == 1
    assert palette.order("technology", "Heat pumps", looks) == 2
    # Where a table says nothing, and without tables, the shipped groups keep their looks.
    assert palette.colour("technology", "Heat pumps", looks=looks) == "#e377c2"
    assert palette.colour("fuel", "Oil", looks=looks) == palette.colour("fuel", "Oil") == "#a0693d"
    assert palette.order("technology", "nothing of the kind", looks) == palette.LAST


def test_a_row_that_takes_nothing_gives_a_group_of_another_table_its_colour(tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text(
        "dimension,group,order,colour\ntechnology,Boilers,7,#abcdef\nfuel,Electricity,,#fedcba\n",
        encoding="utf-8",
    )
    source = publish(files(tmp_path / "files", RULES), tmp_path / "data", mine)
    looks = source.group_looks
    assert palette.colour("technology", "Boilers", looks=looks) == "#abcdef"
    assert palette.order("technology", "Boilers", looks) == 7
    assert palette.colour("fuel", "Electricity", looks=looks) == "#fedcba"
    assert palette.order("fuel", "Electricity", looks) == palette.order("fuel", "Electricity")
    assert ask(source, "final_energy", "technology") == {"Boilers": 240, "Heat pumps": 40}


# ---------------------------------------------------------------------------- coverage


def test_without_units_there_is_nothing_to_check_and_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = files(tmp_path / "files")
    (folder / "commodity_units.csv").unlink()
    publish(folder, tmp_path / "data")
    assert main(["check", "case", "--data-directory", str(tmp_path / "data")]) == 0
    assert "There is nothing here that the measures count" in capsys.readouterr().out


def one(coverage: Coverage, measure_name: str, dimension: str) -> tuple[float, ...]:
    (share,) = [s for s in coverage.shares if (s.measure, s.dimension) == (measure_name, dimension)]
    return tuple(
        round(x, 6) for x in (share.total, share.by_table, share.by_default, share.unnamed)
    )


def test_coverage_says_who_named_what(grouped: Source, tmp_path: Path) -> None:
    coverage = check(tmp_path / "data", "case")["Case"]
    # By process: 210 homes, 80 pump, 10 boiler and 140 office, whatever their sign.
    assert one(coverage, "final_energy", "sector") == (440, 300, 140, 0)
    assert one(coverage, "final_energy", "technology") == (440, 440, 0, 0)
    assert one(coverage, "final_energy", "fuel") == (280, 240, 40, 0)
    assert one(coverage, "emissions", "technology") == (13.4, 13.4, 0, 0)
    assert coverage.is_enough
    assert messages(grouped) == []


def test_what_no_rule_takes_is_listed_the_largest_first(tmp_path: Path) -> None:
    folder = files(tmp_path / "files")
    text = (folder / "Case.vde").read_text(encoding="utf-8")
    for word in ("Office work", "Warm homes", "Natural gas"):
        text = text.replace(word, "x")
    (folder / "Case.vde").write_text(text, encoding="utf-8")
    source = publish(folder, tmp_path / "data")
    coverage = check(tmp_path / "data", "case")["Case"]
    unnamed = [(t.code, t.amount) for t in coverage.unnamed if t.dimension == "sector"]
    assert unnamed[:4] == [("HOMES", 210), ("OFFICE", 140), ("PUMP", 80), ("BOILER", 10)]
    assert not coverage.is_enough
    said = messages(source)
    assert "no rule names the sector of 100.0% of final energy (HOMES, OFFICE, PUMP ...)" in said


def test_what_more_than_one_rule_takes_is_listed_and_reported(tmp_path: Path) -> None:
    rules = (
        RULES + "technology,Old boilers,process,/BOIL/,,,,\nfuel,Air,process,MINGAS | MIN*,,,,\n"
    )
    rules += "fuel,Gas,process,MINGA?,,,,\n"
    source = publish(files(tmp_path / "files", rules), tmp_path / "data")
    coverage = check(tmp_path / "data", "case")["Case"]
    assert [(t.code, t.dimension, t.amount, t.choice.group) for t in coverage.contested] == [
        ("BOILER", "technology", 10, "Boilers"),
        ("MINGAS", "fuel", 0, "Air"),
    ]
    assert not coverage.is_enough
    boilers, _ = messages(source)
    assert boilers == (
        "more than one rule gives a technology to BOILER: Boilers (groups.csv, line 2: code BOIL* |"
        " OFFICE) holds, against Old boilers (groups.csv, line 7: code /BOIL/). Give one of them a"
        " higher priority"
    )


def test_sets_and_regions_that_are_not_there_are_reported_with_file_and_row(
    tmp_path: Path,
) -> None:
    rules = "dimension,group,set,region,code\nsector,A,DMDX,,\nsector,B,,R2,\nsector,C,D*,R?,\n"
    source = publish(files(tmp_path / "files", rules), tmp_path / "data")
    report = source.import_report()
    found = report[report.topic == "groups"][["severity", "file", "line", "message"]]
    first, second = found.itertuples(index=False)
    assert (first.severity, first.file, first.line) == ("warning", "groups.csv", 2)
    assert first.message.startswith("there is no set 'DMDX' here")
    assert first.message.endswith("there are DMD, IRE, PRE")
    assert (second.line, second.message.endswith("there are R1")) == (3, True)
    coverage = check(tmp_path / "data", "case")["Case"]
    assert [rule.group for rule in coverage.idle] == ["A", "B"]


def test_check_tries_tables_without_importing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    before = publish(files(tmp_path / "files"), data).manifest
    rules = tmp_path / "rules.csv"
    rules.write_text(RULES, encoding="utf-8")
    arguments = ["check", "case", "--data-directory", str(data), "--rules", str(rules)]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["Case"]
    (share,) = [
        s for s in found["shares"] if (s["measure"], s["dimension"]) == ("final_energy", "sector")
    ]
    assert (share["by_table"], share["named_share"], found["enough"]) == (300, 1, True)
    assert main(arguments) == 0
    assert "Final energy" in capsys.readouterr().out
    assert Store(data).manifest("case") == before
    rules.write_text(RULES + "sector,Houses,process,HOME?,,,,\n", encoding="utf-8")
    assert main(arguments) == 1
    said = capsys.readouterr().out
    assert "More than one rule takes" in said
    assert "Houses (rules.csv, line 7: code HOME?)" in said
    rules.write_text("nothing", encoding="utf-8")
    assert main(arguments) == 2
    assert "the column 'nothing' is not known" in capsys.readouterr().err


def test_import_takes_tables_on_the_command_line(tmp_path: Path) -> None:
    folder, rules = files(tmp_path / "files"), tmp_path / "rules.csv"
    rules.write_text(RULES, encoding="utf-8")
    arguments = ["--name", "case", "--data-directory", str(tmp_path / "data")]
    assert main(["import", str(folder), "--rules", str(rules), *arguments]) == 0
    source = open_source(tmp_path / "data", "case")
    assert ask(source, "final_energy", "sector") == {"Homes": 140, "Services": 140}


def test_markup_in_a_table_is_shown_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = "dimension,group,code\nsector,[red]A[/red],HOMES\nsector,<b>B</b>,HOME?\n"
    publish(files(tmp_path / "files", rules), tmp_path / "data")
    main(["check", "case", "--data-directory", str(tmp_path / "data")])
    said = capsys.readouterr().out
    assert "[red]A[/red]" in said
    assert "<b>B</b>" in said


def test_rules_are_kept_with_the_scenario_as_they_were(grouped: Source) -> None:
    path = grouped.manifest_path.parent / grouped.manifest.scenarios[0].file
    with duckdb.connect(str(path), read_only=True) as connection:
        (kept,) = stored_rules(connection).tables
    assert kept.name == "groups.csv"
    assert [(r.line, r.group, r.shown) for r in kept.rules] == [
        (2, "Boilers", "groups.csv, line 2: code BOIL* | OFFICE"),
        (3, "Heat pumps", "groups.csv, line 3: description heat pump"),
        (4, "Heat used in homes", "groups.csv, line 4: code HOMES"),
        (5, "Homes", "groups.csv, line 5: code HOMES | BOILER | PUMP"),
        (6, "Gas of all kinds", "groups.csv, line 6: code GAS"),
    ]


# ---------------------------------------------------------------------------- sums stay

GROUPS = ("Red", "Green", "Blue", "Heat", "Wind", "Other")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Source:
    directory = tmp_path_factory.mktemp("demo")
    ensure_demo(directory)
    return open_source(directory)


@pytest.fixture(scope="module")
def playground(demo: Source, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A copy of a scenario of the demo in which groups may be given anew."""
    path = demo.manifest_path.parent / demo.manifest.scenarios[0].file
    connection = duckdb.connect(str(tmp_path_factory.mktemp("copy") / "copy.duckdb"))
    connection.execute(f"ATTACH '{path}' AS demo (READ_ONLY)")
    for name in TABLES:
        if name != "result":
            connection.execute(f"CREATE TABLE {name} AS FROM demo.{name}")
    return connection


def regroup(connection: duckdb.DuckDBPyConnection, rules: RuleBook) -> None:
    for name in ("process_group", "commodity_group", "boundary"):
        connection.execute(f"DELETE FROM {name}")
    build_boundaries(connection, classify(connection, rules))


@st.composite
def rule_books(draw: st.DrawFn) -> RuleBook:
    codes = st.text("ABCDEGHILMNOPRSTW*?|!01", min_size=1, max_size=6)
    rules = []
    for line in range(draw(st.integers(0, 8))):
        dimension = draw(st.sampled_from(DIMENSIONS))
        item = draw(st.sampled_from(("process", "commodity")))
        if dimension == "technology":
            item = "process"
        cells = {
            "dimension": dimension,
            "group": draw(st.sampled_from(GROUPS)),
            "item": item,
            "code": draw(codes.map(lambda text: text.strip("|!").replace("||", "|") + "*")),
            "set": draw(st.sampled_from(("", "DMD", "!DMD", "IRE | ELE", "NRG"))),
            "region": draw(st.sampled_from(("", "DK*", "!DKE"))),
        }
        try:
            rules.append(make_rule("t", line, cells, order=None, priority=draw(st.integers(0, 2))))
        except ValueError:
            continue
    return book_for([RuleTable("t", tuple(rules))], [])


def sums(connection: duckdb.DuckDBPyConnection, boundary: str, group: str) -> dict[object, float]:
    rows = connection.execute(
        f"SELECT year, sum(value) FROM (SELECT year, b.{group}, sum(f.value * b.factor) AS value"
        " FROM flow_annual AS f JOIN boundary AS b USING (region, process, commodity, direction)"
        " WHERE b.boundary = ? GROUP BY ALL) GROUP BY ALL",
        [boundary],
    ).fetchall()
    return dict(rows)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rules=rule_books())
def test_every_grouping_sums_to_the_same_total_whatever_the_rules(
    playground: duckdb.DuckDBPyConnection, demo: Source, rules: RuleBook
) -> None:
    regroup(playground, rules)
    key = demo.scenario_names[0]
    for name in MEASURES:
        asked = measure(name)
        totals = demo.ask(Query(name, scenarios=(key,), unit=unit_of(name))).frame
        expected = dict(zip(totals.year, totals.value, strict=True))
        for group in PROCESS_GROUPS:
            found = sums(playground, asked.boundary, group)
            assert found.keys() == expected.keys()
            for year, value in expected.items():
                assert found[year] == pytest.approx(value, rel=1e-9, abs=1e-6)


def unit_of(name: str) -> str:
    """Return the unit in which the demo has a measure's flows."""
    return "kt" if name == "emissions" else "PJ"


@pytest.mark.parametrize("name", MEASURES)
def test_groups_of_the_demo_sum_to_its_total(demo: Source, name: str) -> None:
    total = demo.ask(Query(name)).frame.set_index(["scenario", "year"]).value
    for group in measure(name).groups:
        parts = demo.ask(Query(name, group_by=(group,))).frame.groupby(["scenario", "year"]).value
        assert parts.sum().to_dict() == pytest.approx(total.to_dict(), rel=1e-9), group


# ---------------------------------------------------------------------------- known models


def check_all(directory: Path, dataset: str, tables: Sequence[str]) -> None:
    for key, coverage in check(directory, dataset).items():
        for share in coverage.shares:
            assert share.named_share >= 0.99, (key, share)
        assert coverage.contested == (), key
        assert coverage.unknown == (), key
        assert coverage.idle == (), key
    source = open_source(directory, dataset)
    found = source.rows("SELECT DISTINCT rule_table FROM group_rule ORDER BY ALL")
    assert [name for (name,) in found] == list(tables)


def test_the_demo_is_covered(demo: Source) -> None:
    check_all(demo.manifest_path.parent.parent, demo.dataset, ["demo.csv"])
    check_colours(demo)


def check_defaults(path: Path, enough: float) -> None:
    """Without any rules, groups have names that are no codes, and few of them."""
    with duckdb.connect(str(path), read_only=True) as connection:
        classifier = classify(connection, RuleBook())
        coverage = cover(connection, classifier)
        processes = classifier.network.processes
    for share in coverage.shares:
        assert share.named_share >= enough, share
        assert share.by_table == 0
    codes = {code for _, code in processes}
    for dimension in PROCESS_GROUPS:
        names = {classifier.choice(dimension, *node).group for node in processes}
        assert not names & codes
        assert len(names) <= 70, dimension
        assert all(name[0].isupper() and "heat heat" not in name.lower() for name in names)


def test_without_rules_the_demo_still_reads_well(demo: Source) -> None:
    for scenario in demo.manifest.scenarios:
        check_defaults(demo.manifest_path.parent / scenario.file, 0.99)


def lightness_and_hue(colour: str) -> tuple[float, float, float]:
    """Return a colour's place in CIELAB, where distance is what the eye sees."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    white = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    x, y, z = (
        sum(w * c for w, c in zip(weights, linear, strict=True)) / sum(weights) for weights in white
    )
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def check_colours(source: Source) -> None:
    """The twelve largest groups of a picture are told apart, from each other and the ground."""
    for name in MEASURES:
        for group in (g for g in PROCESS_GROUPS if g in measure(name).groups):
            frame = source.ask(Query(name, group_by=(group,))).frame
            for _, part in frame.groupby(["scenario", "year"]):
                sizes = part.set_index(group).value.abs().sort_values(ascending=False)
                colours = {
                    str(g): lightness_and_hue(palette.colour(group, str(g), (), source.group_looks))
                    for g in sizes.index[:12]
                }
                for (a, one), (b, other) in combinations(colours.items(), 2):
                    assert math.dist(one, other) > 10, (name, a, b)
                for a, (lightness, _, _) in colours.items():
                    assert 20 < lightness < 86, (name, a)


def most(source: Source, name: str, group: str) -> int:
    """Return how many groups hold 98% of a measure, at most over scenarios and years."""
    frame = source.ask(Query(name, group_by=(group,))).frame
    counts = []
    for _, part in frame.groupby(["scenario", "year"]):
        sizes = part.value.abs().sort_values(ascending=False).cumsum()
        counts.append(int((sizes < 0.98 * sizes.iloc[-1]).sum()) + 1)
    return max(counts)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("pattern", "table"),
    [("*_DK_Regeringen.miroscen", "danish.csv"), ("*Starter*.miroscen", "starter.csv")],
)
def test_real_scenarios_are_covered_and_read_well(
    real_data: Path, tmp_path: Path, pattern: str, table: str
) -> None:
    pytest.importorskip("gams.transfer")
    paths = sorted((real_data / "miro").glob(pattern))
    import_files(Store(tmp_path), "real", paths)
    check_all(tmp_path, "real", [table])
    source = open_source(tmp_path, "real")
    assert messages(source) == []
    check_colours(source)
    for scenario in source.manifest.scenarios:
        check_defaults(source.manifest_path.parent / scenario.file, 0.92)
    for name in MEASURES:
        for group in (g for g in PROCESS_GROUPS if g in measure(name).groups):
            assert most(source, name, group) <= 25, (name, group)
    codes = {code for (code,) in source.rows("SELECT process FROM process")}
    groups = {
        g for row in source.rows("SELECT technology, sector, fuel FROM process_group") for g in row
    }
    assert not groups & codes
