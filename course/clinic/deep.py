"""A deep network of equal blocks. How a block's layers and its normalization are wired is an argument."""

import numpy as np

from .layers import layer_norm, relu_layers, tanh_layer
from .models import Classifier

BRANCHES = {"tanh": (tanh_layer, 1), "relu": (relu_layers, 2)}  # a block's layers, and how many matrices they have


class DeepNet(Classifier):
    """Inputs -> width, then `blocks` equal blocks, then classes, with softmax cross-entropy.

    wire(x, branch, norm) is one block. x: (rows, width). branch(x) and norm(x), the block's own layers and its own layer
    normalization, each return (out, back), and so does wire: its output (rows, width), and a function that turns
    d loss / d output into d loss / d x. Inside it, the backs of what was called have to be called once each, in reverse order: in
    them the gradients of the block's parameters are noted. branch: "tanh" for tanh(x @ W + b), "relu" for relu(x @ W + b) @ V.
    gain: every matrix is drawn from `rng` with standard deviation gain / sqrt(inputs of the matrix).
    statistics: as in `layer_norm`; needed where wire uses norm.
    params: [W, b] of the first layer, then of each block its [W, b, (V,) norm gain, norm bias], then [W, b] of the last.
    """

    def __init__(self, inputs, width, blocks, classes, rng, wire, branch="tanh", gain=1.0, statistics=None):
        self.wire, self.statistics = wire, statistics
        self.layers, matrices = BRANCHES[branch]
        self.of_branch, self.blocks = matrices + 1, blocks

        def matrix(rows, columns):
            return rng.normal(0, gain / np.sqrt(rows), (rows, columns))

        self.params = [matrix(inputs, width), np.zeros(width)]
        for _ in range(blocks):
            self.params += [matrix(width, width), np.zeros(width)]
            self.params += [matrix(width, width) for _ in range(matrices - 1)]
            self.params += [np.ones(width), np.zeros(width)]
        self.params += [matrix(width, classes), np.zeros(classes)]

    def block_slices(self):
        """Where the parameters of each block lie in `params`, and in a list of gradients."""
        size = self.of_branch + 2
        return [slice(2 + size * number, 2 + size * (number + 1)) for number in range(self.blocks)]

    def forward(self, x):
        """The logits (n, classes), and what backpropagation needs."""
        return self._forward(x, [None] * len(self.params))

    def backward(self, delta, kept):
        """The gradients, a list like `params`, given delta = d loss / d logits (n, classes) and what forward kept."""
        x, backs, last, grads = kept
        grads[-2:] = [last.T @ delta, delta.sum(axis=0)]
        delta = delta @ self.params[-2].T
        for back in reversed(backs):
            delta = back(delta)
        grads[:2] = [x.T @ delta, delta.sum(axis=0)]
        return [np.zeros_like(param) if grad is None else grad for param, grad in zip(self.params, grads)]

    def _forward(self, x, grads):
        hidden, backs = x @ self.params[0] + self.params[1], []
        for place in self.block_slices():
            hidden, back = self.wire(hidden, *self._pieces(place.start, grads))
            backs.append(back)
        return hidden @ self.params[-2] + self.params[-1], (x, backs, hidden, grads)

    def _pieces(self, start, grads):
        """A block's branch and norm. Their backs return d_x, and note in `grads` what is due to the parameters."""
        middle, end = start + self.of_branch, start + self.of_branch + 2

        def branch(x):
            out, back = self.layers(x, *self.params[start:middle])
            return out, noting(back, start, middle)

        def norm(x):
            out, back = layer_norm(x, *self.params[middle:end], self.statistics)
            return out, noting(back, middle, end)

        def noting(back, first, stop):
            def noted(d_out):
                d_x, *grads[first:stop] = back(d_out)
                return d_x

            return noted

        return branch, norm
