"""What the tests look at once a class is graded: what came back to a learner, what was changed outside, who is still there."""

import base64
import functools
import html
import json
import os
import re
import socket
import stat
import threading
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

import clinic.check

from autograder.judge import judge, namespace_with, read_exercises
from autograder.paths import COURSE, SOLUTIONS, notebook_path

from .attack import Places, Release, notebook_of

HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", flags=re.DOTALL)
LONG_ENOUGH = 25  # characters of a line by which it cannot be met by chance


@dataclass(frozen=True)
class Facts:
    """What nobody may learn in this class, and where things lie."""

    places: Places
    seed: int
    neighbours_canary: str = "canary-of-the-neighbour-5d1f"
    environment_canary: str = "canary-of-the-environment-9c07"
    outside_canary: str = "canary-of-the-outside-2ab8"

    @property
    def first_of_passwd(self):
        return Path("/etc/passwd").read_text().splitlines()[0]

    def seed_texts(self):
        return str(self.seed), hex(self.seed)[2:]

    def solution_lines(self, case, stage="optimizers"):
        """What stands in the mended code, and in nothing that is handed out."""
        handed_out = _sources(COURSE, stage)
        lines = Release(stage).mended(case).splitlines()
        return tuple(line.strip() for line in lines if len(line.strip()) > LONG_ENOUGH and line.strip() not in handed_out)

    def hidden_inputs(self, case, answer):
        """The texts that `answer` puts into its list SEEN in the hidden part of the check only."""
        exercise, answer = self._exercise(case), Release("optimizers").fill(answer, case)
        visible, every = set(), set()
        with mock.patch.object(clinic.check, "private_seed", self.seed):
            for check in exercise.checks:
                for source, seen in ((HIDDEN.sub("", check.source), visible), (check.source, every)):
                    namespace = namespace_with(exercise, answer)
                    exec(source, namespace)
                    seen.update(namespace["SEEN"])
        assert every - visible, "the hidden check brings no inputs of its own"
        return tuple(every - visible)

    def expected_of_hidden(self, case, answer):
        """What the message of the failing hidden check expects, shown to an instructor."""
        exercise, answer = self._exercise(case), Release("optimizers").fill(answer, case)
        with mock.patch.object(clinic.check, "private_seed", self.seed):
            messages = [verdict.message for verdict in judge(exercise, answer)]
        found = [line.split(maxsplit=1)[1] for text in messages for line in text.splitlines() if line.startswith("  expected")]
        assert found, messages
        return tuple(found)

    def _exercise(self, case):
        return next(exercise for exercise in read_exercises(notebook_path(SOLUTIONS, "optimizers")) if exercise.id == case)


@functools.cache
def hidden_lines(stage):
    """The lines of the hidden checks of a stage that stand nowhere in what is handed out."""
    handed_out = _sources(COURSE, stage)
    lines = {line.strip() for part in HIDDEN.findall(_sources(SOLUTIONS, stage)) for line in part.splitlines()}
    return tuple(sorted(line for line in lines if len(line) > LONG_ENOUGH and line not in handed_out))


@functools.cache
def _sources(folder, stage):
    return "\n".join(cell.source for cell in notebook_of(folder, stage).cells)


@functools.cache
def points_of(stage):
    """The points of each check, by the name under which a row of marks has it, and its case."""
    points = {}
    for exercise in read_exercises(notebook_path(SOLUTIONS, stage)):
        for check in exercise.checks:
            points[check.id.replace("-check", "", 1)] = (exercise.id, check.points)
    return points


# What came back


@functools.cache
def came_back(root, attack):
    """All text that the learner, or who looks at the submission, is shown: pages, texts, outputs, and what is packed in them."""
    texts = []
    for folder in (root / "feedback" / attack.folder, root / "autograded" / attack.folder):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if not path.is_file():
                continue
            text = path.read_bytes().decode("utf-8", "replace")
            if path.suffix == ".ipynb":
                text = _shown_of_notebook(text)
            elif path.suffix == ".html":
                text += "\n" + html.unescape(re.sub(r"<[^>]*>", "", text))
            texts.append(text)
            texts += [_unpacked(found) for found in re.findall(r"[A-Za-z0-9+/]{60,}={0,2}", text)]
    return "\n".join(texts)


