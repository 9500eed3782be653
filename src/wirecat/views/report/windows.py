"""What stood in the windows of the server and of its clients, line by line, put together from what went over the wire."""

from __future__ import annotations

from dataclasses import dataclass, field

from wirecat.views.report.harmless import harmless
from wirecat.views.report.kinds import kinds, typical
from wirecat.views.report.story import RESET, SERVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.views.report.story import Story, Talk, Turn
    from wirecat.views.report.words import Words

_LINES_OF_A_TURN = 6
_CELLS = 320  # columns of a line that are kept
_LAST = 60  # of what happened to a server, so much is put into words: a window shows its last lines


@dataclass(slots=True)
class Window:
    """A window: its ``title``, the command as it was typed, and its ``lines``: pairs of a kind (said, typed, dim) and a
    text that is harmless already. ``above`` counts the lines before them that nobody would see."""

    title: str
    command: str = ""
    lines: list[tuple[str, str]] = field(default_factory=list)
    above: int = 0


def client_windows(story: Story, words: Words, most: int) -> list[Window]:
    """At most so many clients' windows: of more, first one for each way that they went, then the first others."""
    talks = list(story.talks)
    if len(talks) > most:
        groups = kinds(talks)
        chosen = {talk.number: talk for talk in (typical(group) for group in groups[:most])}
        for talk in talks:
            if len(chosen) >= most:
                break
            chosen.setdefault(talk.number, talk)
        talks = [chosen[number] for number in sorted(chosen)]
    only = len(story.talks) == 1
    return [_client(talk, only, _command(story, server=False), words) for talk in talks]


def server_window(story: Story, words: Words) -> Window:
    """The server's window as ``wirecat serve`` writes it: who came, what each said, who closed first."""
    window = Window(words("servers_window"), _command(story, server=True))
    happenings: list[tuple[int, int, str, Talk, Turn | None]] = []
    for talk in story.talks:
        happenings.append((talk.opened, 0, "open", talk, None))
        happenings += [(turn.time, 1, "turn", talk, turn) for turn in talk.turns]
        if talk.closed is not None:
            happenings.append((talk.closed, 2, "close", talk, None))
    happenings.sort(key=lambda one: (one[0], one[3].number, one[1]))
    now = 0
    window.above = max(0, len(happenings) - _LAST)
    for number, (time, _, what, talk, turn) in enumerate(happenings):
        now += {"open": 1, "close": -1}.get(what, 0)
        if number < window.above:
            continue
        head = f"{words.clock(time)} #{talk.number}"
        if what == "open":
            window.lines.append(("said", f"{head} {harmless(talk.client)} {words('connected', open=now)}"))
        elif turn is not None:
            arrow = ">" if turn.to_server else "<"
            window.lines += [("said", f"{head} {arrow} {line}") for line in _text(turn, words)]
        else:
            window.lines.append(("said", f"{head} {_closed(talk, now, words)}"))
    return window


def _client(talk: Talk, only: bool, command: str, words: Words) -> Window:
    title = words("clients_window_only") if only else words("clients_window", number=talk.number)
    window = Window(title, command)
    for turn in talk.turns:
        for line in _text(turn, words):
            # What a client's user typed stands behind the prompt, and the reply below it.
            window.lines.append(("typed", f"> {line}") if turn.to_server else ("said", line))
    if talk.ending == RESET:
        window.lines.append(("dim", words("reset_line")))
    return window


def _text(turn: Turn, words: Words) -> list[str]:
    """The lines of one piece; what is more than a window has room for is told by its size."""
    lines = turn.data.removesuffix(b"\n").split(b"\n") if turn.data else [b""]
    texts = [harmless(line.removesuffix(b"\r"), _CELLS) for line in lines[:_LINES_OF_A_TURN]]
    if len(lines) > _LINES_OF_A_TURN or turn.size > len(turn.data):
        texts.append(f"… ({words.size(turn.size)})")
    return texts


def _closed(talk: Talk, now: int, words: Words) -> str:
    if talk.ending == RESET:
        how = words("reset_line")
        return f"{harmless(talk.client)} {how}"
    length = (talk.closed or talk.opened) - talk.opened
    text = words(
        "closed_line", who=words("the_server" if talk.closed_by == SERVER else "the_client"), span=words.span(length),
        asked=words.size(talk.asked), answered=words.size(talk.answered), open=now,
    )  # fmt: skip
    return f"{harmless(talk.client)} {text}"


def _command(story: Story, *, server: bool) -> str:
    """The command line that made a recording, where it is one of that side."""
    verbs = ("serve", "listen", "-l") if server else ("connect", "swarm")
    return next((line for line in story.commands if any(verb in line.split() for verb in verbs)), "")
