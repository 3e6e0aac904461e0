"""The command line: `autograder COMMAND`. A module is imported only by the command that needs it, so that each starts quickly."""

import argparse
import subprocess
import sys
from pathlib import Path

from .paths import ROOT, STAGES, STUDY, notebook_path


def main(argv=None):
    """Run one command; returns its exit status: 0 when all is well, 1 when something is not yet right, 2 for a bad command."""
    parser = _parser()
    options, options.rest = parser.parse_known_args(argv)
    if options.rest and options.command != "test":
        parser.error(f"unrecognized arguments: {' '.join(options.rest)}")
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("\nautograder: stopped; nothing was left half-written.", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(prog="autograder", description="Study, build, test and grade the Training Clinic.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    study = commands.add_parser("study", help="open the course in JupyterLab, on a copy of your own")
    study.add_argument("stage", nargs="?", choices=STAGES, help="the stage to open; the first, unless given")
    study.add_argument("--no-browser", action="store_true", help="print the address instead of opening a browser")
    study.add_argument("--port", type=int, default=8888, help="the port to listen on; the next free one where it is taken")
    study.set_defaults(run=_study)

    check = commands.add_parser("check", help="run the checks of your copy, and see how far you have come")
    check.add_argument("what", nargs="?", metavar="STAGE or NOTEBOOK", help="your copy in study/, all stages, unless given")
    check.add_argument("--case", metavar="ID", help="only this case, such as lr-too-high")
    check.add_argument("--full", action="store_true", help="the hidden checks too: the same demands, with other numbers")
    check.set_defaults(run=_check)

    update = commands.add_parser("update", help="bring a newer release of the course into your copy, and keep your answers")
    update.set_defaults(run=_update)

    reset = commands.add_parser("reset", help="give one case of your copy back as it was released")
    reset.add_argument("case", metavar="CASE", help="its id, such as lr-too-high")
    reset.set_defaults(run=_reset)

    new = commands.add_parser("new", help="start a case: its file, and that of its answers")
    new.add_argument("case", metavar="CASE", help="its id: words of a to z with hyphens between, such as uneven-batches")
    new.add_argument("--stage", choices=STAGES, default=STAGES[0], help=f"the stage it belongs to; {STAGES[0]} unless given")
    new.set_defaults(run=_new)

    build = commands.add_parser("build", help="make solutions/ and course/ from the cases")
    build.add_argument("stage", nargs="?", choices=STAGES, help="only this stage")
    build.add_argument("--case", metavar="ID", help="only prove this case, which takes seconds; write nothing")
    build.add_argument("--check", action="store_true", help="write nothing; say what differs, and fail where something does")
    build.set_defaults(run=_build)

    release = commands.add_parser("release", help="put together what a class is handed out")
    release.add_argument("stage", nargs="?", choices=STAGES, help="the stage to hand out; with --zip all, unless given")
    release.add_argument("--zip", action="store_true", help="only the archives, which run wherever numpy and matplotlib are")
    release.set_defaults(run=_release)

    grade = commands.add_parser("grade", help="grade a class, each submission in a sandbox, and write nbgrader's gradebook")
    grade.add_argument("submitted", nargs="?", type=Path, help="folder with STUDENT/STAGE/STAGE.ipynb; submitted/ unless given")
    grade.add_argument("--stage", choices=STAGES, help="only this stage")
    grade.add_argument("--jobs", type=_count, metavar="N", help="how many run at once; as many as there are cores unless given")
    grade.add_argument("--dask", metavar="ADDRESS", help="run them on the Dask cluster whose scheduler listens there")
    grade.add_argument("--figures", action="store_true", help="run the learners' figures too, which change no mark")
    grade.add_argument("--unsafe", action="store_true", help="without a sandbox: learners' code runs with your rights")
    grade.add_argument("--csv", type=Path, metavar="FILE", help="where the marks by case go; marks.csv unless given")
    grade.set_defaults(run=_grade)

    feedback = commands.add_parser("feedback", help="write each learner a page and a short text about their graded work")
    feedback.add_argument("--stage", choices=STAGES, help="only this stage")
    feedback.add_argument("--student", metavar="STUDENT", help="only for this one")
    feedback.set_defaults(run=_feedback)

    export = commands.add_parser("export", help="write the marks as nbgrader's CSV, and for Canvas and Moodle")
    export.add_argument("--to", type=Path, metavar="FILE", help="grades.csv unless given; the others lie beside it")
    export.set_defaults(run=_export)

    bench = commands.add_parser("bench", help="grade a made-up class with stock nbgrader and with ours, and compare")
    bench.add_argument("--size", type=_count, default=40, metavar="N", help="submissions in the class; 40 unless given")
    bench.add_argument("--stage", choices=STAGES, help="only this stage")
    bench.add_argument("--growth", action="store_true", help="classes of growing size instead, ours alone; draws a chart")
    bench.set_defaults(run=_bench)

    prove = commands.add_parser("prove", help="measure what the checks are worth, case by case, and write tests/PROOF.md")
    prove.add_argument("case", nargs="?", metavar="CASE", help="only this case, such as lr-too-high")
    how = prove.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="write nothing; fail where a figure has fallen or the page is stale")
    how.add_argument("--all", action="store_true", help="forget what was proven before")
    how.add_argument("--misconceptions", action="store_true", help="list the wrong answers, and what each is told")
    how.add_argument(
        "--versions",
        nargs="*",
        metavar="NAME",
        help="prove it on other Pythons and packages too, in these environments, such as 3.13, or in all; uv brings the Pythons",
    )
    prove.set_defaults(run=_prove)

    test = commands.add_parser("test", help="run every test, as CI does; further arguments go to pytest")
    test.set_defaults(run=_test)
    return parser


def _study(options):
    from .study import study

    return study(options.stage, browser=not options.no_browser, port=options.port)


def _check(options):
    from .check import NothingToCheck, check

    stages = [options.what] if options.what in STAGES else STAGES
    paths = (
        [Path(options.what)] if options.what and options.what not in STAGES else [notebook_path(STUDY, stage) for stage in stages]
    )
    try:
        passed = check(paths, options.case, options.full)
    except NothingToCheck as error:
        return _fail(error)
    return 0 if passed else 1


def _update(options):
    from .update import NothingToUpdate, update

    try:
        return 0 if update() else 1
    except (NothingToUpdate, OSError) as error:
        return _fail(error)


def _reset(options):
    from .update import NothingToUpdate, reset

    try:
        reset(options.case)
    except (NothingToUpdate, OSError) as error:
        return _fail(error)
    return 0


def _new(options):
    from .new import NoNewCase, new

    try:
        case, answers = new(options.case, options.stage)
    except (NoNewCase, OSError) as error:
        return _fail(error)
    print(f"The case: {case}\nIts answers: {answers}")
    print("The number is its place in the notebook: to move it, rename both files.")
    print(f"Next: let its check ask for what is broken, mend that in its SOLUTION, and then:  {_proving(options.case)}")
    return 0


def _proving(case):
    return f"python3 autograder build --case {case}"


def _build(options):
    from .build import BuildError, build
    from .cases import CaseError, case_paths

    try:
        drift = build(_stages(options), check=options.check, case=options.case)
    except (BuildError, CaseError) as error:
        return _fail(f"{error}\nNext: mend that, and then:  {_proving(options.case)}" if options.case else error)
    if options.case:
        print(f"{options.case}: its checks fail with the BROKEN code, and pass with the SOLUTION. Next, in this order:")
        name = options.case.replace("-", "_")
        stage = next(stage for stage in STAGES if any(path.stem[3:] == name for path in case_paths(stage)))
        print(f"    python3 autograder build {stage}")
        print(
            f"    python3 autograder test tests/test_answers.py tests/test_arguments.py tests/test_release.py -k {options.case}"
        )
        return 0
    for line in drift:
        print(line)
    if not drift:
        print("Everything is as its cases say." if options.check else "Built.")
    return 1 if drift else 0


def _release(options):
    from .choice import ChoiceError
    from .release import archives, release

    if options.zip:
        try:
            archives(_stages(options))
        except OSError as error:
            return _fail(error)
        return 0
    if not options.stage:
        return _fail(f"name the stage to hand out, such as  release {STAGES[0]} ; or  release --zip  for archives of all", 2)
    from .gradebook import GradebookError

    try:
        release(options.stage)
    except (ChoiceError, GradebookError, OSError) as error:
        return _fail(error)
    return 0


def _grade(options):
    from .choice import ChoiceError
    from .cluster import NoCluster
    from .grade import GradingStopped, NothingToGrade, grade
    from .gradebook import GradebookError
    from .grader.box import NoSandbox
    from .grader.unsafe import UNSAFE
    from .kept import Busy

    try:
        rows = grade(
            options.submitted,
            _stages(options),
            jobs=options.jobs,
            dask=options.dask,
            sandbox=UNSAFE if options.unsafe else None,
            marks_csv=options.csv,
            show_figures=options.figures,
        )
    except NoSandbox as error:
        return _fail(f"{error}; or grade people whom you trust with --unsafe: their code then runs with your rights")
    except (Busy, ChoiceError, GradebookError, GradingStopped, NoCluster, NothingToGrade) as error:
        return _fail(error)
    return 1 if any(row["problem"] for row in rows) else 0


def _feedback(options):
    from .choice import ChoiceError
    from .feedback import NothingGraded, feedback
    from .gradebook import GradebookError

    try:
        problems = feedback(_stages(options), options.student)
    except (ChoiceError, GradebookError, NothingGraded, OSError) as error:
        return _fail(error)
    return 1 if problems else 0


def _export(options):
    from .export import export
    from .gradebook import GradebookError

    try:
        export(options.to)
    except (GradebookError, OSError) as error:
        return _fail(error)
    return 0


def _bench(options):
    from .bench import BenchFailed, bench, growth
    from .grader.box import NoSandbox, kind_of_sandbox

    try:
        kind_of_sandbox()
        if options.growth:
            growth(options.stage or STAGES[0])
            return 0
        return 0 if bench(options.size, _stages(options))["same_marks"] else 1
    except (BenchFailed, NoSandbox) as error:
        return _fail(error)


def _prove(options):
    from .cases import CaseError
    from .grader.box import NoSandbox, kind_of_sandbox

    try:
        kind_of_sandbox()
    except NoSandbox as error:
        return _fail(error)
    sys.path.insert(0, str(ROOT))  # the tests are no part of the package
    from tests.proof import elsewhere, prove, versions
    from tests.proof.record import NoRecord

    try:
        if options.misconceptions:
            prove.tell_misconceptions(options.case)
            return 0
        if options.versions is not None:
            lines = elsewhere.prove_versions(options.versions, options.case)
        elif options.check:
            lines = prove.check(options.case)
            for line in versions.told_stale(versions.read(), prove.hashes()):
                print(line)  # no failure: it takes an hour or more to try it all again
        else:
            lines = prove.prove(options.case, anew=options.all)
    except (CaseError, NoRecord, elsewhere.NoEnvironment, prove.NoSuchCase) as error:
        return _fail(error)
    for line in lines:
        print(line)
    if not lines:
        print("Everything holds." if options.check else "Proven: tests/PROOF.md.")
    return 1 if lines else 0


def _test(options):
    command = [sys.executable, "-m", "pytest", *options.rest]
    return subprocess.call(command, cwd=ROOT)


def _count(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _stages(options):
    return [options.stage] if options.stage else None


def _fail(error, status=1):
    print(f"autograder: {error}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
