"""The first page: what is loaded and where it came from, the tools, and how to load more.

from catalogs import open_source
from components.home import Home

Home(source=open_source(Path(".data")))     # in a notebook: the same without cards of tools

Only the manifest and small tables are read; the questions asked of the results are those of the
miniatures, for one scenario.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import param
from panel.custom import JSComponent
from panel.viewable import Viewable, Viewer

from catalogs import palette
from catalogs.errors import TimesError
from catalogs.flow_records.recognition import FLOW_FORMAT
from catalogs.import_report import TOPICS
from catalogs.measures import Measure, measures
from catalogs.query import Query
from catalogs.readers import READERS
from catalogs.readers.side_tables import SIDE_TABLES
from catalogs.report_tables import Reporting
from catalogs.source import Answer, Source
from catalogs.store import PublishedScenario
from components.assets import icon, read_asset
from components.charts.bars import lay_out_bars
from components.charts.series import make_series, year_label
from components.names import dimension_name, readable
from components.numbers import THIN_SPACE, significant
from components.sankey.miniature import small_sankey
from components.selection import Selection
from components.shell import ToolLink
from components.theme import DARK, LIGHT

HOME_ROUTE = "/"
#: Topic under which an import reports processes that supply what the model could not.
DUMMY_IMPORT = "dummy import"

#: Lines of a scenario's import report, and of dummy imports, that are sent to the browser.
_MOST_LINES = 200
_MOST_ALARMS = 6
_MOST_COLOURS = 9
_GROUPS_NAMED = 6
_NAMES_IN_A_NOTE = 3
#: What became of the rows of a file; the last four add up to the first.
_FATES = ("read", "kept", "merged", "conflicting", "left_out")

_COUNTS = """
SELECT
    (SELECT count(DISTINCT process) FROM process),
    (SELECT count(DISTINCT commodity) FROM commodity),
    (SELECT count(DISTINCT timeslice) FROM timeslice AS t ANTI JOIN (
        SELECT DISTINCT scenario, region, parent AS timeslice FROM timeslice
        WHERE parent IS NOT NULL AND parent <> timeslice
    ) AS parents USING (scenario, region, timeslice))"""

COMMANDS = (
    ("Serve files", 'make serve DATA="path/*.miroscen other.vd"'),
    ("Import them beside a running server", "python -m catalogs import FILES --name my-data"),
)
#: What each table beside VEDA files is for; their columns are the reader's.
SIDE_TABLE_USES = {
    "commodity_units": "Units of commodities, without which flows are not added up",
    "process_units": "Units of activity and capacity, and the factor between them",
    "timeslices": "Share of the year, place in the tree and order of timeslices",
    "periods": "First and last year of each milestone year's period",
    "regions": "Names and places of regions",
    "scenarios": "Descriptions of scenarios and the name of their model",
}


class Overview(JSComponent):
    """What Home shows, laid out in the browser; every text is set as text, never as markup."""

    alarm = param.Dict(default={}, doc="What must be known first: title, remedy, lines")
    figures = param.List(default=[], item_type=dict, doc="Counts: value, label, note")
    cards = param.List(
        default=[], item_type=dict, doc="Tools: route, name, icon (SVG), description, miniature"
    )
    scenarios = param.List(default=[], item_type=dict, doc="Scenarios with files and report")
    listed = param.String(default="Scenarios", doc="What is listed with files and report")
    own_files = param.Dict(default={}, doc="How to load files: commands, formats, tables")
    shared = param.List(
        default=[], item_type=str, doc="Names in the address that go along to a tool"
    )
    dataset = param.String(default="", doc="Name of the dataset, for the links to tools")

    _esm = read_asset("home.js")
    _stylesheets = [
        f":host {{ --home-warning: light-dark({LIGHT.warning}, {DARK.warning}); }}",
        read_asset("home.css"),
    ]


class Home(Viewer):
    """What is loaded, the tools there are, and how to load one's own files."""

    source = param.ClassSelector(class_=Source, doc="The published dataset that is described")
    selection = param.ClassSelector(
        class_=Selection, doc="What all tools share: carried along, so that it is not lost here"
    )
    tools = param.ClassSelector(
        class_=(tuple, list), default=(), doc="The tools (route, name, icon, description)"
    )

    title = param.String(default="", doc="What is loaded, as a sentence")
    foot = param.String(default="", doc="Name, version and time of publication")

    sidebar = None
    url_params: ClassVar[tuple[str, ...]] = ()
    help = (
        "This page says what is loaded: every number is counted from the imported files.\n\n"
        "Open a scenario to see which files it was made from and what the import noticed."
        " The first figures of a file's SHA-256 tell whether it is the file you think it is.\n\n"
        "A card opens its tool with this dataset. At the right is how to load your own files."
    )

    def __init__(self, **params: Any) -> None:
        params.setdefault("selection", Selection())
        super().__init__(**params)
        self._overview = Overview(sizing_mode="stretch_width", margin=0)
        self._show()

    @param.depends("source", "tools", watch=True)
    def _show(self) -> None:
        """Describe the source; one published anew takes the place of the old one."""
        source, selection = self.source, self.selection
        if source is None or selection is None:
            raise ValueError("Home needs a source: open_source(directory)")
        selection.offer(source)
        base = selection.base_scenario
        report = report_lines(source)
        accounts = account_rows(source)
        self._overview.param.update(
            alarm=alarm(report),
            figures=figures(source),
            cards=cards(self.tools, source, base),
            scenarios=[
                describe(
                    scenario,
                    report.get(scenario.key, []),
                    accounts.get(scenario.key, []),
                    is_base=scenario.key == base,
                )
                for scenario in sorted(source.manifest.scenarios, key=lambda s: s.key != base)
            ],
            own_files=own_files(),
            shared=list(dict.fromkeys(("dataset", *selection.url_params))),
            dataset=source.dataset,
        )
        self.param.update(title=sentence(source), foot=version_line(source))

    @property
    def main(self) -> Viewable:
        """The overview."""
        return self._overview

    def __panel__(self) -> Viewable:
        return self._overview


