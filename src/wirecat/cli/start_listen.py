"""The start of the verb ``listen``: opens its port, then loads what it needs for a client.

A client that is started together with it finds the port open only if it is opened early. A command line that takes a
parser to be read is read first.
"""

from __future__ import annotations

from wirecat.address import DEFAULT_ADDRESS, Address
from wirecat.cli.plain import join_address, plain_words
from wirecat.endpoints import open_listener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment

_FLAGS = ("-v", "--verbose", "-q", "--quiet", "--keep-open")  # those that do not change where it listens


def run(arguments: list[str], environment: Environment) -> int:
    """Listen and talk; exit code 0 after the client's orderly end."""
    words = plain_words(arguments, _FLAGS)
    opened = None
    if words is not None and len(words) <= 2:
        opened = open_listener(Address.parse(join_address(words) if words else DEFAULT_ADDRESS))
    try:
        from wirecat.cli.listen import listen_and_talk

        return listen_and_talk(arguments, environment, opened)
    finally:
        if opened is not None:
            opened.close()
