"""What a peer, a file, a name or the command line contributed reaches no terminal unescaped, and forges no line."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from certificates import Authority
from peers import Program, environment, wirecat_command
from plain_peers import refusing, serving
from recording.made import Maker
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.wire import pcapng

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such bytes in a command line of Windows")

#: A title, a cleared screen, a forged line, an 8-bit CSI, an override of the direction, a byte that is no UTF-8.
EVIL = "\x1b]0;owned\x07\x1b[2J\nNcat: forged\r\x9b31m\u202eevil\udcff\x7f"
#: What a terminal obeys. A message ends with LF and has no other.
OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

#: Command lines; EVIL stands for the string, PORT for a port that refuses, FOLDER for a folder.
COMMANDS = [
    "EVIL",
    "--EVIL",
    "connect EVIL",
    "connect EVIL 80",
    "connect --EVIL",
    "connect -EVIL",
    "connect PORT --newline EVIL",
    "connect PORT --timeout EVIL",
    "connect PORT --record FOLDER/EVIL/x",
    "connect PORT --proxy EVIL",
    "connect PORT --source EVIL",
    "connect tls://localhost:PORT?ca=EVIL",
    "connect tls://localhost:PORT?ciphers=EVIL",
    "connect tls://localhost:PORT?servername=EVIL",
    "connect dtls://localhost:PORT?alpn=EVIL",
    "connect dtls://localhost:PORT?ciphers=EVIL",
    "connect unix:///EVIL",
    "connect tcp://localhost:PORT?EVIL=1",
    "connect EVIL://host:1",
    "connect 1 2 EVIL",
    "listen EVIL",
    "listen unix:///nonexistent/EVIL",
    "wait unix:///EVIL --timeout 0.1",
    "serve EVIL",
    "serve EVIL.py:f",
    "serve EVIL:f",
    "serve echo 0 --allow EVIL",
    "serve echo 0 --allowfile EVIL",
    "serve echo 0 --record /nonexistent/EVIL",
    "serve echo 0 --announce EVIL",
    "swarm EVIL",
    "swarm PORT --mode EVIL",
    "swarm PORT --payload EVIL",
    "swarm 127.0.0.1:PORT --clients 1 --messages 1 --message EVIL",
    "relay EVIL 1",
    "relay 0 EVIL",
    "record 0 EVIL",
    "record 0 1 -o /nonexistent/EVIL",
    "show EVIL",
    "show --EVIL x",
    "show x --grep (EVIL",
    "show x --from EVIL",
    "show x --direction EVIL",
    "replay EVIL 1",
    "report EVIL",
    "report x --lang EVIL",
    "report x --picture EVIL",
    "sockets EVIL",
    "sockets --state EVIL",
    "sockets --pid EVIL",
    "reach EVIL",
    "reach 1 --from-peer EVIL",
    "expose EVIL",
    "ncat -EVIL",
    "ncat --EVIL",
    "ncat --sslEVIL=x h 1",
    "ncat EVIL 80",
    "ncat 127.0.0.1 EVIL",
    "ncat -w EVIL h 1",
    "ncat -o /nonexistent/EVIL 127.0.0.1 PORT",
    "ncat --record /nonexistent/EVIL 127.0.0.1 PORT",
    "ncat -U /EVIL",
    "ncat -l -U /nonexistent/EVIL",
    "ncat -l --allowfile EVIL 0",
    "ncat -l --allow EVIL 0",
    "ncat --ssl --ssl-trustfile EVIL 127.0.0.1 PORT",
    "ncat --ssl --ssl-ciphers EVIL 127.0.0.1 PORT",
    "ncat --ssl --udp --ssl-servername EVIL 127.0.0.1 PORT",
    "ncat -l --ssl-cert EVIL --ssl-key EVIL 0",
    "ncat --proxy EVIL h 1",
    "ncat --proxy 127.0.0.1:EVIL h 1",
    "ncat --proxy-type EVIL --proxy 127.0.0.1:PORT h 1",
    "ncat -s EVIL 127.0.0.1 PORT",
    "ncat -p EVIL 127.0.0.1 PORT",
    "ncat -g EVIL 127.0.0.1 PORT",
    "ncat -v EVIL 80",
    "ncat -v -e /nonexistent/EVIL 127.0.0.1 PORT",
    "ncat --lua-exec EVIL 127.0.0.1 PORT",
]


def require_harmless(text: str) -> None:
    found = OBEYED.search(text)
    assert found is None, f"{found!r} in {text!r}"
    assert not any(line.startswith(("Ncat: forged", "forged")) for line in text.splitlines()), text


@pytest.fixture(scope="module")
def refused() -> Iterator[int]:
    with refusing() as port:
        yield port


@pytest.mark.parametrize(
    ("line", "encoding"), [*((line, "ASCII") for line in COMMANDS), *((line, "UTF-8") for line in COMMANDS[::9])]
)
def test_no_command_line_reaches_stderr_unescaped(line: str, encoding: str, refused: int, tmp_path: Path) -> None:
    words = [
        word.replace("PORT", str(refused)).replace("FOLDER", str(tmp_path)).replace("EVIL", EVIL)
        for word in line.split()
    ]
    chosen = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    variables = environment(**chosen) if encoding == "ASCII" else environment(LC_ALL="C.UTF-8")
    ended = subprocess.run(
        wirecat_command(*words), stdin=subprocess.DEVNULL, capture_output=True, env=variables, timeout=40, check=False
    )
    said = (ended.stdout + ended.stderr).decode("utf-8", "surrogateescape")
    require_harmless(said.replace("\udcff", "\x80"))
    assert "Traceback" not in said, said
    assert "fault of wirecat's own" not in said, said
    assert ended.returncode in (1, 2), said


@pytest.fixture(scope="module")
def evil_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that says, in its subject and issuer, what no terminal should get."""
    name = EVIL.replace("\udcff", "")
    return Authority(tmp_path_factory.mktemp("evil")).sign(
        "localhost", common_name=name, organisation=name, self_signed=True
    )


