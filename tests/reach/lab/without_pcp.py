"""What makes of a router's daemon one that speaks NAT-PMP alone: whatever is asked in PCP's version is refused beside it.

The daemon has no setting for that. Older routers answer a version that they do not know with NAT-PMP's result 1
(RFC 6886 section 3.5), by which a client of PCP knows them (RFC 6887 section 9).
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from reach.lab.namespaces import Host

#: A reply of version 0: "unsupported version".
REFUSAL = b"\0\x80\0\1" + bytes(4)
_PORT = 5352


@contextlib.contextmanager
def without_pcp(router: Host, interface: str) -> Iterator[None]:
    """Answer on ``router`` what comes to NAT-PMP's port over ``interface`` in version 2, while the block lasts."""

    def open_socket() -> socket.socket:
        made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        made.bind(("::", _PORT))
        return made

    stopped = threading.Event()
    refusing = router.inside(open_socket)
    refusing.settimeout(0.1)

    def refuse() -> None:
        while not stopped.is_set():
            try:
                _, sender = refusing.recvfrom(2048)
            except TimeoutError:
                continue
            refusing.sendto(REFUSAL, sender)

    # The first byte behind a datagram's header of eight is the version.
    router.nft(f"""table inet without_pcp {{ chain in {{ type nat hook prerouting priority -110;
        iifname "{interface}" udp dport 5351 @th,64,8 2 redirect to :{_PORT}
    }}
    }}""")
    thread = threading.Thread(target=refuse, name="a router without PCP", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(10)
        refusing.close()
