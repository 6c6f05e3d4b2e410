"""The application behind the sidecars: ``python -m benchmarks.mesh_app REPORT`` answers at once."""

import asyncio
import json
import os
import sys
from pathlib import Path

BODY = b"hello"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\ncontent-type: text/plain\r\n\r\n%s" % (len(BODY), BODY)


class Answering(asyncio.Protocol):
    """HTTP/1.1 without bodies in requests, which is all that the benchmark sends."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller connected."""
        if not isinstance(transport, asyncio.WriteTransport):
            raise TypeError(transport)
        self._transport = transport
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        self._transport.write(ANSWER * len(requests))


async def main() -> None:
    """Serve where the mesh says."""
    server = await asyncio.get_running_loop().create_server(
        Answering, os.environ["HOST"], int(os.environ["PORT"])
    )
    report = Path(sys.argv[1])
    fresh = report.with_suffix(".new")
    fresh.write_text(json.dumps(dict(os.environ)))
    fresh.replace(report)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
