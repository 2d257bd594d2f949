"""Components without a browser: series, charts, numbers, selection and the scenario explorer."""

from __future__ import annotations

import importlib
import inspect
import io
import math
import pkgutil
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import panel as pn
import param
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panel.custom import JSComponent
from panel.viewable import Viewable, Viewer

import catalogs
import components
from catalogs import palette
from catalogs.flow_records.records import FlowRecords
from catalogs.source import Source
from catalogs.store import Manifest, PublishedScenario
from catalogs.writers.delimited import to_csv
from components.browser_history import BrowserHistory
from components.charts.bars import BarLayout, lay_out_bars
from components.charts.difference import difference
from components.charts.lines import LineLayout, lay_out_lines
from components.charts.series import OTHER, WHOLE_HORIZON, Series, make_series
from components.explorer import ScenarioExplorer
from components.explorer_panels import wide_table
from components.legend import ChartKey
from components.names import readable, shorten
from components.notices import PlainText
from components.numbers import MINUS, MISSING, THIN_SPACE, percentage, significant
from components.selection import Selection
from components.tool import Tool
from tests.flow_files import imported
from tests.stand_in.sql import TrustedService
from tests.times_files import flows, publish, write_set

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The demo, published once."""
    directory = tmp_path_factory.mktemp("demo")
    catalogs.ensure_demo(directory)
    return catalogs.open_source(directory)


@pytest.fixture
def explorer(demo: Source) -> ScenarioExplorer:
    """An explorer of the demo whose views have been made."""
    made = ScenarioExplorer(source=demo)
    assert isinstance(made.main, Viewable)
    return made


def frame_of(*rows: tuple[str, int | None, str, float]) -> pd.DataFrame:
    """Rows of scenario, year, fuel and value, as an answer has them."""
    frame = pd.DataFrame(rows, columns=["scenario", "year", "fuel", "value"])
    return frame.astype({"year": "Int16"})


def series_of(
    *rows: tuple[str, int | None, str, float],
    scenarios: Sequence[str] = ("A", "B"),
    most: int = 10,
) -> Series:
    return make_series(
        frame_of(*rows),
        "fuel",
        scenarios,
        most=most,
        label=str.title,
        colour=lambda code: f"colour of {code}",
    )


def bars_of(series: Series, **options: Any) -> BarLayout:
    return lay_out_bars(series, **{"arrangement": "scenario", "unit": "PJ", **options})


def texts(shown: Any) -> list[str]:
    """All plain texts in a part of a component."""
    return [text.text for text in pn.panel(shown).select(PlainText)]


def chart_key(explorer: ScenarioExplorer) -> ChartKey:
    [key] = explorer.main.select(ChartKey)
    return key


# ---------------------------------------------------------------------- series


def test_groups_are_ordered_by_size_whatever_their_sign():
    series = series_of(("A", 2020, "oil", 1), ("A", 2020, "trade", -5), ("A", 2020, "gas", 3))
    assert [member.code for member in series.members] == ["trade", "gas", "oil"]
    assert series.member("gas").label == "Gas"
    assert series.merged == 0


def test_groups_with_a_place_of_their_own_keep_it_whatever_their_size():
    frame = frame_of(("A", 2020, "oil", 1), ("A", 2020, "coal", 9), ("A", 2020, "gas", 5))
    series = make_series(
        frame, "fuel", ("A",), most=10, label=str, colour=str, order=["gas", "oil", "coal"].index
    )
    assert [member.code for member in series.members] == ["gas", "oil", "coal"]
    assert [member.code for member in series.largest(2)] == ["gas", "coal"]


def test_small_groups_become_one_and_nothing_is_lost():
    rows = [("A", 2020, f"fuel{size}", float(size)) for size in range(1, 7)]
    series = series_of(*rows, most=2)
    assert [member.code for member in series.members] == ["fuel6", "fuel5", OTHER]
    assert series.merged == 4
    assert series.values["A", 2020, OTHER] == 1 + 2 + 3 + 4
    assert sum(series.values.values()) == 21


def test_one_group_too_many_is_shown_rather_than_called_other():
    rows = [("A", 2020, f"fuel{size}", float(size)) for size in range(1, 4)]
    assert OTHER not in [member.code for member in series_of(*rows, most=2).members]


def test_scenarios_keep_their_order_and_those_without_values_go():
    series = series_of(("B", 2020, "oil", 1), ("A", 2020, "oil", 1), scenarios=("B", "C", "A"))
    assert series.scenarios == ("B", "A")


# ---------------------------------------------------------------------- bars


def test_positive_values_stack_upwards_and_negative_ones_downwards():
    layout = bars_of(
        series_of(
            ("A", 2020, "gas", 4), ("A", 2020, "oil", 3), ("A", 2020, "export", -2),
            ("A", 2020, "loss", -1), scenarios=("A",),
        )
    )  # fmt: skip
    edges = {bar.code: (bar.bottom, bar.top) for bar in layout.bars}
    assert edges == {"gas": (0, 4), "oil": (4, 7), "export": (-2, 0), "loss": (-3, -2)}
    assert (layout.low, layout.high) == (-3, 7)


def test_total_is_the_net_sum_and_stands_above_the_stack():
    layout = bars_of(series_of(("A", 2020, "gas", 4), ("A", 2020, "export", -1)))
    assert layout.sums == [(0.0, 4.0, "3.00")]


def test_totals_are_left_out_where_they_make_no_sense():
    layout = bars_of(series_of(("A", 2020, "gas", 4)), show_totals=False)
    assert not layout.sums


@pytest.mark.parametrize(
    ("arrangement", "ticks", "blocks"),
    [
        ("scenario", ["2020", "2030", "2020", "2030"], ["A", "B"]),
        ("year", ["A", "B", "A", "B"], ["2020", "2030"]),
    ],
)
def test_bars_are_arranged_by_scenario_or_by_year(arrangement, ticks, blocks):
    rows = [(scenario, year, "gas", 1.0) for scenario in "AB" for year in (2020, 2030)]
    layout = bars_of(series_of(*rows), arrangement=arrangement)
    assert [text for _, text in layout.ticks] == ticks
    assert [text for _, text in layout.blocks] == blocks
    positions = [position for position, _ in layout.ticks]
    assert positions == sorted(positions)
    # A gap parts the blocks, and each block's name stands in the middle of its bars.
    assert positions[2] - positions[1] > positions[1] - positions[0]
    assert layout.blocks[0][0] == (positions[0] + positions[1]) / 2


def test_scenarios_are_called_by_their_short_names():
    rows = [("A", 2020, "gas", 1.0), ("B", 2020, "gas", 1.0)]
    layout = bars_of(series_of(*rows), scenario_label={"A": "High", "B": "Low"})
    assert [text for _, text in layout.blocks] == ["High", "Low"]


def test_hover_says_value_share_and_difference_to_the_base():
    layout = bars_of(
        series_of(
            ("A", 2020, "gas", 3), ("A", 2020, "oil", 1),
            ("B", 2020, "gas", 2), ("B", 2020, "oil", 2),
        ),
        base="A",
    )  # fmt: skip
    bars = {(bar.scenario, bar.code): bar for bar in layout.bars}
    assert (bars["B", "gas"].shown, bars["B", "gas"].share) == ("2.00 PJ", f"50.0{THIN_SPACE}%")
    assert bars["B", "gas"].difference.startswith(f"{MINUS}1.00 PJ")
    assert bars["A", "oil"].difference == ""


def test_shares_are_not_told_where_parts_exceed_the_whole():
    layout = bars_of(series_of(("A", 2020, "gas", 4), ("A", 2020, "export", -1)))
    assert {bar.share for bar in layout.bars} == {""}


def test_values_of_the_whole_horizon_are_a_bar_of_their_own():
    layout = bars_of(series_of(("A", None, "gas", 4), ("B", None, "gas", 5)))
    assert [text for _, text in layout.ticks] == ["Whole horizon", "Whole horizon"]
    assert {bar.year for bar in layout.bars} == {"Whole horizon"}
    assert [total.y for total in layout.sums] == [4, 5]


def test_missing_and_zero_values_draw_nothing():
    layout = bars_of(series_of(("A", 2020, "gas", math.nan), ("A", 2020, "oil", 0.0)))
    assert not layout.bars
    assert (layout.low, layout.high) == (0.0, 1.0)


# ---------------------------------------------------------------------- lines


def lines_of(values: Sequence[float]) -> LineLayout:
    rows = [("A", 2030, f"fuel{n}", value) for n, value in enumerate(values)]
    return lay_out_lines(series_of(*rows, scenarios=("A",), most=40), unit="PJ")


@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=20))
def test_labels_at_the_ends_never_overlap_and_stay_in_the_picture(values):
    layout = lines_of(values)
    span = (layout.high - layout.low) or 1.0
    places = sorted(end.y for end in layout.ends)
    gaps = [after - before for before, after in pairwise(places)]
    assert all(gap >= 0.0449 * span for gap in gaps)
    assert places[-1] <= layout.high + 0.05 * span
    own = {f"Fuel{n}": value for n, value in enumerate(values)}
    for label in layout.ends:
        assert abs(label.y - own[label.text]) <= 0.136 * span


def test_lines_apart_are_labelled_where_they_end():
    assert [end.y for end in lines_of([1.0, 5.0, 9.0]).ends] == [1.0, 5.0, 9.0]


def test_scenarios_differ_by_their_dashes_and_the_base_is_solid():
    rows = [(name, year, "gas", 1.0) for name in "AB" for year in (2020, 2040)]
    layout = lay_out_lines(series_of(*rows), unit="PJ", base="A")
    assert [segment.dash for segment in layout.segments] == ["solid", "dashed"]
    assert [segment.x1 - segment.x0 for segment in layout.segments] == [20, 20]
    assert [end.text for end in layout.ends] == ["Gas"]


def test_a_line_is_drawn_over_the_years_that_have_values():
    rows = [("A", 2020, "gas", 1.0), ("A", 2030, "gas", math.nan), ("A", 2040, "gas", 2.0)]
    layout = lay_out_lines(series_of(*rows, scenarios=("A",)), unit="PJ")
    assert [(segment.x0, segment.x1) for segment in layout.segments] == [(2020, 2040)]


# ---------------------------------------------------------------------- difference


def test_difference_counts_what_one_side_lacks_as_zero():
    frame = frame_of(("A", 2020, "gas", 3), ("B", 2020, "gas", 5), ("B", 2020, "oil", 1))
    changes = difference(frame, "fuel", "A")
    assert changes.to_numpy().tolist() == [["B", 2020, "gas", 2.0], ["B", 2020, "oil", 1.0]]


def test_difference_of_prices_leaves_out_what_one_side_lacks():
    frame = frame_of(("A", 2020, "gas", 3), ("B", 2020, "gas", 5), ("B", 2020, "oil", 1))
    changes = difference(frame, "fuel", "A", absent=math.nan)
    assert changes.to_numpy().tolist() == [["B", 2020, "gas", 2.0]]


def test_difference_has_values_of_the_whole_horizon():
    changes = difference(frame_of(("A", None, "-", 3), ("B", None, "-", 5)), "fuel", "A")
    assert list(changes["value"]) == [2.0]
    assert changes["year"].isna().all()


def test_difference_to_a_base_without_values_is_empty():
    assert difference(frame_of(("B", 2020, "gas", 5)), "fuel", "A").empty


# ---------------------------------------------------------------------- numbers and names


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567.0, f"1{THIN_SPACE}234{THIN_SPACE}567"),
        (-0.01234, f"{MINUS}0.0123"),
        (12.345, "12.3"),
        (0.9996, "1.00"),
        (99.96, "100"),
        (-4.0, f"{MINUS}4.00"),
        (1.5e-12, f"1.50×10^{MINUS}12"),
        (math.nan, MISSING),
        (None, MISSING),
        (-math.inf, f"{MINUS}∞"),
    ],
)
def test_numbers_have_three_figures_thin_spaces_and_a_true_minus(value, text):
    assert significant(value) == text


def test_shares_are_written_in_percent():
    assert percentage(0.974) == f"97.4{THIN_SPACE}%"


def test_scenario_names_are_shortened_by_the_words_they_share():
    names = ["DK_Frozen_policy", "DK_Fossil_free"]
    assert shorten(names) == {"DK_Frozen_policy": "Frozen policy", "DK_Fossil_free": "Fossil free"}
    assert shorten(["Reference"]) == {"Reference": "Reference"}
    [short] = shorten(["A scenario with quite a long name"], longest=12).values()
    assert short == "A scenario …"
    assert readable("DK_Frozen_policy") == "DK Frozen policy"


# ---------------------------------------------------------------------- downloads


def test_csv_cells_never_run_as_formulas():
    frame = pd.DataFrame({"process": ["=1+1", "-", "@x", "plain"], "value": [-1.5, 1, 2, 3]})
    content = to_csv(frame).read()
    assert content.startswith(b"\xef\xbb\xbf")
    read = pd.read_csv(io.BytesIO(content), encoding="utf-8-sig")
    assert list(read["process"]) == ["'=1+1", "-", "'@x", "plain"]
    assert list(read["value"]) == [-1.5, 1, 2, 3]
    assert frame["process"][0] == "=1+1"


def test_csv_has_codes_and_descriptions_and_the_unit(explorer: ScenarioExplorer):
    explorer.group_by = "region"
    read = pd.read_csv(explorer.csv(), encoding="utf-8-sig")
    assert list(read.columns) == [
        "scenario", "year", "region", "region_description", "value", "unit",
    ]  # fmt: skip
    assert set(read["unit"]) == {"PJ"}
    assert dict(zip(read["region"], read["region_description"], strict=True))["FI"] == "Finland"


# ---------------------------------------------------------------------- colours


def test_groups_of_the_tables_keep_their_colour_whatever_is_chosen(explorer: ScenarioExplorer):
    before = {entry["code"]: entry["colour"] for entry in chart_key(explorer).groups}
    explorer.selection.param.update(regions=["FI"], years=[2050], scenarios=["Climate target"])
    after = {entry["code"]: entry["colour"] for entry in chart_key(explorer).groups}
    assert after
    assert {code: before.get(code) for code in after} == after


@pytest.mark.parametrize("group", ["region", "process", "commodity"])
def test_other_members_keep_their_colour_whatever_is_chosen(explorer: ScenarioExplorer, group: str):
    explorer.param.update(group_by=group, most_groups=40)
    before = {entry["code"]: entry["colour"] for entry in chart_key(explorer).groups}
    explorer.selection.param.update(regions=["FI", "SES"], years=[2050])
    after = {entry["code"]: entry["colour"] for entry in chart_key(explorer).groups}
    assert OTHER not in after or before.pop(OTHER, after.pop(OTHER))
    known = {code: colour for code, colour in before.items() if code in after}
    assert known
    assert {code: after[code] for code in known} == known


def test_members_of_one_dimension_are_not_taken_for_those_of_another(explorer: ScenarioExplorer):
    explorer.param.update(measure="trade", group_by="part")
    explorer.group_by = "partner"
    colours = {entry["colour"] for entry in chart_key(explorer).groups}
    alone = ScenarioExplorer(source=explorer.source, measure="trade", group_by="partner")
    assert isinstance(alone.main, Viewable)
    assert colours == {entry["colour"] for entry in chart_key(alone).groups}
    assert len(colours) > 1


def test_first_members_of_a_dimension_are_told_apart():
    members = [f"region {number}" for number in range(12)]
    colours = [palette.colour("region", member, members) for member in members]
    assert len(set(colours)) == len(members)


def test_what_no_table_names_is_grey():
    assert palette.colour("fuel", "unobtainium") == palette.OTHER_COLOUR


def test_technologies_are_a_shade_of_their_fuel():
    fuel, combined = palette.colour("fuel", "Coal"), palette.colour("technology", "Coal CHP")
    assert fuel != combined
    assert palette.colour("technology", "Coal") == fuel


# ---------------------------------------------------------------------- selection


def offered(**scenarios: tuple[str, str]) -> Any:
    """Something like a source: scenarios with their model and time of import."""
    published = tuple(
        PublishedScenario(name, model, name, "", "VEDA", "", "", 0, when, ())
        for name, (model, when) in scenarios.items()
    )
    return SimpleNamespace(
        dataset="data",
        scenario_names=tuple(scenarios),
        regions=("R1", "R2"),
        years=(2020, 2030),
        manifest=Manifest("data", "1", "2026", published),
    )


def test_first_selection_is_the_model_imported_last_with_its_reference_first():
    selection = Selection()
    selection.offer(
        offered(
            Old=("old model", "2026-01-01"),
            Low=("model", "2026-01-02"),
            High=("model", "2026-01-03"),
            My_reference=("model", "2026-01-02"),
        )
    )
    assert selection.scenarios == ["My_reference", "Low", "High"]
    assert selection.base_scenario == "My_reference"
    assert selection.dataset == "data"
    assert (selection.regions, selection.years) == ([], [])


def test_first_selection_is_readable_however_many_scenarios_there_are():
    selection = Selection()
    selection.offer(offered(**{f"S{n}": ("model", "2026") for n in range(30)}))
    assert len(selection.scenarios) == 4


def test_base_scenario_is_drawn_first():
    selection = Selection()
    selection.offer(offered(A=("m", "1"), B=("m", "1"), C=("m", "1")))
    assert selection.ordered_scenarios == ("A", "B", "C")
    selection.base = "C"
    assert selection.ordered_scenarios == ("C", "A", "B")
    selection.scenarios = ["B", "A"]
    assert selection.ordered_scenarios == ("B", "A")


def test_what_a_new_source_lacks_is_dropped_and_the_rest_is_kept():
    selection = Selection()
    selection.offer(offered(A=("m", "1"), B=("m", "1")))
    selection.param.update(scenarios=["B"], base="B", regions=["R1"], years=[2020])
    changed = offered(B=("m", "1"), C=("m", "1"))
    changed.regions, changed.years = ("R2",), (2020, 2050)
    selection.offer(changed)
    assert selection.scenarios == ["B"]
    assert selection.base == "B"
    assert (selection.regions, selection.years) == ([], [2020])
    selection.offer(offered(C=("m", "1")))
    assert (selection.scenarios, selection.base) == (["C"], "")


def test_unknown_scenario_is_refused_by_the_selection():
    selection = Selection(scenarios=["A"])  # before there is a source, anything may be wanted
    selection.offer(offered(A=("m", "1")))
    with pytest.raises(ValueError, match="scenarios"):
        selection.scenarios = ["nothing"]


def test_source_without_scenarios_leaves_nothing_chosen():
    selection = Selection()
    selection.offer(offered())
    assert selection.ordered_scenarios == ()
    assert selection.base_scenario == ""


# ---------------------------------------------------------------------- the explorer


def test_first_screen_is_never_empty(explorer: ScenarioExplorer):
    assert explorer.title == "Final energy by fuel, 3 scenarios, PJ"
    assert explorer.foot.startswith(f"demo, version {explorer.source.version[:8]}")
    assert chart_key(explorer).groups


def test_every_measure_of_the_demo_has_a_picture(explorer: ScenarioExplorer):
    for name in explorer.source.measure_names:
        explorer.measure = name
        assert explorer.title.startswith(explorer.asked.label + " by ")
        assert not explorer.shown.empty


def test_title_says_what_is_shown(explorer: ScenarioExplorer):
    explorer.param.update(measure="emissions", compare="difference")
    explorer.selection.param.update(
        scenarios=["Reference", "Climate target"], regions=["DKE", "DKW", "EE", "FI"]
    )
    assert explorer.title == (
        "CO₂ emissions by sector, difference to Reference, Denmark East, Denmark West, Estonia …,"
        " 2 scenarios, kt"
    )
    explorer.compare = "values"
    explorer.selection.param.update(scenarios=["Climate target"], regions=[])
    assert explorer.title == "CO₂ emissions by sector, Climate target, kt"


def test_unit_is_switched_with_the_values(explorer: ScenarioExplorer):
    before = explorer.shown["value"].sum()
    explorer.selection.unit = "TWh"
    assert explorer.title.endswith(", TWh")
    assert explorer.shown["value"].sum() == pytest.approx(before / 3.6)


def test_unit_that_does_not_fit_gives_way_to_the_measures_own(explorer: ScenarioExplorer):
    explorer.selection.unit = "TWh"
    explorer.measure = "emissions"
    assert explorer.unit == "kt"
    explorer.measure = "electricity_generation"
    assert explorer.unit == "TWh"


def test_difference_shows_the_other_scenarios_less_the_base(explorer: ScenarioExplorer):
    values = explorer.shown.pivot_table(
        index=["year", "fuel"], columns="scenario", values="value", aggfunc="sum", fill_value=0
    )
    explorer.compare = "difference"
    shown = explorer.shown.set_index(["year", "fuel", "scenario"])["value"]
    assert "Reference" not in shown.index.unique("scenario")
    expected = values["Climate target"] - values["Reference"]
    assert shown.loc[(2050, "Electricity", "Climate target")] == pytest.approx(
        expected.loc[(2050, "Electricity")]
    )


def test_totals_are_shown_only_where_adding_up_makes_sense(explorer: ScenarioExplorer):
    assert explorer.totals_make_sense
    explorer.measure = "capacity"
    assert explorer.totals_make_sense
    explorer.measure = "price"
    assert not explorer.totals_make_sense
    explorer.param.update(measure="attribute", attribute="Time_NPV")
    assert not explorer.totals_make_sense


def test_opening_a_group_goes_deeper_and_going_back_restores_it(explorer: ScenarioExplorer):
    title, before = explorer.title, explorer.shown
    state = {name: getattr(explorer, name) for name in explorer.url_params}
    explorer.open_group("Electricity")
    assert explorer.title == "Final energy by sector, Electricity, 3 scenarios, PJ"
    deeper = explorer.shown["value"].sum()
    assert deeper == pytest.approx(before.loc[before["fuel"] == "Electricity", "value"].sum())
    explorer.open_group("Industry")
    assert explorer.title == "Final energy by region, Electricity, Industry, 3 scenarios, PJ"
    explorer.param.update(**state)  # what the browser's back button does
    assert explorer.title == title
    pd.testing.assert_frame_equal(explorer.shown, before)


def test_opening_other_groups_shows_more_of_them(explorer: ScenarioExplorer):
    explorer.group_by = "process"
    before = len(chart_key(explorer).groups)
    assert OTHER in [entry["code"] for entry in chart_key(explorer).groups]
    explorer.open_group(OTHER)
    assert len(chart_key(explorer).groups) > before


def test_click_on_the_legend_opens_the_group_and_nothing_else_does(explorer: ScenarioExplorer):
    key = chart_key(explorer)
    key._handle_msg({"open": "no such group"})
    assert explorer.filters == []
    key._handle_msg({"open": "Electricity"})
    assert explorer.filters == ["fuel=Electricity"]


def test_filters_keep_members_and_are_taken_away(explorer: ScenarioExplorer):
    explorer.keep("sector", ["Industry", "Transport"])
    explorer.keep("fuel", ["Oil"])
    assert explorer.kept == {"sector": ("Industry", "Transport"), "fuel": ("Oil",)}
    # What was taken away can be chosen again.
    assert "Residential" in explorer.choices("sector")
    explorer.keep("sector", [])
    assert explorer.kept == {"fuel": ("Oil",)}
    explorer.reset()
    assert explorer.kept == {}


def test_filter_of_another_measures_dimension_is_left_aside(explorer: ScenarioExplorer):
    explorer.filters = ["sector=Industry"]
    explorer.measure = "price"
    assert explorer.kept == {}
    assert not explorer.shown.empty


def test_empty_selection_says_so_and_offers_a_way_out(explorer: ScenarioExplorer):
    explorer.filters = ["fuel=No such fuel"]
    assert "There is no final energy in this selection." in texts(explorer.main)
    [button] = [b for b in explorer.main.select(pn.widgets.Widget) if b.label == "Show everything"]
    button.param.trigger("clicks")
    assert explorer.filters == []
    assert explorer.title == "Final energy by fuel, 3 scenarios, PJ"


def test_sum_that_must_not_be_made_is_refused_with_a_way_out(explorer: ScenarioExplorer):
    explorer.param.update(measure="attribute", attribute="EQ_CombalM")
    said = texts(explorer.main)
    assert any("must not be added up over region" in text for text in said)
    assert any(text.startswith("Group by region") for text in said)
    assert not any("VAR_F" in text or "flow_annual" in text for text in said)
    explorer.selection.regions = ["FI"]
    explorer.filters = ["timeslice=ANNUAL"]
    assert "must not be added up" not in " ".join(texts(explorer.main))
    assert explorer.title.startswith(
        "Shadow price of a commodity (EQ_CombalM) by commodity, Whole year, F"
    )


def test_values_of_the_whole_horizon_are_shown_compared_and_listed(explorer: ScenarioExplorer):
    explorer.param.update(measure="attribute", attribute="ObjZ")
    assert (
        list(
            wide_table(
                explorer.table(), explorer.group, explorer.selection.ordered_scenarios
            ).columns
        )[-1]
        == "Whole horizon"
    )
    values = explorer.shown.set_index("scenario")["value"]
    explorer.compare = "difference"
    changes = explorer.shown.set_index("scenario")["value"]
    assert changes["Climate target"] == pytest.approx(
        values["Climate target"] - values["Reference"]
    )
    assert (
        "Whole horizon"
        in wide_table(
            explorer.table(), explorer.group, explorer.selection.ordered_scenarios
        ).columns
    )
    assert explorer._series(explorer.shown).years == (WHOLE_HORIZON,)


def test_every_attribute_of_the_demo_is_drawn_or_refused_in_words(explorer: ScenarioExplorer):
    explorer.measure = "attribute"
    for name in explorer.source.attribute_names:
        explorer.attribute = name
        assert name in explorer.title


def test_page_is_told_while_an_answer_is_on_its_way(explorer: ScenarioExplorer):
    said: list[tuple[bool, str]] = []
    explorer.param.watch(lambda event: said.append((event.new, explorer.title)), "working")
    explorer.measure = "emissions"
    assert said == [
        (True, "Final energy by fuel, 3 scenarios, PJ"),
        (False, "CO₂ emissions by sector, 3 scenarios, kt"),
    ]
    explorer.param.update(measure="attribute", attribute="EQ_CombalM", group_by="region")
    assert not explorer.working  # also when the question was refused


def test_two_components_follow_one_selection(demo: Source):
    shared = Selection()
    first = ScenarioExplorer(source=demo, selection=shared)
    second = ScenarioExplorer(source=demo, selection=shared, measure="price")
    assert isinstance(first.main, Viewable)
    assert isinstance(second.main, Viewable)
    shared.regions = ["LT"]
    assert "Lithuania" in first.title
    assert "Lithuania" in second.title


def test_new_source_takes_the_place_of_the_old_one(explorer: ScenarioExplorer, tmp_path: Path):
    rows = flows("LAMP: ELCD 36 -> LIGHT 36")
    options = {
        "process_sets": {"DMD": "LAMP"},
        "commodity_sets": {"NRG": "ELCD", "DEM": "LIGHT"},
        "units": {"PJ": "ELCD LIGHT"},
    }
    source = publish(write_set(tmp_path / "files", rows, **options), tmp_path / "data")
    explorer.source = source
    assert explorer.selection.scenarios == list(source.scenario_names)
    assert explorer.title == "Final energy by fuel, Case, PJ"


def test_markup_in_scenario_names_stays_text(tmp_path: Path):
    rows = flows("LAMP: ELCD 36 -> LIGHT 36")
    options = {
        "process_sets": {"DMD": "LAMP"},
        "commodity_sets": {"NRG": "ELCD", "DEM": "LIGHT"},
        "units": {"PJ": "ELCD LIGHT"},
        "scenario": MARKUP,
    }
    source = publish(write_set(tmp_path / "files", rows, **options), tmp_path / "data")
    explorer = ScenarioExplorer(source=source, tab="table")
    shown = pn.Column(explorer, explorer.main, *explorer.sidebar)
    assert MARKUP in explorer.title
    assert shown.select(pn.pane.HTML) + shown.select(pn.pane.Markdown) == []


def test_explorer_without_a_source_says_what_it_needs():
    with pytest.raises(ValueError, match="needs a source"):
        ScenarioExplorer()


# ---------------------------------------------------------------------- all components at once


def component_classes() -> Iterator[type[param.Parameterized]]:
    """Every Parameterized class that a module of `components` defines."""
    for found in pkgutil.walk_packages(components.__path__, "components."):
        module = importlib.import_module(found.name)
        for _, member in inspect.getmembers(module, inspect.isclass):
            if issubclass(member, param.Parameterized) and member.__module__ == found.name:
                yield member


CLASSES = sorted(component_classes(), key=lambda found: found.__qualname__)


def test_components_are_found():
    assert {ScenarioExplorer, PlainText, ChartKey, BrowserHistory, Selection} <= set(CLASSES)


@pytest.fixture(scope="module")
def flow_records(tmp_path_factory: pytest.TempPathFactory) -> FlowRecords:
    return imported(tmp_path_factory.mktemp("flows"), "1,AAL,CPH,electricity,10")


@pytest.mark.parametrize("component", CLASSES, ids=lambda found: found.__name__)
def test_every_param_is_documented(component: type[param.Parameterized]):
    own = [
        parameter
        for name, parameter in component.param.objects("existing").items()
        if parameter.owner is component and name != "name"
    ]
    assert [parameter.name for parameter in own if not parameter.doc] == []


@pytest.mark.parametrize(
    "component",
    [
        found
        for found in CLASSES
        if issubclass(found, Viewer | JSComponent)
        # What tools have in common, or hold of their state, is none itself.
        and getattr(found, "_build", None) is not Tool._build
    ],
    ids=lambda found: found.__name__,
)
def test_every_component_renders(component: type[Any], demo: Source, flow_records: FlowRecords):
    options: dict[str, Any] = {}
    if "source" in component.param:
        wanted = component.param.source.class_
        options["source"] = demo if isinstance(demo, wanted) else flow_records
    if "service" in component.param:
        options["service"] = TrustedService(demo)
    made = component(**options)
    assert pn.panel(made).get_root() is not None


def test_bars_are_offered_only_where_what_they_stack_adds_up(explorer: ScenarioExplorer) -> None:
    chart, arrangement = explorer._controls._chart, explorer._controls._arrangement
    assert (chart.disabled, arrangement.disabled) == (False, False)

    explorer.measure = "renewable_electricity"

    assert (chart.disabled, arrangement.disabled) == (True, True)
    assert "do not add up" in chart.label
