"""Digest: the examples of the RFCs, Python's own client beside ours, and challenges that cannot be answered."""

from __future__ import annotations

import urllib.request

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import UsageError
from wirecat.wire.digest import DigestClient, can_answer, digest_response, from_wire, hexadecimal_hash, to_wire
from wirecat.wire.http_challenge import Challenge, parse_challenges, parse_credentials
from wirecat.wire.http_headers import is_field_value

#: RFC 7616 section 3.9.1.
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
REALM = "http-auth@example.org"
CHALLENGES = [
    f'Digest realm="{REALM}", qop="auth, auth-int", algorithm={algorithm}, nonce="{NONCE}", opaque="{OPAQUE}"'
    for algorithm in ("SHA-256", "MD5")
]
SHA_256 = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
MD5 = "8ca523f5e9506fed4657c9700eebdbec"


def test_the_example_of_rfc_7616() -> None:
    for algorithm, expected in (("SHA-256", SHA_256), ("MD5", MD5)):
        found = digest_response(
            algorithm, "Mufasa", REALM, "Circle of Life", NONCE, "GET", "/dir/index.html", "auth",
            "00000001", CNONCE,
        )  # fmt: skip
        assert found == expected


def test_the_example_of_rfc_2617() -> None:
    found = digest_response(
        "MD5", "Mufasa", "testrealm@host.com", "Circle Of Life", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "GET",
        "/dir/index.html", "auth", "00000001", "0a4f113b",
    )  # fmt: skip
    assert found == "6629fae49393a05397450978507c4ef1"


def test_the_example_of_rfc_2069_with_its_erratum() -> None:
    """No quality of protection, no count: what old servers ask for."""
    found = digest_response(
        "MD5", "Mufasa", "testrealm@host.com", "CircleOfLife", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "GET",
        "/dir/index.html",
    )  # fmt: skip
    assert found == "1949323746fe6a43ef61f9606e7febea"


def test_the_whole_field_of_rfc_7616() -> None:
    client = DigestClient("Mufasa", "Circle of Life")
    chosen = client.choose(parse_challenges(CHALLENGES))
    assert chosen is not None
    value = client.answer(chosen, "GET", "/dir/index.html", CNONCE)
    assert value == (
        f'Digest username="Mufasa", realm="{REALM}", nonce="{NONCE}", uri="/dir/index.html", '
        f'algorithm=SHA-256, qop=auth, nc=00000001, cnonce="{CNONCE}", response="{SHA_256}", opaque="{OPAQUE}"'
    )
    chosen = client.choose(parse_challenges(CHALLENGES[::-1]))
    assert chosen is not None
    again = parse_credentials(DigestClient("Mufasa", "Circle of Life").answer(chosen, "GET", "/dir/index.html", CNONCE))
    assert (again.get("response"), again.get("algorithm")) == (MD5, "MD5")


def test_the_count_goes_up_with_each_use_of_a_nonce() -> None:
    client = DigestClient("u", "p")
    first, second = (Challenge("digest", [("realm", "r"), ("nonce", nonce), ("qop", "auth")]) for nonce in "ab")
    answers = [client.answer(each, "GET", "/") for each in (first, first, second, second, first)]
    counts = [parse_credentials(value).get("nc") for value in answers]
    assert counts == ["00000001", "00000002", "00000001", "00000002", "00000001"]
    assert len({parse_credentials(value).get("cnonce") for value in answers}) == 5


def test_the_session_variants() -> None:
    """RFC 7616 section 3.4.2: the hash of the secret is hashed again with both nonces."""
    for algorithm in ("MD5-sess", "SHA-256-SESS"):
        inner = hexadecimal_hash(algorithm, "u:r:p")
        outer = hexadecimal_hash(algorithm, f"{inner}:n:c")
        expected = hexadecimal_hash(algorithm, f"{outer}:n:00000001:c:auth:{hexadecimal_hash(algorithm, 'GET:/')}")
        assert digest_response(algorithm, "u", "r", "p", "n", "GET", "/", "auth", "00000001", "c") == expected
    challenge = Challenge("digest", [("realm", "r"), ("nonce", "n"), ("algorithm", "MD5-sess")])
    assert parse_credentials(DigestClient("u", "p").answer(challenge, "GET", "/", "c")).get("cnonce") == "c"


