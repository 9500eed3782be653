"""What every start pays for: the modules that the fast ways through the command line may load, and no others.

A bare `python -c pass` takes about 11 ms. Each of the modules FORBIDDEN here adds 4 to 50 ms to that, for a
command that may do nothing but say that its peer refuses. Who adds a module to an allow-list measures it
first (`python -X importtime`).
"""

from __future__ import annotations

import re
import socket

import pytest

from architecture.startup import loaded_by, loaded_while

#: As the installed script does it.
MAIN = "from wirecat.__main__ import command; sys.exit(command())"

#: Never on a fast way, in milliseconds where they were measured: asyncio 45, ssl 16, dataclasses 16, logging
#: 14, subprocess 11.5, typing 9.6, json 7.5, ipaddress 3.9.
FORBIDDEN = {
    "asyncio",
    "dataclasses",
    "inspect",
    "ipaddress",
    "json",
    "logging",
    "ssl",
    "subprocess",
    "typing",
}

#: Nor for words alone: argparse 8.1, socket 7.8, re 6, enum 4.3.
FORBIDDEN_FOR_WORDS = FORBIDDEN | {"argparse", "enum", "re", "socket"}

#: What every ordinary start of Python has loaded by itself, for its `site`, or built in.
ORDINARY = {"__future__", "gc", "genericpath", "ntpath", "os", "posixpath", "stat"}

#: To say which version this is, or which verbs there are.
WORDS = {
    "wirecat",
    "wirecat.__main__",
    "wirecat._version",
    "wirecat.cli",
    "wirecat.cli.environment",
    "wirecat.cli.main",
    "wirecat.errors",
}

#: The rooms that a connection goes through, of which any file may be loaded.
CONNECT_ROOMS = {
    "address",
    "carrier",
    "connection",
    "connection_state",
    "deadline",
    "endpoints",
    "immutable",
    "options",
    "pump",
    "stream",
    "talk",
    "taps",
    "wire",
    "zero_copy",
}

#: Of the command line only what this verb needs: never the parser of another.
CONNECT_VERB = {"wirecat.cli.connect", "wirecat.cli.plain", "wirecat.cli.shorthand", "wirecat.cli.start_race"}

#: To wait for a client: a thread that reads what is typed, the size of a pipe, and the words for where it listens.
LISTEN_VERB = {
    "fcntl",
    "threading",
    "wirecat.cli.conversation",
    "wirecat.cli.listen",
    "wirecat.cli.start_listen",
    "wirecat.system",
    "wirecat.system.keep_alive",
    "wirecat.cli.parsing",
    "wirecat.cli.plain",
    "wirecat.cli.record_flags",
    "wirecat.system.interface_address",
    "wirecat.system.interfaces",
    "wirecat.views",
    "wirecat.views.text_addresses",
}

#: What `socket`, `selectors` and `argparse` bring along, and no more. `shutil` is not among it, though
#: argparse asks it for the terminal's width where a parser does not say how wide it writes: with the packers
#: that it loads it costs 3.3 ms.
CONNECT_STANDARD = {
    "argparse",
    "array",
    "collections",
    "copyreg",
    "enum",
    "errno",
    "functools",
    "gettext",
    "itertools",
    "keyword",
    "locale",
    "math",
    "operator",
    "re",
    "reprlib",
    "select",
    "selectors",
    "socket",
    "types",
    "warnings",
}


def families(modules: frozenset[str]) -> set[str]:
    """Modules of the standard library by their outermost name, those of wirecat by their whole one.

    A name with an underscore is the part in C of one without, and comes and goes with the version of Python.
    """
    names = {each if each.startswith("wirecat") else each.partition(".")[0] for each in modules}
    return {each for each in names if not each.startswith("_")} - ORDINARY


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_words_load_next_to_nothing(option: str) -> None:
    modules, ended = loaded_by(MAIN, option)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("wirecat")
    assert ended.stderr == ""
    assert not families(modules) & FORBIDDEN_FOR_WORDS
    assert not families(modules) - WORDS


def test_a_refused_connection_loads_what_a_connection_needs() -> None:
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))  # bound and not listening: it refuses, and nobody else gets the port
        modules, ended = loaded_by(MAIN, "connect", f"127.0.0.1:{refusing.getsockname()[1]}")
    assert ended.returncode == 1, ended.stderr
    assert re.search("refused", ended.stderr)
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stdout == ""
    assert not families(modules) & FORBIDDEN
    outside = {
        each
        for each in families(modules) - WORDS - CONNECT_VERB - CONNECT_STANDARD
        if each.removeprefix("wirecat.").partition(".")[0] not in CONNECT_ROOMS
    }
    assert not outside


def test_a_conversation_that_was_listened_for_loads_what_a_connection_needs() -> None:
    def meet(line: str) -> None:
        port = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert port, line
        socket.create_connection(("127.0.0.1", int(port[1])), 15).close()

    modules = loaded_while(meet, MAIN, "listen", "127.0.0.1:0")
    assert not families(modules) & FORBIDDEN
    outside = {
        each
        for each in families(modules) - WORDS - LISTEN_VERB - CONNECT_STANDARD
        if each.removeprefix("wirecat.").partition(".")[0] not in CONNECT_ROOMS
    }
    assert not outside


#: As MAIN, and over at the first bind(2): what is loaded by then comes before listen(2).
UNTIL_BIND = (
    "import os; sys.addaudithook(lambda event, arguments: os._exit(0) if event == 'socket.bind' else None); " + MAIN
)
#: The standard library's share of it: errno, and what is built in.
BEFORE_BIND = {"errno"}


@pytest.mark.parametrize(
    ("command", "most"),
    [
        *((f"ncat -l {options} 127.0.0.1 0", 40) for options in (
            "", "-k", "--exec /bin/cat", "--sh-exec cat", "-k --exec /bin/cat", "--ssl", "--udp", "--proxy-type http", "--chat",
            "--broker", "-v", "-i 5",
        )),
        *((f"listen {options}127.0.0.1:0", 26) for options in ("", "--keep-open ", "udp://")),
        *((f"serve {handler} 127.0.0.1:0", 30) for handler in ("echo", "reply:{data}", "chat", "echo --once")),
    ],
)  # fmt: skip
def test_a_listener_binds_before_it_loads_what_a_client_needs(command: str, most: int) -> None:
    """A client that is started at the same time must not find the port closed."""
    modules, ended = loaded_by(UNTIL_BIND, *command.split())
    assert ended.returncode == 0, ended.stderr
    loaded = families(modules)
    assert {each for each in loaded if not each.startswith("wirecat")} <= BEFORE_BIND
    own = {each for each in loaded if each.startswith("wirecat")}
    assert len(own) <= most, sorted(own)


def test_looking_at_a_port_loads_no_thread_and_no_parser_of_another_verb() -> None:
    with socket.socket() as open_port:
        open_port.bind(("127.0.0.1", 0))
        open_port.listen()
        modules, ended = loaded_by(MAIN, "ncat", "-z", "127.0.0.1", str(open_port.getsockname()[1]))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert not families(modules) & (FORBIDDEN | {"argparse", "re", "threading", "wirecat.pump", "wirecat.connection"})


def test_what_is_loaded_is_seen() -> None:
    """The rules above are worth nothing if the report they read stays empty."""
    modules, _ = loaded_by("import json")
    assert {"json", "json.decoder", "re", "enum"} <= modules
    assert loaded_by("pass")[0] == frozenset()
