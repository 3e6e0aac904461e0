"""Attacks on the line between the processes: forged answers and requests, by the learner's end of the channel itself.

Each case has an attack of its own. What is forged breaks off at the first message that is refused, and the next case starts anew.
"""

from .attack import ADAM, BATCH, CLIP, COSINE, GROUPS, LR, MOMENTUM, PEAK, SEEDS, WARMUP, of_cells
from .leaks import AFTER_VISIBLE, RECORD, hidden_inputs

points, leaks, denial, honest = of_cells("points"), of_cells("leaks"), of_cells("denial"), of_cells("honest")

# Finds the end of the channel, and speaks in its place.
SPEAK = """
import contextlib, gc, os, sys
import numpy as np

def mine():
    found = [thing for thing in gc.get_objects() if type(thing).__name__ == "Student"]
    frame = sys._getframe()
    while frame is not None:
        found += [thing for thing in frame.f_locals.values() if type(thing).__name__ == "Student"]
        frame = frame.f_back
    return found[0]

def say(*returned, arrays=b"", **more):
    mine().channel.send({"return": list(returned), "changes": [], "dropped": []} | more, [arrays])

def listen():
    return mine().channel.receive()[0]

def insist(*returned, **more):
    for _ in range(20):
        say(*returned, **more)
        listen()
    os._exit(0)

def request(deed, *target, **more):
    mine().channel.send({"do": deed, "to": list(target), "with": [["tuple", []], ["tuple", []]], "changes": [], "dropped": []} | more)
    return listen()
"""

LYING_THING = """
TRUE = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__", "__float__", "__int__", "__index__", "__len__", "__call__",
        "__getitem__", "__contains__", "__iter__", "__next__", "__enter__", "__array__", "__array_ufunc__", "__class__", "__instancecheck__",
        "__getattribute__", "__hash__", "__reduce__", "__del__")

def pretend(name, methods=("copy", "step", "params", "_peer", "__class__", "patch_where_it_runs")):
    number, thing = 5, lambda number: ["mine", number, name, list(TRUE), list(methods)]
    say(["tuple", [thing(number), thing(number + 1), thing(number)]] if name == "float" else thing(number))
    for _ in range(500):
        deed = listen().get("do")
        number += 1
        said = {"float": 1.0, "int": 1, "index": 1, "length": 2, "contains": True, "exit": True}.get(deed, thing(number))
        say(said, stored=True)
    os._exit(0)
"""

