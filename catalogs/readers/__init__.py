"""One module per file format; ``READERS`` is the order in which they are asked."""

from __future__ import annotations

from catalogs.readers.base import Reader
from catalogs.readers.iamc import IamcReader
from catalogs.readers.miro import MiroReader
from catalogs.readers.parquet import ParquetReader
from catalogs.readers.timesreport import TimesreportReader
from catalogs.readers.veda import VedaReader
from catalogs.readers.veda_batch import BatchExportReader
from catalogs.readers.zipped import ZipReader

_READERS: tuple[Reader, ...] = (
    ParquetReader(),
    MiroReader(),
    VedaReader(),
    TimesreportReader(),
    BatchExportReader(),
    IamcReader(),
)

READERS: tuple[Reader, ...] = (*_READERS, ZipReader(_READERS))
