"""The one door to the socket table: sources, processes, what may not be seen, and who has a port."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from lonely_port import lonely_socket
from wirecat.errors import UsageError, WirecatError
from wirecat.system import netlink_sockets, proc_sockets, socket_table, windows_processes, windows_sockets
from wirecat.system.processes import process_name
from wirecat.system.socket_row import SocketRow
from wirecat.system.socket_table import find_listener, read_socket_table

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's sources")


def refuse(*_: object, **__: object) -> Any:
    raise PermissionError(1, "Operation not permitted")


@linux
def test_the_process_found_is_this_one(conversation, family) -> None:
    rows = read_socket_table(port=conversation.port).rows
    assert len(rows) == 3
    assert {(row.pid, row.process) for row in rows} == {(os.getpid(), process_name(os.getpid()))}
    assert {row.uid for row in rows} == {os.getuid()}


def test_processes_can_be_left_out(conversation) -> None:
    table = read_socket_table(port=conversation.port, processes=False)
    assert len(table.rows) == 3
    if sys.platform.startswith("linux"):
        assert {row.pid for row in table.rows} == {None}
        assert table.notes == []


def test_filters(conversation) -> None:
    def states(**choice: Any) -> list[str | None]:
        return sorted(row.state or "" for row in read_socket_table(port=conversation.port, **choice).rows)

    assert states() == ["ESTABLISHED", "ESTABLISHED", "LISTEN"]
    assert states(listening=True) == ["LISTEN"]
    assert states(states=("ESTABLISHED",)) == ["ESTABLISHED", "ESTABLISHED"]
    assert states(states=("ESTABLISHED",), listening=True) == ["ESTABLISHED", "ESTABLISHED", "LISTEN"]
    assert states(protocols=("udp",)) == []
    # The remote port counts as well. (A client's port may serve other connections to other ports.)
    ports = {(row.local_port, row.remote_port) for row in read_socket_table(port=conversation.client_port).rows}
    assert (conversation.client_port, conversation.port) in ports
    assert (conversation.port, conversation.client_port) in ports


def test_a_udp_socket_without_a_peer_counts_as_listening() -> None:
    with (
        lonely_socket(kind=socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        port = server.getsockname()[1]
        client.connect(server.getsockname())
        rows = read_socket_table(port=port, listening=True, protocols=("udp",)).rows
        assert port in {row.local_port for row in rows}
        if sys.platform.startswith("linux"):
            assert [row.state for row in rows] == ["UNCONNECTED"]


@linux
def test_where_netlink_is_refused_proc_is_read(conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink_sockets, "read_netlink_sockets", refuse)
    rows = read_socket_table(port=conversation.port).rows
    assert len(rows) == 3
    assert {row.pid for row in rows} == {os.getpid()}
    assert len(read_socket_table(port=conversation.port, states=("LISTEN",)).rows) == 1


@linux
def test_where_both_are_refused_an_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink_sockets, "read_netlink_sockets", refuse)
    monkeypatch.setattr(proc_sockets, "read_proc_sockets", refuse)
    with pytest.raises(WirecatError, match="not permitted") as caught:
        read_socket_table()
    assert caught.value.exit_code == 1
    assert find_listener(80) is None


@linux
def test_a_table_that_never_keeps_still_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink_sockets, "read_netlink_sockets", lambda *_, **__: ([], False))
    (note,) = read_socket_table().notes
    assert "changed" in note


_WITHOUT_ROOT = """
import ctypes, json, os, sys
from lonely_port import lonely_socket
from wirecat.sockets.listing import sockets
from wirecat.system import netlink_sockets, proc_sockets, processes
from wirecat.system.socket_table import find_listener
os.setgroups([]); os.setgid(65534); os.setuid(65534)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: as a process that was never root
with lonely_socket() as own:
    own.listen()
    foreign, mine = sockets(port=int(sys.argv[1])), sockets(port=own.getsockname()[1])
    holder = find_listener(int(sys.argv[1]))
