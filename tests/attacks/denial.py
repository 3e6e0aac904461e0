"""Attacks that want the grading to stop, to crawl, or to fill the machine.

Each has an end of its own well above any sensible limit, in case that nothing else stops it.
"""

import nbformat

from .attack import ADAM, CLIP, COSINE, GROUPS, LR, MOMENTUM, PEAK, SEEDS, WARMUP, last, of_cells, of_files

denial = of_cells("denial")
denial_files = of_files("denial")

REACHED = "print('REACHED' + ':@MARK@')\n"


def of_answer(expression, before=""):
    """Code whose function answers with this expression."""
    return {ADAM: f"{before}\ndef adam_step(param, grad, m, v, t, **settings):\n    return {expression}\n"}


def endless_file(release, path):
    """A notebook of 19 MB, in a hundred thousand cells."""
    cell = '{"cell_type": "code", "metadata": {}, "source": "%s", "outputs": [], "execution_count": null, "id": "c%d"}'
    cells = ",".join(cell % ("x = 1\\n" * 12, number) for number in range(100_000))
    path.write_text('{"cells": [%s], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}' % cells)  # noqa: UP031 (braces)


def nested_file(release, path):
    """A notebook whose JSON is nested a hundred thousand deep."""
    path.write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ' + "[" * 100_000 + "]" * 100_000 + "}")


def long_number_file(release, path):
    """A notebook with a number of five million digits, and an exponent without end."""
    digits = "9" * 5_000_000
    path.write_text('{"nbformat": 4, "nbformat_minor": %s, "metadata": {"x": 1e999999999}, "cells": []}' % digits)  # noqa: UP031


def slow_markdown(notebook, release):
    """Markdown and code whose rendering goes with the square of its length, or worse."""
    for text in (
        "*a " * 20_000,
        "[" * 20_000,
        "`" * 20_001,
        "> " * 5_000 + "x",
        "<" * 20_000,
        "|a" * 5_000 + "\n" + "|-" * 5_000,
        "$" * 20_001,
    ):
        notebook.cells.append(nbformat.v4.new_markdown_cell(text))
    for text in ("'" * 20_000, "# " + "\\" * 20_000, "(" * 20_000, "0" * 20_000 + "x", 'f"' + "{" * 5_000):
        notebook.cells.append(nbformat.v4.new_code_cell(text))


