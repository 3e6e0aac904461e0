# %% [markdown]
# ## Case 3.3 · It learnt until it was given LayerNorm
#
# About 20 minutes · difficulty 3 of 5 · 5 points
#
# **The complaint.** Sixteen residual blocks on the spirals. With plain gradient descent at 0.03 the loss was `NaN`
# within eighty steps, and the advice was "add LayerNorm". One was added to each block, and the `NaN` is gone. But with
# Adam at 0.03, which had got below 0.03 in eighty steps without any norm, the loss now goes to 1.0986 and stays. The
# gradients were checked before the first step, in all blocks: they are as large at the first as at the last.
#
# **After this case you can** say from the wiring of a block what its norm does to the gradient, wire it so that the
# road past the block stays free, forward and back, and know why a check before the first step did not show it.
#
# In case 3.1 there was no road past the block. Here there is one, and something stands on it.
#
# ### The code

# %% fix="vanish-normalisation"
def wire_normed(x, branch, norm):
    """One residual block with a normalization: its output, and the way back for the gradient.

    x: float array (rows, width), the block's input. branch(x) returns (out, out_back): what the
    block's own layers make of x, shaped like x, and a function that turns d loss / d out into the
    gradient of the loss to the array that branch was given. norm is called alike: it gives each
    row mean 0 and standard deviation 1, times a gain, plus a bias.
    Returns (y, back): the block's output, and back(d), which turns d loss / d y into d loss / d x.
    Graded: the branch gets the normalized x, and nothing else is normalized: whatever branch and
    norm give, y is x plus what branch makes of norm's x. back is the gradient of that. branch,
    norm and the backs of both are called once each (in them the gradients of the weights are
    noted), and what was given to them or came from them stays as it is: they keep it.
    Not graded: whether d is changed in place.
    """
    ### BEGIN BROKEN
    # out, out_back = branch(x)
    # y, norm_back = norm(x + out)
    #
    # def back(d):
    #     d = norm_back(d)
    #     return d + out_back(d)
    #
    # return y, back
    ### END BROKEN
    ### BEGIN SOLUTION
    normed, norm_back = norm(x)
    out, out_back = branch(normed)

    def back(d):
        # The norm lies on the branch's way only. The road past both hands d on as it is.
        return d + norm_back(out_back(d))

    return x + out, back
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Before the first step, block 1 gets 0.9 times the gradient that block 16 gets. The
# network as complained about is trained with Adam. How many times is it after forty steps? Write your guess as
# `my_guess`: it is the dotted line in the right panel.


# %% scene="vanish-normalisation"
def fresh_adam():
    """An update for `train`: Adam with its usual betas, and means of its own."""
    means = {}

    def update(params, grads, lr):
        if not means:
            means.update(t=0, m=[np.zeros_like(param) for param in params], v=[np.zeros_like(param) for param in params])
        means["t"] += 1
        means["m"] = [0.9 * m + 0.1 * grad for m, grad in zip(means["m"], grads)]
        means["v"] = [0.999 * v + 0.001 * grad**2 for v, grad in zip(means["v"], grads)]
        scale = np.sqrt(1 - 0.999 ** means["t"]) / (1 - 0.9 ** means["t"])
        return [param - lr * scale * m / (np.sqrt(v) + 1e-8) for param, m, v in zip(params, means["m"], means["v"])]

    return update


def row_statistics(x):
    """The mean of each row, and one over its standard deviation."""
    return x.mean(axis=1, keepdims=True), 1 / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)


def normed_run(wire, seed, blocks=16, steps=80, lr=0.03, update=None):
    """Train `blocks` blocks of rectified units on spirals, with Adam unless another update is given. Returns the History.

    "arrives": the length of the gradient at the output of the first block, as a multiple of that at the last, at each step.
    """
    rng = np.random.default_rng(seed)
    data, norms = spirals(rng, points=30), []

    def watched(x, branch, norm):
        y, back = wire(x, branch, norm)

        def noting(d):
            norms.append(np.linalg.norm(d))
            return back(d)

        return y, noting

    net = DeepNet(2, 16, blocks, 3, rng, watched, branch="relu", gain=1.2, statistics=row_statistics)
    history = train(net, lambda: data, steps, lr, update or fresh_adam())
    for lengths in np.reshape(norms, (steps, blocks)):
        history.log(arrives=lengths[-1] / lengths[0])
    return history


