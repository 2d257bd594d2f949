"""The store: published datasets as immutable files and one manifest each.

    <data directory>/<dataset>/manifest.json
    <data directory>/<dataset>/<scenario>-<hash>.duckdb      one per scenario
    <data directory>/<dataset>/.importing-<name>/            what an import is working on

Publishing writes new files under new names and then renames the manifest: a reader sees the old
version or the new one, nothing in between. A file's name holds the hash of what it was made from,
so a path never changes its content, and importing the same files twice gives the same version.
An import holds a lock in the folder that it works in, which ends with its process however that
ends: a folder whose lock is free is what a killed import left, and the next one removes it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import IO, Any

from catalogs.errors import StoreBusyError, TimesError, UnknownDatasetError, UnknownNameError

MANIFEST = "manifest.json"
_FORMAT = 1
#: Kinds of datasets: TIMES scenarios, a file each; or flow records, see ``catalogs.flow_records``.
SCENARIOS = "scenarios"
FLOWS = "flow records"
#: Seconds for which files that no manifest names any more are kept for those still reading them.
GRACE_TIME = 3600.0
#: Begins the name of the folder in which an import works.
WORK_PREFIX = ".importing-"
#: The file in that folder whose lock the import holds.
WORK_LOCK = "lock"
#: A manifest while it is being written, by the number of the process that does.
_HALF_WRITTEN = "manifest.{}.new"
#: What a dataset of each kind is made of, to people.
WORDS = {SCENARIOS: "TIMES scenarios", FLOWS: "flow records"}
_NOTHING: Mapping[str, Path] = MappingProxyType({})
_DATASET_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")


@dataclass(frozen=True)
class InputFile:
    """A file that went into a scenario: its name without folder, its SHA-256 and size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class PublishedScenario:
    """One scenario of a dataset.

    ``key`` names it within the dataset: its own name, or with the model's where two models have a
    scenario of the same name. ``digest`` is the hash of everything it was made from.
    """

    key: str
    model: str
    scenario: str
    description: str
    source_format: str
    file: str
    digest: str
    rows: int
    imported_at: str
    inputs: tuple[InputFile, ...]

    @property
    def identity(self) -> tuple[str, str]:
        """Importing a scenario of the same identity replaces this one."""
        return (self.model, self.scenario)


@dataclass(frozen=True)
class Manifest:
    """A published version of a dataset.

    ``kind`` says what it is of: ``SCENARIOS``, or ``FLOWS``, whose one entry in ``scenarios`` is
    the file of the records.
    """

    dataset: str
    version: str
    published_at: str
    scenarios: tuple[PublishedScenario, ...]
    kind: str = SCENARIOS

    def to_json(self) -> str:
        """Return the manifest as it is stored."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read a stored manifest. Raises ``ValueError`` or ``KeyError`` where it is damaged."""
        content: dict[str, Any] = json.loads(text)
        if content.pop("format") != _FORMAT or content.get("kind", SCENARIOS) not in WORDS:
            raise ValueError("the manifest was written by another version of this program")
        scenarios = tuple(
            PublishedScenario(**{**s, "inputs": tuple(InputFile(**i) for i in s["inputs"])})
            for s in content.pop("scenarios")
        )
        return cls(**content, scenarios=scenarios)


