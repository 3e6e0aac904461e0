"""How fast a class is graded: stock nbgrader, ours, and the floor below which no grader that runs the same cells can come.

Each is measured in a fresh process of its own, one after another, on the same class in a temporary folder:
stock   nbgrader's own Autograde with its own preprocessors, as formgrader calls it: `NbGraderAPI.autograde`, in one process that
        has imported everything. That is kinder to stock than its command line, which starts anew for each call.
ours    `grade`, on every core, the start of its processes and the warm-up included.
floor   the same mending and check cells, both passes, and nothing else: see `bench_floor`. Its warm-up is not counted.
"""

import ast
import contextlib
import copy
import functools
import io
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from .gradebook import OpenGradebook
from .nbgrader_settings import course_config
from .paths import COURSE, ROOT, SOLUTIONS, STAGES, notebook_path
from .progress import progress_bar
from .sandbox.lockdown import die_with_parent

LONGEST, FEW = 600, 5  # where stock would take more seconds than that, it grades a few
GROWTH_CHART = ROOT / "autograder" / "bench-growth.png"
GRADED, REPLAYED = (40, 400), (40, 400, 4000)  # the classes' sizes on the chart
_NAME = "student-{:04d}"
_EVERY = 0.5  # seconds between two looks at the memory


class BenchFailed(Exception):
    """One of the ways could not grade the class; the text says why."""


# ---------------------------------------------------------------------- the two benchmarks


def bench(size=40, stages=None, console=None, stock_at_most=None):
    """Grade a class of `size` in each stage three ways, print a table, and last one line of JSON; returns what that line says.

    The line has stock_s, ours_s, floor_s, ratio (stock to ours), peak_mib and same_marks, of all stages together (peak_mib: the
    highest), and in `stages` the same of each, with `stock_graded`, the number from which stock_s was extrapolated.
    stock_at_most: how many stock grades, whatever it takes.
    """
    console, stages = console or Console(), stages or STAGES
    console.print(_machine(), markup=False, highlight=False)
    with _temporary() as folder, progress_bar(console) as bar:
        found = {stage: _one_stage(folder / stage, stage, size, stock_at_most, bar) for stage in stages}
    console.print(_table(found, size))
    seconds = {name: round(sum(each[name] for each in found.values()), 2) for name in ("stock_s", "ours_s", "floor_s")}
    line = seconds | {
        "ratio": round(seconds["stock_s"] / seconds["ours_s"], 2),
        "peak_mib": max(each["peak_mib"] for each in found.values()),
        "same_marks": all(each["same_marks"] for each in found.values()),
        "size": size,
        "stages": found,
    }
    console.print(json.dumps(line), markup=False, highlight=False, soft_wrap=True)
    return line


def growth(stage=STAGES[0], chart=GROWTH_CHART, console=None, graded=GRADED, replayed=REPLAYED):
    """Measure time and memory for classes of growing size, and draw them in the file `chart`; returns what was measured.

    graded: sizes of classes of which every submission is run. replayed: sizes for which the results of those are there already,
    copied under other names, so that the rest of the work shows: reading, writing, and the gradebook.
    """
    console = console or Console()
    console.print(_machine(), markup=False, highlight=False)
    found = {"graded": {}, "replayed": {}}
    with _temporary() as folder, progress_bar(console) as bar:
        unmarked = _class(folder / "empty", stage, 0) / "gradebook.db"
        for size in graded:
            root = _class(folder / f"graded-{size}", stage, size)
            found["graded"][size] = _measured("ours", stage, root, size, bar, f"{size} graded")
        for size in replayed:
            copied = _replay_of(root, unmarked, folder / f"replayed-{size}", stage, size)
            found["replayed"][size] = _measured("ours", stage, copied, size, bar, f"{size} replayed")
            shutil.rmtree(copied)
    table = Table("submissions", "", "s", "ms each", "peak MiB", title=f"{stage}: a growing class")
    for kind, by_size in found.items():
        for size, each in by_size.items():
            table.add_row(f"{size}", kind, f"{each['seconds']:.1f}", f"{_ms(each, size):.0f}", f"{each['peak_mib']}")
    console.print(table)
    _draw_growth(found, stage, chart)
    console.print(f"Chart: {chart}", markup=False, highlight=False)
    console.print(json.dumps(found), markup=False, highlight=False, soft_wrap=True)
    return found


