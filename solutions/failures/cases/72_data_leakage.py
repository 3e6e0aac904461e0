# %% [markdown]
# ## Case 7.2 · Too good to be true, said of the wrong one
#
# About 20 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** Two pipelines have been put on one table. One reaches 97 % on its validation rows. It was called
# suspicious, and two people have spent a week on its data. They found nothing. The score of the other looked ordinary,
# and it was waved through. On new rows it does no better than a coin.
#
# **After this case you can** acquit a good model and convict a leak by two experiments that look at no line of the
# pipeline's code, and say why you need both.
#
# Case 1.4 read a leak off two loss curves, from a validation loss below the training loss. The leaks here keep the
# usual order of the curves, and no curve shows them.
#
# ### The code

# %% fix="data-leakage"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    """What a pipeline's score is worth: "honest", "pipeline leaks" or "column leaks".

    pipeline(x, y, x_new) does everything from the rows to the score: it selects, encodes, splits,
    trains. It returns (accuracy on its own validation rows, the labels its model predicts for
    x_new). At most 20 calls are allowed.
    x: float array (n, features); a column may hold numbers of customers, so make up no values.
    y: int array (n,), the labels, some of them perhaps more frequent than others. x_new, y_new: 200
    rows collected later, in the state in which the model meets them at work, and the labels they
    turned out to have. rng: a Generator. x, y, x_new and y_new stay as they are.
    Chance is the share of the most frequent label in y. Graded, on each data set:
      "pipeline leaks"  its code lets labels of validation rows through. It then scores at least
                        0.15 above chance in the mean even where x and y have nothing to do with
                        each other. This goes before the others.
      "column leaks"    the code is clean, in the mean it scores less than 0.05 above chance on
                        such data, but a column of x was filled in from the label, and at work it
                        is not: validation accuracy is at least 0.4 above that on the new rows.
      "honest"          neither. It does as well on new rows as on validation rows, be it well or
                        badly. By chance the validation accuracy may be up to 0.3 above that on
                        the new rows: some sets have as few as 30 validation rows.
    """
    ### BEGIN BROKEN
    # accuracy, _ = pipeline(x, y, x_new)
    # return "pipeline leaks" if accuracy > 0.95 else "honest"  # too good to be true
    ### END BROKEN
    ### BEGIN SOLUTION
    # Labels in a random order: there is nothing to learn, so what is still scored has leaked.
    scores = [pipeline(x, rng.permutation(y), x_new)[0] for _ in range(12)]
    chance = np.bincount(y).max() / len(y)
    if np.mean(scores) > chance + 0.1:
        return "pipeline leaks"
    # A column filled in from the label is cut off from it by the shuffle too. New rows do see it.
    accuracy, predicted = pipeline(x, y, x_new)
    return "column leaks" if accuracy > np.mean(predicted == y_new) + 0.3 else "honest"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The second pipeline has 80 rows with 1000 columns of noise, and labels decided by a coin. It
# keeps the 20 columns that differ most between the two labels, splits the rows in half, and trains on the first. What does it
# score on the other half? Write your guess as `my_guess`; it is the dotted stroke in the left panel.


# %% scene="data-leakage"
def nearest_mean(x, y, x_other):
    """The simplest classifier: each row of x_other gets the label of the nearest class mean, frequent labels being nearer."""
    is_label = np.eye(y.max() + 1)[y].T
    counts = is_label.sum(axis=1) + 1e-9  # a label may be missing in a half
    means = is_label @ x / counts[:, None]
    spread = np.mean((x - means[y]) ** 2)
    return np.argmax(x_other @ means.T - 0.5 * np.sum(means**2, axis=1) + spread * np.log(counts / len(y)), axis=1)


def telling_columns(x, y, count=20):
    """The numbers of the `count` columns whose means differ most between label 0 and label 1."""
    return np.argsort(-np.abs((y - y.mean()) @ x))[:count]


def plain_pipeline(x, y, x_new):
    """Split in half, train, score."""
    half = len(y) // 2
    predicted = nearest_mean(x[:half], y[:half], np.vstack([x[half:], x_new]))
    return np.mean(predicted[: len(y) - half] == y[half:]), predicted[len(y) - half :]


def selecting_pipeline(x, y, x_new):
    """Keep the columns that tell most, chosen on all rows; then as plain_pipeline."""
    kept = telling_columns(x, y)
    return plain_pipeline(x[:, kept], y, x_new[:, kept])


def careful_pipeline(x, y, x_new):
    """The same, but the columns are chosen on the training half."""
    half = len(y) // 2
    kept = telling_columns(x[:half], y[:half])
    return plain_pipeline(x[:, kept], y, x_new[:, kept])


def encoding_pipeline(x, y, x_new):
    """Replace column 0, a customer's number, by the customer's mean label over all rows; then as plain_pipeline."""
    customers, customers_new = x[:, 0].astype(int), x_new[:, 0].astype(int)
    rows = np.bincount(customers, minlength=customers_new.max() + 1)
    labels = np.bincount(customers, weights=y, minlength=len(rows))
    means = np.where(rows > 0, labels / np.maximum(rows, 1), y.mean())
    x, x_new = x.copy(), x_new.copy()
    x[:, 0], x_new[:, 0] = 6 * means[customers], 6 * means[customers_new]
    return plain_pipeline(x, y, x_new)


LEAK_KINDS = {
    "strong signal": (plain_pipeline, "honest"),
    "weak signal": (plain_pipeline, "honest"),
    "rare label": (plain_pipeline, "honest"),
    "noise, chosen on the training half": (careful_pipeline, "honest"),
    "noise, chosen before the split": (selecting_pipeline, "pipeline leaks"),
    "signal, chosen before the split": (selecting_pipeline, "pipeline leaks"),
    "customer's mean label": (encoding_pipeline, "pipeline leaks"),
    "a column made from the label": (plain_pipeline, "column leaks"),
}


def leak_data(kind, rng, wide=1000):
    """x, y, x_new, y_new for a kind of LEAK_KINDS. wide: the columns where some are chosen."""
    rows, columns, labels = (80, wide, 2) if "chosen" in kind else (240, 10, 2 if "customer" in kind else 3)
    rows = 60 if kind == "weak signal" else rows
    gap = {"strong": 1.4, "weak": 0.5, "a": 0.45, "signal,": 0.6, "customer's": 0.15}.get(kind.split()[0], 0.0)
    centres = gap * rng.normal(size=(labels, columns))
    centres[:, 10:] = 0
    y, y_new = (rng.choice(labels, n, p=[0.8, 0.1, 0.1] if kind == "rare label" else None) for n in (rows, 200))
    x, x_new = (centres[which] + rng.normal(size=(len(which), columns)) for which in (y, y_new))
    if "customer" in kind:
        x[:, 0], x_new[:, 0] = rng.permutation(np.arange(rows) // 2), np.arange(rows, rows + 200)
    if "a column" in kind:
        # Filled in when a case is closed, and its label known. At work no case is closed yet.
        x[:, 4], x_new[:, 4] = 4 * y + rng.normal(0, 1, rows), 4 + rng.normal(0, 3, 200)
    return x, y, x_new, y_new


def show_leaks(before, now, seed, my_guess, count=8):
    """Scores of one data set of each kind, and how often two verdict functions judge `count` of them rightly."""
    fig, (left, right) = figure(2, height=4.2)
    places = np.arange(len(LEAK_KINDS))[::-1]
    scores, rates = {}, {}
    for kind, (pipeline, want) in LEAK_KINDS.items():
        sets = [leak_data(kind, np.random.default_rng([seed, number])) for number in range(count)]
        measured = [(pipeline(x, y, x_new), y_new) for x, y, x_new, y_new in sets]
        scores[kind] = np.mean([(accuracy, np.mean(guess == y_new)) for (accuracy, guess), y_new in measured], axis=0)
        rates[kind] = [np.mean([f(pipeline, *data, np.random.default_rng(seed)) == want for data in sets]) for f in (before, now)]
    left.plot([score for score, _ in scores.values()], places, "s", color="#444444", markersize=8, label="own validation rows")
    left.plot([score for _, score in scores.values()], places, "D", color="#888888", markersize=6, label="rows collected later")
    stroke = places[list(LEAK_KINDS).index("noise, chosen before the split")]
    ends = [stroke - 0.45, stroke + 0.45]
    left.plot([my_guess, my_guess], ends, color="#444444", linestyle=":", linewidth=2, label="your guess")
    left.set_yticks(places, list(LEAK_KINDS), fontsize="small")
    left.set(xlim=(0, 1.03), xlabel="accuracy")
    right.barh(places, 0.15, left=0.87, height=0.7, color="#e6e6e6", edgecolor="#888888", linewidth=0.8, zorder=0)
    cross, ring = dict(markersize=9), dict(markersize=13, markerfacecolor="none", markeredgewidth=2.5)
    right.plot([rate for rate, _ in rates.values()], places, "X", color=BROKEN["color"], label="as complained about", **cross)
    right.plot([rate for _, rate in rates.values()], places, "o", color=MENDED["color"], label="your code", **ring)
    right.set_yticks(places, [f'"{want}"' for _, want in LEAK_KINDS.values()], fontsize="small")
    right.set(xlim=(-0.05, 1.05), xlabel="share judged rightly (wanted: grey)")
    for ax, columns in ((left, 2), (right, 2)):
        ax.legend(frameon=False, fontsize="small", loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=columns)
    told = "; ".join(
        f"{kind}, {want}: {scores[kind][0]:.2f}, {scores[kind][1]:.2f}, judged rightly {before:.0%} and {now:.0%}"
        for (kind, (_, want)), (before, now) in zip(LEAK_KINDS.items(), rates.values())
    )
    show(
        fig,
        f"Eight kinds of pipeline, {count} data sets each. Left: mean accuracy. Right: the share that is judged rightly.",
        f"For each kind the right verdict, the accuracy on its own validation rows and on rows collected later: {told}. "
        f"Your guess for noise, chosen before the split: {my_guess:.2f}.",
    )
    print(f"Noise, chosen before the split, scores {scores['noise, chosen before the split'][0]:.2f}. You said {my_guess:.2f}.")


# %% run="data-leakage" atlas="1 2"
my_guess = 0.5  # accuracy on the other half: columns of noise, labels from a coin, chosen before the split

show_leaks(before=broken.leak_verdict, now=leak_verdict, seed=0, my_guess=my_guess)

# %% check="data-leakage" points=6
LEAK_VERDICTS = ("honest", "pipeline leaks", "column leaks")


def check_leak_kind(kind, seed, turns, count=1):
    """All `count` data sets of `kind` get their verdict. turns: for a wrong verdict, what leads to it, in words."""
    pipeline, want = LEAK_KINDS[kind]
    said, calls = [], []
    call = f"leak_verdict(pipeline, x, y, x_new, y_new, rng): {kind}"
    for number in range(count):
        data = leak_data(kind, np.random.default_rng([seed, number]), wide=400)
        given = [a.copy() for a in data]
        calls.append(0)

        def counted(x, y, x_new):
            calls[-1] += 1
            check.that(
                calls[-1] <= 20,
                what="at most 20 calls of the pipeline",
                call=call,
                turns={"more shuffles are run than the mean of a score needs: ten give it to two or three hundredths": True},
            )
            # The pipelines leave what they are given as it is, so it need not be copied.
            score, predicted = pipeline(np.asarray(x, dtype=float), np.asarray(y, dtype=int), np.asarray(x_new, dtype=float))
            return float(score), predicted

        answer = leak_verdict(counted, *given, np.random.default_rng([seed, number, 1]))
        is_verdict = isinstance(answer, str) and answer in LEAK_VERDICTS
        check.that(is_verdict, what=f"each verdict is {' or '.join(map(repr, LEAK_VERDICTS))}", call=call, got=repr(answer))
        check.that(
            all(np.array_equal(a, b) for a, b in zip(given, data)),
            what="x, y, x_new and y_new stay as they are",
            call=call,
            turns={"y is shuffled in place, or a column overwritten: the next experiment sees what this one did": True},
        )
        said.append(answer)
    right = sum(answer == want for answer in said)
    wrong = max((answer for answer in said if answer != want), key=said.count, default=None)
    check.that(
        right == count,
        what=f"{kind}: the verdict is {want!r}",
        call=f"leak_verdict on {count} data sets: {kind}",
        expected=f"{want!r} on {count} of {count}",
        got=f"{want!r} on {right} of {count}; else most often {wrong!r}",
        turns={words: wrong == verdict for verdict, words in turns.items()},
    )


def check_leaks(seed):
    one_look = "one shuffle is run: on 30 validation rows its score has a standard deviation of 0.09"
    noise = "noise of the two scores is taken for a drop: 30 validation rows alone make up to 0.3"
    # Three sets out of which a single shuffle, and a small drop, often come wrong.
    check_leak_kind("weak signal", 340, {"pipeline leaks": one_look, "column leaks": noise}, count=3)
    check_leak_kind(
        "rare label",
        seed,
        {
            "pipeline leaks": "chance is one half, or 1 over the number of labels: where 80 % of the rows have one label, saying "
            "it always scores 0.8",
            "column leaks": noise,
        },
    )
    check_leak_kind(
        "strong signal",
        seed,
        {
            "pipeline leaks": "a high score is held against it: 0.97 is what well separated classes give, and new rows "
            "confirm it",
            "column leaks": "a high score is held against it, or one column that tells much: a good column is no crime",
        },
    )
    check_leak_kind("noise, chosen on the training half", seed, {"pipeline leaks": one_look})
    turns = {
        "honest": "the labels were not shuffled, or x together with them: the drop on new rows may be small, and a leak need "
        "not reach 0.95. With shuffled labels this pipeline scores far above chance",
        "column leaks": "only the drop on new rows is asked: it says that something leaks, and not where. The labels were not "
        "shuffled, or not for the whole pipeline",
    }
    for kind in ("signal, chosen before the split", "noise, chosen before the split", "customer's mean label"):
        check_leak_kind(kind, seed, turns)
    check_leak_kind(
        "a column made from the label",
        seed,
        {
            "honest": "only shuffled labels are asked: they cut the column off from the label too, and it scores at chance. New "
            "rows show it",
            "pipeline leaks": "the drop on new rows is laid at the pipeline's door: with shuffled labels it scores at chance",
        },
    )


def check_leakage():
    check_leaks(14)


check.run(check_leakage)


### BEGIN HIDDEN TESTS
def check_leakage_elsewhere():
    rng = check.hidden_rng(72)
    for kind in rng.permutation([*LEAK_KINDS, *["weak signal"] * 3]).tolist():
        pipeline, want = LEAK_KINDS[kind]
        drop = None
        # Few rows fall out in many ways: a set counts that keeps well to what the text says of its kind.
        while drop is None or (want == "honest" and drop > 0.2) or (want == "column leaks" and drop < 0.45):
            seed = int(rng.integers(2**31))
            x, y, x_new, y_new = leak_data(kind, np.random.default_rng([seed, 0]), wide=400)
            accuracy, predicted = pipeline(x, y, x_new)
            drop = accuracy - np.mean(predicted == y_new)
        turns = {
            "pipeline leaks": "a chance score, or an honest one, is held against the pipeline",
            "column leaks": "a drop on new rows is taken for a bad column: ask first what is scored with shuffled labels",
            "honest": "one of the two questions is not asked: what is scored with shuffled labels, and what on new rows",
        }
        check_leak_kind(kind, seed, turns)


check.run(check_leakage_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# What would each pipeline score on data in which there is nothing to learn? You can make such data out of theirs with
# one line.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# A score is high because the task is easy or because the labels leak, and the score cannot say which. Put the labels in
# a random order and an easy task becomes impossible. A leak in the code works on with any labels. A leaking column does
# not: it was filled in from the *old* labels. It gives itself away where it cannot be filled in, on new rows.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Call the whole pipeline ten times or more with a permutation of y, and hold the mean score against the share of the
# most frequent label. If that is clean, call it once with the true labels and compare its score with the share of y_new
# that it predicts.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Label leakage: Suspiciously good performance. Fix: Audit data pipeline.*
#
# Let $A(x,y)$ be the accuracy that the whole pipeline reports for rows $x$ and labels $y$, and $\pi$ a random
# permutation of the labels. Then
#
# $$A_0=\mathbb E_\pi\,A(x,\pi y)\le\max_k p_k\ \text{(about)}\quad\text{for a clean pipeline,}$$
#
# where $p_k$ is the share of label $k$. Testing a classifier by permuted labels is an old method (Ojala & Garriga 2010,
# JMLR 11, 1833). The usual use asks whether $A$ is above $A_0$. Here the question is whether $A_0$ is above chance. With $n$
# validation rows one such score has a standard deviation of $\sqrt{p(1-p)/n}$, 0.09 at 30 rows; the mean of twelve has
# a third of that.
#
# Over 20 data sets of each kind, $A_0$ the mean of twenty shuffles and $A_{\text{new}}$ the accuracy on new rows:
#
# | | $A$ | $A_0$ less chance | $A-A_{\text{new}}$ |
# | --- | --- | --- | --- |
# | strong signal | 0.96 to 1.00 | at most $-0.01$ | $-0.03$ to 0.02 |
# | weak signal, 30 validation rows | 0.50 to 0.77 | at most $-0.03$ | $-0.22$ to 0.10 |
# | noise, chosen on the training half | 0.23 to 0.65 | at most $-0.01$ | $-0.24$ to 0.11 |
# | noise, chosen before the split | 0.78 to 0.93 | 0.24 to 0.36 | 0.27 to 0.43 |
# | signal, chosen before the split | 0.88 to 1.00 | 0.24 to 0.36 | $-0.01$ to 0.24 |
# | customer's mean label | 0.66 to 0.88 | 0.15 to 0.25 | 0.11 to 0.33 |
# | a column made from the label | 0.95 to 1.00 | at most 0.00 | 0.49 to 0.66 |
#
# That columns have to be chosen inside the split, and that choosing them before makes noise look like a predictor, was
# shown on gene expression data (Ambroise & McLachlan 2002, doi 10.1073/pnas.102102699).
#
# **The cheapest experiment** is the shuffle: no new data, no look at the code. New rows with labels cost waiting time, so
# they come second. Neither sees everything alone. Shuffling acquits the column. And where a leak stands beside a real
# signal, the drop on new rows can be nothing at all, so they acquit the pipeline. To find the column, take each away in
# turn and see when the drop closes.
#
# **When the advice misleads.** "Suspiciously good" judges the score. The honest pipeline with well separated classes
# scores 0.96 to 1.00 here, as high as any that leaks. A limit of 0.95 accuses it every time. It lets through three in
# four of those that chose their columns on noise, and all that encode customers. And "audit" means reading, which found
# nothing in a week: the line that chooses columns is innocent to look at. Neither experiment sees a leak that new rows
# share, such as the same patient in both halves and among the new rows. And new rows that come from another population
# show a drop without any leak.
#
# **In PyTorch** nothing of this is in the model. `sklearn.model_selection.permutation_test_score` shuffles labels
# around a pipeline; it protects only if selection and encoding are inside that pipeline.
#
# </details>
