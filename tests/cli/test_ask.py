"""``wirecat connect --ask``: the exercise's client, from a pipe and on a terminal."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from peers import Program, wirecat_command
from plain_peers import PlainServer, reset, serving, wait_for_end

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals and a POSIX shell")

if sys.platform != "win32":
    from terminals import CTRL_C, CTRL_D, ENTER, UP, Screen, Terminal


def ask(port: int, *arguments: str) -> list[str]:
    return wirecat_command("connect", "--ask", str(port), *arguments)


def told(peer: socket.socket) -> list[bytes]:
    """The exercise's server: an answer to each piece that comes; the pieces."""
    pieces = []
    while piece := peer.recv(1024):
        pieces.append(piece)
        peer.sendall(b"You told me: " + piece)
    return pieces


def answering(answers: dict[bytes, bytes]) -> Callable[[socket.socket], object]:
    """A server with an answer to each line; to what it does not know it says nothing."""

    def answer(peer: socket.socket) -> None:
        while piece := peer.recv(1024):
            peer.sendall(answers.get(piece.strip(), b""))

    return answer


def lines(said: bytes) -> list[str]:
    return said.decode().splitlines()


# From a pipe.


def run(server: PlainServer, stdin: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    with Program(ask(server.port, *arguments)) as client:
        client.send(stdin)
        client.close_stdin()
        code = client.wait()
        return subprocess.CompletedProcess([], code, client.stdout, client.stderr)


@pytest.mark.parametrize(
    ("newline", "pieces"),
    [("lf", [b"one\n", b"two\n"]), ("crlf", [b"one\r\n", b"two\r\n"]), ("none", [b"one", b"two"])],
)
@pytest.mark.parametrize("stdin", [b"one\ntwo\n", b"one\r\ntwo\r\n", b"one\ntwo"])
def test_each_line_is_a_question_and_replies_come_out_exact(newline: str, pieces: list[bytes], stdin: bytes) -> None:
    with serving(told) as server:
        ended = run(server, stdin, "--newline", newline)
        assert ended.returncode == 0
        assert ended.stdout == b"".join(b"You told me: " + piece for piece in pieces)
        assert ended.stderr == b""
        assert server.result() == pieces


def test_an_empty_line_ends_it_unsent() -> None:
    with serving(told) as server:
        ended = run(server, b"one\n\ntwo\n")
        assert (ended.returncode, ended.stderr) == (0, b"")
        assert server.result() == [b"one\n"]


def test_quit_is_sent_and_answered_and_ends_it() -> None:
    with serving(told) as server:
        ended = run(server, b"one\nquit\ntwo\n", "--newline", "none")
        assert (ended.returncode, ended.stderr) == (0, b"")
        assert ended.stdout == b"You told me: oneYou told me: quit"
        assert server.result() == [b"one", b"quit"]


def test_bytes_that_are_no_text_come_back_as_they_were() -> None:
    with serving(told) as server:
        ended = run(server, b"\xff\x00\x1b[2J\n", "--newline", "none")
        assert ended.stdout == b"You told me: \xff\x00\x1b[2J"


def test_a_long_line_goes_out_whole() -> None:
    """Longer than any buffer on the way."""
    line = b"x" * 300_000

    def count(peer: socket.socket) -> int:
        size = 0
        while b"\n" not in (piece := peer.recv(1 << 16)):
            size += len(piece)
        peer.sendall(b"whole")
        return size + len(piece) - 1

    with serving(count) as server:
        ended = run(server, line + b"\n")
        assert (ended.returncode, ended.stdout) == (0, b"whole")
        assert server.result() == len(line)


def test_a_reply_in_slow_pieces_is_one_reply() -> None:
    def slowly(peer: socket.socket) -> None:
        pause = threading.Event()
        peer.recv(1024)
        for piece in (b"a", b"b", b"c"):
            pause.wait(0.25)
            peer.sendall(piece)
        assert peer.recv(1024) == b"next\n", "it was asked before the reply was whole"
        peer.sendall(b"d")

    with serving(slowly) as server:
        ended = run(server, b"one\nnext\n", "--reply-wait", "2")
        assert (ended.returncode, ended.stdout) == (0, b"abcd")


def test_no_reply_in_time_is_told_and_it_goes_on() -> None:
    with serving(answering({b"two": b"2"})) as server:
        ended = run(server, b"one\ntwo\n", "--reply-timeout", "0.3")
        assert ended.stdout == b"2"
        assert lines(ended.stderr) == ["wirecat: no reply in 0.3 s"]
        assert ended.returncode == 1, "a question that stays unanswered is no success"


def test_a_server_that_closes_instead_of_answering() -> None:
    with serving(lambda peer: peer.recv(1024)) as server:
        ended = run(server, b"one\n")
        assert ended.returncode == 1
        assert lines(ended.stderr) == [f"wirecat: 127.0.0.1:{server.port} closed the connection"]


def test_a_server_that_closes_behind_its_last_answer() -> None:
    def once(peer: socket.socket) -> None:
        peer.sendall(b"got " + peer.recv(1024))

    with serving(once) as server:
        ended = run(server, b"one\n")
        assert (ended.returncode, ended.stdout) == (0, b"got one\n")


def test_a_server_that_closes_before_all_was_asked_is_a_failure() -> None:
    def once(peer: socket.socket) -> None:
        peer.sendall(b"got " + peer.recv(1024))

    with serving(once) as server:
        ended = run(server, b"one\ntwo\n")
        assert (ended.returncode, ended.stdout) == (1, b"got one\n")
        assert lines(ended.stderr) == [f"wirecat: 127.0.0.1:{server.port} closed the connection; 3 bytes were not sent"]


def test_a_server_that_closes_ends_it_though_input_stays_open() -> None:
    def once(peer: socket.socket) -> None:
        peer.sendall(b"bye " + peer.recv(1024))

    with serving(once) as server, Program(ask(server.port)) as client:
        client.send(b"one\n")
        assert client.wait() == 0
        assert client.stdout == b"bye one\n"


def test_a_reset_while_a_reply_is_awaited() -> None:
    def break_off(peer: socket.socket) -> None:
        peer.recv(1024)
        peer.sendall(b"half")
        assert peer.recv(1024)
        reset(peer)

    with serving(break_off) as server:
        ended = run(server, b"one\ntwo\n")
        assert (ended.returncode, ended.stdout) == (1, b"half")
        (line,) = lines(ended.stderr)
        assert "the peer broke the connection off" in line


def test_what_the_server_says_unasked_is_not_lost() -> None:
    def greet(peer: socket.socket) -> None:
        peer.sendall(b"welcome ")
        peer.sendall(b"you said " + peer.recv(1024))

    with serving(greet) as server:
        assert run(server, b"one\n").stdout == b"welcome you said one\n"


def test_no_input_at_all() -> None:
    with serving(told) as server, Program(ask(server.port), stdin=subprocess.DEVNULL) as client:
        assert client.wait() == 0
        assert (client.stdout, client.stderr) == (b"", b"")
        assert server.result() == []


def test_ctrl_c_while_a_reply_is_awaited_and_while_input_is() -> None:
    for asked in (b"one\n", b""):
        with (
            serving(lambda peer: (peer.sendall(b"ready"), wait_for_end(peer))) as server,
            Program(ask(server.port, "-v")) as client,
        ):
            client.send(asked)
            client.wait_for("stderr", b"connected")
            client.interrupt()
            assert client.wait(5) == 130
            assert b"Traceback" not in client.stderr


def test_a_reader_that_has_gone() -> None:
    with serving(told) as server:
        script = '(printf "one\\ntwo\\n" | "$@"; echo "exit $?" >&2) | true'
        with Program(["sh", "-c", script, "sh", *ask(server.port)], stdin=subprocess.DEVNULL) as client:
            client.wait()
            said = lines(client.stderr)
            assert said[-1] == "exit 141" and len(said) == 2
            assert said[0].startswith("wirecat: standard output was closed early")


# On a terminal.


def conversation(terminal: Terminal) -> str:
    """What the terminal shows, without the escape sequences that readline asks for."""
    return re.sub(rb"\x1b\[\?2004[hl]\r?", b"", terminal.shown).decode().replace("\r\n", "\n")


def test_prompt_question_reply_each_on_its_own_line() -> None:
    with serving(told) as server, Terminal(ask(server.port, "--newline", "none", "-q")) as terminal:
        at = 0
        for text in ("Hallo", "Grüße", "quit"):
            at = terminal.wait_for(rb"> ", since=at).end()
            terminal.wait_for_typing()
            terminal.type(text + ENTER)
            at = terminal.wait_for(rb"You told me: " + text.encode(), since=at).end()
        assert terminal.wait() == 0
        assert conversation(terminal) == (
            "> Hallo\nYou told me: Hallo\n> Grüße\nYou told me: Grüße\n> quit\nYou told me: quit\n"
        )
        assert server.result() == [b"Hallo", "Grüße".encode(), b"quit"]


def test_how_it_begins_and_ends_is_told() -> None:
    with serving(told) as server, Terminal(ask(server.port)) as terminal:
        terminal.wait_for(rb"> ")
        terminal.type(ENTER)
        assert terminal.wait() == 0
        assert conversation(terminal) == (
            f"wirecat: connected to 127.0.0.1:{server.port} (an empty line ends it)\n> \n"
        )


def test_ctrl_d_ends_it_with_the_shells_prompt_on_a_new_line() -> None:
    with serving(told) as server, Terminal(ask(server.port, "-q")) as terminal:
        terminal.wait_for(rb"> ")
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
        assert conversation(terminal) == "> \n"


@pytest.mark.parametrize("typed", ["", "half a line"])
def test_ctrl_c_ends_it_with_the_shells_prompt_on_a_new_line(typed: str) -> None:
    with serving(told) as server, Terminal(ask(server.port, "-q")) as terminal:
        terminal.wait_for(rb"> ")
        terminal.type(typed)
        terminal.wait_for(typed.encode())
        terminal.press_until_end(CTRL_C)
        assert terminal.wait() == 130
        assert conversation(terminal).endswith("\n")
        assert "Traceback" not in conversation(terminal)


def test_history_and_editing() -> None:
    with serving(told) as server, Terminal(ask(server.port, "--newline", "none")) as terminal:
        at = terminal.wait_for(rb"> ").end()
        terminal.type("second" + ENTER)
        at = terminal.wait_for(rb"told me: second\r\n(.*)> ", since=at).end()
        # Up fetches the line, Ctrl-A and Ctrl-K edit it.
        terminal.type(UP)
        at = terminal.wait_for(rb"second", since=at).end()
        terminal.type("\x01the \x05 time" + ENTER)
        terminal.wait_for(rb"told me: the second time\r\n.*> ", since=at)
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
        assert server.result() == [b"second", b"the second time"]


def test_an_own_prompt_and_none() -> None:
    for prompt in ("Eingabe: ", "", "gr\u00fc\u00df> "):
        with serving(told) as server, Terminal(ask(server.port, "--prompt", prompt, "-q")) as terminal:
            terminal.wait_for(prompt.encode())
            terminal.wait_for_typing()
            terminal.type("x" + ENTER)
            terminal.wait_for(rb"told me: x\r\n")
            terminal.wait_for_typing()
            terminal.type(ENTER)
            assert terminal.wait() == 0
            last = f"{prompt}\n" if prompt else ""  # readline draws no new line where nothing stands on it
            assert conversation(terminal) == f"{prompt}x\nYou told me: x\n{last}"


def test_bytes_that_are_no_text_can_be_typed_and_are_escaped_in_the_prompt() -> None:
    with serving(told) as server, Terminal(ask(server.port, "--newline", "none", "--prompt", "\udcfc> ")) as terminal:
        terminal.wait_for(rb"\\xfc> ")
        terminal.type("\udcff" + ENTER)
        terminal.wait_for(rb"told me: \\xff\r\n.*> ")
        terminal.type(ENTER)
        assert terminal.wait() == 0
        assert server.result() == [b"\xff"]


def test_a_peers_escape_sequences_are_shown_and_not_obeyed() -> None:
    answers = {b"1": b"\x1b[2J\x1b]0;title\x07\x9b5n\r\n", b"2": b"\xe2\x80\xaegnp.exe", b"3": b"a\rb\x08\x7f"}
    with serving(answering(answers)) as server, Terminal(ask(server.port)) as terminal:
        for question, shown in (
            ("1", rb"\\x1b\[2J\\x1b\]0;title\\x07\\x9b5n\r\n"),
            ("2", rb"\\u202egnp.exe\r\n"),
            ("3", rb"a\\x0db\\x08\\x7f\r\n"),
        ):
            at = terminal.wait_for(rb"> ").end()
            terminal.type(question + ENTER)
            terminal.wait_for(shown, since=at)
        terminal.type(ENTER)
        assert terminal.wait() == 0


def test_a_character_that_comes_in_two_pieces_is_shown_whole() -> None:
    def halves(peer: socket.socket) -> None:
        peer.recv(1024)
        peer.sendall("Grü".encode()[:-1])
        threading.Event().wait(0.1)
        peer.sendall("üße\n".encode()[1:])
        wait_for_end(peer)

    with serving(halves) as server, Terminal(ask(server.port, "--reply-wait", "1")) as terminal:
        terminal.wait_for(rb"> ")
        terminal.type("x" + ENTER)
        terminal.wait_for("Grüße\r\n.*> ".encode())
        terminal.type(CTRL_D)
        assert terminal.wait() == 0


def test_a_server_that_goes_between_two_questions() -> None:
    answered, go = threading.Event(), threading.Event()

    def once(peer: socket.socket) -> None:
        peer.sendall(b"got " + peer.recv(1024))
        answered.set()
        go.wait(20)

    with serving(once) as server, Terminal(ask(server.port)) as terminal:
        at = terminal.wait_for(rb"> ").end()
        terminal.type("one" + ENTER)
        at = terminal.wait_for(rb"got one\r\n.*> ", since=at).end()
        go.set()
        server.thread.join(20)
        terminal.type("two" + ENTER)
        terminal.wait_for(rb"closed the connection; 3 bytes were not sent\r\n", since=at)
        assert terminal.wait() == 1


def test_a_server_that_closes_behind_its_answer_ends_it_without_another_prompt() -> None:
    def once(peer: socket.socket) -> None:
        peer.sendall(b"bye " + peer.recv(1024).strip())

    with serving(once) as server, Terminal(ask(server.port, "--prompt", "ask> ")) as terminal:
        terminal.wait_for(rb"ask> ")
        terminal.type("one" + ENTER)
        assert terminal.wait() == 0
        shown = conversation(terminal)
        assert shown.count("ask> ") == 1
        assert shown.endswith(f"bye one\nwirecat: 127.0.0.1:{server.port} closed the connection\n")


def test_a_greeting_stands_before_the_first_prompt() -> None:
    def greet(peer: socket.socket) -> None:
        peer.sendall(b"220 ready")
        wait_for_end(peer)

    with serving(greet) as server, Terminal(ask(server.port, "-q")) as terminal:
        terminal.wait_for(rb"> ")
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
        assert conversation(terminal) == "220 ready\n> \n"


def test_no_reply_is_told_and_the_next_question_can_be_asked() -> None:
    with serving(answering({b"two": b"2"})) as server:
        with Terminal(ask(server.port, "--reply-timeout", "0.2", "-q")) as terminal:
            at = terminal.wait_for(rb"> ").end()
            terminal.type("one" + ENTER)
            at = terminal.wait_for(rb"wirecat: no reply in 0.2 s\r\n.*> ", since=at).end()
            terminal.type("two" + ENTER)
            at = terminal.wait_for(rb"2\r\n.*> ", since=at).end()
            terminal.type(ENTER)
            assert terminal.wait() == 1


def test_with_the_output_in_a_file_the_prompt_goes_to_stderr(tmp_path: Path) -> None:
    file = tmp_path / "replies"
    with file.open("wb") as stdout, serving(told) as server:
        with Terminal(ask(server.port, "-q"), stdout=stdout.fileno()) as terminal:
            at = terminal.wait_for(rb"> ").end()
            terminal.type("one\n")
            terminal.wait_for(rb"> ", since=at)
            terminal.type("\n")
            assert terminal.wait() == 0
    assert file.read_bytes() == b"You told me: one\n"


def test_what_a_person_sees(tmp_path: Path) -> None:
    with serving(told) as server, Screen(tmp_path) as screen:
        screen.open("client", ask(server.port, "--newline", "none"))
        screen.wait_for("client", "\n>")
        screen.keys("client", "Grüße ans Ende der Welt", "Enter")
        screen.wait_for("client", "You told me: Grüße ans Ende der Welt\n>")
        screen.keys("client", "Up", "C-w", "Nacht", "Enter")
        screen.wait_for("client", "You told me: Grüße ans Ende der Nacht\n>")
        screen.keys("client", "C-c")
        assert screen.wait_for("client", "exit=").splitlines() == [
            f"wirecat: connected to 127.0.0.1:{server.port} (an empty line ends it)",
            "> Grüße ans Ende der Welt",
            "You told me: Grüße ans Ende der Welt",
            "> Grüße ans Ende der Nacht",
            "You told me: Grüße ans Ende der Nacht",
            ">",
            "exit=130",
        ]