@pytest.mark.parametrize(
    "words",
    [
        ["ncat", "-v", "--ssl"],
        ["ncat", "-vv", "--ssl-verify"],
        ["connect", "-v", "--tls", "--insecure"],
        ["connect", "-v", "--tls"],
    ],
    ids=" ".join,
)
def test_certificate_with_control_characters_is_printed_escaped(words: list[str], evil_certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(evil_certificate)

    def greet(peer: object) -> None:
        try:
            with context.wrap_socket(peer, server_side=True) as secured:  # type: ignore[arg-type]
                secured.sendall(b"hello")
        except OSError:
            return  # a client that does not trust us

    with serving(greet) as server, Program(wirecat_command(*words, "localhost", str(server.port))) as client:
        client.close_stdin()
        client.wait()
        said = client.stderr.decode()
    require_harmless(said)
    if "--insecure" in words or "--ssl" in words:
        assert r"\x1b]0;owned\x07" in said, said


def test_recording_with_control_characters_is_shown_escaped(tmp_path: Path) -> None:
    path = tmp_path / f"{EVIL}.pcapng"
    text = EVIL.replace("\udcff", "")
    made = Maker()
    made.pieces[:2] = [pcapng.section_header(text, text, comment=text), pcapng.interface(name=text, description=text)]
    made.frame("recording", uid="a", machine=EVIL, verb=EVIL, program=EVIL)
    conversation = made.opened(1, handler=EVIL, tls={"version": EVIL, "cipher": EVIL, "alpn": EVIL})
    for direction in (RECEIVED, SENT):
        made.pieces += conversation.chunk(made.now, direction, EVIL.encode("utf-8", "surrogateescape"))
    made.frame("note", text=EVIL)
    made.frame(
        "sockets", rows=[{"protocol": EVIL, "local_host": EVIL, "local_port": 80, "state": EVIL, "process": EVIL}]
    )
    made.closed(1, reason=EVIL)
    path.write_bytes(b"".join(b"".join([piece]) for piece in made.pieces))
    for words in (
        ["show"],
        ["show", "--hex"],
        ["show", "--json"],
        ["report", "--format", "md"],
        ["report", "--format", "json"],
        ["report", "--format", "html"],
    ):
        ended = subprocess.run(
            wirecat_command(*words, str(path)), capture_output=True, env=environment(), timeout=40, check=True
        )
        require_harmless(ended.stderr.decode())
        assert OBEYED.search(ended.stdout.decode()) is None, ended.stdout
        if "--json" in words:
            for row in ended.stdout.splitlines():
                json.loads(row)


def test_raw_bytes_of_a_recording_are_escaped_on_a_terminal(tmp_path: Path) -> None:
    from terminals import Terminal

    made = Maker()
    conversation = made.opened(1)
    made.pieces += conversation.chunk(made.now, SENT, b"\x1b]0;owned\x07hello\n")
    made.closed(1)
    path = made.write(tmp_path / "r")
    words = wirecat_command("show", str(path), "--raw", "--connection", "1", "--direction", "server")
    with Terminal(words) as terminal:
        terminal.wait_for(rb"\\x1b\]0;owned\\x07hello")
        assert terminal.wait() == 0


def test_served_unix_peer_with_control_characters_is_logged_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    name = EVIL.encode("utf-8", "surrogateescape")
    place = tmp_path / "s"
    monkeypatch.chdir(tmp_path)  # a path of a socket is short
    with Program(wirecat_command("serve", "echo", f"unix://{place}", "--json")) as server:
        server.wait_for("stdout", rb'"listening"')
        with socket.socket(socket.AF_UNIX) as client:
            client.bind(name)
            client.connect(str(place))
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        server.wait_for("stdout", rb'"closed"')
        for row in server.stdout.decode("ascii").splitlines():
            document = json.loads(row)
            json.dumps(document, ensure_ascii=False).encode("utf-8")  # no lone surrogate in it
        require_harmless(server.stdout.decode() + server.stderr.decode())
