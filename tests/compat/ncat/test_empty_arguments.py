"""Empty arguments, as an unset variable of a script leaves them: one is never the same as an argument that is missing.

Each option with a value is tried, in connect and in listen mode; where ncat and wirecat agree, beside ncat itself.
"""

from __future__ import annotations

import contextlib
import re
import socket

import pytest

from compat.ncat.harness import Ncat, both, everything, ours
from plain_peers import free_port
from wirecat.cli.ncat.options import OPTIONS

CONNECT, LISTEN = ["127.0.0.1", "PORT"], ["-l", "127.0.0.1", "0"]
QUIT = r" QUITTING\.\n"
TIME = r" \(must be greater than 0 and less than 2147483s\)\."
WORKS = (0, "")  # a connection that is served
NO_SUCH_FILE = "No such file or directory"

#: The option, what connect mode does, what listen mode does (None: it listens): exit code and stderr.
AGREED: list[tuple[str, tuple[int, str], tuple[int, str] | None]] = [
    ("--sh-exec", WORKS, None),
    ("--exec", (0, r"exec: Bad address\n"), None),
    ("--lua-exec", *[(2, r"Ncat: Error loading the Lua script: cannot open .*\n")] * 2),
    ("-g", WORKS, None),
    ("-G", *[(2, rf"Ncat: Invalid source-route hop pointer 0\.{QUIT}")] * 2),
    (
        "--max-conns",
        (2, rf"Ncat: Invalid option combination: `--max-conns' with connect\.{QUIT}"),
        None,
    ),
    ("--delay", *[(2, rf'Ncat: Invalid -d delay ""{TIME}{QUIT}')] * 2),
    ("--output", *[(2, rf".*{NO_SUCH_FILE}.*\n")] * 2),
    ("--hex-dump", *[(2, rf".*{NO_SUCH_FILE}.*\n")] * 2),
    ("--idle-timeout", *[(2, rf'Ncat: Invalid -i timeout ""{TIME}{QUIT}')] * 2),
    ("--source-port", WORKS, (2, rf"Ncat: Got more than one port specification: 0 0\.{QUIT}")),
    ("--wait", *[(2, rf'Ncat: Invalid -w timeout ""{TIME}{QUIT}')] * 2),
    ("--allow", (2, rf"Ncat: Invalid option combination: allow/deny with connect\.{QUIT}"), None),
    ("--allowfile", *[(2, rf"Ncat: can't open : {NO_SUCH_FILE}\.{QUIT}")] * 2),
    ("--denyfile", *[(2, rf"Ncat: can't open : {NO_SUCH_FILE}\.{QUIT}")] * 2),
    (
        "--proxy-type",
        (2, rf"Ncat: Proxy type \(--proxy-type\) specified without proxy address \(--proxy\)\.{QUIT}"),
        (2, rf'Ncat: Invalid proxy type ""; Ncat proxy server only supports "http"\.{QUIT}'),
    ),
    ("--proxy-auth", WORKS, None),
    ("--proxy-dns", *[(2, rf"Ncat: Invalid proxy DNS type\.{QUIT}")] * 2),
    ("--ssl-cert", *[(2, rf"Ncat: The --ssl-key and --ssl-cert options must be used together\.{QUIT}")] * 2),
    ("--ssl-key", *[(2, rf"Ncat: The --ssl-key and --ssl-cert options must be used together\.{QUIT}")] * 2),
    ("--ssl-trustfile", (2, rf"Ncat: Could not load trusted certificates from \.(?:\n.*)?{QUIT}"), None),
    ("--ssl-ciphers", *[(2, rf"Ncat: Unable to set OpenSSL cipher list: .*{QUIT}")] * 2),
    ("--ssl-servername", (1, r"SSL_set_tlsext_host_name failed: .*\n"), None),
    (
        "--ssl-alpn",
        (2, rf"Ncat: SSL_CTX_set_alpn_protos: .*{QUIT}"),
        (2, rf"Ncat: ALPN is not supported in listen mode\n?{QUIT}"),
    ),
    ("--nsock-engine", *[(2, rf"Ncat: Unknown or non-available engine: \.{QUIT}")] * 2),
]
#: Where 7.99 is newer than the oracle, or wirecat goes its own way.
OURS: list[tuple[str, tuple[int, str], tuple[int, str] | None]] = [
    ("--source", WORKS, (2, rf"Ncat: -l and -s are incompatible\. .*{QUIT}")),
    ("--proxy", WORKS, None),
    ("--deny", (2, rf"Ncat: Invalid option combination: allow/deny with connect\.{QUIT}"), None),
    ("-q", *[(2, rf'Ncat: Invalid -q timeout ""{TIME}{QUIT}')] * 2),
    ("--record", (2, rf"Ncat: Could not open .*{QUIT}"), (2, rf"Ncat: Could not open .*{QUIT}")),
]


def check(ncat: Ncat, words: list[str], expected: tuple[int, str] | None) -> None:
    if expected is None:
        ncat.start("--test", *words).wait_for("stderr", b"NCAT TEST: LISTEN\n")
        return
    server = ncat.plain()
    if expected[0] == 0:
        program = ncat.start(*[word.replace("PORT", str(server.port)) for word in words])
        peer = server.accept()
        with contextlib.suppress(OSError):  # one without a program to run has gone
            peer.sendall(b"hello\n")
            peer.shutdown(socket.SHUT_WR)
        program.close_stdin()
        assert program.wait() == 0
        assert re.fullmatch(expected[1], program.stderr.decode())
        return
    ended = ncat.run(*[word.replace("PORT", str(server.port)) for word in words])
    assert ended.code == expected[0], ended
    assert re.fullmatch(expected[1], ended.err), ended


