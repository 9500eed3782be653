"""What reach and expose conclude from a router that lies, stalls or breaks its word: a clear verdict, and no mapping."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from peers import PATIENCE
from reach.fake_router import BOMB, DESCRIPTION, PORT, ROUTER, FakeRouter, answer, fault, ok, server_and_router
from reach.lab.namespaces import Host
from wirecat.errors import NotExposed
from wirecat.port_mapping.records import read_records
from wirecat.reach.expose import expose
from wirecat.reach.reach import reach
from wirecat.wire import pcp


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Host, Host]]:
    """A server and its router, on one cable."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with server_and_router() as both:
        yield both


def calls(reply: bytes | None = None, **values: str) -> Callable[[str, bytes], bytes]:
    """Calls that are all answered by ``reply``, or only those for the address and the status, with ``values``."""

    def call(action: str, body: bytes) -> bytes:
        if reply is not None:
            return reply
        return answer(action, **values) if action in ("GetExternalIPAddress", "GetStatusInfo") else fault(714)

    return call


def flood(data: bytes) -> list[bytes]:
    return [b"HTTP/1.1 200 OK\r\nLOCATION: http://9.9.9.9/%d\r\n\r\n" % number for number in range(10_000)]


LIES: dict[str, dict[str, object]] = {
    "leads elsewhere": {"location": "http://9.9.9.9:80/x"},
    "bomb described": {"describe": lambda: ok(BOMB)},
    "bomb answered": {"call": calls(ok(BOMB))},
    "huge answer": {"call": calls(ok(b"x" * 300_000))},
    "described without an end": {"describe": lambda: b"HTTP/1.1 200 OK\r\n\r\n", "endless": b"x" * 65536},
    "described drop by drop": {"describe": lambda: b"HTTP/1.1 200 OK\r\n\r\n", "endless": b"x"},
    "ten thousand answers": {"search": flood},
    "no address": {"call": calls(NewExternalIPAddress="evil.example")},
    "address of nobody": {"call": calls(NewExternalIPAddress="127.0.0.1")},
    "all refused": {"call": calls(fault(725))},
    "described elsewhere": {"describe": lambda: ok(DESCRIPTION.replace(b"/ctl", b"http://9.9.9.9/ctl"))},
    "noise": {"search": lambda data: [b"noise"] * 3, "control": lambda data: b"\xff" * 30},
}


@pytest.mark.parametrize("lie", list(LIES))
def test_a_lie_is_no_verdict(hosts: tuple[Host, Host], lie: str) -> None:
    server, router = hosts
    with server.listen(PORT), FakeRouter(router, ROUTER, **LIES[lie]):  # type: ignore[arg-type]
        found = server.inside(lambda: reach(PORT, timeout=1.0))
    assert (found.verdict["lan"], found.verdict["internet4"]) == ("likely", "unknown")
    assert {check.name for check in found.checks} >= {"protocols", "public-address", "mapping", "outside"}


@pytest.mark.parametrize(
    ("host", "words"),
    [("192.168.1.2", "a second router"), ("100.64.0.9", "carrier NAT"), ("0.0.0.0", "carrier NAT or")],
)
def test_an_address_that_is_not_public_is_one(hosts: tuple[Host, Host], host: str, words: str) -> None:
    server, router = hosts
    call = calls(NewExternalIPAddress=host, NewConnectionStatus="Connected")
    with server.listen(PORT), FakeRouter(router, ROUTER, call=call):
        found = server.inside(lambda: reach(PORT))
        assert found.verdict["internet4"] == "blocked"
        assert words in found.verdicts["internet4"].reason
        with pytest.raises(NotExposed, match="NAT|no public address"):
            server.inside(lambda: expose(PORT))


def test_calls_that_are_never_answered(hosts: tuple[Host, Host]) -> None:
    server, router = hosts
    ended = threading.Event()

    def stall(action: str, body: bytes) -> bytes:
        ended.wait(PATIENCE)
        return fault(501)

    with server.listen(PORT), FakeRouter(router, ROUTER, call=stall):
        began = time.monotonic()
        found = server.inside(lambda: reach(PORT, timeout=1.0))
        took = time.monotonic() - began
        ended.set()
    assert found.verdict["internet4"] == "unknown"
    assert took < PATIENCE, "it does not wait for the router"


def test_a_port_that_is_none(hosts: tuple[Host, Host]) -> None:
    """PCP and NAT-PMP say "mapped", and name port 0."""

    def control(data: bytes) -> bytes:
        if data[0] == 2:
            lifetime = (120).to_bytes(4, "big") if data[1] == pcp.MAP else bytes(4)
            head = b"\2" + bytes([data[1] | 128]) + b"\0\0" + lifetime + bytes(16)
            return head + data[24:42] + bytes(2) + bytes(10) + b"\xff\xff" + bytes([9, 9, 9, 9])
        if data[1] == 0:
            return b"\0\x80\0\0" + bytes(4) + bytes([9, 9, 9, 9])
        return b"\0" + bytes([data[1] | 128]) + bytes(6) + data[4:6] + bytes(2) + (120).to_bytes(4, "big")

    server, router = hosts
    with FakeRouter(router, ROUTER, search=lambda data: [], control=control):
        with pytest.raises(NotExposed, match=r"PCP: .* gives none; NAT-PMP: .* gives none"):
            server.inside(lambda: expose(PORT))
    assert read_records() == []
