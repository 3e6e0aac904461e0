# %% [markdown]
# ## Case 1 · In the morning everything was NaN
#
# About 10 minutes · difficulty 1 of 5 · 5 points
#
# **The complaint.** A linear model is calibrated overnight on a stream of readings from eight sensors, 2000 steps. In the morning
# the job has ended without an error, and all eight weights are `nan`. Since when? Nobody knows: the loop has written nothing
# down. It is run again the next night, with the same end. Somewhere in the stream one target was divided by zero.
#
# **After this case you can** write a loop that stops before the damage instead of after it, and leaves a record that
# says when it stopped and why.
#
# ### The code

# %% fix="no-monitoring"
def watched_run(measure, apply, steps):
    """Train for `steps` steps, or until a loss or a gradient is no longer a finite number.
    Returns the record of the run.

    measure(step) gives (loss, grads) of a step; steps count from 0. loss is a float, grads a list
    of float arrays. Measuring changes nothing. apply(grads) makes the update with these
    gradients.
    The record is a dict:
        "loss", "grad_norm"   a list each, with one number for every step measured; grad_norm is
                              the norm of all gradients taken as one long vector
        "stopped_at"          the number of the step that was bad, or None where all were made
        "why"                 "loss" or "gradient", whichever is not finite there (either word
                              where both are not), or None
    Graded: NaN and both infinities count as bad, in the loss and in any entry of any gradient, at
    any step. Nothing of a bad step is applied, and nothing is measured after it. Its own numbers
    are in the record, as they are: that of the bad one is nan or inf. Every good step is measured
    once and applied once, however large or small its finite numbers are. Nothing is raised: the
    caller wants the record.
    Not graded: whether a bad norm is given as nan or as inf; what else is in the record; what you
    print. Gradients in the checks are float64, and their squares do not overflow.
    """
    ### BEGIN BROKEN
    # for step in range(steps):
    #     loss, grads = measure(step)
    #     apply(grads)
    #     # No logging, no checks, just hope for the best
    # return {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    ### END BROKEN
    ### BEGIN SOLUTION
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        grad_norm = global_norm(grads)
        # First the record, then the question, then the update: the bad step is written down, and does no damage.
        record["loss"].append(float(loss))
        record["grad_norm"].append(grad_norm)
        if not (np.isfinite(loss) and np.isfinite(grad_norm)):
            record["stopped_at"] = step
            record["why"] = "gradient" if np.isfinite(loss) else "loss"
            break
        apply(grads)
    return record
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** At some step one target of thirty-two is infinite; all inputs are ordinary numbers. The
# loss of that batch is `inf`. How many of the eight weights are still finite after the update with its gradient? Write
# your guess as `my_guess`. The right panel answers it.

# %% scene="no-monitoring"
def calibrate_overnight(watched_run, seed, steps=2000):
    """Fit eight sensors' weights by stochastic gradient descent; one target, at a step that the seed chooses, is infinite.

    Returns the record, how many weights were finite before each step that was paid for and after the last, and the bad step.
    """
    rng = np.random.default_rng(seed)
    true_w = rng.normal(size=8)
    bad_step = int(rng.integers(500, 900))
    model = LeastSquares(8)
    finite_weights = []

    def measure(step):
        finite_weights.append(int(np.isfinite(model.params[0]).sum()))
        x = rng.normal(size=(32, 8))
        y = x @ true_w + 0.1 * rng.normal(size=32)
        if step == bad_step:
            y[0] = np.inf
        return model.loss_and_grads(x, y)

    def apply(grads):
        model.params = descend(model.params, grads, lr=0.01)

    with np.errstate(all="ignore"):
        record = watched_run(measure, apply, steps)
    finite_weights.append(int(np.isfinite(model.params[0]).sum()))
    return record, finite_weights, bad_step


