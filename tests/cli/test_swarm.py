"""The command ``wirecat swarm``: text and JSON on stdout, exit codes, the progress line, Ctrl-C, bad input."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from peers import Program, wirecat, wirecat_command
from swarm.servers import Scripted, answering, echo, never_accepts, nobody_listens

unix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal or limits of Unix")


def ended(program: Program) -> tuple[int, str, str]:
    """Its exit code, its stdout and its stderr."""
    code = program.wait()
    return code, program.stdout.decode(), program.stderr.decode()


def test_text() -> None:
    with Scripted(echo) as server:
        with wirecat("swarm", server.address, "--clients", "20", "--messages", "3", "--expect", "echo") as run:
            code, out, err = ended(run)
    assert (code, err) == (0, "")
    assert "20 of 20" in out and "60 right, 0 wrong" in out and "closed loop" in out


def test_json() -> None:
    script = answering(lambda data: b"You told me: " + data)
    with Scripted(script) as server:
        expect = ("--expect", "You told me: {data}")
        with wirecat("swarm", "127.0.0.1", str(server.port), "--clients", "5", *expect, "--json") as run:
            code, out, err = ended(run)
    found = json.loads(out)
    assert (code, err) == (0, "")
    counts = [found[name] for name in ("clients", "connected", "messages_sent", "replies_ok", "replies_wrong")]
    assert counts == [5, 5, 50, 50, 0]
    assert found["checked"] is True and found["errors"] == {}
    assert set(found["latency_us"]) == {"p50", "p90", "p99", "p999", "max"}


def test_unchecked() -> None:
    with Scripted(answering(lambda data: b"?")) as server:
        with wirecat("swarm", server.address) as run:
            code, out, _ = ended(run)
    assert code == 0
    assert "100, unchecked" in out and "right" not in out


def test_a_wrong_reply_is_exit_1() -> None:
    with Scripted(answering(lambda data: data.replace(b"2 says 3", b"2 says 4"))) as server:
        with wirecat("swarm", server.address, "--clients", "3", "--expect", "echo") as run:
            code, out, _ = ended(run)
    assert code == 1
    assert "29 right, 1 wrong" in out and "client 2, message 3, at byte 14" in out


def test_failed_clients_are_exit_1_and_the_result_is_there() -> None:
    with nobody_listens() as port:
        with wirecat("swarm", str(port), "--clients", "3", "--json") as run:
            code, out, err = ended(run)
    assert (code, err) == (1, "")
    assert json.loads(out)["errors"] == {"refused": 3}


def test_for_a_time_with_a_template_and_the_lab_s_newline() -> None:
    heard: set[bytes] = set()

    def reply(data: bytes) -> bytes:
        heard.add(data[:2])
        assert not data.endswith(b"\n")
        return data

    words = ("--duration", "300ms", "--message", "{client}:{n}", "--newline", "none", "--expect", "echo")
    with Scripted(answering(reply)) as server:
        with wirecat("swarm", server.address, "--clients", "2", *words, "-v") as run:
            code, out, err = ended(run)
    assert code == 0
    assert "each talking for 0.3 s" in out
    assert heard == {b"1:", b"2:"}
    assert "driven by" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("12345", "--clients", "0"), "clients"),
        (("12345", "--clients", "many"), "many"),
        (("12345", "--messages", "1", "--duration", "1"), "exclude"),
        (("12345", "--newline", "cr"), "lf, crlf, none"),
        (("12345", "--expect", ""), "expect"),
        (("12345", "--timeout", "0"), "timeout"),
        (("0",), "port 0"),
        (("70000",), "70000"),
        (("abc",), "abc"),
        ((), "ADDRESS"),
        (("unix:///tmp/x",), "TCP"),
        (("12345", "--rate", "0"), "rate"),
        (("12345", "--rate", "5", "--think", "1"), "exclude"),
        (("12345", "--workers", "0"), "workers"),
        (("12345", "--workers", "11"), "too many for 10 clients"),
        (("12345", "--connects", "--expect", "echo"), "exclude"),
        (("12345", "--size", "5", "--message", "x"), "exclude"),
        (("12345", "--payload", "/no/such/file"), "/no/such/file"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(words: tuple[str, ...], said: str) -> None:
    with wirecat("swarm", *words) as run:
        code, out, err = ended(run)
    assert (code, out) == (2, "")
    assert err.startswith("wirecat: ") and err.count("\n") == 1 and said in err


def test_an_unknown_host_is_exit_1() -> None:
    with wirecat("swarm", "no-such-host.invalid:12345") as run:
        code, out, err = ended(run)
    assert (code, out) == (1, "")
    assert "unknown host" in err and err.count("\n") == 1


def test_the_modes(tmp_path: Path) -> None:
    (tmp_path / "payload").write_bytes(b"\0\xff" * 500)
    with Scripted(echo) as server:

        def run(*words: str) -> dict:
            with wirecat("swarm", server.address, "--clients", "4", "--json", *words) as program:
                code, out, err = ended(program)
            assert (code, err) == (0, "")
            return json.loads(out)

        found = run("--rate", "100", "--duration", "300ms", "--expect", "echo")
        assert (found["mode"], found["due"], found["replies_ok"]) == ("open loop", 30, 30)
        found = run("--think", "50ms", "--messages", "2", "--size", "100", "--expect", "echo")
        assert (found["think"], found["size"], found["replies_ok"]) == (0.05, 100, 8)
        found = run("--payload", str(tmp_path / "payload"), "--messages", "2", "--expect", "echo", "--workers", "2")
        assert (found["payload_bytes"], found["workers"], found["replies_ok"]) == (1000, 2, 8)
        found = run("--connects", "--messages", "3")
        assert (found["mode"], found["connects"]) == ("connects", 12)


def test_a_payload_from_standard_input() -> None:
    with Scripted(echo) as server:
        words = ("swarm", server.address, "--payload", "-", "--messages", "2", "--expect", "echo", "--json")
        with wirecat(*words) as run:
            run.send(b"from a pipe")
            run.close_stdin()
            code, out, _ = ended(run)
    assert code == 0 and json.loads(out)["payload_bytes"] == 11


@unix_only
def test_ctrl_c_with_workers_on_a_terminal() -> None:
    terminals = pytest.importorskip("terminals")
    with never_accepts() as port:
        command = wirecat_command("swarm", f"127.0.0.1:{port}", "--clients", "4", "--workers", "2", "--expect", "echo")
        with terminals.Terminal(command) as terminal:
            terminal.wait_for(rb"\rconnected 4, sent 4, replies 0, 0/s")
            terminal.type(terminals.CTRL_C)
            code = terminal.wait()
            shown = terminal.shown.decode()
    assert code == 130
    assert "4 of 4" in shown and "Ctrl-C ended it" in shown and "Traceback" not in shown


@unix_only
def test_too_few_descriptors_are_told_before_it_starts() -> None:
    limited = ["sh", "-c", 'ulimit -n 200 && exec "$@"', "sh"]
    with Scripted(echo) as server:
        with Program([*limited, *wirecat_command("swarm", server.address, "--clients", "300")]) as run:
            code, out, err = ended(run)
    assert (code, out) == (2, "")
    assert "300 clients need 332 descriptors" in err and "may open 200" in err and "168 clients" in err
    assert "--workers 2" in err
    assert server.accepted == 0


@unix_only
def test_the_soft_limit_of_descriptors_is_raised() -> None:
    limited = ["sh", "-c", 'ulimit -S -n 60 && exec "$@"', "sh"]
    with Scripted(echo) as server:
        words = ("swarm", server.address, "--clients", "100", "--expect", "echo")
        with Program([*limited, *wirecat_command(*words)]) as run:
            code, out, _ = ended(run)
    assert code == 0 and "1000 right" in out


def test_the_help_begins_with_examples() -> None:
    with wirecat("swarm", "--help") as run:
        code, out, err = ended(run)
    assert (code, err) == (0, "")
    assert out.startswith("Examples:\n  wirecat swarm 12345")
    for option in ("--clients", "--messages", "--duration", "--message", "--newline", "--expect", "--timeout"):
        assert option in out
    assert "--reply-timeout" in out and "--json" in out


@unix_only
def test_ctrl_c_on_a_terminal() -> None:
    terminals = pytest.importorskip("terminals")
    with never_accepts() as port:
        command = wirecat_command("swarm", f"127.0.0.1:{port}", "--clients", "4", "--expect", "echo")
        with terminals.Terminal(command) as terminal:
            terminal.wait_for(rb"\rconnected 4, sent 4, replies 0, 0/s")
            terminal.type(terminals.CTRL_C)
            code = terminal.wait()
            shown = terminal.shown.decode()
    assert code == 130
    assert "0 right, 0 wrong" in shown and "Ctrl-C ended it" in shown
    # The line was wiped before the result was written.
    before, _, after = shown.partition("127.0.0.1:")
    assert before.endswith("\r") and before[:-1].endswith(" ")
    assert "\rconnected" not in after


@unix_only
def test_the_second_ctrl_c_cuts() -> None:
    terminals = pytest.importorskip("terminals")
    with never_accepts() as port:
        command = wirecat_command("swarm", f"127.0.0.1:{port}", "--clients", "4")
        with terminals.Terminal(command) as terminal:
            terminal.wait_for(b"replies 0, 0/s")
            terminal.type(terminals.CTRL_C)
            terminal.wait_for(rb"\^C")
            terminal.type(terminals.CTRL_C)
            code = terminal.wait()
            shown = terminal.shown.decode()
    assert code == 130 and "Traceback" not in shown


@unix_only
def test_no_progress_where_it_is_not_wanted() -> None:
    terminals = pytest.importorskip("terminals")
    with Scripted(echo) as server:
        words = ("swarm", server.address, "--duration", "600ms", "--expect", "echo")
        with terminals.Terminal(wirecat_command(*words, "--quiet")) as terminal:
            assert terminal.wait() == 0
            assert "\rconnected" not in terminal.shown.decode()
