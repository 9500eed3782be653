"""Connecting through a proxy: ``--proxy`` and its options, and the proxy's answers in ncat's words."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.cli.ncat import messages
from wirecat.cli.ncat.endings import Ending, network, quitting
from wirecat.cli.ncat.opening import connect_time, is_literal, outgoing, refusal, resolved
from wirecat.cli.ncat.reasons import NO_NAME, reason_of
from wirecat.deadline import Deadline
from wirecat.endpoints import open_stream
from wirecat.errors import BindError, NoAnswer, ProxyError, Refused, UsageError, WirecatError
from wirecat.secret import Secret, hide_in_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.ncat.checks import Operands
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings
    from wirecat.stream import Stream

DEFAULT_PORTS = {"http": 3128, "socks4": 1080, "socks5": 1080}
_PASSWORD, _NONE_ACCEPTABLE = 2, 255  # methods of RFC 1928 section 3
# RFC 1928 section 6, in ncat's words.
_SOCKS5 = {
    1: "general SOCKS server failure", 2: "connection not allowed by ruleset", 3: "Network unreachable",
    4: "Host unreachable", 5: "Connection refused", 6: "TTL expired", 7: "Command not supported",
    8: "Address type not supported",
}  # fmt: skip


def open_by_proxy(settings: Settings, operands: Operands, voice: Voice) -> Stream:
    """The stream that a proxy gives. Raises Ending."""
    kind = settings.proxy_type or "http"
    host, port = split_proxy(settings.proxy or "", DEFAULT_PORTS[kind])
    numbers = _proxy_address(host, settings)
    proxy = f"[{numbers}]:{port}" if ":" in numbers else f"{numbers}:{port}"
    target, told = _target(operands, settings, kind)
    options: list[tuple[str, str | Secret]] = [("proxy", f"{kind}://{proxy}"), *outgoing(settings)]
    if settings.proxy_auth:
        options.append(("proxy_auth", settings.proxy_auth))
    address = Address("tcp", target, operands.port, options=tuple(options))

    def tell() -> None:
        if kind != "http":
            voice.tell(f"Connected to proxy {proxy}")
        if told:
            voice.tell(told)

    try:
        stream = _open(address, Address("tcp", numbers, port), settings)
    except ProxyError as error:
        tell()
        raise _refused(error, kind, settings) from error
    except (UsageError, BindError) as error:
        raise quitting(f"{error.message}.") from error
    except NoAnswer as error:
        raise refusal(error, settings) from error
    except WirecatError as error:
        raise network(f"Proxy connection failed: {reason_of(error)}.") from error
    tell()
    return stream


def _open(address: Address, proxy: Address, settings: Settings) -> Stream:
    """Connect through the proxy; one on this machine may just be starting, see ``start_race``."""
    try:
        return open_stream(address, Deadline(connect_time(settings)))
    except Refused:
        from wirecat.cli.start_race import may_start_late, try_again

        if settings.zero or not may_start_late(proxy):
            raise
    return try_again(lambda: open_stream(address, Deadline(connect_time(settings))))


def split_proxy(text: str, default: int) -> tuple[str, int]:
    """Host and port of ``HOST[:PORT]``, ``[HOST]:PORT`` or an address in numbers. Raises Ending."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, ""
    if not port:
        return host, default
    if not (port.isascii() and port.isdigit()) or len(port) > 6 or not 0 < int(port) <= 65535:
        raise quitting(f'Invalid proxy port number "{hide_in_address(port)}".')
    return host, int(port)


def _proxy_address(host: str, settings: Settings) -> str:
    if not host:
        raise network(messages.unresolved(host, NO_NAME, "proxy"))
    try:
        return resolved(host, settings, "proxy", asks=not settings.nodns)[0]
    except Ending as error:  # for ncat this is the network's fault
        raise network(error.text.removesuffix(" QUITTING.")) from error


def _target(operands: Operands, settings: Settings, kind: str) -> tuple[str, str]:
    """The host to ask the proxy for, a name or numbers, and what is told about it."""
    host = operands.host or "localhost"
    where = settings.proxy_dns or "remote"
    if is_literal(host):
        if kind == "socks4" and ":" in host:
            raise network("Error: IPv6 addresses are not supported with Socks4.")
        return host, ""
    if where != "remote":
        found = [] if where == "none" else _looked_up(host, settings, kind)
        if found:
            return found[0], messages.resolved_here(host, found[0])
        if where != "both":
            raise network(f"Error: Failed to resolve host {host} locally.")
    return host, messages.resolved_by_proxy(host)


def _looked_up(host: str, settings: Settings, kind: str) -> list[str]:
    try:
        found = resolved(host, settings)
    except Ending:
        return []
    return [each for each in found if ":" not in each] if kind == "socks4" else found


def _refused(error: ProxyError, kind: str, settings: Settings) -> Ending:
    if settings.zero and not settings.verbose:
        return network("")
    if kind == "http":
        return _refused_by_http(error)
    if kind == "socks4":
        return network("Error: short response from proxy." if error.kind == "closed" else messages.PROXY_FAILED)
    if error.kind in ("credentials", "method") and error.status == _NONE_ACCEPTABLE:
        return network("Error: no acceptable authentication method proposed.")
    if error.kind == "method" or (
        error.kind == "credentials" and error.status == _PASSWORD and not settings.proxy_auth
    ):
        return network("Error: proxy selected invalid authentication method.")
    if error.kind == "credentials":
        return network("Error: authentication failed.")
    if error.kind == "closed":
        return network("Error: short response from proxy.")
    if error.kind == "malformed" and "no SOCKS" in error.message:
        return network("Error: wrong SOCKS version in connect response.")
    if error.kind == "malformed":
        return network("Error: malformed request response from proxy.")
    return network(f"Error: {_SOCKS5.get(error.status or 0, 'unassigned value in the reply')}.")


def _refused_by_http(error: ProxyError) -> Ending:
    if error.kind == "method":
        return quitting("Unknown authentication type.")
    if error.kind == "closed":
        return network("Error reading proxy response Status-Line.")
    return network(f"Proxy returned status code {-1 if error.status is None else error.status}.")
