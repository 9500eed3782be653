"""The verb ``connect``: full duplex between terminal or pipe and a peer, or question and answer with ``--ask``."""

from __future__ import annotations

import sys

from wirecat.cli import shorthand
from wirecat.cli.plain import NO_RECORDING, join_address, plain_options
from wirecat.errors import Refused
from wirecat.talk import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from wirecat.cli.environment import Environment
    from wirecat.cli.plain import PlainOptions
    from wirecat.cli.recording import CommandRecording
    from wirecat.connection import Connection
    from wirecat.errors import WirecatError

EXIT_WAIT = 1.0  # seconds that a program (exec:) has to end after a conversation that the user has ended
DEFAULTS = {
    "ask": False,
    "prompt": "> ",
    "reply_wait": 0.2,
    "reply_timeout": 10.0,
    "newline": "lf",
    "timeout": 10.0,
    "retry": 0,
    **shorthand.DEFAULTS,
    **NO_RECORDING,
}


def run(arguments: list[str], environment: Environment) -> int:
    """Connect and talk; exit code 0 after the peer's orderly end."""
    options = plain_options(arguments, DEFAULTS) or _parsed(arguments, environment)
    if options.record is None:
        return _talk(options, environment, None)
    from wirecat.cli.recording import CommandRecording

    with CommandRecording(options, environment, "connect") as recording:
        return _talk(options, environment, recording)


def _talk(options: Namespace | PlainOptions, environment: Environment, recording: CommandRecording | None) -> int:
    def told(error: WirecatError, pause: float) -> None:
        environment.note(f"{error.address}: {error.message}; trying again in {pause:.1f} s")

    address = shorthand.with_flags(join_address(options.address), options, environment)
    try:
        connection = connect(address, timeout=options.timeout, retry=options.retry, on_retry=told)
    except Refused:
        from wirecat.cli.start_race import may_start_late, try_again

        if options.retry or address.option("proxy") or not may_start_late(address):
            raise
        connection = try_again(lambda: connect(address, timeout=options.timeout))
    with connection:
        # Imported now and not at the top: whoever is refused need not wait for it.
        if options.ask:
            from wirecat.cli.ask import ask
        else:
            from wirecat.cli.conversation import converse
        if options.verbose:
            environment.message(f"connected to {connection.peer} from {connection.local}")
            _tell_tls(connection, environment)
        elif environment.stdin_is_terminal:
            how = "an empty line" if options.ask else "Ctrl-C" if sys.platform == "win32" else "Ctrl-D or Ctrl-C"
            environment.note(f"connected to {connection.peer} ({how} ends it)")
        tap = None
        if recording is not None:
            tap = recording.tap("client")
            recording.watch_sockets((connection.peer,))
        if options.ask:
            if tap is not None:
                connection.attach(tap)
            code = ask(
                connection, environment, prompt=options.prompt, newline=options.newline, first=options.reply_timeout,
                silence=options.reply_wait,
            )  # fmt: skip
            connection.close()  # a program (exec:) has the end of its input then
            return code or exit_code_of(connection, EXIT_WAIT)
        code = converse(
            connection,
            environment,
            newline=options.newline,
            verbose=options.verbose,
            ends_with_input=True,
            observer=tap,
        )
        if environment.stdin_is_terminal and connection.ended:
            environment.note(f"{connection.peer} closed the connection")
        return code or exit_code_of(connection)


def exit_code_of(connection: Connection, seconds: float | None = None) -> int:
    """The exit code of the program at the other end (see ``Program.wait_for_exit``); 0 where there is none, or it runs."""
    program = connection.stream.program
    return 0 if program is None else program.wait_for_exit(seconds) or 0


def _tell_tls(connection: Connection, environment: Environment) -> None:
    """What was agreed on, and whose certificate it was."""
    facts = connection.tls
    if facts is None:
        return
    from wirecat.wire.printable import printable
    from wirecat.wire.x509_names import name_text

    names = facts.names
    whose = printable(name_text(names.subject)) if names is not None else "no certificate"
    environment.message(f"{facts.version}, {facts.cipher}{f', {facts.alpn}' if facts.alpn else ''}; {whose}")
    if facts.sha256:
        environment.message(f"SHA-256 fingerprint of its certificate: {facts.sha256}")


def _parsed(arguments: list[str], environment: Environment) -> Namespace:
    from wirecat.cli.parsing import add_address, make_parser, parse, require_address, seconds, whole
    from wirecat.cli.record_flags import add_record_flags, require_record

    parser = make_parser(
        "connect",
        "Connect to ADDRESS. What you type goes there, what comes is printed. The end of the input (Ctrl-D) tells\n"
        "the server that you send no more; its own end ends the program.",
        [
            ("wirecat connect 12345", "talk to a server on this PC (start one: wirecat serve echo)"),
            ("printf 'hello\\n' | wirecat connect localhost:12345", "send, half-close, print the reply"),
            ("wirecat connect --ask 12345", "question and answer, line by line; an empty line ends it"),
            ("wirecat connect --tls example.org 443", "by TLS, and only if it is example.org that answers"),
        ],
    )
    add_address(parser, "where to connect to")
    add = parser.add_argument
    add("--ask", action="store_true", help="a prompt; each line is sent, the reply printed; an empty line ends it")
    add("--prompt", metavar="TEXT", help="--ask: the prompt (default '> ')")
    add("--reply-wait", type=seconds, metavar="S",
        help="--ask: a reply is over after S seconds without a byte (default 0.2)")  # fmt: skip
    add("--reply-timeout", type=seconds, metavar="S", help="--ask: wait S seconds for its first byte (default 10)")
    add("--newline", choices=("lf", "crlf", "none"),
        help="what ends each line sent: lf (default), crlf, or none (the lab's way)")  # fmt: skip
    add("--timeout", type=seconds, metavar="S", help="seconds for all of connecting (default 10)")
    add("--retry", type=whole, metavar="N", help="try N times more, with growing pauses")
    shorthand.add_end_flags(parser)
    add_record_flags(parser)
    parser.set_defaults(**DEFAULTS)
    options = parse(parser, arguments, environment)
    require_record(options)
    if options.timeout == 0:
        parser.error("--timeout: it must be more than 0 seconds")
    if options.retry < 0:
        parser.error(f"--retry: {options.retry} is less than 0")
    require_address(parser, options.address)
    return options
