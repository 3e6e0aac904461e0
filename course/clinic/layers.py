"""Layers that carry a gradient back: each returns its output, and `back`, which turns d loss / d output into d loss / d input."""

import numpy as np

from .models import softmax


def layer_norm(x, gain, bias, statistics):
    """Layer normalization of each row of x (rows, width): (x - mean) / std * gain + bias (Ba et al. 2016, arXiv 1607.06450).

    gain, bias: (width,). statistics(x) returns the mean and the 1 / std of each row, both (rows, 1); how they are made safe
    is its affair. Returns the output, and back(d_out), which returns d_x, d_gain and d_bias.
    """
    mean, inverse_std = statistics(x)
    centred = (x - mean) * inverse_std

    def back(d_out):
        d = d_out * gain
        along = (d * centred).mean(axis=1, keepdims=True)
        d_x = (d - d.mean(axis=1, keepdims=True) - centred * along) * inverse_std
        return d_x, (d_out * centred).sum(axis=0), d_out.sum(axis=0)

    return centred * gain + bias, back


def attention(queries, keys, values, scale):
    """Dot-product attention: softmax(scale * queries @ keys.T) @ values (Vaswani et al. 2017, arXiv 1706.03762, equation 1).

    queries: (n, d). keys: (m, d). values: (m, width). scale: the number that the dot products are multiplied by.
    Returns the output (n, width), the weights (n, m), and back(d_out), which returns d_queries, d_keys and d_values.
    """
    weights = softmax(scale * queries @ keys.T)

    def back(d_out):
        d_weights = d_out @ values.T
        # The Jacobian of a softmax row is diag(p) - p p^T: it is close to zero where one weight has nearly everything.
        d_scores = weights * (d_weights - (d_weights * weights).sum(axis=1, keepdims=True)) * scale
        return d_scores @ keys, d_scores.T @ queries, weights.T @ d_out

    return weights @ values, weights, back


def tanh_layer(x, weight, bias):
    """tanh(x @ weight + bias). back(d_out) returns d_x, d_weight and d_bias."""
    out = np.tanh(x @ weight + bias)

    def back(d_out):
        d = d_out * (1 - out**2)
        return d @ weight.T, x.T @ d, d.sum(axis=0)

    return out, back


def relu_layers(x, weight, bias, out_weight):
    """relu(x @ weight + bias) @ out_weight. back(d_out) returns d_x, d_weight, d_bias and d_out_weight."""
    hidden = np.maximum(x @ weight + bias, 0)

    def back(d_out):
        d = (d_out @ out_weight.T) * (hidden > 0)
        return d @ weight.T, x.T @ d, d.sum(axis=0), hidden.T @ d_out

    return hidden @ out_weight, back
