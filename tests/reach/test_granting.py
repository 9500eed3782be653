"""Which protocol maps a port, with a router that speaks PCP or NAT-PMP and has a table of its own for each."""

from __future__ import annotations

import os
import signal
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from peers import PATIENCE, Program, wirecat_command
from reach.fake_router import PORT, ROUTER, SERVER, Entry, FakeRouter, TableRouter, description, ok, server_and_router
from reach.lab.namespaces import Host
from wirecat.port_mapping.records import folder, read_records

LINE = rb"^9\.9\.9\.9:(\d+)\n"
ADDRESS = bytes([9, 9, 9, 9])


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Host, Host]]:
    """A server and its router, on one cable."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with server_and_router() as both:
        yield both


class Held(NamedTuple):
    """A mapping of PCP or NAT-PMP: its external port, and the nonce that it was made with."""

    external: int
    nonce: bytes = b""


class ControlRouter:
    """Answers datagrams to port 5351; ``held`` are the mappings by internal port, ``taken`` external ports of others.

    Without ``speaks_pcp`` it is one that knows NAT-PMP only; ``result`` is its answer to an address request.
    """

    def __init__(self, *, speaks_pcp: bool, taken: tuple[int, ...] = ()) -> None:
        self.speaks_pcp = speaks_pcp
        self.held: dict[int, Held] = {}
        self.taken = taken
        self.requests: list[tuple[int, int, int]] = []
        self.address: Callable[[], bytes | None] = lambda: struct.pack(">BBHI", 0, 128, 0, 1) + ADDRESS

    def control(self, data: bytes) -> bytes | None:
        if data[0] == 2:
            if not self.speaks_pcp:
                return b"\0\x80\0\1" + bytes(4)
            return struct.pack(">BBBBII12x", 2, 128, 0, 0, 0, 1) if data[1] == 0 else self.map_by_pcp(data)
        if self.speaks_pcp:
            return b"\0" + bytes([data[1] | 128]) + b"\0\1" + bytes(4)
        if data[1] == 0:
            return self.address()
        internal, wanted, lifetime = struct.unpack(">HHI", data[4:12])
        self.requests.append((internal, wanted, lifetime))
        if not lifetime:
            if internal == 0:
                self.held.clear()  # all mappings of the host (RFC 6886 section 3.4)
            self.held.pop(internal, None)
            return struct.pack(">BBHIHHI", 0, 130, 0, 1, internal, 0, 0)
        external = self.held[internal].external if internal in self.held else self.free(wanted)
        self.held[internal] = Held(external)
        return struct.pack(">BBHIHHI", 0, 130, 0, 1, internal, external, lifetime)

    def free(self, wanted: int) -> int:
        while wanted in self.taken:
            wanted += 1
        return wanted

    def map_by_pcp(self, data: bytes) -> bytes:
        lifetime = int.from_bytes(data[4:8], "big")
        nonce, internal, wanted = struct.unpack(">12s4xHH", data[24:44])
        self.requests.append((internal, wanted, lifetime))
        there = self.held.get(internal)
        result = 2 if there is not None and there.nonce != nonce else 0
        external = there.external if there is not None else self.free(wanted)
        if not result and lifetime:
            self.held[internal] = Held(external, nonce)
        elif not result:
            self.held.pop(internal, None)
        return (
            struct.pack(">BBBBII12x", 2, 129, 0, result, lifetime or 30, 1)
            + data[24:42] + struct.pack(">H", external) + bytes(10) + b"\xff\xff" + ADDRESS
        )  # fmt: skip


def start(server: Host, *options: str) -> Program:
    return server.program(*wirecat_command("expose", str(PORT), *options))


def wait_until(what: Callable[[], bool]) -> None:
    """Ask over and over: the router has no event to wait for."""
    waiting = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        if what():
            return
        waiting.wait(0.05)
    raise AssertionError(f"not in {PATIENCE:g} s")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("speaks_pcp", [True, False], ids=["PCP", "NAT-PMP"])
def test_other_mappings_stay_and_the_port_that_was_given_is_shown(
    hosts: tuple[Host, Host], speaks_pcp: bool, number: signal.Signals
) -> None:
    """The port is another machine's, and this machine has a mapping of another port, which ours does not touch."""
    server, router = hosts
    table = ControlRouter(speaks_pcp=speaks_pcp, taken=(PORT,))
    table.held[80] = Held(8080)
    with FakeRouter(router, ROUTER, control=table.control), start(server) as exposing:
        assert exposing.wait_for("stdout", LINE)[1] == b"12346"
        assert table.held[PORT].external == PORT + 1
        exposing.signal(number)
        exposing.wait()
        wait_until(lambda: table.held == {80: Held(8080)} and not read_records())
    assert all(internal == PORT for internal, _, _ in table.requests if internal != 9)


