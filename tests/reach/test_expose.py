"""A port mapped on the lab's router: the outside host gets in while it lasts, and is out again however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from peers import PATIENCE, Program, environment, wirecat_command
from reach.campaign import some_of
from reach.fake_router import FakeRouter, answer, fault
from reach.lab.home import OUTSIDE, PORT, PUBLIC, ROUTER, SERVER, SERVER6, Home
from reach.lab.namespaces import Host, cable, require_namespaces
from reach.truth import check, hold_against_the_truth, report
from wirecat.errors import NotExposed, UsageError
from wirecat.port_mapping.mapping import Mapping
from wirecat.port_mapping.records import read_records
from wirecat.reach.expose import Exposure, expose


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def start(home: Home, *arguments: str) -> Program:
    return home.server.program(*wirecat_command("expose", str(PORT), *arguments))


@contextlib.contextmanager
def exposed(host: Host, **options: Any) -> Iterator[Exposure]:
    """``wirecat.expose`` on a host of the lab, where its end is as well."""
    exposure = host.inside(lambda: expose(PORT, **options))
    try:
        yield exposure
    finally:
        host.inside(exposure.close)


def wait_until(what: Callable[[], bool], seconds: float) -> float:
    """How long it took to come about. It is asked for over and over: the router has no event to wait for."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, f"not in {seconds:g} s"
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("variants", "protocol"),
    some_of(
        [((), b"PCP"), (("upnp-only",), b"UPnP"), (("natpmp-only", "pcp-refused"), b"NAT-PMP")],
        [(("igd1",), b"PCP"), (("natpmp-only",), b"PCP"), (("upnp-only", "igd1"), b"UPnP")],
    ),
    ids=lambda value: "+".join(value) or "base" if isinstance(value, tuple) else None,
)
def test_they_get_in_while_it_runs_and_not_after(variants: tuple[str, ...], protocol: bytes) -> None:
    with Home(*variants) as home, home.server.listen(PORT), start(home) as exposing:
        exposing.wait_for("stdout", rb"^11\.77\.0\.2:12345\n")
        exposing.wait_for("stderr", rb"by " + protocol + rb", for 120 s")
        document = report(home)
        hold_against_the_truth(home, document)
        assert (document["verdict"]["lan"], document["verdict"]["internet"]) == ("likely", "likely")
        assert check(document, "mapping")["state"] == "ok"
        exposing.signal(signal.SIGTERM)
        assert exposing.wait() == 0, exposing.stderr
        assert not home.outside.reaches(PUBLIC, PORT, 0.5)
        assert "dnat" not in home.mapped()
        assert read_records() == []


@pytest.mark.parametrize(
    ("number", "variants"),
    some_of(
        [(signal.SIGKILL, ("upnp-only", "link-local"))],
        [(signal.SIGHUP, ("upnp-only",)), (signal.SIGINT, ("link-local",)), (signal.SIGKILL, ("natpmp-only",))],
    ),
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else value.name,
)
def test_it_goes_however_the_program_ends(number: signal.Signals, variants: tuple[str, ...]) -> None:
    """IPv4 and IPv6; the router's IPv6 address is a link-local one in most homes."""
    with Home(*variants) as home, home.server.listen(PORT, "::"), start(home) as exposing:
        exposing.wait_for("stdout", rb"\[2d00:77:0:1::20\]:12345\n")
        assert home.outside.reaches(PUBLIC, PORT, PATIENCE)
        assert home.outside.reaches(SERVER6, PORT, PATIENCE)
        exposing.signal(number)
        assert exposing.wait() == (-number if number == signal.SIGKILL else 0)
        wait_until(lambda: "12345" not in home.mapped(), PATIENCE)
        wait_until(lambda: read_records() == [], PATIENCE)


@pytest.mark.parametrize(
    "variants",
    some_of([(("upnp-only",),)], [(("natpmp-only",),), (("natpmp-only", "pcp-refused"),), (("upnp-only", "igd1"),)]),
    ids="+".join,
)
def test_the_port_that_was_given_is_shown(variants: tuple[str, ...]) -> None:
    """Another PC of the home has the port already."""
    with Home(*variants) as home, home.server.listen(PORT), home.neighbour.listen(PORT):
        with exposed(home.neighbour) as theirs:
            with start(home, "--json") as exposing:
                line = json.loads(exposing.wait_for("stdout", rb"^{.*}\n")[0])
                assert (line["event"], line["external"]["host"]) == ("mapped", PUBLIC)
                port = line["external"]["port"]
                assert port != PORT
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])
                with home.outside.connect(PUBLIC, port) as connection:
                    assert connection.getpeername()[1] == port
                exposing.interrupt()
                assert exposing.wait() == 0
        assert theirs.notes == []


