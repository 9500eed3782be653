"""A server announces itself on the local network, others find it by its name, and it is forgotten when it ends.

Multicast goes out of every interface: all of it happens on hosts of the lab that have one cable between them.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from peers import PATIENCE, Program, wirecat_command
from reach.lab.home import PORT
from reach.lab.namespaces import Host, cable, require_namespaces
from wirecat.address import Address
from wirecat.errors import UsageError
from wirecat.reach.announce import _served, announce, check_announced, checked_name
from wirecat.system.interface_address import InterfaceAddress

zeroconf = pytest.importorskip("zeroconf", reason="multicast DNS needs zeroconf")

SERVER, NEIGHBOUR = "192.168.77.20", "192.168.77.30"
SERVER6 = "2d00:77:0:1::20"


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, Host]]:
    """A server and its neighbour, with a cable between them and nothing else."""
    require_namespaces()
    with ExitStack() as stack:
        server, neighbour = Host("server"), Host("neighbour")
        stack.callback(server.close)
        stack.callback(neighbour.close)
        cable(server, "eth0", neighbour, "eth0")
        for number, host in ((20, server), (30, neighbour)):
            host.ip("link set lo up", f"addr add 192.168.77.{number}/24 dev eth0",
                    f"addr add 2d00:77:0:1::{number}/64 dev eth0")  # fmt: skip
        yield server, neighbour


def serving(host: Host, *arguments: str) -> Program:
    """A server on that host which announces itself."""
    return host.program(*wirecat_command("serve", "reply:hello {data}", *arguments, "--drain", "0"))


class Watching:
    """What becomes of the announced servers, as seen by another program on a host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._changes: SimpleQueue[str] = SimpleQueue()

    def __enter__(self) -> Watching:
        def changed(zeroconf: object, service_type: str, name: str, state_change: Any) -> None:
            self._changes.put(state_change.name)

        def begin() -> None:  # an address that only this host has: on no other network could it begin
            self._multicast = zeroconf.Zeroconf(interfaces=[NEIGHBOUR])
            self._browser = zeroconf.ServiceBrowser(self._multicast, "_wirecat._tcp.local.", handlers=[changed])

        self._host.inside(begin)
        return self

    def next(self) -> str:
        """The next change: Added or Removed."""
        return self._changes.get(timeout=PATIENCE)

    def __exit__(self, *failure: object) -> None:
        self._multicast.close()


def test_it_is_found_and_connected_to_and_gone_when_it_ends(hosts: tuple[Host, Host]) -> None:
    server, neighbour = hosts
    with serving(server, str(PORT), "--lan", "--announce", "desk") as program:
        program.wait_for("stderr", rb"announced on the local network: wirecat connect desk\.local:12345\n")
        for host in (neighbour, server):
            found = host.wirecat("reach", "--browse", "--wait", "3")
            assert (found.returncode, found.stderr) == (0, "")
            name, *addresses = found.stdout.split()
            assert name == "desk.local"
            assert {f"{SERVER}:{PORT}", f"[{SERVER6}]:{PORT}"} == set(addresses)
            talked = host.run(*wirecat_command("connect", f"Desk.local:{PORT}"), input="you")
            assert (talked.returncode, talked.stdout) == (0, "hello you"), talked.stderr
        # The same name for another server is refused, and that server ends.
        for address in (str(PORT), f"udp://:{PORT}"):
            second = neighbour.wirecat("serve", "echo", address, "--lan", "--announce", "DESK.local")
            assert second.returncode == 1
            assert "DESK.local is the name of another on this network. Choose another name." in second.stderr
        with Watching(neighbour) as watching:
            assert watching.next() == "Added"
            program.signal(signal.SIGTERM)
            assert program.wait() == 0
            # It would be remembered for more than an hour, had it not said goodbye (RFC 6762 section 10.1).
            assert watching.next() == "Removed"


def test_each_scheme_tells_what_it_is(hosts: tuple[Host, Host]) -> None:
    server, neighbour = hosts
    with serving(server, f"udp://{SERVER}:{PORT}", "--announce", "cast") as program:
        program.wait_for("stderr", rb"wirecat connect udp://cast\.local:12345\n")
        found = neighbour.wirecat("reach", "--browse", "--wait", "3", "--json")
        assert json.loads(found.stdout) == [
            {"name": "cast", "host": "cast.local", "port": PORT, "scheme": "udp",
             "addresses": [{"host": SERVER, "port": PORT}]}
        ]  # fmt: skip
        program.interrupt()
        assert program.wait() == 0


