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


@pytest.mark.parametrize("data", [BOMB, FILE, b"<!DOCTYPE html><html/>", b"<r>&x;</r>"])
def test_no_document_type_and_no_entity(data: bytes) -> None:
    with pytest.raises(ValueError, match="document type|undefined entity"):
        read_xml(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b"\xff\xfe\0",
        b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1),
        b"<a>" + b"<b/>" * MOST_ELEMENTS + b"</a>",
        b"<a>" + b" " * LONGEST + b"</a>",
    ],
)
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="XML"):
        read_xml(data)


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
        assert "too many" in str(error) or "invalid token" in str(error)
        return
    assert seen(root) == stripped(tree)


@given(some.binary(max_size=100))
def test_nonsense_is_a_value_error_at_worst(data: bytes) -> None:
    try:
        read_xml(b"<a>" + data + b"</a>")
    except ValueError as error:
        assert "XML" in str(error)
