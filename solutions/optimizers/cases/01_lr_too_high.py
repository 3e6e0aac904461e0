# %% [markdown]
# ## Case 1 · It was divided by ten, and it still blew up
#
# About 15 minutes · difficulty 1 of 5 · 4 points
#
# **The complaint.** The simplest model there is, a line through points, is fitted by gradient descent. The loss is 270, then 200
# 000, then a number with forty digits, then `inf`. The learning rate of 0.1 comes from a tutorial, where it worked. A colleague
# said "divide it by ten". At 0.01 the loss climbs more slowly, and ends at `inf` all the same.
#
# **After this case you can** tell from the data, before the first step, which learning rates will diverge, and choose one that
# does not.
#
# ### The code

# %% fix="lr-too-high"
def pick_lr(x, y):
    """A learning rate for full-batch gradient descent on the loss mean((x @ w - y)**2), which
    starts at w = 0.

    x: inputs, float array (n, features). y: targets, (n,). Returns one positive number.
    Graded: with it the loss never rises from one step to the next, and after 1000 steps it is at
    most twice the smallest loss there is. The checks bring other data: 2 to 8 features,
    correlated or not, on any scale; within one data set the largest curvature is at most 200
    times the smallest.
    Not graded: how you find it. You may look at y, and try runs.
    """
    ### BEGIN BROKEN
    # return 0.1
    ### END BROKEN
    ### BEGIN SOLUTION
    # The loss is a bowl; its curvature along the steepest direction is the largest eigenvalue
    # of its Hessian. The bound is 2 over it.
    hessian = 2 * x.T @ x / len(y)
    return 1.5 / np.linalg.eigvalsh(hessian)[-1]
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Along one direction the loss is a parabola, $\frac{1}{2}\lambda d^2$, where $d$ is the distance
# from its lowest point and $\lambda$ the curvature. One step of size $\eta$ turns $d$ into $(1-\eta\lambda)\,d$. In this data
# $\lambda$ is 283 along the steepest direction. By what factor does a step at $\eta=0.1$ multiply the distance? The right panel
# answers it.

# %% scene="lr-too-high"
def unequal_features(seed):
    """200 rows of five features whose scales go from 1 to 12, such as metres beside centimetres. Returns x and y."""
    x, y, _ = linear_data(np.random.default_rng(seed), scales=np.array([1, 2, 4, 8, 12]))
    return x, y


def fit_line(x, y, lr, steps):
    """Gradient descent from w = 0. Returns the History; `factor` is what each step multiplies the distance by.

    The distance is that from the best w, along the direction in which the loss is steepest; a factor above 1 grows it.
    """
    model = LeastSquares(x.shape[1])
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    steepest = np.linalg.eigh(x.T @ x)[1][:, -1]
    distances = [abs(steepest @ best)]

    def update(params, grads, lr):
        moved = descend(params, grads, lr)
        distances.append(abs(steepest @ (moved[0] - best)))
        return moved

    history = train(model, lambda: (x, y), steps, lr, update)
    distances = np.array(distances)
    # Where almost nothing is left of the distance, its changes are rounding errors: they are not shown.
    is_left = distances[:-1] > 1e-9 * distances[0]
    with np.errstate(all="ignore"):
        history.signals["factor"] = list(np.where(is_left, distances[1:] / distances[:-1], np.nan))
    return history


# %% run="lr-too-high"
my_guess = 2.0  # the factor by which one step at 0.1 multiplies the distance, its sign left out

data = unequal_features(seed=0)
complaint = fit_line(*data, broken.pick_lr(*data), steps=13)
vitals(
    before=complaint,
    now=fit_line(*data, pick_lr(*data), steps=13),
    signs={"loss": "loss (squared units of y)", "factor": "distance, as a multiple of the step before"},
    guess={"factor": my_guess},
    caption="The first thirteen steps of gradient descent on five features of unequal scale.",
)
print(f"One step at 0.1 multiplies the distance by {complaint['factor'][0]:.0f}.")

# %% check="lr-too-high" points=4
def bowl(seed, features, scales, correlation=0.0, rows=200):
    """Inputs and targets of a least-squares task; each pair of features has the given correlation."""
    rng = np.random.default_rng(seed)
    mixing = np.linalg.cholesky((1 - correlation) * np.eye(features) + correlation)
    x = rng.normal(size=(rows, features)) @ mixing.T * scales
    return x, x @ rng.normal(size=features) / np.mean(scales) + 0.1 * rng.normal(size=rows)


