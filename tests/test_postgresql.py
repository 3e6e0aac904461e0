"""A round with the gradebook in a real PostgreSQL, at the address that nbgrader_config.py names."""

import glob
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder import export

from .classroom import CASES, FULL, STAGE, hand_in, marks, points, stand_in

PROGRAMS = sorted(glob.glob("/usr/lib/postgresql/*/bin"))


@pytest.fixture(scope="module")
def address():
    """The address of an empty database on a server that runs as long as the test."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    pytest.importorskip("psycopg", reason="the optional extra postgresql is not installed")
    # The server refuses to run as root, and its user must get at its folder: not below pytest's own.
    folder = Path(tempfile.mkdtemp(prefix="clinic-pg-"))
    as_user = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program, *options):
        command = [*as_user, f"{PROGRAMS[-1]}/{program}", *options]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, done.stderr

    run("initdb", "-D", f"{folder}/data", "-U", "clinic", "--auth=trust", "--no-sync", "-E", "UTF8")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
    run("pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options, "start")
    try:
        yield f"postgresql+psycopg://clinic@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def test_a_round_with_postgresql(address, tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.grade.work.run", stand_in)
    monkeypatch.setattr("autograder.grade.work.get_ready", lambda *_: None)
    monkeypatch.setenv("RUN_LOG", str(tmp_path / "log"))
    half = list(CASES)[::2]
    hand_in(tmp_path, "half", half, timestamp="2026-03-01 12:04:00 UTC")
    hand_in(tmp_path, "whole", CASES)
    (tmp_path / "nbgrader_config.py").write_text(f"get_config().CourseDirectory.db_url = {address!r}\n")
    rows = marks(tmp_path)
    assert {student: row["score"] for student, row in rows.items()} == {"half": points(half), "whole": FULL}
    with Gradebook(address, "training-clinic") as gradebook:
        assert gradebook.find_submission(STAGE, "half").score == points(half)
        gradebook.find_grade(f"{half[0]}-check", STAGE, STAGE, "half").manual_score = 1
        gradebook.db.commit()
    rows = marks(tmp_path)
    assert rows["half"]["score"] == points(half) - CASES[half[0]] + 1 and rows["whole"]["problem"] == ""
    assert (tmp_path / "log").read_text().count("\n") == 2 and not (tmp_path / "gradebook.db").exists()
    assert f"{rows['half']['score']:g}" in export.export(root=tmp_path)[1].read_text()
