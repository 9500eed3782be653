"""Output files that only their owner can read, opened so that no other user can choose which file is written.

In a directory that another user can write to (``/tmp``), a name can be a link that the other one has made, to a file of
ours: following it would empty that file. Or it can be a file of theirs, who would read what is written. Linux refuses
both where the sysctls fs.protected_symlinks, protected_regular and protected_fifos are set (proc_sys_fs(5)), but only in
sticky directories that everybody can write to, and they may be off. So the path is walked here, one name at a time, and
each name is judged by what was opened, not by what stood there a moment before:

- A link is followed where its owner is this user or root, or where no other user can write to its directory.
- A file that exists is written to where its owner is this user or root, or where no other user can write to its
  directory. In such a directory it must not have other names: they may be in a place that another one chose.
- What is new is created by O_EXCL with mode 0600.

``/dev/stdout``, ``/dev/fd/N`` and the pipes of a shell's process substitution are links of this user's in /proc, which
lead to no path but to what is open, so the kernel follows them.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

from wirecat.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

MODE = 0o600  # what people say to each other is for them alone
NO_READER = "no process reads from this pipe"
_MOST_LINKS = 40  # path_resolution(7)
_MOST_TRIES = 100  # for a name that comes and goes
_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_POSIX = sys.platform != "win32"


def open_private(path: str, *, step: str = "open") -> int:
    """Create the file ``path``, or empty it; a descriptor to write to. Only its owner may read it.

    A device, a pipe or a FIFO that a process reads is opened as it is. Raises UsageError, with the reason, for what
    cannot be opened, and for what another user may have put there.
    """
    try:
        if not _POSIX:
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, MODE)
        with _Place(path) as place:
            return place.open()
    except (OSError, ValueError) as error:
        raise _refusal(error, path, step) from error


def write_private(path: str, data: bytes, *, step: str = "write") -> None:
    """Write a whole file, all of it or nothing: who has the old one open keeps that. Only its owner may read it.

    Raises what ``open_private`` raises.
    """
    try:
        if not _POSIX:
            _write_beside(path, data)
            return
        with _Place(path) as place:
            place.write(data)
    except (OSError, ValueError) as error:
        raise _refusal(error, path, step) from error


def remove_private(path: str) -> None:
    """Remove a file that this user wrote at ``path``, if it is there. What another one has put there stays.

    Raises OSError for one that cannot be removed, UsageError for a link of another user on the way.
    """
    if not _POSIX:
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        return
    with _Place(path) as place:
        place.remove()


def _refusal(error: OSError | ValueError, path: str, step: str) -> UsageError:
    if isinstance(error, UsageError):
        return UsageError(error.message, address=path, step=step, hint=error.hint, errno=error.errno)
    number = error.errno if isinstance(error, OSError) else None
    reason = error.strerror if isinstance(error, OSError) else None
    return UsageError(reason or "no path has a zero byte", address=path, step=step, errno=number)


def _write_beside(path: str, data: bytes) -> None:
    part = f"{path}.{os.getpid()}.part"
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, MODE), "wb") as file:  # noqa: PTH123
            file.write(data)
        os.replace(part, path)
    except BaseException:
        if os.path.exists(part):
            os.unlink(part)
        raise


class _Place:
    """Where a path leads, all links resolved: the directory, held open, and the name in it. A context manager.

    Raises OSError for a path that leads nowhere, UsageError for a link that is not to be trusted.
    """

    def __init__(self, path: str) -> None:
        if not path or "\0" in path:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        self.followed = False  # the name is a link in /proc, for the kernel to follow
        self._links = 0
        self.directory = _open_directory("/" if path.startswith("/") else ".")
        try:
            self.name = self._walk(path)
        except BaseException:
            os.close(self.directory)
            raise

    def _walk(self, path: str) -> str:
        names = [name for name in reversed(path.split("/")) if name not in ("", ".")]
        if path.endswith("/") and names:
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        while names:
            name = names.pop()
            target = None if name == ".." else self._link(name)
            if target is not None:
                self._links += 1
                if self._links > _MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                if _is_in_proc(self.directory):
                    if not names:
                        self.followed = True
                        return name
                    self._enter(_open_directory(name, self.directory, follow=True))
                    continue
                if target.startswith("/"):
                    self._enter(_open_directory("/"))
                names += [part for part in reversed(target.split("/")) if part not in ("", ".")]
            elif names or name == "..":
                self._enter(_open_directory(name, self.directory))
            else:
                return name
        return "."

    def _enter(self, directory: int) -> None:
        os.close(self.directory)
        self.directory = directory

    def _link(self, name: str) -> str | None:
        """Where the link of that name leads; None for what is no link, and for what is not there."""
        try:
            before = os.stat(name, dir_fd=self.directory, follow_symlinks=False)
            if not stat.S_ISLNK(before.st_mode):
                return None
            target, found = _read_link(name, self.directory, before)
        except FileNotFoundError:
            return None
        shared = _others_can_write(os.fstat(self.directory))
        if shared and not _is_trusted(found):
            raise _untrusted(f"{name!r} is a link of another user (uid {found.st_uid})")
        return target

    def open(self) -> int:
        """The file, new or emptied."""
        if self.followed:
            return self._open_existing()
        for _ in range(_MOST_TRIES):
            created = self._create(self.name)
            if created is not None:
                return created
            try:
                return self._open_existing()
            except FileNotFoundError:
                continue  # it went between the two
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    def _create(self, name: str) -> int | None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | _BINARY
        try:
            return os.open(name, flags, MODE, dir_fd=self.directory)
        except FileExistsError:
            return None

    def _open_existing(self) -> int:
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | (0 if self.followed else os.O_NOFOLLOW) | _BINARY
        try:
            return self._prepared(os.open(self.name, flags, dir_fd=self.directory))
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _untrusted("it has become a link meanwhile") from error
            if error.errno == errno.ENXIO and self._is_pipe():
                raise UsageError(NO_READER, hint="Start its reader first.", errno=errno.ENXIO) from error
            raise

    def _is_pipe(self) -> bool:
        return stat.S_ISFIFO(os.stat(self.name, dir_fd=self.directory, follow_symlinks=self.followed).st_mode)

    def _prepared(self, descriptor: int) -> int:
        """Judge what was opened, and empty it if it is a file."""
        try:
            found = os.fstat(descriptor)
            if not self.followed:
                self._require_trusted(found)
            if stat.S_ISREG(found.st_mode):
                os.ftruncate(descriptor, 0)
                if not self.followed:  # what a shell has opened has the mode that its user wants
                    _take_away_rights(descriptor, found)
            os.set_blocking(descriptor, True)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _require_trusted(self, found: os.stat_result) -> None:
        if not _others_can_write(os.fstat(self.directory)):
            return
        if not _is_trusted(found):
            raise _untrusted(f"it belongs to another user (uid {found.st_uid})")
        if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            raise _untrusted(f"the file has {found.st_nlink} names (hard links)")

    def write(self, data: bytes) -> None:
        """Put a file in the place of what is there; into a device or a pipe, write."""
        found = self._look()
        if self.followed or (found is not None and not stat.S_ISREG(found.st_mode)):
            with open(self.open(), "wb") as file:  # noqa: PTH123  a descriptor has no path
                file.write(data)
            return
        if found is not None:
            self._require_trusted(found)
        part = f".{self.name}.{os.urandom(6).hex()}.part"
        descriptor = self._create(part)
        if descriptor is None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123
                file.write(data)
            os.rename(part, self.name, src_dir_fd=self.directory, dst_dir_fd=self.directory)
        except BaseException:
            os.unlink(part, dir_fd=self.directory)
            raise

    def remove(self) -> None:
        """Remove the file, if it is one of this user's."""
        found = self._look()
        if found is not None and stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
            os.unlink(self.name, dir_fd=self.directory)

    def _look(self) -> os.stat_result | None:
        try:
            return os.stat(self.name, dir_fd=self.directory, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.directory)


