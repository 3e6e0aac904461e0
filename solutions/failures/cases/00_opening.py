# %% [markdown]
# # Stage 3 · Failures
#
# Runs that have failed, ordered by what one sees first. Here nobody tells you which line is wrong; often no line is. The question
# is what is wrong with the run. Two causes often look alike: the text calls them twins. Which experiment tells them apart, and
# costs least? You write it; the text calls it a *probe*.
#
# The cases follow a list of symptoms, diagnostic steps and causes, each with the advice that usually goes with it. The text calls
# that list *the document*; you need not have read it. The first two stages help and are not needed. There are 43 cases in seven
# parts, and at the end *Triage*, in which you write down what you have learned as a program. A case takes 12 to 20 minutes, and
# Triage an hour; the whole stage takes about thirteen hours.
#
# **How a case works.** Run the cell below first, and again whenever you have restarted the kernel.
#
# 1. Read the complaint. Write what you expect as `my_guess`, at the top of the figure's cell. It is not graded; the
#    figure, or a line printed beside it, answers it.
# 2. Run the cell under *The code*, the cell under the prediction, which only defines the experiment, and the figure's
#    cell. In the figure a dashed line or a cross is the code that was complained about, a wide line or a ring is the code
#    in your cell.
# 3. Edit the cell under *The code* and no other. Its docstring says what is asked for. Run it and the figure again.
# 4. Run the check: the folded cell below the figure, which you may unfold to read. It says what is still wrong.
#
# Three folded hints below it say more and more. When the check passes, open the discharge note: it names the cause, says why the
# cure works, and when the usual advice misleads.
#
# **How marks are made.** The points of a case are given when its check passes. The checks that you see and a few hidden
# ones ask the same things, told in the docstring; the hidden ones use other numbers. Cases do not depend on each other.
#
# ## Contents
#
# [contents]

# %% setup="failures"
import importlib.util
import sys

sys.path[:0] = ["..", "failures.zip/failures"]  # where the package clinic may lie, if not beside this notebook


class Missing(ModuleNotFoundError):
    def _render_traceback_(self):  # its words alone
        return str(self).splitlines()


how_to_get_it = {
    "numpy": "run  %pip install numpy  in a new cell",
    "matplotlib": "run  %pip install matplotlib  in a new cell",
    "clinic": "put the folder clinic, which came with this notebook, or the whole failures.zip, beside the notebook",
}
not_here = [f"{name} is not here: {cure}." for name, cure in how_to_get_it.items() if importlib.util.find_spec(name) is None]
if not_here:
    raise Missing("\n".join([*not_here, "Then restart the kernel, and run this cell again."]))

from clinic import BROKEN, MENDED, MLP, DeepNet, HalfMLP, History, LeastSquares, ReluRNN, Tokenizer, alarm_rates
from clinic import attention, bag_of_words, batches, check, cross_entropy, descend, figure, global_norm, layer_norm, linear_data
from clinic import mark_guess, noisy_sums, sentences, show, softmax, spirals, thumbnails, train, vitals, vocabulary_of
from clinic.broken import failures as broken  # each case's code as it was complained about

import numpy as np
