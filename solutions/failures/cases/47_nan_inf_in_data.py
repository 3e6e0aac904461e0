# %% [markdown]
# ## Case 4.7 · NaN at the first step, and one division by zero in the table
#
# About 15 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** A table of 400 rows and five features is standardised and given to a linear model. The loss is
# `nan` from the first step on. A sensor had counted no vehicles in one hour, and a speed was divided by that count.
# Somebody replaces what is not a number in the standardised table by 0. The loss is a number again, and the model goes
# into service.
#
# **After this case you can** write the step of a pipeline that meets such a row: what it leaves out, what it computes from the
# rest, what it tells, and when it refuses to go on.
#
# In case 4.1 a bad number had to be *found*. Here it is known. The question is what a pipeline may do with it.
#
# ### The code

# %% fix="nan-inf-in-data"
def standardise(x, y, max_share=0.1):
    """Standardise a table, without the rows that hold a number that is not finite.

    x: inputs, float64 array (n, features). y: targets, (n,). max_share: 0 or more, below 1.
    Returns (z, y_kept, dropped). Graded:
    A row is dropped where a number in its x, or its y, is nan, inf or -inf: the whole row, from x
    and from y. All other rows are kept, in their order, however large their finite numbers.
    dropped: the numbers of the dropped rows in x, from 0, in increasing order.
    z: for each column of the rows that are kept, (column - mean) / standard deviation; both are
    those of the rows that are kept, and of no other number. A column whose kept numbers are all
    equal becomes zeros. All of z and y_kept is finite; y_kept is not standardised.
    Where more than max_share of all rows would be dropped, ValueError is raised. A share of
    exactly max_share is let through.
    x and y are not changed. There is at least one row.
    Not graded: whether the standard deviation divides by n or by n - 1; the words of the error.
    Finite numbers in the checks are below 1e9 in size.
    """
    ### BEGIN BROKEN
    # z = (x - x.mean(axis=0)) / x.std(axis=0)
    # return z, y, []
    ### END BROKEN
    ### BEGIN SOLUTION
    is_good = np.isfinite(x).all(axis=1) & np.isfinite(y)
    dropped = np.flatnonzero(~is_good)
    if len(dropped) > max_share * len(x) + 1e-9:
        raise ValueError(f"{len(dropped)} of {len(x)} rows are not finite: the pipeline is broken, and not a row")
    kept = x[is_good]
    centred = kept - kept.mean(axis=0)
    spread = np.where(np.ptp(kept, axis=0) > 0, centred.std(axis=0), np.inf)  # a constant column becomes zeros
    return centred / spread, np.array(y[is_good]), [int(row) for row in dropped]
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** One of the 2000 numbers of the table is `inf`. How many of the 2000 numbers of the
# standardised table are not finite? Write your guess as `my_guess`. The left panel answers it.


