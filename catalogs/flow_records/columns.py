"""Which column is which, by the names that people give them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

_UNIT = re.compile(r"[\[(]\s*([^\[\]()]+?)\s*[\])]\s*$")
_BETWEEN_WORDS = re.compile(r"[\s.\-/]+")

#: Names of the columns of flow records and lines, the first that there is counts.
FLOW_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "time": (
            *("time", "timestamp", "datetime", "date_time", "utc_timestamp", "time_utc"),
            *("snapshot", "snapshots", "hour", "timestep", "time_step", "date", "period", "t"),
        ),
        "year": ("year", "milestone_year"),
        "timeslice": ("timeslice", "time_slice", "all_ts", "slice", "subannual"),
        "origin": (
            *("origin", "from", "source", "orig", "o", "origin_id", "from_id", "source_id"),
            *("bus0", "from_bus", "bus_from", "from_node", "node_from", "node0", "from_region"),
            *("region_from", "from_location", "location_from", "from_zone", "zone_from"),
            *("from_country", "country_from", "exporter", "out_area", "from_area"),
        ),
        "destination": (
            *("destination", "to", "target", "dest", "d", "destination_id", "to_id", "target_id"),
            *("bus1", "to_bus", "bus_to", "to_node", "node_to", "node1", "to_region"),
            *("region_to", "to_location", "location_to", "to_zone", "zone_to"),
            *("to_country", "country_to", "importer", "in_area", "to_area"),
        ),
        "line": (
            *("line", "line_id", "link", "link_id", "branch", "branch_id", "edge", "edge_id"),
            *("interconnector", "interconnector_id", "pipeline", "pipeline_id"),
        ),
        "commodity": (
            *("commodity", "carrier", "energy_carrier", "product", "fuel", "com", "good"),
            *("commodity_id", "category", "type"),
        ),
        "value": (
            *("value", "flow", "flows", "amount", "energy", "quantity", "volume", "magnitude"),
            *("power", "p0", "mw", "mwh", "gwh", "twh", "pj", "tj", "count"),
        ),
        "unit": ("unit", "units"),
    }
)

#: Names that are a unit themselves, as the name of a column of values.
_UNIT_NAMES = {"mw": "MW", "mwh": "MWh", "gwh": "GWh", "twh": "TWh", "pj": "PJ", "tj": "TJ"}

_GEOMETRY = ("geometry", "geom", "wkt", "wkt_geometry", "shape")

LOCATION_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": (
            *("id", "location_id", "location", "place_id", "place", "bus_id", "bus", "node_id"),
            *("node", "station_id", "code", "region_id", "region", "zone", "nuts_id", "country"),
            "name",
        ),
        "name": ("name", "label", "title", "description", "location_name", "bus_name"),
        "longitude": ("longitude", "lon", "lng", "long", "x", "location_lon"),
        "latitude": ("latitude", "lat", "y", "location_lat"),
        "geometry": _GEOMETRY,
        "tags": ("tags",),
    }
)

#: Columns of locations that group them, if they do. The widest need not come first.
HIERARCHY_COLUMNS = (
    *("world_region", "continent", "country", "country_code", "nation", "state", "province"),
    *("bidding_zone", "zone", "area", "control_area", "region", "nuts0", "nuts1", "nuts2"),
    *("nuts3", "county", "district", "municipality", "city", "substation"),
)

LINE_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "line": (*FLOW_COLUMNS["line"], "id", "name"),
        "origin": FLOW_COLUMNS["origin"],
        "destination": FLOW_COLUMNS["destination"],
        "geometry": _GEOMETRY,
        "capacity": (
            *("capacity", "s_nom", "p_nom", "max_flow", "maximum_flow", "rating", "thermal_limit"),
            *("ntc", "transfer_capacity", "capacity_mw", "limit"),
        ),
        "category": ("carrier", "commodity", "type", "voltage", "v_nom", "category"),
        "name": ("name", "label", "title", "description"),
    }
)


def plain(name: str) -> str:
    """Return a column's name in lower case, words joined by ``_``, without a unit in brackets."""
    return _BETWEEN_WORDS.sub("_", _UNIT.sub("", name).strip().lower()).strip("_")


def unit_of(name: str) -> str:
    """Return the unit that a column's name tells: ``flow [MWh]``, ``mwh``; '' where it does not."""
    if found := _UNIT.search(name):
        return found[1]
    return _UNIT_NAMES.get(plain(name), "")


def match(header: Sequence[str], wanted: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return which column of a header is which of those wanted, by its name as written.

    A column stands for one thing: the first in ``wanted`` that takes it.
    """
    there: dict[str, str] = {}
    for name in header:
        there.setdefault(plain(name), name)
    found: dict[str, str] = {}
    for key, names in wanted.items():
        free = (there[n] for n in names if n in there and there[n] not in found.values())
        if (column := next(free, None)) is not None:
            found[key] = column
    return found
