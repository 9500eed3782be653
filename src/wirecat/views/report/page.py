"""The report as one HTML file that loads nothing and runs nothing: for a phone, a laptop and paper, light and dark."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

from wirecat._version import __version__
from wirecat.views.report.harmless import harmless
from wirecat.views.report.picture_sockets import fullest, in_order
from wirecat.views.report.pictures import LAPTOP, PHONE, PICTURES
from wirecat.views.report.style import page_css
from wirecat.views.report.summary import sentences, title_of, warnings
from wirecat.views.report.transcript import connections_table, transcripts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wirecat.views.report.story import Story
    from wirecat.views.report.words import Words

_SOCKET_ROWS = 300


def report_page(story: Story, words: Words) -> str:
    """The whole page. Nothing of it comes from elsewhere: its policy (CSP level 3) allows its own style and no more."""
    return "".join(_parts(story, words))


def _parts(story: Story, words: Words) -> Iterator[str]:
    css = page_css()
    allowed = b64encode(sha256(css.encode()).digest()).decode()
    title = title_of(story, words)
    yield f'<!DOCTYPE html>\n<html lang="{words.language}">\n<head>\n<meta charset="utf-8">\n'
    yield (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'\">\n"
    )
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
    yield '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
    yield f"<title>{escape(title)}</title>\n<style>{css}</style>\n</head>\n<body>\n"
    yield f"<h1>{escape(title)}</h1>\n{_facts(story, words)}"
    yield f'<p class="lead">{escape(" ".join(sentences(story, words)))}</p>\n'
    yield from (f'<p class="warn">{escape(text)}</p>\n' for text in warnings(story, words))
    for name, picture in PICTURES.items():
        if fullest(story) is None if name == "sockets" else not story.talks:
            continue
        if name == "terminal" and story.captured:  # the windows of other programs were not seen
            continue
        yield f'<section><h2>{escape(words(name))}</h2>\n<figure><div class="wide">'
        yield picture(story, words, LAPTOP).svg()
        yield '</div><div class="narrow">'
        yield picture(story, words, PHONE).svg()
        yield "</div></figure>\n"
        if name == "sockets":
            yield _sockets(story, words)
        yield "</section>\n"
    if story.talks:
        yield f"<section><h2>{escape(words('connections'))}</h2>\n{connections_table(story, words)}</section>\n"
        yield f"<section><h2>{escape(words('transcript'))}</h2>\n{transcripts(story, words)}</section>\n"
    made = words("made", version=__version__)
    colophon = words("colophon_captured" if story.captured else "colophon")
    yield f"<footer><p>{escape(made)}. {escape(colophon)}</p></footer>\n</body>\n</html>\n"


def facts(story: Story, words: Words) -> list[tuple[str, str]]:
    """Author, date, machine and recording: what is known of them, as pairs of a name and a harmless text."""
    pairs = [
        ("author", story.author),
        ("when", words.stamp(story.started) if story.talks else ""),
        ("machine", story.machine),
        ("source", ", ".join(story.sources)),
    ]
    return [(words(name), harmless(value)) for name, value in pairs if value]


def _facts(story: Story, words: Words) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts(story, words))
    return f'<dl class="facts">{rows}</dl>\n' if rows else ""


def _sockets(story: Story, words: Words) -> str:
    """The whole table as text that can be searched and copied, folded away."""
    table = fullest(story)
    if table is None:
        return ""
    names = ("protocol", "local", "remote", "state", "process")
    heads = "".join(f"<th>{escape(words(name))}</th>" for name in names)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(harmless(getattr(row, name)))}</td>" for name in names) + "</tr>"
        for row in in_order(table.rows)[:_SOCKET_ROWS]
    )
    shown = min(len(table.rows), _SOCKET_ROWS)
    said = words("sockets_caption", rows=words.number(len(table.rows)), clock=words.clock(table.time))
    if shown < len(table.rows):
        said = words(
            "sockets_some", rows=words.number(len(table.rows)), clock=words.clock(table.time), shown=words.number(shown)
        )
    return (
        f'<details><summary>{escape(said)}</summary><div class="scroll"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>\n"
    )
