"""Netlink dumps: ask the Linux kernel for a whole table and walk the messages of its answer (netlink(7)).

The kernel answers with datagrams of up to 32 KiB, each holding many messages; the last message is NLMSG_DONE.
What is read here comes from the kernel, but a message that cannot be right (too short, past its datagram's
end) is an OSError, never a crash or an endless loop.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEADER = struct.Struct("=IHHII")  # nlmsghdr: length with this header, type, flags, sequence, port id
ATTRIBUTE = struct.Struct("=HH")  # rtattr: length with this header, type

NLMSG_ERROR = 2
NLMSG_DONE = 3
NLMSG_OVERRUN = 4
NLM_F_REQUEST = 0x01
NLM_F_DUMP_INTR = 0x10  # the table changed while it was dumped: something may be missing or there twice
NLM_F_DUMP = 0x300

ENDED = 1
"""What a reader of messages reports: the dump is complete."""
INTERRUPTED = 2
"""… and: the table changed meanwhile (NLM_F_DUMP_INTR)."""

# Four times the kernel's largest dump datagram, so nothing is ever cut.
_BUFFER_SIZE = 128 * 1024


def dump(
    protocol: int,
    message_type: int,
    payload: bytes,
    read: Callable[[bytearray, int], int],
    *,
    seconds: float = 5.0,
) -> bool:
    """Send one dump request; ``read(buffer, end)`` gets each datagram and returns ENDED, INTERRUPTED as bits.

    Returns False where the table changed while it was read. Raises OSError: netlink refused (containers,
    seccomp), the kernel does not know this table, the answer is malformed, or it took longer than
    ``seconds``.
    """
    flags = NLM_F_REQUEST | NLM_F_DUMP
    request = HEADER.pack(HEADER.size + len(payload), message_type, flags, 1, 0) + payload
    deadline = time.monotonic() + seconds
    complete = True
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as kernel:
        kernel.settimeout(seconds)
        kernel.connect((0, 0))  # from the kernel only: no other process can answer in its place
        kernel.send(request)
        buffer = bytearray(_BUFFER_SIZE)
        while True:
            # With MSG_TRUNC the length is the datagram's own, so a cut one shows.
            end = kernel.recv_into(buffer, 0, socket.MSG_TRUNC)
            if end > len(buffer):
                raise malformed("a datagram was cut")
            result = read(buffer, end)
            if result & INTERRUPTED:
                complete = False
            if result & ENDED:
                return complete
            if time.monotonic() > deadline:
                raise TimeoutError(errno.ETIMEDOUT, "the kernel's table does not end")


def malformed(what: str) -> OSError:
    """The error for an answer that cannot be right."""
    return OSError(errno.EBADMSG, f"malformed netlink answer: {what}")


def read_control(buffer: bytearray, offset: int, length: int, kind: int) -> bool:
    """Look at a message that carries no row. True: the dump ends here; False: it is of no interest.

    NLMSG_ERROR and NLMSG_DONE carry an errno, negative; 0 is an acknowledgement. Raises OSError for an error
    in it.
    """
    if kind == NLMSG_OVERRUN:
        raise OSError(errno.ENOBUFS, "the kernel lost a part of its answer")
    if kind not in (NLMSG_ERROR, NLMSG_DONE):
        return False
    code = 0
    if length >= HEADER.size + 4:
        code = int.from_bytes(buffer[offset + HEADER.size : offset + HEADER.size + 4], sys.byteorder, signed=True)
    elif kind == NLMSG_ERROR:
        raise malformed("an error without a number")
    if code < 0:
        raise OSError(-code, os.strerror(-code))
    return True


def walk_messages(buffer: bytearray, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The messages of one datagram: (type, flags, where the body starts, where it ends).

    Raises OSError where a length is less than a header or more than what is left.
    """
    offset = 0
    while offset + HEADER.size <= end:
        length, kind, flags, _, _ = HEADER.unpack_from(buffer, offset)
        if length < HEADER.size or offset + length > end:
            raise malformed(f"a message of {length} bytes")
        yield kind, flags, offset + HEADER.size, offset + length
        offset += (length + 3) & ~3
    if offset < end:
        raise malformed("less than a header is left")


def message_reader(
    kind: int, size: int, read: Callable[[bytearray, int, int], None]
) -> Callable[[bytearray, int], int]:
    """What ``dump`` reads a datagram with: ``read(buffer, start, end)`` gets the body of each message of one ``kind``.

    Raises OSError for a body of less than ``size`` bytes, and what ``walk_messages`` and ``read_control`` raise.
    """

    def read_datagram(buffer: bytearray, end: int) -> int:
        result = 0
        for found, flags, start, stop in walk_messages(buffer, end):
            if flags & NLM_F_DUMP_INTR:
                result |= INTERRUPTED
            if found == kind:
                if stop - start < size:
                    raise malformed(f"a body of {stop - start} bytes")
                read(buffer, start, stop)
            elif read_control(buffer, start - HEADER.size, stop - start + HEADER.size, found):
                return result | ENDED
        return result

    return read_datagram


def read_attributes(buffer: bytearray, start: int, end: int) -> dict[int, bytes]:
    """The attributes (rtattr) between two offsets, by number. One that does not fit ends the list."""
    attributes: dict[int, bytes] = {}
    while start + ATTRIBUTE.size <= end:
        length, kind = ATTRIBUTE.unpack_from(buffer, start)
        if length < ATTRIBUTE.size or start + length > end:
            break
        attributes[kind] = bytes(buffer[start + ATTRIBUTE.size : start + length])
        start += (length + 3) & ~3
    return attributes