print(json.dumps([
    [[row.state, row.uid, row.pid, row.process] for row in foreign.rows], foreign.notes,
    [row.pid for row in mine.rows] == [os.getpid()], mine.notes, holder.state, holder.describe_owner(),
]))
"""


@linux
def test_without_root_it_says_what_it_may_not_see(conversation) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to have a socket that is another user's")
    with lonely_socket() as listener:
        listener.listen()
        result = subprocess.run(
            [sys.executable, "-c", _WITHOUT_ROOT, str(listener.getsockname()[1])],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    foreign, notes, mine_found, mine_notes, holder, owner = json.loads(result.stdout)
    assert foreign == [["LISTEN", 0, None, None]]
    assert notes == ["processes of other users are not shown (1 socket): run as root to see them"]
    assert (mine_found, mine_notes) == (True, [])
    assert (holder, owner) == ("LISTEN", "")


@linux
def test_a_socket_that_no_process_has_is_told_to_root(conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    row = SocketRow("tcp", "ipv4", "127.0.0.1", 80, state="LISTEN", inode=2**31 - 1)
    monkeypatch.setattr(netlink_sockets, "read_netlink_sockets", lambda *_, **__: ([row], True))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (note,) = read_socket_table(port=80).notes
    assert "cannot be seen" in note


@linux
def test_who_has_a_port(conversation, family) -> None:
    holder = find_listener(conversation.port)
    assert holder is not None
    assert holder.state == "LISTEN"
    assert holder.describe_owner() == f"process {process_name(os.getpid())} (pid {os.getpid()})"
    conversation.listener.close()
    holder = find_listener(conversation.port)
    assert holder is not None and holder.state == "ESTABLISHED"
    conversation.server.close()
    conversation.client.close()
    holder = find_listener(conversation.port)
    assert holder is None or holder.state == "TIME-WAIT"


@linux
def test_nobody_has_a_free_port() -> None:
    with lonely_socket() as trial:
        port = trial.getsockname()[1]
        bound = find_listener(port)
        assert bound is None or (bound.state, bound.pid) == ("CLOSED", os.getpid())
    assert find_listener(port) is None
    assert find_listener(port, protocol="udp") is None


@linux
@pytest.mark.parametrize(
    ("taken", "host", "in_way"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.1", "0.0.0.0", True),
        ("127.0.0.1", "::", True),
        ("127.0.0.1", "::1", False),
        ("127.0.0.1", "", True),
        ("0.0.0.0", "127.0.0.2", True),
        ("0.0.0.0", "::1", False),
        ("::", "::1", True),
        ("::", "127.0.0.1", True),
        ("::1", "127.0.0.1", False),
    ],
)
def test_a_port_is_taken_on_some_addresses_only(taken: str, host: str, in_way: bool) -> None:
    try:
        listener = lonely_socket(socket.AF_INET6 if ":" in taken else socket.AF_INET, host=taken)
    except OSError:
        pytest.skip(f"no {taken} here")
    with listener:
        listener.listen()
        assert (find_listener(listener.getsockname()[1], host=host) is not None) is in_way


def test_windows_rows_get_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {
        ("tcp", "ipv4"): [SocketRow("tcp", "ipv4", "127.0.0.1", 80, state="LISTEN", pid=7)],
        ("udp", "ipv6"): [SocketRow("udp", "ipv6", "::", 53, pid=8)],
    }
    monkeypatch.setattr(socket_table, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr(
        windows_sockets, "read_windows_sockets", lambda protocol, family: table.get((protocol, family), [])
    )
    monkeypatch.setattr(windows_processes, "windows_process_names", lambda: {7: "cat.exe"})
    rows = read_socket_table(listening=True).rows
    assert [(row.local_port, row.pid, row.process) for row in rows] == [(80, 7, "cat.exe"), (53, 8, None)]
    assert [row.local_port for row in read_socket_table(states=("LISTEN",)).rows] == [80]
    holder = find_listener(80)
    assert holder is not None and holder.process == "cat.exe"
    monkeypatch.setattr(windows_sockets, "read_windows_sockets", refuse)
    with pytest.raises(WirecatError):
        read_socket_table()


def test_other_systems_are_read_by_psutil(conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psutil")
    monkeypatch.setattr(socket_table, "sys", SimpleNamespace(platform="darwin"))
    rows = read_socket_table(port=conversation.port).rows
    assert {(row.state, row.pid) for row in rows} == {("LISTEN", os.getpid()), ("ESTABLISHED", os.getpid())}
    assert all(row.process for row in rows)
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(UsageError, match="pip install"):
        read_socket_table()
    assert find_listener(conversation.port) is None
