# %% [markdown]
# ## Case 2.2 · The table was checked for outliers, and one was found
#
# About 15 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** A regression explodes in its first steps. The data were checked before: in each column every value
# more than five standard deviations from the mean was looked at. There was one, an error code of -999999. Its row was
# taken out, and the run explodes as before. The learning rate of 0.05 was divided by ten, and by a hundred, and it
# still explodes.
#
# **After this case you can** find the rows that do not belong, also when there are many, and say why the usual test
# overlooks them just then.
#
# The alarm of stage 2 (case 2) looks for spikes in a loss while the run goes on. This one looks at the rows before training. What
# to do where rows cannot be taken out is another case, 2.8.
#
# ### The code

# %% fix="diag-outliers"
def find_outliers(x):
    """The numbers of the rows that hold an outlier: a list or an array, in any order, or a mask.

    x: float array (rows, columns), all finite; 40 to 1000 rows, which count from 0. In each column
    85 % of the values or more, its bulk, are drawn from a normal distribution, whose mean may be
    anything and whose standard deviation s is 1e-6 to 1e6.
    Graded: a row with a value of 30 s to 1e12 s from the mean of the bulk is named, in whichever
    column, on either side, whether it is one such row or 15 % of them, and whether they are alike
    or each ten times as far as another. Of the rows whose values all belong to the bulk at most
    3 % are named. A column of zeros and ones, or of one value, names nobody, however rare the ones.
    Not graded: other columns that are not normal, and values between 6 s and 30 s.
    """
    ### BEGIN BROKEN
    # z = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-12)
    # return np.flatnonzero((np.abs(z) > 5).any(axis=1))
    ### END BROKEN
    ### BEGIN SOLUTION
    # The median and the quartiles do not move while the outliers are fewer than a quarter.
    low, centre, high = np.percentile(x, [25, 50, 75], axis=0)
    spread = (high - low) / 1.349  # the standard deviation, if the bulk is normal
    is_far = np.abs(x - centre) > 8 * spread
    # Where half of the values are equal, this says nothing about the others.
    return np.flatnonzero((is_far & (spread > 0)).any(axis=1))
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** A column has 300 values. One of them stands a million standard deviations away from
# the 299 others. Then the mean and the standard deviation of all 300 are computed. How many such standard deviations is
# it from that mean? Write your guess as `my_guess`: it is the dotted line in the left panel.


# %% scene="diag-outliers"
def height_table(seed, rows=300, centimetres=36):
    """A linear task whose last column is a height in metres, 1.7 +- 0.1; in 36 rows it stands in centimetres, in one it is an
    error code. Returns x (rows, 6), y, and the numbers of the 37 rows."""
    rng = np.random.default_rng(seed)
    x, _, w = linear_data(rng, rows, features=6)
    x[:, 5] = 1.7 + 0.1 * x[:, 5]
    y = x @ w + 0.1 * rng.normal(size=rows)
    bad = rng.permutation(rows)[: centimetres + 1]
    x[bad[1:], 5] *= 100
    x[bad[0], 5] = -999999
    return x, y, bad


def fit_without(find_outliers, seed, steps=120, lr=0.05):
    """Take out the rows that are named, and fit the others in batches of 10.

    Returns the mask of the named rows, the numbers of the bad ones, and the History.
    """
    x, y, bad = height_table(seed)
    named = row_mask(find_outliers(x.copy()), len(x))
    kept = np.flatnonzero(~named)
    draws = batches(np.random.default_rng([seed, 1]), len(kept), 10, epochs=10 + steps)

    def draw():
        rows = kept[next(draws)] if len(kept) else np.arange(10)
        return x[rows], y[rows]

    return named, bad, train(LeastSquares(6), draw, steps, lr)


def row_mask(said, rows):
    """What find_outliers gave, as a mask of the rows; None where it is neither row numbers nor a mask."""
    try:
        said = np.asarray(said if said is not None else "None")
        if said.ndim > 1:
            said = said.reshape(-1) if 1 in said.shape else np.array("a table")
        if said.dtype == bool:
            return said.copy() if said.shape == (rows,) else None
        numbers = said.astype(float).ravel()
    except (TypeError, ValueError):
        return None
    if not np.all((numbers == numbers.round()) & (numbers >= 0) & (numbers < rows)):
        return None
    return np.isin(np.arange(rows), numbers)


