"""The lines between two wirecats: what is written is read, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.cutting import pieces_of, places
from wirecat.errors import LineTooLong
from wirecat.wire.reach_peer import Lines, from_line, read_from, read_request, request_line, word_line


@given(some.integers(1, 65535))
def test_there_and_back(port: int) -> None:
    assert read_request(request_line(port).decode().rstrip("\n")) == port
    assert read_from(from_line("2001:db8::1", port).decode().rstrip("\n")) == ("2001:db8::1", port)


@pytest.mark.parametrize("line", ["", "GET / HTTP/1.1", "WIRECAT-REACH 2 1", "WIRECAT-REACH 1 0", "WIRECAT-REACH 1 70000",
                                  "WIRECAT-REACH 1 -1", "WIRECAT-REACH 1 1 2", "WIRECAT-REACH 1 ²"])  # fmt: skip
def test_what_is_no_question(line: str) -> None:
    with pytest.raises(ValueError, match="no "):
        read_request(line)


@given(some.text(max_size=30))
def test_any_line_is_read_or_refused(line: str) -> None:
    for read in (read_request, read_from):
        try:
            read(line)
        except ValueError:
            continue


@given(places)
def test_lines_however_they_are_cut(cuts: list[int]) -> None:
    lines = Lines()
    found = []
    for piece in pieces_of(request_line(80) + word_line("DONE") + b"half", cuts):
        lines.feed(piece)
        while (line := lines.next()) is not None:
            found.append(line)
    assert found == ["WIRECAT-REACH 1 80", "DONE"]


def test_a_line_without_an_end() -> None:
    lines = Lines()
    lines.feed(b"x" * 200)
    with pytest.raises(LineTooLong):
        lines.next()
