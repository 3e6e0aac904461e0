"""Messages over a socket: a length, a msgpack tree, and the bytes of the arrays in it. Every wait has an end."""

import socket
import struct
import time

import msgpack

MAX_TREE = 32 << 20  # bytes of one message without its arrays
MAX_BYTES = 192 << 20  # bytes of the arrays of one message
_HEAD = struct.Struct("<II")


class Gone(Exception):
    """The other process has ended, or has not answered in time."""


class TimeIsUp(Gone):
    """The other process has not answered in time."""


class Garbled(Exception):
    """What came is no message, or one that is not allowed; the text says which."""


class Channel:
    """One end of a connected socket. deadline: the value of time.monotonic() at which waiting ends; None waits on."""

    def __init__(self, sock, deadline=None):
        self.sock, self._buffer = sock, bytearray()
        self.deadline = deadline

    @property
    def deadline(self):
        return self._deadline

    @deadline.setter
    def deadline(self, deadline):
        self._deadline = deadline
        # The kernel ends a single wait, which costs less than asking before each one whether there is something to read.
        left = 0.0 if deadline is None else max(0.001, deadline - time.monotonic())
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", int(left), int(left % 1 * 1e6)))

    def send(self, tree, arrays=()):
        """Send a tree of None, numbers, str, bytes, lists and dicts, and some bytes. Raises Garbled where it is too big."""
        packed = msgpack.packb(tree, unicode_errors="surrogatepass")
        size = sum(map(len, arrays))
        if len(packed) > MAX_TREE or size > MAX_BYTES:
            raise Garbled("a value is too big to be handed over")
        rest = memoryview(b"".join((_HEAD.pack(len(packed), size), packed, *arrays)))
        while rest:
            rest = rest[self._waiting(self.sock.send, rest) :]

    def receive(self):
        """The next message, as it was sent: (tree, bytes of its arrays)."""
        tree_size, size = _HEAD.unpack(self._read(_HEAD.size))
        if tree_size > MAX_TREE or size > MAX_BYTES:
            raise Garbled("a message is too big")
        return unpack(self._read(tree_size)), self._read(size)

    def _read(self, size):
        while len(self._buffer) < size:
            part = self._waiting(self.sock.recv, max(1 << 16, min(size - len(self._buffer), 1 << 22)))
            if not part:
                raise Gone
            self._buffer += part
        read = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return read

    def _waiting(self, move, what):
        """Do one move of the socket; however little each one brings, all of them end at the deadline."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise TimeIsUp
        try:
            return move(what)
        except BlockingIOError:
            raise TimeIsUp from None
        except OSError:
            raise Gone from None


def unpack(packed):
    """The tree in these bytes. Raises Garbled whatever else they are."""
    try:
        return msgpack.unpackb(packed, strict_map_key=True, unicode_errors="surrogatepass")
    except Exception as error:  # msgpack raises ValueError, its own errors, and those of the types that it makes
        raise Garbled(f"a message cannot be read ({type(error).__name__})") from None
