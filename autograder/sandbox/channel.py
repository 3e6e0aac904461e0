"""Messages over a socket: a length, a msgpack tree, and the bytes of the arrays in it. Every wait has an end."""

import select
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
        self.sock, self.deadline = sock, deadline
        sock.setblocking(False)
        self._poll = select.poll()

    def send(self, tree, arrays=()):
        """Send a tree of None, numbers, str, bytes, lists and dicts, and a sequence of bytes. Raises Garbled where it is too big."""
        packed = msgpack.packb(tree, unicode_errors="surrogatepass")
        size = sum(map(len, arrays))
        if len(packed) > MAX_TREE or size > MAX_BYTES:
            raise Garbled("a value is too big to be handed over")
        rest = memoryview(b"".join((_HEAD.pack(len(packed), size), packed, *arrays)))
        while rest:
            try:
                rest = rest[self.sock.send(rest) :]
            except BlockingIOError:
                self._wait(select.POLLOUT)
            except OSError:
                raise Gone from None

    def receive(self):
        """The next message, as it was sent: (tree, bytes of its arrays)."""
        tree_size, size = _HEAD.unpack(self._read(_HEAD.size))
        if tree_size > MAX_TREE or size > MAX_BYTES:
            raise Garbled("a message is too big")
        packed = self._read(tree_size)
        return unpack(packed), self._read(size)

    def _read(self, size):
        parts, missing = [], size
        while missing:
            try:
                part = self.sock.recv(min(missing, 1 << 20))
            except BlockingIOError:
                self._wait(select.POLLIN)
                continue
            except OSError:
                raise Gone from None
            if not part:
                raise Gone
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _wait(self, event):
        self._poll.register(self.sock, event)
        left = None if self.deadline is None else self.deadline - time.monotonic()
        if left is not None and left <= 0 or not self._poll.poll(None if left is None else left * 1000):
            raise TimeIsUp


def unpack(packed):
    """The tree in these bytes. Raises Garbled whatever else they are."""
    try:
        return msgpack.unpackb(packed, strict_map_key=True, unicode_errors="surrogatepass")
    except Exception as error:  # msgpack raises ValueError, its own errors, and those of the types that it makes
        raise Garbled(f"a message cannot be read ({type(error).__name__})") from None
