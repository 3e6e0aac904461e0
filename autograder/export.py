"""Write the gradebook's marks for other programs: nbgrader's own CSV, and one each that Canvas and Moodle import.

Their columns are as the two services document their gradebooks' import; the tests read the files again, and no real service was
asked. Both are nbgrader export plugins too:  nbgrader export --exporter=autograder.export.CanvasExportPlugin
"""

import csv
import io
import os
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin, ExportPlugin
from rich.console import Console

from .gradebook import plain_errors
from .kept import write_whole
from .nbgrader_settings import course_config
from .paths import ROOT


class _TablePlugin(ExportPlugin):
    """One row for each student, one column for each assignment; empty where nothing was handed in, which overwrites nothing."""

    def export(self, gradebook):
        wanted = [assignment for assignment in gradebook.assignments if not self.assignment or assignment.name in self.assignment]
        students = [student for student in gradebook.students if not self.student or student.id in map(str, self.student)]
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow([*self.columns, *(assignment.name for assignment in wanted)])
        self.write_more(writer, wanted)
        scores = [_scores(gradebook, assignment.name) for assignment in wanted]
        for student in students:
            writer.writerow([*self.who(student), *(of.get(student.id, "") for of in scores)])
        write_whole(self.to or self.default, text.getvalue())

    def write_more(self, writer, assignments):
        """Rows between the names of the columns and the first student."""


class CanvasExportPlugin(_TablePlugin):
    """For Canvas: Grades, Import. It knows students by the SIS user id (`lms_user_id` in nbgrader) or the login (nbgrader's id).

    An assignment that Canvas does not know by this name it offers to make; the points possible are in the second row.
    """

    default = "grades-canvas.csv"
    columns = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]

    def who(self, student):
        name = ", ".join(part for part in (student.last_name, student.first_name) if part)
        return [name or student.id, "", student.lms_user_id or "", student.id, ""]

    def write_more(self, writer, assignments):
        writer.writerow(["    Points Possible", "", "", "", "", *(f"{assignment.max_score:g}" for assignment in assignments)])


class MoodleExportPlugin(_TablePlugin):
    """For Moodle: Grades, Import, CSV file. Map one of the first three columns to the user, and each assignment to its item."""

    default = "grades-moodle.csv"
    columns = ["username", "email", "idnumber"]

    def who(self, student):
        return [student.id, student.email or "", student.lms_user_id or ""]


def export(to=None, root=ROOT, console=None):
    """Write the marks to `to` (root/grades.csv unless given), and beside it to NAME-canvas.csv and NAME-moodle.csv.

    Penalties for lateness are taken off. Returns the three paths. Raises GradebookError.
    """
    root, console = Path(root), console or Console()
    to = Path(to) if to else root / "grades.csv"
    config = course_config(root)
    course = CourseDirectory(config=config)
    paths = [to, *(to.with_stem(f"{to.stem}-{service}") for service in ("canvas", "moodle"))]
    with plain_errors(), Gradebook(course.db_url, course.course_id) as gradebook:
        for path, kind in zip(paths, (CsvExportPlugin, CanvasExportPlugin, MoodleExportPlugin)):
            # nbgrader's own writes as it goes: to another name first, so that a full disk leaves the last one whole.
            part = path.with_name(f".part-{path.name}")
            plugin = kind(config=config)
            plugin.to = str(part)
            try:
                plugin.export(gradebook)
                os.replace(part, path)
            finally:
                part.unlink(missing_ok=True)
            console.print(f"Marks: {path}", markup=False, highlight=False, soft_wrap=True)
        unseen = sum(mark["needs_manual_grade"] for of in gradebook.assignments for mark in gradebook.submission_dicts(of.name))
    if unseen:
        console.print(f"{unseen} submissions have a mark that formgrader asks a person to look at again.")
    return paths


def _scores(gradebook, assignment):
    """The score of each student who handed in `assignment`, less the penalty."""
    scores = {}
    for mark in gradebook.submission_dicts(assignment):
        try:
            penalty = gradebook.find_submission(assignment, mark["student"]).late_submission_penalty
        except MissingEntry:  # deleted in this moment
            continue
        scores[mark["student"]] = f"{max(0.0, mark['score'] - (penalty or 0.0)):g}"
    return scores