def check_lr_on(name, x, y):
    lr = pick_lr(x.copy(), y.copy())
    call = f"pick_lr(x, y) for {name}"
    is_number = lr is not None and np.ndim(lr) == 0 and np.isfinite(lr) and lr > 0
    check.that(is_number, what="the learning rate is one positive number", call=call, got=lr)
    top = np.linalg.eigvalsh(x.T @ x)[-1]
    bound = len(y) / top
    losses = np.array(fit_line(x, y, lr, steps=1001)["loss"])
    smallest = np.mean((x @ np.linalg.lstsq(x, y, rcond=None)[0] - y) ** 2)
    on_the_bound = (
        "the learning rate stands exactly on the bound, where the distance neither grows nor shrinks. "
        "Was the factor 2 of the Hessian forgotten?"
    )
    rises = np.flatnonzero(~(np.diff(losses) <= 1e-9 * losses[:-1]))
    check.that(
        rises.size == 0,
        what="the loss never rises",
        call=call,
        expected="no step upwards in 1000 steps",
        got=f"{lr:.3g}, with which the loss rises at step {rises[0] + 1 if rises.size else 0}",
        turns={
            "0.1 is divided by ten, whatever the data": np.isclose(lr, 0.01),
            "the learning rate is the same for all data": np.isclose(lr, 0.1),
            "the factor 2 in the gradient of a square is forgotten: the Hessian is 2 x.T @ x / n": np.isclose(lr, 2 * bound),
            on_the_bound: np.isclose(lr, bound),
            "the largest variance of a feature is taken for the largest curvature: features that go together add up": np.isclose(
                lr, 1 / x.var(axis=0).max(), rtol=0.05
            ),
            "the smallest curvature is taken for the largest": np.isclose(lr, len(y) / np.linalg.eigvalsh(x.T @ x)[0], rtol=0.6),
        },
    )
    check.that(
        losses[-1] <= 2 * smallest,
        what="after 1000 steps the loss is at most twice the smallest there is",
        call=call,
        expected=f"at most {2 * smallest:.3g}",
        got=f"{losses[-1]:.3g} with a learning rate of {lr:.3g}, which is {lr / bound:.2g} of the bound",
        turns={
            on_the_bound: np.isclose(lr, bound),
            "the sum over the rows stands where their mean is meant: the Hessian is 2 x.T @ x / n": np.isclose(lr * len(y), bound, rtol=0.6)
            or np.isclose(lr * len(y), bound / 2, rtol=0.1),
            "the learning rate lies so far below what this data bears that it is safe, and far too slow": bound / lr > 20,
        },
    )


def check_lr_too_high():
    check_lr_on("five features on scales 1 to 12", *unequal_features(seed=0))
    check_lr_on("the same in units a hundred times smaller", *bowl(1, 5, np.array([0.01, 0.02, 0.04, 0.08, 0.12])))
    check_lr_on("four features on one scale, correlated by 0.8", *bowl(2, 4, np.ones(4), correlation=0.8))


check.run(check_lr_too_high)
### BEGIN HIDDEN TESTS
def drawn_bowl(rng, features, scales, correlation=0.0, rows=200):
    """A bowl that keeps the docstring's word: its largest curvature is at most 200 times its smallest."""
    while True:
        x, y = bowl(int(rng.integers(2**31)), features, scales, correlation, rows)
        curvatures = np.linalg.eigvalsh(x.T @ x)
        if curvatures[-1] < 190 * curvatures[0]:
            return x, y


def check_lr_too_high_elsewhere():
    rng = check.hidden_rng(1)
    for _ in range(5):
        scales = 10 ** rng.uniform(-2, 2) * np.append(rng.uniform(1, 12, 3), [1, 12])
        check_lr_on("five features, the largest scale twelve times the smallest", *drawn_bowl(rng, 5, scales))
    scales = rng.uniform(10, 50) * np.array([1, rng.uniform(2, 10)])
    check_lr_on("two features of unequal scale", *drawn_bowl(rng, 2, scales, rows=400))
    scales, correlation = np.full(8, rng.uniform(0.5, 5)), rng.uniform(0.3, 0.7)
    check_lr_on("eight correlated features on one scale", *drawn_bowl(rng, 8, scales, correlation))
    scales = 10 ** rng.uniform(-1, 1) * rng.uniform(1, 4, 6)
    check_lr_on("six features in forty rows", *drawn_bowl(rng, 6, scales, rows=40))


check.run(check_lr_too_high_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# The tutorial's data had features of scale 1, these have up to 12. How does the loss change along one weight when its feature
# is twelve times larger? A learning rate is not large or small by itself, only against something.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# A step multiplies the distance along a direction of curvature $\lambda$ by $1-\eta\lambda$. It shrinks only if that lies between
# $-1$ and $1$, for every direction at once. The steepest direction decides, and $0.1$ knows nothing of it.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Write down the matrix of second derivatives of the loss; `x.T @ x` is in it, mind the constants. Its largest
# eigenvalue is the curvature along the steepest direction. Stay below 2 over it, with some room.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Mistake 1: Learning Rate Too High.*
#
# The loss $\frac{1}{n}\lVert Xw-y\rVert^2$ over $n$ rows has the Hessian $H=\frac{2}{n}X^\top X$. Along its eigenvector of
# eigenvalue $\lambda$ the distance $d_t$ from the minimum after $t$ steps of size $\eta$ is $d_t=(1-\eta\lambda)^t d_0$. It
# shrinks for every $\lambda$ when
#
# $$0<\eta<\frac{2}{\lambda_{\max}},$$
#
# with $\lambda_{\max}$ the largest eigenvalue. Just above the bound the sign of $d_t$ flips at each step while its size grows:
# that is the oscillation that the document speaks of. On a quadratic it never ends by itself. The scale of the features enters
# squared, so features twelve times larger lower the bound by a factor of 144.
#
# **When the advice misleads.** "Reduce it by 10x" is a guess about a bound that can be computed, or probed. Where
# $\lambda_{\max}=1$, both 100 and 10 diverge; here 0.1 and 0.01 do. With momentum $\beta$ the bound is wider,
# $2(1+\beta)/\lambda_{\max}$ (Polyak 1964, doi 10.1016/0041-5553(64)90137-5): with $\beta=0.9$ and $\lambda_{\max}=1$, a rate of
# 3.7 converges and 3.85 does not.
#
# And a neural network is not a quadratic. Its curvature changes as it trains: full-batch training drives it up to about $2/\eta$
# and keeps it hovering there (Cohen et al. 2021, arXiv 2103.00065). With a stable cross-entropy a rate that is much too high
# often ends in a *stall*, not in `nan`. On the spirals of the next case the loss at a rate of 5 goes up in a third of the steps,
# and stays near 0.6.
#
# **The other cure** is to change the bowl: standardised features bring all curvatures close to each other, and then the
# tutorial's rate works.
#
# **In PyTorch** the rate is `lr` of `torch.optim.SGD`; nothing there knows the bound.
#
# </details>
