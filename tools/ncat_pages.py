#!/usr/bin/env python3
"""Writes docs/ncat.1 and the table in docs/ncat.md, both read off the table of options of the ncat dialect.

python tools/ncat_pages.py           write them
python tools/ncat_pages.py --check   exit 1 if one of them is not up to date
"""

from __future__ import annotations

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "src"))

from wirecat.cli.getopt import Option  # noqa: E402
from wirecat.cli.ncat.options import OPTIONS  # noqa: E402

MANUAL = PROJECT / "docs" / "ncat.1"
PAGE = PROJECT / "docs" / "ncat.md"
BEGIN, END = "<!-- options begin (tools/ncat_pages.py) -->\n", "<!-- options end -->\n"

VARIABLES = ("REMOTE_ADDR", "REMOTE_PORT", "LOCAL_ADDR", "LOCAL_PORT", "PROTO")
EXAMPLES = (
    ("ncat -l 31337", "Wait for one client on all interfaces and talk to it."),
    ("ncat host 31337 < file", "Send a file, then print what the other end answers."),
    ("ncat -lk -e /bin/cat 31337", "An echo server with a process for every client."),
    ("ncat -l --broker", "Pass on what each client sends to all the others."),
    ("ncat -l --proxy-type http --proxy-auth user:password", "An HTTP proxy on port 3128."),
    ("ncat --proxy localhost:1080 --proxy-type socks5 host 80", "Go through a SOCKS proxy."),
    ("ncat --ssl-verify host 443", "TLS, the server's certificate verified."),
    ("ncat -z host 80", "Exit 0 if the port is open, 1 if not."),
)


def roff(text: str) -> str:
    """Text that troff(1) prints as it stands."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text


def names(option: Option) -> str:
    """An option as it is typed, in both spellings."""
    spelt = [f"-{option.short}"] if option.short else []
    spelt += [f"--{option.long}"] if option.long else []
    return ", ".join(spelt)


def manual() -> str:
    """The man page."""
    lines = [
        '.\\" Written by tools/ncat_pages.py from the table of options.',
        '.TH NCAT 1 "" "wirecat" "User Commands"',
        ".SH NAME",
        "ncat \\- wirecat as ncat: concatenate and redirect sockets",
        ".SH SYNOPSIS",
        ".B ncat",
        "[\\fIoptions\\fR] [\\fIhostname\\fR] [\\fIport\\fR]",
        ".br",
        ".B wirecat ncat",
        "[\\fIoptions\\fR] [\\fIhostname\\fR] [\\fIport\\fR]",
        ".SH DESCRIPTION",
        roff(
            "wirecat behaves as ncat 7.99 does when it is called by that name, or by the verb ncat. It connects to "
            "hostname and port (31337 unless given), or listens with -l."
        ),
        roff("Long options may be abbreviated while it is clear which is meant; short ones may stand together."),
        roff("A time is in seconds, or has ms, s, m or h behind it."),
        ".SH OPTIONS",
    ]
    for option in OPTIONS:
        value = f" \\fI{roff(option.value)}\\fR" if option.value else ""
        lines += [".TP", f"\\fB{roff(names(option))}\\fR{value}", f"{roff(option.help)}."]
        if option.differs:
            lines.append(f"Difference: {roff(option.differs.replace('`', ''))}.")
    lines.append(".SH EXAMPLES")
    for command, meaning in EXAMPLES:
        lines += [".TP", f"\\fB{roff(command)}\\fR", roff(meaning)]
    lines += [
        ".SH EXIT STATUS",
        "0 success; 1 network error (refused, reset, timeout); 2 everything else;",
        "128 + n a listener ended by signal n.",
        ".SH ENVIRONMENT",
        ".TP",
        "\\fBNCAT_PROXY_AUTH\\fR",
        roff("What --proxy-auth says, without being seen in the list of processes."),
        ".TP",
        ", ".join(f"\\fBNCAT_{name}\\fR" for name in VARIABLES),
        roff("Set for the programs of -e, -c and --lua-exec."),
    ]
    return "\n".join(lines) + "\n"


def table() -> str:
    """The table of options for docs/ncat.md: a tick, or what differs and why."""
    rows = ["| option | takes | | |", "| --- | --- | --- | --- |"]
    for option in OPTIONS:
        state = f"✓, but {option.differs}" if option.differs else "✓"
        help = option.help.replace("<", "&lt;").replace("|", "\\|")
        rows.append(f"| `{names(option)}` | {option.value} | {help} | {state} |")
    return "\n".join(rows) + "\n"


def page(before: str) -> str:
    """docs/ncat.md with its table renewed; all else in it is written by hand."""
    head, begin, rest = before.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{PAGE} has no {BEGIN.strip()} … {END.strip()}")
    return head + BEGIN + table() + END + tail


def main(arguments: list[str]) -> int:
    """Write the files, or with --check tell which is out of date."""
    wanted = {MANUAL: manual(), PAGE: page(PAGE.read_text(encoding="utf-8"))}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(PROJECT)} is not up to date: run tools/ncat_pages.py", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
