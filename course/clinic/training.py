"""The one training loop, and the history in which it writes down what it saw."""

import numpy as np


class History:
    """What was measured in a run: lists of numbers by name, one entry each time `log` is told that name.

    history.log(loss=0.3, lr=0.1); history["loss"] is then [0.3]. The usual names are loss, val_loss, grad_norm and lr.
    """

    def __init__(self):
        self.signals = {}

    def log(self, **values):
        for name, value in values.items():
            self.signals.setdefault(name, []).append(float(value))

    def __getitem__(self, name):
        if name not in self.signals:
            raise KeyError(f"nothing was logged as {name!r}; there is {', '.join(self.signals) or 'nothing yet'}")
        return self.signals[name]


def global_norm(grads):
    """The length of all gradients taken as one long vector."""
    return float(np.sqrt(sum(np.sum(np.square(grad)) for grad in grads)))


def descend(params, grads, lr):
    """Plain gradient descent: the new parameters, params - lr * grads."""
    return [param - lr * grad for param, grad in zip(params, grads)]


def train(model, draw, steps, lr, update=descend, validation=None):
    """Train `model` in place for `steps` steps and return the History of the run.

    draw() gives the (x, y) of the next step. lr is a number, or a function of the step, which counts from 0.
    update(params, grads, lr) returns the new parameters. validation, where given, is an (x, y) whose loss is logged too.
    Logged at every step, before its update: loss, grad_norm and lr, and val_loss where there is validation.
    A run that has become infinite or NaN goes on: that is what the figures show.
    """
    history = History()
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps):
            x, y = draw()
            loss, grads = model.loss_and_grads(x, y)
            rate = lr(step) if callable(lr) else lr
            history.log(loss=loss, grad_norm=global_norm(grads), lr=rate)
            if validation is not None:
                history.log(val_loss=model.loss(*validation))
            model.params = update(model.params, grads, rate)
    return history
