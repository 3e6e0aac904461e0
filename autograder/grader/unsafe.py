"""For machines without a sandbox, and people whom one trusts: a notebook runs in a Jupyter kernel, as nbgrader does it.

Learners' code and checks share that kernel, which has this user's rights.
"""

import os
import tempfile
import time

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

UNSAFE = "none"  # the kind of sandbox that is none


def run(job):
    """What `work.run` returns, from a kernel of its own."""
    started = time.monotonic()
    limits = job["limits"]
    notebook = nbformat.v4.new_notebook()
    for cell in job["cells"]:
        notebook.cells.append(nbformat.v4.new_code_cell(cell["source"], id=cell["id"]))
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=round(limits["call_seconds"] + limits["cell_seconds"]),
            interrupt_on_timeout=True,
            allow_errors=True,
            kernel_name="python3",
            config=Config({"KernelManager": {"transport_encryption": "auto"}}),  # else it warns that others could listen
            resources={"metadata": {"path": os.path.abspath(folder)}},
        )
        client.execute()
    outputs = {cell.id: [dict(output) for output in cell.outputs] for cell in notebook.cells}
    return {"outputs": outputs, "peak_mib": 0, "seconds": time.monotonic() - started}
