"""Several listeners on one port: each gets clients, and no stranger's port is shared."""

from __future__ import annotations

import contextlib
import socket

import pytest

from wirecat.address import Address
from wirecat.endpoints import open_listener
from wirecat.endpoints.accepting import accept_from
from wirecat.endpoints.reuse_port import bind_shared
from wirecat.errors import ListenError, UsageError

HERE = Address.parse("127.0.0.1:0")
shared = pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="ports are not shared here")


@shared
def test_each_gets_clients() -> None:
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(each) for each in bind_shared(HERE, 3)]
        [port] = {each.addresses[0].port for each in listeners}
        for listener in listeners:
            listener.sockets[0].listen(100)
        for _ in range(60):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 15))
        counts = []
        for listener in listeners:
            counts.append(0)
            while found := accept_from(listener.sockets[0]):
                assert found[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                found[0].close()
                counts[-1] += 1
        assert sum(counts) == 60
        assert all(counts)  # one of three has none once in 10 ** 10 times


@shared
def test_both_families_on_one_port() -> None:
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(each) for each in bind_shared(Address.parse("0"), 2)]
        assert {each.host for each in listeners[1].addresses} == {"127.0.0.1", "::1"}
        assert len({address.port for each in listeners for address in each.addresses}) == 1


@shared
def test_nobody_gets_in_before_it_listens() -> None:
    [listener] = bind_shared(HERE, 1)
    with listener, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", listener.addresses[0].port or 0), 15)


@shared
def test_the_port_of_another_is_taken() -> None:
    """Also that of one that shares: two servers would each have half the clients."""
    with open_listener(HERE) as other, pytest.raises(ListenError, match="in use|taken"):
        bind_shared(other.addresses[0], 2)
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(each) for each in bind_shared(HERE, 2)]
        for each in listeners:
            each.sockets[0].listen(1)
        with pytest.raises(ListenError):
            bind_shared(listeners[0].addresses[0], 2)


def test_a_system_that_shares_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT", raising=False)
    with pytest.raises(UsageError, match="cannot share a port between processes"):
        bind_shared(HERE, 2)
