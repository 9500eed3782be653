"""Tests of the table of options: each sets a field that is there, and no name stands twice."""

from __future__ import annotations

from wirecat.cli.ncat.options import OPTIONS
from wirecat.cli.ncat.settings import Settings

#: All the options there are.
KNOWN = [
    "-4", "-6", "-U", "--unixsock", "--vsock", "-C", "--crlf", "-c", "--sh-exec", "-e", "--exec", "--lua-exec",
    "-g", "-G", "-m", "--max-conns", "-h", "--help", "-d", "--delay", "-o", "--output", "-x", "--hex-dump",
    "-i", "--idle-timeout", "-p", "--source-port", "-s", "--source", "-l", "--listen", "-k", "--keep-open",
    "-n", "--nodns", "-t", "--telnet", "-u", "--udp", "--sctp", "-v", "--verbose", "-w", "--wait", "-z", "-q",
    "--append-output", "--send-only", "--record", "--recv-only", "--no-shutdown", "--allow", "--allowfile", "--deny",
    "--denyfile", "--broker", "--chat", "--talk", "--proxy", "--proxy-type", "--proxy-auth", "--proxy-dns",
    "--ssl", "--ssl-cert", "--ssl-key", "--ssl-verify", "--ssl-trustfile", "--ssl-ciphers", "--ssl-servername",
    "--ssl-alpn", "--version", "--nsock-engine", "--test",
]  # fmt: skip


def names() -> list[str]:
    found = []
    for option in OPTIONS:
        found += [f"-{option.short}"] if option.short else []
        found += [f"--{option.long}"] if option.long else []
    return found


def test_all_are_there_and_no_other() -> None:
    assert sorted(names()) == sorted(KNOWN)


def test_each_sets_a_field() -> None:
    settings = Settings()
    for option in OPTIONS:
        assert hasattr(settings, option.sets), option.name
    assert {option.sets for option in OPTIONS} | {"operands"} == set(Settings.__slots__)


def test_flags_take_no_value_and_all_others_do() -> None:
    for option in OPTIONS:
        assert bool(option.value) == (option.kind not in ("flag", "count")), option.name
