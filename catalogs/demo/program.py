"""A linear program with named columns and rows, solved by HiGHS."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

Key = tuple[str | int, ...]
Row = dict[int, float]


class UnsolvedError(RuntimeError):
    """The solver found no optimum."""


@dataclass(frozen=True)
class Optimum:
    """The optimum: value and reduced cost by column, dual value by row (objective per unit)."""

    objective: float
    value: dict[Key, float]
    reduced: dict[Key, float]
    dual: dict[Key, float]


@dataclass
class Program:
    """A linear program under construction, to be minimised."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    columns: dict[Key, int] = field(default_factory=dict)
    equal: dict[Key, Row] = field(default_factory=lambda: defaultdict(dict))
    at_most: dict[Key, Row] = field(default_factory=lambda: defaultdict(dict))
    right: dict[Key, float] = field(default_factory=dict)

    def column(self, key: Key, cost: float, upper: float = np.inf, lower: float = 0.0) -> int:
        """Add a variable and return its number."""
        number = self.columns[key] = len(self.cost)
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        return number

    def balance(self, key: Key, column: int, value: float) -> None:
        """Add a coefficient to an equation."""
        row = self.equal[key]
        row[column] = row.get(column, 0.0) + value

    def bound(self, key: Key, column: int, value: float) -> None:
        """Add a coefficient to a row that may be at most its right-hand side."""
        row = self.at_most[key]
        row[column] = row.get(column, 0.0) + value

    def _matrix(self, rows: dict[Key, Row]) -> tuple[csr_matrix, np.ndarray]:
        starts, numbers = [0], list[int]()
        values = list[float]()
        for row in rows.values():
            numbers.extend(row)
            values.extend(row.values())
            starts.append(len(numbers))
        matrix = csr_matrix((values, numbers, starts), shape=(len(rows), len(self.cost)))
        return matrix, np.array([self.right.get(key, 0.0) for key in rows])

    def solve(self) -> Optimum:
        """Return the optimum.

        Raises:
            UnsolvedError: the program is infeasible or unbounded.
        """
        left_most, right_most = self._matrix(self.at_most)
        left_equal, right_equal = self._matrix(self.equal)
        result = linprog(
            self.cost,
            A_ub=left_most,
            b_ub=right_most,
            A_eq=left_equal,
            b_eq=right_equal,
            bounds=np.column_stack([self.lower, self.upper]),
            method="highs-ipm",
        )
        if result.status != 0:
            raise UnsolvedError(result.message)
        reduced = result.lower.marginals + result.upper.marginals
        dual = dict(zip(self.equal, result.eqlin.marginals, strict=True))
        dual.update(zip(self.at_most, result.ineqlin.marginals, strict=True))
        return Optimum(
            objective=float(result.fun),
            value=dict(zip(self.columns, result.x.tolist(), strict=True)),
            reduced=dict(zip(self.columns, reduced.tolist(), strict=True)),
            dual={key: float(value) for key, value in dual.items()},
        )
