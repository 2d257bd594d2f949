"""The home page's component: what it says of the data, of the tools and of one's own files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import panel as pn
import pytest

import catalogs
from app.tools import TOOLS, Tool
from catalogs.demo import __file__ as demo_module
from catalogs.flow_records.recognition import FLOW_FORMAT
from catalogs.readers import READERS
from catalogs.readers.side_tables import SIDE_TABLES
from catalogs.source import Source
from components.home import HOME_ROUTE, MINIATURES, SIDE_TABLE_USES, Home, file_size
from components.numbers import THIN_SPACE
from tests.times_files import flows, publish, write_set

MARKUP = "<img src=x onerror=alert(1)>"
SETS: dict[str, Any] = {
    "process_sets": {"DMD": "LAMP"},
    "commodity_sets": {"NRG": "ELCD", "DEM": "LIGHT"},
    "units": {"PJ": "ELCD LIGHT"},
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The demo, published once."""
    directory = tmp_path_factory.mktemp("demo")
    catalogs.ensure_demo(directory)
    return catalogs.open_source(directory)


@pytest.fixture(scope="module")
def home(demo: Source) -> Home:
    """The home page of the demo with the tools there are."""
    return Home(source=demo, tools=TOOLS)


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Source]:
    """Publish a small scenario and open it."""

    def make(text: str = "LAMP: ELCD 36 -> LIGHT 36", **options: Any) -> Source:
        files = write_set(tmp_path / "files", flows(text), **{**SETS, **options})
        return publish(files, tmp_path / "data", model="Village")

    return make


def figures(home: Home) -> dict[str, str]:
    return {figure["label"]: figure["value"] for figure in home.main.figures}


# ---------------------------------------------------------------------- what is loaded


def test_title_says_what_is_loaded(home: Home):
    assert home.title == "Nordic-Baltic demo: 3 scenarios, 10 regions, 2025–2050"
    assert home.foot.startswith(f"demo, version {home.source.version[:8]}, published 20")


def test_title_of_one_of_each(build):
    assert Home(source=build()).title == "Village: 1 scenario, 1 region, 2020"


def test_figures_are_counted_in_the_data(home: Home, demo: Source):
    rows = demo.rows("SELECT count(*), count(DISTINCT region) FROM result WHERE region <> '-'")
    counted = demo.rows("SELECT count(*) FROM result")[0][0]
    assert rows[0][1] == 10
    assert figures(home) == {
        "scenarios": "3",
        "result rows": f"{counted:,}".replace(",", THIN_SPACE),
        "regions": "10",
        "milestone years": "6",
        "processes": str(demo.rows("SELECT count(DISTINCT process) FROM process")[0][0]),
        "commodities": str(demo.rows("SELECT count(DISTINCT commodity) FROM commodity")[0][0]),
        "timeslices": "20",
    }


def test_only_timeslices_of_the_finest_level_are_counted(build):
    timeslices = """
        timeslice,year_fraction,parent,level
        ANNUAL,1,,ANNUAL
        S,0.5,ANNUAL,SEASON
        W,0.5,ANNUAL,SEASON
    """
    assert figures(Home(source=build(timeslices=timeslices)))["timeslices"] == "2"


def test_several_models_are_counted_and_named(tmp_path: Path):
    for model in ("Village", "Town"):
        files = write_set(tmp_path / model, flows("LAMP: ELCD 36 -> LIGHT 36"), **SETS)
        source = publish(files, tmp_path / "data", "both", model=model)
    home = Home(source=source)
    assert home.title == "both: 2 scenarios of 2 models, 1 region, 2020"
    assert [entry["name"] for entry in home.main.scenarios] == ["Case (Town)", "Case (Village)"]


# ---------------------------------------------------------------------- scenarios


def test_scenarios_are_listed_with_where_they_came_from(home: Home, demo: Source):
    first = home.main.scenarios[0]
    assert first["name"] == "Reference"
    assert first["is_base"]
    assert first["description"].startswith("Today's policy")
    assert (first["model"], first["format"]) == ("Nordic-Baltic demo", "VEDA")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", first["imported"])
    published = next(s for s in demo.manifest.scenarios if s.key == "Reference")
    assert [file["sha256"] for file in first["files"]] == [f.sha256 for f in published.inputs]
    assert "Reference.vd.gz" in [file["name"] for file in first["files"]]
    assert not any("/" in file["name"] for file in first["files"])
    assert [entry["is_base"] for entry in home.main.scenarios] == [True, False, False]


