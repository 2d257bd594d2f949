"""A flow map as tables: the flows of all maps that are shown, and the totals of their regions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalogs.flowmaps.trade_map import Frame, TradeMap
from components.flowmap.multiples import Maps
from components.names import readable

Numbers: TypeAlias = NDArray[np.float64]

#: Columns of texts; all others are numbers.
TEXTS = ("scenario", "from", "to", "region", "carrier", "unit")


def flows_table(maps: Maps, frame: Frame, label: Callable[[str], str]) -> pd.DataFrame:
    """Return the arcs of a frame, the largest first.

    Columns from, to, carrier, value, share (of what its map shows), other way, loading (share of
    capacity) and unit. Of several maps the first column is the scenario, and the rows of an arc
    follow each other in the order of the maps. Of a difference there are the values of both
    scenarios and the difference in place of share, other way and loading.
    """
    if maps.base.compared is not None:
        return _differences(maps.base, frame, label)
    if not maps.others:
        return _flows(maps.base, frame, label)
    tables = [
        _flows(shown, frame, label).assign(scenario=shown.request.query.scenario, map=number)
        for number, shown in enumerate(maps.drawn)
        if frame in shown.frames
    ]
    table = pd.concat(tables, ignore_index=True)
    keys = ["from", "to", "carrier"]
    table["largest"] = table.groupby(keys)["value"].transform("max")
    table = table.sort_values(
        ["largest", *keys, "map"], ascending=[False, True, True, True, True], kind="stable"
    )
    columns = [name for name in table.columns if name not in ("scenario", "map", "largest")]
    return table[["scenario", *columns]].reset_index(drop=True)


def _flows(shown: TradeMap, frame: Frame, label: Callable[[str], str]) -> pd.DataFrame:
    data = shown.picture(frame)
    arcs, names = data.arcs, data.places.name
    total = float(np.abs(arcs.value).sum()) or np.nan
    return pd.DataFrame(
        {
            "from": [str(names[i]) for i in arcs.origin],
            "to": [str(names[i]) for i in arcs.destination],
            "carrier": [label(data.categories[i]) for i in arcs.category],
            "value": arcs.value,
            "share": np.abs(arcs.value) / total,
            "other way": arcs.back,
            "loading": arcs.loading,
            "unit": data.unit,
        }
    )


def _differences(shown: TradeMap, frame: Frame, label: Callable[[str], str]) -> pd.DataFrame:
    compared = shown.compared
    assert compared is not None
    row = shown.at(frame)
    arcs, names, value = shown.data.arcs, shown.data.places.name, shown.values[row]
    order = np.argsort(-np.abs(value), kind="stable")
    order = order[np.abs(value[order]) > 0]
    base, other = (values[row][order] for values in compared.values)
    return pd.DataFrame(
        {
            "from": [str(names[arcs.origin[i]]) for i in order],
            "to": [str(names[arcs.destination[i]]) for i in order],
            "carrier": [label(shown.data.categories[arcs.category[i]]) for i in order],
            **_both(shown, base, other, value[order]),
            "unit": shown.data.unit,
        }
    )


def regions_table(maps: Maps, frame: Frame) -> pd.DataFrame:
    """Return what the regions of a frame show, in the order of the map.

    Columns region, a column for each total, and unit; the scenario first where maps are several.
    Of a difference there are the values of both scenarios, and the difference.
    """
    tables = [
        _regions(shown, frame).assign(scenario=shown.request.query.scenario)
        for shown in maps.drawn
        if frame in shown.frames
    ]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if not maps.others or table.empty:
        return table.drop(columns="scenario", errors="ignore")
    order = {name: i for i, name in enumerate(dict.fromkeys(table["region"]))}
    table = table.sort_values("region", key=lambda names: names.map(order), kind="stable")
    columns = [name for name in table.columns if name != "scenario"]
    return table[["scenario", *columns]].reset_index(drop=True)


def _regions(shown: TradeMap, frame: Frame) -> pd.DataFrame:
    row = shown.at(frame)
    names = [str(name) for name in shown.data.places.name]
    columns: dict[str, Numbers] = {}
    for half, name in enumerate(shown.total_names):
        value = shown.totals[row, :, half]
        if shown.compared is None:
            columns[name] = value
        else:
            base, other = (totals[row, :, half] for totals in shown.compared.totals)
            both = _both(shown, base, other, value)
            columns |= {f"{name} {told}": numbers for told, numbers in both.items()}
    table = pd.DataFrame({"region": names, **columns, "unit": shown.data.unit})
    # What has no total at all, such as the world market, has no row.
    told = np.isfinite(np.column_stack(list(columns.values()) or [np.zeros(0)])).any(axis=1)
    return table.iloc[np.flatnonzero(told)] if columns else table.iloc[:0]


def _both(shown: TradeMap, base: Numbers, other: Numbers, less: Numbers) -> dict[str, Numbers]:
    request = shown.request
    return {
        f"in {readable(request.query.scenario)}": base,
        f"in {readable(request.other)}": other,
        "difference": less,
    }
