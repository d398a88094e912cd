"""A small real HTTP server in a process of its own, whose faults are switched over a pipe.

Run as a program it prints its port, then obeys lines on its standard input:
`mode NAME [ARGUMENT]` switches for all later requests, `forget` goes back to the beginning,
`stall SECONDS` stops answering for a
while (the process sleeps: accepted connections wait), and the end of input ends it.

Modes: ok · slow S · status CODE · no_effect (503 that says nothing was done) · reset (RST after
the request) · close (FIN after the request) · truncate (half a body) · hang · garbage · old
(no keep-alive, body until the end of the stream) · continue (a 100 first) · once (keeps a
connection for one answer, then closes it idle).
"""

import asyncio
import os
import socket
import struct
import sys
import threading
import time


class Server:
    """State shared by all connections."""

    def __init__(self) -> None:
        self.mode: list[str] = ["ok"]
        self.answers = 0
        self.stored: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, in the mode of the moment."""
        try:
            while await self.answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; False to close the connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.answers += 1
        mode, *arguments = self.mode
        if mode == "slow":
            await asyncio.sleep(float(arguments[0]))
        elif mode == "hang":
            await asyncio.sleep(3600)
        elif mode == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return False
        elif mode == "close":
            return False
        writer.write(self.bytes_of(mode, arguments, lines[0], body))
        await writer.drain()
        if mode == "once":
            await asyncio.sleep(0.02)
            return False
        return mode not in ("truncate", "old", "garbage") and headers.get("connection") != "close"

    def bytes_of(self, mode: str, arguments: list[str], request: str, body: bytes) -> bytes:
        """The answer on the wire."""
        if mode == "garbage":
            return b"this is not HTTP\r\n\r\n"
        if mode == "old":
            return b"HTTP/1.0 200 OK\r\n\r\nuntil the end"
        status = {"status": arguments[0] if arguments else "", "no_effect": "503"}.get(mode, "200")
        if body and status == "200":
            self.stored.append(body.decode())
        text = b"HTTP/1.1 100 Continue\r\n\r\n" if mode == "continue" else b""
        text += f"HTTP/1.1 {status} X\r\nContent-Length: 4\r\n".encode()
        text += (
            f"X-Chaoskit-Pod: kv-1\r\nX-Chaoskit-Pod-Uid: uid-1\r\nX-Chaoskit-Node: n-1\r\n"
            f"X-Chaoskit-Revision: v1\r\nX-Chaoskit-Boot: b-{os.getpid()}\r\n"
            f"X-Chaoskit-Sequence: {self.answers}\r\n".encode()
        )
        if mode == "no_effect":
            text += b"X-Chaoskit-Effect: none\r\n"
        return text + b"\r\n" + (b"bo" if mode == "truncate" else b"body")


def obey(server: Server, loop: asyncio.AbstractEventLoop) -> None:
    """Read commands until the end of input, then end the process."""
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "mode":
            server.mode = arguments
        elif command == "forget":
            server.mode, server.answers, server.stored = ["ok"], 0, []
        elif command == "stall":
            loop.call_soon_threadsafe(time.sleep, float(arguments[0]))
            continue
        elif command == "asked":
            print(server.answers, flush=True)
            continue
        elif command == "stored":
            print(" ".join(server.stored), flush=True)
            continue
        print("done", flush=True)
    os._exit(0)


async def main() -> None:
    """Listen on a free port of 127.0.0.1."""
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, backlog=1024)
    loop = asyncio.get_running_loop()
    threading.Thread(target=obey, args=(server, loop), daemon=True).start()
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
