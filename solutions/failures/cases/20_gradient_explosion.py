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
# both. That is why it tells nothing.

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
#       without one, the layers' outputs (2.3). One layer, or all (2.6)? With attention, look at its logits (2.7).
# 2. *Does it grow by about the same factor at each step, whatever the batch?* Then it is the step size, measured by the
#    curvature: 2.4.
# 3. *Is all well for long, and then there is one leap?* Go back to the weights before the leap, and ask them for the
#    gradient on other batches.
#    1. *Large on that batch only:* the rows, 2.2 and 2.8. A leap that comes once in each pass over the data is a row, too.
#    2. *Large on all:* the steps have led to a steep place. The rate (2.4); and what should have held the step, the
#       clipping (2.5).
#
# **One diagnosis, worked.** The second run of the row above. Its learning rate is 0.05. We ask question 1 of the first
# step, and question 3 of the leap.

# %% run="gradient-explosion" part="worked"
x, y, drawn, ill, weights = line_with_bad_row(seed=0)
norms = np.array(ill["grad_norm"])
leap = int(np.argmax(norms > 100 * norms[0]))
model = LeastSquares(6)
model.params = [weights[leap]]
on_others = [global_norm(model.loss_and_grads(x[rows], y[rows])[1]) for number, rows in enumerate(drawn[:30]) if number != leap]
by_row = [global_norm(model.loss_and_grads(x[[row]], y[[row]])[1]) for row in drawn[leap]]
suspect = int(drawn[leap][np.argmax(by_row)])

print(f"1. The first gradient has the norm {norms[0]:.1f}; the median of the ten after it is {np.median(norms[1:11]):.1f}.")
print(
    f"3. The leap comes at step {leap}: {norms[leap]:.0e}. On 29 other batches, with the weights before it: "
    f"{min(on_others):.1g} to {max(on_others):.1g}."
)
print(f"   Row by row in that batch: row {suspect} has {max(by_row):.0e}, the next largest {sorted(by_row)[-2]:.1g}.")
slow = np.array(line_with_bad_row(seed=0, lr=0.005)[3]["loss"])
print(f"   The twin: at a tenth of the rate the largest loss is {max(slow):.0e}.")
vitals(
    before=ill,
    now=line_with_bad_row(seed=0, factor=1)[3],
    signs={"loss": "loss of the batch (squared units of y)", "grad_norm": "gradient norm"},
    labels=("ill", "mended"),
    caption="The run with its row 7 as it came, and with that row divided by 200.",
)

# %% [markdown]
# **What was found.** The first gradient was as usual, so the weights and the loss's units were not it. At the leap the
# weights were still good: on all other batches their gradient was small. One batch had a large one, and in it one row
# had nearly all. Dividing that row by 200 mends the run at the same learning rate.
#
# **What would have told its twin.** Had the step been too large, the gradient on the *other* batches would have been
# growing before the leap, and the row's share of its batch would have been one of ten. Note what a smaller rate does
# here: at a tenth it still explodes. A run that was cured by a smaller rate may have had a bad batch all the same, and
# a run that was not may have had a step that is still too large: the question was not put to the right witness.