# %% scene="nan-inf-in-data"
def table_with_inf(seed, rows=400):
    """A table with one infinite number in a column that matters. Returns x, y, and 400 clean rows of the same kind."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2 * rows, 5)) * [1, 20, 3, 0.1, 8] + [0, 60, 5, 1, 20]
    y = (x - [0, 60, 5, 1, 20]) / [1, 20, 3, 0.1, 8] @ [1, -2, 1, 0.5, 1] + 0.3 * rng.normal(size=2 * rows)
    clean = x[rows:], y[rows:]
    x, y = x[:rows], y[:rows]
    x[rng.integers(rows), 1] = np.inf
    return x, y, clean


def fit_table(standardise, seed, replace=False, steps=60):
    """Fit a linear model to what `standardise` returns. replace: whether what is not finite becomes 0, as in the complaint.

    Returns its losses, how many numbers of each column are not finite, and what it was told of dropped rows.
    """
    x, y, _ = table_with_inf(seed)
    with np.errstate(all="ignore"):
        z, y_kept, dropped = standardise(x, y)
        bad = (~np.isfinite(z)).sum(axis=0)
        z = np.where(np.isfinite(z), z, 0.0) if replace else z
        losses = train(LeastSquares(5), lambda: (z, y_kept - np.mean(y_kept)), steps, lr=0.1)["loss"]
    return np.array(losses), bad, list(dropped)


def show_table(before, now, seed, my_guess):
    """Numbers that are not finite by column, and the losses: as complained about, replaced by 0, and with your code."""
    runs = {"as complained about": fit_table(before, seed), "your code": fit_table(now, seed)}
    replaced = fit_table(before, seed, replace=True)[0]
    fig, (left, right) = figure(2, height=3.4)
    told = []
    for (label, (losses, bad, dropped)), style, marker, width in zip(runs.items(), (BROKEN, MENDED), "Xo", (0.3, 0.7)):
        bars = dict(facecolor=style["color"], alpha=0.5, edgecolor="black", zorder=style["zorder"])
        left.bar(np.arange(5), bad, width=width, label=label, **bars)
        look = dict(color=style["color"], markersize=10, markerfacecolor="none" if marker == "o" else None)
        left.plot(np.arange(5), bad, marker, **look)
        is_finite = np.isfinite(losses)
        right.plot(np.where(is_finite, losses, np.nan), label=label, **style)
        if not is_finite.all():
            right.plot([np.argmin(is_finite)], [8.0], marker, **look)
        end = f"ends at a loss of {losses[-1]:.1g}" if is_finite.all() else f"is not finite from step {np.argmin(is_finite)} on"
        told.append(f"{label}: {bad.sum()} numbers are not finite, rows dropped: {len(dropped)}, the run {end}")
    left.axhline(my_guess, color="#444444", linestyle=":", linewidth=1.5)
    place = dict(xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize="small")
    left.annotate("your guess", (0.99, my_guess + 12), **place)
    left.set(xlabel="column of the standardised table", ylabel="numbers that are not finite", ylim=(-12, 440))
    left.legend(frameon=False, fontsize="small")
    right.plot(replaced, color="#444444", linestyle=":", linewidth=2, label="complained about, nan made 0")
    right.set(xlabel="step", ylabel="loss (squared units of y)", ylim=(0, 9))
    right.legend(frameon=False, fontsize="small", loc="upper right")
    told.append(f"with nan made 0, the run ends at a loss of {replaced[-1]:.1f}")
    caption = (
        "A table with one infinite number, standardised, and a linear model fitted to it. Mark at the top: a loss not finite."
    )
    show(fig, caption, "Two panels. " + "; ".join(told) + ".")
    print("\n".join(f"{line}." for line in told))


# %% run="nan-inf-in-data" atlas="2"
my_guess = 1  # numbers of the standardised table that are not finite

show_table(broken.standardise, standardise, seed=0, my_guess=my_guess)


# %% check="nan-inf-in-data" points=5
def told_table(seed, rows, bad=(), wild=(), constant=None):
    """A table of 4 columns; bad: (row, column or "y", value); wild: rows whose numbers are 1000 times as large."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4)) * [1.0, 30.0, 0.01, 1000.0] + [0.0, 50.0, 1.0, -3e4]
    y = 5 + rng.normal(size=rows)
    if constant is not None:
        x[:, 2] = constant
    x[list(wild)] *= 1e3
    for row, column, value in bad:
        if column == "y":
            y[row] = value
        else:
            x[row, column] = value
    return x, y


