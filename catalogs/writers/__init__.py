"""One module per file format that a selection can be exported to; ``WRITERS`` lists them.

``catalogs.exporting`` writes them to paths and streams.
"""

from __future__ import annotations

from catalogs.writers import delimited, iamc, parquet, veda, xlsx
from catalogs.writers.base import Writer

WRITERS: tuple[Writer, ...] = (
    *parquet.WRITERS,
    *delimited.WRITERS,
    *xlsx.WRITERS,
    *iamc.WRITERS,
    *veda.WRITERS,
)
