"""nbgrader's settings for this course, used by its commands, by formgrader and by our own."""

import os
import sys
from pathlib import Path

from nbgrader import preprocessors as stock

from .paths import ROOT
from .preprocessors import ReleaseBroken, RestoreLocked, RunPastErrors


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
    # A learner who deletes or edits a check gets it back as it was, and is graded by it.
    config.Autograde.sanitize_preprocessors = [
        stock.ClearOutput,
        stock.DeduplicateIds,
        stock.OverwriteKernelspec,
        RestoreLocked,
        stock.OverwriteCells,
        stock.CheckCellMetadata,
    ]
    config.ExecutePreprocessor.timeout = 120
    # Without it each kernel warns on the terminal that others on this machine could listen to it.
    config.KernelManager.transport_encryption = "auto"
    return config
