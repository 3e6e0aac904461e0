"""The one table of what a submission may use up."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Limits of one submission. Seconds are wall time unless the name says otherwise.

    The sandboxed process ends where it goes past one, and no new process is ever allowed.
    """

    cell_seconds: float = 20  # one of the learner's cells
    call_seconds: float = 30  # one call of the learner's code by a check
    check_seconds: float = 90  # all calls of one check, such as those of an iterator that never ends
    submission_seconds: float = 240  # all cells and checks of a notebook, both passes
    processor_seconds: int = 240  # processor time of the learner's code in one pass
    restarts: int = 8  # of the sandboxed process after it was lost, each running the learner's cells again
    memory_mib: int = 2048  # address space beyond what numpy and matplotlib take
    trusted_memory_mib: int = 4096  # address space of the process that runs the checks
    threads: int = 64
    open_files: int = 128
    file_mib: int = 16  # each file written
    folder_mib: int = 64  # the private temporary folder as a whole
    output_letters: int = 64_000  # printed by one cell
    pictures: int = 8  # shown by one cell
    picture_mib: int = 2


DEFAULT = Limits()
