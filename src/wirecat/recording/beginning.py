"""What a recording's files begin with, what they are called, and what a connection's first packet says to readers."""

from __future__ import annotations

import os
import sys

from wirecat._version import __version__
from wirecat.recording.frames import encode_frame
from wirecat.wire import pcapng

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROGRAM = f"wirecat {__version__}"
_COMMENT = (
    f"Recorded by {PROGRAM}. The bytes and their times are what they were; handshakes, acknowledgements and sequence "
    "numbers are worked out."
)


def beginning(now: int, *, uid: str, part: int, verb: str) -> list[bytes | memoryview]:
    """The section header, the interface and the frame that says who records; ``part`` counts the files from 1."""
    import socket

    system = f"{os.uname().sysname} {os.uname().release}" if hasattr(os, "uname") else sys.platform
    about = encode_frame(
        "recording", now, uid=uid, part=part, program=PROGRAM, machine=socket.gethostname(), system=system, verb=verb,
        pid=os.getpid(),
    )  # fmt: skip
    return [
        pcapng.section_header(PROGRAM, system, comment=_COMMENT),
        pcapng.interface(name="wirecat", description="what went over wirecat's own connections"),
        pcapng.statistics(now, about),
    ]


def part_path(path: str, part: int) -> str:
    """Where a part of a rotated recording lies: ``talk.pcapng``, ``talk.2.pcapng``, …"""
    if part == 1:
        return path
    stem, suffix = os.path.splitext(path)
    return f"{stem}.{part}{suffix}"


def comment_on(fields: dict[str, Any]) -> str:
    """What stands at the first packet of a connection, for whoever looks at it in another program."""
    words = [f"connection {fields['id']}, recorded by the {fields['recorded_by']}"]
    if fields.get("handler"):
        words.append(f"handler {fields['handler']}")
    if fields.get("tls") or fields["protocol"] in ("tls", "dtls"):
        words.append("the bytes are those inside TLS")
    if fields.get("joined"):
        words.append("it was open before the recording began")
    return "; ".join(words)
