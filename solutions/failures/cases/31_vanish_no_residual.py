# %% [markdown]
# ## Case 3.1 · Thirty blocks learn less than three
#
# About 15 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** Three blocks of tanh units on the spirals go from a loss of 1.1 to 0.7 or less in 150 steps.
# Somebody wanted better and took thirty of the same blocks. The loss now stays at 1.0986, the same four decimals after
# each step, with learning rates from 0.03 to 3. A list of symptoms says "deep layers have no gradient", so the last
# layers were given a rate of their own, a hundred times larger. Nothing changed.
#
# **After this case you can** find out which end of a deep network starves, with one backward pass, and wire a block so
# that the gradient has a way past it, forward and back.
#
# Case 1.3 asked whether a gradient arrives at all. Here you see where it is lost, block by block, and build the road.
#
# ### The code

# %% fix="vanish-no-residual"
def wire_block(x, branch, norm):
    """One block of a deep network: its output, and the way back for the gradient.

    x: float array (rows, width), the block's input. branch(x) returns (out, out_back): what the
    block's own layers make of x, shaped like x, and a function that turns d loss / d out into the
    gradient of the loss to the array that branch was given.
    norm is called alike: the block's normalisation. It stays unused here.
    Returns (y, back): the block's output, and back(d), which turns d loss / d y into d loss / d x.
    Graded: y is x plus what branch makes of x. back is the gradient of that, also when blocks
    follow each other in a network. branch and out_back are called once each (out_back notes the
    gradients of the weights). x and out stay as they are: the layers keep both for the way back.
    Not graded: whether d is changed in place.
    """
    ### BEGIN BROKEN
    # out, out_back = branch(x)
    # return out, out_back
    ### END BROKEN
    ### BEGIN SOLUTION
    out, out_back = branch(x)

    def back(d):
        # x went two ways, so its gradient comes back on both. The first is d itself, whatever the layers do.
        return d + out_back(d)

    return x + out, back
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** One backward pass through the thirty blocks as complained about, before the first
# step. How much gradient is handed to the output of block 1, as a multiple of what is handed to block 30? A tanh never
# passes on more than it gets, and these weights halve what goes through them. Write your guess as `my_guess`: it is the
# dotted line in the right panel.


# %% scene="vanish-no-residual"
def watched_wire(wire, norms):
    """`wire`, but at each way back the length of the gradient at the block's output is put into the list `norms`."""

    def watched(x, branch, norm):
        y, back = wire(x, branch, norm)

        def noting(d):
            norms.append(np.linalg.norm(d))
            return back(d)

        return y, noting

    return watched


def deep_run(wire, seed, blocks=30, steps=100, lr=0.03):
    """Train `blocks` blocks of 16 tanh units on spirals. Returns the History; "received" has, for each block from the first to
    the last, the length of the gradient at its output before the first step, as a multiple of that at the last."""
    rng = np.random.default_rng(seed)
    data, norms = spirals(rng, points=40), []
    net = DeepNet(2, 16, blocks, 3, rng, watched_wire(wire, norms), gain=0.5)
    history = train(net, lambda: data, steps, lr)
    for norm in norms[:blocks][::-1]:
        history.log(received=norm / norms[0])
    return history


def show_received(before, now, my_guess):
    """The losses of two runs, and what each block receives."""
    fig, (left, right) = figure(2)
    for run, style, label in ((before, BROKEN, "as complained about"), (now, MENDED, "your code")):
        left.plot(run["loss"], label=label, **style)
        right.plot(np.arange(1, len(run["received"]) + 1), run["received"], **style)
    left.set(xlabel="step", ylabel="loss (nats)", ylim=(0, 1.05 * max(before["loss"] + now["loss"])))
    left.legend(frameon=False, fontsize="small")
    mark_guess(right, my_guess, at=0.01)
    right.set(yscale="log", xlabel="block, from input to output", ylabel="gradient at the block's output\n(multiple of block 30)")
    runs = [(run["loss"], run["received"][0]) for run in (before, now)]
    ends = [f"loss from {loss[0]:.2f} to {loss[-1]:.2f}, block 1 gets {first:.0e}" for loss, first in runs]
    show(
        fig,
        "Thirty blocks on spirals. Right: the gradient that each block gets in the first backward pass.",
        f"Left the loss over 100 steps, right the gradient at the output of each block as a multiple of block 30. "
        f"As complained about: {ends[0]}. Your code: {ends[1]}. Your guess: {my_guess:.0e}.",
    )


