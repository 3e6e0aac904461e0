"""Submissions of people who mean well and write oddly: they keep what they have earned."""

import nbformat

from .attack import ADAM, BATCH, CLIP, COSINE, GROUPS, LR, MOMENTUM, PEAK, SEEDS, TUNE, WARMUP, of_cells, of_files

honest = of_cells("honest")
honest_files = of_files("honest")


def windows_line_ends(notebook, release):
    """Each line of each cell ends as Windows ends it."""
    for cell in notebook.cells:
        cell.source = cell.source.replace("\n", "\r\n")


def run_in_jupyter(notebook, release):
    """Counts, outputs, timings and widgets, as Jupyter leaves them."""
    for number, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.execution_count = number + 1
        cell.metadata["execution"] = {"iopub.execute_input": "2025-01-01T00:00:00Z"}
        cell.metadata["collapsed"] = True
        cell.outputs = [
            nbformat.v4.new_output("stream", name="stderr", text="a warning\n"),
            nbformat.v4.new_output("error", ename="E", evalue="", traceback=[]),
        ]
    notebook.metadata["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2, "version_minor": 0}
    }


def without_scenes(notebook, release):
    """What needs not be there is deleted: scenes, texts and checks."""
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code" and not cell.id.endswith(("-scene", "-check"))]


def split_in_two(notebook, release):
    """The cell to mend is split, as Jupyter splits one: its second half is a new cell."""
    cell = release.cell(ADAM, notebook)
    place = notebook.cells.index(cell)
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell("adam_step.__doc__ = None\n", id="second-half"))


def merged_checks(notebook, release):
    """Two cells to mend in one, the other one left empty."""
    first, second = release.cell(ADAM, notebook), release.cell(CLIP, notebook)
    second.source, first.source = first.source + "\n\n\n" + second.source, ""


def own_outputs(release, path):
    """A notebook beside which lie checkpoints, caches, data and pictures."""
    release.write(release.handed_in([ADAM]), path.parent.parent)
    for name in (
        ".ipynb_checkpoints/optimizers-checkpoint.ipynb",
        "__pycache__/x.pyc",
        "data.csv",
        ".DS_Store",
        "notes.ipynb",
        "picture.png",
    ):
        (path.parent / name).parent.mkdir(exist_ok=True)
        (path.parent / name).write_bytes(b"\0\xff")


WRAPPED = """@MENDED@
plain_step = adam_step
"""

