"""The server's side of Digest: who knows the password gets in, once for each count; everybody else does not."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import UsageError
from wirecat.wire import digest_server
from wirecat.wire.digest import DigestClient, digest_response
from wirecat.wire.digest_server import DigestServer, Verdict, same_text
from wirecat.wire.http_challenge import parse_challenges, parse_credentials
from wirecat.wire.http_headers import is_field_value

ACCOUNTS = {"anna": "secret", "jö": "pässword", "nobody": ""}
GOOD, REFUSED, STALE = Verdict("anna"), Verdict(), Verdict(stale=True)


class Clock:
    """A time that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def nonce_of(server: DigestServer) -> str:
    return parse_challenges(server.challenges()[:1])[0].get("nonce") or ""


def credentials(made: str, count: int = 1, **changes: str | None) -> str:
    """A right answer, but for the changes; one of None leaves the field out."""
    fields: dict[str, str | None] = {
        "username": "anna", "realm": "here", "nonce": made, "uri": "/", "qop": "auth", "nc": f"{count:08x}",
        "cnonce": "c",
    }  # fmt: skip
    password = changes.pop("password", "secret") or ""
    algorithm = changes.get("algorithm") or "MD5"
    sent = {**fields, **changes}
    known = algorithm if algorithm in ("MD5", "SHA-256", "md5") else "MD5"
    fields["response"] = digest_response(
        known, str(sent["username"]), str(sent["realm"]), password, str(sent["nonce"]), "GET", str(sent["uri"]), "auth",
        str(sent["nc"]), str(sent["cnonce"]),
    )  # fmt: skip
    fields.update(changes)
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items() if value is not None)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize(("user", "password"), ACCOUNTS.items())
def test_our_client_gets_in(user: str, password: str, algorithm: str) -> None:
    server = DigestServer('a "realm" of ours, für alle', ACCOUNTS)
    client = DigestClient(user, password)
    challenge = next(each for each in parse_challenges(server.challenges()) if each.get("algorithm") == algorithm)
    for _ in range(3):
        value = client.answer(challenge, "CONNECT", "host:443")
        assert server.check(value, "CONNECT", "host:443") == Verdict(user)
        assert server.check(value, "CONNECT", "host:443") == STALE
    wrong = DigestClient(user, "wrong").answer(challenge, "CONNECT", "host:443")
    assert server.check(wrong, "CONNECT", "host:443") == REFUSED


def old_credentials(made: str, password: str = "secret", **more: str) -> str:
    """As a client answers that knows no quality of protection (RFC 2617 section 3.2.2.1)."""
    fields = {"username": "anna", "realm": "here", "nonce": made, "uri": "/", **more}
    fields["response"] = digest_response("MD5", "anna", "here", password, made, "GET", "/")
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items())


def test_an_old_clients_answer_uses_up_its_nonce() -> None:
    server = DigestServer("here", ACCOUNTS)
    made = nonce_of(server)
    assert server.check(old_credentials(made, "wrong"), "GET", "/") == REFUSED
    assert server.check(old_credentials(made, cnonce="c"), "GET", "/") == REFUSED
    assert server.check(old_credentials(made), "GET", "/") == Verdict("anna")
    assert server.check(old_credentials(made), "GET", "/") == STALE
    for count in (1, 2, 0xFFFFFFFF):
        assert server.check(credentials(made, count), "GET", "/") == STALE
    made = nonce_of(server)
    assert server.check(credentials(made), "GET", "/") == Verdict("anna")
    assert server.check(old_credentials(made), "GET", "/") == STALE


