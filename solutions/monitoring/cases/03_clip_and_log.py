# %% [markdown]
# ## Case 3 · It was never active, so it was taken out
#
# About 15 minutes · difficulty 2 of 5 · 6 points
#
# **The complaint.** A model counts events from five sensors, day and night. Its loop used to clip the gradients.
# Somebody has taken that out: "It was never active." How do you know? "It would have shown in the log." There is no
# log. Now the weights are `nan` after 150 steps. A cable is dying, and sends nonsense ever more often.
#
# In case 5 of stage 1 you made the mechanics of clipping. Here they are half of the work. The other half is the number that
# clipping makes invisible, and what the loop does where there is no number.
#
# **After this case you can** build a training step that survives a bad batch and tells you that there was one.
#
# ### The code

# %% fix="clip-and-log"
def clipped_step(params, grads, lr, max_norm, log):
    """One step of gradient descent, params - lr * grads, with the gradients clipped by their
    global norm, and logged.

    params, grads: lists of float64 arrays of the same shapes. lr, max_norm: positive numbers.
    log: a list. Each call appends one dict to it:
        "grad_norm"   the norm of all gradients taken as one long vector, *before* clipping
        "clipped"     True where they were clipped, else False
    Returns the list of the new parameters.
    Graded: where grad_norm is above max_norm, all gradients are multiplied by one factor before
    the update, so that their norm is max_norm; below it they are used as they are. Every call is
    logged, clipped or not, and what the log held before stays. Where grad_norm is not finite, the
    step is logged and skipped: the parameters come back as they were, and nothing is raised.
    Not graded: "clipped" of a skipped step, or of a norm equal to max_norm; nan or inf in the log
    of a skipped step; what else is in the dict; whether you work in place; a constant of 1e-6 or
    less beside the norm. The squares in the checks do not overflow: that is for case 5 of stage 1.
    """
    ### BEGIN BROKEN
    # # No clipping, and nobody writes anything down.
    # return descend(params, grads, lr)
    ### END BROKEN
    ### BEGIN SOLUTION
    grad_norm = global_norm(grads)
    # The norm goes into the log before anything is done to it: afterwards it is max_norm at the most, and says nothing.
    log.append({"grad_norm": grad_norm, "clipped": bool(grad_norm > max_norm)})
    if not np.isfinite(grad_norm):
        return params
    factor = max_norm / grad_norm if grad_norm > max_norm else 1.0
    return descend(params, [factor * grad for grad in grads], lr)
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Once the clipping is back, the weights survive all nine bad batches. Suppose the log
# held the norm *after* clipping, and the limit is 2. What would be the largest number in it, over all 400 steps? And by
# how many times is the true one larger? Write the second as `my_guess`. The right panel marks it;
# once you have mended the code, both numbers are printed under the figure.

# %% scene="clip-and-log"
DYING_CABLE = (150, 230, 290, 330, 355, 370, 380, 390)  # the steps whose batch holds a corrupt row
LOST_READING = 310  # and the one with a reading that is no number


class CountsModel:
    """Poisson regression with a bias: the expected count is exp(x @ w + b). params is [w, b]."""

    def __init__(self, features):
        self.params = [np.zeros(features), np.zeros(1)]

    def loss_and_grads(self, x, y):
        """The mean negative log-likelihood in nats, up to a constant, and its gradient as a list like `params`."""
        logit = x @ self.params[0] + self.params[1]
        error = (np.exp(logit) - y) / len(y)
        return float(np.mean(np.exp(logit) - y * logit)), [x.T @ error, np.array([error.sum()])]