def _one_stage(folder, stage, size, stock_at_most, bar):
    shutil.copytree(_class(folder / "stock", stage, size), folder / "ours")
    stock_size = stock_at_most or size
    stock = _measured("stock", stage, folder / "stock", stock_size, bar, f"{stage}: stock", str(size), str(stock_size))
    ours = _measured("ours", stage, folder / "ours", size, bar, f"{stage}: ours")
    floor = _measured("floor", stage, folder / "ours", size, bar, f"{stage}: floor")
    marks = {way: _marks(folder / way, stage) for way in ("stock", "ours")}
    stock_s, ours_s = (round(seconds, 2) for seconds in (stock["seconds"] / stock["done"] * size, ours["seconds"]))
    passed = {student: {check for check, score in by_check.items() if score} for student, by_check in marks["ours"].items()}
    same = len(marks["ours"]) == size and len(marks["stock"]) == stock["done"]
    same = same and all(marks["ours"][student] == by_check for student, by_check in marks["stock"].items())
    return {
        "stock_s": stock_s,
        "ours_s": ours_s,
        "floor_s": round(floor["seconds"], 2),
        "ratio": round(stock_s / ours_s, 2),  # of the seconds as they are said
        "peak_mib": ours["peak_mib"],
        "same_marks": same and {student: set(checks) for student, checks in floor["passed"].items()} == passed,
        "stock_graded": stock["done"],
    }


# ---------------------------------------------------------------------- the class


def _class(root, stage, size):
    """A class of `size` in the folder `root`, no two alike, and a gradebook that knows the stage, as after a release."""
    root.mkdir(parents=True)
    for number in range(size):
        path = notebook_path(root / "submitted" / _NAME.format(number), stage)
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(_submission(stage, number)), encoding="utf-8")
    with OpenGradebook(course_config(root)) as gradebook:
        gradebook.record(stage)
    return root


def _submission(stage, number):
    """The notebook of one learner: the release, in which some cases are mended, in words of their own; always the same.

    One in ten mends nothing and one in ten everything, and any few in a row are like the class as a whole.
    """
    rng = np.random.default_rng(number)
    share = number * 0.618034 % 1
    notebook, solved = copy.deepcopy(_read(COURSE, stage)), {cell["id"]: cell for cell in _read(SOLUTIONS, stage)["cells"]}
    cells = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]
    for cell in cells:
        if share >= 0.9 or share > 0.1 and rng.random() < share:
            source = "".join(solved[cell["id"]]["source"])
            cell["source"] = source if rng.random() < 0.5 else _renamed(source, number)
    cell = cells[number % len(cells)]
    cell["source"] = "".join(cell["source"]) + f"\n\n# This is the work of student {number}."
    return notebook


@functools.cache
def _read(folder, stage):
    return json.loads(notebook_path(folder, stage).read_text(encoding="utf-8"))


def _renamed(source, number):
    """The same code with other names for what its functions keep to themselves."""
    tree = ast.parse(source)
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            nodes = list(ast.walk(function))
            fixed = {node.arg for node in nodes if isinstance(node, ast.arg)}
            fixed |= {name for node in nodes if isinstance(node, (ast.Nonlocal, ast.Global)) for name in node.names}
            fixed |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
            names = [node for node in nodes if isinstance(node, ast.Name)]
            own = {node.id for node in names if isinstance(node.ctx, ast.Store)} - fixed
            for node in names:
                if node.id in own:
                    node.id += f"_{number}"
    return ast.unparse(tree)


def _replay_of(root, unmarked, copy, stage, size):
    """A class of `size` made of the graded one in `root` under other names, with its results and an `unmarked` gradebook."""
    results = Path(".grading", stage, "results")
    (copy / results).mkdir(parents=True)
    students = sorted(path.name for path in (root / "submitted").iterdir())
    for number in range(size):
        student, name = students[number % len(students)], _NAME.format(number)
        shutil.copytree(root / "submitted" / student, copy / "submitted" / name)
        shutil.copy(root / results / f"{student}.json", copy / results / f"{name}.json")
    shutil.copy(unmarked, copy / unmarked.name)
    return copy


