# %% [markdown]
# ## Case 5.2 · The best fit there ever was
#
# About 15 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** A sensor is calibrated with a polynomial through fifteen measured points. A script tries the
# degrees 0 to 12 and takes the one that fits best. The report shows a mean squared error of 0.001 on the points, a
# tenth of anything seen before. On new measurements the sensor is unusable. Somebody cut the degree to 0, to be safe,
# and it is still unusable.
#
# **After this case you can** choose the size of a model from the few rows that you have, so that each row judges and
# none judges itself.
#
# A model can also be too small for its task, as one of the causes of a plateau is. Here both ends are bad. What is
# asked is how one finds the middle.
#
# ### The code

# %% fix="overfit-model-size"
def choose_degree(x, y, degrees, fit, rng):
    """The degree whose fit to all rows will predict new rows best, by cross-validation.

    x, y: float arrays (rows,), 15 to 60 rows, in the order of x. Each x occurs once.
    degrees: the candidates, an increasing list of whole numbers. rng: a numpy Generator.
    fit(x, y, degree) fits a polynomial to the rows that it is given, by least squares, and returns
    predict, a function from an array of x to an array of predictions.
    Graded: for each degree, each row is predicted at least once by a fit that did not see it; each
    such fit sees at least 40 % of the rows. What comes back is one of `degrees`. On at least 3 of
    5 data sets made alike, its fit to all rows has an expected squared error on new rows (noise
    included) of at most twice that of the best degree; noise has variance 0.04.
    x and y are not changed.
    Not graded: the number of folds, repetitions, and the choice between degrees equally good.
    """
    ### BEGIN BROKEN
    # errors = [np.mean((fit(x, y, degree)(x) - y) ** 2) for degree in degrees]
    # return degrees[int(np.argmin(errors))]
    ### END BROKEN
    ### BEGIN SOLUTION
    # The rows are in the order of x: folds cut without shuffling would ask for points outside those fitted.
    folds = np.array_split(rng.permutation(len(x)), 5)
    errors = []
    for degree in degrees:
        squares = []
        for fold in folds:
            predict = fit(np.delete(x, fold), np.delete(y, fold), degree)
            squares.extend((predict(x[fold]) - y[fold]) ** 2)
        errors.append(np.mean(squares))
    return degrees[int(np.argmin(errors))]
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The polynomial of degree 12 has a mean squared error of 0.001 on its fifteen points.
# The noise has a variance of 0.04. What is the mean squared error on 500 new points from the same interval? Write your
# guess as `my_guess`: it is the dotted line in the right panel.


# %% scene="overfit-model-size"
def sensor_rows(rng, rows):
    """Rows of the sensor, in the order of x: y = sin(3 x) and noise of variance 0.04."""
    x = np.sort(rng.uniform(-1, 1, rows))
    return x, np.sin(3 * x) + 0.2 * rng.normal(size=rows)


def fit_polynomial(x, y, degree):
    """Least squares in Chebyshev's polynomials up to `degree`; returns the function that predicts."""
    basis = np.polynomial.chebyshev.chebvander
    coefficients = np.linalg.lstsq(basis(x, degree), y, rcond=None)[0]
    return lambda x: basis(x, degree) @ coefficients


def sensor_errors(choose, seed, rows=15, degrees=tuple(range(13))):
    """The degree chosen, and for each degree the mean squared error on the rows and on 500 new ones."""
    rng = np.random.default_rng(seed)
    x, y = sensor_rows(rng, rows)
    new = sensor_rows(rng, 500)
    fits = [fit_polynomial(x, y, degree) for degree in degrees]
    seen, unseen = ([np.mean((fit(a) - b) ** 2) for fit in fits] for a, b in ((x, y), new))
    chosen = choose(x, y, list(degrees), fit_polynomial, np.random.default_rng([seed, 1]))
    return chosen, seen, unseen


