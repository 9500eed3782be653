"""Values that cannot be printed, and command lines shown without the passwords in them."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from pathlib import Path

import pytest

from wirecat.address import Address
from wirecat.errors import AddressError, UsageError
from wirecat.secret import Secret, hide_in_address, hide_in_handler, hide_in_words, split_userinfo

CANARY = "c4n4ry"


def test_secret_every_way_to_text_hides_it() -> None:
    secret = Secret(CANARY)
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>9}",
        f"{secret!r}",
        f"{[secret]} {(secret,)} { ({1: secret}) }",
    ]
    shown += [json.dumps(secret, default=str), repr(pickle.dumps(secret)), repr(copy.deepcopy([secret]))]
    try:
        raise ValueError(secret)
    except ValueError as error:
        shown.append("".join(traceback.format_exception(error)))
    assert not [text for text in shown if CANARY in text]
    assert secret.reveal() == copy.deepcopy(secret).reveal() == CANARY
    assert (
        secret == Secret(CANARY) and hash(secret) == hash(Secret(CANARY)) and secret != Secret("") and secret != CANARY
    )
    with pytest.raises(TypeError):
        json.dumps(secret)


def test_secret_of_file_is_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "login"
    path.write_text(f"me:{CANARY}\r\nnot this\n")
    secret = Secret.of(f"@{path}")
    assert secret.reveal() == f"me:{CANARY}"
    assert str(secret) == f"@{path}", "the name of a file is no secret"
    path.write_text("\n")
    with pytest.raises(UsageError, match="first line is empty"):
        secret.reveal()
    with pytest.raises(UsageError, match="No such file"):
        Secret.of(f"@{tmp_path}/none").reveal()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:word@host:1", "http://***@host:1"),
        ("me:word@host:1", "***@host:1"),
        ("http://me:wo@rd@host", "http://***@host"),
        ("http://me:wo?rd@host", "http://***@host"),
        ("http://me:wo/rd@host", "http://***@host"),
        ("host:1?proxy_auth=me:word", "host:1?proxy_auth=***"),
        ("host:1?proxy_auth=@file&family=4", "host:1?proxy_auth=@file&family=4"),
        ("host:1?proxy=http://me:word@h:2&family=4", "host:1?proxy=http://***@h:2&family=4"),
        ("host:1?source=:1&proxy_auth=me:wo@rd", "host:1?source=:1&proxy_auth=***"),
        ("host:1", "host:1"),
        ("[::1]:1?family=6", "[::1]:1?family=6"),
    ],
)
def test_hide_in_address(text: str, shown: str) -> None:
    assert hide_in_address(text) == shown


def test_hide_in_words() -> None:
    words = ["serve", "proxy:me:word", "--proxy-auth=me:word", "--proxy-auth", "me:word", "x", "--proxy-auth", "@f"]
    assert hide_in_words(words) == [
        "serve",
        "proxy:***",
        "--proxy-auth=***",
        "--proxy-auth",
        "***",
        "x",
        "--proxy-auth",
        "@f",
    ]
    assert hide_in_handler("proxy") == "proxy"
    assert split_userinfo("http://host/a@b") == ("http://host/a@b", "")


def test_address_keeps_passwords_as_secrets() -> None:
    for address in (
        Address.parse(f"host:1?proxy=http://me:{CANARY}@proxy:2"),
        Address.parse(f"host:1?proxy=http://proxy:2&proxy_auth=me:{CANARY}"),
        Address("tcp", "host", 1, options=(("proxy", f"http://me:{CANARY}@proxy:2"),)),
        Address("tcp", "host", 1).replace(options=(("proxy_auth", f"me:{CANARY}"), ("proxy", "http://proxy:2"))),
    ):
        assert (
            CANARY
            not in f"{address} {address!r} {address.fields()} {pickle.dumps(address)!r} {address.option('proxy_auth')}"
        )
        secret = address.secret("proxy_auth")
        assert secret is not None and secret.reveal() == f"me:{CANARY}"
        assert address.option("proxy") == "http://proxy:2"


def test_address_userinfo_is_unescaped() -> None:
    secret = Address("tcp", "host", 1, options=(("proxy", "socks5://me:a%3Ab%40c@proxy:2"),)).secret("proxy_auth")
    assert secret is not None and secret.reveal() == "me:a:b@c"


@pytest.mark.parametrize(
    "text",
    [
        f"http://me:{CANARY}@host:1",
        f"me:{CANARY}@host:1",
        f"me:{CANARY}@host",
        f"host?proxy=http://me:{CANARY}@host",
        f"host:1?proxy_auth=me:{CANARY}&proxy_auth=me:{CANARY}",
        f"host:1?proxy_auth=me:{CANARY}&x",
        f"host:1?proxy=http://me:{CANARY}@h:1&proxy_auth=me:{CANARY}",
        f"me:{CANARY}@x://host:1",
        f"host:port?proxy_auth=me:{CANARY}",
    ],
)
def test_address_that_cannot_be_read_does_not_repeat_a_password(text: str) -> None:
    with pytest.raises(AddressError) as caught:
        Address.parse(text)
    assert CANARY not in str(caught.value) + repr(caught.value)
