"""Data sets made from a generator. Every function takes the `rng` that it draws from; nothing is downloaded."""

import numpy as np


def spirals(rng, points=60, classes=3, noise=0.15):
    """Interleaved spirals: a classification task that a linear model cannot solve.

    points: how many in each class. noise: standard deviation of the angle, in radians.
    Returns x, float array (classes * points, 2) inside the unit circle, and y, int array of the same length.
    """
    x, y = [], []
    for label in range(classes):
        radius = np.linspace(0.05, 1, points)
        start = 2 * np.pi * label / classes
        angle = np.linspace(start, start + 4, points) + rng.normal(0, noise, points)
        x.append(np.column_stack([radius * np.sin(angle), radius * np.cos(angle)]))
        y.append(np.full(points, label))
    return np.vstack(x), np.concatenate(y)


def linear_data(rng, rows=200, features=5, scales=1.0, noise=0.1):
    """A linear task with a known answer: y = x @ w + noise, with w drawn from a standard normal distribution.

    scales: standard deviation of each feature, one number or one per feature. noise: standard deviation, in units of y.
    Returns x (rows, features), y (rows,) and the true w (features,).
    """
    x = rng.normal(size=(rows, features)) * scales
    w = rng.normal(size=features)
    return x, x @ w + noise * rng.normal(size=rows), w


def batches(rng, rows, batch_size, epochs):
    """The row numbers of each mini-batch: every epoch is a new permutation of all rows, cut into pieces.

    Where batch_size does not divide rows, the last batch of an epoch is smaller.
    """
    for _ in range(epochs):
        order = rng.permutation(rows)
        for start in range(0, rows, batch_size):
            yield order[start : start + batch_size]
