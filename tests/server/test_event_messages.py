"""Events over the channel: each comes out as it went in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wirecat.address import Address
from wirecat.events import Closed, Denied, Event, Failed, HalfClosed, Missed, Opened, Stopped
from wirecat.server.event_messages import KINDS, event_object, event_of
from wirecat.taps.transcript import NotShown, Said

TEXT = st.text(st.characters(codec=None), max_size=20)
NUMBER = st.integers(0, 1 << 60)
SECONDS = st.floats(0, 1e10)
PEER = st.builds(Address, st.just("tcp"), st.sampled_from(["127.0.0.1", "::1", "fe80::1%eth0"]), st.integers(0, 65535))
WHEN = {"time": SECONDS, "monotonic": SECONDS}
EVENTS = st.one_of(
    st.builds(Opened, connection=NUMBER, peer=PEER, local=PEER, open_count=NUMBER, **WHEN),
    st.builds(HalfClosed, connection=NUMBER, peer=PEER, **WHEN),
    st.builds(
        Closed, connection=NUMBER, peer=PEER, by=TEXT, reason=TEXT, seconds=SECONDS, received=NUMBER, sent=NUMBER,
        open_count=NUMBER, **WHEN,
    ),
    st.builds(Denied, peer=PEER, reason=TEXT, **WHEN),
    st.builds(Failed, connection=st.none() | NUMBER, peer=st.none() | PEER, error=TEXT, traceback=TEXT, **WHEN),
    st.builds(Missed, count=NUMBER, **WHEN),
    st.builds(Said, connection=NUMBER, direction=TEXT, text=TEXT, size=NUMBER, whole=st.booleans(), **WHEN),
    st.builds(NotShown, count=NUMBER, **WHEN),
)  # fmt: skip


@settings(deadline=None)
@given(EVENTS)
def test_what_went_in_comes_out(event: Event) -> None:
    assert event_of(json.loads(json.dumps(event_object(event)))) == event


def test_all_kinds_are_tried() -> None:
    assert {kind.__name__ for kind in KINDS.values()} == {
        "Opened", "HalfClosed", "Closed", "Denied", "Failed", "Missed", "Said", "NotShown",
    }  # fmt: skip


@pytest.mark.parametrize(
    "message", [{}, {"event": "missed"}, {"event": "missed", "count": 1}, {"event": ["missed"]}, {"event": "stopped"}]
)
def test_what_is_no_event(message: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        event_of(message)


def test_what_the_supervisor_says_itself_is_none() -> None:
    with pytest.raises(ValueError, match="no event"):
        event_of(event_object(Stopped(served=1, stuck=0)))
