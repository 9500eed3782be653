"""Output files in places where another user can put something in their way."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from other_users import THEM, US, as_user, needs_root, owned
from wirecat.errors import UsageError
from wirecat.system.private_file import open_private, remove_private, write_private

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the rules are those of POSIX permissions")
if sys.platform != "win32":
    import pty

PRECIOUS = "precious\n"


class Places:
    """A directory of ours, one that everybody can write to, and a file of ours that is worth something."""

    def __init__(self, folder: Path) -> None:
        for path in (folder, *folder.parents):
            if path.stat().st_uid == os.geteuid():
                path.chmod(path.stat().st_mode | 0o755)  # pytest's folders are for root alone
        self.home = owned(folder / "home", US)
        self.shared = folder / "shared"
        self.theirs = owned(folder / "theirs", THEM)
        self.shared.chmod(0o1777)
        self.precious = owned(self.home / "precious", US, 0o644)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for name in ("home", "shared", "theirs"):
        (tmp_path / name).mkdir(mode=0o755)
    (tmp_path / "home" / "precious").write_text(PRECIOUS)
    return Places(tmp_path)


def write(path: Path) -> Callable[[], str]:
    """Opens and writes; what is in the file then."""

    def call() -> str:
        descriptor = open_private(str(path), step="record")
        os.write(descriptor, b"ours")
        os.close(descriptor)
        return path.read_text() if path.is_file() else ""

    return call


def link(path: Path, target: Path, owner: int) -> Path:
    path.symlink_to(target)
    return owned(path, owner)


def file(path: Path, owner: int, mode: int, text: str = "old") -> Path:
    path.write_text(text)
    return owned(path, owner, mode)


ALLOWED: dict[str, Callable[[Places], Path]] = {
    "new in a shared directory": lambda p: p.shared / "new",
    "new in another user's directory": lambda p: owned(p.theirs, THEM, 0o777) / "new",
    "own file in a shared directory": lambda p: file(p.shared / "f", US, 0o644),
    "own link in a shared directory": lambda p: link(p.shared / "l", file(p.home / "f", US, 0o644), US),
    "own link in an own directory": lambda p: link(p.home / "l", file(p.home / "f", US, 0o644), US),
    "own link that leads to nothing yet": lambda p: link(p.home / "l", p.home / "new", US),
    "root's link in a shared directory": lambda p: link(p.shared / "l", p.home / "new", 0),
    "relative links and dots": lambda p: (
        link(p.home / "l", Path("../home/./sub/../new"), US).parent / "sub" / ".." / "l"
    ),
    "link of a directory": lambda p: link(p.home / "d", p.home, US) / "d" / "new",
}


@needs_root
@pytest.mark.parametrize("case", ALLOWED)
def test_open_private_what_is_ours_is_written_for_us_alone(case: str, places: Places) -> None:
    (places.home / "sub").mkdir()
    path = ALLOWED[case](places)
    assert as_user(US, write(path)) == "ours"
    found = path.stat()
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_uid == US


def fifo(path: Path, owner: int) -> Path:
    os.mkfifo(path)
    return owned(path, owner, 0o666)


def hard_link(path: Path, target: Path) -> Path:
    path.hardlink_to(target)
    return path


REFUSED: dict[str, tuple[Callable[[Places], Path], str]] = {
    "their link": (lambda p: link(p.shared / "l", p.precious, THEM), "'l' is a link of another user (uid 64321)"),
    "their link to nothing": (lambda p: link(p.shared / "l", p.home / "none", THEM), "is a link of another user"),
    "their link to a directory": (lambda p: link(p.shared / "d", p.home, THEM) / "precious", "'d' is a link of another"),
    "our link to their link": (
        lambda p: link(p.home / "l", link(p.shared / "l", p.precious, THEM), US), "is a link of another user",
    ),
    "their file": (lambda p: file(p.shared / "f", THEM, 0o666), "belongs to another user (uid 64321)"),
    "their file in their directory": (lambda p: file(p.theirs / "f", THEM, 0o666), "belongs to another user"),
    "their link in their directory": (lambda p: link(p.theirs / "l", p.precious, THEM), "is a link of another user"),
    "their link in a group's directory": (
        lambda p: link(owned(p.shared, US, 0o775) / "l", p.precious, THEM), "is a link of another user",
    ),
    "their link without the sticky bit": (
        lambda p: link(owned(p.shared, US, 0o777) / "l", p.precious, THEM), "is a link of another user",
    ),
    "their pipe": (lambda p: fifo(p.shared / "p", THEM), "belongs to another user"),
    "another name of our file": (lambda p: hard_link(p.shared / "h", p.precious), "has 2 names (hard links)"),
}  # fmt: skip


@needs_root
@pytest.mark.parametrize("action", ["open", "write"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_another_user_has_put_there_is_refused_untouched(case: str, action: str, places: Places) -> None:
    make, said = REFUSED[case]
    path = make(places)
    before = sorted(each.name for each in places.home.iterdir())
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK) if path.is_fifo() else None
    call = write(path) if action == "open" else lambda: write_private(str(path), b"ours", step="record")
    error = as_user(US, call)
    assert isinstance(error, UsageError), error
    assert str(error).startswith(f"record {path}: ") and said in str(error), error
    assert str(error).endswith("Choose a directory that only you can write to."), error
    assert places.precious.read_text() == PRECIOUS and stat.S_IMODE(places.precious.stat().st_mode) == 0o644
    assert sorted(each.name for each in places.home.iterdir()) == before
    if reader is not None:
        assert os.read(reader, 10) == b""
        os.close(reader)


@needs_root
def test_root_does_not_follow_a_users_link(places: Places) -> None:
    path = link(places.theirs / "l", places.precious, THEM)
    with pytest.raises(UsageError, match="is a link of another user"):
        open_private(str(path))
    assert places.precious.read_text() == PRECIOUS


@needs_root
@pytest.mark.parametrize("action", ["open", "write"])
def test_a_link_that_comes_meanwhile_is_not_followed(action: str, places: Places) -> None:
    """The other user swaps a file and a link as fast as they can; what the link leads to is never written."""
    path = places.shared / "f"
    places.shared.chmod(0o777)
    over = threading.Event()

    def swap() -> None:
        turn = 0
        while not over.is_set():
            turn += 1
            part = places.shared / "part"
            with contextlib.suppress(FileNotFoundError, FileExistsError):
                if turn % 2:
                    part.symlink_to(places.precious)
                    os.chown(part, THEM, THEM, follow_symlinks=False)
                else:
                    part.write_text("bait")
                    os.chown(part, US, US)
                part.rename(path)

    def attempts() -> int:
        refused = 0
        for _ in range(400):
            try:
                if action == "open":
                    os.close(open_private(str(path)))
                else:
                    write_private(str(path), b"ours")
            except OSError:
                refused += 1
        return refused

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        refused = as_user(US, attempts)
    finally:
        over.set()
        swapping.join()
    assert refused, "it met the link at least once"
    assert places.precious.read_text() == PRECIOUS


@contextlib.contextmanager
def reading(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def test_open_private_a_pipe_with_a_reader_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    with reading(tmp_path / "p") as reader:
        descriptor = open_private(str(tmp_path / "p"))
        assert os.get_blocking(descriptor)
        os.write(descriptor, b"hello")
        os.close(descriptor)
        assert os.read(reader, 10) == b"hello"


@pytest.mark.parametrize("action", ["open", "write"])
def test_a_pipe_without_a_reader_is_an_error_at_once(action: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    with pytest.raises(UsageError, match=r"no process reads from this pipe\. Start its reader first") as caught:
        if action == "open":
            open_private(str(tmp_path / "p"))
        else:
            write_private(str(tmp_path / "p"), b"x")
    assert caught.value.errno == errno.ENXIO


@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}"])
def test_open_private_a_descriptor_is_the_file_behind_it(name: str, tmp_path: Path) -> None:
    if not os.path.exists(name.format(0).rpartition("/")[0]):
        pytest.skip(f"there is no {name}")
    path = tmp_path / "f"
    path.write_text("old")
    path.chmod(0o644)
    with path.open("r+b") as opened:
        descriptor = open_private(name.format(opened.fileno()))
        os.write(descriptor, b"new")
        os.close(descriptor)
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644, "a shell's file has the mode that its user wants"
    ours, theirs = os.pipe()
    descriptor = open_private(name.format(theirs))
    os.write(descriptor, b"through")
    os.close(descriptor)
    assert os.read(ours, 10) == b"through"
    os.close(ours)
    os.close(theirs)


def test_devices_are_written_to() -> None:
    os.close(open_private("/dev/null"))
    write_private("/dev/null", b"x")
    main, other = pty.openpty()
    os.close(open_private(os.ttyname(other)))
    os.close(main)
    os.close(other)


@pytest.mark.parametrize("path", ["", "a\0b", "missing/f", ".", "/", "loop", "f/x", "d/"])
def test_what_cannot_be_opened_is_a_usage_error(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    Path("f").touch()
    Path("d").mkdir()
    for call in (open_private, lambda path: write_private(path, b"x")):
        with pytest.raises(UsageError):
            call(path)
    assert sorted(os.listdir()) == ["d", "f", "loop"]


def test_write_private_replaces_the_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    path.chmod(0o644)
    (tmp_path / "l").symlink_to("f")
    with path.open() as before:
        write_private(str(tmp_path / "l"), b"new")
        assert before.read() == "old"
    assert path.read_text() == "new" and (tmp_path / "l").is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["f", "l"]


def test_write_private_leaves_nothing_behind_where_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_text("old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(UsageError, match="No space left on device"):
        write_private(str(path), b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["f"] and path.read_text() == "old"


@needs_root
def test_remove_private_takes_away_ours_alone(places: Places) -> None:
    mine, other = file(places.shared / "mine", US, 0o600), file(places.shared / "other", THEM, 0o666)
    foreign = link(places.theirs / "l", places.home, THEM) / "precious"
    assert as_user(US, lambda: remove_private(str(mine))) is None
    assert not mine.exists()
    assert as_user(US, lambda: remove_private(str(mine))) is None, "it has gone already"
    places.shared.chmod(0o777)
    as_user(US, lambda: remove_private(str(other)))
    assert other.exists()
    assert isinstance(as_user(US, lambda: remove_private(str(foreign))), UsageError)
    assert places.precious.exists()
