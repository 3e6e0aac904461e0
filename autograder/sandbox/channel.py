"""Messages over a socket: a length, a msgpack tree, and the bytes of the arrays in it. Every wait has an end."""

import socket
import struct
import time

import msgpack

MAX_TREE = 32 << 20  # bytes of one message without its arrays
MAX_BYTES = 192 << 20  # bytes of the arrays of one message
_HEAD = struct.Struct("<II")
_LONG = 1 << 16  # bytes of an array that is sent from where it lies


class Gone(Exception):
    """The other process has ended, or has not answered in time."""


class TimeIsUp(Gone):
    """The other process has not answered in time."""


class Garbled(Exception):
    """What came is no message, or one that is not allowed; the text says which."""


class Channel:
    """One end of a connected socket. deadline: the value of time.monotonic() at which waiting ends; None waits on."""

    def __init__(self, sock, deadline=None):
        self.sock, self._buffer, self._longest = sock, bytearray(), -1.0
        self._packer = msgpack.Packer(unicode_errors="surrogatepass")
        self.deadline = deadline

    @property
    def deadline(self):
        return self._deadline

    @deadline.setter
    def deadline(self, deadline):
        self._deadline = deadline
        # The kernel ends a single wait, which costs less than asking before each one whether there is something to read.
        left = 0.0 if deadline is None else max(0.001, deadline - time.monotonic())
        if left > 1 and abs(left - self._longest) < 0.1:
            return  # most often it is about as long as before
        self._longest = left
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", int(left), int(left % 1 * 1e6)))

    def send(self, tree, arrays=()):
        """Send a tree of None, numbers, str, bytes, lists and dicts, and some bytes. Raises Garbled where it is too big."""
        packed = self._packer.pack(tree)
        size = sum(map(len, arrays))
        if len(packed) > MAX_TREE or size > MAX_BYTES:
            raise Garbled("a value is too big to be handed over")
        parts = [_HEAD.pack(len(packed), size), packed]
        for array in arrays:
            if len(array) >= _LONG:
                self._send_all(b"".join(parts))
                self._send_all(array)
                parts = []
            else:
                parts.append(array)
        if parts:
            self._send_all(b"".join(parts))

    def _send_all(self, piece):
        sent = self._waiting(self.sock.send, piece)
        while sent < len(piece):
            sent += self._waiting(self.sock.send, memoryview(piece)[sent:])

    def receive(self):
        """The next message, as it was sent: (tree, bytes of its arrays)."""
        if not self._buffer:
            # Nearly always one piece is one message, which then need not be put together.
            piece = self._waiting(self.sock.recv, 1 << 14)
            if len(piece) >= _HEAD.size:
                tree_size, size = _HEAD.unpack_from(piece)
                if len(piece) == _HEAD.size + tree_size + size:
                    return unpack(piece[_HEAD.size : _HEAD.size + tree_size]), piece[_HEAD.size + tree_size :]
            elif not piece:
                raise Gone
            self._buffer += piece
        tree_size, size = _HEAD.unpack(self._read(_HEAD.size))
        if tree_size > MAX_TREE or size > MAX_BYTES:
            raise Garbled("a message is too big")
        return unpack(self._read(tree_size)), self._read(size)

    def _read(self, size):
        read, view = bytearray(size), memoryview(self._buffer)
        here = min(size, len(view))
        read[:here] = view[:here]
        view.release()
        del self._buffer[:here]
        view = memoryview(read)
        while here < size:
            came = self._waiting(self.sock.recv_into, view[here:])
            if not came:
                raise Gone
            here += came
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
