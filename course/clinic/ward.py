"""The ward: runs of the real training loop with one planted fault each, and what their instruments wrote down.

A fault that does no harm is no illness. Where a run may get over its fault, it is admitted only if its validation loss is
HARM times that of its twin, the same run without the fault; overfitting, if the validation loss has risen by as much from
its least and is twice the training loss. A run is admitted as its telemetry, a dict of plain data, with nothing in it that
tells the fault:

loss          (steps,) training loss of each step's batch, in nats; nan from where the run was lost
val_loss      (steps // val_every + 1 or fewer,) validation loss in nats, at steps 0, val_every, 2 * val_every, ...
val_every     steps between two evaluations
grad_norms    (steps, layers) norm of each layer's weight gradient, from input to output
ratios        (steps, layers) norm of each layer's step by the norm of its weights
lr            (steps,) the learning rate that reached the optimizer
epoch         steps in an epoch
planned       how many steps the run was to have
classes       the number of classes: guessing has a loss of log(classes)
events        a list of (step, text) from the data loader: "large input" at a corrupt batch, and now and then at a good one
"""

import functools

import numpy as np

from .models import MLP
from .training import descend, train

VAL_EVERY = 10
HARM = 1.2  # for losses that are means over the evaluations since the fault


class SigmoidMLP(MLP):
    """An MLP whose hidden units are sigmoids."""

    def forward(self, x):
        inputs = [x]
        weights, biases = self.params[::2], self.params[1::2]
        for weight, bias in zip(weights[:-1], biases[:-1]):
            inputs.append(1 / (1 + np.exp(-(inputs[-1] @ weight + bias))))
        return inputs[-1] @ weights[-1] + biases[-1], inputs

    def backward(self, delta, inputs):
        grads = []
        for layer in reversed(range(len(inputs))):
            grads = [inputs[layer].T @ delta, delta.sum(axis=0), *grads]
            delta = (delta @ self.params[2 * layer].T) * inputs[layer] * (1 - inputs[layer])
        return grads


def blobs(rng, rows, centres, labels, noise):
    """Points around `centres` (blobs, features), each with its blob's label. Returns x (rows, features) and y (rows,)."""
    blob = rng.integers(len(centres), size=rows)
    return centres[blob] + noise * rng.normal(size=(rows, centres.shape[1])), labels[blob]


def length(array):
    """The norm of an array, taken as one long vector."""
    return float(np.sqrt(np.vdot(array, array)))


