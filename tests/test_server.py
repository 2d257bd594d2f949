"""What the server sends: pages, health, files, headers. No browser here."""

from __future__ import annotations

import base64
import gzip
import json
import re
import urllib.error
import urllib.request
import zlib
from email.message import Message
from pathlib import Path
from urllib.parse import urljoin

import param
import pytest

from app.address import AddressSync, decode, encode
from app.server.__main__ import parse
from app.server.safety import CONTENT_SECURITY_POLICY, headers_with_tiles
from app.server.serve import arguments
from app.server.settings import Settings
from app.tools import TOOLS
from tests.browser import ROOT, Served


def get(url: str, **headers: str) -> tuple[int, Message, bytes]:
    """Status, headers and body of a response."""
    request = urllib.request.Request(
        url, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def script_addresses(served: Served) -> list[str]:
    """Addresses of the scripts that a page names."""
    _, _, body = get(f"{served.url}/times")
    found = re.findall(r'(?:src|modulepreload" href)="([^"]+\.js[^"]*)"', body.decode())
    return [urljoin(f"{served.url}/times", address) for address in found]


def token_of(page: str) -> dict:
    """The contents of the session token in a page."""
    token = re.search(r'"token":\s*"([^"]+)"', page)[1]
    inner = json.loads(_decoded(token.split(".")[0]))
    packed = inner.pop("__bk__zlib_", None)
    if packed:
        inner.update(json.loads(zlib.decompress(_base64(packed))))
    return inner


def _base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _decoded(text: str) -> str:
    return _base64(text).decode()


def test_health_is_said_without_a_login(served_stand_in: Served):
    assert get(f"{served_stand_in.url}/healthz")[::2] == (200, b"ok")
    assert get(f"{served_stand_in.url}/readyz")[::2] == (200, b"ready")


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.route)
def test_every_tool_is_served_at_its_route(tool, served: Served):
    status, headers, body = get(served.url + tool.route)
    assert status == 200
    assert "text/html" in headers["Content-Type"]
    assert "Traceback" not in body.decode()
    assert "Error" not in served.log


def test_file_names_are_no_second_addresses(served_stand_in: Served):
    assert get(f"{served_stand_in.url}/home")[0] == 404


def test_every_page_file_is_in_the_manifest_and_the_other_way_round():
    # A page file is one that serves a page; the other modules of app/ are its machinery.
    pages = {
        path
        for path in (ROOT / "app").glob("*.py")
        if re.search(r"^serve_page\(", path.read_text(), re.MULTILINE)
    }
    assert pages == {tool.page_file for tool in TOOLS}


def test_page_files_name_the_route_of_the_manifest():
    for tool in TOOLS:
        assert f'serve_page("{tool.route}"' in tool.page_file.read_text()


def test_manifest_has_distinct_routes_names_and_orders():
    for attribute in ("route", "name", "order", "page_file"):
        values = [getattr(tool, attribute) for tool in TOOLS]
        assert len(set(values)) == len(values)
    assert list(TOOLS) == sorted(TOOLS)
    assert TOOLS[0].route == "/"


def test_scripts_are_sent_compressed_and_kept_for_ever(served_stand_in: Served):
    addresses = script_addresses(served_stand_in)
    assert len(addresses) >= 4
    for address in addresses:
        status, headers, body = get(address, Accept_Encoding="gzip")
        assert status == 200, address
        assert headers["Content-Encoding"] == "gzip"
        assert headers["Vary"] == "Accept-Encoding"
        assert int(headers["Content-Length"]) == len(body)
        _, plain_headers, plain = get(address)
        assert plain_headers["Content-Encoding"] is None
        assert gzip.decompress(body) == plain
        if "?" in address:
            assert "immutable" in headers["Cache-Control"]


def test_browser_need_not_fetch_an_unchanged_file_again(served_stand_in: Served):
    address = script_addresses(served_stand_in)[0]
    _, headers, _ = get(address, Accept_Encoding="gzip")
    status, _, body = get(address, Accept_Encoding="gzip", If_None_Match=headers["Etag"])
    assert (status, body) == (304, b"")


def test_files_outside_the_static_folders_are_not_sent(served_stand_in: Served):
    for path in (
        "static/../../../../etc/passwd",
        "static/extensions/panel/%2e%2e/%2e%2e/config.py",
        "static/extensions/panel/../config.py",
        "static/extensions/unknown/x.js",
    ):
        assert get(f"{served_stand_in.url}/{path}", Accept_Encoding="gzip")[0] in (403, 404)


def test_pages_load_less_than_panel_would(served_stand_in: Served):
    addresses = " ".join(script_addresses(served_stand_in))
    for unused in ("bokeh-gl", "bokeh-mathjax", "es-module-shims"):
        assert unused not in addresses
    sent = sum(len(get(url, Accept_Encoding="gzip")[2]) for url in addresses.split())
    assert sent < 1_500_000


def test_token_holds_no_headers_and_cookies_of_others(served_stand_in: Served):
    _, _, body = get(
        f"{served_stand_in.url}/times",
        Cookie="session=secret-cookie; times-theme=dark",
        Authorization="Bearer secret-header",
        X_Forwarded_User="secret-user",
        X_Times_Visitor="secret forgery",
    )
    token = token_of(body.decode())
    assert token["cookies"] == {"times-theme": "dark"}
    # The visitor's own address, for the limits of SQL.
    assert {name.lower() for name in token["headers"]} == {"x-times-visitor"}
    assert "secret" not in json.dumps(token)


