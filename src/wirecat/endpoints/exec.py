"""Programs: a child process whose standard input and output are the stream.

They are pipes and no socket, because a program may want to open ``/dev/stdin``, which a socket does not let it. The
end of what is sent closes the child's input and no more: a program is not killed because its client has said all it
had to say. ``close`` leaves it to end by itself (it is reaped all the same), ``abort`` kills it, with all that it has
started.
"""

from __future__ import annotations

import os
import signal
import sys

from wirecat.address import Address
from wirecat.endpoints.watched_wait import WatchedWait
from wirecat.errors import ConnectionClosed, DeadlineExpired, UsageError
from wirecat.stream import Program, Stream
from wirecat.system.child_environment import child_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from wirecat.deadline import Deadline

REAP_TIME = 0.2  # seconds that a close waits for the child's end before it leaves that to a thread
KILL_TIME = 1.0  # seconds that a child has between SIGTERM and SIGKILL
_SCRATCH = 65536


def open_stream(address: Address, deadline: Deadline) -> ExecStream:
    """Start the command by ``/bin/sh -c`` (Windows: by its command interpreter)."""
    return start_program(address.path)


def start_program(
    command: str | list[str], *, split: bool = False, environment: Mapping[str, str] | None = None
) -> ExecStream:
    """Start ``command`` by the shell, or with ``split`` by itself, cut into words by ``split_command``.

    A list of words is a program and its arguments as they are. ``environment`` is added to this process' own, without
    wirecat's own secrets. Raises
    UsageError where there is no such program.
    """
    import subprocess

    words = split_command(command) if split and isinstance(command, str) else command
    text = command if isinstance(command, str) else " ".join(command)
    try:
        # Signals that Python ignores, SIGPIPE above all, are given back to the child: subprocess does it by itself.
        child = subprocess.Popen(
            words, shell=isinstance(words, str), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
            env=child_environment(environment), process_group=None if sys.platform == "win32" else 0,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        reason = "there is no such program" if isinstance(error, FileNotFoundError) else str(error)
        if isinstance(error, ValueError):
            reason = "no command and no argument has a zero byte"
        if isinstance(error, PermissionError):
            reason = "it is no program that may be run"
        program = words if isinstance(words, str) else words[0]
        raise UsageError(reason, address=repr(program), step="exec") from error
    return ExecStream(child, Address("exec", path=text))


def split_command(command: str) -> list[str]:
    """Words as ncat's ``-e`` has them: white space parts them, a backslash keeps the next character, quotes are nothing
    special. Raises UsageError for none.

    >>> split_command(r"/bin/my\\ program 'a  b'")
    ['/bin/my program', "'a", "b'"]
    """
    words: list[str] = []
    word: str | None = None
    letters = iter(command)
    for letter in letters:
        if letter.isspace():
            if word is not None:
                words.append(word)
            word = None
            continue
        if letter == "\\":
            letter = next(letters, "\\")
        word = (word or "") + letter
    if word is not None:
        words.append(word)
    if not words:
        raise UsageError("an empty command", step="exec")
    return words


class ExecStream(Stream, Program):
    """A running child. What is sent to one that reads no more is dropped, as in a pipeline: ``discarded`` counts it.

    ``pid`` is its process number, ``exit_code`` what it ended with (negative: by that signal), None while it runs.
    ``patience`` is how many seconds it has after ``close`` to end by itself before it is ended; None: as long as it likes.
    """

    __slots__ = (
        "_aborted", "_address", "_child", "_closed", "_input", "_output", "_partner", "_receiving", "_sending", "_timeout",
        "_wake", "_waker", "_waking", "discarded", "ended", "patience",
    )  # fmt: skip

    def __init__(self, child: subprocess.Popen[bytes], address: Address) -> None:
        import _thread

        assert child.stdin is not None and child.stdout is not None
        self.ended = False
        self.discarded = 0
        self.patience: float | None = None
        self._child = child
        self._address = address
        # Descriptors rather than files: they are closed here, and only when nobody waits for them.
        self._input, self._output = os.dup(child.stdin.fileno()), os.dup(child.stdout.fileno())
        child.stdin.close()
        child.stdout.close()
        self._timeout: float | None = None
        self._partner: Stream | None = None
        self._aborted = self._closed = False
        self._receiving, self._sending, self._waking = (_thread.allocate_lock() for _ in range(3))
        self._wake = self._waker = -1
        if sys.platform != "win32":
            self._wake, self._waker = os.pipe()
            os.set_blocking(self._input, False)

    @property
    def peer(self) -> Address:  # type: ignore[override]
        """The command."""
        return self._address

    @property
    def local(self) -> Address:  # type: ignore[override]
        """This process, which has no better name here than its own input and output."""
        return Address("stdio")

    @property
    def pid(self) -> int:
        """The child's process number."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """What the child ended with; None while it runs."""
        return self._child.poll()

    @property
    def program(self) -> Program:  # type: ignore[override]
        """See Stream."""
        return self

    def wait_for_exit(self, seconds: float | None = None) -> int | None:
        """See Program. (A shell ends with 127 where it finds no such program, and with 126 where it may not run it.)"""
        if not self._ended_in(seconds):
            return None
        code = self._child.returncode
        return 128 - code if code < 0 else code

    def receive(self, limit: int) -> bytes:
        """See Stream: what the child writes; the end comes when nobody can write to its output any more."""
        with self._receiving:
            self._require_open("receive")
            if not self.ended and self._wait(self._output, select_out=False):
                data = os.read(self._output, min(limit, _SCRATCH * 16))
                if data and not self._aborted:
                    return data
            self._require_open("receive")
            self.ended = True
            return b""

    def receive_into(self, buffer: bytearray | memoryview) -> int:
        """See Stream."""
        data = self.receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """See Stream. What a child does not want to read is dropped, and no error: it may still have much to say."""
        view = memoryview(data).cast("B")
        sent = 0
        with self._sending:
            self._require_open("send")
            while sent < len(view) and self._input >= 0:
                try:
                    sent += os.write(self._input, view[sent : sent + _SCRATCH])
                except BlockingIOError:
                    try:
                        if not self._wait(self._input, select_out=True):
                            break
                    except DeadlineExpired as error:
                        left = len(view) - sent
                        message = f"the program took no more for {self._timeout or 0:g} s ({left} bytes left)"
                        raise DeadlineExpired(message, unsent=left, address=self.peer, step="send") from error
                except OSError:  # EPIPE: it has closed its input, or has ended
                    self._close_input()
            self._require_open("send")
            self.discarded += len(view) - sent

    def _wait(self, descriptor: int, *, select_out: bool) -> bool:
        """Wait until ``descriptor`` can be used; False where the stream is cut or closed meanwhile."""
        if sys.platform == "win32":  # pipes cannot be polled there: the read itself waits, until the child is gone
            return not (self._aborted or self._closed)
        ready = WatchedWait(descriptor, self._partner, sending=select_out, wake=self._wake).wait(self._timeout)
        if self._wake in ready:
            return False
        if not ready:
            raise DeadlineExpired(f"nothing came in {self._timeout:g} s", address=self.peer, step="receive")
        return True

    def watch(self, partner: Stream | None, *, give_up: bool = True) -> None:
        """See Stream. A send always gives up: the program is ours to end."""
        self._partner = partner

    def raw_source(self) -> int | str:
        """See Stream."""
        return self._output if self._raw and not self.ended else "it has ended"

    def raw_sink(self) -> int | str:
        """See Stream."""
        return self._input if self._raw and self._input >= 0 else "it takes no more"

    @property
    def _raw(self) -> bool:
        return self._timeout is None and not (self._aborted or self._closed) and self._wake >= 0

    def raw_wait(self) -> bool:
        """See Stream."""
        return self._raw and self._wait(self._output, select_out=False)

    def raw_wait_sink(self) -> bool:
        """See Stream. (The child's input does not wait: an abort has to end it.)"""
        descriptor = self._input
        return self._raw and descriptor >= 0 and self._wait(descriptor, select_out=True)

    def half_close(self) -> None:
        """See Stream: the end of the child's input. The child goes on."""
        with self._sending:
            self._require_open("half-close")
            self._close_input()

    def _close_input(self) -> None:
        if self._input >= 0:
            os.close(self._input)
            self._input = -1

    def set_timeout(self, seconds: float | None) -> None:
        """See Stream."""
        self._timeout = seconds

    def abort(self) -> None:
        """See Stream: kills the child and what it has started."""
        if self._closed:
            return
        self._aborted = True
        self._signal(signal.SIGTERM)
        self._wake_up()

    def _signal(self, number: int) -> None:
        if self._child.poll() is not None and sys.platform == "win32":
            return
        try:
            if sys.platform == "win32":
                self._child.kill()
            else:
                # The group is there as long as one of those it has started is, also when the child itself has ended.
                os.killpg(self._child.pid, number)
        except OSError:
            return  # all have ended

    def _wake_up(self) -> None:
        with self._waking:  # the descriptor must not be closed, and be another's, in between
            if self._waker >= 0:
                os.write(self._waker, b"x")

    def close(self) -> None:
        """See Stream: both pipes are closed. A child that is still busy ends by itself, unless ``abort`` was called or its
        ``patience`` is over."""
        if self._closed:
            return
        self._closed = True
        self._wake_up()
        with self._sending, self._receiving:
            self._close_input()
            with self._waking:
                for descriptor in (self._output, self._wake, self._waker):
                    if descriptor >= 0:
                        os.close(descriptor)
                self._output = self._wake = self._waker = -1
        self._reap()

    def _reap(self) -> None:
        if self._aborted:
            ends = self._ended_in(KILL_TIME) or self._kill()
        elif self.patience is None:
            ends = self._ended_in(REAP_TIME)
        else:
            ends = self._ended_in(self.patience) or self._terminate() or self._kill()
        if not ends:
            import threading

            threading.Thread(target=self._child.wait, name="wirecat-reaper", daemon=True).start()

    def _terminate(self) -> bool:
        self._signal(signal.SIGTERM)
        return self._ended_in(KILL_TIME)

    def _kill(self) -> bool:
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        return self._ended_in(KILL_TIME)

    def _ended_in(self, seconds: float | None) -> bool:
        import subprocess

        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def fileno(self) -> int:
        """The descriptor to receive from; see ``writing``."""
        return self._output

    @property
    def writing(self) -> int:
        """The descriptor to send to; -1 once the child's input is closed."""
        return self._input

    def _require_open(self, step: str) -> None:
        if self._closed:
            raise ConnectionClosed("this side has closed the connection already", address=self.peer, step=step)