# %% run="vanish-no-residual" atlas="2"
my_guess = 1.0  # the gradient at block 1, as a multiple of that at block 30

show_received(before=deep_run(broken.wire_block, seed=0), now=deep_run(wire_block, seed=0), my_guess=my_guess)


# %% check="vanish-no-residual" points=5
def wired(x, matrix):
    """wire_block on one block whose branch is x @ matrix: y, back, the branch's calls, and what the branch keeps."""
    calls, kept = {"branch": 0, "out_back": 0}, []

    def branch(given):
        calls["branch"] += 1
        out = given @ matrix
        kept.extend([given, given.copy(), out, out.copy()])

        def out_back(d):
            calls["out_back"] += 1
            return d @ matrix.T

        return out, out_back

    def norm(given):
        check.that(False, what="norm stays unused here", call="wire_block(x, branch, norm)", got="a call of norm")

    made = wire_block(x, branch, norm)
    is_pair = isinstance(made, (tuple, list)) and len(made) == 2 and callable(made[1])
    what = "what is returned is a pair: y, and the function back"
    alone = {"y is returned alone, and with it no way back": isinstance(made, np.ndarray)}
    check.that(is_pair, what=what, call="wire_block(x, branch, norm)", got=made, turns=alone)
    return np.array(made[0], dtype=float), made[1], calls, kept


def check_one_block(x, matrix, d, call):
    y, back, calls, kept = wired(x.copy(), matrix)
    out = x @ matrix
    check.close(
        y,
        x + out,
        what="y is x plus what branch makes of x",
        call=call,
        turns={
            "the block hands on its branch alone: whatever the layers shrink is lost to all blocks after it": out,
            "the mean of x and the branch is taken, which still halves in every block": (x + out) / 2,
            "the sum is divided by the root of 2, which shrinks x in every block": (x + out) / np.sqrt(2),
            "the branch is taken away from x": x - out,
            "x is multiplied with the branch, and not added": x * out,
            "the branch is applied twice": x + out @ matrix,
            "the branch is left out: nothing is learned then": x,
        },
    )
    check.that(
        calls["branch"] == 1 and all(np.array_equal(now, copy) for now, copy in zip(kept[::2], kept[1::2])),
        what="branch is called once, and x and out stay as they are",
        call=call,
        got=f"{calls['branch']} calls of branch",
        turns={
            "x is changed in place: the layers keep it, and need it for the gradient of their weights": len(kept) == 4
            and not np.array_equal(*kept[:2]),
            "out is changed in place: tanh keeps it, and takes its slope from it": len(kept) == 4,
            "branch is called again, instead of keeping what it returned": calls["branch"] > 1,
        },
    )
    got = np.array(back(d.copy()), dtype=object)
    check.that(got.shape == d.shape, what="back(d) is one array shaped like d", call=call, got=f"shape {got.shape}")
    check.close(
        got,
        d + d @ matrix.T,
        what="back(d) is the gradient to x: x went two ways, and it comes back on both",
        call=call + ", then back(d)",
        turns={
            "the way back leads through the branch alone: forward x is added, and back its share is forgotten": d @ matrix.T,
            "the way back leaves the branch out": d,
            "x is added on the way back: what goes past the block there is d": x + d @ matrix.T,
            "y is added on the way back: what goes past the block there is d": y + d @ matrix.T,
            "the gradient is divided by two, and x was not": (d + d @ matrix.T) / 2,
            "the gradient of the branch is counted twice": d + 2 * d @ matrix.T,
            "the gradient is made larger by hand, and is no longer that of y": 2 * d @ matrix.T,
            "d is sent through the branch forward": d + d @ matrix,
        },
    )
    check.that(
        calls == {"branch": 1, "out_back": 1},
        what="on the way back out_back is called once, and branch not again",
        call=call + ", then back(d)",
        got=f"{calls['out_back']} calls of out_back, {calls['branch']} of branch",
        turns={"out_back never runs: the weights of the block get no gradient": calls["out_back"] == 0},
    )


