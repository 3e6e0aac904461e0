"""The networks of the clinic package that the failures stage builds on: their gradients agree with finite differences."""

import numpy as np
import pytest
from clinic import MLP, DeepNet, HalfMLP, ReluRNN, attention, cross_entropy, layer_norm, noisy_sums, softmax, spirals
from clinic.layers import relu_layers, tanh_layer


def numerical(loss, array, eps=1e-6):
    """Central differences of the number loss() with respect to each entry of `array`, which it reads."""
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        kept = array[place]
        array[place] = kept + eps
        above = loss()
        array[place] = kept - eps
        gradient[place] = (above - loss()) / (2 * eps)
        array[place] = kept
    return gradient


def agree(grads, loss, arrays):
    for grad, array in zip(grads, arrays, strict=True):
        np.testing.assert_allclose(grad, numerical(loss, array), rtol=1e-5, atol=1e-8)


def row_statistics(x):
    return x.mean(axis=1, keepdims=True), 1 / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)


def plain(x, branch, norm):
    return branch(x)


def residual(x, branch, norm):
    out, back = branch(x)
    return x + out, lambda d: d + back(d)


def norm_first(x, branch, norm):
    normed, norm_back = norm(x)
    out, back = branch(normed)
    return x + out, lambda d: d + norm_back(back(d))


def norm_last(x, branch, norm):
    out, back = branch(x)
    normed, norm_back = norm(x + out)

    def both(d):
        d = norm_back(d)
        return d + back(d)

    return normed, both


@pytest.mark.parametrize("branch", ["tanh", "relu"])
@pytest.mark.parametrize("wire", [plain, residual, norm_first, norm_last])
def test_a_deep_net_backpropagates_whatever_its_wiring(wire, branch):
    rng = np.random.default_rng(1)
    x, y = spirals(rng, points=3)
    net = DeepNet(2, 4, 3, 3, rng, wire, branch=branch, gain=1.3, statistics=row_statistics)
    for param in net.params:
        param += rng.normal(0, 0.2, param.shape)
    loss, grads = net.loss_and_grads(x, y)
    assert loss == net.loss(x, y)
    agree(grads, lambda: net.loss(x, y), net.params)


def test_the_slices_of_a_deep_net_are_its_blocks():
    net = DeepNet(2, 4, 3, 3, np.random.default_rng(0), residual, branch="relu")
    for place in net.block_slices():
        assert [param.shape for param in net.params[place]] == [(4, 4), (4,), (4, 4), (4,), (4,)]
    assert net.block_slices()[-1].stop == len(net.params) - 2


@pytest.mark.parametrize("layer, shapes", [(tanh_layer, [(3, 4), (4,)]), (relu_layers, [(3, 5), (5,), (5, 4)])])
def test_layers_carry_the_gradient_back(layer, shapes):
    rng = np.random.default_rng(2)
    arrays = [rng.normal(size=shape) for shape in [(6, 3), *shapes]]
    d_out = rng.normal(size=(6, 4))
    agree(layer(*arrays)[1](d_out), lambda: np.sum(layer(*arrays)[0] * d_out), arrays)


def test_layer_norm_gives_rows_of_mean_zero_and_size_one_and_carries_the_gradient_back():
    rng = np.random.default_rng(3)
    arrays = [rng.normal(3, 2, (5, 7)), rng.normal(size=7), rng.normal(size=7)]
    d_out = rng.normal(size=(5, 7))
    agree(layer_norm(*arrays, row_statistics)[1](d_out), lambda: np.sum(layer_norm(*arrays, row_statistics)[0] * d_out), arrays)
    out = layer_norm(arrays[0], np.ones(7), np.zeros(7), row_statistics)[0]
    np.testing.assert_allclose(out.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(out.std(axis=1), 1, rtol=1e-4)


def test_attention_weighs_the_values_and_carries_the_gradient_back():
    rng = np.random.default_rng(4)
    arrays = [rng.normal(size=shape) for shape in [(3, 6), (5, 6), (5, 2)]]
    d_out = rng.normal(size=(3, 2))
    out, weights, back = attention(*arrays, scale=0.7)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(out, weights @ arrays[2])
    agree(back(d_out), lambda: np.sum(attention(*arrays, scale=0.7)[0] * d_out), arrays)


def test_the_recurrent_network_backpropagates_through_time():
    rng = np.random.default_rng(5)
    x, y = noisy_sums(rng, rows=4, length=6)
    net = ReluRNN(5, rng, scale=0.9)
    for param in net.params:
        param += rng.normal(0, 0.1, param.shape)
    agree(net.loss_and_grads(x, y)[1], lambda: net.loss(x, y), net.params)


def test_sequences_have_targets_of_unit_variance():
    x, y = noisy_sums(np.random.default_rng(6), rows=4000, length=10)
    assert x.shape == (4000, 10) and y.std() == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(y, x.sum(axis=1) / np.sqrt(10))


def test_masks_multiply_the_hidden_units_and_their_gradients():
    rng = np.random.default_rng(7)
    x, y = spirals(rng, points=4)
    net = MLP((2, 5, 4, 3), rng)
    masks = [rng.choice([0.0, 1.6], (12, 5)), rng.choice([0.0, 1.25], (12, 4))]
    for bias in net.params[1::2]:
        bias += rng.normal(0, 0.3, bias.shape)

    def loss():
        return cross_entropy(net.forward(x, masks)[0], y)[0]

    agree(net.loss_and_grads(x, y, masks=masks)[1], loss, net.params)
    assert net.loss(x, y) != loss()


def test_cross_entropy_takes_labels_or_shares_of_classes():
    rng = np.random.default_rng(8)
    logits, labels = rng.normal(size=(6, 4)), rng.integers(0, 4, 6)
    loss, delta = cross_entropy(logits, labels)
    assert loss == pytest.approx(-np.mean([np.log(softmax(row)[label]) for row, label in zip(logits, labels)]))
    soft_loss, soft_delta = cross_entropy(logits, np.eye(4)[labels])
    assert soft_loss == loss and np.array_equal(soft_delta, delta)
    shares = rng.dirichlet(np.ones(4), 6)
    agree([cross_entropy(logits, shares)[1]], lambda: cross_entropy(logits, shares)[0], [logits])


def test_float16_gradients_are_those_of_the_scaled_loss_and_vanish_or_overflow_outside_their_range():
    rng = np.random.default_rng(9)
    x, y = spirals(rng, points=20)
    half, full = HalfMLP((2, 8, 3), np.random.default_rng(1)), MLP((2, 8, 3), np.random.default_rng(1))
    exact = full.loss_and_grads(x, y)[1]
    for grad, right in zip(half.loss_and_grads(x, y, scale=256.0)[1], exact):
        assert grad.dtype == np.float16
        np.testing.assert_allclose(grad / 256.0, right, atol=0.02 * np.abs(right).max())
    assert all(param.dtype == np.float32 for param in half.params)
    assert not any(grad.any() for grad in half.loss_and_grads(x, y, scale=1e-7)[1])
    assert not np.isfinite(half.loss_and_grads(x, y, scale=1e9)[1][0]).all()