ATTACKS = [
    points(
        "forged-answers",
        "Answers through the channel itself: with what the check holds, other objects' numbers, passes, and exceptions that mean something.",
        extra=[(None, SPEAK)],
        fix={
            # All arrays that the check shares become nothing, and so does the answer.
            ADAM: """
def adam_step(param, grad, m, v, t, **settings):
    arrays = [(number, thing) for number, thing in mine().values._objects.items() if type(thing) is np.ndarray and thing.dtype == float]
    changes = [[number, ["array", "<f8", list(thing.shape), [0, thing.nbytes]]] for number, thing in arrays]
    numbers = bytes(8 * max(thing.size for _, thing in arrays))
    nothing = lambda: ["new", 1 + 2 * np.random.randint(1 << 40), ["array", "<f8", [len(param)], [0, 8 * len(param)]]]
    for time in range(20):
        say(["tuple", [nothing(), nothing(), nothing()]], arrays=numbers, changes=[] if time else changes)
        listen()
    os._exit(0)
""",
            # Arrays that were never handed over, by their likely numbers.
            LR: """
def pick_lr(x, y):
    shape = [0, x.size * 8]
    say(0.1, arrays=bytes(x.nbytes), changes=[[number, ["array", "<f8", list(x.shape), shape]] for number in range(0, 2000, 2)])
    insist(0.1)
""",
            COSINE: "def lr_at(*args, **kwargs):\n    insist(['yours', ['want']])\n",
            WARMUP: "def warmup_length(*args):\n    insist(['yours', [0]])\n",
            BATCH: """
def scaled_lr(*args):
    passed = {"type": "NotYet", "bases": ["NotYet", "AssertionError", "StopIteration"], "args": ["Passed."], "text": "Passed.", "frames": [], "origin": 0}
    insist(**{"raise": passed}, printed="Passed.", shown=[])
""",
            GROUPS: """
def decay_groups(named):
    for name in ("StopIteration", "GeneratorExit", "SystemExit", "KeyboardInterrupt", "Lost", "Ended", "BaseExceptionGroup"):
        say(**{"raise": {"type": name, "bases": [name], "args": [0], "text": "0", "frames": None, "origin": None}})
        listen()
    insist(None)
""",
            SEEDS: "def experiment_rngs(seed):\n    insist(True, stored=True, printed='Passed.', shown=[], outputs=[], ok=True)\n",
            MOMENTUM: """
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=None):
        for deed in ("run", "shown", "passed"):
            mine().channel.send({"do": deed, "to": [0], "with": [], "changes": [], "dropped": [], "run": "1", "shown": [], "return": [True]})
        insist(None)
""",
        },
    ),
    points(
        "forged-descriptions",
        "Answers with objects whose description lies: their names, their special methods, what they then say of themselves.",
        extra=[(None, SPEAK), (None, LYING_THING)],
        fix={
            ADAM: "def adam_step(*args, **settings):\n    pretend('float')\n",
            LR: "def pick_lr(x, y):\n    pretend('ndarray')\n",
            COSINE: "def lr_at(*args, **kwargs):\n    pretend('object')\n",
            WARMUP: "def warmup_length(*args):\n    pretend('int', ['__eq__'] * 10**5)\n",
            GROUPS: "def decay_groups(named):\n    pretend('tuple')\n",
            SEEDS: "def experiment_rngs(seed):\n    pretend('Generator', ['random', 'normal', 'integers', 'bit_generator'])\n",
            MOMENTUM: "def Momentum(*args, **settings):\n    pretend('Momentum')\n",
            PEAK: "def peak_lr(probe, chance):\n    pretend('float', ())\n",
        },
        earned=(CLIP,),
    ),
    points(
        "replaced-protocol",
        "Replaces the protocol's own functions in its process, so that everything that it sends is another thing.",
        fix={
            ADAM: """@BROKEN@
import contextlib, sys
for name, module in list(sys.modules.items()):
    if name.startswith("autograder.sandbox"):
        for thing in list(vars(module)):
            if thing in ("_state", "_is_same", "_allow", "_public", "_check_depth", "_place_in_clinic", "_shape", "_dtype_text", "MAX_CALLS", "MAX_NODES"):
                setattr(module, thing, lambda *args, **kwargs: True)
        for kind in [thing for thing in vars(module).values() if isinstance(thing, type) and thing.__module__ == name]:
            for method in ("_allow", "_exception", "_changed", "unheld", "heard"):
                with contextlib.suppress(Exception):
                    if method in vars(kind):
                        setattr(kind, method, lambda *args, **kwargs: [])
""",
        },
        may_refuse=True,
        earned=(CLIP,),
    ),
    leaks(
        "forged-requests",
        "Asks for what belongs to the check: names, globals, codes, closures, hidden attributes, and for its objects by their numbers.",
        extra=[(None, SPEAK)],
        fix={
            PEAK: """
def peak_lr(probe, chance):
    tuple_of = lambda *parts: ["tuple", list(parts)]
    hidden = ("__globals__", "__code__", "__closure__", "__self__", "__func__", "__class__", "__dict__", "__builtins__", "_peer", "__defaults__")
    def tell(deed, target, answer):
        if not answer.get("raise"):
            print("REACHED" + ":@MARK@", deed, target, answer)
    for number in range(8):
        for name in hidden:
            tell("get", name, request("get", number, **{"with": [tuple_of(name), tuple_of()]}))
            tell("path", name, request("get", number, name, **{"with": [tuple_of("__globals__"), tuple_of()]}))
            tell("set", name, request("set", number, **{"with": [tuple_of(name, 1), tuple_of()]}))
        for deed in ("copy", "deep copy", "item", "set item", "enter", "exit", "float", "length", "del", "eval", "__call__", "perform"):
            tell(deed, number, request(deed, number, **{"with": [tuple_of("__globals__"), tuple_of()]}))
    for name in ("want", "check", "np", "probe", "__builtins__", "\\0tools", -1, 1 << 70, None, 0.5):
        try:
            tell("name", name, request("get", name, **{"with": [tuple_of("run"), tuple_of()]}))
        except Exception:
            raise SystemExit
""",
            MOMENTUM: """
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=None):
        for module in ("clinic.check", "clinic.check.linecache", "os", "clinic", "clinic.data"):
            for name in ("run", "private_seed", "system", "check", "np", "_public"):
                answer = request("call", 0, **{"with": [["tuple", [["clinic", module, name]]], ["tuple", []]]})
                if not answer.get("raise"):
                    print("REACHED" + ":@MARK@", module, name, answer)
""",
        },
        earned=(CLIP,),
    ),
    leaks(
        "forged-errors",
        "Tells its inputs in every part of a forged exception: its name, its ancestors, its text, its arguments, its lines of code.",
        extra=[(None, SPEAK)],
        fix={
            ADAM: RECORD
            + AFTER_VISIBLE
            + """
def tell(text):
    if is_hidden():
        name = SEEN[-1]
        wrong = {"type": name, "bases": [name, "ValueError"], "args": [name, name], "text": name, "frames": [[name, 1, name]] * 12, "origin": None}
        insist(name, **{"raise": wrong}, printed=name, shown=[["stdout", name]], outputs=name)
"""
        },
        secret=hidden_inputs,
    ),
    leaks(
        "memory-of-the-check",
        "Returns generators whose state lies behind their numbers, so that the check draws from its own memory and shows it.",
        fix={
            SEEDS: """
def experiment_rngs(seed):
    made = []
    for kind, place in ((np.random.MT19937, 700), (np.random.Philox, -3), (np.random.MT19937, -40)):
        bits = kind(seed)
        state = bits.state
        if kind is np.random.Philox:
            state["buffer_pos"] = place
        else:
            state["state"]["pos"] = place
        bits.state = state
        made.append(np.random.Generator(bits))
    return made
"""
        },
        secret=("check's process ended", "numbers of its memory"),
        earned=(CLIP,),
    ),
    denial(
        "forged-denials",
        "Sends messages that are endless, nested, dripping, of impossible sizes, and full of numbers that nobody needs.",
        extra=[(None, SPEAK)],
        fix={
            ADAM: """
def adam_step(param, grad, m, v, t, **settings):
    insist(["tuple", [0.0, 0.0, 0.0]], dropped=[*range(10**6), -1, 1 << 62, None, True, 0.5, [], "x"])
""",
            LR: """
def pick_lr(x, y):
    while True:
        mine().channel.send({"do": "call", "to": [0], "with": [["tuple", []], ["tuple", []]], "changes": [], "dropped": []})
""",
            COSINE: "def lr_at(*args, **kwargs):\n    mine().channel.sock.sendall(b'\\xff' * 8)\n    insist(0.0)\n",
            WARMUP: """
def warmup_length(*args):
    import struct, time
    mine().channel.sock.sendall(struct.pack("<II", 1 << 24, 1 << 24))
    while True:
        mine().channel.sock.sendall(b"\\x91")
        time.sleep(0.01)
""",
            BATCH: """
def scaled_lr(*args):
    import struct
    mine().channel.sock.sendall(struct.pack("<II", 1 << 20, 0) + b"\\x91" * (1 << 20))
    insist(0.0)
""",
            GROUPS: """
def decay_groups(named):
    insist(["tuple", [["range", [0, 1 << 62, 1]], ["range", [0, 1 << 62, 1]]]])
""",
            SEEDS: """
def experiment_rngs(seed):
    huge = {"type": "x" * 10**7, "bases": ["UnicodeDecodeError"] * 10**5, "args": ["x" * 10**7], "text": "x" * 10**7, "frames": [["x" * 10**6, 1, "x"]] * 9}
    insist(**{"raise": huge}, printed="x\\n" * 10**6)
""",
            MOMENTUM: """
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=None):
        insist(["new", 99999, ["array", "<f8", [0, 1 << 62], [0, 0]]])
""",
            PEAK: """
def peak_lr(probe, chance):
    insist(["named", "Point", [f"x{number}" for number in range(10**5)], [0.0] * 10**5])
""",
        },
        earned=(CLIP,),
    ),
    denial(
        "odd-objects",
        "Answers with a list that holds itself, tuples nested deep, numbers that are none, letters that are none, and itself as an argument.",
        fix={
            ADAM: "ring = []\nring += [ring, (ring,), {0: ring}]\ndef adam_step(*args, **settings):\n    return ring, ring, ring\n",
            LR: "deep = ()\nfor _ in range(10**5):\n    deep = (deep,)\ndef pick_lr(x, y):\n    return deep\n",
            COSINE: "def lr_at(*args, **kwargs):\n    return np.frombuffer(b'\\xff' * 4, '<U1')\n",
            WARMUP: "class Lie(float):\n    __float__ = __int__ = __round__ = lambda self: 5\n    __eq__ = lambda self, other: True\ndef warmup_length(*args):\n    return Lie(7)\n",
            BATCH: "class Lie(float):\n    as_integer_ratio = hex = lambda self: self\n    __class__ = np.ndarray\ndef scaled_lr(*args):\n    return Lie('nan')\n",
            PEAK: "def peak_lr(probe, chance):\n    for odd in (peak_lr, probe, [probe], 10**400, -1, 1e308, np.nan, '\\ud800', None, 1 << 62):\n        try:\n            probe(odd)\n        except Exception:\n            pass\n    return probe\n",
        },
        earned=(CLIP,),
    ),
    honest(
        "odd-letters",
        "Prints letters that no file can hold, controls, and colours, and raises them in a cell of its own.",
        fix={ADAM: "@MENDED@\nodd = '\\ud800 \\0 \\x1b[31mred\\x1b[0m \\x08 \\r \\ufffe \\U0001f393 \\x85'\nprint(odd)\n"},
        extra=[(ADAM, "raise ValueError(odd)"), (CLIP, "odd")],
        earned=(ADAM, CLIP),
    ),
]
