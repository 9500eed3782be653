"""Who may use a proxy: Basic and Digest side by side, and everybody else is told what is wanted."""

from __future__ import annotations

import pytest

from wirecat.errors import HttpError
from wirecat.wire.basic import basic_credentials
from wirecat.wire.digest import DigestClient
from wirecat.wire.digest_server import DigestServer, Verdict
from wirecat.wire.http_challenge import parse_challenges
from wirecat.wire.http_headers import Headers
from wirecat.wire.http_message import RequestHead
from wirecat.wire.proxy_authentication import ProxyAuthenticator

ACCOUNTS = {"anna": "secret", "jö": "pässword", "empty": ""}


def request(*values: str) -> RequestHead:
    return RequestHead("CONNECT", "host:443", Headers(("Proxy-Authorization", value) for value in values))


@pytest.mark.parametrize(("user", "password"), ACCOUNTS.items())
def test_both_ways_lead_in(user: str, password: str) -> None:
    gate = ProxyAuthenticator("here", ACCOUNTS)
    assert gate.check(request(basic_credentials(user, password))).user == user
    client = DigestClient(user, password)
    challenge = client.choose(parse_challenges(value for _, value in gate.challenges()))
    assert challenge is not None
    value = client.answer(challenge, "CONNECT", "host:443")
    assert gate.check(request(value)) == Verdict(user)
    assert gate.check(request(value)) == Verdict(stale=True)


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("",),
        ("Basic",),
        ("Basic !!",),
        ("Basic YW5uYQ==",),
        (basic_credentials("anna", "wrong"),),
        (basic_credentials("anna", ""),),
        (basic_credentials("bert", ""),),
        (basic_credentials("", ""),),
        ("Digest",),
        ("Digest username=anna",),
        ("Negotiate abc",),
        ("Bearer c2VjcmV0",),
        (f"{basic_credentials('anna', 'secret')}, Basic x",),
    ],
    ids=str,
)
def test_everybody_else_does_not_get_in(values: tuple[str, ...]) -> None:
    assert ProxyAuthenticator("here", ACCOUNTS).check(request(*values)) == Verdict()


def test_an_authorization_for_the_server_behind_is_none_for_the_proxy() -> None:
    head = RequestHead("GET", "http://a/", Headers([("Authorization", basic_credentials("anna", "secret"))]))
    assert ProxyAuthenticator("here", ACCOUNTS).check(head) == Verdict()


def test_two_fields_are_an_error() -> None:
    value = basic_credentials("anna", "secret")
    with pytest.raises(HttpError) as raised:
        ProxyAuthenticator("here", ACCOUNTS).check(request(value, value))
    assert raised.value.status == 400


def test_what_a_407_says() -> None:
    gate = ProxyAuthenticator('a "realm"', ACCOUNTS, DigestServer("other", ACCOUNTS, algorithms=("SHA-256",)))
    fields = gate.challenges(stale=True)
    assert {name for name, _ in fields} == {"Proxy-Authenticate"}
    basic, digest = parse_challenges(value for _, value in fields)
    assert (basic.scheme, basic.get("realm")) == ("basic", 'a "realm"')
    assert (digest.scheme, digest.get("realm"), digest.get("stale")) == ("digest", "other", "true")
    assert all("stale" not in value for _, value in gate.challenges())
    Headers(fields)  # they can be sent
