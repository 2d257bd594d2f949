"""The image of flows that are too many for marks: where they are, their colours, the pointer."""

from __future__ import annotations

import numpy as np
import pytest

from components.flowmap.image import FlowImage

RED, BLUE = "#d00000", "#0000d0"


def image(*segments: tuple[float, float, float, float, float, int], adds_up: bool) -> FlowImage:
    """Make an image of segments x0, y0, x1, y1, value and category."""
    columns = np.array(segments, dtype=float).T
    return FlowImage(
        (columns[0], columns[1], columns[2], columns[3]),
        columns[4],
        columns[5].astype(np.int64),
        np.arange(len(segments)) * 10,
        [RED, BLUE],
        adds_up=adds_up,
    )


def drawn(made: FlowImage) -> np.ndarray:
    return made.draw((0.0, 100.0), (0.0, 50.0), 100, 50)


@pytest.mark.parametrize("adds_up", [True, False])
def test_flows_are_where_they_run_in_their_colours(adds_up: bool) -> None:
    made = image((10, 10, 90, 10, 5, 0), (10, 40, 90, 40, 5, 1), adds_up=adds_up)
    pixels = drawn(made)
    assert pixels.shape == (50, 100)
    assert pixels[10, 50] & 0xFFFFFF == 0x0000D0  # red, as 0xBBGGRR; the lowest row is first
    assert pixels[40, 50] & 0xFFFFFF == 0xD00000
    assert pixels[25, 50] == 0
    assert pixels[10, 5] == 0


def test_what_flows_more_is_stronger_and_on_top() -> None:
    made = image(
        (10, 10, 90, 10, 1, 0), (10, 40, 90, 40, 1000, 0), (50, 0, 50, 50, 30, 1), adds_up=False
    )
    pixels = drawn(made)
    assert pixels[10, 20] >> 24 < pixels[40, 20] >> 24
    assert pixels[10, 50] & 0xFFFFFF == 0xD00000  # blue, 30, over red, 1
    assert pixels[40, 50] & 0xFFFFFF == 0x0000D0  # red, 1000, over blue


def test_flows_that_cross_add_up_between_places() -> None:
    crossing = [(10, 25, 90, 25, 5, 0)] * 4 + [(10, 40, 90, 40, 5, 0), (10, 5, 90, 5, 100, 0)]
    alone, together = (drawn(image(*crossing, adds_up=True))[row, 50] >> 24 for row in (40, 25))
    assert alone < together
    alone, together = (drawn(image(*crossing, adds_up=False))[row, 50] >> 24 for row in (40, 25))
    assert alone == together


def test_a_part_of_the_map_is_drawn_on_the_same_scale() -> None:
    made = image((10, 10, 90, 10, 3, 0), (10, 40, 90, 40, 900, 0), adds_up=False)
    whole, part = drawn(made), made.draw((40.0, 60.0), (5.0, 15.0), 100, 50)
    assert whole[10, 50] >> 24 == part[25, 50] >> 24


def test_nothing_known_is_nothing_drawn() -> None:
    made = image((np.nan, 10, 90, 10, 3, 0), adds_up=True)
    assert len(made) == 0
    assert not drawn(made).any()
    assert made.arc_at(50, 10, 100) is None


def test_flows_of_nothing_are_drawn_as_part_of_a_network() -> None:
    assert drawn(image((10, 10, 90, 10, 0, 0), adds_up=False))[10, 50] != 0


def test_the_pointer_finds_the_largest_of_what_is_near() -> None:
    made = image(
        (10, 10, 90, 10, 1, 0), (10, 12, 90, 12, 50, 1), (10, 40, 90, 40, 9, 0), adds_up=False
    )
    assert made.arc_at(50, 11, 4) == 10
    assert made.arc_at(50, 38, 4) == 20
    assert made.arc_at(50, 25, 4) is None
    assert made.arc_at(96, 40, 4) is None  # beyond its end


def test_a_million_flows_are_one_image() -> None:
    rng = np.random.default_rng(2)
    ends = tuple(rng.uniform(0, 100, (4, 400_000)))
    made = FlowImage(
        (ends[0], ends[1], ends[2], ends[3]),
        rng.uniform(0, 1, 400_000),
        rng.integers(0, 2, 400_000),
        np.arange(400_000),
        [RED, BLUE],
        adds_up=True,
    )
    assert (made.draw((0.0, 100.0), (0.0, 100.0), 60, 60) != 0).all()


def test_a_thicket_has_a_shape() -> None:
    """Where many flows cross, an image is stronger than where few do, and not at its strongest."""
    rng = np.random.default_rng(5)
    count = 4000
    start = rng.uniform(0, 100, count)
    # All cross in the middle: from one side to the mirrored place on the other.
    ends = (np.zeros(count), start, np.full(count, 100.0), 100 - start)
    made = FlowImage(
        ends, rng.uniform(1, 2, count), np.zeros(count, np.int64), np.arange(count), ["#d00000"],
        adds_up=True,
    )  # fmt: skip
    opacity = made.draw((0.0, 100.0), (0.0, 100.0), 200, 200) >> 24
    middle, edge = opacity[:, 100].max(), opacity[:, 10].mean()
    assert middle > 1.5 * edge
    assert edge < 200
