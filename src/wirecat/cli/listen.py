"""The verb ``listen``: the other end of a two-window chat; one client, then done."""

from __future__ import annotations

from wirecat.address import DEFAULT_ADDRESS
from wirecat.cli.conversation import attach_taps, converse
from wirecat.cli.parsing import add_address, joined_address, make_parser, parse
from wirecat.cli.record_flags import add_record_flags, require_record
from wirecat.endpoints.stdio import StdioStream
from wirecat.errors import ConnectionBroken, NetworkError
from wirecat.talk import ConnectionListener, listen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from wirecat.cli.environment import Environment
    from wirecat.cli.parsing import Parser
    from wirecat.cli.recording import CommandRecording
    from wirecat.connection import Connection
    from wirecat.endpoints.listener import Listener
    from wirecat.reach.announce import Announcement

_LOST_AFTER = 60.0  # seconds without an answer to keep-alive probes, as in serve and relay


def listen_and_talk(arguments: list[str], environment: Environment, opened: Listener | None) -> int:
    """Listen and talk, on ``opened`` where the port is open already; exit code 0 after the client's orderly end."""
    parser = make_parser(
        "listen",
        "Wait for a client on ADDRESS and talk to it: what you type goes there, what comes is printed. The\n"
        "client's end ends the program, or with --keep-open lets the next one in. (For many at once there is:\n"
        "wirecat serve.)",
        [
            ("wirecat listen 12345", "one end of a chat; the other: wirecat connect 12345"),
            ("wirecat listen 12345 > received.bin", "take a file: wirecat connect 12345 < file.bin"),
        ],
    )
    add_address(parser, "where to listen", default=DEFAULT_ADDRESS)
    parser.add_argument(
        "--lan", action="store_true", help="let others in, not this PC alone (a bare port means this PC)"
    )
    parser.add_argument(
        "--announce", metavar="NAME", help="let others find it as NAME.local on the local network (extra [lan])"
    )
    keep_open = "after one client take the next, one after the other; with datagrams all at once"
    parser.add_argument("--keep-open", action="store_true", help=keep_open)
    parser.add_argument(
        "--newline", choices=("lf", "crlf", "none"), default="lf", help="what ends each line sent (default lf)"
    )
    add_record_flags(parser)
    options = parse(parser, arguments, environment)
    require_record(options)
    if options.record is None:
        return _listen(parser, options, environment, None, opened)
    from wirecat.cli.recording import CommandRecording

    with CommandRecording(options, environment, "listen") as recording:
        return _listen(parser, options, environment, recording, opened)


def _listen(
    parser: Parser,
    options: Namespace,
    environment: Environment,
    recording: CommandRecording | None,
    opened: Listener | None,
) -> int:
    from wirecat.views.text_addresses import listening_lines, opened_to_others

    address = opened_to_others(joined_address(parser, options.address, DEFAULT_ADDRESS), options.lan)
    if options.announce is not None:
        from wirecat.reach.announce import check_announcing

        check_announcing(options.announce, address)
    # The null device as input gives nothing to send; its end is no reason to tell the client that we send no more.
    half_close = not environment.no_input
    local = StdioStream(environment.stdin.fileno(), environment.stdout.fileno())
    try:
        with listen(address) if opened is None else ConnectionListener(opened) as listener:
            if recording is not None:
                recording.watch_sockets(listener.addresses)
            for line in listening_lines(listener.addresses):
                environment.note(line)
            if not listener.listener.datagrams:
                from wirecat.system.keep_alive import keep_clients_alive

                keep_clients_alive(listener.listener.sockets, _LOST_AFTER)

            def clients(announcement: Announcement | None) -> None:
                if options.keep_open and listener.listener.datagrams:
                    _all_senders(listener, environment, local, options, recording)
                    return
                _one_client(listener, environment, local, options, half_close, recording, announcement)
                while options.keep_open:
                    local.renew()
                    _one_client(listener, environment, local, options, half_close, recording, announcement)

            if options.announce is None:
                clients(None)
                return 0
            from contextlib import nullcontext

            from wirecat.cli.announcing import announced
            from wirecat.cli.ending_of_signals import dying_of_signals

            # A recording has caught them before: it has to be written after the name is taken back.
            signals = dying_of_signals(("SIGTERM", "SIGHUP", "SIGBREAK")) if recording is None else nullcontext()
            with signals, announced(options.announce, listener.addresses, environment) as announcement:
                clients(announcement)
            return 0
    finally:
        local.close()


def _all_senders(
    listener: ConnectionListener,
    environment: Environment,
    local: StdioStream,
    options: Namespace,
    recording: CommandRecording | None,
) -> None:
    from wirecat.cli.all_senders import AllSenders
    from wirecat.endpoints.datagram_listener import DatagramListener

    def attach(connection: Connection) -> None:
        attach_taps(connection, environment, options.newline, None if recording is None else recording.tap("server"))

    below = listener.listener
    assert isinstance(below, DatagramListener)
    AllSenders(below, local, environment, attach).run()


def _next_client(listener: ConnectionListener, environment: Environment) -> Connection:
    """Wait for a client. One whose TLS handshake fails is reported, and the next is waited for."""
    while True:
        connection = listener.accept()
        try:
            connection.stream.handshake()
        except NetworkError as error:
            connection.close()
            environment.message(str(error))
        except BaseException:
            connection.close()
            raise
        else:
            return connection


def _one_client(
    listener: ConnectionListener,
    environment: Environment,
    local: StdioStream,
    options: Namespace,
    half_close: bool,
    recording: CommandRecording | None,
    announcement: Announcement | None,
) -> None:
    observer = None if recording is None else recording.tap("server")
    with _next_client(listener, environment) as connection:
        if not options.keep_open:
            listener.close()
            if announcement is not None:
                announcement.withdraw()
        environment.note(f"{connection.peer} connected")
        try:
            converse(
                connection,
                environment,
                newline=options.newline,
                verbose=options.verbose,
                half_close=half_close,
                local=local,
                observer=observer,
            )
        except ConnectionBroken as error:
            if not options.keep_open:
                raise
            environment.message(str(error))  # the next client may fare better
        else:
            environment.note(f"{connection.peer} closed the connection")
