"""nbgrader's settings for this course, used by its commands, by formgrader and by our own."""

import os
import sys
from pathlib import Path

from nbconvert.preprocessors import ClearMetadataPreprocessor, CSSHTMLHeaderPreprocessor
from nbgrader import preprocessors as stock
from traitlets.config import Config, PyFileConfigLoader

from .feedback_page import FeedbackPage, HideHidden
from .harmless import Harmless
from .paths import ROOT, SOLUTIONS
from .preprocessors import ChosenCases, IsolatedExecute, Rebuilt, ReleaseBroken, RunPastErrors, set_aside_links


def configure(config, root=ROOT):
    """Write the course's settings into a traitlets Config. root: where submitted/ and the gradebook lie."""
    # nbgrader calls `alembic` by name: the folder of this Python's scripts has to be on PATH.
    scripts = str(Path(sys.executable).parent)
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = scripts + os.pathsep + os.environ.get("PATH", "")
    config.CourseDirectory.course_id = "training-clinic"
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.source_directory = "solutions"
    config.CourseDirectory.release_directory = "course"
    # nbgrader copies everything beside a notebook into the release; the case files hold the solutions.
    config.CourseDirectory.ignore = ["cases", ".ipynb_checkpoints", "__pycache__", "*.pyc"]
    # Stock order. Hidden checks are cleared after SaveCells, so that the gradebook keeps them.
    config.GenerateAssignment.preprocessors = [
        ChosenCases,
        stock.LockCells,
        ReleaseBroken,
        RunPastErrors,
        stock.ClearOutput,
        stock.CheckCellMetadata,
        stock.ComputeChecksums,
        stock.SaveCells,
        stock.ClearHiddenTests,
        stock.ClearMarkScheme,
        stock.ComputeChecksums,
        stock.CheckCellMetadata,
    ]
    # Of a submission only the learner's own cells are taken, and they run in the sandbox: also where formgrader grades.
    config.Autograde.pre_convert_hook = set_aside_links
    config.Autograde.exporter_class = Rebuilt
    config.Autograde.sanitize_preprocessors = [stock.OverwriteCells, stock.CheckCellMetadata]
    config.Autograde.autograde_preprocessors = [
        IsolatedExecute,
        Harmless,
        stock.IgnorePattern,
        ClearMetadataPreprocessor,
        stock.LimitOutput,
        stock.SaveAutoGrades,
        stock.AssignLatePenalties,
        stock.CheckCellMetadata,
    ]
    config.GenerateFeedback.exporter_class = FeedbackPage
    config.GenerateFeedback.preprocessors = [stock.GetGrades, HideHidden, Harmless, CSSHTMLHeaderPreprocessor]
    # Without it each kernel warns on the terminal that others on this machine could listen to it.
    config.KernelManager.transport_encryption = "auto"
    return config


def course_config(root, submitted=None):
    """The settings of the class in `root`, with what its own nbgrader_config.py says, such as the gradebook's address."""
    config = configure(Config(), root)
    if (Path(root) / "nbgrader_config.py").is_file():
        config.merge(PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config())
    config.CourseDirectory.root = str(Path(root).resolve())
    config.CourseDirectory.source_directory = str(SOLUTIONS)
    if submitted:
        config.CourseDirectory.submitted_directory = str(Path(submitted).resolve())
    return config
