"""Network namespaces that live as long as the test that made them, and work done inside them by a thread.

A namespace here has no name in the file system: a thread leaves the machine's network for a new one (unshare(2)),
and an open descriptor keeps that one alive (namespaces(7)). When the test process ends, however it ends, the kernel
takes them away. No namespace has a way out, and no interface of the machine is touched.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from peers import PATIENCE, Program, environment, peer, wirecat_command

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000  # linux/sched.h


def require_namespaces() -> None:
    """Skip the test where no namespaces can be made; fail it with WIRECAT_REQUIRE_PEERS=1."""
    if not sys.platform.startswith("linux"):
        pytest.skip("network namespaces are Linux'")
    try:
        Host("probe").close()
    except OSError as error:
        if os.environ.get("WIRECAT_REQUIRE_PEERS") == "1":
            pytest.fail(f"network namespaces cannot be made ({error}) and WIRECAT_REQUIRE_PEERS is 1")
        pytest.skip(f"network namespaces cannot be made ({error}): they need root")


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def in_thread(work: Callable[[], T]) -> T:
    """Do ``work`` in a thread of its own, which may leave its network: it takes nobody else with it."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="in a namespace", daemon=True)
    thread.start()
    thread.join(PATIENCE * 2)
    if errors:
        raise errors[0]
    if thread.is_alive():
        raise AssertionError(f"{work} still runs after {PATIENCE * 2:g} s")
    return results[0]


class Host:
    """A computer of the lab: a network namespace, and what is done on it. Its loopback is up, IPv6 needs no wait."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.descriptor = in_thread(self._make)

    def _make(self) -> int:
        _call("unshare", _CLONE_NEWNET)
        descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            for which in ("all", "default"):
                for setting in ("accept_dad", "accept_ra"):
                    set_kernel(f"ipv6.conf.{which}.{setting}", "0")
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    @property
    def path(self) -> str:
        """A name for the namespace that ``ip link … netns`` takes."""
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    def close(self) -> None:
        """Let go of it; the kernel removes it once its last process has ended."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def inside(self, work: Callable[[], T]) -> T:
        """The result of ``work``, done by a thread on this host. Sockets made there stay there."""

        def run() -> T:
            _call("setns", self.descriptor, _CLONE_NEWNET)
            return work()

        return in_thread(run)

    def run(self, *command: str, input: str = "", timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """Run a program here to its end, whatever its exit code."""
        return self.inside(
            lambda: subprocess.run(
                command, input=input, capture_output=True, text=True, timeout=timeout, env=environment(), check=False
            )
        )

    def must(self, *command: str, input: str = "") -> str:
        """Run a program here that has to succeed; what it printed."""
        ended = self.run(*command, input=input)
        if ended.returncode:
            raise AssertionError(f"on {self.name}: {' '.join(command)}: {ended.stderr or ended.stdout}")
        return ended.stdout

    def ip(self, *lines: str) -> None:
        """Each line to ip(8)."""
        self.must(peer("ip"), "-batch", "-", input="\n".join(lines) + "\n")

    def nft(self, rules: str) -> None:
        """Rules for nft(8)."""
        self.must(peer("nft"), "-f", "-", input=rules)

    def kernel(self, **settings: str) -> None:
        """Settings of the network in the kernel: ``kernel(**{"ipv4.ip_forward": "1"})``."""

        def write() -> None:
            for name, value in settings.items():
                set_kernel(name, value)

        self.inside(write)

    def program(self, *command: str | Path, check_warnings: bool = True) -> Program:
        """A program for a ``with`` block, which starts it here and nowhere else."""
        return _ProgramOnHost(self, command, check_warnings)

    def wirecat(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run wirecat here to its end."""
        return self.run(*wirecat_command(*arguments))

    def listen(self, port: int, host: str = "0.0.0.0") -> socket.socket:
        """A listener here; "::" serves both families."""

        def open_listener() -> socket.socket:
            if host == "::":
                return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=16)
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, port), family=family, backlog=16)

        return self.inside(open_listener)

    def connect(self, host: str, port: int, timeout: float = PATIENCE, source: str = "") -> socket.socket:
        """A connection from here."""
        bound = (source, 0) if source else None
        return self.inside(lambda: socket.create_connection((host, port), timeout, source_address=bound))

    def reaches(self, host: str, port: int, timeout: float) -> bool:
        """Whether a connection from here is answered there within ``timeout`` seconds."""
        try:
            self.connect(host, port, timeout).close()
        except OSError:
            return False
        return True


class _ProgramOnHost(Program):
    """A Program whose block begins on a host, whoever begins it: never on the machine's own network."""

    def __init__(self, host: Host, command: Sequence[str | Path], check_warnings: bool) -> None:
        super().__init__(list(command), check_warnings=check_warnings)
        self._host = host

    def __enter__(self) -> Program:
        return self._host.inside(super().__enter__)


def set_kernel(name: str, value: str) -> None:
    """Write a setting of the calling thread's network, ``ipv4.ip_forward`` as sysctl(8) calls it, less ``net.``."""
    with open(f"/proc/sys/net/{name.replace('.', '/')}", "w", encoding="ascii") as file:
        file.write(value)


def cable(one: Host, one_interface: str, other: Host, other_interface: str) -> None:
    """Join two hosts by a pair of interfaces, born inside their namespaces."""
    one.ip(
        f"link add {one_interface} type veth peer name {other_interface} netns {other.path}",
        f"link set {one_interface} up",
    )
    other.ip(f"link set {other_interface} up")
