"""Routers with several connection services, and routers whose answers are readable but not what the standard says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reach.fake_router import PORT, ROUTER, SERVER, FakeRouter, answer, description, fault, ok, server_and_router
from reach.lab.namespaces import Host
from wirecat.reach.reach import reach
from wirecat.reach.router import UNREADABLE, YES, look_at_router

IP1, IP2, PPP1, PPP2 = "WANIPConnection:1", "WANIPConnection:2", "WANPPPConnection:1", "WANPPPConnection:2"


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Host, Host]]:
    """A server and its router, on one cable."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with server_and_router() as both:
        yield both


def ways_out(*ways: tuple[str, str, str]) -> dict[str, object]:
    """A router with services at ``/0``, ``/1`` …: for each its type, its address and its status; "fault" for a refusal,
    "junk" for an answer that is none."""

    def route(target: str, action: str, body: bytes) -> bytes:
        _, host, status = ways[int(target[1:])]
        value = {"GetExternalIPAddress": host, "GetStatusInfo": status}.get(action)
        if value == "junk":
            return b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\njunk"
        if value is None or value == "fault":
            return fault(714 if value is None else 501)
        name = "NewExternalIPAddress" if action == "GetExternalIPAddress" else "NewConnectionStatus"
        return answer(action, **{name: value})

    described = ok(description(*((kind, f"/{number}") for number, (kind, _, _) in enumerate(ways))))
    return {"describe": lambda: described, "route": route}


@pytest.mark.parametrize(
    ("ways", "chosen", "external", "verdict"),
    [
        ([(IP1, "0.0.0.0", "Disconnected"), (PPP1, "9.9.9.9", "Connected")], "/1", "9.9.9.9", "unknown"),
        ([(IP1, "192.168.1.2", "Connected"), (PPP1, "9.9.9.9", "Connected")], "/1", "9.9.9.9", "unknown"),
        ([(IP1, "192.168.1.2", "Connected"), (IP1, "9.9.9.9", "Connected")], "/1", "9.9.9.9", "unknown"),
        ([(IP1, "8.8.8.8", "Disconnected"), (IP1, "9.9.9.9", "Connected")], "/1", "9.9.9.9", "unknown"),
        ([(IP2, "fault", "fault"), (IP1, "9.9.9.9", "fault")], "/1", "9.9.9.9", "unknown"),
        ([(PPP2, "9.9.9.9", "Connected")], "/0", "9.9.9.9", "unknown"),
        ([(IP1, "192.168.1.2", "Connected"), (PPP1, "junk", "Connected")], "/0", None, "unknown"),
        ([(IP1, "", "Connected"), (PPP1, "junk", "junk")], "/0", None, "unknown"),
        ([(IP1, "192.168.1.2", "Connected"), (PPP1, "junk", "Disconnected")], "/0", "192.168.1.2", "blocked"),
        ([(IP1, "192.168.1.2", "Connected"), (PPP1, "fault", "fault")], "/0", "192.168.1.2", "blocked"),
        ([(IP1, "192.168.1.2", "Connected"), (PPP1, "100.64.0.9", "Connected")], "/0", "192.168.1.2", "blocked"),
        ([(IP1, "", "Disconnected"), (PPP1, "", "Connected")], "/1", "", "blocked"),
        ([(IP1, "", "Disconnected"), (PPP1, "", "Unconfigured")], "/0", "", "unknown"),
    ],
)
def test_best_way_out_is_used_and_none_is_judged_unasked(
    hosts: tuple[Host, Host], ways: list[tuple[str, str, str]], chosen: str, external: str | None, verdict: str
) -> None:
    server, router = hosts
    with server.listen(PORT), FakeRouter(router, ROUTER, **ways_out(*ways)):  # type: ignore[arg-type]
        view = server.inside(lambda: look_at_router(ROUTER, SERVER, PORT, 5.0))
        found = server.inside(lambda: reach(PORT))
    assert view.igd is not None
    assert view.igd.connection is not None
    assert (view.igd.connection.control.target, view.external) == (chosen, external)
    assert found.verdict["internet4"] == verdict, found.verdicts["internet4"].reason


DESCRIBED = description((IP1, "/ctl"))
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(DESCRIBED), DESCRIBED)


def with_base(base: str) -> bytes:
    return DESCRIBED.replace(b"<device>", f"<URLBase>{base}</URLBase><device>".encode(), 1)


