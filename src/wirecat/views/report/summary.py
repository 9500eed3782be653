"""What happened, in two sentences; and the title of a report."""

from __future__ import annotations

from wirecat.views.report.harmless import harmless
from wirecat.views.report.notes import in_words
from wirecat.views.report.story import CLIENT, END, SERVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.views.report.story import Story, Talk
    from wirecat.views.report.words import Words


def title_of(story: Story, words: Words) -> str:
    """The title that was given, or one that says who was talked to."""
    if story.title:
        return harmless(story.title)
    if not story.talks:
        return words("title_nothing")
    if len(story.talks) == 1:
        return words("title", server=_servers(story, words))
    return words.count("title_many", len(story.talks), server=_servers(story, words))


def sentences(story: Story, words: Words) -> list[str]:
    """Two sentences: who talked to whom, when and for how long; how much was said, and how it ended."""
    if not story.talks:
        return [words("nothing")]
    talks, most = len(story.talks), story.most_open()
    # Of one talk how long it took, of many within what time they came.
    span = story.talks[-1].opened - story.talks[0].opened if talks > 1 else story.ended - story.started
    first = words.count(
        "first_sentence_apart" if talks > 1 and most == 1 else "first_sentence", talks,
        date=words.date(story.started), clock=words.clock(story.started), server=_servers(story, words),
        most=words.number(most), span=words.span(span),
    )  # fmt: skip
    second = words(
        "second_sentence", asked=words.size(sum(talk.asked for talk in story.talks)),
        answered=words.size(sum(talk.answered for talk in story.talks)),
        pieces=words.count("pieces", sum(talk.turn_count for talk in story.talks)), endings=endings(story, words),
    )  # fmt: skip
    return [first, second]


def warnings(story: Story, words: Words) -> list[str]:
    """What the reader of a report must know: what the recording has not, and what is wrong with its file."""
    lost = sum(talk.lost for talk in story.talks)
    said = [words("lost", size=words.size(lost))] if lost else []
    return [*said, *(harmless(in_words(note, words)) for note in story.notes)]


def endings(story: Story, words: Words) -> str:
    """How the talks ended, and who closed first: half a sentence."""
    counts: dict[str, int] = {}
    for talk in story.talks:
        name = ending_name(talk)
        counts[name] = counts.get(name, 0) + 1
    if len(story.talks) == 1:
        return words(f"one_{next(iter(counts))}")
    if len(counts) == 1 and next(iter(counts)) in ("by_client", "by_server"):
        return words(f"all_{next(iter(counts))}")
    parts = [
        words(f"some_{name}", count=words.number(count))
        for name, count in sorted(counts.items(), key=lambda pair: -pair[1])
    ]
    return ", ".join(parts[:-1]) + f" {words('and')} {parts[-1]}" if len(parts) > 1 else parts[0]


def ending_name(talk: Talk) -> str:
    """The name of its ending in the tables of words: by_client, by_server, end, reset, open, unknown."""
    if talk.ending == END and talk.closed_by in (CLIENT, SERVER):
        return f"by_{talk.closed_by}"
    return talk.ending


def _servers(story: Story, words: Words) -> str:
    servers = story.servers
    return harmless(servers[0]) if len(servers) == 1 else words("servers", count=words.number(len(servers)))
