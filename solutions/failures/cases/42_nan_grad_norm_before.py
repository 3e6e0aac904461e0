# %% [markdown]
# ## Case 4.2 · The last line of the log is fine, and the next one is NaN
#
# About 20 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** A model of three layers side by side trains for days. Every hundred steps its log gets the gradient
# norm of each layer. One line is ordinary, the next says `nan` three times. What happened in the steps between them
# nobody can tell, and when somebody looked, the run had made another two hundred steps of `nan`. The layer with the
# largest gradients was blamed, and its rate divided by ten. The next run died at the same step.
#
# **After this case you can** keep the last steps before a failure at next to no cost, so that they are still there when
# you come, and read from them which layer went first.
#
# In case 11 of stage 2 you looked for a sick layer in a run that was still alive. Here the run is dead, all layers are equally
# `nan`, and the question is the order in which they went.
#
# ### The code

# %% fix="nan-grad-norm-before"
class LastNorms:
    """The gradient norms of each layer in the last steps before a failure: a flight recorder.

    names: the layers' names, a list of at least two strings. keep: how many steps are kept, 20 or
    more. Graded:
    record(step, grads) is called once a step, before the update; step is its number, grads a list
      with one float array per layer. The norm of a layer is the root of the sum of squares of its
      entries. Norms of finite float32 gradients, whose entries go up to 1e30 here, are finite.
      The first step with a norm that is not finite (nan or inf) is the failure: it is the last
      step that is recorded, and whatever is told later changes nothing.
      The caller may overwrite its arrays as soon as record returns.
    dump() may be called after any step, and changes nothing. It returns a dict:
      "steps": the numbers of the last `keep` steps recorded (all, where fewer), oldest first;
      "norms": their norms, one row a step, one column a layer, as float array or list of lists;
      "first": the name of the layer that left its usual range first, None where none did.
    A layer's usual norm is the median over the first half of the steps kept. It has left its range
    at the first step kept whose norm is above 10 times that, or is not finite.
    Not graded: "first" with fewer than 20 steps kept, or where two left at the same step.
    """

    def __init__(self, names, keep=200):
        self.names, self.keep = list(names), keep
        self.steps, self.norms = [], []
        self.has_failed = False

    ### BEGIN BROKEN
    # def record(self, step, grads):
    #     # print gradient norms per layer, every hundred steps
    #     if step % 100 == 0:
    #         self.steps.append(step)
    #         self.norms.append([np.sqrt(np.sum(grad**2)) for grad in grads])
    #
    # def dump(self):
    #     norms = np.array(self.norms, dtype=float).reshape(-1, len(self.names))
    #     # the layer with the largest gradient
    #     first = self.names[np.argmax(norms[-1])] if len(norms) else None
    #     return {"steps": list(self.steps), "norms": norms, "first": first}
    ### END BROKEN
    ### BEGIN SOLUTION
    def record(self, step, grads):
        if self.has_failed:
            return  # what comes now would push out what led to it
        norms = [float(np.sqrt(np.sum(np.square(grad, dtype=np.float64)))) for grad in grads]
        self.steps = (self.steps + [step])[-self.keep :]
        self.norms = (self.norms + [norms])[-self.keep :]
        self.has_failed = not np.all(np.isfinite(norms))

    def dump(self):
        norms = np.array(self.norms, dtype=float).reshape(-1, len(self.names))
        first = None
        if len(norms) > 1:
            # Against its own past: layers differ a thousandfold in healthy runs.
            usual = np.median(norms[: len(norms) // 2], axis=0)
            has_left = ~(norms <= 10 * usual)
            when = np.where(has_left.any(axis=0), has_left.argmax(axis=0), len(norms))
            if when.min() < len(norms):
                first = self.names[int(when.argmin())]
        return {"steps": list(self.steps), "norms": norms, "first": first}

    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The run computes in float32, which ends at $3.4\cdot10^{38}$. How many steps before
# the failure did the first layer leave its usual range? Write your guess as `my_guess`. It is the dotted line, and once
# you have mended the recorder the line under the figure answers it.

# %% scene="nan-grad-norm-before"
LAYER_NAMES = ("price", "weather", "calendar")


def fly_and_crash(recorder, seed, steps=1000):
    """Three linear layers side by side, their outputs added, in float32. Returns the recorder's dump and the failure's step.

    The layers' inputs have scales 10, 1 and 0.1, and each layer has the rate that suits it. At a step that the
    seed chooses, the rate of "calendar" is multiplied by nine, to nearly twice what it bears. The loop goes on after the
    failure, as loops do.
    """
    rng = np.random.default_rng(seed)
    x, y, _ = linear_data(rng, rows=10240, features=24, scales=np.repeat([10.0, 1.0, 0.1], 8), noise=0.3)
    x, y = x.astype(np.float32), y.astype(np.float32)
    raised = int(rng.integers(702, 711))
    model, failure = LeastSquares(24), None
    model.params = [np.zeros(24, np.float32)]
    rates = np.repeat([1e-3, 0.1, 20.0], 8).astype(np.float32)
    stream = batches(rng, len(x), 1024, epochs=-(-steps // 10))
    with np.errstate(all="ignore"):
        for step, rows in zip(range(steps), stream):
            if step == raised:
                rates[16:] *= 9
            grad = model.loss_and_grads(x[rows], y[rows])[1][0]
            if failure is None and not np.isfinite(global_norm([grad.astype(float)])):
                failure = step
            recorder.record(step, [grad[:8], grad[8:16], grad[16:]])
            model.params = [model.params[0] - rates * grad]
    return recorder.dump(), failure


def show_crash(before, now, failure, my_guess):
    """Both dumps over the step with the guess, and the steps in which the layers left, in units of their usual norms."""
    fig, (far, near) = figure(2, height=3.6)
    looks = dict(color="#888888", linewidth=3), dict(color="#444444", linestyle="--"), dict(color="#CC79A7")
    told, columns = [], {}
    for dump, title in ((before, "as complained about"), (now, "your code")):
        steps, norms = np.array(dump["steps"]), np.array(dump["norms"], dtype=float)
        norms = np.where(np.isfinite(norms), norms, np.nan)
        columns[title] = steps, norms
        finite = int(np.isfinite(norms).all(axis=1).sum())
        told.append(f'{title}: {len(steps)} steps kept, {finite} of them with finite norms, "{dump["first"]}" went first')
        print(f"{told[-1]}.")
    steps, norms = columns["your code"]
    for name, column, look in zip(LAYER_NAMES, norms.T, looks):
        far.plot(steps, column, marker="o" if len(steps) < 20 else "", markerfacecolor="none", markersize=9, label=name, **look)
    for column in columns["as complained about"][1].T:
        far.plot(columns["as complained about"][0], column, "X", color=BROKEN["color"], zorder=4)
    far.plot([], [], "X", color=BROKEN["color"], label="as complained about")
    far.axvline(failure, color="#444444", linewidth=1)
    below = dict(
        xycoords=("data", "axes fraction"), ha="right", fontsize="small", bbox=dict(facecolor="white", edgecolor="none", pad=1)
    )
    far.annotate("failure", (failure - 2, 0.04), **below)
    far.axvline(failure - my_guess, color="#444444", linestyle=":", linewidth=1.5)
    far.annotate("your guess ", (failure - my_guess, 0.92), xycoords=("data", "axes fraction"), ha="right", fontsize="small")
    far.set(xlabel="step", ylabel="gradient norm of the layer", yscale="log", xlim=(failure - 130, failure + 10))
    far.legend(frameon=False, fontsize="small", loc="upper left")
    near.set(xlabel="step", ylabel="norm / usual norm of the layer", yscale="log")
    near.set_title("your code, where the layers leave", fontsize="small")
    left = None
    if len(steps) >= 20 and steps[-1] == failure:
        usual = norms / np.median(norms[: len(norms) // 2], axis=0)
        left = steps[np.argmax(~(usual <= 10).all(axis=1))]
        shown = (steps > left - 9) & (steps < left + 7)
        for name, column, look, marker in zip(LAYER_NAMES, usual.T, looks, "osX"):
            near.plot(steps[shown], column[shown], marker=marker, label=name, **look)
        near.axhline(10, color="#444444", linewidth=1)
        near.annotate("10 times the usual", (0.02, 11), xycoords=("axes fraction", "data"), va="bottom", fontsize="small")
        near.legend(frameon=False, fontsize="small", loc="lower right")
    else:
        near.set_axis_off()
        why = "not to be seen: the steps before\nthe failure were not kept"
        near.text(0.5, 0.5, why, transform=near.transAxes, ha="center", va="center")
    caption = (
        "Gradient norms of three layers: as far as they were kept before the failure, and where they leave their usual range."
    )
    show(fig, caption, f"Two panels over step; the failure comes at {failure}. " + "; ".join(told) + ".")
    if left is not None:
        print(f"The first layer left its range about {round(failure - left, -1)} steps before the failure. You said {my_guess}.")


# %% run="nan-grad-norm-before" atlas="1 2"
my_guess = 3  # steps from leaving the usual range to the failure

crash_before, failed_at = fly_and_crash(broken.LastNorms(LAYER_NAMES), seed=0)
crash_now, _ = fly_and_crash(LastNorms(LAYER_NAMES), seed=0)
show_crash(crash_before, crash_now, failed_at, my_guess)


# %% check="nan-grad-norm-before" points=6
OVERWRITTEN = 8  # steps that are told in the same arrays, where any are


def norm_story(seed, steps, scales, leaves=None, lag=4, growth=3.0):
    """Norms (steps, layers): healthy around `scales`, and from 20 steps before the end growing, the layer `leaves` first."""
    rng = np.random.default_rng(seed)
    norms = np.array(scales) * np.exp(0.25 * rng.normal(size=(steps, len(scales))))
    if leaves is not None:
        late = np.where(np.arange(len(scales)) == leaves, 0, lag)
        norms *= growth ** np.maximum(np.arange(steps)[:, None] - (steps - 20) - late, 0)
    return norms


def tell_recorder(recorder, norms, start=0, dtype=np.float64, reuse=False):
    """Call record once for each row of norms, with gradients that have them; reuse: in the same arrays each time."""
    shapes = [(2, 3), (4,), (3, 3), (5,)][: norms.shape[1]]
    calls = [
        (step, [np.full(shape, norm / np.sqrt(np.prod(shape)), dtype) for shape, norm in zip(shapes, row)])
        for step, row in enumerate(norms, start=start)
    ]
    if not reuse:
        check.each(recorder.record, calls)
        return
    kept = [np.zeros(shape, dtype) for shape in shapes]
    for step, grads in calls:
        for old, grad in zip(kept, grads):
            old[:] = grad
        recorder.record(step, kept)
    for old in kept:
        old[:] = -1.0


def check_dump(recorder, norms, steps, first, what, call):
    """The dump holds these norms at these steps, and names `first`."""
    dump = recorder.dump()
    is_dump = isinstance(dump, dict) and all(name in dump for name in ("steps", "norms", "first"))
    check.that(is_dump, what='dump returns a dict with "steps", "norms" and "first"', call=call, got=dump)
    got = [int(step) for step in dump["steps"]]
    log = bool(got) and all(step % 100 == 0 for step in got)
    check.that(
        got == list(steps),
        what=what,
        call=call,
        expected=f"{len(steps)} steps, {steps[0]} to {steps[-1]}",
        got=f"{len(got)} steps" + (f", {got[0]} to {got[-1]}" if got else ""),
        turns={
            "a finite gradient is taken for a failure: its squares are added up in float32, which ends at 3.4e38": "1e25" in call
            and len(got) < 20,
            "every hundredth step is written down: what happens between two lines is lost": log,
            "the steps after the failure are recorded too: they push out what led to it": len(got) > 0 and got[-1] > steps[-1],
            "the failure itself is left out": got == list(steps)[:-1] or (len(got) > 1 and got[-1] == steps[-1] - 1),
            "nothing is ever dropped: days of a run do not fit": len(got) > len(steps) and got[-1] == steps[-1],
            "the first steps are kept, and not the last": len(got) == len(steps) and got[0] < steps[0],
            "the newest comes first": got[::-1] == list(steps),
        },
    )
    got_norms = np.array(dump["norms"], dtype=float)
    shape = (len(steps), len(norms[0]))
    what_shape = "norms has one row a step, and one column a layer"
    check.that(got_norms.shape == shape, what=what_shape, call=call, expected=shape, got=got_norms.shape)
    want = np.array(norms, dtype=float)
    finite = np.isfinite(want)
    check.close(
        np.where(finite, got_norms, 0),
        np.where(finite, want, 0),
        rtol=1e-4,
        what="each norm is the root of the sum of squares of its layer, as it was when record was called",
        call=call,
        turns={
            "the arrays are kept, and not their norms: the caller has overwritten them": np.vstack(
                [want[:-OVERWRITTEN], np.tile(got_norms[-1], (OVERWRITTEN, 1))]
            )
        },
    )
    is_bad = not np.isfinite(got_norms[~finite]).any()
    check.that(is_bad, what="the norm of a gradient that is not finite is nan or inf", call=call, got=got_norms[-1])
    usual = np.median(want[: len(want) // 2], axis=0)
    last_finite = want[np.isfinite(want).all(axis=1)][-1]
    said, names = dump["first"], recorder_names(want)
    check.that(
        said == first,
        what='"first" is the layer that left its usual range first',
        call=call,
        expected=repr(first),
        got=repr(said),
        turns={
            "no layer has left its range, and one is named all the same, such as the one of the largest norm": first is None,
            "the largest norm is blamed, as usual: layers differ a thousandfold in healthy runs": said
            == names[np.argmax(last_finite)],
            "the layer that has grown most at the end is blamed: the order in which they went is asked": said
            == names[np.argmax(last_finite / usual)],
            "the first layer that is not finite is named: at the failure all are, and nan spreads in one step": said
            == names[np.argmax(~np.isfinite(want[-1]))],
        },
    )


def recorder_names(norms):
    return ["embedding", "attention", "mlp", "head"][: np.shape(norms)[1]]


def check_crash(seed, scales, leaves, keep, steps, end, after, start=0, lag=4, growth=3.0, overtakes=None):
    """A crash with `end` (nan or inf) as its last row, and `after` rows of nan told later."""
    norms = norm_story(seed, steps, scales, leaves, lag, growth)
    if overtakes is not None:
        norms[-8:, overtakes] *= 1e4
    norms[-1] = end
    names = recorder_names(norms)
    recorder = LastNorms(names, keep=keep)
    tell_recorder(recorder, norms, start)
    call = f"LastNorms({names}, keep={keep}) told steps {start} to {start + steps - 1}, the last with norms {end}"
    for later in (0, after):
        if later:
            tell_recorder(recorder, np.full((later, len(scales)), np.nan), start + steps)
            tell_recorder(recorder, np.array([scales] * 5), start + steps + later)
            call += f", and {later} of nan and 5 ordinary ones after it"
        kept = slice(max(0, steps - keep), steps)
        what = (
            "the failure is the last step recorded, and what is told later changes nothing"
            if later
            else "the last steps are kept"
        )
        check_dump(recorder, norms[kept], range(start, start + steps)[kept], names[leaves], what, call)


def check_last_norms():
    scales = [5.0, 0.002, 0.3]
    calm = norm_story(1, 80, scales)
    names = recorder_names(calm)
    recorder, other = LastNorms(names, keep=30), LastNorms(names, keep=20)
    tell_recorder(recorder, calm[:25], start=700)
    check_dump(
        recorder, calm[:25], range(700, 725), None, "all steps are kept while they are few", "keep=30, told steps 700 to 724"
    )
    tell_recorder(recorder, calm[25:-OVERWRITTEN], start=725)
    tell_recorder(recorder, calm[-OVERWRITTEN:], start=780 - OVERWRITTEN, reuse=True)
    call = "keep=30, told steps 700 to 779 of an ordinary run, dumped at 724 and 779"
    check_dump(recorder, calm[-30:], range(750, 780), None, "the last `keep` steps are kept, oldest first", call)
    tell_recorder(other, calm[:35])
    check_dump(other, calm[15:35], range(15, 35), None, "a second recorder knows nothing of the first", "a second one, keep=20")

    check_crash(2, [0.3, 0.002, 5.0], leaves=1, keep=44, steps=60, end=np.nan, after=15, start=650)
    check_crash(3, [0.3, 5.0, 0.002], leaves=2, keep=44, steps=65, end=[1.0, np.inf, 1.0], after=12)
    check_crash(4, [0.001, 1.0, 1.0, 1.0], leaves=3, keep=50, steps=65, end=np.nan, after=10, overtakes=0)

    large = norm_story(5, 40, [1e25, 1e27, 1e26])
    recorder = LastNorms(names, keep=30)
    tell_recorder(recorder, large, dtype=np.float32)
    what = "large and finite gradients are no failure"
    check_dump(recorder, large[-30:], range(10, 40), None, what, "told 40 steps of float32 gradients around 1e25 to 1e27")

    recorder = LastNorms(["first", "second"])
    tell_recorder(recorder, np.ones((210, 2)))
    kept = len(recorder.dump()["steps"])
    check.close(kept, 200, what="200 steps are kept where the caller gives no number", call="LastNorms(names), told 210 steps")


def check_usual_range():
    """Ten times the median of the first half of the steps is the bound, and one layer may leave while others stay."""

    def first_of(norms):
        recorder = LastNorms(["first", "second"], keep=40)
        tell_recorder(recorder, np.column_stack(norms))
        return recorder.dump()["first"]

    call = "LastNorms(names, keep=40).dump() after 40 steps, in which {}"
    below = np.where(np.arange(40) < 25, 1.0, 9.5)
    for second, told, want in (
        (np.where(np.arange(40) < 33, 2.0, 21.0), "the first comes to 9.5 times its usual norm, and later the second to 10.5", "second"),
        (np.full(40, 2.0), "the first comes to 9.5 times its usual norm, and the second stays", None),
    ):
        said = first_of([below, second])
        what = "a layer has left above 10 times its usual norm, whatever the others do"
        check.that(said == want, what=what, call=call.format(told), expected=want, got=said)
    said = first_of([np.where(np.arange(40) < 8, 1.0, 12.0), np.ones(40)])
    told = "the first has a norm of 1 for 8 steps and then of 12"
    what = "the usual norm is the median over the first half of the steps kept"
    check.that(said is None, what=what, call=call.format(told), expected=None, got=said)


check.run(check_last_norms, check_usual_range)


### BEGIN HIDDEN TESTS
def check_last_norms_elsewhere():
    rng = check.hidden_rng(42)
    for number in range(4):
        layers = int(rng.integers(2, 5))
        scales = 10.0 ** rng.uniform(-3, 3, layers)
        end = [np.nan, np.inf, [np.inf] * (layers - 1) + [1.0]][number % 3]
        leaves, keep, steps = int(rng.integers(layers)), int(rng.integers(44, 60)), int(rng.integers(46, 75))
        seed, after, start = int(rng.integers(2**31)), int(rng.integers(4, 20)), int(rng.integers(1000))
        # Above 10 times the usual norm by its third step, and all others not before the sixth: no two leave together.
        lag, growth = int(rng.integers(4, 8)), rng.uniform(3.5, 4.5)
        check_crash(seed, scales, leaves, keep, steps, end, after, start, lag, growth)
    steps, keep, start = int(rng.integers(70, 120)), int(rng.integers(20, 50)), int(rng.integers(1000))
    small = norm_story(int(rng.integers(2**31)), steps, 10.0 ** rng.uniform(-9, -3, 2))
    recorder = LastNorms(recorder_names(small), keep=keep)
    tell_recorder(recorder, small[:-OVERWRITTEN], start)
    tell_recorder(recorder, small[-OVERWRITTEN:], start + steps - OVERWRITTEN, reuse=True)
    kept, call = range(start + steps - keep, start + steps), f"keep={keep}, told {steps} steps"
    check_dump(recorder, small[-keep:], kept, None, "the last `keep` steps are kept, oldest first", call)


check.run(check_last_norms_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# What is in the dump when you come, two hundred steps after the failure? What would be in it if the same recorder wrote
# down every step and kept the last hundred?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Three things. The steps that matter fall between two lines of the log. The `nan` that follow a failure are worth nothing, and
# would take the place of what led to it. And a layer whose gradients are always the largest is not the one that changed.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Write down every step, drop the oldest beyond `keep`, and stop for good after the first step that is not finite. Add
# the squares in float64. For "first", divide each column by its own median over the early half, and ask at which row it
# first exceeds ten.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *NaN Loss, immediate action 2: Check gradient norms before NaN.*
#
# The advice can only be followed by those who have kept them. A buffer that forgets its oldest step for each new one, a
# ring buffer, holds $kL$ numbers for $k$ steps and $L$ layers, whatever the length of the run. With the gradient
# $g_{l,t}$ of layer $l$ at step $t$, its norm $n_{l,t}=\lVert g_{l,t}\rVert$ and its usual norm $u_l$, the median of
# $n_{l,t}$ over the older half of the buffer, the layer has left at
#
# $$t_l=\min\{t: n_{l,t}>10\,u_l\},$$
#
# and the one with the smallest $t_l$ went first. The median is used because it does not move when fewer than half of
# its values do.
#
# In these runs the rate of "calendar" is multiplied by nine at some step. Its part of the error then grows about
# threefold a step. Over 20 seeds it leaves its range 81 to 85 steps before the failure, and always first: the others
# follow two or three steps later. At no time has it the largest norm: "price" has inputs a hundred times as large. Its
# gradient is about a hundred times that of "calendar" before, and still 4 to 14 times in the last two finite steps. So
# the log blames "price", whose rate was never at fault.
#
# **How long a buffer?** Twice as long as the way to the failure, for the older half to be healthy. In float32 a norm of
# 1 has 38 decades to go until its entries overflow. At threefold a step that takes 80 steps. The loss is a square: it
# is `inf` after half of them, and a loop that does not look goes on. A jump, the other kind of failure, needs a
# buffer of two. Which of the two it was is the next case.
#
# **When the advice misleads.** First is not the same as guilty. A gradient is a product of everything between it and the loss. In
# layers that stand one on the other, a layer whose weights have grown shows in the gradients of its *neighbours* before its own.
# (In a network of rectified units the weights of a layer times their gradient sum up to the same number in each layer, so the one
# with the large weights has the small gradient.) What went first is where you look first: at its rate, its inputs, its loss. And
# where all leave in one step, the order says nothing: ask the data, case 4.1.
#
# **In PyTorch** keep a `collections.deque(maxlen=k)` of `[float(p.grad.norm()) for p in ...]`. Each `float` waits for
# the device; stack the norms and fetch them at once, or keep the tensors and fetch them at the failure.
# `torch.nn.utils.clip_grad_norm_` returns the global norm, which has lost the layers.
#
# </details>
