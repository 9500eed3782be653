"""Which process has which socket, on Linux: the links in /proc/PID/fd that read ``socket:[INODE]`` (proc(5)).

A process that ends in the middle is simply no longer there. One that may not be looked into (another user's,
without root) is counted, so that the table can say what it does not show.
"""

from __future__ import annotations

import errno
import os

from wirecat.system.kernel_file import read_kernel_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class SocketOwners:
    """``by_inode``: a socket's inode → (pid, name or None); ``denied``: processes that may not be seen."""

    __slots__ = ("by_inode", "denied")

    def __init__(self, by_inode: dict[int, tuple[int, str | None]], denied: int) -> None:
        self.by_inode = by_inode
        self.denied = denied


def find_socket_owners(inodes: Iterable[int], *, directory: str = "/proc") -> SocketOwners:
    """Find the processes of these sockets; where several share one, the one with the lowest pid.

    The search ends as soon as all are found: what it costs is reading links, some 3 µs each.
    """
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, tuple[int, str | None]] = {}
    denied = 0
    try:
        pids = sorted(int(name) for name in os.listdir(directory) if name.isdecimal())
    except OSError:
        pids = []
    for pid in pids:
        if not wanted:
            break
        try:
            held = _find_held(f"{directory}/{pid}/fd", wanted)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                denied += 1
            continue
        if held:
            owner = (pid, process_name(pid, directory=directory))
            for inode in held:
                found[inode] = owner
    return SocketOwners(found, denied)


def control_group(pid: str, controller: str) -> str:
    """The control group of a process (``self``: this one) for a controller of version 1; "" names version 2 (cgroups(7)).

    "/" where there is no such controller, "" where the process is gone.
    """
    try:
        lines = read_kernel_file(f"/proc/{pid}/cgroup").decode("utf-8", "backslashreplace").splitlines()
    except OSError:
        return ""
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path
    return "/"


def file_group(pid: int) -> int | None:
    """The group that a process makes its files and sockets with (proc(5)); None where it is gone."""
    try:
        lines = read_kernel_file(f"/proc/{pid}/status").decode("ascii", "replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[4]) for line in lines if line.startswith("Gid:")), None)


def _find_held(path: str, wanted: dict[str, int]) -> list[int]:
    """Take the sockets that this directory of descriptors holds out of ``wanted``; return the inodes."""
    held = []
    # Relative to an open directory a link is read a quarter faster than by its whole path.
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        read, take = os.readlink, wanted.pop
        for name in os.listdir(folder):
            try:
                inode = take(read(name, dir_fd=folder), None)
            except FileNotFoundError:
                continue  # closed meanwhile
            if inode is not None:
                held.append(inode)
                if not wanted:
                    break
    except ProcessLookupError:
        pass  # it ended meanwhile
    finally:
        os.close(folder)
    return held


def process_name(pid: int, *, directory: str = "/proc") -> str | None:
    """The name of a process (at most 15 bytes, proc_pid_comm(5)), made printable; None where it has ended."""
    try:
        raw = read_kernel_file(f"{directory}/{pid}/comm")
    except OSError:
        return None
    return make_printable(raw.removesuffix(b"\n").decode("utf-8", "backslashreplace"))


def process_start(pid: int, *, directory: str = "/proc") -> str:
    """When a process was started, as text to compare: the boot's id and the clock ticks since (proc_pid_stat(5)).

    "" where that cannot be read, or the process is gone.
    """
    try:
        boot = read_kernel_file(f"{directory}/sys/kernel/random/boot_id").strip().decode("ascii")
        ticks = read_kernel_file(f"{directory}/{pid}/stat").rpartition(b")")[2].split()[19].decode("ascii")
    except (OSError, IndexError):
        return ""
    return f"{boot} {ticks}"


def make_printable(name: str) -> str:
    """A process may call itself anything: what is not printable becomes an escape such as ``\\x1b``.

    >>> make_printable("cat")
    'cat'
    """
    if name.isprintable():
        return name
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "backslashreplace").decode("ascii")
        for character in name
    )
