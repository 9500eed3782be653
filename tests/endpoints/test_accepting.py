"""Accepting: clients that failed in the queue are passed over, and failures of this machine are raised."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

from wirecat.endpoints.accepting import GONE_IN_THE_QUEUE, accept_from


class Failing(socket.socket):
    """A listening socket whose accept fails with each of some numbers first."""

    numbers: list[int]

    def accept(self) -> Any:
        if self.numbers:
            raise OSError(self.numbers.pop(0), "failed")
        return super().accept()


def test_failures_of_a_client_are_passed_over_and_those_of_this_pc_are_not() -> None:
    with Failing() as failing:
        failing.bind(("127.0.0.1", 0))
        failing.listen()
        failing.setblocking(False)
        failing.numbers = [*GONE_IN_THE_QUEUE]
        assert accept_from(failing) is None
        with socket.create_connection(failing.getsockname()) as client:
            failing.numbers = [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED]
            for number in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                with pytest.raises(OSError) as caught:
                    accept_from(failing)
                assert caught.value.errno == number
            found = accept_from(failing)
            assert found is not None
            with found[0] as accepted:
                assert accepted.gettimeout() is None
                assert found[1] == client.getsockname()
