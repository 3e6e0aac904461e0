"""The trusted process that grades: reads jobs from stdin, a line of JSON each, and writes what came out to stdout.

Each job is done in a fork, so that nothing of one submission is there when the next is judged.
"""

import functools
import gc
import json
import os
import resource
import select
import signal
import sys
import time
import traceback

MARGIN_SECONDS = 30  # beyond the submission's own limit, for the checks' own computing


def main():
    import matplotlib

    matplotlib.use("agg")
    import numpy.testing  # noqa: F401  (loaded late by numpy, so here once and not in each fork)

    from ..sandbox.limits import MIB
    from .box import Box, NoSandbox
    from .check_cells import compile_ahead
    from .referee import judge
    from .warm import warm_up

    # What a check prints goes nowhere but into its own output: stdout is for answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    boxes = {}
    for line in sys.stdin.buffer:
        job = json.loads(line)
        try:
            if job["sandbox"] not in boxes:
                boxes[job["sandbox"]] = Box(job["sandbox"])
            warm_up(job["stage"], job["private_seed"])
            compile_ahead(job["cells"])
            gc.collect()
            gc.freeze()
            answer = in_a_fork(
                functools.partial(judge, job, boxes[job["sandbox"]]),
                job["limits"]["submission_seconds"],
                job["limits"]["trusted_memory_mib"] * MIB,
            )
        except NoSandbox as error:
            answer = {"failed": str(error)}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
    for box in boxes.values():
        box.close()


def in_a_fork(work, seconds, memory):
    """What work() returns, from a fork that may take so long and so many bytes; {"failed": why} where nothing comes."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(read)
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
            try:
                answer = work()
            except BaseException as error:
                answer = {"failed": "".join(traceback.format_exception(error))[-4000:]}
            with os.fdopen(write, "wb") as file:
                file.write(json.dumps(answer).encode())
        finally:
            os._exit(0)
    os.close(write)
    said, ends_at = b"", time.monotonic() + seconds + MARGIN_SECONDS
    while select.select([read], [], [], max(0, ends_at - time.monotonic()))[0]:
        part = os.read(read, 1 << 20)
        if not part:
            break
        said += part
    else:
        os.kill(child, signal.SIGKILL)
    os.close(read)
    _, status = os.waitpid(child, 0)
    try:
        return json.loads(said)
    except ValueError:
        return {"failed": f"the checks' process ended with status {status}, or took more than {seconds + MARGIN_SECONDS:g} s"}


if __name__ == "__main__":
    main()
