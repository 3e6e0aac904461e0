# %% [markdown]
# ## Case 1.1 · Two people look at one curve
#
# About 20 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** "It stands still, stop the run", says the one. "It falls", says the other. They have the same loss curve
# before them. Last month a run was stopped that would have halved its loss by the weekend. This month one was kept for four days
# that did nothing. Now a function decides: it compares the last loss with the first. The quarrels are over. The mistakes are as
# many as before.
#
# **After this case you can** put an error bar on the slope of a loss curve, and tell three things apart: it moves, it
# stands still, and you have not seen enough to know.
#
# The plateau detector of stage 2 (case 9) answered yes or no, for windows of one length. Here a person asks about *one* stretch
# of losses, long or short, quiet or noisy, and the answer may be that nobody can tell.
#
# ### The code

# %% fix="diag-flat-or-slow"
def trend(losses):
    """What one stretch of losses does: "flat", "falling", "rising" or "cannot tell".

    losses: the losses of consecutive steps, a list or array. In the checks they are a straight
    line plus independent normal noise of one size. They may be below zero.
    Everything below is in units of the loss's size, the absolute value of the mean of `losses`,
    which is 1e-3 to 1e3 in the checks. The change is that of the line, from the first step of
    the stretch to the last. Fit a line by least squares: its change is off, because of the
    noise; e is the standard error of that change.
    Graded, on 40 curves of each kind, of which 32 have to be right:
      "flat"               no trend, and e at most 0.01
      "falling", "rising"  the change is 0.1 to 0.4, and at least 8 times e. Falling is towards
                           smaller numbers, below zero too.
      "cannot tell"        e is 0.08 or more, and the change at most half of e
    There are 12 to 2000 losses with noise of 0.005 to 0.6: neither of the two decides alone.
    Graded on every curve: "cannot tell" for fewer than 10 losses, and if one is NaN or inf.
    Not graded: what lies between these kinds, and how you find e.
    """
    ### BEGIN BROKEN
    # if len(losses) < 2:
    #     return "cannot tell"
    # change = (losses[-1] - losses[0]) / abs(losses[0])
    # if abs(change) < 0.05:
    #     return "flat"
    # return "falling" if change < 0 else "rising"
    ### END BROKEN
    ### BEGIN SOLUTION
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    y = y / abs(y.mean())
    # Time runs from -1/2 to 1/2, so that the slope is the change from end to end.
    t = np.linspace(-0.5, 0.5, len(y))
    change = t @ y / (t @ t)
    residual = y - y.mean() - change * t
    error = np.sqrt(residual @ residual / (len(y) - 2) / (t @ t))
    if abs(change) + 2 * error < 0.05:  # all changes that the data allow are small
        return "flat"
    if abs(change) > 2 * error:  # all have the same sign
        return "falling" if change < 0 else "rising"
    return "cannot tell"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** 400 losses without any trend, noise of 5 %. The function says "flat" when the last
# loss is within 5 % of the first. On what share of such curves does it say so? Write your guess as `my_guess`, 0 to 1.
# It is the dotted mark in the right panel. In the left one, decide by eye first which of the two curves falls.


# %% scene="diag-flat-or-slow"
def stretches(change, noise, length, count=40, seed=0, level=2.0):
    """`count` noisy stretches of loss as rows of an array: a straight line, plus independent normal noise.

    change: of the line from end to end, as a share of the loss's size, negative where the loss gets smaller. noise: the
    standard deviation, as a share of that size. level: the mean of the line, which may be negative.
    """
    line = np.linspace(-0.5, 0.5, length) * change * abs(level)
    return level + line + noise * abs(level) * np.random.default_rng(seed).normal(size=(count, length))


