"""What the reader and the recorder say of a recording, in the report's language: the words of a file are English.

A recording has its notes as sentences. Those that wirecat writes are known here, and any other is shown as it stands:
what a stranger's file says is nobody's to translate.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.views.report.story import Talk
    from wirecat.views.report.words import Words

_GERMAN = (
    (r"(\d+) bytes at (\d+): (.*)", "{0} Bytes ab Byte {1}: {2}"),
    (r"a (block|frame|packet) is damaged: (.*)", "{0} ist beschädigt: {1}"),
    (r"it cannot be read \((.*)\)", "nicht lesbar ({0})"),
    (r"(\d+) pieces \((\d+) bytes\) could not be kept by the recorder", "{0} Stücke ({1} Bytes) gingen der Aufzeichnung verloren"),
    (r"(\d+) chunks \((\d+) bytes\) could not be kept", "{0} Stücke ({1} Bytes) konnten nicht gehalten werden"),
    (r"the limit of (\d+) bytes is reached", "die Obergrenze von {0} Bytes ist erreicht"),
    (r"no socket table: (.*)", "keine Socket-Tabelle: {0}"),
    (r"TLS, decrypted(.*)", "TLS, entschlüsselt{0}"),
    (r"… (\d+) more", "… {0} weitere"),
)  # fmt: skip
_GERMAN_WORDS = {
    "block": "ein Block",
    "frame": "eine Notiz",
    "packet": "ein Paket",
    "the file ends in the middle of a block": "die Datei endet mitten in einem Block",
    "its length makes no sense": "die Länge ergibt keinen Sinn",
    "its two lengths differ": "die beiden Längen sind verschieden",
    "the packet is longer than its block": "das Paket ist länger als sein Block",
    "its time makes no sense": "die Zeit ergibt keinen Sinn",
    "its byte order is unknown": "die Bytereihenfolge ist unbekannt",
    "its kind is unknown": "die Art ist unbekannt",
    "its checksum is wrong": "die Prüfsumme ist falsch",
    "what it says of a connection cannot be read": "was sie über eine Verbindung sagt, ist nicht lesbar",
    "it is nested too deep": "zu tief verschachtelt",
    "it is no frame": "es ist keine Notiz",
    "it has no time": "sie hat keine Zeit",
    # how the program that recorded called a connection's end (see wirecat.events.Closed)
    "idle": "zu lange still",
    "kicked": "hinausgeworfen",
    "shutdown": "der Server hielt an",
    "lost": "Verbindung verloren",
    "handler error": "Fehler im Handler",
    "too slow": "zu langsam",
    "no thread left": "kein Thread mehr frei",
    "worker died": "der Prozess endete",
}
_PATTERNS = [(re.compile(pattern, re.DOTALL), template) for pattern, template in _GERMAN]


def in_words(text: str, words: Words) -> str:
    """``text`` in the language of ``words``, as far as it is one of wirecat's own.

    >>> from wirecat.views.report.words import Words
    >>> in_words("a packet is damaged: its checksum is wrong", Words("de"))
    'ein Paket ist beschädigt: die Prüfsumme ist falsch'
    """
    return _german(text, words) if words.language == "de" else text


def about(talk: Talk, words: Words) -> str:
    """What else is known of a talk (``Talk.note``): its handler by its name, TLS and an uncommon end in words."""
    note = talk.note
    if talk.tls:
        note = note.replace(talk.tls, in_words(talk.tls, words), 1)
    if talk.reason and (note == talk.reason or note.endswith(f", {talk.reason}")):
        note = note.removesuffix(talk.reason) + in_words(talk.reason, words)
    return note


def _german(text: str, words: Words) -> str:
    if text in _GERMAN_WORDS:
        return _GERMAN_WORDS[text]
    for pattern, template in _PATTERNS:
        if found := pattern.fullmatch(text):
            return template.format(*(_part(part, words) for part in found.groups()))
    return text


def _part(text: str, words: Words) -> str:
    if text.isascii() and text.isdigit() and len(text) < 20:
        return words.number(int(text))
    return _german(text, words)
