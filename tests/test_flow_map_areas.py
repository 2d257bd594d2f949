"""Regions of a trade map that are filled by what they produce, use or trade."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from panel.viewable import Viewable
from playwright.sync_api import Page, expect

import catalogs
from catalogs import semantics
from catalogs.errors import UnreadableFileError
from catalogs.flowmaps.places import find_places
from catalogs.flowmaps.trade_map import TradeMap, TradeRequest, trade_map
from catalogs.flowmaps.trades import TradeQuery
from catalogs.query import Query
from catalogs.source import Source
from components.flowmap.areas import lay_areas
from components.flowmap.explorer import FlowMap
from components.flowmap.projection import MapProjection
from components.flowmap.view import FlowMapView
from tests.browser import Recorded, Served, open_page, query_of, serving
from tests.times_page import choose

SQUARE = [[[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]], [[1.5, 1.5], [2, 1.5], [2, 2], [1.5, 1.5]]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("areas")
    catalogs.ensure_demo(directory)
    return directory


@pytest.fixture(scope="module")
def demo(data: Path) -> Source:
    return catalogs.open_source(data, "demo")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of the user's own tables and shapes, in force once something is in it."""
    made = tmp_path / "semantics"
    made.mkdir()
    yield made
    semantics.use(None)


def totals(shown: TradeMap, frame: int | str, place: str) -> list[float]:
    """Return the two totals of a place in a frame."""
    ids = [str(name) for name in shown.data.places.id]
    found: list[float] = shown.totals[shown.at(frame)][ids.index(place)].tolist()
    return found


def asked(name: str, **options: Any) -> TradeRequest:
    return TradeRequest(TradeQuery("Reference"), totals=name, is_filled=True, **options)


# ---------------------------------------------------------------------- what they stand for


def test_net_imports_are_what_arrives_less_what_is_sent(demo: Source):
    imports, exports, net = (
        trade_map(demo, asked(name, kept=("Electricity",)))
        for name in ("imports", "exports", "net imports")
    )
    table = net.trades.table
    table = table[table["category"] == "Electricity"]
    some = 0
    for place in ("SES", "DKE", "@DE"):
        for year in net.frames:
            of_year = table[table["frame"] == year]
            arrived = of_year[of_year["destination"] == place]["received"].sum()
            sent = of_year[of_year["origin"] == place]["sent"].sum()
            assert totals(imports, year, place)[0] == pytest.approx(arrived)
            assert totals(exports, year, place)[0] == pytest.approx(sent)
            assert totals(net, year, place)[0] == pytest.approx(arrived - sent)
            assert np.isnan(totals(net, year, place)[1])
            some += arrived > 0 and sent > 0
    assert some > 5


def test_use_is_the_measure_final_energy_and_nobody_elses(demo: Source):
    shown = trade_map(demo, asked("production and use", kept=("Electricity",)))
    assert shown.total_names == ("use",)  # there is room for one
    query = Query(
        measure="final_energy",
        scenarios=("Reference",),
        group_by=("region",),
        filters=(("fuel", ("Electricity",)),),
    )
    expected = demo.ask(query).frame.set_index(["year", "region"])["value"]
    for year in shown.frames:
        assert totals(shown, year, "FI")[0] == pytest.approx(expected[year, "FI"])
        assert np.isnan(totals(shown, year, "@DE")[0])


def test_of_timeslices_only_trade_is_told(demo: Source):
    shown = trade_map(
        demo, TradeRequest(TradeQuery("Reference", by_timeslice=2050), totals="use", is_filled=True)
    )
    assert shown.total_names == ("net imports",)
    within = trade_map(
        demo, TradeRequest(TradeQuery("Reference", timeslice="WI"), totals="production and use")
    )
    assert within.total_names == ("imports", "exports")
    flow_map = FlowMap(source=demo, year=2050, timeslice="WI", regions_as="areas", totals="use")
    assert flow_map.main is not None
    assert "production and use are told by year only" in flow_map.foot
    flow_map.totals = "exports"
    assert "told by year only" not in flow_map.foot


