"""The page at /times in a browser: what a reader does there and what is shown.

Figures in the page are compared with SQL written here by hand over the tables that come straight
from the files, never with the queries that the application makes.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

import catalogs
from catalogs.importing import import_files
from catalogs.source import Source
from catalogs.store import Store
from components.explorer import ScenarioExplorer
from components.numbers import MISSING, significant
from tests.browser import PHONE, Recorded, Served, open_page, query_of, record, serving, until
from tests.times_files import flows, write_set
from tests.times_page import (
    chips,
    choose,
    click_mark,
    control,
    legend,
    marks,
    open_tab,
    press,
    take_back,
    title,
    unfold,
    values,
    wait_for_title,
)

pytestmark = pytest.mark.browser

MARKUP = "<img src=x onerror=alert(1)>"
USUAL = "Final energy by fuel, 3 scenarios, PJ"
DANISH = "times_miro_DK_Regeringen.miroscen"

Figures = dict[tuple[str, str, str], float]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The real application with the demo and a dataset whose scenario is named like markup."""
    data, files = tmp_path_factory.mktemp("times"), tmp_path_factory.mktemp("files")
    catalogs.ensure_demo(data)
    rows = flows("HEATER: ELC 10 -> HEAT 9")
    write_set(
        files,
        rows,
        scenario="Case",
        process_sets={"DMD": "HEATER"},
        commodity_sets={"NRG": "ELC", "DEM": "HEAT"},
        units={"PJ": "ELC HEAT"},
        descriptions={"HEATER": MARKUP, "ELC": MARKUP},
    )
    result = files / "Case.vd"
    text = result.read_text(encoding="utf-8").replace("Scenario:Case", f"Scenario:{MARKUP}")
    result.write_text(text, encoding="utf-8")
    import_files(Store(data), "markup", [files])
    with serving(data) as served:
        yield served


@pytest.fixture(scope="module")
def demo(site: Served) -> Source:
    """The dataset that the pages show."""
    return catalogs.open_source(site.data_directory, "demo")


@pytest.fixture
def times(site: Served) -> str:
    """Address of the page with the demo."""
    return f"{site.url}/times?dataset=demo"


def by_hand(source: Source, sql: str) -> Figures:
    """Figures as the chart names them: the columns scenario, year, code and value of a query."""
    return {
        (scenario, str(year), code): float(value)
        for scenario, year, code, value in source.rows(sql)
    }


def same(shown: Figures, worked_out: Figures) -> None:
    """Assert that a chart shows these figures; what is nothing may be drawn or not."""
    nothing = 1e-9 * max(abs(value) for value in worked_out.values())
    assert shown
    for key in shown.keys() | worked_out.keys():
        assert shown.get(key, 0.0) == pytest.approx(
            worked_out.get(key, 0.0), rel=1e-6, abs=nothing
        ), key


GENERATION = """
    SELECT scenario, year, {group}, sum(value) / 3.6 FROM flow
    WHERE direction = 'OUT' AND commodity = 'ELC' AND region IN ('DKE', 'FI')
        AND scenario IN ('Reference', 'Climate target') AND year IN (2030, 2050)
        AND (scenario, region, process) IN (
            SELECT (scenario, region, process) FROM process_set WHERE set_name IN ('ELE', 'CHP'))
    GROUP BY ALL
"""
EMISSIONS = """
    SELECT scenario, year, region, sum(CASE direction WHEN 'OUT' THEN value ELSE -value END)
    FROM flow WHERE commodity LIKE '%CO2' GROUP BY ALL
"""
COSTS = """
    SELECT scenario, year, user_constraint, sum(value) FROM result
    WHERE attribute = 'Reg_ACost' GROUP BY ALL
"""


def test_what_is_chosen_in_the_rail_is_what_the_chart_shows(
    page: Page, recorded: Recorded, times: str, demo: Source
):
    open_page(page, times)
    assert title(page) == USUAL
    take_back(page, "Scenarios", "No new interconnectors")
    wait_for_title(page, "2 scenarios")
    choose(page, "Measure", "Electricity generation")
    wait_for_title(page, "^Electricity generation by technology")
    for region in ("Denmark East", "Finland"):
        choose(page, "Regions", region)
        wait_for_title(page, region)
    for year in ("2030", "2050"):
        choose(page, "Years", year)
    choose(page, "Colours by", "Region")
    wait_for_title(page, "by region, Denmark East, Finland, 2 scenarios, TWh")
    same(values(page), by_hand(demo, GENERATION.format(group="region")))
    choose(page, "Unit", "PJ")
    wait_for_title(page, "PJ")
    in_joules = by_hand(demo, GENERATION.format(group="region"))
    same(values(page), {key: 3.6 * value for key, value in in_joules.items()})