def test_challenges_are_fields_in_order_of_preference() -> None:
    server = DigestServer("here", ACCOUNTS)
    values = server.challenges(stale=True)
    assert all(map(is_field_value, values))
    challenges = parse_challenges(values)
    assert [each.get("algorithm") for each in challenges] == ["MD5", "SHA-256"]
    assert all(each.get("stale") == "true" and each.get("qop") == "auth" for each in challenges)
    assert all(each.get("stale") is None for each in parse_challenges(server.challenges()))
    assert nonce_of(server) != nonce_of(server)
    only = DigestServer("here", ACCOUNTS, algorithms=("SHA-256",))
    assert [each.get("algorithm") for each in parse_challenges(only.challenges())] == ["SHA-256"]
    with pytest.raises(UsageError, match="unknown Digest algorithm"):
        DigestServer("here", ACCOUNTS, algorithms=("SHA-1",))


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "wrong"},
        {"username": "bert"},
        {"username": "bert", "password": ""},
        {"username": "Anna"},
        {"realm": "there"},
        {"qop": "auth-int"},
        {"qop": None},  # a count, and nothing that says how it counts
        {"nc": None},
        {"nc": "1"},
        {"nc": "00000000"},
        {"nc": "0000000g"},
        {"nc": "-0000001"},
        {"nc": "0x000001"},
        {"nc": "00000001 "},
        {"cnonce": None},
        {"uri": None},
        {"uri": "/other"},
        {"uri": ""},
        {"response": ""},
        {"response": None},
        {"response": "\xff" * 32},
        {"username": None},
        {"realm": None},
        {"nonce": None},
        {"nonce": ""},
        {"nonce": "x.y.z"},
        {"nonce": "\xff.\xff.\xff"},
        {"algorithm": "SHA-1"},
        {"algorithm": "MD5-sess"},
    ],
    ids=str,
)
def test_everybody_else_is_refused(changes: dict[str, str | None]) -> None:
    server = DigestServer("here", ACCOUNTS)
    nonce = nonce_of(server)
    assert server.check(credentials(nonce, **changes), "GET", "/") == REFUSED
    assert server.check(credentials(nonce, algorithm="md5"), "GET", "/") == GOOD


def test_credentials_are_for_one_request() -> None:
    server = DigestServer("here", ACCOUNTS)
    nonce = nonce_of(server)
    assert server.check(credentials(nonce), "POST", "/") == REFUSED
    assert server.check(credentials(nonce).replace("Digest", "Basic"), "GET", "/") == REFUSED
    assert server.check(credentials(nonce), "GET", "/other") == REFUSED
    assert server.check(credentials(nonce, realm="there"), "GET", "/") == REFUSED
    assert DigestServer("here", ACCOUNTS).check(credentials(nonce), "GET", "/") == REFUSED  # another one's nonce
    assert server.check(credentials(nonce), "GET", "/") == GOOD


def test_some_clients_sign_the_path_of_a_uri_alone() -> None:
    server = DigestServer("here", ACCOUNTS)
    nonce = nonce_of(server)
    target = "http://example.org/tea?milk"
    assert server.check(credentials(nonce, 1, uri="/tea?milk"), "GET", target) == GOOD
    assert server.check(credentials(nonce, 2, uri=target), "GET", target) == GOOD
    assert server.check(credentials(nonce, 3, uri="/tea"), "GET", target) == REFUSED
    assert server.check(credentials(nonce, 4, uri="/"), "GET", "http://example.org") == GOOD
    assert server.check(credentials(nonce, 5, uri="/"), "CONNECT", "example.org:443") == REFUSED


def test_a_nonce_expires() -> None:
    clock = Clock()
    server = DigestServer("here", ACCOUNTS, lifetime=10, clock=clock)
    nonce = nonce_of(server)
    clock.now += 10
    assert server.check(credentials(nonce, 1), "GET", "/") == GOOD
    clock.now += 0.01
    assert server.check(credentials(nonce, 2), "GET", "/") == STALE
    assert server.check(credentials(nonce, 2, password="wrong"), "GET", "/") == REFUSED


@pytest.mark.parametrize("place", range(0, 50, 7))
def test_a_nonce_cannot_be_made_up(place: int) -> None:
    server = DigestServer("here", ACCOUNTS)
    nonce = nonce_of(server)
    changed = nonce[:place] + ("0" if nonce[place] != "0" else "1") + nonce[place + 1 :]
    assert server.check(credentials(changed), "GET", "/") == REFUSED