# ---------------------------------------------------------------------- what is loaded


def sentence(source: Source) -> str:
    """Return what is loaded: "Nordic-Baltic demo: 3 scenarios, 10 regions, 2025–2050"."""
    models = _models(source)
    parts = [counted(len(source.scenario_names), "scenario")]
    if len(models) > 1:
        parts[0] += f" of {len(models)} models"
    parts.append(counted(len(source.regions), "region"))
    parts.append(_span(source.years))
    name = models[0] if len(models) == 1 else source.dataset
    return f"{name}: {', '.join(part for part in parts if part)}"


def version_line(source: Reporting) -> str:
    """Return the dataset's name, version and time of publication."""
    return (
        f"{source.manifest.dataset}, version {source.manifest.version[:8]}, "
        f"published {_minute(source.manifest.published_at)} UTC"
    )


def figures(source: Source) -> list[dict[str, str]]:
    """Return the counts that say how large the dataset is, each with a note on what it counts."""
    processes, commodities, timeslices = source.rows(_COUNTS)[0]
    labels = dict(source.rows("SELECT region, any_value(description) FROM region GROUP BY ALL"))
    models = _models(source)
    scenarios = source.manifest.scenarios
    codes = "different codes" if len(models) == 1 else "codes, all models together"
    return [
        figure(len(scenarios), "scenario", f"of {some(models)}"),
        figure(sum(s.rows for s in scenarios), "result row", "as imported"),
        figure(len(source.regions), "region", some([labels.get(r) or r for r in source.regions])),
        figure(len(source.years), "milestone year", _span(source.years)),
        figure(processes, "process", codes),
        figure(commodities, "commodity", codes),
        figure(timeslices, "timeslice", "of the finest level"),
    ]


def figure(count: int, one: str, note: str) -> dict[str, str]:
    """Return a count with what it counts, and a note."""
    return {"value": _whole(count), "label": _plural(count, one), "note": note}