def count_events(clipped_step, seed, steps=400, lr=0.05, max_norm=2.0):
    """Fit counts while a cable dies. Returns the History, with the distance from the true weights, and the log.

    The history's grad_norm is what the experiment itself measured: it is there also where nobody logs.
    """
    rng = np.random.default_rng(seed)
    true_w, true_b = np.full(5, 0.3), 0.5
    model, history, log = CountsModel(5), History(), []
    with np.errstate(all="ignore"):
        for step in range(steps):
            x = rng.normal(size=(32, 5))
            y = rng.poisson(np.exp(x @ true_w + true_b))
            if step in DYING_CABLE:
                x[0], y[0] = 10 * rng.uniform(0.6, 1.0) * true_w / (true_w @ true_w), 1
            if step == LOST_READING:
                x[0, 2] = np.nan
            w, b = model.params
            loss, grads = model.loss_and_grads(x, y)
            history.log(distance=np.hypot(np.linalg.norm(w - true_w), b[0] - true_b), grad_norm=global_norm(grads))
            model.params = clipped_step(model.params, grads, lr, max_norm, log)
    return history, log


def show_dying_cable(before, now, guess, max_norm=2.0):
    """Draw the distance from the true weights, and what each log shows, with what a log of clipped norms would show."""
    fig, (left, right) = figure(2, height=3.4)
    told = []
    for style, (history, log), label in ((BROKEN, before, "as complained about"), (MENDED, now, "your code")):
        distance = np.array(history["distance"])
        is_lost = ~np.isfinite(distance) | (distance > 1e3)
        left.plot(np.where(is_lost, np.nan, distance), label=label, **style)
        end = f"the distance ends at {distance[-1]:.2f}"
        if is_lost.any():
            lost_at = int(np.argmax(is_lost))
            left.plot(lost_at, 0.96, marker="X", markersize=10, color=style["color"], zorder=4)
            end = f"the weights are lost at step {lost_at}"
        told.append(f"{label}: {end}, and the log holds {len(log)} entries")
        if log:
            norms = np.array([entry["grad_norm"] for entry in log], dtype=float)
            thin = {**style, "linewidth": 1.4}
            right.plot(np.where(np.isfinite(norms), norms, np.nan), label=f"log of {label}", **thin)
            for step in np.flatnonzero(~np.isfinite(norms)):
                right.annotate("no number:\nskipped", (step - 6, 1e5), ha="right", va="top", fontsize="small")
                right.axvline(step, color="#444444", linewidth=1, linestyle="-.")
            clipped = [step for step, entry in enumerate(log) if entry["clipped"] and np.isfinite(entry["grad_norm"])]
            right.plot(clipped, norms[clipped], "o", color=style["color"], markersize=6, markerfacecolor="none", label="clipped")
            told[-1] += f", of which {len(clipped)} were clipped; its largest finite norm is {np.nanmax(norms):.2g}"
            after = np.where(np.isfinite(norms), np.minimum(norms, max_norm), np.nan)
            right.plot(after, color="black", linewidth=1.8, linestyle="--", zorder=5, label="norm after clipping")
            told[-1] += f", while the norms after clipping never exceed {np.nanmax(after):.2g}"
        else:
            height = 0.12 if style is BROKEN else 0.04
            place = {"xy": (0.03, height), "xycoords": "axes fraction", "fontsize": "small", "color": style["color"]}
            right.annotate(f"{label}: the log is empty", **place)
    right.axhline(guess * max_norm, color="#444444", linestyle=":", linewidth=1.5)
    right.annotate("your guess", (0, guess * max_norm), va="bottom", fontsize="small")
    left.set(xlabel="step", ylabel="distance from the true weights", xlim=(-10, 410), ylim=(0, 1))
    right.set(xlabel="step", ylabel="gradient norm in the log", yscale="log", ylim=(0.005, 2e5), xlim=(-10, 410))
    left.legend(frameon=False, fontsize="small", loc="upper right")
    if right.get_legend_handles_labels()[0]:
        right.legend(frameon=False, fontsize="small", loc="upper left", ncols=1)
    show(
        fig,
        "400 steps of a count regression while a cable dies; max_norm is 2. Left, a cross: the weights are lost.",
        "Two panels over step: the distance from the true weights, and the gradient norms in the log. " + "; ".join(told) + ".",
    )
    norms = np.array(now[0]["grad_norm"])
    if np.isfinite(now[0]["distance"][-1]):
        largest = norms[np.isfinite(norms)].max()
        largest, times = (float(f"{number:.2g}") for number in (largest, largest / max_norm))  # two digits
        print(f"Largest norm before clipping: {largest:g}, which is {times:g} times the limit of {max_norm:g}.")
        print(f"Your guess: {guess:g} times. The largest norm after clipping is the limit.")
    else:
        print("Your weights are lost: the largest norm, and how many times the limit it is, come once they survive.")


