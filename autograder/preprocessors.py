"""What we plug into nbgrader's own preprocessors, each with one job."""

import os
import stat
from pathlib import Path

from nbconvert.exporters import NotebookExporter
from nbgrader.preprocessors import NbGraderPreprocessor

from .cases import released
from .choice import choose, read_choice
from .grader import intake


class ReleaseBroken(NbGraderPreprocessor):
    """Takes the place of nbgrader's ClearSolutions: a cell to mend is released with its broken code, not with a stub."""

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = released(cell.source)
        return cell, resources


class ChosenCases(NbGraderPreprocessor):
    """Leaves of a stage only what the instructor chose in chosen_cases.toml."""

    def preprocess(self, nb, resources):
        return choose(nb, read_choice(self.parent.parent.coursedir.root, resources["nbgrader"]["assignment"])), resources


class RunPastErrors(NbGraderPreprocessor):
    """Tags code cells so that JupyterLab's "Run All" goes on past one that fails; marks do not change (measured)."""

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "code":
            cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), "raises-exception"})
        return cell, resources


class IsolatedExecute(NbGraderPreprocessor):
    """Takes the place of nbgrader's Execute where formgrader grades one submission: the cells run in the sandbox."""

    def preprocess(self, nb, resources):
        from .grade import judged  # it imports this module

        return judged(nb, resources["nbgrader"]["assignment"], self.parent.parent.coursedir.root), resources


class Rebuilt(NotebookExporter):
    """Reads a submission through our intake wherever nbgrader's Autograde would read the learner's file as it is."""

    def from_filename(self, filename, resources=None, **kwargs):
        if not self.parent._sanitizing:
            return super().from_filename(filename, resources=resources, **kwargs)
        stage, folder = resources["nbgrader"]["assignment"], Path(filename).parent.parent
        try:
            choice = read_choice(self.parent.coursedir.root, stage)
            notebook = intake.rebuild(stage, intake.read_submission(folder, stage), choice)
        except intake.Refused as error:
            raise ValueError(f"not graded: {error}") from None
        return self.from_notebook_node(notebook, resources=resources, **kwargs)


def set_aside_links(assignment, student, notebooks):
    """nbgrader's Autograde copies what lies beside a notebook, and what a link points to: take links and devices out of its way.

    They go to a folder beside the submission's, `STAGE.set-aside`, and what they point to is left alone.
    """
    for folder in {Path(notebook).parent for notebook in notebooks}:
        aside = folder.with_name(f"{folder.name}.set-aside")
        for base, folders, files in os.walk(folder):
            for name in [*folders, *files]:
                mode = os.lstat(os.path.join(base, name)).st_mode
                if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                    aside.mkdir(exist_ok=True)
                    os.replace(os.path.join(base, name), aside / f"{len(os.listdir(aside))}-{name}")
