"""Wrong use: for each kind the exit code and the words, table-driven; where both agree, checked with ncat itself."""

from __future__ import annotations

import re

import pytest

from compat.ncat.harness import Ncat, both, ours

TRY = r"Ncat: Try `--help' or man\(1\) ncat for more information, usage options and help. QUITTING."
PORT = "127.0.0.1 1"

#: Arguments (one text, split at spaces), exit code, what stderr is (a regular expression, whole).
AGREED: list[tuple[str, int, str]] = [
    # getopt
    ("--bogus", 2, rf"(?:\S*/)?ncat: unrecognized option '--bogus'\n{TRY}"),
    ("-Q", 2, rf"(?:\S*/)?ncat: invalid option -- 'Q'\n{TRY}"),
    ("-vQ", 2, rf"(?:\S*/)?ncat: invalid option -- 'Q'\n{TRY}"),
    ("--exec", 2, rf"(?:\S*/)?ncat: option '--exec' requires an argument\n{TRY}"),
    ("-e", 2, rf"(?:\S*/)?ncat: option requires an argument -- 'e'\n{TRY}"),
    ("--version=3", 2, rf"(?:\S*/)?ncat: option '--version' doesn't allow an argument\n{TRY}"),
    ("--ssl-", 2, rf"(?:\S*/)?ncat: option '--ssl-' is ambiguous; possibilities: '--ssl-cert' '--ssl-verify'\n{TRY}"),
    (
        "--s",
        2,
        rf"(?:\S*/)?ncat: option '--s' is ambiguous; possibilities: '--sh-exec' '--source-port' '--source' .*\n{TRY}",
    ),
    # operands
    ("", 2, "Ncat: You must specify a host to connect to. QUITTING."),
    ("--chat", 2, "Ncat: You must specify a host to connect to. QUITTING."),
    ("--proxy 127.0.0.1:1", 2, "Ncat: You must specify a host to connect to. QUITTING."),
    ("127.0.0.1 70000", 2, 'Ncat: Invalid port number "70000". QUITTING.'),
    ("127.0.0.1 abc", 2, 'Ncat: Invalid port number "abc". QUITTING.'),
    ("-l 70000", 2, 'Ncat: Invalid port number "70000". QUITTING.'),
    ("127.0.0.1 1 2", 2, "Ncat: Got more than one port specification: 1 2. QUITTING."),
    ("-l 1 2 3", 2, "Ncat: Got more than one port specification: 1 2 3. QUITTING."),
    ("-l -p 1 2", 2, "Ncat: Got more than one port specification: 1 2. QUITTING."),
    ("-U", 2, "Ncat: You have to specify path to a socket to connect to. QUITTING."),
    ("-lU", 2, "Ncat: You have to specify path to a socket to listen on. QUITTING."),
    ("-U a b", 2, 'Ncat: Invalid port number "b". QUITTING.'),
    ("--vsock abc 1", 2, 'Ncat: Invalid CID "abc". QUITTING.'),
    ("--vsock 1 x", 2, 'Ncat: Invalid port number "x". QUITTING.'),
    # values
    (f"-w 0 {PORT}", 2, r'Ncat: Invalid -w timeout "0" \(must be greater than 0 and less than 2147483s\). QUITTING.'),
    (f"-w abc {PORT}", 2, r'Ncat: Invalid -w timeout "abc" \(must be .*\). QUITTING.'),
    (f"-w -1 {PORT}", 2, r'Ncat: Invalid -w timeout "-1" \(must be .*\). QUITTING.'),
    (f"-w 2147484s {PORT}", 2, r'Ncat: Invalid -w timeout "2147484s" \(must be .*\). QUITTING.'),
    (f"-i 0 {PORT}", 2, r'Ncat: Invalid -i timeout "0" \(must be .*\). QUITTING.'),
    (f"-i x {PORT}", 2, r'Ncat: Invalid -i timeout "x" \(must be .*\). QUITTING.'),
    (f"-i 5x {PORT}", 2, r'Ncat: Invalid -i timeout "5x" \(must be .*\). QUITTING.'),
    (f"-d 0 {PORT}", 2, r'Ncat: Invalid -d delay "0" \(must be .*\). QUITTING.'),
    (f"-d x {PORT}", 2, r'Ncat: Invalid -d delay "x" \(must be .*\). QUITTING.'),
    (f"-p 70000 {PORT}", 2, "Ncat: Invalid source port 70000. QUITTING."),
    (f"-p x {PORT}", 2, 'Ncat: Invalid source port number "x". QUITTING.'),
    (f"-G 3 {PORT}", 2, "Ncat: Invalid source-route hop pointer 3. QUITTING."),
    (f"-G 32 {PORT}", 2, "Ncat: Invalid source-route hop pointer 32. QUITTING."),
    (f"-g bad.invalid {PORT}", 2, 'Ncat: Sorry, could not resolve source route hop "bad.invalid": .*. QUITTING.'),
    (f"-g {','.join(['127.0.0.1'] * 9)} {PORT}", 2, "Ncat: Sorry, you gave too many source route hops. QUITTING."),
    (f"--proxy-type x --proxy 127.0.0.1:1 {PORT}", 2, 'Ncat: Invalid proxy type "x". QUITTING.'),
    (
        "--proxy-type socks5 -l 0",
        2,
        'Ncat: Invalid proxy type "socks5"; Ncat proxy server only supports "http". QUITTING.',
    ),
    (f"--proxy-dns x {PORT}", 2, "Ncat: Invalid proxy DNS type. QUITTING."),
    (f"--proxy 127.0.0.1:abc {PORT}", 2, 'Ncat: Invalid proxy port number "abc". QUITTING.'),
    # combinations
    (f"-e a -c b {PORT}", 2, "Ncat: Only one of --exec, --sh-exec, and --lua-exec is allowed. QUITTING."),
    (f"-e a -e b {PORT}", 2, "Ncat: Only one of --exec, --sh-exec, and --lua-exec is allowed. QUITTING."),
    (f"--proxy a --proxy b {PORT}", 2, "Ncat: You can't specify more than one --proxy. QUITTING."),
    (f"--proxy-type http --proxy-type http {PORT}", 2, "Ncat: You can't specify more than one --proxy-type. QUITTING."),
    (f"--proxy-auth a:b --proxy-auth a:b {PORT}", 2, "Ncat: You can't specify more than one --proxy-auth. QUITTING."),
    (
        f"--ssl-trustfile x --ssl-trustfile x {PORT}",
        2,
        "Ncat: The --ssl-trustfile option may be given only once. QUITTING.",
    ),
    ("--broker -e /bin/cat -l 0", 2, "Ncat: Invalid option combination: --broker and -e. QUITTING."),
    ("-l --proxy 127.0.0.1:1", 2, "Ncat: Invalid option combination: --proxy and -l. QUITTING."),
    (
        f"--proxy-type http {PORT}",
        2,
        r"Ncat: Proxy type \(--proxy-type\) specified without proxy address \(--proxy\). QUITTING.",
    ),
    ("-U --proxy 127.0.0.1:1 /x", 2, "Ncat: Proxy option not supported when using Unix domain sockets. QUITTING."),
    ("-l -s 127.0.0.1", 2, "Ncat: -l and -s are incompatible.  Specify the address and port .*. QUITTING."),
    ("-l -z 1", 2, "Ncat: Services designed for LISTENING can't be used with -z QUITTING."),
    (f"-m 3 {PORT}", 2, "Ncat: Invalid option combination: `--max-conns' with connect. QUITTING."),
    (f"--allow 127.0.0.1 {PORT}", 2, "Ncat: Invalid option combination: allow/deny with connect. QUITTING."),
    (f"--ssl-cert x {PORT}", 2, "Ncat: The --ssl-key and --ssl-cert options must be used together. QUITTING."),
    ("-l --ssl --ssl-key x 0", 2, "Ncat: The --ssl-key and --ssl-cert options must be used together. QUITTING."),
    # names and addresses
    ("nosuchhost.invalid 80", 2, 'Ncat: Could not resolve hostname "nosuchhost.invalid": .*. QUITTING.'),
    ("-l abc.invalid", 2, 'Ncat: Could not resolve hostname "abc.invalid": .*. QUITTING.'),
    ("-n localhost 1", 2, 'Ncat: Could not resolve hostname "localhost": Name or service not known. QUITTING.'),
    (
        "-6 127.0.0.1 1",
        2,
        'Ncat: Could not resolve hostname "127.0.0.1": Address family for hostname not supported. QUITTING.',
    ),
    ("-4 ::1 1", 2, 'Ncat: Could not resolve hostname "::1": Address family for hostname not supported. QUITTING.'),
    (f"-s nosuch.invalid {PORT}", 2, 'Ncat: Could not resolve source address "nosuch.invalid": .*. QUITTING.'),
    ("-l 192.0.2.5 1", 2, "Ncat: bind to 192.0.2.5:1: Cannot assign requested address. QUITTING."),
    ("-l -u 192.0.2.5 1", 2, "Ncat: bind to 192.0.2.5:1: Cannot assign requested address. QUITTING."),
    ("-l -U /nonexistent/x", 2, "Ncat: bind to /nonexistent/x: No such file or directory. QUITTING."),
    (
        "--proxy nosuch.invalid:99 127.0.0.1 80",
        1,
        'Ncat: Could not resolve proxy "nosuch.invalid": Name or service not known.',
    ),
    # files
    ("--allowfile /nonexistent -l 0", 2, "Ncat: can't open /nonexistent: No such file or directory. QUITTING."),
    ("--denyfile /nonexistent -l 0", 2, "Ncat: can't open /nonexistent: No such file or directory. QUITTING."),
    (
        f"--lua-exec /nonexistent {PORT}",
        2,
        "Ncat: Error loading the Lua script: cannot open /nonexistent: No such file .*",
    ),
    # the network
    (PORT, 1, "Ncat: Connection refused."),
    (f"--nsock-engine poll {PORT}", 1, "Ncat: Connection refused."),
    (f"--r {PORT}", 1, "Ncat: Connection refused."),
    (f"--append-output {PORT}", 1, "Ncat: Connection refused."),
    (f"-z {PORT}", 1, ""),
    (f"--ssl {PORT}", 1, "Ncat: Connection refused."),
    (f"--ssl-v {PORT}", 1, "Ncat: Connection refused."),
    ("-U /nonexistent", 1, "Ncat: No such file or directory."),
    ("--proxy 127.0.0.1:1 127.0.0.1 80", 1, "Ncat: Proxy connection failed: Connection refused."),
    ("--proxy [::1]:1 127.0.0.1 80", 1, "Ncat: Proxy connection failed: Connection refused."),
]

