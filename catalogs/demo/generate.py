"""Solve the demo model's scenarios and write their files: ``python -m catalogs.demo.generate``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catalogs.demo import data, veda
from catalogs.demo import inputs as given
from catalogs.demo.checks import InconsistentResultsError, check, summary
from catalogs.demo.model import Builder
from catalogs.demo.results import Record, Results, constant_cost

FOLDER = Path(__file__).parent / "files"
SCENARIOS = (
    given.Scenario(
        "Reference",
        "Reference",
        "Today's policy: a moderate tax on CO2, rising slowly, and no cap.",
    ),
    given.Scenario(
        "Climate target",
        "Climate_target",
        "As Reference, with a cap on the CO2 of all regions that falls to near zero in 2050.",
        co2_cap=True,
    ),
    given.Scenario(
        "No new interconnectors",
        "No_new_interconnectors",
        "As Climate target, but no new power lines between the regions are built.",
        co2_cap=True,
        new_lines=False,
    ),
)


def solve(
    scenario: given.Scenario,
    regions: Sequence[str] = tuple(data.REGIONS),
    years: Sequence[int] = given.YEARS,
) -> list[Record]:
    """Solve a scenario, check that its results add up, and return them.

    Raises:
        UnsolvedError: the scenario has no feasible solution.
        InconsistentResultsError: the results do not add up.
    """
    builder = Builder(scenario, tuple(regions), tuple(years))
    optimum = builder.build().solve()
    rows = list(Results(builder, optimum).rows())
    check(rows)
    expected = optimum.objective + constant_cost(builder.regions, builder.years)
    if abs(rows[-1][-1] - expected) > 1e-6 * abs(expected):
        raise InconsistentResultsError(f"ObjZ is {rows[-1][-1]}, the solver says {expected}")
    return rows


def files(
    scenarios: Sequence[given.Scenario] = SCENARIOS,
    regions: Sequence[str] = tuple(data.REGIONS),
    years: Sequence[int] = given.YEARS,
    *,
    show: bool = False,
) -> dict[str, bytes]:
    """Return all files of the demo, by name; ``show`` prints a summary of each scenario."""
    found = veda.side_tables(scenarios, regions, years)
    for scenario in scenarios:
        rows = solve(scenario, regions, years)
        found.update(veda.scenario_files(scenario, rows, regions, years))
        if show:
            print(f"\n{scenario.name}: {len(rows)} rows\n{summary(rows, years)}")
    return found


def main() -> None:
    """Write the demo's files."""
    found = files(show=True)
    veda.write(FOLDER, found)
    print(f"\n{len(found)} files, {sum(map(len, found.values())) / 1e6:.2f} MB in {FOLDER.name}/")


if __name__ == "__main__":
    main()