def noticed(entry: dict[str, Any], severity: str = "") -> dict[str, dict[str, str]]:
    """The lines of a scenario's report by their message, of all topics or those of a severity."""
    return {
        line["message"]: line
        for topic in entry["report"]
        if topic["severity"] == severity or not severity
        for line in topic["lines"]
    }


def test_import_report_is_shown_whole(home: Home, demo: Source):
    first = home.main.scenarios[0]
    assert first["warnings"] == 0
    assert first["noticed"] == "none"
    lines = noticed(first)
    assert lines["result rows read"]["where"] == "Reference.vd.gz"
    assert lines["result rows read"]["count"] == first["rows"]
    kept = demo.import_report()
    assert sum(len(topic["lines"]) for topic in first["report"]) == sum(
        kept["scenario"] == "Reference"
    )
    assert all(topic["about"] for topic in first["report"])


def test_what_became_of_the_rows_is_told_per_file(tmp_path: Path):
    rows = flows("LAMP: ELCD 36 -> LIGHT 36")
    files = write_set(tmp_path / "files", [*rows, rows[0]], **SETS)
    [entry] = Home(source=publish(files, tmp_path / "data")).main.scenarios
    account = {(row["file"], row["content"]): row for row in entry["account"]}
    fates = account["Case.vd", "results"]
    assert [fates[name] for name in ("read", "kept", "merged", "conflicting", "left_out")] == [
        *("3", "2", "1", "0", "0")
    ]
    assert {file for file, _ in account} <= {file["name"] for file in entry["files"]}


def test_warnings_come_first_and_are_counted(build):
    # Without units, the import has something to say.
    [entry] = Home(source=build(units={})).main.scenarios
    assert entry["warnings"] == len(noticed(entry, "warning")) > 0
    kinds = [topic["severity"] for topic in entry["report"]]
    assert kinds == sorted(kinds, reverse=True)
    assert "info" in kinds
    units = next(topic for topic in entry["report"] if topic["topic"] == "units")
    assert units["severity"] == "warning"
    assert units["about"].startswith("units that are unknown")


def test_long_report_says_how_much_is_left_out(build, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("components.home._MOST_LINES", 2)
    [entry] = Home(source=build()).main.scenarios
    assert len(noticed(entry)) == 2
    assert re.fullmatch(r"\d+ lines more are not shown here", entry["left"])


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (950, "950 B"), (1234, "1.23 kB"), (3842763, "3.84 MB"), (36e9, "36.0 GB")],
)
def test_file_sizes_are_readable(size, text):
    assert file_size(size) == text


# ---------------------------------------------------------------------- infeasible models


def test_feasible_model_gives_no_alarm(home: Home):
    assert home.main.alarm == {}


def test_dummy_imports_are_said_first_of_all(build):
    source = build("IMPDEMZ: -> LIGHT 5\nLAMP: ELCD 36 -> LIGHT 36")
    alarm = Home(source=source).main.alarm
    assert alarm["title"] == "Dummy imports in Case"
    assert "infeasible" in alarm["remedy"]
    [line] = alarm["lines"]
    assert line.startswith("Case: IMPDEMZ supplies 5 in R1")


def test_many_dummy_imports_are_summed_up(build):
    demands = " ".join(f"D{number}" for number in range(9))
    source = build(
        "IMPDEMZ: -> " + ", ".join(f"D{number} 1" for number in range(9)),
        commodity_sets={"DEM": demands},
        units={"PJ": demands},
    )
    assert Home(source=source).main.alarm["lines"][-1] == "and 3 more in the import reports"


# ---------------------------------------------------------------------- tools


def test_every_tool_but_home_has_a_card(home: Home):
    assert [card["route"] for card in home.main.cards] == [
        tool.route for tool in TOOLS if tool.route != HOME_ROUTE
    ]
    for card in home.main.cards:
        assert card["name"]
        assert card["description"]
        assert card["icon"].startswith("<svg")


def test_miniatures_belong_to_tools_that_exist():
    assert set(MINIATURES) <= {tool.route for tool in TOOLS}


def test_miniature_is_drawn_from_the_data(home: Home, demo: Source):
    [card] = [card for card in home.main.cards if card["route"] == "/times"]
    miniature = card["miniature"]
    assert miniature["caption"] == "Final energy by fuel, Reference, PJ"
    assert miniature["years"] == [str(year) for year in demo.years]
    assert "Electricity" in [group["label"] for group in miniature["groups"]]
    for mark in miniature["marks"]:
        assert -1e-9 <= mark["x"] <= mark["x"] + mark["width"] <= 1
        assert -1e-9 <= mark["y"] <= mark["y"] + mark["height"] <= 1 + 1e-9
        assert re.fullmatch("#[0-9a-f]{6}", mark["colour"])
    heights: dict[float, float] = {}
    for mark in miniature["marks"]:
        heights[mark["x"]] = heights.get(mark["x"], 0) + mark["height"]
    assert max(heights.values()) == pytest.approx(1)


