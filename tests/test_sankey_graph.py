"""From flows to a Sankey: textbook cases by hand, balances on the demo and on real files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import catalogs
from catalogs.errors import NotAvailableError, UnknownNameError
from catalogs.sankey import timeslices
from catalogs.sankey.compare import compare
from catalogs.sankey.flows import EnergyFlows, Flow, SankeyQuery, energy_flows
from catalogs.sankey.focus import around, between
from catalogs.sankey.graph import (
    AMBIENT,
    CONVERSION_LOSS,
    GRID_LOSS,
    STORAGE_LOSS,
    SURPLUS,
    TRADE_LOSS,
    UNEXPLAINED,
    build_graph,
)
from catalogs.sankey.kinds import kinds
from catalogs.sankey.parts import Graph
from catalogs.sankey.roles import CONVERSION, FINAL, STORAGE, SUPPLY, Role
from catalogs.source import Source
from tests.times_files import Row, flows, publish, write_set

CARRIERS = "COA GAS ELC ELCR LTH HYD"
DESCRIPTIONS = {
    "COA": "Hard coal",
    "GAS": "Natural gas",
    "ELC": "Electricity",
    "ELCR": "Electricity, households",
    "LTH": "District heat",
    "HYD": "Hydrogen",
}

Draw = Callable[..., Graph]


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Write flows as VEDA files, import them and return their Sankey."""

    def drawn(text: str | Sequence[Row], opened: Sequence[str] = (), **query: object) -> Graph:
        rows = flows(text) if isinstance(text, str) else text
        folder = write_set(
            tmp_path / "files",
            rows,
            process_sets={
                "ELE": "PLANT TURBINE",
                "CHP": "CHP",
                "HPL": "PUMP",
                "DMD": "RADIATOR CAR",
                "STG": "BATTERY",
                "IRE": "CABLE",
            },
            commodity_sets={"NRG": CARRIERS, "DEM": "HEAT KM", "ELC": "ELC ELCR"},
            units={"PJ": f"{CARRIERS} HEAT", "Mpkm": "KM"},
            descriptions=DESCRIPTIONS,
        )
        source = publish(folder, tmp_path / "data")
        asked = SankeyQuery("Case", 2020, opened=tuple(opened), **query)  # type: ignore[arg-type]
        return build_graph(energy_flows(source, asked))

    return drawn


def links(graph: Graph) -> dict[tuple[str, str], float]:
    """Links by the labels of their ends."""
    label = {node.id: node.label for node in graph.nodes}
    found: dict[tuple[str, str], float] = defaultdict(float)
    for link in graph.links:
        found[label[link.source], label[link.target]] += link.value
    return {ends: pytest.approx(value) for ends, value in found.items()}


def assert_balanced(graph: Graph, given: EnergyFlows) -> None:
    """Carriers, conversion and storage pass on what they get; and nothing is lost on the way."""
    # What is left out as rounding, and said to be, is at most this (both ends of it).
    rounding = 2e-4 * sum(node.outgoing for node in graph.nodes if node.kind == SUPPLY)
    for node in graph.nodes:
        if node.kind in ("carrier", CONVERSION, STORAGE):
            assert node.incoming == pytest.approx(node.outgoing, rel=1e-9, abs=rounding), node
    carriers = {node.id for node in graph.nodes if node.kind == "carrier"}
    drawn = sum(
        link.value
        for link in graph.links
        if not link.target.startswith(("loss", "demand"))
        and not link.source.startswith("gain")
        and not {link.source, link.target} <= carriers  # what passes through, shown all the same
    )
    everything = sum(flow.value for flow in given.flows)
    contracted = sum(passed.taken + passed.given for passed in graph.contracted)
    inside = sum(graph.internal.values())
    assert drawn + contracted + inside == pytest.approx(everything, rel=1e-9)


# ---------------------------------------------------------------------- textbook cases


def test_chain_passes_from_supply_to_use_and_shows_what_is_lost(draw: Draw):
    graph = draw("MINE: -> COA 100\nPLANT: COA 100 -> ELC 40\nRADIATOR: ELC 40 -> HEAT 36")
    assert links(graph) == {
        ("Domestic resources", "Coal"): 100,
        ("Coal", "Coal"): 100,  # the carrier, and the plants that burn it
        ("Coal", "Electricity"): 40,
        ("Coal", "Conversion losses"): 60,
        ("Electricity", "Other end use"): 40,
    }
    assert graph.node(CONVERSION_LOSS).incoming == pytest.approx(60)
    assert [node.kind for node in graph.nodes if not node.outgoing] == ["final", "loss"]


