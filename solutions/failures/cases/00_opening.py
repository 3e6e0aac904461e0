# %% [markdown]
# # Stage 3 · Failures
#
# Runs that have failed, ordered by what one sees first. Here nobody tells you which line is wrong; often no line is. The question is
# what the run is dying of, and what the cheapest experiment is that tells one cause from its twin. You write the experiment.
#
# The cases follow a list of symptoms, diagnostic steps and causes, each with the advice that usually goes with it. The text calls that
# list *the document*; you need not have read it. The first two stages help and are not needed. There are 43 cases in seven parts, and a last part,
# *Triage*, in which you write down what you have learnt as a program. A case takes 10 to 25 minutes.
#
# **How a case works.** Run the cell below first, and again whenever the kernel was restarted. Read the complaint. Write what you
# expect as `my_guess`, at the top of the figure's cell: it is not graded, and the figure or the line under it answers it.
# Run the cell under *The code* and the figure: dashed, or a cross, is the code that was complained about; wide, or a ring, is the code
# in your cell. To mend, edit only the cell under *The code*, run it and the figure again, then run the check: the folded cell below
# the figure, which you may unfold to read. Three folded hints say more and more, and when the check passes, the discharge note tells
# why the cure works and when the usual advice misleads.
#
# **How marks are made.** The points of a case are given when its check passes. The checks that you see and a few hidden ones ask the
# same things, told in the docstring; the hidden ones use other numbers. Cases do not depend on each other.
#
# ## Contents
#
# [contents]

# %% setup="failures"
import sys

sys.path.insert(0, "..")  # the clinic package lies beside this notebook's folder

from clinic import BROKEN, MENDED, MLP, DeepNet, HalfMLP, History, LeastSquares, ReluRNN, Tokenizer, alarm_rates
from clinic import attention, bag_of_words, batches, check, cross_entropy, descend, figure, global_norm, layer_norm, linear_data
from clinic import mark_guess, noisy_sums, sentences, show, softmax, spirals, thumbnails, train, vitals, vocabulary_of
from clinic.broken import failures as broken  # each case's code as it was complained about

import numpy as np
