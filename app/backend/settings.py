"""Settings of the backend, from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from catalogs.sql.service import SqlLimits

#: What the name of each limit's variable begins with: TIMES_SQL_SECONDS, TIMES_SQL_MEMORY ...
PREFIX = "TIMES_SQL_"
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


@dataclass(frozen=True)
class BackendSettings:
    """How the backend runs.

    Parameters
    ----------
    data_directory
        Where datasets are published. It is only read.
    user
        Number of the user and group that workers run as where the backend runs as root; 0: as
        root. It should own nothing.
    nice
        How far workers stand back behind other processes, 0 (not at all) to 19: pages stay quick
        while queries run.
    log
        File that gets a line of JSON for each query; empty: standard error.
    limits
        What queries may take.
    """

    data_directory: Path = Path(".data")
    user: int = 10001
    nice: int = 10
    log: str = ""
    limits: SqlLimits = field(default_factory=SqlLimits)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> BackendSettings:
        """The settings that the environment gives; what it lacks keeps its default.

        Reads TIMES_DATA, TIMES_SQL_USER, TIMES_SQL_NICE, TIMES_SQL_LOG, and each limit under its
        name in capitals after TIMES_SQL_; sizes may end in K, M or G. Raises ``ValueError`` on a
        bad number.
        """
        given = os.environ if environment is None else environment
        return cls(
            data_directory=Path(given.get("TIMES_DATA", cls.data_directory)),
            user=int(given.get(f"{PREFIX}USER", cls.user)),
            nice=int(given.get(f"{PREFIX}NICE", cls.nice)),
            log=given.get(f"{PREFIX}LOG", ""),
            limits=_limits(given),
        )


def _limits(given: Mapping[str, str]) -> SqlLimits:
    limits = SqlLimits()
    changed: dict[str, float] = {}
    for limit in fields(SqlLimits):
        name = f"{PREFIX}{limit.name.upper()}"
        if not (text := given.get(name, "").strip()):
            continue
        kind = type(getattr(limits, limit.name))
        try:
            number = kind(float(text.rstrip("KMGkmg")) * _UNITS.get(text[-1].upper(), 1))
        except ValueError as error:
            raise ValueError(f"{name} is {text!r}; it has to be a number") from error
        if number <= 0:
            raise ValueError(f"{name} is {text!r}; it has to be above 0")
        changed[limit.name] = number
    return replace(limits, **changed)  # type: ignore[arg-type]  # each has the type of its default
