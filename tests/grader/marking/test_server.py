"""The page's server, spoken to by hand: what is refused, what every answer carries, what survives a kill."""

import asyncio
import http.client
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader.cli import main
from grader.marking.command import _tls
from grader.marking.guard import is_loopback
from grader.marking.handlers import News
from grader.marking.store import StoreError
from tests.marking.attacks import REQUESTS, TEXTS
from tests.marking.classroom import PARTS, make_class, result, write_result, write_run
from tests.marking.running import Running

CHECK = PARTS[0][0]
ADDRESSES = [
    "/",
    "/mark/x",
    "/page/app.js",
    "/page/mark.css",
    "/api/overview",
    "/api/nothing",
    "/nothing",
    "/join/" + "A" * 30,
    "/points.csv",
]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = make_class(tmp_path_factory.mktemp("class") / "results", 6)
    for name, (_, text) in TEXTS.items():
        write_result(folder, result(f"hostile {name} <script>", {CHECK: text.encode("utf-8", "replace").decode()}))
    write_run(folder)
    with Running(folder, "--colleague", "Ben") as page:
        page.lead, page.ben = page.client(), page.client(page.colleagues[0])
        yield page


@pytest.mark.parametrize("name", REQUESTS)
def test_what_must_be_refused_is(running: Running, name: str) -> None:
    before = running.lead.get("overview")["last"]
    status = REQUESTS[name][1](running.ben)
    assert 400 <= status < 500, f"{name}: {status}"
    assert running.lead.get("overview")["last"] == before, f"{name} changed something"


def test_an_address_lets_in_once_and_the_cookie_is_kept_from_scripts_and_sites(running: Running) -> None:
    status, made = running.lead.send("invite", person="Eve")
    assert status == 200
    first, second = (running.lead.ask("GET", made["path"], headers={"Cookie": ""}) for _ in range(2))
    assert (first[0], second[0]) == (200, 403)
    cookie = first[1]["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "Set-Cookie" not in second[1]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("is_known", [True, False])
def test_every_answer_carries_the_policy(running: Running, address: str, is_known: bool) -> None:
    _, headers, body = running.lead.ask("GET", address, headers={} if is_known else {"Cookie": ""})
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in policy
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
    assert "Tornado" not in headers["Server"]
    assert b"Traceback" not in body
    if headers["Content-Type"].startswith("text/html"):
        assert b"<script>" not in body
        assert b"style=" not in body


def test_hostile_answers_are_searched_and_marked_like_any_other(running: Running) -> None:
    found = running.lead.get("search", check=CHECK, words="", names="1")
    assert found["count"] == 6 + len(TEXTS)
    for hit in found["found"]:
        answer = running.lead.get("answer", check=CHECK, id=hit["id"], names="1")
        assert "<script" not in answer["html"]
        sent = {"check": CHECK, "id": hit["id"], "digest": answer["digest"], "base": answer["base"]}
        assert running.lead.send("mark", **sent, mark={"items": [], "comment": TEXTS["script"][1]})[0] == 200
    part = running.lead.get("part", check=CHECK)
    assert "<script" not in part["comments"][0]["html"]


def test_only_ours_and_loopback() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "[::1]", "localhost", "127.8.8.8")] == [True] * 5
    assert [is_loopback(host) for host in ("0.0.0.0", "192.0.2.1", "localhost.evil.example", "", "::")] == [False] * 5


def test_elsewhere_than_on_loopback_it_asks_for_a_certificate(tmp_path: Path) -> None:
    class Options:
        listen, cert, key = "0.0.0.0", None, None

    with pytest.raises(StoreError, match="give --cert and --key"):
        _tls(Options)  # type: ignore[arg-type]
    Options.cert = tmp_path / "none.pem"  # type: ignore[assignment]
    with pytest.raises(StoreError, match=r"certificate .* cannot be used"):
        _tls(Options)  # type: ignore[arg-type]


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine's names that vouches for itself, and its key."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("no openssl command makes a certificate here")
    cert, key = folder / "cert.pem", folder / "key.pem"
    names = ",".join(f"DNS:{name}" for name in {socket.gethostname(), socket.getfqdn()})
    new = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=marking"]
    made = ["-addext", f"subjectAltName={names}", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*new, *made], check=True, capture_output=True)
    return cert, key


