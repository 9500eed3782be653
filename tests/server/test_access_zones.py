"""Rules with a zone: a link-local address is another machine on each link (RFC 4007 section 6)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from peers import PATIENCE, environment
from wirecat.errors import UsageError
from wirecat.server.access import AccessList

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the loopback's name is Linux'")


@pytest.mark.parametrize(
    ("rule", "admitted", "refused"),
    [
        ("fe80::2%lo", ["fe80::2%lo", "fe80:0::2%lo"], ["fe80::2%other", "fe80::2", "fe80::3%lo"]),
        ("fe80::2%1", ["fe80::2%lo"], ["fe80::2%other"]),
        ("[fe80::2%lo]", ["fe80::2%lo"], ["fe80::2%other"]),
        ("fe80::%lo/10", ["fe80::7%lo"], ["fe80::7%other", "2001:db8::1"]),
        ("fe80::2", ["fe80::2%lo", "fe80::2%other", "fe80::2"], ["fe80::3%lo"]),
        ("fe80::/10", ["fe80::7%lo", "fe80::7%other"], ["2001:db8::1"]),
    ],
)
def test_zone_of_a_rule_counts(rule: str, admitted: list[str], refused: list[str]) -> None:
    allowing, denying = AccessList(allow=[rule]), AccessList(deny=[rule])
    for host in admitted:
        assert allowing.permits(host) and not denying.permits(host)
    for host in refused:
        assert denying.permits(host) and not allowing.permits(host)


@pytest.mark.parametrize(
    ("rule", "admitted", "refused"),
    [
        ("fe80::2%later0", ["fe80::2%later0"], ["fe80::2%lo"]),  # an interface that is not there yet
        ("fe80::2%99999999999999999999", ["fe80::2%99999999999999999999"], ["fe80::2%lo"]),
    ],
)
def test_zone_of_an_interface_that_is_not_here_admits_it_alone(
    rule: str, admitted: list[str], refused: list[str]
) -> None:
    test_zone_of_a_rule_counts(rule, admitted, refused)


@pytest.mark.parametrize("rule", ["fe80::2%", "2001:db8::1%lo", "::ffff:192.0.2.1%lo"])
def test_zone_that_is_not_possible_is_refused(rule: str) -> None:
    with pytest.raises(UsageError, match="a zone is the interface of a link-local address"):
        AccessList(allow=[rule])


# Two links, each with a machine fe80::2 on it; the server is the namespace in the middle. Prints what each is told.
TWO_LINKS = """
import subprocess, sys
def run(*words): subprocess.run(words, check=True)
run("mount", "-t", "tmpfs", "none", "/run")
run("ip", "link", "set", "lo", "up")
for n in "ab":
    run("ip", "netns", "add", n)
    run("ip", "link", "add", "v" + n, "type", "veth", "peer", "name", "w", "netns", n)
    for where, link, host in (((), "v" + n, "fe80::1"), (("-n", n), "w", "fe80::2")):
        run("ip", *where, "link", "set", link, "addrgenmode", "none")
        run("ip", *where, "link", "set", link, "up")
        run("ip", *where, "addr", "add", host + "/64", "dev", link, "nodad")
import wirecat
CLIENT = '''
import socket, sys
kind, port = sys.argv[1:]
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as client:
    client.settimeout(0.5 if kind == "udp" else 10)
    client.connect(("fe80::1", int(port), 0, socket.if_nametoindex("w")))
    client.send(b"x")
    try:
        print(client.recv(10).decode(), flush=True)
    except OSError:
        print("", flush=True)
'''
for scheme, engine in (("tcp", "threads"), ("tcp", "async"), ("udp", "threads")):
    for name in ("allow", "deny"):
        options = {name: ["fe80::2%va"]}
        with wirecat.serve("reply:in", f"{scheme}://[::]:0", engine=engine, **options) as server:
            told = [
                subprocess.run(["ip", "netns", "exec", n, sys.executable, "-c", CLIENT, scheme, str(server.address.port)],
                               capture_output=True, text=True, check=True).stdout.strip()
                for n in "ab"
            ]
        print(scheme, engine, name, *[each or "-" for each in told], flush=True)
"""


def test_only_the_link_of_the_rule_is_admitted() -> None:
    probe = subprocess.run(["unshare", "-nm", "true"], capture_output=True)
    if probe.returncode:
        pytest.skip("network namespaces cannot be made: they need root")
    ended = subprocess.run(
        ["unshare", "-nm", sys.executable, "-c", TWO_LINKS],
        capture_output=True, text=True, env=environment(), timeout=PATIENCE * 2,
    )  # fmt: skip
    assert ended.stdout.splitlines() == [
        f"{kind} {name} {' '.join(('in', '-') if name == 'allow' else ('-', 'in'))}"
        for kind in ("tcp threads", "tcp async", "udp threads")
        for name in ("allow", "deny")
    ], ended.stderr
