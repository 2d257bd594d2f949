"""What example queries must hold on any dataset: rows come, and figures are the explorer's."""

from __future__ import annotations

import pandas as pd
import pytest

from catalogs.query import Query
from catalogs.source import Source
from catalogs.sql.examples import Example, examples, starting_values

#: Measures of the explorer that add up to the same as an example's column ``value`` in each year.
SAME_AS_MEASURE = {
    "final-energy-by-sector": "final_energy",
    "primary-energy-by-fuel": "primary_energy",
    "generation-mix": "electricity_generation",
    "emissions-by-sector": "emissions",
    "cost-breakdown": "system_cost",
}


def answer_of(source: Source, example: Example, base: str, other: str = "") -> pd.DataFrame:
    """Ask an example with the values that it starts with."""
    values = starting_values(source, example, base, other)
    return source.sql(example.sql, values or None)


def check_rows_and_chart(
    source: Source, base: str, other: str = "", without: tuple[str, ...] = ()
) -> None:
    """Every example has rows, and the columns that its chart needs; those named have none."""
    for example in examples().values():
        frame = answer_of(source, example, base, other)
        assert frame.empty == (example.name in without), example.name
        assert example.needs or example.name not in without
        chart = example.chart
        assert {chart.x, chart.y, chart.colour} - {""} <= set(frame.columns), example.name
        if chart.kind in ("sankey", "map"):
            assert {"value", "unit"} < set(frame.columns)
        if not frame.empty and chart.y:
            assert frame[chart.y].notna().all(), example.name


def check_figures(source: Source, scenario: str) -> None:
    """Sums of examples are those of the explorer's measures, year by year."""
    for name, measure in SAME_AS_MEASURE.items():
        frame = answer_of(source, examples()[name], scenario)
        found = frame.groupby("year")["value"].sum()
        unit = str(frame["unit"].iloc[0])
        asked = source.ask(Query(measure, scenarios=(scenario,), unit=unit)).frame
        expected = asked.groupby("year")["value"].sum()
        assert found.to_dict() == pytest.approx(expected.to_dict(), rel=1e-9), name
