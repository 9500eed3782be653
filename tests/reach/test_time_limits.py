"""The time limits that reach and expose promise, in the lab: how soon an answer is there, how soon nobody gets in any more.

Run by ``make lab`` only, one at a time: on a machine that is busy elsewhere a limit says nothing about the program.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from peers import PATIENCE, wirecat_command
from reach.campaign import LONG
from reach.lab.home import PORT, PUBLIC, SERVER6, Home
from reach.truth import report

pytestmark = [LONG, pytest.mark.alone]

#: Seconds, from the start of the command to its end.
REACH, REFUSAL = 5.0, 6.0
#: Seconds from the signal until the router lets nobody in any more.
GONE = {signal.SIGTERM: 1.0, signal.SIGKILL: 3.0}
MAPPING = [
    (),
    ("igd1",),
    ("natpmp-only",),
    ("upnp-only",),
    ("natpmp-only", "pcp-refused"),
    ("upnp-only", "igd1"),
    ("upnp-only", "link-local"),
]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def ids(value: object) -> str:
    return "+".join(value) or "base" if isinstance(value, tuple) else getattr(value, "name", str(value))


def silence(home: Home) -> None:
    """Let the router take no question any more, and refuse none."""
    home.router.nft(
        "table inet mute { chain in { type filter hook input priority -10;\n"
        'iifname "br0" meta l4proto { tcp, udp, icmp, ipv6-icmp } drop\n}\n}'
    )


@pytest.mark.parametrize("arguments", [(), ("--probe-path",), ("--scope", "internet", "-v")], ids=ids)
def test_reach_where_everything_is_silent(arguments: tuple[str, ...]) -> None:
    with Home("upnp-off") as home, home.server.listen(PORT):
        silence(home)
        began = time.monotonic()
        ended = home.server.wirecat("reach", str(PORT), *arguments)
        took = time.monotonic() - began
    assert ended.returncode == (3 if "internet" in arguments else 0), ended.stderr
    assert took < REACH


@pytest.mark.parametrize("variants", [("upnp-off",), ("cgnat",), ("cgnat", "upnp-only"), ("hostfw",)], ids=ids)
def test_reach_of_any_home(variants: tuple[str, ...]) -> None:
    with Home(*variants) as home, home.server.listen(PORT):
        began = time.monotonic()
        report(home)
        assert time.monotonic() - began < REACH


@pytest.mark.parametrize("number", list(GONE), ids=ids)
@pytest.mark.parametrize("variants", MAPPING, ids=ids)
def test_nobody_gets_in_after_expose(variants: tuple[str, ...], number: signal.Signals) -> None:
    command = wirecat_command("expose", str(PORT))
    with Home(*variants) as home, home.server.listen(PORT, "::"), home.server.program(*command) as exposing:
        exposing.wait_for("stdout", rb"^11\.77\.0\.2:12345\n")
        assert home.outside.reaches(PUBLIC, PORT, PATIENCE)
        began = time.monotonic()
        exposing.signal(number)
        # The forward of IPv4, and the pinhole of IPv6 where there is one.
        while str(PORT) in home.mapped():
            assert time.monotonic() - began < GONE[number], f"not gone {GONE[number]:g} s after {number.name}"
        assert time.monotonic() - began < GONE[number]
        assert not home.outside.reaches(PUBLIC, PORT, 0.5)
        assert not home.outside.reaches(SERVER6, PORT, 0.5)
        exposing.wait()


@pytest.mark.parametrize(
    "variants",
    [("cgnat",), ("doublenat",), ("upnp-off",), ("cgnat", "upnp-only"), ("doublenat", "natpmp-only", "pcp-refused"),
     ("silent",)],
    ids=ids,
)  # fmt: skip
def test_expose_says_soon_that_the_router_cannot_help(variants: tuple[str, ...]) -> None:
    with Home(*({"upnp-off"} if variants == ("silent",) else variants)) as home, home.server.listen(PORT):
        if variants == ("silent",):
            silence(home)
        began = time.monotonic()
        ended = home.server.wirecat("expose", str(PORT))
        took = time.monotonic() - began
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "ssh -R" in ended.stderr
    assert took < REFUSAL
