"""One trusted process does several jobs at once; whoever waits for one is told when it is lost, and another takes its place."""

import dataclasses
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.grader import work
from autograder.grader.box import kind_of_sandbox
from autograder.sandbox.limits import Limits

MEET = """
import os, time
open({mine!r}, "w").close()
until = time.monotonic() + 60
while not os.path.exists({other!r}):
    assert time.monotonic() < until, "the other one does not run at the same time"
    time.sleep(0.02)
"""


def job(source, **more):
    """The work of judging one check."""
    cell = {"id": "a-check", "kind": "check", "source": source}
    kind = {"stage": "optimizers", "sandbox": kind_of_sandbox(), "private_seed": None, "skip": [], "exports": []}
    return kind | {"cells": [cell], "documented": {"a-check": []}, "limits": dataclasses.asdict(Limits())} | more


@pytest.fixture(autouse=True)
def closed():
    yield
    work.close()


def pair(tmp_path):
    """Two jobs, each of which waits for the other."""
    places = [str(tmp_path / name) for name in "ab"]
    return [job(MEET.format(mine=mine, other=other)) for mine, other in (places, places[::-1])]


def test_jobs_run_side_by_side_in_forks_of_one_process(tmp_path):
    work.get_ready("optimizers", kind_of_sandbox(), None)
    process = work._running()
    with ThreadPoolExecutor(2) as pool:
        assert [answer["outputs"] for answer in pool.map(work.run, pair(tmp_path))] == [{"a-check": []}] * 2
    assert work._running() is process


def test_a_job_runs_on_the_core_that_it_is_given():
    core = max(os.sched_getaffinity(0))
    own = f"import os; assert os.sched_getaffinity(0) == {{{core}}}, os.sched_getaffinity(0)"
    learners = {"id": "mine", "kind": "mend", "source": "import os\ndef cores(): return sorted(os.sched_getaffinity(0))"}
    asked = job(f"{own}\nassert cores() == [{core}], cores()", exports=["cores"], core=core)
    asked["cells"].insert(0, learners)
    assert work.run(asked)["outputs"]["a-check"] == []


def test_whoever_waits_is_told_when_the_process_is_lost(tmp_path):
    left = tmp_path / "left"
    waiting = [job(MEET.format(mine=str(tmp_path / name), other=str(left))) for name in "ab"]
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(work.run, each) for each in waiting]
        while not all((tmp_path / name).exists() for name in "ab"):
            assert not any(answer.done() for answer in answers)
            time.sleep(0.02)
        os.kill(work._running()._process.pid, signal.SIGKILL)
        for answer in answers:
            with pytest.raises(work.GraderFailed, match="ended with status -9"):
                answer.result(60)
    left.touch()  # the forks see it, and end
    assert work.run(job("assert 1 + 1 == 2"))["outputs"] == {"a-check": []}, "another process has taken its place"


CELLS = {  # of a learner's, and what each shows
    "import math\n\n\n# why\n@staticmethod\ndef root(\n    x,\n):\n    '''Says\nmore; oddly.'''\n    return math.sqrt(x)": [],
    "def root(x): return x ** 0.5\nroot(9)": ["Out[0]: 3.0\n"],
    "import math; math.inf": ["Out[0]: inf\n"],
    "def root(x):\n    return x ** 0.5\n\n\nfor i in range(2):\n    print(i)": ["0\n1\n"],
    "class Root:\n    print('made')\n    x = 1; y = 2": ["made\n"],
    "from math import (\n    pi,\n)\npi": ["Out[0]: 3.141592653589793\n"],
    "%precision 3\n1.23456": ["Out[0]: 1.235\n"],
    "def root(x):\nreturn x": ["IndentationError"],
    "def root(x=nothing):\n    return x": ["NameError"],
}


def test_a_learners_cell_shows_what_it_would_in_a_notebook():
    asked = job("")
    asked["cells"] = [{"id": str(number), "kind": "mend", "source": source} for number, source in enumerate(CELLS)]
    outputs = work.run(asked)["outputs"]
    for number, shown in enumerate(CELLS.values()):
        said = [out.get("ename") or out.get("text") or out["data"]["text/plain"] for out in outputs[str(number)]]
        assert said == shown, asked["cells"][number]["source"]