def test_early_beginning_and_rest_make_one_page(served_stand_in: Served):
    pages = [get(f"{served_stand_in.url}/times")[2].decode() for _ in range(2)]
    for page in pages:
        assert page.count("<!DOCTYPE html>") == page.count("</html>") == 1
        assert page.count("/bokeh.min.js") == page.count("/panel.min.js") == 1


@pytest.mark.parametrize("path", ["/", "/times", "/healthz", "/nowhere"])
def test_every_response_forbids_other_hosts_and_guessing(path: str, served_stand_in: Served):
    _, headers, _ = get(served_stand_in.url + path)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'")
    assert "http" not in policy
    assert "*" not in policy


def test_only_a_page_with_a_web_map_may_load_its_pictures():
    settings = Settings.from_environment({"TIMES_TILES": "https://maps.example/{Z}/{X}/{Y}.png"})
    headers = headers_with_tiles(settings.tile_host)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith(CONTENT_SECURITY_POLICY)
    assert policy.endswith("; img-src 'self' data: blob: https://maps.example")
    assert Settings.from_environment({"TIMES_TILES": ""}).tile_host == ""


@pytest.mark.parametrize(
    "address",
    [
        "maps.example/{Z}/{X}/{Y}.png",
        "https://maps.example/",
        "https://maps.example/{X}/{Y}/{Z}; script-src *",
        "https://maps.example;x/{X}/{Y}/{Z}",
    ],
)
def test_what_is_no_address_of_a_web_map_is_refused(address: str):
    with pytest.raises(ValueError, match="TIMES_TILES"):
        Settings.from_environment({"TIMES_TILES": address})


def test_pages_are_not_cached(served_stand_in: Served):
    _, headers, _ = get(f"{served_stand_in.url}/times")
    assert headers["Cache-Control"] == "no-store"


def test_an_error_is_explained_on_the_page_and_logged_with_its_id(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    from components.notices import error_notice

    shown = error_notice(RuntimeError("/secret/path"))
    texts = " ".join(part.text for part in shown.select(lambda part: hasattr(part, "tag")))
    assert "/secret/path" not in texts
    error_id = re.search(r"error id (\w{8})", texts)[1]
    assert f"Error {error_id}: /secret/path" in caplog.text


def test_settings_come_from_the_environment_and_the_command_line(monkeypatch: pytest.MonkeyPatch):
    settings = Settings.from_environment(
        {"TIMES_DATA": "/data", "BOKEH_ALLOW_WS_ORIGIN": "a.example, b.example:5006"}
    )
    assert settings.data_directory == Path("/data")
    assert settings.websocket_origins == ("a.example", "b.example:5006")
    assert Settings.from_environment({}) == Settings()
    monkeypatch.setenv("TIMES_DATA", "/elsewhere")
    given = parse(["--port", "6000", "--allow-websocket-origin", "c.example"])
    assert (given.port, given.data_directory) == (6000, Path("/elsewhere"))
    assert given.websocket_origins == ("c.example",)


def test_sessions_are_signed_when_there_is_a_secret(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("BOKEH_SECRET_KEY", raising=False)
    assert "--session-ids" not in arguments(Settings())
    monkeypatch.setenv("BOKEH_SECRET_KEY", "x" * 32)
    words = arguments(Settings())
    assert words[words.index("--session-ids") + 1] == "signed"


class Everything(param.Parameterized):
    """Every kind of param that an address may carry."""

    names = param.List(default=[], item_type=str)
    codes = param.Tuple(default=("a",), length=None)
    years = param.List(default=[2020], item_type=int)
    range = param.Range(default=(2020.0, 2050.5))
    many = param.ListSelector(default=[], objects=[2020, "2030, late"])
    one = param.Selector(default="PJ", objects=["PJ", "TWh", 1])
    maybe = param.String(default=None, allow_None=True)
    stacked = param.Boolean(default=False)
    count = param.Integer(default=3, bounds=(0, 9))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("names", ["Base", "Low, CO2", "a\\b", "", "æ&=%+ ?"], None),
        ("names", ["x"], "x"),
        ("names", [""], None),
        ("names", [], ""),
        ("codes", ("DK", "SE,1"), "DK,SE\\,1"),
        ("years", [2020, 2050], "2020,2050"),
        ("range", (2025, 2040.5), "2025,2040.5"),
        ("many", ["2030, late", 2020], "2030\\, late,2020"),
        ("one", 1, "1"),
        ("maybe", None, ""),
        ("stacked", True, "true"),
        ("count", 0, "0"),
    ],
)
def test_address_keeps_every_kind_of_value(name: str, value: object, text: str | None):
    parameter = Everything.param[name]
    if text is not None:
        assert encode(value) == text
    assert decode(encode(value), parameter, parameter.default) == value


def test_address_holds_the_state_and_going_back_restores_it():
    class Place(param.Parameterized):
        search = param.String(default="")

    place, state, bad = Place(), Everything(names=["first"]), []
    sync = AddressSync(place, [(state, ["names", "count", "stacked"])], bad.extend)
    assert place.search == "?names=first"
    state.param.update(names=["a,b", "ø"], stacked=True)
    assert place.search == "?names=a%5C,b,%C3%B8&stacked=true"
    sync.follow("?count=99&stacked=perhaps&names=c")
    assert (state.names, state.count, state.stacked) == (["c"], 3, False)
    assert bad == ["stacked", "count"]
    sync.follow("")
    assert state.names == ["first"]


def test_address_refuses_one_name_for_two_things():
    with pytest.raises(ValueError, match="same name"):
        AddressSync(Everything(maybe=""), [(Everything(), ["one"]), (Everything(), ["one"])], print)