ATTACKS = [
    honest(
        "prints-a-lot",
        "Prints in cells and in each call.",
        fix={
            ADAM: WRAPPED
            + """
print("line\\n" * 2000)
def adam_step(*args, **kwargs):
    print("step", args[4], "with", kwargs, "and no line end", end=" ")
    return plain_step(*args, **kwargs)
""",
            CLIP: "@MENDED@\nprint('Not yet: this line is mine.')\n",
        },
        earned=(ADAM, CLIP),
    ),
    honest(
        "warns",
        "Warns by numpy, by warnings and on stderr.",
        fix={
            ADAM: WRAPPED
            + """
import sys, warnings
warnings.simplefilter("always")
np.array([1.0, 0.0]) / 0
def adam_step(*args, **kwargs):
    warnings.warn("deprecated", DeprecationWarning)
    print("on stderr", file=sys.stderr)
    np.log(np.array([0.0, -1.0]))
    return plain_step(*args, **kwargs)
"""
        },
        earned=(ADAM,),
    ),
    honest(
        "logs",
        "Logs by logging, with handlers of its own.",
        fix={
            ADAM: WRAPPED
            + """
import logging
logging.basicConfig(level=logging.DEBUG, force=True)
log = logging.getLogger("adam")
log.addHandler(logging.StreamHandler())
def adam_step(*args, **kwargs):
    log.error("step %s", args[4])
    return plain_step(*args, **kwargs)
"""
        },
        earned=(ADAM,),
    ),
    honest(
        "helpers-before",
        "Defines its helpers in cells of its own, before and after, and calls them from the cell to mend.",
        fix={
            ADAM: "def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):\n    return helper(param, grad, m, v, t, lr, beta1, beta2, eps)\n"
        },
        extra=[
            (
                "adam-bias-correction-text-1",
                """
def helper(param, grad, m, v, t, lr, beta1, beta2, eps):
    m, v = mean(m, grad, beta1), mean(v, grad**2, beta2)
    return param - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v
""",
            ),
            (ADAM, "def mean(old, new, beta):\n    return beta * old + (1 - beta) * new"),
        ],
        earned=(ADAM,),
    ),
    honest(
        "defined-elsewhere",
        "Defines the function in a cell of its own, and leaves the cell to mend empty.",
        fix={ADAM: "# see below\n"},
        extra=[
            (
                ADAM,
                "def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):\n    m = beta1 * m + (1 - beta1) * grad\n"
                "    v = beta2 * v + (1 - beta2) * grad**2\n    return param - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v",
            )
        ],
        earned=(ADAM,),
    ),
    honest(
        "magics",
        "Uses magics, and shell commands of which some fail.",
        fix={
            ADAM: "%matplotlib inline\n%load_ext autoreload\n%autoreload 2\n!ls no-such-file\nfiles = !ls\n@MENDED@\n%timeit -n1 -r1 pass\n",
            CLIP: "%%time\n@MENDED@",
        },
        extra=[
            (ADAM, "%%capture\nprint(1)"),
            (CLIP, "%pip --version\n%config InlineBackend.figure_format = 'retina'\n?print\n%nosuchmagic"),
        ],
        earned=(ADAM, CLIP),
    ),
    honest(
        "imports",
        "Imports more than it needs, also what is not there, in a cell of its own.",
        fix={
            ADAM: "from numpy import *\nfrom math import *\nimport numpy, random, os, sys, json, itertools, functools, collections, typing\nfrom clinic import *\nimport numpy as np\n@MENDED@"
        },
        extra=[(ADAM, "import torch, tensorflow, pandas, scipy")],
        earned=(ADAM,),
    ),
    honest(
        "plots",
        "Draws at the top of its cells, and leaves figures open.",
        fix={
            ADAM: "@MENDED@\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.title('mine')\nplt.show()\nfig, axes = plt.subplots(2)\naxes[0].hist(np.zeros(9))\n"
        },
        earned=(ADAM,),
        run=True,
    ),
    honest(
        "asks",
        "Has left an input() behind in a cell of its own, and a breakpoint.",
        extra=[
            (ADAM, "name = input('Your name? ')"),
            (ADAM, "breakpoint()"),
            (CLIP, "import getpass\ngetpass.getpass()"),
            (CLIP, "import pdb; pdb.set_trace()"),
        ],
        earned=(ADAM, CLIP),
    ),
    honest(
        "raises-in-a-cell",
        "Has cells of its own that raise, exit, or cannot be parsed.",
        extra=[
            (None, "1 / 0"),
            (ADAM, "raise SystemExit"),
            (ADAM, "def ("),
            (ADAM, "exit()"),
            (CLIP, "assert False"),
            (CLIP, "raise KeyboardInterrupt"),
            (CLIP, "undefined"),
        ],
        earned=(ADAM, CLIP),
    ),
    honest(
        "text-with-markup",
        "Adds text with pictures, tables, formulas, a script and raw HTML.",
        extra=[
            (
                ADAM,
                "# Mine\n| a | b |\n|-|-|\n| 1 | 2 |\n\n$\\alpha < \\beta$ <b>bold</b> ![x](x.png) <script>1</script>",
                "markdown",
            )
        ],
        earned=(ADAM,),
    ),
    honest(
        "type-hints",
        "Uses hints, dataclasses, protocols, and annotations from the future.",
        fix={
            ADAM: """from __future__ import annotations
from dataclasses import dataclass
from typing import NamedTuple
Array = np.ndarray

class Step(NamedTuple):
    param: Array
    m: Array
    v: Array

@dataclass(frozen=True, slots=True)
class Betas:
    first: float
    second: float

def adam_step(param: Array, grad: Array, m: Array, v: Array, t: int, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Step:
    betas = Betas(beta1, beta2)
    m, v = betas.first * m + (1 - betas.first) * grad, betas.second * v + (1 - betas.second) * grad**2
    return Step(param - lr * m / (1 - betas.first**t) / (np.sqrt(v / (1 - betas.second**t)) + eps), m, v)
"""
        },
        earned=(ADAM,),
    ),
    honest(
        "decorated",
        "Wraps its functions in closures, caches, contexts and decorators.",
        fix={
            COSINE: "import functools\n@functools.lru_cache(maxsize=None)\n@MENDED@".replace(
                "@MENDED@",
                "def lr_at(step, total_steps, base_lr, min_lr=0.0):\n    return min_lr + (base_lr - min_lr) * (1 + np.cos(np.pi * min(step / total_steps, 1))) / 2\n",
            ),
            CLIP: "@MENDED@\nimport functools, contextlib\ndef counted(function):\n    calls = 0\n    @functools.wraps(function)\n    def inner(*args, **kwargs):\n        nonlocal calls\n        calls += 1\n        with np.errstate(all='ignore'), contextlib.suppress(KeyError):\n            return function(*args, **kwargs)\n    return inner\nclip_by_global_norm = counted(clip_by_global_norm)\n",
        },
        earned=(COSINE, CLIP),
    ),
    honest(
        "partial",
        "Its function is a functools.partial, or an object that can be called, or a method.",
        fix={
            ADAM: "@MENDED@\nimport functools\nadam_step = functools.partial(adam_step)\n",
            CLIP: "@MENDED@\nclass Clip:\n    def __init__(self, function):\n        self.function, self.calls = function, 0\n    def __call__(self, grads, max_norm):\n        self.calls += 1\n        return self.function(grads, max_norm)\nclip_by_global_norm = Clip(clip_by_global_norm)\n",
            COSINE: "@MENDED@\nclass Schedule:\n    at = staticmethod(lr_at)\nlr_at = Schedule().at\n",
        },
        earned=(ADAM, CLIP, COSINE),
    ),
    honest(
        "lambda",
        "Its functions are lambdas.",
        fix={
            COSINE: "lr_at = lambda step, total_steps, base_lr, min_lr=0.0: min_lr + (base_lr - min_lr) * (1 + np.cos(np.pi * min(step / total_steps, 1))) / 2\n",
            WARMUP: "warmup_length = lambda total_steps, beta2=None: max(1, round(0.1 * total_steps if beta2 is None else min(2 / (1 - beta2), total_steps / 2)))\n",
        },
        earned=(COSINE, WARMUP),
    ),
    honest(
        "generators",
        "Returns generators, sets, tuples and views where a list would do.",
        fix={
            GROUPS: "def decay_groups(named_params):\n    names = list(named_params)\n    return (name for name in names if named_params[name].ndim > 1), {name for name in names if named_params[name].ndim < 2}\n",
            SEEDS: "def experiment_rngs(seed):\n    return tuple(np.random.Generator(np.random.Philox(child)) for child in np.random.SeedSequence(seed).spawn(3))\n",
            CLIP: "@MENDED@\nclip_list = clip_by_global_norm\ndef clip_by_global_norm(grads, max_norm):\n    clipped, norm = clip_list(tuple(grads), max_norm)\n    return tuple(clipped), np.float64(norm)\n",
        },
        earned=(GROUPS, SEEDS, CLIP),
    ),
    honest(
        "recursive",
        "Recurses where others loop, a few hundred deep.",
        fix={
            CLIP: """
def total(grads, start=0):
    return 0.0 if start == len(grads) else float(np.sum(np.square(grads[start], dtype=np.float64))) + total(grads, start + 1)

def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)

def clip_by_global_norm(grads, max_norm):
    assert deep(700) == 700
    norm = np.sqrt(total(grads))
    return ([grad * (max_norm / norm) for grad in grads] if norm > max_norm else grads), norm
"""
        },
        earned=(CLIP,),
    ),
    honest(
        "other-types",
        "Returns float32, arrays of no axes, whole numbers and Python's own.",
        fix={
            WARMUP: "@MENDED@\nsteps_of = warmup_length\ndef warmup_length(*args, **kwargs):\n    return np.int32(steps_of(*args, **kwargs))\n",
            COSINE: "@MENDED@\nrate_of = lr_at\ndef lr_at(*args, **kwargs):\n    return np.array(rate_of(*args, **kwargs))\n",
            ADAM: WRAPPED
            + "def adam_step(*args, **kwargs):\n    return [np.asfortranarray(a) for a in plain_step(*args, **kwargs)]\n",
            LR: "def pick_lr(x, y):\n    return np.float32(len(y) / (1.6 * np.linalg.eigvalsh(x.T @ x)[-1]))\n",
        },
        earned=(WARMUP, COSINE, ADAM, LR),
    ),
    honest(
        "in-place",
        "Works in place, on its arguments and on itself.",
        fix={
            ADAM: """def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m *= beta1
    m += (1 - beta1) * grad
    v *= beta2
    v += (1 - beta2) * grad**2
    grad[...] = np.sqrt(v / (1 - beta2**t)) + eps
    param -= lr * m / (1 - beta1**t) / grad
    return param, m, v
""",
            CLIP: """def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(np.square(grad, dtype=np.float64)) for grad in grads))
    if norm > max_norm:
        for grad in grads:
            grad *= max_norm / norm
    return grads, norm
""",
        },
        earned=(ADAM, CLIP),
    ),
    honest(
        "foreign-names",
        "Uses names and texts in other letters.",
        fix={
            ADAM: """def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    μ, σ² = beta1 * m + (1 - beta1) * grad, 0
    return param, μ, v
""".replace("σ²", "größe")
            + """
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    μ = beta1 * m + (1 - beta1) * grad  # 平均値, ¡la media!
    ν = beta2 * v + (1 - beta2) * grad**2
    return param - lr * μ / (1 - beta1**t) / (np.sqrt(ν / (1 - beta2**t)) + eps), μ, ν
print("平均 ✓ 🎓 Ω")
"""
        },
        earned=(ADAM,),
    ),
    honest("windows", "Has Windows line ends in its cells.", change=windows_line_ends, earned=(ADAM, CLIP)),
    honest(
        "main-guard",
        "Ends its cells like a script.",
        fix={
            ADAM: '#!/usr/bin/env python3\n# -*- coding: latin-1 -*-\n@MENDED@\n\ndef main():\n    print(adam_step(np.zeros(1), np.ones(1), 0.0, 0.0, 1))\n\n\nif __name__ == "__main__":\n    main()\n'
        },
        earned=(ADAM,),
    ),
    honest(
        "tidies-up",
        "Deletes its own names, and those of the set-up that it does not need.",
        fix={ADAM: "@MENDED@\ntemporary = 1\ndel temporary\n", CLIP: "@MENDED@"},
        extra=[(CLIP, "import gc\nx = y = 0\ndel x, y\ngc.collect()"), (ADAM, "del descend")],
        earned=(ADAM, CLIP),
    ),
    honest(
        "strict-numpy",
        "Has numpy raise on every overflow and warning, and print in another way.",
        fix={
            ADAM: "@MENDED@\nnp.seterr(all='raise')\nnp.set_printoptions(precision=2, suppress=True)\nimport warnings\nwarnings.simplefilter('error')\n"
        },
        earned=(ADAM, COSINE),
    ),
    honest(
        "slow-start",
        "Tries something out for three seconds in the cell to mend.",
        fix={ADAM: "@MENDED@\nimport time\ntime.sleep(3)\n"},
        earned=(ADAM,),
    ),
    honest(
        "threads",
        "Uses a pool of threads.",
        fix={
            CLIP: """from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(2)

def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(pool.map(lambda grad: np.sum(np.square(grad, dtype=np.float64)), grads)))
    return ([grad * (max_norm / norm) for grad in grads] if norm > max_norm else grads), norm
"""
        },
        earned=(CLIP,),
        may_refuse=True,
    ),
    honest(
        "processes",
        "Uses a pool of processes, which a sandbox may refuse: only that case is lost.",
        fix={
            COSINE: """import multiprocessing

def rate(arguments):
    step, total_steps, base_lr, min_lr = arguments
    return min_lr + (base_lr - min_lr) * (1 + np.cos(np.pi * min(step / total_steps, 1))) / 2

def lr_at(step, total_steps, base_lr, min_lr=0.0):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.map(rate, [(step, total_steps, base_lr, min_lr)])[0]
"""
        },
        earned=(COSINE, CLIP),
        may_refuse=True,
    ),
    honest(
        "random-state",
        "Seeds and uses the global random state.",
        fix={CLIP: "@MENDED@\nimport random\nnp.random.seed(0)\nrandom.seed(0)\n_ = np.random.normal(size=9)\n"},
        earned=(CLIP, SEEDS),
    ),
    honest(
        "classes",
        "Mends by inheriting, with properties and slots.",
        fix={
            MOMENTUM: """@MENDED@
class Base(Momentum):
    pass

class Momentum(Base):
    def __init__(self, params, lr, beta=0.9, **settings):
        super().__init__([np.array(param, dtype=float) for param in params], lr, beta)
    @property
    def params(self):
        return self._params
    @params.setter
    def params(self, params):
        self._params = list(params)
    def __len__(self):
        return 0
    def __repr__(self):
        return "Momentum()"
"""
        },
        earned=(MOMENTUM,),
    ),
    honest(
        "uses-the-callback-well",
        "Catches what the probe raises, and goes on.",
        fix={
            PEAK: "@MENDED@\nsearch = peak_lr\ndef peak_lr(probe, chance):\n    try:\n        return search(probe, chance)\n    except ZeroDivisionError:\n        return None\n"
        },
        earned=(PEAK,),
    ),
    honest(
        "reads-and-writes",
        "Writes a file into its own folder and reads it again.",
        fix={
            ADAM: "@MENDED@\nimport json\nwith open('results.json', 'w') as file:\n    json.dump([1, 2], file)\nprint(json.load(open('results.json')))\nnp.save('x.npy', np.zeros(3))\n"
        },
        earned=(ADAM,),
    ),
    honest(
        "assigns-outputs",
        "Ends cells with values, semicolons, displays and questions.",
        fix={ADAM: "@MENDED@\n1000\n"},
        extra=[
            (ADAM, "adam_step;"),
            (ADAM, "_ , __, Out, In"),
            (CLIP, "np.arange(10**6)"),
            (
                CLIP,
                "from IPython.display import display, HTML, clear_output\ndisplay(HTML('<b>x</b>'), {'a': 1}, np.zeros(3))\nclear_output()",
            ),
        ],
        earned=(ADAM, CLIP),
    ),
    honest(
        "uses-await",
        "Awaits at the top of a cell, and sets signal handlers.",
        fix={ADAM: "import asyncio\nawait asyncio.sleep(0.01)\n@MENDED@"},
        extra=[(ADAM, "import signal\nsignal.alarm(0)")],
        earned=(ADAM,),
    ),
    honest(
        "shadows-builtins",
        "Calls its own things list, sum, max, check and np_ok.",
        fix={ADAM: "@MENDED@\nlist = [1]\nsum = max = id = input = 0\ncheck_adam = 3\nwalk = 7\n"},
        earned=(ADAM,),
    ),
    honest(
        "run-in-jupyter",
        "Comes as Jupyter saves it after a run: counts, outputs, timings.",
        change=run_in_jupyter,
        earned=(ADAM, CLIP),
        run=True,
    ),
    honest("tidy-notebook", "Has thrown away scenes, texts and checks.", change=without_scenes, earned=(ADAM, CLIP)),
    honest("split-cell", "Has split its cell in two.", change=split_in_two, earned=(ADAM,)),
    honest(
        "merged-cells",
        "Has moved what belongs into one cell to mend into a later one: only the later case counts.",
        change=merged_checks,
        fix={ADAM: "@MENDED@"},
        earned=(CLIP,),
        may_refuse=True,
    ),
    honest_files(
        "files-beside-it", "Hands in checkpoints, caches, data and pictures beside its notebook.", own_outputs, earned=(ADAM,)
    ),
    honest(
        "everything-right",
        "Mends every case.",
        earned=(ADAM, BATCH, CLIP, COSINE, GROUPS, LR, MOMENTUM, PEAK, SEEDS, TUNE, WARMUP),
        run=True,
    ),
    honest("log-in-place", "Appends to the caller's log, as it was asked to.", stage="monitoring", earned=("clip-and-log",)),
    honest(
        "numpy-words",
        "Answers with numpy's kind of text.",
        stage="failures",
        fix={
            "diag-flat-or-slow": "@MENDED@\nplain_trend = trend\ndef trend(losses):\n    return np.array([plain_trend(losses)])[0]\n"
        },
        earned=("diag-flat-or-slow",),
    ),
]