@pytest.mark.parametrize(
    ("variants", "words"),
    some_of(
        [(("cgnat",), "carrier NAT")], [(("doublenat",), "double NAT"), (("upnp-off",), "maps no ports on demand")]
    ),
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else None,
)
def test_where_the_router_cannot_help(variants: tuple[str, ...], words: str) -> None:
    with Home(*variants) as home, home.server.listen(PORT):
        ended = home.server.wirecat("expose", str(PORT))
        assert "dnat" not in home.mapped()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert words in ended.stderr
    assert f"ssh -R {PORT}:localhost:{PORT}" in ended.stderr


@pytest.mark.parametrize(
    "variants", some_of([((),)], [(("upnp-only",),), (("natpmp-only", "pcp-refused"),)]), ids=lambda v: "+".join(v)
)
def test_what_a_crash_left_is_listed_and_removed(variants: tuple[str, ...]) -> None:
    with Home(*variants) as home, home.server.listen(PORT):
        with start(home) as exposing:
            exposing.wait_for("stdout", rb"^11")
            listed = json.loads(home.server.wirecat("expose", "--list", "--json").stdout)
            assert [(row["alive"], row["external"]["port"]) for row in listed if row["external"]["host"] == PUBLIC] == [
                (True, PORT)
            ]
            ended = home.server.wirecat("expose", "--remove")
            assert (ended.returncode, "kept by process" in ended.stderr) == (1, True)
            (kept,) = [record for record in read_records() if record.family == "ipv4"]
            exposing.interrupt()
            assert exposing.wait() == 0
        # As after the end of both processes at once: the mapping stands, and its record.
        from wirecat.port_mapping.records import write_record

        left = home.server.inside(lambda: _map_again(kept))
        write_record(left)
        assert "left behind" in home.server.wirecat("expose", "--list").stdout
        assert "dnat" in home.mapped()
        assert home.server.wirecat("expose", "--remove", str(PORT)).stdout == f"removed {PUBLIC}:{PORT}\n"
        assert "dnat" not in home.mapped()
        assert home.server.wirecat("expose", "--list").stdout == ""


def _map_again(kept: Mapping) -> Mapping:
    from wirecat.deadline import Deadline
    from wirecat.port_mapping.journal import Journal
    from wirecat.port_mapping.mappers import renew_port

    journal = Journal()
    try:
        return renew_port(kept, 120, Deadline(PATIENCE), journal).replace(pid=0)
    finally:
        journal.drop(kept)
        journal.close()


@pytest.mark.parametrize(
    "variants", some_of([(("upnp-only",),)], [(("natpmp-only", "pcp-refused"),), ((),)]), ids=lambda v: "+".join(v)
)
def test_it_is_renewed_and_survives_the_router_s_restart(variants: tuple[str, ...]) -> None:
    """A lease of two seconds, which the router takes as such: it stands long after that."""
    with Home(*variants, shortest_lease=2) as home, home.server.listen(PORT):
        with exposed(home.server, lease=2) as exposure:
            first = exposure.mappings[0].expires
            # A restart that forgets: the daemon's rules are gone, and what was mapped is asked for again.
            home.router.must("nft", "flush", "chain", "inet", "filter", "prerouting_miniupnpd")
            wait_until(lambda: exposure.mappings[0].expires > first + 1.5, PATIENCE)
            assert exposure.address == f"{PUBLIC}:{PORT}"
            assert home.outside.reaches(PUBLIC, PORT, PATIENCE)


def test_as_a_library_with_a_changed_address() -> None:
    changes: list[str] = []
    with _two() as (server, router):
        hosts = iter(["9.9.9.9", "9.9.9.9"])

        def call(action: str, body: bytes) -> bytes:
            if action == "GetExternalIPAddress":
                return answer(action, NewExternalIPAddress=next(hosts, "8.8.8.8"))
            return answer(action) if action in ("AddPortMapping", "DeletePortMapping") else fault(714)

        with FakeRouter(router, ROUTER, call=call) as fake:
            with exposed(server, lease=2, on_change=lambda new: changes.append(new.external)) as exposure:
                assert exposure.address == "9.9.9.9:12345"
                wait_until(lambda: bool(changes), PATIENCE)
                assert exposure.address == changes[0] == "8.8.8.8:12345"
            assert fake.requests[-1] == "DeletePortMapping"
            assert exposure.notes == []


class _two:
    """A server and a router on one cable."""

    def __enter__(self) -> tuple[Host, Host]:
        require_namespaces()
        self.hosts = server, router = Host("server"), Host("router")
        cable(server, "eth0", router, "eth0")
        for host, address in ((server, SERVER), (router, ROUTER)):
            host.ip("link set lo up", f"addr add {address}/24 dev eth0")
        server.ip(f"route add default via {ROUTER}")
        return server, router

    def __exit__(self, *ended: object) -> None:
        for host in self.hosts:
            host.close()


