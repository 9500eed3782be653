"""What is made of routers that lie, stall or break: a clear answer, in bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from reach.fake_router import BOMB, DESCRIPTION, PORT, ROUTER, SERVER, FakeRouter, answer, fault, ok, server_and_router
from reach.lab.namespaces import Host
from wirecat.reach.router import CLOSED, REFUSED, SILENT, UNREADABLE, YES, RouterView, look_at_router


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    """A server and its router, on one cable."""
    with server_and_router() as both:
        yield both


def look(hosts: tuple[Host, Host], seconds: float = 20.0, **fake: object) -> tuple[RouterView, FakeRouter]:
    server, router = hosts
    with FakeRouter(router, ROUTER, **fake) as made:  # type: ignore[arg-type]
        began = time.monotonic()
        view = server.inside(lambda: look_at_router(ROUTER, SERVER, PORT, seconds))
        assert time.monotonic() - began < seconds + 15, "it has a deadline, whatever the router does"
    return view, made


def told(host: str) -> Callable[[str, bytes], bytes]:
    def call(action: str, body: bytes) -> bytes:
        if action == "GetExternalIPAddress":
            return answer(action, NewExternalIPAddress=host)
        return fault(714)

    return call


def test_an_honest_one(hosts: tuple[Host, Host]) -> None:
    view, router = look(hosts, call=told("9.9.9.9"))
    assert view.answers == {"PCP": CLOSED, "NAT-PMP": CLOSED, "UPnP": YES}
    assert (view.external, view.told_by, view.mapping, view.pinholes) == ("9.9.9.9", "UPnP", None, None)
    assert router.requests[0] == "GET /root.xml"


@pytest.mark.parametrize("host", ["192.168.1.2", "100.64.0.9", ""])
def test_an_address_that_is_not_public(hosts: tuple[Host, Host], host: str) -> None:
    view, _ = look(hosts, call=told(host))
    assert view.external == host
    assert view.without_address == "", "it does not say that it is connected"


@pytest.mark.parametrize(("host", "status"), [("", "Connected"), ("0.0.0.0", "Connected"), ("0.0.0.0", "Disconnected")])
def test_no_address_says_something_of_a_router_that_is_connected(
    hosts: tuple[Host, Host], host: str, status: str
) -> None:
    def call(action: str, body: bytes) -> bytes:
        return answer(action, NewConnectionStatus=status) if action == "GetStatusInfo" else told(host)(action, body)

    view, _ = look(hosts, call=call)
    assert (view.external, bool(view.without_address)) == ("", status == "Connected")


def test_an_address_that_is_none(hosts: tuple[Host, Host]) -> None:
    view, _ = look(hosts, call=told("evil.example"))
    assert view.external is None
    assert any("evil.example" in line for line in view.asked)


def test_a_mapping_under_another_number_is_found_in_the_table(hosts: tuple[Host, Host]) -> None:
    def call(action: str, body: bytes) -> bytes:
        if action == "GetGenericPortMappingEntry":
            mine = b">3<" in body
            return answer(action, NewInternalClient=SERVER if mine else "192.168.77.9", NewInternalPort=str(PORT),
                          NewProtocol="TCP", NewExternalPort="23456")  # fmt: skip
        return told("9.9.9.9")(action, body)

    view, router = look(hosts, call=call)
    assert view.mapping == ("UPnP", 23456)
    assert router.requests.count("GetGenericPortMappingEntry") == 4


def test_a_table_without_an_end(hosts: tuple[Host, Host]) -> None:
    def call(action: str, body: bytes) -> bytes:
        return answer(action, NewInternalClient="192.168.77.9", NewInternalPort="1", NewProtocol="TCP",
                      NewExternalPort="1", NewExternalIPAddress="9.9.9.9")  # fmt: skip

    view, router = look(hosts, call=call)
    assert view.mapping is None
    assert router.requests.count("GetGenericPortMappingEntry") <= 64


@pytest.mark.parametrize(
    "location",
    [
        "http://9.9.9.9:80/x",
        "http://evil.example/x",
        "file:///etc/passwd",
        "http://127.0.0.1:1/",
        "http://192.168.77.1:1/",
    ],
)
def test_a_location_that_leads_elsewhere(hosts: tuple[Host, Host], location: str) -> None:
    view, router = look(hosts, seconds=1.0, location=location)
    assert view.answers["UPnP"] == UNREADABLE
    assert view.refusals["UPnP"].startswith("it answered, but ")
    assert view.external is None
    assert router.requests == []


@pytest.mark.parametrize(
    "description",
    [ok(BOMB), ok(b"<a>" * 10000), ok(b""), ok(b"x" * 300_000), b"HTTP/1.1 302 Go\r\nLocation: http://9.9.9.9/\r\n\r\n",
     b"nonsense\r\n\r\n", b"", ok(DESCRIPTION.replace(b"WANIPConnection", b"Printer")),
     ok(DESCRIPTION.replace(b"/ctl", b"http://9.9.9.9/ctl"))],
    ids=["bomb", "deep", "empty", "large", "redirect", "nonsense", "nothing", "printer", "elsewhere"],
)  # fmt: skip
def test_a_description_that_is_none(hosts: tuple[Host, Host], description: bytes) -> None:
    view, router = look(hosts, seconds=1.0, describe=lambda: description)
    assert view.answers["UPnP"] == UNREADABLE
    assert view.refusals["UPnP"].startswith("it answered, but its description at ")
    assert len(router.requests) <= 1, "what is no description is not asked for again"
    assert view.external is None


@pytest.mark.parametrize("piece", [b"x", b"x" * 65536], ids=["drop by drop", "in floods"])
def test_a_body_without_an_end(hosts: tuple[Host, Host], piece: bytes) -> None:
    view, _ = look(hosts, seconds=2.0, describe=lambda: b"HTTP/1.1 200 OK\r\n\r\n", endless=piece)
    assert view.answers["UPnP"] == UNREADABLE


def test_ten_thousand_answers_to_a_search(hosts: tuple[Host, Host]) -> None:
    def flood(data: bytes) -> list[bytes]:
        return [b"HTTP/1.1 200 OK\r\nLOCATION: http://9.9.9.9/%d\r\n\r\n" % number for number in range(10_000)]

    view, router = look(hosts, seconds=1.5, search=flood)
    assert view.answers["UPnP"] == UNREADABLE
    assert router.requests == []


def test_answers_of_others_are_not_looked_at(hosts: tuple[Host, Host]) -> None:
    """A device beside the router claims to be the router."""
    server, router = hosts
    router.ip("addr add 192.168.77.9/24 dev eth0")
    with FakeRouter(router, "192.168.77.9", call=told("9.9.9.9")) as liar:
        view = server.inside(lambda: look_at_router(ROUTER, SERVER, PORT, 1.0))
    assert view.answers["UPnP"] in (SILENT, CLOSED)
    assert liar.requests == []


def test_refusals_of_the_other_protocols(hosts: tuple[Host, Host]) -> None:
    def control(data: bytes) -> bytes:
        if data[0] == 2:
            return b"\0\x80\0\1" + bytes(4)  # it speaks version 0 only, which is NAT-PMP
        return b"\0\x80\0\2" + bytes(8)

    view, _ = look(hosts, seconds=2.0, search=lambda data: [], control=control)
    assert (view.answers["PCP"], view.answers["NAT-PMP"]) == (REFUSED, REFUSED)
    assert "switched off" in view.refusals["NAT-PMP"]
    assert view.external is None


def test_nothing_but_noise(hosts: tuple[Host, Host]) -> None:
    view, _ = look(hosts, seconds=1.0, search=lambda data: [b"noise"] * 3, control=lambda data: b"\xff" * 30)
    assert set(view.answers.values()) == {UNREADABLE}
    assert view.refusals["PCP"] == "it answered, but no PCP reply"


def test_one_that_does_not_answer_at_all(hosts: tuple[Host, Host]) -> None:
    view, _ = look(hosts, seconds=0.6, search=lambda data: [], control=lambda data: None)
    assert set(view.answers.values()) == {SILENT}
