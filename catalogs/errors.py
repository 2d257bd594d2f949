"""Errors of the domain: each says what is wrong, where, and what to do about it.

Every error carries its parts separately, so that a terminal, a page and a JSON report can each
show them in their own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalogs.query import Query


@dataclass(frozen=True)
class Offer:
    """What can be had in place of what was refused: a few words for a button, and the query."""

    label: str
    query: Query


class TimesError(Exception):
    """A problem that a modeller can act on.

    Parameters
    ----------
    what
        One sentence: what is wrong.
    remedy
        One sentence: what to do instead. May be empty.
    details
        Further text (for example the offending row), shown folded away.

    ``instead`` holds the nearest queries that are answered, the nearest first, where a query was
    refused by a ``Source``.
    """

    instead: tuple[Offer, ...] = ()

    def __init__(self, what: str, remedy: str = "", details: str = "") -> None:
        super().__init__(f"{what} {remedy}".strip())
        self.what = what
        self.remedy = remedy
        self.details = details


class UnreadableFileError(TimesError):
    """A file is not what its name or its beginning promises.

    ``file`` is the file's name without its folder, ``line`` the 1-based line where there is one.
    """

    def __init__(
        self,
        file: str,
        problem: str,
        expected: str = "",
        *,
        line: int | None = None,
        details: str = "",
    ) -> None:
        where = f"{file}, line {line}" if line is not None else file
        super().__init__(
            f"{where}: {problem}", f"Expected {expected}." if expected else "", details
        )
        self.file = file
        self.line = line


class MissingExtraError(TimesError):
    """An optional part of the installation is needed for this file."""


class UnknownDatasetError(TimesError):
    """No dataset of that name has been published."""


class UnknownNameError(TimesError):
    """A scenario, measure, dimension or code that the data does not have."""


class _OverDimensionsError(TimesError):
    """A sum that is refused; ``dimensions`` are those that it would go over."""

    def __init__(
        self, what: str, remedy: str = "", details: str = "", *, dimensions: Sequence[str] = ()
    ) -> None:
        super().__init__(what, remedy, details)
        self.dimensions = tuple(dimensions)


class NotAdditiveError(_OverDimensionsError):
    """The values asked for must not be added up over some dimension."""


class MixedUnitsError(_OverDimensionsError):
    """Values of different units, or of unknown unit, must not be added up."""


class NotAvailableError(TimesError):
    """The loaded scenarios hold nothing from which this could be computed."""


class StoreBusyError(TimesError):
    """Another import is publishing to the same dataset."""