def trend_kinds(seed=3, count=100):
    """Curves by kind, and for each kind the verdict that is right."""
    kinds = {
        "flat, 5 % noise, 400 losses": ((0, 0.05, 400), "flat"),
        "falls by 10 %, 3 % noise, 200": ((-0.10, 0.03, 200), "falling"),
        "falls by 40 %, 15 % noise, 200": ((-0.40, 0.15, 200), "falling"),
        "rises by 10 %, 1 % noise, 40": ((0.10, 0.01, 40), "rising"),
        "no trend, 50 % noise, 200": ((0, 0.5, 200), "cannot tell"),
        "no trend, 10 % noise, 12": ((0, 0.1, 12), "cannot tell"),
    }
    curves = {kind: stretches(*line, count=count, seed=seed + i) for i, (kind, (line, _)) in enumerate(kinds.items())}
    return curves, {kind: verdict for kind, (_, verdict) in kinds.items()}


def trend_rates(trend, curves, wanted):
    """For each kind of curve, the share that `trend` judges rightly."""
    return {kind: np.mean([trend(row) == wanted[kind] for row in rows.tolist()]) for kind, rows in curves.items()}


def show_trends(before, now, my_guess):
    """Two curves as one would look at them, and how often each function is right; the guess is for the first kind."""
    fig, (left, right) = figure(2, height=3.6)
    pair = [stretches(change, 0.05, 200, count=1, seed=seed)[0] for change, seed in ((0, 5), (-0.08, 6))]
    for row, name, style in zip(pair, "AB", (dict(color="#444444"), dict(color="#888888"))):
        left.plot(row + (0.6 if name == "A" else 0), linewidth=0.9, **style)
        left.annotate(name, (203, row[-20:].mean() + (0.6 if name == "A" else 0)), annotation_clip=False)
    left.set(xlabel="step", ylabel="loss (A is drawn 0.6 higher)")

    curves, wanted = trend_kinds()
    rates = [trend_rates(function, curves, wanted) for function in (before, now)]
    places = np.arange(len(wanted))[::-1]
    right.barh(places, 0.2, left=0.8, height=0.7, color="#e6e6e6", edgecolor="#888888", linewidth=0.8, zorder=0)
    right.plot(list(rates[0].values()), places, "X", color=BROKEN["color"], markersize=9, label="as complained about", zorder=3)
    ring = dict(markersize=13, markerfacecolor="none", markeredgewidth=2.5)
    right.plot(list(rates[1].values()), places, "o", color=MENDED["color"], label="your code", **ring)
    right.plot([my_guess] * 2, places[0] + np.array([-0.4, 0.4]), ":", color="#444444", linewidth=2.5, label="your guess")
    right.set_yticks(places, [f'{kind}:\n"{verdict}"' for kind, verdict in wanted.items()], fontsize="small")
    right.set(xlim=(-0.05, 1.05), xlabel="share of curves judged rightly (wanted: grey)")
    right.legend(frameon=False, fontsize="small", loc="lower center", bbox_to_anchor=(0.3, 1.0), ncols=3, columnspacing=1)
    told = "; ".join(f'{kind}, "{word}": {rates[0][kind]:.0%} and {rates[1][kind]:.0%}' for kind, word in wanted.items())
    show(
        fig,
        "Left: two stretches of 200 losses with 5 % noise. Right: a hundred curves of each kind, and the verdict that is right.",
        "Left, two noisy curves, one above the other; their noise is wider than any slope. Right, how often each function is "
        f"right, as complained about and your code: {told}. Your guess for the first: {my_guess:.0%}.",
    )
    for name, row, what in zip("AB", pair, ("has no trend", "falls by 8 %")):
        print(f'Curve {name} {what}. As complained about: "{before(row.tolist())}"; your code: "{now(row.tolist())}".')
    first = next(iter(wanted))
    print(f"Flat curves that are called flat: {rates[0][first]:.0%} before, {rates[1][first]:.0%} now; you said {my_guess:.0%}.")


# %% run="diag-flat-or-slow" atlas="1 2"
my_guess = 0.9  # the share of flat curves with 5 % noise on which last against first says "flat"

show_trends(broken.trend, trend, my_guess)

# %% check="diag-flat-or-slow" points=6
TRENDS = ("flat", "falling", "rising", "cannot tell")


