"""A router that lies, stalls or breaks its word: datagrams and HTTP on one address of a namespace.

    with FakeRouter(host, "192.168.77.1", describe=lambda: DESCRIPTION) as router: ...

What it answers is given by functions; what it was asked is in ``requests``.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple

from reach.lab.namespaces import Host, cable, require_namespaces
from wirecat.wire.xml_tree import read_xml

ROUTER, SERVER, PORT = "192.168.77.1", "192.168.77.20", 12345
BOMB = b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><root>&b;</root>'
CONNECTION = "urn:schemas-upnp-org:service:WANIPConnection:1"
DESCRIPTION = f"""<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><serviceList><service>
<serviceType>{CONNECTION}</serviceType><controlURL>/ctl</controlURL></service></serviceList></device></root>""".encode()


def description(*services: tuple[str, str]) -> bytes:
    """A description of connection services: the type of each (``WANIPConnection:1``), and where it is called."""
    listed = "".join(
        f"<service><serviceType>urn:schemas-upnp-org:service:{kind}</serviceType><controlURL>{control}</controlURL></service>"
        for kind, control in services
    )
    return (
        '<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>'
        "urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList><device><serviceList>"
        f"{listed}</serviceList></device></deviceList></device></root>"
    ).encode()


@contextmanager
def server_and_router() -> Iterator[tuple[Host, Host]]:
    """A server and its router, on one cable."""
    require_namespaces()
    server, router = Host("server"), Host("router")
    cable(server, "eth0", router, "eth0")
    for host, address in ((server, SERVER), (router, ROUTER)):
        host.ip("link set lo up", f"addr add {address}/24 dev eth0")
    server.ip(f"route add default via {ROUTER}")
    yield server, router
    server.close()
    router.close()


def ok(body: bytes) -> bytes:
    """An HTTP answer with this body."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def answer(action: str, **values: str) -> bytes:
    """What an action gives back."""
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return ok(f"<s:Envelope><s:Body><u:{action}Response>{inner}</u:{action}Response></s:Body></s:Envelope>".encode())


def fault(code: int) -> bytes:
    """The answer of a call that fails."""
    body = f"<Envelope><Body><Fault><detail><UPnPError><errorCode>{code}</errorCode></UPnPError></detail></Fault></Body></Envelope>"
    return b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body.encode())


