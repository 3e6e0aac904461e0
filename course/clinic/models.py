"""Models that know their loss and its gradient. Both keep their parameters in `params`, a list of arrays."""

import numpy as np


def log_softmax(logits):
    """log(softmax(logits)) along the last axis; the maximum is taken out first, so that no exponential overflows."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


class LeastSquares:
    """Linear regression: prediction x @ w, loss mean((x @ w - y)**2). It starts at w = 0."""

    def __init__(self, features):
        self.params = [np.zeros(features)]

    def loss_and_grads(self, x, y):
        """The loss over the rows of x (n, features), y (n,), and its gradient as a list like `params`."""
        error = x @ self.params[0] - y
        return float(np.mean(error**2)), [2 * x.T @ error / len(y)]

    def loss(self, x, y):
        return self.loss_and_grads(x, y)[0]


class MLP:
    """Multilayer perceptron with softmax cross-entropy, its backpropagation written out by hand.

    sizes: the width of each layer from input to classes, e.g. (2, 32, 3).
    params is [W1, b1, W2, b2, ...], with W of shape (inputs, outputs), drawn from `rng` with He's scale sqrt(2 / inputs)
    (He et al. 2015, arXiv 1502.01852), and biases at zero. The hidden units are rectified linear.
    """

    def __init__(self, sizes, rng):
        self.params = []
        for inputs, outputs in zip(sizes[:-1], sizes[1:]):
            self.params += [rng.normal(0, np.sqrt(2 / inputs), (inputs, outputs)), np.zeros(outputs)]

    def forward(self, x):
        """The logits (n, classes), and the input of each layer, which backpropagation needs."""
        inputs = []
        weights, biases = self.params[::2], self.params[1::2]
        for weight, bias in zip(weights[:-1], biases[:-1]):
            inputs.append(x)
            x = np.maximum(x @ weight + bias, 0)
        inputs.append(x)
        return x @ weights[-1] + biases[-1], inputs

    def loss_and_grads(self, x, y):
        """Mean cross-entropy in nats over the rows of x (n, inputs) with labels y (n,), and its gradient like `params`."""
        logits, inputs = self.forward(x)
        log_p = log_softmax(logits)
        rows = np.arange(len(y))
        loss = float(-log_p[rows, y].mean())

        delta = np.exp(log_p)  # d loss / d logits = (p - one_hot(y)) / n
        delta[rows, y] -= 1
        delta /= len(y)
        grads = [None] * len(self.params)
        for layer in reversed(range(len(inputs))):
            grads[2 * layer] = inputs[layer].T @ delta
            grads[2 * layer + 1] = delta.sum(axis=0)
            # A unit that was cut to zero passes nothing on. (The first layer's input is data: nothing is below it.)
            if layer:
                delta = (delta @ self.params[2 * layer].T) * (inputs[layer] > 0)
        return loss, grads

    def loss(self, x, y):
        """Mean cross-entropy in nats."""
        return float(-log_softmax(self.forward(x)[0])[np.arange(len(y)), y].mean())

    def accuracy(self, x, y):
        """The share of rows whose largest logit is at their label."""
        return float(np.mean(self.forward(x)[0].argmax(axis=1) == y))
