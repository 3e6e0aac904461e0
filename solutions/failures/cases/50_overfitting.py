# %% [markdown]
# ## Part 5 · Good on what it has seen
#
# **What one sees.** The document names three symptoms: *train loss decreases, validation loss increases*; *gap grows
# over training*; *perfect train accuracy, poor validation*. You see one curve that goes on falling, and another that
# has turned, or that left the first early and never came back. Nothing is wrong with the optimizer: what it was asked
# to lower is low.
#
# **What it can be.** There may be too few rows for what is to be learned. The model may bend further than the rows can hold it.
# The training may go on after the rows have nothing more to say. Or too little pulls the other way. All four look alike at the
# end of a run. They differ in what moves the validation loss when you change one thing.

# %% scene="overfitting"
def noisy_task(rng, rows):
    """Forty inputs, five of which matter, and labels with noise: x (rows, 40) and y (rows,)."""
    x = rng.normal(size=(rows, 40))
    return x, (x[:, :5].sum(axis=1) + 1.0 * rng.normal(size=rows) > 0).astype(int)


def overfit_run(seed, rows=80, width=32, steps=240, lr=0.3, keep=1.0):
    """Train a network on noisy rows. keep: what each step leaves of a weight.

    Returns the History of every fourth step: loss and val_loss in nats, accuracy and val_accuracy.
    What begins with val_ is measured on 1000 other rows.
    """
    rng = np.random.default_rng(seed)
    x, y = noisy_task(rng, 640)
    other = noisy_task(rng, 1000)
    x, y = x[:rows], y[:rows]
    net = MLP((40, width, 2), np.random.default_rng([seed, 1]))
    history = History()
    for step in range(steps + 1):
        loss, grads = net.loss_and_grads(x, y)
        if step % 4 == 0:
            history.log(loss=loss, val_loss=net.loss(*other), accuracy=net.accuracy(x, y), val_accuracy=net.accuracy(*other))
        net.params = [keep * param for param in descend(net.params, grads, lr)]
    return history


# %% run="overfitting" part="signs"
ill = overfit_run(seed=0)
gap = np.subtract(ill["val_loss"], ill["loss"])
thumbnails(
    {
        "one falls, the other turns": ({"training": ill["loss"], "validation": ill["val_loss"]}, "loss (nats)"),
        "the gap grows": ({"gap": gap}, "validation - training (nats)"),
        "all seen rows right, and not the new": ({"training": ill["accuracy"], "validation": ill["val_accuracy"]}, "accuracy"),
    },
    over="entry, one every 4 steps",
    caption="One run, three ways of seeing what ails it: 80 rows with 40 inputs, and 1000 rows that it has not seen.",
)

# %% [markdown]
# **The way through.** Ask in this order; each question is cheaper than the next.
#
# 1. *Is it overfitting at all?* Both losses measured alike, on the same weights, and the gap against its noise: case
#    1.4. A validation loss that is *below* the training loss is another illness.
# 2. *Was there a better network earlier in the run?* The validation curve says so for nothing. How many epochs that
#    means for a run without validation rows, and what to promise of it: case 5.3.
# 3. *Is the lowest point good enough, whenever it came?* If yes, you are done. If not, then train once with half of the
#    rows. If the lowest point gets worse by that, more rows would make it better (case 1.9); if there are none to be
#    had, make them: case 5.1.
# 4. *Is the model larger than it need be?* Train smaller ones, and let rows judge that were not fitted: case 5.2. If a
#    smaller one has as good a lowest point, the size was not the cause, only the speed with which it showed.
# 5. *What pulls the other way?* Noise on the units, case 5.4; weights that shrink, and how strongly, case 5.5; labels that are
#    less sure, case 5.6. Each has a strength, and the usual values may do nothing in your run.
#
# **One diagnosis, worked.** The run above, 80 rows and a network of 32 hidden units. The next cell asks questions 2 to
# 5, each with one change.

# %% run="overfitting" part="worked"
answers = {
    "as it is": ill,
    "half of the rows": overfit_run(seed=0, rows=40),
    "a quarter of the hidden units": overfit_run(seed=0, width=8),
    "weights shrink by 0.02 a step": overfit_run(seed=0, keep=0.98),
    "eight times the rows": overfit_run(seed=0, rows=640),
}
print("validation loss (nats)            lowest  at its end")
for change, run in answers.items():
    print(f"{change:<34}{min(run['val_loss']):5.2f} {run['val_loss'][-1]:8.2f}")
vitals(
    before=ill,
    now=answers["eight times the rows"],
    labels=("ill", "mended"),
    signs={"loss": "training loss (nats)", "val_loss": "validation loss (nats)"},
    over="entry, one every 4 steps",
    caption="The same network on 80 rows and on 640.",
)

# %% [markdown]
# **What was found, and why.** The lowest validation loss of the run is 0.72, after 8 of 240 steps, and guessing costs
# $\ln 2=0.69$. So the way out is not to stop earlier: there never was a network worth keeping. Half of the rows make it
# worse, 0.82, and eight times the rows bring it to 0.39, which no other change does. The run is short of rows. That is
# the cause; the rest are ways of living with it.
#
# **What would have told its twins.** Had the model been too large, the small one would have come as low as the run with
# many rows. It came to 0.57, better than the large one, and ends at 1.33: eight units can learn 80 rows by heart too.
# On two other seeds it gained 0.09 and nothing: one run is no verdict. Had the training only been too long, the lowest
# point would have been good, and only the end bad: so it is with 640 rows, which still rise from 0.39 to 0.53. There,
# stopping is the mend.
#
# Without more rows, shrinking the weights is the best to be had. It takes the loss to 0.60 and, unlike the others, keeps
# it there to the end: 0.61. On the next five seeds its lowest point is 0.46 to 0.54, and that of the small network 0.63
# to 0.68. The training accuracy is 1.00 in all five runs. It tells nothing.