def test_chp_has_two_outputs(draw: Draw):
    graph = draw(
        "MINE: -> COA 100\nCHP: COA 100 -> ELC 30, LTH 50\nRADIATOR: LTH 50, ELC 30 -> HEAT 70"
    )
    assert links(graph)["Coal CHP", "Electricity"] == 30
    assert links(graph)["Coal CHP", "Heat"] == 50
    assert links(graph)["Coal CHP", "Conversion losses"] == 20


def test_heat_pump_gets_heat_from_its_surroundings(draw: Draw):
    graph = draw("MINE: -> ELC 10\nPUMP: ELC 10 -> LTH 30\nRADIATOR: LTH 30 -> HEAT 30")
    [pump] = [node for node in graph.nodes if node.kind == CONVERSION]
    assert links(graph)["Ambient heat", pump.label] == 20
    assert graph.node(AMBIENT).kind == "gain"
    assert pump.incoming == pytest.approx(30)


def test_storage_is_a_cycle_with_a_loss_and_its_level_no_flow(draw: Draw):
    graph = draw("MINE: -> ELC 11\nBATTERY: ELC 10 -> ELC 9\nRADIATOR: ELC 10 -> HEAT 10")
    assert links(graph)["Electricity", "Storage"] == 10
    assert links(graph)["Storage", "Electricity"] == 9
    assert graph.node(STORAGE_LOSS).incoming == pytest.approx(1)


def test_cycles_are_drawn_and_nothing_is_dropped(draw: Draw):
    graph = draw(
        """MINE: -> ELC 80
        ELECTROLYSER: ELC 50 -> HYD 35
        TURBINE: HYD 35 -> ELC 20
        RADIATOR: ELC 50 -> HEAT 50"""
    )
    shown = links(graph)
    assert shown["Hydrogen", "Hydrogen"] == 35  # carrier and power plant
    assert [v for (source, target), v in shown.items() if target == "Electricity"] == [20, 80]
    assert graph.node(CONVERSION_LOSS).incoming == pytest.approx(15 + 15)


def test_distribution_is_contracted_and_listed_with_its_loss(draw: Draw):
    graph = draw("MINE: -> ELC 40\nDIST: ELC 40 -> ELCR 38\nRADIATOR: ELCR 38 -> HEAT 38")
    assert links(graph) == {
        ("Domestic resources", "Electricity"): 40,
        ("Electricity", "Grid losses"): 2,
        ("Electricity", "Other end use"): 38,
    }
    [passed] = graph.contracted
    assert (passed.process, passed.taken, passed.given) == ("DIST", 40, 38)


def test_an_opened_carrier_shows_its_commodities_and_what_passes_between_them(draw: Draw):
    text = "MINE: -> ELC 40\nDIST: ELC 40 -> ELCR 38\nRADIATOR: ELCR 38 -> HEAT 38"
    carrier = next(node for node in draw(text).nodes if node.kind == "carrier")
    assert carrier.members == ("commodity/ELC", "commodity/ELCR")
    shown = links(draw(text, opened=[carrier.id]))
    assert shown == {
        ("Domestic resources", "ELC"): 40,
        ("ELC", "ELCR"): 38,
        ("ELC", "Grid losses"): 2,
        ("ELCR", "Other end use"): 38,
    }


def test_a_device_that_gives_another_unit_ends_in_its_service(draw: Draw):
    graph = draw("MINE: -> ELC 10\nCAR: ELC 10 -> KM 55")
    assert used(graph) == pytest.approx(10)
    assert not graph.left_out  # the service is told by its demand, not as something missing


def test_what_nobody_takes_and_nobody_gives_is_an_end_of_its_own(draw: Draw):
    graph = draw("MINE: -> COA 10\nPLANT: COA 8 -> ELC 4\nRADIATOR: ELC 5 -> HEAT 5")
    assert graph.node(SURPLUS).incoming == pytest.approx(2)
    assert graph.node(UNEXPLAINED).outgoing == pytest.approx(1)


