"""Which options go together, and what the operands mean: all of it judged in one place, before any socket opens."""

from __future__ import annotations

import _socket

from wirecat.cli.ncat import messages
from wirecat.cli.ncat.endings import quitting
from wirecat.cli.ncat.settings import DEFAULT_PORT, read_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings

PROXY_PORT = 3128
ANY_CID = 0xFFFFFFFF  # VMADDR_CID_ANY (vsock(7)): every number of this machine
PROXY_TYPES = ("http", "socks4", "socks5")
PROXY_DNS_TYPES = ("local", "remote", "both", "none")


class Operands:
    """Where to connect to or to listen: ``host`` is empty for every interface, ``path`` is set for Unix domain
    sockets."""

    __slots__ = ("host", "path", "port")

    def __init__(self, host: str = "", port: int = DEFAULT_PORT, path: str = "") -> None:
        self.host = host
        self.port = port
        self.path = path


def check(settings: Settings, voice: Voice) -> Operands:
    """Judge the options, give the operands their meaning. Raises Ending for what cannot be."""
    if settings.broker:
        settings.listen = True
    if settings.allowfile or settings.denyfile:
        from wirecat.cli.ncat.admission import listed

        settings.allow = [*settings.allow, *listed(settings.allowfile)]
        settings.deny = [*settings.deny, *listed(settings.denyfile)]
    if not settings.proxy:  # an empty one is none
        settings.proxy = None
    if sum(command is not None for command in (settings.exec, settings.sh_exec, settings.lua_exec)) > 1:
        raise quitting(messages.ONE_COMMAND)
    _check_proxy(settings)
    _check_tls(settings)
    if settings.proxy_dns is not None and settings.proxy_dns not in PROXY_DNS_TYPES:
        raise quitting(messages.PROXY_DNS)
    if settings.unixsock and not hasattr(_socket, "AF_UNIX"):
        raise quitting(messages.NO_UNIX)
    if settings.vsock and not hasattr(_socket, "AF_VSOCK"):
        raise quitting(messages.NO_VSOCK)
    if settings.lua_exec is not None:
        from wirecat.cli.ncat.lua import check_script, lua_words

        lua_words()
        check_script(settings.lua_exec)
    if settings.listen:
        _check_listener(settings, voice)
        operands = _listen_operands(settings)
    else:
        _check_client(settings, voice)
        operands = _connect_operands(settings)
    if settings.vsock and (operands.host or not settings.listen) and not _is_cid(operands.host):
        raise quitting(f'Invalid CID "{operands.host}".')
    return operands


def _check_proxy(settings: Settings) -> None:
    kind = settings.proxy_type
    if settings.proxy is not None:
        if kind is not None and kind not in PROXY_TYPES:
            raise quitting(f'Invalid proxy type "{kind}".')
        if settings.listen:
            raise quitting(messages.PROXY_AND_LISTEN)
        if settings.unixsock:
            raise quitting(messages.PROXY_AND_UNIX)
    elif kind is not None and not settings.listen:
        raise quitting(messages.PROXY_TYPE_ALONE)
    elif kind is not None and kind != "http":
        raise quitting(f'Invalid proxy type "{kind}"; Ncat proxy server only supports "http".')


def _check_tls(settings: Settings) -> None:
    """An empty file, list or name is not the same as none: it is used, and fails as OpenSSL fails."""
    if settings.ssl_trustfile is not None:  # who names trusted certificates wants them checked
        settings.ssl_verify = True
    if (settings.ssl_cert is None) != (settings.ssl_key is None):
        raise quitting(messages.CERT_AND_KEY)
    if "" in (settings.ssl_cert, settings.ssl_key):
        raise quitting(messages.EMPTY_CERT.format("_chain" if settings.listen else ""))
    if settings.ssl_ciphers == "":
        raise quitting(messages.EMPTY_CIPHERS)
    if settings.listen:
        return
    if settings.ssl_trustfile == "":
        raise quitting(messages.no_trust(""))
    if settings.ssl_alpn == "":
        raise quitting(messages.EMPTY_ALPN)


def _check_listener(settings: Settings, voice: Voice) -> None:
    if settings.source is not None:
        raise quitting(messages.LISTEN_AND_SOURCE)
    if settings.zero:
        raise quitting(messages.LISTEN_AND_ZERO)
    if settings.ssl_alpn is not None:
        raise quitting(messages.ALPN_AND_LISTEN)
    crowd = settings.broker or settings.chat
    if crowd and settings.command is not None:
        raise quitting(messages.BROKER_AND_EXEC)
    if settings.max_conns is not None and not (settings.keep_open or crowd or settings.proxy_type):
        voice.say(messages.MAX_CONNS_IGNORED)


def _check_client(settings: Settings, voice: Voice) -> None:
    if settings.allow or settings.deny:
        raise quitting(messages.ACCESS_AND_CONNECT)
    if settings.max_conns is not None:
        raise quitting(messages.MAX_CONNS_AND_CONNECT)
    if settings.udp and settings.keep_open:
        raise quitting(messages.UDP_AND_KEEP_OPEN)
    if settings.source is not None and settings.unixsock and not settings.udp:
        voice.tell(messages.SOURCE_PATH_IGNORED)


def _connect_operands(settings: Settings) -> Operands:
    words = settings.operands
    if settings.unixsock:
        if not words:
            raise quitting(messages.NO_PATH_TO_CONNECT)
        return Operands(path=_only_path(words))
    if not words:
        raise quitting(messages.NO_HOST)
    if len(words) > 2:
        raise quitting(f"Got more than one port specification: {' '.join(words[1:])}.")
    return Operands(words[0], _port(words[1], settings) if len(words) == 2 else DEFAULT_PORT)


def _listen_operands(settings: Settings) -> Operands:
    words = settings.operands
    if settings.unixsock:
        if not words:
            raise quitting(messages.NO_PATH_TO_LISTEN)
        return Operands(path=_only_path(words))
    found = Operands(port=PROXY_PORT if settings.proxy_type is not None else DEFAULT_PORT)
    # A number alone is a port, anything else a host.
    rest = list(words)
    if rest and ((settings.vsock and len(rest) > 1) or not (rest[0].isascii() and rest[0].isdigit())):
        found.host = rest.pop(0)
    ports = [] if settings.source_port is None else [str(settings.source_port)]
    ports += rest
    if len(ports) > 1:
        raise quitting(f"Got more than one port specification: {' '.join(ports)}.")
    if ports:
        found.port = _port(ports[0], settings)
    return found


def _is_cid(text: str) -> bool:
    """Whether it is the number of a machine, as vsock has it (vsock(7)): 32 bits."""
    return text.isascii() and text.isdigit() and int(text) <= ANY_CID


def _only_path(words: list[str]) -> str:
    if len(words) > 1:
        raise quitting(f'Invalid port number "{words[1]}".')
    return words[0]


def _port(text: str, settings: Settings) -> int:
    """A port; those of vsock have 32 bits (vsock(7))."""
    if settings.vsock and text.isascii() and text.isdigit() and int(text) < 1 << 32:
        return int(text)
    return read_port(text)
