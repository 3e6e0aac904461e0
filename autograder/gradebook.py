"""nbgrader's gradebook, opened once for a whole class.

nbgrader's own Autograde opens the gradebook nine times a submission, and looks up and commits every cell by itself. Here the
rows of a submission are fetched together and committed together; what is written in them is still decided by nbgrader's own
preprocessors, which find the fetched rows where they would have found the gradebook.
"""

import contextlib
import json
import logging
import tempfile
import warnings
from dataclasses import dataclass
from types import SimpleNamespace

import nbformat
from nbconvert.preprocessors import Preprocessor
from nbgrader import preprocessors as stock
from nbgrader.api import Comment, Grade, Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from traitlets.config import Config

from .cases import released
from .choice import choose, read_choice
from .paths import SOLUTIONS, notebook_path
from .preprocessors import IsolatedExecute

# nbgrader tells the terminal of every late submission; what goes wrong is told by us, in one line.
QUIET = logging.getLogger("autograder.nbgrader")
QUIET.setLevel(logging.CRITICAL + 1)
_HEARD = logging.getLogger("autograder.nbgrader.heard")  # as quiet, but its errors come back in nbgrader's results
_HEARD.setLevel(logging.ERROR)
_HEARD.propagate = False


class GradebookError(Exception):
    """The gradebook cannot be used as it is; the text says what to do."""


@dataclass
class Marks:
    """What the gradebook holds of one submission. auto: the grader's own score of each check; manual ones stand above it."""

    score: float
    late_penalty: float
    by_check: dict
    auto: dict