def test_trade_between_regions_that_are_shown_is_netted_to_its_loss(draw: Draw):
    rows = [
        *flows("MINE: -> ELC 20\nCABLE: ELC 10 ->\nRADIATOR: ELC 10 -> HEAT 10", region="R1"),
        *flows("CABLE: -> ELC 9\nRADIATOR: ELC 9 -> HEAT 9", region="R2"),
    ]
    everything = draw(rows)
    assert everything.node(TRADE_LOSS).incoming == pytest.approx(1)
    assert everything.node("carrier/Electricity/0").incoming == pytest.approx(20)
    exporter = draw(rows, regions=("R1",))
    assert links(exporter)["Electricity", "Exports"] == 10
    importer = draw(rows, regions=("R2",))
    assert links(importer) == {("Imports", "Electricity"): 9, ("Electricity", "Other end use"): 9}


def test_a_negative_flow_stands_the_other_way_round_and_is_told(draw: Draw):
    graph = draw("MINE: -> ELC 10\nPLANT: ELC -2 -> ELC 0\nRADIATOR: ELC 12 -> HEAT 12")
    assert any("1 negative flows" in remark and "PLANT" in remark for remark in graph.remarks)
    assert graph.node("carrier/Electricity/0").incoming == pytest.approx(12)


def test_a_loss_of_the_grid_that_no_process_has():
    given = EnergyFlows(
        query=SankeyQuery("Case", 2020),
        flows=[Flow("R1", "PLANT", "ELC", "OUT", 100.0), Flow("R1", "USE", "ELC", "IN", 93.0)],
        roles={
            ("R1", "PLANT"): Role(SUPPLY, "Domestic resources", ""),
            ("R1", "USE"): Role(FINAL, "Residential", ""),
        },
        fuels={"ELC": "Electricity"},
        efficiency={("R1", "ELC"): 0.93},
        left_out={},
        turned=[],
        noise=0,
    )
    graph = build_graph(given)
    assert graph.node(GRID_LOSS).incoming == pytest.approx(7)
    assert {node.kind for node in graph.nodes} == {"supply", "carrier", "final", "loss"}


# ---------------------------------------------------------------------- bad input


def test_a_selection_without_energy_says_so(draw: Draw):
    with pytest.raises(NotAvailableError, match="measured in energy"):
        draw("CAR: KM 1 -> KM 2")


def test_one_node_alone_is_a_picture_too(draw: Draw):
    assert links(draw("MINE: -> ELC 10")) == {
        ("Domestic resources", "Electricity"): 10,
        ("Electricity", "Not used"): 10,
    }


def test_a_process_that_only_gives_is_supply_and_one_that_gives_too_much_is_told(draw: Draw):
    graph = draw("MAGIC: -> GAS 5\nPLANT: GAS 5 -> ELC 7\nRADIATOR: ELC 7 -> HEAT 7")
    assert links(graph)["Domestic resources", "Natural gas"] == 5
    assert graph.node(UNEXPLAINED).outgoing == pytest.approx(2)


def test_an_unknown_unit_is_said_and_not_drawn(tmp_path: Path):
    files = write_set(
        tmp_path / "files",
        flows("MINE: -> ELC 10\nOTHER: -> XYZ 4\nRADIATOR: ELC 10, XYZ 4 -> HEAT 9"),
        process_sets={"DMD": "RADIATOR"},
        commodity_sets={"NRG": "ELC XYZ", "DEM": "HEAT"},
        units={"PJ": "ELC HEAT"},
    )
    graph = graph_of(publish(files, tmp_path / "data"))
    assert graph.left_out == {"unknown": 8}
    assert any("8 unknown" in remark for remark in graph.remarks)
    assert used(graph) == pytest.approx(10)


def test_thousands_of_tiny_links_are_a_readable_picture_that_loses_nothing():
    count = 3000
    given = EnergyFlows(
        query=SankeyQuery("Case", 2020),
        flows=[
            flow
            for n in range(count)
            for flow in (
                Flow("R1", f"W{n}", f"C{n}", "OUT", 1 + n % 7 / 10),
                Flow("R1", f"P{n}", f"C{n}", "IN", 1 + n % 7 / 10),
                Flow("R1", f"P{n}", "ELC", "OUT", 1.0),
                Flow("R1", f"U{n}", "ELC", "IN", 1.0),
            )
        ],
        roles={
            **{("R1", f"W{n}"): Role(SUPPLY, f"Well {n}", "") for n in range(count)},
            **{("R1", f"P{n}"): Role(CONVERSION, f"Plant {n}", "") for n in range(count)},
            **{("R1", f"U{n}"): Role(FINAL, f"Use {n}", "") for n in range(count)},
        },
        fuels={**{f"C{n}": f"Fuel {n}" for n in range(count)}, "ELC": "Electricity"},
        efficiency={},
        left_out={},
        turned=[],
        noise=0,
    )
    graph = build_graph(given)
    assert len(graph.nodes) <= 80
    assert_balanced(graph, given)
    assert used(graph) == pytest.approx(count)


