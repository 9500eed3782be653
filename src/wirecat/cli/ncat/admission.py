"""Who may come in: ``--allow``, ``--deny`` and their files, as one access list of the library."""

from __future__ import annotations

from wirecat.cli.ncat.endings import quitting
from wirecat.cli.ncat.reasons import sentence
from wirecat.errors import WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.ncat.settings import Settings
    from wirecat.stream import Stream


class Admission:
    """The access list of the options; ``allow`` and ``deny`` are its texts. Raises Ending for what is no host."""

    def __init__(self, settings: Settings) -> None:
        self.allow = settings.allow
        self.deny = settings.deny
        self._list = None
        if self.allow or self.deny:
            from wirecat.server.access import AccessList

            _require_zones([*self.allow, *self.deny])
            try:
                self._list = AccessList(self.allow, self.deny)
            except WirecatError as error:
                raise quitting(sentence(error)) from error

    def permits(self, stream: Stream) -> bool:
        """Whether a client may come in; one on a Unix domain socket has been let in by the path's permissions."""
        host = stream.peer.host
        return self._list is None or not host or self._list.permits(host)


def _require_zones(texts: list[str]) -> None:
    """Raise Ending for a zone that no interface here has, as ncat does. (The library's rules wait for such a one.)"""
    import socket

    here = {text for index, name in socket.if_nameindex() for text in (name, str(index))}
    for word in ",".join(texts).replace(" ", "").split(","):
        zone = word.strip("[]").partition("/")[0].partition("%")[2]
        if zone and zone not in here:
            raise quitting(f'error in host specification "{word}": there is no interface {zone}.')


def listed(paths: list[str]) -> list[str]:
    """The hosts of files: separated by white space or commas, with comments behind #.

    Files without a host give one empty text, so that as an ``allow`` they allow no host. Raises Ending.
    """
    lines: list[str] = []
    for path in paths:
        try:
            # pathlib would cost its import.
            with open(path, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
                lines += file.read().splitlines()
        except OSError as error:
            raise quitting(f"can't open {path}: {error.strerror}.") from error
    hosts = [host for line in lines for host in line.partition("#")[0].replace(",", " ").split()]
    return hosts or [""] * bool(paths)
