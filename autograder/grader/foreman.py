"""The trusted process that grades: reads jobs from stdin, a line of JSON each, and writes what came out to stdout.

Each job is done in a fork, so that nothing of one submission is there when the next is judged; several run at once.
"""

import gc
import json
import os
import resource
import select
import signal
import time
import traceback

MARGIN_SECONDS = 30  # beyond the submission's own limit, for the checks' own computing
_STDIN = 0


def main():
    from .box import NoSandbox

    # What a check prints goes nowhere but into its own output: stdout is for answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    boxes, forks, half_a_line = {}, {}, b""

    def answer(number, said):
        answers.write(json.dumps([number, said]).encode() + b"\n")
        answers.flush()

    while True:
        ready, _, _ = select.select([_STDIN, *forks], [], [], min((fork.seconds_left() for fork in forks), default=None))
        for fork in [fork for fork in forks if fork.has_ended(fork in ready)]:
            answer(forks.pop(fork), fork.answer)
        if _STDIN in ready:
            part = os.read(_STDIN, 1 << 20)
            if not part:
                break
            *lines, half_a_line = (half_a_line + part).split(b"\n")
            for number, job in map(json.loads, lines):
                try:
                    _get_ready(job, boxes)
                    if number is not None:
                        forks[_begun(job, boxes[job["sandbox"]])] = number
                except NoSandbox as error:
                    if number is not None:
                        answer(number, {"failed": str(error)})
    for fork in forks:
        fork.kill()
    for box in boxes.values():
        box.close()


def _get_ready(job, boxes):
    """Make what all jobs of a kind need, once. Raises NoSandbox."""
    from .box import Box

    kind, box = job["sandbox"], None
    if kind not in boxes:
        box = Box(kind, waits=False)  # which takes a core for itself while this process does the rest

    import matplotlib

    matplotlib.use("agg")
    import numpy.testing  # noqa: F401  (loaded late by numpy, so here once and not in each fork)

    from .warm import warm_up

    warm_up(job["stage"], job["private_seed"])
    if box:
        box.wait()
        boxes[kind] = box


def _begun(job, box):
    """A fork in which a job is done."""
    from ..sandbox.limits import MIB
    from ..sandbox.lockdown import die_with_parent
    from .check_cells import compile_ahead
    from .referee import judge

    def work():
        die_with_parent()  # it holds this process's stdout, whose end tells that there will be no more answers
        return judge(job, box)

    compile_ahead(job["cells"])
    gc.collect()
    gc.freeze()
    limits = job["limits"]
    return Fork(work, limits["submission_seconds"], limits["trusted_memory_mib"] * MIB, job.get("core"))


class Fork:
    """A function at work in a fork of this process, which may take so many seconds and bytes. core: the one that it is to run on.

    answer: what the function returned, once it `has_ended`; {"failed": why} where nothing came.
    """

    def __init__(self, work, seconds, memory, core=None):
        self._read, write = os.pipe()
        self._child = os.fork()
        if not self._child:
            try:
                os.close(self._read)
                resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
                if core is not None:
                    os.sched_setaffinity(0, {core})
                try:
                    answer = work()
                except BaseException as error:
                    answer = {"failed": "".join(traceback.format_exception(error))[-4000:]}
                with os.fdopen(write, "wb") as file:
                    file.write(json.dumps(answer).encode())
            finally:
                os._exit(0)
        os.close(write)
        self._longest, self._said = seconds + MARGIN_SECONDS, b""
        self._ends_at = time.monotonic() + self._longest
        self.answer = None

    def fileno(self):
        return self._read

    def seconds_left(self):
        return max(0, self._ends_at - time.monotonic())

    def has_ended(self, is_ready):
        """Read on, and end it when its time is up; whether its answer is there. is_ready: whether there is something to read."""
        part = os.read(self._read, 1 << 20) if is_ready else None
        if part:
            self._said += part
        is_at_end = part == b""
        if not is_at_end and self.seconds_left():
            return False
        status = self._reaped() if is_at_end else self.kill()
        try:
            self.answer = json.loads(self._said)
        except ValueError:
            self.answer = {"failed": f"the checks' process ended with status {status}, or took more than {self._longest:g} s"}
        return True

    def kill(self):
        os.kill(self._child, signal.SIGKILL)
        return self._reaped()

    def _reaped(self):
        os.close(self._read)
        return os.waitpid(self._child, 0)[1]


def in_a_fork(work, seconds, memory):
    """What work() returns, from a fork that may take so long and so many bytes; {"failed": why} where nothing comes."""
    fork = Fork(work, seconds, memory)
    while not fork.has_ended(bool(select.select([fork], [], [], fork.seconds_left())[0])):
        pass
    return fork.answer


if __name__ == "__main__":
    main()