class Patient:
    """A healthy run, before it begins. Each fault changes one thing about it; `severity` goes from 0, mild, to 1."""

    def __init__(self, rng, wide=False):
        self.rng = rng
        self.classes = int(rng.integers(3, 6))
        features = int(rng.integers(3, 8 if wide else 6))
        of_class = int(rng.integers(2, 4))
        labels = np.tile(np.arange(self.classes), of_class)
        centres = rng.normal(size=(len(labels), features))
        centres *= 1.6 / np.sqrt(np.mean(centres**2))
        noise = rng.uniform(0.25, 0.45)
        self.x, self.y = blobs(rng, int(rng.integers(400, 900)), centres, labels, noise)
        self.x_val, self.y_val = blobs(rng, 200, centres, labels, noise)
        self.hidden = [int(rng.integers(24, 49))] * int(rng.integers(1, 4 if wide else 3))
        self.kind, self.gain, self.bias = MLP, 1.0, None
        self.batch = int(rng.choice([16, 24, 32]))
        self.lr, self.steps = rng.uniform(0.15, 0.35), int(rng.integers(120, 180))
        self.stop = self.steps
        self.schedule = (lambda share: 1.0) if rng.random() < 0.5 else (lambda share: 0.02 + 0.49 * (1 + np.cos(np.pi * share)))
        self.sorted, self.bad_step, self.bad_size = False, None, 1.0

    def lr_too_low(self, severity):
        self.lr *= 10 ** -(1.8 + 1.2 * severity)

    def lr_too_high(self, severity):
        self.lr = 3 * 4**severity
        self.schedule = lambda share: 1.0

    def bad_batch(self, severity):
        self.bad_step = int(self.steps * self.rng.uniform(0.3, 0.75))
        self.bad_size = 30 * 10**severity

    def schedule_ended(self, severity):
        end = 0.03 + 0.05 * (1 - severity)
        self.lr *= 0.5
        self.schedule = lambda share: 1e-4 + 0.5 * (1 + np.cos(np.pi * min(share / end, 1)))

    def vanishing_gradient(self, severity):
        self.kind, self.gain = SigmoidMLP, 0.7
        self.hidden = self.hidden[:1] * int(5 + 4 * severity)

    def dead_units(self, severity):
        self.hidden = (self.hidden * 2)[:2]
        self.bias = -(15 + 30 * severity)

    def model_too_small(self, severity):
        self.hidden = [2 if severity < 0.5 and self.classes > 3 else 1]

    def overfitting(self, severity):
        rows = int(36 - 16 * severity)
        self.x, self.y = self.x[:rows].copy(), self.y[:rows].copy()
        wrong = self.rng.choice(rows, rows // 3, replace=False)
        self.y[wrong] = (self.y[wrong] + self.rng.integers(1, self.classes, size=len(wrong))) % self.classes
        self.schedule = lambda share: 1.0

    def labels_shuffled(self, severity):
        self.y, self.y_val = self.rng.permutation(self.y), self.rng.permutation(self.y_val)

    def validation_prepared_differently(self, severity):
        shift = self.rng.choice([-1, 1], self.x_val.shape[1]) * (2 + 2 * severity)
        self.x_val = (1 + severity) * self.x_val + shift

    def data_not_shuffled(self, severity):
        self.sorted = True
        keep = min(len(self.y), 300)
        self.x, self.y = self.x[:keep], self.y[:keep]

    def bad_initialisation(self, severity):
        self.gain = 3 + 4 * severity

    def stopped_too_early(self, severity):
        self.lr *= 0.35
        self.schedule = lambda share: 1.0
        self.stop = int(self.steps * (0.22 - 0.09 * severity))

    def cannot_tell(self, severity):
        fault = str(self.rng.choice(["lr too low", "labels shuffled", "model too small", "healthy"]))
        if fault != "healthy":
            getattr(self, fault.replace(" ", "_"))(severity)
        self.stop = int(4 + 10 * (1 - severity))  # 14 at most

    def run(self):
        """Train, and return the telemetry."""
        rng = self.rng
        net = self.kind((self.x.shape[1], *self.hidden, self.classes), rng)
        net.params = [self.gain * param for param in net.params]
        if self.bias is not None:
            net.params[3] = net.params[3] + self.bias
        grad_norms, ratios, events, order = [], [], [], []

        def draw():
            step = len(grad_norms)
            if not order:
                order.extend(np.argsort(self.y, kind="stable") if self.sorted else rng.permutation(len(self.y)))
            rows = order[: self.batch]
            del order[: self.batch]
            x, y = self.x[rows], self.y[rows]
            if step == self.bad_step:  # three rows, torn on their way from the disk
                x[:3] *= self.bad_size
                y[:3] = (y[:3] + 1) % self.classes
            if step == self.bad_step or rng.random() < 0.005:
                events.append((step, "large input"))
            return x, y

        def update(params, grads, lr):
            norms = [length(grad) for grad in grads[::2]]
            grad_norms.append(norms)
            ratios.append([lr * norm / max(length(param), 1e-12) for norm, param in zip(norms, params[::2])])
            return descend(params, grads, lr)

        val_loss = []

        def lr(step):
            if step % VAL_EVERY == 0:
                val_loss.append(net.loss(self.x_val, self.y_val))
            return self.lr * self.schedule(step / self.steps)

        with np.errstate(all="ignore"):
            history = train(net, draw, self.stop, lr, update)
        return {
            "loss": np.array(history["loss"]),
            "val_loss": np.array(val_loss),
            "val_every": VAL_EVERY,
            "grad_norms": np.array(grad_norms),
            "ratios": np.array(ratios),
            "lr": np.array(history["lr"]),
            "epoch": -(-len(self.y) // self.batch),
            "planned": self.steps,
            "classes": self.classes,
            "events": events,
        }


FAULTS = (
    "lr too low",
    "lr too high",
    "bad batch",
    "schedule ended",
    "vanishing gradient",
    "dead units",
    "model too small",
    "overfitting",
    "labels shuffled",
    "validation prepared differently",
    "data not shuffled",
    "bad initialisation",
    "stopped too early",
)
VERDICTS = ("healthy", *FAULTS, "cannot tell")
SURVIVABLE = ("lr too high", "bad batch", "data not shuffled", "bad initialisation")  # what some runs get over


def does_harm(verdict, run, since, twin):
    """Whether the fault that was planted in `run` at the step `since` shows. twin(): the run without it."""
    val_loss = run["val_loss"]
    if verdict == "overfitting":
        return val_loss[-1] > HARM * val_loss.min() and val_loss[-1] > 2 * np.mean(run["loss"][-20:])
    if verdict not in SURVIVABLE:
        return True
    evaluated = slice(-(-since // VAL_EVERY), None)
    mean = np.mean(val_loss[evaluated])
    if not mean < HARM * np.log(run["classes"]):  # no number, or worse than guessing: no twin does as badly
        return True
    return mean > HARM * np.mean(twin()["val_loss"][evaluated])


def admit(verdict, seed, wide):
    """The run of one patient with this verdict, the first that has come to harm. seed: a list of whole numbers."""
    for attempt in range(50):
        own_seed = [*seed, attempt] if attempt else seed
        patient = Patient(np.random.default_rng(own_seed), wide)
        if verdict != "healthy":
            severity = patient.rng.random()
            getattr(patient, verdict.replace(" ", "_"))(severity)
        since = 0 if patient.bad_step is None else patient.bad_step + 1
        run = patient.run()
        if does_harm(verdict, run, since, Patient(np.random.default_rng(own_seed), wide).run):
            return run
    raise RuntimeError(f"{verdict!r} did no harm in any of {attempt + 1} runs")


@functools.lru_cache
def ward(seed, each=8, wide=False):
    """A list of (verdict, run): `each` runs of every verdict, of random task, network, settings and severity.

    wide: draw them from wider ranges. The same arguments give the same runs.
    """
    return [
        (verdict, admit(verdict, [seed, number, one], wide)) for number, verdict in enumerate(VERDICTS) for one in range(each)
    ]
