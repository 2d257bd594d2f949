"""The layout of Sankeys: by hand for small systems, by rules for any."""

from __future__ import annotations

import itertools
import random
import time
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.sankey.layout import (
    Frame,
    Layout,
    Link,
    Node,
    PlacedNode,
    lay_out,
    lay_out_both,
)

NEAR = 1e-6


def links_of(text: str) -> list[Link]:
    """`"coal > plant 100, plant > electricity 40"` as links."""
    links = []
    for part in text.split(","):
        ends, value = part.strip().rsplit(" ", 1)
        source, target = ends.split(" > ")
        links.append(Link(source, target, float(value)))
    return links


def nodes_of(links: list[Link], **ranks: int | str) -> list[Node]:
    """All ends of the links, with the ranks given by name."""
    names = sorted({name for link in links for name in (link.source, link.target)})
    return [Node(name, rank=ranks.get(name)) for name in names]  # type: ignore[arg-type]


def picture(text: str, frame: Frame | None = None, **ranks: int | str) -> Layout:
    links = links_of(text)
    return lay_out(nodes_of(links, **ranks), links, frame)


def layers(layout: Layout) -> dict[str, int]:
    return {node.id: node.layer for node in layout.nodes}


def back(layout: Layout) -> list[str]:
    return [link.id for link in layout.links if link.back]


def at(layout: Layout, name: str) -> PlacedNode:
    return next(node for node in layout.nodes if node.id == name)


# ---------------------------------------------------------------------- layers, by hand


def test_a_chain_has_a_layer_for_each_step() -> None:
    layout = picture("coal > plant 100, plant > electricity 40, plant > loss 60")
    assert layers(layout) == {"coal": 0, "plant": 1, "electricity": 2, "loss": 2}
    assert back(layout) == []


def test_ranks_are_kept_where_links_allow() -> None:
    text = "mine > coal 5, coal > plant 4, coal > home 1, plant > home 2, import > coal 1"
    ranks = {"import": "first", "home": "last", "plant": 3}
    layout = picture(text, **ranks)
    assert layers(layout) == {"mine": 0, "import": 0, "coal": 1, "plant": 2, "home": 3}
    # Two steps are needed before it, whatever its wish.
    assert layers(picture("a > b 1, b > c 1", c=0)) == {"a": 0, "b": 1, "c": 2}
    # What is used last stands at the right even where its way is short.
    assert layers(picture("a > b 1, b > c 1, a > d 1", d="last"))["d"] == 2


def test_what_only_gives_stands_before_what_it_gives_to() -> None:
    layout = picture("a > b 5, b > c 5, c > d 6, x > d 1")
    assert layers(layout) == {"a": 0, "b": 1, "c": 2, "x": 2, "d": 3}
    assert layers(picture("a > b 5, b > c 5, c > d 6, x > d 1", x="first"))["x"] == 0


def test_storage_returns_what_it_took_on_a_back_link() -> None:
    layout = picture("wind > electricity 50, electricity > battery 10, battery > electricity 9")
    assert back(layout) == ["battery → electricity"]
    assert layers(layout) == {"wind": 0, "electricity": 1, "battery": 2}


def test_the_smallest_link_of_a_cycle_turns_back() -> None:
    assert back(picture("a > b 5, b > c 3, c > a 4")) == ["b → c"]
    assert back(picture("a > b 5, b > a 5, c > a 1")) == ["b → a"]


def test_own_use_goes_around_its_own_node() -> None:
    layout = picture("gas > plant 10, plant > heat 6, plant > plant 2")
    (loop,) = [link for link in layout.links if link.back]
    plant = at(layout, "plant")
    assert loop.detour is not None
    assert loop.detour.y - loop.width / 2 > plant.y1
    assert loop.detour.x_out > plant.x1
    assert loop.detour.x_in < plant.x0


#: Heat comes late; a trickle of it goes into the refinery, at the head of another chain.
TRICKLE = """waste > plant 50, plant > power 50, power > pump 50, pump > heat 50, heat > homes 49.9,
    heat > refinery 0.1, oil > refinery 100, refinery > petrol 99, petrol > cars 99"""