def test_figures_are_those_of_the_files(page: Page, recorded: Recorded, times: str, demo: Source):
    for query, expected, sql in (
        ("measure=emissions&group_by=region", "emissions by region", EMISSIONS),
        ("measure=system_cost", "System cost by kind", COSTS),
    ):
        open_page(page, f"{times}&{query}")
        assert expected in title(page)
        same(values(page), by_hand(demo, sql))


def test_lines_show_the_same_figures_as_bars(page: Page, recorded: Recorded, times: str):
    open_page(page, f"{times}&measure=primary_energy&group_by=region")
    bars = values(page)
    unfold(page, "Picture")
    press(page, "Chart", "Lines")
    page.wait_for_function(
        "[...Bokeh.documents[0]._all_models.values()].some(m => m.type === 'Segment')"
    )
    lines = {key: value for key, value in values(page).items() if value}
    assert lines == pytest.approx(bars)


def test_groups_of_one_colour_are_drawn_without_a_complaint(
    page: Page, recorded: Recorded, times: str
):
    open_page(page, times)
    choose(page, "Measure", "Any attribute …")
    choose(page, "Attribute", "ObjZ")
    wait_for_title(page, "ObjZ")
    assert {key[2] for key in values(page)} == {"-"}
    choose(page, "Measure", "Final energy")
    wait_for_title(page, USUAL)


def test_copied_link_shows_the_same_view(new_page: Callable[..., Page], times: str):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    found = record(page)
    open_page(page, times)
    choose(page, "Measure", "CO₂ emissions")
    wait_for_title(page, "emissions by sector")
    choose(page, "Years", "2040")
    choose(page, "Colours by", "Fuel")
    wait_for_title(page, "emissions by fuel")
    page.wait_for_function("location.search.includes('group_by=fuel')")
    before = title(page), values(page)
    page.get_by_role("button", name="Copy link to this view").click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.length > 0)")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "measure=emissions" in link
    open_page(page, link)
    assert (title(page), values(page)) == before
    assert found == Recorded()


def test_back_button_shows_the_view_before(page: Page, recorded: Recorded, times: str):
    open_page(page, times)
    before = values(page)
    choose(page, "Measure", "Primary energy")
    wait_for_title(page, "Primary energy")
    page.wait_for_function("location.search.includes('measure=primary_energy')")
    page.go_back()
    wait_for_title(page, "Final energy by fuel")
    assert values(page) == before
    expect(control(page, "Measure")).to_have_text("Final energy")
    page.go_forward()
    wait_for_title(page, "Primary energy")


def test_stale_address_gives_a_notice_and_the_usual_view(
    page: Page, recorded: Recorded, times: str
):
    for query, named in (
        ("scenarios=Gone&base=Gone", "scenarios and base"),
        ("regions=XX&years=1999", "regions and years"),
        ("measure=gone&group_by=gone&tab=gone", "measure, group by and tab"),
        ("arrangement=gone&compare=gone&chart=gone&most_groups=0", "arrangement, compare, "),
    ):
        open_page(page, f"{times}&{query}")
        expect(page.get_by_text(re.compile(f"address asks for {named}.* that"))).to_be_visible()
        assert title(page) == USUAL
        assert values(page)


def test_address_of_what_may_exist_elsewhere_never_leaves_the_page_blank(
    page: Page, recorded: Recorded, times: str
):
    for query in ("unit=furlong", "attribute=Gone"):
        open_page(page, f"{times}&{query}")
        assert title(page) == USUAL
        assert values(page)
    open_page(page, f"{times}&filters=sector=Gone")
    empty = page.get_by_role("status").filter(has_text="There is no final energy")
    expect(empty).to_be_visible()
    page.get_by_role("button", name="Show everything").click()
    wait_for_title(page, USUAL)
    assert values(page)


def test_legend_opens_a_group_and_its_chip_closes_it(page: Page, recorded: Recorded, times: str):
    open_page(page, times)
    everything = values(page)
    name = legend(page).first.locator(".label").inner_text()
    legend(page).first.click()
    wait_for_title(page, f"Final energy by sector, {name}")
    inside = values(page)
    for scenario, year in {key[:2] for key in inside}:
        parts = sum(value for key, value in inside.items() if key[:2] == (scenario, year))
        assert parts == pytest.approx(everything[scenario, year, name])
    chips(page).click()
    wait_for_title(page, "Final energy by sector, 3 scenarios")
    expect(chips(page)).to_have_count(0)
    choose(page, "Colours by", "Fuel")
    wait_for_title(page, USUAL)
    assert values(page) == everything


