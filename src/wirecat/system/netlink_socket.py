"""A netlink socket that reads whole tables as raw messages and changes things, one by one or in a batch (netlink(7)).

``dump`` of system/netlink.py reads a table once and in place. Here messages are kept as bytes, to be sent again.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time

from wirecat.system.netlink import (
    HEADER,
    NLM_F_DUMP,
    NLM_F_DUMP_INTR,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    malformed,
    read_attributes,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

NETLINK_ROUTE, NETLINK_XFRM, NETLINK_NETFILTER = 0, 6, 12
NLM_F_ACK, NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = 0x4, 0x100, 0x200, 0x400

_NLM_F_CAPPED, _NLM_F_ACK_TLVS = 0x100, 0x200
_NLMSGERR_ATTR_MSG = 1
_SOL_NETLINK, _NETLINK_CAP_ACK, _NETLINK_EXT_ACK, _NETLINK_GET_STRICT_CHK = 270, 10, 11, 12
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_BUFFER = 64 << 20  # a batch is one datagram: 40,000 addresses of a set take about 3 MiB
_ATTEMPTS = 5


class NetlinkSocket:
    """A socket in the network namespace of the thread that makes it; it stays there. Use it in a ``with`` block.

    Raises OSError: the kernel has no such protocol, or refuses it.
    """

    def __init__(self, protocol: int, *, groups: Sequence[int] = (), strict: bool = False) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        try:
            for option in (_SO_SNDBUFFORCE, _SO_RCVBUFFORCE):
                self._socket.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
            for option in (_NETLINK_CAP_ACK, _NETLINK_EXT_ACK):
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
            if strict:
                self._socket.setsockopt(_SOL_NETLINK, _NETLINK_GET_STRICT_CHK, 1)
            self._socket.bind((0, 0))
            for group in groups:
                self._socket.setsockopt(_SOL_NETLINK, 1, group)  # NETLINK_ADD_MEMBERSHIP
        except BaseException:
            self._socket.close()
            raise
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def fileno(self) -> int:
        """The descriptor, to wait for notifications."""
        return self._socket.fileno()

    def dump(self, kind: int, payload: bytes, *, seconds: float = 5.0) -> list[bytes]:
        """The bodies of all messages that answer a dump request; a dump that was interrupted is made again.

        Raises OSError: the kernel's error, or EINTR where the table changes faster than it can be read.
        """
        for _ in range(_ATTEMPTS):
            found, complete = self._dump(kind, payload, time.monotonic() + seconds)
            if complete:
                return found
        raise OSError(errno.EINTR, "the kernel's table changes faster than it can be read")

    def _dump(self, kind: int, payload: bytes, deadline: float) -> tuple[list[bytes], bool]:
        sequence = self._send([(kind, NLM_F_REQUEST | NLM_F_DUMP, payload)])
        found: list[bytes] = []
        complete = True
        while True:
            for message, flags, number, body in self._receive(deadline):
                if number != sequence:
                    continue
                if flags & NLM_F_DUMP_INTR:
                    complete = False
                if message in (NLMSG_DONE, NLMSG_ERROR):
                    _raise(*_read_error(flags, body))
                    return found, complete
                found.append(body)

    def request(self, kind: int, payload: bytes, flags: int = 0, *, seconds: float = 5.0) -> bytes:
        """Send one request and wait for its acknowledgement; the body of the answer, if there is one before it.

        Raises OSError with the kernel's own explanation, where it gives one.
        """
        sequence = self._send([(kind, NLM_F_REQUEST | NLM_F_ACK | flags, payload)])
        deadline = time.monotonic() + seconds
        answer = b""
        while True:
            for message, found, number, body in self._receive(deadline):
                if number != sequence:
                    continue
                if message == NLMSG_ERROR:
                    _raise(*_read_error(found, body))
                    return answer
                answer = body

    def send_batch(
        self, messages: Sequence[tuple[int, int, bytes]], *, seconds: float = 5.0
    ) -> dict[int, tuple[int, str]]:
        """Send messages (kind, flags, body) as one datagram, the last but one of which asks for an acknowledgement.

        The errors by the number of the message, as (errno, explanation); number -1 stands for the batch as a whole. The
        frame of a batch of nfnetlink (its begin and its end) is the caller's.
        """
        asked = [(kind, flags | NLM_F_REQUEST | NLM_F_ACK * (number == len(messages) - 2), body)
                 for number, (kind, flags, body) in enumerate(messages)]  # fmt: skip
        first = self._send(asked) - len(messages) + 1
        errors: dict[int, tuple[int, str]] = {}
        deadline = time.monotonic() + seconds
        while True:
            ended = False
            for message, flags, number, body in self._receive(deadline):
                if message != NLMSG_ERROR or not first <= number < first + len(messages):
                    continue
                code, words = _read_error(flags, body)
                place = number - first
                if code:
                    errors[place if 0 < place < len(messages) - 1 else -1] = (code, words)
                # An error of the batch's frame ends it; the last message's comes after those of all others.
                ended = ended or place in (0, len(messages) - 2, len(messages) - 1)
            if ended:
                return errors

    def notifications(self) -> list[tuple[int, bytes]]:
        """What has come of the groups so far, as (kind, body). Does not wait."""
        found: list[tuple[int, bytes]] = []
        self._socket.setblocking(False)
        try:
            while True:
                found += [(kind, body) for kind, _, _, body in _messages(self._socket.recv(1 << 20))]
        except BlockingIOError:
            return found

    def _send(self, messages: Sequence[tuple[int, int, bytes]]) -> int:
        """Send messages as one datagram; the sequence number of the last."""
        parts: list[bytes] = []
        for kind, flags, payload in messages:
            self._sequence += 1
            parts += (HEADER.pack(HEADER.size + len(payload), kind, flags, self._sequence, 0), payload)
            parts.append(b"\0" * (-len(payload) % 4))
        self._socket.settimeout(None)
        self._socket.send(b"".join(parts))
        return self._sequence

    def _receive(self, deadline: float) -> list[tuple[int, int, int, bytes]]:
        self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
        return list(_messages(self._socket.recv(1 << 20)))


def _messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Each message of a datagram: kind, flags, sequence number, body."""
    start = 0
    while start + HEADER.size <= len(data):
        length, kind, flags, sequence, _ = HEADER.unpack_from(data, start)
        if length < HEADER.size or start + length > len(data):
            raise malformed(f"a message of {length} bytes")
        yield kind, flags, sequence, data[start + HEADER.size : start + length]
        start += (length + 3) & ~3


def _read_error(flags: int, body: bytes) -> tuple[int, str]:
    """The errno in an acknowledgement, 0 for none, and the kernel's explanation (NETLINK_EXT_ACK), if any."""
    code = -int(struct.unpack_from("=i", body)[0]) if len(body) >= 4 else 0
    if not code:
        return 0, ""
    words = ""
    if flags & _NLM_F_ACK_TLVS and len(body) >= 8:
        (echoed,) = struct.unpack_from("=I", body, 4)
        start = 4 + (HEADER.size if flags & _NLM_F_CAPPED else (echoed + 3) & ~3)
        words = read_attributes(bytearray(body), start, len(body)).get(_NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode()
    return code, words or os.strerror(code)


def _raise(code: int, words: str) -> None:
    if code:
        raise OSError(code, words)
