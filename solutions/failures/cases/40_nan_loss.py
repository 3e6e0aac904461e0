# %% [markdown]
# ## Part 4 · The loss is not a number
#
# **What one sees.** The document gives no symptoms here beyond the name, *NaN loss*; one part earlier it has *loss
# suddenly becomes NaN or inf*. There are more pictures than that one. `nan` at the first step, or after days. After a
# climb, or out of a calm. `inf` now and then in a run that goes on. And its quiet relative: a loss that is a number, in
# a run that does not learn because its gradients were too small for their type.
#
# **What it can be.** A number in the data that is not finite. Steps that are too long. Or one operation that was given what it
# cannot do: the exponential of a large number, the logarithm of zero, a division by zero, a number outside its type. A `nan` is
# made in one place and is soon everywhere, so the question is always where it was *first*.

# %% scene="nan-loss"
def nan_signs(seed):
    """Five runs with numbers that are none, by what is seen first: for each its curve by name, and the unit of the axis."""
    rng = np.random.default_rng(seed)
    x, y, _ = linear_data(rng, rows=640, noise=0.5)
    noise = [rng.permutation(len(y))[:64] for _ in range(60)]

    def run(lr=0.1, at=None, value=None, spoilt_x=x, unit=1.0, update=descend):
        steps = iter(range(60))

        def draw():
            step = next(steps)
            batch_y = unit * y[noise[step]]
            if step == at:
                batch_y[0] = value
            return spoilt_x[noise[step]], batch_y

        return train(LeastSquares(5), draw, 60, lr, update)["loss"]

    def in_float16(params, grads, lr):
        return [param - lr * grad.astype(np.float16) for param, grad in zip(params, grads)]

    with_inf = x.copy()
    with_inf[7, 1] = np.inf
    with np.errstate(all="ignore"):
        standardised = (with_inf - with_inf.mean(axis=0)) / with_inf.std(axis=0)

    # Two classes, two wrong labels, and a probability in float16, which is 0 below 3e-8.
    side = np.sign(y)
    side[np.argsort(np.abs(y))[-2:]] *= -1
    w, logged = np.zeros(5), []
    for rows in noise:
        p = 1 / (1 + np.exp(-side[rows] * (x[rows] @ w)))
        with np.errstate(divide="ignore"):
            logged.append(float(np.mean(-np.log(p.astype(np.float16).astype(float)))))
        w = w + 20 / 64 * (side[rows] * (1 - p)) @ x[rows]
    tiny = 1e16 * np.array(run(unit=1e-8, update=in_float16))
    return {
        "NaN from the first step": ({"loss": run(spoilt_x=standardised)}, "loss"),
        "Climbs to the end": ({"loss": run(lr=lambda step: 0.1 if step < 10 else 1e3)}, ""),
        "Calm, and then gone": ({"loss": run(at=40, value=np.inf)}, ""),
        "Inf, and it goes on": ({"loss": logged}, ""),
        "A number, and no step": ({"loss": tiny}, "loss, in units of 1e-16"),
    }


def unit_of_zero(param):
    """param by its length: the gradient of the length. At zero it is 0 / 0."""
    with np.errstate(invalid="ignore"):
        return param / np.sqrt(np.sum(param**2))


def unit_or_zero(param):
    """The same with the value that a length's derivative may be given at zero: zero."""
    return param / max(np.sqrt(np.sum(param**2)), 1e-12)


def penalised_run(seed, unit, steps=150, strength=1e-3):
    """Train a network on spirals with a penalty on the length of each parameter array, unit(param) its gradient.

    Returns the History, the net as it was before each of the first two steps' losses, and the norms of the first gradients.
    """
    rng = np.random.default_rng(seed)
    x, y = spirals(rng)
    net, history, nets, first = MLP((2, 32, 3), rng), History(), [], None
    with np.errstate(all="ignore"):
        for _ in range(steps):
            nets.append([param.copy() for param in net.params])
            loss, grads = net.loss_and_grads(x, y)
            loss += strength * sum(np.linalg.norm(param) for param in net.params)
            grads = [grad + strength * unit(param) for grad, param in zip(grads, net.params)]
            first = first or [float(np.linalg.norm(grad)) for grad in grads]
            history.log(loss=loss, grad_norm=global_norm(grads))
            net.params = descend(net.params, grads, 0.5)
    return history, nets[:2], first


