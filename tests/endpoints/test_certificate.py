"""The ephemeral certificate: by either maker, once a process, and never in a file that others can read."""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from peers import peer
from wirecat.endpoints import certificate
from wirecat.endpoints.certificate import Certificate, ephemeral_certificate, make_certificate
from wirecat.errors import UsageError
from wirecat.wire.x509_names import read_names


@pytest.fixture
def without_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> bytes:
        raise ImportError("No module named 'cryptography'")

    monkeypatch.setattr(certificate, "_by_cryptography", missing)


def check(made: Certificate) -> None:
    """It is for this machine, valid now, and goes with its key."""
    names = read_names(made.der)
    assert names.common_names == ("localhost",)
    assert names.self_issued
    assert names.dns_names == ("localhost",)
    assert names.ip_addresses == ("127.0.0.1", "0:0:0:0:0:0:0:1")
    assert names.not_before < names.not_after
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_into(context)


def test_by_cryptography() -> None:
    pytest.importorskip("cryptography")
    check(Certificate(certificate._by_cryptography()))


def test_by_the_program(without_cryptography: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peer("openssl")
    monkeypatch.chdir(tmp_path)
    check(make_certificate())
    assert not list(tmp_path.iterdir()), "it leaves no file behind"


def test_by_nobody(without_cryptography: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match=r"openssl is not there.*wirecat\[certs\]") as caught:
        make_certificate()
    assert caught.value.exit_code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell script")
@pytest.mark.parametrize(
    ("script", "match"),
    [("echo first >&2; echo it is broken >&2; exit 3", "openssl: it is broken"), ("exit 0", "openssl: exit 0")],
)
def test_by_a_program_that_fails(
    without_cryptography: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, match: str
) -> None:
    program = tmp_path / "openssl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(UsageError, match=match):
        make_certificate()


def test_a_program_that_hangs_is_not_waited_for_for_ever(
    without_cryptography: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(*arguments: object, **options: object) -> None:
        raise subprocess.TimeoutExpired("openssl", 30)

    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(UsageError, match="timed out"):
        make_certificate()


def test_one_a_process_whoever_asks_first() -> None:
    found: list[Certificate] = []
    askers = [threading.Thread(target=lambda: found.append(ephemeral_certificate())) for _ in range(8)]
    for each in askers:
        each.start()
    for each in askers:
        each.join()
    assert len(found) == 8
    assert len({id(each) for each in found}) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="memory with a descriptor is Linux' own")
def test_on_linux_the_key_is_in_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object, **options: object) -> tuple[int, str]:
        raise AssertionError("a file was made")

    monkeypatch.setattr(tempfile, "mkstemp", never)
    with ephemeral_certificate().as_file() as path:
        assert Path(path).read_bytes() == ephemeral_certificate().pem
        assert "memfd" in os.readlink(path)
    with pytest.raises(OSError, match=r"."):
        Path(path).read_bytes()


def test_elsewhere_the_file_is_private_and_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with ephemeral_certificate().as_file() as path:
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
        assert Path(path).read_bytes() == ephemeral_certificate().pem
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyError), ephemeral_certificate().as_file():
        raise KeyError
    assert not list(tmp_path.iterdir()), "also where it failed"
