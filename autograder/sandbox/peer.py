"""The objects of one process made usable in another: calls, attributes and items go over a channel, one at a time.

Functions and objects stay where they are, and are known by a number; a `StandIn` is what the other process holds in their place.
While one side waits for an answer it serves what the other side asks of it, so that a function handed over can be called back.
"""

import builtins
import contextlib
import copy
import functools
import importlib
import itertools
import operator
import os
import sys
import traceback
import types

from .channel import Garbled, Gone
from .wire import Values

MAX_CALLS_DEEP = 48  # a call that calls back that calls, and so on
MAX_CALLS = 1 << 20  # asked by the side that is not trusted, in its whole life
MAX_WISHES = 16  # attributes that are sent along with a message
MAX_HABITS = 1 << 12  # moments of which it is known what was read in them
FADE = 0.7  # what a moment counts of how often an attribute was read, against the one after it
LIGHT, HEAVY = 0.15, 0.4  # read so often, a number or a text is sent along, and anything else
FORGOTTEN = 0.01  # read so seldom, it is unknown
MAX_TEXT = 2000  # characters of an exception's text
MAX_FRAMES = 12

# What may be asked of an object of the other process, and how it is done there.
DEEDS = {
    "call": lambda thing, *args, **kwargs: thing(*args, **kwargs),
    "call each": lambda thing, calls: [thing(*args) for args in calls],
    "get": getattr,
    "set": setattr,
    "del": delattr,
    "item": operator.getitem,
    "set item": operator.setitem,
    "del item": operator.delitem,
    "contains": operator.contains,
    "length": len,
    "iterate": iter,
    "next": next,
    "enter": lambda thing: type(thing).__enter__(thing),
    "exit": lambda thing: type(thing).__exit__(thing, None, None, None),
    "float": float,
    "int": int,
    "index": operator.index,
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
}
_SPECIAL = {
    "__call__": "call",
    "__getitem__": "item",
    "__setitem__": "set item",
    "__delitem__": "del item",
    "__contains__": "contains",
    "__len__": "length",
    "__iter__": "iterate",
    "__next__": "next",
    "__enter__": "enter",
    "__float__": "float",
    "__int__": "int",
    "__index__": "index",
}
_PARTS = {int, str}  # of what a request is about
_PLAIN = {bool, int, float, str, bytes, type(None)}
# Where the class of a learner's object has a say in these, what a check compares must not hang on it.
_TRUTHS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__")


class Ended(BaseException):
    """The learner's code asked to end the program, as sys.exit() does. No check's `except Exception` takes it for an answer."""


class StandIn:
    """An object of the other process. Its own attributes begin with an underscore, and such names never cross."""

    __array_ufunc__ = None  # an array times a stand-in is an error, not an array of stand-ins

    def __init__(self, peer, target, methods=()):
        vars(self).update(_peer=peer, _target=target, _methods=frozenset(methods))

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(f"{name!r} of {self!r} cannot be reached from another process")
        if name in self._methods:
            return self._peer.function([*self._target, name], name)
        return self._peer.attribute(self._target, name)

    def __setattr__(self, name, value):
        self._peer.assign(self._target, name, value)

    def __delattr__(self, name):
        self._peer.ask("del", self._target, name)

    def each_where_it_runs(self, calls):
        """The answers to many calls at once; see `clinic.check.each`."""
        return self._peer.ask("call each", self._target, calls)

    def __exit__(self, *_):
        return bool(self._peer.ask("exit", self._target))

    def __copy__(self):
        return self._peer.ask("copy", self._target)

    def __deepcopy__(self, memo):
        return self._peer.ask("deep copy", self._target)

    def __reduce_ex__(self, protocol):
        raise TypeError(f"{self!r} stands for an object of another process, and cannot be written down")

    def __repr__(self):
        return f"<{type(self).__name__}>"


