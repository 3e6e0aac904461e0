"""Where things lie in the project."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "course"
SOLUTIONS = ROOT / "solutions"
STUDY = ROOT / "study"  # the learner's own copy of the course, ignored by git
STAGES = ["optimizers", "monitoring", "failures"]  # in the order in which they are studied


def notebook_path(folder, stage):
    """The notebook of `stage` under solutions/, course/ or a copy of them."""
    return Path(folder) / stage / f"{stage}.ipynb"