def _open_directory(name: str, directory: int | None = None, *, follow: bool = False) -> int:
    flags = os.O_DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY) | _BINARY
    return os.open(name, flags if follow else flags | os.O_NOFOLLOW, dir_fd=directory)


def _read_link(name: str, directory: int, before: os.stat_result) -> tuple[str, os.stat_result]:
    """The target of a link, and the status of that very link: between two calls by name another could be put there."""
    if hasattr(os, "O_PATH"):
        descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | _BINARY, dir_fd=directory)
        try:
            return os.readlink("", dir_fd=descriptor), os.fstat(descriptor)
        finally:
            os.close(descriptor)
    target = os.readlink(name, dir_fd=directory)
    found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    if (found.st_ino, found.st_ctime_ns) != (before.st_ino, before.st_ctime_ns):
        raise _untrusted(f"{name!r} has been replaced meanwhile")
    return target, found


def _is_in_proc(directory: int) -> bool:
    """Whether a directory is one of /proc, whose links only the kernel can follow: those in /proc/PID/fd lead to what is
    open, whatever their text says (proc_pid_fd(5))."""
    try:
        return os.fstat(directory).st_dev == os.stat("/proc/self/fd").st_dev
    except OSError:
        return False


def _others_can_write(directory: os.stat_result) -> bool:
    return bool(directory.st_mode & (stat.S_IWGRP | stat.S_IWOTH)) or not _is_trusted(directory)


def _is_trusted(found: os.stat_result) -> bool:
    return found.st_uid in (0, os.geteuid())


def _take_away_rights(descriptor: int, found: os.stat_result) -> None:
    """A file that was there before gets the mode of a new one, where it is ours to change."""
    if found.st_uid != os.geteuid():
        return
    try:
        os.fchmod(descriptor, MODE)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EROFS):  # a file system without permissions
            raise


def _untrusted(what: str) -> UsageError:
    return UsageError(
        f"{what}, in a directory that other users can write to", hint="Choose a directory that only you can write to."
    )
