# %% [markdown]
# # Stage 2 · Monitoring
#
# Twelve training runs may be well or ill, and nobody can tell, because they are watched wrongly. The instruments are broken: they
# are silent when they should speak, they cry when nothing is the matter, or they show a number that is not the one that was
# measured. You mend the instruments.
#
# The cases follow a list of twelve common mistakes, each with the advice that usually goes with it. The text calls that list *the
# document*; you need not have read it. Stage 1 helps and is not needed. A case takes 10 to 30 minutes. The last part, *The
# control room*, wires the instruments into one run, and takes half an hour; the whole stage takes about four hours.
#
# The loss of a classifier is its mean cross-entropy in *nats*, that is, with natural logarithms. Text and figures often call the
# learning rate *the rate*.
#
# **How a case works.** Run the cell below first, and again whenever you have restarted the kernel.
#
# 1. Read the complaint. Write what you expect as `my_guess`, at the top of the figure's cell. It is not graded; the figure, or a
#    line printed under it, answers it, in some cases only once you have mended the code.
# 2. Run the cell under *The code*, the cell under the prediction, which only defines the experiment, and the figure's cell. A
#    dashed line or a cross is the instrument that was complained about, a wide line or a ring is the one in your cell.
# 3. Edit the cell under *The code* and no other. Its docstring says what is asked for. Run it and the figure again.
# 4. Run the check: the folded cell below the figure, which you may unfold to read. An instrument is judged by what it says about
#    runs whose course is known: how often it speaks when it should, and how often when it should not.
#
# Three folded hints below it say more and more. When the check passes, open the discharge note: it names the mistake, says why
# the cure works, and when the usual advice misleads.
#
# **How marks are made.** The points of a case are given when its check passes. The checks that you see and a few hidden ones ask
# the same things, told in the docstring; the hidden ones use other numbers. Cases do not depend on each other. In the control
# room an instrument that you have not mended is replaced by a stand-in, so that it costs you once only.
#
# ## Contents
#
# [contents]

# %% setup="monitoring"
import importlib.util
import sys

sys.path[:0] = ["..", "monitoring.zip/monitoring"]  # where the package clinic may lie, if not beside this notebook


class Missing(ModuleNotFoundError):
    def _render_traceback_(self):  # its words alone
        return str(self).splitlines()


how_to_get_it = {
    "numpy": "run  %pip install numpy  in a new cell",
    "matplotlib": "run  %pip install matplotlib  in a new cell",
    "clinic": "put the folder clinic, which came with this notebook, or the whole monitoring.zip, beside the notebook",
}
not_here = [f"{name} is not here: {cure}." for name, cure in how_to_get_it.items() if importlib.util.find_spec(name) is None]
if not_here:
    raise Missing("\n".join([*not_here, "Then restart the kernel, and run this cell again."]))

from clinic import BROKEN, MENDED, MLP, History, LeastSquares, alarm_rates, batches, check
from clinic import descend, figure, global_norm, linear_data, mark_guess, show, spirals, train, vitals
from clinic.broken import monitoring as broken  # each case's code as it was complained about

import numpy as np