def test_miniature_of_energy_flows_has_bands_and_bars_within_it(home: Home):
    [card] = [card for card in home.main.cards if card["route"] == "/sankey"]
    miniature = card["miniature"]
    assert miniature["caption"] == "Energy from supply to use, Reference, 2030"
    assert "Electricity" in [group["label"] for group in miniature["groups"]]
    bands = [mark for mark in miniature["marks"] if "d" in mark]
    bars = [mark for mark in miniature["marks"] if "d" not in mark]
    assert len(bands) > len(bars) > 8
    for bar in bars:
        assert -1e-9 <= bar["x"] <= bar["x"] + bar["width"] <= 1
        assert -1e-9 <= bar["y"] <= bar["y"] + bar["height"] <= 1 + 1e-9
    for band in bands:
        numbers = [float(number) for number in re.findall(r"[0-9.]+", band["d"])]
        assert "-" not in band["d"]
        assert max(numbers) <= 1


def test_data_that_no_measure_fits_has_cards_without_pictures(build):
    home = Home(source=build(units={}), tools=TOOLS)
    assert [card["miniature"] for card in home.main.cards] == [{} for _ in TOOLS[1:]]


def test_tool_without_a_miniature_shows_its_icon(build):
    tool = Tool(7, "/new", "New", "bars", "Something new")
    [card] = Home(source=build(), tools=[tool]).main.cards
    assert card["miniature"] == {}


def test_without_tools_there_are_no_cards(build):
    assert Home(source=build()).main.cards == []


def test_links_take_the_selection_along(home: Home):
    assert home.main.dataset == "demo"
    assert home.main.shared[0] == "dataset"
    assert set(home.selection.url_params) <= set(home.main.shared)


# ---------------------------------------------------------------------- one's own files


def test_every_side_table_is_explained_with_its_columns(home: Home):
    assert set(SIDE_TABLE_USES) == set(SIDE_TABLES)
    tables = {table["file"]: table for table in home.main.own_files["tables"]}
    assert tables["commodity_units.csv"]["columns"] == "commodity, unit, region?"
    assert all(table["use"] for table in tables.values())


def test_every_format_that_is_read_is_explained(home: Home):
    explained = {entry["name"]: entry["text"] for entry in home.main.own_files["formats"]}
    assert set(explained) == {FLOW_FORMAT.label, *(reader.format.label for reader in READERS)}
    assert all(explained.values())


def test_commands_are_those_that_exist(home: Home):
    serve, importing = (entry["command"] for entry in home.main.own_files["commands"])
    makefile = (Path(demo_module).parents[2] / "Makefile").read_text(encoding="utf-8")
    assert serve.startswith("make serve DATA=")
    assert re.search(r"^serve:.*DATA=", makefile, re.MULTILINE)
    assert importing == "python -m catalogs import FILES --name my-data"


# ---------------------------------------------------------------------- as a component


def test_new_source_takes_the_place_of_the_old_one(demo: Source, build):
    home = Home(source=demo, tools=TOOLS)
    home.source = build()
    assert home.title == "Village: 1 scenario, 1 region, 2020"
    assert [entry["name"] for entry in home.main.scenarios] == ["Case"]
    assert home.main.dataset == home.source.dataset


def test_markup_in_data_goes_to_the_browser_as_data_only(build):
    home = Home(source=build(scenario=MARKUP.replace("/", "")), tools=TOOLS)
    assert home.main.scenarios[0]["name"] == MARKUP
    shown = pn.Column(home)
    assert shown.select(pn.pane.HTML) + shown.select(pn.pane.Markdown) == []
    # Only the icons, which ship with the application, are inserted as markup.
    script = home.main._esm
    assert re.findall(r"innerHTML = (.*)", script) == ["tool.icon", "tool.icon"]
    assert "insertAdjacentHTML" not in script


def test_page_has_no_rail_and_nothing_of_its_own_in_the_address(home: Home):
    assert home.sidebar is None
    assert home.url_params == ()


def test_home_without_a_source_says_what_it_needs():
    with pytest.raises(ValueError, match="needs a source"):
        Home()