ODD: dict[str, tuple[bytes, str]] = {
    "name in URLBase": (with_base("http://router.lan:PORT/"),
                        "its description has the name 'router.lan' where an address belongs"),
    "junk behind": (ok(DESCRIBED + b"\n<!-- x -->--boundary--"), "something follows its document"),
    "continue first": (b"HTTP/1.1 100 Continue\r\n\r\n" + ok(DESCRIBED), ""),
    "chunks in 1.0": (b"HTTP/1.0 200 OK\r\n" + CHUNKED + b"0\r\n\r\n", "it sends chunks in HTTP/1.0"),
    "no last chunk": (HEAD + CHUNKED, "its last chunk is missing"),
    "length too large": (HEAD + b"Content-Length: 9999\r\n\r\n" + DESCRIBED, "its body is shorter than it says"),
    "length too small": (HEAD + b"Content-Length: 99\r\n\r\n" + DESCRIBED, "its body is longer than it says"),
    "byte order mark": (ok(b"\xef\xbb\xbf" + DESCRIBED), ""),
    "latin-1": (ok(DESCRIBED.replace(b"<device>", b"<device><friendlyName>R\xe9seau AT&T</friendlyName>", 1)),
                "its document is not the UTF-8 that it says it is; its document has a bare &"),
    "other case": (ok(DESCRIBED.replace(b"controlURL>", b"ControlURL>")), ""),
    "other prefix": (ok(DESCRIBED.replace(b"<service>", b"<d:service>").replace(b"</service>", b"</d:service>")), ""),
    "cut short": (ok(DESCRIBED[:-60]), "its document is cut short"),
    "no head": (DESCRIBED, "it sends a document without an HTTP head"),
    "malformed field": (HEAD + b"no field here\r\nContent-Length: %d\r\n\r\n" % len(DESCRIBED) + DESCRIBED,
                        "its head has a malformed line"),
}  # fmt: skip


def address_of(action: str, body: bytes) -> bytes:
    return answer(action, NewExternalIPAddress="9.9.9.9") if action == "GetExternalIPAddress" else fault(714)


@pytest.mark.parametrize("name", list(ODD))
def test_odd_description_is_read_and_the_oddity_told(hosts: tuple[Host, Host], name: str) -> None:
    described, oddity = ODD[name]
    server, router = hosts
    ports: list[int] = []

    def describe() -> bytes:
        return described if b"PORT" not in described else ok(described.replace(b"PORT", b"%d" % ports[0]))

    with server.listen(PORT), FakeRouter(router, ROUTER, describe=describe, call=address_of) as fake:
        ports.append(fake.port)
        found = server.inside(lambda: reach(PORT))
    check = next(check for check in found.checks if check.name == "protocols")
    assert check.state == "ok", check.evidence
    assert (f"it answered, but {oddity}" if oddity else "UPnP: spoken)") in check.evidence
    assert "9.9.9.9" in next(check.evidence for check in found.checks if check.name == "public-address")


def test_slow_description_is_waited_for(hosts: tuple[Host, Host]) -> None:
    server, router = hosts
    never = threading.Event()

    def describe() -> bytes:
        never.wait(2.2)
        return ok(DESCRIBED)

    with FakeRouter(router, ROUTER, describe=describe, call=address_of):
        view = server.inside(lambda: look_at_router(ROUTER, SERVER, PORT, 3.5))
    assert (view.answers["UPnP"], view.external) == (YES, "9.9.9.9")
    assert view.remarks["UPnP"].startswith("it answered, but its description took 2.")


UNUSABLE: dict[str, dict[str, object]] = {
    "nonsense": {"describe": lambda: b"SSH-2.0-x\r\n"},
    "no document": {"describe": lambda: ok(b"")},
    "not found": {"describe": lambda: b"HTTP/1.1 404 No\r\n\r\n"},
    "media server": {"describe": lambda: ok(description(("ContentDirectory:1", "/x")))},
    "leads elsewhere": {"location": "http://9.9.9.9/x"},
    "search answered with noise": {"search": lambda data: [b"noise"]},
}


@pytest.mark.parametrize("name", list(UNUSABLE))
def test_answer_that_cannot_be_used_is_no_silence(hosts: tuple[Host, Host], name: str) -> None:
    server, router = hosts
    with server.listen(PORT), FakeRouter(router, ROUTER, **UNUSABLE[name]):  # type: ignore[arg-type]
        view = server.inside(lambda: look_at_router(ROUTER, SERVER, PORT, 1.0))
        found = server.inside(lambda: reach(PORT, timeout=1.0))
        ended = server.wirecat("expose", str(PORT))
    assert view.answers["UPnP"] == UNREADABLE
    check = next(check for check in found.checks if check.name == "protocols")
    assert "UPnP: it answered, but " in check.evidence
    assert "is on" not in check.fix
    assert (ended.returncode, "it answered, but " in ended.stderr) == (1, True)
    assert "witch UPnP" not in ended.stderr
