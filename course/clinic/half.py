"""Mixed precision: forward and backward passes in float16 over master parameters in float32."""

import copy

import numpy as np

from .models import MLP, cross_entropy


class HalfMLP(MLP):
    """An MLP whose activations and gradients are stored in float16 (Micikevicius et al. 2018, arXiv 1710.03740).

    params stay float32: they are the master copy that the updates go to. The smallest float16 above zero is 6e-8, the largest
    65504: of the gradients, what is smaller is zero and what is larger is infinite.
    """

    def __init__(self, sizes, rng):
        super().__init__(sizes, rng)
        self.params = [param.astype(np.float32) for param in self.params]

    def loss_and_grads(self, x, y, scale=1.0):
        """Mean cross-entropy in nats, and the float16 gradients of scale * loss, as they come out of the backward pass."""
        half = copy.copy(self)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            half.params = [param.astype(np.float16) for param in self.params]
            logits, kept = half.forward(x.astype(np.float16))
            loss, delta = cross_entropy(logits.astype(np.float32), y)
            return loss, half.backward((np.float32(scale) * delta).astype(np.float16), kept)
