"""``-l --proxy-type http``: an HTTP proxy server, as ncat has it."""

from __future__ import annotations

from wirecat.cli.ncat.many import serve_clients
from wirecat.server.handlers.proxy import Proxy
from wirecat.server.proxy_limits import NO_LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment
    from wirecat.cli.ncat.checks import Operands
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings

METHODS = ("CONNECT", "GET", "HEAD", "POST")
GATEWAY_TIMEOUT = 504  # ncat's answer wherever the server cannot be reached
BAD_REQUEST = 400


def serve_proxy(settings: Settings, operands: Operands, voice: Voice, environment: Environment) -> int:
    """Serve until a signal comes, with or without ``-k``. Raises Ending, Signalled."""
    user, _, password = ("" if settings.proxy_auth is None else settings.proxy_auth.reveal()).partition(":")
    proxy = Proxy(
        {user: password} if settings.proxy_auth else None, realm="Ncat", methods=METHODS, via="", version=(1, 0),
        keep=False, unreachable=GATEWAY_TIMEOUT, no_length=BAD_REQUEST, tunnels_to_itself=True,
        limits=NO_LIMITS,
    )  # fmt: skip
    return serve_clients(proxy, settings, operands, voice)
