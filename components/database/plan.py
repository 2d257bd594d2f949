"""A query's plan as a tree that a modeller can read."""

from __future__ import annotations

from typing import Any

import param
from panel.custom import JSComponent

from catalogs.sql.service import Operator
from components.assets import read_asset
from components.database.cells import count_of

#: What names of functions begin with that DuckDB puts in by itself.
_PACKING = "__internal_"


class PlanTree(JSComponent):
    """The steps of a plan, the last one on top."""

    plan = param.Dict(default={}, doc="What is drawn, from ``readable_plan``")

    _esm = read_asset("database_plan.js")
    _stylesheets = [read_asset("database_plan.css")]


def readable_plan(operator: Operator) -> dict[str, Any]:
    """Return a step and those below it as plain dictionaries.

    Steps that only pack columns for the next one are left out: they say nothing of the query.
    """
    if len(operator.children) == 1 and any(_PACKING in how for _, how in operator.details):
        return readable_plan(operator.children[0])
    rows = "" if operator.rows is None else f"about {count_of(operator.rows)} rows"
    return {
        "name": operator.name,
        "operator": operator.operator if operator.operator != operator.name else "",
        "rows": rows,
        "details": [list(pair) for pair in operator.details],
        "children": [readable_plan(child) for child in operator.children],
    }