def show_night(before, now, guess):
    """Draw what the two records hold, and how many weights were finite at each step that was paid for."""
    fig, (left, right) = figure(2)
    told = []
    for style, (record, finite_weights, bad_step), label, height in (
        (BROKEN, before, "as complained about", 0.35),
        (MENDED, now, "your code", 0.2),
    ):
        losses = np.array(record["loss"], dtype=float)
        left.plot(np.where(np.isfinite(losses), losses, np.nan), label=label, **style)
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            left.plot(bad[0], 10, marker="X", markersize=9, color=style["color"], zorder=4)
            left.annotate(f"{losses[bad[0]]} at step {bad[0]}", (bad[0] + 50, 10), va="center", fontsize="small")
        text = f"{label}: {len(losses)} losses written down"
        left.annotate(text, (0.97, height), xycoords="axes fraction", ha="right", fontsize="small", color=style["color"])
        right.plot(finite_weights, label=label, **style)
        right.plot(len(finite_weights) - 1, finite_weights[-1], marker="s", markersize=8, color=style["color"], zorder=4)
        told.append(
            f"{label}: {len(losses)} losses in the record, {len(finite_weights) - 1} steps paid for, "
            f"{finite_weights[-1]} of 8 weights finite at the end"
        )
    bad_step = before[2]
    right.axvline(bad_step, color="#444444", linestyle="-.", linewidth=1, zorder=1)
    right.annotate("the bad target", (bad_step, 4), rotation=90, ha="right", va="center", fontsize="small")
    mark_guess(right, guess, at=0.98)
    left.set(xlabel="step", ylabel="loss in the record (squared units)", xlim=(-60, 2100), yscale="log", ylim=(0.004, 30))
    right.set(xlabel="step (square: the run ends)", ylabel="weights that are finite, of 8", xlim=(-60, 2100), ylim=(-0.6, 9.6))
    right.legend(frameon=False, fontsize="small", loc="center right", bbox_to_anchor=(1.0, 0.4))
    caption = "A night of 2000 steps in which one target is infinite: what was written down, and what is left of the weights."
    show(fig, caption, f"Two panels over step; the bad target comes at {bad_step}. " + "; ".join(told) + ".")


# %% run="no-monitoring" atlas="2"
my_guess = 7  # weights, of eight, that are finite after one update with the infinite batch

show_night(
    before=calibrate_overnight(broken.watched_run, seed=0),
    now=calibrate_overnight(watched_run, seed=0),
    guess=my_guess,
)

# %% check="no-monitoring" points=5
def watch_script(script, call):
    """Run watched_run over a script, a list of (loss, grads), and prove what does not depend on the bad step.

    Returns the record, the steps that were measured, the gradients that were applied, and what was raised, or None.
    """
    measured, applied, raised, record = [], [], None, None

    def measure(step):
        measured.append(step)
        loss, grads = script[step]
        return loss, [grad.copy() for grad in grads]

    def apply(grads):
        applied.append(np.concatenate([np.array(grad, dtype=float).ravel() for grad in grads]))

    try:
        record = watched_run(measure, apply, len(script))
    except (ValueError, RuntimeError, ArithmeticError, AssertionError, StopIteration) as error:
        raised = error
    in_order = measured == list(range(len(measured)))
    what = "measure is called once for each step, from 0 on"
    turns = {"the first step is called 1": measured[:1] == [1]}
    check.that(in_order, what=what, call=call, got=f"the steps {measured}", turns=turns)
    return record, measured, applied, raised


def check_record(script, record, length, call):
    """The record is a dict with the first `length` losses and norms of the script in it."""
    names = ("loss", "grad_norm", "stopped_at", "why")
    is_whole = isinstance(record, dict) and all(name in record for name in names)
    check.that(is_whole, what=f"the record is a dict with {', '.join(names)}", call=call, got=record)
    for name in ("loss", "grad_norm"):
        got = record[name]
        is_list = isinstance(got, (list, tuple, np.ndarray))
        check.that(is_list, what=f"{name} in the record is a list", call=call, got=got)
        check.that(
            len(got) == length,
            what=f"{name} in the record holds every step that was measured, the bad one too",
            call=call,
            expected=f"{length} numbers",
            got=f"{len(got)} numbers",
            turns={
                "nothing is written down": len(got) == 0,
                "every hundredth step is written down, as the document does": length > 3 and len(got) <= length // 100 + 2,
                "the bad step is left out: the one that has to be explained": len(got) == length - 1,
            },
        )
    want = np.array([loss for loss, _ in script[:length]])
    check.close(record["loss"], want, rtol=1e-5, what="the losses are in the record as they were measured", call=call)
    rows = [np.concatenate([grad.ravel() for grad in grads]) for _, grads in script[:length]]
    norms = np.array([np.sqrt(row @ row) for row in rows])
    sums = np.array([sum(np.sqrt(np.sum(grad**2)) for grad in grads) for _, grads in script[:length]])

    def with_nan(values):
        values = np.array(values, dtype=float)
        return np.where(np.isfinite(values), values, np.nan)  # nan or inf is the same here

    check.close(
        with_nan(record["grad_norm"]),
        with_nan(norms),
        rtol=1e-5,
        what="grad_norm is the norm of all gradients taken as one vector (nan stands for inf too)",
        call=call,
        turns={
            "the norms of the arrays are added: the norm is the root of the sum of all squares": with_nan(sums),
            "the root is missing": with_nan(norms**2),
        },
    )