# %% run="clip-and-log"
my_guess = 10.0  # the largest norm before clipping, as a multiple of the limit

show_dying_cable(
    before=count_events(broken.clipped_step, seed=0),
    now=count_events(clipped_step, seed=0),
    guess=my_guess,
)

# %% check="clip-and-log" points=6
def take_clipped_step(params, grads, lr, max_norm, log, call):
    """The new parameters, in one row, and the entry that this step has left in the log; all arguments but log are copies."""
    held = [dict(entry) for entry in log]
    try:
        moved = clipped_step([p.copy() for p in params], [g.copy() for g in grads], lr, max_norm, log)
    except (ValueError, RuntimeError, ArithmeticError, AssertionError) as error:
        what = "nothing is raised: a bad step is logged and skipped"
        turns = {"an exception ends the run, which one bad batch should not": not all(np.isfinite(grad).all() for grad in grads)}
        check.that(False, what=what, call=call, got=f"{type(error).__name__}: {error}", turns=turns)
    is_like = isinstance(moved, (list, tuple)) and [np.shape(p) for p in moved] == [p.shape for p in params]
    check.that(
        is_like,
        what="the list of the new parameters comes back, one array for each",
        call=call,
        got=moved,
        turns={
            "nothing comes back for a step that is skipped: the loop needs its parameters": moved is None and len(log) > len(held)
        },
    )
    row = np.concatenate([np.array(p, dtype=float).ravel() for p in moved])
    check.that(
        isinstance(log, list) and len(log) == len(held) + 1,
        what="each call appends one entry to the log",
        call=call,
        expected=f"{len(held) + 1} entries",
        got=f"{len(log)} entries",
        turns={
            "nothing is logged": not log,
            "only clipped steps are logged, or only steps that were made": 0 < len(log) == len(held),
            "the log is emptied, and holds the last step only": len(log) == 1 and len(held) > 1,
        },
    )
    is_entry = isinstance(log[-1], dict) and "grad_norm" in log[-1] and "clipped" in log[-1]
    check.that(is_entry, what="an entry is a dict with grad_norm and clipped", call=call, got=log[-1])
    before = [entry["grad_norm"] for entry in held if isinstance(entry, dict)]
    same = np.array_equal(before, [entry["grad_norm"] for entry in log[:-1]], equal_nan=True)
    check.that(same, what="what the log held before stays as it was", call=call, got=log)
    return row, log[-1]


def check_flag(entry, wanted, call, turns=None):
    got = entry["clipped"]
    is_flag = isinstance(got, (bool, np.bool_, int)) and bool(got) == wanted
    check.that(is_flag, what="clipped says whether the gradients were clipped", call=call, expected=wanted, got=got, turns=turns)