def test_a_difference_is_the_other_scenario_less_the_base(demo: Source):
    base = trade_map(demo, asked("use"))
    other = trade_map(
        demo, TradeRequest(TradeQuery("Climate target"), totals="use", is_filled=True)
    )
    less = trade_map(demo, asked("use", other="Climate target"))
    for place in ("FI", "SES", "LT"):
        expected = totals(other, 2050, place)[0] - totals(base, 2050, place)[0]
        assert totals(less, 2050, place)[0] == pytest.approx(expected)
    assert np.nanmin(less.totals) < 0


# ---------------------------------------------------------------------- outlines


def shapes_of(view: FlowMapView) -> dict[str, list[np.ndarray]]:
    """The rings of each place that the browser has, by the place's name."""
    rings = np.frombuffer(view.rings, "<u4").reshape(-1, 2)
    points = np.frombuffer(view.outlines, "<f4").reshape(-1, 2)
    names = [place["name"] for place in view.picture["places"]]
    found: dict[str, list[np.ndarray]] = {}
    for (place, first), (_, last) in itertools.pairwise(rings):
        found.setdefault(names[place], []).append(points[first:last])
    return found


def filled_map(source: Source, **options: Any) -> FlowMap:
    """A map with filled regions whose views have been made."""
    made = FlowMap(source=source, year=2050, regions_as="areas", **options)
    assert isinstance(made.main, Viewable)
    return made


def test_regions_and_countries_have_outlines_around_their_places(demo: Source):
    flow_map = filled_map(demo)
    shapes = shapes_of(flow_map._view)
    places = {place["name"]: place for place in flow_map._view.picture["places"]}
    assert {"Finland", "Denmark East", "Norway North", "Germany"} <= set(shapes)
    for name, rings in shapes.items():
        largest = max((shapely.Polygon(ring) for ring in rings), key=lambda p: p.area)
        here = shapely.Point(places[name]["x"], places[name]["y"])
        assert any(shapely.Polygon(ring).buffer(2e4).contains(here) for ring in rings), name
        assert largest.area > 1e9
    assert flow_map._view.picture["fills"]["label"] == "use"
    flow_map.regions_as = "circles"
    assert "fills" not in flow_map._view.picture
    assert flow_map._view.rings == np.zeros((1, 2), "<u4").tobytes()


def test_fills_keep_their_scale_over_years_and_maps(demo: Source):
    flow_map = filled_map(demo, maps="each")
    views = [flow_map._view, *flow_map._beside_it.views.values()]
    assert len(views) == 3
    assert len({view.picture["fills"]["most"] for view in views}) == 1
    largest = max(
        np.nanmax(np.abs(m.totals)) for m in (flow_map._maps.drawn if flow_map._maps else ())
    )
    assert views[0].picture["fills"]["most"] == pytest.approx(largest)
    sent: list[str] = []
    names = ["picture", "outlines", "rings", "frame"]
    flow_map._view.param.watch(lambda *events: sent.extend(e.name for e in events), names)
    flow_map.year = 2030
    assert set(sent) == {"frame"}


def test_choice_of_one_value_is_what_is_shown(demo: Source):
    flow_map = filled_map(demo)
    offered = flow_map._controls._totals
    assert "Production and use" not in offered.options
    assert offered.value == "use"
    flow_map.totals = "net imports"
    assert flow_map._view.picture["fills"]["is_signed"]
    flow_map.param.update(regions_as="circles", totals="production and use")
    assert offered.value == "production and use"


# ---------------------------------------------------------------------- a user's own shapes


def feature(region: str, geometry: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"region": region}, "geometry": geometry}


def write_geojson(folder: Path, *features: dict[str, Any], **more: Any) -> None:
    content = {"type": "FeatureCollection", "features": list(features), **more}
    (folder / "places.geojson").write_text(json.dumps(content))
    semantics.use(folder)


