# %% [markdown]
# ## Part 1 · The loss does not move
#
# **What one sees.** The document lists: *loss stops decreasing*; *may oscillate around constant value*; *gradient norms
# non-zero but loss flat*. The loss falls at first and then stops, or it never falls. It is not `nan`, nothing crashes,
# and the run goes on.
#
# Losses are mostly cross-entropies in *nats*, that is, with natural logarithms. A network that gives each of $k$ classes the same
# probability has a loss of $\ln k$, 1.10 nats for three classes. The text calls that loss *chance*.
#
# **What it can be.** The learning rate is too low, or so high that the run jumps over the valley it should go down. The
# schedule has ended and the run has not. The network is too small, or it is stuck in a bad place. The data have no more
# to teach, or nothing at all. Or it is no plateau: the loss falls, more slowly than you can see.

# %% scene="loss-plateau"
def plateau_signs(seed):
    """Five runs that stand still, by what is seen first: for each a pair of curves by name, and the unit of the axis."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng)
    coins = rng.permutation(y)
    few = rng.choice(len(y), 30, replace=False)
    rest = np.setdiff1d(np.arange(len(y)), few)
    lines, level, _ = linear_data(rng, noise=0.5)
    turns = batches(rng, len(level), 8, 10)

    def run(width=32, lr=0.5, y=y, steps=250, rows=slice(None), validation=None):
        net = MLP((2, width, 3), np.random.default_rng([seed, width]))
        return train(net, lambda: (x[rows], y[rows]), steps, lr, validation=validation)

    def drawn():
        rows = next(turns)
        return lines[rows], level[rows]

    restless = train(LeastSquares(5), drawn, steps=250, lr=0.03)
    memorised = run(lr=1.0, steps=500, rows=few, validation=(x[rest], y[rest]))
    return {
        "Flat from the first step": ({"loss": run(lr=1e-3)["loss"]}, "loss (nats)"),
        "Falls, then restless": ({"loss": restless["loss"]}, "squared error"),
        "Falls, then still": ({"loss": run(width=2, lr=1.0, steps=500)["loss"]}, "loss (nats)"),
        "Never leaves chance": ({"loss": run(y=coins)["loss"]}, "loss (nats)"),
        "One still, one falls": ({"training": memorised["loss"], "validation": memorised["val_loss"]}, "loss (nats)"),
    }


def shrunk_run(seed, decay, steps=700, lr=0.5):
    """A run on spirals whose update also takes lr * decay of every weight away, which its History does not tell.

    Returns the network, its data, and the History: loss, grad_norm, lr, val_loss and travel, the distance from the weights of
    100 steps before, divided by the path length, the sum of the 100 gradient steps between (1 where all go one way).
    """
    rng = np.random.default_rng(seed)
    data, validation = spirals(rng), spirals(rng)
    net = MLP((2, 32, 3), rng)
    path = [np.concatenate([param.ravel() for param in net.params])]

    def update(params, grads, lr):
        new = [param - lr * (grad + decay * param) for param, grad in zip(params, grads)]
        path.append(np.concatenate([param.ravel() for param in new]))
        return new

    history = train(net, lambda: data, steps, lr, update=update, validation=validation)
    lengths = np.cumsum([0, *(lr * np.array(history["grad_norm"]))])
    for step in range(100, steps):
        history.log(travel=np.linalg.norm(path[step] - path[step - 100]) / (lengths[step] - lengths[step - 100]))
    return net, data, history


# %% run="loss-plateau" part="signs"
thumbnails(plateau_signs(seed=0), "Five runs that do not move. Their causes differ, and so do their cures.")

# %% [markdown]
# **The way through.** Ask in this order; each question is cheaper than the one after it.
#
# 1. Is it a plateau? Put an error bar on the slope: case 1.1.
# 2. What is the run told to do? Print the learning rate that reaches the optimizer: case 1.2.
# 3. Do the weights move? The size of a step against the weights, first layer against last: case 1.3.
# 4. What does the validation loss say beside the training loss? Case 1.4.
# 5. Only then guess at a cause, and test the guess with the probe that costs least: a far higher rate (1.5), a fresh
#    start at a lower one (1.6), another seed (1.7), another width (1.8), more data (1.9).
#
# **One diagnosis, worked.** A network stands at a loss of 0.7 on a task that it is known to solve. The first four
# questions, asked of it:

# %% run="loss-plateau" part="worked"
net, (x, y), history = shrunk_run(seed=0, decay=0.02)
loss, lr, travel = history["loss"], history["lr"][-1], history["travel"]
ratio = lr * history["grad_norm"][-1] / global_norm(net.params)
print(f"1. The loss at steps 500, 600 and 700: {loss[500]:.2f}, {loss[600]:.2f}, {loss[-1]:.2f}.")
print(f"2. The learning rate at the last step: {lr}, as it was set.")
print(f"3. A gradient step by the size of the weights: {ratio:.3f}. That is no small step, and yet the loss does not move.")
print(f"   Distance by path length of 100 gradient steps: {travel[0]:.2f} for the first 100, {travel[-1]:.2f} for the last.")
print(f"4. The validation loss: {history['val_loss'][-1]:.2f}; the training loss: {loss[-1]:.2f}.")
vitals(
    before=history,
    now=shrunk_run(seed=0, decay=0.0)[2],
    signs={"loss": "loss (nats)", "travel": "distance / path of 100 steps (axis starts at step 100)"},
    caption="The ill run, and the same run when its update follows the gradient alone.",
    labels=("ill", "mended"),
)

# %% [markdown]
# The first two answers are plain: it is a plateau, and the rate is what it was set to. The fourth rules out rows learned by
# heart. The third is the odd one. The gradient says that each step changes the network by a hundredth of itself, which is much;
# but after a hundred steps it is nearly where it was. So something takes back what the gradient gives. Where the rate is too
# high, the steps undo one another, and the loss is restless. Here the loss is still: whatever takes the steps back is as steady
# as the gradient.
#
# The cheapest experiment is to compare what one step does to the weights with $-\eta g$, where $\eta$ is the learning
# rate and $g$ the gradient. What is left over was $-0.01\,\theta$, with $\theta$ the weights: a weight decay of
# $\lambda=0.02$, set for another task, times $\eta=0.5$. Where $g=-\lambda\theta$ the two cancel and the run stands
# still, with a gradient norm of $\lambda\lVert\theta\rVert$ and not zero. That is one way for a gradient norm to be
# *non-zero but the loss flat*. A higher learning rate changes nothing, since both sides of the balance grow with it. A
# network too small for the task (case 1.8) looks the same from outside, but its gradient is near zero.
