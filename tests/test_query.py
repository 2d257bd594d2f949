"""Asking: refusals, filters, the query shown, many visitors at once."""

from __future__ import annotations

import math
import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogs.compiling import Conversion, compile_query
from catalogs.errors import MixedUnitsError, NotAvailableError, UnknownNameError
from catalogs.measures import DIMENSIONS, FILTERS, measure, measures
from catalogs.query import Query
from catalogs.source import Source
from tests.times_files import flows, publish, row, write_set, write_vd

NASTY = "x'; DROP TABLE result;--"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Two scenarios, one with a nasty name, two regions, two years, two timeslices."""
    folder = tmp_path_factory.mktemp("query")
    for scenario, factor in (("Base", 1), ("nasty", 2)):
        rows = []
        for region, year, timeslice in product(("R1", "R2"), (2020, 2030), ("S", "W")):
            where: dict[str, Any] = {"region": region, "year": year, "timeslice": timeslice}
            amount = factor * (10 if region == "R1" else 1) * (1 if year == 2020 else 3)
            rows += flows(
                f"COAL: COA {2 * amount} -> ELC {amount}\nWIND: -> ELC {amount}\n"
                f"LAMP: ELC {2 * amount} -> LIGHT {2 * amount}",
                **where,
            )
            rows.append(row("EQ_CombalM", 10, commodity="ELC", **where))
        rows += [
            row("VAR_Cap", 5, process="COAL", timeslice="-"),
            row("Reg_wobj", 1, commodity="MEUR20", timeslice="-", user_constraint="INV"),
            row("Reg_ACost", 7, timeslice="-", user_constraint="INV"),
        ]
        write_set(
            folder / "files",
            rows,
            scenario=scenario,
            process_sets={"ELE": "COAL WIND", "DMD": "LAMP"},
            commodity_sets={"ELC": "ELC", "DEM": "LIGHT"},
            units={"PJ": "COA ELC LIGHT"},
            process_units="process,activity_unit,capacity_unit\nCOAL,PJ,GW",
            descriptions={"COA": "Hard coal", "WIND": "Onshore wind", "ELC": "Electricity"},
            timeslices="timeslice,year_fraction,order\nW,0.5,1\nS,0.5,2",
        )
        if scenario == "nasty":
            write_vd(folder / "files" / "nasty.vd", rows, NASTY)
    return publish(folder / "files", folder / "data")


def values(source: Source, name: str, **options: Any) -> dict[Any, float]:
    query = Query(name, **options)
    frame = source.ask(query).frame
    keys = frame[["scenario", "year", *query.group_by]].itertuples(index=False, name=None)
    return dict(zip(keys, frame.value.round(9), strict=True))


# ---------------------------------------------------------------------------- choosing


def test_scenarios_and_years_are_kept_apart(source: Source) -> None:
    assert values(source, "electricity_generation", unit="PJ") == {
        ("Base", 2020): 44,
        ("Base", 2030): 132,
        (NASTY, 2020): 88,
        (NASTY, 2030): 264,
    }


def test_filters_narrow_what_is_counted(source: Source) -> None:
    where: dict[str, Any] = {"scenarios": ("Base",), "years": (2020,), "unit": "PJ"}
    asked = "electricity_generation"
    assert values(source, asked, regions=("R1",), **where) == {("Base", 2020): 40}
    only = (("technology", ("Wind",)), ("timeslice", ("W",)))
    assert values(source, asked, filters=only, **where) == {("Base", 2020): 11}
    both = (("process", ("WIND", "COAL")),)
    assert values(source, asked, filters=both, **where) == {("Base", 2020): 44}
    assert values(source, asked, filters=(("process", ("NOTHING",)),), **where) == {}


def test_groups_of_attributes_are_those_of_their_processes(source: Source) -> None:
    where: dict[str, Any] = {"scenarios": ("Base",), "years": (2020,), "unit": "PJ"}
    only = (("commodity", ("ELC",)),)
    found = values(source, "attribute:VAR_FOut", group_by=("technology",), filters=only, **where)
    assert found == {("Base", 2020, "Coal"): 22, ("Base", 2020, "Wind"): 22}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scenarios": ("Bsae",)}, r"no scenario 'Bsae'\. It has Base, "),
        ({"regions": ("R9",)}, r"no region 'R9'\. It has R1, R2\."),
        ({"years": (2025,)}, r"no year 2025\. It has 2020, 2030\."),
    ],
)
def test_what_is_not_there_is_named_with_what_is(
    source: Source, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnknownNameError, match=message):
        source.ask(Query("final_energy", **options))


def test_a_dimension_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"no dimension 'colour'\. Choose of region"):
        Query("final_energy", group_by=("colour",))
    with pytest.raises(UnknownNameError, match="no dimension 'year; DROP'"):
        Query("final_energy", filters=(("year; DROP", ("x",)),))


def test_a_group_that_a_measure_does_not_have_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"System cost cannot be grouped by fuel\. Group it"):
        Query("system_cost", group_by=("fuel",))


@pytest.mark.parametrize(
    ("asked", "instead"),
    [
        ({"measure": "final_enrgy"}, Query("final_energy")),
        ({"measure": "System costs"}, Query("system_cost")),
        (
            {"measure": "final_energy", "group_by": ("sectors", "region"), "years": (2020,)},
            Query("final_energy", years=(2020,), group_by=("sector", "region")),
        ),
        ({"measure": "system_cost", "group_by": ("fuel",)}, Query("system_cost")),
        (
            {
                "measure": "price",
                "filters": (("process", ("P",)), ("commodity", ("ELC",))),
                "unit": "EUR/MWh",
            },
            Query("price", filters=(("commodity", ("ELC",)),), unit="EUR/MWh"),
        ),
    ],
)
def test_names_that_no_query_may_have_come_with_what_may_be_meant(
    asked: dict[str, Any], instead: Query
) -> None:
    with pytest.raises(UnknownNameError) as caught:
        Query(**asked)
    assert instead in [offer.query for offer in caught.value.instead]
    labels = [offer.label for offer in caught.value.instead]
    assert len(set(labels)) == len(labels)


def test_a_name_like_no_other_has_no_offers() -> None:
    with pytest.raises(UnknownNameError) as caught:
        Query("qqqqq")
    assert caught.value.instead == ()


AVAILABLE = (
    "final_energy",
    "electricity_generation",
    "primary_energy",
    "demand",
    "capacity",
    "system_cost",
    "price",
    "renewable_electricity",
    "renewable_final",
    "renewable_primary",
    "import_dependency",
    "commodity_balance",
    "electricity_delivered",
    "average_power",
    "capacity_retirements",
    "objective",
    "objective_with_trade",
)
ABSENT = [name for name in measures() if name not in AVAILABLE]
PRESENT = [*AVAILABLE, "attribute:VAR_FOut"]


@pytest.mark.parametrize("name", PRESENT)
def test_every_filter_is_answered_or_refused_in_words(source: Source, name: str) -> None:
    for dimension in DIMENSIONS:
        only = ((dimension, ("nothing",)),)
        if dimension in (*FILTERS[measure(name).source], "sow"):
            assert source.ask(Query(name, filters=only)).frame.empty, dimension
        else:
            with pytest.raises(UnknownNameError, match=f"cannot be filtered by {dimension}"):
                Query(name, filters=only)


@pytest.mark.parametrize("name", PRESENT)
def test_every_group_that_is_offered_can_be_had(source: Source, name: str) -> None:
    one_commodity = ("price", "attribute:VAR_FOut", "commodity_balance")
    only = (("commodity", ("ELC",)),) if name in one_commodity else ()
    for group in measure(name).groups:
        frame = source.ask(Query(name, group_by=(group,), filters=only)).frame
        assert list(frame.columns) == ["scenario", "year", group, "value"]
        assert not frame.empty, group
        assert not frame[group].isna().any(), group


@pytest.mark.parametrize("name", ABSENT)
def test_a_measure_of_which_there_is_nothing_is_refused(source: Source, name: str) -> None:
    with pytest.raises(NotAvailableError, match="nothing to show") as caught:
        source.ask(Query(name))
    if needs := measure(name).needs:
        assert caught.value.remedy == f"It needs {needs}."


# ---------------------------------------------------------------------------- availability


def test_only_measures_that_can_be_answered_are_offered(source: Source) -> None:
    assert sorted(source.measure_names) == sorted(AVAILABLE)
    order = [name for name in measures() if name in AVAILABLE]
    assert list(source.measure_names) == order


def test_a_scenario_without_a_measure_is_said_to_be_left_out(tmp_path: Path) -> None:
    options: dict[str, Any] = {"units": {"PJ": "ELC HET"}, "commodity_sets": {"ELC": "ELC"}}
    write_set(tmp_path / "files", flows("PLANT: -> ELC 3"), scenario="A", **options)
    write_set(tmp_path / "files", flows("PLANT: -> HET 3"), scenario="B", **options)
    source = publish(tmp_path / "files", tmp_path / "data")
    answer = source.ask(Query("electricity_generation", unit="PJ"))
    assert answer.frame[["scenario", "value"]].values.tolist() == [["A", 3]]
    assert answer.left_out == ("B has none",)
    with pytest.raises(NotAvailableError, match="nothing to show electricity generation from"):
        source.ask(Query("electricity_generation", scenarios=("B",)))


def test_units_offered_begin_with_the_measures_own(source: Source) -> None:
    assert source.unit_choices("electricity_generation")[:2] == ["TWh", "PJ"]
    assert source.unit_choices("system_cost")[0] == "MEUR20"
    assert source.unit_choices("price")[0] == "EUR20/MWh"
    for unit in source.unit_choices("final_energy"):
        assert source.ask(Query("final_energy", unit=unit)).unit == unit


def test_members_of_a_dimension_are_listed_whatever_is_chosen_of_it(source: Source) -> None:
    query = Query("electricity_generation", filters=(("process", ("WIND",)),))
    assert source.members(query, "process") == ["COAL", "WIND"]
    assert source.members(query, "technology") == ["Wind"]
    assert source.members(query, "timeslice") == ["W", "S"]  # in the order of the year


def test_prices_start_with_electricity(source: Source) -> None:
    assert source.starting_filter("price") == (("commodity", ("ELC",)),)
    assert source.starting_filter("final_energy") == ()


def test_codes_have_their_descriptions(source: Source) -> None:
    assert source.labels("commodity")["COA"] == "Hard coal"
    assert source.labels("process")["WIND"] == "Onshore wind"
    assert source.labels("vintage") == {}


# ---------------------------------------------------------------------------- the query shown


@pytest.mark.parametrize(
    "query",
    [
        Query("electricity_generation", group_by=("technology",), scenarios=(NASTY,)),
        Query("attribute:VAR_FOut", filters=(("commodity", ("ELC",)),), unit="PJ"),
        Query("price", group_by=("commodity", "region"), years=(2020,)),
        Query("final_energy", filters=(("process", ("$units", "$boundary", "it's", "LAMP")),)),
        Query("capacity", group_by=("vintage",)),
    ],
    ids=lambda query: query.measure,
)
def test_the_query_shown_gives_the_same_answer(source: Source, query: Query) -> None:
    answer = source.ask(query)
    shown = source.sql(answer.sql)
    assert not answer.frame.empty
    pd.testing.assert_frame_equal(
        shown[answer.frame.columns.tolist()], answer.frame, check_dtype=False
    )


def test_values_are_bound_and_never_part_of_the_text() -> None:
    query = Query(
        "final_energy",
        scenarios=(NASTY,),
        regions=(NASTY,),
        filters=(("process", (NASTY,)), ("fuel", (NASTY,))),
    )
    compiled = compile_query(query, Conversion({"PJ": 1.0, NASTY: 2.0}))
    assert "DROP" not in compiled.sql
    assert "PJ" not in compiled.sql
    assert "DROP" in compiled.shown()


def test_a_query_can_be_a_key() -> None:
    one, other = Query("final_energy", years=(2030,)), Query("final_energy", years=(2030,))
    assert one == other
    assert len({one, other, Query("final_energy")}) == 2


# ---------------------------------------------------------------------------- many at once


def test_many_threads_get_the_same_answers(source: Source) -> None:
    queries = [
        Query(name, group_by=(group,), regions=regions, years=years, unit="PJ")
        for name in ("final_energy", "electricity_generation", "primary_energy")
        for group in ("region", "process", "commodity", "timeslice")
        for regions in ((), ("R1",))
        for years in ((), (2030,))
    ]
    alone = [source._answer(query).frame for query in queries]
    with ThreadPoolExecutor(12) as pool:
        for frames in pool.map(
            lambda _: [source._answer(query).frame for query in queries], range(6)
        ):
            for expected, found in zip(alone, frames, strict=True):
                pd.testing.assert_frame_equal(expected, found)


def test_an_answer_changed_by_one_visitor_is_not_the_next_ones(source: Source) -> None:
    query = Query("final_energy", group_by=("region",), unit="PJ")
    first = source.ask(query).frame
    kept = first.copy(deep=True)
    first.loc[:, "value"] = math.nan
    first["more"] = 1
    pd.testing.assert_frame_equal(source.ask(query).frame, kept)


def test_a_query_that_fails_leaves_the_source_as_it_was(source: Source) -> None:
    before = values(source, "final_energy")
    for bad in (Query("demand", unit="kt"), Query("final_energy", unit="bananas")):
        with pytest.raises(MixedUnitsError):
            source.ask(bad)
    assert values(source, "final_energy") == before


def test_nothing_outside_can_be_read_through_a_source(source: Source, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(Exception, match="disabled"):
        source.sql(f"SELECT * FROM read_csv('{secret}')")
    for table in ("coded_result", "process"):
        with pytest.raises(Exception, match="read-only"):
            source.sql(f"DELETE FROM s0.{table}")


# ---------------------------------------------------------------------------- sums


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """One scenario of the demo model: ten regions, twenty timeslices, storage and trade."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "files").mkdir()
    for path in Path(str(files("catalogs.demo").joinpath("files"))).iterdir():
        if path.name.startswith("Reference") or path.suffix == ".csv":
            shutil.copy(path, folder / "files")
    return publish(folder / "files", folder / "data")


