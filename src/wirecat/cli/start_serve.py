"""The start of the verb ``serve``: opens its port, then loads the server.

A client that is started together with it finds the port open only if it is opened early. That is done for a command line
which no parser is needed for, and for a built-in handler that is known to be all right: everything else is checked first.
"""

from __future__ import annotations

from wirecat.address import DEFAULT_ADDRESS, Address
from wirecat.cli.plain import join_address, plain_words
from wirecat.endpoints import open_listener
from wirecat.server.handlers import BUILT_IN, FUNCTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment
    from wirecat.endpoints.listener import Listener

_FLAGS = ("-v", "--verbose", "-q", "--quiet", "--once", "--json")  # those that change neither the port nor the handler


def run(arguments: list[str], environment: Environment) -> int:
    """Serve until stopped; exit code 0 after a drain, 128 + n when signal n came a second time."""
    opened = _open_early(arguments)
    try:
        from wirecat.cli.serve import serve_until_stopped

        return serve_until_stopped(arguments, environment, opened)
    finally:
        if opened is not None:
            opened.close()


def _open_early(arguments: list[str]) -> Listener | None:
    """The listener, where nothing that is checked later can be wrong; None for any other command line.

    Raises what opening it raises.
    """
    words = plain_words(arguments, _FLAGS)
    if words is None or not 1 <= len(words) <= 3:
        return None
    handler, *where = words
    name, _, argument = handler.partition(":")
    row = BUILT_IN.get(name)
    if row is None or row.guarded or bool(argument) != bool(row.argument) or (argument and row.colour == FUNCTION):
        return None
    address = Address.parse(join_address(where) if where else DEFAULT_ADDRESS)
    if address.scheme != "tcp":
        return None
    if argument:
        __import__(row.module)
        import sys

        sys.modules[row.module].make(argument)  # which raises HandlerError for an argument that is no use
    return open_listener(address)
