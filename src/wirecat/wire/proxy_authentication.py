"""Who may use an HTTP proxy: challenges in Basic and Digest, and the credentials that answer either.

>>> gate = ProxyAuthenticator("here", {"Aladdin": "open sesame"})
>>> [challenge.split()[0] for _, challenge in gate.challenges()]
['Basic', 'Digest', 'Digest']
>>> from wirecat.wire.http_headers import Headers
>>> from wirecat.wire.http_message import RequestHead
>>> fields = Headers([("Proxy-Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")])
>>> gate.check(RequestHead("CONNECT", "host:443", fields)).user
'Aladdin'
"""

from __future__ import annotations

from wirecat.errors import HttpError
from wirecat.wire.basic import read_basic
from wirecat.wire.digest import to_wire
from wirecat.wire.digest_server import DigestServer, Verdict, same_text
from wirecat.wire.http_challenge import parse_credentials, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wirecat.wire.http_message import RequestHead


class ProxyAuthenticator:
    """Judges the Proxy-Authorization field of requests. One object serves all connections and threads of a proxy."""

    __slots__ = ("_accounts", "_digest", "_realm")

    def __init__(self, realm: str, accounts: Mapping[str, str], digest: DigestServer | None = None) -> None:
        """``accounts`` has the passwords by user name; ``digest`` stands in for the DigestServer made of them."""
        self._realm = realm
        self._accounts = accounts
        self._digest = DigestServer(realm, accounts) if digest is None else digest

    def challenges(self, stale: bool = False) -> list[tuple[str, str]]:
        """The fields of a 407 response. ``stale`` is what the verdict on the request said."""
        values = [f"Basic realm={quote(to_wire(self._realm))}", *self._digest.challenges(stale)]
        return [("Proxy-Authenticate", value) for value in values]

    def check(self, head: RequestHead) -> Verdict:
        """Whose request this is; a verdict without a user is to be answered with 407 and challenges.

        Raises HttpError (400) for several Proxy-Authorization fields, of which another reader might take the other.
        """
        value = head.headers.single("Proxy-Authorization")
        if value is None:
            return Verdict()
        try:
            credentials = parse_credentials(value)
        except HttpError:
            return Verdict()
        if credentials.scheme == "digest":
            return self._digest.check(value, head.method, head.target)
        found = read_basic(credentials) if credentials.scheme == "basic" else None
        if found is None:
            return Verdict()
        user, given = found
        password = self._accounts.get(user)
        # Somebody who is not there costs as much time as a wrong password.
        right = same_text(password or "", given)
        return Verdict(user) if right and password is not None else Verdict()
