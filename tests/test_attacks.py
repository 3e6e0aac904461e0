"""A class of attackers, graded in both sandboxes: each gets what it has earned, learns and changes nothing, and stops nobody."""

import io
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import nbformat
import numpy as np
import pytest
from rich.console import Console

from autograder.feedback import feedback
from autograder.grade import grade
from autograder.paths import ROOT, STAGES, notebook_path
from autograder.sandbox.limits import Limits

from .attacks import ATTACKS, Places, Release
from .attacks.judging import Facts, Listeners, came_back, dangers, hidden_lines, own_text, points_of, state_of, still_running

SEED = 5318008271828459045
LIMITS = Limits(cell_seconds=10, call_seconds=10, submission_seconds=120)
# Most denials wait for a limit, or run into it.
SHORT = Limits(cell_seconds=2, call_seconds=1, check_seconds=2, submission_seconds=20)
MINUTES = 15  # that one class may take, whatever else runs on the machine: nothing in it goes on without end
# A page takes longer than the grading. It is made of these, which are about a page or hard to lay out; what the others show is in
# the marked notebook, of which a page is made.
PAGES = {"printed-inputs", "expected-of-hidden", "scripts-in-text", "scripts-in-outputs", "scripts-in-errors"}
PAGES |= {"scripts-in-the-file", "slow-to-render", "long-words", "text-with-markup", "odd-letters", "inputs-in-figures"}
FIRST, LAST = "aaa-neighbour", "zzz-neighbour"  # graded before and after all attacks
STRONG = {"bubblewrap": "bwrap", "landlock": None}  # what each sandbox needs on the path

VICTIM = """
import signal, sys, time
signal.signal(signal.SIGURG, lambda *args: open(sys.argv[1], "a").write("x"))
print("ready", flush=True)
time.sleep(1200)
"""


@dataclass
class Graded:
    """A class after grading."""

    root: Path
    rows: dict  # by folder and stage
    facts: Facts
    places: dict  # of each attack, by its name
    outside: dict  # by attack, before and after
    project: tuple  # its files before and after
    running: dict  # by attack, the processes left
    strewn: dict  # by attack, the files left in places that are writable to many
    heard: list
    signalled: str
    printed: str
    seconds: float


def expected(stage, cases):
    """The marks, by check, of who has mended these cases."""
    return {name: points * (case in cases) for name, (case, points) in points_of(stage).items()}


def neighbours_cases(stage):
    """What the first neighbour has mended, and the last. Only those of one stage are diligent, which takes a while."""
    cases = list(dict.fromkeys(case for case, _ in points_of(stage).values()))
    return {FIRST: cases[::2], LAST: cases} if stage == STAGES[0] else {FIRST: cases[:2], LAST: cases[1:4]}


@pytest.fixture(scope="module", params=STRONG)
def graded(request, tmp_path_factory):
    """One class with all attacks and two neighbours, graded at once."""
    engine = request.param
    if STRONG[engine] and not shutil.which(STRONG[engine]):
        pytest.skip(f"{engine} is not installed here")
    root = tmp_path_factory.mktemp("class")
    home = Path(tempfile.mkdtemp(prefix=".clinic-attacks-", dir=Path.home() if os.access(Path.home(), os.W_OK) else "/var/tmp"))
    listeners = Listeners(home, f"clinic-{os.getpid()}-{engine}")
    urged = home / "urged"
    victim = subprocess.Popen([sys.executable, "-c", VICTIM, str(urged)], stdout=subprocess.PIPE)
    victim.stdout.readline()
    base = Places(root=str(root), project=str(ROOT), neighbour=FIRST, tcp=str(listeners.tcp), udp=str(listeners.udp))
    base = replace(base, abstract=listeners.abstract, socket=listeners.path, victim=str(victim.pid), group=str(os.getpgrp()))
    facts = Facts(base, SEED)
    (root / "private_seed.txt").write_text(f"{SEED}\n")
    (root / "nbgrader_config.py").write_text("c = get_config()\n")
    os.environ["CLINIC_CANARY"] = facts.environment_canary
    try:
        yield _grade(engine, root, home, facts, listeners, urged)
    finally:
        del os.environ["CLINIC_CANARY"]
        victim.kill()
        victim.wait()
        listeners.close()
        for attack in ATTACKS:
            for pid in still_running(attack.mark):
                os.kill(pid, signal.SIGKILL)
            for path in strewn(attack.mark, root):
                path.unlink()
        shutil.rmtree(home)