@pytest.mark.parametrize(
    "asked",
    [
        SankeyQuery("None", 2050),
        SankeyQuery("Reference", 1999),
        SankeyQuery("Reference", 2050, ("X",)),
    ],
)
def test_unknown_names_are_refused(demo: Source, asked: SankeyQuery):
    with pytest.raises(UnknownNameError, match="has no"):
        energy_flows(demo, asked)


# ---------------------------------------------------------------------- whatever flows


@st.composite
def any_flows(draw: st.DrawFn) -> EnergyFlows:
    """Flows between a few processes of any part and a few commodities of a few fuels."""
    parts = st.sampled_from((SUPPLY, CONVERSION, STORAGE, FINAL))
    roles = {
        ("R1", f"P{n}"): Role(part, f"Group {n % 3}", f"Inner {n % 2}")
        for n, part in enumerate(draw(st.lists(parts, min_size=1, max_size=9)))
    }
    commodities = {f"C{n}": f"Fuel {n % 3}" for n in range(6)}
    keys = st.tuples(
        st.sampled_from(sorted(roles)),
        st.sampled_from(sorted(commodities)),
        st.sampled_from(("IN", "OUT")),
    )
    amounts = draw(st.dictionaries(keys, st.floats(0.01, 1000), min_size=1, max_size=30))
    made = [Flow(*place, c, direction, value) for (place, c, direction), value in amounts.items()]
    opened = draw(
        st.lists(
            st.sampled_from(
                [f"carrier/Fuel {n}/0" for n in range(3)]
                + [f"{p}/Group {n}" for p in (SUPPLY, CONVERSION, FINAL) for n in range(3)]
            )
        )
    )
    query = SankeyQuery(
        "Case", 2020, opened=tuple(opened), most_nodes=draw(st.sampled_from((8, 60)))
    )
    return EnergyFlows(query, made, roles, commodities, {}, {}, [], 0)


@given(any_flows())
def test_any_graph_balances_and_loses_nothing(given_flows: EnergyFlows):
    assert_balanced(build_graph(given_flows), given_flows)


# ---------------------------------------------------------------------- whole models


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The demo, published once."""
    directory = tmp_path_factory.mktemp("demo")
    catalogs.ensure_demo(directory)
    return catalogs.open_source(directory)


def final_energy(source: Source, scenario: str, year: int) -> float:
    """Final energy in PJ as the explorer's measure counts it; savings are no use."""
    [(amount,)] = source.rows(
        "SELECT sum(f.value * b.factor) FROM flow_annual AS f"
        " JOIN boundary AS b USING (scenario, region, process, commodity, direction)"
        " WHERE b.boundary = 'final' AND b.part = 'use' AND scenario = ? AND year = ?"
        " AND f.unit = 'PJ'",
        [scenario, year],
    )
    return float(amount)


def used(graph: Graph) -> float:
    """What final use keeps of what it gets."""
    return sum(node.incoming - node.outgoing for node in graph.nodes if node.kind == FINAL)


@pytest.mark.parametrize("year", [2025, 2050])
@pytest.mark.parametrize("opened", [(), ("final/Transport", "carrier/Electricity/0")])
def test_demo_balances_and_agrees_with_the_explorer(demo: Source, year: int, opened: Sequence[str]):
    given_flows = energy_flows(demo, SankeyQuery("Reference", year, opened=tuple(opened)))
    graph = build_graph(given_flows)
    assert_balanced(graph, given_flows)
    assert used(graph) == pytest.approx(final_energy(demo, "Reference", year), rel=1e-6)
    assert {SURPLUS, UNEXPLAINED}.isdisjoint(node.id for node in graph.nodes)