def check_spread_table(what, seed, rows, bad=(), turns=None, **settings):
    """standardise leaves out the rows in bad, tells them, and takes its statistics from the others."""
    x, y = told_table(seed, rows, bad, **settings)
    copies = x.copy(), y.copy()
    call = f"standardise(x, y) of {rows} rows, " + ("; ".join(f"row {r}, column {c}: {v}" for r, c, v in bad[:4]) or "all finite")
    call += f", column 2 all {settings['constant']}" if "constant" in settings else ""
    try:
        said = standardise(*copies)
    except ValueError as error:
        is_raised = bool(bad) and "shape" not in str(error)  # else numpy's own, of arrays that do not fit
        check.that(
            False,
            what="a table with few bad rows is standardised without them",
            call=call,
            got=f"ValueError: {error}",
            turns={"any bad row is refused: one division by zero stops the work of a night": is_raised},
        )
    check.that(
        np.array_equal(copies[0], x, equal_nan=True) and np.array_equal(copies[1], y, equal_nan=True),
        what="x and y are not changed",
        call=call,
    )
    is_three = isinstance(said, (tuple, list)) and len(said) == 3 and all(part is not None for part in said)
    check.that(is_three, what="three things are returned: z, y_kept and dropped", call=call, got=said)
    z, y_kept = np.array(said[0], dtype=float), np.array(said[1], dtype=float)
    want = sorted({row for row, _, _ in bad})
    kept = np.setdiff1d(np.arange(rows), want)
    column = next((c for _, c, _ in bad if c != "y"), 0)
    in_column = ""
    if z.ndim == 2 and z.shape[1] == 4:
        in_column = f", {int((~np.isfinite(z[:, column])).sum())} not finite in column {column}"
    y_only = {row for row, c, _ in bad if c == "y"} - {row for row, c, _ in bad if c != "y"}
    counts = {
        "only x is looked at: y is the data too": bool(y_only) and len(z) == len(kept) + len(y_only),
        "the bad number takes part in the mean: inf - inf is nan, and the whole column goes": z.shape == (rows, 4)
        and bool(want)
        and (~np.isfinite(z[:, column])).sum() > len(want),
        "the bad numbers are replaced, silently: a made-up reading is in the data and nobody is told": z.shape == (rows, 4)
        and bool(want)
        and np.isfinite(z).all(),
        "only nan is asked for, which inf is not, or only inf": 0 < rows - len(z) < len(want),
        "good rows are dropped too, for instance because their numbers are large": len(z) < len(kept),
    }
    check.that(
        z.shape == (len(kept), 4),
        what=what,
        call=call,
        expected=f"z of shape {(len(kept), 4)}",
        got=f"z of shape {z.shape}{in_column}",
        turns={**(turns or {}), **counts},
    )
    check.that(
        y_kept.shape == (len(kept),),
        what="the same rows are dropped from y",
        call=call,
        expected=f"{len(kept)} targets",
        got=f"{y_kept.shape} targets",
        turns={"y keeps its rows: from the first dropped row on, each input has the target of another": len(y_kept) == rows},
    )
    check.close(y_kept, y[kept], what="y_kept holds the targets of the rows that are kept, as they are", call=call)
    rows_told = np.array(said[2], dtype=float).ravel() if np.ndim(said[2]) == 1 else said[2]
    check.close(
        rows_told,
        want,
        what="dropped holds the numbers of the dropped rows",
        call=call,
        turns={"the rows are dropped, and nobody is told which": [], "the rows are counted from 1": [row + 1 for row in want]},
    )
    good = x[kept]
    spread = good.std(axis=0)
    flat = np.ptp(good, axis=0) == 0
    deviations = good - good.mean(axis=0)
    exact = np.where(flat, 0.0, deviations / np.where(flat, 1, spread))
    n = len(kept)
    if not np.allclose(z * np.sqrt(n / (n - 1)), exact, rtol=1e-6, atol=1e-8):  # divided by n - 1: right as well
        median = np.median(good, axis=0)
        with np.errstate(all="ignore"):
            by_entry = [column[np.isfinite(column)] for column in x.T]
            of_all = (good - [c.mean() for c in by_entry]) / [c.std() or 1 for c in by_entry]
        check.close(
            z,
            exact,
            rtol=1e-6,
            atol=1e-8,
            what="z is standardised with the mean and the standard deviation of the rows that are kept",
            call=call,
            turns={
                "a column without spread is divided by zero: the pipeline makes a nan of its own": np.where(flat, z, exact)
                if flat.any() and not np.isfinite(z[:, flat]).all()
                else exact + 1,
                "a column without spread is known by a spread of exactly 0, or above a small number: the mean of equal numbers "
                "is rounded, so the computed spread is about 1e-16, and so are the deviations that are divided": z
                if z[:, ~flat].size and np.allclose(z[:, ~flat], exact[:, ~flat]) and np.isfinite(z).all()
                else exact + 1,
                "the finite numbers of dropped rows take part: where one reading of a row is bad, so may be the others": of_all,
                "a small constant is added to the spread": deviations / (spread + 1e-8) if not flat.any() else exact + 1,
                "the deviation is not divided by the spread": deviations,
                "the median stands where the mean is meant": np.where(flat, 0, (good - median) / np.where(flat, 1, spread)),
            },
        )


