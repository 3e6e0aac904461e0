"""The small package that the notebooks import. It is written to be read: open any of its files.

data      data sets, made from a generator: nothing is downloaded
models    least squares, and a multilayer perceptron with hand-written backpropagation
layers    layer normalization, attention and others, each with the way back of a gradient
deep      a network of equal blocks, whose wiring is an argument
recurrent a recurrent network of rectified units
half      a multilayer perceptron in float16 over float32
ward      runs of the real loop with one planted fault each, for the triage
text      labelled sentences made from a generator, a small tokenizer, and word counts
training  the one training loop, and the history in which it writes down what it saw
plots     the figures: vital signs of one run over another, with a caption and a text for those who cannot see them
check     what the check cells call, so that a failed check reads as a few plain lines
broken    the code of each case as it was complained about, generated from the cases: the "before" of a figure
"""

import os

# The matrices here are small: with two threads numpy spends its time handing them over (nine times slower, measured).
# It has to be said before numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

from . import check
from .data import batches, linear_data, spirals
from .deep import DeepNet
from .half import HalfMLP
from .layers import attention, layer_norm
from .models import MLP, LeastSquares, cross_entropy, softmax
from .plots import BROKEN, MENDED, alarm_rates, figure, mark_guess, show, thumbnails, vitals
from .recurrent import ReluRNN, noisy_sums
from .text import Tokenizer, bag_of_words, sentences, vocabulary_of
from .training import History, descend, global_norm, train

__all__ = [
    "BROKEN",
    "MENDED",
    "MLP",
    "DeepNet",
    "HalfMLP",
    "History",
    "LeastSquares",
    "ReluRNN",
    "Tokenizer",
    "alarm_rates",
    "attention",
    "bag_of_words",
    "batches",
    "check",
    "cross_entropy",
    "descend",
    "figure",
    "global_norm",
    "layer_norm",
    "linear_data",
    "mark_guess",
    "noisy_sums",
    "sentences",
    "show",
    "softmax",
    "spirals",
    "thumbnails",
    "train",
    "vitals",
    "vocabulary_of",
]