def write_geoparquet(folder: Path, shapes: dict[str, Any], crs: dict[str, Any] | None) -> None:
    """Write shapes as the specification of GeoParquet 1.1 says, without a library for it."""
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": []}
    if crs is not None:
        column["crs"] = crs
    geo = {"version": "1.1.0", "primary_column": "shape", "columns": {"shape": column}}
    table = pa.table({"id": list(shapes), "shape": shapely.to_wkb(list(shapes.values()))})
    table = table.replace_schema_metadata({b"geo": json.dumps(geo).encode()})
    pq.write_table(table, folder / "places.parquet")
    semantics.use(folder)


def outline_of(source: Source, region: str) -> Any:
    return find_places(source, [region])[0].outline


def test_own_shapes_take_the_place_of_a_countrys(demo: Source, folder: Path):
    write_geojson(folder, feature("FI", {"type": "Polygon", "coordinates": SQUARE}))
    [place] = find_places(demo, ["FI"])
    assert place.outline.bounds == (1, 1, 3, 3)
    assert place.outline.contains(shapely.Point(place.longitude, place.latitude))
    # A hole stays one: both of its rings are filled together.
    areas = lay_areas(MapProjection(), [place], [0.0, 4e5, 0.0, 4e5])
    assert areas.place.tolist() == [0, 0]
    assert not place.outline.contains(shapely.Point(1.8, 1.6))


def test_geoparquet_gives_shapes_in_degrees(demo: Source, folder: Path):
    shapes = {"FI": shapely.box(20, 60, 30, 70), "REG9": shapely.box(1, 1, 2, 2)}
    write_geoparquet(folder, shapes, {"id": {"authority": "OGC", "code": "CRS84"}})
    assert outline_of(demo, "FI").bounds == (20, 60, 30, 70)
    assert find_places(demo, ["REG9"])[0].latitude == pytest.approx(1.5)


def test_geoparquet_in_metres_is_refused_with_what_to_do(demo: Source, folder: Path):
    shapes = {"FI": shapely.box(5e6, 4e6, 5.2e6, 4.2e6)}
    write_geoparquet(folder, shapes, {"type": "ProjectedCRS", "name": "ETRS89-extended / LAEA"})
    with pytest.raises(UnreadableFileError, match="coordinates are in ETRS89-extended") as refused:
        outline_of(demo, "FI")
    assert "WGS 84" in refused.value.remedy
    # One that does not say so is known by its numbers.
    write_geoparquet(folder, shapes, None)
    with pytest.raises(UnreadableFileError, match="from 5e\\+06"):
        outline_of(demo, "FI")


def test_swapped_coordinates_of_shapes_are_refused_and_said(demo: Source, folder: Path):
    swapped = [[[-35, 150], [-30, 150], [-30, 155], [-35, 150]]]
    write_geojson(folder, feature("FI", {"type": "Polygon", "coordinates": swapped}))
    with pytest.raises(UnreadableFileError, match="may be swapped"):
        outline_of(demo, "FI")


def test_a_ring_that_crosses_itself_is_mended(demo: Source, folder: Path):
    bow_tie = [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]
    write_geojson(folder, feature("FI", {"type": "Polygon", "coordinates": bow_tie}))
    outline = outline_of(demo, "FI")
    assert outline.is_valid
    assert outline.area == pytest.approx(2)


def test_a_shape_over_180_degrees_is_on_both_sides(demo: Source, folder: Path):
    fiji = [[[177, -19], [183, -19], [183, -16], [177, -16], [177, -19]]]
    write_geojson(folder, feature("FI", {"type": "Polygon", "coordinates": fiji}))
    outline = outline_of(demo, "FI")
    assert outline.bounds == (-180, -19, 180, -16)
    assert outline.area == pytest.approx(18)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "cut off or damaged"),
        ('{"type": 1}', "holds no features"),
        ("[]", "holds no features"),
        (
            '{"type": "FeatureCollection", "features": [{"properties": {"id": "FI"},'
            ' "geometry": {"type": "Polygon", "coordinates": "here"}}]}',
            "the geometry of 'FI' cannot be read",
        ),
    ],
)
def test_shapes_that_cannot_be_read_are_said_to_be(
    demo: Source, folder: Path, content: str, words: str
):
    (folder / "places.geojson").write_text(content)
    semantics.use(folder)
    with pytest.raises(UnreadableFileError, match=words):
        outline_of(demo, "FI")