class OpenGradebook:
    """The gradebook that `config` names. Use it in a `with`, from one thread."""

    def __init__(self, config):
        self._config, self._course = config, CourseDirectory(config=config)
        self._converter = Autograde(coursedir=self._course, config=config)
        self._converter.log = QUIET
        self._before = [self._made(kind) for kind in self._converter.sanitize_preprocessors]
        executes = (stock.Execute, IsolatedExecute)
        self._after = [self._made(kind) for kind in self._converter.autograde_preprocessors if not issubclass(kind, executes)]
        self._stages, self._checked = {}, set()

    def __enter__(self):
        with plain_errors():
            self._book = Gradebook(self._course.db_url, self._course.course_id)
            self._book.db.remove()
        return self

    def __exit__(self, *error):
        self._book.close()

    def record(self, stage):
        """Tell the gradebook of the stage's cells, hidden checks included, unless it knows them as they are.

        Raises GradebookError where nbgrader refuses it, as it does when cells came or went after the first mark was written, and
        ChoiceError.
        """
        with self._transaction():
            is_recorded = self._recorded(stage) == _cells_of(stage, self._course.root)
        if not is_recorded:
            with tempfile.TemporaryDirectory() as elsewhere:  # course/ is made by `build`, and stays as it is
                generate(self._config, stage, elsewhere)
        with self._transaction():
            notebook = self._book.find_notebook(stage, stage)
            self._stages[stage] = SimpleNamespace(
                source={
                    cell.name: SimpleNamespace(
                        name=cell.name, cell_type=cell.cell_type, locked=cell.locked, source=cell.source, checksum=cell.checksum
                    )
                    for cell in notebook.source_cells
                },
                graded={cell.name: SimpleNamespace(id=cell.id, max_score=cell.max_score) for cell in notebook.grade_cells},
                commented={cell.name: SimpleNamespace(id=cell.id) for cell in notebook.solution_cells},
            )

    def max_score(self, stage):
        """The points that there are in a stage."""
        return sum(cell.max_score for cell in self._stages[stage].graded.values())

    def autograded(self, student, stage):
        """The folder in which nbgrader and formgrader look for a marked notebook."""
        return self._converter._format_dest(stage, student)

    def timestamp(self, folder):
        """When the submission in `folder` was handed in, as nbgrader wrote it there; None where it did not."""
        return self._course.get_existing_timestamp(str(folder))

    def restore(self, notebook, stage):
        """Let nbgrader set every cell's metadata, and every locked cell, to what the gradebook says."""
        return self._run(self._before, notebook, stage, rows=_Rows(self._stages[stage]))

    def write(self, notebook, student, stage, timestamp=None):
        """Write the marks of a notebook that has its outputs, and the penalty where it came late; returns its Marks.

        A mark or comment that a person set in formgrader stays. Written twice, it is the same as written once.
        """
        with self._transaction():
            self._book.update_or_create_student(student)
            kwargs = {"timestamp": timestamp} if timestamp else {}
            submission = self._book.update_or_create_submission(stage, student, **kwargs)
            rows = self._rows_of(submission, stage)
            for kind, cells, found in ((Grade, rows.stage.graded, rows.grades), (Comment, rows.stage.commented, rows.comments)):
                names = {cell.id: name for name, cell in cells.items()}
                found.update((names[row.cell_id], row) for row in self._book.db.query(kind).filter(*_of(kind, rows)))
            self._run(self._after, notebook, stage, rows)
            return self._finish(submission, rows)

    def marks(self, student, stage):
        """The Marks of a submission as the gradebook has them, the penalty for lateness brought up to date; None without any."""
        with self._transaction():
            try:
                submission = self._book.find_submission(stage, student)
            except MissingEntry:
                return None
            return self._finish(submission, self._rows_of(submission, stage))

    def _finish(self, submission, rows):
        for preprocessor in self._after:
            if isinstance(preprocessor, stock.AssignLatePenalties):
                _assign_penalty(preprocessor, submission, rows.notebook)
        self._book.db.flush()
        # In one query: asked one by one, each score would be worked out anew by the database.
        scores = self._book.db.query(Grade.cell_id, Grade.score, Grade.auto_score).filter(*_of(Grade, rows))
        by_cell = {cell: (score, auto) for cell, score, auto in scores}
        by_check = {name: by_cell[cell.id][0] for name, cell in rows.stage.graded.items()}
        auto = {name: by_cell[cell.id][1] for name, cell in rows.stage.graded.items()}
        return Marks(sum(by_check.values()), rows.notebook.late_submission_penalty or 0.0, by_check, auto)

    @contextlib.contextmanager
    def _transaction(self):
        """All that nbgrader writes inside the block is committed when it ends, together, or not at all."""
        with plain_errors(), self._book.engine.connect() as connection, connection.begin():
            # Its own commits, of which there is one a row, do not reach the connection.
            self._book.db.configure(bind=connection, join_transaction_mode="rollback_only", expire_on_commit=False)
            try:
                yield
                self._book.db.flush()
            finally:
                self._book.db.remove()  # the rows go too: memory does not grow with the class

    def _rows_of(self, submission, stage):
        notebook = next(notebook for notebook in submission.notebooks if notebook.name == stage)
        return _Rows(self._stages[stage], submission, notebook)

    def _run(self, preprocessors, notebook, stage, rows):
        resources = {"nbgrader": {"notebook": stage, "assignment": stage, "student": rows.student, "db_url": self._course.db_url}}
        for preprocessor in preprocessors:
            if not preprocessor.enabled or isinstance(preprocessor, stock.AssignLatePenalties):
                continue
            if isinstance(preprocessor, (stock.OverwriteCells, stock.SaveAutoGrades)):
                preprocessor.gradebook, preprocessor.student_id = rows, rows.student
                preprocessor.notebook_id = preprocessor.assignment_id = stage
                # The loop over the cells alone: their own `preprocess` opens the gradebook around it.
                notebook, resources = Preprocessor.preprocess(preprocessor, notebook, resources)
            elif not (isinstance(preprocessor, stock.CheckCellMetadata) and self._is_checked(notebook)):
                notebook, resources = preprocessor(notebook, resources)
        return notebook

    def _is_checked(self, notebook):
        """Whether nbgrader was asked before about just this metadata: it is the release's own, and slow to look through."""
        metadata = json.dumps([cell.metadata.get("nbgrader") for cell in notebook.cells if "nbgrader" in cell.metadata])
        known = metadata in self._checked
        self._checked.add(metadata)
        return known

    def _made(self, kind):
        return kind(parent=self._converter)

    def _recorded(self, stage):
        try:
            notebook = self._book.find_notebook(stage, stage)
        except MissingEntry:
            return None
        points = {cell.name: cell.max_score for cell in notebook.grade_cells}
        return {cell.name: (cell.source, points.get(cell.name)) for cell in notebook.source_cells}


