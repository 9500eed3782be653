"""SCTP: where the kernel has none, a clear error; where it has, as TCP but without a half-close."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator

import pytest

from background import PATIENCE
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints import open_listener, open_stream, scheme_of, sctp
from wirecat.endpoints.sctp import SctpStream
from wirecat.errors import Refused, UsageError, WirecatError


def kernel_has_it() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, sctp.PROTOCOL).close()
    except OSError:
        return False
    return True


@pytest.fixture(params=["sctp", "tcp in its place"])
def over(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """SCTP itself, where there is some; else what is ours goes over TCP, whose sockets are used in the same way."""
    if request.param == "sctp":
        if not kernel_has_it():
            pytest.skip("the kernel has no SCTP")
    else:
        monkeypatch.setattr(sctp, "PROTOCOL", socket.IPPROTO_TCP)
        monkeypatch.setattr(sctp, "NODELAY", socket.TCP_NODELAY)
    yield


def test_both_ends(over: None) -> None:
    with open_listener(Address.parse("sctp://127.0.0.1:0"), 16) as listener:
        place = listener.addresses[0]
        assert place.scheme == "sctp"
        near = open_stream(place, Deadline(PATIENCE))
        far = listener.accept(PATIENCE)
        assert isinstance(near, SctpStream)
        assert isinstance(far, SctpStream)
        assert near.peer == far.local == place
        assert near.local == far.peer
        near.send(b"there")
        assert far.receive(10) == b"there"
        far.send(b"back")
        assert near.receive(10) == b"back"
        with pytest.raises(UsageError, match="no half-close"):
            near.half_close()
        row = scheme_of(place)
        assert (row.half_closes, row.keeps_boundaries) == (near.can_half_close, near.keeps_boundaries) == (False, False)
        near.close()
        assert far.receive(10) == b""
        far.close()


def test_nobody_listens(over: None) -> None:
    with open_listener(Address.parse("sctp://127.0.0.1:0"), 16) as listener:
        place = listener.addresses[0]
    with pytest.raises(Refused):
        open_stream(place, Deadline(PATIENCE))


def test_the_source_and_the_family_are_those_asked_for(over: None) -> None:
    with open_listener(Address.parse("sctp://0?family=4"), 16) as listener:
        place = listener.addresses[0].replace(options=(("source", "127.0.0.2"),))
        with contextlib.closing(open_stream(place, Deadline(PATIENCE))) as near:
            assert near.local.host == "127.0.0.2"
            listener.accept(PATIENCE).close()


def test_a_kernel_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Without(socket.socket):
        def __init__(self, family: int = -1, kind: int = -1, protocol: int = -1, fileno: int | None = None) -> None:
            if protocol == sctp.PROTOCOL:
                raise OSError(errno.EPROTONOSUPPORT, "Protocol not supported")
            super().__init__(family, kind, protocol, fileno)

    monkeypatch.setattr(socket, "socket", Without)
    for use in (open_listener, lambda address: open_stream(address, Deadline(1))):
        with pytest.raises(UsageError, match=r"kernel has no SCTP.*modprobe sctp") as caught:
            use(Address.parse("sctp://127.0.0.1:1"))
        assert caught.value.exit_code == 2


def test_another_failure_is_not_taken_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(socket.socket):
        def __init__(self, *arguments: object) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", Full)
    with pytest.raises(WirecatError, match="Too many open files"):
        open_stream(Address.parse("sctp://127.0.0.1:1"), Deadline(1))
