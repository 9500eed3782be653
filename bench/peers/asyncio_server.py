"""An echo server on asyncio: ``asyncio_server.py PORT streams|protocol asyncio|uvloop``. A bare one: it counts "
"nothing."""

from __future__ import annotations

import asyncio
import sys


async def serve_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.write = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.write(data)


async def main(port: int, kind: str) -> None:
    if kind == "streams":
        server = await asyncio.start_server(serve_stream, "127.0.0.1", port, backlog=4096)
    else:
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


port, kind, loop = sys.argv[1:]
factory = None
if loop == "uvloop":
    import uvloop

    factory = uvloop.new_event_loop
with asyncio.Runner(loop_factory=factory) as runner:
    runner.run(main(int(port), kind))