class _Rows:
    """One submission's rows, for nbgrader's preprocessors to find where they look for a gradebook."""

    def __init__(self, stage, submission=None, notebook=None):
        self.stage, self.notebook, self.grades, self.comments = stage, notebook, {}, {}
        self.student = submission.student_id if submission else None
        self.db = SimpleNamespace(commit=lambda: None)  # they commit cell by cell; we do once, at the end

    def find_source_cell(self, name, notebook, assignment):
        return _found(self.stage.source, name)

    def find_graded_cell(self, name, notebook, assignment):
        return _found(self.stage.graded, name)

    def find_grade(self, name, notebook, assignment, student):
        return _found(self.grades, name)

    def find_comment(self, name, notebook, assignment, student):
        return _found(self.comments, name)


def _of(kind, rows):
    """The condition for a submission's Grades or Comments."""
    cells = rows.stage.graded if kind is Grade else rows.stage.commented
    # By cell as well: the gradebook has an index of cells, and would else look through the marks of the whole class.
    return kind.cell_id.in_([cell.id for cell in cells.values()]), kind.notebook_id == rows.notebook.id


def _found(rows, name):
    if name not in rows:
        raise MissingEntry(f"No such cell: {name}")
    return rows[name]


def _assign_penalty(preprocessor, submission, notebook):
    """What AssignLatePenalties does with the gradebook that it opens."""
    preprocessor.init_plugin()
    notebook.late_submission_penalty = None
    if submission.total_seconds_late > 0:
        penalty = preprocessor.plugin_inst.late_submission_penalty(
            submission.student_id, notebook.score, submission.total_seconds_late
        )
        if penalty is not None:
            notebook.late_submission_penalty = preprocessor._check_late_penalty(notebook, penalty)


def _cells_of(stage, root):
    """What the gradebook should know of a stage: the source and the points of each of nbgrader's cells, as they are released."""
    cells = {}
    notebook = choose(nbformat.read(notebook_path(SOLUTIONS, stage), as_version=4), read_choice(root, stage))
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader")
        if meta:
            source = released(cell.source) if meta["solution"] else cell.source
            cells[meta["grade_id"]] = (source, meta.get("points"))
    return cells


def generate(config, stage, folder):
    """Let nbgrader make the stage's released notebook in `folder`, and record the stage's cells in the gradebook."""
    elsewhere = Config()
    elsewhere.merge(config)
    elsewhere.CourseDirectory.release_directory = str(folder)
    api = NbGraderAPI(config=elsewhere)
    api.log = _HEARD
    with plain_errors():
        result = api.generate_assignment(stage, force=True)
    if not result["success"]:
        if "Cannot add or remove cells" in result.get("log", ""):
            raise GradebookError(
                f"the gradebook has marks for other cases of {stage} than there are now; bring those back, "
                "or move gradebook.db and .grading away and grade anew"
            )
        said = [line for line in (result.get("error") or "").splitlines() if line.strip()]
        why = said[-1] if said else "it did not say why"
        raise GradebookError(f"nbgrader could not read solutions/{stage}: {why}")


@contextlib.contextmanager
def plain_errors():
    """Any trouble with the database becomes a GradebookError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, of each new submission; no harm
        try:
            yield
        except SQLAlchemyError as error:
            said = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise GradebookError(f"the gradebook cannot be used ({said}); what was written in it is whole") from error