def check_finished(script, call):
    """A script without a bad step is run to its end."""
    record, measured, applied, raised = watch_script(script, call)
    check.that(
        raised is None and len(applied) == len(script),
        what="a run whose numbers are all finite makes all its steps, large or small",
        call=call,
        expected=f"{len(script)} updates",
        got=f"{len(applied)} updates" if raised is None else f"{type(raised).__name__}: {raised}",
        turns={
            "a limit on the size stands for the question whether a number is finite: large numbers are": raised is None
            and len(applied) < len(script)
            and max(abs(script[len(applied)][0]), *(np.abs(grad).max() for grad in script[len(applied)][1])) > 1e3
        },
    )
    rows = [np.concatenate([grad.ravel() for grad in grads]) for _, grads in script]
    check.close(np.array(applied), np.array(rows), rtol=1e-6, what="each update gets the gradients of its step", call=call)
    check_record(script, record, len(script), call)
    is_none = record["stopped_at"] is None and record["why"] is None
    what = "stopped_at and why are None where all steps were made"
    check.that(is_none, what=what, call=call, got=(record["stopped_at"], record["why"]))


def check_stopped(script, bad_step, reasons, call):
    """A script is stopped at its bad step, before the update, with a record."""
    record, measured, applied, raised = watch_script(script, call)
    late = len(measured) - 1 - bad_step
    only_loss = "loss" not in reasons
    check.that(
        late >= 0,
        what="every step up to the bad one is measured",
        call=call,
        expected=f"{bad_step + 1} steps measured",
        got=f"{len(measured)} steps measured",
        turns={"nothing is measured at all": not measured},
    )
    check.that(
        raised is None,
        what="a bad run ends with its record, and not with an exception",
        call=call,
        expected="a record",
        got=f"{type(raised).__name__}: {raised}",
        turns={
            "isnan is asked after the update, as in the document: inf is not NaN, so the weights are gone when the next loss "
            "is, one step too late; and the exception takes the record with it": late == 1 and len(applied) == bad_step + 2,
            "an exception is raised, and the record is lost with it": True,
        },
    )
    check.that(
        len(applied) <= bad_step,
        what="nothing of the bad step is applied",
        call=call,
        expected=f"{bad_step} updates",
        got=f"{len(applied)} updates, {len(measured)} steps measured",
        turns={
            "only the loss is looked at: here the loss is finite, and a gradient is not": only_loss and late > 0,
            "the check comes after the update: it stops the run when the weights are already gone": late == 0,
            "the first bad loss is let through: isnan is False for inf": 0 < late < len(script) - bad_step - 1 or late == 1,
            "nothing stops the run: the rest of its budget is burnt": len(applied) == len(script),
            "the bad step is skipped and the run goes on: the docstring asks to stop": len(applied) < len(script),
        },
    )
    check.that(
        late == 0,
        what="nothing is measured after the bad step",
        call=call,
        expected=f"{bad_step + 1} steps measured",
        got=f"{len(measured)} steps measured, {len(applied)} updates",
        turns={"the bad step is skipped and the run goes on: the docstring asks to stop": late > 0},
    )
    what = "every step before the bad one is applied"
    check.that(len(applied) == bad_step, what=what, call=call, expected=f"{bad_step} updates", got=f"{len(applied)} updates")
    check_record(script, record, bad_step + 1, call)
    stopped_at = record["stopped_at"]
    is_step = stopped_at is not None and np.ndim(stopped_at) == 0 and not isinstance(stopped_at, (str, bool))
    check.that(
        is_step and stopped_at == bad_step,
        what="stopped_at is the number of the bad step",
        call=call,
        expected=bad_step,
        got=stopped_at,
        turns={
            "the run stops, and its record does not say so": stopped_at is None,
            "the steps are counted from 1": is_step and stopped_at == bad_step + 1,
            "the last good step is named": is_step and stopped_at == bad_step - 1,
        },
    )
    check.that(
        isinstance(record["why"], str) and record["why"] in reasons,
        what="why names what is not finite",
        call=call,
        expected=" or ".join(f'"{reason}"' for reason in reasons),
        got=record["why"],
        turns={
            "the loss is blamed, and it is finite": record["why"] == "loss",
            "the gradient is blamed, and it is finite": record["why"] == "gradient",
        },
    )


def calm_script(seed, steps):
    """Losses that fall, and gradients of two shapes."""
    rng = np.random.default_rng(seed)
    return [(float(3 / (1 + step)), [rng.normal(size=(2, 3)), rng.normal(size=2)]) for step in range(steps)]


def spoilt(script, step, loss=None, entry=None, after=True):
    """The script with another loss, or another last entry in its last gradient, at `step`; NaN from then on, as in life."""
    script = list(script)
    old_loss, grads = script[step]
    grads = [grad.copy() for grad in grads]
    if entry is not None:
        grads[-1][-1] = entry
    script[step] = (old_loss if loss is None else loss, grads)
    if after:
        for later in range(step + 1, len(script)):
            script[later] = (np.nan, [np.full_like(grad, np.nan) for grad in grads])
    return script


