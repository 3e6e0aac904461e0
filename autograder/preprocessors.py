"""What we plug into nbgrader's own preprocessors, each with one job."""

import copy

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor

from .cases import released
from .paths import SOLUTIONS, notebook_path


class ReleaseBroken(NbGraderPreprocessor):
    """Takes the place of nbgrader's ClearSolutions: a cell to mend is released with its broken code, not with a stub."""

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = released(cell.source)
        return cell, resources


class RunPastErrors(NbGraderPreprocessor):
    """Tags code cells so that JupyterLab's "Run All" goes on past one that fails; marks do not change (measured)."""

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "code":
            cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), "raises-exception"})
        return cell, resources


class RestoreLocked(NbGraderPreprocessor):
    """Puts back the locked cells (set-up, scenes, checks) that a learner deleted, each behind the one that it follows.

    nbgrader's own add_missing_cells restores only checks, and stops where a locked cell stands before one.
    """

    def preprocess(self, nb, resources):
        source = nbformat.read(notebook_path(SOLUTIONS, resources["nbgrader"]["assignment"]), as_version=4)
        place = -1
        for original in source.cells:
            if "nbgrader" not in original.metadata:
                continue
            name = original.metadata.nbgrader["grade_id"]
            found = next(
                (i for i, cell in enumerate(nb.cells) if cell.metadata.get("nbgrader", {}).get("grade_id") == name), None
            )
            if found is not None:
                place = found
            elif original.metadata.nbgrader["locked"]:
                place += 1
                restored = copy.deepcopy(original)
                restored.update(outputs=[], execution_count=None)
                nb.cells.insert(place, restored)
        return nb, resources