def test_unit_changes_the_figures_and_not_the_picture(demo: Source):
    first, other = (
        build_graph(energy_flows(demo, SankeyQuery("Reference", 2050, unit=unit)))
        for unit in ("PJ", "TWh")
    )
    assert [(link.source, link.target) for link in first.links] == [
        (link.source, link.target) for link in other.links
    ]
    assert sum(link.value for link in other.links) == pytest.approx(
        sum(link.value for link in first.links) / 3.6
    )


def test_timeslices_sum_to_the_year(demo: Source):
    slices = tuple(demo.timeslice_order)
    whole, parts = (
        build_graph(energy_flows(demo, SankeyQuery("Reference", 2050, timeslices=chosen)))
        for chosen in ((), slices)
    )
    assert used(parts) == pytest.approx(used(whole))


# ---------------------------------------------------------------------- two scenarios


def test_comparison_has_every_link_of_both_and_the_largest_change_first(demo: Source):
    base, other = (
        energy_flows(demo, SankeyQuery(scenario, 2050))
        for scenario in ("Reference", "Climate target")
    )
    compared = compare(base, other)
    assert sum(change.base for change in compared.changes) == pytest.approx(
        sum(link.value for link in compared.base.links)
    )
    assert sum(change.value for change in compared.changes) == pytest.approx(
        sum(link.value for link in compared.other.links)
    )
    differences = [abs(change.difference) for change in compared.changes]
    assert differences == sorted(differences, reverse=True)
    ends = {end for change in compared.changes for end in (change.source, change.target)}
    assert ends == {node.id for node in compared.nodes}
    for graph, flows_of in ((compared.base, base), (compared.other, other)):
        assert_balanced(graph, flows_of)


def test_a_scenario_compared_with_itself_has_not_changed(demo: Source):
    flows_of = energy_flows(demo, SankeyQuery("Reference", 2050))
    assert all(change.difference == 0 for change in compare(flows_of, flows_of).changes)


# ---------------------------------------------------------------------- a part of the picture

TWO_CHAINS = """
    MINE: -> COA 100
    PLANT: COA 100 -> ELC 40
    WELL: -> GAS 20
    CHP: GAS 20 -> LTH 15
    RADIATOR: ELC 40, LTH 15 -> HEAT 50
"""


def test_focus_keeps_what_is_up_and_down_stream(draw: Draw):
    graph = draw(TWO_CHAINS)
    carrier = next(
        node.id for node in graph.nodes if node.label == "Coal" and node.kind == "carrier"
    )
    part = around(graph, carrier)
    assert {node.label for node in part.nodes} == {
        "Domestic resources", "Coal", "Electricity", "Other end use", "Conversion losses",
    }  # fmt: skip
    near = around(graph, carrier, steps=1)
    assert {node.label for node in near.nodes} == {"Domestic resources", "Coal"}
    assert around(graph, "carrier/None/0") == graph


def test_ways_between_two_nodes(draw: Draw):
    graph = draw(TWO_CHAINS)
    first = next(node.id for node in graph.nodes if node.label == "Natural gas")
    [last] = [node.id for node in graph.nodes if node.kind == FINAL]
    labels = [node.label for node in between(graph, first, last).nodes]
    assert sorted(labels) == ["Heat", "Natural gas", "Natural gas CHP", "Other end use"]


# ---------------------------------------------------------------------- other than energy

MIXED = """
    MINE: -> ELC 20
    BATTERY: ELC 0 -> ELC 0
    ROADS: -> KM 50
    CAR: ELC 10, KM 50 -> TRIPS 55
    RADIATOR: ELC 10 -> HEAT 9
"""


@pytest.fixture
def mixed(tmp_path: Path) -> Source:
    """A car takes energy and kilometres of road, and gives kilometres of passengers."""
    files = write_set(
        tmp_path / "files",
        flows(MIXED),
        process_sets={"DMD": "CAR RADIATOR"},
        commodity_sets={"NRG": "ELC KM", "DEM": "TRIPS HEAT"},
        units={"PJ": "ELC HEAT", "Mpkm": "KM", "Mpass-km": "TRIPS"},
        descriptions={"KM": "Use of roads", "TRIPS": "Trips", "ELC": "Electricity"},
    )
    return publish(files, tmp_path / "data")


def graph_of(source: Source, **query: object) -> Graph:
    return build_graph(energy_flows(source, SankeyQuery("Case", 2020, **query)))  # type: ignore[arg-type]


