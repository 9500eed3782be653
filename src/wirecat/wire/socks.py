"""SOCKS 4, 4a and 5: a client's handshakes without I/O (RFC 1928, RFC 1929, and the memos on SOCKS 4 and 4A).

>>> handshake = Socks5Client("example.org", 80)
>>> handshake.start()
b'\\x05\\x01\\x00'
>>> handshake.receive(bytes([5, 0]))
b'\\x05\\x01\\x00\\x03\\x0bexample.org\\x00P'
>>> handshake.receive(bytes([5, 0, 0, 1, 127, 0, 0, 1, 4, 56]) + b"Hello"), handshake.done
(None, True)
>>> handshake.bound, handshake.rest
(('127.0.0.1', 1080), b'Hello')
"""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.wire.authority import ascii_host, ipv4_octets, ipv6_octets
from wirecat.wire.handshake import CREDENTIALS_HINT, Handshake

_CONNECT = 1

# The SOCKS 4 memo: the result codes.
_GRANTED_4 = 90
_REFUSED_4 = {
    91: "the proxy refused, or could not reach the target",
    92: "the proxy found no identd on this machine to ask for the user",
    93: "the proxy's identd question gave another user than the one given",
}
_CREDENTIALS_4 = (92, 93)

# RFC 1928 section 3: the methods; 2 is RFC 1929's.
_NO_AUTHENTICATION = 0
_PASSWORD = 2
_NO_METHOD = 255

# RFC 1928 section 6: the replies.
_REFUSED_5 = {
    1: "the proxy failed",
    2: "the proxy's rules do not allow it",
    3: "the network is unreachable from the proxy",
    4: "the host is unreachable from the proxy, or unknown to it",
    5: "connection refused, says the proxy",
    6: "the proxy had no answer in time (TTL expired)",
    7: "the proxy does not know the command",
    8: "the proxy does not know this kind of address",
}


class Socks4Client(Handshake):
    """SOCKS 4, or 4a with ``remote_name``: the proxy looks up the name.

    ``host`` is an IPv4 address; with ``remote_name`` it may also be a name. ``user`` is the user ID; there is no
    password. Raises UsageError for IPv6, which SOCKS 4 has not, and for a user ID with a NUL in it.
    """

    __slots__ = ("_request",)

    def __init__(self, host: str, port: int, user: str = "", remote_name: bool = False) -> None:
        super().__init__(host, port)
        octets = ipv4_octets(host)
        name = b""
        if octets is None:
            if ":" in host:
                raise UsageError("SOCKS 4 has no IPv6 addresses", address=self.target, hint="SOCKS 5 has.")
            if not remote_name:
                raise UsageError(
                    "SOCKS 4 takes an IPv4 address", address=self.target, hint="SOCKS 4a and SOCKS 5 take names."
                )
            # 0.0.0.x with x other than 0 says that a name follows (the SOCKS 4A memo).
            octets, name = bytes([0, 0, 0, 1]), ascii_host(host).encode("ascii") + b"\0"
        elif octets[:3] == b"\0\0\0" and octets[3]:
            raise UsageError("SOCKS 4 cannot ask for 0.0.0.x", address=self.target)
        user_id = user.encode("utf-8", "surrogateescape")
        if b"\0" in user_id:
            raise UsageError("a SOCKS 4 user ID cannot hold a NUL")
        self._request = bytes([4, _CONNECT]) + port.to_bytes(2, "big") + octets + user_id + b"\0" + name

    def start(self) -> bytes:
        """The request: there is nothing to agree on before."""
        self._reset(self._read_reply)
        return self._request

    def _read_reply(self) -> bytes | None:
        reply = self._buffer.peek(8)
        # The first byte is the reply's version and is 0, not 4: what else answers is no SOCKS 4 proxy.
        if reply[:1] not in (b"", b"\0"):
            raise self._failed("what answers is no SOCKS 4 proxy", kind="malformed")
        if len(reply) > 1 and reply[1] != _GRANTED_4:
            code = reply[1]
            if code not in _REFUSED_4:
                raise self._failed(
                    f"the SOCKS 4 proxy answered with the unknown code {code}", kind="malformed", status=code
                )
            kind = "credentials" if code in _CREDENTIALS_4 else "refused"
            raise self._failed(_REFUSED_4[code], kind=kind, status=code)
        if len(reply) < 8:
            return None
        self._buffer.take(8)
        self.bound = (".".join(map(str, reply[4:8])), int.from_bytes(reply[2:4], "big"))
        self.done = True
        return b""