@pytest.mark.parametrize("speaks_pcp", [True, False], ids=["PCP", "NAT-PMP"])
def test_restarted_router_is_asked_again(hosts: tuple[Host, Host], speaks_pcp: bool) -> None:
    """It forgot all mappings, and the port is another's now: the new one is shown, and taken back at the end."""
    server, router = hosts
    table = ControlRouter(speaks_pcp=speaks_pcp)
    with FakeRouter(router, ROUTER, control=table.control), start(server, "--lease", "2") as exposing:
        assert exposing.wait_for("stdout", LINE)[1] == b"12345"
        nonce = table.held[PORT].nonce
        table.taken = (PORT,)
        table.held.clear()
        exposing.wait_for("stdout", rb"\n9\.9\.9\.9:12346\n")
        assert table.held == {PORT: Held(PORT + 1, nonce)}, "the nonce stays (RFC 6887 section 11.2)"
        exposing.interrupt()
        assert exposing.wait() == 0
        assert table.held == {}


def test_mapping_of_another_nonce_is_left_alone(hosts: tuple[Host, Host]) -> None:
    """Another program of this machine mapped the port by PCP."""
    server, router = hosts
    table = ControlRouter(speaks_pcp=True)
    table.held[PORT] = Held(PORT, b"n" * 12)
    with FakeRouter(router, ROUTER, control=table.control):
        ended = server.wirecat("expose", str(PORT))
    assert (ended.returncode, "not allowed" in ended.stderr) == (1, True)
    assert (table.held, read_records()) == ({PORT: Held(PORT, b"n" * 12)}, [])


@pytest.mark.parametrize("speaks_pcp", [True, False], ids=["PCP", "NAT-PMP"])
def test_mapping_of_a_killed_run_is_taken_over_by_its_nonce(hosts: tuple[Host, Host], speaks_pcp: bool) -> None:
    server, router = hosts
    table = ControlRouter(speaks_pcp=speaks_pcp)
    with FakeRouter(router, ROUTER, control=table.control):
        with start(server) as exposing:
            exposing.wait_for("stdout", LINE)
            (reaper,) = Path(f"/proc/{exposing.pid}/task/{exposing.pid}/children").read_text(encoding="ascii").split()
            os.kill(int(reaper), signal.SIGKILL)
            exposing.signal(signal.SIGKILL)
            exposing.wait()
        assert len(table.held) == 1
        with start(server) as exposing:
            assert exposing.wait_for("stdout", LINE)[1] == b"12345"
            exposing.interrupt()
            assert exposing.wait() == 0
    assert (table.held, read_records()) == ({}, [])


@pytest.mark.parametrize("speaks_pcp", [True, False], ids=["PCP", "NAT-PMP"])
def test_second_exposure_of_a_port_leaves_the_first_alone(hosts: tuple[Host, Host], speaks_pcp: bool) -> None:
    server, router = hosts
    table = ControlRouter(speaks_pcp=speaks_pcp)
    with FakeRouter(router, ROUTER, control=table.control), start(server) as exposing:
        exposing.wait_for("stdout", LINE)
        held = dict(table.held)
        ended = server.wirecat("expose", str(PORT))
        assert (ended.returncode, f"process {exposing.pid} keeps it" in ended.stderr) == (1, True)
        assert table.held == held
        exposing.interrupt()
        assert exposing.wait() == 0


def test_forward_that_upnp_shows_is_not_touched_by_natpmp(hosts: tuple[Host, Host]) -> None:
    """NAT-PMP would renew the user's own forward to the port, and delete it at the end."""
    server, router = hosts
    control = ControlRouter(speaks_pcp=False)
    control.held[PORT] = Held(7777)
    table = TableRouter(p7777=Entry(SERVER, PORT, "my game"))
    described = ok(description(("WANIPConnection:1", "/ctl")))
    with (
        FakeRouter(router, ROUTER, control=control.control, route=table.route, describe=lambda: described),
        start(server) as exposing,
    ):
        assert exposing.wait_for("stdout", LINE)[1] == b"12345"
        exposing.wait_for("stderr", rb"by UPnP")
        exposing.interrupt()
        assert exposing.wait() == 0
    assert (control.requests, table.table) == ([], {7777: Entry(SERVER, PORT, "my game")})


@pytest.mark.parametrize("address", [None, b"\0\x80\0\3" + bytes(8), b"\0\x80"], ids=["silent", "refused", "short"])
def test_address_that_fails_after_the_mapping_leaves_nothing_behind(
    hosts: tuple[Host, Host], address: bytes | None
) -> None:
    """The address was told before: that one is used."""
    server, router = hosts
    control = ControlRouter(speaks_pcp=False)
    told = control.address()
    control.address = lambda: address if control.held else told
    with FakeRouter(router, ROUTER, control=control.control), start(server) as exposing:
        exposing.wait_for("stdout", LINE)
        exposing.interrupt()
        assert exposing.wait() == 0
    assert (control.held, read_records()) == ({}, [])


def test_record_of_port_zero_is_none(hosts: tuple[Host, Host]) -> None:
    """To NAT-PMP it would mean all mappings of this machine."""
    server, router = hosts
    control = ControlRouter(speaks_pcp=False)
    control.held[80] = Held(80)
    folder().mkdir(parents=True)
    (folder() / "zero.json").write_text(
        f'{{"protocol": "NAT-PMP", "gateway": "{ROUTER}", "host": "{SERVER}", "port": 0}}', encoding="ascii"
    )
    with FakeRouter(router, ROUTER, control=control.control):
        server.wirecat("expose", "--remove")
    assert control.held == {80: Held(80)}
