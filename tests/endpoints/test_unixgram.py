"""`unixgram://`: datagrams by a path; nothing is lost, and everybody can be answered."""

from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from background import PATIENCE, Background, stays
from leaks import nothing_left_behind as nothing_left_behind

if sys.platform == "win32":
    pytest.skip("needs Unix domain sockets", allow_module_level=True)

from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints import open_listener, open_stream
from wirecat.errors import (
    AddressError,
    DeadlineExpired,
    ListenError,
    NetworkError,
    Refused,
    Unreachable,
    UsageError,
    WirecatError,
)


@pytest.fixture
def place(tmp_path: Path) -> Address:
    return Address("unixgram", path=str(tmp_path / "x.socket"))


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """The path of a socket may have some 100 bytes, and that of a test's own folder has as many."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_both_ends(place: Address) -> None:
    with open_listener(place, 16) as listener:
        assert listener.addresses == (place,)
        near = open_stream(place, Deadline(PATIENCE))
        for data in (b"one", b"", b"three"):
            near.send(data)
        far = listener.accept(PATIENCE)
        assert far.peer == near.local
        assert [far.receive(10), far.receive(10), far.receive(10)] == [b"one", b"", b"three"]
        far.send(b"answer")
        assert near.receive(10) == b"answer"
        near.close()
        far.close()
    assert not Path(place.path).exists()


def test_a_client_that_chooses_its_own_path(place: Address, tmp_path: Path) -> None:
    own = str(tmp_path / "client.path")
    with open_listener(place, 16) as listener:
        near = open_stream(place.replace(options=(("source", own),)), Deadline(PATIENCE))
        near.send(b"x")
        far = listener.accept(PATIENCE)
        assert far.peer == near.local == Address("unixgram", path=own)
        with pytest.raises(ListenError, match="taken"):
            open_stream(place.replace(options=(("source", own),)), Deadline(PATIENCE))
        assert Path(own).is_socket()
        near.close()
        far.close()
    assert not Path(own).exists()


def test_where_the_kernel_gives_no_name_a_folder_does(
    place: Address, tmp_path: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(sys, "platform", "darwin")
    with open_listener(place, 16):
        with pytest.raises(UsageError, match="too long.*source=PATH"):
            open_stream(place, Deadline(PATIENCE))
    assert not list(folder.iterdir())
    folder = short_folder
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with open_listener(place, 16) as listener:
        near = open_stream(place, Deadline(PATIENCE))
        near.send(b"x")
        far = listener.accept(PATIENCE)
        far.send(b"y")
        assert near.receive(10) == b"y"
        assert near.local.path.startswith(str(folder))
        near.close()
        far.close()
    assert not list(folder.iterdir())


def test_a_source_that_cannot_be_bound_is_named(place: Address) -> None:
    with open_listener(place), pytest.raises(WirecatError, match=r"^source /no/such/folder/x: No such file"):
        open_stream(place.replace(options=(("source", "/no/such/folder/x"),)), Deadline(PATIENCE))


def test_a_nameless_client_is_heard_but_cannot_be_answered(place: Address) -> None:
    with open_listener(place, 16) as listener:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as nameless:
            nameless.sendto(b"x", place.path)
            with contextlib.closing(listener.accept(PATIENCE)) as far:
                assert far.receive(10) == b"x"
                with pytest.raises(NetworkError, match="no name"):
                    far.send(b"y")


def test_nothing_is_lost_when_the_reader_is_slow(place: Address) -> None:
    """The senders wait instead."""
    count, piece = 400, bytes(10_000)
    with open_listener(place, 16) as listener:
        near = open_stream(place, Deadline(PATIENCE))

        def send() -> None:
            for number in range(count):
                near.send(number.to_bytes(4, "big") + piece)

        with Background(send) as sending:
            far = listener.accept(PATIENCE)
            assert stays(lambda: sending.running)
            for number in range(count):
                assert far.receive(1 << 20)[:4] == number.to_bytes(4, "big")
            sending.result()
        assert listener.dropped == 0
        near.close()
        far.close()


def test_a_sender_gives_up_after_its_time(place: Address) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stalled:
        stalled.bind(place.path)
        near = open_stream(place, Deadline(PATIENCE))
        near.set_timeout(0.05)
        with pytest.raises(DeadlineExpired, match=r"took no more for 0\.05 s") as caught:
            for _ in range(100_000):
                near.send(bytes(1000))
        assert caught.value.unsent == 1000
        near.close()


def test_closing_a_stream_that_nobody_reads_lets_the_others_in(place: Address) -> None:
    with open_listener(place, 16) as listener:
        near, other = (open_stream(place, Deadline(PATIENCE)) for _ in range(2))
        near.set_timeout(0.2)
        with pytest.raises(DeadlineExpired):
            for _ in range(100_000):
                near.send(bytes(10_000))
        far = listener.accept(PATIENCE)
        far.close()
        with Background(lambda: other.send(b"my turn")):
            while (stream := listener.accept(PATIENCE)).peer != other.local:
                stream.close()
        assert stream.receive(10) == b"my turn"
        for each in (stream, near, other):
            each.close()


def test_who_is_not_there(place: Address, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="no such path"):
        open_stream(place, Deadline(PATIENCE))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(place.path)
    with pytest.raises(Refused):
        open_stream(place, Deadline(PATIENCE))
    with open_listener(place, 16):  # a path that a dead server left is taken over
        with pytest.raises(ListenError, match="taken"):
            open_listener(place, 16)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(place.path)
        other.listen()
        with pytest.raises(WirecatError, match="takes connections"):
            open_stream(place, Deadline(PATIENCE))
        with pytest.raises(ListenError, match="taken"):
            open_listener(place, 16)
    with pytest.raises(AddressError, match="shorter"):
        open_stream(Address("unixgram", path="x" * 300), Deadline(PATIENCE))


def test_sender_without_name_is_served_and_cannot_be_answered(place: Address) -> None:
    """As of ``logger -d -u PATH``."""
    with open_listener(place, 16) as listener, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(place.path)
        sender.send(b"one")
        with contextlib.closing(listener.accept(PATIENCE)) as stream:
            listener.close()
            sender.send(b"two")
            assert (stream.receive(10), stream.receive(10)) == (b"one", b"two")
            with pytest.raises(NetworkError, match="no name to send to"):
                stream.send(b"x")
            assert stream.peer.path == ""
