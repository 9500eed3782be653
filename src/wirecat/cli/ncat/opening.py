"""From the options to an open connection: names resolved, one address after the other tried, TLS begun."""

from __future__ import annotations

import _socket
import errno

from wirecat.address import Address
from wirecat.cli.ncat import messages
from wirecat.cli.ncat.endings import Ending, network, quitting
from wirecat.cli.ncat.reasons import NO_NAME, lookup_reason, reason_of, sentence
from wirecat.deadline import Deadline
from wirecat.endpoints import open_stream
from wirecat.endpoints.resolve import resolve
from wirecat.errors import BindError, NoAnswer, Refused, TlsError, UnknownHost, UsageError, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.ncat.checks import Operands
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings
    from wirecat.stream import Stream

CONNECT_TIME = 10.0  # seconds for each address, unless -w says otherwise


def open_to(settings: Settings, operands: Operands, voice: Voice) -> Stream:
    """The open stream that the options ask for. Raises Ending."""
    context = None
    if settings.tls and not settings.udp:  # what is wrong with it is told before anybody is called
        from wirecat.cli.ncat.secure import context_of

        context = context_of(settings)
    if settings.proxy is not None:
        from wirecat.cli.ncat.proxy_client import open_by_proxy

        stream = open_by_proxy(settings, operands, voice)
    else:
        if settings.unixsock and settings.udp and settings.source:
            voice.tell(messages.own_path(settings.source))
        stream = _first_that_answers(_targets(settings, operands), settings, voice)
    if context is not None:
        from wirecat.cli.ncat.secure import secure_client

        return secure_client(stream, context, settings, operands, voice)
    return stream


def connect_time(settings: Settings) -> float:
    """Seconds for connecting to one address."""
    return CONNECT_TIME if settings.wait is None else settings.wait


def scheme_of(settings: Settings) -> str:
    """The library's scheme for the kind of socket that is asked for; TLS is put on top of it where it is a stream."""
    if settings.unixsock:
        return "unixgram" if settings.udp else "unix"
    if settings.vsock:
        return "vsock"
    if settings.sctp:
        return "sctp"
    if settings.udp:
        return "dtls" if settings.tls else "udp"
    return "tcp"


def resolved(host: str, settings: Settings, what: str = "hostname", *, asks: bool = True) -> list[str]:
    """The addresses in numbers of a host, in the system's order. Raises Ending for a name that has none.

    ``asks`` is False where names are not looked up (``-n``).
    """
    family = "4" if settings.ipv4 or settings.hops is not None else "6" if settings.ipv6 else ""
    target = Address("tcp", host, 1, options=(("family", family),) if family else ())
    if not asks and host and not is_literal(host):
        raise quitting(messages.unresolved(host, NO_NAME, what))
    try:
        found = resolve(target, Deadline(None))
    except UnknownHost as error:
        raise quitting(messages.unresolved(host, lookup_reason(error), what)) from error
    except UsageError as error:  # an international name, and no package to encode it
        raise quitting(sentence(error)) from error
    return [_numbers(place) for _, place in found]


def outgoing(settings: Settings) -> tuple[tuple[str, str], ...]:
    """The address options that ``-s``, ``-p`` and ``-g`` make: where to go out from, and by which way."""
    options: list[tuple[str, str]] = []
    host = settings.source or ""
    if host and not settings.unixsock:
        host = resolved(host, settings, "source address", asks=not settings.nodns)[0]
        host = f"[{host}]" if ":" in host else host
    port = f":{settings.source_port}" if settings.source_port else ""
    if host or port:
        options.append(("source", host + port))
    if settings.hops:
        from wirecat.cli.ncat.source_route import route_option

        options.append(("route", route_option(settings)))
    return tuple(options)


def _targets(settings: Settings, operands: Operands) -> list[Address]:
    scheme = scheme_of(settings)
    if settings.unixsock:
        own = (("source", settings.source),) if settings.source and settings.udp else ()
        return [Address(scheme, path=operands.path, options=own)]
    if settings.vsock:
        return [Address(scheme, operands.host, operands.port)]
    options = outgoing(settings)
    if scheme == "dtls":
        from wirecat.cli.ncat.secure import dtls_options

        options += dtls_options(settings, operands)
    hosts = resolved(operands.host, settings, asks=not settings.nodns)
    return [Address(scheme, host, operands.port, options=options) for host in hosts]


def _first_that_answers(targets: list[Address], settings: Settings, voice: Voice) -> Stream:
    """Each address in turn, each with its own time, as ncat does it. (The library's own verbs race them, RFC 8305.)"""
    for number, target in enumerate(targets, start=1):
        voice.debug(f"Connecting to {messages.place(target)} ({target.scheme}), {connect_time(settings):g} s at most.")
        if target.port == 0:  # where nobody can listen
            raise refusal(Refused("connection refused", errno=errno.ECONNREFUSED), settings)
        try:
            stream = _open(target, settings, is_last=number == len(targets))
        except (UsageError, BindError) as error:
            raise _cannot_go_out(error, target) from error
        except TlsError as error:  # DTLS, which shakes hands as it opens
            from wirecat.cli.ncat.secure import handshake_ending

            raise handshake_ending(error, settings, voice) from error
        except WirecatError as error:
            if number == len(targets):
                raise refusal(error, settings) from error
            reason = "TIMEOUT" if isinstance(error, NoAnswer) else reason_of(error)
            voice.tell(messages.failed(target.host or target.path, reason))
            voice.tell(messages.NEXT_ADDRESS)
            continue
        if settings.tls and settings.udp:
            from wirecat.cli.ncat.secure import tell_secured

            tell_secured(getattr(stream, "tls", None), target, settings, voice)
        elif not settings.tls:
            voice.tell(messages.connected(messages.place(target)))
        return stream
    raise AssertionError("resolve gives at least one address")


def _open(target: Address, settings: Settings, *, is_last: bool) -> Stream:
    """Connect. A refusal by this machine is not the last word at once, see ``start_race``; for ``-z`` it is the answer."""
    try:
        return open_stream(target, Deadline(connect_time(settings)))
    except Refused:
        from wirecat.cli.start_race import may_start_late, try_again

        if settings.zero or not is_last or not may_start_late(target):
            raise
    return try_again(lambda: open_stream(target, Deadline(connect_time(settings))))


def refusal(error: WirecatError, settings: Settings) -> Ending:
    """The end that a failure to connect makes. ``-z`` says nothing of it unless asked to."""
    if settings.zero and not settings.verbose:
        return network("")
    return network(messages.TIMEOUT if isinstance(error, NoAnswer) else f"{reason_of(error)}.")


def _cannot_go_out(error: UsageError | BindError, target: Address) -> Ending:
    source = target.option("source")
    if target.scheme in ("sctp", "vsock") and error.errno:  # the kernel has none of it
        return network(f"{reason_of(error)}.")
    return quitting(messages.cannot_bind(source, reason_of(error)) if source and error.errno else sentence(error))


def _numbers(place: tuple[str, int] | tuple[str, int, int, int]) -> str:
    host = place[0]
    if len(place) == 4 and place[3] and "%" not in host:
        return f"{host}%{place[3]}"
    return host


def is_literal(host: str) -> bool:
    """Whether it is an address in numbers."""
    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            _socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return True
    return False