def _marks(root, stage):
    """{student: {check: score}} as the gradebook of `root` has them."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "training-clinic") as gradebook:
        notebooks = gradebook.notebook_submissions(stage, stage)
        return {notebook.student.id: {grade.name: grade.auto_score for grade in notebook.grades} for notebook in notebooks}


# ---------------------------------------------------------------------- the three ways, each in a process of its own


def _stock(stage, root, size, at_most):
    from nbgrader.apps import NbGraderAPI

    config = course_config(root)
    del config["Autograde"]  # what makes it ours
    config.Execute.timeout = 120
    api = NbGraderAPI(config=config)
    students, done = sorted(path.name for path in (root / "submitted").iterdir()), 0
    started = time.perf_counter()
    for student in students[: int(at_most)]:
        result = api.autograde(stage, student)
        if not result["success"]:
            raise SystemExit(f"nbgrader could not grade {student}: {result.get('error') or result.get('log')}")
        done, seconds = done + 1, time.perf_counter() - started
        if done == FEW and seconds / done * int(size) > LONGEST:
            break
    return {"seconds": seconds, "done": done}


def _ours(stage, root):
    from .grade import grade

    started = time.perf_counter()
    rows = grade(root=root, stages=[stage], console=Console(file=io.StringIO()))
    seconds = time.perf_counter() - started
    problems = [row["problem"] for row in rows if row["problem"]]
    if problems:
        raise SystemExit(f"not graded: {problems[0]}")
    return {"seconds": seconds, "done": len(rows)}


def _measured(way, stage, root, size, bar, label, *more):
    """What one way says of a class, from a process of its own, and `peak_mib`, the memory of that and all that it started."""
    module = "autograder.bench_floor" if way == "floor" else "autograder.bench"
    command = [sys.executable, "-m", module, stage, str(root), *more]
    kept_here = {"JUPYTER_RUNTIME_DIR": str(root / "runtime"), "IPYTHONDIR": str(root / "ipython")}
    done = "floor/*.json" if way == "floor" else f"autograded/*/{stage}/{stage}.ipynb"
    task, peak = bar.add_task(label, total=size), 0
    with tempfile.TemporaryFile() as said:
        # In a session of its own, so that Ctrl-C comes to it once, from here.
        process = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, cwd=ROOT, env=os.environ | kept_here, start_new_session=True
        )
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_EVERY)
                    break
                peak = max(peak, _memory_of(process.pid))
                bar.update(task, completed=len(list(root.glob(done))))
        except BaseException:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            raise
        said.seek(0)
        text = said.read().decode(errors="replace").strip()
    if process.returncode:
        raise BenchFailed(f"{label} failed: {text[-2000:]}")
    bar.remove_task(task)
    return json.loads(text.splitlines()[-1]) | {"peak_mib": round(peak)}


def _memory_of(process):
    """MiB that a process and all that it started take; what several of them share is counted once."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    family = {process}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(map(_kib_of, family)) / 1024


def _kib_of(process):
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    with contextlib.suppress(OSError):  # one that may not be looked into: all that it has, shared or not
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
    return 0


# ---------------------------------------------------------------------- what is shown


def _machine():
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    load = f"load average before: {os.getloadavg()[0]:.1f}"
    return f"{model}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}, {load}"


def _table(found, size):
    table = Table(title=f"A class of {size} different submissions", caption_justify="left")
    for column in ("stage", "stock", "ours", "floor", "stock/ours", "ours/floor", "peak MiB", "marks"):
        table.add_column(column, justify="left" if column in ("stage", "marks") else "right")
    for stage, each in found.items():
        star = "*" if each["stock_graded"] < size else ""
        seconds = [each[way] for way in ("stock_s", "ours_s", "floor_s")]
        table.add_row(
            stage,
            *(f"{each:.1f} s{star if not column else ''}\n{size / each:.2f}/s" for column, each in enumerate(seconds)),
            f"{each['ratio']:.1f}",
            f"{each['ours_s'] / each['floor_s']:.2f}",
            f"{each['peak_mib']}",
            "same" if each["same_marks"] else "DIFFERENT",
        )
    few = [f"{stage}: {each['stock_graded']}" for stage, each in found.items() if each["stock_graded"] < size]
    if few:
        table.caption = f"* extrapolated from fewer submissions ({', '.join(few)})"
    return table


def _ms(each, size):
    return each["seconds"] / size * 1000


def _draw_growth(found, stage, path):
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    # Two of Okabe and Ito's colours, as in clinic.plots; line style and marker differ too.
    styles = {"graded": dict(color="#0072B2", marker="o"), "replayed": dict(color="#D55E00", marker="s", linestyle="--")}
    for kind, by_size in found.items():
        left.plot(list(by_size), [_ms(each, size) for size, each in by_size.items()], label=kind, **styles[kind])
        right.plot(list(by_size), [each["peak_mib"] for each in by_size.values()], label=kind, **styles[kind])
    for ax, label in ((left, "time per submission (ms)"), (right, "peak memory, all processes (MiB)")):
        sizes = sorted({size for by_size in found.values() for size in by_size})
        ax.set(xscale="log", xlabel="submissions in the class", ylabel=label, ylim=(0, None), xticks=sizes, xticklabels=sizes)
        ax.minorticks_off()
        ax.grid(alpha=0.3)
        ax.legend()
    figure.suptitle(f"A growing class, stage {stage}, {len(os.sched_getaffinity(0))} cores")
    figure.savefig(path, dpi=120)
    plt.close(figure)


@contextlib.contextmanager
def _temporary():
    with tempfile.TemporaryDirectory(prefix="clinic-bench-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    die_with_parent()
    way = _stock if sys.argv[3:] else _ours
    print(json.dumps(way(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])))
