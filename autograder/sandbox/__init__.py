"""Where a stranger's code runs. Nothing else of `autograder` can be seen from inside the sandbox; nothing secret belongs here.

`wire` says how values travel, `channel` moves them, `peer` makes the objects of one process usable in the other, `lockdown` takes
rights away, and `student` is the sandboxed process itself.
"""
