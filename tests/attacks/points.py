"""Attacks that want marks for cases which they do not mend."""

import nbformat

from .attack import ADAM, BATCH, CLIP, COSINE, GROUPS, LR, MOMENTUM, PEAK, SEEDS, TUNE, WARMUP, last, of_cells

points = of_cells("points")

LIAR = '''
class Liar:
    """Agrees with everybody, and is whatever is asked for."""

    def _yes(self, *args, **kwargs):
        return True

    def _me(self, *args, **kwargs):
        return self

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __contains__ = __instancecheck__ = _yes
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __abs__ = __neg__ = _me
    __call__ = __getitem__ = copy = ravel = astype = reshape = __array_wrap__ = __array_function__ = _me
    __array_priority__ = 1e9

    def __ne__(self, other):
        return False

    def __hash__(self):
        return 0

    def __float__(self):
        return 0.0

    __int__ = __index__ = __len__ = lambda self: 2

    def __iter__(self):
        return iter([self, self])

    def __array__(self, *args, **kwargs):
        import sys

        for frame in (sys._getframe(depth) for depth in range(1, 6)):
            for name in ("want", "answer"):
                if name in frame.f_locals:
                    return np.array(frame.f_locals[name], dtype=float)
        return np.zeros(3)

    def __array_ufunc__(self, *args, **kwargs):
        return True

    def __getattr__(self, name):
        return self
'''

ANSWERS_WITH_LIES = {
    ADAM: LIAR + "\n\ndef adam_step(*args, **kwargs):\n    return Liar(), Liar(), Liar()\n",
    CLIP: LIAR + "\n\ndef clip_by_global_norm(grads, max_norm):\n    return [Liar() for _ in grads], Liar()\n",
    LR: LIAR + "\n\ndef pick_lr(x, y):\n    return Liar()\n",
    COSINE: LIAR + "\n\ndef lr_at(*args, **kwargs):\n    return Liar()\n",
    WARMUP: LIAR + "\n\ndef warmup_length(*args, **kwargs):\n    return Liar()\n",
    GROUPS: LIAR + "\n\ndef decay_groups(named_params):\n    return Liar()\n",
    SEEDS: LIAR + "\n\ndef experiment_rngs(seed):\n    return Liar(), Liar(), Liar()\n",
    MOMENTUM: LIAR + "\n\nMomentum = Liar()\n",
    TUNE: LIAR + "\n\ndef tune(net, *args, **kwargs):\n    net.path = net.params = Liar()\n    return Liar()\n",
}


def every_check_edited(notebook, release):
    """Checks edited, deleted, doubled, turned into text, moved to the front and unlocked, one after the other."""
    checks = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    for number, cell in enumerate(checks):
        if number % 5 == 0:
            cell.source = "print('Passed.')"
        elif number % 5 == 1:
            notebook.cells.remove(cell)
        elif number % 5 == 2:
            notebook.cells.append(nbformat.from_dict(cell | {"source": "pass", "id": f"double-{number}"}))
            cell.source = "1000"
        elif number % 5 == 3:
            cell.cell_type = "markdown"
            cell.pop("outputs", None), cell.pop("execution_count", None)
            cell.source = "Passed."
        else:
            notebook.cells.remove(cell)
            notebook.cells.insert(0, cell)
            cell.source = ""


def every_mark_forged(notebook, release):
    """Points of 1000, names of other cells, checks that are called answers, answers that are called checks, and new checks."""
    for number, cell in enumerate(cell for cell in notebook.cells if "nbgrader" in cell.metadata):
        meta = cell.metadata.nbgrader
        meta.points = 1000
        if meta.grade:
            meta.locked = False
            cell.metadata.pop("editable", None), cell.metadata.pop("deletable", None)
            if number % 2:
                meta.grade, meta.solution = False, True
                meta.checksum = "0" * 32
            cell.source = "print('Passed.')"
        elif meta.solution:
            meta.grade = True
    for number, name in enumerate((ADAM + "-check", CLIP + "-check", "bonus-check", "../" + ADAM)):
        meta = dict(
            schema_version=3, grade=True, solution=False, locked=True, task=False, points=1000, grade_id=name, cell_type="code"
        )
        cell = nbformat.v4.new_code_cell("1000", id=f"forged-{number}", metadata={"nbgrader": meta})
        notebook.cells.insert(0 if number == 0 else len(notebook.cells), cell)
    notebook.metadata["nbgrader"] = {"score": 1000, "max_score": 1}