def _grade(engine, root, home, facts, listeners, urged):
    for stage in STAGES:
        for name, cases in neighbours_cases(stage).items():
            release = Release(stage)
            remark = (None, f"Mine: {facts.neighbours_canary}", "markdown"), (None, f"# {facts.neighbours_canary}")
            release.write(release.handed_in(cases, extra=remark), root / "submitted" / name)
    places = {}
    for attack in ATTACKS:
        outside = home / attack.mark
        outside.mkdir()
        (outside / "keep.txt").write_text("keep\n")
        (outside / ".bashrc").write_text("# keep\n")
        (outside / "secret.txt").write_text(facts.outside_canary)
        places[attack.name] = replace(facts.places, mark=attack.mark, outside=str(outside))
        folder = handed_in(root, attack)
        folder.mkdir(parents=True)
        attack.make(Release(attack.stage, places[attack.name]), folder)
    before = {attack.name: _state(root, home, attack) for attack in ATTACKS}
    project = _state_of_project()
    console = Console(file=io.StringIO(), width=200)
    start = time.monotonic()
    rows = []
    for folder, limits in (("submitted", LIMITS), ("submitted-denial", SHORT)):
        if (root / folder).is_dir():
            rows += grade(root / folder, stages=STAGES, root=root, console=console, jobs=2, sandbox=engine, limits=limits)
    running = {attack.name: still_running(attack.mark) for attack in ATTACKS}
    shown = {FIRST, *(attack.folder for attack in ATTACKS if attack.name in PAGES)}
    with mock.patch("autograder.feedback._graded", lambda course, stage: sorted(shown) if stage == STAGES[0] else []):
        feedback(root=root, stages=STAGES)
    seconds = time.monotonic() - start
    return Graded(
        root=root,
        rows={(row["student"], row["stage"]): row for row in rows},
        facts=facts,
        places=places,
        outside={attack.name: (before[attack.name], _state(root, home, attack)) for attack in ATTACKS},
        project=(project, _state_of_project()),
        running=running,
        strewn={attack.name: strewn(attack.mark, root) for attack in ATTACKS},
        heard=listeners.heard,
        signalled=urged.read_text() if urged.exists() else "",
        printed=console.file.getvalue(),
        seconds=seconds,
    )


def handed_in(root, attack):
    """The folder that an attack hands in."""
    return root / ("submitted-denial" if attack.kind == "denial" else "submitted") / attack.folder


def _state(root, home, attack):
    """What an attack finds outside, and what it has handed in, which stays as it was too."""
    return state_of(home / attack.mark), state_of(handed_in(root, attack))


def _state_of_project():
    files = {
        f"{name}/{path}": state for name in ("autograder", "course", "solutions") for path, state in state_of(ROOT / name).items()
    }
    return files | {"nbgrader_config.py": (ROOT / "nbgrader_config.py").read_bytes()}


def strewn(mark, root):
    """The files with this mark that lie where many may write."""
    places = [
        "/",
        "/tmp",
        "/var/tmp",
        "/dev/shm",
        "/dev/mqueue",
        "/run",
        "/run/lock",
        Path.home(),
        sys.prefix,
        root,
        ROOT,
        ROOT / "course",
    ]
    places += [ROOT / "solutions", ROOT / "course/clinic", Path(np.__file__).parent, sysconfig.get_paths()["purelib"]]
    places += [root / "submitted" / FIRST / "optimizers"]
    return sorted({path for place in map(Path, places) if place.is_dir() for path in place.glob(f"{mark}*")})


def by_attack(*names):
    return pytest.mark.parametrize(
        "attack", [pytest.param(a, id=f"{a.kind}-{a.name}") for a in ATTACKS if not names or a.name in names]
    )


def row_of(graded, attack):
    """Its row of the table, in which a name that is not printable stands as Python writes it."""
    name = attack.folder
    return graded.rows[name if name.isprintable() else ascii(name)[1:-1], attack.stage]


@by_attack()
def test_it_gets_what_it_has_earned(graded, attack):
    row = row_of(graded, attack)
    for name, points in expected(attack.stage, attack.earned).items():
        # Who uses up the machine may run out of time for what is right: how much there is of it depends on what else runs.
        right = {points, 0} if attack.may_refuse or attack.kind == "denial" else {points}
        assert row.get(name, 0) in right, (
            f"{attack.about} {name}: {row.get(name)} of {points_of(attack.stage)[name][1]}; {row['problem']}"
        )
    assert row["score"] == sum(row.get(name, 0) for name in points_of(attack.stage))
    assert row["max_score"] in (sum(points for _, points in points_of(attack.stage).values()), 0 if row["problem"] else None)


