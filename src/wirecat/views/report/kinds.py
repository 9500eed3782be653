"""Connections that are alike: the same was said in them, and they ended alike."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wirecat.views.report.story import Talk


def kinds(talks: Sequence[Talk]) -> list[list[Talk]]:
    """The talks in groups that are alike, the largest group first; within a group in the order of opening.

    Alike means: both sides said the same, byte for byte and in the same order (in however many pieces), and the same
    side ended it in the same way.
    """
    groups: dict[tuple[object, ...], list[Talk]] = {}
    for talk in talks:
        groups.setdefault((talk.contents, talk.ending, talk.closed_by, talk.protocol), []).append(talk)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0].number))


def typical(group: Sequence[Talk]) -> Talk:
    """A real talk that stands for its group: the one of middle length."""
    return sorted(group, key=_length)[len(group) // 2]


def _length(talk: Talk) -> tuple[int, int]:
    end = talk.closed if talk.closed is not None else talk.turns[-1].time if talk.turns else talk.opened
    return end - talk.opened, talk.number
