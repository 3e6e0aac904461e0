# %% [markdown]
# ## Part 2 · The gradient explodes
#
# **What one sees.** In the document's words: *loss suddenly becomes NaN or inf; gradient norms spike to very large
# values; often happens in first few steps*. In other words: a number that should fall doubles, and doubles again; or
# all is well for a thousand steps, one step is not, and what comes after is lost. "First few steps" is one kind of it
# only. When it happens is the first clue.
#
# **What it can be.** A gradient is made of three things: the batch, the weights, the loss. What happens next is made by
# a fourth, the step size. Either the gradient was too large before any step was taken, or the steps have led to where
# it is. A bad batch and a bad step size both end at `inf`, and the usual first aid, a smaller learning rate, delays
# both. So it does not tell which of the two it was.

# %% scene="gradient-explosion"
def line_with_bad_row(seed, factor=200, steps=90, lr=0.05):
    """Linear regression in batches of 10, the row 7 of 300 times `factor`.

    Returns x, y, the rows of each batch, the History, and the weights before each step.
    """
    rng = np.random.default_rng(seed)
    x, y, _ = linear_data(rng, rows=300, features=6)
    x[7] *= factor
    drawn = list(batches(rng, 300, 10, epochs=steps // 30))
    rows, model, weights = iter(drawn), LeastSquares(6), []

    def draw():
        weights.append(model.params[0].copy())
        batch = next(rows)
        return x[batch], y[batch]

    return x, y, drawn, train(model, draw, steps, lr), weights


def net_with_scale(seed, factor=1.0, lr=0.1, steps=40):
    """The History of a network of five layers on spirals, all its weights times `factor`."""
    rng = np.random.default_rng(seed)
    data = spirals(rng)
    net = MLP((2, 32, 32, 32, 32, 3), rng)
    net.params = [factor * param for param in net.params]
    return train(net, lambda: data, steps, lr)


def classifier_with_bad_row(seed, steps=120):
    """The History of a classifier in batches, one of whose 180 rows is 60 times too long and has a wrong label."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng)
    x[7] *= 60
    y[7] = 1
    net, drawn = MLP((2, 32, 3), rng), batches(rng, 180, 6, epochs=1 + steps // 30)

    def draw():
        rows = next(drawn)
        return x[rows], y[rows]

    return train(net, draw, steps, lr=0.02)


def line_too_fast(seed, lr=0.3, steps=25):
    """The History of a linear regression on all rows, its learning rate above the bound."""
    x, y, _ = linear_data(np.random.default_rng(seed), scales=np.array([1, 1, 1, 2, 3]))
    return train(LeastSquares(5), lambda: (x, y), steps, lr)


def at_the_leap(x, y, drawn, history, weights):
    """Where the gradient norm first passes 100 times the first one: the step, and the gradient norms at the weights before it,
    on the 29 other batches of an epoch and on each row of that step's batch."""
    norms = np.array(history["grad_norm"])
    leap = int(np.argmax(norms > 100 * norms[0]))
    model = LeastSquares(6)
    model.params = [weights[leap]]

    def norm_on(rows):
        return global_norm(model.loss_and_grads(x[rows], y[rows])[1])

    others = [norm_on(rows) for number, rows in enumerate(drawn[:30]) if number != leap]
    return leap, others, [norm_on([row]) for row in drawn[leap]]


# %% run="gradient-explosion" part="signs"
thumbnails(
    {
        "By the same factor at each step": ({"loss": line_too_fast(0)["loss"]}, "loss (squared units)"),
        "Quiet, then a leap": ({"norm": line_with_bad_row(0)[3]["grad_norm"]}, "gradient norm"),
        "Too large from the first step": (
            {"usual": net_with_scale(0)["grad_norm"], "this run": net_with_scale(0, factor=3)["grad_norm"]},
            "gradient norm",
        ),
        "Again and again, and it comes back": ({"norm": classifier_with_bad_row(0)["grad_norm"]}, "gradient norm"),
    },
    caption="Four runs that are said to explode. Their causes differ, and so do their cures.",
)

# %% [markdown]
# **The way through.** In this order, since each question is cheaper than the next:
#
# 1. *Is the gradient too large before the first update?* Then it cannot be the learning rate: no step has been taken.
#    1. *On this batch only?* Take another. If that one is as usual, it is the rows: case 2.2 finds them, case 2.8 says
#       what to do with them.
#    2. *On every batch?* Then it is the weights. With a healthy run to compare with, read the layers' gradients (2.1);
#       without one, the layers' outputs (2.3). If all layers are too large, choose their scales anew (2.6). With
#       attention, look at its logits (2.7).
# 2. *Does it grow by about the same factor at each step, whatever the batch?* Then it is the step size, measured by the
#    curvature: 2.4.
# 3. *Is all well for long, and then there is one leap?* Go back to the weights before the leap, and ask them for the
#    gradient on other batches.
#    1. *Large on that batch only:* the rows, 2.2 and 2.8. A leap that comes once in each pass over the data is a row, too.
#    2. *Large on all:* the steps have led to a steep place. The rate (2.4); and what should have held the step, the
#       clipping (2.5).
#
# **One diagnosis, worked.** The second run of the row above. Its learning rate is 0.05. Its norms fall until the leap, so
# the answer to question 2 is no. That leaves questions 1 and 3. The last lines ask the same of its twin: a run without a
# bad row, whose rate of 0.8 is too high.

# %% run="gradient-explosion" part="worked"
x, y, drawn, ill, weights = line_with_bad_row(seed=0)
norms = np.array(ill["grad_norm"])
leap, on_others, by_row = at_the_leap(x, y, drawn, ill, weights)
suspect = int(drawn[leap][np.argmax(by_row)])
slow = line_with_bad_row(seed=0, lr=0.005)[3]["loss"]
twin_leap, twin_others, twin_by_row = at_the_leap(*line_with_bad_row(seed=0, factor=1, lr=0.8))

print(f"1. The first gradient has the norm {norms[0]:.1f}; the median of the ten after it is {np.median(norms[1:11]):.1f}.")
print(f"3. The leap comes at step {leap}, with a norm of {norms[leap]:.0e}.")
print(f"   On the 29 other batches, at the same weights: {min(on_others):.1g} to {max(on_others):.1g}.")
print(f"   Row by row in that batch: row {suspect} has {max(by_row):.0e}, the next largest {sorted(by_row)[-2]:.1g}.")
print(f"   At a tenth of the rate it explodes as well: the largest loss is {max(slow):.0e}.")
print(f"The twin. Its norm passes 100 times the first at step {twin_leap}.")
print(f"   On the 29 other batches, at the same weights: {min(twin_others):.0f} to {max(twin_others):.0f}.")
print(f"   The largest row of its batch has {max(twin_by_row) / sum(twin_by_row):.0%} of the sum over the ten rows.")
vitals(
    before=ill,
    now=line_with_bad_row(seed=0, factor=1)[3],
    signs={"loss": "loss of a batch (squared units)", "grad_norm": "gradient norm"},
    labels=("ill", "mended"),
    caption="The run with its row 7 as it came, and with that row divided by 200.",
)

# %% [markdown]
# **What was found.** The first gradient was as usual, so the weights and the loss's units were not it. At the leap the
# weights were still good: on all other batches their gradient was small. One batch had a large one, and in it one row
# had nearly all. Dividing that row by 200 mends the run at the same learning rate.
#
# **What would have told its twin.** In the twin the step was too large, and the weights were carried away. There the
# gradient is large on *every* batch, and no row has most of it. Note what a smaller rate does to the ill run: at a tenth it
# still explodes. So a run that is not cured by a smaller rate may have a bad batch; and one that is cured may have had a
# bad batch too, whose leap was only delayed.
