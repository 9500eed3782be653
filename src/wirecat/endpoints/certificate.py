"""An ephemeral certificate: self-signed, for localhost, for a server that was given none; one a process.

It is made by the package ``cryptography`` where that is installed (the extra ``[certs]``), else by the program
``openssl``. The key never stands in a file that others can read: on Linux it goes to Python's ``ssl``, which reads
files only, by memory that has a descriptor, elsewhere by a file of mode 0600 that is removed at once.
"""

from __future__ import annotations

import _thread
import os
import sys

from wirecat.errors import UsageError
from wirecat.system.child_environment import child_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from types import TracebackType

HOST = "localhost"
DAYS = 365
_SECONDS = 30  # for the program, which takes 10 ms
_KEY, _CERTIFICATE = b"PRIVATE KEY-----", b"-----BEGIN CERTIFICATE-----"


class Certificate:
    """A certificate and its key, both as PEM in ``pem``."""

    __slots__ = ("pem",)

    def __init__(self, pem: bytes) -> None:
        self.pem = pem

    @property
    def der(self) -> bytes:
        """The certificate alone, as DER."""
        import ssl

        text = self.pem[self.pem.index(_CERTIFICATE) :].decode("ascii")
        return ssl.PEM_cert_to_DER_cert(text.partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n")

    def load_into(self, context: ssl.SSLContext) -> None:
        """Let ``context`` show this certificate."""
        with self.as_file() as path:
            context.load_cert_chain(path)

    def as_file(self) -> CertificateFile:
        """The PEM by a path, for the length of a ``with`` block: what reads certificates, reads them from files."""
        return CertificateFile(self.pem)


class CertificateFile:
    """A path from which a certificate and its key can be read, by this process and as long as the block lasts."""

    __slots__ = ("_descriptor", "_path", "_pem")

    def __init__(self, pem: bytes) -> None:
        self._pem = pem
        self._descriptor = -1
        self._path = ""

    def __enter__(self) -> str:
        if sys.platform == "linux" and os.path.exists("/proc/self/fd"):
            self._descriptor = os.memfd_create("wirecat-certificate", os.MFD_CLOEXEC)
            os.write(self._descriptor, self._pem)
            return f"/proc/self/fd/{self._descriptor}"
        import tempfile

        self._descriptor, self._path = tempfile.mkstemp(prefix="wirecat-")  # mode 0600
        os.write(self._descriptor, self._pem)
        return self._path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
        if self._path:
            os.unlink(self._path)


class _Once:
    """Makes the process' certificate when it is first wanted, whoever wants it first."""

    __slots__ = ("_lock", "_made")

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._made: Certificate | None = None

    def get(self) -> Certificate:
        with self._lock:
            if self._made is None:
                self._made = make_certificate()
            return self._made


_OF_THIS_PROCESS = _Once()


def ephemeral_certificate() -> Certificate:
    """The process' own certificate, made at the first call. Raises UsageError where nothing here can make one."""
    return _OF_THIS_PROCESS.get()


def make_certificate() -> Certificate:
    """A new certificate for localhost, valid for a year from yesterday or today on. Raises UsageError."""
    try:
        return Certificate(_by_cryptography())
    except ImportError:
        return Certificate(_by_openssl())


def _by_cryptography() -> bytes:
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    addresses = [x509.IPAddress(ipaddress.ip_address(each)) for each in ("127.0.0.1", "::1")]
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # the peer's clock may be behind
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + certificate.public_bytes(serialization.Encoding.PEM)


def _by_openssl() -> bytes:
    import subprocess

    # Into the pipe, not into a file. Where there is no such device, OpenSSL takes "-" for it.
    output = "/dev/stdout" if os.path.exists("/dev/stdout") else "-"
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256",
        "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1,IP:::1",
        "-days", str(DAYS), "-keyout", output, "-out", output,
    ]  # fmt: skip
    hint = "Install openssl or wirecat[certs], or give a certificate of your own (cert=FILE)."
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, env=child_environment()
        )
    except (OSError, subprocess.SubprocessError) as error:
        reason = "the program openssl is not there" if isinstance(error, FileNotFoundError) else str(error)
        raise UsageError(f"no certificate can be made: {reason}", step="certificate", hint=hint) from error
    if ended.returncode or _KEY not in ended.stdout or _CERTIFICATE not in ended.stdout:
        said = ended.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2] or f"exit {ended.returncode}"
        raise UsageError(f"no certificate can be made: openssl: {said}", step="certificate", hint=hint)
    return ended.stdout
