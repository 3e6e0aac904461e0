# %% [markdown]
# ## Part 6 · It does not even learn the training rows
#
# **What one sees.** *Both train and validation loss high. Model never reaches good performance. Simple patterns not
# learned.* The two curves lie close together, and both lie too high. That is the difference to part 5, where they part.
#
# **What it can be.** The network is too small, the rate too low, the run too short. Or the network is not to blame: the
# labels are wrong, or a stage before it has destroyed what there was to learn. Increasing something helps in the first
# three and is wasted in the last two. The small pictures look much alike. That is the point of this part.

# %% scene="underfitting"
def underfit_thumbnail(kind, seed=0, steps=200):
    """The losses on training rows and on new rows of a small run that does not learn; kind names what is the matter with it."""
    rng = np.random.default_rng(seed)
    (x, y), (x_new, y_new) = spirals(rng, points=60), spirals(rng, points=60)
    for labels in (y, y_new):
        drawn = rng.random(len(labels)) < (0.5 if kind == "labels" else 0)
        labels[drawn] = rng.integers(0, 3, drawn.sum())
    if kind == "signal":
        x, x_new = rng.permutation(x), rng.permutation(x_new)  # and the labels stay where they are
    net = MLP((2, 2 if kind == "size" else 24, 3), rng)
    lr = {"size": 0.3, "rate": 0.003, "time": 0.05, "labels": 1.0, "signal": 0.1}[kind]
    run = train(net, lambda: (x, y), steps, lr, validation=(x_new, y_new))
    return {"training": run["loss"], "new rows": run["val_loss"]}, "loss (nats)"


def read_by_neighbours(x, y):
    """The share of rows whose nearest other row has the same label."""
    squares = ((x[:, None] - x[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    return np.mean(y[squares.argmin(axis=1)] == y)


def worked_run(width, seed, steps=300, lr=0.5):
    """A run on three spirals, its network and its data."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng, points=60)
    new = spirals(rng, points=60)
    net = MLP((2, width, 3), rng)
    return train(net, lambda: (x, y), steps, lr, validation=new), net, (x, y)


def lowest_on_a_batch(net, x, y, lr, rows=30, steps=200):
    """The lowest loss of one batch, when the network goes on with nothing else."""
    state = [param.copy() for param in net.params]
    some = np.random.default_rng(0).choice(len(y), rows, replace=False)
    losses = train(net, lambda: (x[some], y[some]), steps, lr)["loss"]
    net.params = state
    return np.nanmin(losses)


# %% run="underfitting" part="signs"
thumbnails(
    {
        "both level, and high": underfit_thumbnail("size"),
        "both fall, and end at chance": underfit_thumbnail("rate"),
        "both fall when it ends": underfit_thumbnail("time"),
        "training a little below chance": underfit_thumbnail("labels"),
        "both at chance": underfit_thumbnail("signal"),
    },
    "Five runs that have learned too little. Chance is 1.10 nats.",
)

# %% [markdown]
# **The way through.** Cheap questions first; each closes a door.
#
# 1. Are both losses high, and close together? If the training loss is low, this is another part: look at part 5. Case
#    1.4 makes the verdict.
# 2. Can the labels be read off what the network gets, by the nearest neighbour say, and is its scale near 1? If not, no
#    network will help: case 6.5.
# 3. Go on with one batch of thirty rows, as the run is. Is the batch learned by heart? If so, the network and its rate
#    can learn; go to question 5. If not, ask again at ten times the rate: if that fits it, the rate was too low. Both
#    are case 6.2.
# 4. If neither fits it, the network is the suspect. Sweep the width over several starts before you pay for a larger
#    one: case 6.1. A rate that is off by much more than ten looks the same; that was case 1.5.
# 5. Do the losses go to the target if they go on as they do? Then say at which step: case 6.3. If they level off above
#    it, and the batch was fitted, the rows contradict each other: read those whose labels a model finds least likely that
#    was not trained on them, case 6.4.
#
# **One diagnosis, worked.** A run on three spirals ends after 300 steps, at a rate of 0.5, with both losses far too
# high. The cell asks the questions in this order.

# %% run="underfitting" part="worked"
ill, ill_net, (x_worked, y_worked) = worked_run(width=2, seed=1)
print(f"1. Losses at the end: training {ill['loss'][-1]:.1f}, new rows {ill['val_loss'][-1]:.1f}; chance is 1.1.")
share_read = read_by_neighbours(x_worked, y_worked)
print(f"2. Nearest neighbours read {share_read:.0%} of the labels; the inputs have a spread of {x_worked.std():.1f}.")
on_batch = [lowest_on_a_batch(ill_net, x_worked, y_worked, lr) for lr in (0.5, 5.0)]
print(f"3. One batch of 30 rows comes to {on_batch[0]:.1f}; at ten times the rate, to {on_batch[1]:.1f}.")
for width_worked in (2, 4, 16):
    ends = [worked_run(width_worked, seed)[0]["loss"][-1] for seed in (1, 2, 3)]
    print(f"4. Width {width_worked}: three starts end at {', '.join(f'{end:.1f}' for end in ends)}.")

vitals(
    before=ill,
    now=worked_run(width=16, seed=1)[0],
    labels=("ill", "mended"),
    signs={"loss": "training loss (nats)", "val_loss": "loss on new rows (nats)"},
    caption="The same rows and the same rate, with two hidden units and with sixteen.",
)

# %% [markdown]
# **What was found.** The losses lie together, so nothing was learned by heart. The neighbours read nearly all labels:
# signal and labels are there. The batch is learned at neither rate, so neither time nor rate is what the run lacks
# first. The sweep confirms it with three starts, not one: the loss falls from width to width, by much more than the
# starts differ.
#
# **What would have told its twins.** With wrong labels the neighbours would have read little, and a wide network would
# have brought only the training loss down. With too low a rate the batch would have been fitted at ten times the rate.
# With a run that was too short it would have been fitted at once.