def test_a_process_of_mixed_units_ends_in_its_service_without_a_number_onward(mixed: Source):
    graph = graph_of(mixed)
    ends = {node.label: node for node in graph.nodes if node.kind == FINAL}
    assert [node.incoming for node in ends.values()] == [pytest.approx(10)] * 2
    assert [node.outgoing for node in ends.values()] == [0, 0]
    assert ends["Transport"].services == (("Mpass-km", 55),)
    assert ends["Other end use"].services == (("PJ", 9),)
    assert {(s.label, s.services) for s in graph.services} == {
        ("Transport demand", (("Mpass-km", 55),)),
        ("Other end use demand", (("PJ", 9),)),
    }
    assert {join.user for join in graph.joins} == {node.id for node in ends.values()}
    assert graph.left_out == {"Mpkm": 100}  # said: what ROADS gives and CAR takes
    assert not any("KM" in end for link in graph.links for end in (link.source, link.target))


def test_what_is_not_energy_has_a_sankey_of_its_own_in_its_unit(mixed: Source):
    assert list(kinds(mixed, "Case")) == ["energy", "useful energy", "passenger distance"]
    graph = graph_of(mixed, flows_of="passenger distance", unit="Mpkm")
    [roads, car] = (node for node in graph.nodes if node.kind in (SUPPLY, CONVERSION))
    car, roads = (car, roads) if car.kind == CONVERSION else (roads, car)
    assert links(graph) == {
        (roads.label, "Use of roads"): 50,
        ("Use of roads", car.label): 50,
        (car.label, "Trips"): 55,
        ("Not accounted for", car.label): 5,  # no conversion makes more than it takes
        ("Trips", "Transport"): 55,
    }
    assert "Ambient heat" not in {node.label for node in graph.nodes}
    useful = graph_of(mixed, flows_of="useful energy")
    assert sum(n.incoming for n in useful.nodes if n.kind == FINAL) == pytest.approx(9)


def test_a_kind_that_does_not_flow_is_refused_and_named(mixed: Source):
    with pytest.raises(NotAvailableError, match="measured in mass"):
        graph_of(mixed, flows_of="mass", unit="kt")


def test_each_kind_of_the_demo_balances(demo: Source):
    for kind, unit in kinds(demo, "Reference").items():
        asked = SankeyQuery("Reference", 2050, flows_of=kind, unit=unit)
        given_flows = energy_flows(demo, asked)
        assert_balanced(build_graph(given_flows), given_flows)


# ---------------------------------------------------------------------- timeslices


def test_a_season_has_all_timeslices_within_it_and_seasons_sum_to_the_year(demo: Source):
    offered = timeslices.offered(demo, "Reference")
    seasons = [name for name, depth in offered if depth == 0]
    assert 1 < len(seasons) < len(offered)
    parts = [timeslices.within(demo, season) for season in seasons]
    assert sorted(name for part in parts for name in part) == sorted(name for name, _ in offered)
    # What is only known for the year is in none of them, and each says how much that is.
    year = build_graph(energy_flows(demo, SankeyQuery("Reference", 2050)))
    pictures = [
        energy_flows(demo, SankeyQuery("Reference", 2050, timeslices=part)) for part in parts
    ]
    of_seasons = sum(flow.value for picture in pictures for flow in picture.flows)
    [coarser] = {round(picture.coarser, 6) for picture in pictures}
    everything = sum(
        flow.value for flow in energy_flows(demo, SankeyQuery("Reference", 2050)).flows
    )
    assert of_seasons + coarser == pytest.approx(everything, rel=1e-6)
    winter = build_graph(pictures[0])
    assert_balanced(winter, pictures[0])
    assert any("only for longer than the timeslice" in remark for remark in winter.remarks)
    assert used(winter) < used(year)
    assert "Not accounted for" not in {node.label for node in winter.nodes}


def test_storage_in_a_timeslice_keeps_and_gives_and_does_not_lose(demo: Source):
    ends = set()
    for name, _depth in timeslices.offered(demo, "Reference"):
        asked = SankeyQuery("Reference", 2050, timeslices=timeslices.within(demo, name))
        ends |= {node.label for node in build_graph(energy_flows(demo, asked)).nodes}
    assert {"Kept in storage", "Out of storage"} <= ends
    assert "Storage losses" not in ends
