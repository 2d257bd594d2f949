"""How long a Sankey takes on the server: the first picture, drill-down, and a comparison.

Each is asked as a page asks it, of a Source that has read nothing of it before, for every year of
the three Danish scenarios. Beside them the bare query of the flows, and the layout alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from app.server.serve import set_aside_what_stays
from bench.data import DATASET
from bench.figures import heading, line, spread
from catalogs import open_source
from catalogs.sankey.flows import SankeyQuery, energy_flows, flow_years
from catalogs.sankey.graph import build_graph
from catalogs.source import Source
from components.sankey.layout import lay_out
from components.sankey.picture import picture_of
from components.sankey.request import SankeyRequest, answer, links_of, nodes_of

SCENARIOS = ("DK_Regeringen", "DK_Fossilfri_2050", "DK_Frozen_policy_scenarie")
FIRST_BAR = 300  # ms, at the 95th percentile
NEXT_BAR = 150
LAYOUT_BAR = 20
_OPENED = "final/Transport"


def _timed(action: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    action()
    return 1000 * (clock() - start)


def _draw(source: Source, request: SankeyRequest) -> None:
    picture_of(answer(source, request), lambda node: node.label)


def report(data_directory: Path) -> None:
    """Measure and print."""
    heading("Sankeys on the server, three Danish scenarios, every year")
    source = Source(open_source(data_directory, DATASET).manifest_path)
    _draw(source, SankeyRequest(SankeyQuery(SCENARIOS[0], source.years[0])))  # what any page had
    set_aside_what_stays()  # as the server does once it has started
    first, opened, compared, queries, layouts = [], [], [], [], []
    for scenario in SCENARIOS:
        for year in flow_years(source, scenario):
            query = SankeyQuery(scenario, year)
            request = SankeyRequest(query, services=True)  # as the page asks
            first.append(_timed(partial(_draw, source, request)))
            inside = replace(request, query=replace(query, opened=(_OPENED,)))
            opened.append(_timed(partial(_draw, source, inside)))
            other = SCENARIOS[0] if scenario != SCENARIOS[0] else SCENARIOS[1]
            energy_flows(source, replace(query, scenario=other))
            compared.append(_timed(partial(_draw, source, replace(request, other=other))))
            graph = build_graph(energy_flows(source, query))
            nodes, links = nodes_of([graph]), links_of(graph)
            # It does nothing but count: processor time is the same on a busy machine, or nearly.
            layouts.append(_timed(partial(lay_out, nodes, links, compact=True), time.process_time))
            sql = f"FROM flow_annual WHERE scenario = '{scenario}' AND year = {year}"
            queries.append(_timed(partial(source.rows, sql)))
    line("first picture", spread(first), f"{FIRST_BAR} ms at the 95th percentile")
    line("a node opened", spread(opened), f"{NEXT_BAR} ms at the 95th percentile")
    line("compared with another scenario", spread(compared), f"{NEXT_BAR} ms")
    line("layout alone, processor time", spread(layouts), f"{LAYOUT_BAR} ms")
    line("DuckDB alone, the flows of a year", spread(queries))
    line("first picture / DuckDB alone", f"median {median(first) / median(queries):.1f}")