def trend_turns(said, kind, want, common):
    """What leads to the verdicts `said`, by kind of curve, in words, and whether it is the one."""

    def share(*verdicts, of):
        """The share of these verdicts in the kinds whose name begins with `of`."""
        words = [word for name, row in said.items() if name.startswith(of) for word in row]
        return np.mean([word in verdicts for word in words]) if words else np.nan

    given = {word for row in said.values() for word in row}
    without = "cannot tell" not in given
    moves, still, unknown = (share(*words, of="flat, noise 5") for words in (("falling", "rising"), ("flat",), ("cannot tell",)))
    quiet_still, quiet_unknown = (share(word, of="falling by 10 %, noise 1") for word in ("flat", "cannot tell"))
    steep_unknown, noisy_still = share("cannot tell", of="falling by 40 %"), share("flat", of="no trend")
    eye = share("flat", of="rising by 10 %") > 0.2 and quiet_still < 0.2
    swapped = "below zero" in kind and {want, common} == {"falling", "rising"}
    return {
        "the slope is that of one step, where the change of the whole stretch is meant: it is near zero always": given
        == {"flat"},
        "one verdict is given for everything": len(given) == 1,
        "two single losses are compared: of flat curves with 5 % noise about half are called flat so": 0.2 < still < 0.75
        and without,
        "e is much too small. Change and error have to be in one unit, both per step or both per stretch": moves > 0.8,
        "a change of one e or so is taken for a trend: noise alone makes such changes in every third curve": moves > 0.2
        and not without,
        "the change is held against the height of the plot, as the eye does it: noise makes the plot higher": eye,
        "the line's change must pass a limit as large as the change that is there: noise takes half of them below it": 0.2
        < quiet_still + quiet_unknown
        < 0.8,
        "no movement was seen, and that is taken for none: a curve that is noisy enough is always flat so": want == "cannot tell"
        and noisy_still > 0.7,
        'the change has no error bar: noise makes changes too, and "cannot tell" is never said': want == "cannot tell"
        and without,
        "standing still is never concluded: where the whole interval is close to zero, it is": "flat" not in given,
        "the change is divided by the mean with its sign: below zero, up and down are swapped": swapped,
        "the limit is in units of the loss, and not a share of its size": "around" in kind,
        "the noise alone decides: a line that is long or steep can be seen through much of it": steep_unknown > 0.8,
        "the length alone decides: a few quiet losses can be enough, and many noisy ones too few": quiet_unknown > 0.8,
        "the spread of single losses stands where the error of the line's change is meant: 400 losses know it better": unknown
        > 0.8,
    }


def check_trend_kinds(kinds):
    """kinds: by name the line (change, noise, length, level), the verdict that is right, and a seed. 32 of 40 must be right."""
    said = {}
    for kind, (change, noise, length, level, want, seed) in kinds.items():
        rows = stretches(change, noise, length, seed=seed, level=level)
        said[kind] = check.each(trend, [(row.tolist() if seed % 2 else row.copy(),) for row in rows])
        strange = [word for word in said[kind] if not (isinstance(word, str) and word in TRENDS)]
        if strange:
            check.word(strange[0], want, TRENDS, what=kind, call=f"trend(losses): {kind}")
    for kind, (*_, want, _) in kinds.items():
        right = said[kind].count(want)
        common = max(sorted(set(said[kind])), key=said[kind].count)
        check.that(
            right >= 32,
            what=f'{kind}: "{want}"',
            call="trend(losses), over 40 curves",
            expected="right on 32 of 40 at least",
            got=f'right on {right} of 40; most often it says "{common}"',
            turns=trend_turns(said, kind, want, common),
        )


