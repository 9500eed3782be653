"""The table of forwards that a router shows by UPnP: read, added to, and deleted from."""

from __future__ import annotations

import time

from wirecat.immutable import Immutable
from wirecat.wire.igd import NO_SUCH_ENTRY, NO_SUCH_INDEX, IgdError, Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wirecat.deadline import Deadline
    from wirecat.port_mapping.igd_client import Igd
    from wirecat.wire.igd import Service

_MOST_ENTRIES = 64
_LONGEST_NAME = 1024


class HiddenTable(ValueError):
    """The router does not show whether a port is forwarded."""


class Forward(Immutable):
    """A forward of a TCP port as the router shows it: ``client`` ("" where it hides that) and ``port`` are the inner end.

    ``lease`` is in seconds from ``seen`` (wall-clock time), 0 for one without an end, -1 where the router does not tell;
    ``remote`` is the only host that it serves, "" for all.
    """

    __slots__ = ("external_port", "client", "port", "description", "lease", "enabled", "remote", "seen")

    external_port: int
    client: str
    port: int
    description: str
    lease: int
    enabled: bool
    remote: str
    seen: float

    def __init__(
        self,
        external_port: int,
        client: str,
        port: int,
        description: str = "",
        lease: int = 0,
        enabled: bool = True,
        remote: str = "",
        seen: float = 0.0,
    ) -> None:
        self._set(external_port=external_port, client=client, port=port, description=description, lease=lease,
                  enabled=enabled, remote=remote, seen=seen)  # fmt: skip

    def __str__(self) -> str:
        """In words, for a message: where it leads, its name, its end."""
        where = f"to {self.client}:{self.port}" if self.client else "to a machine that the router does not name"
        name = f" ({self.description!r})" if self.description else ""
        end = f", for another {self.lease} s" if self.lease > 0 else "" if self.lease else ", without an end"
        return f"{where}{name}{end}"


def read_forward(values: Values, external_port: int = 0) -> Forward:
    """An entry of the table. ``external_port`` is what was asked for, where the answer does not repeat it."""
    return Forward(
        _number(values.value("NewExternalPort")) or external_port,
        values.value("NewInternalClient"),
        _number(values.value("NewInternalPort")),
        values.value("NewPortMappingDescription")[:_LONGEST_NAME],
        _number(values.value("NewLeaseDuration")) if values.value("NewLeaseDuration") else -1,
        values.value("NewEnabled").lower() not in ("0", "false", "no"),
        values.value("NewRemoteHost"),
        time.time(),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0


class ForwardTable:
    """The table of one connection service. Each method raises OSError and ValueError for a call that failed."""

    def __init__(self, igd: Igd, service: Service) -> None:
        self.igd = igd
        self.service = service

    def call(self, action: str, arguments: dict[str, str], deadline: Deadline) -> Values:
        """Call an action of the service."""
        return self.igd.call(self.service, action, arguments, deadline)

    def find(self, port: int, deadline: Deadline) -> Forward | None:
        """The forward of an external port, None for none. Raises HiddenTable where the router does not say."""
        try:
            return read_forward(self.call("GetSpecificPortMappingEntry", _key(port, ""), deadline), port)
        except OSError as error:
            raise HiddenTable(f"the router does not answer whether port {port} is forwarded: {error}") from error
        except ValueError as error:
            if isinstance(error, IgdError) and error.code == NO_SUCH_ENTRY:
                return None
            try:
                return next((entry for entry in self.entries(deadline) if entry.external_port == port), None)
            except HiddenTable:
                raise HiddenTable(f"the router does not show whether port {port} is forwarded: {error}") from error

    def entries(self, deadline: Deadline) -> Iterator[Forward]:
        """All forwards of TCP ports, one call for each. Raises HiddenTable where the table is not shown to its end."""
        for index in range(_MOST_ENTRIES):
            try:
                values = self.call("GetGenericPortMappingEntry", {"NewPortMappingIndex": str(index)}, deadline)
            except (OSError, ValueError) as error:
                # The end is 713; some say 714, or fail in another way once entries have come.
                if isinstance(error, IgdError) and (
                    error.code in (NO_SUCH_INDEX, NO_SUCH_ENTRY) or (index and error.code)
                ):
                    return
                raise HiddenTable(f"the router does not show its forwards: {error}") from error
            entry = read_forward(values)
            if values.value("NewProtocol").upper() == "TCP" and entry.external_port:
                yield entry
        raise HiddenTable(f"the router has more than {_MOST_ENTRIES} forwards")

    def add(self, forward: Forward, deadline: Deadline) -> None:
        """Add a forward, or replace the one of the same port."""
        self.call("AddPortMapping", _arguments(forward), deadline)

    def add_any(self, forward: Forward, deadline: Deadline) -> int:
        """Add a forward; where its external port is taken the router gives another (version 2). The port."""
        answer = self.call("AddAnyPortMapping", _arguments(forward), deadline)
        granted = _number(answer.value("NewReservedPort"))
        if not 0 < granted < 65536:
            raise ValueError(f"the router names a port that is none: {answer.value('NewReservedPort')[:20]!r}")
        return granted

    def delete(self, forward: Forward, deadline: Deadline) -> None:
        """Delete the forward of a port; one that is gone already is none."""
        try:
            self.call("DeletePortMapping", _key(forward.external_port, forward.remote), deadline)
        except IgdError as error:
            if error.code != NO_SUCH_ENTRY:
                raise


def _key(port: int, remote: str) -> dict[str, str]:
    return {"NewRemoteHost": remote, "NewExternalPort": str(port), "NewProtocol": "TCP"}


def _arguments(forward: Forward) -> dict[str, str]:
    """The arguments in the order of the standard: some routers read them by their place."""
    return {
        **_key(forward.external_port, forward.remote), "NewInternalPort": str(forward.port),
        "NewInternalClient": forward.client, "NewEnabled": str(int(forward.enabled)),
        "NewPortMappingDescription": forward.description, "NewLeaseDuration": str(max(forward.lease, 0)),
    }  # fmt: skip
