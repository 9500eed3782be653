"""What the handshakes share: pieces, the end, failures that stay, and the first bytes of the tunnel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.cutting import pieces_of, places
from wirecat.errors import ProxyError, UsageError
from wirecat.wire.handshake import Handshake


class Greeting(Handshake):
    """Asks, wants `yes`, asks again, wants `yes` again; `no` is a refusal, `new` asks for another connection."""

    def start(self) -> bytes:
        self._reset(self._first)
        return b"ask"

    def _first(self) -> bytes | None:
        if self._answer() is None:
            return None
        self._step = self._second
        return b"again"

    def _second(self) -> bytes | None:
        if self._answer() is None:
            return None
        self.bound = ("here", 1)
        self.done = True
        return b""

    def _answer(self) -> bytes | None:
        line = self._buffer.take_line()
        if line == b"no\n":
            raise self._failed("it said no", kind="refused", status=7, hint="Ask nicely.")
        if line == b"new\n":
            self.reconnect = True
        return line


def started() -> Greeting:
    handshake = Greeting("host", 80)
    assert handshake.start() == b"ask"
    return handshake


@given(some.binary(max_size=30), places)
def test_no_byte_behind_the_handshake_is_lost(tail: bytes, cuts: list[int]) -> None:
    handshake = started()
    sent = b"".join(handshake.receive(piece) or b"" for piece in pieces_of(b"yes\nyes\n" + tail, cuts))
    assert sent == b"again"
    assert handshake.done
    assert handshake.rest == tail
    assert handshake.bound == ("here", 1)


def test_what_comes_after_it_is_done_belongs_to_the_tunnel() -> None:
    handshake = started()
    assert handshake.receive(b"yes\nyes\na") == b"again"
    assert handshake.receive(b"b") is None
    assert handshake.rest == b"ab"
    handshake.receive_end()


def test_nothing_is_sent_while_too_little_has_come() -> None:
    handshake = started()
    assert handshake.receive(b"") is None
    assert handshake.receive(b"ye") is None
    assert not handshake.done
    assert handshake.rest == b""


def test_a_failure_stays() -> None:
    handshake = started()
    with pytest.raises(ProxyError) as first:
        handshake.receive(b"no\n")
    assert (first.value.kind, first.value.status) == ("refused", 7)
    assert str(first.value) == "connect host:80: it said no. Ask nicely."
    for again in (lambda: handshake.receive(b"yes\nyes\n"), handshake.receive_end):
        with pytest.raises(ProxyError) as later:
            again()
        assert later.value is first.value
    assert not handshake.done


def test_an_end_in_the_middle_is_told() -> None:
    handshake = started()
    handshake.receive(b"ye")
    with pytest.raises(ProxyError, match="closed the connection before it had answered") as raised:
        handshake.receive_end()
    assert raised.value.kind == "closed"


def test_it_can_go_on_elsewhere() -> None:
    handshake = started()
    assert handshake.receive(b"yes\nnew\nleft over") == b"again"
    assert handshake.reconnect
    handshake.receive_end()  # the old connection may end now
    assert handshake.start() == b"ask"
    assert not handshake.reconnect
    assert handshake.receive(b"yes\nyes\n") == b"again"
    assert handshake.rest == b""


def test_a_target_that_is_none_is_refused_before_anything_is_sent() -> None:
    for host, port in (("", 80), ("a b", 80), ("host", 0), ("host", 65536)):
        with pytest.raises(UsageError):
            Greeting(host, port)
    assert Greeting("::1", 443).target == "[::1]:443"
