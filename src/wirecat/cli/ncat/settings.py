"""What the options of one command line say, as values, each checked by itself (combinations: ``checks``)."""

from __future__ import annotations

from wirecat.cli.getopt import scan
from wirecat.cli.ncat.endings import Ending, quitting
from wirecat.cli.ncat.messages import ONE_COMMAND, TRUSTFILE_TWICE, TRY_HELP
from wirecat.cli.ncat.options import COUNT, FILES, FLAG, HOSTS, NUMBER, OPTIONS, PORT, TIME
from wirecat.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.cli.getopt import Option
    from wirecat.secret import Secret

DEFAULT_PORT = 31337
LARGEST_PORT = 65535
_ONCE = {  # what may be said once only, and the complaint
    "exec": ONE_COMMAND,
    "sh_exec": ONE_COMMAND,
    "lua_exec": ONE_COMMAND,
    "ssl_trustfile": TRUSTFILE_TWICE,
    **{
        name: f"You can't specify more than one --{name.replace('_', '-')}."
        for name in ("proxy", "proxy_type", "proxy_auth")
    },
}
LARGEST_HOP_POINTER = 28  # RFC 791 section 3.1: 9 addresses of 4 bytes, the pointer counted from 4


class Settings:
    """The options as values: flags are bool, times seconds, what was not given None, 0, ``""`` or an empty list.

    ``operands`` are the words that are no options.
    """

    __slots__ = (
        "allow", "allowfile", "append_output", "broker", "chat", "crlf", "delay", "deny", "denyfile", "exec",
        "help", "hex_dump", "hop_pointer", "hops", "idle_timeout", "ipv4", "ipv6", "keep_open", "listen",
        "lua_exec", "max_conns", "no_shutdown", "nodns", "nsock_engine", "operands", "output", "proxy",
        "proxy_auth", "proxy_dns", "proxy_type", "quit_after", "record", "recv_only", "sctp", "send_only", "sh_exec",
        "source", "source_port", "ssl", "ssl_alpn", "ssl_cert", "ssl_ciphers", "ssl_key", "ssl_servername",
        "ssl_trustfile", "ssl_verify", "telnet", "test", "udp", "unixsock", "verbose", "version", "vsock",
        "wait", "zero",
    )  # fmt: skip

    operands: list[str]
    ipv4: bool
    ipv6: bool
    unixsock: bool
    vsock: bool
    crlf: bool
    sh_exec: str | None
    exec: str | None
    lua_exec: str | None
    hops: str | None
    hop_pointer: int | None
    max_conns: int | None
    help: bool
    delay: float | None
    output: str | None
    hex_dump: str | None
    record: str | None
    idle_timeout: float | None
    source_port: int | None
    source: str | None
    listen: bool
    keep_open: bool
    nodns: bool
    telnet: bool
    udp: bool
    sctp: bool
    verbose: int
    wait: float | None
    zero: bool
    quit_after: float | None
    append_output: bool
    send_only: bool
    recv_only: bool
    no_shutdown: bool
    allow: list[str]
    allowfile: list[str]
    deny: list[str]
    denyfile: list[str]
    broker: bool
    chat: bool
    proxy: str | None
    proxy_type: str | None
    proxy_auth: Secret | None
    proxy_dns: str | None
    ssl: bool
    ssl_cert: str | None
    ssl_key: str | None
    ssl_verify: bool
    ssl_trustfile: str | None
    ssl_ciphers: str | None
    ssl_servername: str | None
    ssl_alpn: str | None
    nsock_engine: str | None
    test: bool
    version: bool

    def __init__(self) -> None:
        self.operands = []
        for option in OPTIONS:
            setattr(self, option.sets, _unset(option.kind))

    @property
    def tls(self) -> bool:
        """Whether TLS is asked for: any of its options does so."""
        said = (
            self.ssl_cert, self.ssl_key, self.ssl_trustfile, self.ssl_ciphers, self.ssl_servername, self.ssl_alpn,
        )  # fmt: skip
        return self.ssl or self.ssl_verify or any(value is not None for value in said)

    @property
    def command(self) -> str | None:
        """The program to run, whichever option names it."""
        for command in (self.exec, self.sh_exec, self.lua_exec):
            if command is not None:
                return command
        return None


