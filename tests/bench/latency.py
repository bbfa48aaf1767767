"""A relay in front of a local port that makes each round trip as long as over a network: for comparing how many of them
clients wait for.

Usage: latency.py PORT ROUND_TRIP_SECONDS; prints its own port and serves until its input ends.
"""

import asyncio
import os
import selectors
import subprocess
import sys


class Relay:
    """A relay in a process of its own while it is entered; `port` is where it listens."""

    def __init__(self, target_port, round_trip_s):
        self._command = [sys.executable, "-B", __file__, str(target_port), str(round_trip_s)]

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_):
        self._process.communicate()


async def pass_on(reader, writer, not_before, one_way_s):
    loop = asyncio.get_running_loop()
    try:
        while chunk := await reader.read(65536):
            loop.call_at(max(loop.time(), not_before) + one_way_s, writer.write, chunk)
    finally:
        loop.call_later(one_way_s, writer.close)


async def relay(target_port, round_trip_s):
    loop = asyncio.get_running_loop()

    async def serve(reader, writer):
        # The kernel took the connection at once; what comes first has waited for its round trip.
        connected_at = loop.time() + round_trip_s
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", target_port)
        await asyncio.gather(pass_on(reader, upstream_writer, connected_at, round_trip_s / 2),
                             pass_on(upstream_reader, writer, 0, round_trip_s / 2), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop.add_reader(sys.stdin, os._exit, 0)
    await server.serve_forever()


if __name__ == "__main__":
    # select() waits to the microsecond, epoll_wait() to the millisecond.
    event_loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    event_loop.run_until_complete(relay(int(sys.argv[1]), float(sys.argv[2])))
