"""The capability ``sockets``: this machine's listening sockets and active connections, as in netstat."""
