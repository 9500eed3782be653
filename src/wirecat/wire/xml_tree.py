"""Small XML documents from devices, read into a tree: bounded in size, depth and number, and without a DTD.

A document type can define entities that grow without bound or name files (CWE-776, CWE-611), and no device needs one:
a document that has one is refused. Names are taken without their prefix, because devices differ in them.

>>> tree = read_xml(b"<a><u:b xmlns:u='x'>1 &lt; 2</u:b></a>")
>>> tree.find("b").text
'1 < 2'
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
        return next((element for element in self.walk() if element.name == name), None)

    def child(self, name: str) -> str:
        """The text of the first child of this name; "" where there is none."""
        return next((element.text for element in self.children if element.name == name), "")


def read_xml(data: bytes) -> Element:
    """The root of a document. Raises ValueError for what is malformed, has a document type, or is too large."""
    if len(data) > LONGEST:
        raise ValueError(f"an XML document of more than {LONGEST // 1024} KiB")
    from xml.parsers import expat

    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"malformed XML: {error}") from None
    if builder.root is None:
        raise ValueError("an XML document without an element")
    return builder.root


class _Builder:
    __slots__ = ("_count", "_open", "root")

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0

    def doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        raise ValueError("an XML document with a document type")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) >= DEEPEST:
            raise ValueError("an XML document with too many elements")
        element = Element(name.rpartition(":")[2])
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, name: str) -> None:
        element = self._open.pop()
        element.text = element.text.strip()

    def characters(self, data: str) -> None:
        self._open[-1].text += data
