"""TLS as the options ask for it: unverified unless ``--ssl-verify``, and told with ``-v`` whom one talks to."""

from __future__ import annotations

from wirecat.cli.ncat import messages
from wirecat.cli.ncat.endings import NETWORK, Ending, network, quitting
from wirecat.cli.ncat.reasons import sentence
from wirecat.deadline import Deadline
from wirecat.errors import CertificateError, DeadlineExpired, NoAnswer, UsageError, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from wirecat.address import Address
    from wirecat.cli.ncat.checks import Operands
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings
    from wirecat.endpoints.listener import Listener
    from wirecat.endpoints.tls_facts import TlsFacts
    from wirecat.stream import Stream

HANDSHAKE_TIME = 30.0  # seconds that a client may take for its handshake
CIPHERS = "ALL:!aNULL:!eNULL:!LOW:!EXP:!RC4:!MD5:@STRENGTH"  # what ncat gives to OpenSSL without --ssl-ciphers
SYSTEM = "system"  # the oldest version: ncat leaves it to OpenSSL and its configuration
_SELF_SIGNED = "self-signed certificate"


def context_of(settings: Settings) -> ssl.SSLContext:
    """The context for connecting. Raises Ending for files and lists that are no use."""
    from wirecat.endpoints.tls import client_context

    try:
        return client_context(
            verify=settings.ssl_verify, check_names=False, ca=settings.ssl_trustfile or "",
            cert=settings.ssl_cert or "", key=settings.ssl_key or "", alpn=_names(settings.ssl_alpn),
            ciphers=settings.ssl_ciphers or CIPHERS, minimum=SYSTEM,
        )  # fmt: skip
    except UsageError as error:
        if settings.ssl_trustfile and error.address == settings.ssl_trustfile:
            raise quitting(messages.no_trust(settings.ssl_trustfile)) from error
        raise quitting(sentence(error)) from error


def secure_client(
    stream: Stream, context: ssl.SSLContext, settings: Settings, operands: Operands, voice: Voice
) -> Stream:
    """``stream`` with TLS on it. Raises Ending."""
    from wirecat.cli.ncat.opening import connect_time
    from wirecat.endpoints.tls import TlsStream
    from wirecat.endpoints.tls_options import tls_name

    if settings.ssl_servername == "":
        stream.close()
        raise Ending("", NETWORK, complaint=messages.EMPTY_SERVER_NAME)
    try:
        name = tls_name(settings.ssl_servername or operands.host or "localhost")
    except UsageError as error:
        stream.close()
        raise quitting(sentence(error)) from error
    try:
        secured = TlsStream.connect(
            stream, context, name, Deadline(connect_time(settings)), common_names=True, allow_truncation=True
        )
    except WirecatError as error:
        raise handshake_ending(error, settings, voice) from error
    tell_secured(secured.tls, stream.peer, settings, voice)
    return secured


def tell_secured(tls: TlsFacts | None, peer: Address, settings: Settings, voice: Voice) -> None:
    """With ``-v``: that the connection stands, and with whom."""
    if tls is None or not voice.level:
        return
    tell_peer(tls, settings, voice)
    voice.tell(messages.connected_tls(messages.place(peer), tls.organisation))
    if tls.certificate:
        voice.tell(messages.fingerprint(tls.sha1))


def handshake_ending(error: WirecatError, settings: Settings, voice: Voice) -> Ending:
    """How a client ends whose handshake failed."""
    if isinstance(error, CertificateError):
        if error.names_differ:
            return quitting(messages.VERIFICATION_ERROR)
        voice.tell(messages.not_verified(error.reason))
    if settings.zero and not settings.verbose:
        return network("")
    return network(messages.TIMEOUT if isinstance(error, NoAnswer) else messages.IO_ERROR)


