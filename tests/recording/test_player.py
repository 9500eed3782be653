"""One connection played again, where the recording has holes."""

from __future__ import annotations

import wirecat
from wirecat.recording.model import CLIENT, SERVER, Chunk, Mark
from wirecat.recording.player import Played, Player


def played(*steps: Chunk | Mark, compare: str = "exact", patience: float = 20.0) -> Played:
    """What comes of it with an echo server."""
    done: list[int] = []
    with wirecat.serve("echo", "127.0.0.1:0") as server:
        player = Player(
            1, CLIENT, lambda: wirecat.connect(server.address), compare=compare, patience=patience, on_done=done.append
        )
        for step in steps:
            player.put(step)
        player.put(None)
        player.wait_open()
        assert player.join(20.0)
    assert sum(done) == sum(len(step.data) for step in steps if isinstance(step, Chunk))
    return player.played


def test_what_is_missing_is_said_and_not_compared() -> None:
    found = played(
        Chunk(1, 0, CLIENT, b"abc"), Chunk(1, 0, SERVER, b"abc"), Chunk(1, 0, CLIENT, b"def", 5),
        Chunk(1, 0, SERVER, b"xyz", 5), Mark(1, 0, "end", CLIENT),
    )  # fmt: skip
    assert (found.sent, found.difference, found.failure) == (6, None, "")
    assert found.notes == [
        "5 bytes that we sent are not in the recording", "5 bytes that the other side sent are not in the recording",
    ]  # fmt: skip


def test_nothing_more_is_sent_behind_a_difference() -> None:
    found = played(Chunk(1, 0, CLIENT, b"abc"), Chunk(1, 0, SERVER, b"abX"), Chunk(1, 0, CLIENT, b"def"))
    assert found.difference is not None
    assert (found.difference.offset, found.sent) == (2, 3)
