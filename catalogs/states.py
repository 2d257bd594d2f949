"""States of the world of stochastic runs, and how much each counts.

Values of several states are never added up. Where a table ``states_of_the_world.csv`` gives their
probabilities, sums are expected values. Years before a decision are shared: their results stand
under one state, which then counts for all that follow from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from catalogs import semantics
from catalogs.errors import UnreadableFileError

#: How far probabilities may be from one together.
_ROUNDING = 1e-3


def check_table() -> None:
    """Raise ``UnreadableFileError`` where the probabilities of a scenario are not one together."""
    together: dict[str, float] = defaultdict(float)
    for row in semantics.rows("states_of_the_world"):
        probability = float(row["probability"] or -1)
        if probability < 0:
            raise UnreadableFileError(
                "states_of_the_world.csv", f"the probability of {row['sow']} is below 0"
            )
        together[row["scenario"]] += probability
    for scenario, total in together.items():
        if abs(total - 1) > _ROUNDING:
            of = f" of {scenario}" if scenario else ""
            raise UnreadableFileError(
                "states_of_the_world.csv", f"the probabilities{of} are {total:g} together", "1"
            )


def probabilities(scenario: str) -> Mapping[str, float]:
    """Return the probability of each state of a scenario: its own rows, else those of all."""
    rows = semantics.rows("states_of_the_world")
    own = {r["sow"]: float(r["probability"]) for r in rows if r["scenario"] == scenario}
    return own or {r["sow"]: float(r["probability"]) for r in rows if not r["scenario"]}


def weights(present: Iterable[str], known: Mapping[str, float]) -> dict[str, float]:
    """Return how much each state that has results counts: with all states it stands for.

    A state without results of its own is stood for by the last one before it that has some (TIMES
    numbers the states that follow from a common past one after another).
    """
    having: Sequence[str] = sorted(present, key=_place)
    found = dict.fromkeys(having, 0.0)
    for state, probability in known.items():
        before = [other for other in having if _place(other) <= _place(state)]
        found[before[-1] if before else having[0]] += probability
    return found


def _place(state: str) -> tuple[int, float, str]:
    """Order states by number; whatever is no number comes first (``-`` stands for all)."""
    try:
        return (1, float(state), state)
    except ValueError:
        return (0, 0.0, state)
