# %% [markdown]
# # Stage 1 · Optimizers
#
# Ten people come to you with ten trainings that do not do what they should. Each has brought the code. It runs, and it is
# wrong. You watch it fail, say what you expect to see, mend it, and are told at once what is still missing.
#
# **How a case works.** Read the complaint. Run the cell under *The code* and the figure below it: the dashed line is the run
# that was complained about, the wide one is the run of the code as it stands in your cell. Before your mend they lie on each
# other. Edit only the cell under *The code*, run it and the figure again, then run the check: the folded cell below the figure,
# which you may unfold to read. A failed check names the call, what came, what was expected and, where it can, the wrong turn you took. Three folded hints say more and more. When the
# check passes, open the discharge note: it names the disease, says why the cure works, and when the usual advice misleads.
#
# **How marks are made.** The points of a case are given when its check passes. The checks that you see and a few hidden
# ones ask the same things, told in the docstring of the function; the hidden ones use other numbers. Cases do not
# depend on each other, so you may leave one and come back. Everything runs on one core without a network.

# %% setup="optimizers"
import sys

sys.path.insert(0, "..")  # the clinic package lies beside this notebook's folder

from clinic import BROKEN, MENDED, MLP, History, LeastSquares, batches, check
from clinic import descend, figure, global_norm, linear_data, show, spirals, train, vitals
from clinic.broken import optimizers as broken  # each case's code as it was complained about

import numpy as np
