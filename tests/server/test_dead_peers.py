"""A peer that no longer answers is noticed, idle or not; one that only reads nothing is left alone.

Each case runs in a network namespace of its own, where the packets of the client can be dropped.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from peers import SOURCE
from wirecat.address import Address
from wirecat.connection_state import ConnectionState
from wirecat.endpoints import open_listener
from wirecat.server.dead_peers import DeadPeers, find_dead_peers

LIMIT = 1.5

PRELUDE = f"""
import socket, subprocess, sys, threading, time
import wirecat
from wirecat.events import Closed, Failed

LIMIT = {LIMIT}
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
came = threading.Condition()
events = []

def note(event):
    with came:
        events.append(event)
        came.notify_all()

def wait(kind, seconds=20):
    with came:
        assert came.wait_for(lambda: [e for e in events if isinstance(e, kind)], seconds), events
    return [e for e in events if isinstance(e, kind)][0]

def drop(port):
    chain = f"chain in {{{{ type filter hook input priority 0; tcp sport {{port}} drop; tcp dport {{port}} drop; }}}}"
    rules = f"table inet gone {{{{ {{chain}}; }}}}"
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)

def until_full(server):
    before = -1
    while (sent := sum(each.sent for each in server.connections)) != before:
        before = sent
        time.sleep(0.3)
"""

CASES = {
    "idle": """
with wirecat.serve("echo", "127.0.0.1:0", on_event=note, dead_after=LIMIT, engine=ENGINE) as server:
    client = socket.create_connection((server.address.host, server.address.port))
    client.sendall(b"x"); client.recv(1)
    drop(client.getsockname()[1])
    closed = wait(Closed)
    assert (closed.by, closed.reason) == ("peer", "lost"), closed
""",
    "data under way": """
with wirecat.serve("chargen", "127.0.0.1:0", on_event=note, dead_after=LIMIT, engine=ENGINE) as server:
    client = socket.create_connection((server.address.host, server.address.port))
    def read():
        while client.recv(1 << 16):
            pass
    threading.Thread(target=read, daemon=True).start()  # so that there is room, and bytes are under way
    drop(client.getsockname()[1])
    closed = wait(Closed)
    assert (closed.by, closed.reason) == ("peer", "lost"), closed
""",
    "zero window": """
with wirecat.serve("chargen", "127.0.0.1:0", on_event=note, dead_after=LIMIT, engine=ENGINE) as server:
    client = socket.create_connection((server.address.host, server.address.port))
    until_full(server)
    time.sleep(8 * LIMIT)
    assert not [e for e in events if isinstance(e, Closed)], events
    assert client.recv(100)
    client.close()
""",
}
RELAY = """
listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
with wirecat.relay("127.0.0.1:0", f"127.0.0.1:{port}", keep_open=True, on_event=note, dead_after=LIMIT) as server:
    client = socket.create_connection((server.address.host, server.address.port))
    client.settimeout(20)
    far, place = listener.accept()
    SAY
    drop(place[1])
    SEND
    failed = wait(Failed)
    assert "no longer answers" in failed.error, failed
    wait(Closed)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="network namespaces")


def run(code: str, engine: str = "threads") -> None:
    for program in ("unshare", "nft", "ip"):
        assert shutil.which(program), program
    start = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); ENGINE = {engine!r}\n"
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", start + PRELUDE + code], capture_output=True, text=True, timeout=55
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("engine", ["threads", "async"])
@pytest.mark.parametrize("case", CASES)
def test_peer_of_a_server(case: str, engine: str) -> None:
    run(CASES[case], engine)


@pytest.mark.parametrize("how", ["idle", "data under way"])
def test_target_of_a_relay_that_no_longer_answers_ends_its_client(how: str) -> None:
    say = 'client.sendall(b"x"); assert far.recv(1); time.sleep(1.5)'
    send = "" if how == "idle" else 'client.sendall(b"lost")'
    run(RELAY.replace("SAY", say).replace("SEND", send))


@pytest.fixture
def listening() -> Iterator[object]:
    listener = open_listener(Address.parse("127.0.0.1:0"), 5)
    yield listener
    listener.close()


def test_find_dead_peers_without_limit_is_none(listening: object) -> None:
    assert find_dead_peers(listening, None) is None  # type: ignore[arg-type]
    assert isinstance(find_dead_peers(listening, 60), DeadPeers)  # type: ignore[arg-type]


def test_connection_without_descriptor_is_not_dead() -> None:
    class Nameless(ConnectionState):
        pass

    connection = Nameless()
    connection.bytes_sent = 1
    assert DeadPeers(1.0).find([connection], 100.0) == []
