"""One socket for many peers: who is told apart, who is let in, and when the socket goes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from background import PATIENCE, Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from server.clients import eventually
from wirecat.address import Address
from wirecat.endpoints.datagram_listener import OWN_ADDRESS, DatagramListener
from wirecat.endpoints.peer_stream import OVERHEAD, QUEUE
from wirecat.endpoints.udp import open_listener
from wirecat.errors import Refused


@contextlib.contextmanager
def clients(listener: DatagramListener, count: int = 1) -> Iterator[list[socket.socket]]:
    """Plain sockets that are connected to the listener."""
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            client = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            client.settimeout(PATIENCE)
            client.connect(("127.0.0.1", listener.addresses[0].port or 0))
            found.append(client)
        yield found


@pytest.fixture
def listener() -> Iterator[DatagramListener]:
    with open_listener(Address.parse("udp://127.0.0.1:0"), 16) as listener:
        yield listener


def test_peers_are_told_apart(listener: DatagramListener) -> None:
    with clients(listener, 3) as found:
        for number, client in enumerate(found):
            client.send(b"first of %d" % number)
        streams = [listener.accept(PATIENCE) for _ in found]
        for client in found:
            client.send(b"second")
        for stream in streams:
            stream.set_timeout(PATIENCE)
            number = int(stream.receive(100)[-1:])
            assert stream.receive(100) == b"second"
            assert stream.peer.port == found[number].getsockname()[1]
            assert stream.local == listener.addresses[0]
            stream.send(b"back to %d" % number)
            assert found[number].recv(100) == b"back to %d" % number
            stream.close()


def test_a_peer_whose_stream_is_closed_is_new_when_it_comes_again(listener: DatagramListener) -> None:
    with clients(listener) as (client,):
        for data in (b"once", b"twice"):
            client.send(data)
            with contextlib.closing(listener.accept(PATIENCE)) as stream:
                stream.set_timeout(PATIENCE)
                assert stream.receive(100) == data


def test_nobody_comes(listener: DatagramListener) -> None:
    with pytest.raises(TimeoutError, match=r"0\.05 s"):
        listener.accept(0.05)
    with pytest.raises(TimeoutError):
        listener.accept(0)


def test_more_peers_than_may_wait_drop_the_one_that_waits_longest() -> None:
    with open_listener(Address.parse("udp://127.0.0.1:0"), 2) as listener, clients(listener, 5) as found:
        with pytest.raises(TimeoutError):
            listener.accept(0)  # now it reads
        for client in found:
            client.send(b"x")
        eventually(lambda: listener.dropped == 3, "three were dropped")
        streams = [listener.accept(PATIENCE), listener.accept(PATIENCE)]
        assert [stream.peer.port for stream in streams] == [client.getsockname()[1] for client in found[3:]]
        with pytest.raises(TimeoutError):
            listener.accept(0)
        for stream in streams:
            stream.close()


@pytest.mark.parametrize("address", ["udp://127.0.0.1:0", "udp://:0", "udp://0"])
def test_datagram_from_own_address_is_ignored(address: str) -> None:
    """Forged: an answer would go to the listener itself, and be answered again, without end."""
    with open_listener(Address.parse(address), 16) as listener:
        told: list[tuple[Address, str]] = []
        listener.on_ignored = lambda peer, reason: told.append((peer, reason))
        with pytest.raises(TimeoutError):
            listener.accept(0)  # now it reads
        for bound, own in zip(listener.sockets, listener.addresses, strict=True):
            host = "::1" if ":" in (own.host or "") else "127.0.0.1"
            bound.sendto(b"x", (host, own.port))
        eventually(lambda: listener.dropped == len(listener.sockets), "all were dropped")
        with pytest.raises(TimeoutError):
            listener.accept(0)
        assert {reason for _, reason in told} == {OWN_ADDRESS}
        assert told[0][0].port == listener.addresses[0].port


def test_same_port_on_another_address_is_another_peer() -> None:
    with open_listener(Address.parse("udp://127.0.0.1:0"), 16) as listener:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind(("127.0.0.2", listener.addresses[0].port or 0))
            client.sendto(b"x", ("127.0.0.1", listener.addresses[0].port or 0))
            with contextlib.closing(listener.accept(PATIENCE)) as stream:
                assert stream.peer.host == "127.0.0.2"


def test_after_close_the_family_without_a_peer_refuses() -> None:
    with open_listener(Address.parse("udp://0"), 16) as listener, clients(listener) as (client,):
        client.send(b"x")
        with contextlib.closing(listener.accept(PATIENCE)):
            listener.close()
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other:
                other.settimeout(0.05)
                other.connect(("::1", listener.addresses[0].port))

                def refused() -> bool:
                    try:
                        other.send(b"x")
                        other.recv(1)
                    except ConnectionRefusedError:
                        return True
                    except TimeoutError:
                        return False
                    return False

                eventually(refused, "the other family's socket is closed")


def test_a_peer_that_is_not_read_from_fills_its_own_queue_only(listener: DatagramListener) -> None:
    with clients(listener, 2) as (greedy, modest):
        greedy.send(b"x")
        stuck = listener.accept(PATIENCE)
        piece = bytes(60_000)
        # One after the other has to have been read off the socket, or the kernel would drop them.
        for _ in range(QUEUE // len(piece) + 5):
            greedy.send(piece)
            stays(lambda: True, 0.002)
        modest.send(b"and me?")
        other = listener.accept(PATIENCE)
        other.set_timeout(PATIENCE)
        assert other.receive(100) == b"and me?"
        assert stuck.dropped
        assert listener.dropped >= stuck.dropped
        count = 0
        stuck.set_timeout(0)
        with pytest.raises(TimeoutError):
            while True:
                stuck.receive(1 << 20)
                count += 1
        assert QUEUE // (len(piece) + OVERHEAD) <= count <= QUEUE // len(piece) + 3
        for stream in (stuck, other):
            stream.close()


def test_closing_it_lets_nobody_in_but_lets_those_there_go_on(listener: DatagramListener) -> None:
    with clients(listener, 3) as (one, two, late):
        streams = []
        for client in (one, two):
            client.send(b"hello")
            streams.append(listener.accept(PATIENCE))
            streams[-1].set_timeout(PATIENCE)
            assert streams[-1].receive(100) == b"hello"
        listener.close()
        listener.close()
        late.send(b"and me?")
        for client, stream in zip((one, two), streams, strict=True):
            client.send(b"still there")
            assert stream.receive(100) == b"still there"
            stream.send(b"yes")
            assert client.recv(100) == b"yes"
        with pytest.raises(OSError, match="closed"):
            listener.accept(1)
        for stream in streams:
            stream.close()
        assert all(each.fileno() == -1 for each in listener.sockets), "with the last one the socket goes"


def test_the_only_peer_left_has_the_socket_for_itself(listener: DatagramListener) -> None:
    """The kernel then refuses others, and tells that the peer is gone: nobody else could."""
    with clients(listener, 2) as (client, other):
        client.send(b"hello")
        stream = listener.accept(PATIENCE)
        stream.set_timeout(PATIENCE)
        assert stream.receive(100) == b"hello"
        listener.close()
        other.send(b"x")
        with pytest.raises(ConnectionRefusedError):
            other.recv(1)
        stream.send(b"to you alone")
        assert client.recv(100) == b"to you alone"
        client.close()
        stream.send(b"are you there?")
        with pytest.raises(Refused):
            stream.receive(100)
        stream.close()


def test_closing_it_ends_an_accept_that_waits(listener: DatagramListener) -> None:
    with Background(lambda: listener.accept(None)) as accepting:
        assert stays(lambda: accepting.running)
        listener.close()
        with pytest.raises(OSError, match="closed"):
            accepting.result()


def test_those_who_were_never_accepted_are_forgotten_with_it(listener: DatagramListener) -> None:
    with clients(listener, 2) as found:
        for client in found:
            client.send(b"x")
        first = listener.accept(PATIENCE)
        listener.close()
        assert all(each.fileno() >= 0 for each in listener.sockets)
        first.close()
        assert all(each.fileno() == -1 for each in listener.sockets)


def test_one_that_was_never_used_has_no_thread() -> None:
    before = threading.active_count()
    with open_listener(Address.parse("udp://0"), 16) as listener:
        assert threading.active_count() == before
    assert all(each.fileno() == -1 for each in listener.sockets)


def test_both_families_at_once() -> None:
    with open_listener(Address.parse("udp://0"), 16) as listener:
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family, socket.SOCK_DGRAM) as client:
                client.settimeout(PATIENCE)
                client.connect((host, listener.addresses[0].port))
                client.send(b"x")
                with contextlib.closing(listener.accept(PATIENCE)) as stream:
                    assert stream.peer.host == host
                    assert stream.local.host == host
                    stream.send(b"y")
                    assert client.recv(1) == b"y"


def test_peers_end_by_idling_and_come_again_as_new_ones() -> None:
    with open_listener(Address.parse("udp://127.0.0.1:0?idle=0.2"), 16) as listener, clients(listener) as (client,):
        client.send(b"x")
        stream = listener.accept(PATIENCE)
        started = time.monotonic()
        assert stream.receive(10) == b"x"
        assert stream.receive(10) == b""
        assert stream.ended
        assert 0.1 < time.monotonic() - started < 5
        client.send(b"again")
        again = listener.accept(PATIENCE)
        assert again.receive(10) == b"again"
        for each in (stream, again):
            each.close()


def test_many_peers_at_once(listener: DatagramListener) -> None:
    """Each gets its own back, whatever the order."""

    def serve() -> None:
        stream = listener.accept(PATIENCE)
        stream.set_timeout(PATIENCE)
        for _ in range(20):
            stream.send(stream.receive(100))
        stream.close()

    with clients(listener, 10) as found, contextlib.ExitStack() as stack:
        for _ in found:
            stack.enter_context(Background(serve))
        for number, client in enumerate(found):
            for turn in range(20):
                data = b"%d says %d" % (number, turn)
                client.send(data)
                assert client.recv(100) == data
