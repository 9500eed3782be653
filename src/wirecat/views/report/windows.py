"""What stood in the windows of the server and of its clients, line by line, put together from what went over the wire."""

from __future__ import annotations

from dataclasses import dataclass, field

from wirecat.address import Address
from wirecat.errors import AddressError
from wirecat.events import Closed, Opened
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.taps.transcript import said
from wirecat.views.report.harmless import harmless
from wirecat.views.report.kinds import kinds, typical
from wirecat.views.report.story import RESET, SERVER
from wirecat.views.text_server import ServerLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.events import Event
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
    """The server's window as ``wirecat serve`` writes it, whatever the report's language: who came, what each said, who
    closed first."""
    window = Window(words("servers_window"), _command(story, server=True))
    happenings: list[tuple[int, int, str, Talk, Turn | None]] = []
    for talk in story.talks:
        happenings.append((talk.opened, 0, "open", talk, None))
        happenings += [(turn.time, 1, "turn", talk, turn) for turn in talk.turns]
        if talk.closed is not None:
            happenings.append((talk.closed, 2, "close", talk, None))
    happenings.sort(key=lambda one: (one[0], one[3].number, one[1]))
    log = ServerLog(clock=lambda seconds: words.clock(int(seconds * 1e9)))
    now = 0
    window.above = max(0, len(happenings) - _LAST)
    for number, (time, _, what, talk, turn) in enumerate(happenings):
        now += {"open": 1, "close": -1}.get(what, 0)
        if number >= window.above:
            event = _event(talk, turn, what, now, time / 1e9)
            window.lines += [("said", harmless(line, _CELLS)) for line in log.lines(event)]
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


def _event(talk: Talk, turn: Turn | None, what: str, now: int, seconds: float) -> Event:
    """What a server tells of it, with ``now`` open connections."""
    if turn is not None:
        event: Event = said(talk.number, RECEIVED if turn.to_server else SENT, turn.data, turn.size)
        return event.replace(time=seconds)
    peer = _address(talk.client)
    if what == "open":
        local = _address(talk.server)
        return Opened(connection=talk.number, peer=peer, local=local, open_count=now, time=seconds)
    return Closed(
        connection=talk.number, peer=peer, by="server" if talk.closed_by == SERVER else "peer",
        reason=talk.reason or ("reset" if talk.ending == RESET else "end"), open_count=now, time=seconds,
        seconds=((talk.closed or talk.opened) - talk.opened) / 1e9, received=talk.asked, sent=talk.answered,
    )  # fmt: skip


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except AddressError:
        return Address("unix")  # a program of this machine, without a name


def _command(story: Story, *, server: bool) -> str:
    """The command line that made a recording, where it is one of that side."""
    verbs = ("serve", "listen", "-l") if server else ("connect", "swarm")
    return next((line for line in story.commands if any(verb in line.split() for verb in verbs)), "")