class Socks5Client(Handshake):
    """SOCKS 5 (RFC 1928), with a user name and password (RFC 1929) where ``user`` is given.

    ``host`` is a name, which the proxy looks up, or an address. ``user`` and ``password`` are at most 255 bytes in
    UTF-8; raises UsageError for more.
    """

    __slots__ = ("_credentials",)

    def __init__(self, host: str, port: int, user: str | None = None, password: str | None = None) -> None:
        super().__init__(host, port)
        self._credentials: bytes | None = None
        if user is None:
            if password is not None:
                raise UsageError("a password needs a user name")
            return
        fields = b""
        for what, text in (("user name", user), ("password", password or "")):
            field = text.encode("utf-8", "surrogateescape")
            if len(field) > 255:
                raise UsageError(f"a SOCKS 5 {what} has at most 255 bytes, not {len(field)}")
            fields += bytes([len(field)]) + field
        self._credentials = b"\1" + fields

    def start(self) -> bytes:
        """The greeting: the methods of authentication that we know (RFC 1928 section 3)."""
        self._reset(self._read_method)
        methods = [_NO_AUTHENTICATION] if self._credentials is None else [_NO_AUTHENTICATION, _PASSWORD]
        return bytes([5, len(methods), *methods])

    def _read_method(self) -> bytes | None:
        reply = self._buffer.peek(2)
        self._require_version(reply, 5)
        if len(reply) < 2:
            return None
        self._buffer.take(2)
        method = reply[1]
        if method == _NO_AUTHENTICATION:
            return self._ask()
        if method == _PASSWORD and self._credentials is not None:
            self._step = self._read_verdict
            return self._credentials
        if method != _NO_METHOD:
            raise self._failed(
                f"the proxy chose the method {method}, which was not offered", kind="method", status=method
            )
        if self._credentials is None:
            raise self._failed(
                "the proxy wants a user name and password", kind="credentials", status=method, hint=CREDENTIALS_HINT
            )
        raise self._failed("the proxy takes neither a password nor none", kind="method", status=method)

    def _read_verdict(self) -> bytes | None:
        reply = self._buffer.peek(2)
        self._require_version(reply, 1)
        if len(reply) < 2:
            return None
        self._buffer.take(2)
        if reply[1] != 0:
            raise self._failed("the proxy refused the user name or password", kind="credentials", status=reply[1])
        return self._ask()

    def _ask(self) -> bytes:
        """The request itself (RFC 1928 section 4)."""
        self._step = self._read_reply
        octets = ipv4_octets(self.host)
        if octets is not None:
            place = b"\1" + octets
        elif (octets := ipv6_octets(self.host)) is not None:
            place = b"\4" + octets
        else:
            name = ascii_host(self.host).encode("ascii")
            place = bytes([3, len(name)]) + name
        return bytes([5, _CONNECT, 0]) + place + self.port.to_bytes(2, "big")

    def _read_reply(self) -> bytes | None:
        # The longest there is has a name of 255 bytes.
        reply = self._buffer.peek(4 + 1 + 255 + 2)
        self._require_version(reply, 5)
        if len(reply) > 1 and reply[1] != 0:
            # Some proxies send no more than this in a refusal: do not wait for the rest.
            code = reply[1]
            if code not in _REFUSED_5:
                raise self._failed(f"the proxy refused with the unknown code {code}", kind="refused", status=code)
            raise self._failed(_REFUSED_5[code], kind="refused", status=code)
        if len(reply) < 5:
            if len(reply) > 3:
                self._require_kind(reply[3])
            return None
        self._require_kind(reply[3])
        begin = 5 if reply[3] == 3 else 4
        end = begin + {1: 4, 3: reply[4], 4: 16}[reply[3]]
        if len(reply) < end + 2:
            return None
        self._buffer.take(end + 2)
        self.bound = (_host(reply[begin:end], reply[3]), int.from_bytes(reply[end : end + 2], "big"))
        self.done = True
        return b""

    def _require_version(self, reply: bytes, version: int) -> None:
        if reply[:1] not in (b"", bytes([version])):
            raise self._failed("what answers is no SOCKS 5 proxy", kind="malformed")

    def _require_kind(self, kind: int) -> None:
        if kind not in (1, 3, 4):
            raise self._failed(f"the proxy tells an address of the unknown kind {kind}", kind="malformed")


def _host(octets: bytes, kind: int) -> str:
    """The text of an address in a SOCKS 5 reply; a name's odd bytes stay as surrogate escapes."""
    if kind == 3:
        return octets.decode("ascii", "surrogateescape")
    if kind == 1:
        return ".".join(map(str, octets))
    from socket import AF_INET6, inet_ntop

    return inet_ntop(AF_INET6, octets)
