"""Connections that went the same way: who spoke when, how often, and how it ended."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wirecat.views.report.story import Talk

_MOST_CHANGES = 24  # beyond so many changes of the speaker, talks are alike if they began alike


def kinds(talks: Sequence[Talk]) -> list[list[Talk]]:
    """The talks in groups that went the same way, the largest group first; within a group in the order of opening.

    The same way means: the same turns of speakers (however many pieces each spoke in), the same ending by the same
    side.
    """
    groups: dict[tuple[object, ...], list[Talk]] = {}
    for talk in talks:
        groups.setdefault((_changes(talk), talk.ending, talk.closed_by, talk.protocol), []).append(talk)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0].number))


def typical(group: Sequence[Talk]) -> Talk:
    """A real talk that stands for its group: the one of middle length."""
    return sorted(group, key=_length)[len(group) // 2]


def _length(talk: Talk) -> tuple[int, int]:
    end = talk.closed if talk.closed is not None else talk.turns[-1].time if talk.turns else talk.opened
    return end - talk.opened, talk.number


def _changes(talk: Talk) -> str:
    speakers: list[str] = []
    for turn in talk.turns:
        speaker = ">" if turn.to_server else "<"
        if not speakers or speakers[-1] != speaker:
            if len(speakers) == _MOST_CHANGES:
                speakers.append("…")
                break
            speakers.append(speaker)
    return "".join(speakers)
