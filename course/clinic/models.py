"""Models that know their loss and its gradient. All keep their parameters in `params`, a list of arrays."""

import numpy as np


def log_softmax(logits):
    """log(softmax(logits)) along the last axis; the maximum is taken out first, so that no exponential overflows."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softmax(logits):
    """exp(logits) / sum(exp(logits)) along the last axis."""
    return np.exp(log_softmax(logits))


def cross_entropy(logits, y):
    """Mean cross-entropy in nats of the rows of logits (n, classes), and its gradient to the logits, (p - target) / n.

    y: the labels (n,) as whole numbers, or for each row the shares of the classes as targets, floats (n, classes).
    """
    log_p = log_softmax(logits)
    targets = y if np.ndim(y) == 2 else np.eye(logits.shape[1], dtype=logits.dtype)[y]
    return float(-(targets * log_p).sum(axis=1).mean()), (np.exp(log_p) * targets.sum(axis=1, keepdims=True) - targets) / len(y)


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


class Classifier:
    """What every network with softmax cross-entropy has in common, given its `forward` and `backward`."""

    def loss_and_grads(self, x, y, **how):
        """Mean cross-entropy in nats over the rows of x (n, inputs), and its gradient like `params`.

        y: labels (n,), or the shares of the classes as targets (n, classes). how: what `forward` takes besides x.
        """
        logits, kept = self.forward(x, **how)
        loss, delta = cross_entropy(logits, y)
        return loss, self.backward(delta, kept)

    def loss(self, x, y):
        """Mean cross-entropy in nats."""
        return cross_entropy(self.forward(x)[0], y)[0]

    def accuracy(self, x, y):
        """The share of rows whose largest logit is at their label."""
        return float(np.mean(self.forward(x)[0].argmax(axis=1) == y))


class MLP(Classifier):
    """Multilayer perceptron with softmax cross-entropy, its backpropagation written out by hand.

    sizes: the width of each layer from input to classes, e.g. (2, 32, 3).
    params is [W1, b1, W2, b2, ...], with W of shape (inputs, outputs), drawn from `rng` with He's scale sqrt(2 / inputs)
    (He et al. 2015, arXiv 1502.01852), and biases at zero. The hidden units are rectified linear.
    """

    def __init__(self, sizes, rng):
        self.params = []
        for inputs, outputs in zip(sizes[:-1], sizes[1:]):
            self.params += [rng.normal(0, np.sqrt(2 / inputs), (inputs, outputs)), np.zeros(outputs)]

    def forward(self, x, masks=None):
        """The logits (n, classes), and what backpropagation needs: the input of each layer, and the masks.

        masks: for each hidden layer an array (n, units) that its output is multiplied by, as dropout does.
        """
        inputs = []
        weights, biases = self.params[::2], self.params[1::2]
        for layer, (weight, bias) in enumerate(zip(weights[:-1], biases[:-1])):
            inputs.append(x)
            x = np.maximum(x @ weight + bias, 0)
            if masks is not None:
                x = x * masks[layer]
        inputs.append(x)
        return x @ weights[-1] + biases[-1], (inputs, masks)

    def backward(self, delta, kept):
        """The gradients, a list like `params`, given delta = d loss / d logits (n, classes) and what forward kept."""
        inputs, masks = kept
        grads = [None] * len(self.params)
        for layer in reversed(range(len(inputs))):
            grads[2 * layer] = inputs[layer].T @ delta
            grads[2 * layer + 1] = delta.sum(axis=0)
            # A unit that was cut to zero passes nothing on. (The first layer's input is data: nothing is below it.)
            if layer:
                delta = (delta @ self.params[2 * layer].T) * (inputs[layer] > 0)
                if masks is not None:
                    delta *= masks[layer - 1]
        return grads
