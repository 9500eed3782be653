"""Browsing the local network believes nothing that it says: names are made printable, amounts are bounded."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from peers import PATIENCE
from reach.lab.namespaces import Host, cable, require_namespaces
from wirecat.address import Address
from wirecat.reach.browse import MOST_ADDRESSES, MOST_SERVERS, AnnouncedServer, read_server
from wirecat.views.json_announced import announced_json
from wirecat.views.text_announced import announced_text

zeroconf = pytest.importorskip("zeroconf", reason="multicast DNS needs zeroconf")

TYPE = "_wirecat._tcp.local."
LIAR, CURIOUS = "192.168.77.20", "192.168.77.30"
GROUP = ("224.0.0.251", 5353)
NASTY = "e\x1b[2J\nv\u202eil"


def test_text_and_json_of_a_hostile_name() -> None:
    servers = [
        AnnouncedServer("desk", "desk.local", 1, "tcp", (Address("tcp", LIAR, 1), Address("tcp", "fe80::1%3", 1))),
        AnnouncedServer(NASTY, f"{NASTY} x.local", 2, "tls", (Address("tls", LIAR, 2),)),
    ]
    text = announced_text(servers)
    assert text.splitlines()[0].split() == ["desk.local", f"{LIAR}:1", "[fe80::1%3]:1"]
    assert text.splitlines()[1].split() == [r"e\x1b[2J\nv\u202eil\x20x.local", f"tls://{LIAR}:2"]
    assert len(text.splitlines()) == 2
    written = announced_json(servers)
    assert written.isascii() and "\x1b" not in written
    assert json.loads(written)[1]["name"] == NASTY
    assert (announced_text([]), json.loads(announced_json([]))) == ("", [])


def test_what_is_not_enough_to_connect_to_is_left_out() -> None:
    def told(**fields: object) -> AnnouncedServer | None:
        info = {"port": 7, "server": "desk.local.", "parsed_addresses": [LIAR], "properties": {}, **fields}
        return read_server(zeroconf.ServiceInfo(TYPE, f"desk.{TYPE}", **info))

    found = told()
    assert found == AnnouncedServer("desk", "desk.local", 7, "tcp", (Address("tcp", LIAR, 7),))
    assert told(port=0) is None
    assert told(parsed_addresses=[]) is None
    # A scheme is one of its own kind, and no other.
    for scheme, taken in (("tls", "tls"), ("dtls", "tcp"), ("exec", "tcp"), (b"\xff", "tcp"), (None, "tcp")):
        server = told(properties={"scheme": scheme})
        assert server is not None and server.scheme == taken
    many = told(parsed_addresses=[f"10.0.0.{number}" for number in range(1, 100)])
    assert many is not None and len(many.addresses) == MOST_ADDRESSES


def labels(*parts: bytes) -> bytes:
    """A name on the wire (RFC 1035 section 3.1)."""
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def answer(*records: tuple[bytes, int, bytes]) -> bytes:
    """A response of multicast DNS with records of a name, a type and data (RFC 1035 section 4.1)."""
    body = b"".join(name + struct.pack("!HHIH", kind, 1, 120, len(data)) + data for name, kind, data in records)
    return struct.pack("!6H", 0, 0x8400, 0, len(records), 0, 0) + body


SERVICE = labels(b"_wirecat", b"_tcp", b"local")
PTR, A, TXT, SRV = 12, 1, 16, 33
LOOP = struct.pack("!6H", 0, 0x8400, 0, 1, 0, 0) + b"\xc0\x0c" + struct.pack("!HHIH", PTR, 1, 120, 2) + b"\xc0\x0c"


def lies() -> Iterator[bytes]:
    """What the liar says: broken datagrams, more names than anybody has, and one server with a nasty name."""
    yield from (b"", b"\xff" * 9, LOOP, LOOP[:-3], b"\0" * 12 + b"\xff" * 1400)
    yield struct.pack("!6H", 0, 0x8400, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF)
    yield answer((SERVICE, PTR, labels(NASTY.encode(), b"_wirecat", b"_tcp", b"local")))  # which no name may be
    name, host = labels(b"mild", b"_wirecat", b"_tcp", b"local"), labels(NASTY.encode(), b"local")
    yield answer(
        (SERVICE, PTR, name), (name, SRV, struct.pack("!HHH", 0, 0, 7) + host), (name, TXT, b"\0"),
        (host, A, socket.inet_aton(LIAR)),
    )  # fmt: skip
    for first in range(0, MOST_SERVERS * 4, 16):
        names = [labels(b"none%d" % number, b"_wirecat", b"_tcp", b"local") for number in range(first, first + 16)]
        yield answer(*((SERVICE, PTR, name) for name in names))


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    """Two hosts with a cable between them and nothing else: what is sent stays on it."""
    require_namespaces()
    liar, curious = Host("liar"), Host("curious")
    cable(liar, "eth0", curious, "eth0")
    liar.ip("link set lo up", f"addr add {LIAR}/24 dev eth0")
    curious.ip("link set lo up", f"addr add {CURIOUS}/24 dev eth0")
    yield liar, curious
    liar.close()
    curious.close()


def test_a_network_full_of_lies(hosts: tuple[Host, Host]) -> None:
    liar, curious = hosts

    def ear() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.settimeout(PATIENCE)
        made.bind(("", GROUP[1]))
        here = socket.inet_aton(LIAR)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP[0]) + here)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        return made

    with liar.inside(ear) as mouth:

        def lie() -> None:
            while b"_wirecat" not in mouth.recv(9000):
                continue
            for each in lies():
                mouth.sendto(each, GROUP)

        lying = threading.Thread(target=lie, daemon=True)
        lying.start()
        ended = curious.wirecat("reach", "--browse", "--wait", "3")
        lying.join(PATIENCE)
        assert not lying.is_alive()
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    assert ended.stdout == rf"e\x1b[2J\nv\u202eil.local  {LIAR}:7" + "\n"
