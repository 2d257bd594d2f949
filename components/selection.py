"""The selection that all tools share: dataset, scenarios, regions, years and unit.

A page makes one and keeps it in its address; a component used alone makes its own. Empty regions
or years mean all. Nothing here queries: a selection only says what is chosen of what there is.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import ClassVar

import param

from catalogs.source import Source

#: Scenarios chosen at first; more can be added.
_AT_FIRST = 4
_REFERENCE = re.compile(r"\b(ref|reference|base|baseline|bau|frozen|current)", re.IGNORECASE)


class Selection(param.Parameterized):
    """What is chosen, in every tool alike."""

    dataset = param.String(default="", doc="Name of the dataset shown")
    scenarios = param.ListSelector(
        default=[], objects=[], doc="Scenarios shown; the base scenario is always drawn first"
    )
    base = param.Selector(
        default="", objects=[""], doc="Scenario that the others are compared with; '' for the first"
    )
    regions = param.ListSelector(default=[], objects=[], doc="Regions shown; none means all")
    years = param.ListSelector(default=[], objects=[], doc="Milestone years shown; none means all")
    unit = param.String(
        default="", doc="Unit wanted; where it does not fit, a measure's own is used"
    )

    url_params: ClassVar[tuple[str, ...]] = (
        "dataset",
        "scenarios",
        "base",
        "regions",
        "years",
        "unit",
    )

    def offer(self, source: Source) -> None:
        """Take over what a source has to choose from; what is chosen stays where it still exists.

        Without a choice of scenarios, those of the model imported last are chosen.
        """
        names = list(source.scenario_names)
        self.param.base.objects = ["", *names]
        for name, there in (
            ("scenarios", names),
            ("regions", list(source.regions)),
            ("years", list(source.years)),
        ):
            self.param[name].objects = there
            # Lists without choices take anything, and would go on to do so.
            self.param[name].check_on_set = True
        kept = [name for name in self.scenarios if name in names]
        self.param.update(
            dataset=source.dataset,
            scenarios=kept or first_scenarios(source),
            base=self.base if self.base in names else "",
            regions=[region for region in self.regions if region in source.regions],
            years=[year for year in self.years if year in source.years],
        )

    @property
    def base_scenario(self) -> str:
        """The base scenario: the one named, else one that is named like a reference, else the
        first of those shown."""
        if self.base in self.scenarios:
            return str(self.base)
        named = [name for name in self.scenarios if _REFERENCE.search(name.replace("_", " "))]
        return str([*named, *self.scenarios, ""][0])

    @property
    def ordered_scenarios(self) -> tuple[str, ...]:
        """The scenarios shown, the base first."""
        others = (name for name in self.scenarios if name != self.base_scenario)
        return tuple(name for name in (self.base_scenario, *others) if name)


def first_scenarios(source: Source, among: Collection[str] | None = None) -> list[str]:
    """Return the scenarios chosen at first: some of the model imported last, references first.

    ``among`` are the only ones that come into question; None for all.
    """
    published = [s for s in source.manifest.scenarios if among is None or s.key in among]
    if not published:
        return []
    newest = max(published, key=lambda scenario: scenario.imported_at)
    of_model = [scenario.key for scenario in published if scenario.model == newest.model]
    reference = [name for name in of_model if _REFERENCE.search(name.replace("_", " "))]
    return list(dict.fromkeys([*reference, *of_model]))[:_AT_FIRST]
