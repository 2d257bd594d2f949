"""Sums over the pyramid equal sums over the records, at every level and in every bucket."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogs.flow_records import pyramid
from catalogs.flow_records.query import FlowView
from catalogs.flow_records.records import FlowRecords
from tests.flow_files import publish

PLACES = 40
RNG = np.random.default_rng(11)
LOCATIONS = pd.DataFrame(
    {
        "id": [f"p{n}" for n in range(PLACES)],
        "longitude": RNG.uniform(-20, 40, PLACES).round(3),
        "latitude": RNG.uniform(35, 70, PLACES).round(3),
        "country": [f"land{n % 4}" for n in range(PLACES)],
        "region": [f"part{n % 8}" for n in range(PLACES)],
    }
)


def records_of(seed: int, rows: int, days: int) -> pd.DataFrame:
    """Return records with negative, missing and tiny and large values, and self-flows."""
    rng = np.random.default_rng(seed)
    hours = rng.integers(0, 24 * days, rows)
    values = rng.normal(size=rows) * 10.0 ** rng.integers(-9, 9, rows)
    values[rng.random(rows) < 0.05] = np.nan
    values[rng.random(rows) < 0.05] = 0.0
    return pd.DataFrame(
        {
            "time": pd.Timestamp("2029-11-11") + pd.to_timedelta(hours, unit="h"),
            "origin": [f"p{n}" for n in rng.integers(0, PLACES, rows)],
            "destination": [f"p{n}" for n in rng.integers(0, PLACES, rows)],
            "commodity": rng.choice(["el", "h2", "heat"], rows),
            "value": values,
        }
    )


def check_all_levels(flows: FlowRecords, frame: pd.DataFrame) -> None:
    """Compare every stored sum, and what is made from them, with pandas over the records."""
    kept = frame[frame["value"].notna()]
    for level, places in enumerate(flows.places):
        columns = flows.columns(f"SELECT l{level} AS above, id FROM ancestor_ids")
        above = dict(zip(columns["id"], columns["above"], strict=True))
        expected = (
            kept.assign(
                first=kept["origin"].map(above),
                second=kept["destination"].map(above),
                size=kept["value"].abs(),
            )
            .groupby(["first", "second", "commodity"])[["value", "size"]]
            .sum()
        )
        for kind in flows.about.kinds:
            source = pyramid.cheapest(flows.stored, level, kind)
            rows = pyramid.rows_of(source, level, kind)
            found = flows.sql(
                "SELECT origin AS first, destination AS second, name AS commodity,"
                " sum(forward) - sum(backward) AS value, sum(forward) + sum(backward) AS size,"
                f" sum(records)::BIGINT AS records FROM ({rows}) JOIN commodity USING (commodity)"
                " GROUP BY ALL"
            )
            assert found["records"].sum() == len(kept)
            found = found.set_index(["first", "second", "commodity"]).sort_index()
            both = expected.join(found, lsuffix="_expected", how="left")
            scale = both["size_expected"].to_numpy() + 1e-300
            for name in ("value", "size"):
                error = np.abs(both[name] - both[f"{name}_expected"]).to_numpy() / scale
                assert error.max(initial=0.0) < 1e-6, (level, kind, name)
        assert len(places) >= len(expected.index.get_level_values(0).unique())


def with_ids(flows: FlowRecords) -> FlowRecords:
    """Name the finest places in the table of ancestors, for comparing."""
    flows._connection.execute(
        "CREATE OR REPLACE VIEW ancestor_ids AS SELECT a.*, p.id FROM ancestor AS a"
        " JOIN place AS p ON p.level = (SELECT max(level) FROM place)"
        f" AND p.place = a.l{len(flows.levels) - 1}"
    )
    return flows


@pytest.mark.parametrize("hierarchy", ["given", "clusters"])
def test_sums_are_those_of_the_records_at_every_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hierarchy: str
) -> None:
    # So that sums are stored for a small dataset, too.
    monkeypatch.setattr(pyramid, "_FEW_ROWS", 0)
    frame = records_of(5, 40_000, 120)
    frame.to_parquet(tmp_path / "flows.parquet")
    kept = ["id", "longitude", "latitude"]
    if hierarchy == "given":
        kept += ["country", "region"]
    LOCATIONS[kept].to_csv(tmp_path / "locations.csv", index=False)
    flows = publish(tmp_path, tmp_path / "flows.parquet", tmp_path / "locations.csv")
    if hierarchy == "given":
        assert flows.levels == ("country", "region", "location")
    stored = {(s.level, s.kind) for s in flows.stored}
    assert {(0, "week"), (0, "all"), (len(flows.levels) - 1, "all")} <= stored
    check_all_levels(with_ids(flows), frame)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 400),
    days=st.integers(1, 400),
    steps=st.lists(st.floats(0, 1), min_size=2, max_size=2),
)
def test_any_stretch_of_any_records_adds_up(
    seed: int, rows: int, days: int, steps: list[float]
) -> None:
    frame = records_of(seed, rows, days)
    before = pyramid._FEW_ROWS
    pyramid._FEW_ROWS = 0
    try:
        with TemporaryDirectory() as name:
            folder = Path(name)
            frame.to_parquet(folder / "flows.parquet")
            LOCATIONS.to_csv(folder / "locations.csv", index=False)
            flows = publish(folder, folder / "flows.parquet", folder / "locations.csv")
            first, last = sorted(int(share * (len(flows.steps) - 1)) for share in steps)
            starts = flows.steps["start"]
            chosen = frame[frame["time"].between(starts.iloc[first], starts.iloc[last])]
            magnitude = chosen["value"].abs().sum()
            for level in range(len(flows.levels)):
                view = FlowView(first=first, last=last, level=level, is_net=False)
                picture = flows.view(view)
                assert flows.totals(first, last, level=level) == (
                    chosen["value"].count(),
                    pytest.approx(magnitude, rel=1e-6),
                )
                drawn = picture.arcs.value.sum() + picture.shown.within
                assert drawn == pytest.approx(magnitude, rel=1e-6)
            flows.close()
    finally:
        pyramid._FEW_ROWS = before


def test_levels_are_nested(tmp_path: Path) -> None:
    frame = records_of(1, 100, 3)
    frame.to_parquet(tmp_path / "flows.parquet")
    LOCATIONS[["id", "longitude", "latitude"]].to_csv(tmp_path / "locations.csv", index=False)
    flows = publish(tmp_path, tmp_path / "flows.parquet", tmp_path / "locations.csv")
    for coarse, fine in pairwise(flows.places):
        members = np.bincount(fine.parent, fine.members, len(coarse))
        assert members.tolist() == coarse.members.tolist()
