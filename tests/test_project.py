"""One list of dependencies, the same tasks for make and pixi, and no trace of where packages came
from."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PIXI = tomllib.loads((ROOT / "pixi.toml").read_text())
SHARED_TASKS = ("serve", "import", "test", "lint", "format", "bench", "demo")


def requirements() -> list[Requirement]:
    lines = [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]
    return [Requirement(line) for line in lines]


def exact_versions() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make without what an outer make or the environment says about variables."""
    command = ["make", "--no-print-directory", "--directory", str(ROOT), *arguments]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def commands_of(*arguments: str) -> list[str]:
    """What a make target runs in the environment, without the making of the environment."""
    # An environment that is ready is stood in for, so that nothing here depends on its state.
    ready = [f"--assume-old=.venv/.ready-{extras}" for extras in environment_extras().values()]
    printed = make("--dry-run", *ready, *arguments)
    assert printed.returncode == 0, printed.stderr
    lines = printed.stdout.splitlines()
    return [
        line.replace(".venv/bin/python -m", "python -m")
        for line in lines
        if line.startswith(".venv/bin/python -m") and " -m pip " not in line
    ]


def environment_extras() -> dict[str, str]:
    marks = re.findall(
        r"^(\w+)_READY := \$\(VENV\)/\.ready-(\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    return {name.lower(): extras for name, extras in marks}


def pixi_task(name: str) -> str:
    features = [feature for feature in PIXI["feature"].values() if name in feature["tasks"]]
    assert len(features) == 1, f"pixi must find the task {name} in one environment only"
    command: str = features[0]["tasks"][name]["cmd"]
    return command


# Dependencies


@pytest.mark.parametrize("requirement", requirements(), ids=lambda each: each.name)
def test_every_dependency_is_tested_within_its_bounds(requirement: Requirement) -> None:
    version = exact_versions().get(canonicalize_name(requirement.name))

    assert version is not None, f"{requirement.name} has no exact version in constraints.txt"
    assert requirement.specifier.contains(version)


@pytest.mark.parametrize(
    "requirement",
    [Requirement(line) for line in PROJECT["dependencies"]],
    ids=lambda each: each.name,
)
def test_every_runtime_dependency_has_a_lower_bound_that_was_tested(
    requirement: Requirement,
) -> None:
    lower = [each.version for each in requirement.specifier if each.operator in {">=", "=="}]

    assert lower == [exact_versions()[canonicalize_name(requirement.name)]]


def test_cartopy_stays_below_the_release_that_breaks_geoviews() -> None:
    (cartopy,) = [each for each in requirements() if each.name == "cartopy"]

    assert not cartopy.specifier.contains("0.26.0")


def test_pandas_is_one_that_the_gdx_extra_accepts() -> None:
    (pandas,) = [each for each in requirements() if each.name == "pandas"]

    assert not pandas.specifier.contains("3.1.0")
    assert {Requirement(line).name for line in EXTRAS["gdx"]} == {"gamsapi", "gamspy_base"}


def test_constraints_hold_exact_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    odd = [line for line in lines if not re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)]

    assert odd == []


# make and pixi


def test_pixi_is_the_same_project_and_python_as_pyproject() -> None:
    workspace = PIXI["workspace"]

    assert workspace["name"] == PROJECT["name"]
    assert workspace["version"] == PROJECT["version"]
    assert workspace["description"] == PROJECT["description"]
    assert workspace["channels"] == ["conda-forge"]
    assert "linux-64" in workspace["platforms"]
    assert SpecifierSet(PIXI["dependencies"]["python"]) == SpecifierSet(PROJECT["requires-python"])


def test_pixi_names_no_dependency_of_its_own() -> None:
    assert set(PIXI["dependencies"]) == {"python"}
    assert "pypi-dependencies" not in PIXI
    for feature in PIXI["feature"].values():
        assert set(feature) == {"pypi-dependencies", "tasks"}
        assert set(feature["pypi-dependencies"]) == {PROJECT["name"]}


@pytest.mark.parametrize("feature", PIXI["feature"])
def test_pixi_and_make_install_the_same_extras(feature: str) -> None:
    project = PIXI["feature"][feature]["pypi-dependencies"][PROJECT["name"]]

    assert project["path"] == "."
    assert project["editable"] is True
    assert set(project["extras"]) <= set(EXTRAS)
    assert ",".join(project["extras"]) == environment_extras()[feature]