def show_degrees(before, now, guess, seed):
    """Draw the two fits, and the errors by degree with the degree that each of the two chooses."""
    x, y = sensor_rows(np.random.default_rng(seed), 15)
    grid = np.linspace(-1, 1, 300)
    fig, (left, right) = figure(2, height=3.6)
    left.plot(x, y, "o", color="#444444", markersize=5, label="the 15 points", zorder=4)
    told = []
    for choose, style, mark, label in ((before, BROKEN, "X", "as complained about"), (now, MENDED, "o", "your code")):
        chosen, seen, unseen = sensor_errors(choose, seed)
        left.plot(grid, fit_polynomial(x, y, chosen)(grid), label=label, **style)
        filled = style["color"] if mark == "X" else "none"
        ring = dict(markersize=10 if mark == "X" else 14, markerfacecolor=filled, markeredgewidth=2)
        right.plot([chosen], [unseen[chosen]], mark, color=style["color"], label=f"chosen, {label}", zorder=4, **ring)
        told.append(f"{label}: degree {chosen}, error {unseen[chosen]:.2g} on new points")
    left.set(xlabel="x", ylabel="y", ylim=(-2.2, 2.2))
    left.legend(frameon=False, fontsize="small", loc="lower right")
    right.plot(seen, "--", color="#444444", label="on the 15 points")
    right.plot(unseen, "-", color="#444444", linewidth=2.2, label="on 500 new points")
    mark_guess(right, guess)
    right.set(xlabel="degree", ylabel="mean squared error", yscale="log")
    right.legend(frameon=False, fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    show(
        fig,
        "Left: the two fits that are chosen. Right: the error of every degree.",
        f"Left, two polynomials through 15 points. Right, the error by degree: on the points from {seen[0]:.2g} down to "
        f"{seen[-1]:.1g}, on new ones from {unseen[0]:.2g} to a lowest of {min(unseen):.1g} and up to {unseen[-1]:.0f}. "
        f"{'; '.join(told)}.",
    )
    print(f"Degree 12 on new points: {unseen[12]:.0f}. You said {guess:g}. The best degree: {min(unseen):.2f}.")


# %% run="overfit-model-size"
my_guess = 0.05  # the mean squared error of degree 12 on new points

show_degrees(broken.choose_degree, choose_degree, guess=my_guess, seed=0)


# %% check="overfit-model-size" points=6
class FitsWatched:
    """A `fit` that notes for each degree which rows were predicted by a fit that had not seen them."""

    def __init__(self, x):
        self.x, self.unseen, self.own, self.shares = x, {}, 0, []

    def __call__(self, x, y, degree):
        fitted = np.ravel(np.array(x, dtype=float))
        predict = fit_polynomial(fitted, np.ravel(np.array(y, dtype=float)), degree)
        mine = np.isin(self.x, fitted)

        def noting(points):
            asked = np.isin(self.x, np.ravel(points))
            self.own += bool((asked & mine).any())
            if (asked & ~mine).any():
                self.unseen.setdefault(degree, np.zeros(len(self.x), bool))[asked & ~mine] = True
                self.shares.append(mine.mean())
            return predict(np.asarray(points, dtype=float))

        return noting


def check_folds(rows, degrees, seed):
    x, y = sensor_rows(np.random.default_rng(seed), rows)
    watched, passed = FitsWatched(x.copy()), [x.copy(), y.copy()]
    call = f"choose_degree(x, y, {degrees}, fit, rng): {rows} rows"
    chosen = choose_degree(*passed, list(degrees), watched, np.random.default_rng(seed))
    held = [int(watched.unseen.get(degree, np.zeros(1)).sum()) for degree in degrees]
    first = degrees[int(np.argmin(held))]
    check.that(
        min(held) == rows,
        what="for each degree, each row is predicted by a fit that has not seen it",
        call=call,
        expected=f"{rows} of {rows} rows",
        got=f"degree {first}: {min(held)} of {rows} rows",
        turns={
            "each fit is judged on the rows that it was fitted to: the largest degree always wins": max(held) == 0
            and watched.own > 0,
            "nothing is fitted: no degree is right for all data, not the smallest either. Here degree 0 has over ten "
            "times the error of the best": max(held) == 0,
            "one split is made: on fifteen points five rows decide, and which five is chance": 0 < max(held) < rows,
        },
    )
    check.that(
        min(watched.shares) >= 0.4,
        what="each fit that is judged sees at least 40 % of the rows",
        call=call,
        got=f"{min(watched.shares):.0%} of the rows",
        turns={"the roles are swapped: a fit to one fold is judged on all the others": True},
    )
    check_is_degree(chosen, degrees, call)
    for name, was, now in zip("xy", (x, y), passed):
        check.that(np.array_equal(was, now), what="x and y are not changed", call=call, got=f"{name} has changed")


def check_is_degree(chosen, degrees, call):
    is_number = np.ndim(chosen) == 0 and isinstance(chosen, (int, float, np.number))
    check.that(
        is_number and chosen in degrees,
        what="what comes back is one of `degrees`",
        call=call,
        got=chosen,
        turns={
            "the position in the list is returned, and not the degree": is_number and chosen in range(len(degrees)),
            "the error is returned, and not the degree": is_number and chosen != int(chosen),
        },
    )


def check_choices(kind, law, rows, degrees, seed, is_wave=False):
    """On 3 of 5 data sets y = law(x) + noise the chosen degree has at most twice the lowest expected error."""
    grid = np.linspace(-1, 1, 301)
    choices, good, best, seen = [], 0, [], []
    call = f"choose_degree(x, y, {degrees}, fit, rng): {rows} rows of {kind}, 5 data sets"
    for number in range(5):
        rng = np.random.default_rng([seed, number])
        x = np.sort(rng.uniform(-1, 1, rows))
        y = law(x) + 0.2 * rng.normal(size=rows)
        errors = [np.mean((fit_polynomial(x, y, degree)(grid) - law(grid)) ** 2) + 0.04 for degree in degrees]
        chosen = choose_degree(x.copy(), y.copy(), list(degrees), fit_polynomial, np.random.default_rng([seed, number, 1]))
        check_is_degree(chosen, degrees, call)
        choices.append(int(chosen))
        best.append(degrees[int(np.argmin(errors))])
        seen.append(errors[degrees.index(int(chosen))] / min(errors))
        good += seen[-1] <= 2
        if good == 3:
            return
    check.that(
        good >= 3,
        what="the chosen degree predicts new rows about as well as the best one",
        call=call,
        expected=f"at most twice the lowest error, on 3 of 5; the best degrees are {', '.join(map(str, best))}",
        got=f"on {good} of 5; {', '.join(map(str, choices))}",
        turns={
            "the fit with the smallest error on its own rows wins, or the largest error is looked for": min(choices)
            == degrees[-1],
            "the folds are cut along x: the fit is asked for points outside those it has seen, and the stiffest wins": is_wave
            and np.median(choices) == degrees[0],
            "errors are added with their signs: those above cancel those below": True,
        },
    )


def check_degrees():
    check_folds(15, [0, 3, 8], seed=1)
    check_folds(18, [5, 9], seed=2)
    check_choices("a sine", lambda x: np.sin(3 * x), 30, [0, 4, 18], 4)
    check_choices("a quick wave", lambda x: np.cos(6 * x), 60, [1, 8, 30], 4, is_wave=True)


check.run(check_degrees)


### BEGIN HIDDEN TESTS
def check_degrees_elsewhere():
    rng = check.hidden_rng(52)

    def seed():
        return int(rng.integers(2**31))

    degrees = sorted(rng.choice(10, 3, replace=False).tolist())
    check_folds(int(rng.integers(16, 40)), degrees, seed())
    # Well separated: of a thousand such sets, the fits of honest folds miss the factor of two on ten at most.
    for kind in rng.permutation(["a polynomial", "a wave"]):
        if kind == "a wave":
            turns, phase, height = rng.uniform(2.8, 3.6), rng.uniform(0, 6.28), rng.uniform(2, 4)
            degrees = [int(degree) for degree in rng.integers([0, 5, 25], [2, 7, 31])]
            check_choices(kind, lambda x: height * np.sin(turns * x + phase), 60, degrees, seed(), is_wave=True)
        else:
            law = np.append(rng.uniform(-2, 2, rng.integers(1, 4)), rng.choice([-1, 1]) * rng.uniform(0.6, 2))
            degrees = [0, 3, int(rng.integers(16, 25))]
            check_choices(kind, lambda x: np.polynomial.chebyshev.chebval(x, law), int(rng.integers(50, 61)), degrees, seed())


check.run(check_degrees_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Look at the right panel from left to right. One of the two curves can only fall. The script reads off that one.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Each degree is judged on the rows that it was fitted to, and the larger contains the smaller. You have no new points.
# But every row is new to a fit that has not seen it, and you may fit as often as you like.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Shuffle the row numbers and cut them into five folds. For each degree, fit five times to what is left when one fold is
# taken out, and collect the squared errors on that fold. Each row has then judged once. Return the degree with the
# smallest mean.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Overfitting: Model too large. Fix: Smaller model, more regularization.*
#
# With the folds $F_1,\dots,F_K$, and $\hat f^{(-k)}_d$ the fit of degree $d$ to the rows outside of $F_k$, the score of
# a degree is
#
# $$\mathrm{CV}(d)=\frac1n\sum_{k=1}^{K}\sum_{i\in F_k}\big(y_i-\hat f^{(-k)}_d(x_i)\big)^2,$$
#
# with $n$ rows $(x_i,y_i)$ (Stone 1974, doi 10.1111/j.2517-6161.1974.tb00994.x). The sum over the rows that were
# *fitted* can only fall with $d$: it says how far a model can bend, and nothing about new rows.
#
# **Measured**, 20 sets of fifteen points. Degree 12 has 0.0002 to 0.01 on its points, and on new ones 9.6 times to
# $10^{12}$ times the error of the best degree. Five-fold cross-validation, with three draws of the folds for each set: 52
# of 60 choices are within a factor of 2, 59 within 4.4, and one is 27 times the best. With fifteen rows it is a good
# judge, not a sure one; the figure shows one draw.
#
# **When the advice misleads.** "Smaller model" has no place where it ends. Degree 0 has about 0.6 on new points, more than ten
# times the best. What tells the two apart is the error on the fitted points: large for a model too small, far below the noise for
# one too large. And larger is not always worse. With more coefficients than points, least squares takes the smallest of many
# exact fits. Degree 30 had 0.2 to 0.84 on new points in five of six sets, and degree 14 more than $10^7$ in five of six. That is
# the second descent (Belkin et al. 2019, arXiv 1812.11118), and why networks with more weights than rows can do well. It did not
# beat degree 3.
#
# **Which rows make a fold.** Folds of neighbouring $x$ ask for extrapolation, and chose a line for a wave in 30 of 30 sets.
# Random folds are wrong where rows belong together, such as several of one patient: there a fold holds whole patients. And the
# score of the *chosen* degree is too good, since that score has chosen it. What to report is the question of case 5.3.
#
# **In PyTorch** there is no cross-validation; `sklearn.model_selection.KFold(shuffle=True)` gives the row numbers. For a large
# network five training runs are expensive: one held-out set of thousands of rows decides as well. With fifteen it does not.
#
# </details>
