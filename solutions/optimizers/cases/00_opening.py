# %% [markdown]
# # Stage 1 · Optimizers
#
# Ten people come to you with ten training runs that do not do what they should. Each has brought the code. It runs, and it is
# wrong. You watch it fail, say what you expect to see, mend it, and are told at once what is still missing.
#
# The cases follow a list of ten common mistakes, each with the advice that usually goes with it. The text calls that list *the
# document*; you need not have read it. You should have trained a network before, and know numpy. A case takes 10 to 20 minutes.
# The last part puts four mistakes into one script, and takes half an hour; the whole stage takes about three hours.
#
# The loss of a classifier is its mean cross-entropy in *nats*, that is, with natural logarithms. Text and figures often call the
# learning rate *the rate*.
#
# **How a case works.** Run the cell below first, and again whenever you have restarted the kernel.
#
# 1. Read the complaint. Write what you expect as `my_guess`, at the top of the figure's cell. It is not graded; the figure, or a
#    line printed under it, answers it.
# 2. Run the cell under *The code*, the cell under the prediction, which only defines the experiment, and the figure's cell. The
#    dashed line is the run that was complained about, the wide one the run of the code in your cell. Before your mend the two
#    coincide.
# 3. Edit the cell under *The code* and no other. Its docstring says what is asked for. Run it and the figure again.
# 4. Run the check: the folded cell below the figure, which you may unfold to read. If it fails, it names the call, what came,
#    what was expected and, where it can, the wrong turn you took.
#
# Three folded hints below it say more and more. When the check passes, open the discharge note: it names the mistake, says why
# the cure works, and when the usual advice misleads.
#
# **How marks are made.** The points of a case are given when its check passes. The checks that you see and a few hidden
# ones ask the same things, told in the docstring; the hidden ones use other numbers. Cases do not depend on each other, so
# you may leave one and come back. Everything runs on one core without a network.
#
# ## Contents
#
# [contents]

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
