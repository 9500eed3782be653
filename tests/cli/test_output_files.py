"""Files that commands write: for their owner alone, where nobody else chose the place, and readable after a full disk."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from other_users import THEM, needs_root, owned
from peers import Program, environment, wirecat_command
from plain_peers import free_port
from recording.made import Maker

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the rules are those of POSIX permissions")

PRECIOUS = "precious\n"

#: Commands that write a file FILE, each with what it is to be given besides. Names in capitals are filled in.
WRITERS = {
    "connect": ["connect", "ECHO", "--record", "FILE"],
    "listen": ["listen", "127.0.0.1:0", "--record", "FILE"],
    "serve": ["serve", "echo", "127.0.0.1:0", "--record", "FILE"],
    "serve async": ["serve", "echo", "127.0.0.1:0", "--engine", "async", "--record", "FILE"],
    "swarm": ["swarm", "ECHO", "--clients", "1", "--messages", "1", "--record", "FILE"],
    "relay": ["relay", "127.0.0.1:0", "ECHO", "--record", "FILE"],
    "relay program": ["relay", "exec:true", "ECHO", "--record", "FILE"],
    "record": ["record", "127.0.0.1:0", "ECHO", "-o", "FILE"],
    "report": ["report", "RECORDING", "-o", "FILE"],
    "report picture": ["report", "RECORDING", "--picture", "bytes", "--format", "svg", "-o", "FILE"],
    "tour": ["tour", "--report", "FILE"],
    "dialect": ["ncat", "127.0.0.1", "PORT", "--record", "FILE"],
    "dialect listener": ["ncat", "-l", "127.0.0.1", "FREE", "--record", "FILE"],
}
WORKERS = {
    "serve workers": ["serve", "echo", "127.0.0.1:0", "--workers", "2", "--record", "FILE"],
    "swarm workers": ["swarm", "ECHO", "--clients", "2", "--messages", "1", "--workers", "2", "--record", "FILE"],
}


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    (tmp_path / "precious").write_text(PRECIOUS)
    (tmp_path / "precious").chmod(0o644)
    return folder


def command(words: list[str], folder: Path, file: Path) -> list[str]:
    recording = folder / "recording"
    if "RECORDING" in words:
        maker = Maker()
        maker.talk(1)
        maker.write(recording)
    names = {"RECORDING": recording, "FREE": free_port() if "FREE" in words else "", "ECHO": "127.0.0.1:1", "PORT": 1}
    return wirecat_command(*(str(names.get(word, word)).replace("FILE", str(file)) for word in words))


@needs_root
@pytest.mark.parametrize("kind", ["link", "file"])
@pytest.mark.parametrize("name", [*WRITERS, *WORKERS])
def test_what_another_user_has_put_there_is_refused(name: str, kind: str, shared: Path) -> None:
    """Before anything is opened to the network, and with the reason."""
    path = shared / "f.pcapng"
    bait = shared / "f.worker2.pcapng" if name in WORKERS else path
    if kind == "link":
        bait.symlink_to(shared.parent / "precious")
        owned(bait, THEM)
    else:
        bait.write_text("theirs")
        owned(bait, THEM, 0o666)
    ended = subprocess.run(
        command({**WRITERS, **WORKERS}[name], shared.parent, path), stdin=subprocess.DEVNULL, capture_output=True,
        env=environment(), timeout=50, check=False,
    )  # fmt: skip
    said = ended.stderr.decode()
    why = "is a link of another user" if kind == "link" else "belongs to another user"
    assert ended.returncode == 2, said
    assert why in said and f"(uid {THEM}), in a directory that other users can write to" in said, said
    assert "listening" not in said
    assert (shared.parent / "precious").read_text() == PRECIOUS
    assert stat.S_IMODE((shared.parent / "precious").stat().st_mode) == 0o644
    if kind == "file":
        assert bait.read_text() == "theirs"


@pytest.mark.parametrize("name", WRITERS)
def test_pipe_without_a_reader_is_an_error_at_once(name: str, shared: Path) -> None:
    path = shared / "pipe"
    os.mkfifo(path)
    ended = subprocess.run(
        command(WRITERS[name], shared.parent, path), stdin=subprocess.DEVNULL, capture_output=True, env=environment(),
        timeout=50, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert b"no process reads from this pipe" in ended.stderr, ended.stderr


@pytest.mark.parametrize("option", ["-o", "-x", "--record"])
def test_dialect_pipe_without_a_reader_is_an_error_at_once(option: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    words = wirecat_command("ncat", option, str(tmp_path / "pipe"), "127.0.0.1", "1")
    ended = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, env=environment(), timeout=30, check=False
    )
    assert ended.returncode == 2
    assert b"Could not open" in ended.stderr and b"no process reads from this pipe" in ended.stderr, ended.stderr


@needs_root
@pytest.mark.parametrize("option", ["-o", "-x"])
def test_dialect_output_follows_links_and_umask(option: str, shared: Path) -> None:
    """As ncat does; what the session wrote stands in the file that the link leads to."""
    listener = socket.create_server(("127.0.0.1", 0))
    link, target = shared / "l", shared.parent / "target"
    link.symlink_to(target)
    owned(link, THEM)
    words = wirecat_command("ncat", option, str(link), "127.0.0.1", str(listener.getsockname()[1]))
    shell = ["/bin/sh", "-c", 'umask 027; exec "$@"', "sh", *words]
    with listener, Program(shell) as client, listener.accept()[0] as peer:
        peer.sendall(b"hello")
        client.wait_for("stdout", b"hello")
        peer.close()
        assert client.wait() == 0
    assert b"hello" in target.read_bytes() or b"68 65 6c 6c 6f" in target.read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


REDIRECTIONS = (
    "--record /dev/stdout > out", "--record /dev/stdout | cat > out", "--record /dev/fd/3 3> out",
    "--record >(cat > out)", "--record /dev/null",
)  # fmt: skip


@pytest.mark.parametrize("redirection", REDIRECTIONS)
def test_shells_ways_to_name_a_file_work(redirection: str, tmp_path: Path) -> None:
    shell = shutil.which("bash")
    if shell is None:
        pytest.skip("process substitution is bash's")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        line = f'"$1" -m wirecat connect 127.0.0.1:{port} {redirection}; wait $!'
        with Program([shell, "-c", line, "sh", sys.executable], cwd=tmp_path) as client, listener.accept()[0] as peer:
            peer.sendall(b"")
            peer.close()
            client.close_stdin()
            client.wait()
            assert client.stderr == b"", client.stderr
    if "null" not in redirection:
        shown = subprocess.run(
            wirecat_command("show", str(tmp_path / "out")),
            capture_output=True,
            env=environment(),
            timeout=30,
            check=True,
        )
        assert b"connected to" in shown.stdout, shown


@needs_root
def test_next_name_of_a_rotation_is_refused_too(shared: Path) -> None:
    bait = shared / "f.2.pcapng"
    bait.symlink_to(shared.parent / "precious")
    owned(bait, THEM)
    words = ["serve", "echo", "127.0.0.1:0", "--record", str(shared / "f.pcapng"), "--record-limit", "70K"]
    with Program(wirecat_command(*words, "--record-rotate", "3")) as server:
        port = int(server.wait_for("stderr", rb"127\.0\.0\.1:(\d+)")[1])
        talk(port, 200_000)
        server.wait_for("stderr", rb"'f\.2\.pcapng' is a link of another user \(uid \d+\), in a directory that other")
        server.interrupt()
        server.wait()
        assert b"bytes in" in server.stderr and b"were not recorded" in server.stderr
    assert (shared.parent / "precious").read_text() == PRECIOUS
    assert bait.is_symlink()
    subprocess.run(
        wirecat_command("show", str(shared / "f.pcapng")), capture_output=True, env=environment(), check=True
    )


def talk(port: int, size: int) -> None:
    """Send so much to an echo server in pieces, and take it back."""
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        for _ in range(size // 1000):
            client.sendall(b"x" * 1000)
            taken = 0
            while taken < 1000:
                taken += len(client.recv(1000))


#: Run in a mount namespace of its own, with a disk of 400 KiB at the folder that the first argument names.
ON_A_SMALL_DISK = """
import os, pathlib, socket, subprocess, sys
folder = pathlib.Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k,mode=700", "none", folder], check=True)
words = [word.replace("FILE", str(folder / "f.pcapng")) for word in sys.argv[2:]]
program = [sys.executable, "-m", "wirecat"]
server = subprocess.Popen([*program, *words], stderr=subprocess.PIPE)
said = b""
while b"at most" not in said:
    said += server.stderr.readline()