def check_clipped_step():
    log = []
    params, grads = [np.array([1.0, 2.0]), np.array([3.0, 4.0])], [np.array([12.0, 0.0]), np.array([3.0, 4.0])]
    start = np.array([1.0, 2.0, 3.0, 4.0])
    row = np.array([12.0, 0.0, 3.0, 4.0])
    call = "clipped_step([[1, 2], [3, 4]], grads=[[12, 0], [3, 4]], lr=0.1, max_norm=1, log=[])"
    moved, entry = take_clipped_step(params, grads, 0.1, 1.0, log, call)
    check.close(
        moved - start,
        -0.1 * row / 13,
        rtol=1e-5,
        what="gradients of norm 13 move the parameters by lr * max_norm, along their own direction",
        call=call,
        turns={
            "the gradients are not clipped, or only after the update": -0.1 * row,
            "each array is clipped by its own norm: the step turns by 22 degrees": -0.1 * np.array([1, 0, 0.6, 0.8]),
            "each entry is clipped by its own size: the step turns by 32 degrees": -0.1 * np.array([1.0, 0, 1, 1]),
            "the step itself is clipped, after the learning rate: the limit is for the gradients": -row / 13,
            "the sum of squares stands where its root is meant": -0.1 * row / 169,
            "the step goes up the gradient": 0.1 * row / 13,
            "the step is skipped where it should be clipped": 0 * row,
        },
    )
    check.close(
        entry["grad_norm"],
        13.0,
        rtol=1e-5,
        what="grad_norm in the log is the norm before clipping",
        call=call,
        turns={
            "the norm after clipping is logged: it says max_norm however bad the batch was": 1.0,
            "the norm of the first array is logged": 12.0,
            "the norms of the arrays are added: the norm is the root of the sum of all squares": 17.0,
            "the sum of squares is logged, without its root": 169.0,
            "the factor is logged in place of the norm": 1 / 13,
            "the norm of the step is logged": 0.1,
        },
    )
    check_flag(entry, True, call)

    small = [grad / 26 for grad in grads]
    call = "a second step, with gradients of norm 0.5 and max_norm=1"
    moved, entry = take_clipped_step(params, small, 0.1, 1.0, log, call)
    scaled_up = {"small gradients are scaled up to the limit": -0.1 * row / 13, "the step is not made": 0 * row}
    want = -0.1 * row / 26
    what = "below the limit the gradients are used as they are"
    check.close(moved - start, want, rtol=1e-5, what=what, call=call, turns=scaled_up)
    check.close(entry["grad_norm"], 0.5, rtol=1e-5, what="the norm is logged below the limit too", call=call)
    check_flag(entry, False, call, {"every step is called clipped, whatever its norm": entry["clipped"] is True})
    for bad in (np.nan, np.inf):
        check_skipped(bad, params, log)


def check_skipped(bad, params, log):
    """A step with one bad entry is logged, and leaves the parameters bit for bit as they were."""
    call = f"the next step, with grads=[[12, {bad}], [3, 4]]"
    moved, entry = take_clipped_step(params, [np.array([12.0, bad]), np.array([3.0, 4.0])], 0.1, 1.0, log, call)
    start = np.concatenate(params)
    reached = ~np.isfinite(moved)
    check.that(
        np.array_equal(moved, start),
        what="where the norm is not finite the parameters come back as they were",
        call=call,
        expected=start,
        got=moved,
        turns={
            "NaN is let through: the document's own recipe asks norm > max_norm, which is False for NaN": np.isnan(bad)
            and reached.any(),
            "inf gets the factor max_norm / inf = 0, and 0 * inf is NaN: the document's own recipe does this": np.isinf(bad)
            and reached.any(),
            "what is not finite is replaced, and the rest of a broken gradient is applied": not reached.any(),
        },
    )
    norm = entry["grad_norm"]
    is_number = norm is not None and np.ndim(norm) == 0 and not isinstance(norm, str)
    check.that(
        is_number and not np.isfinite(norm),
        what="the log says that the norm of a skipped step was not finite",
        call=call,
        expected="nan or inf",
        got=norm,
        turns={"the norm is taken after the bad entries were replaced or left out, so that nobody learns of them": is_number},
    )


