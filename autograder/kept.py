"""What a grading run keeps beside the gradebook, so that it can be stopped at any moment and go on where it was.

In root/.grading/: for each submission what its checks said, and the keys on which that hangs; and, once its marks are in the
gradebook, of which submission they are. Each file is replaced whole or not at all.
"""

import contextlib
import hashlib
import json
import os
import stat
import threading
from pathlib import Path

from filelock import FileLock, Timeout

from .paths import COURSE, ROOT, SOLUTIONS, notebook_path

FOLDER = ".grading"
_LARGEST = 50 << 20  # bytes; a submission that is larger has no fingerprint, and is looked at anew each time


class Busy(Exception):
    """Somebody else is grading this class at the moment."""


@contextlib.contextmanager
def only_one(root):
    """Hold the class of `root` while the block runs. The lock goes with its process, however that ends."""
    path = Path(root) / FOLDER / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise Busy(f"another run is grading in {root}; wait until it is done") from None
    try:
        yield
    finally:
        lock.release()


def write_whole(path, content):
    """Write a text, or bytes, so that, whatever happens, it is there as it was or as it should be. It may lie in a new folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".part-{os.getpid()}-{threading.get_ident()}")
    try:
        part.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


class Kept:
    """What is kept of the class in `root`. kind: "results" for what checks said, "marked" for what the gradebook has."""

    def __init__(self, root):
        self._folder = Path(root) / FOLDER

    def read(self, kind, student, stage):
        """What was kept, as a dict; empty where nothing was, or where it is damaged."""
        try:
            kept = json.loads(self._path(kind, student, stage).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def has(self, kind, student, stage):
        return self._path(kind, student, stage).is_file()

    def write(self, kind, student, stage, what):
        write_whole(self._path(kind, student, stage), json.dumps(what))

    def _path(self, kind, student, stage):
        return self._folder / stage / kind / f"{student}.json"


def fingerprint_of_course(stage, *settings):
    """A hash of everything but the submission that a mark of `stage` hangs on, or may hang on."""
    total = hashlib.sha256(json.dumps(settings, default=str, sort_keys=True).encode())
    code = [path for folder in (ROOT / "autograder", COURSE / "clinic") for path in sorted(folder.rglob("*.py"))]
    for path in [notebook_path(SOLUTIONS, stage), notebook_path(COURSE, stage), *code]:
        _add(total, path.name, path.read_bytes() if path.is_file() else b"")
    return total.hexdigest()


def fingerprint_of(folder, of_course):
    """A hash of what was handed in and of the course; None where something odd lies there, at which the intake has to look."""
    total = hashlib.sha256(of_course.encode())
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            return None
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name.endswith(".ipynb") or entry.name == "timestamp.txt":
                if not entry.is_file(follow_symlinks=False) or entry.stat().st_size > _LARGEST:
                    return None
                _add(total, entry.name, Path(entry.path).read_bytes())
    except OSError:
        return None
    return total.hexdigest()


def _add(total, name, content):
    total.update(f"{os.fsencode(name).hex()} {len(content)} ".encode() + content)
