"""How far a swarm has come: a small value that the verb hands out while it runs."""

from __future__ import annotations

from wirecat.immutable import Immutable

#: ``connecting``; ``connected``, told exactly once, when every client is connected or has failed and none has
#: sent yet; ``talking``; ``closing``, told once. ``knocking`` in place of all these where the clients only connect
#: and close: ``connected`` then counts connects, and ``rate`` is that of them.
PHASES = ("connecting", "connected", "talking", "closing", "knocking")


class SwarmProgress(Immutable):
    """Where a swarm is.

    ``phase`` is one of PHASES. ``clients``: how many were asked for; ``connected`` and ``failed``: how many
    were and have so far. ``sent`` and ``replies``: messages out and answered; ``wrong``: replies that were.
    ``seconds``: since the beginning of the phase. ``rate``: answered messages a second since the last time
    this was told.
    """

    __slots__ = ("phase", "clients", "connected", "failed", "sent", "replies", "wrong", "seconds", "rate")

    phase: str
    clients: int
    connected: int
    failed: int
    sent: int
    replies: int
    wrong: int
    seconds: float
    rate: float

    def __init__(
        self,
        *,
        phase: str,
        clients: int,
        connected: int,
        failed: int,
        sent: int,
        replies: int,
        wrong: int,
        seconds: float,
        rate: float,
    ) -> None:
        self._set(
            phase=phase, clients=clients, connected=connected, failed=failed, sent=sent, replies=replies,
            wrong=wrong, seconds=seconds, rate=rate,
        )  # fmt: skip
