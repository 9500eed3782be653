"""The transcript in a page: each connection foldable, each piece with its time, its text and its bytes in hex."""

from __future__ import annotations

from html import escape

from wirecat.views.report.harmless import harmless
from wirecat.views.report.notes import about
from wirecat.views.report.summary import ending_name
from wirecat.wire.hexdump import hexdump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wirecat.views.report.story import Story, Talk, Turn
    from wirecat.views.report.words import Words

BUDGET = 1_200_000
"""Characters of transcripts that a page may have; connections beyond are left out, and it says so."""

LISTED = 500
"""Rows of the table of connections."""

AT_SIGHT = 25
"""So many rows and transcripts stand in the page at sight; the others are folded away, and are not on paper."""

_FOLDED_OUT = 3  # so many transcripts are open when the page is, and stand on paper
_TURNS = 200
_TEXT = 2048  # bytes of a piece that are shown as text and in hex


def transcripts(story: Story, words: Words) -> str:
    """The transcripts of as many connections as there is room for, in the order of their opening."""
    pieces: list[str] = []
    used = shown = 0
    for talk in story.talks:
        if used > BUDGET:
            break
        text = "".join(_talk(talk, words, folded_out=shown < _FOLDED_OUT, room=BUDGET - used))
        used += len(text)
        shown += 1
        pieces.append(text)
    if shown > AT_SIGHT:
        pieces[AT_SIGHT:] = [_folded("".join(pieces[AT_SIGHT:]), shown - AT_SIGHT, words)]
    if shown < len(story.talks):
        note = words("cut_talks", shown=words.number(shown), count=words.number(len(story.talks)))
        pieces.append(f'<p class="note">{escape(note)}</p>')
    return "".join(pieces)


def connections_table(story: Story, words: Words) -> str:
    """A row for each connection: addresses, when it opened, how long it lasted, bytes each way, how it ended."""
    names = ("client", "server", "opened", "lasted", "asked", "answered", "ending")
    heads = "".join(f"<th{_kind(name)}>{escape(words.heading(name))}</th>" for name in names)
    rows = []
    for talk in story.talks[:LISTED]:
        lasted = "" if talk.closed is None else words.span(talk.closed - talk.opened)
        cells = (
            harmless(talk.client), harmless(talk.server), words.exact_clock(talk.opened), lasted,
            words.size(talk.asked), words.size(talk.answered), words(ending_name(talk)),
        )  # fmt: skip
        row = "".join(f"<td{_kind(name)}>{escape(cell)}</td>" for name, cell in zip(names, cells, strict=True))
        rows.append(f"<tr><td>{talk.number}</td>{row}</tr>")
    note = ""
    if len(story.talks) > LISTED:
        text = words("cut_list", shown=LISTED, count=words.number(len(story.talks)))
        note = f'<p class="note">{escape(text)}</p>'
    head = f"<thead><tr><th></th>{heads}</tr></thead>"
    tables = [
        f'<div class="scroll"><table>{head}<tbody>{"".join(part)}</tbody></table></div>'
        for part in (rows[:AT_SIGHT], rows[AT_SIGHT:])
    ]
    rest = _folded(tables[1], len(rows) - AT_SIGHT, words) if len(rows) > AT_SIGHT else ""
    return f"{tables[0]}{rest}{note}"


def _folded(html: str, count: int, words: Words) -> str:
    return f"<details><summary>{escape(words.count('more_connections', count))}</summary>{html}</details>"


def _kind(name: str) -> str:
    if name in ("client", "server"):
        return ' class="addr"'
    return ' class="right"' if name in ("lasted", "asked", "answered") else ""


def _talk(talk: Talk, words: Words, *, folded_out: bool, room: int) -> Iterator[str]:
    """The transcript of one talk, of about ``room`` characters at most."""
    ends = f"{harmless(talk.client)} → {harmless(talk.server)}"
    facts = [harmless(talk.protocol), words(ending_name(talk))]
    if talk.note:
        facts.append(harmless(about(talk, words)))
    if talk.lost:
        facts.append(words("lost", size=words.size(talk.lost)))
    yield f"<details{' open' if folded_out else ''}><summary>{talk.number} <code>{escape(ends)}</code> "
    yield f'<span class="note">{escape(", ".join(facts))}</span></summary>'
    shown = 0
    for turn in talk.turns[:_TURNS]:
        if room <= 0:
            break
        text = "".join(_turn(turn, words))
        room -= len(text)
        shown += 1
        yield text
    left = talk.turn_count - shown
    if left > 0:
        yield f'<p class="note">{escape(words.count("cut_turns", left))}</p>'
    yield "</details>"


def _turn(turn: Turn, words: Words) -> Iterator[str]:
    data = turn.data[:_TEXT]
    kind, arrow = ("a", "→") if turn.to_server else ("r", "←")
    cut = ""
    if turn.size > len(data):
        cut = f"; {words('cut_turn', shown=words.size(len(data)), size=words.size(turn.size))}"
    yield f'<div class="turn {kind}"><time>{words.exact_clock(turn.time)}</time><b>{arrow}</b><div>'
    yield f'<span class="bytes">{escape(lines_of(data))}</span><details><summary>{words.size(turn.size)}{cut} · '
    yield f"{escape(words('hex'))}</summary><pre>{escape(hexdump(data).decode())}</pre></details></div></div>"


def lines_of(data: bytes) -> str:
    """A piece as text with its lines: each is harmless, and ends with its line feed unless it is the last.

    A line end at the very end is not shown: it would be an empty line.
    """
    lines = data.split(b"\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return "\n".join(harmless(line.removesuffix(b"\r")) for line in lines)
