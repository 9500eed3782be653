"""A row of the table of schemes."""

from __future__ import annotations

from wirecat.endpoints.scheme import Scheme


def test_a_row_says_what_a_kind_of_address_can_do() -> None:
    row = Scheme("x", "some.module", "help", "x:1", listens=False, options={"a": "help of a"})
    assert (row.name, row.module, row.help, row.example) == ("x", "some.module", "help", "x:1")
    assert (row.connects, row.listens, row.half_closes, row.keeps_boundaries) == (True, False, True, False)
    assert row.options == {"a": "help of a"}
    assert Scheme("x", "m", "h", "e").options == {}
