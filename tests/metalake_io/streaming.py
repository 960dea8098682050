"""A big file up and down; prints by how many bytes the process grew. The server is a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

SIZE = 100 << 20
PIECE = bytes(1 << 16)


class Handler(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, len(PIECE))))
        self.send_response(200)
        self.send_header("ETag", '"x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        if "compatibility" in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.end_headers()
        for _ in range(SIZE // len(PIECE)):
            self.wfile.write(PIECE)

    def log_message(self, format: str, *args: object) -> None:
        pass


def serve(port: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    server = HTTPServer(("127.0.0.1", 0), Handler)
    port.put(server.server_address[1])
    server.serve_forever()


def main() -> None:
    port: multiprocessing.Queue = multiprocessing.Queue()  # type: ignore[type-arg]
    server = multiprocessing.get_context("fork").Process(target=serve, args=[port], daemon=True)
    server.start()
    url = f"http://127.0.0.1:{port.get()}"

    from annolake.metalake_io.connecting import connect
    from annolake.metalake_io.fetching import Fetcher
    from annolake.metalake_io.landing import Wanted
    from annolake.metalake_io.transfer.bodies import FileSlice
    from annolake.metalake_io.transfer.exchange import Request

    folder = Path(sys.argv[1])
    big = folder / "big.bin"
    with big.open("wb") as file:
        os.truncate(file.fileno(), SIZE)
    connection = connect("key", "secret", url, prefix="/api")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    body = FileSlice(big, 0, SIZE)
    connection.service.layers.send(Request(method="PUT", url=url, operation="store", body=body))
    Fetcher(connection.service).fetch(Wanted("down.bin", url, folder / "down.bin"))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    connection.close()
    server.kill()
    print((after - before) * 1024)


if __name__ == "__main__":
    main()