def tell_peer(tls: TlsFacts, settings: Settings, voice: Voice) -> None:
    """With ``-v``: whose certificate it is, who signed it, and whether it would not verify."""
    names = tls.names if voice.level else None
    if names is None:
        return
    from wirecat.wire.x509_names import name_text

    voice.tell(f"Subject: {name_text(names.subject)}")
    voice.tell(f"Issuer: {name_text(names.issuer)}")
    voice.tell(messages.fingerprint(tls.sha1))
    if names.self_issued and not settings.ssl_verify:
        # All that can be said without a chain: Python's ssl gives no reason for what it does not verify.
        voice.tell(messages.not_verified(_SELF_SIGNED))


def secure_listener(listener: Listener, settings: Settings, voice: Voice) -> Listener:
    """A listener whose clients speak TLS. An ephemeral certificate is made in the background, so nobody waits for it
    who does not need it; one from a file has been read when this returns. Raises Ending."""
    from wirecat.endpoints.tls import TlsListener

    def make() -> ssl.SSLContext:
        from wirecat.endpoints.certificate import ephemeral_certificate

        context = _server_context(settings)
        voice.tell(messages.fingerprint(_sha1(ephemeral_certificate().der)))
        return context

    try:
        if settings.ssl_cert:
            context: ssl.SSLContext | Callable[[], ssl.SSLContext] = _server_context(settings)
        else:
            voice.tell(messages.TEMPORARY_KEY)
            context = make
    except UsageError as error:
        listener.close()
        raise quitting(sentence(error)) from error
    # With a single client the idle timeout is for its handshake too; with many, the server looks after idle ones.
    idle = None if settings.keep_open or settings.broker or settings.chat else settings.idle_timeout
    seconds = HANDSHAKE_TIME if idle is None else idle
    return TlsListener(listener, context, allow_truncation=True, handshake_time=seconds)


def _server_context(settings: Settings) -> ssl.SSLContext:
    from wirecat.endpoints.tls import server_context

    context = server_context(
        cert=settings.ssl_cert or "",
        key=settings.ssl_key or "",
        ciphers=settings.ssl_ciphers or CIPHERS,
        minimum=SYSTEM,
    )
    # Tickets for a next time come unasked (RFC 8446 section 4.6.1). A client that only sends does not read them, and
    # what is unread makes a reset of its close. Nobody comes again to a listener like this one.
    context.num_tickets = 0
    return context


def dtls_options(settings: Settings, operands: Operands) -> tuple[tuple[str, str], ...]:
    """The options as those of the library's DTLS addresses; for a listener too."""
    client = () if settings.listen else (
        ("verify", "yes" if settings.ssl_verify else "no"),
        ("names", "common"),
        ("servername", settings.ssl_servername or operands.host),
        ("ca", settings.ssl_trustfile or ""),
        ("alpn", settings.ssl_alpn or ""),
    )  # fmt: skip
    both = (
        ("cert", settings.ssl_cert or ""),
        ("key", settings.ssl_key or ""),
        ("ciphers", settings.ssl_ciphers or CIPHERS),
        ("min", SYSTEM),
    )
    return tuple((name, value) for name, value in (*client, *both) if value)


def shake_hands(stream: Stream, settings: Settings, voice: Voice) -> None:
    """A client's handshake, now. Raises Ending, told with ``-v``; it ends a listener that has no other client. One that
    stalls is idle, for ``-i``."""
    from wirecat.cli.ncat.session import idle_ending
    from wirecat.endpoints.tls import TlsStream

    if not isinstance(stream, TlsStream):
        return
    try:
        stream.handshake()
    except UsageError as error:
        raise quitting(sentence(error)) from error
    except WirecatError as error:
        if settings.idle_timeout is not None and isinstance(error.__cause__, DeadlineExpired):
            raise idle_ending(settings.idle_timeout, settings) from error
        reason = getattr(error, "reason", "") or error.message
        voice.tell(messages.tls_failed(stream.peer.host or "localhost", reason))
        raise Ending("", NETWORK) from error


def _sha1(der: bytes) -> str:
    import hashlib

    return hashlib.sha1(der, usedforsecurity=False).hexdigest()


def _names(text: str | None) -> list[str]:
    return [] if text is None else text.split(",")
