"""Digest authentication, the server's side: nonces that are signed, expire, and count (RFC 7616 sections 3.3 and 5).

A nonce holds the time it was made and a signature over it, so that nothing is remembered for those who only knock.
What is remembered is which counts were used with a nonce, from the first right answer on: the same request sent again
by somebody who overheard it is refused.

>>> server = DigestServer("here", {"anna": "secret"})
>>> verdict = server.check('Digest username="anna"', "GET", "/")
>>> verdict.user, verdict.stale
(None, False)
"""

from __future__ import annotations

from _thread import allocate_lock
from time import monotonic

from wirecat.errors import HttpError, UsageError
from wirecat.immutable import Immutable
from wirecat.wire.digest import digest_response, from_wire, is_known, to_wire
from wirecat.wire.http_challenge import parse_credentials, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wirecat.wire.http_challenge import Challenge

LIFETIME = 300.0  # seconds that a nonce is good for
#: MD5 comes first: ncat's client takes the first Digest challenge only, and gives up where it is of another algorithm.
ALGORITHMS = ("MD5", "SHA-256")
_MOST_NONCES = 10_000  # of which counts are remembered
_WINDOW = 64  # counts that may overtake each other, on connections side by side
_HIGHEST = 0xFFFFFFFF  # a count has eight hex digits
_ALL_USED = (1 << _WINDOW) - 1


class Verdict(Immutable):
    """What came of credentials: ``user``, or None where they are refused.

    ``stale``: they were right but for their nonce, which is too old or was used with this count before; with the next
    challenge saying so, a client tries again without asking its user (RFC 7616 section 3.3).
    """

    __slots__ = ("stale", "user")

    user: str | None
    stale: bool

    def __init__(self, user: str | None = None, stale: bool = False) -> None:
        self._set(user=user, stale=stale)