def additive(source: Source) -> list[str]:
    """Return the measures of a source whose values are amounts and not shares or prices."""
    return [name for name in source.measure_names if not measure(name).is_ratio]


def summed_over(name: str) -> list[str]:
    """Return the groups over which a measure may be added up."""
    return [group for group in measure(name).groups if measure(name).adds_up_over(group)]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_it_is_grouped_by_a_measure_sums_to_its_total(
    demo: Source, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(additive(demo)))
    choices = st.sampled_from(summed_over(name))
    groups = tuple(data.draw(st.lists(choices, min_size=1, max_size=3, unique=True)))
    regions = data.draw(st.sampled_from([(), ("DKW",), ("DKE", "NOS")]))
    where: dict[str, Any] = {
        "regions": regions,
        "unit": demo.unit_choices(name)[0],
        "filters": demo.starting_filter(name),
    }
    total = demo.ask(Query(name, **where)).frame
    parts = demo.ask(Query(name, **where, group_by=groups)).frame.fillna({"year": 0})
    summed = parts.groupby("year").value.sum()
    # What cancels is exact only beside its own summands.
    apart = demo.ask(Query(name, **where, group_by=measure(name).groups[:1])).frame
    scale = apart.value.abs().groupby(apart.year.fillna(0)).sum()
    for year, value in zip(total.year.fillna(0), total.value, strict=True):
        assert summed[year] == pytest.approx(value, abs=1e-9 * scale[year]), (year, groups)


def test_regions_sum_to_the_whole_of_every_year(demo: Source) -> None:
    for name in additive(demo):
        where: dict[str, Any] = {
            "unit": demo.unit_choices(name)[0],
            "filters": demo.starting_filter(name),
        }
        whole = demo.ask(Query(name, **where)).frame.fillna({"year": 0}).set_index("year").value
        pieces = pd.concat(
            [demo.ask(Query(name, **where, regions=(region,))).frame for region in demo.regions]
        ).fillna({"year": 0})
        summed = pieces.groupby("year").value.sum()
        apart = demo.ask(Query(name, **where, group_by=measure(name).groups[:1])).frame
        scale = apart.value.abs().groupby(apart.year.fillna(0)).sum()
        for year, value in whole.items():
            assert summed[year] == pytest.approx(value, abs=1e-9 * scale[year]), (name, year)