@by_attack()
def test_its_problem_is_one_plain_line(graded, attack):
    problem = row_of(graded, attack)["problem"]
    assert problem.isprintable() and len(problem) <= 300 and "Traceback" not in problem, problem
    if attack.kind == "honest" and not attack.may_refuse:
        assert not problem


@by_attack()
def test_it_learns_nothing(graded, attack):
    shown, own = came_back(graded.root, attack), own_text(handed_in(graded.root, attack))
    facts = replace(graded.facts, places=graded.places[attack.name])
    secrets = attack.secret(facts) if callable(attack.secret) else attack.secret
    everybodys = (
        *hidden_lines(attack.stage),
        *facts.seed_texts(),
        facts.environment_canary,
        facts.outside_canary,
        facts.neighbours_canary,
    )
    told = [secret for secret in (*secrets, *everybodys) if secret in shown and secret not in own]
    assert not told, f"{attack.about} It has learned {told[:3]}"


@by_attack()
def test_it_reaches_nothing(graded, attack):
    """Attacks say REACHED and what, where they have reached it."""
    shown = came_back(graded.root, attack)
    place = shown.find(f"REACHED:{attack.mark}")
    assert place < 0, f"{attack.about} {shown[place : place + 200]!r}"
    assert not [words for words in graded.heard if attack.mark in words]


@by_attack()
def test_it_changes_nothing(graded, attack):
    before, after = graded.outside[attack.name]
    assert after == before, attack.about
    assert not graded.strewn[attack.name]


@by_attack()
def test_it_leaves_no_process(graded, attack):
    assert not graded.running[attack.name], attack.about


@by_attack(*PAGES)
def test_its_page_runs_nothing(graded, attack):
    assert not dangers(graded.root, attack, attack.stage, harmless=FIRST), attack.about


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", [FIRST, LAST])
def test_neighbours_marks_are_right(graded, name, stage):
    row = graded.rows[name, stage]
    wanted = expected(stage, neighbours_cases(stage)[name])
    assert {check: row.get(check) for check in wanted} == wanted and not row["problem"]


def test_nobody_was_signalled_or_called(graded):
    assert not graded.signalled and not graded.heard


def test_the_project_is_as_it_was(graded):
    before, after = graded.project
    assert not [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    assert (graded.root / "private_seed.txt").read_text() == f"{SEED}\n"
    assert (graded.root / "nbgrader_config.py").read_text() == "c = get_config()\n"


def test_nothing_is_written_into_the_terminal(graded):
    assert "\x1b]" not in graded.printed and "\x1b[2J" not in graded.printed


def test_it_took_less_than_it_may(graded):
    assert graded.seconds < 60 * MINUTES


def test_the_corpus_is_as_it_says():
    """Every attack has a name of its own, and mends what its stage has."""
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 66
    assert len({attack.folder for attack in ATTACKS}) == len({attack.mark for attack in ATTACKS}) == len(ATTACKS)
    assert {attack.kind for attack in ATTACKS} == {"points", "leaks", "host", "denial", "malformed", "honest"}
    for attack in ATTACKS:
        assert set(attack.earned) <= {case for case, _ in points_of(attack.stage).values()}, attack.name


def test_release_notebooks_have_the_cells_that_attacks_use(tmp_path):
    """What is written is a notebook wherever cells were meant, and no mark is left to be filled in."""
    for attack in ATTACKS:
        if attack.kind == "malformed" or attack.name.startswith("file-"):
            continue
        folder = tmp_path / attack.mark
        folder.mkdir()
        outside = tmp_path / "outside" / attack.mark
        outside.mkdir(parents=True)
        (outside / "keep.txt").touch()
        attack.make(Release(attack.stage, Places(mark=attack.mark, outside=str(outside), project=str(ROOT))), folder)
        path = notebook_path(folder, attack.stage)
        if path.is_file() and not path.is_symlink() and attack.name != "hard-linked":
            text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
            assert not [mark for mark in ("@BROKEN@", "@MENDED@", "@MARK@", "@ROOT@") if mark in text], attack.name