class Foreseen(StandIn):
    """A function or method of the other process of which it has been told what it returns: that is not asked for."""

    def __call__(self, *args, **kwargs):
        with contextlib.suppress(KeyError, TypeError):  # other arguments, or such as no dict takes
            if not kwargs:
                return copy.deepcopy(self._peer.foretold[tuple(self._target)][args])
        return self._peer.ask("call", self._target, *args, **kwargs)


def _asking(deed):
    def ask(self, *args, **kwargs):
        return self._peer.ask(deed, self._target, *args, **kwargs)

    return ask


def _no_say(self, *_):
    raise TypeError(f"{self!r} is an object of its own kind, where a number, a text, a list or an array belongs")


@functools.cache
def stand_in_class(name, special, trusts, base=StandIn):
    """The class of stand-ins for objects of a class `name` that has these special methods.

    trusts: whether the other process may say what is equal and what is true.
    """
    body = {method: _asking(_SPECIAL[method]) for method in special if method in _SPECIAL}
    if not trusts:
        body |= {method: _no_say for method in special if method in _TRUTHS}
        if "__len__" in special:
            body["__bool__"] = _no_say
        body["__hash__"] = object.__hash__
    return type(name, (base,), body | {"__name__": name, "__qualname__": name})


class Peer:
    """One end of a channel between two processes.

    first: 0 on one side, 1 on the other. trusts: whether this side lets the other one do everything, and believes it.
    names: objects that the other side may ask for by their name.
    """

    def __init__(self, channel, first, trusts, names=None):
        self.channel, self.trusts, self.names = channel, trusts, names
        self.values = Values(first, self._to_node, self._from_node)
        self.documented = None  # names of attributes that a learner has been told of; None for all
        self._mine, self._numbers, self._theirs, self._raised = {}, {}, {}, {}
        self._read, self._moment, self._reading, self._habits = {}, None, {}, {}
        self._just_stored, self._assigned = set(), {}  # attributes of classes; and what the next message is to tell
        self._wishes, self._wished = {}, {}  # of the other side's moments, and what it knows of ours
        self._latest = {}  # of each class of stand-ins, the number of the one that was used last
        self._recent = {}  # of each class of objects here, by its name, the number of the one that was handed over last
        self._seers, self._named = set(), set()  # objects that foresee, and those of them that the next message is about
        self.foretold, self._lasting = {}, {}  # (*target,): {args: value}, until the next message, and for good
        self._depth, self._calls = 0, itertools.count()

    # ------------------------------------------------------------------ attributes
    def attribute(self, target, name):
        """An attribute of an object of the other process.

        One that is just stored there is asked for once: it cannot change until that process does something again.
        """
        key = (*target, name)
        if key not in self._read:
            value = self.ask("get", target, name)
            if not self._is_stored:
                return value
            self._read[key] = value
        value = self._read[key]
        self._reading[key] = LIGHT if type(value) in _PLAIN else HEAVY
        return value

    def assign(self, target, name, value):
        """Set an attribute of an object of the other process.

        A learner's code need not wait for that where the attribute is just stored in objects of the class: nothing comes of it.
        """
        key = (*target, name)
        if self.trusts and self._of_its_class(key) in self._just_stored and len(self._assigned) < MAX_WISHES:
            self._read[key] = self._assigned[key] = value
            self.foretold = self._lasting
        else:
            self.ask("set", target, name, value)

    def _assign(self, assigned):
        for (*target, name), value in assigned:
            thing = self._target(target)
            self._allow("set", thing, [name])
            setattr(thing, name, value)

    def _begin(self, moment):
        """Forget what was read, for the other process does something now. moment: what has just happened, by a name of its own.

        What is read in a moment is likely to be read when it comes again, and is then sent along without being asked for.
        """
        if self._moment is not None and (self._reading or self._moment in self._habits):
            if len(self._habits) > MAX_HABITS:
                self._habits.clear()
                self._wished.clear()
            self._habits[self._moment] = self._habit(self._habits.get(self._moment, {}))
        self._moment = moment
        self._reading.clear()
        self._read.clear()

    def _habit(self, before):
        """{what is read in a moment: (how often, from how often on it is sent along)}. before: the same, as it was until now."""
        read = {self._of_its_class(key): limit for key, limit in self._reading.items()}
        if self.trusts:
            self._just_stored.update(read)
        habit = {
            key: (FADE * before.get(key, (1,))[0] + 1 - FADE, limit) for key, limit in itertools.islice(read.items(), MAX_WISHES)
        }
        for key, (often, limit) in before.items():
            if key not in habit and FADE * often > FORGOTTEN and len(habit) < MAX_WISHES:
                habit[key] = FADE * often, limit
        return habit

    def _likely(self, moment, unlikely=False):
        """What is read so often in this moment that it is worth to be sent along; or all the rest of what is read in it."""
        return [key for key, (often, limit) in self._habits.get(moment, {}).items() if (often < limit) == unlikely]

    def _of_its_class(self, target):
        """A target, or an attribute, of any object of the same class: what is read of one is likely to be read of the next."""
        start, *path = target
        if type(start) is not int:
            return tuple(target)
        kind = type(self._theirs[start])
        self._latest[kind] = start
        return (kind, *path)

    def _wish(self, moment, unlikely=False):
        """What is likely to be read once this has happened, or what is not but may be: [[*target, name]]."""
        keys = self._likely(moment, unlikely)
        return [[self._latest[key[0]] if isinstance(key[0], type) else key[0], *key[1:]] for key in keys]

    def _wish_of_class(self, moment):
        """What is likely to be read of the next object of a class that is handed over at this moment: [[class, *path, name]]."""
        return [[key[0].__name__, *key[1:]] for key in self._likely(moment) if isinstance(key[0], type)]

    def _of_recent(self, wishes):
        """[[*target, name]] of the objects that have just been handed over, for what is wished of their classes."""
        return wishes and ([self._recent[kind], *path] for kind, *path in wishes if kind in self._recent)

    def _stored(self, wishes, told):
        """The values of the wished attributes that are just stored here, one by one; into `told` goes [*target, name] of each."""
        for wish in wishes:
            *target, name = wish
            try:
                thing = self._target(target)
                if not self.trusts:
                    self._allow("get", thing, [name])
                value = vars(thing)[name]
            except Exception:  # one that is not there, or not for the other side, is not sent along
                continue
            told.append(wish)
            yield value

    def _hear_told(self, told, wished):
        """Note attributes that came along. The side that does not trust takes only those that it asked for."""
        for key, value in told:
            of_class = [type(self._theirs[key[0]]).__name__, *key[1:]] if key[0] in self._theirs else None
            if self.trusts or key in wished or of_class in wished:
                self._read[tuple(key)] = value

    # ------------------------------------------------------------------ asking
    def ask(self, deed, target, *args, **kwargs):
        """Do a deed to an object of the other process, and return what comes of it; its exceptions are raised here."""
        moment = None
        kind = self._of_its_class(target)
        if deed == "get":
            # What is read together is sent together.
            wish = [key for key in self._wish(self._moment, unlikely=True) if key != [*target, *args]]
        else:
            self._begin(None)
            moment = ("after", deed, *kind)
            wish = self._wish(moment)
        self._depth += 1
        try:
            _check_depth(self._depth)
            message = {"do": deed, "to": target}
            if kwargs:
                message["names"] = list(kwargs)
            if wish:
                message["wish"] = wish
            packed = self._packed("with", message, [*args, *kwargs.values()], self._of_recent(self._wishes.get(tuple(target))))
            self._send(message, *packed, given_away=deed == "call each")
            while True:
                message, arrays = self.channel.receive()
                if type(message) is not dict:
                    raise Garbled("no message")
                if "do" not in message:
                    break
                self.serve(message, arrays)
        finally:
            self._depth -= 1
        if moment:
            self._begin(moment)
            if wanted := message.get("wish"):
                self._wishes[tuple(target)] = _wishes(wanted)
        return self._answer(message, arrays, deed, wish)

    def _packed(self, place, message, values, wishes=()):
        """Put nodes of `values`, and of wished attributes, into the message; the changes and the arrays that go along."""
        if self._assigned:
            message["assigned"], values = list(map(list, self._assigned)), [*values, *self._assigned.values()]
            self._assigned = {}
        try:
            if wishes:
                with contextlib.suppress(Garbled):
                    return self._packed_whole(place, message, values, wishes)
            return self._packed_whole(place, message, values)
        except Garbled as error:
            raise TypeError(str(error)) from None

    def _packed_whole(self, place, message, values, wishes=()):
        first, told = len(self._mine), []
        try:
            # What is wished of an object can be known once it has been given its number: as late as that is it looked up.
            message[place], changes, arrays = self.values.pack(*values, kept=wishes and self._stored(wishes, told))
        except BaseException:
            # Nothing is sent, so the other side will not know what was new in it.
            for number in range(first, len(self._mine)):
                del self._numbers[id(self._mine.pop(number))]
                self._seers.discard(number)
            raise
        if told:
            message["told"] = told
        return changes, arrays

    def _foretell(self):
        """What calls of the objects that a message is about would return now: [[number, name, [[args, value]]]]."""
        named, self._named = self._named & self._seers, set()
        return [
            [number, name, [[list(args), value] for args, value in values.items()]]
            for number in named
            for name, values in self._mine[number].foreseen().items()
        ]

    def _hear_foretold(self, message):
        """Note what was foretold with a message; what was before it is void, for the other side may have done something."""
        self.foretold = self._lasting
        if told := message.get("foretold"):
            self.foretold = self._lasting | {
                (number, name): {tuple(args): value for args, value in values} for number, name, values in told
            }

    def _send(self, message, changes, arrays, given_away=False):
        """Send what was packed, while nothing here holds any of it. given_away: nobody here will look again at what is new."""
        if changes:
            message["changes"] = changes
        if dropped := self.values.unheld(given_away):
            message["dropped"] = dropped
        if self._named:
            message["foretold"] = self._foretell()
        self.channel.send(message, arrays)

    def _answer(self, message, arrays, deed, wished):
        values = self.values.unpack(message.get("return"), message.get("changes"), arrays, message.get("dropped"))
        if self.trusts:
            self._hear_foretold(message)
        self._is_stored = message.get("stored") is True
        if message.get("printed"):
            self.heard(_text(message["printed"], 1 << 20))
        self._hear_told(_attributes(message, "told", values), wished)
        self._assign(_attributes(message, "assigned", values))
        if message.get("raise"):
            raise self._exception(message["raise"], deed)
        if not values:
            raise Garbled("an answer without its value")
        return values[0]

    def heard(self, text):
        """What the other side's code printed while it did what it was asked."""

    # ------------------------------------------------------------------ being asked
    def serve(self, message, arrays):
        """Do what the other process asks, and answer it."""
        if not self.trusts and next(self._calls) > MAX_CALLS:
            raise Garbled("more calls than anybody needs")
        args = self.values.unpack(message.get("with"), message.get("changes"), arrays, message.get("dropped"))
        if self.trusts:
            self._hear_foretold(message)
        target = message.get("to")
        if type(target) is not list or not {*map(type, target)} <= _PARTS:
            raise Garbled("a request about nothing")
        if target[:1] and target[0] in self._seers:
            self._named.add(target[0])
        moment = None if message.get("do") == "get" else ("in", *target)
        if moment:
            self._begin(moment)
        else:
            self._read.clear()
        self._hear_told(_attributes(message, "told", args), self._wished.get(moment, ()))
        assigned, kwargs = _attributes(message, "assigned", args), {}
        if names := message.get("names"):
            if type(names) is not list or {*map(type, names)} != {str}:
                raise Garbled("an argument without its name")
            kwargs = dict(zip(names, _taken(args, len(names))))
        self._depth += 1
        answer, changes, out = self._done(message, assigned, args, kwargs)
        self._depth -= 1
        if moment:
            self._begin(None)
            if (wish := self._wish_of_class(moment)) != self._wished.get(moment, []):
                answer["wish"] = self._wished[moment] = wish
        assigned.clear()
        args.clear()
        kwargs.clear()
        # Nothing here holds any longer what crossed: what is held now is held by the code that was called.
        self._send(answer, changes, out)

    def _done(self, message, assigned, args, kwargs):
        """The answer to a request, the changes that go with it, and the bytes of its arrays."""
        try:
            _check_depth(self._depth)
            self._assign(assigned)
            deed = message.get("do")
            thing = self._target(message.get("to"))
            if type(deed) is not str or deed not in DEEDS:
                raise Garbled("a deed that nobody knows")
            if not self.trusts:
                self._allow(deed, thing, args)
            answer, result = {}, self.perform(DEEDS[deed], thing, args, kwargs)
            if deed == "get" and args[0] in getattr(thing, "__dict__", ()):
                answer["stored"] = True
            return answer, *self._packed("return", answer, [result], _wishes(message.get("wish") or []))
        except Gone:
            raise
        except BaseException as caught:
            error = TypeError(str(caught)) if isinstance(caught, Garbled) else caught
        answer = {"raise": self._described(error)}
        del error
        return answer, *self._packed("return", answer, [])

    def perform(self, deed, thing, args, kwargs):
        return deed(thing, *args, **kwargs)

    def _allow(self, deed, thing, args):
        """What a learner's code may do with an object of a check: call it, and use what it was told of. The rest is its own."""
        if deed in ("call", "call each") and callable(thing) or deed in ("iterate", "next") and hasattr(thing, "__next__"):
            return
        is_ours, bases = _origin(type(thing))
        if not is_ours:
            raise TypeError(f"{deed} is not possible here")
        if deed in ("get", "set", "del"):
            name = _public(args[0] if args else None)
            is_told = self.documented is None or name in self.documented or type(thing) in bases
            if not is_told and not any(hasattr(base, name) for base in bases):
                raise AttributeError(f"{type(thing).__name__!r} has no attribute {name!r} that the text names")

    def _target(self, target):
        """The object that a request is about: a number or a name, and the attributes that lead on from there."""
        if type(target) is not list or not target:
            raise Garbled("a request about nothing")
        start, *path = target
        if type(start) is int and start in self._mine:
            thing = self._mine[start]
        elif type(start) is str and self.names is not None:
            if start not in self.names:
                raise NameError(f"name {start!r} is not defined")
            thing = self.names[start]
        else:
            raise Garbled("an object that nobody knows")
        for name in path:
            if not self.trusts:
                self._allow("get", thing, [name])
            thing = getattr(thing, name)
        return thing

    # ------------------------------------------------------------------ objects
    def _to_node(self, thing):
        number = self._numbers.get(id(thing))
        if number is not None:
            self._hand_over(number, thing)
            return ["mine", number]  # which was described when it was new
        if isinstance(thing, StandIn):
            return ["yours", thing._target] if thing._peer is self else _garbled("an object of a process that has ended")
        where = _place_in_clinic(thing)
        if where:
            return ["clinic", *where]
        if isinstance(thing, types.ModuleType) and not self.trusts:
            raise Garbled("a module cannot be handed over")
        number = self._numbers[id(thing)] = len(self._mine)
        self._mine[number] = thing
        if isinstance(thing, (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType)):
            node = ["mine", number, getattr(thing, "__name__", "function"), ["__call__"], []]
            if not self.trusts and (calls := getattr(thing, "foreseen", None)):
                node.append(self.values.part([(args, thing(*args)) for args in calls]))
            return node
        if not self.trusts and hasattr(type(thing), "foreseen"):
            self._seers.add(number)
        self._hand_over(number, thing)
        return ["mine", number, *_description(type(thing))]

    def _hand_over(self, number, thing):
        self._recent[type(thing).__name__] = number
        if number in self._seers:
            self._named.add(number)

    def _from_node(self, kind, parts):
        if kind == "yours" and len(parts) == 1:
            return self._target(parts[0])
        if kind == "clinic" and len(parts) == 2:
            return _from_clinic(*parts)
        if kind == "mine" and len(parts) == 1 and type(parts[0]) is int and parts[0] in self._theirs:
            return self._theirs[parts[0]]
        if kind == "mine" and len(parts) == 4:
            return self._stand_in(*parts)
        if kind == "mine" and len(parts) == 5 and self.trusts:
            number, name, _, _, values = parts
            self._lasting[(number,)] = self.foretold[(number,)] = dict(self.values.of_part(values))
            self._theirs[number] = self.function([number], name)
            return self._theirs[number]
        raise Garbled("a kind that nobody knows")

    def function(self, target, name):
        """The stand-in for a function or method of the other process."""
        if tuple(target) in self.foretold:
            return stand_in_class(name, (), self.trusts, Foreseen)(self, target)
        return stand_in_class(name, ("__call__",), self.trusts)(self, target)

    def _stand_in(self, number, name, special, methods):
        if type(number) is not int or not all(
            type(part) is list and all(type(text) is str for text in part) for part in (special, methods)
        ):
            raise Garbled("an object without its description")
        if number not in self._theirs:
            known = tuple(sorted({*special} & {*_SPECIAL, *_TRUTHS}))
            name = name if type(name) is str and name.isidentifier() and len(name) < 60 else "object"
            self._theirs[number] = stand_in_class(name, known, self.trusts)(self, [number], methods)
        return self._theirs[number]

    # ------------------------------------------------------------------ exceptions
    def _described(self, error):
        origin = getattr(error, "_origin", None)
        if origin is None and not self.trusts:
            origin = len(self._raised)
            self._raised[origin] = error.with_traceback(None)
        bases = [base.__name__ for base in type(error).__mro__ if getattr(builtins, base.__name__, None) is base]
        args = error.args if all(type(arg) in (str, int, float, bool, type(None)) for arg in error.args) else None
        try:
            text = str(error)[:MAX_TEXT]
        except BaseException:
            text = "its own text cannot be read"
        if (
            args is None
            or sum(len(str(arg)) for arg in args) > MAX_TEXT
            or any(type(arg) is int and abs(arg) >= 1 << 63 for arg in args)
        ):
            args = [text]
        frames = [] if not self.trusts else _frames(error)
        return {
            "type": type(error).__name__[:80],
            "bases": bases,
            "args": list(args),
            "text": text,
            "frames": frames,
            "origin": origin,
        }

    def _exception(self, said, deed):
        """The exception to raise here for one that was raised there."""
        if type(said) is not dict:
            raise Garbled("an exception without its description")
        origin = said.get("origin")
        if not self.trusts and type(origin) is int and origin in self._raised:
            if deed == "next" or not isinstance(self._raised[origin], (StopIteration, StopAsyncIteration)):
                return self._raised[origin]
        name, text = _text(said.get("type"), 80), _text(said.get("text"), MAX_TEXT)
        kind = self._exception_class(name, said.get("bases"), deed)
        if not self.trusts and not issubclass(kind, Exception):
            return Ended(f"the code ended with {name}")
        args = said.get("args")
        plain = type(args) is list and all(type(arg) in (str, int, float, bool, type(None)) for arg in args)
        try:
            error = kind(*args) if plain else kind(text)
        except Exception:  # classes that want other arguments
            error = type(name, (Exception if issubclass(kind, Exception) else BaseException,), {})(text)
        if self.trusts:
            error._origin = origin
        else:
            error.frames_there = _read_frames(said.get("frames"))
        return error

    def _exception_class(self, name, bases, deed):
        if self.trusts and isinstance((self.names or {}).get(name), type) and issubclass(self.names[name], BaseException):
            return self.names[name]
        bases = [base for base in bases if type(base) is str] if type(bases) is list else []
        found = [getattr(builtins, base, None) for base in bases]
        found = [base for base in found if isinstance(base, type) and issubclass(base, BaseException)] or [Exception]
        # A StopIteration out of a call would end a check's loop quietly.
        if found[0] in (StopIteration, StopAsyncIteration) and deed != "next" and not self.trusts:
            found = [RuntimeError]
        return found[0] if found[0].__name__ == name or not name.isidentifier() else type(name, (found[0],), {})