@dataclass(frozen=True)
class Store:
    """All published datasets below one folder."""

    directory: Path

    def datasets(self, kind: str = "") -> list[str]:
        """Return the names of the published datasets, the one published last first.

        ``kind`` leaves those of other kinds out. One whose manifest is damaged comes last: it
        keeps nobody from the others.
        """
        return [name for name, is_of in self.kinds().items() if kind in ("", is_of)]

    def kinds(self) -> dict[str, str]:
        """Return the kind of each published dataset, in the order of ``datasets``.

        One whose manifest is damaged counts as one of scenarios: opening it says what is wrong.
        """
        found = []
        for path in self.directory.glob(f"*/{MANIFEST}"):
            published_at, kind = "", SCENARIOS
            with suppress(TimesError):
                manifest = read_manifest(path)
                published_at, kind = manifest.published_at, manifest.kind
            found.append((published_at, path.parent.name, kind))
        return {name: kind for _, name, kind in sorted(found, reverse=True)}

    def folder(self, dataset: str) -> Path:
        """Return the folder of a dataset. Raises ``TimesError`` for an unusable name."""
        if not _DATASET_NAME.match(dataset):
            raise TimesError(
                f"{dataset!r} cannot be the name of a dataset.",
                "Use up to 64 letters, digits, spaces, dots, hyphens and underscores.",
            )
        return self.directory / dataset

    def manifest_path(self, dataset: str) -> Path:
        """Return where the manifest of a dataset is, whether or not it has been published."""
        return self.folder(dataset) / MANIFEST

    def manifest(self, dataset: str) -> Manifest:
        """Return the current version of a dataset. Raises ``UnknownDatasetError``."""
        return read_manifest(self.manifest_path(dataset))

    def published(self, dataset: str) -> Manifest | None:
        """Return the current version of a dataset, None where there is none yet."""
        return self.manifest(dataset) if self.manifest_path(dataset).exists() else None

    @contextmanager
    def work_folder(self, dataset: str) -> Iterator[Path]:
        """Give an import a folder to work in, on the disk of the dataset; it goes afterwards.

        What imports that were killed have left in the dataset's folder is removed first.
        """
        folder = self.folder(dataset)
        folder.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder)
        while True:
            with (
                TemporaryDirectory(
                    prefix=WORK_PREFIX, dir=folder, ignore_cleanup_errors=True
                ) as name,
                _locked(Path(name)) as is_ours,
            ):
                if is_ours:
                    yield Path(name)
                    return

    def publish(
        self,
        dataset: str,
        scenarios: Sequence[PublishedScenario],
        new_files: Mapping[str, Path] = _NOTHING,
        kind: str = SCENARIOS,
    ) -> Manifest:
        """Add scenarios to a dataset, in place of those of the same identity.

        ``new_files`` says where those of their files are that are not in the dataset's folder
        yet, by the names that they have there; they are moved into it. Raises
        ``StoreBusyError`` when another process is publishing, and ``TimesError`` where the
        dataset is of another ``kind``.
        """
        replaced = {scenario.identity for scenario in scenarios}
        with self._lock(dataset):
            self.check_kind(dataset, kind)
            for name, path in new_files.items():
                os.replace(path, self.folder(dataset) / name)
            before = self.published(dataset)
            kept = [s for s in (before.scenarios if before else ()) if s.identity not in replaced]
            return self._write(dataset, [*kept, *scenarios], before, kind)

    def check_kind(self, dataset: str, kind: str) -> None:
        """Raise ``TimesError`` where a dataset is published already and of another kind."""
        before = self.published(dataset)
        if before and before.kind != kind:
            raise TimesError(
                f"The dataset {dataset!r} is one of {WORDS[before.kind]}, and these are"
                f" {WORDS[kind]}.",
                "Import them under another name: --name NAME.",
            )

    def drop(self, dataset: str, keys: Iterable[str]) -> Manifest:
        """Take scenarios out of a dataset; their files go after the grace time.

        Raises ``UnknownNameError`` for a scenario that it does not have.
        """
        gone = set(keys)
        with self._lock(dataset):
            before = self.manifest(dataset)
            names = [s.key for s in before.scenarios]
            if unknown := sorted(gone.difference(names)):
                raise UnknownNameError(
                    f"The dataset {dataset!r} has no scenario {unknown[0]!r}.",
                    f"It has {', '.join(names[:20])}.",
                )
            kept = [s for s in before.scenarios if s.key not in gone]
            return self._write(dataset, kept, before, before.kind)

    def _write(
        self,
        dataset: str,
        scenarios: list[PublishedScenario],
        before: Manifest | None,
        kind: str,
    ) -> Manifest:
        scenarios = _with_keys(sorted(scenarios, key=lambda s: s.identity))
        version = data_version(scenarios)
        if before and before.version == version:
            self._remove_unused(dataset, before, before)
            return before
        manifest = Manifest(dataset, version, now(), tuple(scenarios), kind)
        path = self.manifest_path(dataset)
        temporary = path.with_name(_HALF_WRITTEN.format(os.getpid()))
        try:
            with temporary.open("w", encoding="utf-8") as stream:
                stream.write(manifest.to_json())
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        self._remove_unused(dataset, manifest, before)
        return manifest

    def _remove_unused(self, dataset: str, manifest: Manifest, before: Manifest | None) -> None:
        """Remove files that have been unused for the grace time, and manifests half written.

        A file's time stamp says when it was last used: it is set when a manifest drops the file.
        Only who holds the lock writes a manifest, so one half written is a killed process's.
        """
        folder = self.folder(dataset)
        used = {scenario.file for scenario in manifest.scenarios}
        for dropped in {s.file for s in (before.scenarios if before else ())} - used:
            if (folder / dropped).exists():
                os.utime(folder / dropped)
        for path in folder.glob("*.duckdb*"):
            if path.name not in used and _older_than(path, GRACE_TIME):
                path.unlink(missing_ok=True)
        for path in folder.glob(_HALF_WRITTEN.format("*")):
            path.unlink(missing_ok=True)

    @contextmanager
    def _lock(self, dataset: str) -> Iterator[None]:
        folder = self.folder(dataset)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreBusyError(
                    f"Another import is publishing to the dataset {dataset!r}.",
                    "Try again when it has finished.",
                ) from error
            yield


