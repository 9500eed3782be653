"""Basic credentials, as in RFC 7617 and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import HttpError, UsageError
from wirecat.wire.basic import basic_credentials, read_basic
from wirecat.wire.http_challenge import Challenge, parse_credentials

letters = some.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])


@pytest.mark.parametrize(
    ("user", "password", "value"),
    [
        # RFC 7617 sections 2 and 2.1.
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("test", "123£", "Basic dGVzdDoxMjPCow=="),
        ("", "", "Basic Og=="),
        ("a", "b:c", "Basic YTpiOmM="),
    ],
)
def test_the_examples_of_the_rfc(user: str, password: str, value: str) -> None:
    assert basic_credentials(user, password) == value
    assert read_basic(parse_credentials(value)) == (user, password)


@given(some.text(letters).filter(lambda text: ":" not in text), some.text(letters))
def test_what_is_written_is_read_again(user: str, password: str) -> None:
    assert read_basic(parse_credentials(basic_credentials(user, password))) == (user, password)


@pytest.mark.parametrize(("user", "password"), [("a:b", "c"), ("a\r\nb", ""), ("a", "b\0"), ("\x7f", "")])
def test_what_cannot_be_sent(user: str, password: str) -> None:
    with pytest.raises(UsageError):
        basic_credentials(user, password)


@pytest.mark.parametrize("token", ["", "QQ==", "QTpC=", "QTpC====", "QTp", "Q", "QTp C", "-_", "QTpC\n"])
def test_what_holds_no_credentials(token: str) -> None:
    assert read_basic(Challenge("basic", token=token)) is None


def test_bytes_that_are_no_utf_8_survive() -> None:
    assert read_basic(Challenge("basic", token="/zr+")) == ("\udcff", "\udcfe")


@given(some.text(max_size=30))
def test_whatever_comes_is_credentials_or_none(value: str) -> None:
    read_basic(Challenge("basic", token=value))
    try:
        credentials = parse_credentials(f"Basic {value}")
    except HttpError:
        return
    assert read_basic(credentials) is None or credentials.token
