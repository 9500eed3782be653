"""A mapping as a value, and what JSON may bring back of one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.port_mapping.mapping import PCP, Mapping, read_mapping

MADE = Mapping(
    PCP, "192.168.77.1", "192.168.77.20", 12345, external_host="11.77.0.2", external_port=12346, nonce="6e" * 12
)


def test_it_comes_back() -> None:
    assert read_mapping(json.loads(json.dumps(MADE.fields()))) == MADE
    assert (MADE.external, MADE.family) == ("11.77.0.2:12346", "ipv4")
    six = MADE.replace(host="2d00::7", external_host="2d00::7")
    assert (six.external, six.family) == ("[2d00::7]:12346", "ipv6")
    assert MADE.replace(external_host="").external == "(address unknown):12346"


@pytest.mark.parametrize(
    "fields", [None, [], {}, {"protocol": "PCP"}, {**MADE.fields(), "more": 1}, {**MADE.fields(), "port": "1"}]
)
def test_what_is_none(fields: object) -> None:
    with pytest.raises(ValueError, match="no record"):
        read_mapping(fields)


@given(
    some.dictionaries(some.sampled_from(Mapping.field_names()), some.none() | some.integers() | some.text(max_size=3))
)
def test_nonsense_is_none_or_one(fields: dict[str, object]) -> None:
    try:
        assert read_mapping(fields).port == fields["port"]
    except ValueError as error:
        assert "no record" in str(error)