@pytest.mark.parametrize("chart", ["bars", "lines"])
def test_a_mark_of_the_chart_opens_its_group(
    page: Page, recorded: Recorded, times: str, chart: str
):
    open_page(page, f"{times}&chart={chart}")
    everything = marks(page)
    clicked = max(everything, key=lambda mark: mark.value)
    click_mark(page, clicked)
    wait_for_title(page, f"Final energy by sector, {clicked.code}")
    inside = [m for m in marks(page) if (m.scenario, m.year) == (clicked.scenario, clicked.year)]
    assert sum(mark.value for mark in inside) == pytest.approx(clicked.value)
    page.go_back()
    wait_for_title(page, USUAL)
    assert marks(page) == everything
    click_mark(page, clicked)  # the same mark again: nothing of the first click is left over
    wait_for_title(page, f"Final energy by sector, {clicked.code}")


def test_table_has_the_figures_of_the_chart(page: Page, recorded: Recorded, times: str):
    open_page(page, f"{times}&measure=electricity_generation&scenarios=Reference")
    shown = values(page)
    open_tab(page, "Table")
    rows = page.locator(".tabulator-row")
    rows.first.wait_for()
    titles = page.locator(".tabulator-col-title").all_inner_texts()
    years = [text for text in titles if text.isdigit()]
    assert years == sorted({year for _, year, _ in shown})
    first = titles.index(years[0])
    written = [row.locator(".tabulator-cell").all_inner_texts() for row in rows.all()]
    assert {cells[titles.index("Scenario")] for cells in written} == {"Reference"}
    found = [cell for cells in written for cell in cells[first : first + len(years)]]
    assert sorted(text for text in found if text != MISSING) == sorted(
        map(significant, shown.values())
    )


def test_query_tab_has_the_definition_and_sql_that_gives_the_figures(
    page: Page, recorded: Recorded, times: str, demo: Source
):
    open_page(page, f"{times}&measure=emissions&group_by=region")
    shown = values(page)
    open_tab(page, "Query")
    expect(page.get_by_text("What processes emit less what they capture")).to_be_visible()
    sql = page.locator("pre").filter(has_text="SELECT").inner_text()
    same(shown, by_hand(demo, sql))


def test_download_is_the_table_of_the_view(
    page: Page, recorded: Recorded, times: str, demo: Source
):
    open_page(page, f"{times}&measure=emissions&scenarios=Reference,Climate target&years=2050")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == "times-results.csv"
    explorer = ScenarioExplorer(source=demo, measure="emissions")
    explorer.selection.param.update(scenarios=["Reference", "Climate target"], years=[2050])
    assert Path(download.value.path()).read_bytes() == explorer.csv().getvalue()
    assert len(explorer.table()) == len(values(page))


def test_download_in_another_format_has_the_figures_of_the_chart(
    page: Page, recorded: Recorded, times: str
):
    open_page(page, f"{times}&measure=emissions&scenarios=Reference&years=2050")
    choose(page, "Download as", "Excel")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == "times-results.xlsx"
    sheet = pd.read_excel(Path(download.value.path()))
    found = {(row.scenario, str(row.year), row.sector): row.value for row in sheet.itertuples()}
    same(values(page), found)


def test_difference_is_to_the_base_scenario(
    page: Page, recorded: Recorded, times: str, demo: Source
):
    open_page(page, f"{times}&measure=emissions&group_by=region")
    unfold(page, "Picture")
    press(page, "Show", "Difference to base")
    wait_for_title(page, "difference to Reference")
    absolute = by_hand(demo, EMISSIONS)
    same(
        values(page),
        {
            (scenario, year, code): value - absolute["Reference", year, code]
            for (scenario, year, code), value in absolute.items()
            if scenario != "Reference"
        },
    )
    choose(page, "Base scenario", "Climate target")
    wait_for_title(page, "difference to Climate target")
    assert {scenario for scenario, _, _ in values(page)} == {"Reference", "No new interconnectors"}


def test_what_must_not_be_added_up_is_refused_with_a_way_out(
    page: Page, recorded: Recorded, site: Served, times: str
):
    open_page(page, times)
    choose(page, "Measure", "Any attribute …")
    choose(page, "Attribute", "EQ_CombalM")
    refusal = page.get_by_role("status").filter(has_text="must not be added up over region")
    expect(refusal).to_be_visible()
    expect(page.get_by_text("Group by region, or choose one region.")).to_be_visible()
    expect(page.locator(".bk-Figure")).to_have_count(0)
    offers = page.locator(".times-notice").get_by_role("button")
    expect(offers.first).to_have_text(re.compile("only|By "))
    offers.first.click()
    wait_for_title(page, r"\(EQ_CombalM\) by ")
    expect(page.locator(".bk-Figure")).to_have_count(1)
    assert values(page)
    # Of this application; that a page was closed while it was sent to is no fault.
    assert "/components/" not in site.log


