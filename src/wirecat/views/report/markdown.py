"""A report, or the table behind one of its pictures, as Markdown for pasting into a document."""

from __future__ import annotations

from wirecat.views.report.harmless import harmless
from wirecat.views.report.page import facts
from wirecat.views.report.picture_latency import percentile
from wirecat.views.report.picture_sequence import lanes_of, steps_of
from wirecat.views.report.picture_sockets import fullest, in_order
from wirecat.views.report.pictures import PICTURES
from wirecat.views.report.summary import ending_name, sentences, title_of, warnings
from wirecat.views.report.windows import client_windows, server_window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wirecat.views.report.story import Story
    from wirecat.views.report.words import Words

_ROWS = 60
_CLIENTS = 6
_CELLS = 60  # columns of a peer's text in a table


def report_markdown(story: Story, words: Words, picture: str | None = None) -> str:
    """The whole report, or the part of the picture that is named."""
    blocks: list[str] = []
    if picture is None:
        blocks.append(f"# {plain(title_of(story, words))}")
        blocks += [f"- {name}: {plain(value)}" for name, value in facts(story, words)]
        blocks.append(plain(" ".join(sentences(story, words))))
        blocks += [f"**{plain(text)}**" for text in warnings(story, words)]
    for name in PICTURES:
        if picture in (None, name) and (picture or name != "sockets" or fullest(story)):
            blocks += [f"## {words(name)}", *_PARTS[name](story, words)]
    return "\n\n".join(_joined(blocks)) + "\n"


def plain(text: str) -> str:
    """One line of harmless text in which Markdown and HTML mean nothing (CommonMark section 2.4: a backslash before a
    mark)."""
    return "".join(f"\\{mark}" if mark in "\\`*_{}[]<>()#+!|~&$" else mark for mark in harmless(text))


def code(text: str) -> str:
    """A code span that its text cannot end: the fence is longer than any run of backticks in it.

    Text with a bar comes as plain text: a row of a table is cut at bars in code too, and there no escape holds.
    """
    if "|" in text or not text.strip():
        return plain(text)
    fence = "`" * (_longest_run(text) + 1)
    return f"{fence} {text} {fence}"


def code_block(lines: Iterable[str]) -> str:
    """A fenced block that its text cannot end."""
    text = "\n".join(lines)
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    longest = run = 0
    for mark in text:
        run = run + 1 if mark == "`" else 0
        longest = max(longest, run)
    return longest


def _joined(blocks: Sequence[str]) -> Iterator[str]:
    """Items of a list stand together."""
    items: list[str] = []
    for block in blocks:
        if block.startswith("- "):
            items.append(block)
            continue
        if items:
            yield "\n".join(items)
            items.clear()
        yield block
    if items:
        yield "\n".join(items)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _terminal(story: Story, words: Words) -> list[str]:
    blocks = [plain(f"{story.author} · {words.stamp(story.started)}" if story.author else words.stamp(story.started))]
    for window in (server_window(story, words), *client_windows(story, words, _CLIENTS)):
        command = [f"$ {harmless(window.command)}"] if window.command else []
        hidden = max(0, len(window.lines) - _ROWS) + window.above
        lines = [*command, *(text for _, text in window.lines[-_ROWS:])]
        blocks.append(f"**{plain(window.title)}**")
        blocks.append(code_block([words.count("more_lines", hidden), *lines] if hidden else lines))
    return blocks


def _sequence(story: Story, words: Words) -> list[str]:
    lanes = lanes_of(story, 4)
    talks = [talk for talk, _ in lanes]
    if not talks:
        return [words("nothing")]
    start = min(talk.opened for talk in talks)
    rows = []
    steps = steps_of(talks, words, merge=True)
    for step in steps[:_ROWS]:
        arrow = "" if step.kind == "none" else "→" if step.to_server else "←"
        said = f"{code(harmless(step.data, _CELLS))} {step.more}" if step.kind == "data" else plain(step.text)
        rows.append([words.offset(step.time - start), plain(talks[step.lane].client), arrow, said])
    more = [words.count("more_steps", len(steps) - _ROWS)] if len(steps) > _ROWS else []
    return [_table([words("time"), words("client"), "", words("server")], rows), *more]


def _timeline(story: Story, words: Words) -> list[str]:
    rows = []
    for talk in story.talks[:_ROWS]:
        lasted = "" if talk.closed is None else words.span(talk.closed - talk.opened)
        opened = words.offset(talk.opened - story.started)
        sizes = words.size(talk.asked), words.size(talk.answered)
        rows.append([str(talk.number), plain(talk.client), opened, lasted, *sizes, words(ending_name(talk))])
    names = ("client", "opened", "lasted", "asked", "answered", "ending")
    more = []
    if len(story.talks) > _ROWS:
        more = [words("cut_list", shown=_ROWS, count=words.number(len(story.talks)))]
    return [_table(["", *map(words, names)], rows), *more]


def _bytes(story: Story, words: Words) -> list[str]:
    volume = story.volume
    group = max(1, -(-len(volume.asked) // _ROWS))
    rows = []
    for start in range(0, len(volume.asked), group):
        asked, answered = (sum(each[start : start + group]) for each in (volume.asked, volume.answered))
        if asked or answered:
            rows.append([words.offset(start * volume.slice), words.size(asked), words.size(answered)])
    if not rows:
        return [words("no_bytes")]
    return [_table([words("time"), words("asked"), words("answered")], rows)]


def _latency(story: Story, words: Words) -> list[str]:
    if not story.trips:
        return [words("no_latency")]
    parts = (("half_within", 0.5), ("p99", 0.99), ("slowest", 1.0))
    said = [words(name, span=words.span(percentile(story.trips, part))) for name, part in parts]
    return [*(f"- {text}" for text in said), words("latency_caption", count=words.number(len(story.trips)))]


def _sockets(story: Story, words: Words) -> list[str]:
    table = fullest(story)
    if table is None:
        return [words("no_sockets")]
    names = ("protocol", "local", "remote", "state", "process")
    rows = [[plain(getattr(row, name)) for name in names] for row in in_order(table.rows)[:_ROWS]]
    said = words("sockets_some", rows=words.number(len(table.rows)), clock=words.clock(table.time), shown=len(rows))
    return [_table(list(map(words, names)), rows), said]


_PARTS = {
    "terminal": _terminal,
    "sequence": _sequence,
    "timeline": _timeline,
    "bytes": _bytes,
    "latency": _latency,
    "sockets": _sockets,
}
