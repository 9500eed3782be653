"""The sequence diagram: clients and server as lifelines, and what went between them as arrows with time and text."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wirecat.views.report.kinds import kinds, typical
from wirecat.views.report.notes import in_words
from wirecat.views.report.sheet import Sheet
from wirecat.views.report.story import CLIENT, END, OPEN, RESET, SERVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wirecat.views.report.story import Story, Talk, Turn
    from wirecat.views.report.words import Words

WIDE = 600
"""From this width on there is a column for times, and room for several clients."""

_LANES_WIDE, _LANES_NARROW = 4, 1
_STEPS_WIDE, _STEPS_NARROW = 44, 30
_LAST_STEPS = 6  # of a client's steps that are cut, so many are shown at the end: two pieces, and an orderly end
_SMALL = ("syn", "ack")  # kinds of step that say little, and stand close to the one before
_TIME_BESIDE = ("open", "fin", *_SMALL)  # in a narrow picture these have it on their line: the next may stand close
_PACKETS = ("open", "syn", "ack", "fin")
_COLOURS = {"open": "end", "syn": "end", "ack": "end", "fin": "end", "reset": "broken"}
_GAP = 1_000_000_000  # a pause that is worth a word
_HEAD, _HEAD_LINE = 44, 15


@dataclass(frozen=True, slots=True)
class Step:
    """An arrow: at ``time``, of the client in ``lane``, ``to_server`` or back, of a ``kind``, with its ``text`` or ``data``
    and what stands behind it (``more``).

    ``inferred``: a packet that was not seen, because wirecat's own recordings have bytes and ends but no packets.

    The kinds: open (the first of a handshake), syn (its others), data, fin, ack (of a fin), reset, none (a word, no arrow).
    """

    time: int
    lane: int
    to_server: bool
    kind: str
    text: str = ""
    data: bytes = b""
    more: str = ""
    inferred: bool = False


def lanes_of(story: Story, most: int) -> list[tuple[Talk, int]]:
    """The talks to draw, at most ``most``, each with how many it stands for (1: itself)."""
    if len(story.talks) <= most:
        return [(talk, 1) for talk in story.talks]
    chosen = [(typical(group), len(group)) for group in kinds(story.talks)[:most]]
    return sorted(chosen, key=lambda pair: pair[0].number)


def steps_of(talks: Sequence[Talk], words: Words, *, merge: bool) -> list[Step]:
    """All steps of these talks in the order of time; with ``merge``, pieces that follow each other are one step."""
    steps: list[Step] = []
    for lane, talk in enumerate(talks):
        steps += _handshake(talk, lane, words)
        for run in _runs(talk.turns, merge):
            size = sum(turn.size for turn in run)
            if len(run) == 1:
                more = words.size(size)
            else:
                more = words("pieces_of", size=words.size(size), count=words.number(len(run)))
            data = b"".join(turn.data for turn in run[:8])
            steps.append(Step(run[0].time, lane, run[0].to_server, "data", data=data, more=more))
        left = talk.turn_count - len(talk.turns)
        if left > 0:
            last = talk.turns[-1].time if talk.turns else talk.opened
            steps.append(Step(last, lane, True, "none", words.count("more_steps", left)))
        steps += _endings(talk, lane, words)
    captured = {lane for lane, talk in enumerate(talks) if talk.captured}
    steps = [
        replace(step, inferred=True) if step.kind in _PACKETS and step.lane not in captured else step for step in steps
    ]
    return sorted(steps, key=lambda step: step.time)


def sequence_picture(story: Story, words: Words, width: int = 920) -> Sheet:
    """At most 4 clients (1 in a narrow picture) and the server; where there are more, one for each way they went."""
    wide = width >= WIDE
    lanes = lanes_of(story, _LANES_WIDE if wide else _LANES_NARROW)
    talks = [talk for talk, _ in lanes]
    most = _STEPS_WIDE if wide else _STEPS_NARROW
    steps = steps_of(talks, words, merge=False)
    if len(steps) > most:
        steps = steps_of(talks, words, merge=True)
    total = len(steps)
    if total > most:
        steps = _shortened(steps, most // len(talks), words)
    sheet = Sheet(width, words("sequence"))
    if not lanes:
        sheet.text(width / 2, 30, words("nothing"), "soft", anchor="middle")
        sheet.height = 50
        return sheet
    _Diagram(sheet, lanes, words, wide, min(talk.opened for talk in talks)).draw(steps)
    sheet.height = sheet.caption(sheet.height, _captions(story, lanes, words, (min(total, most), total), width)) + 8
    return sheet


def _shortened(steps: Sequence[Step], each: int, words: Words) -> list[Step]:
    """At most ``each`` steps of each lane: its first and its last, and between them how many are left out."""
    by_lane: dict[int, list[Step]] = {}
    for step in steps:
        by_lane.setdefault(step.lane, []).append(step)
    kept: list[Step] = []
    for lane, own in by_lane.items():
        if len(own) > each:
            first, last = own[: each - _LAST_STEPS], own[-_LAST_STEPS:]
            hidden = words.count("more_steps", len(own) - each)
            own = [*first, Step(first[-1].time, lane, True, "none", hidden), *last]
        kept += own
    return sorted(kept, key=lambda step: step.time)


class _Diagram:
    def __init__(self, sheet: Sheet, lanes: Sequence[tuple[Talk, int]], words: Words, wide: bool, start: int) -> None:
        self.sheet, self.lanes, self.words, self.wide, self.start = sheet, lanes, words, wide, start
        self.row = 34 if wide else 44
        self.small_row = 21
        self.head = _HEAD + (_HEAD_LINE if any(count > 1 for _, count in lanes) else 0)
        right = sheet.width - (90 if wide else 30)
        left = 172.0 if wide else 30.0
        spacing = (right - left) / (len(lanes) + (1.2 if len(lanes) > 1 else 0))
        self.lane_x = [left + spacing * lane for lane in range(len(lanes))]
        self.head_width = min(150.0, spacing - 10) if len(lanes) > 1 else 160.0
        self.server_x = right

    def draw(self, steps: Sequence[Step]) -> None:
        top = self.head
        y = top + 8.0
        rows: list[tuple[float, Step]] = []
        pauses: list[tuple[float, int]] = []
        before = self.start
        for step in steps:
            if step.time - before >= _GAP:
                y += 24
                pauses.append((y, step.time - before))
                y += 2
            y += self.small_row if step.kind in _SMALL else self.row
            rows.append((y, step))
            before = step.time
        bottom = y + 16
        for x in (*self.lane_x, self.server_x):
            self.sheet.line(x, top, x, bottom, "line life")
        self._heads()
        for at, pause in pauses:
            middle = (self.lane_x[0] + self.server_x) / 2
            self.sheet.text(
                middle, at, f"⋯ {self.words('later', span=self.words.span(pause))} ⋯", "soft small", anchor="middle"
            )
        for at, step in rows:
            self._step(at, step)
        self.sheet.height = bottom

    def _heads(self) -> None:
        many = len(self.lanes) > 1 or self.lanes[0][1] > 1
        for x, (talk, stands_for) in zip(self.lane_x, self.lanes, strict=True):
            name = self.words("client_n", number=talk.number) if many else self.words("client")
            alike = self.words("stands_for", count=self.words.number(stands_for)) if stands_for > 1 else ""
            self._head(x, name, talk.client, "ask", alike)
        servers = list(dict.fromkeys(talk.server for talk, _ in self.lanes))
        address = servers[0] if len(servers) == 1 else self.words("servers", count=len(servers))
        self._head(self.server_x, self.words("server"), address, "reply")

    def _head(self, x: float, name: str, address: str, kind: str, more: str = "") -> None:
        width = self.head_width if self.wide else 158.0
        left = min(max(2.0, x - width / 2), self.sheet.width - width - 2)
        self.sheet.box(left, 1, width, self.head - 3, "panel", round=6)
        self.sheet.text(left + width / 2, 17, name, f"strong {kind}", anchor="middle", room=width - 8)
        self.sheet.address(left + width / 2, 33, address, "mono small ink", width - 8, anchor="middle")
        self.sheet.text(left + width / 2, 48, more, "soft small", anchor="middle", room=width - 8)

    def _step(self, y: float, step: Step) -> None:
        lane = self.lane_x[step.lane]
        kind = _COLOURS.get(step.kind, "ask" if step.to_server else "reply")
        room = self.server_x - lane - 18
        when = self.words.offset(step.time - self.start)
        if step.kind == "none":
            self.sheet.text(
                (lane + self.server_x) / 2, y - 6, f"⋯ {step.text} ⋯", "soft small", anchor="middle", room=room
            )
            return
        begin, end = (lane, self.server_x) if step.to_server else (self.server_x, lane)
        dash = "" if step.kind in ("data", "fin", "reset") else " dash"
        pale = " inferred" if step.inferred else ""
        self.sheet.arrow(begin, y, end, f"line {kind}-line{dash}{pale}", f"{kind}{pale}")
        if step.kind == "data":
            self.sheet.data(lane + 10, y - 6, step.data, kind, room, more=step.more)
        else:
            beside = not self.wide and step.kind in _TIME_BESIDE
            self.sheet.text(lane + 10, y - 6, step.text, f"small {kind}", room=room - 84 if beside else room)
        if self.wide:
            self.sheet.text(88, y + 4, when, "mono small soft", anchor="end")
        elif step.kind in _TIME_BESIDE:
            self.sheet.text(self.server_x - 12, y - 6, when, "mono small soft", anchor="end")
        else:
            self.sheet.text(lane + 10, y + 12, when, "mono small soft")


def _captions(
    story: Story,
    lanes: Sequence[tuple[Talk, int]],
    words: Words,
    shown: tuple[int, int],
    width: int,
) -> list[str]:
    count = len(story.talks)
    if count > len(lanes):
        ways = len(kinds(story.talks))
        name = "sequence_kinds" if len(lanes) > 1 or ways == 1 else "sequence_kinds_most"
        said = [words.count(name, ways, all=words.number(count), kinds=words.number(ways), shown=len(lanes))]
    else:
        said = [words("sequence_all")] if shown[0] == shown[1] else []
    if any(not talk.captured and not talk.datagrams for talk, _ in lanes):
        said.append(words("inferred"))
    if shown[0] < shown[1]:
        said.append(words("sequence_cut", shown=shown[0], all=words.number(shown[1])))
    return [line for text in said for line in wrapped(text, width)]


def wrapped(text: str, width: int) -> list[str]:
    """A caption in lines that fit a picture of this width."""
    from textwrap import wrap

    return wrap(text, max(20, int((width - 4) / 5.7)), break_on_hyphens=False)


def _runs(turns: Sequence[Turn], merge: bool) -> list[list[Turn]]:
    runs: list[list[Turn]] = []
    for turn in turns:
        if merge and runs and runs[-1][0].to_server == turn.to_server:
            runs[-1].append(turn)
        else:
            runs.append([turn])
    return runs


def _handshake(talk: Talk, lane: int, words: Words) -> list[Step]:
    """SYN, SYN+ACK and ACK, as far as they came (RFC 9293 section 3.5)."""
    if not talk.handshake:
        return (
            []
            if talk.datagrams
            else [Step(talk.opened, lane, True, "open", words("first_seen") + _inside(talk, words))]
        )
    syn = Step(talk.handshake[0], lane, True, "open", words("syn"))
    rest = [("syn_ack", False), ("connected", True)]
    inside = _inside(talk, words)
    return [syn] + [
        Step(time, lane, to_server, "syn", words(name) + (inside if to_server else ""))
        for time, (name, to_server) in zip(talk.handshake[1:], rest, strict=False)
    ]


def _inside(talk: Talk, words: Words) -> str:
    return f"; {in_words(talk.tls, words)}" if talk.tls else ""


def _endings(talk: Talk, lane: int, words: Words) -> list[Step]:
    last = talk.turns[-1].time if talk.turns else talk.opened
    when = talk.closed if talk.closed is not None else last
    steps = [] if talk.datagrams else _ends_of_halves(talk, lane, words)
    by_client = talk.closed_by != SERVER
    known = talk.closed_by in (CLIENT, SERVER)
    if talk.ending == RESET:
        text = words("rst_by", who=_who(by_client, words)) if known else words("rst")
        return [*steps, Step(when, lane, by_client, "reset", text)]
    if talk.ending == END and not talk.datagrams:
        text = words("fin", who=_who(by_client, words)) if known else words("fin_unknown")
        return steps or [Step(when, lane, by_client, "fin", text)]
    if talk.datagrams and talk.reason and talk.closed is not None:
        text = words("gone" if talk.reason == "idle" else "ended_by", who=_who(by_client, words))
        return [Step(when, lane, True, "none", text)]
    # Behind all that happened, whichever side was the last to be heard.
    when = max([when, *(step.time for step in steps)])
    return [*steps, Step(when, lane, True, "none", words("still_open" if talk.ending == OPEN else "last_seen"))]


def _ends_of_halves(talk: Talk, lane: int, words: Words) -> list[Step]:
    """Each FIN, and the ACK that the other side gave it; one that a FIN brought along is no arrow of its own."""
    steps = []
    for time, to_server in talk.fins:
        name = "fin_ack" if (time, to_server) in talk.acks else "fin"
        steps.append(Step(time, lane, to_server, "fin", words(name, who=_who(to_server, words))))
        steps += [
            Step(when, lane, side, "ack", words("ack"))
            for when, side in talk.acks
            if side != to_server and (when, side) not in talk.fins
        ]
    return steps


def _who(client: bool, words: Words) -> str:
    return words("the_client" if client else "the_server")