def test_results_published_meanwhile_are_shown_without_reloading(
    page: Page, recorded: Recorded, site: Served, tmp_path: Path
):
    def publish(heat: int) -> None:
        write_set(
            tmp_path,
            flows(f"HEATER: ELC {heat + 1} -> HEAT {heat}"),
            scenario="Growing",
            process_sets={"DMD": "HEATER"},
            commodity_sets={"NRG": "ELC", "DEM": "HEAT"},
            units={"PJ": "ELC HEAT"},
        )
        import_files(Store(site.data_directory), "growing", [tmp_path])

    publish(9)
    try:
        open_page(page, f"{site.url}/times?dataset=growing&group_by=commodity")
        assert [mark.value for mark in marks(page)] == [10]
        publish(19)
        expect(page.get_by_text("New results were published")).to_be_visible(timeout=30_000)
        until(page, lambda: [mark.value for mark in marks(page)] == [20])
    finally:
        shutil.rmtree(site.data_directory / "growing")


def test_phone_has_no_sideways_scroll(new_page: Callable[..., Page], times: str):
    page = new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    found = record(page)
    open_page(page, times)
    for tab in ("Chart", "Query", "Table"):
        page.get_by_role("tab", name=tab).tap()
        page.get_by_role("tab", name=tab, selected=True).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert found == Recorded()


def test_markup_in_names_and_descriptions_is_shown_as_text(
    page: Page, recorded: Recorded, site: Served
):
    page.on("dialog", lambda dialog: pytest.fail(f"the page ran a script: {dialog.message}"))
    open_page(page, f"{site.url}/times?dataset=markup&group_by=process")
    assert MARKUP in title(page)
    expect(legend(page).first).to_contain_text(MARKUP)
    assert [key[0] for key in values(page)] == [MARKUP]
    for tab in ("Table", "Query", "Chart"):
        open_tab(page, tab)
        if tab == "Table":
            expect(page.locator(".tabulator-row").first).to_contain_text(MARKUP)
    page.locator(".bk-Canvas, canvas").first.hover()
    legend(page).first.click()
    wait_for_title(page, "Final energy by")
    control(page, "Scenarios").click()
    expect(page.get_by_role("listbox")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_every_control_has_a_name(page: Page, recorded: Recorded, times: str):
    open_page(page, f"{times}&filters=sector=Transport")
    unfold(page, "Picture")
    unfold(page, "Filter")
    expect(page.get_by_role("group", name="Show")).to_be_visible()
    expect(control(page, "Keep only")).to_be_visible()
    tree = page.locator("body").aria_snapshot()
    roles = "button|checkbox|combobox|group|link|radio|slider|switch|tab|textbox"
    assert re.findall(rf"- (?:{roles})(?:: .*)?$", tree, re.MULTILINE) == []
    for label in ("Scenarios", "Base scenario", "Regions", "Years", "Measure", "Colours by",
                  "Unit", "Filter by", "Keep only"):  # fmt: skip
        expect(control(page, label)).to_have_count(1)


def test_legend_and_chips_can_be_used_with_the_keyboard(page: Page, recorded: Recorded, times: str):
    open_page(page, times)
    legend(page).first.focus()
    page.keyboard.press("Enter")
    wait_for_title(page, "Final energy by sector")
    chips(page).focus()
    page.keyboard.press("Enter")
    expect(chips(page)).to_have_count(0)


@pytest.mark.real_data
def test_danish_figures_are_those_of_the_file(
    page: Page, recorded: Recorded, site: Served, real_data: Path
):
    import_files(Store(site.data_directory), "denmark", [real_data / "miro" / DANISH])
    denmark = catalogs.open_source(site.data_directory, "denmark")
    open_page(page, f"{site.url}/times?dataset=denmark")
    choose(page, "Measure", "CO₂ emissions")
    wait_for_title(page, "emissions by sector")
    choose(page, "Colours by", "Region")
    wait_for_title(page, "emissions by region")
    two_accounts = by_hand(
        denmark,
        """
        SELECT scenario, year, region,
            sum(CASE attribute WHEN 'VAR_FOut' THEN value ELSE -value END)
        FROM result WHERE commodity IN ('ETSCO2', 'NETSCO2') AND process <> '-'
            AND attribute IN ('VAR_FIn', 'VAR_FOut')
        GROUP BY ALL
        """,
    )
    same(values(page), two_accounts)
    assert query_of(page).startswith("dataset=denmark")
