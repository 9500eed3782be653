"""Authentication fields: lists of lists are told apart, and what is malformed is refused."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import HttpError
from wirecat.wire.http_challenge import Challenge, parse_challenges, parse_credentials, quote

tokens = some.text("aZ09!#$%&'*+-.^_`|~", min_size=1, max_size=8)
texts = some.text(some.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=12)
parameters = some.dictionaries(tokens.map(str.lower), texts, min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 9110 section 11.6.1's own example.
        (
            'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
            [
                Challenge("basic", [("realm", "simple")]),
                Challenge("newauth", [("realm", "apps"), ("type", "1"), ("title", 'Login to "apps"')]),
            ],
        ),
        ("Negotiate", [Challenge("negotiate")]),
        ("Negotiate, Basic realm=x", [Challenge("negotiate"), Challenge("basic", [("realm", "x")])]),
        (
            "NTLM TlRMTVNTUAAC==, Negotiate abc=",
            [Challenge("ntlm", token="TlRMTVNTUAAC=="), Challenge("negotiate", token="abc=")],
        ),
        ('Basic  realm = "x" ,charset\t=UTF-8 , ', [Challenge("basic", [("realm", "x"), ("charset", "UTF-8")])]),
        (", ,Basic realm=x,, ,Digest a=b", [Challenge("basic", [("realm", "x")]), Challenge("digest", [("a", "b")])]),
        (
            'Digest qop="auth,auth-int", realm="a, Basic b=c"',
            [Challenge("digest", [("qop", "auth,auth-int"), ("realm", "a, Basic b=c")])],
        ),
        ('X REALM="", y=""', [Challenge("x", [("realm", ""), ("y", "")])]),
        ("Basic realm", [Challenge("basic", token="realm")]),  # a token, and no parameter
        ("", []),
        (" , ", []),
    ],
)
def test_challenges(value: str, expected: list[Challenge]) -> None:
    assert parse_challenges([value]) == expected


def test_several_fields_are_one_list() -> None:
    assert [each.scheme for each in parse_challenges(["Digest a=b", "Basic realm=x, Negotiate"])] == [
        "digest",
        "basic",
        "negotiate",
    ]


@pytest.mark.parametrize(
    "value",
    [
        '"Basic"',
        "Basic=",
        "Basic realm=x y=z",
        'Basic realm="x',
        'Basic realm="x\\',
        'Basic realm="x"y',
        'Basic realm="x" Digest a=b',
        "Basic realm=x, realm=y",
        "Basic realm=x, REALM=y",
        "Basic a/b=c",
        "Basic =x",
        "Basic a=, b=c",
        "Negotiate a b",
        "a=b",
        "Basic realm=x, =y",
        "Basic@ x",
        "Basic/abc",
    ],
)
def test_what_is_malformed(value: str) -> None:
    with pytest.raises(HttpError):
        parse_challenges([value])


def test_credentials_are_one() -> None:
    assert parse_credentials("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").token == "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    for value in ("", "Basic a, Basic b", "Digest a=b, Basic x"):
        with pytest.raises(HttpError):
            parse_credentials(value)


@given(some.lists(some.tuples(tokens, parameters), max_size=4))
def test_what_is_written_is_read_again(challenges: list[tuple[str, dict[str, str]]]) -> None:
    value = ", ".join(
        f"{scheme} {', '.join(f'{name}={quote(text)}' for name, text in fields.items())}"
        for scheme, fields in challenges
    )
    assert parse_challenges([value]) == [Challenge(scheme, fields.items()) for scheme, fields in challenges]


@given(some.text('aB=", \\\t/x1', max_size=40) | some.text(max_size=20))
def test_whatever_comes_is_challenges_or_refused(value: str) -> None:
    try:
        found = parse_challenges([value])
    except HttpError as error:
        assert error.status == 400
        return
    for each in found:
        assert each.scheme
        assert not (each.token and each.parameters)
        assert len(each.parameters) == len({name for name, _ in each.parameters})


@pytest.mark.parametrize(
    "value",
    [
        "a" * 65000,
        "a," * 32000,
        'a b="' + "\\\\" * 32000 + '"',
        "a " + "b" * 65000,
        "a b=c" + ",d " * 20000,
        "a " + ",".join(f"{number:x}=1" for number in range(10000)),
    ],
    ids=["word", "schemes", "escapes", "token", "malformed", "parameters"],
)
def test_a_long_value_takes_linear_time(value: str) -> None:
    """64 KiB is the most that a head can have."""
    begin = time.process_time()
    try:
        parse_challenges([value])
    except HttpError:
        pass
    assert time.process_time() - begin < 1


def test_parameters_are_found_by_name() -> None:
    challenge = Challenge("Digest", [("realm", "x"), ("nonce", "y")])
    assert (challenge.get("nonce"), challenge.get("qop")) == ("y", None)
