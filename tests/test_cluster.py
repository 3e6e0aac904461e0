"""A class graded by a real Dask cluster on this machine, in its sandboxes, one worker killed half-way: the same marks."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from autograder import cluster
from autograder.paths import ROOT

from .classroom import CASES, FULL, STAGE, hand_in, marks, points, wait_for

pytest.importorskip("distributed", reason="the optional extra dask is not installed")
EVERY = list(CASES)


def test_a_cluster_gives_the_same_marks_also_when_a_worker_dies(tmp_path):
    root, file, processes = tmp_path / "class", tmp_path / "scheduler.json", []
    for number in range(8):
        hand_in(root, f"learner{number}", EVERY[number:], solved=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "course")])}

    def start(module, *options):
        command = [sys.executable, "-m", module, *options, "--no-dashboard"]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        processes.append(subprocess.Popen(command, cwd=tmp_path, env=environment, **silent))

    try:
        start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        wait_for(file.exists)
        address = json.loads(file.read_text())["address"]
        for _ in range(2):
            start("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1")
        from distributed import Client

        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        victim, results = processes[-1], root / ".grading" / STAGE / "results"

        def kill_half_way():
            wait_for(lambda: results.is_dir() and len(list(results.iterdir())) >= 3)
            victim.kill()

        killer = threading.Thread(target=kill_half_way)
        killer.start()
        rows = marks(root, dask=address)
        killer.join()
        assert victim.wait(10) == -signal.SIGKILL
        assert {row["problem"] for row in rows.values()} == {""}
        assert [rows[f"learner{number}"]["score"] for number in range(8)] == [points(EVERY[number:]) for number in range(8)]
        assert rows["learner0"]["score"] == FULL
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_an_address_without_a_cluster_is_told_plainly():
    pytest.importorskip("distributed", reason="the optional extra dask is not installed")
    with pytest.raises(cluster.NoCluster, match="no Dask cluster with a worker answers at nowhere"):
        with cluster.cluster("nowhere"):
            pass
