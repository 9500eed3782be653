"""Streams cut in every way: what a parser of pieces makes of them must not depend on where the cuts are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TypeVar

from hypothesis import strategies as some

from wirecat.errors import WirecatError

Result = TypeVar("Result")

#: Where to cut; a place behind the end cuts there, and one that is named twice makes an empty piece.
places = some.lists(some.integers(0, 300), max_size=8)


def pieces_of(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The stream in pieces, cut at these places."""
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[first:last] for first, last in pairwise(edges)]


def bytes_of(stream: bytes) -> list[bytes]:
    """The stream in pieces of one byte."""
    return [stream[place : place + 1] for place in range(len(stream))]


def same_however_cut(run: Callable[[list[bytes]], Result], stream: bytes, cuts: Iterable[int] = ()) -> Result:
    """What `run` makes of the whole stream; asserts the same for these cuts, and byte by byte."""
    whole = run([stream])
    assert run(pieces_of(stream, cuts)) == whole
    assert run(bytes_of(stream)) == whole
    return whole


def same_at_every_cut(run: Callable[[list[bytes]], Result], stream: bytes) -> Result:
    """What `run` makes of the whole stream; asserts the same for each place where it can be cut in two."""
    for place in range(len(stream) + 1):
        same_however_cut(run, stream, [place])
    return run([stream])


def error_of(error: WirecatError) -> tuple[object, ...]:
    """An error as something to compare."""
    details = vars(error)
    return type(error).__name__, str(error), details.get("status"), details.get("kind")


def garbage(*words: bytes) -> some.SearchStrategy[bytes]:
    """Bytes of any kind, and sequences of these words: nonsense that goes deeper into a parser than noise does."""
    return some.one_of(
        some.binary(max_size=200),
        some.lists(some.one_of(some.sampled_from(words), some.binary(max_size=3)), max_size=40).map(b"".join),
    )


@some.composite
def damaged(draw: some.DrawFn, streams: some.SearchStrategy[bytes]) -> bytes:
    """A good stream with a few of its bytes changed, left out, or put in."""
    stream = bytearray(draw(streams))
    for _ in range(draw(some.integers(1, 3))):
        place = draw(some.integers(0, len(stream)))
        gone = draw(some.integers(0, 2))
        stream[place : place + gone] = draw(some.binary(max_size=2))
    return bytes(stream)