port = int(said.partition(b"127.0.0.1:")[2].split()[0])
for client in range(8):
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        for piece in range(200):
            connection.sendall(b"x" * 1000)
            taken = 0
            while taken < 1000:
                taken += len(connection.recv(1000))
server.send_signal(2)
said += server.stderr.read()
sys.stdout.buffer.write(said)
assert server.wait() == 0
files = sorted(folder.iterdir())
assert files, "nothing is recorded"
print([(path.name, path.stat().st_size) for path in files])
for path in files:
    shown = subprocess.run([*program, "show", path], capture_output=True)
    assert shown.returncode == 0, (path, shown.stderr)
together = subprocess.run([*program, "show", *files], capture_output=True)
assert together.returncode == 0 and b" > xxxx" in together.stdout, together.stderr
"""


@needs_root
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--record-limit", "100K", "--record-rotate", "20"],
        ["--record-limit", "100K", "--record-rotate", "4"],
        ["--workers", "2"],
        ["--workers", "2", "--record-limit", "100K", "--record-rotate", "20"],
    ],
    ids=" ".join,
)
def test_full_disk_is_reported_and_leaves_files_that_can_be_read(options: list[str], tmp_path: Path) -> None:
    words = ["serve", "echo", "127.0.0.1:0", "--record", "FILE", *options]
    ended = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", ON_A_SMALL_DISK, str(tmp_path), *words], capture_output=True,
        env=environment(), timeout=50, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, (ended.stdout + ended.stderr).decode()
    if options[-1:] == ["4"]:  # what is removed makes room
        return
    said = ended.stdout.decode()
    assert "No space left on device; what cannot be kept is counted, the traffic goes on" in said, said
    assert "bytes in" in said and "pieces were not recorded" in said, said


@needs_root
def test_full_disk_of_a_swarm_of_workers_is_reported(tmp_path: Path) -> None:
    with Program(wirecat_command("serve", "echo", "127.0.0.1:0")) as server:
        port = int(server.wait_for("stderr", rb"127\.0\.0\.1:(\d+)")[1])
        words = wirecat_command("swarm", f"127.0.0.1:{port}", "--clients", "4", "--messages", "50", "--size", "10000")
        script = f'mount -t tmpfs -o size=200k none "$1" && shift && exec "$@" --workers 2 --record {tmp_path}/f.pcapng'
        ended = subprocess.run(
            ["unshare", "--mount", "/bin/sh", "-c", script, "sh", str(tmp_path), *words], capture_output=True,
            env=environment(), timeout=50, check=False,
        )  # fmt: skip
    said = ended.stderr.decode()
    assert ended.returncode == 0, said
    assert "f.worker1.pcapng: No space left on device" in said or "f.worker2.pcapng: No space left on device" in said, (
        said
    )
    assert "pieces were not recorded" in said, said