# %% run="vanish-normalisation"
my_guess = 0.5  # the gradient at block 1 after forty steps, as a multiple of that at block 16

vitals(
    before=normed_run(broken.wire_normed, seed=0),
    now=normed_run(wire_normed, seed=0),
    signs={"loss": "loss (nats)", "arrives": "gradient at block 1 (multiple of block 16)"},
    guess={"arrives": my_guess},
    caption="Sixteen residual blocks with one LayerNorm each, trained with Adam.",
)


# %% check="vanish-normalisation" points=5
def check_normed_block(x, layers, normalizer, d, call):
    """wire_normed on one block whose branch is x @ layers and whose norm is x @ normalizer."""
    calls, kept = dict.fromkeys(("branch", "norm", "branch's back", "norm's back"), 0), []

    def linear(name, matrix):
        def layer(given):
            calls[name] += 1
            out = given @ matrix
            kept.extend([(given, given.copy()), (out, out.copy())])

            def layer_back(d_out):
                calls[f"{name}'s back"] += 1
                return d_out @ matrix.T

            return out, layer_back

        return layer

    made = wire_normed(x.copy(), linear("branch", layers), linear("norm", normalizer))
    is_pair = isinstance(made, (tuple, list)) and len(made) == 2 and callable(made[1])
    check.that(is_pair, what="what is returned is a pair: y, and the function back", call=call, got=made)
    y, normed = np.array(made[0], dtype=float), x @ normalizer
    check.close(
        y,
        x + normed @ layers,
        what="y is x plus what branch makes of the normalized x",
        call=call,
        turns={
            "the norm stands behind the sum: it divides the road past the block too": (x + x @ layers) @ normalizer,
            "the norm is left out: that was the network with the NaN": x + x @ layers,
            "the sum is taken with the normalized x: the road past the block goes through the norm": normed + normed @ layers,
            "the norm stands behind the branch: what the branch gets is not normalized": x + x @ layers @ normalizer,
            "x is not added: without the road past it the block stands in the way": normed @ layers,
            "a norm stands before the branch and behind the sum: the second is on the road": (x + normed @ layers) @ normalizer,
        },
    )
    check.that(
        all(np.array_equal(*pair) for pair in kept) and calls["branch"] == calls["norm"] == 1,
        what="branch and norm are called once, and what they keep stays as it is",
        call=call,
        got=", ".join(f"{count} calls of {name}" for name, count in list(calls.items())[:2]),
        turns={"an array is changed in place that a layer still needs on the way back": calls["branch"] == calls["norm"] == 1},
    )
    got = np.array(made[1](d.copy()), dtype=object)
    check.that(got.shape == d.shape, what="back(d) is one array shaped like d", call=call, got=f"shape {got.shape}")
    through = d @ layers.T
    old = d @ normalizer.T
    check.close(
        got,
        d + through @ normalizer.T,
        what="back(d) is the gradient of y to x",
        call=call + ", then back(d)",
        turns={
            "the way back jumps over the norm: what comes out of branch's back is the gradient to the normalized x": d + through,
            "norm's back is called before branch's: the way back takes the layers in reverse order": d + old @ layers.T,
            "the gradient that goes past the block is sent through the norm as well": (d + through) @ normalizer.T,
            "the back of the old wiring is kept": old + old @ layers.T,
            "the road is forgotten on the way back": through @ normalizer.T,
            "the block's own part is forgotten on the way back": d,
        },
    )
    check.that(
        set(calls.values()) == {1},
        what="on the way back both backs are called once",
        call=call + ", then back(d)",
        got=", ".join(f"{count} calls of {name}" for name, count in list(calls.items())[2:]),
    )