def _check_depth(depth):
    if depth > MAX_CALLS_DEEP:
        raise RecursionError("calls between the processes of check and learner go too deep")


def _taken(args, count):
    """Take so many values from the end of `args`."""
    if count > len(args):
        raise Garbled("an argument without its value")
    taken = args[len(args) - count :]
    del args[len(args) - count :]
    return taken


def _attributes(message, place, values):
    """[*target, name] and value of each attribute that a message tells in this place; they are taken from the end of `values`."""
    keys = message.get(place)
    return list(zip(_wishes(keys), _taken(values, len(keys)))) if keys else []


def _wishes(said):
    """[[*target, name]] of attributes, as the other side says them."""
    if type(said) is not list or len(said) > MAX_WISHES:
        raise Garbled("more attributes than anybody needs")
    for key in said:
        if type(key) is not list or not 2 <= len(key) <= 8 or not all(type(part) in (int, str) for part in key):
            raise Garbled("an attribute of nothing")
    return said


def _public(name):
    if type(name) is not str or name.startswith("_"):
        raise AttributeError(f"{name!r} is not for use from outside")
    return name


@functools.lru_cache(1000)
def _description(kind):
    """The name of a class, which special methods that cross it has, and the names of its other methods."""
    own = [name for name in (*_SPECIAL, *_TRUTHS) if getattr(kind, name, None) not in (getattr(object, name, None), None)]
    public = [name for name in dir(kind) if not name.startswith("_")]
    methods = [name for name in public if isinstance(getattr(kind, name, None), types.FunctionType)]
    return kind.__name__, own, methods[:200]