#: Where wirecat goes its own way, or 7.99 is newer than the oracle.
OURS: list[tuple[str, int, str]] = [
    ("-l --ssl-alpn h2 0", 2, "Ncat: ALPN is not supported in listen mode QUITTING."),
    (f"-q x {PORT}", 2, r'Ncat: Invalid -q timeout "x" \(must be .*\). QUITTING.'),
    (f"-q -1 {PORT}", 1, "Ncat: Connection refused."),
    (f"-q 0 {PORT}", 1, "Ncat: Connection refused."),
    (f"-q 1s {PORT}", 1, "Ncat: Connection refused."),
    (f"-k {PORT}", 1, "Ncat: Connection refused."),
    (f"-u -k {PORT}", 2, "Ncat: UDP mode does not support the -k or --keep-open options when connecting. QUITTING."),
    ("-m x -lk 0", 2, 'Ncat: Invalid maximum number of connections "x". QUITTING.'),
    ("--allow bad/33 -l 0", 2, "Ncat: .*bad/33.*QUITTING."),
    (f"--nsock-engine anything {PORT}", 1, "Ncat: Connection refused."),
    (f"-s 192.0.2.5 {PORT}", 2, "Ncat: bind to 192.0.2.5: .* QUITTING."),
    (f"-o /nonexistent/x {PORT}", 2, "Ncat: Could not open /nonexistent/x: No such file or directory. QUITTING."),
    (f"-x /nonexistent/x {PORT}", 2, "Ncat: Could not open /nonexistent/x: No such file or directory. QUITTING."),
    (f"--deny 127.0.0.1 {PORT}", 2, "Ncat: Invalid option combination: allow/deny with connect. QUITTING."),
    ("-lv --bogus", 2, rf"(?:\S*/)?ncat: unrecognized option '--bogus'\n{TRY}"),
]