class FakeRouter:
    """``describe()`` is the whole HTTP answer to a GET, ``call(action, body)`` that to a POST, or ``route(target, action,
    body)`` where it matters where the POST went. ``location`` is what the search tells; ``search`` and ``control`` answer
    datagrams to ports 1900 and 5351, None for silence; without ``control`` port 5351 is closed.
    """

    def __init__(
        self,
        host: Host,
        address: str,
        *,
        describe: Callable[[], bytes] = lambda: ok(DESCRIPTION),
        call: Callable[[str, bytes], bytes] = lambda action, body: fault(401),
        route: Callable[[str, str, bytes], bytes] | None = None,
        location: str = "",
        search: Callable[[bytes], list[bytes]] | None = None,
        control: Callable[[bytes], bytes | None] | None = None,
        endless: bytes = b"",
    ) -> None:
        self.requests: list[str] = []
        self._route = route or (lambda target, action, body: call(action, body))
        self._describe, self._control, self._endless = describe, control, endless
        self._host, self._address = host, address
        self._location = location
        self._search = search or (lambda data: [self.found()])
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    def found(self, location: str = "") -> bytes:
        """The answer to a search."""
        where = location or self._location or f"http://{self._address}:{self.port}/root.xml"
        return f"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLOCATION: {where}\r\n\r\n".encode()

    def __enter__(self) -> FakeRouter:
        self._http = self._open(lambda: socket.create_server((self._address, 0), backlog=64))
        self.port = self._http.getsockname()[1]
        self._udp(1900, self._search)
        if control := self._control:
            self._udp(5351, lambda data: [reply for reply in [control(data)] if reply is not None])
        self._start(self._serve_http)
        return self

    def _open(self, make: Callable[[], socket.socket]) -> socket.socket:
        made = self._host.inside(make)
        made.settimeout(0.1)
        self._sockets.append(made)
        return made

    def _udp(self, port: int, answers: Callable[[bytes], list[bytes]]) -> None:
        def make() -> socket.socket:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.bind((self._address, port))
            return made

        opened = self._open(make)

        def serve() -> None:
            while not self._stop.is_set():
                try:
                    data, sender = opened.recvfrom(4096)
                except TimeoutError:
                    continue
                except OSError:
                    return
                for reply in answers(data):
                    if self._stop.is_set():
                        return
                    try:
                        opened.sendto(reply, sender)
                    except OSError:
                        return

        self._start(serve)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="fake router", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _serve_http(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._http.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self._start(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                data = b""
                while b"\r\n\r\n" not in data:
                    data += connection.recv(65536)
                head, _, body = data.partition(b"\r\n\r\n")
                fields = head.decode().lower().split("\r\n")
                length = next(
                    (int(field.partition(":")[2]) for field in fields if field.startswith("content-length:")), 0
                )
                while len(body) < length:
                    body += connection.recv(65536)
                action = next((field.partition("#")[2].strip('"') for field in head.decode().split("\r\n")
                               if field.lower().startswith("soapaction")), "")  # fmt: skip
                self.requests.append(action or head.decode().partition(" HTTP")[0])
                target = head.decode().split(" ")[1]
                connection.sendall(self._route(target, action, body) if action else self._describe())
                while self._endless and not self._stop.is_set():
                    connection.sendall(self._endless)
                    self._stop.wait(0.05 if len(self._endless) < 100 else 0)
            except OSError:
                return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)
        for each in self._sockets:
            each.close()


def arguments(body: bytes) -> dict[str, str]:
    """The arguments of a call."""
    body_element = read_xml(body).find("Body")
    assert body_element is not None
    return {child.name: child.text for child in body_element.children[0].children}


class Entry(NamedTuple):
    """A forward in a router's table: where it leads, its name, its lease (0: without an end)."""

    client: str
    port: int
    description: str = ""
    lease: int = 0


class TableRouter:
    """What a router with a table of forwards answers: give ``route`` to a FakeRouter.

    ``table`` has the TCP forwards by external port, ``changes`` a line for each that came, went or was overwritten.
    Subclasses break its word.
    """

    external = "9.9.9.9"

    def __init__(self, **entries: Entry) -> None:
        self.table = {int(port.removeprefix("p")): entry for port, entry in entries.items()}
        self.changes: list[str] = []
        self.lock = threading.Lock()

    def route(self, target: str, action: str, body: bytes) -> bytes:
        with self.lock:
            method: Callable[[dict[str, str]], bytes] | None = {
                "GetExternalIPAddress": self.get_address,
                "GetStatusInfo": lambda values: answer(action, NewConnectionStatus="Connected"),
                "GetSpecificPortMappingEntry": self.get_specific,
                "GetGenericPortMappingEntry": self.get_generic,
                "AddPortMapping": self.add,
                "AddAnyPortMapping": self.add_any,
                "DeletePortMapping": self.delete,
            }.get(action)
            return fault(401) if method is None else method(arguments(body))

    def get_address(self, values: dict[str, str]) -> bytes:
        return answer("GetExternalIPAddress", NewExternalIPAddress=self.external)

    def show(self, port: int) -> dict[str, str]:
        entry = self.table[port]
        return {
            "NewInternalPort": str(entry.port), "NewInternalClient": entry.client, "NewEnabled": "1",
            "NewPortMappingDescription": entry.description, "NewLeaseDuration": str(entry.lease),
        }  # fmt: skip

    def get_specific(self, values: dict[str, str]) -> bytes:
        port = int(values["NewExternalPort"])
        return answer("GetSpecificPortMappingEntry", **self.show(port)) if port in self.table else fault(714)

    def get_generic(self, values: dict[str, str]) -> bytes:
        index = int(values["NewPortMappingIndex"])
        if index >= len(self.table):
            return fault(713)
        port = sorted(self.table)[index]
        return answer("GetGenericPortMappingEntry", NewRemoteHost="", NewExternalPort=str(port), NewProtocol="TCP",
                      **self.show(port))  # fmt: skip

    def put(self, values: dict[str, str]) -> int:
        """Put an entry into the table, whatever was there."""
        port = int(values["NewExternalPort"])
        if port in self.table and self.table[port].client != values["NewInternalClient"]:
            self.changes.append(f"overwritten {port}")
        self.table[port] = Entry(values["NewInternalClient"], int(values["NewInternalPort"]),
                                 values["NewPortMappingDescription"], int(values["NewLeaseDuration"]))  # fmt: skip
        self.changes.append(f"added {port}")
        return port

    def add(self, values: dict[str, str]) -> bytes:
        self.put(values)
        return answer("AddPortMapping")

    def add_any(self, values: dict[str, str]) -> bytes:
        return fault(401)

    def delete(self, values: dict[str, str]) -> bytes:
        if self.table.pop(int(values["NewExternalPort"]), None) is None:
            return fault(714)
        self.changes.append(f"deleted {values['NewExternalPort']}")
        return answer("DeletePortMapping")