def _ask_in_clear(port: int, path: str) -> bytes:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    asked.request("GET", path)
    return asked.getresponse().read()


def test_on_the_network_markers_speak_through_tls_and_nothing_is_told_in_clear(tmp_path: Path) -> None:
    cert, key = _certificate(tmp_path)
    trust = ssl.create_default_context(cafile=str(cert))
    options = ("--listen", "0.0.0.0", "--cert", str(cert), "--key", str(key))
    with Running(make_class(tmp_path / "results", 2), *options) as page:
        assert page.base.startswith("https://")
        with pytest.raises((http.client.HTTPException, OSError)):
            _ask_in_clear(page.port, "/join/" + page.address.rpartition("/")[2])
        with pytest.raises(ssl.SSLCertVerificationError):
            page.client(trust=ssl.create_default_context())
        lead = page.client(trust=trust)
        assert "secure" in lead.flags.lower()
        answer = lead.get("answer", **lead.get("open", check=CHECK)["open"])
        place = {name: answer[name] for name in ("check", "id", "digest", "base")}
        mark = {"items": [], "comment": "", "change": 0, "reason": ""}
        assert lead.send("mark", **place, mark=mark)[0] == 200
        assert isinstance(lead.connection.sock, ssl.SSLSocket), "marked in clear"


def test_it_listens_on_this_machine_alone(running: Running) -> None:
    try:
        others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    except socket.gaierror:
        pytest.skip("this machine has no other address by its own name")
    for address in others - {"127.0.0.1"}:
        if address.startswith("127."):
            continue
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((address, running.port)) != 0


def test_killed_at_once_and_started_again_everybody_goes_on(tmp_path: Path) -> None:
    folder = make_class(tmp_path / "results", 5, pictures=False)
    with Running(folder, "--colleague", "Ben", port=_free_port()) as page:
        ben = page.client(page.colleagues[0])
        acknowledged = {}
        for hit in ben.get("search", check=CHECK)["found"]:
            answer = ben.get("answer", check=CHECK, id=hit["id"])
            sent = {"check": CHECK, "id": hit["id"], "digest": answer["digest"], "base": 0, "key": f"k{hit['id']}"}
            status, done = ben.send("mark", **sent, mark={"fixed": 4})
            assert status == 200
            acknowledged[hit["id"]] = done["base"]
            if len(acknowledged) == 3:
                break
        page.kill()
        page.start()
        ben.connection.close()  # his browser comes back with the cookie it has
        for number, base in acknowledged.items():
            assert ben.get("answer", check=CHECK, id=number)["base"] == base
        status, done = ben.send("mark", **sent, mark={"fixed": 4})  # the browser never heard, and sends it again
        assert (status, done["base"]) == (200, acknowledged[hit["id"]])
        said = page.stop()
    assert "Every mark is in" in said
    assert "3 parts graded by hand are in, 22 still wait." not in said, "nothing new in this run: no reports"
    assert main(["mark", str(folder), "--write"]) == 0


@pytest.mark.parametrize(
    "arguments", [["mark", "nowhere"], ["mark", ".", "--as", "<b>"], ["mark", ".", "--listen", "0.0.0.0"]]
)
def test_what_cannot_be_opened_is_said_in_a_sentence(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Traceback" not in said


@pytest.mark.parametrize("ticks", range(5))
def test_news_that_come_in_at_the_end_keep_no_page_open(ticks: int) -> None:
    """Where an item and a cancellation meet, `asyncio.wait_for` may return the item: the page would then never close."""

    async def nothing() -> None:
        pass

    async def open_and_close() -> bool:
        office = SimpleNamespace(listeners={}, is_closed=False)
        handler: Any = News.__new__(News)
        handler.__dict__.update(
            office=office, who="Ada", set_header=lambda *_: None, write=lambda *_: None, flush=nothing
        )
        page = asyncio.ensure_future(handler.get())
        await asyncio.sleep(0.01)
        for listener in office.listeners:
            listener.put_nowait({"kind": "mark"})
        for _ in range(ticks):
            await asyncio.sleep(0)
        office.is_closed = True
        page.cancel()
        await asyncio.wait([page], timeout=1)
        has_ended = page.done()
        page.cancel()
        return has_ended

    assert asyncio.run(asyncio.wait_for(open_and_close(), 10))