def test_regions_without_an_outline_stay_symbols(demo: Source, folder: Path):
    write_geojson(folder, feature("FI", {"type": "Point", "coordinates": [25, 62]}))
    flow_map = filled_map(demo)
    assert "Finland" not in shapes_of(flow_map._view)
    assert flow_map._view.picture["fills"]["has_discs"]
    assert flow_map._view.picture["discs"]["labels"] == ["use"]


# ---------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[Served]:
    with serving(data) as served:
        yield served


#: The map's own object, which knows where regions are in pixels.
_MAP = """(() => {
  const look = (node) => {
    for (const child of node.querySelectorAll("*")) {
      if (child.classList.contains("flowmap")) { return child }
      const found = child.shadowRoot && look(child.shadowRoot)
      if (found) { return found }
    }
    return null
  }
  return look(document)
})()"""
#: A point of Finland that no circle, border or arc is near to, and its colour.
_IN_FINLAND = f"""() => {{
  const root = {_MAP}
  const map = root?.flowmap
  if (root?.dataset.state !== "still" || !map.areas.rings.length) {{ return null }}
  const place = map.picture.places.findIndex(({{name}}) => name === "Finland")
  const [width, height] = map.size()
  for (let x = 5; x < width - 60; x += 5) {{
    for (let y = 5; y < height; y += 5) {{
      const around = [[0, 0], [7, 0], [-7, 0], [0, 7], [0, -7]]
        .map(([dx, dy]) => map.hit([x + dx, y + dy]))
      const spot = map.spots[place]
      if (around.every((hit) => hit?.kind === "place" && hit.at === place)
        && Math.hypot(spot[0] - x, spot[1] - y) > 40) {{
        const frame = root.getBoundingClientRect()
        const ratio = map.ground.width / width
        const pixel = map.ground.getContext("2d").getImageData(x * ratio, y * ratio, 1, 1).data
        return {{x: frame.left + x, y: frame.top + y, colour: [...pixel].join()}}
      }}
    }}
  }}
  return null
}}"""

pages = pytest.mark.browser


@pages
def test_a_filled_region_answers_pointing_and_clicking(
    page: Page, recorded: Recorded, site: Served
):
    open_page(page, f"{site.url}/flowmaps?dataset=demo&year=2050")
    choose(page, "Shown as", "Filled regions")
    inside = page.wait_for_function(_IN_FINLAND).json_value()
    assert "regions_as=areas" in query_of(page)
    page.mouse.move(inside["x"], inside["y"])
    expect(page.locator(".flowmap .note")).to_contain_text("Finland")
    expect(page.locator(".flowmap .note")).to_contain_text("use")
    expect(page.locator(".flowmap .scale .ramp")).to_contain_text("use, PJ")
    page.mouse.click(inside["x"], inside["y"])
    expect(page.get_by_role("heading", name="Finland")).to_be_visible()
    assert "opened=FI" in query_of(page)


@pages
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_filled_regions_are_in_the_files_too(
    new_page: Callable[..., Page], site: Served, theme: str
):
    page = new_page(color_scheme=theme)
    open_page(page, f"{site.url}/flowmaps?dataset=demo&year=2050&regions_as=areas&totals=use")
    inside = page.wait_for_function(_IN_FINLAND).json_value()
    red, green, blue, alpha = map(int, inside["colour"].split(","))
    assert alpha > 200
    assert blue > green  # of the ramp, neither sea nor land
    with page.expect_download() as download:
        page.get_by_role("button", name="Map as SVG").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    fill = page.evaluate(
        f"""() => {{ const map = {_MAP}.flowmap
        return map.area_colour(map.picture.places.findIndex(({{name}}) => name === "Finland")) }}"""
    )
    assert f'fill="{fill}"' in text
    assert "use, PJ" in text
    assert abs(int(fill.split("(")[1].split(",")[0]) - red) < 12
