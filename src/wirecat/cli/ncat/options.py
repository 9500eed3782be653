"""The table of ncat's options: what the parser, the help, the man page and docs/ncat.md are read off.

The order is that of the help. ``kind`` says how a value is read (see ``settings``).
"""

from __future__ import annotations

from wirecat.cli.getopt import Option

FLAG, COUNT, TEXT, TIME, NUMBER, PORT = "flag", "count", "text", "time", "number", "port"
HOSTS, FILES = "hosts", "files"

OPTIONS = (
    Option("4", "", "", "Use IPv4 only", "ipv4", FLAG),
    Option("6", "", "", "Use IPv6 only", "ipv6", FLAG),
    Option("U", "unixsock", "", "Use Unix domain sockets only", "unixsock", FLAG),
    Option("", "vsock", "", "Use vsock sockets only", "vsock", FLAG, differs="Linux only, as Python's `AF_VSOCK` is"),
    Option("C", "crlf", "", "Use CRLF for EOL sequence", "crlf", FLAG),
    Option("c", "sh-exec", "command", "Executes the given command via /bin/sh", "sh_exec", TEXT),
    Option("e", "exec", "command", "Executes the given command", "exec", TEXT),
    Option(
        "", "lua-exec", "filename", "Executes the given Lua script", "lua_exec", TEXT,
        differs="needs the extra `wirecat[lua]`; the script runs in a process of its own, with Lua's own `io`",
    ),
    Option(
        "g", "", "hop1[,hop2,...]", "Loose source routing hop points (8 max)", "hops", TEXT,
        differs="IPv4 over TCP and UDP, where the system lets a program set it",
    ),
    Option("G", "", "n", "Loose source routing hop pointer (4, 8, 12, ...)", "hop_pointer", NUMBER),
    Option("m", "max-conns", "n", "Maximum <n> simultaneous connections", "max_conns", NUMBER),
    Option("h", "help", "", "Display this help screen", "help", FLAG),
    Option("d", "delay", "time", "Wait between read/writes", "delay", TIME),
    Option("o", "output", "filename", "Dump session data to a file", "output", TEXT),
    Option("x", "hex-dump", "filename", "Dump session data as hex to a file", "hex_dump", TEXT),
    Option(
        "", "record", "filename", "Record the session as pcapng (see: wirecat show)", "record", TEXT,
        differs="an option of wirecat's own, not to be abbreviated", whole=True,
    ),
    Option("i", "idle-timeout", "time", "Idle read/write timeout", "idle_timeout", TIME),
    Option("p", "source-port", "port", "Specify source port to use", "source_port", PORT),
    Option(
        "s", "source", "addr", "Specify source address to use (doesn't affect -l)", "source", TEXT,
        differs="an address that is not this PC's is an error (exit 2); ncat goes on without it",
    ),
    Option("l", "listen", "", "Bind and listen for incoming connections", "listen", FLAG),
    Option(
        "k", "keep-open", "", "Accept multiple connections in listen mode; in connect mode, stay after the peer's EOF",
        "keep_open", FLAG,
    ),
    Option("n", "nodns", "", "Do not resolve hostnames via DNS", "nodns", FLAG),
    Option("t", "telnet", "", "Answer Telnet negotiations", "telnet", FLAG),
    Option("u", "udp", "", "Use UDP instead of default TCP", "udp", FLAG),
    Option(
        "", "sctp", "", "Use SCTP instead of default TCP", "sctp", FLAG,
        differs="where the kernel has SCTP; elsewhere a message, exit 1 (connect) or 2 (listen)",
    ),
    Option("v", "verbose", "", "Set verbosity level (can be used several times)", "verbose", COUNT,
           differs="the `NCAT DEBUG:` lines of `-vv` tell of wirecat's own steps"),
    Option("w", "wait", "time", "Connect timeout", "wait", TIME),
    Option("z", "", "", "Zero-I/O mode, report connection status only", "zero", FLAG),
    Option("q", "", "time", "After EOF on stdin, wait <time> and quit", "quit_after", TIME,
           differs="`-q 0` quits at once with exit 0, as scripts for the traditional nc expect; ncat refuses it"),
    Option("", "append-output", "", "Append rather than clobber specified output files", "append_output", FLAG),
    Option("", "send-only", "", "Only send data, ignoring received; quit on EOF", "send_only", FLAG),
    Option("", "recv-only", "", "Only receive data, never send anything", "recv_only", FLAG),
    Option("", "no-shutdown", "", "Continue half-duplex when receiving EOF on stdin", "no_shutdown", FLAG),
    Option("", "allow", "hosts", "Allow only given hosts to connect to Ncat", "allow", HOSTS),
    Option("", "allowfile", "filename", "A file of hosts allowed to connect to Ncat", "allowfile", FILES),
    Option("", "deny", "hosts", "Deny given hosts from connecting to Ncat", "deny", HOSTS),
    Option("", "denyfile", "filename", "A file of hosts denied from connecting to Ncat", "denyfile", FILES),
    Option("", "broker", "", "Enable Ncat's connection brokering mode", "broker", FLAG),
    Option("", "chat", "", "Start a simple Ncat chat server", "chat", FLAG),
    Option("", "talk", "", "The same as --chat", "chat", FLAG, hidden=True),
    Option("", "proxy", "addr[:port]", "Specify address of host to proxy through", "proxy", TEXT),
    Option("", "proxy-type", "type", 'Specify proxy type ("http", "socks4", "socks5")', "proxy_type", TEXT),
    Option("", "proxy-auth", "auth", "Authenticate with HTTP or SOCKS proxy server", "proxy_auth", TEXT),
    Option("", "proxy-dns", "type", 'Specify where to resolve proxy destination ("local", "remote", "both", "none")',
           "proxy_dns", TEXT),
    Option("", "ssl", "", "Connect or listen with SSL", "ssl", FLAG),
    Option("", "ssl-cert", "filename", "Specify SSL certificate file (PEM) for listening", "ssl_cert", TEXT),
    Option("", "ssl-key", "filename", "Specify SSL private key (PEM) for listening", "ssl_key", TEXT),
    Option("", "ssl-verify", "", "Verify trust and domain name of certificates", "ssl_verify", FLAG),
    Option("", "ssl-trustfile", "filename", "PEM file containing trusted SSL certificates", "ssl_trustfile", TEXT),
    Option("", "ssl-ciphers", "list", "Cipherlist containing SSL ciphers to use", "ssl_ciphers", TEXT),
    Option("", "ssl-servername", "name", "Request distinct server name (SNI)", "ssl_servername", TEXT),
    Option("", "ssl-alpn", "list", "ALPN protocol list to use", "ssl_alpn", TEXT),
    Option("", "nsock-engine", "name", "Accepted, without effect: the engine is Python's", "nsock_engine", TEXT,
           hidden=True, differs="any name is accepted, without effect"),
    Option("", "test", "", "Tell of each listening socket on stderr", "test", FLAG, hidden=True),
    Option("", "version", "", "Display Ncat's version information and exit", "version", FLAG),
)  # fmt: skip