class DigestServer:
    """Makes challenges, and checks the credentials that answer them. One object serves all connections and threads.

    ``accounts`` has the passwords by user name. ``lifetime`` is in seconds, ``clock`` gives seconds from any beginning.
    ``secret`` signs the nonces (random by default). Raises UsageError for an algorithm that is not known here.
    """

    __slots__ = ("_accounts", "_algorithms", "_clock", "_floor", "_lifetime", "_lock", "_realm", "_secret", "_used")

    def __init__(
        self,
        realm: str,
        accounts: Mapping[str, str],
        *,
        lifetime: float = LIFETIME,
        algorithms: tuple[str, ...] = ALGORITHMS,
        secret: bytes | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        for algorithm in algorithms:
            if not is_known(algorithm):
                raise UsageError(f"unknown Digest algorithm {algorithm!r}")
        self._realm = realm
        self._accounts = accounts
        self._lifetime = lifetime
        self._algorithms = algorithms
        self._secret = _random(32) if secret is None else secret
        self._clock = clock
        self._lock = allocate_lock()
        # For each nonce: when it was made, the highest count, and which of the 64 before it were used, as bits.
        self._used: dict[str, tuple[int, int, int]] = {}
        self._floor = -1  # nonces made until then are forgotten, and so are refused

    def challenges(self, stale: bool = False) -> list[str]:
        """The values of WWW-Authenticate or Proxy-Authenticate fields, one for each algorithm."""
        nonce = self._make_nonce()
        tail = ", stale=true" if stale else ""
        return [
            f'Digest realm={quote(to_wire(self._realm))}, nonce="{nonce}", qop="auth", algorithm={algorithm}{tail}'
            for algorithm in self._algorithms
        ]

    def check(self, value: str, method: str, target: str) -> Verdict:
        """Judge the value of an Authorization or Proxy-Authorization field of a request for ``target``.

        Credentials without a quality of protection (RFC 2617 section 3.2.2.1, for old clients) have no count: they use
        up their nonce. Raises nothing for what is malformed: it is refused.
        """
        try:
            credentials = parse_credentials(value)
        except HttpError:
            return Verdict()
        user = self._prove(credentials, method, target)
        if user is None:
            return Verdict()
        count = credentials.get("nc")
        fresh = self._use(credentials.get("nonce") or "", None if count is None else int(count, 16))
        return Verdict(user) if fresh else Verdict(stale=True)

    def _prove(self, credentials: Challenge, method: str, target: str) -> str | None:
        """The user who knows the password, whatever the nonce's age; or None."""
        if credentials.scheme != "digest":
            return None
        always = [credentials.get(name) for name in ("username", "realm", "nonce", "uri", "response")]
        counted = [credentials.get(name) for name in ("qop", "nc", "cnonce")]  # all of them or none
        if None in always or (None in counted and any(each is not None for each in counted)):
            return None
        user, realm, nonce, uri, response, qop, count, cnonce = (from_wire(each or "") for each in (*always, *counted))
        algorithm = credentials.get("algorithm") or "MD5"
        if algorithm.lower() not in (each.lower() for each in self._algorithms):
            return None
        old = counted[0] is None
        if realm != self._realm or not (old or (qop.lower() == "auth" and _is_count(count))):
            return None
        if not _same_target(uri, from_wire(target)) or not self._is_ours(nonce):
            return None
        password = self._accounts.get(user)
        # Somebody who is not there costs as much time as a wrong password.
        expected = digest_response(
            algorithm, user, realm, password or "", nonce, method, uri, None if old else qop, count, cnonce
        )
        right = same_text(expected, response.lower())
        return user if right and password is not None else None

    def _make_nonce(self) -> str:
        head = f"{int(self._clock() * 1000):x}.{_random(8).hex()}"
        return f"{head}.{self._sign(head)}"

    def _sign(self, head: str) -> str:
        import hashlib
        import hmac

        signed = f"{self._realm}:{head}".encode("utf-8", "surrogateescape")
        return hmac.new(self._secret, signed, hashlib.sha256).hexdigest()[:32]

    def _is_ours(self, nonce: str) -> bool:
        head, _, signature = nonce.rpartition(".")
        return same_text(self._sign(head), signature)

    def _use(self, nonce: str, count: int | None) -> bool:
        """Note a use of a nonce of ours; whether it is the first with this count, and the nonce is young enough. Without a
        count it must be the nonce's only one."""
        now = int(self._clock() * 1000)
        oldest = now - int(self._lifetime * 1000)
        made = int(nonce.partition(".")[0], 16)
        with self._lock:
            if made < oldest or made <= self._floor:
                return False
            _, highest, bits = self._used.get(nonce, (made, 0, 0))
            if count is None:
                if highest:
                    return False
                highest, bits = _HIGHEST, _ALL_USED
            elif count > highest:
                ahead = count - highest
                bits = (bits << ahead | 1 << ahead - 1) & _ALL_USED if highest and ahead <= _WINDOW else 0
                highest = count
            else:
                behind = highest - count
                if behind == 0 or behind > _WINDOW or bits >> behind - 1 & 1:
                    return False
                bits |= 1 << behind - 1
            if nonce not in self._used and len(self._used) >= _MOST_NONCES:
                self._forget(oldest)
                if made <= self._floor:
                    return False
            self._used[nonce] = (made, highest, bits)
            return True

    def _forget(self, oldest: int) -> None:
        """Make room: forget what has expired, and where that is too little, refuse the older half from now on."""
        self._used = {nonce: used for nonce, used in self._used.items() if used[0] >= oldest}
        if len(self._used) >= _MOST_NONCES:
            self._floor = sorted(used[0] for used in self._used.values())[len(self._used) // 2]
            self._used = {nonce: used for nonce, used in self._used.items() if used[0] > self._floor}


def _random(count: int) -> bytes:
    import os

    return os.urandom(count)


def same_text(expected: str, given: str) -> bool:
    """Compare in a time that does not tell where they differ."""
    import hmac

    first, second = (text.encode("utf-8", "surrogateescape") for text in (expected, given))
    return hmac.compare_digest(first, second)


def _is_count(text: str) -> bool:
    """Whether this is a nonce count: eight hex digits, and not 0 (RFC 7616 section 3.4)."""
    return len(text) == 8 and all(letter in "0123456789abcdefABCDEF" for letter in text) and int(text, 16) > 0


def _same_target(uri: str, target: str) -> bool:
    """Whether the signed URI is that of the request. Some clients of a proxy sign the path of an absolute URI alone."""
    if uri == target:
        return True
    _, separator, rest = target.partition("://")
    slash = rest.find("/")
    return bool(separator) and uri == (rest[slash:] if slash >= 0 else "/")