ATTACKS = [
    denial(
        "loop-in-a-cell", "Never comes to the end of a cell.", fix={ADAM: "@BROKEN@\nwhile True:\n    pass\n"}, earned=(CLIP,)
    ),
    denial(
        "loop-in-a-function",
        "Never comes back from a call.",
        fix={ADAM: "def adam_step(*args, **kwargs):\n    while True:\n        pass\n"},
        earned=(CLIP,),
    ),
    denial(
        "loop-in-an-extra-cell",
        "Never comes to the end of a cell of its own, behind what it has mended.",
        extra=[(ADAM + "-check", "while True:\n    pass")],
        earned=(ADAM,),
    ),
    denial(
        "sleeps",
        "Sleeps for an hour, in a cell and in a function.",
        fix={ADAM: "import time\ndef adam_step(*args, **kwargs):\n    time.sleep(3600)\n"},
        extra=[(CLIP + "-check", "time.sleep(3600)")],
        earned=(CLIP,),
    ),
    denial(
        "loop-through-the-probe",
        "Calls back into the check without end.",
        fix={
            PEAK: "def peak_lr(probe, chance):\n    while True:\n        try:\n            probe(1.0, 0)\n        except BaseException:\n            pass\n"
        },
        earned=(CLIP,),
    ),
    denial(
        "recursion-through-the-probe",
        "Recurses through the callback that it is handed, and hands itself as an argument.",
        fix={
            PEAK: "def peak_lr(probe, chance, depth=0):\n    try:\n        probe(lambda: peak_lr(probe, chance), probe)\n    except Exception:\n        pass\n    return peak_lr(probe, chance, depth + 1)\n"
        },
        earned=(CLIP,),
    ),
    denial(
        "deaf",
        "Loops where no signal stops it: ignored signals, caught interrupts, in C.",
        fix={
            ADAM: """@BROKEN@
import itertools, signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
honest = adam_step
def adam_step(*args, **kwargs):
    while True:
        try:
            while True:
                sum(itertools.repeat(0, 10**9))
        except BaseException:
            pass
"""
        },
        earned=(CLIP,),
    ),
    denial(
        "stops-itself",
        "Stops its process, so that it neither answers nor ends.",
        fix={
            ADAM: "import os, signal\ndef adam_step(*args, **kwargs):\n    os.kill(os.getpid(), signal.SIGSTOP)\n    while True:\n        signal.pause()\n"
        },
        earned=(CLIP,),
    ),
    denial(
        "fork-bomb",
        "Forks without end. (3000 processes, which end after 20 seconds.)",
        fix={
            ADAM: """@MENDED@
import os, time
end, count = time.time() + 20, 0
try:
    while count < 3000 and time.time() < end:
        count += 1
        if os.fork() == 0:
            while time.time() < end:
                time.sleep(0.5)
            os._exit(0)
    print("REACHED" + ":@MARK@")
except OSError:
    pass
"""
        },
        earned=(ADAM,),
        may_refuse=True,
    ),
    denial(
        "thread-bomb",
        "Starts threads without end. (20,000, which end after 20 seconds.)",
        fix={
            ADAM: """@BROKEN@
import threading, time
end = time.time() + 20
def wait():
    while time.time() < end:
        time.sleep(0.5)
threading.stack_size(32768)
for _ in range(20_000):
    threading.Thread(target=wait, daemon=True).start()
print("REACHED" + ":@MARK@")
"""
        },
        earned=(CLIP,),
    ),
    denial(
        "memory-in-arrays",
        "Fills the memory with arrays. (Up to 6 GB.)",
        fix={ADAM: "@BROKEN@\nheld = [np.ones(1 << 24) for _ in range(48)]\n" + REACHED},
        earned=(CLIP,),
    ),
    denial(
        "memory-in-lists",
        "Fills the memory with lists, behind a handler that holds on to them. (Up to 6 GB.)",
        fix={
            ADAM: "held = []\ndef adam_step(*args, **kwargs):\n    while len(held) < 96:\n        try:\n            held.append([0] * (1 << 23))\n        except MemoryError:\n            held.append(0)\n    print('REACHED' + ':@MARK@') if 0 not in held else None\n"
        },
        earned=(CLIP,),
    ),
    denial(
        "memory-by-map",
        "Fills the memory behind Python's back, by mmap and by a file without a name. (Up to 6 GB.)",
        fix={
            ADAM: """@BROKEN@
import mmap, os
held = []
try:
    for _ in range(48):
        held.append(mmap.mmap(-1, 1 << 27))
        for place in range(0, 1 << 27, 4096):
            held[-1][place] = 1
    print("REACHED" + ":@MARK@")
except (OSError, MemoryError):
    pass
try:
    handle = os.memfd_create("x")
    for _ in range(96):
        os.write(handle, bytes(1 << 26))
    print("REACHED" + ":@MARK@")
except OSError:
    pass
"""
        },
        earned=(CLIP,),
    ),
    denial(
        "answer-of-10-gigabytes",
        "Answers with an array of 10 GB, which takes no memory until it is read.",
        fix=of_answer("(np.broadcast_to(np.float64(1), (1250, 1000, 1000)),) * 3"),
        earned=(CLIP,),
    ),
    denial(
        "answer-nested-deep",
        "Answers with a list that is nested a hundred thousand deep.",
        fix=of_answer("deep, deep, deep", "deep = []\nfor _ in range(100_000):\n    deep = [deep]\n"),
        earned=(CLIP,),
    ),
    denial(
        "answer-in-a-circle",
        "Answers with a list and a dict that hold themselves.",
        fix=of_answer("circle, ring, circle", "circle = []\ncircle.append(circle)\nring = {}\nring[0] = ring\n"),
        earned=(CLIP,),
    ),
    denial(
        "answer-of-ten-million",
        "Answers with ten million parts, and with one part ten million times.",
        fix=of_answer("[0.0] * 10**7, [[]] * 10**7, dict.fromkeys(range(10**6))"),
        earned=(CLIP,),
    ),
    denial(
        "answer-of-laughs",
        "Answers with a list that is small in memory and grows by ten in each of twelve layers.",
        fix=of_answer("laughs, laughs, laughs", "laughs = [0.0]\nfor _ in range(12):\n    laughs = [laughs] * 10\n"),
        earned=(CLIP,),
    ),
    denial(
        "answer-of-a-huge-number",
        "Answers with a whole number of a hundred million bits.",
        fix=of_answer("huge, huge, huge", "huge = 1 << 10**8\n") | {WARMUP: "def warmup_length(*args):\n    return 10 ** 5000\n"},
        earned=(CLIP,),
    ),
    denial(
        "answer-of-a-gigabyte-of-text",
        "Answers with a text of a gigabyte, and raises one.",
        fix=of_answer("'x' * 10**9, b'x' * 10**9, '\\ud800' * 10**8")
        | {
            COSINE: "def lr_at(*args, **kwargs):\n    raise ValueError('x' * 10**9)\n",
            WARMUP: "def warmup_length(*args):\n    raise type('X' * 10**8, (Exception,), {})\n",
        },
        earned=(CLIP,),
    ),
    denial(
        "answers-without-end",
        "Answers with iterators that never end, and objects whose length, texts and parts never come.",
        fix={
            GROUPS: "import itertools\ndef decay_groups(named):\n    return itertools.count(), itertools.repeat('x')\n",
            SEEDS: "import itertools\ndef experiment_rngs(seed):\n    return itertools.cycle([np.random.default_rng(seed)])\n",
            ADAM: """
class Endless:
    def _wait(self, *args, **kwargs):
        while True:
            pass
    __len__ = __iter__ = __repr__ = __str__ = __float__ = __array__ = __eq__ = __bool__ = __getitem__ = __hash__ = __reduce__ = _wait
    def __getattr__(self, name):
        self._wait()

def adam_step(*args, **kwargs):
    return Endless()
""",
            COSINE: "def lr_at(*args, **kwargs):\n    raise type('Slow', (Exception,), {'__str__': lambda self: Endless()._wait(), '__repr__': lambda self: Endless()._wait()})()\n",
        },
        earned=(CLIP,),
    ),
    denial(
        "long-words",
        "Raises and shows texts of a hundred megabytes, line after line.",
        fix={
            ADAM: "def adam_step(*args, **kwargs):\n    raise ValueError('x\\n' * 5 * 10**7)\n",
            COSINE: "class Long:\n    __repr__ = __str__ = lambda self: 'x' * 10**8\ndef lr_at(*args, **kwargs):\n    return Long()\n",
        },
        extra=[(ADAM, "Long() if 'Long' in globals() else 'x' * 10**8")],
        earned=(CLIP,),
    ),
    denial(
        "prints-without-end",
        "Prints without end, by print, by the bare descriptor and as displays.",
        fix={
            ADAM: "@BROKEN@\nimport os\nfrom IPython.display import display\nfor _ in range(2000):\n    display(_)\nwhile True:\n    print('x' * 10**6)\n    os.write(1, b'x' * 10**6)\n",
            CLIP: "@MENDED@\nclip_quietly = clip_by_global_norm\ndef clip_by_global_norm(*args):\n    print('x' * 10**7)\n    return clip_quietly(*args)\n",
        },
        earned=(CLIP,),
    ),
    denial(
        "fills-the-disk",
        "Fills the disk with files and names of files. (Up to 2 GB.)",
        fix={
            ADAM: """@BROKEN@
import os, tempfile
def fill(place):
    written = 0
    try:
        for number in range(128):
            with open(os.path.join(place, f"@MARK@-{number}"), "wb") as file:
                file.write(bytes(1 << 24))
            written += 1
    except OSError:
        pass
    try:
        for number in range(100_000):
            open(os.path.join(place, f"@MARK@-empty-{number}"), "w").close()
    except OSError:
        pass
    return written
if max(fill(place) for place in (".", "/dev/shm")) == 128:
    print("REACHED" + ":@MARK@")
"""
        },
        earned=(CLIP,),
    ),
    denial(
        "uses-up-descriptors",
        "Opens files, pipes and copies until there is no descriptor left, and keeps them.",
        fix={
            ADAM: "@BROKEN@\nimport os\nheld = []\ntry:\n    while len(held) < 200_000:\n        held += os.pipe()\n        held.append(os.dup(0))\n    print('REACHED' + ':@MARK@')\nexcept OSError:\n    pass\n"
        },
        earned=(CLIP,),
    ),
    denial(
        "closes-everything",
        "Closes every descriptor that it has, in a call.",
        fix={
            ADAM: "import os\ndef adam_step(param, grad, m, v, t, **settings):\n    os.closerange(0, 4096)\n    return param, m, v\n"
        },
        earned=(CLIP,),
    ),
    denial(
        "recursion",
        "Recurses without end, in Python and in C.",
        fix={
            ADAM: "import sys\nsys.setrecursionlimit(10**9)\ndef adam_step(*args, **kwargs):\n    return adam_step(*args, **kwargs)\n",
            COSINE: "deep = ()\nfor _ in range(10**6):\n    deep = (deep,)\ndef lr_at(*args, **kwargs):\n    return hash(deep) + len(repr(deep))\n",
        },
        earned=(CLIP,),
    ),
    denial(
        "segfault",
        "Ends by reading where there is no memory, in a cell and in a call.",
        fix={
            ADAM: "import ctypes\ndef adam_step(*args, **kwargs):\n    return ctypes.string_at(0)\n",
            LR: "@BROKEN@\nimport ctypes\nctypes.string_at(1)\n",
        },
        earned=(CLIP,),
    ),
    denial(
        "kills-itself",
        "Ends itself by SIGKILL, abort, and a fault in the interpreter's own structures.",
        fix={
            ADAM: "import os\ndef adam_step(*args, **kwargs):\n    os.kill(os.getpid(), 9)\n",
            COSINE: "def lr_at(*args, **kwargs):\n    import os\n    os.abort()\n",
            WARMUP: "def warmup_length(*args):\n    import ctypes\n    ctypes.memset(id(None), 0, 16)\n    return None\n",
        },
        earned=(CLIP,),
    ),
    denial(
        "slow-expressions",
        "Runs a regular expression, a power and a folded constant that take years.",
        fix={
            ADAM: "import re\ndef adam_step(*args, **kwargs):\n    return re.match('(a+)+$', 'a' * 64 + 'b')\n",
            COSINE: "def lr_at(*args, **kwargs):\n    return 9 ** 9 ** 9\n",
        },
        earned=(CLIP,),
    ),
    denial(
        "hard-to-compile",
        "Hands in code that breaks or slows the compiler.",
        fix={
            ADAM: "(" * 50_000 + ")" * 50_000,
            COSINE: "x = " + "-" * 200_000 + "1",
            WARMUP: "if 1:\n" + "".join(" " * depth + "if 1:\n" for depth in range(1, 200)) + " " * 200 + "pass",
            LR: "x = 1" + " + 1" * 100_000,
        },
        earned=(CLIP,),
    ),
    denial(
        "huge-figures",
        "Draws figures of a million pixels square, and a thousand small ones.",
        fix={ADAM: "@BROKEN@\nimport matplotlib.pyplot as plt\nplt.figure(figsize=(10**4, 10**4))\nplt.show()\n"},
        extra=[
            (
                ADAM + "-check",
                "import matplotlib.pyplot as plt\nfor _ in range(1000):\n    plt.figure().gca().plot([1, 2])\nplt.show()",
            )
        ],
        earned=(CLIP,),
    ),
    denial(
        "never-ends-the-end",
        "Leaves finalizers, exit handlers and threads that never end.",
        fix={
            ADAM: """@MENDED@
import atexit, threading
def forever(*args):
    while True:
        pass
atexit.register(forever)
threading.Thread(target=forever).start()
class Last:
    __del__ = forever
np.last = Last()
"""
        },
        earned=(ADAM,),
        may_refuse=True,
    ),
    denial(
        "slow-momentum",
        "Takes a little longer at each attribute and step, so that no single call is too long.",
        fix={
            MOMENTUM: """
import time
class Momentum:
    def __init__(self, *args, **kwargs):
        pass
    def step(self, grads):
        time.sleep(1)
    @property
    def params(self):
        time.sleep(1)
        return [np.zeros(2)]
"""
        },
        earned=(CLIP,),
    ),
    denial(
        "slow-to-render",
        "Hands in cells that take long to lay out as a page.",
        change=slow_markdown,
        earned=(CLIP,),
        may_refuse=True,
    ),
    denial(
        "many-extra-cells",
        "Hands in three hundred cells of its own, each of which takes a while.",
        extra=[(last("optimizers"), "import time\ntime.sleep(0.5)")] * 300,
        earned=(CLIP,),
        may_refuse=True,
    ),
    denial_files("file-of-many-cells", "Hands in a hundred thousand cells.", endless_file),
    denial_files("file-nested-deep", "Hands in JSON that is nested a hundred thousand deep.", nested_file),
    denial_files("file-with-a-long-number", "Hands in a number of five million digits.", long_number_file),
]
