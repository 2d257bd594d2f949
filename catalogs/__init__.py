"""What data there is and what it means. Nothing here knows of Panel.

catalogs.open_catalog(directory)          the Intake catalog of a data directory
catalogs.open_source(directory, name)     one dataset of TIMES scenarios, opened read-only
catalogs.open_flow_records(directory, name)   one of flow records
catalogs.open_dataset(directory, name)    one of either kind
catalogs.ensure_demo(directory)           publish the demo where nothing is published
python -m catalogs import FILES ...       see catalogs.__main__
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalogs import semantics
from catalogs.store import FLOWS, SCENARIOS, WORDS, Store

if TYPE_CHECKING:
    from catalogs.flow_records.records import FlowRecords
    from catalogs.source import Source

DEMO_DATASET = "demo"
#: The entry in the catalog's file that is the pattern of all of a kind.
_ENTRIES = {SCENARIOS: "dataset", FLOWS: "flow_records"}


def open_catalog(directory: Path) -> Any:
    """Return the Intake catalog of a data directory: an entry for every published dataset.

    The tables of meanings in its folder ``semantics`` come into force in this process. Raises
    ``UnreadableFileError`` when one of them is wrong.
    """
    from intake.readers.entry import Catalog, ReaderDescription

    semantics.use(directory / semantics.FOLDER)
    catalog = Catalog.from_yaml_file(str(files("catalogs").joinpath("catalog.yaml")))
    # The entries in the file are the patterns of all others and no datasets themselves.
    templates: dict[str, ReaderDescription] = {}
    for kind, name in _ENTRIES.items():
        templates[kind] = catalog.entries.pop(name)
        catalog.aliases.pop(name)
    for name, kind in Store(directory).kinds().items():
        template = templates[kind]
        manifest = template.kwargs["manifest"].replace("{data_directory}", str(directory.resolve()))
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
    """Return the Source of a dataset, by default of that of scenarios published last.

    Raises ``UnknownDatasetError``, and ``TimesError`` for a dataset of flow records.
    """
    source: Source = open_catalog(directory)[_named(directory, dataset, SCENARIOS)].read()
    return source


def open_flow_records(directory: Path, dataset: str = "") -> FlowRecords:
    """Return the FlowRecords of a dataset, by default of that of flow records published last.

    Raises ``UnknownDatasetError``, and ``TimesError`` for a dataset of TIMES scenarios.
    """
    records: FlowRecords = open_catalog(directory)[_named(directory, dataset, FLOWS)].read()
    return records


def open_dataset(directory: Path, dataset: str = "") -> Source | FlowRecords:
    """Return a dataset of either kind, by default the one published last.

    Raises ``UnknownDatasetError``.
    """
    kinds = Store(directory).kinds()
    name = dataset or next(iter(kinds), "")
    is_flows = kinds.get(name) == FLOWS
    return open_flow_records(directory, name) if is_flows else open_source(directory, name)


def _named(directory: Path, dataset: str, kind: str) -> str:
    """Return the name of a dataset of a kind, by default that of the one published last."""
    from catalogs.errors import TimesError, UnknownDatasetError

    kinds = Store(directory).kinds()
    if kinds.get(dataset, kind) != kind:
        raise TimesError(
            f"The dataset {dataset!r} holds {WORDS[kinds[dataset]]}, no {WORDS[kind]}.",
            "Flow records are shown on the flow map, scenarios by all tools.",
        )
    of_kind = [name for name in kinds if kinds[name] == kind]
    if (dataset and dataset not in kinds) or not of_kind:
        raise UnknownDatasetError(
            f"There is no dataset {dataset!r}."
            if dataset
            else f"No dataset{f' of {WORDS[kind]}' if kinds else ''} has been published.",
            f"There are: {', '.join(kinds)}."
            if kinds
            else "Import files first: python -m catalogs import FILES --name NAME.",
        )
    return dataset or of_kind[0]


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
