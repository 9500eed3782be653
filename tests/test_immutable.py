"""Values that never change: equality, hash, repr, replace, copies."""

from __future__ import annotations

import copy
import pickle

import pytest

from wirecat.immutable import Immutable


class Point(Immutable):
    __slots__ = ("x", "y")
    x: int
    y: int

    def __init__(self, x: int, y: int = 0) -> None:
        self._set(x=x, y=y)


class Pixel(Point):
    __slots__ = ("colour",)
    colour: str

    def __init__(self, x: int, y: int = 0, colour: str = "red") -> None:
        super().__init__(x, y)
        self._set(colour=colour)


def test_equal_by_fields_and_kind() -> None:
    assert Point(1, 2) == Point(1, 2)
    assert Point(1, 2) != Point(1, 3)
    assert Point(1) != Pixel(1)
    assert Point(1) != (1, 0)
    assert len({Point(1), Point(1), Point(2)}) == 2


def test_fields_of_base_classes_come_first() -> None:
    assert Pixel.field_names() == ("x", "y", "colour")
    assert Pixel(1, 2).fields() == {"x": 1, "y": 2, "colour": "red"}
    assert repr(Pixel(1, 2)) == "Pixel(x=1, y=2, colour='red')"


def test_nothing_can_be_set_or_deleted() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="x.*replace"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        point.z = 2  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="x"):
        del point.x
    assert point == Point(1)


def test_replace_gives_another() -> None:
    pixel = Pixel(1, 2, "blue")
    assert pixel.replace(y=5) == Pixel(1, 5, "blue")
    assert pixel == Pixel(1, 2, "blue")
    with pytest.raises(TypeError):
        pixel.replace(z=1)


def test_copies_are_equal() -> None:
    pixel = Pixel(1, 2, "blue")
    for other in (copy.copy(pixel), copy.deepcopy(pixel), pickle.loads(pickle.dumps(pixel))):
        assert other == pixel
        assert type(other) is Pixel


def test_what_is_made_by_a_draft_is_like_any_other() -> None:
    draft = Pixel.draft()()
    draft.x, draft.y = 1, 2
    draft.colour = "red"
    del draft.y
    draft.y = 3
    draft.__class__ = Pixel
    assert type(draft) is Pixel
    assert draft == Pixel(1, 3)
    assert hash(draft) == hash(Pixel(1, 3))
    assert draft.replace(x=5) == Pixel(5, 3)
    with pytest.raises(AttributeError, match="cannot be changed"):
        draft.x = 4
    with pytest.raises(AttributeError, match="cannot be changed"):
        del draft.x
    assert pickle.loads(pickle.dumps(draft)) == draft
