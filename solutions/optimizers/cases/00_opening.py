# %% [markdown]
# # Stage 1 · Optimizers
#
# Ten people come to you with ten trainings that do not do what they should. Each has brought the code. It runs, and it is
# wrong. You watch it fail, say what you expect to see, mend it, and are told at once what is still missing.
#
# The cases follow a list of ten common mistakes, each with the advice that usually goes with it. The text calls that list *the
# document*; you need not have read it. You should have trained a network before, and know numpy. A case takes 10 to 20 minutes, all
# of them about three hours; a last part puts four mistakes into one script.
#
# **How a case works.** Run the cell below first, and again whenever the kernel was restarted. Read the complaint. Write what you
# expect as `my_guess`, at the top of the figure's cell: it is not graded, and the figure or the line under it answers it.
# Run the cell under *The code* and the figure: the dashed line is the run
# that was complained about, the wide one is the run of the code as it stands in your cell. Before your mend they lie on each
# other. To mend, edit only the cell under *The code*, run it and the figure again, then run the check: the folded cell below the figure,
# which you may unfold to read. A failed check names the call, what came, what was expected and, where it can, the wrong turn you took. Three folded hints say more and more. When the
# check passes, open the discharge note: it names the disease, says why the cure works, and when the usual advice misleads.
#
# **How marks are made.** The points of a case are given when its check passes. The checks that you see and a few hidden
# ones ask the same things, told in the docstring of the function; the hidden ones use other numbers. Cases do not
# depend on each other, so you may leave one and come back. Everything runs on one core without a network.

# %% setup="optimizers"
import importlib.util
import sys

sys.path[:0] = ["..", "optimizers.zip/optimizers"]  # where the package clinic may lie, if not beside this notebook


class Missing(ModuleNotFoundError):
    def _render_traceback_(self):  # its words alone
        return str(self).splitlines()


how_to_get_it = {
    "numpy": "run  %pip install numpy  in a new cell",
    "matplotlib": "run  %pip install matplotlib  in a new cell",
    "clinic": "put the folder clinic, which came with this notebook, or the whole optimizers.zip, beside the notebook",
}
not_here = [f"{name} is not here: {cure}." for name, cure in how_to_get_it.items() if importlib.util.find_spec(name) is None]
if not_here:
    raise Missing("\n".join([*not_here, "Then restart the kernel, and run this cell again."]))

from clinic import BROKEN, MENDED, MLP, History, LeastSquares, batches, check
from clinic import descend, figure, global_norm, linear_data, mark_guess, show, spirals, train, vitals
from clinic.broken import optimizers as broken  # each case's code as it was complained about

import numpy as np