def test_counts_may_overtake_each_other_but_not_come_twice() -> None:
    server = DigestServer("here", ACCOUNTS)
    nonce = nonce_of(server)

    def use(count: int) -> Verdict:
        return server.check(credentials(nonce, count), "GET", "/")

    assert [use(count) for count in (3, 1, 2, 3, 2, 1)] == [GOOD] * 3 + [STALE] * 3
    assert [use(count) for count in (70, 6, 5, 7, 70, 3)] == [GOOD, GOOD, STALE, GOOD, STALE, STALE]
    assert [use(count) for count in (0xFFFFFFFF, 0xFFFFFFFF - 64, 71, 0xFFFFFFFF - 64)] == [GOOD, GOOD, STALE, STALE]


@given(some.lists(some.integers(1, 150), max_size=80))
def test_no_count_is_good_twice(counts: list[int]) -> None:
    server = DigestServer("here", {"anna": "secret"}, secret=b"x")
    nonce = nonce_of(server)
    seen: set[int] = set()
    for count in counts:
        good = server._use(nonce, count)
        # New and not too far behind the highest: good. Anything else: not.
        assert good == (count not in seen and count >= max(seen, default=1) - 64)
        if good:
            seen.add(count)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no room, the oldest nonces are refused, rather than be good a second time."""
    monkeypatch.setattr(digest_server, "_MOST_NONCES", 10)
    clock = Clock()
    server = DigestServer("here", ACCOUNTS, lifetime=1000, clock=clock)
    nonces = []
    for _ in range(35):
        clock.now += 1
        nonces.append(nonce_of(server))
        assert server.check(credentials(nonces[-1]), "GET", "/") == GOOD
        assert len(server._used) <= 10
    assert [server.check(credentials(nonce), "GET", "/") for nonce in nonces] == [STALE] * 35
    assert server.check(credentials(nonces[0], 2), "GET", "/") == STALE
    assert server.check(credentials(nonces[-1], 2), "GET", "/") == GOOD


def test_those_who_only_knock_are_not_remembered() -> None:
    server = DigestServer("here", ACCOUNTS)
    for _ in range(100):
        server.check(credentials(nonce_of(server), password="wrong"), "GET", "/")
    assert not server._used


def test_expired_nonces_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest_server, "_MOST_NONCES", 10)
    clock = Clock()
    server = DigestServer("here", ACCOUNTS, lifetime=5, clock=clock)
    for _ in range(50):
        clock.now += 1
        assert server.check(credentials(nonce_of(server)), "GET", "/") == GOOD
    assert len(server._used) <= 10
    assert server._floor == -1  # nothing young had to go


def test_threads_side_by_side_use_a_count_once() -> None:
    server = DigestServer("here", ACCOUNTS)
    nonce = nonce_of(server)
    values = [credentials(nonce, count) for count in range(1, 51)]
    verdicts: list[Verdict] = []
    begin = threading.Barrier(4)

    def use() -> None:
        begin.wait(10)
        verdicts.extend(server.check(value, "GET", "/") for value in values)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert verdicts.count(GOOD) == 50
    assert verdicts.count(STALE) == 150


@given(some.text(max_size=40) | some.text('Digest =",username\\', max_size=40).map("Digest {}".format))
def test_whatever_comes_is_refused(value: str) -> None:
    assert DigestServer("here", ACCOUNTS).check(value, "GET", "/") == REFUSED


names = some.sampled_from(["username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce", "algorithm"])


@given(names, some.text(some.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=12).filter('"'.__ne__))
def test_a_field_with_anything_in_it_is_refused_or_right(name: str, text: str) -> None:
    server = DigestServer("here", ACCOUNTS)
    value = credentials(nonce_of(server))
    right = parse_credentials(value).get(name)
    changed = (
        value.replace(f'{name}="{right}"', f'{name}="{text}"') if right is not None else f'{value}, {name}="{text}"'
    )
    assert server.check(changed, "GET", "/") in (REFUSED, GOOD)


def test_any_text_can_be_compared() -> None:
    assert same_text("jö", "jö")
    assert not same_text("jö", "jo")
    assert not same_text("", "\udcff")
    assert same_text("\udcff", "\udcff")
