"""Names that cannot be: one line, the exit code, and never Python's own exception, in every command and dialect.

None of these names is looked up: what is wrong with them is seen before.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

import wirecat
from peers import environment, wirecat_command
from plain_peers import serving

LONG = "a" * 64

#: The command line without the program's name, the exit code, and words of the line. PORT accepts and closes.
TABLE = [
    ("connect a..b:80", 1, "'a..b' cannot be a host's name: a part of it is empty"),
    ("connect .bad:80", 1, "'.bad' cannot be a host's name"),
    (f"connect {LONG}.test:80", 1, "a part of a name has at most 63 characters"),
    ("connect ä..b:80", 1, "cannot be a host's name"),
    ("connect udp://ä..b:80", 1, "cannot be a host's name"),
    ("listen ä..b:0", 1, "cannot be a host's name"),
    ("listen udp://a..b:0", 1, "cannot be a host's name"),
    ("serve echo ä..b:0", 1, "cannot be a host's name"),
    ("swarm ä..b:80", 1, "cannot be a host's name"),
    ("wait ä..b:80 --timeout 1", 1, "cannot be a host's name"),
    ("reach 80 --from-peer ä..b", 1, "cannot be a host's name"),
    ("relay 0 ä..b:80", 1, "cannot be a host's name"),
    ("relay 0 tls://127.0.0.1:PORT?servername=a..b", 2, "server name tls://127.0.0.1:PORT: 'a..b' cannot be"),
    ("serve echo 0 --allow ä..b", 2, "cannot be a host's name"),
    ("connect tcp://127.0.0.1:PORT?source=a..b", 1, "source a..b: 'a..b' cannot be a host's name"),
    ("connect tcp://a..b:80?proxy=http://127.0.0.1:PORT", 2, "connect a..b:80: 'a..b' cannot be a host's name"),
    (f"connect tcp://{LONG}.x:80?proxy=socks5://127.0.0.1:PORT", 2, "at most 63 characters"),
    (f"connect tcp://x:80?proxy=socks5://{LONG}:1", 1, "at most 63 characters"),
    ("connect tls://127.0.0.1:PORT?servername=a..b", 2, "'a..b' cannot be a host's name"),
    ("connect tls://127.0.0.1:PORT?servername=.bad", 2, "'.bad' cannot be a host's name"),
    (f"connect tls://127.0.0.1:PORT?servername={LONG}", 2, "at most 63 characters"),
    ("connect tls://127.0.0.1:PORT?servername=a%00b", 2, "cannot be a host's name"),
    ("connect dtls://127.0.0.1:PORT?servername=a..b", 2, "'a..b' cannot be a host's name"),
    ("connect tls://127.0.0.1:PORT?ca=a%00b", 2, "ca has a zero byte in it"),
    ("connect tls://127.0.0.1:PORT?cert=a%00b", 2, "cert has a zero byte in it"),
    ("connect dtls://127.0.0.1:PORT?cert=a&key=a%00b", 2, "key has a zero byte in it"),
    ("connect tls://127.0.0.1:PORT?ciphers=a%00b", 2, "ciphers has a zero byte in it"),
    ("serve echo tls://127.0.0.1:0?ciphers=a%00b", 2, "ciphers has a zero byte in it"),
    ("connect unix:///tmp/a%00b", 2, "no path has a zero byte"),
    ("listen unix:///tmp/a%00b", 2, "no path has a zero byte"),
    ("ncat ä..b 80", 2, 'Could not resolve hostname "ä..b": Name or service not known.'),
    ("ncat -l a..b 0", 2, 'Could not resolve hostname "a..b": Name or service not known.'),
    ("ncat -s ä..b 127.0.0.1 PORT", 2, 'Could not resolve source address "ä..b": Name or service not known.'),
    ("ncat --proxy ä..b:1 x 1", 1, 'Could not resolve proxy "ä..b": Name or service not known.'),
    ("ncat --ssl --ssl-servername .bad 127.0.0.1 PORT", 2, "'.bad' cannot be a host's name"),
    ("ncat -u --ssl --ssl-servername a..b 127.0.0.1 PORT", 2, "'a..b' cannot be a host's name"),
    ("ncat --proxy 127.0.0.1:PORT ä..b 1", 2, "'ä..b' cannot be a host's name"),
]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server of this machine that accepts and closes."""
    with serving(lambda connection: connection.close(), clients=1000) as server:
        yield server.port


@pytest.mark.parametrize(("line", "code", "said"), TABLE, ids=lambda value: ascii(value)[:60])
def test_impossible_name_is_one_line_and_an_exit_code(line: str, code: int, said: str, port: int) -> None:
    words = [word.replace("PORT", str(port)) for word in line.split()]
    ended = subprocess.run(
        wirecat_command(*words), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, env=environment()
    )
    assert ended.returncode == code, ended.stderr
    (told,) = ended.stderr.splitlines()
    assert said.replace("PORT", str(port)) in told
    assert ended.stdout == ""


@pytest.mark.parametrize("host", ["straße.test", "a\u200cb.test", "οδος.gr"])
@pytest.mark.parametrize("words", [["connect", "HOST:80"], ["listen", "HOST:0"], ["ncat", "HOST", "80"]], ids=str)
def test_name_that_needs_idna_is_refused_with_the_hint_where_it_is_missing(host: str, words: list[str]) -> None:
    code = "import sys; sys.modules['idna'] = None; from wirecat.__main__ import main; sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-c", code, *(word.replace("HOST", host) for word in words)], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=30, env=environment(),
    )  # fmt: skip
    assert ended.returncode == 2
    (told,) = ended.stderr.splitlines()
    assert "needs the package idna" in told and "pip install 'wirecat[idna]'" in told


def test_library_calls_raise_errors_of_wirecat() -> None:
    with pytest.raises(wirecat.UnknownHost):
        wirecat.connect("ä..b:80")
    with pytest.raises(wirecat.UsageError):
        wirecat.connect("tls://127.0.0.1:1?servername=a..b")
    with pytest.raises(wirecat.UnknownHost):
        asyncio.run(wirecat.connect_async("ä..b:80"))
    with pytest.raises(wirecat.UsageError):
        asyncio.run(wirecat.connect_async("tls://127.0.0.1:1?servername=.bad"))
    with pytest.raises(wirecat.UnknownHost):
        wirecat.relay("127.0.0.1:0", "ä..b:80")
    with pytest.raises(wirecat.UnknownHost):
        wirecat.serve("echo", "ä..b:0")


@pytest.mark.parametrize("target", ["a..b:80", f"{LONG}:80", "ä..b:80", "%00:80", "[::1%25x]:80"], ids=ascii)
def test_proxy_answers_a_client_that_asks_for_an_impossible_name(target: str) -> None:
    with wirecat.serve("proxy", "127.0.0.1:0") as server, wirecat.connect(server.address) as client:
        client.send(f"CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert re.match(rb"HTTP/1.1 (400|502) ", client.receive() or b"")
