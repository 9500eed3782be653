"""The verb ``connect``: full duplex between terminal or pipe and a peer, or question and answer with ``--ask``."""

from __future__ import annotations

from wirecat.cli.conversation import converse
from wirecat.cli.parsing import add_address, joined_address, make_parser, parse, seconds, whole
from wirecat.errors import UsageError
from wirecat.talk import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment
    from wirecat.errors import WirecatError

NEWLINES = ("lf", "crlf", "none")


def run(arguments: list[str], environment: Environment) -> int:
    """Connect and talk; exit code 0 after the peer's orderly end."""
    parser = make_parser(
        "connect",
        "Connect to ADDRESS. What you type goes there, what comes is printed. The end of the input ends our half of the\n"
        "connection (half-close); the peer's end ends the program.",
        [
            ("wirecat connect 12345", "talk to a server on this PC (start one: wirecat serve echo)"),
            ("printf 'hello\\n' | wirecat connect localhost:12345", "send, half-close, print the reply"),
            ("wirecat connect --ask 12345", "question and answer, line by line; an empty line ends it"),
        ],
    )
    add_address(parser, "where to connect to")
    parser.add_argument("--ask", action="store_true", help="a prompt; each line is sent, the reply printed; empty line: end")
    parser.add_argument("--prompt", default="> ", metavar="TEXT", help="the prompt of --ask (default '> ')")
    parser.add_argument(
        "--reply-wait", type=seconds, default=0.2, metavar="S",
        help="--ask: a reply is over after S seconds without a byte (default 0.2)",
    )  # fmt: skip
    parser.add_argument(
        "--reply-timeout", type=seconds, default=10.0, metavar="S", help="--ask: wait S seconds for its first byte (default 10)"
    )
    parser.add_argument(
        "--newline", choices=NEWLINES, default="lf", help="what ends each line sent: lf (default), crlf, or none (the lab's way)"
    )
    parser.add_argument("--timeout", type=seconds, default=10.0, metavar="S", help="seconds for all of connecting (default 10)")
    parser.add_argument("--retry", type=whole, default=0, metavar="N", help="try N times more, with growing pauses")
    options = parse(parser, arguments, environment)
    if options.timeout == 0:
        raise UsageError("--timeout must be more than 0 seconds")

    def told(error: WirecatError, pause: float) -> None:
        environment.note(f"{error.address}: {error.message}; trying again in {pause:.1f} s")

    address = joined_address(parser, options.address)
    connection = connect(address, timeout=options.timeout, retry=options.retry, on_retry=told)
    with connection:
        if options.verbose:
            environment.message(f"connected to {connection.peer} from {connection.local}")
        if options.ask:
            from wirecat.cli.ask import ask

            return ask(
                connection, environment, prompt=options.prompt, newline=options.newline, first=options.reply_timeout,
                silence=options.reply_wait,
            )  # fmt: skip
        return converse(connection, environment, newline=options.newline, verbose=options.verbose)