def test_a_listener_is_announced_until_its_client_is_there_or_it_is_ended(
    hosts: tuple[Host, Host], tmp_path: Path
) -> None:
    server, neighbour = hosts
    command = wirecat_command("listen", str(PORT), "--lan", "--announce", "chat")
    with Watching(neighbour) as watching:
        with server.program(*command) as program:
            program.wait_for("stderr", rb"wirecat connect chat\.local:12345\n")
            assert watching.next() == "Added"
            with neighbour.connect(SERVER, PORT) as client:
                program.wait_for("stderr", rb"connected\n")
                assert watching.next() == "Removed"
                client.sendall(b"hello\n")
            program.close_stdin()
            assert program.wait() == 0
            assert program.stdout == b"hello\n"
        with server.program(*command) as program:
            program.wait_for("stderr", rb"wirecat connect chat\.local:12345\n")
            assert watching.next() == "Added"
            program.signal(signal.SIGTERM)
            assert program.wait() == -signal.SIGTERM
            assert watching.next() == "Removed"
        with server.program(*command, "--record", str(tmp_path / "talk.pcapng")) as program:
            program.wait_for("stderr", rb"wirecat connect chat\.local:12345\n")
            assert watching.next() == "Added"
            program.signal(signal.SIGHUP)
            assert program.wait() == -signal.SIGHUP
            assert watching.next() == "Removed"


@pytest.mark.parametrize("name", ["nobody.local", f"{'x' * 63}.{'y' * 63}.local", "_tcp.local"])
def test_a_name_that_nobody_has(hosts: tuple[Host, Host], name: str) -> None:
    ended = hosts[1].wirecat("connect", f"{name}:{PORT}", "--timeout", "1")
    assert ended.returncode == 1
    assert "Nobody on the local network answers to it. See who is there: wirecat reach --browse" in ended.stderr


def test_a_host_without_a_network() -> None:
    require_namespaces()
    host = Host("alone")
    try:
        host.ip("link set lo up")
        for arguments in (("reach", "--browse"), ("serve", "echo", f":{PORT}", "--announce", "desk")):
            ended = host.wirecat(*arguments)
            assert ended.returncode == 1
            assert "Connect" in ended.stderr
    finally:
        host.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("serve", "echo", "0", "--announce", "desk"),
            "can be reached from this PC only. Let others in first, with --lan",
        ),
        (("serve", "echo", "localhost:0", "--announce", "desk"), "with --lan"),
        (("serve", "echo", "unix:///tmp/desk", "--announce", "desk"), "unix cannot be announced"),
        (("serve", "echo", "0", "--lan", "--announce", "my desk"), "'my desk' can be no name"),
        (("serve", "echo", "0", "--lan", "--announce", ""), "'' can be no name"),
        (("listen", "0", "--announce", "desk"), "with --lan"),
        (("reach", "--browse", "12345"), "takes no PORT"),
        (("reach", "--browse", "--wait", "6"), "at most 5 s"),
        (("reach", "--browse", "--wait", "0"), "more than 0"),
    ],
)
def test_wrong_use_is_told_before_anything_is_sent(
    hosts: tuple[Host, Host], arguments: tuple[str, ...], said: str
) -> None:
    ended = hosts[0].wirecat(*arguments)  # there, in case that it is not
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr


@pytest.mark.parametrize("name", ["", ".local", "-desk", "desk-", "de.sk", "dësk", "x" * 64, "a b", "desk\n"])
def test_what_can_be_no_name(name: str) -> None:
    with pytest.raises(UsageError, match="can be no name on the local network"):
        checked_name(name)


def test_the_addresses_that_are_announced_are_those_it_listens_on() -> None:
    interfaces = [
        InterfaceAddress("eth0", SERVER),
        InterfaceAddress("eth0", SERVER6),
        InterfaceAddress("eth1", NEIGHBOUR),
    ]

    def hosts_of(*places: str) -> list[str]:
        return [entry.host for entry in _served([Address.parse(place) for place in places], interfaces)]

    assert hosts_of("0.0.0.0:1") == [SERVER, NEIGHBOUR]
    assert hosts_of("0.0.0.0:1", "[::]:1") == [SERVER, SERVER6, NEIGHBOUR]
    assert hosts_of(f"{NEIGHBOUR}:1") == [NEIGHBOUR]
    assert hosts_of("10.0.0.1:1") == []


def test_the_library_refuses_what_others_cannot_reach() -> None:
    with pytest.raises(UsageError, match="this PC only"):
        announce("desk", [Address.parse("127.0.0.1:12345")])
    with pytest.raises(UsageError, match="vsock cannot be announced"):
        check_announced(Address.parse("vsock://2:12345"))
