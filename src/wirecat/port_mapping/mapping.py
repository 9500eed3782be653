"""A port that a router passes on to this PC, with all that is needed to renew it or to take it back."""

from __future__ import annotations

from wirecat.immutable import Immutable

PCP, NATPMP, UPNP, PINHOLE = "PCP", "NAT-PMP", "UPnP", "UPnP pinhole"

_NUMBERS = ("port", "external_port", "lifetime", "expires", "epoch", "pid", "is_shown")


class Mapping(Immutable):
    """A mapping as a router granted it.

    ``protocol`` is one of the names above, ``gateway`` the router, ``host`` and ``port`` this PC's end. ``external_host``
    ("" unknown) and ``external_port`` are what others connect to: the port ASSIGNED, not the one asked for.
    ``lifetime`` is in seconds (0: until it is taken back), ``expires`` the wall-clock time of its end (0: none),
    ``epoch`` the router's clock. ``nonce`` is PCP's secret in hex, ``control`` and ``service`` are where UPnP is called,
    ``pinhole`` its number there, ``description`` its name in the router's table (as the router showed it, if
    ``is_shown``), ``replaced`` what it replaced there
    (the fields of a Forward as JSON, "" for nothing). ``pid`` is the process that keeps it, ``started`` when that was
    started (as ``process_start`` has it), and ``token`` tells its mappings from others of the same process.
    """

    __slots__ = (
        "protocol", "gateway", "host", "port", "external_host", "external_port", "lifetime", "expires", "epoch", "nonce",
        "control", "service", "pinhole", "pid", "started", "token", "description", "is_shown",
        "replaced",
    )  # fmt: skip

    protocol: str
    gateway: str
    host: str
    port: int
    external_host: str
    external_port: int
    lifetime: int
    expires: float
    epoch: int
    nonce: str
    control: str
    service: str
    pinhole: str
    pid: int
    started: str
    token: str
    description: str
    is_shown: bool
    replaced: str

    def __init__(
        self,
        protocol: str,
        gateway: str,
        host: str,
        port: int,
        *,
        external_host: str = "",
        external_port: int = 0,
        lifetime: int = 0,
        expires: float = 0.0,
        epoch: int = 0,
        nonce: str = "",
        control: str = "",
        service: str = "",
        pinhole: str = "",
        pid: int = 0,
        started: str = "",
        token: str = "",
        description: str = "",
        is_shown: bool = False,
        replaced: str = "",
    ) -> None:
        self._set(
            protocol=protocol, gateway=gateway, host=host, port=port, external_host=external_host,
            external_port=external_port, lifetime=lifetime, expires=expires, epoch=epoch, nonce=nonce, control=control,
            service=service, pinhole=pinhole, pid=pid, started=started, token=token, description=description, is_shown=is_shown,
            replaced=replaced,
        )  # fmt: skip

    @property
    def family(self) -> str:
        """ipv4 or ipv6."""
        return "ipv6" if ":" in self.host else "ipv4"

    @property
    def external(self) -> str:
        """What others connect to: ``203.0.113.5:12345``, ``[2001:db8::7]:12345``."""
        host = self.external_host or "(address unknown)"
        return f"[{host}]:{self.external_port}" if ":" in host else f"{host}:{self.external_port}"


def read_mapping(fields: object) -> Mapping:
    """A mapping from its ``fields()``, as JSON brought them back. Raises ValueError for what is none."""
    if not isinstance(fields, dict) or not set(Mapping.field_names()) >= set(fields):
        raise ValueError("no record of a mapping")
    try:
        found = Mapping(**fields)
    except TypeError as error:
        raise ValueError("no record of a mapping") from error
    numbers = (found.port, found.external_port, found.lifetime, found.epoch, found.pid, found.is_shown)
    strings = [value for name, value in found.fields().items() if name not in _NUMBERS]
    if not all(isinstance(each, str) for each in strings) or not all(isinstance(each, int) for each in numbers):
        raise ValueError("no record of a mapping")
    # Port 0 would mean all of this host's mappings to NAT-PMP (RFC 6886 section 3.4).
    if found.protocol not in (PCP, NATPMP, UPNP, PINHOLE) or not 0 < found.port < 65536:
        raise ValueError("no record of a mapping")
    return found