check.run(check_clipped_step)
### BEGIN HIDDEN TESTS
def check_clipped_run():
    """A run of 16 steps of all kinds, beside an independent one."""
    rng = check.hidden_rng(103)
    lr, max_norm = rng.uniform(0.01, 0.05), rng.uniform(1, 10)
    shapes = [(4, int(rng.integers(2, 5))), (3,), (2, 2, 3)]
    params, log = [rng.normal(size=shape) for shape in shapes], []
    two_in_a_row, one = int(rng.integers(3, 8)), int(rng.integers(10, 15))
    bad_steps = {0: np.nan, two_in_a_row: -np.inf, two_in_a_row + 1: np.inf, one: np.nan}
    for step in range(16):
        grads = [rng.normal(0, 10 ** rng.uniform(-2, 3), shape) for shape in shapes]
        call = f"step {step} of a run with three arrays, lr={lr:.3g}, max_norm={max_norm:.3g}"
        if step in bad_steps:
            bad = grads[rng.integers(3)]
            bad.flat[rng.integers(bad.size)] = bad_steps[step]
        length = float(np.linalg.norm(np.concatenate([grad.ravel() for grad in grads])))
        start = np.concatenate([param.ravel() for param in params])
        moved, entry = take_clipped_step(params, grads, lr, max_norm, log, call)
        if step in bad_steps:
            same = np.array_equal(moved, start) and not np.isfinite(entry["grad_norm"])
            check.that(
                same,
                what="a step whose norm is not finite is logged as such, and skipped",
                call=call,
                expected="the parameters as they were",
                got=entry,
            )
            continue
        want = start - lr * min(1, max_norm / length) * np.concatenate([grad.ravel() for grad in grads])
        check.close(moved, want, rtol=1e-5, atol=1e-7, what="one factor for all arrays, in every step of a run", call=call)
        check.close(entry["grad_norm"], length, rtol=1e-5, what="the norm before clipping, in every step of a run", call=call)
        check_flag(entry, length > max_norm, call)
        ends = np.cumsum([param.size for param in params])[:-1]
        params = [part.reshape(shape) for part, shape in zip(np.split(moved, ends), shapes)]
    zeros = take_clipped_step([np.ones(2)], [np.zeros(2)], 0.1, 1.0, log, "clipped_step with gradients of zero")
    check.close(zeros[0], [1, 1], what="gradients of zero move nothing")
    check.close(zeros[1]["grad_norm"], 0.0, atol=1e-5, what="the norm of zeros is 0")


check.run(check_clipped_run)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Follow one number through a bad step. It is measured, it is compared, it may be changed, it is applied. At which of
# these moments does it still tell you how bad the batch was?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Nothing limits the step, and nothing is written down. When you mend it, mind two more things: `nan > 1` is `False`, and
# `0 * inf` is `nan`. No factor mends either.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Take the norm over all arrays together. Log it at once, with the answer to "is it above the limit?". If it is not
# finite, give the parameters back. Otherwise one factor for all arrays, never above 1, and then the update.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Mistake 3: Not Using Gradient Clipping.*
#
# With the gradients $g_k$ of the parameters $\theta_k$, the limit $c$ and the learning rate $\eta$:
#
# $$n=\sqrt{\sum_k\lVert g_k\rVert^2},\qquad \theta_k\leftarrow\theta_k-\eta\,\min\left(1,\frac{c}{n}\right)g_k$$
#
# where $n$ is finite; where it is not, $\theta_k$ stays as it was (Pascanu et al. 2013, arXiv 1211.5063; the skipping is not
# theirs). The clipped norm is $\min(n,c)$. In all eight corrupt batches of this run it says 2, where $n$ went from 390 to 16 000.
# A log of it is flat exactly when something happens. What to watch is $n$ and the share of steps that were clipped: here four of
# the first 150, all of them at the very start, and from there on ever more. With the clipping on and nothing logged, the cable
# would be dead before anybody noticed.
#
# **When the advice misleads.** "Always clip to 1": the limit is a scale of *this* loss. Here ordinary norms have a median of 0.6;
# a limit of 0.1 clips nearly every step, and is little more than a smaller learning rate (that clipping can also be faster than
# any fixed rate was shown by Zhang et al. 2020, arXiv 1905.11881). Choose it from the log, a little above what calm steps reach.
# And the document's symptom, an explosion "after many stable steps", is that of bad data or of a rate near its bound; where the
# *first* steps explode, look at initialisation and warmup.
#
# The document's recipe computes the norm and throws it away. It lets `nan` through, because `nan > max_norm` is false;
# an infinite norm makes its factor 0, and `0 * inf` is `nan`: the lost reading at step 310 takes all the weights with
# it. Clipping array by array, which also occurs, turns the step: by 22 degrees for the gradients of the check.
#
# A step that is skipped is a decision too, and a silent one if nobody counts. What is done after a spike in large models stands
# in the note of case 2.
#
# **In PyTorch** `norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm)` stands between `backward()` and `step()`,
# and returns the norm from before. Log it. It divides by that norm plus `1e-6`. It raises on a norm that is not finite only
# with `error_if_nonfinite=True`; the skipping is yours.
#
# </details>