def check_blocks_in_a_row(seed, blocks):
    """The gradients of a small network agree with differences of its loss."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng, points=2)
    net = DeepNet(2, 3, blocks, 3, rng, wire_block)
    grads = [np.array(grad) for grad in net.loss_and_grads(x, y)[1]]
    for number in {2, 3, len(net.params) - 5}:
        param, losses = net.params[number], []
        value, direction = param.copy(), rng.normal(size=param.shape)
        for step in (1e-5, -1e-5):
            param[...] = value + step * direction
            losses.append(net.loss(x, y))
        param[...] = value
        check.close(
            np.sum(grads[number] * direction),
            (losses[0] - losses[1]) / 2e-5,
            rtol=1e-4,
            atol=1e-8,
            what="the gradients of the weights agree with differences of the loss",
            call=f"DeepNet(2, 3, {blocks}, 3, rng, wire_block).loss_and_grads(x, y)",
        )


def check_wire():
    x, d = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[0.5, 0.0], [1.0, 4.0]])
    matrix = np.array([[0.25, 0.5], [0.0, -0.5]])
    check_one_block(x, matrix, d, "wire_block([[1, 2], [3, -1]], branch, norm), branch(x) = x @ [[.25, .5], [0, -.5]]")
    check_one_block(x, np.zeros((2, 2)), d, "wire_block([[1, 2], [3, -1]], branch, norm), branch(x) = 0")
    check_blocks_in_a_row(1, blocks=2)


check.run(check_wire)


### BEGIN HIDDEN TESTS
def check_wire_elsewhere():
    rng = check.hidden_rng(31)
    for _ in range(2):
        rows, width = (int(size) for size in rng.integers(2, 9, 2))
        x, d = rng.normal(size=(2, rows, width))
        check_one_block(x, rng.normal(size=(width, width)), d, "wire_block(x, branch, norm), x of some rows")
    check_blocks_in_a_row(int(rng.integers(2**31)), blocks=int(rng.integers(3, 6)))


check.run(check_wire_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Read the right panel from right to left: that is the way the gradient goes. What does one block do to it? What do
# thirty?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The layers are the only way through a block, so their factors multiply: half of a half of a half. The block has to let
# something through that its layers cannot touch, and the same on the way back.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Add the block's input to what its branch makes of it, into a new array. Then differentiate the sum: of its two terms,
# one is the identity. Write `back` as a function inside, so that it can call what `branch` returned.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Gradient Vanishing: Too many layers without residuals. Fix: Add skip connections.*
#
# Let $h_l$ be the output of block $l$ of $L$, $f_l$ its layers, $J_l=\partial f_l/\partial h_{l-1}$ their Jacobian, and
# $\delta_l$ the gradient of the loss to $h_l$, as a row. Without and with the addition,
#
# $$\delta_l=\delta_L\,J_LJ_{L-1}\cdots J_{l+1},\qquad \delta_l=\delta_L\,(I+J_L)(I+J_{L-1})\cdots(I+J_{l+1}),$$
#
# with $I$ the identity. The first is a product of matrices that halve. The second, multiplied out, holds $\delta_L$
# itself, once, untouched by any layer (He et al. 2016, arXiv 1512.03385; He et al. 2016, arXiv 1603.05027). Over 20
# seeds block 1 gets 1e-10 to 4e-9 of what block 30 gets, and with the addition 5 to 24 times as much. The
# loss after 100 steps is 1.0986, and 0.006 to 0.018.
#
# **When the advice misleads.** "Deep layers have no gradient" has the ends swapped: the *early* ones have none, counted from the
# input. A larger rate for the last layers feeds those that are fed. And look at the right number. Here the weights of the last
# block have a gradient as small as that of the first, both near 1e-10. A weight's gradient is its input times $\delta$, and the
# input has been halved thirty times on the way forward. The last biases have none because the three classes are equally frequent,
# and their errors cancel in the sum. What the figure shows is $\delta$, which nothing forward hides.
#
# **The twin is the scale of the weights.** Drawn twice as large, with standard deviation $1/\sqrt{n}$ for $n$ inputs,
# the thirty blocks pass the gradient on without any addition, and learn, slowly: 0.6 to 1.0 after 150 steps (8 seeds).
# A mend in the initialisation holds for the first step, that of the wiring for all. It has its price: what is added
# thirty times grows. With a rate of 0.1 the mended network ends between 0.3 and 1.1 (8 seeds), and case 3.3 puts
# something against that.
#
# **In PyTorch** the forward half is the whole of it, `return x + self.layers(x)`, since autograd writes the other.
# `x += self.layers(x)` changes `x` in place; autograd refuses that where it sees that it needs `x` for the way back.
#
# </details>