def test_a_trickle_does_not_make_the_picture_longer() -> None:
    links = links_of(TRICKLE)
    nodes = nodes_of(links, homes="last", cars="last")
    assert lay_out(nodes, links).layers == 8
    short = lay_out(nodes, links, compact=True)
    assert short.layers == 6
    assert [link.id for link in short.links if link.back] == ["heat → refinery"]
    both = lay_out_both(nodes, links, links, compact=True)
    assert both.layout.layers == 6


@pytest.mark.parametrize(
    "changed", ["refinery 5", "refinery 0.1, heat > mill 0.1, mill > cars 0.1"]
)
def test_only_what_is_thin_at_both_its_ends_turns_back_for_that(changed: str) -> None:
    links = links_of(TRICKLE.replace("refinery 0.1", changed))
    found = lay_out(nodes_of(links, homes="last", cars="last"), links, compact=True)
    back = {link.id for link in found.links if link.back}
    # A thin link that is all a node has leads on; a wide one anyway.
    assert back == (set() if changed.endswith("5") else {"heat → refinery"})


def test_a_short_picture_has_no_more_back_links() -> None:
    links = links_of("coal > plant 100, wind > plant 0.01, plant > power 40, power > homes 39.9")
    assert not [link for link in lay_out(nodes_of(links), links, compact=True).links if link.back]


def test_what_flows_into_a_first_or_out_of_a_last_node_turns_back() -> None:
    text = "import > gas 5, gas > import 1, gas > home 4, home > gas 3"
    layout = picture(text, **{"import": "first", "home": "last"})
    assert back(layout) == ["gas → import", "home → gas"]


def test_a_long_link_passes_beside_the_nodes_between() -> None:
    layout = picture("a > b 6, b > c 6, c > d 6, a > d 3")
    (long,) = [link for link in layout.links if link.id == "a → d"]
    assert len(long.points) == 4
    for (x, y), name in zip(long.points[1:-1], ("b", "c"), strict=True):
        node = at(layout, name)
        assert node.x0 < x < node.x1
        assert y - long.width / 2 >= node.y1 or y + long.width / 2 <= node.y0


def test_two_pairs_do_not_cross() -> None:
    layout = picture("a > z 1, b > y 1, c > x 1")
    down = [at(layout, name).y0 for name in "abc"]
    across = [at(layout, name).y0 for name in "zyx"]
    assert (down == sorted(down)) == (across == sorted(across))
    assert all(abs(link.y0 - link.y1) < NEAR for link in layout.links)  # and run straight


def test_parallel_links_are_told_apart_by_their_ids() -> None:
    links = [Link("a", "b", 1, "coal"), Link("a", "b", 2, "gas")]
    assert [(link.id, link.value) for link in lay_out([Node("a"), Node("b")], links).links] == [
        ("coal", 1),
        ("gas", 2),
    ]


# ---------------------------------------------------------------------- bad and empty input


def test_nothing_and_one_node_are_pictures_too() -> None:
    assert lay_out([], []) == Layout(Frame(), 0.0, (), ())
    (node,) = lay_out([Node("alone")], []).nodes
    assert (node.layer, node.height) == (0, 0)


def test_links_without_value_are_kept() -> None:
    layout = picture("a > b 0, b > c 0, c > a 0")
    assert [link.width for link in layout.links] == [0, 0, 0]
    assert len(back(layout)) == 1


@pytest.mark.parametrize(
    ("nodes", "links", "message"),
    [
        (["a", "a"], [], "same id"),
        (["a"], [Link("a", "b", 1)], "no node 'b'"),
        (["a", "b"], [Link("a", "b", -1)], "value -1"),
        (["a", "b"], [Link("a", "b", float("nan"))], "value nan"),
        (["a", "b"], [Link("a", "b", float("inf"))], "value inf"),
        (["a", "b"], [Link("a", "b", 1), Link("a", "b", 2)], "parallel"),
    ],
)
def test_what_makes_no_sense_is_refused(nodes: list[str], links: list[Link], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lay_out([Node(name) for name in nodes], links)


def test_a_frame_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="width"):
        Frame(width=0)
    with pytest.raises(ValueError, match="no room"):
        Frame(width=200, left=100, right=100)


