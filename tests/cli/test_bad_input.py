"""Bad input to connect, listen and wait: each a clear line on stderr, nothing on stdout, and the right exit code."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from peers import Program, environment, wirecat
from plain_peers import refusing, serving, silent, wait_for_end

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the texts of Windows differ")

HELP = r" See: wirecat {verb} --help"

#: The command line, the exit code, and what the line says (a regular expression). REFUSED and so on become ports.
TABLE = [
    # Hosts and ports that the network knows nothing of.
    ("connect nosuchhost.invalid:80", 1, r"connect nosuchhost\.invalid:80: unknown host 'nosuchhost\.invalid' \("),
    ("connect 127.0.0.1:REFUSED", 1, r"connect 127\.0\.0\.1:REFUSED: connection refused\. .* Try: wirecat sockets"),
    ("connect REFUSED", 1, r"connect REFUSED: connection refused\. Nothing listens there"),
    ("connect [::1]:REFUSED", 1, r"connect \[::1\]:REFUSED: connection refused\."),
    ("connect 127.0.0.1:SILENT --timeout 0.5", 1, r"connect 127\.0\.0\.1:SILENT: no answer in 0\.5 s\. "),
    ("connect SILENT --timeout 500ms", 1, r"connect SILENT: no answer in 0\.5 s"),
    ("connect unix:///no/such/socket", 1, r"connect unix:///no/such/socket: there is no such path"),
    ("wait 127.0.0.1:REFUSED --timeout 0.3", 1, r"wait 127\.0\.0\.1:REFUSED: it did not accept within 0\.3 s "),
    # Addresses that are none, or that are not for this.
    ("connect 0", 2, r"0: port 0 means 'a free one' and is for servers only\. Name the server's port"),
    ("connect localhost:0", 2, r"localhost:0: port 0 means 'a free one'"),
    ("connect 70000", 2, r"address '70000': port 70000 is out of range\. A port is a number from 1 to 65535"),
    ("connect localhost:70000", 2, r"address 'localhost:70000': port 70000 is out of range\."),
    ("connect abc", 2, r"address 'abc': no port\. Write abc:12345\."),
    ("connect abc:def", 2, r"address 'abc:def': 'def' is no port\. A port is a number from 1 to 65535"),
    ("connect ''", 2, r"address '': it is empty\. Write 12345, host:12345 or \[::1\]:12345\."),
    ("connect [::1]", 2, r"address '\[::1\]': no port\. Write \[::1\]:12345\."),
    ("connect ::1", 2, r"address '::1': an IPv6 address stands in brackets\. Write \[::1\]:12345\."),
    ("connect host 80 90", 2, r"connect: too many arguments: 90\." + HELP),
    ("connect host 0", 2, r"host:0: port 0 means 'a free one'"),
    ("connect foo://host:1", 2, r"foo://host:1: unknown scheme 'foo'\. There are: tcp, "),
    ("connect 'a b:1'", 2, r"address 'a b:1': 'a b' is no host\."),
    ("connect tcp://host:1?x=y", 2, r"\S*host:1\S*: unknown option 'x' for tcp\."),
    ("connect -", 2, r"connect: '-' is standard input and output, .* an address is needed\." + HELP),
    ("listen 70000", 2, r"address '70000': port 70000 is out of range\."),
    ("listen -", 2, r"listen: '-' is standard input and output"),
    ("wait 0", 2, r"0: port 0 means 'a free one'"),
    # What cannot be listened on.
    ("listen 127.0.0.1:TAKEN", 1, r"listen 127\.0\.0\.1:TAKEN: the port is taken by \S+ \(pid \d+\)\. End"),
    ("listen TAKEN", 1, r"listen TAKEN: the port is taken by \S+ \(pid \d+\)\."),
    ("listen 192.0.2.55:5555", 1, r"listen 192\.0\.2\.55:5555: that address is not this PC's\."),
    ("listen nosuchhost.invalid:5555", 1, r"listen nosuchhost\.invalid:5555: unknown host"),
    ("listen 127.0.0.1:0 --lan", 2, r"--lan opens it to others, but 127\.0\.0\.1:0 is this PC only\."),
    ("listen unix:///no/such/folder/socket", 1, r"listen unix:///no/such/folder/socket: No such file or directory"),
    # Options.
    ("connect 1 --timeout 0", 2, r"connect: --timeout: it must be more than 0 seconds\." + HELP),
    ("connect 1 --timeout -1", 2, r"connect: --timeout: '-1': seconds are a number of at least 0\." + HELP),
    ("connect 1 --timeout=-1", 2, r"connect: --timeout: '-1': seconds are a number of at least 0\." + HELP),
    ("connect 1 --timeout nan", 2, r"connect: --timeout: 'nan': seconds are a number of at least 0\." + HELP),
    ("connect 1 --timeout x", 2, r"connect: --timeout: 'x' is no number of seconds\." + HELP),
    ("connect 1 --retry -1", 2, r"connect: --retry: -1 is less than 0\." + HELP),
    ("connect 1 --retry 1.5", 2, r"connect: --retry: '1\.5' is no whole number\." + HELP),
    ("connect 1 --newline cr", 2, r"connect: --newline: invalid choice: 'cr' \(choose from .*\)\." + HELP),
    ("connect 1 --bogus", 2, r"connect: unknown option --bogus\." + HELP),
    ("connect 1 --asc", 2, r"connect: unknown option --asc \(did you mean --ask\?\)\." + HELP),
    ("connect 1 --prompt", 2, r"connect: --prompt: a value is missing\." + HELP),
    ("connect", 2, r"connect: ADDRESS is missing\." + HELP),
    ("wait", 2, r"wait: ADDRESS is missing\." + HELP),
    ("wait 1 --timeout 0", 2, r"wait: --timeout: it must be more than 0 seconds\." + HELP),
    ("wait 1 --timeout -1", 2, r"wait: --timeout: '-1': seconds are a number of at least 0\." + HELP),
    ("listen 1 2 3", 2, r"listen: too many arguments: 3\." + HELP),
    ("conect 1", 2, r"unknown verb 'conect' \(did you mean 'connect'\?\)\. There are: connect, listen, "),
]  # fmt: skip


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, str]]:
    with contextlib.ExitStack() as stack:
        refused = stack.enter_context(refusing())
        with socket.socket(socket.AF_INET6) as other:
            # A bare port is both loopback addresses; somebody else may have the second one.
            with contextlib.suppress(OSError):
                other.bind(("::1", refused))
        quiet = stack.enter_context(silent())
        also = stack.enter_context(socket.socket(socket.AF_INET6))
        also.bind(("::1", quiet))
        also.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket(socket.AF_INET6))
            filler.setblocking(False)
            filler.connect_ex(("::1", quiet))
        taken = stack.enter_context(serving(wait_for_end)).port
        yield {"REFUSED": str(refused), "SILENT": str(quiet), "TAKEN": str(taken)}


def with_ports(text: str, ports: dict[str, str]) -> str:
    for name, port in ports.items():
        text = text.replace(name, port)
    return text


@pytest.mark.parametrize(("line", "code", "said"), TABLE, ids=[line for line, _, _ in TABLE])
def test_one_line_and_the_right_exit_code(line: str, code: int, said: str, ports: dict[str, str]) -> None:
    import shlex

    words = shlex.split(with_ports(line, ports))
    started = time.monotonic()
    with wirecat(*words) as program:
        program.close_stdin()
        assert program.wait() == code
        assert program.stdout == b""
        (told,) = program.stderr.decode().splitlines()
    pattern = with_ports(said, ports).replace("{verb}", words[0])
    assert re.match(f"wirecat: {pattern}", told), told
    assert len(told) < 200, "a line is to be read"
    if "SILENT" in line:
        assert 0.5 <= time.monotonic() - started < 2.5


def test_no_arguments_show_what_there_is() -> None:
    with wirecat() as program:
        assert program.wait() == 2
        assert program.stdout == b""
        assert b"wirecat connect 12345" in program.stderr


def test_a_privileged_port_without_the_privilege() -> None:
    """As nobody; whatever is still to be imported then may lie where nobody may not read."""
    limit = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if limit.exists() and int(limit.read_text()) <= 80:
        pytest.skip("no port is privileged here")
    code = (
        "import os, sys\n"
        "from wirecat.__main__ import main\n"
        "import wirecat.cli.main, wirecat.cli.listen, wirecat.endpoints.tcp, wirecat.endpoints.listener\n"
        "import wirecat.views.text_addresses, gettext, locale\n"
        "if os.getuid() == 0:\n"
        "    os.setgroups([])\n"
        "    os.setgid(65534)\n"
        "    os.setuid(65534)\n"
        "sys.exit(main())\n"
    )
    with Program([sys.executable, "-c", code, "listen", "127.0.0.1:80"]) as program:
        assert program.wait() == 1
        assert program.stderr.decode() == (
            "wirecat: listen 127.0.0.1:80: ports below 1024 are privileged. "
            "Choose a port from 1024 on, or run it as root.\n"
        )


def test_no_descriptors_left() -> None:
    """A bad day and no bug of ours: a line that says what is missing."""
    code = (
        "import os, resource, sys\n"
        "from wirecat.__main__ import main\n"
        "import wirecat.cli.main, wirecat.cli.connect, wirecat.endpoints.tcp, wirecat.endpoints.race\n"
        "import wirecat.endpoints.socket_stream\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "sys.exit(main())\n"
    )
    with Program([sys.executable, "-c", code, "connect", "127.0.0.1:1"], env=environment()) as program:
        assert program.wait() == 1
        (line,) = program.stderr.decode().splitlines()
        assert line.startswith("wirecat: connect 127.0.0.1:1: Too many open files")


def test_several_addresses_share_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of a host's addresses may be silent: the timeout is for all of them together."""
    from wirecat.errors import NoAnswer
    from wirecat.talk import connect

    with contextlib.ExitStack() as stack:
        hosts = [f"127.0.0.{last}" for last in range(1, 6)]
        ports = [stack.enter_context(silent(host)) for host in hosts]
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host, port in zip(hosts, ports, strict=True)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        started = time.monotonic()
        with pytest.raises(NoAnswer, match=r"connect many\.example:1: no answer in 0\.8 s"):
            connect("many.example:1", timeout=0.8)
        assert 0.8 <= time.monotonic() - started < 2


def test_the_second_address_is_tried_while_the_first_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    from wirecat.talk import connect

    with silent("127.0.0.2") as quiet, serving(lambda peer: peer.sendall(b"here"), "127.0.0.3") as server:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", quiet)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.3", server.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        started = time.monotonic()
        with connect("two.example:1", timeout=10) as connection:
            assert connection.receive() == b"here"
        assert 0.2 <= time.monotonic() - started < 2


def test_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from wirecat.errors import NoAnswer
    from wirecat.talk import connect

    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(30) or [])
    started = time.monotonic()
    try:
        with pytest.raises(NoAnswer, match=r"the lookup of 'slow\.example' took longer than 0\.4 s"):
            connect("slow.example:1", timeout=0.4)
        assert 0.4 <= time.monotonic() - started < 2
    finally:
        over.set()


def test_the_tests_run_with_a_clean_environment() -> None:
    assert "WIRECAT_DEBUG" not in os.environ
