"""Telnet's negotiation is taken out and refused, wherever it is cut; no answer makes the other side answer again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.cutting import garbage, pieces_of, places, same_at_every_cut, same_however_cut
from wirecat.wire.telnet import DO, DONT, IAC, SB, SE, WILL, WONT, TelnetRefuser

ECHO, TERMINAL_TYPE = 1, 24


def refused(pieces: list[bytes]) -> tuple[bytes, bytes]:
    refuser = TelnetRefuser()
    results = [refuser.receive(piece) for piece in pieces]
    return b"".join(text for text, _ in results), b"".join(answer for _, answer in results)


@pytest.mark.parametrize(
    ("stream", "text", "answer"),
    [
        (b"", b"", b""),
        (b"login: ", b"login: ", b""),
        # RFC 854: an option offered or asked for is refused.
        (bytes([IAC, DO, ECHO]), b"", bytes([IAC, WONT, ECHO])),
        (bytes([IAC, WILL, ECHO]), b"", bytes([IAC, DONT, ECHO])),
        # RFC 854: what holds already is not acknowledged, so that there is no loop.
        (bytes([IAC, WONT, ECHO]), b"", b""),
        (bytes([IAC, DONT, ECHO]), b"", b""),
        # IAC IAC is a byte 255 of text, as the option's number it is an option.
        (b"a" + bytes([IAC, IAC]) + b"b", b"a\xffb", b""),
        (bytes([IAC, DO, IAC]) + b"x", b"x", bytes([IAC, WONT, IAC])),
        # Commands without an option: no operation, go ahead, are you there, and SE astray.
        (b"a" + bytes([IAC, 241]) + b"b" + bytes([IAC, 249, IAC, 246, IAC, SE]) + b"c", b"abc", b""),
        # RFC 855: parameters between SB and SE go, with a doubled 255 and an SE among them.
        (b"a" + bytes([IAC, SB, TERMINAL_TYPE, 1, IAC, IAC, SE, 0, IAC, SE]) + b"b", b"ab", b""),
        # A subnegotiation that never ended is over when the next command begins.
        (bytes([IAC, SB, TERMINAL_TYPE, IAC, DO, ECHO]) + b"b", b"b", bytes([IAC, WONT, ECHO])),
        (bytes([IAC, SB, TERMINAL_TYPE, IAC, SB, ECHO, IAC, SE]) + b"b", b"b", b""),
        # All of it in a row, as a server opens.
        (
            bytes([IAC, DO, TERMINAL_TYPE, IAC, DO, 32, IAC, WILL, 3]) + b"\r\nhost login: ",
            b"\r\nhost login: ",
            bytes([IAC, WONT, TERMINAL_TYPE, IAC, WONT, 32, IAC, DONT, 3]),
        ),
        # The rest of NVT is left alone: ncat touches no line's end.
        (b"a\r\0b\r\n", b"a\r\0b\r\n", b""),
        # A command that is not whole is no text.
        (b"a" + bytes([IAC]), b"a", b""),
        (b"a" + bytes([IAC, DO]), b"a", b""),
    ],
)
def test_known_streams_at_every_cut(stream: bytes, text: bytes, answer: bytes) -> None:
    assert same_at_every_cut(refused, stream) == (text, answer)


streams = garbage(*(bytes([IAC, command]) for command in range(SE, IAC + 1)), bytes([IAC]), b"text")


@given(streams, places)
def test_whatever_comes_gives_the_same_wherever_it_is_cut(stream: bytes, cuts: list[int]) -> None:
    text, answer = same_however_cut(refused, stream, cuts)
    assert len(text) + len(answer) <= len(stream)


@given(streams, places)
def test_an_answer_is_never_answered(stream: bytes, cuts: list[int]) -> None:
    """Two refusers face to face fall silent after one answer."""
    _, answer = refused(pieces_of(stream, cuts))
    assert refused([answer]) == (b"", b"")


@given(some.binary())
def test_text_passes_unharmed(text: bytes) -> None:
    escaped = text.replace(b"\xff", b"\xff\xff")
    assert refused([escaped]) == (text, b"")
    if b"\xff" not in text:
        assert refused([text]) == (text, b"")


def test_a_flood_of_offers_is_answered_in_its_own_length() -> None:
    text, answer = refused([bytes([IAC, WILL, ECHO]) * 50_000])
    assert text == b""
    assert answer == bytes([IAC, DONT, ECHO]) * 50_000