def check_normed_network(seed, blocks):
    """The gradients of a small network with layer normalization agree with differences of its loss."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng, points=2)
    net = DeepNet(2, 4, blocks, 3, rng, wire_normed, statistics=row_statistics)
    grads = [np.array(grad) for grad in net.loss_and_grads(x, y)[1]]
    for number in (1, 3, 4):  # a bias before the blocks, one in the first block, and the gain of its norm
        param, differences = net.params[number], np.zeros_like(net.params[number])
        for place in range(param.size):
            value, losses = param[place], []
            for step in (1e-5, -1e-5):
                param[place] = value + step
                losses.append(net.loss(x, y))
            param[place] = value
            differences[place] = (losses[0] - losses[1]) / 2e-5
        check.close(
            grads[number],
            differences,
            rtol=1e-4,
            atol=1e-8,
            what="the gradients of the weights agree with differences of the loss",
            call=f"DeepNet(2, 4, {blocks}, 3, rng, wire_normed, ...).loss_and_grads(x, y)",
        )


def check_normed():
    x, d = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[0.5, 0.0], [1.0, 4.0]])
    layers, normalizer = np.array([[0.25, 0.5], [0.0, -0.5]]), np.array([[0.5, -0.5], [-0.25, 1.0]])
    call = "wire_normed([[1, 2], [3, -1]], branch, norm), both linear"
    check_normed_block(x, layers, normalizer, d, call)
    check_normed_block(x, 0 * layers, normalizer, d, call + ", branch(x) = 0")
    check_normed_network(1, blocks=2)


check.run(check_normed)


### BEGIN HIDDEN TESTS
def check_normed_elsewhere():
    rng = np.random.default_rng(2002)
    x, d = rng.normal(size=(2, 5, 3))
    check_normed_block(x, *rng.normal(size=(2, 3, 3)), d, "wire_normed(x, branch, norm), x of five rows, both linear")
    check_normed_network(2, blocks=4)


check.run(check_normed_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Follow `x` through the block as complained about, with a branch that gives zeros. What happens to it? What happens to
# it in sixteen such blocks? Then do the same with `d`.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The norm divides by the standard deviation of the sum, on the way back too. While that is near 1 nobody sees it.
# Training makes the branches larger, and the road past them is divided by what they have grown to, in each block again.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Move the norm in front of the branch, and leave `x` alone for the sum. Then write the way back from the end: branch's
# back first, then norm's, and what goes past the block is added to that, untouched.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Gradient Vanishing: Improper normalization. Fix: Add LayerNorm, check placement.*
#
# With $h_l$ the output of block $l$, $f_l$ its branch and $N$ the norm, the two wirings are
#
# $$h_l=N\bigl(h_{l-1}+f_l(h_{l-1})\bigr),\qquad h_l=h_{l-1}+f_l\bigl(N(h_{l-1})\bigr),$$
#
# called post-LN and pre-LN. In the first, what goes past the block is divided by $\sigma_l$, the standard deviation of
# a row of the sum. After $L$ blocks the road has the factor $\prod_l 1/\sigma_l$, and only the branches can make good
# for it. In the second the factor is 1 (Xiong et al. 2020, arXiv 2002.04745; the norm is that of Ba et al. 2016, arXiv
# 1607.06450).
#
# Over 6 seeds the product over fifteen blocks is 0.01 to 0.02 before the first step. The branches pass enough to hide
# it: block 1 gets 0.1 to 2.5 times what block 16 gets (20 seeds). After thirty steps of Adam $\sigma_l$ is near 4, the
# product 4e-10 to 3e-8, and over the last sixty steps block 1 gets 1e-9 to 8e-4 of block 16 (medians of 20 runs),
# against 1 to 10 times with the norm moved. The loss ends at 1.01 to 1.10, against 0.014 at most. So the check before
# the first step was right, and of no use: this gradient vanishes in training.
#
# **When the advice misleads.** "Add LayerNorm" without its second half made this network ill: without any norm Adam
# ends at 0.02 or less on 15 of 20 seeds, at 0.41 at worst. Yet it is a first step. With plain gradient descent at 0.03
# the loss without norm is `NaN` in 6 of 6 runs, with the norm behind the sum 0.04 to 0.84, and in front of the branch
# 0.006 to 0.016. Nor is post-LN hopeless. With a tenth of the rate it reaches 0.003 to 0.11 in 6 runs, and with four
# blocks 0 to 0.17. A warmup over half the run did not save it here: 0.99 to 1.1. Its usual remedies in large models are
# a small rate with warmup, or branches that start small.
#
# **What pre-LN costs.** The stream is a sum, and grows from block to block: each further block changes it by a smaller
# share. Large models put one more norm before the last layer; these sixteen blocks do without.
#
# **In PyTorch** `nn.TransformerEncoderLayer` has `norm_first=False` as its default, the wiring of this complaint. Set
# `norm_first=True`, and give `nn.TransformerEncoder` a `norm` for the end.
#
# </details>
