"""Which process has which socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from wirecat.system import processes
from wirecat.system.processes import find_socket_owners, make_printable, process_name, process_start

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has /proc/PID/fd")


def inode_of(opened: socket.socket) -> int:
    return os.fstat(opened.fileno()).st_ino


@linux
def test_this_process_is_found() -> None:
    with socket.socket() as one, socket.socket() as other:
        inodes = {inode_of(one), inode_of(other)}
        owners = find_socket_owners(inodes)
        assert set(owners.by_inode) == inodes
        assert set(owners.by_inode.values()) == {(os.getpid(), process_name(os.getpid()))}


@linux
def test_another_process_is_found_and_the_one_with_the_lowest_pid_where_two_share() -> None:
    code = "import socket, os; s = socket.socket(); print(os.fstat(s.fileno()).st_ino, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        inode = int(child.stdout.readline())
        assert find_socket_owners([inode]).by_inode[inode][0] == child.pid
        child.stdin.write("\n")
    with (
        socket.socket() as shared,
        subprocess.Popen(
            [sys.executable, "-c", "print(flush=True); input()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[shared.fileno()],
        ) as child,
    ):
        child.stdout.readline()
        inode = inode_of(shared)
        assert find_socket_owners([inode]).by_inode[inode][0] == min(child.pid, os.getpid())
        child.stdin.write("\n")


@linux
def test_the_search_ends_when_all_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as opened:
        inode = inode_of(opened)
        looked: list[str] = []
        find_held = processes._find_held

        def spy(path: str, wanted: dict[str, int]) -> list[int]:
            looked.append(path)
            return find_held(path, wanted)

        monkeypatch.setattr(processes, "_find_held", spy)
        find_socket_owners([inode])
        assert looked[-1] == f"/proc/{os.getpid()}/fd"
        looked.clear()
        find_socket_owners([])
        assert looked == []


def fake_process(root: Path, pid: int, name: bytes, sockets: list[int]) -> Path:
    folder = root / str(pid) / "fd"
    folder.mkdir(parents=True)
    (root / str(pid) / "comm").write_bytes(name + b"\n")
    (folder / "0").symlink_to("/dev/null")
    for number, inode in enumerate(sockets, 3):
        (folder / str(number)).symlink_to(f"socket:[{inode}]")
    return folder


@linux
def test_names_are_made_printable(tmp_path: Path) -> None:
    fake_process(tmp_path, 10, b"\x1b[2Jevil\nname\xff", [5])
    assert find_socket_owners([5], directory=str(tmp_path)).by_inode == {5: (10, r"\x1b[2Jevil\nname\xff")}


@linux
def test_processes_that_end_meanwhile_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_process(tmp_path, 10, b"one", [5, 6])
    fake_process(tmp_path, 11, b"two", [6])
    (tmp_path / "12").mkdir()  # without fd: ended between the list and the look
    (tmp_path / "sys").mkdir()
    readlink = os.readlink

    def vanishing(name: str, *, dir_fd: int) -> str:
        link = readlink(name, dir_fd=dir_fd)
        if link == "socket:[5]":
            raise FileNotFoundError(name)  # that descriptor was closed
        if "6" in link and not seen:
            seen.append(link)
            raise ProcessLookupError(name)  # and then the process ended
        return link

    seen: list[str] = []
    monkeypatch.setattr(os, "readlink", vanishing)
    before = len(os.listdir("/proc/self/fd"))
    owners = find_socket_owners([5, 6], directory=str(tmp_path))
    assert owners.by_inode == {6: (11, "two")}
    assert owners.denied == 0
    assert len(os.listdir("/proc/self/fd")) == before
    assert find_socket_owners([1], directory=str(tmp_path / "none")).by_inode == {}


@linux
def test_a_process_that_may_not_be_looked_into_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_process(tmp_path, 10, b"one", [5])
    fake_process(tmp_path, 11, b"two", [6])
    open_ = os.open

    def guarded(path: str, *arguments: int) -> int:
        if path.endswith("/10/fd"):
            raise PermissionError(13, "no", path)
        return open_(path, *arguments)

    monkeypatch.setattr(os, "open", guarded)
    owners = find_socket_owners([5, 6], directory=str(tmp_path))
    assert (owners.by_inode, owners.denied) == ({6: (11, "two")}, 1)


def test_only_what_is_not_printable_is_escaped() -> None:
    assert make_printable("Grüße (7)") == "Grüße (7)"
    assert make_printable("a\x07\u202eb\ud800") == r"a\x07\u202eb\ud800"


def test_process_start_tells_a_process_from_a_later_one_of_its_number(tmp_path: Path) -> None:
    own = process_start(os.getpid())
    if sys.platform.startswith("linux"):
        assert own
        assert own == process_start(os.getpid())
        assert own != process_start(1)
    assert process_start(1, directory=str(tmp_path)) == ""
