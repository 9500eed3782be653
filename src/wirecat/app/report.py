"""The report of one or more recordings: a page, one picture of it, or the same as Markdown or JSON."""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.recording.reader import read
from wirecat.views.report.data import report_json
from wirecat.views.report.markdown import report_markdown
from wirecat.views.report.page import report_page
from wirecat.views.report.pictures import LAPTOP, PICTURES
from wirecat.views.report.png import png_of
from wirecat.views.report.telling import story_of
from wirecat.views.report.words import LANGUAGES, Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

FORMATS = ("html", "svg", "png", "md", "json")
THEMES = ("light", "dark")
NARROWEST, WIDEST = 300, 4000


def report(
    *recordings: str | os.PathLike[str],
    title: str = "",
    author: str = "",
    language: str = "en",
    format: str = "html",
    picture: str | None = None,
    width: int = LAPTOP,
    theme: str | None = None,
    utc: bool = False,
) -> bytes:
    """The report of what ``recordings`` hold, as the contents of a file.

    ``format`` is ``html`` (a page that needs nothing else), ``svg`` or ``png`` (one ``picture``: ``terminal``,
    ``sequence``, ``timeline``, ``bytes``, ``latency`` or ``sockets``), ``md`` or ``json`` (all, or what one ``picture``
    shows). ``width`` is a picture's in pixels, ``theme`` ``light`` or ``dark`` (None: as the reader's system is; PNG:
    light). ``language`` is ``en`` or ``de``. Times of day are this machine's unless ``utc``.

    Raises UsageError for options that do not go together, and for files that cannot be read or are no recordings.
    """
    _check(format, picture, language, width, theme)
    recording = read(*recordings)
    story = story_of(recording, title=title, author=author)
    words = Words(language, "UTC" if utc else None)
    if format == "html":
        return report_page(story, words).encode()
    if format == "md":
        return report_markdown(story, words, picture).encode()
    if format == "json":
        return report_json(story, words, picture).encode()
    sheet = PICTURES[str(picture)](story, words, width)
    if format == "png":
        return png_of(sheet, theme or "light")
    return (sheet.svg(standalone=True, theme=theme) + "\n").encode()


def _check(format: str, picture: str | None, language: str, width: int, theme: str | None) -> None:
    """Raise UsageError for what does not go together, before anything is read."""
    _require_known("format", format, FORMATS)
    _require_known("picture", picture, (None, *PICTURES))
    _require_known("theme", theme, (None, *THEMES))
    require_language(language)
    if picture is None and format in ("svg", "png"):
        hint = f"Add --picture with one of {', '.join(PICTURES)}"
        raise UsageError(f"a file of format {format} holds one picture", step="report", hint=hint)
    if picture is not None and format == "html":
        hint = "Take --format svg, png, md or json for a single picture"
        raise UsageError("a page has all pictures", step="report", hint=hint)
    if not NARROWEST <= width <= WIDEST:
        raise UsageError(f"a picture is {NARROWEST} to {WIDEST} pixels wide, not {width}", step="report")


def require_language(language: str) -> None:
    """Raise UsageError for a language that a report cannot be written in."""
    _require_known("language", language, LANGUAGES)


def _require_known(name: str, value: str | None, known: Iterable[str | None]) -> None:
    there = list(known)
    if value not in there:
        hint = f"There are: {', '.join(each for each in there if each)}"
        raise UsageError(f"there is no {name} {value!r}", step="report", hint=hint)
