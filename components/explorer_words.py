"""What the explorer says of its picture: title, foot line and legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalogs.source import Answer
from components.charts.lines import DASHES
from components.charts.series import Series, year_label
from components.names import dimension_name, readable
from components.numbers import significant

if TYPE_CHECKING:
    from components.explorer import ScenarioExplorer

#: Members of a filter, or regions, that a title names before it says that there are more.
_NAMED = 3


def sentence(explorer: ScenarioExplorer, answer: Answer) -> str:
    """Return the title: what is shown, of where, in which unit."""
    asked = explorer.asked
    parts = [f"{asked.label} by {dimension_name(explorer.group)}"]
    if explorer.compare == "difference":
        parts[0] += f", difference to {readable(explorer.selection.base_scenario)}"
    parts += [
        ", ".join(explorer.label(d, m) for m in members[:_NAMED])
        + (" …" if len(members) > _NAMED else "")
        for d, members in explorer.kept.items()
    ]
    regions = explorer.selection.regions
    if regions:
        names = [explorer.label("region", region) for region in regions]
        parts.append(", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else ""))
    count = len(explorer.selection.scenarios)
    parts.append(readable(explorer.selection.scenarios[0]) if count == 1 else f"{count} scenarios")
    parts.append(answer.unit)
    return ", ".join(parts)


def foot_line(explorer: ScenarioExplorer, series: Series, answer: Answer) -> str:
    """Return the version shown and what is not in the picture."""
    said = [*answer.notes, *(f"left out: {text}" for text in answer.left_out)]
    if series.merged:
        said.append(f"{series.merged} smaller groups are shown as one")
    return " · ".join([version_line(explorer), *said])


def version_line(explorer: ScenarioExplorer) -> str:
    """Return which version of the dataset is shown."""
    published = explorer.source.manifest.published_at.replace("T", " ")[:16]
    return f"{explorer.source.dataset}, version {explorer.source.version[:8]}, {published} UTC"


def legend_of(series: Series, unit: str, *, lines: bool) -> dict[str, Any]:
    """Return the params of the legend: groups with the last year's amounts, and line styles."""
    year = series.years[-1] if series.years else 0
    base = series.scenarios[0] if series.scenarios else ""
    amounts = {
        member.code: significant(series.values[base, year, member.code])
        for member in series.members
        if (base, year, member.code) in series.values
    }
    entries = [
        {
            "code": member.code,
            "label": member.label,
            "title": member.code
            if member.code == member.label
            else (f"{member.label} ({member.code})"),
            "colour": member.colour,
            "amount": amounts.get(member.code, ""),
        }
        for member in series.members
    ]
    keys = []
    if lines and len(series.scenarios) > 1:
        keys = [
            {"label": readable(name), "dash": DASHES[number % len(DASHES)]}
            for number, name in enumerate(series.scenarios)
        ]
    return {
        "groups": entries,
        "line_keys": keys,
        "heading": f"{readable(base)}, {year_label(year)}, {unit}",
        "hint": "click to look inside",
    }
