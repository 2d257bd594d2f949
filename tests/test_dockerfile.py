"""The container image: clean for hadolint, run by nobody in particular, free of secrets."""

import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
USER = "10001"


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, comments dropped and continued lines joined."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    parts = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(name, rest) for name, rest in parts]


def final_stage() -> list[tuple[str, str]]:
    steps = instructions()
    start = max(index for index, (name, _) in enumerate(steps) if name == "FROM")
    return steps[start:]


def settings() -> dict[str, str]:
    pairs = " ".join(rest for name, rest in final_stage() if name == "ENV").split()
    return dict(pair.split("=", 1) for pair in pairs)


def test_hadolint_finds_nothing() -> None:
    # The test extra brings the program, so that its absence is a failure.
    hadolint = Path(sys.executable).with_name("hadolint")
    command = [str(hadolint), "--no-color", str(ROOT / "Dockerfile")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout == ""
    assert "hadolint ignore" not in (ROOT / "Dockerfile").read_text()


def test_the_server_runs_as_a_numbered_user_who_is_not_root() -> None:
    users = [rest for name, rest in final_stage() if name == "USER"]

    assert users == [f"{USER}:{USER}"]
    deployment = (ROOT / "k8s" / "base" / "deployment.yaml").read_text()
    assert f"runAsUser: {USER}" in deployment


def test_nothing_comes_from_elsewhere_than_the_base_image_and_this_repository() -> None:
    steps = instructions()

    assert not any(name == "ADD" for name, _ in steps)
    assert not any("://" in rest for name, rest in steps if name not in {"HEALTHCHECK"})
    for name, rest in steps:
        if name == "FROM":
            assert re.fullmatch(r"python:3\.1[1-3]-slim-\w+( AS \w+)?", rest)


def test_the_image_installs_the_tested_versions() -> None:
    installs = [rest for name, rest in instructions() if name == "RUN" and "pip install" in rest]

    assert "--constraint constraints.txt" in installs[0]
    assert all("--no-deps" in rest for rest in installs[1:])


def test_no_secret_is_written_into_the_image() -> None:
    for name, rest in instructions():
        assert not re.search(r"secret|password|token", rest, re.IGNORECASE), f"{name} {rest}"


def test_only_tmp_and_data_are_written_to() -> None:
    chosen = settings()

    assert chosen["HOME"] == "/tmp"
    assert chosen["NUMBA_CACHE_DIR"].startswith("/tmp/")
    assert chosen["MPLCONFIGDIR"].startswith("/tmp/")
    assert chosen["TIMES_DATA"] == "/data"
    assert ("VOLUME", '["/data"]') in final_stage()


def test_the_container_says_whether_it_is_well() -> None:
    (check,) = [rest for name, rest in final_stage() if name == "HEALTHCHECK"]

    assert "http://127.0.0.1:5006/healthz" in check
    assert ("EXPOSE", "5006") in final_stage()


def test_the_builder_is_sent_only_what_the_image_is_made_from() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    let_through = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    copied = [
        source
        for name, rest in instructions()
        if name == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    ]

    assert patterns[0] == "*"
    assert sorted(copied) == sorted(let_through)
    assert not any(fnmatch(name, ".*") for name in let_through)