def check_watched():
    calm = calm_script(0, 12)
    both = ("loss", "gradient")
    check_stopped(spoilt(calm, 7, np.inf, np.inf), 7, both, "watched_run over 12 steps; at 7 loss and gradient are inf, then nan")
    check_stopped(spoilt(calm, 4, np.nan, np.nan), 4, both, "watched_run over 12 steps; from 4 on all is nan")
    one_entry = "watched_run over 12 steps; at 5 the loss is finite and one entry of a gradient is inf, then nan"
    check_stopped(spoilt(calm, 5, entry=np.inf), 5, ("gradient",), one_entry)
    check_finished(calm_script(1, 24), "watched_run over 24 steps, all finite")


check.run(check_watched)
### BEGIN HIDDEN TESTS
def check_watched_elsewhere():
    rng = check.hidden_rng(101)
    calm = calm_script(int(rng.integers(2**31)), int(rng.integers(8, 11)))
    last = len(calm) - 1
    call = f"watched_run over {len(calm)} steps"
    check_stopped(spoilt(calm, 0, np.nan, np.nan), 0, ("loss", "gradient"), "watched_run whose first step is nan")
    step = int(rng.integers(1, last))
    check_stopped(spoilt(calm, step, -np.inf), step, ("loss",), f"{call}; at {step} the loss is -inf, its gradient finite")
    step = int(rng.integers(1, last))
    told = f"{call}; at {step} a single loss is nan, its gradient finite"
    check_stopped(spoilt(calm, step, np.nan, after=False), step, ("loss",), told)
    for entry, step in zip((np.nan, np.inf, -np.inf), (last, *rng.integers(1, last, 2).tolist())):
        script = spoilt(calm, step, entry=0.0)
        bad = script[step][1][rng.integers(2)]
        bad.flat[rng.integers(bad.size)] = entry
        check_stopped(script, step, ("gradient",), f"{call}; at {step} one entry of a gradient is {entry}")
    large, huge, small = 10.0 ** np.array([rng.uniform(20, 40), rng.uniform(80, 140), rng.uniform(-40, -20)])
    sizes = (large, large), (-rng.uniform(1, 9), 0.0), (0.0, small), (1e300, huge)
    extreme = [(float(loss), [np.array([size, 0.0])]) for loss, size in sizes]
    check_finished(extreme, "watched_run over losses and gradients that are huge, zero and negative, and finite")


check.run(check_watched_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Take the step with the infinite target by hand. Which of the numbers in the loop is the first to be no number any
# more? What has the line after it done with that number, before anybody could look?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# There is one place where a bad step is known and has not yet done harm: after it is measured, before it is applied. And
# `np.isnan(np.inf)` is `False`.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# In this order: measure, write down loss and norm, ask whether both are finite, and apply only then. An entry that is
# not finite makes the norm not finite, so one question covers all gradients. To stop is to leave the loop and return
# the record.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Mistake 1: Not Monitoring Training At All.*
#
# With $n$ rows $x_i$ of eight inputs, targets $y_i$ and weights $w$, the gradient is
# $\frac{2}{n}\sum_i x_i\,(x_i^\top w-y_i)$. If one $y_i$ is infinite, so is every entry, because $x_i$ has no entry
# that is exactly zero. After the update $w\leftarrow w-\eta g$, with the learning rate $\eta$ and the gradient $g$, all
# eight weights are infinite, and at the next step $x_i^\top w$ adds $+\infty$ to $-\infty$: `nan`. One bad target takes
# one step to reach every weight, and no later batch mends it: `nan` plus anything is `nan`.
#
# In the night of the figure about 1250 of 2000 steps were spent on weights that were already lost.
#
# **When the advice misleads.** The document's cure has three holes. It asks `np.isnan(loss)`, and the first bad loss
# here is `inf`. It asks after `train_step()` has made the update, when there is nothing left to save: its guard fires
# one step late, with 0 of 8 weights finite. (Where the loss is `nan` at once it fires in time to name the step, and the
# weights are lost all the same.) And it raises, so that a record kept in the loop goes down with the loop, while what
# was printed holds every hundredth step, and not the last ones before the end. Those are the ones that you want.
#
# A finite loss is no proof of health either. Gradients can be `nan` while the loss is not: the slope of $\sqrt{x}$ at 0
# is infinite, its value is 0. So look at both.
#
# **Stopping is one answer, not the only one.** A stream with a bad row now and then is better served by skipping the
# row and counting; that is a later case. What a record is worth was shown in public with OPT-175B: its authors
# published the logbook of the run, with at least 35 manual restarts in two months (Zhang et al. 2022, arXiv 2205.01068).
#
# **In PyTorch** the question is `torch.isfinite(loss)`, and the norm comes from `torch.nn.utils.clip_grad_norm_`. On a
# GPU each question waits for the device, so many loops ask every few steps, and then keep the last good weights.
#
# </details>
