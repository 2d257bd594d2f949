"""The HTTP API: what its description promises, by itself and behind the server."""

from __future__ import annotations

import io
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pyarrow.parquet as pq
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application

from app.server.api import Api, SqlBackend
from tests.browser import ROOT, Served, free_port
from tests.test_server import get
from tests.times_files import flows, publish, write_set

TOKEN = secrets.token_hex(16)


@dataclass(frozen=True)
class Alone:
    """A backend that runs by itself on a port."""

    url: str
    token: str

    def get(self, path: str, **parameters: object) -> httpx.Response:
        """Ask it as the server does."""
        headers = {"X-Times-Token": self.token, "X-Times-Address": "192.0.2.1"}
        return httpx.get(self.url + path, params=parameters or None, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """`python -m app.backend` on a port, over one plant's results."""
    data = tmp_path_factory.mktemp("data")
    files = write_set(tmp_path_factory.mktemp("files"), flows("PLANT: COA 100 -> ELC 40"))
    publish(files, data, "case")
    port = free_port()
    environment = {
        **os.environ,
        "TIMES_DATA": str(data),
        "TIMES_SQL_TOKEN": TOKEN,
        "TIMES_SQL_PER_MINUTE": "100000",
        "TIMES_SQL_PER_MINUTE_ADDRESS": "100000",
        "TIMES_SQL_SECONDS": "2",
        "TIMES_SQL_TEXT": "50000",
        "TIMES_SQL_LOG": str(data / "sql.log"),
    }
    command = [sys.executable, "-m", "app.backend", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    backend = Alone(f"http://127.0.0.1:{port}", TOKEN)
    try:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                assert backend.get("/api/health").json() == {"status": "ok"}
                break
            except httpx.TransportError:
                assert process.poll() is None
                time.sleep(0.05)
        yield backend
    finally:
        process.terminate()
        assert process.wait(timeout=30) in (0, -signal.SIGTERM)


@pytest.fixture(scope="module")
def described(alone: Alone) -> schemathesis.BaseSchema:
    """What the backend says of itself."""
    description = alone.get("/api/openapi.json").json()
    schema = schemathesis.openapi.from_dict(description)
    schema.config.update(base_url=alone.url)
    return schema


PATHS = ("/api/query", "/api/export/{link}", "/api/datasets", "/api/health")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
def test_the_api_answers_as_it_is_described(
    described: schemathesis.BaseSchema, path: str, mode: GenerationMode
) -> None:
    operation = described[path]["GET"]
    if mode == GenerationMode.NEGATIVE and path != "/api/query":
        return  # any text may be a link, and the others take nothing

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    def answers(case: schemathesis.Case) -> None:
        case.call_and_validate(
            headers={"X-Times-Token": TOKEN},
            # Any text fits the description of `sql`, and hardly any is a query.
            excluded_checks=[positive_data_acceptance],
            timeout=60,
        )

    answers()


def test_nobody_without_the_token_is_answered(alone: Alone) -> None:
    for headers in ({}, {"X-Times-Token": "guessed"}, {"X-Times-Token": TOKEN[:-1]}):
        for path in ("/api/health", "/api/query?sql=SELECT%201", "/internal/limits"):
            answer = httpx.get(alone.url + path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"


def test_a_backend_without_a_secret_does_not_start() -> None:
    environment = {**os.environ, "TIMES_SQL_TOKEN": "short"}
    command = [sys.executable, "-m", "app.backend", "--port", str(free_port())]

    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert "TIMES_SQL_TOKEN has to hold a secret" in ended.stderr


def test_results_come_in_the_format_asked_for(alone: Alone) -> None:
    sql = "SELECT commodity, value FROM flow_annual WHERE value > $least ORDER BY value"

    as_json = alone.get("/api/query", sql=sql, **{"p.least": 50})
    as_csv = alone.get("/api/query", sql=sql, format="csv", **{"p.least": 1})
    as_parquet = alone.get("/api/query", sql=sql, format="parquet", **{"p.least": "1"})

    assert as_json.json() == [{"commodity": "COA", "value": 100.0}]
    assert as_csv.text == '\ufeff"commodity","value"\n"ELC",40\n"COA",100\n'
    assert pq.read_table(io.BytesIO(as_parquet.content)).num_rows == 2
    assert as_csv.headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize(
    ("asked", "status", "kind"),
    [
        ({"sql": "SELEC 1"}, 400, "syntax"),
        ({"sql": ""}, 400, "not_a_select"),
        ({"sql": "DROP VIEW flow"}, 400, "not_a_select"),
        ({"sql": "SELECT $a"}, 400, "parameter"),
        ({"sql": "SELECT 'x'::INTEGER"}, 400, "data"),
        ({"sql": "FROM '/etc/passwd'"}, 403, "forbidden"),
        ({"sql": "SELECT 1", "dataset": "none"}, 404, "dataset"),
        ({"sql": "SELECT 1", "version": "older"}, 409, "stale"),
        ({"sql": "SELECT '" + "x" * 50_001 + "'"}, 413, "size"),
        ({"sql": "SELECT len(range(2000000000))"}, 422, "memory"),
        ({"sql": "SELECT count(*) FROM range(1000000000000)"}, 422, "time"),
    ],
)
def test_problems_are_told_in_one_form(
    alone: Alone, asked: dict[str, str], status: int, kind: str
) -> None:
    if kind == "time":
        # Exports may take longer: what is asked of pages has the short limit.
        content = {"dataset": "case", "parameters": {}, "version": "", "rows": 1, "query_id": "q"}
        answer = httpx.post(
            f"{alone.url}/internal/run",
            json={**content, **asked, "who": "a", "address": ""},
            headers={"X-Times-Token": TOKEN},
            timeout=60,
        )
    else:
        answer = alone.get("/api/query", **asked)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["kind"], problem["status"]) == (kind, status)
    assert problem["title"]


def test_the_description_can_be_read_by_people_without_any_other_host(alone: Alone) -> None:
    page = alone.get("/api/docs").text

    assert "/api/query" in page
    assert "http" not in page.replace("https://json-schema", "")
    assert "<script" not in page


# ---------------------------------------------------------------------- behind the server


def query(served: Served, sql: str, **more: str) -> str:
    """The address of a query."""
    return f"{served.url}/api/query?{urllib.parse.urlencode({'sql': sql, **more})}"


def test_the_server_hands_the_api_on(served: Served) -> None:
    status, headers, body = get(query(served, "SELECT count(*) AS n FROM result", format="csv"))

    assert status == 200
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["Content-Security-Policy"]
    assert headers["Server"] == "times"
    assert int(body.decode().splitlines()[1]) > 1000
    assert get(query(served, "SELEC 1"))[0] == 400
    assert json.loads(get(f"{served.url}/api/datasets")[2])[0]["name"] == "demo"
    assert get(f"{served.url}/api/nothing")[0] == 404
    assert get(f"{served.url}/internal/limits")[0] == 404


def test_what_is_not_asked_in_the_right_way_is_refused_by_the_server(served: Served) -> None:
    posted = httpx.post(f"{served.url}/api/query", json={})
    long = httpx.get(f"{served.url}/api/query?sql=" + "x" * 61_000)

    assert (posted.status_code, posted.headers["Allow"]) == (405, "GET")
    assert long.status_code == 414
    assert posted.headers["content-type"] == long.headers["content-type"]


def test_a_result_is_streamed_through_the_server_unpacked_and_whole(served: Served) -> None:
    address = query(served, "SELECT range AS n, hash(range) AS h FROM range(300000)", format="csv")

    answer = httpx.get(address, headers={"Accept-Encoding": "gzip"}, timeout=60)

    assert answer.headers.get("content-encoding", "identity") == "identity"
    assert len(answer.text.splitlines()) == 300_001


def test_the_token_is_in_no_page_and_no_log(served: Served) -> None:
    get(query(served, "SELECT 'in the log'"))

    assert '"sql": "SELECT \'in the log\'"' in served.log
    assert "X-Times-Token" not in served.log
    assert "token" not in served.log.lower()
    page = get(f"{served.url}/times")[2].decode()
    assert "X-Times" not in page
    assert "times-sql" not in page


def test_a_backend_that_ends_is_started_again(served: Served) -> None:
    (backend,) = [
        process
        for process in psutil.process_iter(["cmdline", "ppid"])
        if "--supervised" in (process.info["cmdline"] or ())
        and f"{served.data_directory}" in environment_of(process.info["ppid"])
    ]
    backend.kill()

    end = time.monotonic() + 120
    while (answer := httpx.get(query(served, "SELECT 1 AS one"), timeout=60)).status_code == 503:
        assert answer.json()["title"].endswith("Try again shortly.")
        assert time.monotonic() < end
        time.sleep(0.2)
    assert answer.json() == [{"one": 1}]


def environment_of(number: int) -> str:
    """The command line of a process."""
    return Path(f"/proc/{number}/cmdline").read_text().replace("\0", " ")


class SignIn:
    """Stands in for a way to sign in: a cookie names the user."""

    get_user_async = None
    login_url = "/login"

    @staticmethod
    def get_user(handler: Api) -> str | None:
        """Return who asks."""
        return handler.get_cookie("user")


class TestSignIn(AsyncHTTPTestCase):
    """Where pages ask people to sign in, the API does too."""

    def get_app(self) -> Application:
        """An application with a sign-in and the API."""
        application = Application([(r"/api/(.*)", Api)])
        application.auth_provider = SignIn  # type: ignore[attr-defined]
        return application

    def test_nobody_is_answered_before_signing_in(self) -> None:
        SqlBackend.current = None
        assert self.fetch("/api/health").code == 401

    def test_who_has_signed_in_is_handed_on(self) -> None:
        from app.backend.client import Backend

        SqlBackend.current = Backend("unix:/nowhere", "x")
        answer = self.fetch("/api/health", headers={"Cookie": "user=ann"})
        SqlBackend.current = None
        assert answer.code == 503
