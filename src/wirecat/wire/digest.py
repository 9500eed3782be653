"""Digest authentication, the arithmetic and the client's side: a password is proved and not sent (RFC 7616, RFC 2617).

>>> challenge = Challenge("Digest", [("realm", "x"), ("nonce", "abc"), ("qop", "auth"), ("algorithm", "SHA-256")])
>>> DigestClient("Mufasa", "Circle of Life").answer(challenge, "GET", "/", cnonce="f00d")[:48]
'Digest username="Mufasa", realm="x", nonce="abc"'
"""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.wire.http_challenge import Challenge, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# RFC 7616 section 6.1, with the names that hashlib has for them. Names are compared without regard to case.
_HASHES = {"md5": "md5", "sha-256": "sha256"}
_SESSION = "-sess"


def is_known(algorithm: str) -> bool:
    """Whether this is an algorithm that can be computed here: MD5 and SHA-256, each with ``-sess`` or without."""
    return algorithm.lower().removesuffix(_SESSION) in _HASHES


def hexadecimal_hash(algorithm: str, text: str) -> str:
    """H of RFC 7616 section 3.3, over the text in UTF-8, in lower case."""
    import hashlib  # late: it costs a start 3 ms, and few need it

    name = _HASHES[algorithm.lower().removesuffix(_SESSION)]
    return hashlib.new(name, text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def digest_response(
    algorithm: str,
    user: str,
    realm: str,
    password: str,
    nonce: str,
    method: str,
    uri: str,
    qop: str | None = None,
    count: str = "",
    cnonce: str = "",
) -> str:
    """The response of RFC 7616 section 3.4.1; with ``qop`` None that of RFC 2617 section 3.2.2.1 for old servers.

    ``count`` is the nonce count as it is sent, in eight hex digits. Only the quality ``auth`` is known.
    """
    secret = hexadecimal_hash(algorithm, f"{user}:{realm}:{password}")
    if algorithm.lower().endswith(_SESSION):
        secret = hexadecimal_hash(algorithm, f"{secret}:{nonce}:{cnonce}")
    what = hexadecimal_hash(algorithm, f"{method}:{uri}")
    between = nonce if qop is None else f"{nonce}:{count}:{cnonce}:{qop}"
    return hexadecimal_hash(algorithm, f"{secret}:{between}:{what}")


def from_wire(text: str) -> str:
    """Text from a header field, whose characters stand for bytes each, read as UTF-8."""
    return text.encode("latin-1", "surrogateescape").decode("utf-8", "surrogateescape")


def to_wire(text: str) -> str:
    """Text for a header field: each byte of its UTF-8 as a character of its own."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


class DigestClient:
    """Answers Digest challenges for one user, and counts how often it used a nonce.

    Raises UsageError for a user name with control characters, which could begin a header line.
    """

    __slots__ = ("_count", "_nonce", "_password", "_user")

    def __init__(self, user: str, password: str) -> None:
        if not all(letter >= " " and letter != "\x7f" for letter in user):
            raise UsageError("a user name cannot hold control characters in Digest authentication")
        self._user = user
        self._password = password
        self._nonce = ""
        self._count = 0

    def choose(self, challenges: Iterable[Challenge]) -> Challenge | None:
        """The first of these that can be answered: servers put them in their order of preference."""
        return next((each for each in challenges if can_answer(each)), None)

    def answer(self, challenge: Challenge, method: str, uri: str, cnonce: str | None = None) -> str:
        """The value of an Authorization or Proxy-Authorization field for one request.

        ``uri`` is the request's target as it stands in the request line. ``cnonce`` is 16 random bytes in hex unless
        given. Raises UsageError for a challenge that ``choose`` would not have taken.
        """
        if not can_answer(challenge):
            raise UsageError("a challenge that cannot be answered")
        realm, nonce = from_wire(challenge.get("realm") or ""), from_wire(challenge.get("nonce") or "")
        uri = from_wire(uri)
        algorithm = challenge.get("algorithm")
        qop = None if challenge.get("qop") is None else "auth"
        if cnonce is None:
            import os

            cnonce = os.urandom(16).hex()
        self._count = self._count + 1 if nonce == self._nonce else 1
        self._nonce = nonce
        digits = f"{self._count:08x}"
        response = digest_response(
            algorithm or "MD5", self._user, realm, self._password, nonce, method, uri, qop, digits, cnonce
        )
        user = self._user
        hashed = (challenge.get("userhash") or "").lower() == "true"
        if hashed:
            user = hexadecimal_hash(algorithm or "MD5", f"{user}:{realm}")
        # RFC 7616 section 3.4: algorithm, qop and nc stand without quotes, for old servers' sake.
        fields = [f"username={quote(user)}", f"realm={quote(realm)}", f"nonce={quote(nonce)}", f"uri={quote(uri)}"]
        if algorithm is not None:
            fields.append(f"algorithm={algorithm}")
        if qop is not None:
            fields += [f"qop={qop}", f"nc={digits}"]
        if qop is not None or (algorithm or "").lower().endswith(_SESSION):
            fields.append(f"cnonce={quote(cnonce)}")
        fields.append(f"response={quote(response)}")
        opaque = challenge.get("opaque")
        if opaque is not None:
            fields.append(f"opaque={quote(from_wire(opaque))}")
        if hashed:
            fields.append("userhash=true")
        return f"Digest {to_wire(', '.join(fields))}"


def can_answer(challenge: Challenge) -> bool:
    """Whether a challenge is one of Digest, complete, in an algorithm and a quality of protection known here."""
    if challenge.scheme != "digest" or challenge.get("realm") is None or not challenge.get("nonce"):
        return False
    qualities = challenge.get("qop")
    if qualities is not None and "auth" not in (each.strip().lower() for each in qualities.split(",")):
        return False
    return is_known(challenge.get("algorithm") or "MD5")
