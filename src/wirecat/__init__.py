"""wirecat: the whole life of a TCP conversation, as a command and as a library.

    talk    connect, connect_async, listen, wait          serve   serve
    crowd   swarm                                         watch   sockets
    join    relay                                         keep    Recorder, RecordingTap, replay
    reach   reach, expose, announce, browse               show    tour, report

The words, and what they mean here:

    Address      whatever bytes can come from or go to: ``12345``, ``host:12345``, ``unix:///path``
    Connection   an open stream with two directions; AsyncConnection is the same on an event loop
    Handler      what answers a client: a function, an async function, or a Responder
    Responder    a handler without I/O: ``receive(data) -> bytes | None``
    Server       accepts, admits, hands to the handler, and sees every connection to its end
    Event        something that happened (Listening, Opened, Closed, …), with its time and without payload
    Tap          what looks at, or alters, the bytes of a connection while they flow
    half-close   telling the peer that nothing more will be sent, while still receiving
    drain        what a stopping server grants its open connections: a time to end by themselves

The names below are resolved when they are first used: ``import wirecat`` costs next to nothing.
"""

from __future__ import annotations

from wirecat._version import __version__ as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address as Address
    from wirecat.app.report import report as report
    from wirecat.app.tour import tour as tour
    from wirecat.async_connection import AsyncConnection as AsyncConnection
    from wirecat.connection import Connection as Connection
    from wirecat.errors import AddressError as AddressError
    from wirecat.errors import BindError as BindError
    from wirecat.errors import CertificateError as CertificateError
    from wirecat.errors import ConnectionBroken as ConnectionBroken
    from wirecat.errors import ConnectionClosed as ConnectionClosed
    from wirecat.errors import DeadlineExpired as DeadlineExpired
    from wirecat.errors import HandlerError as HandlerError
    from wirecat.errors import IncompleteReceive as IncompleteReceive
    from wirecat.errors import LineTooLong as LineTooLong
    from wirecat.errors import ListenError as ListenError
    from wirecat.errors import NetworkError as NetworkError
    from wirecat.errors import NoAnswer as NoAnswer
    from wirecat.errors import NotExposed as NotExposed
    from wirecat.errors import ProxyError as ProxyError
    from wirecat.errors import Refused as Refused
    from wirecat.errors import TlsError as TlsError
    from wirecat.errors import UnknownHost as UnknownHost
    from wirecat.errors import Unreachable as Unreachable
    from wirecat.errors import UsageError as UsageError
    from wirecat.errors import WirecatError as WirecatError
    from wirecat.events import Closed as Closed
    from wirecat.events import Denied as Denied
    from wirecat.events import Event as Event
    from wirecat.events import Failed as Failed
    from wirecat.events import HalfClosed as HalfClosed
    from wirecat.events import Listening as Listening
    from wirecat.events import Missed as Missed
    from wirecat.events import Opened as Opened
    from wirecat.events import Stopped as Stopped
    from wirecat.events import Stopping as Stopping
    from wirecat.port_mapping.mapping import Mapping as Mapping
    from wirecat.reach.announce import Announcement as Announcement
    from wirecat.reach.announce import announce as announce
    from wirecat.reach.browse import AnnouncedServer as AnnouncedServer
    from wirecat.reach.browse import browse as browse
    from wirecat.reach.expose import Exposure as Exposure
    from wirecat.reach.expose import expose as expose
    from wirecat.reach.reach import reach as reach
    from wirecat.reach.report import ReachReport as ReachReport
    from wirecat.recording.recorder import Recorder as Recorder
    from wirecat.recording.replay import replay as replay
    from wirecat.recording.tap import RecordingTap as RecordingTap
    from wirecat.relay.relay import relay as relay
    from wirecat.server.registry import ConnectionInfo as ConnectionInfo
    from wirecat.server.responder import Responder as Responder
    from wirecat.server.server import Server as Server
    from wirecat.server.server import serve as serve
    from wirecat.sockets.listing import sockets as sockets
    from wirecat.swarm.result import SwarmResult as SwarmResult
    from wirecat.swarm.swarm import swarm as swarm
    from wirecat.system.socket_row import SocketRow as SocketRow
    from wirecat.talk import ConnectionListener as ConnectionListener
    from wirecat.talk import connect as connect
    from wirecat.talk import connect_async as connect_async
    from wirecat.talk import listen as listen
    from wirecat.talk import wait as wait
    from wirecat.taps.tap import Tap as Tap

_HOMES = {
    "wirecat.address": ("Address",),
    "wirecat.app.report": ("report",),
    "wirecat.app.tour": ("tour",),
    "wirecat.async_connection": ("AsyncConnection",),
    "wirecat.connection": ("Connection",),
    "wirecat.errors": (
        "AddressError", "BindError", "CertificateError", "ConnectionBroken", "ConnectionClosed", "DeadlineExpired",
        "HandlerError", "IncompleteReceive", "LineTooLong", "ListenError", "NetworkError", "NoAnswer", "NotExposed",
        "ProxyError", "Refused", "TlsError", "UnknownHost", "Unreachable", "UsageError", "WirecatError",
    ),
    "wirecat.events": (
        "Closed", "Denied", "Event", "Failed", "HalfClosed", "Listening", "Missed", "Opened", "Stopped", "Stopping",
    ),
    "wirecat.relay.relay": ("relay",),
    "wirecat.reach.announce": ("Announcement", "announce"),
    "wirecat.reach.browse": ("AnnouncedServer", "browse"),
    "wirecat.reach.expose": ("Exposure", "expose"),
    "wirecat.port_mapping.mapping": ("Mapping",),
    "wirecat.reach.reach": ("reach",),
    "wirecat.reach.report": ("ReachReport",),
    "wirecat.recording.recorder": ("Recorder",),
    "wirecat.recording.replay": ("replay",),
    "wirecat.recording.tap": ("RecordingTap",),
    "wirecat.server.registry": ("ConnectionInfo",),
    "wirecat.server.responder": ("Responder",),
    "wirecat.server.server": ("Server", "serve"),
    "wirecat.sockets.listing": ("sockets",),
    "wirecat.swarm.result": ("SwarmResult",),
    "wirecat.swarm.swarm": ("swarm",),
    "wirecat.system.socket_row": ("SocketRow",),
    "wirecat.talk": ("ConnectionListener", "connect", "connect_async", "listen", "wait"),
    "wirecat.taps.tap": ("Tap",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]  # noqa: PLE0604  they are strings


def __getattr__(name: str) -> object:
    import sys

    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'wirecat' has no attribute {name!r}")
    __import__(home)
    value = getattr(sys.modules[home], name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _keep_verbs_in_sight() -> None:
    """Let ``wirecat.swarm`` stay the verb when the room ``wirecat/swarm`` is imported, which would cover its name."""
    import sys

    module_type = type(sys)

    class Package(module_type):  # type: ignore[valid-type,misc]
        def __setattr__(self, name: str, value: object) -> None:
            if not (name in _HOME_OF and isinstance(value, module_type)):
                super().__setattr__(name, value)

    sys.modules[__name__].__class__ = Package


_keep_verbs_in_sight()