def test_an_old_server_gets_an_old_answer() -> None:
    challenge = Challenge("digest", [("realm", "testrealm@host.com"), ("nonce", "dcd98b7102dd2f0e8b11d0f600bfb0c093")])
    value = DigestClient("Mufasa", "CircleOfLife").answer(challenge, "GET", "/dir/index.html")
    assert value == (
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'uri="/dir/index.html", response="1949323746fe6a43ef61f9606e7febea"'
    )


def test_a_user_name_can_be_hashed() -> None:
    """RFC 7616 section 3.4.4."""
    challenge = Challenge("digest", [("realm", "r"), ("nonce", "n"), ("qop", "auth"), ("userhash", "TRUE")])
    answer = parse_credentials(DigestClient("jö", "p").answer(challenge, "GET", "/", "c"))
    assert answer.get("username") == hexadecimal_hash("MD5", "jö:r")
    assert answer.get("userhash") == "true"
    assert answer.get("response") == digest_response("MD5", "jö", "r", "p", "n", "GET", "/", "auth", "00000001", "c")


@pytest.mark.parametrize(
    "value",
    [
        "Basic realm=x",
        "Digest realm=x",
        "Digest nonce=x",
        'Digest realm=x, nonce=""',
        "Digest realm=x, nonce=y, algorithm=SHA-1",
        "Digest realm=x, nonce=y, algorithm=MD5-session",
        "Digest realm=x, nonce=y, qop=auth-int",
        'Digest realm=x, nonce=y, qop=""',
    ],
)
def test_challenges_that_cannot_be_answered(value: str) -> None:
    challenge = parse_challenges([value])[0]
    assert not can_answer(challenge)
    client = DigestClient("u", "p")
    assert client.choose([challenge]) is None
    with pytest.raises(UsageError):
        client.answer(challenge, "GET", "/")


def test_the_first_that_can_be_answered_is_chosen() -> None:
    values = ["Digest realm=a, nonce=b, algorithm=X, Basic realm=c", "Digest realm=d, nonce=e, qop=AUTH"]
    chosen = DigestClient("u", "p").choose(parse_challenges(values))
    assert chosen is not None
    assert chosen.get("realm") == "d"


def test_a_user_name_cannot_begin_a_line() -> None:
    for user in ("a\r\nb", "\0", "\x7f"):
        with pytest.raises(UsageError, match="control characters"):
            DigestClient(user, "p")
    DigestClient("a", "any\r\npassword")  # it is not sent


@given(some.text(some.characters(codec="utf-8")))
def test_text_goes_through_a_field_and_comes_back(text: str) -> None:
    assert from_wire(to_wire(text)) == text


@given(some.binary())
def test_bytes_go_through_a_field_and_come_back(data: bytes) -> None:
    text = data.decode("latin-1")
    assert to_wire(from_wire(text)) == text


values = some.text(
    some.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]), min_size=1, max_size=20
)


@given(values, values, values, values)
def test_an_answer_can_always_be_sent_and_read(user: str, realm: str, nonce: str, opaque: str) -> None:
    challenge = Challenge("digest", [("realm", realm), ("nonce", nonce), ("qop", "auth"), ("opaque", opaque)])
    value = DigestClient(user, "p").answer(challenge, "CONNECT", "host:443")
    assert is_field_value(value)
    answer = parse_credentials(value)
    assert from_wire(answer.get("username") or "") == user
    assert [answer.get(name) for name in ("realm", "nonce", "opaque", "uri")] == [realm, nonce, opaque, "host:443"]


ascii_values = some.text(
    some.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1, max_size=20
)


@given(ascii_values, ascii_values, ascii_values, ascii_values, some.sampled_from([None, "MD5"]), some.booleans())
def test_pythons_client_answers_the_same(
    user: str, password: str, realm: str, nonce: str, algorithm: str | None, quality: bool
) -> None:
    class Passwords(urllib.request.HTTPPasswordMgr):
        def find_user_password(self, realm: str, authuri: str) -> tuple[str | None, str | None]:
            return user, password

    class Other(urllib.request.AbstractDigestAuthHandler):
        def get_cnonce(self, nonce: str) -> str:
            return "c0ffee"

    request = urllib.request.Request("http://example.org/tea?a=b")
    fields = {"realm": realm, "nonce": nonce, **({"qop": "auth"} if quality else {})}
    if algorithm is not None:
        fields["algorithm"] = algorithm
    other = Other(Passwords()).get_authorization(request, fields)
    ours = DigestClient(user, password).answer(Challenge("digest", fields.items()), "GET", "/tea?a=b", "c0ffee")
    for name in ("username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce"):
        assert parse_credentials(f"Digest {other}").get(name) == parse_credentials(ours).get(name)
