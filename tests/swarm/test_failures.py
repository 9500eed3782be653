"""The kinds of failure: each errno under a name that scripts can rely on."""

from __future__ import annotations

import errno

import pytest

from wirecat.swarm.failures import KINDS, connect_kind, loss_kind, telling


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, ""), "refused"),
        (TimeoutError(), "no_answer"),
        (OSError(errno.ETIMEDOUT, ""), "no_answer"),
        (OSError(errno.ENETUNREACH, ""), "unreachable"),
        (OSError(errno.EACCES, ""), "not_permitted"),
        (OSError(errno.EADDRNOTAVAIL, ""), "no_ports"),
        (OSError(errno.EMFILE, ""), "no_descriptors"),
        (OSError(errno.ECONNRESET, ""), "reset"),
        (OSError(errno.EPROTO, ""), "eproto"),
        (OSError("without a number"), "unknown"),
    ],
)
def test_failures_to_connect(error: OSError, kind: str) -> None:
    assert connect_kind(error) == kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (None, "closed_early"),
        (ConnectionResetError(errno.ECONNRESET, ""), "reset"),
        (ConnectionResetError(), "reset"),
        (BrokenPipeError(errno.EPIPE, ""), "reset"),
        (OSError(errno.ETIMEDOUT, ""), "lost"),
        (OSError(errno.EHOSTUNREACH, ""), "lost"),
        (OSError(errno.EPROTO, ""), "eproto"),
    ],
)
def test_ends_of_connections(error: OSError | None, kind: str) -> None:
    assert loss_kind(error) == kind


def test_kinds_are_explained() -> None:
    named = {connect_kind(OSError(number, "")) for number in (errno.ECONNREFUSED, errno.EMFILE, errno.ENETDOWN)}
    assert named <= set(KINDS)


def test_of_several_failures_an_answer_tells_most() -> None:
    refused, unreachable = OSError(errno.ECONNREFUSED, ""), OSError(errno.ENETUNREACH, "")
    assert telling([refused, unreachable]) is refused
    assert telling([unreachable, refused]) is refused
    assert telling([unreachable, TimeoutError()]).__class__ is TimeoutError
