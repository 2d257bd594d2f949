"""The difference of scenarios to one of them."""

from __future__ import annotations

import pandas as pd

from components.charts.series import WHOLE_HORIZON


def difference(frame: pd.DataFrame, group: str, base: str, absent: float = 0.0) -> pd.DataFrame:
    """Return each scenario's values less the base scenario's, without the base itself.

    A value that only one side has counts as ``absent`` on the other; NaN leaves it out.
    """
    # Values of the whole horizon have no year, and pandas leaves out what has no key.
    keyed = frame.assign(year=frame["year"].fillna(WHOLE_HORIZON).astype(int))
    wide = keyed.pivot_table(
        index=["year", group], columns="scenario", values="value", aggfunc="sum"
    ).fillna(absent)
    if base not in wide:
        return frame.iloc[0:0]
    changes = wide.drop(columns=base).sub(wide[base], axis=0)
    tidy = changes.reset_index().melt(["year", group], var_name="scenario", value_name="value")
    tidy = tidy.dropna(subset=["value"])
    tidy["year"] = tidy["year"].astype("Int16").mask(tidy["year"] == WHOLE_HORIZON)
    return tidy[["scenario", "year", group, "value"]].sort_values(["scenario", "year", group])