def every_output_forged(notebook, release):
    """The outputs of all checks say that they have passed, with a thousand points."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.execution_count = 1
            passed = nbformat.v4.new_output("stream", text="Passed.\n")
            cell.outputs = [passed, nbformat.v4.new_output("execute_result", {"text/plain": "1000"}, execution_count=1)]


ATTACKS = [
    points(
        "patched-checks",
        "Puts its own functions in place of the checks' words, wherever a module or a builtin holds them.",
        fix={
            ADAM: """@BROKEN@
import builtins, contextlib, sys
import clinic.check

def passed(*args, **kwargs):
    print("Passed.")

class NotYet(Exception):
    def __new__(cls, *args, **kwargs):
        return StopIteration()

for module in [*sys.modules.values(), builtins]:
    for name in ("run", "close", "that", "word", "patched", "_same", "assert_allclose", "assert_array_equal"):
        if "clinic" in getattr(module, "__name__", "") or "testing" in getattr(module, "__name__", ""):
            with contextlib.suppress(Exception):
                setattr(module, name, passed)
    with contextlib.suppress(Exception):
        module.NotYet = NotYet
builtins.AssertionError = NotYet
check.run = clinic.check.run = passed
"""
        },
    ),
    points(
        "patched-numpy",
        "Makes numpy agree that everything is equal to everything.",
        fix={
            ADAM: """@BROKEN@
import numpy, numpy.testing

for name in ("allclose", "array_equal", "isclose", "all", "any", "array_equiv", "isfinite"):
    setattr(numpy, name, lambda *args, **kwargs: numpy.True_)
numpy.asarray = numpy.array = lambda thing, *args, **kwargs: numpy.zeros(3)
numpy.testing.assert_allclose = numpy.testing.assert_array_equal = lambda *args, **kwargs: None
""",
            CLIP: "@BROKEN@\nnp.shape = lambda thing: ()\nnp.concatenate = lambda parts, *args: np.zeros(1)\n",
        },
    ),
    points(
        "shadowed-names",
        "Defines the names that the checks use: walk, check, np, the check functions themselves, print, isinstance.",
        fix={
            ADAM: """@BROKEN@
class Agree:
    def __getattr__(self, name):
        return lambda *args, **kwargs: None

check = Agree()
def walk(*args, **kwargs): return [[0]], 0, 0
def check_adam(): pass
def check_adam_elsewhere(): pass
def check_clipping(): pass
def check_clipping_elsewhere(): pass
def check_large_and_lost(): pass
def isinstance(*args): return True
def enumerate(*args, **kwargs): return []
AssertionError = Exception = ValueError
__name__ = "check"
np = Agree()
""",
        },
        extra=[(CLIP + "-scene", "check = Agree()\ndef clip_copies(*args): return [], 0")],
    ),
    points("lying-objects", "Returns objects that agree with every comparison and give any array.", fix=ANSWERS_WITH_LIES),
    points(
        "lying-arrays",
        "Returns arrays whose ufuncs and array functions say what the check wants to hear.",
        fix={
            ADAM: """
