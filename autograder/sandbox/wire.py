"""How values travel between two processes that do not trust each other: as data, never as code.

A value becomes a node, made of what msgpack knows; numbers in arrays go beside it as bytes. A node that is a list begins with its
kind. Whoever reads a node trusts no length, number, depth or name in it.

Lists, dicts, sets, arrays and random generators that have crossed exist twice. A `Values` keeps both in step: with each message
go the changes made since the last one, so that work in place, and a list that both sides keep, are what they are in one process.
"""

import builtins
import collections
import contextlib
import functools
import math
import operator
import re
import struct
import sys

import numpy as np

from .channel import MAX_BYTES, Garbled

MAX_LETTERS = 4 << 20  # in the texts of one message
MAX_DEPTH = 64  # of lists in lists
MAX_NODES = 1 << 20  # in one message
MAX_FIELDS = 256  # of a named tuple, for which Python compiles code
MAX_SPAWNED = 1 << 12  # random generators grown from one between two messages
MAX_SHARED = 1 << 17  # objects that both sides know at one time
_BIG = 1 << 16  # bytes of an array that is not copied only to see whether it has changed

_PLAIN_DTYPE = re.compile(r"[<>|=]?(\?|[biufcSUmM]\d{1,5}|b1)(\[\d{0,4}[a-zA-Zμ]{1,2}\])?")
_TYPES = {
    t.__name__: t
    for t in (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, object, type(None), range, slice)
}
_TYPES |= {
    f"np.{t.__name__}": t
    for t in (*np.sctypeDict.values(), np.ndarray, np.generic, np.number, np.floating, np.integer)
    if t is not np.object_
}
_TYPE_NAMES = {t: name for name, t in _TYPES.items()}
_BIT_GENERATORS = {name: getattr(np.random, name) for name in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")}
_LAST_PLACES = {"MT19937": 624, "Philox": 4}  # of a state in its numbers; numpy itself would read behind them
_DRAWING = {np.random.Generator: "Generator", np.random.RandomState: "RandomState"}
_SHARED = {np.ndarray, list, dict, set, bytearray, collections.deque, *_DRAWING}
_KINDS = {list: "list", dict: "dict", set: "set", bytearray: "bytearray", collections.deque: "deque", np.ndarray: "array"}
_KINDS |= {drawing: "nothing that can change" for drawing in _DRAWING}
_MANY = {float: ("float", "d"), int: ("int", "q"), np.float64: ("float64", "d")}  # in the machine's own byte order
_MANY_NAMES = dict(_MANY.values())
_FEW = {float, bool, type(None)}  # each its own node
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1  # whole numbers that msgpack knows
_LEAVES = {type(None), bool, int, float, str, bytes}
_SUBCLASSES = (bool, int, float, complex, str, bytes, bytearray, dict, list, tuple, set, frozenset, collections.deque)


class Values:
    """What one process knows of the values that it shares with another.

    first: 0 on one side and 1 on the other, so that the numbers that they give do not meet.
    to_node(thing), from_node(kind, node): for functions and other objects, which stay where they are; both raise Garbled.
    """

    def __init__(self, first, to_node, from_node):
        self._next, self._to_node, self._from_node = first, to_node, from_node
        self._objects, self._numbers, self._states = {}, {}, {}
        self._fresh, self._passing, self._kept_from = [], {}, first
        self._weights = {}  # of what came: its parts, and theirs, as often as they occur

    # ------------------------------------------------------------------ sending
    def pack(self, *values, kept=()):
        """A node of each value, the changes since the last message, and the bytes of the arrays: (nodes, changes, arrays).

        kept: more values, which stay in step even where the others are given away; see `unheld`.
        """
        if not kept and not self._objects and all(map(_is_plain, values)):
            return list(values), [], []
        self._arrays, self._size, self._letters, self._count = [], 0, 0, 0
        first, changed = self._next, self._changed() if self._objects else {}
        try:
            changes = [[number, self._change(number, state)] for number, state in changed.items()]
            nodes = [self._node(value, 0) for value in values]
            self._kept_from = self._next
            nodes += [self._node(value, 0) for value in kept]
        except BaseException:
            # Nothing is sent, so the other side will not know what was new in it.
            for number in range(first, self._next, 2):
                if number in self._objects:
                    self._drop(number)
            self._fresh.clear()
            raise
        self._states.update(changed)
        return nodes, changes, self._arrays

    def part(self, value):
        """A node of one more value, for a node that `to_node` makes."""
        return self._node(value, 1)

    def of_part(self, node):
        """The value of what `part` made, for `from_node`."""
        return self._value(node, 1)

    def _changed(self):
        found, states = {}, self._states
        for number, thing in self._objects.items():
            if type(thing) is np.ndarray and thing.nbytes >= _BIG and _is_still(thing, states[number]):
                continue
            state = _state(thing)
            if not _is_same(state, states[number]):
                found[number] = state
        return found

    def _change(self, number, state):
        """A node of what a shared object holds by now, or of what a list holds more than it did."""
        thing, before = self._objects[number], self._states[number]
        if type(thing) is list and len(state) > len(before) and all(map(operator.is_, state, before)):
            return ["more", *self._nodes(state[len(before) :], 0)]
        return self._content(thing, 0)

    def _add(self, parts, depth):
        """Count the parts of a message."""
        self._count += parts
        if depth > MAX_DEPTH or self._count > MAX_NODES:
            raise Garbled("a value is nested too deeply, or has too many parts")

    def _node(self, value, depth):
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_NODES:
            raise Garbled("a value is nested too deeply, or has too many parts")
        kind = type(value)
        if kind is float or value is None or kind is bool:
            return value
        if kind is int:
            return value if _LEAST <= value <= _MOST else ["int", _hex(value)]
        if kind is str or kind is bytes:
            self._letters += len(value)
            if self._letters > MAX_LETTERS:
                raise Garbled("a text is too long to be handed over")
            return value
        number = self._numbers.get(id(value))
        if number is not None:
            return ["ref", number]
        if kind in _SHARED:
            number = self._share(value)
            return ["new", number, self._content(value, depth, number)]
        if kind is complex:
            return ["complex", value.real, value.imag]
        if isinstance(value, np.generic):
            return self._scalar(value, depth)
        if isinstance(value, np.random.BitGenerator):
            return ["new", self._share(value), self._content(value, depth)]
        if kind is tuple:
            return ["tuple", *self._nodes(value, depth)]
        if kind is frozenset:
            return ["frozenset", [self._node(item, depth + 1) for item in value]]
        if kind in (slice, range):
            return [kind.__name__, [self._node(part, depth + 1) for part in (value.start, value.stop, value.step)]]
        if isinstance(value, np.dtype):
            return ["dtype", _dtype_text(value)]
        if isinstance(value, np.ufunc) and getattr(np, value.__name__, None) is value:
            return ["ufunc", value.__name__]
        if isinstance(value, type) and value in _TYPE_NAMES:
            return ["type", _TYPE_NAMES[value]]
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            fields = [str(field) for field in value._fields]
            return ["named", kind.__name__, fields, [self._node(item, depth + 1) for item in tuple(value)]]
        if isinstance(value, type({}.keys())) or isinstance(value, type({}.values())) or isinstance(value, type({}.items())):
            return self._node(list(value), depth)
        if isinstance(value, np.ndarray):  # a subclass of our own numbers: what it holds
            return self._node(
                np.array(np.ma.filled(value) if isinstance(value, np.ma.MaskedArray) else value, subok=False), depth
            )
        for plain in _SUBCLASSES:
            if isinstance(value, plain):
                return self._node(
                    plain.__new__(plain, value) if plain in (bool, int, float, complex, str, bytes) else plain(value), depth
                )
        return self._to_node(value)

    def _nodes(self, items, depth):
        """The parts of a node that hold several values: [nodes], or [type, place] for many numbers of one type."""
        if len(items) > 8 and (kind := type(items[0])) in _MANY and operator.countOf(map(type, items), kind) == len(items):
            name, code = _MANY[kind]
            with contextlib.suppress(struct.error):  # a whole number that is longer
                return [name, self._place(struct.pack(f"{len(items)}{code}", *items))]
        if _FEW.issuperset(map(type, items)):
            self._add(len(items), depth + 1)
            return [list(items)]
        return [[self._node(item, depth + 1) for item in items]]

    def _share(self, thing):
        number, self._next = self._next, self._next + 2
        self._know(number, thing)
        self._fresh.append(number)
        return number

    def _know(self, number, thing):
        if len(self._objects) >= MAX_SHARED:
            raise Garbled("too many lists and arrays are kept")
        self._objects[number] = thing
        self._numbers[id(thing)] = number

    def _content(self, thing, depth, number=None):
        """A node of what a shared object holds. number: the one that it has just been given."""
        kind = type(thing)
        if kind is np.ndarray:
            if thing.dtype.hasobject:
                return ["objects", list(thing.shape), [self._node(item, depth + 1) for item in thing.ravel().tolist()]]
            raw = thing.tobytes()
            if number is not None and thing.flags.writeable:
                self._states[number] = raw  # as `_state` would make it again
            return ["array", _dtype_text(thing.dtype), list(thing.shape), self._place(raw)]
        if kind is list:
            return ["list", *self._nodes(thing, depth)]
        if kind is dict:
            return ["dict", *self._nodes([part for pair in thing.items() for part in pair], depth)]
        if kind is set:
            return ["set", [self._node(item, depth + 1) for item in thing]]
        if kind is bytearray:
            return ["bytearray", bytes(thing)]
        if kind is collections.deque:
            return ["deque", thing.maxlen, *self._nodes(thing, depth)]
        if kind in _DRAWING:
            return ["rng", _DRAWING[kind], self._node(_bits_of(thing), depth + 1)]
        name = kind.__name__
        if name not in _BIT_GENERATORS:
            raise Garbled(f"a bit generator of the kind {name} cannot be handed over")
        return ["bits", name, self._plain(thing.state, depth + 1), self._plain(_seed_of(thing), depth + 1)]

    def _plain(self, value, depth):
        """A node of a value that is not shared, though it is a list, a dict or an array: a copy comes out at the other side."""
        if isinstance(value, dict):
            return ["plain", [[str(key), self._plain(item, depth + 1)] for key, item in value.items()]]
        if isinstance(value, np.ndarray):
            return ["numbers", _dtype_text(value.dtype), list(value.shape), self._place(value.tobytes())]
        return self._node(tuple(value) if isinstance(value, list) else value, depth)

    def _scalar(self, value, depth):
        if isinstance(value, np.str_):
            return str(value)
        if value.dtype.hasobject or value.dtype.names:
            return self._node(value.item(), depth)
        return ["scalar", _dtype_text(value.dtype), value.tobytes()]

    def _place(self, raw):
        start = self._size
        self._arrays.append(raw)
        self._size += len(raw)
        if self._size > MAX_BYTES:
            raise Garbled("a value is too big to be handed over")
        return [start, len(raw)]

    # ------------------------------------------------------------------ receiving
    def unpack(self, nodes, changes, arrays, dropped):
        """The values of these nodes, once the changes are made. Raises Garbled for everything that `pack` would not send.

        dropped: the numbers of objects that the other side does not hold any longer. They are forgotten here too. Both it and
        `changes` may be None, where there are none.
        """
        try:
            self._raw, self._count, self._passing = memoryview(arrays), 0, {}
            if not changes and not dropped:
                return [self._value(node, 0) for node in _list(nodes)]
            return self._in_step(nodes, _list(changes or []), {each for each in _list(dropped or []) if type(each) is int})
        except Garbled:
            raise
        except Exception as error:  # what numpy and Python say of sizes, letters and numbers that they cannot make
            raise Garbled(f"a value that is none ({type(error).__name__})") from None

    def _in_step(self, nodes, changes, dropped):
        self._passing = dict.fromkeys(dropped - self._objects.keys())
        for change in changes:
            number, content = _list(change, 2)
            before = self._count
            self._fill(self._known(number), content, 0)
            self._weights[number] = self._count - before + (self._weights.get(number, 0) if content[0] == "more" else 0)
        values = [self._value(node, 0) for node in _list(nodes)]
        for number in self._passing:
            self._weights.pop(number, None)
        self._passing = {}
        for number, _ in changes:
            self._states[number] = _state(self._objects[number])
        for number in dropped & self._objects.keys():
            self._drop(number)
        return values

    def _known(self, number):
        if type(number) is int:
            for known in (self._objects, self._passing):
                if known.get(number) is not None:
                    return known[number]
        raise Garbled("an object that nobody knows")

    def _value(self, node, depth):
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_NODES:
            raise Garbled("a value is nested too deeply, or has too many parts")
        if type(node) in _LEAVES:
            return node
        if type(node) is list and len(node) == 3 and node[0] == "new":
            return self._made(node[1], node[2], depth)
        kind, *parts = _list(node, at_least=1)
        if kind == "ref":
            known = self._known(*_list(parts, 1))
            # A list that holds another ten times, which holds another ten times: small as it comes, and endless for who reads it.
            self._count += self._weights.get(parts[0], 0)
            return known
        if kind == "tuple":
            return tuple(self._values(parts, depth))
        if kind == "scalar":
            dtype, raw = _list(parts, 2)
            dtype = _dtype(dtype)
            if type(raw) is not bytes or len(raw) != dtype.itemsize or not raw:
                raise Garbled("a number of another size")
            return np.frombuffer(raw, dtype)[0]
        if kind == "int":
            return _int(*_list(parts, 1))
        if kind == "complex":
            real, imag = _list(parts, 2)
            if type(real) is not float or type(imag) is not float:
                raise Garbled("a complex number without its parts")
            return complex(real, imag)
        if kind == "frozenset":
            return frozenset(_hashable(self._values(parts, depth)))
        if kind in ("slice", "range"):
            return self._slice(kind, _list(self._values(parts, depth), 3))
        if kind == "dtype":
            return _dtype(*_list(parts, 1))
        if kind == "type":
            (name,) = _list(parts, 1)
            return _TYPES[name] if type(name) is str and name in _TYPES else _refuse("a type that nobody knows")
        if kind == "ufunc":
            (name,) = _list(parts, 1)
            found = getattr(np, name, None) if type(name) is str else None
            return found if isinstance(found, np.ufunc) else _refuse("a ufunc that nobody knows")
        if kind == "named":
            return self._named(_list(parts, 3), depth)
        if kind == "plain":
            return {
                _text(key): self._value(item, depth + 1) for key, item in (_list(pair, 2) for pair in _list(*_list(parts, 1)))
            }
        if kind == "numbers":
            return self._array(_list(parts, 3))
        return self._from_node(kind, parts)

    def _values(self, parts, depth):
        """The values of what `_nodes` made."""
        if len(parts) == 1:
            items = _list(parts[0])
            if _LEAVES.issuperset(map(type, items)):
                self._add(len(items), depth + 1)
                return items
            return [self._value(item, depth + 1) for item in items]
        name, place = _list(parts, 2)
        if type(name) is not str or name not in _MANY_NAMES:
            raise Garbled("numbers of a type that nobody knows")
        start, size = self._checked(place)
        if size % 8:
            raise Garbled("numbers of another size")
        numbers = np.ndarray(size // 8, _MANY_NAMES[name], self._raw, start)
        return list(numbers) if name == "float64" else numbers.tolist()

    def _made(self, number, content, depth):
        """A new shared object. It is known before its parts are read, so that it may hold itself."""
        if type(number) is not int or number in self._objects or number % 2 == self._next % 2 or not 0 <= number < 1 << 60:
            raise Garbled("a number that is not free")
        is_passing, before = number in self._passing, self._count
        kind, *parts = _list(content, at_least=1)
        if kind == "array":
            thing = self._array(_list(parts, 3))
        elif kind in ("list", "dict", "set", "bytearray"):
            thing = getattr(builtins, kind)()
        elif kind == "deque":
            longest = _list(parts, 2)[0]
            thing = collections.deque(maxlen=longest if type(longest) is int and longest >= 0 else None)
        elif kind == "objects":
            thing = np.ndarray(_shape(_list(parts, 2)[0], MAX_NODES), object)
        elif kind == "bits":
            thing = self._bits(_list(parts, 3), depth)
        elif kind == "rng":
            name, bits = _list(parts, 2)
            bits = self._value(bits, depth + 1)
            if name not in _DRAWING.values() or not isinstance(bits, np.random.BitGenerator):
                raise Garbled("a generator without bits")
            thing = getattr(np.random, name)(bits)
        else:
            raise Garbled("a kind that nobody knows")
        if is_passing:
            self._passing[number] = thing  # the other side has let go of it already: it is this side's alone
        else:
            self._know(number, thing)
        if kind not in ("array", "bits", "rng"):
            self._fill(thing, content, depth)
        self._weights[number] = self._count - before
        if not is_passing:
            self._states[number] = _state(thing)
        return thing

    def _fill(self, thing, content, depth):
        """Make a shared object hold what the node says."""
        kind, *parts = _list(content, at_least=1)
        expected = _KINDS.get(type(thing), "bits")
        if expected == "array" and thing.dtype.hasobject:
            expected = "objects"
        if kind != expected and (kind != "more" or expected != "list"):
            raise Garbled("an object that has become another kind")
        if kind == "more":
            thing += self._values(parts, depth)
        elif kind == "list":
            thing[:] = self._values(parts, depth)
        elif kind == "dict":
            items = self._values(parts, depth)
            if len(items) % 2:
                raise Garbled("a key without its value")
            keys = _hashable(items[::2])
            thing.clear()
            thing.update(zip(keys, items[1::2]))
        elif kind == "set":
            items = _hashable(self._values(parts, depth))
            thing.clear()
            thing.update(items)
        elif kind == "bytearray":
            thing[:] = parts[0] if len(parts) == 1 and type(parts[0]) is bytes else _refuse("no bytes")
        elif kind == "deque":
            items = self._values(_list(parts, 2)[1:], depth)
            thing.clear()
            thing.extend(items)
        elif kind == "objects":
            shape, items = _list(parts, 2)
            items = [self._value(item, depth + 1) for item in _list(items)]
            if _shape(shape, MAX_NODES) != thing.shape or len(items) != thing.size:
                raise Garbled("an array that has become another shape")
            for place, item in zip(np.ndindex(thing.shape), items):
                thing[place] = item
        elif kind == "array":
            new = self._array(_list(parts, 3))
            if new.shape != thing.shape or new.dtype != thing.dtype or not thing.flags.writeable:
                raise Garbled("an array that has become another shape")
            thing[...] = new
        else:
            _, state, seed = _list(parts, 3)
            self._set_state(thing, state, depth)
            self._set_spawned(thing, self._value(seed, depth + 1))

    def _array(self, parts):
        text, shape, place = parts
        dtype, shape, wanted = _layout(text, *_list(shape))
        start, size = self._checked(place)
        if size != wanted:
            raise Garbled("an array of another size")
        if not size:
            return np.ndarray(shape, dtype)  # not np.empty: a check may have put another there
        return np.ndarray(shape, dtype, self._raw, start).copy()

    def _checked(self, place):
        """[start, size] of numbers that did come along."""
        start, size = _list(place, 2)
        if type(start) is not int or type(size) is not int or not 0 <= start <= start + size <= len(self._raw):
            raise Garbled("an array without its numbers")
        return place

    def _bits(self, parts, depth):
        name, state, seed = parts
        if type(name) is not str or name not in _BIT_GENERATORS:
            raise Garbled("a bit generator that nobody knows")
        seed = self._value(seed, depth + 1)
        bits = _BIT_GENERATORS[name](_sequence(seed))
        self._set_state(bits, state, depth)
        return bits

    def _set_state(self, bits, state, depth):
        try:
            state, name = self._value(state, depth + 1), type(bits).__name__
            place = {"MT19937": lambda: state["state"]["pos"], "Philox": lambda: state["buffer_pos"]}.get(name, lambda: 0)()
            if type(state) is not dict or type(place) is not int or not 0 <= place <= _LAST_PLACES.get(name, 0):
                raise Garbled("a random state that is none")
            bits.state = state
        except Garbled:
            raise
        except Exception:  # numpy says in many ways that this is no state
            raise Garbled("a random state that is none") from None

    @staticmethod
    def _set_spawned(bits, seed):
        """Bring the count of children that were grown from its seed to where it is on the other side."""
        ours = _seed_of(bits)
        missing = seed[3] - ours[3] if ours and type(seed) is tuple and len(seed) == 4 and type(seed[3]) is int else 0
        if 0 < missing <= MAX_SPAWNED:
            bits.seed_seq.spawn(missing)

    def _named(self, parts, depth):
        name, fields, items = parts
        if len(_list(fields)) > MAX_FIELDS:
            raise Garbled("a named tuple that is none")
        items = [self._value(item, depth + 1) for item in _list(items)]
        try:
            return collections.namedtuple(_text(name), [_text(field) for field in fields])(*items)
        except (ValueError, TypeError):
            raise Garbled("a named tuple that is none") from None

    @staticmethod
    def _slice(kind, parts):
        is_number = [part is None or type(part) is int for part in parts]
        if kind == "slice" and all(is_number):
            return slice(*parts)
        if kind == "range" and all(is_number) and None not in parts and parts[2]:
            return range(*parts)
        raise Garbled("a slice that is none")

    # ------------------------------------------------------------------ forgetting
    def unheld(self, given_away=False):
        """The numbers of shared objects that nothing else in this process holds: they need not be kept in step any longer.

        To be called between `pack` and the sending, with none of them held by the caller. They are forgotten here; the numbers go
        with the message, for the other side to forget them too. given_away: this holds for all that is new in the message,
        but for what is `kept`.
        """
        gone = [each for each in self._fresh if each in self._objects and each < self._kept_from] if given_away else []
        for number in gone:
            self._drop(number)
        for number in list(self._objects):
            # One holder is the table of objects, one the argument of getrefcount.
            if sys.getrefcount(self._objects[number]) <= 2:
                self._drop(number)
                gone.append(number)
        for number in self._fresh:
            if number in self._objects and number not in self._states:
                self._states[number] = _state(self._objects[number])
        self._fresh.clear()
        return gone

    def _drop(self, number):
        self._states.pop(number, None)
        self._weights.pop(number, None)
        del self._numbers[id(self._objects[number])], self._objects[number]


def _is_plain(value):
    """Whether it is its own node."""
    kind = type(value)
    return kind is float or value is None or kind is bool or kind is int and _LEAST <= value <= _MOST


def _state(thing):
    """What tells whether a shared object has changed since."""
    kind = type(thing)
    if kind is np.ndarray:
        return thing.ravel().tolist() if thing.dtype.hasobject else thing.tobytes() if thing.flags.writeable else b""
    if kind is list or kind is collections.deque:
        return tuple(thing)
    if kind is dict:
        return (*thing.keys(), *thing.values())
    if kind is set:
        return frozenset(thing)
    if kind is bytearray:
        return bytes(thing)
    if kind in _DRAWING:
        return None  # its bit generator is shared too, and is what changes
    spawned = getattr(thing.seed_seq, "n_children_spawned", "")
    if kind is np.random.PCG64:  # the others have arrays in their state
        return thing.state | {"spawned": spawned}
    return repr(thing.state) + str(spawned)


def _is_still(array, state):
    """Whether a big array is seen to be what it was without a copy; where it is not, that says nothing."""
    flags = array.flags
    is_of_words = array.itemsize in (1, 2, 4, 8, 16) and array.nbytes % 8 == 0 and not array.dtype.hasobject
    if not (is_of_words and flags.writeable and flags.c_contiguous and array.nbytes == len(state)):
        return False
    return np.array_equal(array.reshape(-1).view(np.uint64), np.frombuffer(state, np.uint64))


def _is_same(new, old):
    if type(new) is not tuple and type(new) is not list:
        return new == old
    # By identity: what a learner's object calls equal is no news of ours.
    return old is not None and len(new) == len(old) and all(map(operator.is_, new, old))


def _bits_of(drawing):
    return drawing.bit_generator if isinstance(drawing, np.random.Generator) else drawing._bit_generator


def _seed_of(bits):
    seed = bits.seed_seq
    if not isinstance(seed, np.random.SeedSequence):
        return None
    entropy = seed.entropy if isinstance(seed.entropy, (int, type(None))) else tuple(int(part) for part in seed.entropy)
    return (entropy, tuple(int(key) for key in seed.spawn_key), seed.pool_size, seed.n_children_spawned)


def _sequence(seed):
    if seed is None:
        return 0
    try:
        entropy, keys, size, spawned = seed
        if not 4 <= size <= 64:
            raise ValueError
        return np.random.SeedSequence(entropy, spawn_key=keys, pool_size=size, n_children_spawned=spawned)
    except (TypeError, ValueError, OverflowError):
        raise Garbled("a seed that is none") from None


@functools.cache
def _dtype_text(dtype):
    if dtype.names or dtype.subdtype or dtype.hasobject:
        raise Garbled(f"an array of the type {dtype} cannot be handed over")
    return dtype.str


def _dtype(text):
    return _plain_dtype(text) if type(text) is str else _refuse("a dtype that nobody knows")


@functools.lru_cache(1000, typed=True)
def _layout(text, *shape):
    """The dtype, the shape, and the bytes of an array."""
    dtype, shape = _dtype(text), _shape(list(shape), 1 << 40)
    length = math.prod(shape)
    if not dtype.itemsize and length > MAX_NODES:
        raise Garbled("an array of another size")
    return dtype, shape, length * dtype.itemsize


@functools.lru_cache(1000)
def _plain_dtype(text):
    if not _PLAIN_DTYPE.fullmatch(text):
        raise Garbled("a dtype that nobody knows")
    try:
        return np.dtype(text)
    except TypeError:
        raise Garbled("a dtype that nobody knows") from None


def _shape(shape, most):
    for size in _list(shape):
        if type(size) is not int or size < 0:
            raise Garbled("a shape that is none")
    if len(shape) > 32 or math.prod(shape) > most:
        raise Garbled("a shape that is none")
    return tuple(shape)


def _hex(number):
    if number.bit_length() > 1 << 16:
        raise Garbled("a whole number is too long to be handed over")
    return hex(number)


def _int(text):
    if type(text) is not str or len(text) > 1 << 15:
        raise Garbled("a whole number that is too long")
    try:
        return int(text, 16)
    except ValueError:
        raise Garbled("a whole number that is none") from None


def _hashable(items):
    for item in items:
        if (
            item is not None
            and type(item) not in (bool, int, float, complex, str, bytes, tuple, frozenset)
            and not isinstance(item, (np.generic, type))
        ):
            raise Garbled("a key that is none")
        if type(item) in (tuple, frozenset):
            _hashable(item)
    return items


def _list(node, length=None, at_least=0):
    if type(node) is not list or len(node) < at_least or length is not None and len(node) != length:
        raise Garbled("a part of a message is missing")
    return node


def _text(node):
    return node if type(node) is str else _refuse("no text where one belongs")


def _refuse(why):
    raise Garbled(why)
