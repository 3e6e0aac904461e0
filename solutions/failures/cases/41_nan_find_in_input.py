# %% [markdown]
# ## Case 4.1 · The inputs were checked, and there was no NaN in them
#
# About 15 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** A model is calibrated on readings of six sensors. Somewhere in the first epoch the loss is `nan`. Somebody
# does what one does first, and searches the batch in hand for `nan`. There is none. "So it is not the data", and three days go
# into learning rates.
#
# **After this case you can** say of a run that died whether its data did it, and if so, which number in which row.
#
# In case 8 of stage 2 a guard kept such a batch from doing harm, and counted what was bad. Here the data have to be mended, and
# for that you need the place. Or the data are *not* at fault, and that has to be known before the search goes on elsewhere.
#
# ### The code

# %% fix="nan-find-in-input"
def first_bad_input(batches_seen, dtype=np.float32):
    """The first number in the data of a run that its model cannot compute with: where it is.

    batches_seen: the batches of the run in order, from step 0 to the step whose loss was the first
    to be nan. Each is (x, y, rows): inputs, float64 array (n, features); targets, float64 array
    (n,); and the number that each of these n rows has in the data set, int array (n,).
    dtype: the type to which the model casts x and y before it computes.
    A number is bad where it is nan, inf or -inf after that cast. (float32 ends at 3.4e38, float16
    at 65504.)
    Returns None where nothing is bad, else (step, name, row, column): the step, counted from 0;
    "x" or "y"; the row's number in the data set; the column of x, from 0, and for y always 0.
    Graded: all that. Where several are bad, the first is in the earliest step; in that step, x goes
    before y; in one array, the upper row of the batch before the lower; in one row, the left
    column before the right. Numbers that are large and not bad are no finding. Nothing that comes
    in is changed. Not graded: tuple or list, the kind of integer, what you print.
    """
    ### BEGIN BROKEN
    # # "Check if NaN in inputs": torch.isnan(x).any(), on the batch in hand
    # x, y, rows = batches_seen[-1]
    # if np.isnan(x).any():
    #     at, column = np.argwhere(np.isnan(x))[0]
    #     return len(batches_seen) - 1, "x", rows[at], column
    # return None
    ### END BROKEN
    ### BEGIN SOLUTION
    for step, (x, y, rows) in enumerate(batches_seen):
        for name, array in (("x", x), ("y", y[:, None])):
            with np.errstate(over="ignore"):
                seen_by_model = array.astype(dtype)
            bad = np.argwhere(~np.isfinite(seen_by_model))  # in reading order
            if len(bad):
                at, column = bad[0]
                return step, name, int(rows[at]), int(column)
    return None
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** A linear model, $\hat y=Xw$, is trained on squared error. At step $k$ one target of 32
# is `inf`; everything else is finite. How many steps after $k$ is the loss `nan` for the first time? 0 means: at step
# $k$ itself. Write your guess as `my_guess`. The line under the figure answers it.

# %% scene="nan-find-in-input"
BAD_READINGS = {
    "nan in x": ("x", np.nan),
    "inf in x": ("x", np.inf),
    "nan in y": ("y", np.nan),
    "inf in y": ("y", np.inf),
    "1e39 in x": ("x", 1e39),
}


