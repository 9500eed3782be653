"""Interoperation with the exercise's own programs, as they are usually handed in: text without newline, one recv(1024).

They have the usual faults: a server that answers whatever one recv() gives and loops for ever once its client has
gone, a client that sits in input() and sees nothing of what the server does. wirecat gets on with them in either role.
"""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path

import pytest

from peers import PROJECT, Program, wirecat
from plain_peers import free_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts programs the way of POSIX")

#: The usual client: a prompt, the text without newline, one recv(1024), and again; an empty line ends it.
CLIENT = """
import socket, sys
connection = socket.socket()
connection.connect(("127.0.0.1", int(sys.argv[1])))
while True:
    text = input("Input: ")
    if text == "":
        break
    connection.sendall(text.encode("UTF8"))
    print("Response from server:", connection.recv(1024).decode("UTF8"), flush=True)
    if text == "quit":
        break
connection.close()
"""

#: The usual first server: one client, pieces of 30 bytes; when the client has gone it receives b"" for ever.
SERVER = """
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(1)
print("ready", flush=True)
connection, address = listener.accept()
while True:
    data = connection.recv(30)
    if data:
        print("received", data.decode("latin-1"), flush=True)
        connection.send(b"server got: " + data)
"""

#: The same without the `if`: once the client sends no more, it gets an answer to nothing, over and over.
FLOODING_SERVER = SERVER.replace("    if data:", "    if True:")

#: The usual second server: a thread for each client, none of which ever ends.
THREADS = """
import _thread, socket, sys
def serve(connection, address):
    while True:
        data = connection.recv(1024)
        if data:
            print(address[0], "said", data.decode("UTF8"), flush=True)
            connection.send(("You told me: " + data.decode("UTF8")).encode("UTF8"))
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", int(sys.argv[1])))
listener.listen(5)
print("ready", flush=True)
while True:
    connection, address = listener.accept()
    _thread.start_new_thread(serve, (connection, address))
"""


def script(code: str, port: int) -> Program:
    return Program([sys.executable, "-W", "ignore", "-c", code, str(port)], check_warnings=False)


def port_of(server: Program) -> int:
    return int(server.wait_for("stderr", rb"listening on \S+:(\d+)")[1])


def talk(client: Program, questions: list[str], answer: str) -> None:
    """Type each question and see its answer, as a person would."""
    for question in questions:
        since = len(client.stdout)
        client.send(f"{question}\n".encode())
        client.wait_for("stdout", re.escape(f"Response from server: {answer}{question}\n".encode()), since=since)


# Their client, our server.


@pytest.mark.parametrize("engine", ["threads", "async"])
def test_their_client_and_our_server_for_many(engine: str) -> None:
    with wirecat("serve", "reply:You told me: {data}", "0", "--engine", engine) as server:
        port = port_of(server)
        with script(CLIENT, port) as one, script(CLIENT, port) as other:
            talk(one, ["Hallo", "Grüße"], "You told me: ")
            talk(other, ["auch da"], "You told me: ")
            talk(one, ["quit"], "You told me: ")
            assert one.wait() == 0
            other.send(b"\n")
            assert other.wait() == 0
        server.wait_for("stderr", rb"#2 .* closed by the client .*\(0 open\)|#1 .* closed by the client .*\(0 open\)")
        server.interrupt()
        assert server.wait() == 0


def test_their_client_and_our_server_for_one() -> None:
    with wirecat("serve", "--once", "--chunk", "30", "reply:server got: {data}", "127.0.0.1:0") as server:
        with script(CLIENT, port_of(server)) as client:
            talk(client, ["Hallo", "x" * 30, "quit"], "server got: ")
            assert client.wait() == 0
        assert server.wait() == 0


def test_a_long_message_is_answered_piece_by_piece() -> None:
    """What the exercise is to show: 70 bytes reach a server that reads 30 at a time as three pieces, three answers."""
    with wirecat("serve", "--chunk", "30", "reply:server got: {data}", "127.0.0.1:0") as server:
        with wirecat("connect", "--ask", "--newline", "none", str(port_of(server))) as client:
            client.send(b"a" * 30 + b"b" * 30 + b"c" * 10 + b"\n")
            client.close_stdin()
            assert client.wait() == 0
            assert client.stdout == (
                b"server got: " + b"a" * 30 + b"server got: " + b"b" * 30 + b"server got: " + b"c" * 10
            )


def test_their_client_and_our_listen() -> None:
    with wirecat("listen", "127.0.0.1:0") as ours, script(CLIENT, port_of(ours)) as client:
        client.send(b"Hallo\n")
        ours.wait_for("stdout", b"Hallo")
        ours.send("selber Grüße\n".encode())
        client.wait_for("stdout", "Response from server: selber Grüße\n".encode())
        client.send(b"\n")
        assert client.wait() == 0
        assert ours.wait() == 0
        assert ours.stdout == b"Hallo"


