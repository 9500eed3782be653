"""Options are checked where they are made, before any socket opens."""

from __future__ import annotations

from typing import Any

import pytest

from wirecat.errors import UsageError
from wirecat.options import ConnectOptions, ServeOptions, require_number


@pytest.mark.parametrize(
    ("value", "rules"),
    [
        (None, {"least": 0}),
        (0, {"least": 0}),
        (0.5, {"least": 0, "above": True}),
        (1, {"least": 1, "whole": True}),
        (10**12, {"least": 1}),
    ],
)
def test_a_right_number_passes(value: float | None, rules: dict[str, Any]) -> None:
    require_number("x", value, **rules)


@pytest.mark.parametrize(
    ("value", "rules", "why"),
    [
        (-1, {"least": 0}, "at least 0"),
        (0, {"least": 0, "above": True}, "more than 0"),
        (0, {"least": 1}, "at least 1"),
        (1.5, {"least": 1, "whole": True}, "whole"),
        (float("nan"), {"least": 0}, "nan"),
        (float("inf"), {"least": 0}, "inf"),
        (float("-inf"), {"least": 0}, "inf"),
        ("5", {"least": 0}, "a number"),
        (True, {"least": 0, "whole": True}, "True"),
    ],
)
def test_a_wrong_number_is_told_with_its_name(value: Any, rules: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        require_number("pace", value, **rules)
    assert "pace" in str(caught.value)


def test_connecting() -> None:
    assert ConnectOptions() == ConnectOptions(10.0, 0)
    assert ConnectOptions(None, 3).fields() == {"retry": 3, "timeout": None}
    for wrong in ({"timeout": 0}, {"timeout": -1}, {"retry": -1}, {"retry": 1.5}, {"retry": None}):
        with pytest.raises(UsageError):
            ConnectOptions(**wrong)  # type: ignore[arg-type]


def test_serving() -> None:
    options = ServeOptions(allow=["127.0.0.0/8"], chunk=30)
    assert options.allow == ("127.0.0.0/8",)
    assert options.replace(once=True).once
    assert options.replace(once=True).chunk == 30


@pytest.mark.parametrize(
    "wrong",
    [
        {"engine": "fork"},
        {"framing": "lines"},
        {"allow": "127.0.0.1"},
        {"deny": "127.0.0.1"},
        {"max_connections": -1},
        {"max_connections": 1.5},
        {"idle_timeout": 0},
        {"drain": -1},
        {"drain": float("nan")},
        {"drain": None},
        {"chunk": 0},
        {"chunk": (1 << 20) + 1},
        {"backlog": 0},
        {"backlog": None},
    ],
    ids=str,
)
def test_serving_wrongly(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        ServeOptions(**wrong)
    assert next(iter(wrong)) in str(caught.value)
