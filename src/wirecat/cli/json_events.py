"""What listens to a server's events and writes them to standard output, one JSON object a line."""

from __future__ import annotations

from wirecat.views.json_server import event_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.cli.environment import Environment
    from wirecat.events import Event


def json_listener(environment: Environment) -> Callable[[Event], None]:
    """The listener. Where nobody reads its output any more it says so, once, and no more."""
    open_still = True

    def tell(event: Event) -> None:
        nonlocal open_still
        if not open_still:
            return
        try:
            environment.write(event_line(event) + "\n")
        except OSError as error:
            # A server goes on serving though its log's reader has gone; it says so once.
            open_still = False
            environment.message(f"{error}: events are no longer written, clients are still served")

    return tell
