"""Shared by all suites."""

import shutil

import pytest

from autograder.paths import COURSE, ROOT, SOLUTIONS


def pytest_collection_modifyitems(items):
    """Tests of one file stay in one process, cells of a notebook above all; those marked `spread` go wherever there is time."""
    for item in items:
        if not item.get_closest_marker("spread"):
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


@pytest.fixture
def project_copy(tmp_path):
    """A copy of what a build reads and writes, (course, solutions), which a test may damage."""
    ignore = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for folder in (COURSE, SOLUTIONS):
        shutil.copytree(folder, tmp_path / folder.name, ignore=ignore)
    shutil.copy(ROOT / "README.md", tmp_path)
    return tmp_path / "course", tmp_path / "solutions"
