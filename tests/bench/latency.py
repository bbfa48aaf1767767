"""A relay in front of a local port that makes each round trip as long as over a network: for comparing how many of them
clients wait for."""

import asyncio
import threading


class Relay:
    """Relays to a port of this machine while it is entered; `port` is its own."""

    def __init__(self, target_port, round_trip_s):
        self.target_port, self.one_way_s = target_port, round_trip_s / 2
        self.port = None
        self._loop = self._ended = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True)

    def __enter__(self):
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    async def _listen(self):
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ended.wait()
        server.close()

    async def _serve(self, reader, writer):
        # The kernel took the connection at once; what comes first has waited for its round trip.
        connected_at = self._loop.time() + 2 * self.one_way_s
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        await asyncio.gather(self._pass_on(reader, upstream_writer, connected_at),
                             self._pass_on(upstream_reader, writer, 0), return_exceptions=True)

    async def _pass_on(self, reader, writer, not_before):
        try:
            while chunk := await reader.read(65536):
                self._loop.call_at(max(self._loop.time(), not_before) + self.one_way_s, writer.write, chunk)
        finally:
            self._loop.call_later(self.one_way_s, writer.close)
