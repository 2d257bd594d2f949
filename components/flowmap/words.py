"""What a flow map says: title, foot line, and the flows as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from catalogs.flowmaps.amounts import is_power
from catalogs.flowmaps.totals import stands_for_others
from catalogs.flowmaps.trade_map import TradeMap
from components.names import readable
from components.numbers import significant

if TYPE_CHECKING:
    from components.flowmap.explorer import FlowMap

__all__ = ["foot_line", "readable", "sentence", "version_line"]

_NAMED = 3


def sentence(flow_map: FlowMap, scenario: str = "") -> str:
    """Return the title: what flows, in which scenario, when, in which unit.

    ``scenario`` is that of one map where several are shown; '' for all of them.
    """
    shown = flow_map._map
    kept = shown.request.kept if shown else ()
    names = [flow_map.label(name) for name in kept]
    what = ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "") if names else "Energy"
    parts = [f"{'Net trade' if flow_map.net else 'Trade'}: {what}"]
    several = len(flow_map.scenarios)
    many = several > 1 and not scenario
    scenario = f"{several} scenarios" if many else readable(scenario or flow_map.scenario)
    if shown and shown.request.other:
        scenario = f"{readable(shown.request.other)} less {scenario}"
    when = str(flow_map.shown_year)
    if flow_map.shown_timeslice:
        when += f" {flow_map.shown_timeslice}"
    labels = flow_map.source.labels("region")
    regions = [labels.get(name, name) for name in flow_map.selection.regions]
    where = [", ".join(regions[:_NAMED]) + (" …" if len(regions) > _NAMED else "")]
    unit = shown.data.unit if shown else flow_map.unit
    if is_power(unit):
        unit = f"{unit} on average"
    return ", ".join([*parts, scenario, when, *filter(None, where), unit])


def foot_line(flow_map: FlowMap, shown: TradeMap) -> str:
    """Return the version, how many flows and what share of the energy is drawn, and remarks."""
    row = shown.at(flow_map.frame)
    of_it = shown.shown[row]
    said = [of_it.sentence("energy" if flow_map.unit == shown.data.unit else "flows")]
    if len(flow_map.scenarios) > 1:
        said[0] = f"{readable(flow_map.scenario)}: {said[0]}"
        chosen = len(flow_map.selection.scenarios)
        if chosen > len(flow_map.scenarios):
            said.insert(0, f"{len(flow_map.scenarios)} of {chosen} scenarios have a map")
    if not shown.request.outside:
        table = shown.trades.table
        unseen = table[(table["frame"] == flow_map.frame) & _no_spot(table)]
        if len(unseen):
            amount = significant(float(unseen["sent"].sum()))
            said.append(f"with the world market {amount} {shown.data.unit}, not drawn")
    if stands_for_others(shown.request):
        said.append("production and use are told by year only: regions show their trade")
    if shown.lost[row] > 0:
        said.append(f"{significant(float(shown.lost[row]))} {shown.data.unit} lost on the way")
    return " · ".join([*said, *shown.data.remarks, version_line(flow_map)])


def _no_spot(table: pd.DataFrame) -> pd.Series[bool]:
    from catalogs.flowmaps.places import OUTSIDE, UNKNOWN

    edges = [OUTSIDE, UNKNOWN]
    return table["origin"].isin(edges) | table["destination"].isin(edges)


def version_line(flow_map: FlowMap) -> str:
    """Return which version of the dataset is shown."""
    return f"{flow_map.source.dataset}, version {flow_map.source.version[:8]}"