def show_tables(before, now, seed, my_guess):
    """How the plain test sees one far value, and the training without the rows that are named."""
    fig, (left, right) = figure(2, height=3.2)
    column = np.random.default_rng(seed).normal(size=300)
    column = (column - column[1:].mean()) / column[1:].std()
    distances = np.geomspace(1, 1e6, 60)
    tables = [np.r_[distance, column[1:]] for distance in distances]
    scores = np.array([(values[0] - values.mean()) / values.std() for values in tables])
    left.plot(distances, scores, color="#444444", linewidth=2)
    mark_guess(left, my_guess, at=0.02)
    left.set(xscale="log", xlabel="distance from the other 299 (their std)")
    left.set(yscale="log", ylabel="distance by mean and std of all 300")
    told, counts = [], []
    for rule, style, label in ((before, BROKEN, "as complained about"), (now, MENDED, "your code")):
        named, bad, history = fit_without(rule, seed)
        losses = np.array(history["loss"])
        shown = np.where(losses < 1e12, losses, np.nan)
        right.plot(shown, label=label, **style)
        if np.isnan(shown).any():
            last = int(np.argmax(np.isnan(shown))) - 1
            right.plot([last], [shown[last]], marker="X", markersize=9, linestyle="none", color=style["color"], zorder=4)
        counts.append(f"{label}: names {named[bad].sum()} of the 37 bad rows, and {named.sum() - named[bad].sum()} others")
        end = f"ends at {losses[-1]:.1g}" if losses[-1] < 1e12 else "leaves the picture"
        told.append(f"{counts[-1]}; the loss {end}")
    right.set(
        xlabel="step, without the rows named", ylabel="loss (squared units of y)", yscale="log", ylim=(1e-4, 1e12), xlim=(-5, 124)
    )
    right.legend(frameon=False, fontsize="small")
    show(
        fig,
        "Left: one value moves away from 299 others. Right: training on what is left of the table. A cross: it leaves the picture.",
        f"Left, the distance by mean and std of all 300 goes from {scores[0]:.2g} to {scores[-1]:.3g}; "
        f"your guess is {my_guess:.3g}. Right, {'; '.join(told)}.",
    )
    print(f"A million becomes {scores[-1]:.1f}. You said {my_guess:g}.")
    print("\n".join(counts))


# %% run="diag-outliers" atlas="2"
my_guess = 1e5  # how many standard deviations of all 300 values the far one is from their mean

show_tables(broken.find_outliers, find_outliers, seed=0, my_guess=my_guess)


# %% check="diag-outliers" points=5
def planted_table(rng, rows, columns, count, far, spread=1.0, centre=0.0):
    """A table of normal columns, `count` of whose rows hold one value `far(number)` s from the centre. Returns x and the rows."""
    x = centre + spread * rng.normal(size=(rows, columns))
    bad = rng.permutation(rows)[:count]
    column = int(rng.integers(columns))
    for number, row in enumerate(bad):
        x[row, column] = centre + spread * (far(number) + rng.normal())
    return x, bad


def check_table(name, x, bad, what, turns):
    """The bad rows are named, and of the others 3 % at most. turns: by words, a function of the masks (missed, false)."""
    said = find_outliers(x.copy())
    named = row_mask(said, len(x))
    call = f"find_outliers(x): {name}, {x.shape[0]} rows"
    is_table, columns = isinstance(said, np.ndarray) and said.ndim == 2, x.shape[1]
    turns_of_form = {
        "the rows that are left are returned, and not the numbers of those that are not": is_table and said.shape[1] == columns != 2,
        "the places of single values are returned, as row and column": is_table and said.shape[1] == 2 != columns,
    }
    check.that(named is not None, what="row numbers come back, or a mask of the rows", call=call, got=said, turns=turns_of_form)
    is_bad = np.isin(np.arange(len(x)), bad)
    missed, false = is_bad & ~named, named & ~is_bad
    allowed = int(0.03 * (~is_bad).sum())
    check.that(
        not missed.any() and false.sum() <= allowed,
        what=what,
        call=call,
        expected=f"{len(bad)} bad rows named, and {allowed} of the others at most",
        got=f"{len(bad) - missed.sum()} of {len(bad)} bad rows named, and {false.sum()} of the others",
        turns={words: is_it(missed, false) for words, is_it in turns.items()},
    )


