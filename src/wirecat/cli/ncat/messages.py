"""Every text that the dialect says, in ncat's wording, and the one that says them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.cli.environment import Environment

NCAT_VERSION = "7.99"
TRY_HELP = "Try `--help' or man(1) ncat for more information, usage options and help."
NO_HOST = "You must specify a host to connect to."
NO_PATH_TO_CONNECT = "You have to specify path to a socket to connect to."
NO_PATH_TO_LISTEN = "You have to specify path to a socket to listen on."
LISTEN_AND_SOURCE = (
    "-l and -s are incompatible.  Specify the address and port to bind to like you would a host to connect to."
)
LISTEN_AND_ZERO = "Services designed for LISTENING can't be used with -z"
ONE_COMMAND = "Only one of --exec, --sh-exec, and --lua-exec is allowed."
TRUSTFILE_TWICE = "The --ssl-trustfile option may be given only once."
BROKER_AND_EXEC = "Invalid option combination: --broker and -e."
PROXY_AND_LISTEN = "Invalid option combination: --proxy and -l."
MAX_CONNS_AND_CONNECT = "Invalid option combination: `--max-conns' with connect."
ACCESS_AND_CONNECT = "Invalid option combination: allow/deny with connect."
PROXY_TYPE_ALONE = "Proxy type (--proxy-type) specified without proxy address (--proxy)."
PROXY_AND_UNIX = "Proxy option not supported when using Unix domain sockets."
CERT_AND_KEY = "The --ssl-key and --ssl-cert options must be used together."
EMPTY_CERT = "SSL_CTX_use_certificate{}_file(): error:80000002:system library::No such file or directory."
EMPTY_CIPHERS = "Unable to set OpenSSL cipher list: error:0A0000B9:SSL routines::no cipher match"
EMPTY_ALPN = "SSL_CTX_set_alpn_protos: error:00000000:lib(0)::reason(0)."
EMPTY_SERVER_NAME = "SSL_set_tlsext_host_name failed: error:0A00013F:SSL routines::ssl3 ext invalid servername"
ALPN_AND_LISTEN = "ALPN is not supported in listen mode"
UDP_AND_KEEP_OPEN = "UDP mode does not support the -k or --keep-open options when connecting."
SENDS_NEITHER = "Invalid option combination: --send-only and --recv-only."
MAX_CONNS_IGNORED = "Warning: Maximum connections ignored, since it does not take effect without -k or --broker."
SOURCE_PATH_IGNORED = "Specifying source socket for other than DATAGRAM Unix domain sockets have no effect."
UNIX_AND_FAMILY = "Cannot use -4 or -6 with Unix domain sockets."
TOO_MANY_HOPS = "Sorry, you gave too many source route hops."
HOPS_AND_IPV6 = "Sorry, -g can only currently be used with IPv4."
PROXY_DNS = "Invalid proxy DNS type."
NO_UNIX = "Unix domain sockets are not supported by this system."
NO_VSOCK = "vsock sockets are not supported by this system."

TIMEOUT = "TIMEOUT."
IO_ERROR = "Input/output error."
VERIFICATION_ERROR = "Certificate verification error."
NEXT_ADDRESS = "Trying next address..."
NOT_ALLOWED = "New connection denied: not allowed"
UDP_SENT = "UDP packet sent successfully"
PROXY_FAILED = "Proxy connection failed."
TEMPORARY_KEY = "Generating a temporary key. Use --ssl-key and --ssl-cert to use a permanent one."
TEST_LISTEN = "NCAT TEST: LISTEN"


class Voice:
    """Says things on stderr. ``level`` is how often ``-v`` was given."""

    __slots__ = ("_environment", "level")

    def __init__(self, environment: Environment, level: int = 0) -> None:
        self._environment = environment
        self.level = level

    def say(self, text: str) -> None:
        """Say it whatever the level is."""
        self.line(f"Ncat: {text}")

    def tell(self, text: str) -> None:
        """Say it with ``-v``."""
        if self.level:
            self.say(text)

    def debug(self, text: str) -> None:
        """Say it with ``-vv``."""
        if self.level > 1:
            self.line(f"NCAT DEBUG: {text}")

    def line(self, text: str) -> None:
        """Write ``text`` as a line without ncat's name before it."""
        self._environment.write_messages([text])


def version() -> str:
    """What ``--version`` says, and ``-v`` first of all."""
    from wirecat._version import __version__

    return f"Version {NCAT_VERSION} (wirecat {__version__})"


def place(address: Address) -> str:
    """An address as messages name it: ``127.0.0.1:80``, ``[::1]:80``, or a path."""
    if address.port is None:
        return address.path
    host = address.host or ""
    return f"[{host}]:{address.port}" if ":" in host else f"{host}:{address.port}"


def connected(where: str) -> str:
    """TCP, UDP, a path: the connection stands."""
    return f"Connected to {where}."


def connected_tls(where: str, organisation: str) -> str:
    """The TLS connection stands."""
    return f"SSL connection to {where}.{f' {organisation}' if organisation else ''}"


def failed(host: str, reason: str) -> str:
    """One of several addresses failed."""
    return f"Connection to {host} failed: {reason}."


def fingerprint(digits: str) -> str:
    """The SHA-1 of a certificate, ``digits`` in hex, as 10 groups of 4."""
    digits = digits.upper()
    return "SHA-1 fingerprint: " + " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def not_verified(reason: str) -> str:
    """A certificate is not to be trusted."""
    return f"Certificate verification failed ({reason})."


def no_trust(path: str) -> str:
    """A file of certificates to trust is no use."""
    return f"Could not load trusted certificates from {path}."


def counts(sent: int, received: int, seconds: float) -> str:
    """The end of a connection that this side opened."""
    return f"{sent} bytes sent, {received} bytes received in {seconds:.2f} seconds."


def listening(where: str) -> str:
    """A listening socket is ready."""
    return f"Listening on {where}"


def connection_from(where: str, descriptor: int | None = None) -> str:
    """A client has come; the chat tells its descriptor too."""
    return f"Connection from {where}{'' if descriptor is None else f' on file descriptor {descriptor}'}."


def limit_reached(limit: int) -> str:
    """One client too many."""
    return f"New connection denied: connection limit reached ({limit})"


def cannot_bind(where: str, reason: str) -> str:
    """An address cannot be listened on, or gone out from."""
    return f"bind to {where}: {reason}."


def idle(milliseconds: int) -> str:
    """Nothing went either way for too long."""
    return f"Idle timeout expired ({milliseconds} ms)."


def unresolved(host: str, reason: str, what: str = "hostname") -> str:
    """A name has no address."""
    from wirecat.secret import hide_in_address

    return f'Could not resolve {what} "{hide_in_address(host)}": {reason}.'


def tls_failed(where: str, reason: str) -> str:
    """A client's TLS handshake failed."""
    return f"Failed SSL connection from {where}: {reason}"


def too_slow(where: str) -> str:
    """A client was cut off because it delayed the others. ncat, which lets them wait, has no words for it."""
    return f"Closed connection from {where}: too slow."


def resolved_by_proxy(host: str) -> str:
    """The name goes to the proxy as it is."""
    return f"Host {host} will be resolved by the proxy."


def resolved_here(host: str, address: str) -> str:
    """The name was looked up before the proxy is asked."""
    return f"Host {host} locally resolved to {address}."


def own_path(path: str) -> str:
    """The path that a client's datagrams come from."""
    return f"[{path}] used as source DGRAM Unix domain socket."


def own_path_removed(path: str) -> str:
    """It is gone again."""
    return f"Deleting source DGRAM Unix domain socket. [{path}]"
