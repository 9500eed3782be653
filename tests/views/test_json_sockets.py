"""The socket table as JSON that scripts rely on."""

from __future__ import annotations

import json

from wirecat.system.socket_row import SocketRow
from wirecat.views.json_sockets import sockets_json

ROWS = [
    SocketRow("tcp", "ipv4", "127.0.0.1", 80, "127.0.0.2", 9, "ESTABLISHED", 1, 2, 0, 5, 7, "cat"),
    SocketRow("udp", "ipv6", "fe80::1%eth0", 53),
]
OBJECTS = [
    {
        "protocol": "tcp",
        "family": "ipv4",
        "local": {"host": "127.0.0.1", "port": 80},
        "remote": {"host": "127.0.0.2", "port": 9},
        "state": "ESTABLISHED",
        "recv_queue": 1,
        "send_queue": 2,
        "pid": 7,
        "process": "cat",
    },
    {
        "protocol": "udp",
        "family": "ipv6",
        "local": {"host": "fe80::1%eth0", "port": 53},
        "remote": None,
        "state": None,
        "recv_queue": None,
        "send_queue": None,
        "pid": None,
        "process": None,
    },
]


def test_one_document_with_an_object_for_each_socket() -> None:
    text = sockets_json(ROWS)
    assert json.loads(text) == OBJECTS
    assert len(text.splitlines()) == len(ROWS) + 2


def test_one_line() -> None:
    text = sockets_json(ROWS, one_line=True)
    assert json.loads(text) == OBJECTS
    assert text.endswith("\n") and text.count("\n") == 1


def test_no_sockets_is_an_empty_list() -> None:
    assert sockets_json([]) == sockets_json([], one_line=True) == "[]\n"


def test_a_name_of_any_characters_is_ascii() -> None:
    text = sockets_json([SocketRow("tcp", "ipv4", "127.0.0.1", 80, pid=7, process="Gr\u00fc\u00dfe\x1b")])
    assert text.isascii() and "\x1b" not in text
    assert json.loads(text)[0]["process"] == "Gr\u00fc\u00dfe\x1b"