def run_until_nan(kind, seed, steps=400):
    """Calibrate a linear model in float32 until its loss is nan. kind: one of BAD_READINGS, or "clean, lr too high".

    Returns the batches seen, the losses, and the place of the bad number, (step, name, row, column), or None.
    """
    rng = np.random.default_rng(seed)
    x, y, _ = linear_data(rng, rows=640, features=6)
    place = None
    if kind in BAD_READINGS:
        name, value = BAD_READINGS[kind]
        row, column = int(rng.integers(len(x))), int(rng.integers(6)) if name == "x" else 0
        (x if name == "x" else y[:, None])[row, column] = value
        place = name, row, column
    model, lr = LeastSquares(6), 0.05 if kind in BAD_READINGS else 4.0
    model.params = [model.params[0].astype(np.float32)]
    seen, losses = [], []
    with np.errstate(all="ignore"):
        for rows in batches(rng, len(x), 32, epochs=steps // 20):
            seen.append((x[rows], y[rows], rows))
            loss, grads = model.loss_and_grads(x[rows].astype(np.float32), y[rows].astype(np.float32))
            losses.append(loss)
            if np.isnan(loss):
                break
            model.params = descend(model.params, grads, np.float32(lr))
    if place:
        came = next(step for step, (_, _, rows) in enumerate(seen) if place[1] in rows)
        place = (came, *place)
    return seen, losses, place


def place_found(first_bad_input, kind, seed):
    """Whether the probe names the place; of a run whose data is clean, whether it names any."""
    seen, _, place = run_until_nan(kind, seed)
    with np.errstate(all="ignore"):
        said = first_bad_input(seen)
    return said is not None if place is None else said is not None and tuple(said) == place


def show_places(before, now, my_guess, runs=20):
    """How often both probes name the place, by kind of run; and when the loss is first nan after a target that is inf."""
    wanted = {**{kind: True for kind in BAD_READINGS}, "clean, lr too high": False}
    rates = [{kind: np.mean([place_found(f, kind, seed) for seed in range(runs)]) for kind in wanted} for f in (before, now)]
    alarm_rates(
        *rates,
        wanted,
        f"Runs whose loss became nan, {runs} of each kind: how often is a place in the data named, and the right one?",
        action="names the place",
        of="runs",
    )
    delays = []
    for seed in range(runs):
        _, losses, place = run_until_nan("inf in y", seed)
        delays.append(len(losses) - 1 - place[0])
    counts = [f"k + {count} in {delays.count(count)} of {runs} runs" for count in sorted(set(delays))]
    print(f"A target is inf at step k. The first loss that is nan is that of step {', '.join(counts)}. You said k + {my_guess}.")


# %% run="nan-find-in-input"
my_guess = 0  # steps from the infinite target to the first loss that is nan

show_places(broken.first_bad_input, first_bad_input, my_guess)


# %% check="nan-find-in-input" points=5
def seen_batches(seed, steps, bad=(), rows=8, features=4):
    """Batches of ordinary numbers; bad: (step, name, position in the batch, column, value), each put in. Returns them."""
    rng = np.random.default_rng(seed)
    numbers = 100 + rng.permutation(steps * rows)
    seen = []
    for step in range(steps):
        batch = rng.normal(size=(rows, features)), rng.normal(size=rows), numbers[step * rows : (step + 1) * rows]
        seen.append(batch)
    for step, name, at, column, value in bad:
        (seen[step][0] if name == "x" else seen[step][1][:, None])[at, column] = value
    return seen


def check_first_bad(what, seed, steps, bad, first=0, turns=None, finds_none=None, **dtype):
    """The probe names bad[first] (first=None: nothing). turns: (words, answer); finds_none: what None comes from."""
    seen = seen_batches(seed, steps, bad)
    copies = [tuple(array.copy() for array in batch) for batch in seen]
    said = first_bad_input(copies, **dtype)
    kept = all(np.array_equal(a, b, equal_nan=True) for old, new in zip(seen, copies) for a, b in zip(old, new))
    told = "; ".join(f"{value:g} in {name} of step {step}, row {at}, column {column}" for step, name, at, column, value in bad)
    call = f"first_bad_input of {steps} batches, {told or 'all numbers ordinary'}"
    call += f", dtype={np.dtype(dtype['dtype'])}" if dtype else ""
    check.that(kept, what="nothing that comes in is changed", call=call)

    def answer(step, name, at, column, *_):
        return step, name, int(seen[step][2][at]), column

    is_place = isinstance(said, (tuple, list)) and len(said) == 4 and isinstance(said[1], str)
    is_place = is_place and all(isinstance(said[i], (int, np.integer)) for i in (0, 2, 3))
    shape = "the answer is None or (step, name, row, column)"
    check.that(said is None or is_place, what=shape, call=call, got=repr(said))
    got = None if said is None else (int(said[0]), said[1], int(said[2]), int(said[3]))
    want = None if first is None else answer(*bad[first])
    in_batch = None if first is None else bad[first][:4]
    check.that(
        got == want,
        what=what,
        call=call,
        expected=want,
        got=got,
        turns={
            "the row is counted in the batch: whoever mends the data has no batches, only the data set": got is not None
            and got == in_batch
            and got != want,
            "the steps are counted from 1": got is not None and want is not None and got == (want[0] + 1, *want[1:]),
            **{words: got == answer(*other) for words, other in (turns or {}).items()},
            **({finds_none: got is None} if finds_none else {}),
            "a good number is called bad, for instance because it is large or a sum of it overflows": first is None,
        },
    )


def check_find_in_input():
    nan, inf = np.nan, np.inf
    only_last = "only the batch in hand is searched: after an inf the loss is often nan a step later, and that batch is clean"
    no_nan = "nothing is said of it, for instance because only the infinities are searched for"
    check_first_bad("a nan in x of the last batch is found", 1, 6, [(5, "x", 3, 2, nan)], finds_none=no_nan)
    check_first_bad("a nan in x of an earlier batch is found", 2, 6, [(4, "x", 6, 0, nan)], finds_none=only_last)
    not_nan = "isnan is asked, as usual: isnan(inf) is False, and inf - inf makes the nan later"
    for value in (inf, -inf):
        check_first_bad(f"{value} counts as bad", 3, 4, [(3, "x", 1, 3, value)], finds_none=not_nan)
    no_y = "only x is searched: the loss is made of the targets too"
    check_first_bad("a nan in y is found", 4, 5, [(4, "y", 7, 0, nan)], finds_none=no_y)
    check_first_bad("an inf in y of an earlier batch is found", 5, 5, [(2, "y", 0, 0, inf)], finds_none=no_y)
    cast = "the numbers are looked at before the cast: 1e39 is finite in float64, and inf in float32"
    check_first_bad("1e39 is bad for a model in float32", 6, 4, [(2, "x", 5, 1, 1e39)], finds_none=cast)
    check_first_bad("-4e38 is bad for a model in float32", 6, 4, [(2, "y", 5, 0, -4e38)], finds_none=cast)
    float16 = "the type is not looked at: float16 ends at 65504"
    check_first_bad("7e4 is bad for a model in float16", 7, 4, [(1, "x", 2, 2, 7e4)], finds_none=float16, dtype=np.float16)
    check_first_bad("1e39 is not bad for a model in float64", 8, 4, [(1, "x", 2, 2, 1e39)], first=None, dtype=np.float64)
    large = [(1, "x", 2, 2, 3e38), (1, "x", 3, 2, 3e38), (2, "y", 3, 0, -3e38), (2, "y", 4, 0, -3e38)]
    check_first_bad("3e38 is a number in float32", 9, 4, large, first=None)
    check_first_bad("clean data is told by None", 10, 5, [], first=None)

    last = "the last one is named, and not the first"
    check_first_bad("the earliest step counts", 11, 6, [(1, "y", 7, 0, inf), (4, "x", 0, 0, nan)], turns={last: (4, "x", 0, 0)})
    y_first = "y is searched before x"
    two = [(2, "x", 6, 3, inf), (2, "y", 0, 0, nan)]
    check_first_bad("in one step x goes before y", 12, 3, two, turns={y_first: (2, "y", 0, 0)})
    columns = "the columns are gone through one after the other: the upper row counts, not the left column"
    two = [(2, "x", 2, 3, nan), (2, "x", 5, 0, inf)]
    check_first_bad("the upper row goes before the lower", 13, 3, two, turns={columns: (2, "x", 5, 0), last: (2, "x", 5, 0)})
    two = [(0, "x", 4, 1, inf), (0, "x", 4, 3, nan)]
    nans_first = "all nan are searched before all inf, or the last is named"
    check_first_bad("in one row the left column goes first", 14, 3, two, turns={nans_first: (0, "x", 4, 3)})


check.run(check_find_in_input)


### BEGIN HIDDEN TESTS
def check_find_in_input_elsewhere():
    rng = check.hidden_rng(41)
    for _ in range(60):
        seed, steps, count = int(rng.integers(2**31)), int(rng.integers(1, 9)), int(rng.integers(0, 4))
        large = 10.0 ** rng.uniform(39, 300)
        bad = set()
        for _ in range(count):
            name = rng.choice(["x", "y"])
            bad.add((int(rng.integers(steps)), str(name), int(rng.integers(8)), int(rng.integers(4)) if name == "x" else 0))
        bad = [(*place, rng.choice([np.nan, np.inf, -np.inf, large, -large])) for place in sorted(bad)]
        check_first_bad("the first bad number is named", seed, steps, bad, first=0 if bad else None)
    for values, first, dtype in (
        ((1e39, 1e308), None, np.float64),
        ((1e38, 3.3e38), None, np.float32),
        ((7e4, 1e8), 0, np.float16),
    ):
        for name, columns in (("x", 4), ("y", 1)):
            place = int(rng.integers(3)), name, int(rng.integers(8)), int(rng.integers(columns))
            value = rng.choice([-1, 1]) * 10.0 ** rng.uniform(*np.log10(values))
            what = "a number is bad where it is nan, inf or -inf after the cast to dtype"
            check_first_bad(what, int(rng.integers(2**31)), 3, [(*place, value)], first=first, dtype=dtype)


check.run(check_find_in_input_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Follow one `inf` by hand through a step of a linear model: the error, the loss, the gradient, the weights, and then
# the error of the next row. At which of them does `nan` first turn up, and which batch do you hold then?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Four things. The probe asks for `nan` and lets the infinities pass. It looks into the batch in which the trouble was
# noticed. It leaves out the targets. And it looks at numbers that the model never sees: the model's own are the ones
# after the cast.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Go through the batches from the first on, through x and then y. Cast, ask for what is not finite, take the first place
# in reading order, and translate its row into the row of the data set.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *NaN Loss, immediate action 1: Check if NaN in inputs: `torch.isnan(x).any()`.*
#
# A `nan` in the loss need not have been a `nan` in the data. With inputs $X$ of $n$ rows, targets $y$ and weights $w$,
# the error is $e=Xw-y$, the loss $\frac{1}{n}\lVert e\rVert^2$ and its gradient $g=\frac{2}{n}X^\top e$. One
# $y_i=\infty$ makes $e_i=-\infty$, the loss $+\infty$, and each $g_j=\pm\infty$. The step $w\leftarrow w-\eta g$, with
# the learning rate $\eta$, leaves weights of both signs of infinity, and at the next row
#
# $$\sum_j x_jw_j=\infty-\infty=\text{nan}.$$
#
# So in all of 20 runs the loss is `inf` at the step with the bad target and `nan` one step later, and the batch in hand
# is then clean. These are the rules of IEEE 754: an operation without a sensible result, $\infty-\infty$,
# $0\cdot\infty$ or $0/0$, gives `nan`; one that is merely too large gives `inf` (Goldberg 1991, doi
# 10.1145/103162.103163).
#
# **When the advice misleads.** Over 20 runs each, the usual line names the place in every run whose inputs hold a `nan`. It names
# none in the others: `inf` in x, `nan` in y, `inf` in y, and a reading of 1e39, which float64 holds and float32 does not. Asked
# of the right batch it would still miss all four. The opposite haste misleads too. In a run whose rate is too high the loss goes
# to `inf` and `nan` with data that is clean from end to end. There `None` is the finding, and it is worth as much: it clears the
# data.
#
# **What the probe cannot see.** A number that is finite and absurd, such as 1e20 among readings of size 1, is not bad
# by this rule; that is the matter of the outliers in part 2. Nor does it see what is made on the way: a logarithm of
# zero, a division by a spread of zero. When it says `None`, go on to what was in the log before: cases 4.2 and 4.3.
#
# **In PyTorch** `torch.isfinite(x).all()` asks the question, and `(~torch.isfinite(x)).nonzero()[0]` gives the place. A
# default `DataLoader` does not hand you the row's number: let the data set return it with its row.
# `torch.autograd.set_detect_anomaly(True)` tells which backward operation made the first `nan`; it knows nothing of
# rows.
#
# </details>
