"""What data there is and what it means. Nothing here knows of Panel.

catalogs.open_catalog(directory)          the Intake catalog of a data directory
catalogs.open_source(directory, name)     one published dataset, opened read-only
catalogs.ensure_demo(directory)           publish the demo where nothing is published
python -m catalogs import FILES ...       see catalogs.__main__
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalogs import semantics
from catalogs.store import Store

if TYPE_CHECKING:
    from catalogs.source import Source

DEMO_DATASET = "demo"


def open_catalog(directory: Path) -> Any:
    """Return the Intake catalog of a data directory: an entry for every published dataset.

    The tables of meanings in its folder ``semantics`` come into force in this process. Raises
    ``UnreadableFileError`` when one of them is wrong.
    """
    from intake.readers.entry import Catalog, ReaderDescription

    semantics.use(directory / semantics.FOLDER)
    catalog = Catalog.from_yaml_file(str(files("catalogs").joinpath("catalog.yaml")))
    # The entry in the file is the pattern of all others and no dataset itself.
    template: ReaderDescription = catalog.entries.pop("dataset")
    catalog.aliases.pop("dataset")
    manifest = template.kwargs["manifest"].replace("{data_directory}", str(directory.resolve()))
    for name in Store(directory).datasets():
        entry = ReaderDescription(
            reader=template.reader,
            kwargs={"manifest": manifest.replace("{dataset}", name)},
            output_instance=template.output_instance,
            metadata={**template.metadata, "dataset": name},
        )
        catalog.entries[name] = entry
        catalog.aliases[name] = name
    return catalog


def open_source(directory: Path, dataset: str = "") -> Source:
    """Return the Source of a dataset, by default of the one published last.

    Raises ``UnknownDatasetError``.
    """
    from catalogs.errors import UnknownDatasetError

    names = Store(directory).datasets()
    if not names or (dataset and dataset not in names):
        raise UnknownDatasetError(
            f"There is no dataset {dataset!r}." if dataset else "No dataset has been published.",
            f"There are: {', '.join(names)}."
            if names
            else ("Import files first: python -m catalogs import FILES --name NAME."),
        )
    source: Source = open_catalog(directory)[dataset or names[0]].read()
    return source


def ensure_demo(directory: Path) -> None:
    """Publish the demo model's scenarios where no dataset has been published yet.

    A demo that another version of the program published is published anew; the same version's
    stays as it is. A dataset of that name with files of somebody's own is left alone.
    """
    store = Store(directory)
    own = Path(str(files("catalogs.demo").joinpath("files")))
    if names := store.datasets():
        if DEMO_DATASET not in names:
            return
        inputs = {i.name for s in store.manifest(DEMO_DATASET).scenarios for i in s.inputs}
        if not inputs <= {path.name for path in own.iterdir()}:
            return
    from catalogs.importing import import_files

    import_files(store, DEMO_DATASET, [own])
