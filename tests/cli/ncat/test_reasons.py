"""Tests of reasons in the words of strerror(3)."""

from __future__ import annotations

import errno

import pytest

from wirecat.address import Address
from wirecat.cli.ncat.reasons import lookup_reason, reason_of, sentence
from wirecat.deadline import Deadline
from wirecat.endpoints.resolve import resolve
from wirecat.errors import Refused, UnknownHost, UsageError


def test_a_number_says_it() -> None:
    assert reason_of(Refused("nobody is there", errno=errno.ECONNREFUSED)) == "Connection refused"
    assert reason_of(UsageError("it is so")) == "it is so"


def test_a_host_of_another_family() -> None:
    with pytest.raises(UnknownHost) as raised:
        resolve(Address("tcp", "127.0.0.1", 1, options=(("family", "6"),)), Deadline(5))
    assert lookup_reason(raised.value) == "Address family for hostname not supported"


def test_a_sentence_has_its_hint_and_one_stop() -> None:
    assert sentence(UsageError("it is so")) == "it is so."
    assert sentence(UsageError("it is so", hint="Do this.")) == "it is so. Do this."
