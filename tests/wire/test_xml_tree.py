"""Small XML: what is read of it, and the documents that are made to hurt their reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.xml_tree import DEEPEST, LONGEST, MOST_ELEMENTS, Element, read_xml

BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><root>&c;</root>"""
FILE = b"""<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>"""


def test_a_tree() -> None:
    root = read_xml(b'<?xml version="1.0"?>\n<a xmlns="x"> one <p:b>2 &amp; 3</p:b><c><b>4</b></c><b/></a>')
    assert (root.name, root.text) == ("a", "one")
    assert [element.name for element in root.walk()] == ["a", "b", "c", "b", "b"]
    assert root.child("b") == "2 & 3"
    assert root.child("d") == ""
    assert root.find("d") is None


@pytest.mark.parametrize("data", [BOMB, FILE, b"<!DOCTYPE html><html/>"])
def test_no_document_type_and_no_entity(data: bytes) -> None:
    with pytest.raises(ValueError, match="document type"):
        read_xml(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"</b>",
        b"text",
        b"\xff\xfe\0",
        b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1),
        b"<a>" + b"<b/>" * MOST_ELEMENTS + b"</a>",
        b"<a>" + b" " * LONGEST + b"</a>",
    ],
)
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="XML"):
        read_xml(data)


@pytest.mark.parametrize(
    ("data", "texts", "oddity"),
    [
        (b"<r><a>1</a><b>2", ("1", ""), "its document is cut short"),
        (b"<r><a>1</a><b>2</b></r>\n--boundary--", ("1", "2"), "something follows its document"),
        (b"<r><a>1</a></r><r><b>2</b></r>", ("1", ""), "something follows its document"),
        (b"ok <r><a>1</a></r>", ("1", ""), "something precedes its document"),
        (b"<r><A>1</a><b>2</B></r>", ("1", "2"), "its tags do not match"),
        (b"<r><a>1</x><b>2</b></r>", ("1", "2"), "its tags do not match"),
        (b"<r><a>AT&T &x; &amp;</a></r>", ("AT&T &x; &", ""), "its document has a bare &"),
        (b"<r><a>1 < 2</a></r>", ("1 < 2", ""), "its document has a bare <"),
        ("<r><a>dépôt</a></r>".encode("latin-1"), ("dépôt", ""), "its document is not the UTF-8 that it says it is"),
        (b"\xef\xbb\xbf<r><a>1</a></r>", ("1", ""), ""),
        ("<r><a>é</a></r>".encode("utf-16"), ("é", ""), ""),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><r><a>é</a></r>'.encode("latin-1"), ("é", ""), ""),
        (b"\r\n<!-- <a>0</a> --><r><![CDATA[<]]><a><![CDATA[1<2]]></a><b>&#65;&#x42;</b></r>\0", ("1<2", "AB"), ""),
    ],
)
def test_malformed_document_is_read_as_far_as_it_goes(data: bytes, texts: tuple[str, str], oddity: str) -> None:
    oddities: list[str] = []
    found = {element.name.lower(): element.text for element in read_xml(data, oddities).walk()}
    assert (found.get("a", ""), found.get("b", "")) == texts
    assert oddities == ([oddity] if oddity else [])


texts = some.text(some.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="<>&"))
names = some.text("abcXYZ", min_size=1, max_size=5)
trees = some.recursive(
    some.tuples(names, texts, some.just([])),
    lambda inner: some.tuples(names, texts, some.lists(inner, max_size=3)),
    max_leaves=8,
)


def written(tree: tuple[str, str, list]) -> str:  # type: ignore[type-arg]
    name, text, children = tree
    return f"<{name}>{text}{''.join(map(written, children))}</{name}>"


def seen(element: Element) -> tuple[str, str, list]:  # type: ignore[type-arg]
    return element.name, element.text, [seen(child) for child in element.children]


def stripped(tree: tuple[str, str, list]) -> tuple[str, str, list]:  # type: ignore[type-arg]
    name, text, children = tree
    return name, text.strip(), [stripped(child) for child in children]


@given(trees)
def test_a_document_that_is_written_is_read_again(tree: tuple[str, str, list]) -> None:  # type: ignore[type-arg]
    try:
        root = read_xml(written(tree).encode())
    except ValueError as error:
        assert "too many" in str(error)
        return
    assert seen(root) == stripped(tree)


@given(some.binary(max_size=100))
def test_nonsense_is_a_value_error_at_worst(data: bytes) -> None:
    try:
        read_xml(b"<a>" + data + b"</a>")
    except ValueError as error:
        assert "XML" in str(error)