def check(ncat: Ncat, arguments: str, code: int, pattern: str) -> None:
    ended = ncat.run(*arguments.split(), input=None)
    assert ended.code == code, ended
    assert re.fullmatch(f"{pattern}\n" if pattern else "", ended.err), ended
    assert ended.out == b""


@both
@pytest.mark.parametrize(("arguments", "code", "pattern"), AGREED, ids=[row[0] or "nothing" for row in AGREED])
def test_as_ncat(ncat: Ncat, arguments: str, code: int, pattern: str) -> None:
    check(ncat, arguments, code, pattern)


@ours
@pytest.mark.parametrize(("arguments", "code", "pattern"), OURS, ids=[row[0] for row in OURS])
def test_as_told(ncat: Ncat, arguments: str, code: int, pattern: str) -> None:
    check(ncat, arguments, code, pattern)


@both
def test_help_goes_to_stdout(ncat: Ncat) -> None:
    ended = ncat.run("-h")
    assert (ended.code, ended.err) == (0, "")
    assert b"Usage: ncat [options] [hostname] [port]" in ended.out
    assert ncat.run("--help").out == ended.out


@both
def test_the_version_goes_to_stderr(ncat: Ncat) -> None:
    ended = ncat.run("--version", "--bogus")
    assert (ended.code, ended.out) == (0, b"")
    assert re.fullmatch(r"Ncat: Version 7\.\d\d \(.*\)\n", ended.err)


@both
def test_the_first_v_tells_the_version(ncat: Ncat) -> None:
    assert re.fullmatch(
        r"Ncat: Version 7\.\d\d \(.*\)\nNcat: Connection refused.\n", ncat.run("-v", "127.0.0.1", "1").err
    )


@ours
def test_the_version_names_both(ncat: Ncat) -> None:
    assert re.fullmatch(r"Ncat: Version 7\.99 \(wirecat \d+\.\d+[\w.]*\)\n", ncat.run("--version").err)


@both
def test_a_limit_without_many_clients_is_warned_of(ncat: Ncat) -> None:
    listener = ncat.listen("-m", "3")
    ncat.dial(listener.port).close()
    assert listener.program.wait() == 0
    assert b"Ncat: Warning: Maximum connections ignored, since it does not take effect" in listener.program.stderr
