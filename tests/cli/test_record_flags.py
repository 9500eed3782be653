"""The flags of a recording: sizes, and what goes together."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace

import pytest

from wirecat.cli.plain import NO_RECORDING
from wirecat.cli.record_flags import record_words, require_record, size_in_bytes
from wirecat.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"), [("4096", 4096), ("64k", 65536), ("100M", 100 << 20), ("2GiB", 2 << 30), ("1 tb".replace(" ", ""), 1 << 40)]
)  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    assert size_in_bytes(text) == size


def test_as_words_of_another_verb() -> None:
    assert record_words(Namespace(**NO_RECORDING)) == []
    given = {**NO_RECORDING, "record": "-x", "record_strict": True, "record_limit": 65536}
    assert record_words(Namespace(**given)) == ["--record=-x", "--record-strict", "--record-limit=65536"]


@pytest.mark.parametrize("text", ["", "M", "1.5G", "-1", "10x", "1e6", "9" * 20])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        size_in_bytes(text)


@pytest.mark.parametrize("name", ["strict", "durable", "limit", "rotate"])
def test_they_are_for_a_recording(name: str) -> None:
    require_record(Namespace(**NO_RECORDING))
    with pytest.raises(UsageError, match=f"--record-{name}"):
        require_record(Namespace(**{**NO_RECORDING, f"record_{name}": 5}))