def _shown_of_notebook(text):
    """Outputs, and the code of cells that the learner writes: a locked cell is the instructor's own."""
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError):
        return text
    shown = []
    for cell in cells:
        if not cell.get("metadata", {}).get("nbgrader", {}).get("locked"):
            shown.append(json.dumps(cell.get("source"), ensure_ascii=False))
        shown.append(json.dumps([cell.get("outputs"), cell.get("attachments"), cell.get("metadata")], ensure_ascii=False))
    return "\n".join([*shown, html.unescape("\n".join(shown)).replace("\\n", "\n").replace('\\"', '"')])


def _unpacked(packed):
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("latin-1")
    except ValueError:
        return ""


def own_text(folder):
    """What the learner has written, which may come back."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()] if folder.is_dir() else []
    texts = [path.read_bytes().decode("utf-8", "replace") for path in paths if os.access(path, os.R_OK)]
    return "\n".join(text + text.replace("\\n", "\n").replace('\\"', '"') for text in texts)


class Dangers(HTMLParser):
    """What a page would run or load: (tag, attribute, value), and scripts and styles with what they say."""

    RUN = {
        "script",
        "iframe",
        "object",
        "embed",
        "frame",
        "applet",
        "base",
        "form",
        "svg",
        "meta",
        "link",
        "style",
        "math",
        "portal",
    }
    LEAD = {"href", "src", "action", "formaction", "data", "srcdoc", "xlink:href", "poster", "background", "srcset", "ping"}

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.found, self._inside = set(), None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            value = "".join((value or "").split()).lower()
            # A browser drops blanks and control characters from the scheme.
            scheme = re.sub(r"[\x00-\x20]", "", value).partition(":")[0]
            leads = name in self.LEAD and (
                scheme in ("javascript", "vbscript") or value.startswith(("data:text", "data:image/svg", "data:app"))
            )
            if name.startswith("on") or name == "srcdoc" or leads or "javascript:" in value and name == "style":
                self.found.add((tag, name, value[:200]))
        if tag in self.RUN:
            self.found.add((tag, "", json.dumps(attributes)[:200]))
        self._inside = tag if tag in ("script", "style") else None

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside:
            self.found.add((self._inside, "content", data.strip()[:500]))


def dangers(root, attack, stage, harmless):
    """What the attack's pages would run beyond what the page of an honest neighbour runs."""
    page, plain = (root / "feedback" / folder / stage / f"{stage}.html" for folder in (attack.folder, harmless))
    return _dangers(page) - _dangers(plain)


@functools.cache
def _dangers(page):
    return Dangers(page.read_text(errors="replace")).found


# What is outside


def state_of(folder):
    """For each file below `folder`: kind and rights, links, time and content; for each folder its kind and rights."""
    state = {}
    for path in sorted(Path(folder).rglob("*")):
        if {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
            continue
        info = path.lstat()
        is_file = stat.S_ISREG(info.st_mode)
        content = path.read_bytes() if is_file and os.access(path, os.R_OK) else b""
        # A folder's links and time change where another process of the tests leaves its bytecode.
        state[str(path.relative_to(folder))] = (info.st_mode, is_file * info.st_nlink, is_file * info.st_mtime_ns, hash(content))
    return state


def still_running(mark):
    """The processes that carry the mark in their arguments, environment or name."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ", "comm"):
            try:
                text = (folder / name).read_bytes()
            except OSError:
                continue
            if mark.encode() in text and int(folder.name) != os.getpid():
                found.append(int(folder.name))
                break
    return found


class Listeners:
    """Listens on this machine by TCP, UDP and unix sockets, and keeps what was sent there."""

    def __init__(self, folder, name):
        self.heard, self.abstract, self.path = [], name, str(folder / "socket")
        self._sockets = []
        self.tcp = self._listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))[1]
        self.udp = self._listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))[1]
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + name)
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, self.path)

    def _listen(self, family, kind, place):
        line = socket.socket(family, kind)
        line.bind(place)
        if kind == socket.SOCK_STREAM:
            line.listen(50)
        self._sockets.append(line)
        threading.Thread(target=self._hear, args=(line, kind), daemon=True).start()
        return line.getsockname()

    def _hear(self, line, kind):
        while True:
            try:
                if kind == socket.SOCK_DGRAM:
                    self.heard.append(line.recv(1000).decode("latin-1"))
                    continue
                caller = line.accept()[0]
                caller.settimeout(2)
                self.heard.append("somebody called: " + caller.recv(1000).decode("latin-1"))
                caller.close()
            except TimeoutError:
                continue
            except OSError:
                return

    def close(self):
        for line in self._sockets:
            line.close()
