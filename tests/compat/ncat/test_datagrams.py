"""UDP, and Unix domain sockets of both kinds."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from compat.ncat.harness import WIRECAT, Ncat, both, exactly, opened, ours, still_runs
from peers import Program, peer, wirecat


@both
def test_a_udp_client_ends_with_its_input(ncat: Ncat) -> None:
    server = ncat.plain_datagrams()
    program = ncat.start("-u", "127.0.0.1", server.getsockname()[1])
    program.send(b"question")
    data, place = server.recvfrom(100)
    assert data == b"question"
    server.sendto(b"answer", place)
    program.wait_for("stdout", b"answer")
    program.close_stdin()
    assert program.wait() == 0


@both
def test_a_udp_client_told(ncat: Ncat) -> None:
    server = ncat.plain_datagrams()
    port = server.getsockname()[1]
    ended = ncat.run("-uv", "127.0.0.1", port, input=b"ab")
    assert server.recv(10) == b"ab"
    assert ended.code == 0
    assert f"Ncat: Connected to 127.0.0.1:{port}.\nNcat: 2 bytes sent, 0 bytes received in " in ended.err


@both
def test_no_input_sends_nothing_over_udp(ncat: Ncat) -> None:
    server = ncat.plain_datagrams()
    assert ncat.run("-u", "127.0.0.1", server.getsockname()[1], input=None).code == 0
    server.settimeout(0.2)
    with pytest.raises(TimeoutError):
        server.recv(10)


@both
def test_nobody_there(ncat: Ncat) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = ncat.start("-u", "127.0.0.1", port)
    program.send(b"hello?")
    assert program.wait() == 1
    assert program.stderr == b"Ncat: Connection refused.\n"


@both
@pytest.mark.timeout(30)
def test_zero_io_over_udp(ncat: Ncat) -> None:
    server = ncat.plain_datagrams()
    ended = ncat.run("-zuv", "127.0.0.1", server.getsockname()[1])
    assert server.recv(10) == b"\0"
    assert ended.code == 0
    assert "Ncat: UDP packet sent successfully\n" in ended.err
    assert "Ncat: 1 bytes sent, 0 bytes received in 2." in ended.err


@both
@pytest.mark.parametrize("verbose", [False, True])
def test_zero_io_over_udp_refused(ncat: Ncat, verbose: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ended = ncat.run("-zu", *["-v"] * verbose, "127.0.0.1", port)
    assert ended.code == 1
    assert ended.err.endswith("Ncat: Connection refused.\n" if verbose else "")
    assert bool(ended.err) is verbose


@both
def test_a_udp_listener(ncat: Ncat) -> None:
    listener = ncat.listen("-u")
    client = ncat.dial_datagrams(listener.port)
    client.send(b"one")
    listener.program.wait_for("stdout", b"one")
    listener.program.send(b"two")
    assert client.recv(10) == b"two"
    client.send(b"")
    client.send(b"three")
    listener.program.wait_for("stdout", b"three")
    listener.program.close_stdin()
    assert still_runs(listener.program)
    client.send(b"four")
    listener.program.wait_for("stdout", b"four")


@both
def test_a_udp_listener_is_its_first_clients(ncat: Ncat) -> None:
    listener = ncat.listen("-u")
    first, second = ncat.dial_datagrams(listener.port), ncat.dial_datagrams(listener.port)
    first.send(b"first")
    listener.program.wait_for("stdout", b"first")
    with pytest.raises(ConnectionRefusedError):
        for _ in range(100):
            second.send(b"second")
            second.settimeout(0.05)
            try:
                second.recv(1)
            except TimeoutError:
                continue
    assert listener.program.stdout == b"first"


@both
def test_a_udp_listener_without_input(ncat: Ncat) -> None:
    listener = ncat.listen("-u", stdin=subprocess.DEVNULL)
    client = ncat.dial_datagrams(listener.port)
    for text in (b"one", b"two"):
        client.send(text)
        listener.program.wait_for("stdout", text)


@both
def test_a_udp_listeners_idle_timeout(ncat: Ncat) -> None:
    listener = ncat.listen("-u", "-i", "300ms")
    assert still_runs(listener.program, 0.5)
    ncat.dial_datagrams(listener.port).send(b"x")
    assert listener.program.wait() == 2
    assert listener.program.stderr.endswith(b"Ncat: Idle timeout expired (300 ms). QUITTING.\n")


@ours
def test_what_a_udp_listener_says(ncat: Ncat) -> None:
    listener = ncat.listen("-uv")
    client = ncat.dial_datagrams(listener.port)
    client.send(b"x")
    listener.program.wait_for("stdout", b"x")
    assert f"Ncat: Listening on 127.0.0.1:{listener.port}\n".encode() in listener.program.stderr
    # Two pipes, two readers: what stdout has shown may still be on its way from stderr.
    listener.program.wait_for("stderr", f"Ncat: Connection from 127.0.0.1:{client.getsockname()[1]}\\.\n".encode())


@both
def test_each_read_is_a_datagram(ncat: Ncat) -> None:
    server = ncat.plain_datagrams()
    program = ncat.start("-u", "127.0.0.1", server.getsockname()[1])
    for text in (b"a", b"bc", b"def"):
        program.send(text)
        assert server.recv(100) == text


@both
def test_a_path(ncat: Ncat) -> None:
    program, path = ncat.listen_path()
    client = ncat.dial_path(path)
    client.sendall(b"hi")
    program.wait_for("stdout", b"hi")
    program.send(b"yo")
    assert exactly(client, 2) == b"yo"
    client.close()
    assert program.wait() == 0
    assert path.exists()


@both
def test_a_client_of_a_path(ncat: Ncat) -> None:
    program, path = ncat.listen_path("-v")
    ended = ncat.run("-v", "-U", path, input=b"hi")
    assert (ended.code, program.wait()) == (0, 0)
    assert f"Ncat: Connected to {path}.\nNcat: 2 bytes sent, 0 bytes received in " in ended.err
    assert f"Ncat: Listening on {path}\n".encode() in program.stderr
    assert b"Ncat: Connection from a client on Unix domain socket.\n" in program.stderr
    assert program.stdout == b"hi"


@both
def test_a_path_that_is_listened_on_already(ncat: Ncat) -> None:
    _, path = ncat.listen_path()
    ended = ncat.run("-l", "-U", path)
    assert (ended.code, ended.err) == (2, f"Ncat: bind to {path}: Address already in use. QUITTING.\n")


@both
def test_many_clients_of_a_path(ncat: Ncat) -> None:
    program, path = ncat.listen_path("-k")
    clients = [ncat.dial_path(path), ncat.dial_path(path)]
    for client, text in zip(clients, (b"<one>", b"<two>"), strict=True):
        client.sendall(text)
        program.wait_for("stdout", text)
    program.send(b"all")
    assert exactly(clients[0], 3) == exactly(clients[1], 3) == b"all"


@both
def test_an_open_path(ncat: Ncat) -> None:
    _, path = ncat.listen_path("-k")
    assert ncat.run("-z", "-U", path).code == 0


@both
def test_datagrams_by_a_path(ncat: Ncat) -> None:
    program, path = ncat.listen_path("-u")
    client = ncat.start("-uU", path)
    client.send(b"hi")
    program.wait_for("stdout", b"hi")
    program.send(b"yo")
    client.wait_for("stdout", b"yo")
    client.close_stdin()
    assert client.wait() == 0


@both
def test_datagrams_from_a_path(ncat: Ncat) -> None:
    program, path = ncat.listen_path("-uv")
    own = ncat.folder / "own"
    client = ncat.start("-uUv", "-s", own, path)
    client.send(b"hi")
    program.wait_for("stdout", b"hi")
    program.wait_for("stderr", f"Ncat: Connection from {own}.\n".encode())
    client.close_stdin()
    assert client.wait() == 0
    assert not own.exists()
    assert f"Ncat: [{own}] used as source DGRAM Unix domain socket.\n".encode() in client.stderr
    assert f"Ncat: Deleting source DGRAM Unix domain socket. [{own}]\n".encode() in client.stderr


@ours
@pytest.mark.parametrize("listener", [["ncat", "-luU"], ["listen"]])
def test_datagrams_of_a_sender_without_name(ncat: Ncat, listener: list[str]) -> None:
    """The oracle ends here: ``connect: Invalid argument``."""
    path = ncat.folder / "log"
    if listener == ["listen"]:
        program = ncat.stack.enter_context(wirecat("listen", f"unixgram://{path}"))
        program.wait_for("stderr", b"listening on")
    else:
        program, path = ncat.listen_path("-u")
    for text in ("hello", "again"):
        logged = ncat.stack.enter_context(Program([peer("logger"), "-d", "-u", str(path), text]))
        assert logged.wait() == 0
        program.wait_for("stdout", text.encode())
    assert still_runs(program)


@ours
def test_dtls_listener_on_both_families_serves_either(ncat: Ncat) -> None:
    pytest.importorskip("OpenSSL")
    for host in ("127.0.0.1", "::1"):
        listener = ncat.listen_everywhere("-u", "--ssl")
        client = ncat.stack.enter_context(Program([peer("ncat"), "-u", "--ssl", host, str(listener.port)]))
        client.send(b"hello\n")
        listener.program.wait_for("stdout", b"hello\n")
        listener.program.send(b"answer\n")
        client.wait_for("stdout", b"answer\n")


@both
def test_udp_listener_whose_client_has_gone_says_so(ncat: Ncat) -> None:
    listener = ncat.listen("-u")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"hello", ("127.0.0.1", listener.port))
        listener.program.wait_for("stdout", b"hello")
    listener.program.send(b"are you there?")
    assert listener.program.wait() == 1
    assert listener.program.stderr.endswith(b"Ncat: Connection refused.\n")


@ours
@pytest.mark.parametrize("options", [[], ["--ssl"]])
def test_many_udp_clients_share_input_and_output(ncat: Ncat, options: list[str]) -> None:
    if options:
        pytest.importorskip("OpenSSL")
    listener = ncat.listen("-u", "-k", *options)
    clients = [ncat.start("-u", *options, "127.0.0.1", listener.port) for _ in range(2)]
    for client, text in zip(clients, (b"<one>", b"<two>"), strict=True):
        client.send(text)
        listener.program.wait_for("stdout", text)
    listener.program.send(b"to all")
    for client in clients:
        client.wait_for("stdout", b"to all")
    listener.program.close_stdin()
    clients[0].send(b"<after the end>")
    listener.program.wait_for("stdout", b"<after the end>")
    assert still_runs(listener.program)


@ours
def test_large_input_goes_to_udp_clients_in_datagrams(ncat: Ncat) -> None:
    listener = ncat.listen("-u", "-k")
    client = ncat.dial_datagrams(listener.port)
    client.send(b"x")
    listener.program.wait_for("stdout", b"x")
    listener.program.send(b"y" * 70_000)
    count = 0
    while count < 70_000:
        count += len(client.recv(65536))


@ours
@pytest.mark.parametrize("options", [["--broker", "-l"], ["--broker", "-l", "-6"], ["--broker"]])
def test_broker_over_udp(ncat: Ncat, options: list[str]) -> None:
    host = "::1" if "-6" in options else "127.0.0.1"
    listener = ncat.listen("-u", "-v", *options, host=host)
    clients = [ncat.start("-u", host, listener.port) for _ in range(3)]
    for number, client in enumerate(clients):
        client.send(b"<here is %d>" % number)
        listener.program.wait_for("stderr", b"(?s)(Connection from.*){%d}" % (number + 1))
        for other in clients[:number]:
            other.wait_for("stdout", b"<here is %d>" % number)
    clients[0].send(b"x" * 20_000)
    for other in clients[1:]:
        other.wait_for("stdout", b"x{20000}")
    assert b"xx" not in clients[0].stdout
    listener.program.send(b"from the server")
    for client in clients:
        client.wait_for("stdout", b"from the server")


@ours
def test_chat_over_udp(ncat: Ncat) -> None:
    listener = ncat.listen("-u", "--chat")
    one, two = (ncat.start("-u", "127.0.0.1", listener.port) for _ in range(2))
    one.send(b"first\n")
    one.wait_for("stdout", b"<announce> 127.0.0.1 is connected as <user(\\d+)>")
    two.send(b"no line end")
    found = one.wait_for("stdout", b"<user(\\d+)> no line end\n")
    two.wait_for("stdout", b"already connected: 127.0.0.1 as <user(\\d+)>")
    one.send(b"answer\n")
    other = two.wait_for("stdout", b"<user(\\d+)> answer\n")
    assert found[1] != other[1]


@ours
def test_limit_of_udp_clients_turns_the_next_away(ncat: Ncat) -> None:
    listener = ncat.listen("-u", "-k", "-v", "-m", "1")
    one, two = ncat.dial_datagrams(listener.port), ncat.dial_datagrams(listener.port)
    one.send(b"one")
    listener.program.wait_for("stdout", b"one")
    two.send(b"two")
    listener.program.wait_for("stderr", b"New connection denied: connection limit reached \\(1\\)")
    one.send(b"again")
    listener.program.wait_for("stdout", b"again")
    assert b"two" not in listener.program.stdout


@ours
def test_q_lets_a_udp_client_wait_for_its_answer(ncat: Ncat) -> None:
    server = ncat.plain_datagrams()
    program = ncat.start("-u", "-q", "2", "127.0.0.1", server.getsockname()[1])
    program.send(b"question")
    program.close_stdin()
    data, place = server.recvfrom(100)
    assert data == b"question" and still_runs(program)
    server.sendto(b"answer", place)
    program.wait_for("stdout", b"answer")
    assert program.wait() == 1
    assert program.stderr == b"Ncat: Idle timeout expired (2000 ms).\n"


@ours
def test_q_minus_1_lets_a_udp_client_wait_for_ever(ncat: Ncat) -> None:
    server = ncat.plain_datagrams()
    program = ncat.start("-u", "-q", "-1", "127.0.0.1", server.getsockname()[1])
    program.send(b"question")
    program.close_stdin()
    _, place = server.recvfrom(100)
    for text in (b"one", b"two"):
        assert still_runs(program)
        server.sendto(text, place)
        program.wait_for("stdout", text)


@both
def test_a_source_path_means_nothing_to_a_stream(ncat: Ncat) -> None:
    program, path = ncat.listen_path()
    ended = ncat.run("-Uv", "-s", ncat.folder / "own", path)
    assert ended.code == 0
    assert "Ncat: Specifying source socket for other than DATAGRAM Unix domain sockets have no effect.\n" in ended.err
    program.wait()


@both
def test_sctp_where_the_kernel_has_none(ncat: Ncat) -> None:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132).close()
    except OSError:
        ended = ncat.run("--sctp", "127.0.0.1", "1")
        assert ended.code == 1
        assert ended.err.endswith("Ncat: Protocol not supported.\n")
        return
    pytest.skip("this kernel has SCTP")


@ours
def test_everything_over_sctp(ncat: Ncat) -> None:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132).close()
    except OSError:
        pytest.skip("this kernel has no SCTP")
    listener = ncat.listen("--sctp")
    assert ncat.run("--sctp", "127.0.0.1", listener.port, input=b"x").code == 0
    assert listener.program.wait() == 0


@ours
def test_a_udp_listener_that_only_sends_ends_with_its_input(ncat: Ncat) -> None:
    listener = ncat.listen("-u", "--send-only")
    client = ncat.dial_datagrams(listener.port)
    client.send(b"hello")
    listener.program.send(b"all of it")
    assert client.recv(100) == b"all of it"
    listener.program.close_stdin()
    assert (listener.program.wait(), listener.program.stdout) == (0, b"")


@ours
def test_a_vsock_that_nobody_listens_on(ncat: Ncat) -> None:
    if not hasattr(socket, "AF_VSOCK"):
        pytest.skip("no vsock here")
    # A port of vsock has 32 bits, and no other has so many.
    ended = ncat.run("-w", "1", "--vsock", "1", "70000")
    assert ended.code == 1
    assert ended.err.startswith("Ncat: ")


@both
def test_a_vsock_that_listens(ncat: Ncat) -> None:
    try:
        with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as probing:
            probing.bind((0xFFFFFFFF, 0xFFFFFFFF))
            port = probing.getsockname()[1]
    except (AttributeError, OSError):
        pytest.skip("no vsock here")
    program = ncat.start("-v", "-l", "--vsock", port)
    program.wait_for("stderr", b"Ncat: Listening on 4294967295:%d\n" % port)


def test_all_of_it_by_a_path(tmp_path: Path) -> None:
    """A file goes through whole, in both directions at once."""
    with opened(WIRECAT, tmp_path) as ncat:
        program, path = ncat.listen_path("-e", "/bin/cat")
        data = bytes(range(256)) * 4000
        ended = ncat.run("-U", path, input=data)
        assert (ended.code, ended.out == data) == (0, True)
        assert program.wait() == 0


@both
@pytest.mark.parametrize(("options", "told"), [([], "Ncat: Connection refused.\n"), (["-z"], "")])
def test_port_0(ncat: Ncat, options: list[str], told: str) -> None:
    ended = ncat.run(*options, "127.0.0.1", "0")
    assert (ended.code, ended.err) == (1, told)
