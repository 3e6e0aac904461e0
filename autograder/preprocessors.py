"""What we plug into nbgrader's generate_assignment, each with one job."""

from nbgrader.preprocessors import NbGraderPreprocessor

from .cases import released


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