def read(arguments: list[str], at_once: Callable[[Option], None]) -> Settings:
    """The settings of a command line. ``at_once(option)`` is called at ``--help`` and ``--version``, which come before
    any error behind them. Raises Ending for what cannot be read."""
    settings = Settings()
    try:
        for option, value in scan(arguments, OPTIONS, settings.operands):
            if option.sets in ("help", "version"):
                at_once(option)
            if option.sets in ("ipv4", "ipv6"):  # the last one counts
                settings.ipv4 = settings.ipv6 = False
            setattr(settings, option.sets, _read(option, value, getattr(settings, option.sets)))
    except UsageError as error:
        raise Ending(f"{TRY_HELP} QUITTING.", 2, complaint=f"ncat: {error}") from error
    return settings


def read_port(text: str) -> int:
    """A port of the command line; an empty word is port 0, as it is for ncat. Raises Ending."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > 6 or int(text) > LARGEST_PORT:
        raise quitting(f'Invalid port number "{text}".')
    return int(text)


def _unset(kind: str) -> object:
    return {FLAG: False, COUNT: 0, HOSTS: [], FILES: []}.get(kind)


def _read(option: Option, value: str, before: object) -> object:
    kind = option.kind
    if kind == FLAG:
        return True
    if kind == COUNT:
        assert isinstance(before, int)
        return before + 1
    if kind == HOSTS:
        assert isinstance(before, list)
        return [*before, *([host for host in value.split(",") if host] or [""])]  # an empty list allows no host
    if kind == FILES:
        assert isinstance(before, list)
        return [*before, value]
    if before is not None and option.sets in _ONCE:
        raise quitting(_ONCE[option.sets])
    if option.sets == "proxy_auth":
        from wirecat.secret import Secret

        return Secret(value)
    if kind == TIME:
        return _time(option, value)
    if kind == PORT:
        return _source_port(value)
    if option.sets == "nsock_engine" and not value:
        raise quitting("Unknown or non-available engine: .")
    if option.sets == "hops" and isinstance(before, str):
        return f"{before},{value}"
    if kind == NUMBER:
        return _hop_pointer(value) if option.sets == "hop_pointer" else _max_conns(value)
    return value


def _time(option: Option, value: str) -> float:
    from wirecat.cli.ncat.times import FOREVER, LONGEST, read_time

    seconds = read_time(value)
    if option.sets == "quit_after" and seconds is not None and seconds <= 0:
        return FOREVER if seconds < 0 else 0.0
    if seconds is None or not 0 < seconds < LONGEST:
        what = "delay" if option.sets == "delay" else "timeout"
        raise quitting(f'Invalid -{option.short} {what} "{value}" (must be greater than 0 and less than {LONGEST}s).')
    return seconds


def _source_port(value: str) -> int:
    if not value:  # what ncat makes of it
        return 0
    if not (value.isascii() and value.isdigit()):
        raise quitting(f'Invalid source port number "{value}".')
    if len(value) > 6 or int(value) > LARGEST_PORT:
        raise quitting(f"Invalid source port {value[:20]}.")
    return int(value)


def _hop_pointer(value: str) -> int:
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 6 else -1
    if number not in range(4, LARGEST_HOP_POINTER + 1, 4):
        raise quitting(f"Invalid source-route hop pointer {value or 0}.")
    return number


def _max_conns(value: str) -> int:
    if not value:  # an empty limit is 0 to ncat, and admits nobody
        return 0
    if not (value.isascii() and value.isdigit()) or len(value) > 9:
        raise quitting(f'Invalid maximum number of connections "{value}".')
    return int(value)