def test_each_pixi_environment_is_one_feature() -> None:
    environments = PIXI["environments"]

    assert sorted(features[0] for features in environments.values()) == sorted(PIXI["feature"])
    assert all(len(features) == 1 for features in environments.values())
    assert environments["default"] == ["serve"]


def test_pixi_and_make_have_the_same_tasks() -> None:
    tasks = [name for feature in PIXI["feature"].values() for name in feature["tasks"]]

    assert sorted(tasks) == sorted(SHARED_TASKS)


@pytest.mark.parametrize("name", [name for name in SHARED_TASKS if name != "import"])
def test_a_task_runs_the_same_command_in_pixi_and_make(name: str) -> None:
    assert " && ".join(commands_of(name)) == pixi_task(name)


def test_the_import_task_takes_files_in_pixi_and_make() -> None:
    (command,) = commands_of("import", "DATA=a.vd b.vd", "DATASET=study")

    assert command == f"{pixi_task('import')} a.vd b.vd --name study"


def test_serving_own_files_imports_them_first() -> None:
    commands = commands_of("serve", "DATA=results/*.miroscen other.vd", "PORT=5010")

    assert commands == [
        "python -m catalogs import results/*.miroscen other.vd --name my-data",
        "python -m app.server --port 5010 --address localhost",
    ]


def test_importing_nothing_says_what_to_write() -> None:
    result = make("import")

    assert result.returncode != 0
    assert 'make import DATA="' in result.stderr


def test_help_names_every_target_and_is_what_make_alone_does() -> None:
    result = make()

    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    named = re.findall(r"^  make (\w+)  ", result.stdout, re.MULTILINE)
    assert sorted(named) == sorted(phony[1].split())
    assert set(SHARED_TASKS) <= set(named)


@pytest.mark.parametrize(
    ("interpreter", "advice"),
    [
        ("no-such-python", "apt-get install python3 python3-venv"),
        ("old-python", "Python 3.11 to 3.13 is needed"),
        ("bare-python", "apt-get install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_refused_in_one_line(
    interpreter: str, advice: str, tmp_path: Path
) -> None:
    # Stand-ins: one of an older version, one of Debian's without python3-venv and without pip.
    for name, accepts in {"old-python": "no such test", "bare-python": "sys.version_info"}.items():
        script = tmp_path / name
        script.write_text(f'#!/bin/sh\ncase "$*" in *"{accepts}"*) exit 0;; esac\nexit 1\n')
        script.chmod(0o755)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    path = interpreter if interpreter.startswith("no-") else str(tmp_path / interpreter)

    result = make("--directory", str(tmp_path), f"PYTHON={path}", "environment")

    assert result.returncode != 0
    said = [line for line in result.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1
    assert advice in said[0]
    assert not (tmp_path / ".venv").exists()


# What is kept in the repository


def tracked_files() -> list[Path]:
    command = ["git", "-C", str(ROOT), "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_no_file_records_where_packages_are_fetched_from() -> None:
    # Pieces, so that this file does not hold what it looks for.
    hosts = ["pypi" + r"\.org", "pythonhosted" + r"\.org", "npmjs" + r"\.(?:org|com)"]
    hosts += ["deb" + r"\.debian\.org", "conda" + r"\.anaconda\.org", "npmmirror" + r"\.com"]
    options = ["index" + "[-_]url", "find" + "-links", "trusted" + "-host", "_auth" + "Token"]
    address = re.compile("|".join([*hosts, *options]).encode(), re.IGNORECASE)

    found = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content[:8192] and (match := address.search(content)):
            found.append(f"{path.relative_to(ROOT)}: {match[0].decode()}")

    assert found == []


def test_no_lock_file_of_a_package_manager_is_kept() -> None:
    locks = {"pixi.lock", "uv.lock", "poetry.lock", "package-lock.json", "yarn.lock", ".npmrc"}

    assert [path.name for path in tracked_files() if path.name in locks] == []


def test_commit_hooks_need_nothing_but_the_environment() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())

    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/")


def test_warnings_fail_the_tests() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]

    assert settings["filterwarnings"][0] == "error"
    broad = [each for each in settings["filterwarnings"][1:] if re.fullmatch(r"\w+(::\w*)?", each)]
    assert broad == []
