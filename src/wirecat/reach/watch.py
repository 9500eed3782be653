"""Wait until somebody else really connects to a port, and say from where: the proof that needs no second wirecat."""

from __future__ import annotations

from wirecat.reach.listening import look_at_listeners
from wirecat.system.interfaces import list_interfaces
from wirecat.system.routes import default_routes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# How often the table of sockets is read: a connection that is closed at once stays in it longer (TIME-WAIT).
INTERVAL = 0.2


def watch(
    port: int, wait: Callable[[float], bool], places: tuple[str, ...] = ("lan", "internet")
) -> tuple[str, str] | None:
    """The place ("lan" or "internet") and the address of the first who connects, or is connected already.

    ``wait(seconds)`` waits between two looks, and returns True to end without one: then the answer is None. Raises
    WirecatError where the system does not let its socket table be read.
    """
    interfaces, gateways = list_interfaces(), [route.gateway for route in default_routes()]
    while True:
        came = look_at_listeners(port, interfaces, gateways).came
        for place in places:
            if place in came:
                return place, came[place]
        if wait(INTERVAL):
            return None
