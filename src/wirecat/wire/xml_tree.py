"""Small XML documents from devices, read into a tree: bounded in size, depth and number, and without a DTD.

A document type can define entities that grow without bound or name files (CWE-776, CWE-611), and no device needs one:
a document that has one is refused. Everything else is read as far as it goes, because routers write documents that no
XML parser takes: bare ampersands, Latin-1 labelled UTF-8, an end tag in another case, bytes behind the root element, a
document cut short. Each departure is reported. Names are compared without their prefix and without regard to case.

>>> tree = read_xml(b"<a><u:b xmlns:u='x'>1 &lt; 2</u:b></a>")
>>> tree.find("B").text
'1 < 2'
>>> oddities = []
>>> read_xml(b"<a><b>1</b><c>2", oddities).child("b"), oddities
('1', ['its document is cut short'])
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 256 * 1024
DEEPEST = 24
MOST_ELEMENTS = 5000


class Element:
    """An element: its ``name`` without prefix, the ``text`` directly in it (stripped), its ``children``."""

    __slots__ = ("children", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""
        self.children: list[Element] = []

    def walk(self) -> Iterator[Element]:
        """This element and all in it, in the document's order."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))

    def find(self, name: str) -> Element | None:
        """The first element of this name in the tree, or None."""
        return next((element for element in self.walk() if element.name.lower() == name.lower()), None)

    def child(self, name: str) -> str:
        """The text of the first child of this name; "" where there is none."""
        return next((element.text for element in self.children if element.name.lower() == name.lower()), "")


def read_xml(data: bytes, oddities: list[str] | None = None) -> Element:
    """The root of a document; ``oddities`` gets a phrase for each departure from XML that was read over.

    The text of an element that was not closed when the document ended is "": it may be half of what was meant. Raises
    ValueError for a document without an element, with a document type, or too large.
    """
    if len(data) > LONGEST:
        raise ValueError(f"an XML document of more than {LONGEST // 1024} KiB")
    reader = _Reader([] if oddities is None else oddities)
    reader.read(_decode(data, reader))
    if reader.root is None:
        raise ValueError("an XML document without an element")
    return reader.root


def _decode(data: bytes, reader: _Reader) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if b"encoding=" not in data[:100] or b"utf-8" in data[:100].lower():
            reader.report("its document is not the UTF-8 that it says it is")
        return data.decode("latin-1")


class _Reader:
    """Reads tags one after the other; ``root`` is the first element."""

    def __init__(self, oddities: list[str]) -> None:
        self.root: Element | None = None
        self._oddities = oddities
        self._open: list[Element] = []
        self._count = 0

    def report(self, oddity: str) -> None:
        if oddity not in self._oddities:
            self._oddities.append(oddity)

    def read(self, text: str) -> None:
        place = 0
        while (start := text.find("<", place)) >= 0:
            self._add_text(text[place:start])
            place = self._read_markup(text, start)
            if place < 0 or (self.root is not None and not self._open):
                break
        if self._open:
            self.report("its document is cut short")
            for element in self._open:
                element.text = ""
        elif place >= 0 and text[place:].strip("\0 \t\r\n"):
            self.report("something follows its document")

    def _read_markup(self, text: str, start: int) -> int:
        """Read what begins with < at ``start``; where it ends, or -1 where it does not end."""
        if text.startswith("<!--", start):
            return _end_of("-->", text, start + 4)
        if text.startswith("<?", start):
            return _end_of("?>", text, start + 2)
        if text.startswith("<![CDATA[", start):
            end = _end_of("]]>", text, start)
            if end > 0 and self._open:
                self._open[-1].text += text[start + 9 : end - 3]
            return end
        if text.startswith("<!", start):
            raise ValueError("an XML document with a document type")
        if not (text[start + 1 : start + 2].isalpha() or text[start + 1 : start + 2] in ("/", "_")):
            self._count += 1
            if self._count > MOST_ELEMENTS:
                raise ValueError("an XML document with too many elements")
            self._add_text("<")
            self.report("its document has a bare <")
            return start + 1
        end = _end_of(">", text, start)
        tag = text[start + 1 : end - 1]
        if end < 0:
            return -1
        if tag.startswith("/"):
            self._end(_name(tag[1:]))
        else:
            self._start(_name(tag), tag.endswith("/"))
        return end

    def _start(self, name: str, empty: bool) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) >= DEEPEST:
            raise ValueError("an XML document with too many elements")
        element = Element(name)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        if not empty:
            self._open.append(element)

    def _end(self, name: str) -> None:
        """Close the innermost element of this name, and those left open in it."""
        depth = next((n for n in range(len(self._open) - 1, -1, -1) if self._open[n].name.lower() == name.lower()), -1)
        if depth < 0 or self._open[-1].name != name:
            self.report("its tags do not match")
        if depth >= 0:
            for element in self._open[depth:]:
                element.text = element.text.strip()
            del self._open[depth:]

    def _add_text(self, text: str) -> None:
        if self._open:
            self._open[-1].text += self._unescape(text) if "&" in text else text
        elif text.strip("\0 \t\r\n"):
            self.report("something precedes its document")

    def _unescape(self, text: str) -> str:
        first, *rest = text.split("&")
        out = [first]
        for part in rest:
            name, semicolon, behind = part.partition(";")
            character = _character(name) if semicolon else ""
            if not character:
                self.report("its document has a bare &")
            out.append(character + behind if character else "&" + part)
        return "".join(out)


def _end_of(mark: str, text: str, start: int) -> int:
    end = text.find(mark, start)
    return end + len(mark) if end >= 0 else -1


def _name(tag: str) -> str:
    """The name in a tag, without its prefix and its attributes."""
    words = tag.rstrip("/").split(None, 1)
    return words[0].rpartition(":")[2] if words else ""


def _character(entity: str) -> str:
    """The character that an entity of XML itself, or a number, stands for; "" for any other."""
    if entity.startswith("#"):
        digits, base = (entity[2:], 16) if entity[1:2] in ("x", "X") else (entity[1:], 10)
        try:
            number = int(digits, base) if len(digits) < 8 else 0
        except ValueError:
            return ""
        return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else ""
    return {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}.get(entity, "")
