"""A dataset of flow records among datasets of scenarios: on the pages and on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import catalogs
from app.sources import Sources
from catalogs.__main__ import main
from catalogs.errors import TimesError, UnknownDatasetError
from catalogs.flow_records.records import FlowRecords
from catalogs.source import Source
from catalogs.store import FLOWS, SCENARIOS
from tests import flow_files, times_files
from tests.browser import Recorded, Served, open_page, serving

ROWS = (
    "2030-01-01 00:00,AAL,CPH,electricity,10",
    "2030-01-01 01:00,AAL,nowhere,electricity,20",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with scenarios, and flow records that were published after them."""
    folder = tmp_path_factory.mktemp("both")
    files = times_files.write_set(
        tmp_path_factory.mktemp("files"),
        times_files.flows("PLANT: -> ELC 40"),
        units={"PJ": "ELC"},
        commodity_sets={"ELC": "ELC"},
        process_sets={"ELE": "PLANT"},
    )
    times_files.publish(files, folder / "data", "results")
    flow_files.imported(folder, *ROWS)
    return folder / "data"


@pytest.fixture(scope="module")
def served_both(data: Path) -> Iterator[Served]:
    with serving(data) as server:
        yield server


# ---------------------------------------------------------------------------- opening


def test_the_catalog_hands_out_each_kind_as_what_it_is(data: Path) -> None:
    catalog = catalogs.open_catalog(data)
    assert sorted(catalog) == ["flows", "results"]
    assert isinstance(catalog["flows"].read(), FlowRecords)
    assert isinstance(catalog["results"].read(), Source)
    assert "flow maps" in catalog.entries["flows"].metadata["description"]


def test_each_kind_is_opened_by_its_name_or_as_the_last_of_its_kind(data: Path) -> None:
    assert catalogs.open_source(data).dataset == "results"
    assert catalogs.open_flow_records(data).dataset == "flows"
    assert catalogs.open_flow_records(data) is catalogs.open_dataset(data, "flows")
    assert catalogs.open_dataset(data, "results") is catalogs.open_source(data, "results")
    with pytest.raises(TimesError, match="'flows' holds flow records, no TIMES scenarios"):
        catalogs.open_source(data, "flows")
    with pytest.raises(TimesError, match="'results' holds TIMES scenarios, no flow records"):
        catalogs.open_flow_records(data, "results")
    with pytest.raises(UnknownDatasetError, match=r"no dataset 'x'\. There are: "):
        catalogs.open_dataset(data, "x")


def test_scenarios_that_are_missing_beside_flows_are_said_to_be(tmp_path: Path) -> None:
    flow_files.imported(tmp_path, *ROWS)
    with pytest.raises(UnknownDatasetError, match="No dataset of TIMES scenarios has been"):
        catalogs.open_source(tmp_path / "data")


def test_pages_share_what_is_open_and_get_their_kind(data: Path) -> None:
    sources = Sources(data)
    assert dict(sources.kinds()) == {"flows": FLOWS, "results": SCENARIOS}
    assert sources.open("flows") is sources.open("flows")
    assert isinstance(sources.open(kinds=[SCENARIOS]), Source)
    assert isinstance(sources.open(kinds=[FLOWS]), FlowRecords)


# ---------------------------------------------------------------------------- command line


def test_the_command_line_lists_and_describes_flow_records(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data-directory", str(data)]
    assert main(["list", *where]) == 0
    assert "results" in (listed := capsys.readouterr().out)
    assert "flows" in listed
    assert main(["describe", "flows", *where, "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["kind"] == FLOWS
    assert described["about"]["records"] == 2
    assert described["commodities"] == ["electricity"]
    assert {line["topic"] for line in described["import_report"]} >= {"places", "units"}
    assert main(["describe", "flows", *where]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "2 flows, unit unknown" in text
    assert "Time: 2 steps, 2030-01-01 00:00 to 2030-01-01 01:00" in text
    assert "places that the records name" in text


# ---------------------------------------------------------------------------- pages


@pytest.mark.browser
@pytest.mark.usefixtures("recorded")
def test_home_describes_a_dataset_of_flow_records(served_both: Served, page: Page) -> None:
    open_page(page, f"{served_both.url}/?dataset=flows")
    expect(page.get_by_role("heading", level=1)).to_have_text("flows: 2 flows between 5 places")
    what = page.get_by_label("What is loaded")
    expect(what).to_contain_text("2030-01-01 00:00 to 2030-01-01 01:00")
    page.get_by_text("Flow records").first.click()
    expect(page.get_by_text("places that the records name")).to_be_attached()


@pytest.mark.browser
def test_a_tool_that_cannot_show_flow_records_says_which_can(
    served_both: Served, page: Page, recorded: Recorded
) -> None:
    open_page(page, f"{served_both.url}/times?dataset=flows")
    said = "Scenarios shows TIMES scenarios; the dataset flows holds flow records."
    expect(page.get_by_role("main").get_by_role("status")).to_have_text(said)
    # The tabs keep the dataset, and another one can be chosen.
    home = page.get_by_role("link", name="Home")
    home.hover()
    expect(home).to_have_attribute("href", "/?dataset=flows")
    assert recorded.console == []


@pytest.mark.browser
@pytest.mark.usefixtures("recorded")
def test_without_a_name_a_tool_opens_what_it_can_show(served_both: Served, page: Page) -> None:
    open_page(page, f"{served_both.url}/times")
    expect(page.get_by_label("Dataset")).to_have_value("results")