def report_lines(source: Reporting) -> dict[str, list[dict[str, Any]]]:
    """Return the lines of each scenario's import report, warnings first."""
    frame = source.import_report()
    frame = frame.astype(object).where(frame.notna(), None)
    found: dict[str, list[dict[str, Any]]] = {}
    for line in frame.to_dict("records"):
        found.setdefault(str(line["scenario"]), []).append({str(k): v for k, v in line.items()})
    for lines in found.values():
        lines.sort(key=lambda line: line["severity"] != "warning")
    return found


def account_rows(source: Reporting) -> dict[str, list[dict[str, str]]]:
    """Return, per scenario, what became of the rows of each of its files, as text."""
    found: dict[str, list[dict[str, str]]] = {}
    for scenario, file, content, *counts in source.rows(
        f"SELECT scenario, file, content, {', '.join(_FATES)} FROM import_account"
    ):
        fates = {name: _whole(count) for name, count in zip(_FATES, counts, strict=True)}
        found.setdefault(scenario, []).append({"file": file, "content": content, **fates})
    return found


def alarm(report: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the warning of dummy imports, empty where there are none."""
    lines = [
        f"{readable(scenario)}: {line['message']}"
        for scenario, entries in report.items()
        for line in entries
        if line["topic"] == DUMMY_IMPORT
    ]
    if not lines:
        return {}
    more = len(lines) - _MOST_ALARMS
    names = [s for s, entries in report.items() if any(e["topic"] == DUMMY_IMPORT for e in entries)]
    return {
        "title": f"Dummy imports in {some([readable(name) for name in names])}",
        "remedy": "The model could not supply all that it had to and bought the rest from a"
        " stand-in at a very high cost: it is infeasible as it stands. Look into this before using"
        " its results.",
        "lines": lines[:_MOST_ALARMS] + ([f"and {more} more in the import reports"] * (more > 0)),
    }


def describe(
    scenario: PublishedScenario,
    lines: Sequence[dict[str, Any]],
    account: Sequence[dict[str, str]],
    *,
    is_base: bool,
) -> dict[str, Any]:
    """Return a scenario as it is listed: where it came from, and what its import noticed."""
    warnings = sum(line["severity"] == "warning" for line in lines)
    left = len(lines) - _MOST_LINES
    return {
        "name": readable(scenario.key),
        "is_base": is_base,
        "description": scenario.description,
        "model": scenario.model,
        "format": scenario.source_format,
        "rows": _whole(scenario.rows),
        "imported": _minute(scenario.imported_at),
        "warnings": warnings,
        "noticed": counted(warnings, "warning") if warnings else "none",
        "files": [
            {"name": file.name, "size": file_size(file.size), "sha256": file.sha256}
            for file in scenario.inputs
        ],
        "account": list(account),
        "report": by_topic(lines[:_MOST_LINES]),
        "left": f"{counted(left, 'line')} more are not shown here" if left > 0 else "",
    }


def by_topic(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Group the lines of a report by topic, topics with warnings first.

    A topic that warns and informs of something stands in both places, so that no warning is among
    lines that are not.
    """
    topics: dict[tuple[bool, str], list[dict[str, str]]] = {}
    for line in lines:
        is_info = line["severity"] != "warning"
        topics.setdefault((is_info, line["topic"]), []).append(_line(line))
    return [
        {
            "topic": readable(topic).replace("_", " "),
            "about": TOPICS.get(topic, ""),
            "severity": "info" if is_info else "warning",
            "lines": found,
        }
        for (is_info, topic), found in sorted(topics.items())
    ]


def _line(line: dict[str, Any]) -> dict[str, str]:
    where = line["file"] or ""
    if line["line"] is not None:
        where += f", line {line['line']}"
    return {
        "message": line["message"],
        "where": where,
        "count": "" if line["count"] is None else _whole(line["count"]),
    }


def file_size(size: int) -> str:
    """Return a size in bytes as people write it: 737 kB."""
    amount, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{significant(amount)} {unit}"


# ---------------------------------------------------------------------- the tools


def cards(tools: Iterable[ToolLink], source: Source | None, base: str) -> list[dict[str, Any]]:
    """Return a card for each tool but this page, with a picture of the data where there is one."""
    return [
        {
            "route": tool.route,
            "name": tool.name,
            "icon": tool.icon if tool.icon.startswith("<") else icon(tool.icon),
            "description": tool.description,
            "miniature": MINIATURES[tool.route](source, base)
            if source is not None and tool.route in MINIATURES
            else {},
        }
        for tool in tools
        if tool.route != HOME_ROUTE
    ]


def stacked_bars(source: Source, scenario: str) -> dict[str, Any]:
    """Return a small picture of a scenario: its first measure, stacked over the years.

    Rectangles are in shares of the picture, from its top left corner. Empty where no measure that
    is drawn as bars can be answered.
    """
    for name, asked in measures().items():
        if asked.chart != "bars" or scenario not in source.available(name).scenarios:
            continue
        query = Query(measure=name, scenarios=(scenario,), group_by=(asked.default_group,))
        try:
            answer = source.ask(query)
        except TimesError:
            continue
        if not answer.frame.empty:
            return _picture(answer, asked, scenario, source.group_looks)
    return {}


def _picture(answer: Answer, asked: Measure, scenario: str, looks: palette.Looks) -> dict[str, Any]:
    group = asked.default_group
    members = sorted(str(code) for code in answer.frame[group].unique())
    series = make_series(
        answer.frame,
        group,
        (scenario,),
        most=_MOST_COLOURS,
        label=str,
        colour=lambda code: palette.colour(group, code, members, looks),
        order=lambda code: palette.order(group, code, looks),
    )
    layout = lay_out_bars(series, arrangement="scenario", unit=answer.unit, show_totals=False)
    slots, height = len(series.years), (layout.high - layout.low) or 1.0
    return {
        "caption": f"{asked.label} by {dimension_name(group)}, {readable(scenario)}, {answer.unit}",
        "years": [year_label(year) for year in series.years],
        "groups": [
            {"label": member.label, "colour": member.colour}
            for member in series.largest(_GROUPS_NAMED)
        ],
        "marks": [
            {
                "x": (bar.left + 0.5) / slots,
                "y": (layout.high - bar.top) / height,
                "width": (bar.right - bar.left) / slots,
                "height": (bar.top - bar.bottom) / height,
                "colour": bar.colour,
            }
            for bar in layout.bars
        ],
    }


#: The picture on a tool's card, by its route; a tool without one shows its icon.
MINIATURES = {"/times": stacked_bars, "/sankey": small_sankey}


# ---------------------------------------------------------------------- one's own files


def own_files() -> dict[str, Any]:
    """Return how to load files: commands, formats, and the tables beside VEDA files."""
    return {
        "commands": [{"does": does, "command": command} for does, command in COMMANDS],
        "formats": [
            {"name": known.label, "suffix": known.suffix, "text": known.about}
            for known in (*(reader.format for reader in READERS), FLOW_FORMAT)
        ],
        "tables": [
            {
                "file": f"{name}.csv",
                "use": SIDE_TABLE_USES[name],
                "columns": ", ".join((*table.required, *(f"{c}?" for c in table.optional))),
            }
            for name, table in SIDE_TABLES.items()
        ],
    }


# ---------------------------------------------------------------------- words


def _models(source: Source) -> list[str]:
    return list(dict.fromkeys(scenario.model for scenario in source.manifest.scenarios))


def _plural(count: int, one: str) -> str:
    if count == 1:
        return one
    if one.endswith("y"):
        return f"{one[:-1]}ies"
    return f"{one}es" if one.endswith("s") else f"{one}s"


def counted(count: int, one: str) -> str:
    """Return a count with what it counts: "3 scenarios"."""
    return f"{_whole(count)} {_plural(count, one)}"


def _whole(count: int) -> str:
    return f"{count:,}".replace(",", THIN_SPACE)


def _span(years: Sequence[int]) -> str:
    if not years:
        return ""
    return str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}"


def some(names: Sequence[str]) -> str:
    """Return the first few names and how many more there are."""
    if len(names) <= _NAMES_IN_A_NOTE + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES_IN_A_NOTE])} and {len(names) - _NAMES_IN_A_NOTE} more"


def _minute(timestamp: str) -> str:
    """Return a time as the store writes it (UTC), to the minute."""
    return timestamp[:16].replace("T", " ")