# %% run="nan-loss" part="signs"
thumbnails(
    nan_signs(seed=0), "Five runs; a cross marks the first loss that is not finite. Their causes differ, and so do their cures."
)

# %% [markdown]
# **The way through.** Ask in this order; each question is cheaper than the one after it, or sharper for what the one
# before has said.
#
# 1. Are the data finite, in the type that the model computes with, up to the step at which it happened? Case 4.1. If they are
#    not: what the pipeline does with such a row, case 4.7.
# 2. How did the loss go there: up a ramp, or in a jump? A ramp is a matter of the steps, and of part 2. After a jump, put
#    other batches to the same parameters: case 4.3.
# 3. Which layer's gradient went first? Case 4.2.
# 4. Data and steps are cleared: then it is one operation. An exponential of a large number, 4.4; a logarithm of zero,
#    4.5; a division by a spread of zero, 4.6; a number too small or too large for its type, 4.8.
#
# **One diagnosis, worked.** A network on spirals was given a new penalty, a thousandth of the length of each of its
# parameter arrays. Its loss is 1.3 at step 0 and `nan` from step 1 on. The questions, asked of it:

# %% run="nan-loss" part="worked"
ill, (at_start, at_failure), first_norms = penalised_run(seed=0, unit=unit_of_zero)
x, y = spirals(np.random.default_rng(0))
print(f"1. Inputs that are not finite in float32: {np.sum(~np.isfinite(x.astype(np.float32)))} of {x.size}.")
print(f"2. The losses: {ill['loss'][0]:.1f}, {ill['loss'][1]}. A jump, and as early as can be.")
probe = MLP((2, 32, 3), np.random.default_rng(0))
probe.params = at_failure
others = [probe.loss(*spirals(np.random.default_rng(seed))) for seed in range(1, 11)]
print(f"   Ten other batches with the parameters of step 1: {np.isnan(others).sum()} of 10 losses are nan.")
names = ("W1", "b1", "W2", "b2")
print("3. Gradient norms of step 0: " + ", ".join(f"{name} {norm:.2g}" for name, norm in zip(names, first_norms)) + ".")
lengths = [np.linalg.norm(param) for param in at_start]
print("4. Lengths of the arrays at step 0: " + ", ".join(f"{name} {length:.2g}" for name, length in zip(names, lengths)) + ".")
vitals(
    before=ill,
    now=penalised_run(seed=0, unit=unit_or_zero)[0],
    signs={"loss": "loss (nats)", "grad_norm": "gradient norm"},
    caption="The ill run, whose two signs end at once, and the same run with another value of one derivative at one point.",
    labels=("ill", "mended"),
)

# %% [markdown]
# The data are clean. The loss jumps, and other batches are `nan` too, so it is the parameters: step 0 has spoilt them,
# though its own loss was a number. The third answer finds it. At step 0 the gradients of the two biases are `nan` and
# those of the two matrices are not. An overflow would have spoilt all, since everything that a `nan` reaches becomes one. So
# it was made *at* the biases, by something that looks at each array by itself: the penalty. The fourth answer says how.
# The length $\lVert b\rVert=\sqrt{\sum_i b_i^2}$ of an array $b$ has the gradient $b/\lVert b\rVert$, and biases start
# at zero: $0/0$. The loss only has the length in it, which is 0 and a number.
#
# At zero a length has no derivative; any vector of length 1 or less may stand for it (a subgradient), and zero is the
# one that leaves the array where it is. With it the run goes well. A smaller rate would have changed nothing:
# $\eta\cdot$`nan` is `nan` for every $\eta$, and so is clipping by a norm that is `nan`.
#
# **What would have told its twins.** Steps that are too long spoil the parameters as well, and other batches show it as here; but
# the gradient of the step before is finite, and large. A bad batch leaves the other ten losses as usual. And a `nan` that comes
# from the forward pass is in the gradients of all layers at once. Then the loss of that same step is `nan` already, and here it
# was 1.3.
