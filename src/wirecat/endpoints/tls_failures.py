"""From OpenSSL's errors to errors that a person can act on: whose fault, what it means, what to try."""

from __future__ import annotations

import errno

from wirecat.endpoints.tls_reasons import in_words as in_words
from wirecat.errors import CertificateError, ConnectionBroken, NoAnswer, TlsError, WirecatError
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl

    from wirecat.address import Address

STEP = "TLS handshake with"
UNVERIFIED = "verify=no (--insecure) goes on without asking who it is"
# OpenSSL's X509_V_ERR_… (x509_vfy.h), which do not change.
_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN = 18, 19
_NO_ISSUER, _NO_ISSUER_HERE, _NOT_VERIFIABLE = 2, 20, 21
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_NAME, _OTHER_ADDRESS = 62, 64
# The first byte of a TLS record (RFC 8446 section 5.1): alert, handshake, and those before and after them.
_RECORD_TYPES = range(0x14, 0x19)


def handshake_failure(error: ssl.SSLError, peer: Address, server_name: str, first: bytes) -> TlsError:
    """The error to raise for a handshake that failed; ``first`` are the first bytes that the peer sent."""
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return certificate_failure(error.verify_code, error.verify_message or "", peer, server_name)
    if first and not looks_like_tls(first):
        return not_tls(peer, first)
    if isinstance(error, ssl.SSLEOFError):
        return ended_early(peer)
    message, hint = in_words(error.reason or "", str(error), first)
    return TlsError(message, reason=error.reason or "", address=peer, step=STEP, hint=hint)


def looks_like_tls(first: bytes) -> bool:
    """Whether bytes begin as a record of TLS does (or SSL 2, whose hello some old clients send)."""
    return first[0] in _RECORD_TYPES and (len(first) < 2 or first[1] == 3)


def not_tls(peer: Address, first: bytes) -> TlsError:
    """The error to raise where what came is no TLS."""
    said = printable(first[:40].partition(b"\n")[0].rstrip(b"\r"))
    return TlsError("the peer does not speak TLS", address=peer, step=STEP, hint=f"It says: {said!r}")


def ended_early(peer: Address) -> TlsError:
    """The error to raise where the peer ended the connection in the middle of the handshake."""
    return TlsError(
        "the peer ended the connection instead of speaking TLS", address=peer, step=STEP,
        hint="Perhaps it speaks none on that port, or something about our certificate or name is wrong for it.",
    )  # fmt: skip


def certificate_failure(code: int, reason: str, peer: Address, server_name: str) -> CertificateError:
    """The error to raise for the peer's certificate; ``code`` and ``reason`` are OpenSSL's."""
    name = printable(server_name)
    if code in (_OTHER_NAME, _OTHER_ADDRESS):
        return other_name(peer, server_name, reason)
    if code == _SELF_SIGNED:
        message = "its certificate is self-signed"
        hint = f"If it is yours, trust it: ca=FILE (--ca FILE). Or {UNVERIFIED}."
    elif code in (_SELF_SIGNED_IN_CHAIN, _NO_ISSUER, _NO_ISSUER_HERE, _NOT_VERIFIABLE):
        message = "its certificate is signed by nobody who is trusted here"
        hint = f"Trust the signer: ca=FILE (--ca FILE). Or {UNVERIFIED}."
    elif code == _EXPIRED:
        message, hint = "its certificate has expired", f"Is this PC's date right? Else {UNVERIFIED}."
    elif code == _NOT_YET_VALID:
        message, hint = "its certificate is not valid yet", f"Is this PC's date right? Else {UNVERIFIED}."
    else:
        message, hint = f"its certificate for {name!r} is not accepted: {reason}", ""
    return CertificateError(message, reason=reason, address=peer, step=STEP, hint=hint)


def other_name(peer: Address, server_name: str, reason: str, names: tuple[str, ...] = ()) -> CertificateError:
    """The error to raise for a certificate that is good, but for another host; ``names`` are those it is for."""
    told = f" but for {', '.join(printable(each) for each in names[:4])}" if names else ""
    return CertificateError(
        f"its certificate is not for {printable(server_name)!r}{told}", names_differ=True, reason=reason, address=peer,
        step=STEP, hint=f"Name what it is for: servername=NAME. Or {UNVERIFIED}.",
    )  # fmt: skip


def no_handshake(peer: Address, seconds: float | None, server_side: bool) -> WirecatError:
    """The error to raise where the handshake did not come to an end in time."""
    message = "no TLS handshake" if seconds is None else f"no TLS handshake in {seconds:g} s"
    if server_side:  # a client that stalls is a client that broke off
        return TlsError(message, address=peer, step=STEP)
    return NoAnswer(message, address=peer, step=STEP, hint="Does it speak TLS on that port?", errno=errno.ETIMEDOUT)


def broken_tls(error: ssl.SSLError, peer: Address) -> TlsError:
    """The error to raise where TLS breaks after the handshake: an alert of the peer, or bytes that are not its own."""
    message, hint = in_words(error.reason or "", str(error))
    return TlsError(message, reason=error.reason or "", address=peer, step="TLS", hint=hint)


def truncated(peer: Address) -> ConnectionBroken:
    """The error to raise where a stream ended without TLS's own end (RFC 8446 section 6.1)."""
    return ConnectionBroken(
        "the peer ended without TLS's end of stream (close_notify), so what came may be cut short", address=peer,
        step="TLS", hint="Where that is its habit: truncation=allow.",
    )  # fmt: skip