def check_trend_silence(seed):
    quiet = stretches(-0.3, 0.002, 200, count=1, seed=seed)[0]
    what = '"cannot tell" where there are fewer than 10 losses'
    for length in (1, 4, 9):
        losses = quiet[:: 200 // length][:length].tolist()
        check.word(trend(losses), "cannot tell", TRENDS, what=what, call=f"trend(losses) of {length} losses that fall")
    what = '"cannot tell" where a loss is not finite'
    for value in (np.nan, np.inf, -np.inf):
        for place in (0, 90, 199):
            losses = quiet.copy()
            losses[place] = value
            turns = {
                "isnan is asked, which inf passes": np.isinf(value),
                "every comparison with nan is False, so the last line of the function decides, or nan was left out": True,
            }
            call = f"trend(losses) of 200 losses that fall, losses[{place}] = {value}"
            check.word(trend(losses.tolist()), "cannot tell", TRENDS, what=what, call=call, turns=turns)


def check_trend():
    check_trend_kinds(
        {
            "flat, noise 5 %, 400 losses": (0, 0.05, 400, 2.0, "flat", 11),
            "flat, noise 3 %, 200 losses": (0, 0.03, 200, 2.0, "flat", 12),
            "falling by 10 %, noise 3 %, 200 losses": (-0.10, 0.03, 200, 2.0, "falling", 13),
            "rising by 10 %, noise 4 %, 200 losses": (0.10, 0.04, 200, 2.0, "rising", 14),
            "falling by 40 %, noise 15 %, 200 losses": (-0.40, 0.15, 200, 2.0, "falling", 15),
            "falling by 10 %, noise 1 %, 40 losses": (-0.10, 0.01, 40, 2.0, "falling", 16),
            "no trend, noise 50 %, 200 losses": (0, 0.5, 200, 2.0, "cannot tell", 17),
            "no trend, noise 10 %, 12 losses": (0, 0.1, 12, 2.0, "cannot tell", 18),
            "below zero, flat, noise 2 %, 200 losses": (0, 0.02, 200, -2.0, "flat", 19),
            "below zero, falling by 15 %, noise 4 %, 200 losses": (-0.15, 0.04, 200, -2.0, "falling", 20),
            "around 0.002, falling by 20 %, noise 3 %, 200 losses": (-0.2, 0.03, 200, 0.002, "falling", 21),
            "around 800, flat, noise 3 %, 200 losses": (0, 0.03, 200, 800.0, "flat", 22),
        }
    )
    check_trend_silence(23)


check.run(check_trend)


### BEGIN HIDDEN TESTS
def a_line(rng, want, lengths, drift=0.0):
    """(change, noise, length) of one line of the kind `want`, clear of the bounds. drift: of "cannot tell", in units of e."""
    length = int(rng.integers(*lengths))
    e_of_noise = np.sqrt(12 * (length - 1) / (length * (length + 1)))  # the error of the line's change where the noise is 1
    if want == "flat":
        change, e = 0.0, rng.uniform(0.005, 0.009)
    elif want == "cannot tell":
        e = rng.uniform(0.09, 0.15)
        change = drift * e * rng.choice([-1, 1])
    else:
        size = rng.uniform(0.11, 0.38)
        change, e = size if want == "rising" else -size, size / rng.uniform(9, 14)
    return change, e / e_of_noise, length


def fair_seed(rng, change, noise, length, level):
    """A seed whose 40 curves are no freak of luck: at most 5 of their lines leave zero by more than one and a half errors.

    Without this a right rule, which takes noise for a trend on one curve in twenty, would fail once in some hundred times.
    """
    t = np.linspace(-0.5, 0.5, length)
    while True:
        seed = int(rng.integers(2**31))
        rows = stretches(change, noise, length, seed=seed, level=level)
        centred = rows - rows.mean(axis=1, keepdims=True)
        lines = centred @ t / (t @ t)
        errors = np.sqrt(((centred - lines[:, None] * t) ** 2).sum(axis=1) / (length - 2) / (t @ t))
        if np.sum(np.abs(lines) > 1.5 * errors) <= 5:
            return seed


def check_trend_elsewhere():
    rng = check.hidden_rng(11)
    ways = ["falling", "rising"]
    drawn = {
        "flat, a short stretch": ("flat", (25, 60)),
        "flat, many losses": ("flat", (1000, 2001)),
        "flat, some hundred losses": ("flat", (100, 400)),
        "a trend in a short stretch": (rng.choice(ways), (12, 20)),
        "a trend in some hundred losses": (rng.choice(ways), (100, 400)),
        "a trend in many losses": (rng.choice(ways), (1000, 2001)),
        "no trend, a short stretch": ("cannot tell", (12, 18)),
        "no trend, more losses": ("cannot tell", (100, 150)),
        "a trend that is lost in the noise": ("cannot tell", (40, 100), rng.uniform(0.1, 0.3)),
        "below zero, a trend": (rng.choice(ways), (100, 300)),
        "below zero, no trend": ("cannot tell", (60, 150)),
        "below zero, flat": ("flat", (100, 300)),
    }
    kinds = {}
    for kind in rng.permutation(list(drawn)).tolist():
        want, lengths, *drift = drawn[kind]
        line = a_line(rng, want, lengths, *drift)
        level = 10 ** rng.uniform(-2.9, 2.9) * (-1 if kind.startswith("below zero") else 1)
        seed = fair_seed(rng, *line, level) if want == "cannot tell" else int(rng.integers(2**31))
        kinds[kind] = (*line, level, str(want), seed)
    check_trend_kinds(kinds)
    check_trend_silence(int(rng.integers(2**31)))


check.run(check_trend_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Draw twenty flat curves with the same noise, and write down last minus first for each. Then fit a line to each and
# write down its change from end to end. Both are numbers around zero. How wide is the one, how wide the other?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Two losses out of 200 carry the noise of two losses; the other 198 are thrown away. And whatever is compared, a single
# number cannot say how far it can be trusted. "No movement was seen" and "it was seen that nothing moves" are two
# findings.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Divide by the absolute mean. Fit a line; what is left over gives the noise, and the noise with the spread of the steps
# gives the error of the slope. Now there is an interval of changes that the data allow. It can lie close around zero,
# or on one side of zero, or neither.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Loss Plateau, diagnostic step 1: Plot loss curve - is it truly flat or very slow?*
#
# With $n$ losses $y_i$ at times $t_i$ that run evenly from $-\frac12$ to $\frac12$, the change of the least-squares
# line from end to end is
#
# $$c=\frac{\sum_i t_i y_i}{\sum_i t_i^2},\qquad \mathrm{se}(c)=\frac{s}{\sqrt{\sum_i t_i^2}}\approx s\sqrt{\frac{12}{n}},$$
#
# with $s$ the standard deviation of what the line leaves over, both as a share of the mean loss. Last minus first has
# the error $s\sqrt2$, whatever $n$ is: 7 % with 5 % noise, where the line through 400 losses has 0.9 %. The interval
# $c\pm2\,\mathrm{se}(c)$ gives the verdict. Where it lies within $\pm5$ %, the curve is flat: a test of equivalence
# (Schuirmann 1987, doi 10.1007/BF01068419). Where it lies on one side of zero, the curve falls or rises. Where neither
# holds, you have not seen enough, and the formula says how much would be: to halve the error takes four times the
# losses.
#
# **Flat is a statement about a stretch.** A loss that falls by 2 % over this stretch is flat by the 5 % used here. Over ten times
# as many steps it falls by 20 %, and that is seen. So first ask what change is worth waiting for, and then choose the stretch.
#
# **When the advice misleads.** A plot scales its axis to the noise. With 5 % noise 200 losses span about 27 % of their size, and
# a fall of 8 % has to be seen inside that: curve B. People then smooth the curve, and the error bar goes wrong: neighbours in a
# smoothed loss share their noise, so that each says little that is new. Of 500 curves without trend, 400 losses each with 15 %
# noise, 96 % are "cannot tell". Smoothed by an exponential average with $\beta=0.9$, the same data are "flat" in 89 %, and
# "falling" or "rising" in 11 %: certainty out of nothing.
#
# So fit raw losses. A straight line is the wrong model for the first part of a run, which bends: take a late stretch.
# And the interval is for one look. Asked after every step, it will soon be wrong once.
#
# **In PyTorch** nothing does this. Log `loss.item()` unsmoothed, and give the last stretch to a function like this one.
#
# </details>
