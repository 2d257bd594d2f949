"""Places and lines of flow records from GeoJSON and GeoParquet, and what may be wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from catalogs import semantics
from catalogs.errors import UnreadableFileError
from catalogs.flow_records.query import FlowView
from catalogs.flow_records.records import FlowRecords
from catalogs.flowmaps.shapes import own_shapes
from tests.flow_files import noticed, publish, records_text, write

#: A bow: its outline crosses itself.
BOW = [[[14, 50], [16, 52], [16, 50], [14, 52], [14, 50]]]
#: A shape like the letter C: its middle lies outside of it.
LETTER = [[[0, 40], [6, 40], [6, 41], [1, 41], [1, 45], [6, 45], [6, 46], [0, 46], [0, 40]]]


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def point(longitude: Any, latitude: Any) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [longitude, latitude]}


def area(rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": rings}


DENMARK = (
    feature(point(9.92, 57.05), id="AAL", name="Aalborg", country="DK"),
    feature(point(12.57, 55.68), id="CPH", name="Copenhagen", country="DK"),
)


def collection(*features: dict[str, Any], **members: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features), **members})


def imported(
    folder: Path,
    *features: dict[str, Any],
    rows: tuple[str, ...] = ("1,AAL,CPH,el,3",),
    **more: Any,
) -> FlowRecords:
    """Import records with locations written as GeoJSON."""
    return publish(
        folder,
        write(folder, "flows.csv", records_text(*rows)),
        write(folder, "places.geojson", collection(*features, **more)),
    )


def about(flows: FlowRecords, words: str) -> int | None:
    [count] = [count for message, count in noticed(flows).items() if words in message]
    return count


def where(flows: FlowRecords) -> dict[str, tuple[float, float]]:
    places = flows.view(FlowView()).places
    spots = zip(places.longitude.tolist(), places.latitude.tolist(), strict=True)
    return {
        name: spot
        for name, spot, known in zip(places.id, spots, places.is_placed, strict=True)
        if known
    }


# ---------------------------------------------------------------------------- what is read


def test_points_of_geojson_are_locations_with_name_and_hierarchy(tmp_path: Path) -> None:
    flows = imported(tmp_path, *DENMARK, feature(point(10.75, 59.91), id="OSL", country="NO"),
                     feature(point(9.99, 53.55), id="HAM", country="DE"))  # fmt: skip
    assert where(flows) == {"AAL": (9.92, 57.05), "CPH": (12.57, 55.68)}
    assert flows.view(FlowView()).places.name.tolist() == ["Aalborg", "Copenhagen"]
    [(read, kept)] = flows.rows("SELECT read, kept FROM import_account WHERE content = 'locations'")
    assert (read, kept) == (4, 4)


def test_an_area_is_placed_at_a_point_inside_of_it(tmp_path: Path) -> None:
    rows = ("1,AAL,C,el,3", "1,AAL,7,el,2")
    islands = {"type": "MultiPolygon", "coordinates": [[[[20, 50], [22, 50], [22, 52], [20, 50]]]]}
    flows = imported(
        tmp_path, *DENMARK, feature(area(LETTER), id="C"), feature(islands, id=7.0), rows=rows
    )
    spots = {name: shapely.Point(spot) for name, spot in where(flows).items()}
    letter = shapely.Polygon(LETTER[0])
    assert letter.contains(spots["C"])
    assert not letter.contains(letter.centroid)
    assert shapely.from_geojson(json.dumps(islands)).contains(spots["7"])


def test_the_id_may_stand_beside_the_properties(tmp_path: Path) -> None:
    features = [{**feature(point(n, 50), label=f"Place {n}"), "id": n} for n in (1, 2)]
    flows = imported(tmp_path, *features, rows=("1,1,2,el,3",))
    assert where(flows) == {"1": (1.0, 50.0), "2": (2.0, 50.0)}


def geoparquet(path: Path, columns: dict[str, Any], shapes: Any, **about: Any) -> Path:
    """Write GeoParquet 1.1 with the geometry in the column ``shape``."""
    described = {"encoding": "WKB", "geometry_types": [], **about}
    geo = {"version": "1.1.0", "primary_column": "shape", "columns": {"shape": described}}
    table = pa.table({**columns, "shape": pa.array(list(shapely.to_wkb(shapes)), pa.binary())})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


def test_geoparquet_has_locations_and_lines(tmp_path: Path) -> None:
    shapes = [shapely.Point(10, 55), shapely.box(11, 56, 13, 58), None]
    buses = geoparquet(
        tmp_path / "buses.parquet", {"bus_id": [1, 2, 3], "country": ["DK", "DK", "SE"]}, shapes
    )
    way = shapely.LineString([(10, 55), (10.5, 55.9), (12, 57)])
    lines = geoparquet(
        tmp_path / "lines.parquet",
        {"line_id": ["A"], "bus0": [1], "bus1": [2], "s_nom [MW]": [100.0]},
        [way],
    )
    flows = publish(tmp_path, buses, lines, write(tmp_path, "flows.csv", "hour,line,MW\n0,A,60\n"))
    assert where(flows) == {"1": (10.0, 55.0), "2": (12.0, 57.0)}
    assert about(flows, "locations without coordinates") == 1
    picture = flows.view(FlowView(zoom=20))
    assert picture.arcs.loading.tolist() == [0.6]
    assert picture.paths is not None
    assert picture.paths.longitude.tolist() == [10.0, 10.5, 12.0]


def test_lines_of_geojson_run_along_their_geometry(tmp_path: Path) -> None:
    way = {"type": "LineString", "coordinates": [[9.92, 57.05], [11, 56], [12.57, 55.68]]}
    flows = publish(
        tmp_path,
        write(tmp_path, "places.json", collection(*DENMARK)),
        write(tmp_path, "lines.geojson",
              collection(feature(way, line="L", bus0="AAL", bus1="CPH", capacity=10))),
        write(tmp_path, "flows.csv", "hour,line,MW\n0,L,5\n"),
    )  # fmt: skip
    paths = flows.view(FlowView(zoom=20)).paths
    assert paths is not None
    assert paths.latitude.tolist() == [57.05, 56.0, 55.68]


def test_text_may_have_a_column_of_geometry(tmp_path: Path) -> None:
    flows = publish(
        tmp_path,
        write(tmp_path, "flows.csv", records_text("1,A,B,el,3")),
        write(tmp_path, "places.csv", "id,geometry\nA,POINT (10 55)\nB,POINT (11 56)\n"),
    )
    assert where(flows) == {"A": (10.0, 55.0), "B": (11.0, 56.0)}


# ---------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        (None, "locations without coordinates"),
        ({"type": "Polygon", "coordinates": []}, "locations without coordinates"),
        (point("far", "away"), "geometry that is no point and no area"),
        ({"type": "Blob", "coordinates": [1, 2]}, "geometry that is no point and no area"),
        ({"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, "no point and no area"),
        (point(57, 120), "latitude and longitude look swapped"),
        (area([[[56, 120], [58, 120], [58, 122], [56, 120]]]), "look swapped"),
        (point(700000, 6200000), "coordinates that are no degrees"),
    ],
)
def test_a_place_whose_geometry_cannot_be_is_no_spot_on_the_map(
    tmp_path: Path, geometry: Any, words: str
) -> None:
    flows = imported(tmp_path, *DENMARK, feature(geometry, id="X"), rows=("1,AAL,X,el,3",))
    assert about(flows, words) == 1
    assert list(where(flows)) == ["AAL"]
    assert "X" in flows.view(FlowView()).places.id


def test_an_outline_that_crosses_itself_is_mended_and_said(tmp_path: Path) -> None:
    flows = imported(tmp_path, *DENMARK, feature(area(BOW), id="X"), rows=("1,AAL,X,el,3",))
    assert about(flows, "outline crosses itself") == 1
    mended = shapely.make_valid(shapely.Polygon(BOW[0]))
    assert mended.contains(shapely.Point(where(flows)["X"]))


def test_ids_that_come_twice_or_not_at_all_are_said(tmp_path: Path) -> None:
    flows = imported(
        tmp_path,
        *DENMARK,
        DENMARK[0],
        feature(point(1, 1), id="CPH"),
        feature(point(2, 2), name=None),
    )
    assert about(flows, "twice with the same coordinates") == 1
    assert about(flows, "again with other coordinates; the first are used: CPH") == 1
    assert about(flows, "locations without an id") == 1


def test_columns_swapped_in_a_whole_file_are_noticed_by_the_sea(tmp_path: Path) -> None:
    towns = [(9.9, 57.0), (12.6, 55.7), (10.7, 59.9), (10.0, 53.6), (18.1, 59.3), (24.9, 60.2)]
    swapped = [feature(point(y, x), id=f"t{n}") for n, (x, y) in enumerate(towns)]
    flows = imported(tmp_path, *swapped, rows=("1,t0,t1,el,3",))
    assert about(flows, "would be on land with latitude and longitude swapped") == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (collection(*DENMARK)[:150], r"places\.geojson: the GeoJSON is cut off or damaged"),
        ("[" * 100_000, "cut off or damaged"),
        ('{"type": "Topology"}', "it holds no features"),
        ("[1, 2]", "it holds no features"),
        (
            collection(*DENMARK, crs={"type": "name", "properties": {"name": "EPSG:25832"}}),
            r"its coordinates are in EPSG:25832.*to_crs",
        ),
        (collection(feature(point(1, 2), label="A")), "belongs to no dataset of flow records"),
    ],
    ids=["cut", "deep", "topology", "list", "metres", "nameless"],
)
def test_geojson_that_cannot_be_used_is_refused_with_its_name(
    tmp_path: Path, text: str, words: str
) -> None:
    records = write(tmp_path, "flows.csv", records_text("1,AAL,CPH,el,3"))
    with pytest.raises(UnreadableFileError, match=words):
        publish(tmp_path, records, write(tmp_path, "places.geojson", text))


def test_degrees_that_are_named_are_degrees(tmp_path: Path) -> None:
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    assert len(where(imported(tmp_path, *DENMARK, crs=named))) == 2


@pytest.mark.parametrize(
    ("described", "words"),
    [
        ({"crs": {"type": "ProjectedCRS", "name": "ETRS89 / UTM zone 32N"}}, "UTM zone 32N"),
        ({"crs": {"type": "GeographicCRS"}}, ""),
        ({"crs": None}, ""),
    ],
)
def test_geoparquet_says_what_its_coordinates_are(
    tmp_path: Path, described: dict[str, Any], words: str
) -> None:
    spots = [shapely.Point(9.92, 57.05), shapely.Point(12.57, 55.68)]
    places = geoparquet(tmp_path / "places.parquet", {"id": ["AAL", "CPH"]}, spots, **described)
    records = write(tmp_path, "flows.csv", records_text("1,AAL,CPH,el,3"))
    if words:
        with pytest.raises(UnreadableFileError, match=words):
            publish(tmp_path, records, places)
    else:
        assert len(where(publish(tmp_path, records, places))) == 2


def test_geoparquet_that_is_cut_off_is_said_to_be(tmp_path: Path) -> None:
    places = geoparquet(tmp_path / "places.parquet", {"id": ["AAL"]}, [shapely.Point(9.92, 57.05)])
    places.write_bytes(places.read_bytes()[:-40])
    records = write(tmp_path, "flows.csv", records_text("1,AAL,CPH,el,3"))
    with pytest.raises(UnreadableFileError, match=r"places\.parquet: the Parquet file is cut off"):
        publish(tmp_path, records, places)


def test_shapes_of_regions_are_read_the_same_way(tmp_path: Path) -> None:
    folder = tmp_path / "semantics"
    folder.mkdir()
    geoparquet(folder / "places.parquet", {"region": ["R1"]}, [shapely.box(1, 1, 3, 3)])
    semantics.use(folder)
    try:
        assert own_shapes()["R1"].area == 4
        geoparquet(folder / "places.parquet", {"code": ["R1"]}, [shapely.box(1, 1, 3, 3)])
        with pytest.raises(UnreadableFileError, match="no feature says which region it is of"):
            own_shapes()
    finally:
        semantics.use(None)
