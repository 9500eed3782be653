"""Stories for the tests of pictures and pages: a talk, a crowd, and the elements that an SVG holds."""

from __future__ import annotations

import xml.etree.ElementTree as tree
from collections.abc import Iterable

from wirecat.views.report.collect import Collector
from wirecat.views.report.story import CLIENT, END, RESET, SocketLine, SocketTable, Story

START = 1_795_383_005_123_456_789
MICRO, MILLI, SECOND = 1_000, 1_000_000, 1_000_000_000
SVG = "{http://www.w3.org/2000/svg}"


def table(clients: int) -> SocketTable:
    """A listening socket, and a line for each client."""
    rows = [SocketLine("tcp", "127.0.0.1:12345", "*", "LISTEN", "4711/python3")]
    rows += [
        SocketLine("tcp", "127.0.0.1:12345", f"127.0.0.1:{20000 + each}", "ESTABLISHED") for each in range(clients)
    ]
    return SocketTable(START + MILLI, tuple(rows))


def one_talk(texts: Iterable[bytes] = (b"Hallo", b"quit"), **about: str) -> Story:
    """One client; the server answers each text; the client closes first."""
    collector = Collector()
    talk = collector.open("127.0.0.1:58800", "127.0.0.1:12345", START)
    talk.handshake = (START, START + MICRO, START + 2 * MICRO)
    now = START
    for text in texts:
        now += 100 * MILLI
        collector.turn(talk, now, True, text)
        now += 250 * MICRO
        collector.turn(talk, now, False, b"You told me: " + text)
    talk.fin(now + MICRO, True, now + MICRO)
    talk.fin(now + 2 * MICRO, False, now + 2 * MICRO)
    talk.close(now + 3 * MICRO, END, CLIENT)
    return collector.story(tables=[table(1)], sources=["talk.pcapng"], machine="here", **about)  # type: ignore[arg-type]


def crowd(clients: int, texts: int = 2, *, broken_every: int = 0, alike: bool = False) -> Story:
    """Many clients, one after the other a millisecond apart; of ``broken_every`` clients one is broken off.
    With ``alike`` all say the same."""
    collector = Collector()
    for number in range(clients):
        now = START + number * MILLI
        talk = collector.open(f"127.0.0.1:{20000 + number}", "127.0.0.1:12345", now)
        for text in range(texts):
            now += 2 * MILLI
            said = b"message %d of %d" % (text, 0 if alike else number)
            collector.turn(talk, now, True, said)
            now += (100 + number % 900) * MICRO
            collector.turn(talk, now, False, b"You told me: " + said)
        broken = broken_every and number % broken_every == 0
        talk.close(now + MICRO, RESET if broken else END, CLIENT)
    return collector.story(tables=[table(clients)])


def nothing() -> Story:
    """A recording in which nothing happened."""
    return Collector().story()


def texts_of(svg: str) -> list[str]:
    """The text elements of a picture, in order; fails for what is no XML."""
    return ["".join(each.itertext()) for each in tree.fromstring(svg).iter(f"{SVG}text")]


def text_of(svg: str) -> str:
    """All of a picture's text, a line for each element."""
    return "\n".join(texts_of(svg))


def outside(svg: str, cell: float = 5.0) -> list[str]:
    """Texts that begin outside the picture, or run out of it even where letters are narrow."""
    root = tree.fromstring(svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    found = []
    for each in root.iter(f"{SVG}text"):
        text = "".join(each.itertext())
        x, y = float(each.attrib["x"]), float(each.attrib["y"])
        length = len(text) * (7.0 if "mono" in each.attrib["class"] and "small" not in each.attrib["class"] else cell)
        anchor = each.attrib.get("text-anchor", "start")
        left = x - {"start": 0.0, "middle": length / 2, "end": length}[anchor]
        if left < -1 or left + length > width + 1 or not 0 <= y <= height:
            found.append(text)
    return found


def placed(svg: str) -> list[tuple[str, float]]:
    """The text elements of a picture, each with how far down it stands."""
    return [("".join(each.itertext()), float(each.attrib["y"])) for each in tree.fromstring(svg).iter(f"{SVG}text")]