@functools.lru_cache(1000)
def _origin(kind):
    """Whether a class is a check's or the clinic's; and those that it is made of that are the clinic's."""
    bases = [base for base in kind.__mro__ if base.__module__.startswith("clinic.")]
    return kind.__module__.split(".")[0] in ("__main__", "clinic"), bases


def _place_in_clinic(thing):
    """(module, name) of a public function or class of the clinic, which is the same in every process; else None."""
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if isinstance(thing, (type, types.FunctionType)) and type(module) is str and module.startswith("clinic."):
        return (module, name) if getattr(sys.modules.get(module), name, None) is thing else None
    return None


def _from_clinic(module, name):
    if type(module) is not str or type(name) is not str or not module.startswith("clinic.") or module == "clinic.check":
        raise Garbled("a part of the clinic that nobody knows")
    try:
        thing = getattr(importlib.import_module(module), _public(name))
    except (ImportError, AttributeError):
        raise Garbled("a part of the clinic that nobody knows") from None
    return thing if _place_in_clinic(thing) else _garbled("a part of the clinic that nobody knows")


def _frames(error):
    """Where in the learner's code the exception was raised: a list of [function, line number, line]."""
    here = (os.path.dirname(__file__), sys.base_prefix, sys.prefix)
    try:
        found = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(here)]
        return [[frame.name[:80], frame.lineno, (frame.line or "")[:200]] for frame in found[-MAX_FRAMES:]]
    except BaseException:
        return []


def _read_frames(frames):
    read = []
    for frame in frames[:MAX_FRAMES] if type(frames) is list else []:
        if type(frame) is list and len(frame) == 3 and type(frame[1]) is int:
            read.append(
                traceback.FrameSummary("<elsewhere>", frame[1], _text(frame[0], 80), line=_text(frame[2], 200), lookup_line=False)
            )
    return read


def _text(said, most):
    return said[:most] if type(said) is str else "?"


def _garbled(why):
    raise Garbled(why)