def test_a_client_that_sits_in_input_does_not_keep_our_server() -> None:
    with wirecat("serve", "reply:You told me: {data}", "0", "--drain", "0.2") as server:
        port = port_of(server)
        with script(CLIENT, port) as client:
            talk(client, ["Hallo"], "You told me: ")
            server.interrupt()
            assert server.wait(10) == 0
            with socket.socket() as again:
                again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                again.bind(("127.0.0.1", port))
            client.send(b"anybody?\n")  # it takes b"" for an answer
            client.close_stdin()
            client.wait()


# Their server, our client.


def test_our_client_and_their_first_server() -> None:
    port = free_port()
    with script(SERVER, port) as server:
        server.wait_for("stdout", b"ready")
        with wirecat("connect", "--ask", "--newline", "none", str(port)) as client:
            client.send("Hallo\nGrüße\nquit\n".encode())
            client.close_stdin()
            assert client.wait() == 0
            assert client.stdout.decode() == "server got: Halloserver got: Grüßeserver got: quit"
            assert client.stderr == b""


def test_our_client_puts_the_pieces_of_a_long_answer_together() -> None:
    port = free_port()
    with script(SERVER, port) as server:
        server.wait_for("stdout", b"ready")
        with wirecat("connect", "--ask", "--newline", "none", str(port)) as client:
            client.send(b"x" * 100 + b"\n")
            client.close_stdin()
            assert client.wait() == 0
            assert client.stdout.count(b"server got: ") == 4
            assert client.stdout.count(b"x") == 100


def test_our_client_and_their_second_server() -> None:
    port = free_port()
    with script(THREADS, port) as server:
        server.wait_for("stdout", b"ready")
        for _ in range(2):
            with wirecat("connect", "--ask", "--newline", "none", f"localhost:{port}") as client:
                client.send(b"Hallo\nquit\n")
                client.close_stdin()
                assert client.wait() == 0
                assert client.stdout == b"You told me: HalloYou told me: quit"


def test_our_client_leaves_a_server_that_floods() -> None:
    """It answers the end of the input for ever; whoever has asked what there was to ask goes all the same."""
    port = free_port()
    with script(FLOODING_SERVER, port) as server:
        server.wait_for("stdout", b"ready")
        with wirecat("connect", "--ask", "--newline", "none", str(port)) as client:
            client.send(b"Hallo\nquit\n")
            client.close_stdin()
            assert client.wait(10) == 0
            assert client.stdout == b"server got: Halloserver got: quit"
        server.wait()  # its next send() finds nobody


def test_full_duplex_with_their_server_and_ctrl_c() -> None:
    port = free_port()
    with script(THREADS, port) as server:
        server.wait_for("stdout", b"ready")
        with wirecat("connect", str(port)) as client:
            client.send(b"one")
            client.wait_for("stdout", b"You told me: one")
            client.send(b"two\n")
            client.wait_for("stdout", b"You told me: two\n")
            client.interrupt()
            assert client.wait() == 130


def test_our_swarm_and_their_second_server() -> None:
    port = free_port()
    with script(THREADS, port) as server:
        server.wait_for("stdout", b"ready")
        expected = ("--newline", "none", "--expect", "You told me: {data}")
        with wirecat("swarm", str(port), "--clients", "20", "--messages", "3", *expected) as crowd:
            assert crowd.wait() == 0


# The mended programs of the examples.


@pytest.mark.parametrize(("name", "answer"), [("server.py", "server got: "), ("server_threads.py", "You told me: ")])
@pytest.mark.parametrize("ask", [True, False])
def test_our_client_and_the_servers_of_the_examples(name: str, answer: str, ask: bool) -> None:
    path: Path = PROJECT / "examples" / "exercise" / "plain" / name
    with Program([sys.executable, path, "127.0.0.1", "0"]) as server:
        port = server.wait_for("stdout", rb"listening on 127\.0\.0\.1 port (\d+)")[1].decode()
        words = ["--ask", "--newline", "none"] if ask else []
        with wirecat("connect", *words, port) as client:
            client.send(b"Hallo\n" if ask else b"Hallo")
            client.close_stdin()
            assert client.wait() == 0
            assert client.stdout.decode() == f"{answer}Hallo"


@pytest.mark.parametrize("engine", ["threads", "async"])
def test_the_client_of_the_examples_and_our_server(engine: str) -> None:
    path = PROJECT / "examples" / "exercise" / "plain" / "client.py"
    with wirecat("serve", "reply:You told me: {data}", "0", "--engine", engine) as server:
        with Program([sys.executable, path, "127.0.0.1", str(port_of(server))]) as client:
            client.send("Grüße\nquit\n".encode())
            assert client.wait() == 0
            assert "Response from server: You told me: Grüße" in client.stdout.decode()
            assert "Response from server: You told me: quit" in client.stdout.decode()
        server.interrupt()
        assert server.wait() == 0
