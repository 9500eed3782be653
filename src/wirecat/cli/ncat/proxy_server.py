"""``-l --proxy-type http``: an HTTP proxy server, as ncat has it."""

from __future__ import annotations

from wirecat.cli.ncat.many import serve_clients
from wirecat.server.handlers.proxy import Proxy
from wirecat.server.proxy_limits import NO_LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.ncat.reception import Reception

METHODS = ("CONNECT", "GET", "HEAD", "POST")
GATEWAY_TIMEOUT = 504  # ncat's answer wherever the server cannot be reached
BAD_REQUEST = 400
TOO_LARGE = 413  # ncat's answer to every head that is too long


def serve_proxy(reception: Reception) -> int:
    """Serve until a signal comes, with or without ``-k``. Raises Ending, Signalled."""
    settings = reception.settings
    user, _, password = ("" if settings.proxy_auth is None else settings.proxy_auth.reveal()).partition(":")
    proxy = Proxy(
        {user: password} if settings.proxy_auth else None, realm="Ncat", methods=METHODS, via="", version=(1, 0),
        keep=False, unreachable=GATEWAY_TIMEOUT, no_length=BAD_REQUEST, tunnels_to_itself=True,
        limits=NO_LIMITS,
        statuses=dict.fromkeys((414, 431), TOO_LARGE), any_version=True,
    )  # fmt: skip
    return serve_clients(proxy, reception)