def lying(add: Callable[[bytes], bytes], host: str = "9.9.9.9") -> Callable[[str, bytes], bytes]:
    def call(action: str, body: bytes) -> bytes:
        if action == "GetExternalIPAddress":
            return answer(action, NewExternalIPAddress=host)
        if action == "AddPortMapping":
            return add(body)
        return answer(action) if action == "DeletePortMapping" else fault(714)

    return call


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lying(lambda body: fault(725)), "without an end"),
        (lying(lambda body: fault(718)), "taken by others"),
        (lying(lambda body: fault(606)), "not allowed"),
        (lying(lambda body: b"nonsense\r\n\r\n"), "no HTTP response"),
        (lying(lambda body: answer("AddPortMapping"), "192.168.1.2"), "double NAT"),
        (lying(lambda body: answer("AddPortMapping"), "100.64.1.2"), "carrier NAT"),
        (lying(lambda body: answer("AddPortMapping"), ""), "no public address"),
    ],
)
def test_a_router_that_refuses_or_lies(call: Callable[[str, bytes], bytes], words: str) -> None:
    with _two() as (server, router), FakeRouter(router, ROUTER, call=call):
        with pytest.raises(NotExposed, match=words):
            server.inside(lambda: expose(PORT))
    assert read_records() == []


def test_a_router_that_knows_no_lease() -> None:
    leases: list[bytes] = []

    def add(body: bytes) -> bytes:
        leases.extend(re.findall(rb"<NewLeaseDuration>(\d+)<", body))
        return answer("AddPortMapping") if leases[-1] == b"0" else fault(725)

    with _two() as (server, router), FakeRouter(router, ROUTER, call=lying(add)) as fake:
        with exposed(server, permanent=True) as exposure:
            assert leases == [b"120", b"0"]
            assert [record.expires for record in read_records()] == [0.0]
            assert exposure.mappings[0].lifetime == 0
        assert fake.requests[-1] == "DeletePortMapping"
    assert read_records() == []


def test_what_cannot_be_taken_back_is_said_and_remembered() -> None:
    with _two() as (server, router):
        with FakeRouter(router, ROUTER, call=lying(lambda body: answer("AddPortMapping"))):
            exposure = server.inside(lambda: expose(PORT))
        server.inside(exposure.close)
        assert "could not be taken back" in exposure.notes[0]
        assert len(read_records()) == 1


def test_without_a_router_and_wrong_use() -> None:
    require_namespaces()
    host = Host("alone")
    try:
        ended = host.wirecat("expose", str(PORT))
        assert (ended.returncode, "no way out" in ended.stderr) == (1, True)
        assert host.wirecat("expose").returncode == 2
        assert host.wirecat("expose", str(PORT), "--lease", "1").returncode == 2
        text = host.wirecat("expose", "--help").stdout
        assert "wirecat expose --list" in text
        assert host.wirecat("expose", "--list").returncode == 0
    finally:
        host.close()
    with pytest.raises(UsageError):
        expose(0)


def test_the_environment_is_the_tests_own() -> None:
    assert environment()["XDG_STATE_HOME"] == os.environ["XDG_STATE_HOME"]


@pytest.mark.parametrize(
    "variants",
    some_of([], [(("natpmp-only", "pcp-refused"),), (("upnp-only",),), (("natpmp-only",),)]),
    ids=lambda v: "+".join(v),
)
def test_after_a_power_cut_the_lease_ends_it(variants: tuple[str, ...]) -> None:
    """Both processes die at once, and nobody takes the mapping back."""
    with Home(*variants, shortest_lease=2) as home, home.server.listen(PORT):
        with start(home, "--lease", "2") as exposing:
            exposing.wait_for("stdout", rb"^11")
            (reaper,) = Path(f"/proc/{exposing.pid}/task/{exposing.pid}/children").read_text(encoding="ascii").split()
            os.kill(int(reaper), signal.SIGKILL)
            exposing.signal(signal.SIGKILL)
            exposing.wait()
            assert "dnat" in home.mapped()
            wait_until(lambda: "dnat" not in home.mapped(), PATIENCE)
            assert not home.outside.reaches(PUBLIC, PORT, 0.5)


@pytest.mark.parametrize(
    "variants",
    some_of([((),)], [(("natpmp-only", "pcp-refused"),), (("upnp-only",),)]),
    ids=lambda v: "+".join(v) or "base",
)
def test_the_provider_gives_the_router_another_address(variants: tuple[str, ...]) -> None:
    """It is told, and what was renewed meanwhile is taken back, the pinhole too."""
    with Home(*variants, shortest_lease=2) as home, home.server.listen(PORT):
        with start(home, "--lease", "2") as exposing:
            exposing.wait_for("stdout", rb"^11\.77\.0\.2:12345\n")
            home.router.ip(f"addr del {PUBLIC}/24 dev wan0", "addr add 11.77.0.77/24 dev wan0")
            home.router.ip(f"route replace default via {OUTSIDE}")
            exposing.wait_for("stdout", rb"\n11\.77\.0\.77:12345\n")
            assert home.outside.reaches("11.77.0.77", PORT, PATIENCE)
            exposing.interrupt()
            assert exposing.wait() == 0, exposing.stderr
        assert "12345" not in home.mapped()
