"""A small recurrent network, and the sequences that it is trained on."""

import numpy as np


class ReluRNN:
    """A recurrent network with rectified units that reads a sequence and predicts one number.

    h_t = relu(x_t * W_in + h_(t-1) @ W + b), prediction h_T @ W_out + b_out, loss the mean squared error. W starts as `scale`
    times the identity (Le et al. 2015, arXiv 1504.00941, with scale 1). params is [W_in, W, b, W_out, b_out].
    """

    def __init__(self, units, rng, scale=1.0):
        self.params = [
            rng.normal(0, 0.5, (1, units)),
            scale * np.eye(units),
            np.zeros(units),
            rng.normal(0, 1 / np.sqrt(units), (units, 1)),
            np.zeros(1),
        ]

    def loss_and_grads(self, x, y):
        """The loss over the sequences x (n, length) with targets y (n,), and its gradient through all steps of time."""
        w_in, w, b, w_out, b_out = self.params
        states = [np.zeros((len(x), len(w)))]
        for inputs in x.T:
            states.append(np.maximum(inputs[:, None] @ w_in + states[-1] @ w + b, 0))
        error = states[-1] @ w_out + b_out - y[:, None]

        d = 2 * error / len(x)
        grads = [np.zeros_like(param) for param in self.params]
        grads[3:] = [states[-1].T @ d, d.sum(axis=0)]
        d_state = d @ w_out.T
        for inputs, before, after in zip(x.T[::-1], states[-2::-1], states[:0:-1]):
            d = d_state * (after > 0)
            grads[0] += inputs[None] @ d
            grads[1] += before.T @ d
            grads[2] += d.sum(axis=0)
            d_state = d @ w.T  # the same matrix at every step: what it stretches grows with the length
        return float(np.mean(error**2)), grads

    def loss(self, x, y):
        return self.loss_and_grads(x, y)[0]


def noisy_sums(rng, rows=16, length=40):
    """Sequences x (rows, length) of standard normal numbers, and targets y (rows,): their sum by sqrt(length)."""
    x = rng.normal(size=(rows, length))
    return x, x.sum(axis=1) / np.sqrt(length)
