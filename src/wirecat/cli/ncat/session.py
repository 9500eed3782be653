"""One conversation, a client's or with a single client: its taps, its local end, the pump, and how it ends."""

from __future__ import annotations

import errno

from wirecat.cli.ncat import messages
from wirecat.cli.ncat.endings import NETWORK, TROUBLE, Ending
from wirecat.cli.ncat.times import FOREVER
from wirecat.errors import ConnectionBroken, DeadlineExpired, NoAnswer, Refused, Unreachable, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from wirecat.cli.ending_of_signals import ending_of_signals
    from wirecat.cli.environment import Environment
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings
    from wirecat.connection import Connection
    from wirecat.errors import ConnectionClosed
    from wirecat.pump import OnPath
    from wirecat.recording.recorder import Recorder
    from wirecat.stream import Stream
    from wirecat.taps.delay import DelayTap
    from wirecat.taps.output_file import OutputFile
    from wirecat.taps.tap import Tap

# What an open connection can fail with on the network's side; UDP learns late that nobody is there.
NETWORK_FAILURES = (ConnectionBroken, Refused, Unreachable, NoAnswer)


class Taps:
    """The taps that the options ask for. The files of ``-o`` and ``-x`` are one for all connections, and opened at
    once.

    Raises Ending for a file that cannot be opened.
    """

    def __init__(self, settings: Settings, signals: ending_of_signals, voice: Voice) -> None:
        self._settings = settings
        self._voice = voice
        self._signals = signals
        self._files: list[OutputFile] = []
        self._observing: list[Tap] = []
        self._delays: list[DelayTap] = []
        self._recorder: Recorder | None = None
        if settings.output is None and settings.hex_dump is None and settings.record is None:
            return
        from wirecat.taps.hexdump import HexdumpTap
        from wirecat.taps.raw_output import RawOutputTap

        try:
            for path, kind in ((settings.output, RawOutputTap), (settings.hex_dump, HexdumpTap)):
                if path is not None:
                    self._observing.append(self._masked(kind(self._open(path))))
            if settings.record is not None:
                from wirecat.recording.recorder import Recorder

                self._recorder = Recorder(settings.record, verb="ncat", on_trouble=voice.say)
        except UsageError as error:
            self.close()
            raise Ending(f"Could not open {error.address}: {error.message}. QUITTING.", TROUBLE) from error

    def _open(self, path: str) -> OutputFile:
        from wirecat.taps.output_file import OutputFile

        file = OutputFile(path, append=self._settings.append_output)
        self._files.append(file)
        return file

    def _masked(self, tap: Tap) -> Tap:
        """``tap``, for a proxy server without the passwords that its clients send."""
        if not self._settings.listen or self._settings.proxy_type is None:
            return tap
        from wirecat.taps.masked import MaskedTap

        return MaskedTap(tap)

    def connection(self, stream: Stream, id: int = 0) -> Connection:
        """A connection over ``stream`` with its taps."""
        from wirecat.connection import Connection

        connection = Connection(stream, id)
        self.attach(connection)
        return connection

    def attach(self, connection: Connection) -> None:
        """Give a connection its taps: line ends are translated first, then it is written down, then it waits.

        ``-C`` is for what is typed here. What clients say to each other, and what a proxy passes on, stays as it is.
        """
        settings = self._settings
        if settings.crlf and not (settings.broker or settings.chat or settings.proxy_type):
            from wirecat.taps.newline import NewlineTap

            connection.attach(NewlineTap("crlf"))
        for tap in self._observing:
            connection.attach(tap)
        if self._recorder is not None:
            from wirecat.recording.tap import RecordingTap

            handler = settings.command or ""
            kind = "server" if settings.listen else "client"
            tap = RecordingTap(self._recorder, kind=kind, handler=handler)
            connection.attach(self._signals.whole(self._masked(tap)))
        if settings.telnet:
            from wirecat.endpoints.taking_turns import TakingTurns
            from wirecat.taps.telnet import TelnetTap

            connection.stream = stream = TakingTurns(connection.stream)
            connection.attach(TelnetTap(stream.send))
        if settings.delay is not None:
            from wirecat.taps.delay import DelayTap

            delay = DelayTap(settings.delay)
            self._delays.append(delay)
            connection.attach(delay)

    def close(self) -> None:
        """Close the files; what waits goes on."""
        for delay in self._delays:
            delay.release()
        for file in self._files:
            file.close()
        if self._recorder is not None:
            from wirecat.recording.shortfall import shortfall

            self._recorder.close()
            if text := shortfall(self._recorder):
                self._voice.say(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def converse(connection: Connection, settings: Settings, voice: Voice, environment: Environment) -> None:
    """Standard input to the peer, the peer to standard output, until the options say that it is over.

    Raises Ending for a broken connection and for the idle timeout.
    """
    from wirecat.connection import Connection
    from wirecat.endpoints.stdio import StdioStream
    from wirecat.pump import pump

    # With -k a client goes on after the peer's end; whoever reads its output must not wait for the end of its input.
    stays = settings.keep_open and not settings.listen
    # ncat learns that nobody reads its output when it writes; until then it goes on sending.
    local = StdioStream(environment.stdin.fileno(), environment.stdout.fileno(), can_half_close=stays, watch_sink=False)
    datagrams = connection.stream.keeps_boundaries
    # Datagrams have no end, so their client ends with its input, unless -q has it wait for the answer.
    ends_with_input = datagrams and not settings.listen and settings.quit_after is None
    at_once = settings.quit_after == 0 or settings.send_only or ends_with_input
    try:
        result = pump(
            Connection(local),
            connection,
            until_right_ends=not stays,
            until_left_ends=at_once,
            half_close=not (settings.no_shutdown or datagrams) and connection.stream.can_half_close,
            forward=not settings.recv_only,
            backward=not settings.send_only,
            idle_timeout=settings.idle_timeout,
            quit_after=quit_time(settings),
            on_path=tell_path(voice),
        )
    except DeadlineExpired as error:
        raise idle_ending(error.seconds or 0.0, settings) from error
    finally:
        local.close()
    if result.failures:
        raise_broken(result.failures, connection, settings)


def quit_time(settings: Settings) -> float | None:
    """Seconds of ``-q`` that are to be waited after the end of the input; None where there is no such time."""
    seconds = settings.quit_after
    return None if not seconds or seconds == FOREVER else seconds


def tell_path(voice: Voice) -> OnPath:
    """What tells, with ``-vv``, how the bytes of each direction move."""
    return lambda direction, how: voice.debug(f"{direction}: {how}")


def idle_ending(seconds: float, settings: Settings) -> Ending:
    """The end that silence makes: a client's is the network's, a listener's is not."""
    from wirecat.cli.ncat.times import milliseconds

    text = messages.idle(milliseconds(seconds))
    return Ending(f"{text} QUITTING.", TROUBLE) if settings.listen else Ending(text, NETWORK)


def raise_broken(failures: list[OSError | ConnectionClosed], connection: Connection, settings: Settings) -> None:
    """End as a broken connection makes ncat end: a client says why, and so does a listener for datagrams; others just end.
    What failed at our own end (a closed standard output) is raised as it is."""
    from wirecat.cli.ncat.reasons import reason_of

    for failure in failures:
        if not isinstance(failure, NETWORK_FAILURES):
            raise failure
    if connection.ended:
        return  # an orderly end; that more could not be sent is no news
    # A reset shows as a broken pipe to whoever sends at that moment.
    told = next((failure for failure in failures if failure.errno == errno.ECONNRESET), failures[0])
    silent = settings.listen and not connection.stream.keeps_boundaries
    raise Ending("" if silent else f"{reason_of(told)}.", NETWORK)