def _older_than(path: Path, seconds: float) -> bool:
    """Whether a file has not been written to for so long."""
    try:
        return path.stat().st_mtime < time.time() - seconds
    except FileNotFoundError:
        return False


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Lock a folder that an import works in; False where another process has it or removed it."""
    path = folder / WORK_LOCK
    try:
        lock: IO[str] = path.open("w")
    except (FileNotFoundError, NotADirectoryError):
        yield False
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its folder may have been removed, by who had the lock, before it was free.
            is_ours = os.path.samestat(os.fstat(lock.fileno()), path.stat())
        except (BlockingIOError, FileNotFoundError):
            is_ours = False
        yield is_ours


def _remove_abandoned(folder: Path) -> None:
    """Remove the folders of imports whose process is no more."""
    for path in folder.glob(f"{WORK_PREFIX}*"):
        with _locked(path) as is_ours:
            if is_ours:
                shutil.rmtree(path, ignore_errors=True)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest. Raises ``UnknownDatasetError`` or ``TimesError``."""
    try:
        return Manifest.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UnknownDatasetError(
            f"There is no dataset {path.parent.name!r}.",
            "Import files first: python -m catalogs import FILES --name NAME.",
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TimesError(
            f"The manifest of the dataset {path.parent.name!r} cannot be read.",
            f"Delete {path.parent.name}/{path.name} in the data directory, then import its files"
            " again.",
            str(error),
        ) from error


def data_version(scenarios: Iterable[PublishedScenario]) -> str:
    """Return the hash of what the scenarios were made from, whatever their order."""
    together = "\n".join(sorted(f"{s.model}\t{s.scenario}\t{s.digest}" for s in scenarios))
    return hashlib.sha256(together.encode()).hexdigest()[:16]


def now() -> str:
    """Return the present time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _with_keys(scenarios: list[PublishedScenario]) -> list[PublishedScenario]:
    names = [s.scenario for s in scenarios]
    return [
        replace(s, key=s.scenario if names.count(s.scenario) == 1 else f"{s.scenario} ({s.model})")
        for s in scenarios
    ]
