"""From the options to listening sockets, each told as soon as it is ready."""

from __future__ import annotations

import _socket

from wirecat.address import Address
from wirecat.cli.ncat import messages
from wirecat.cli.ncat.checks import ANY_CID
from wirecat.cli.ncat.endings import quitting
from wirecat.cli.ncat.opening import resolved, scheme_of
from wirecat.cli.ncat.reasons import reason_of, sentence
from wirecat.endpoints import open_listener
from wirecat.errors import ListenError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.ncat.checks import Operands
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings
    from wirecat.endpoints.listener import Listener

BACKLOG = 128
_EVERYWHERE = ("::", "0.0.0.0")  # IPv6 first, as ncat tells them
_NO_FAMILY = ("EAFNOSUPPORT", "EADDRNOTAVAIL")


def open_listening(settings: Settings, operands: Operands, voice: Voice) -> Listener:
    """A listener on all that the options ask for. Raises Ending where one of them cannot be had.

    Without a host both families are listened on; a family that this system does not have is left out.
    """
    opened: list[Listener] = []
    port = operands.port
    places = _places(settings, operands)
    try:
        for number, place in enumerate(places):
            # Where any free port will do, both families get the same.
            place = place if place.port is None else place.replace(port=port)
            voice.debug(f"Binding {messages.place(place)} ({place.scheme}).")
            try:
                listener = open_listener(place, BACKLOG)
            except ListenError as error:
                if _is_missing(error) and (opened or number + 1 < len(places)):
                    continue
                raise quitting(messages.cannot_bind(messages.place(place), reason_of(error))) from error
            except UsageError as error:
                raise quitting(f"{reason_of(error)}." if error.errno else sentence(error)) from error
            for each in listener.sockets:
                each.setsockopt(_socket.SOL_SOCKET, _socket.SO_KEEPALIVE, 0)  # ncat asks no idle peer if it is there
            listener.unlink = ""  # ncat leaves the path of a Unix domain socket where it is
            opened.append(listener)
            port = port or listener.addresses[0].port or 0
            bound = listener.addresses[0]
            if settings.vsock:
                bound = bound.replace(host=bound.host or str(ANY_CID))
            told = place.path if place.port is None else messages.place(bound)
            voice.tell(messages.listening(told))
            if settings.test:
                voice.line(messages.TEST_LISTEN)
    except BaseException:
        for listener in opened:
            listener.close()
        raise
    first = opened[0]
    for other in opened[1:]:
        first.join(other)
    if settings.tls and not settings.udp:
        from wirecat.cli.ncat.secure import secure_listener

        return secure_listener(first, settings, voice)
    return first


def _places(settings: Settings, operands: Operands) -> list[Address]:
    scheme = scheme_of(settings)
    # Datagrams have no end, and ncat waits for more of them for ever.
    options: tuple[tuple[str, str], ...] = (("idle", "0"),) if settings.udp else ()
    if settings.unixsock:
        return [Address(scheme, path=operands.path, options=options)]
    if settings.vsock:
        return [Address(scheme, operands.host, operands.port)]
    if operands.host:
        hosts = resolved(operands.host, settings, asks=not settings.nodns)[:1]
    else:
        hosts = [
            host for host in _EVERYWHERE if not ((settings.ipv4 and ":" in host) or (settings.ipv6 and ":" not in host))
        ]
    if scheme == "dtls":
        from wirecat.cli.ncat.secure import dtls_options

        options += dtls_options(settings, operands)
    return [Address(scheme, host, operands.port, options=options) for host in hosts]


def _is_missing(error: ListenError) -> bool:
    import errno

    return error.errno in {getattr(errno, name) for name in _NO_FAMILY}
