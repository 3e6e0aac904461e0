"""What a learner gets back: nbgrader's feedback page, and beside it a short text that says what to look at next.

The page holds no script, asks nothing of any other place, and shows no hidden check. So a formula stands in it as it was typed:
what would draw it, MathJax, is a script that nbgrader's page fetches from elsewhere.
"""

import os
import re
from pathlib import Path

import nbformat
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import is_grade
from rich.console import Console

from .gradebook import QUIET, OpenGradebook
from .grader import intake
from .judge import exercises_in
from .kept import write_whole
from .nbgrader_settings import course_config
from .paths import ROOT, STAGES, notebook_path
from .progress import progress_bar

_SECRET = "submission_secret.txt"  # nbgrader's exchange gives feedback the name that it works out from it
_TERMINAL_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class NothingGraded(Exception):
    """There is nothing to give feedback on; the text says what to do."""


def feedback(stages=None, student=None, root=ROOT, console=None):
    """Write root/feedback/STUDENT/STAGE/STAGE.html and STAGE.txt for what was graded; returns a line for each that failed.

    Raises NothingGraded, ChoiceError, GradebookError.
    """
    root, console = Path(root), console or Console()
    config = course_config(root)
    course, api = CourseDirectory(config=config), NbGraderAPI(config=config)
    api.log = QUIET
    graded = [(name, stage) for stage in stages or STAGES for name in _graded(course, stage) if student in (None, name)]
    if not graded:
        whose = f"of {student!r} " if student else ""
        raise NothingGraded(f"nothing {whose}is graded yet in {root}: run  autograder grade  first")
    problems = []
    with OpenGradebook(config) as gradebook, progress_bar(console, rate=True) as bar:
        task = bar.add_task("Feedback", total=len(graded))
        for stage in dict.fromkeys(stage for _, stage in graded):
            gradebook.record(stage)
        for name, stage in graded:
            result = api.generate_feedback(stage, name)
            marks = gradebook.marks(name, stage)
            if result["success"] and marks:
                notebook = nbformat.read(_path(course, course.autograded_directory, name, stage), as_version=4)
                page = _path(course, course.feedback_directory, name, stage)
                write_whole(page.with_suffix(".txt"), text(stage, marks, notebook))
                secret = _path(course, course.submitted_directory, name, stage).with_name(_SECRET)
                try:
                    if os.path.lexists(secret):
                        write_whole(page.with_name(_SECRET), intake.read_file(secret).decode("utf-8", "replace"))
                except intake.Refused as error:
                    problems.append(f"{name}, {stage}: the exchange cannot hand the feedback out ({error})")
            else:
                said = [line for line in (result.get("error") or "it has no mark").splitlines() if line.strip()]
                problems.append(f"{name}, {stage}: no feedback ({said[-1]})")
            bar.advance(task)
    for problem in problems:
        console.print(problem, markup=False, highlight=False)
    written = course.format_path(course.feedback_directory, student or "STUDENT", "STAGE")
    console.print(f"Feedback: {written}, a page and a text each", markup=False, highlight=False, soft_wrap=True)
    return problems


def text(stage, marks, notebook):
    """The short text: points by case, what the first failing check of each unmended case says, and where to go on."""
    outputs = {cell.metadata["nbgrader"]["grade_id"]: cell.outputs for cell in notebook.cells if is_grade(cell)}
    exercises = exercises_in(notebook)
    lines = [f"{stage}: {marks.score:g} of {sum(exercise.points for exercise in exercises):g} points"]
    if marks.late_penalty:
        lines.append(f"It came late, which takes off {marks.late_penalty:g}.")
    lines += ["", "points  case"]
    unmended = []
    for exercise in exercises:
        points = sum(marks.by_check[check.id] for check in exercise.checks)
        lines.append(f"{f'{points:g}/{exercise.points:g}':>6}  {exercise.title}")
        failing = next((check.id for check in exercise.checks if marks.by_check[check.id] < check.points), None)
        if failing:
            unmended.append((exercise, _message(outputs.get(failing, []))))
    for exercise, message in unmended:
        lines += ["", f"{exercise.title} ({exercise.id})", *(f"  {line}" for line in message.splitlines())]
    lines += ["", f"Look next at: {unmended[0][0].title}" if unmended else "Every case is mended."]
    return "\n".join(lines) + "\n"


def _message(outputs):
    errors = [output["evalue"] for output in outputs if output["output_type"] == "error"]
    return _TERMINAL_COLOURS.sub("", errors[0]) if errors and errors[0].strip() else "Not yet."


def _graded(course, stage):
    """The students with a marked notebook of the stage."""
    folder = Path(course.root) / course.autograded_directory
    names = sorted(os.listdir(folder)) if folder.is_dir() else []
    return [name for name in names if _path(course, course.autograded_directory, name, stage).is_file()]


def _path(course, step, student, stage):
    return Path(course.format_path(step, student, stage)) / notebook_path("", stage).name
