"""Flow records at scale: import with the pyramid, a first view, other weeks, pan and zoom, a click.

Three datasets, generated once into a folder that later runs use again:

- ``pairs``: 5,000 pairs of places x 8,760 hours, 44 million records;
- ``lines``: the lines of the ENTSO-E grid x 8,760 hours, 98 million records;
- ``many``: 40 million records of 38 million different pairs.

What is timed is what the server does: from the question to the columns of a map, or to the image
where there are too many arcs for marks. Each dataset has a process of its own, whose memory is
measured.

    python -m bench.flow_records NAME FOLDER     measures one, and prints its figures as JSON
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import datashader
import duckdb
import numpy as np
import pandas as pd

from bench.figures import heading, line, spread
from bench.large import run
from catalogs.flow_records.query import Bounds, FlowView, TimeBucket
from catalogs.flow_records.records import FlowRecords
from catalogs.flowmaps.picture import FlowMapData
from components.flowmap.image import FlowImage, warm_up
from tests.browser import ROOT

DATASETS = ("pairs", "lines", "many")
PAIRS, HOURS = 5000, 8760
MANY_RECORDS, MANY_PAIRS = 40_000_000, 38_000_000
_PLACES = 2500
_MANY_PLACES = 6300
_RUNS = 40
_SIZE = (1200, 800)
_RADIUS = 6_378_137.0
EUROPE: Bounds = (-12.0, 34.0, 40.0, 71.0)
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb") * 2


# ---------------------------------------------------------------------------- data


def generate(folder: Path, factor: float) -> dict[str, list[Path]]:
    """Make the files that are not there yet; return those of each dataset."""
    folder.mkdir(parents=True, exist_ok=True)
    hours = max(24, round(HOURS * factor))
    network = Path(os.environ.get("TIMES_TEST_DATA", ROOT.parent / "shared" / "data")) / "network"
    files = {
        "pairs": [folder / f"pairs-{hours}.parquet", folder / f"places-{_PLACES}.csv"],
        "lines": [folder / f"lines-{hours}.parquet", *sorted(network.glob("entsoe_*.csv"))],
        "many": [folder / f"many-{factor:g}.parquet", folder / f"places-{_MANY_PLACES}.csv"],
    }
    for count in (_PLACES, _MANY_PLACES):
        _make(folder / f"places-{count}.csv", partial(_places, count=count))
    _make(files["pairs"][0], partial(_copy, sql=_PAIRS_SQL, hours=hours))
    if len(files["lines"]) > 1:
        lines = next(p for p in files["lines"] if p.name == "entsoe_lines.csv")
        _make(files["lines"][0], partial(_copy, sql=_LINES_SQL, hours=hours, lines=str(lines)))
    else:
        del files["lines"]  # the grid is not part of the project
    sizes = {"records": int(MANY_RECORDS * factor), "pairs": int(MANY_PAIRS * factor)}
    _make(files["many"][0], partial(_copy, sql=_MANY_SQL, **sizes))
    return files


def _make(path: Path, write: Callable[[Path], None]) -> None:
    if not path.exists():
        half = path.with_suffix(".half")
        write(half)
        half.replace(path)


def _places(path: Path, count: int) -> None:
    """Places around 40 towns of Europe, more of them where a town is large."""
    rng = np.random.default_rng(4)
    towns = np.column_stack([rng.uniform(-9, 30, 40), rng.uniform(37, 66, 40)])
    of = np.minimum(rng.geometric(0.06, count) - 1, 39)
    spots = towns[of] + rng.normal(scale=(1.2, 0.8), size=(count, 2))
    rows = (f"N{n},{x:.4f},{y:.4f}" for n, (x, y) in enumerate(spots))
    path.write_text("id,longitude,latitude\n" + "\n".join(rows) + "\n")


#: Pairs of places with a season, a day and noise in what flows; some of it the other way.
_PAIRS_SQL = f"""
SELECT TIMESTAMP '2030-01-01' + INTERVAL 1 HOUR * h AS time,
    'N' || (p * 7919 % {_PLACES}) AS origin,
    'N' || ((p * 104729 + p // {_PLACES} * 13 + 7) % {_PLACES}) AS destination,
    ['electricity', 'hydrogen', 'heat'][p % 3 + 1] AS commodity,
    round((1 + p % 97) * (1.2 + sin(h / 1394.0) + 0.5 * sin(h / 3.82 + p))
        + hash(p * 8760 + h) % 1000 / 1000.0, 3) AS "value [MWh]"
FROM range($hours) AS a(h), range({PAIRS}) AS b(p)"""
_LINES_SQL = """
SELECT h AS hour, line, round((50 + n % 900) * (sin(h / 1394.0) + sin(h / 3.82 + n))
        + hash(n * 8760 + h) % 1000 / 100.0, 2) AS "p0 [MW]"
FROM range($hours) AS a(h), (SELECT line_id::VARCHAR AS line, row_number() OVER () AS n
    FROM read_csv($lines, quote = '''', columns = {'line_id': 'VARCHAR', 'bus0': 'VARCHAR',
        'bus1': 'VARCHAR', 'voltage': 'VARCHAR', 'circuits': 'VARCHAR', 'length': 'VARCHAR',
        'underground': 'VARCHAR', 'under_construction': 'VARCHAR', 'tags': 'VARCHAR',
        'geometry': 'VARCHAR'}))"""
_MANY_SQL = f"""
SELECT hash(r) % 8760 AS hour, 'N' || (p // {_MANY_PLACES}) AS origin,
    'N' || (p % {_MANY_PLACES}) AS destination,
    hash(r + 7) % 100000 / 100.0 + 0.01 AS "value [MWh]"
FROM (SELECT r, CASE WHEN r < $pairs THEN r ELSE hash(r) % $pairs END AS p
    FROM range($records) AS a(r))"""


def _copy(path: Path, sql: str, **parameters: object) -> None:
    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(path.parent)}) as c:
        c.execute("SET preserve_insertion_order = false")
        where = str(path).replace("'", "''")
        c.execute(f"COPY ({sql}) TO '{where}' (FORMAT parquet)", parameters)


# ---------------------------------------------------------------------------- measuring


def _timed(action: Callable[..., object], *arguments: Any, **options: Any) -> float:
    """Return how many ms a call takes."""
    start = time.perf_counter()
    action(*arguments, **options)
    return 1000 * (time.perf_counter() - start)


def _plane(longitude: Any, latitude: Any) -> tuple[Any, Any]:
    north = np.tan(np.pi / 4 + np.radians(latitude) / 2)
    return np.radians(longitude) * _RADIUS, np.log(north) * _RADIUS


def _image(data: FlowMapData) -> FlowImage:
    s = data.segments
    assert s is not None
    start = _plane(s.origin_longitude, s.origin_latitude)
    end = _plane(s.destination_longitude, s.destination_latitude)
    colours = _COLOURS[: len(data.categories)]
    adds_up = data.paths is None
    return FlowImage((*start, *end), s.value, s.category, s.arc, colours, adds_up=adds_up)


def _draw(records: FlowRecords, view: FlowView, seen: Bounds = EUROPE) -> None:
    """Do what a server does for a part of the map: columns, and the image if there are too many."""
    data = records.view(view)
    if data.segments is not None:
        (west, east), (south, north) = zip(_plane(*seen[:2]), _plane(*seen[2:]), strict=True)
        _image(data).draw((west, east), (south, north), *_SIZE)


def measure(name: str, manifest: Path) -> dict[str, Any]:
    """Measure a dataset in this process; return times in ms by what was done."""
    warm = _timed(warm_up)
    start = time.perf_counter()
    records = FlowRecords(manifest)
    shown = records.view(FlowView())
    times: dict[str, Any] = {
        "first view, opening included": [1000 * (time.perf_counter() - start)],
        "shown": f"{shown.shown.sentence()}; {len(shown.arcs):,} arcs, {shown.level}",
    }
    times["first view, opening included"] += [_timed(_open_and_view, manifest) for _ in range(10)]
    rng = np.random.default_rng(1)
    {"pairs": _measure_pairs, "lines": _measure_lines, "many": _measure_many}[name](
        records, rng, times
    )
    times["compiling what draws, once per server"] = [warm]
    times["sums"] = _worst_error(records)
    times["memory"] = _peak_memory()
    return times


def _open_and_view(manifest: Path) -> None:
    records = FlowRecords(manifest)
    _draw(records, FlowView())
    records.close()


def _weeks(records: FlowRecords, rng: Any) -> list[TimeBucket]:
    weeks = records.buckets.get("week", records.buckets["all"])
    return [weeks[place] for place in rng.permutation(len(weeks))[:_RUNS]]


def _parts_of_europe(rng: Any) -> Iterator[Bounds]:
    for _ in range(_RUNS):
        width = 40.0 * 0.5 ** rng.uniform(0, 5)
        west, south = rng.uniform(-10, 25), rng.uniform(37, 58)
        yield float(west), float(south), float(west + width), float(south + width / 2)


def _measure_pairs(records: FlowRecords, rng: Any, times: dict[str, Any]) -> None:
    weeks = [(week.first, week.last) for week in _weeks(records, rng)]
    times["another week"] = [_timed(_draw, records, FlowView(*week)) for week in weeks]
    times["another week and filter"] = [
        _timed(_draw, records, FlowView(*week, commodities=("heat",))) for week in weeks
    ]
    stretches = np.sort(rng.integers(0, len(records.steps), (_RUNS, 2)), axis=1).tolist()
    times["any stretch of hours"] = [_timed(_draw, records, FlowView(*s)) for s in stretches]
    times["another hour"] = [
        _timed(_draw, records, FlowView(first, first)) for first, _ in stretches
    ]
    sql = (
        "SELECT origin, destination, commodity, sum(value) FROM flow WHERE step BETWEEN ? AND ?"
        " GROUP BY ALL"
    )
    times["bare DuckDB, a week of the records"] = [
        _timed(records.columns, sql, list(week)) for week in weeks
    ]
    _measure_clicks(records, rng, times)


def _measure_clicks(records: FlowRecords, rng: Any, times: dict[str, Any]) -> None:
    data = records.view(FlowView())
    ids, arcs = data.places.id, data.arcs
    clicked = rng.integers(0, len(arcs), _RUNS)
    asked = [
        {"line": arcs.id[i]}
        if records.about.by_line
        else {"origin": ids[arcs.origin[i]], "destination": ids[arcs.destination[i]]}
        for i in clicked
    ]
    times["a click: the hours of one"] = [_timed(records.profile, **one) for one in asked]
    column = "line" if records.about.by_line else "origin"
    sql = f"SELECT step, value FROM flow WHERE {column} = ?"
    times["bare DuckDB, the hours of one"] = [
        _timed(records.columns, sql, [int(number)]) for number in rng.integers(0, 2000, _RUNS)
    ]


def _measure_lines(records: FlowRecords, rng: Any, times: dict[str, Any]) -> None:
    weeks = [(week.first, week.last) for week in _weeks(records, rng)]
    _draw(records, FlowView(*weeks[0]))
    times["pan and zoom, with the image"] = [
        _timed(_draw, records, FlowView(*weeks[0], bounds=seen, most=0), seen)
        for seen in _parts_of_europe(rng)
    ]
    times["another week, with the image"] = [
        _timed(_draw, records, FlowView(*week)) for week in weeks[1:]
    ]
    s = records.view(FlowView()).segments
    assert s is not None
    x0, y0 = _plane(s.origin_longitude, s.origin_latitude)
    x1, y1 = _plane(s.destination_longitude, s.destination_latitude)
    frame = pd.DataFrame({"x0": x0, "x1": x1, "y0": y0, "y1": y1, "value": s.value})
    canvas, largest = datashader.Canvas(*_SIZE), datashader.max("value")
    ends = {"x": ["x0", "x1"], "y": ["y0", "y1"], "axis": 1, "line_width": 1}
    times["bare Datashader, all lines"] = [
        _timed(canvas.line, frame, agg=largest, **ends) for _ in range(_RUNS)
    ]
    sql = "SELECT line, sum(value) FROM flow WHERE step BETWEEN ? AND ? GROUP BY ALL"
    times["bare DuckDB, a week of the records"] = [
        _timed(records.columns, sql, list(week)) for week in weeks
    ]
    _measure_clicks(records, rng, times)


def _measure_many(records: FlowRecords, rng: Any, times: dict[str, Any]) -> None:
    times["pan and zoom"] = [
        _timed(_draw, records, FlowView(bounds=seen), seen) for seen in _parts_of_europe(rng)
    ]
    times["bare DuckDB, all records to pairs of 10"] = [
        _timed(
            records.rows,
            "SELECT origin // 630 AS a, destination // 630 AS b, sum(value) FROM flow GROUP BY ALL",
        )
        for _ in range(3)
    ]


def _worst_error(records: FlowRecords) -> float:
    """Return by what share the sums of any level differ from the sum of the records."""
    [(plain, magnitude)] = records.rows("SELECT sum(value), sum(abs(value)) FROM flow")
    worst = 0.0
    for stored in records.stored[1:]:
        [(net, gross)] = records.rows(
            f"SELECT sum(forward) - sum(backward), sum(forward) + sum(backward) FROM {stored.table}"
        )
        worst = max(worst, abs(net - plain) / magnitude, abs(gross - magnitude) / magnitude)
    return worst


def _peak_memory() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# ---------------------------------------------------------------------------- report

_BARS = {
    "pairs": {
        "another week": "250 ms at the 95th percentile",
        "another week and filter": "250 ms at the 95th percentile",
        "a click: the hours of one": "100 ms at the 95th percentile",
    },
    "lines": {"pan and zoom, with the image": "150 ms at the 95th percentile"},
    "many": {"first view, opening included": "400 ms at the 95th percentile"},
}
_IMPORT_BAR = "90 s, 4000 MB"
_MEMORY_BAR = "2000 MB"


def report(directory: Path, factor: float = 1.0, names: Sequence[str] = DATASETS) -> None:
    """Generate, import and measure, and print."""
    folder = directory / "flow-records"
    heading(f"Flow records, generated and imported in {folder.name}")
    command = ["-m", "bench.flow_records", "generate", str(folder), str(factor)]
    run(command)
    for name, files in generate(folder, factor).items():
        if name not in names:
            continue
        dataset = f"{name}-{factor:g}"
        manifest = folder / "data" / dataset / "manifest.json"
        where = ("--data-directory", str(folder / "data"))
        size = sum(path.stat().st_size for path in files) / 1e6
        heading(f"{dataset}: {files[0].name}, {size:.0f} MB")
        if not manifest.exists():
            took = run([*("-m", "catalogs", "import"), *map(str, files), "--name", dataset, *where])
            bar = _IMPORT_BAR if name == "pairs" else ""
            line("import with the pyramid", f"{took.seconds:.1f} s, peak {took.peak:.0f} MB", bar)
        stored = sum(path.stat().st_size for path in manifest.parent.glob("*.duckdb")) / 1e6
        line("stored", f"{stored:.0f} MB")
        _report_one(name, manifest)


def _report_one(name: str, manifest: Path) -> None:
    measured = subprocess.run(
        [sys.executable, "-m", "bench.flow_records", name, str(manifest)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    times = json.loads(measured.stdout.splitlines()[-1])
    line("the first view shows", times.pop("shown"))
    memory, error = times.pop("memory"), times.pop("sums")
    for what, taken in times.items():
        if taken:
            line(what, spread(taken), _BARS[name].get(what, ""))
    line("memory of the process at its peak", f"{memory:.0f} MB", _MEMORY_BAR)
    line("sums of the pyramid differ by at most", f"{error:.1e}", "1e-6 of the records' sum")


if __name__ == "__main__":
    if sys.argv[1] == "generate":
        generate(Path(sys.argv[2]), float(sys.argv[3]))
    else:
        print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