def spellings(option: str) -> list[list[str]]:
    return [[option, ""], [f"{option}="]] if option.startswith("--") else [[option, ""]]


@both
@pytest.mark.parametrize(
    ("option", "connecting", "listening"), AGREED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_option_with_an_empty_value(
    ncat: Ncat, option: str, connecting: tuple[int, str], listening: tuple[int, str] | None
) -> None:
    for words in spellings(option):
        check(ncat, [*words, *CONNECT], connecting)
        check(ncat, [*words, *LISTEN], listening)


@ours
@pytest.mark.parametrize(
    ("option", "connecting", "listening"), OURS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_own_way_with_an_empty_value(
    ncat: Ncat, option: str, connecting: tuple[int, str], listening: tuple[int, str] | None
) -> None:
    for words in spellings(option):
        check(ncat, [*words, *CONNECT], connecting)
        check(ncat, [*words, *LISTEN], listening)


def test_every_option_that_takes_a_value_is_tried() -> None:
    tried = {option for option, _, _ in [*AGREED, *OURS]}
    assert {f"--{option.long}" if option.long else f"-{option.short}" for option in OPTIONS if option.value} == tried


#: Operands and combinations.
OPERANDS_AGREED: list[tuple[list[str], int, str]] = [
    (["127.0.0.1", ""], 1, r"Ncat: Connection refused\.\n"),
    (["127.0.0.1", "1", ""], 2, rf"Ncat: Got more than one port specification: 1 \.{QUIT}"),
    (["--vsock", "", "1"], 2, rf'Ncat: Invalid CID ""\.{QUIT}'),
    (["--proxy", ":1", "127.0.0.1", "80"], 1, r'Ncat: Could not resolve proxy "": Name or service not known\.\n'),
    (["--proxy", ":", "127.0.0.1", "80"], 1, r'Ncat: Could not resolve proxy "": Name or service not known\.\n'),
    (["--proxy", "127.0.0.1:1", "--proxy-type", "", "127.0.0.1", "80"], 2, rf'Ncat: Invalid proxy type ""\.{QUIT}'),
    (["--proxy", "", "--proxy", "a", "127.0.0.1", "1"], 2, rf"Ncat: You can't specify more than one --proxy\.{QUIT}"),
    (["-c", "", "-e", "x", "127.0.0.1", "1"], 2, rf"Ncat: Only one of --exec, --sh-exec, .* is allowed\.{QUIT}"),
    (["-l", "--broker", "-e", "", "127.0.0.1", "0"], 2, rf"Ncat: Invalid option combination: --broker and -e\.{QUIT}"),
    (
        ["-l", "--ssl", "--ssl-cert", "", "--ssl-key", "", "127.0.0.1", "0"],
        2,
        rf"Ncat: SSL_CTX_use_certificate.*{QUIT}",
    ),
    (["--ssl-cert", "", "--ssl-key", "", "127.0.0.1", "1"], 2, rf"Ncat: SSL_CTX_use_certificate.*{QUIT}"),
]


@both
@pytest.mark.parametrize(("words", "code", "said"), OPERANDS_AGREED, ids=str)
def test_empty_operands(ncat: Ncat, words: list[str], code: int, said: str) -> None:
    ended = ncat.run(*words)
    assert (ended.code, bool(re.fullmatch(said, ended.err))) == (code, True), ended


@ours
@pytest.mark.parametrize("options", [[], ["-n"], ["-4"], ["-6"], ["-z"], ["-s", "", "--proxy", ""]], ids=str)
def test_empty_host_is_this_machine(ncat: Ncat, options: list[str]) -> None:
    server = ncat.plain("::1" if "-6" in options else "127.0.0.1")
    program = ncat.start(*options, "", server.port)
    server.accept().close()
    assert program.wait() == 0, program.stderr


@ours
def test_empty_host_to_listen_on_is_every_interface(ncat: Ncat) -> None:
    port = free_port()
    program = ncat.start("--test", "-v", "-l", "", port)
    program.wait_for("stderr", rb"Listening on \[::\]:%d\n(?s:.*)Listening on 0\.0\.0\.0:%d\n" % (port, port))


@both
@pytest.mark.parametrize("keep", [[], ["-k"]], ids=str)
@pytest.mark.parametrize("allow", [["--allow", ""], ["--allow", ","], ["--allowfile", "empty"]], ids=str)
def test_empty_list_allows_no_host(ncat: Ncat, allow: list[str], keep: list[str]) -> None:
    (ncat.folder / "empty").touch()
    listener = ncat.listen("-v", *allow, *keep)
    listener.program.send(b"secret")
    assert everything(ncat.dial(listener.port)) == b""
    listener.program.wait_for("stderr", b"Ncat: New connection denied: not allowed\n")


@both
@pytest.mark.parametrize("deny", [["--deny", ""], ["--denyfile", "empty"]], ids=str)
def test_empty_list_denies_no_host(ncat: Ncat, deny: list[str]) -> None:
    (ncat.folder / "empty").touch()
    listener = ncat.listen(*deny)
    listener.program.send(b"hello")
    assert ncat.dial(listener.port).recv(5) == b"hello"


@both
def test_empty_limit_admits_nobody(ncat: Ncat) -> None:
    listener = ncat.listen("-v", "-k", "-m", "")
    assert everything(ncat.dial(listener.port)) == b""
    listener.program.wait_for("stderr", b"connection limit reached \\(0\\)\n")