# ---------------------------------------------------------------------- any system

VALUES = st.one_of(st.just(0.0), st.floats(1e-6, 1e6), st.sampled_from([1.0, 2.0, 50.0]))
RANKS = st.sampled_from([None, None, None, "first", "last", 0, 1, 4])


@st.composite
def systems(draw: st.DrawFn) -> tuple[list[Node], list[Link]]:
    """Up to 14 nodes with any links between them, also cycles and parallel ones."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 14)))]
    nodes = [Node(name, draw(RANKS)) for name in names]
    ends = st.tuples(st.sampled_from(names), st.sampled_from(names), VALUES)
    links = [
        Link(source, target, value, f"{source}>{target}#{number}")
        for number, (source, target, value) in enumerate(draw(st.lists(ends, max_size=40)))
    ]
    return nodes, links


FRAMES = st.sampled_from(
    [Frame(), Frame(width=640, height=300), Frame(width=390, height=200, left=10, right=10)]
)


@settings(deadline=None)
@given(systems(), FRAMES)
def test_nothing_is_lost_and_widths_are_values(
    system: tuple[list[Node], list[Link]], frame: Frame
) -> None:
    nodes, links = system
    layout = lay_out(nodes, links, frame)
    assert sorted(node.id for node in layout.nodes) == sorted(node.id for node in nodes)
    assert {(link.id, link.value) for link in layout.links} == {
        (link.key, link.value) for link in links
    }
    for link in layout.links:
        assert link.width == pytest.approx(link.value * layout.scale)
    flow_in, flow_out = defaultdict(float), defaultdict(float)
    for link in links:
        flow_out[link.source] += link.value
        flow_in[link.target] += link.value
    for node in layout.nodes:
        larger = max(flow_in[node.id], flow_out[node.id])
        assert node.height == pytest.approx(larger * layout.scale, abs=NEAR)


@settings(deadline=None)
@given(systems(), FRAMES)
def test_nodes_never_overlap_and_stay_in_the_frame(
    system: tuple[list[Node], list[Link]], frame: Frame
) -> None:
    layout = lay_out(*system, frame)
    for node in layout.nodes:
        assert node.x0 >= -NEAR
        assert node.x1 <= frame.width + NEAR
        assert node.y0 >= frame.top - NEAR
        assert node.y1 <= frame.height - frame.bottom + NEAR
    for one, other in itertools.combinations(layout.nodes, 2):
        if one.layer == other.layer:
            assert one.y1 <= other.y0 + NEAR or other.y1 <= one.y0 + NEAR
        else:
            assert one.x1 <= other.x0 or other.x1 <= one.x0


@settings(deadline=None)
@given(systems(), FRAMES)
def test_bands_fill_their_nodes_side_by_side(
    system: tuple[list[Node], list[Link]], frame: Frame
) -> None:
    layout = lay_out(*system, frame)
    for node in layout.nodes:
        for bands in (
            [(link.y0, link.width) for link in layout.links if link.source == node.id],
            [(link.y1, link.width) for link in layout.links if link.target == node.id],
        ):
            bottom = node.y0
            for middle, width in sorted(bands):
                assert middle - width / 2 == pytest.approx(bottom, abs=NEAR)
                bottom = middle + width / 2
            assert bottom <= node.y1 + NEAR


@settings(deadline=None)
@given(systems(), FRAMES)
def test_links_lead_to_the_right_or_go_around_the_outside(
    system: tuple[list[Node], list[Link]], frame: Frame
) -> None:
    nodes, links = system
    layout = lay_out(nodes, links, frame)
    boxes = {node.id: node for node in layout.nodes}
    ranks = {node.id: node.rank for node in nodes}
    for link in layout.links:
        source, target = boxes[link.source], boxes[link.target]
        if not link.back:
            assert source.layer < target.layer
            xs = [x for x, _y in link.points]
            assert xs == sorted(xs)
            assert len(xs) == target.layer - source.layer + 1
            continue
        assert source.layer >= target.layer
        detour = link.detour
        assert detour is not None
        assert detour.radius >= link.width / 2 - NEAR  # it turns without a kink
        half = link.width / 2
        assert detour.y - half + NEAR >= 0
        assert detour.y + half <= frame.height + NEAR
        assert detour.x_out + detour.radius + half <= frame.width + NEAR
        assert detour.x_in - detour.radius - half >= -NEAR
        if link.source != link.target:
            for node in layout.nodes:
                assert detour.y - half >= node.y1 - NEAR or detour.y + half <= node.y0 + NEAR
            closes_a_cycle = _reaches(links, link.target, link.source, link.value)
            against_rank = ranks[link.target] == "first" or ranks[link.source] == "last"
            assert closes_a_cycle or against_rank


def _reaches(links: list[Link], start: str, end: str, least: float) -> bool:
    """Whether links of at least that value lead from one node to the other."""
    reached, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        for link in links:
            if link.source == here and link.value >= least and link.target not in reached:
                reached.add(link.target)
                waiting.append(link.target)
    return end in reached


@settings(deadline=None)
@given(systems(), st.randoms(use_true_random=False))
def test_the_picture_does_not_depend_on_the_order_of_its_input(
    system: tuple[list[Node], list[Link]], chance: random.Random
) -> None:
    nodes, links = system
    layout = lay_out(nodes, links)
    chance.shuffle(nodes)
    chance.shuffle(links)
    assert lay_out(nodes, links) == layout


# ---------------------------------------------------------------------- an energy system


def energy_system(nodes: int, links: int, steps: int, seed: int = 1) -> list[Link]:
    """Random links between neighbouring steps, some over more, a few backwards."""
    chance = random.Random(seed)
    step = [number * steps // nodes for number in range(nodes)]
    found: dict[tuple[int, int], Link] = {}
    while len(found) < links:
        source, target = chance.sample(range(nodes), 2)
        far = step[target] - step[source]
        wanted = 1.0 if far == 1 else 0.25 if 1 < far < 4 else 0.01 if far < 0 else 0.0
        if chance.random() < wanted:
            value = chance.paretovariate(1.1) * (0.01 if far < 0 else 1)
            found[source, target] = Link(f"n{source:04}", f"n{target:04}", value)
    return list(found.values())


def crossings(layout: Layout) -> float:
    """Products of widths of forward bands that cross, over all gaps between layers."""
    pieces = defaultdict(list)
    for link in layout.links:
        if not link.back:
            for (x0, y0), (_x1, y1) in itertools.pairwise(link.points):
                pieces[round(x0 / 30)].append((y0, y1, link.width))
    return sum(
        one[2] * other[2]
        for bands in pieces.values()
        for one, other in itertools.combinations(bands, 2)
        if (one[0] - other[0]) * (one[1] - other[1]) < 0
    )


def test_there_is_far_less_crossing_than_in_the_order_of_names() -> None:
    links = energy_system(60, 150, 7)
    nodes = nodes_of(links)
    by_name = [Node(node.id, order=place / len(nodes)) for place, node in enumerate(nodes)]
    assert crossings(lay_out(nodes, links)) < 0.5 * crossings(lay_out(by_name, links))


def same_order(before: Layout, after: Layout) -> float:
    """Of pairs of nodes in one layer before and after, the part that kept its order."""
    earlier = {node.id: node for node in before.nodes}
    kept = total = 0
    for one, other in itertools.combinations(after.nodes, 2):
        if one.layer == other.layer and {one.id, other.id} <= earlier.keys():
            was_one, was_other = earlier[one.id], earlier[other.id]
            if was_one.layer == was_other.layer:
                total += 1
                kept += (one.y0 < other.y0) == (was_one.y0 < was_other.y0)
    assert total > 50
    return kept / total


def test_another_scenario_keeps_the_order() -> None:
    links = energy_system(60, 150, 7)
    before = lay_out(nodes_of(links), links)
    chance = random.Random(2)
    others = [
        Link(link.source, link.target, link.value * chance.choice([0, 0.1, 1, 8])) for link in links
    ]
    after = lay_out(nodes_of(links), others, previous=before)
    assert same_order(before, after) == 1
    assert same_order(before, lay_out(nodes_of(links), others)) < 1  # else this would say nothing


def test_a_drill_down_keeps_the_order_of_all_others() -> None:
    links = energy_system(60, 150, 7)
    before = lay_out(nodes_of(links), links)
    opened = max(before.nodes, key=lambda node: node.value)
    inside = []
    for link in links:
        if opened.id not in (link.source, link.target):
            inside.append(link)
            continue
        for member, share in (("m1", 0.7), ("m2", 0.2), ("m3", 0.1)):
            source = member if link.source == opened.id else link.source
            target = member if link.target == opened.id else link.target
            inside.append(Link(source, target, link.value * share))
    place = before.order[opened.id]
    nodes = [
        Node(node.id, order=place if node.id.startswith("m") else None) for node in nodes_of(inside)
    ]
    after = lay_out(nodes, inside, previous=before)
    assert same_order(before, after) > 0.9
    # The members stand together where the node was: nothing it was above of is between them.
    layer = sorted(
        (node for node in after.nodes if node.layer == opened.layer), key=lambda node: node.y0
    )
    members = [place for place, node in enumerate(layer) if node.id.startswith("m")]
    assert members == list(range(members[0], members[0] + 3))


# ---------------------------------------------------------------------- two scenarios


def test_two_scenarios_share_places_and_scale() -> None:
    base = links_of("coal > plant 100, plant > electricity 40, gas > plant 10")
    other = links_of("coal > plant 20, plant > electricity 50, wind > electricity 70")
    names = [Node(name) for name in ("coal", "gas", "plant", "electricity", "wind")]
    both = lay_out_both(names, base, other)
    scale = both.layout.scale
    widths = {link.id: link.width / scale for link in both.layout.links}
    assert widths == pytest.approx(
        {
            "coal → plant": 100,
            "gas → plant": 10,
            "plant → electricity": 50,
            "wind → electricity": 70,
        }
    )
    assert both.base_widths["coal → plant"] == pytest.approx(100 * scale)
    assert both.other_widths["coal → plant"] == pytest.approx(20 * scale)
    assert "wind → electricity" not in both.base_widths
    assert both.base_heights["plant"] == pytest.approx(110 * scale)
    assert both.other_heights["plant"] == pytest.approx(50 * scale)
    assert both.other_heights["electricity"] == pytest.approx(120 * scale)
    for node in both.layout.nodes:
        assert node.height >= both.base_heights.get(node.id, 0) - NEAR
        assert node.height >= both.other_heights.get(node.id, 0) - NEAR
    assert lay_out_both(names, other, base).layout == both.layout


def test_one_link_has_the_same_ends_in_both_scenarios() -> None:
    with pytest.raises(ValueError, match="other ends"):
        lay_out_both(
            [Node("a"), Node("b"), Node("c")], [Link("a", "b", 1, "x")], [Link("a", "c", 1, "x")]
        )


# ---------------------------------------------------------------------- speed

# Processor time, as this runs beside others; the bound is three times what is asked of an idle one.


def test_a_readable_picture_is_laid_out_at_once() -> None:
    links = energy_system(60, 150, 7)
    nodes = nodes_of(links)
    lay_out(nodes, links)
    times = []
    for _ in range(7):
        start = time.process_time()
        lay_out(nodes, links)
        times.append(time.process_time() - start)
    assert min(times) < 0.06


def test_the_whole_graph_is_laid_out_when_asked_for() -> None:
    links = energy_system(1900, 5000, 24)
    start = time.process_time()
    layout = lay_out(nodes_of(links), links, Frame(height=3000))
    assert time.process_time() - start < 6
    assert len(layout.links) == 5000