def check_tables(seed, rows, columns, distance):
    rng = np.random.default_rng(seed)

    def table(count, far, **scale):
        return planted_table(rng, rows, columns, count, far, **scale)

    many = int(0.15 * rows)
    share = {
        "normal rows are named: the bound is too low, or a fixed share is cut off at the ends, bad or not": (
            lambda missed, false: false.any()
        )
    }
    hide = {
        "they hide each other: the mean and the standard deviation are those of all values, and the outliers have made them": (
            lambda missed, false: missed.any()
        )
    }
    check_table("all normal", *table(0, None), "in a clean table hardly anybody is named", share)
    check_table(
        "one value far off",
        *table(1, lambda number: distance),
        "one far value is found",
        {
            "the bound is too high: no value can be further than sqrt(n - 1) standard deviations from the mean of its "
            "n values": lambda missed, false: missed.any()
        }
        | share,
    )
    check_table(
        "one value far off, to the low side",
        *table(1, lambda number: -distance),
        "a value far below is found too",
        {"only one side is looked at": lambda missed, false: missed.any()} | share,
    )
    check_table(
        "15 % of the rows, each ten times as far as another",
        *table(many, lambda number: distance * 10.0 ** (number % 6)),
        "outliers of all sizes are found",
        {
            "the farthest hides the others: it alone decides how long a standard deviation is": (
                lambda missed, false: missed.sum() > 0.75 * many
            ),
            "the spread is taken between percentiles that lie among the outliers, or bad values are left in it": (
                lambda missed, false: missed.any()
            ),
        }
        | share,
    )
    check_table(
        "8 % of the rows, all at one place far off",
        *table(int(0.08 * rows), lambda number: distance),
        "a group of alike outliers is found",
        hide | share,
    )
    check_table(
        "15 % of the rows, all at one place far off",
        *table(many, lambda number: distance),
        "a group of alike outliers is found, up to 15 %",
        {
            "the spread is taken between percentiles that lie among the outliers, or the group made the mean and the std": (
                lambda missed, false: missed.any()
            )
        }
        | share,
    )
    for spread, centre in ((1e-6, 0.0), (1e4, 0.0), (1.0, 1e4)):
        check_table(
            f"s = {spread:g}, mean {centre:g}, 5 far rows",
            *table(5, lambda number: distance * (-1) ** number, spread=spread, centre=centre),
            "the units of a column and its mean do not matter",
            {
                "one bound stands for all columns, whatever their units and their mean": lambda missed, false: (
                    missed.sum() == 5 or false.sum() > rows / 2
                )
            }
            | share,
        )
    x, bad = table(3, lambda number: distance)
    x *= 10.0 ** rng.permutation(np.linspace(-6, 6, columns))
    check_table(
        "columns in units from 1e-6 to 1e6, 3 far rows",
        x,
        bad,
        "each column is measured by itself",
        {
            "all columns share one spread, or a row's length is judged: the column with the large unit decides": (
                lambda missed, false: missed.any() or false.sum() > rows / 4
            )
        }
        | share,
    )
    for name, rare in (("all zeros", 0), ("zeros and a single one", 1), ("a tenth ones", rows // 10)):
        x, bad = table(2, lambda number: distance)
        column = np.zeros(rows)
        column[rng.permutation(rows)[:rare]] = 1
        check_table(
            f"two far rows, and a column of {name}",
            np.column_stack([x, column]),
            bad,
            "a column of zeros and ones names nobody",
            {
                "the spread of such a column is 0, and whatever differs is infinitely far": lambda missed, false: (
                    0 < false.sum() <= rare + rows // 10
                ),
                "the spread of such a column is 0, and 0 / 0 or 0 <= 0 spoils the verdict": lambda missed, false: True,
            },
        )


def check_outliers():
    check_tables(seed=1, rows=300, columns=4, distance=40.0)
    check_tables(seed=2, rows=60, columns=3, distance=1e6)


check.run(check_outliers)


### BEGIN HIDDEN TESTS
def check_outliers_elsewhere():
    rng = check.hidden_rng(22)
    for rows, columns in (((500, 1001), (4, 8)), ((60, 150), (2, 5))):
        check_tables(
            seed=int(rng.integers(2**31)),
            rows=int(rng.integers(*rows)),
            columns=int(rng.integers(*columns)),
            distance=10 ** rng.uniform(1.55, 6),
        )
    check_tables(seed=int(rng.integers(2**31)), rows=300, columns=3, distance=34.0)  # with their noise, some are barely at 30 s


check.run(check_outliers_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Print the mean and the standard deviation of the last column of the table, without the error code. Whose mean is it?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The ruler is made by what it should measure. A far value draws the mean to itself and stretches the standard
# deviation, by as much as it is far.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Take a centre and a spread that a seventh of the values cannot move: the median, and the distance between the
# quartiles, or the median distance from the median. Each is a known multiple of the standard deviation of a normal
# column. Then ask what to do where the spread is 0.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Gradient Explosion, diagnostic step 2: Check for outliers in data.*
#
# For values $x_1,\dots,x_n$ with mean $\bar x$ and standard deviation $\sigma$ (the root of the mean of $(x_i-\bar
# x)^2$) the plain score is $z_i=(x_i-\bar x)/\sigma$. If $k$ of them stand together at a distance that goes to
# infinity, their score goes to
#
# $$\sqrt{\frac{n-k}{k}}.$$
#
# One of 300 has 17.3 at most, and a rule such as $z>6$ never fires in a column of 36 values. The 36 rows in centimetres
# have $\sqrt{263/36}=2.7$, however many centimetres there are. The robust score
# $(x_i-\mathrm{med})/(1.4826\,\mathrm{MAD})$, with the median $\mathrm{med}$ and the median distance from it
# $\mathrm{MAD}$, has no such ceiling. Its ruler stays finite until half of the values are bad; quartiles hold until a
# quarter are (Rousseeuw & Croux 1993, doi 10.1080/01621459.1993.10476408).
#
# **The twin, a step that is too large.** The bound on the learning rate is 2 over the largest curvature (case 2.4). A row at 170
# where others are at 1.7 makes it small: the rows in centimetres raise the mean square of that column from 2.9 to about 3500. So
# a smaller rate helps in the end, and hides the cause. Without the error code, but with the rows in centimetres, 0.05, 0.005 and
# 0.0005 diverge in 5 of 5 seeds. At $5\cdot10^{-5}$ nothing diverges, and nothing much is learned: a loss of 1.5 to 15 after 300
# steps. The cheapest question is not to the rate but to the batch: does the gradient norm stay high on a batch without the
# suspects? If so, they were not it.
#
# **When the advice misleads.** "Normalize" is no search: dividing by $\sigma$ brings the 36 bad rows to 2.7, and
# squeezes the good ones into 0.002 (case 2.8). Taking out the largest, and testing again, finds outliers of different
# sizes, and fails on a group. And a value that is far is not always wrong: rare events look like this. Look at the rows
# before you drop them. These 36 wanted a division by 100.
#
# **Where it ends.** Columns are looked at one by one. A height of 1.9 beside an age of 2 is ordinary twice and
# impossible once. Incomes and counts are skewed: take the logarithm first.
#
# **In PyTorch** nothing looks at your data. `torch.quantile` and `torch.median` along `dim=0` do it; sklearn's
# `RobustScaler` holds the same two numbers as `center_` and `scale_`.
#
# </details>