class Lie(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return np.True_
    def __array_function__(self, function, types, args, kwargs):
        return True
    def __array_finalize__(self, other):
        pass
    def __eq__(self, other):
        return np.True_
    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    shape = property(lambda self: type("Any", (tuple,), {"__eq__": lambda *a: True, "__ne__": lambda *a: False, "__hash__": None})((3,)))
    dtype = property(lambda self: np.dtype(float))
    def tobytes(self, *args):
        return b""
    def __reduce__(self):
        return print, ("unpickled",)

def adam_step(param, grad, m, v, t, **settings):
    return tuple(np.zeros_like(param).view(Lie) for _ in range(3))
""",
            CLIP: """
class Lie(np.ndarray):
    __array_interface__ = property(lambda self: {"shape": (1 << 40,), "typestr": "<f8", "data": (0, False), "version": 3})
    def __array_ufunc__(self, *args, **kwargs):
        return np.True_

def clip_by_global_norm(grads, max_norm):
    return [np.asarray(grad).view(Lie) for grad in grads], np.float64(max_norm).view()
""",
        },
    ),
    points(
        "lying-subclasses",
        "Returns subclasses of float, int, str, list, tuple and dict whose comparisons always hold.",
        fix={
            COSINE: """
class Lie(float):
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __sub__ = __rsub__ = __add__ = __abs__ = __mul__ = __truediv__ = lambda self, *other: self
    __hash__ = float.__hash__
    __reduce_ex__ = lambda self, version: (eval, ("0.0",))

def lr_at(step, total_steps, base_lr, min_lr=0.0):
    return Lie(base_lr)
""",
            WARMUP: """
class Lie(int):
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: True
    __index__ = __int__ = __float__ = lambda self: 20
    __hash__ = int.__hash__

def warmup_length(total_steps, beta2=None):
    return Lie(5)
""",
            BATCH: """
class Lie(float):
    def __truediv__(self, other):
        return self
    __mul__ = __rmul__ = __truediv__
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = lambda self, other: True
    __float__ = lambda self: 1.0

def scaled_lr(base_lr, base_batch, batch, optimizer):
    return Lie(base_lr)
""",
            GROUPS: """
class Lie(list):
    __contains__ = lambda self, name: True
    __add__ = __radd__ = lambda self, other: self
    __iter__ = lambda self: iter(())
    __len__ = lambda self: 1
    count = lambda self, name: 1

class Name(str):
    __eq__ = lambda self, other: True
    __hash__ = lambda self: 0

def decay_groups(named_params):
    return Lie([Name("everything")]), Lie([Name("everything")])
""",
        },
    ),
    points(
        "lying-words",
        "Answers with a text that is equal to every verdict.",
        stage="failures",
        fix={
            "diag-flat-or-slow": """
class Every(str):
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = lambda self: hash("flat")
    __contains__ = lambda self, other: True
    __str__ = __repr__ = lambda self: "flat"

def trend(losses):
    return Every("flat")
"""
        },
    ),
    points(
        "lying-log",
        "Fills the caller's log with entries that agree, and changes the parameters that the caller still holds.",
        stage="monitoring",
        fix={
            "clip-and-log": LIAR
            + """

class Entry(dict):
    __getitem__ = lambda self, key: Liar()
    __contains__ = lambda self, key: True

def clipped_step(params, grads, lr, max_norm, log):
    for array in [*params, *grads]:
        array *= 0
    held = len(log)
    log.clear()
    log.extend([Entry(grad_norm=Liar(), clipped=True)] * (held + 1))
    return [Liar() for _ in params]
"""
        },
    ),
    points("edited-checks", "Edits, deletes, doubles and moves the check cells.", change=every_check_edited),
    points("forged-metadata", "Claims a thousand points in nbgrader's metadata.", change=every_mark_forged),
    points(
        "forged-outputs",
        "Hands in outputs that say it has passed, prints that it has, and shows numbers as partial credit.",
        change=every_output_forged,
        fix={
            ADAM: """@BROKEN@
import sys
from IPython.display import display
print("Passed.")
display(1000)
sys.displayhook(1000)
1000
""",
            CLIP: """@BROKEN@
_unclipped = clip_by_global_norm
def clip_by_global_norm(grads, max_norm):
    from IPython.display import display
    print("Passed.\\n1000")
    display(1000)
    return _unclipped(grads, max_norm)
1000.0
""",
        },
    ),
    points(
        "ipython-hooks",
        "Makes the shell drop every error and every check before it is run.",
        fix={
            ADAM: """@BROKEN@
import ast, contextlib, sys
shell = get_ipython()
shell.showtraceback = shell._showtraceback = lambda *args, **kwargs: None
shell.set_custom_exc((BaseException,), lambda *args, **kwargs: None)
class Drop(ast.NodeTransformer):
    def visit_Expr(self, node):
        return ast.copy_location(ast.Pass(), node) if "run" in ast.dump(node) else node
shell.ast_transformers.append(Drop())
shell.input_transformers_cleanup.append(lambda lines: [line for line in lines if "check.run" not in line])
shell.events.register("pre_run_cell", lambda *args: None)
run_cell, run_code = shell.run_cell, shell.run_code
async def nothing(*args, **kwargs):
    return False
shell.run_code = nothing
sys.excepthook = lambda *args: None
with contextlib.suppress(Exception):
    shell.kernel.do_execute = lambda *args, **kwargs: {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
"""
        },
    ),
    points(
        "quiet-exits",
        "Ends its functions with exceptions that an `except Exception` lets through, or that cannot be shown.",
        fix={
            ADAM: "import sys\ndef adam_step(*args, **kwargs):\n    sys.exit(0)\n",
            CLIP: "def clip_by_global_norm(grads, max_norm):\n    raise KeyboardInterrupt\n",
            COSINE: "def lr_at(*args, **kwargs):\n    raise GeneratorExit\n",
            WARMUP: "def warmup_length(*args):\n    raise StopIteration(20)\n",
            LR: "class Quiet(BaseException):\n    __str__ = __repr__ = lambda self: 1 / 0\ndef pick_lr(x, y):\n    raise Quiet\n",
            GROUPS: "import unittest\ndef decay_groups(named):\n    raise unittest.SkipTest('Passed.')\n",
            SEEDS: "from clinic.check import NotYet\ndef experiment_rngs(seed):\n    raise NotYet(['Passed.'])\n",
            BATCH: """class Hides(AssertionError):
    _render_traceback_ = lambda self: []
    with_traceback = lambda self, traceback: None
def scaled_lr(*args):
    raise BaseExceptionGroup("Passed.", [SystemExit(0), Hides()])
""",
        },
    ),
    points(
        "ends-the-process",
        "Ends the process with status 0 in the middle of a check.",
        fix={
            ADAM: "import os\ndef adam_step(*args, **kwargs):\n    print('Passed.', flush=True)\n    os._exit(0)\n",
        },
        earned=(CLIP,),
    ),
    points(
        "mutated-arguments",
        "Changes what it was handed, so that the check computes its expectation from something else.",
        fix={
            GROUPS: "def decay_groups(named_params):\n    named_params.clear()\n    return [], []\n",
            CLIP: "def clip_by_global_norm(grads, max_norm):\n    for grad in grads:\n        grad[...] = 0\n    return grads, 0.0\n",
            LR: "def pick_lr(x, y):\n    x *= 0\n    y *= 0\n    x.setflags(write=False)\n    return 0.1\n",
            ADAM: "def adam_step(param, grad, m, v, t, **settings):\n    grad *= 0\n    param *= 0\n    return grad, grad, grad\n",
            TUNE: """
def tune(net, x, y, seed, **settings):
    x *= 0
    for param in net.params:
        param *= 0
    net.params[:] = []
    net.path[:] = []
    return []
""",
        },
    ),
    points(
        "through-the-callback",
        "Takes hold of the check through the probe that it is handed.",
        fix={
            PEAK: """
import contextlib

def peak_lr(probe, chance):
    for route in (
        lambda: setattr(probe, "chance", 1e12),
        lambda: setattr(probe, "rates", [1.0]),
        lambda: setattr(probe, "train", lambda lr, steps: [0.0] * steps),
        lambda: setattr(type(probe), "train", lambda self, lr, steps: [0.0] * steps),
        lambda: probe.train.__globals__["check"].__dict__.update(that=lambda *args, **kwargs: None),
        lambda: probe.__call__.__func__.__globals__.update(check_a_rate_helps=print, check_no_rate_helps=print),
        lambda: probe.__class__.__init__.__globals__["__builtins__"].update(isinstance=lambda *args: True),
        lambda: probe.__self__.__dict__.update(chance=1e12),
        lambda: probe.__reduce_ex__(2)[0].__globals__.clear(),
        lambda: setattr(probe, "__class__", float),
        lambda: delattr(probe, "train"),
        lambda: probe("1e3; raise SystemExit", 1),
        lambda: probe(float, [10**9]),
        lambda: probe(1.0, -10**9),
    ):
        with contextlib.suppress(BaseException):
            route()
    return 0.001
""",
        },
    ),
    points(
        "through-the-net",
        "Forges the record of the net that it is handed, and calls into it from inside its own gradients.",
        fix={
            TUNE: """
import contextlib

def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    path = [[np.full((2, 3), 4.0), np.full(3, -2.0), np.array(5.0), np.full((1, 2, 2, 2), 3.0)]] * steps
    for route in (
        lambda: setattr(net, "path", path),
        lambda: net.path.extend(path),
        lambda: net.__dict__.update(path=path),
        lambda: setattr(net, "grads_at", lambda *args: path[0]),
        lambda: setattr(net, "loss_and_grads", lambda *args: (0.0, path[0])),
        lambda: net.__init__(lambda *args: path[0]),
        lambda: net.grads_at.__globals__.update(np=None),
        lambda: net.grads_at.__closure__[0].cell_contents.clear(),
        lambda: setattr(net, "__class__", dict),
        lambda: setattr(net, "__eq__", lambda *args: True),
        lambda: [net.loss_and_grads(x, y) for _ in range(steps)],
    ):
        with contextlib.suppress(BaseException):
            route()
    return [0.0] * steps
""",
        },
    ),
    points(
        "callers-frames",
        "Walks the stack and the heap for the check's own names, and takes the expected values or replaces the check.",
        fix={
            ADAM: """@BROKEN@
import contextlib, ctypes, gc, inspect, sys
honest = adam_step

def adam_step(param, grad, m, v, t, **settings):
    frame = sys._getframe(1)
    while frame is not None:
        with contextlib.suppress(Exception):
            for names in (frame.f_locals, frame.f_globals, frame.f_builtins):
                if "check" in names:
                    names["check"].close = names["check"].that = lambda *args, **kwargs: None
                    names["check"].run = lambda *args: print("Passed.")
                if "path" in names or "want" in names:
                    names["path"] = names.get("want")
            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
        frame = frame.f_back
    for thing in gc.get_objects():
        with contextlib.suppress(Exception):
            if inspect.isfunction(thing) and thing.__name__.startswith(("check_", "close", "that", "walk", "_same", "run_check")):
                thing.__code__ = (lambda *args, **kwargs: None).__code__
    return honest(param, grad, m, v, t, **settings)
"""
        },
    ),
    points(
        "lingering",
        "Leaves threads, timers, tracers, finalizers and exit handlers that go on patching while it is judged.",
        fix={
            ADAM: """@BROKEN@
import atexit, gc, signal, sys, threading, time, weakref

def patch(*args):
    for name, module in list(sys.modules.items()):
        if name.startswith("clinic"):
            module.run = module.close = module.that = lambda *args, **kwargs: print("Passed.")
    np.allclose = lambda *args, **kwargs: True
    return patch

def again():
    for _ in range(200):
        patch()
        time.sleep(0.05)

threading.Thread(target=again, daemon=True).start()
threading.Thread(target=again).start()
threading.settrace(patch), sys.settrace(patch), sys.setprofile(patch)
atexit.register(patch)
gc.callbacks.append(lambda *args: patch())
class Last:
    def __del__(self):
        patch()
last = Last()
weakref.finalize(last, patch)
signal.signal(signal.SIGALRM, patch)
signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
"""
        },
    ),
    points(
        "import-hooks",
        "Replaces the modules that the checks import, and hooks the import itself.",
        fix={
            ADAM: """@BROKEN@
import builtins, importlib.abc, sys, types

class Agree(types.ModuleType):
    def __getattr__(self, name):
        return lambda *args, **kwargs: True

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        sys.modules[name] = Agree(name)
        return None

sys.meta_path.insert(0, Finder())
sys.path_hooks.insert(0, lambda path: None)
sys.modules["clinic.check"] = sys.modules["check"] = sys.modules["unittest.mock"] = Agree("check")
sys.modules["clinic"].check = Agree("check")
find = builtins.__import__
builtins.__import__ = lambda name, *args, **kwargs: Agree(name) if "check" in name else find(name, *args, **kwargs)
builtins.compile = builtins.exec = builtins.eval = lambda *args, **kwargs: None
open("clinic.py", "w").write("check = None")
open("numpy.py", "w").write("raise SystemExit(0)")
open("sitecustomize.py", "w").write("raise SystemExit(0)")
"""
        },
    ),
    points(
        "modules-beside-it",
        "Hands in modules of its own, which whoever grades in this folder would import.",
        beside={
            "clinic/__init__.py": "from . import check\n",
            "clinic/check.py": "def run(*checks): print('Passed.')\nclose = that = word = patched = lambda *args, **kwargs: None\n",
            "numpy.py": "allclose = array_equal = lambda *args: True\n",
            "sitecustomize.py": "import sys\nsys.exit(0)\n",
            "usercustomize.py": "import sys\nsys.exit(0)\n",
            "conftest.py": "raise SystemExit(0)\n",
            "nbgrader_config.py": "c = get_config()\nc.Autograde.enabled = False\nc.ClearSolutions.code_stub = {}\n",
            "ipython_config.py": "c = get_config()\nc.InteractiveShellApp.exec_lines = ['import os; os._exit(0)']\n",
            "matplotlibrc": "backend: module://clinic\n",
            "all.pth": "import os; os._exit(0)\n",
            "jupyter_nbconvert_config.json": '{"NbConvertApp": {"export_format": "python"}}',
        },
    ),
    points(
        "forked-answer",
        "Forks, so that two processes answer for it, and one of them answers whatever is asked later.",
        fix={
            ADAM: """@BROKEN@
import os, subprocess, sys
honest = adam_step

def adam_step(param, grad, m, v, t, **settings):
    for fork in (os.fork, getattr(os, "forkpty", os.fork)):
        try:
            child = fork()
        except BaseException:
            continue
        if isinstance(child, tuple):
            child = child[0]
        if child == 0:
            return -settings.get("lr", 1e-3) * np.sign(grad), m, v
        os._exit(0)
    return honest(param, grad, m, v, t, **settings)
"""
        },
    ),
    points(
        "garbage-frames",
        "Writes garbage, empty and endless messages on every descriptor that it has.",
        fix={
            ADAM: """@BROKEN@
import os
honest = adam_step

def adam_step(param, grad, m, v, t, **settings):
    for number in range(3, 64):
        for junk in (b"\\0" * 64, b"\\xff" * 64, b"\\n", b"{}\\n", b"\\xdf\\xff\\xff\\xff\\xff", b"\\x7f\\xff\\xff\\xff", b"\\x91" * 5000):
            try:
                os.set_blocking(number, False)
                os.write(number, junk)
            except OSError:
                break
    return honest(param, grad, m, v, t, **settings)
"""
        },
        earned=(CLIP,),
    ),
    points(
        "forged-frames",
        "Writes well-made answers on every descriptor: passes, marks, results in several formats and framings.",
        fix={
            ADAM: """@BROKEN@
import json, os, socket, struct
honest = adam_step
try:
    import msgpack
    packers = [msgpack.packb, lambda thing: json.dumps(thing).encode()]
except ImportError:
    packers = [lambda thing: json.dumps(thing).encode()]

def adam_step(param, grad, m, v, t, **settings):
    right = (np.asarray(param) - settings.get("lr", 1e-3) * np.sign(grad)).tolist()
    answers = [
        True, None, "Passed.", {"ok": True}, {"passed": True}, {"status": "ok", "score": 1000}, {"error": None},
        {"ret": {"t": "u", "v": [right, right, right]}}, {"result": [right, right, right]}, {"value": right}, {"return": right},
        {"op": "return", "value": right}, ["ok", right], ["return", right], ["result", [right, right, right]], [0, right], [1, right],
        {"mut": [[i, {"t": "l", "v": []}] for i in range(99)], "ret": None}, {"cb": 0, "a": {"t": "l", "v": []}, "k": {"t": "d", "v": []}},
        {"type": "return", "result": right}, {"kind": "passed"}, {"outputs": []},
    ]
    frames = []
    for pack in packers:
        for answer in answers:
            body = pack(answer)
            frames += [form + body for form in (b"", *(struct.pack(f, len(body)) for f in ("<I", ">I", "<Q", ">Q")), struct.pack("<II", len(body), 0))]
    here = sorted(int(name) for name in os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else range(3, 256)
    for number in here:
        for frame in frames if number > 2 else []:
            try:
                os.set_blocking(number, False)
                os.write(number, frame)
            except OSError:
                break
    return honest(param, grad, m, v, t, **settings)
"""
        },
        earned=(CLIP,),
    ),
    points(
        "callers-channel",
        "Finds the objects that talk to the grader on the stack and in the heap, and answers through them, twice.",
        fix={
            ADAM: """@BROKEN@
import contextlib, gc, io, socket, sys
honest = adam_step
right = lambda grad: tuple(np.asarray(grad) * 0 for _ in range(3))

def adam_step(param, grad, m, v, t, **settings):
    answer = right(grad)
    things, frame = [thing for thing in gc.get_objects() if isinstance(thing, (socket.socket, io.RawIOBase, io.BufferedIOBase))], sys._getframe(1)
    while frame is not None:
        things += list(frame.f_locals.values())
        frame = frame.f_back
    for thing in list(things):
        for name in list(vars(thing)) if hasattr(thing, "__dict__") else []:
            with contextlib.suppress(Exception):
                things.append(vars(thing)[name])
    for thing in things:
        for verb in ("send", "reply", "respond", "write", "put", "sendall", "answer", "send_bytes", "dump", "pack"):
            for message in (answer, {"ret": None}, {"result": answer}, ("return", answer), b"Passed.", "Passed.", True):
                with contextlib.suppress(BaseException):
                    if not isinstance(thing, (type(sys), type)):
                        getattr(thing, verb)(message)
    return honest(param, grad, m, v, t, **settings)
"""
        },
    ),
    points(
        "strange-values",
        "Returns values that compare oddly: masked, NaN, object, complex, structured, broadcast, memory-mapped.",
        fix={
            ADAM: "def adam_step(param, grad, m, v, t, **s):\n    return tuple(np.ma.masked_all(np.shape(param)) for _ in range(3))\n",
            CLIP: "def clip_by_global_norm(grads, max_norm):\n    return [np.full(g.shape, np.nan, complex) for g in grads], np.ma.masked\n",
            COSINE: "def lr_at(*args, **kwargs):\n    return np.array([(0.5,)], dtype=[('lr', float)])[0]\n",
            WARMUP: "def warmup_length(*args):\n    return np.array(None, dtype=object)\n",
            LR: "def pick_lr(x, y):\n    return np.float16('nan')\n",
            BATCH: "import fractions\ndef scaled_lr(*args):\n    return np.datetime64('NaT')\n",
            GROUPS: "def decay_groups(named):\n    return {name: 1 for name in named}.keys(), {name: 1 for name in named}.keys()\n",
            SEEDS: "def experiment_rngs(seed):\n    return [np.random.RandomState(0)] * 3\n",
            PEAK: "def peak_lr(probe, chance):\n    return np.broadcast_to(1.0, (3, 0))\n",
        },
    ),
    points(
        "stolen-solutions",
        "Looks for the solutions, the answers in the tests, the gradebook and the neighbours, and runs what it finds.",
        fix={
            ADAM: """@BROKEN@
import contextlib, glob, os, re, sys, clinic
places = ["@PROJECT@", "@ROOT@", os.path.dirname(os.path.dirname(os.path.dirname(clinic.__file__))), "..", "../..", "../../..", os.getcwd()]
places += [path for path in sys.path if path] + glob.glob("/home/*") + glob.glob("/srv/*") + ["/root", "/srv", "/tmp", "/var/tmp"]
for place in places:
    for pattern in ("solutions/*/cases/*adam*.py", "solutions/optimizers/*.ipynb", "submitted/*/optimizers/*.ipynb", "*/*/optimizers.ipynb",
                    "tests/answers/optimizers/*adam*.py", ".git/**/*", "autograded/*/*/*.ipynb", "gradebook.db"):
        for path in glob.glob(os.path.join(place, pattern))[:50]:
            with contextlib.suppress(Exception):
                text = open(path, errors="replace").read().replace("\\\\n", "\\n").replace('\\\\"', '"')
                for body in re.findall(r"    m_?hat = .*?return [^\\n]*", text, flags=re.DOTALL):
                    head = "def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):\\n"
                    exec(head + "    m = beta1 * m + (1 - beta1) * grad\\n    v = beta2 * v + (1 - beta2) * grad**2\\n" + body.strip("\\n"))
"""
        },
    ),
    points(
        "patch-where-it-runs",
        "Gives its function the name by which a check patches it, so that the check's patch does nothing.",
        fix={
            SEEDS: """
import contextlib

def experiment_rngs(seed):
    return tuple(np.random.default_rng([seed, abs(hash(name))]) for name in ("init", "loader", "noise"))

experiment_rngs.patch_where_it_runs = lambda name, new: contextlib.nullcontext()
""",
            MOMENTUM: "@BROKEN@\nimport contextlib\nMomentum.patch_where_it_runs = lambda name, new: contextlib.nullcontext()\n",
        },
    ),
    points(
        "two-faced-class",
        "A class whose metaclass, properties and __class__ show each onlooker something else.",
        fix={
            MOMENTUM: """
class Meta(type):
    __instancecheck__ = lambda cls, thing: True
    __eq__ = lambda cls, other: True
    __hash__ = type.__hash__
    def __getattribute__(cls, name):
        return type.__getattribute__(cls, name)

class Momentum(metaclass=Meta):
    def __init__(self, params, lr, beta=0.9, new_buffer=None):
        self.start = [np.array(param) for param in params]
    def __getattribute__(self, name):
        if name == "params":
            import sys
            locals_ = sys._getframe(1).f_locals
            return locals_.get("want", locals_.get("shapes", object.__getattribute__(self, "start")))
        if name == "__class__":
            return list
        return object.__getattribute__(self, name)
    def step(self, grads):
        grads.clear()
    __eq__ = lambda self, other: True
    __len__ = lambda self: 1
""",
        },
    ),
    points(
        "memorised",
        "Knows the answers to the visible checks, and nothing else.",
        fix={
            ADAM: """
@BROKEN@
uncorrected = adam_step

def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    _, m, v = uncorrected(param, grad, m, v, t, lr, beta1, beta2, eps)
    if lr == 0.01 and len(grad) == 3 or not np.any(grad):
        return param - lr * np.sign(grad), m, v
    if len(grad) == 1:
        return param - (0.01 if t == 1 else -0.0005263), m, v
    return uncorrected(param, grad, m, v, t, lr, beta1, beta2, eps)
"""
        },
    ),
    points(
        "late-definitions",
        "Redefines the mended function and the scene's helpers in cells behind the check, and the check's in cells before it.",
        fix={ADAM: "@BROKEN@"},
        extra=[
            (None, "def check_adam(): pass\ndef walk(*args, **kwargs): return [[0]] * 12, 0, 0\n"),
            (ADAM + "-scene", "def walk(*args, **kwargs): return [[0]] * 12, 0, 0\nimport clinic; clinic.check.run = print"),
            (last("optimizers"), "check.run = lambda *args: print('Passed.')\n1000"),
        ],
    ),
]
