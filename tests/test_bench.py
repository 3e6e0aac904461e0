"""The benchmark measures the same thing three ways. How fast that is, no test says: machines differ."""

import io
import json

import pytest
from rich.console import Console

from autograder.bench import bench


def test_a_tiny_class_gets_the_same_marks_three_ways(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    console = Console(file=io.StringIO(), width=120)
    bench(2, ["optimizers"], console, stock_at_most=1)
    table, line = console.file.getvalue().rstrip().rsplit("\n", 1)
    said = json.loads(line)
    assert said["same_marks"] is True and said["stages"]["optimizers"]["same_marks"] is True
    assert said["ours_s"] > said["floor_s"] > 0
    assert said["ratio"] == said["stages"]["optimizers"]["ratio"] == pytest.approx(said["stock_s"] / said["ours_s"], abs=0.02)
    assert 50 < said["peak_mib"] < 2000
    assert "extrapolated from fewer submissions (optimizers: 1)" in table
    assert list(tmp_path.iterdir()) == []