def check_refusal(seed, rows, count, refused, **settings):
    """A table with `count` bad rows is refused with ValueError, or not."""
    rng = np.random.default_rng(seed)
    places = rng.choice(rows, count, replace=False)
    x, y = told_table(seed, rows, [(row, 1, np.inf) for row in places])
    share = settings.get("max_share", 0.1)
    call = f"standardise(x, y, max_share={share}) with {count} bad rows of {rows}"
    raised = None
    try:
        standardise(x, y, **settings)
    except Exception as error:
        raised = type(error).__name__
    per_number = "the share is counted over the numbers of the table, and not over its rows"
    check.that(
        (raised == "ValueError") == refused and raised in (None, "ValueError"),
        what="ValueError is raised where more than max_share of the rows would be dropped, and only there",
        call=call,
        expected="ValueError" if refused else "no error",
        got=raised or "no error",
        turns={
            "0.1 stands where max_share is meant": share != 0.1,
            per_number: refused and raised is None and 1 < count / rows / share < 4,
            "no table is ever refused: when a sensor is broken, half of the data goes, and only a list says so": refused
            and raised is None,
            "a share of exactly max_share is refused": count == round(share * rows),
            "any bad row is refused: one division by zero stops the work of a night": not refused,
        },
    )


def check_all_tables(seed, rows):
    nan, inf = np.nan, np.inf
    check_spread_table("the row with the inf is dropped, and nothing else", seed, rows, [(rows // 3, 1, inf)])
    check_spread_table("a table without a bad number keeps all its rows", seed + 1, rows)
    bad = [(3, 0, -inf), (4, 2, nan), (4, 3, inf), (rows - 1, 1, nan), (0, 3, inf)]
    check_spread_table("rows with nan, inf and -inf are dropped", seed + 2, rows, bad)
    check_spread_table("rows with a bad target are dropped", seed + 3, rows, [(7, "y", inf), (9, "y", nan), (11, 0, inf)])
    check_spread_table("a dropped row has no part in mean and spread", seed + 4, rows, [(5, 1, inf)], wild=[5])
    check_spread_table("a large and finite row is kept", seed + 5, rows, [(6, 0, nan)], wild=[8])
    check_spread_table("a column without spread becomes zeros", seed + 6, rows, [(2, 0, inf)], constant=7.0)
    check_spread_table("a column without spread in the kept rows becomes zeros", seed + 7, rows, [(2, 2, inf)], constant=0.1)
    check_refusal(seed + 8, rows, rows // 10, False)
    check_refusal(seed + 9, rows, rows // 2, True)
    check_refusal(seed + 10, rows, rows // 10 + 2, True)
    check_refusal(seed + 11, rows, rows // 5, False, max_share=0.3)
    check_refusal(seed + 12, rows, rows // 20, True, max_share=0.01)


def check_inf_in_data():
    check_all_tables(100, 120)


check.run(check_inf_in_data)


### BEGIN HIDDEN TESTS
def check_inf_in_data_elsewhere():
    rng = check.hidden_rng(47)

    def seed():
        return int(rng.integers(2**31))

    for fewest, most in ((50, 100), (500, 1000)):
        rows = int(rng.integers(fewest, most))
        check_all_tables(seed(), rows)
        places = rng.choice(rows, int(rng.integers(2, rows // 10)), replace=False)
        columns, values = [0, 1, 2, 3, "y"], [np.nan, np.inf, -np.inf]
        bad = [(int(row), columns[rng.integers(5)], values[rng.integers(3)]) for row in places]
        bad += [(int(row), columns[rng.integers(5)], values[rng.integers(3)]) for row in places[:2]]  # two in one row
        constant = float(rng.uniform(-1, 1) * 10.0 ** rng.uniform(-3, 6))
        wild = rng.choice(rows, 2, replace=False)
        what = "rows with a number that is not finite are dropped, and no others"
        check_spread_table(what, seed(), rows, bad, wild=wild)
        check_spread_table("a column whose kept numbers are all equal becomes zeros", seed(), rows, bad, constant=constant)
        # A share of eighths is the same number however it is computed.
        eighths, rows = int(rng.integers(1, 7)), 8 * int(rng.integers(5, 30))
        for more in (0, 1):
            check_refusal(seed(), rows, eighths * rows // 8 + more, bool(more), max_share=eighths / 8)


check.run(check_inf_in_data_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Take the column 1, 2, `inf` and standardise it by hand: the mean, the differences from it, their spread. Which of the
# three numbers survives?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# A mean is made of all rows, so one bad number reaches all rows of its column. Replacing the `nan` afterwards replaces
# good readings: the column is gone then, and nothing says so.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Decide first, on the raw table, which rows are good in x and in y. Count the others, and refuse if they are too many.
# Then forget them, and standardise what is left, with care for a column that does not vary.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *NaN Loss: Inf in data. Fix: Validate data pipeline.*
#
# For a column $x_1,\dots,x_n$ with mean $\bar x$ and standard deviation $s$ the standardised number is
# $z_i=(x_i-\bar x)/s$. With one $x_j=\infty$ the mean is $\infty$, so
#
# $$z_i=\frac{x_i-\infty}{\text{nan}}=\text{nan}\quad\text{for every } i,$$
#
# and $s$ is `nan` since $x_j-\bar x=\infty-\infty$. One number of 2000 makes 400 of them `nan`. A mean has a breakdown
# point of zero: one bad number among however many is enough to carry it anywhere (Hampel 1971, doi 10.1214/aoms/1177693054).
#
# **What each cure does,** in 20 seeds of this table. The spread of the noise in the targets is 0.3, so its square,
# 0.09, is as low as a loss can come.
#
# | cure | loss after 60 steps | what is reported |
# | --- | --- | --- |
# | none | `nan` | nothing |
# | `nan` made 0 after standardising | 3.6 to 4.5 | nothing: a column of five is gone |
# | `nan_to_num` on the raw table, then standardise | 3.6 to 4.5 | nothing |
# | the row left out before | 0.08 to 0.10 | its number |
#
# **When the advice misleads.** "Validate the pipeline" does not say what to do with what is found, and the handy answer is the
# worst one. The second row of the table is a run that looks well: a loss that is a number and falls. The third is no better:
# `nan_to_num` makes an `inf` the largest float there is, the square of its distance from the mean is `inf` again, and so is the
# spread. Divided by it, the whole column is 0. A made-up number may be right, a median for instance, where rows are few; then it
# is a decision, and reported as one. And leaving rows out is only harmless while they are few and bad by chance. If the speed is
# infinite whenever no vehicle passed, the empty hours are missing from the data, all of them. That is what `dropped` is for.
#
# **In service** the same mean and spread must be used, those of the training rows; this case leaves that to part 7.
#
# **In PyTorch** `torch.isfinite(x).all(dim=1)` gives the good rows. In scikit-learn `StandardScaler` raises a
# `ValueError` at an `inf`, and lets a `nan` pass, which it leaves where it is.
#
# </details>
