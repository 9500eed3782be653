"""The tree of errors: which built-in error each one is as well, its line, its exit code, and that it can be copied."""

from __future__ import annotations

import copy
import errno
import pickle

import pytest

import wirecat
from wirecat import errors
from wirecat.address import Address
from wirecat.errors import (
    AddressError,
    BindError,
    CertificateError,
    ConnectionBroken,
    ConnectionClosed,
    DeadlineExpired,
    HandlerError,
    HttpError,
    IncompleteReceive,
    LineTooLong,
    ListenError,
    NetworkError,
    NoAnswer,
    NotExposed,
    OutputClosed,
    ProxyError,
    Refused,
    TlsError,
    UnknownHost,
    Unreachable,
    UsageError,
    WirecatError,
)

BUILT_IN = {
    NetworkError: OSError,
    BindError: OSError,
    ListenError: OSError,
    UnknownHost: OSError,
    Refused: ConnectionRefusedError,
    NoAnswer: TimeoutError,
    Unreachable: OSError,
    ConnectionBroken: ConnectionError,
    IncompleteReceive: EOFError,
    DeadlineExpired: TimeoutError,
    LineTooLong: ValueError,
    ProxyError: ConnectionError,
    TlsError: ConnectionError,
    CertificateError: ConnectionError,
    HttpError: ValueError,
    NotExposed: OSError,
    OutputClosed: BrokenPipeError,
    UsageError: ValueError,
    AddressError: ValueError,
    HandlerError: ValueError,
    ConnectionClosed: ValueError,
}
EXIT_CODES = {OutputClosed: 141, UsageError: 2, AddressError: 2, HandlerError: 2, ConnectionClosed: 2}
WRONG_USE = (UsageError, AddressError, HandlerError, ConnectionClosed)


def make(kind: type[WirecatError]) -> WirecatError:
    if kind is IncompleteReceive:
        return IncompleteReceive("message", partial=b"part", step="receive")
    return kind("message", address=Address("tcp", "host", 1), step="step", hint="Do that.", errno=errno.EIO)


def test_the_table_has_them_all() -> None:
    kinds = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, WirecatError)}
    assert kinds == set(BUILT_IN) | {WirecatError}


@pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: kind.__name__)
def test_each_is_what_plain_socket_code_would_get(kind: type[WirecatError]) -> None:
    error = make(kind)
    assert isinstance(error, BUILT_IN[kind])
    assert isinstance(error, OSError) == (kind not in WRONG_USE)
    assert isinstance(error, UsageError) == (kind in WRONG_USE)
    assert error.exit_code == EXIT_CODES.get(kind, 1)
    assert error.__doc__


@pytest.mark.parametrize("kind", [WirecatError, *BUILT_IN], ids=lambda kind: kind.__name__)
def test_each_survives_pickle_and_copy(kind: type[WirecatError]) -> None:
    """So that it can come out of another process, and be kept."""
    error = make(kind)
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind
        assert str(other) == str(error)
        assert vars(other) == vars(error)
        assert other.errno == error.errno


def test_the_line_says_step_address_message_and_hint() -> None:
    error = Refused("connection refused", address=Address("tcp", "::1", 80), step="connect", hint="Is it on?")
    assert str(error) == "connect [::1]:80: connection refused. Is it on?"
    assert str(WirecatError("bare")) == "bare"
    assert str(WirecatError("bare", step="listen")) == "listen: bare"
    assert str(WirecatError("bare", address="here")) == "here: bare"
    assert str(WirecatError("ends.", hint="So.")) == "ends. So."


def test_it_has_what_readers_of_an_oserror_look_for() -> None:
    error = Refused("connection refused", errno=errno.ECONNREFUSED)
    assert error.errno == errno.ECONNREFUSED
    assert error.strerror == "connection refused"
    assert error.args == ("connection refused",)


def test_what_was_not_sent_and_what_had_come_is_kept() -> None:
    assert ConnectionBroken("gone", unsent=7).unsent == 7
    assert ConnectionBroken("gone").unsent is None
    assert DeadlineExpired("slow", unsent=3).unsent == 3
    assert DeadlineExpired("slow").unsent is None
    assert IncompleteReceive("short", partial=b"ab").partial == b"ab"


def test_what_a_proxy_or_an_http_message_is_refused_for_is_kept() -> None:
    assert (ProxyError("no").kind, ProxyError("no").status) == ("refused", None)
    error = ProxyError("who?", kind="credentials", status=407)
    assert (error.kind, error.status) == ("credentials", 407)
    assert HttpError("what?").status == 400
    assert HttpError("long", status=414).status == 414


def test_why_tls_failed_is_kept() -> None:
    assert TlsError("no").reason == ""
    error = CertificateError("whose?", reason="Hostname mismatch", names_differ=True)
    assert (error.reason, error.names_differ) == ("Hostname mismatch", True)
    assert not CertificateError("old").names_differ


def test_the_class_chosen_by_errno_is_ours() -> None:
    """OSError picks a subclass by errno for itself; never for ours."""
    assert type(NetworkError("no", errno=errno.ECONNREFUSED)) is NetworkError


def test_except_oserror_does_not_hide_wrong_use() -> None:
    with pytest.raises(AddressError):
        try:
            wirecat.connect("127.0.0.1:0")
        except OSError:
            pytest.fail("a mistake in the program was taken for a failure of the network")
