"""What a flow map draws: the words for how much of it, loading, and where places are known."""

from __future__ import annotations

import numpy as np
import pytest

from catalogs.flowmaps.picture import Arcs, Places, Shown, texts


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (
            Shown(12_400, 44_100_000, 97.46, 100),
            "12,400 of 44.1 million flows, 97.4% of the energy",
        ),
        (Shown(10_949_999, 10_950_000, 1, 1), "10,949,999 of 10,950,000 flows, 100% of the energy"),
        (Shown(5, 5, 10, 10), "5 flows, 100% of the energy"),
        (Shown(1, 1, 10, 10), "1 flow, 100% of the energy"),
        (Shown(0, 0, 0, 0), "0 flows, 100% of the energy"),
        # What is not all of it never reads as 100%.
        (Shown(4, 5, 99_999, 100_000), "4 of 5 flows, 99.9% of the energy"),
    ],
)
def test_the_map_says_how_much_it_shows(shown: Shown, sentence: str) -> None:
    assert shown.sentence() == sentence


def test_loading_is_known_where_capacity_is() -> None:
    arcs = Arcs(
        value=np.array([50.0, -30.0, 10.0, 10.0]), capacity=np.array([100.0, 60.0, 0.0, np.nan])
    )
    assert arcs.loading == pytest.approx([0.5, 0.5, np.nan, np.nan], nan_ok=True)


def test_a_place_without_coordinates_is_not_placed() -> None:
    places = Places(
        id=texts(["a", "b"]),
        longitude=np.array([10.0, np.nan]),
        latitude=np.array([55.0, 56.0]),
    )
    assert places.is_placed.tolist() == [True, False]
    assert len(places) == 2
