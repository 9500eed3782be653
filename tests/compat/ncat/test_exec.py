"""Programs in place of standard input and output: -e, -c, --lua-exec, in both modes and over every protocol."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from compat.ncat.harness import Ncat, both, everything, exactly, ours, still_runs
from plain_peers import reset


def variables(data: bytes) -> dict[str, str]:
    pairs = (line.partition("=") for line in data.decode().splitlines())
    return {name: value for name, _, value in pairs if name.startswith("NCAT_")}


@both
def test_a_program_for_one_client(ncat: Ncat) -> None:
    listener = ncat.listen("-e", "/bin/cat")
    client = ncat.dial(listener.port)
    client.sendall(b"echo")
    assert exactly(client, 4) == b"echo"
    client.shutdown(socket.SHUT_WR)
    assert everything(client) == b""
    assert listener.program.wait() == 0


@ours
def test_a_program_goes_on_when_its_client_has_said_all(ncat: Ncat) -> None:
    listener = ncat.listen("-c", "cat >/dev/null; sleep 0.3; echo done")
    client = ncat.dial(listener.port)
    client.sendall(b"all")
    client.shutdown(socket.SHUT_WR)
    assert everything(client) == b"done\n"


@both
def test_a_program_that_ends_ends_the_connection(ncat: Ncat) -> None:
    listener = ncat.listen("-c", "echo bye; exit 3")
    assert everything(ncat.dial(listener.port)) == b"bye\n"
    assert listener.program.wait() == 0


@both
def test_a_program_each(ncat: Ncat) -> None:
    listener = ncat.listen("-k", "-c", "read name; echo hello $name")
    one, other = ncat.dial(listener.port), ncat.dial(listener.port)
    other.sendall(b"two\n")
    assert everything(other) == b"hello two\n"
    one.sendall(b"one\n")
    assert everything(one) == b"hello one\n"
    assert still_runs(listener.program, 0.1)


@ours
def test_words_are_split_at_white_space_and_a_backslash_keeps(ncat: Ncat) -> None:
    listener = ncat.listen("-e", r"/usr/bin/printf [%s] a\ b 'c  d' e\\f \"g")
    assert everything(ncat.dial(listener.port)) == rb"""[a b]['c][d'][e\f]["g]"""


@both
def test_a_program_that_is_not_there(ncat: Ncat) -> None:
    listener = ncat.listen("-e", "/nonexistent")
    assert everything(ncat.dial(listener.port)) == b""
    assert listener.program.wait() == 0
    assert listener.program.stderr.endswith(b"exec: No such file or directory\n")


@both
@pytest.mark.parametrize("option", ["-c", "-e"])
def test_what_a_program_learns_of_its_client(ncat: Ncat, option: str) -> None:
    listener = ncat.listen(option, "/usr/bin/env")
    client = ncat.dial(listener.port)
    found = variables(everything(client))
    assert found == {
        "NCAT_REMOTE_ADDR": "127.0.0.1",
        "NCAT_REMOTE_PORT": str(client.getsockname()[1]),
        "NCAT_LOCAL_ADDR": "127.0.0.1",
        "NCAT_LOCAL_PORT": str(listener.port),
        "NCAT_PROTO": "TCP",
    }


@both
def test_what_a_program_of_a_client_learns(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("-c", "/usr/bin/env", "127.0.0.1", server.port)
    accepted, place = server.socket.accept()
    with accepted:
        accepted.settimeout(10)
        found = variables(everything(accepted))
    assert program.wait() == 0
    assert (found["NCAT_REMOTE_PORT"], found["NCAT_LOCAL_PORT"]) == (str(server.port), str(place[1]))


@both
def test_what_a_program_learns_over_udp(ncat: Ncat) -> None:
    listener = ncat.listen("-u", "-c", "read line; /usr/bin/env")
    client = ncat.dial_datagrams(listener.port)
    client.send(b"go\n")
    assert variables(client.recv(65536))["NCAT_PROTO"] == "UDP"


@both
def test_a_program_for_each_udp_client(ncat: Ncat) -> None:
    listener = ncat.listen("-u", "-k", "-c", "read line; echo got $line")
    for text in (b"one", b"two"):
        client = ncat.dial_datagrams(listener.port)
        client.send(text + b"\n")
        assert client.recv(100) == b"got " + text + b"\n"


@both
def test_one_udp_client_too_many(ncat: Ncat) -> None:
    listener = ncat.listen("-v", "-u", "-k", "-m", "1", "-c", "read line; echo got $line; read more")
    first = ncat.dial_datagrams(listener.port)
    first.send(b"one\n")
    assert first.recv(100) == b"got one\n"
    second = ncat.dial_datagrams(listener.port)
    second.send(b"two\n")
    listener.program.wait_for("stderr", b"Ncat: New connection denied: connection limit reached \\(1\\)\n")


@both
def test_a_udp_client_that_may_not_come(ncat: Ncat) -> None:
    listener = ncat.listen("-v", "-u", "-k", "--deny", "127.0.0.1", "-c", "echo got")
    ncat.dial_datagrams(listener.port).send(b"one\n")
    listener.program.wait_for("stderr", b"Ncat: New connection denied: not allowed\n")


@ours
def test_a_signal_reaches_the_program_of_a_udp_client(ncat: Ncat) -> None:
    listener = ncat.listen("-u", "-k", "-c", "echo $$; exec sleep 60")
    client = ncat.dial_datagrams(listener.port)
    client.send(b"x")
    pid = int(client.recv(100))
    listener.program.signal(signal.SIGTERM)
    assert listener.program.wait() == 143
    ends(pid)


@both
def test_what_a_program_learns_on_a_path(ncat: Ncat) -> None:
    program, path = ncat.listen_path("-c", "/usr/bin/env")
    found = variables(everything(ncat.dial_path(path)))
    assert program.wait() == 0
    assert found["NCAT_REMOTE_ADDR"] == found["NCAT_LOCAL_ADDR"] == "localhost"
    assert found["NCAT_REMOTE_PORT"] == found["NCAT_LOCAL_PORT"] == ""
    assert found["NCAT_PROTO"] == "TCP"


@ours
@pytest.mark.parametrize("options", [[], ["-k"]])
def test_a_signal_reaches_the_program(ncat: Ncat, options: list[str]) -> None:
    listener = ncat.listen(*options, "-c", "echo $$; exec sleep 60")
    client = ncat.dial(listener.port)
    pid = int(client.recv(100))
    listener.program.signal(signal.SIGTERM)
    assert listener.program.wait() == 143
    ends(pid)


def ends(pid: int) -> None:
    """Wait for the end of a process that is no child of ours."""
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, "the program still runs"
        os.sched_yield()


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended; one that nobody has reaped has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@ours
@pytest.mark.parametrize("options", [["-e", "/bin/cat"], ["-c", "exec cat"], ["--sh-exec", "echo $$; exec sleep 1000"]])
def test_keep_open_clients_fill_buffers_and_reset_programs_end(ncat: Ncat, options: list[str]) -> None:
    listener = ncat.listen("-k", *options)
    clients = [ncat.dial(listener.port) for _ in range(3)]
    for client in clients:
        client.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while True:
                client.sendall(bytes(1 << 20))
    programs = children(listener.program.pid)
    assert len(programs) == 3
    for client in clients:
        reset(client)
    for pid in programs:
        ends(pid)
    assert still_runs(listener.program, 0.1)


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] + [
        int(each)
        for task in Path(f"/proc/{pid}/task").iterdir()
        if task.name != str(pid)
        for each in (task / "children").read_text().split()
    ]


@both
def test_a_program_of_a_client(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("-e", "/bin/cat", "127.0.0.1", server.port)
    peer = server.accept()
    peer.sendall(b"x")
    assert exactly(peer, 1) == b"x"
    peer.shutdown(socket.SHUT_WR)
    assert everything(peer) == b""
    assert program.wait() == 0


@both
def test_line_ends_of_a_program(ncat: Ncat) -> None:
    listener = ncat.listen("-C", "-c", "printf 'a\\nb\\r\\n'")
    assert everything(ncat.dial(listener.port)) == b"a\r\nb\r\n"


@both
def test_much_of_it(ncat: Ncat) -> None:
    listener = ncat.listen("-c", "head -c 3000000 /dev/zero")
    assert len(everything(ncat.dial(listener.port))) == 3_000_000


@ours
def test_a_client_that_talks_on_gets_all_the_same(ncat: Ncat) -> None:
    """What it sends meanwhile must not make a reset of the end, which would take what is still on its way to it."""
    listener = ncat.listen("-c", "head -c 1000000 /dev/zero")
    client = ncat.dial(listener.port)
    over = threading.Event()

    def talk() -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                client.sendall(b"and so on ")
                over.wait(0.0005)

    talking = threading.Thread(target=talk)
    talking.start()
    received = 0
    try:
        with contextlib.suppress(ConnectionResetError):  # our own last words, after the end
            while piece := client.recv(20000):
                received += len(piece)
                over.wait(0.001)  # so that much is on its way when the program ends
    finally:
        over.set()
        talking.join()
    assert received == 1_000_000


@ours
def test_a_lua_script(ncat: Ncat) -> None:
    pytest.importorskip("lupa")
    script = ncat.folder / "my script.lua"
    script.write_text("print('hello ' .. io.read('*l')) io.stdout:write(os.getenv('NCAT_PROTO'))")
    listener = ncat.listen("--lua-exec", script)
    client = ncat.dial(listener.port)
    client.sendall(b"you\n")
    client.shutdown(socket.SHUT_WR)
    assert everything(client) == b"hello you\nTCP"
    assert listener.program.wait() == 0


LUA = [
    ("broken", "print('x' --", 2, rb"Ncat: Error loading the Lua script: script\.lua:1: .* near .*\. QUITTING\.\n"),
    ("raising", "error('boom')", 0, rb"(?s)Ncat: Error running the Lua script: script\.lua:1: boom\n.*\. QUITTING\.\n"),
    ("for the shell", "#!/usr/bin/lua\nprint('hi')", 0, rb""),
]


@both
@pytest.mark.parametrize(("name", "text", "code", "told"), LUA, ids=[row[0] for row in LUA])
def test_lua_scripts_that_are_wrong(ncat: Ncat, name: str, text: str, code: int, told: bytes) -> None:
    if ncat.is_ours:
        pytest.importorskip("lupa")
    (ncat.folder / "script.lua").write_text(text)
    server = ncat.plain()
    program = ncat.start("--lua-exec", "script.lua", "127.0.0.1", server.port)
    if code == 0:
        assert everything(server.accept()) == (b"" if told else b"hi\n")
    assert program.wait() == code
    assert re.fullmatch(told, program.stderr), program.stderr


@ours
def test_a_program_over_tls(ncat: Ncat) -> None:
    listener = ncat.listen("--ssl", "-e", "/bin/cat")
    ended = ncat.run("--ssl", "127.0.0.1", listener.port, input=b"secret")
    assert (ended.code, ended.out) == (0, b"secret")


@both
def test_the_idle_timeout_is_not_for_programs(ncat: Ncat) -> None:
    listener = ncat.listen("-i", "100ms", "-c", "sleep 0.4; echo late")
    assert everything(ncat.dial(listener.port)) == b"late\n"


@both
def test_receive_only_keeps_what_a_program_says(ncat: Ncat) -> None:
    listener = ncat.listen("--recv-only", "-c", f"cat > {ncat.folder}/got; echo said")
    client = ncat.dial(listener.port)
    client.sendall(b"heard")
    client.shutdown(socket.SHUT_WR)
    assert everything(client) == b""
    assert listener.program.wait() == 0
    assert (ncat.folder / "got").read_bytes() == b"heard"
