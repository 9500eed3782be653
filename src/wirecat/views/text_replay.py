"""What came of a replay, for people: the first difference of each connection, and a summary."""

from __future__ import annotations

from wirecat.views.units import plural, size, span
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.recording.comparison import Difference
    from wirecat.recording.replay import ReplayResult

MOST = 20  # connections that are told one by one


def replay_text(result: ReplayResult, compare: str) -> str:
    """The lines of the result, each with its end."""
    lines = []
    wrong = [each for each in result.connections if each.failure or each.difference]
    for each in wrong[:MOST]:
        if each.difference is not None:
            lines.append(f"#{each.connection} {difference_text(each.difference)}")
        if each.failure:
            lines.append(f"#{each.connection} {each.failure}")
    if len(wrong) > MOST:
        lines.append(f"{len(wrong) - MOST} more")
    sent, received = (sum(getattr(each, name) for each in result.connections) for name in ("sent", "received"))
    verdict = f"{len(wrong)} with a difference" if wrong else "no difference" if compare != "none" else "not compared"
    lines.append(
        f"{plural(len(result.connections), 'connection')} in {span(result.seconds)}: {size(sent)} sent, "
        f"{size(received)} received; {verdict}"
    )
    return "".join(f"{printable(line)}\n" for line in lines)


def difference_text(difference: Difference) -> str:
    """Where, and what: ``differs at byte 12: recorded 'abc' (61 62 63), got 'abd' (61 62 64)``."""
    sides = [("recorded", difference.recorded), ("got", difference.got)]
    told = [
        f"{name} '{printable(data)}' ({data[:8].hex(' ')})" if data else f"{name} nothing more" for name, data in sides
    ]
    return f"differs at byte {difference.offset}: {', '.join(told)}"
