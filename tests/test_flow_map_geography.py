"""Where things are on a flow map: countries, land, projections, and the ways of arcs."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from catalogs.flowmaps.geography import countries, world
from components.flowmap.basemap import BaseMap, View, land_in, resolution_of
from components.flowmap.projection import MapProjection, choose_projection
from components.flowmap.routes import angle_between, great_circle, lay_routes

LONGITUDES = st.floats(-180, 180)
LATITUDES = st.floats(-84, 84)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Export of electricity to Germany", "DE"),
        ("Import of electricity from Netherland (Cobra cabel)", "NL"),
        ("Import of electricity from United Kingdom", "GB"),
        ("gas from papua new guinea", "PG"),
        ("Denmark to Norway", None),
        ("Import technology - Natural gas", None),
        ("", None),
    ],
)
def test_countries_are_read_off_texts(text: str, code: str | None):
    found = countries.named_in(text)
    assert (found.iso2 if found else None) == code


def test_countries_are_known_by_code():
    assert countries.by_code("DNK") == countries.by_code("DK")
    uk = countries.by_code("UK")
    assert uk is not None
    assert uk.iso3 == "GBR"
    assert countries.by_code("XX") is None
    assert countries.by_code("dk") is None


@pytest.mark.parametrize("resolution", world.RESOLUTIONS)
def test_land_is_where_land_is_and_nowhere_crosses_the_map(resolution: str):
    there = world.read(resolution)
    assert shapely.is_valid(there.land).all()
    bounds = shapely.total_bounds(there.land)
    assert bounds[0] >= -180
    assert bounds[2] <= 180
    for longitude, latitude, is_land in (
        (9.2, 56.2, True), (10, 51, True), (175, 67, True), (0, -85, True),
        (0, 70, False), (-150, 0, False), (-30, 45, False),
    ):  # fmt: skip
        point = shapely.Point(longitude, latitude)
        assert bool(shapely.contains(there.land, point).any()) == is_land


def test_nearer_views_have_finer_land():
    plane = MapProjection()
    x, y = plane.forward(np.array([8.0, 13.0]), np.array([54.5, 58.0]))
    near = View(x[0], x[1], y[0], y[1], 1000)
    far = View(-2e7, 2e7, -1e7, 1.5e7, 1000)
    assert (resolution_of(plane, near), resolution_of(plane, far)) == ("10m", "110m")
    land, borders = land_in(plane, near)
    assert len(land) > 20
    assert len(borders) >= 1
    assert shapely.get_num_coordinates(land).sum() < 20_000


@given(LONGITUDES, LATITUDES, st.sampled_from([-170.0, -30.0, 0.0, 110.0]),
       st.sampled_from(["mercator", "equal_earth"]))  # fmt: skip
def test_projections_go_forth_and_back(longitude: float, latitude: float, centre: float, kind: str):
    plane = MapProjection(kind, centre)  # type: ignore[arg-type]
    if abs(abs(float(plane.around(np.array([longitude]))[0])) - 180) < 1e-6:
        return  # the edge is on both sides
    x, y = plane.forward(np.array([longitude]), np.array([latitude]))
    back = plane.to_degrees(float(x[0]), float(y[0]))
    assert (back[0] - longitude + 180) % 360 - 180 == pytest.approx(0, abs=1e-5)
    assert back[1] == pytest.approx(latitude, abs=1e-5)


@given(LONGITUDES, LATITUDES, LONGITUDES, LATITUDES)
def test_great_circles_are_the_shortest_way(lon_a: float, lat_a: float, lon_b: float, lat_b: float):
    longitude, latitude = great_circle((lon_a, lat_a), (lon_b, lat_b), 25)
    steps = angle_between(longitude[:-1], latitude[:-1], longitude[1:], latitude[1:])
    ends = [np.array([value]) for value in (lon_a, lat_a, lon_b, lat_b)]
    assert float(steps.sum()) == pytest.approx(float(angle_between(*ends)[0]), abs=1e-4)
    assert (longitude[0] - lon_a + 180) % 360 - 180 == pytest.approx(0, abs=1e-4)
    assert latitude[-1] == pytest.approx(lat_b, abs=1e-4)


def test_flows_over_the_pacific_go_the_short_way():
    # Japan to California.
    longitude, latitude = np.array([139.7, -122.4]), np.array([35.7, 37.8])
    origin, destination = np.array([0]), np.array([1])
    plane = choose_projection(longitude, latitude, origin, destination)
    # The map is turned so that nothing is cut.
    routes = lay_routes(plane, longitude, latitude, origin, destination)
    assert np.isfinite(routes.x).all()
    over, _ = plane.backward(routes.x, routes.y)
    turned = (over + plane.centre) % 360
    assert turned.min() > 138
    assert turned.max() < 239


def test_a_way_over_the_edge_is_two_pieces_on_both_sides():
    longitude, latitude = np.array([170.0, -170.0]), np.array([0.0, 0.0])
    routes = lay_routes(
        MapProjection("mercator", 0.0), longitude, latitude, np.array([0]), np.array([1])
    )
    assert np.isnan(routes.x).sum() == 1
    gap = int(np.flatnonzero(np.isnan(routes.x))[0])
    edge = 20_037_508.34
    assert routes.x[gap - 1] == pytest.approx(edge, rel=1e-6)
    assert routes.x[gap + 1] == pytest.approx(-edge, rel=1e-6)
    # No piece runs back over the whole map.
    assert np.nanmax(np.abs(np.diff(routes.x))) < 1e6


def test_both_ways_between_two_places_are_told_apart():
    longitude, latitude = np.array([9.2, 12.0]), np.array([56.2, 55.5])
    routes = lay_routes(MapProjection(), longitude, latitude, np.array([0, 1]), np.array([1, 0]))
    there, back = (slice(*routes.starts[i : i + 2]) for i in (0, 1))
    middle = len(routes.x[there]) // 2
    away = np.hypot(
        routes.x[there][middle] - routes.x[back][::-1][middle],
        routes.y[there][middle] - routes.y[back][::-1][middle],
    )
    length = np.hypot(
        routes.x[there][-1] - routes.x[there][0], routes.y[there][-1] - routes.y[there][0]
    )
    assert 0.2 < away / length < 0.35


def test_places_that_nobody_knows_have_no_way():
    longitude, latitude = np.array([9.2, np.nan]), np.array([56.2, np.nan])
    routes = lay_routes(MapProjection(), longitude, latitude, np.array([0]), np.array([1]))
    assert routes.starts.tolist() == [0, 0]


def test_images_lie_above_the_land():
    import holoviews as hv

    base = BaseMap(MapProjection(), View(0, 1e6, 7e6, 8e6))
    base.show_image(np.full((4, 4), 0xFF0000FF, dtype=np.uint32), View(0, 1e6, 7e6, 8e6))
    figure = hv.render(base.picture, backend="bokeh")
    levels = {renderer.name: renderer.level for renderer in figure.renderers}
    order = ["image", "underlay", "glyph"]
    assert order.index(levels["flowmap-image"]) > order.index(levels["flowmap-land"])
