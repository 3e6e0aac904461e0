# %% [markdown]
# ## Case 7.1 · Thirty calm steps, then a cliff
#
# About 20 minutes · difficulty 2 of 5 · 6 points
#
# **The complaint.** The loss of a classifier is calm for some thirty steps. Then it jumps to forty times what it was, and calms
# down again, over and over. "Spikes mean a learning rate that is too high." At an eighth of the rate the spikes are lower, and no
# fewer. On validation rows the network is wrong in more than a quarter of all cases.
#
# **After this case you can** tell from the log alone whether spikes come from the order of the rows or from the steps, and say
# what *shuffled* has to mean.
#
# The spike alert of stage 2 (case 2) says *that* a loss has jumped. Here you ask *where in the epoch* it does.
#
# ### The code

# %% fix="data-shuffling"
def spikes_repeat(losses, epoch_length):
    """Whether the losses of a run go the same way through every epoch.

    losses: of each step, a list or array of 5 to 8 whole epochs, finite and above 0.
    epoch_length: how many steps an epoch has, 40 or more. Returns True or False.
    Graded, 36 of 40 curves of a kind: True where the jumps stand at the same places of each epoch,
    be they many or two, and make at least 80 % of the variance. False where the jumps stand at new
    places each time, come at an interval that has nothing to do with the epoch, or are missing: a
    noisy loss that falls or rises smoothly by a factor of up to 10 over the run.
    """
    ### BEGIN BROKEN
    # return max(losses) > 10 * np.median(losses)
    ### END BROKEN
    ### BEGIN SOLUTION
    epochs = np.reshape(losses, (-1, epoch_length))
    # A loss that falls is like itself at every lag: take the straight line out of each epoch.
    place = np.arange(epoch_length)
    slopes, starts = np.polyfit(place, epochs.T, 1)
    epochs = epochs - np.outer(slopes, place) - starts[:, None]
    likeness = [np.corrcoef(this, following)[0, 1] for this, following in zip(epochs, epochs[1:])]
    return bool(np.mean(likeness) > 0.5)
    ### END SOLUTION


def epoch_batches(x, y, batch_size, rng):
    """The batches of one epoch: a list of pairs (rows of x, their labels), batch_size rows each,
    the last may be smaller.

    x: float array (n, features). y: int array (n,), the label of each row. rng: a Generator.
    Graded: each row is in one batch, once, beside its own label; the order has nothing to do with
    that in x, and is another at the next call with the same rng; equal seeds give equal batches; no
    draw but from rng; x and y stay as they are. Batches in which every class has its share are
    right too, if they are otherwise random.
    """
    ### BEGIN BROKEN
    # order = np.arange(len(y))
    ### END BROKEN
    ### BEGIN SOLUTION
    order = rng.permutation(len(y))
    ### END SOLUTION
    starts = range(0, len(y), batch_size)
    return [(x[order[at : at + batch_size]], y[order[at : at + batch_size]]) for at in starts]


# %% [markdown]
# **Predict, before you run it.** The rows of this set are sorted by class, and the broken loop reads them as they lie.
# If they are mixed, the median loss of a step in the second epoch is 0.1 to 0.35 nats, whatever the seed. What is it
# with the sorted rows? Write your guess as `my_guess`; the dotted line stands for it, and a printed line answers it.


# %% scene="data-shuffling"
def sorted_blobs(seed, rows=1500):
    """1500 rows of three overlapping classes in ten dimensions, sorted by class, and 600 validation rows: x, y, x_val, y_val."""
    rng = np.random.default_rng(seed)
    centres = 0.8 * rng.normal(size=(3, 10))
    y, y_val = np.sort(rng.integers(0, 3, rows)), rng.integers(0, 3, 600)
    return centres[y] + rng.normal(size=(rows, 10)), y, centres[y_val] + rng.normal(size=(600, 10)), y_val


def run_epochs(epoch_batches, seed, lr=0.1, epochs=5):
    """Train on the sorted set, 94 batches an epoch. Returns the History, and the share of validation rows that is right."""
    x, y, *validation = sorted_blobs(seed)
    rng = np.random.default_rng([seed, 1])
    net = MLP((10, 32, 3), rng)
    steps = [batch for _ in range(epochs) for batch in epoch_batches(x, y, 16, rng)]
    coming = iter(steps)
    history = train(net, lambda: next(coming), len(steps), lr, validation=validation)
    return history, net.accuracy(*validation)


def mixed_batches(x, y, batch_size, rng):
    """The batches of the complaint's twin, whose order is beyond doubt."""
    return [(x[rows], y[rows]) for rows in batches(rng, len(y), batch_size, epochs=1)]


def show_shuffling(before, now, seed, my_guess):
    """The complaint's run and the learner's; then what both probes say of it and of its twin. before, now: (probe, batches)."""
    (log, accuracy), (log_now, accuracy_now) = (run_epochs(epoch_batches, seed) for _, epoch_batches in (before, now))
    vitals(
        before=log,
        now=log_now,
        signs={"loss": "loss of the batch (nats)", "val_loss": "validation loss (nats)"},
        guess={"loss": my_guess},
        caption="Five epochs of 94 steps each at a learning rate of 0.1.",
    )
    median = np.median(log["loss"][94:188])
    print(f"Median loss in the second epoch, sorted rows: {median:.2f}. You said {my_guess:.2f}.")
    print(f"Validation rows that are right at the end: {accuracy:.0%} as complained about, {accuracy_now:.0%} now.")
    twin = run_epochs(mixed_batches, seed + 4, lr=2.0)[0]["loss"]
    for name, losses in (("the complaint", log["loss"]), ("its twin, mixed rows at a rate of 2", twin)):
        height = "more" if max(losses[94:]) > 10 * np.median(losses[94:]) else "less"
        print(f"{name}: spikes of {height} than ten times the median. Do they repeat each epoch?", end=" ")
        print(f"Before: {before[0](losses, 94)}, now: {now[0](losses, 94)}.")


# %% run="data-shuffling" atlas="2"
my_guess = 0.24  # median loss of a step in the second epoch, rows sorted by class, in nats

show_shuffling(
    before=(broken.spikes_repeat, broken.epoch_batches),
    now=(spikes_repeat, epoch_batches),
    seed=0,
    my_guess=my_guess,
)


# %% check="data-shuffling" points=6
def epoch_curve(kind, rng, epochs, length):
    """Losses of a run of one kind, see SHUFFLING_KINDS: jumps over a noisy level."""
    steps = np.arange(epochs * length)
    level = {"falls": 10.0, "rises": 0.1}.get(kind.split()[-1], 1.0) ** (-steps / len(steps))
    jumps = np.zeros(len(steps))
    if "three classes" in kind:
        jumps = 30 * np.exp(-(steps % length % (length / 3)) / (length / 20)) * 0.9 ** (steps // length)
    elif "two places" in kind:
        jumps[np.isin(steps % length, rng.choice(length, 2, replace=False))] = 12
    elif "new places" in kind:
        for epoch in range(epochs):
            jumps[epoch * length + rng.choice(length, 3, replace=False)] = 15
    elif "every 29 steps" in kind:
        jumps[steps % 29 == rng.integers(29)] = 15
    noise = 0.1 if "loss that" in kind else 0.15
    return 0.1 * (level + jumps) * np.exp(noise * rng.normal(size=len(steps)))


SHUFFLING_KINDS = {
    "jumps where the three classes begin": True,
    "jumps at the same two places": True,
    "jumps at new places in each epoch": False,
    "a jump every 29 steps": False,
    "no jumps, a loss that falls": False,
    "no jumps, a loss that rises": False,
}


def check_spikes(seed, epochs, length):
    """36 of 40 curves of every kind are judged rightly."""
    rng = np.random.default_rng(seed)
    share, wrong = {}, {}
    for kind, want in SHUFFLING_KINDS.items():
        call = f"spikes_repeat(losses, {length}) on {epochs} epochs: {kind}"
        said, curves = [], [epoch_curve(kind, rng, epochs, length).tolist() for _ in range(40)]
        for answer in check.each(spikes_repeat, [(curve, length) for curve in curves]):
            is_bool = isinstance(answer, (bool, np.bool_)) or (np.ndim(answer) == 0 and answer is not None and answer in (0, 1))
            check.that(is_bool, what="spikes_repeat answers True or False", call=call, got=repr(answer))
            said.append(bool(answer))
        share[kind], wrong[kind] = np.mean(said), sum(answer != want for answer in said)
    same, few, new, other, falls, rises = share.values()
    for kind, want in SHUFFLING_KINDS.items():
        check.that(
            wrong[kind] <= 4,
            what=f"{kind}: {'they repeat each epoch' if want else 'nothing repeats from epoch to epoch'}",
            call=f"spikes_repeat(losses, {length}) on 40 curves of {epochs} epochs",
            expected=f"{want} on at least 36 of 40",
            got=f"{want} on {40 - wrong[kind]} of 40",
            turns={
                "every run is told the same": np.ptp(list(share.values())) < 0.1,
                "high spikes are taken for a wrong order: a learning rate that is too high makes them too": (
                    min(same, new, other) > 0.9 and max(falls, rises) < 0.5
                ),
                "a trend is taken for repetition: a loss that falls is like itself at any lag": falls > 0.5 or rises > 0.5,
                "jumps are counted, not placed: it is their place in the epoch that has to repeat": min(same, new) > 0.5,
                "the losses are compared with the step before, or at a lag that is not the epoch": other > 0.1 or same < 0.5,
                "only jumps in many places are seen": few < 0.5,
                "only the highest step of each epoch is looked at: where several places have a jump, it is now one, now "
                "another": same < 0.9 < few,
            },
        )


def check_one_epoch(seed, n, batch_size):
    """The batches of two epochs; every row carries its number, so that it can be found again."""
    y = np.sort(np.arange(n) % 3)
    x = np.column_stack([np.arange(n), y]).astype(float)
    given_x, given_y, rng = x.copy(), y.copy(), np.random.default_rng(seed)
    call = f"epoch_batches(x, y, {batch_size}, rng), {n} rows sorted by class"
    epochs = []
    for _ in range(2):
        pieces = epoch_batches(given_x, given_y, batch_size, rng)
        check.that(pieces is not None, what="epoch_batches returns a list of pairs (rows of x, labels)", call=call, got=pieces)
        epochs.append([(np.array(rows, dtype=float), np.array(labels)) for rows, labels in pieces])
        check.that(
            np.array_equal(given_x, x) and np.array_equal(given_y, y),
            what="x and y stay as they are",
            call=call,
            turns={"they are shuffled in place: whoever reads them later finds another order": True},
        )
    sizes = [len(labels) for _, labels in epochs[0]]
    many = [batch_size] * (n // batch_size) + [n % batch_size] * (n % batch_size > 0)
    orders = [np.concatenate([rows[:, 0] for rows, _ in epoch]).astype(int) for epoch in epochs]
    labels = np.concatenate([labels for _, labels in epochs[0]])
    missing = n - len(set(orders[0].tolist()))
    check.that(
        sorted(orders[0].tolist()) == list(range(n)),
        what="each row is in the epoch once",
        call=call,
        expected=f"{n} rows, none missing",
        got=f"{len(orders[0])} rows, {missing} missing",
        turns={
            "the last, smaller batch is dropped": len(orders[0]) == n - n % batch_size < n,
            "rows are drawn with replacement: about a third of them never comes in an epoch": missing > 0.2 * n,
        },
    )
    check.that(
        sizes == many,
        what=f"batches have {batch_size} rows, the last may be smaller",
        call=call,
        got=sizes,
        turns={
            "the batches are shuffled, and not the rows in them: the smaller one comes in the middle": sorted(sizes)
            == sorted(many)
        },
    )
    together = np.mean(labels == y[orders[0]])
    check.that(
        together == 1,
        what="each row stays beside its own label",
        call=call,
        expected="all rows",
        got=f"{together:.0%} of the rows",
        turns={"x and y are each put in an order of their own": True},
    )
    follows = abs(np.corrcoef(np.arange(n), orders[0])[0, 1])
    full = labels[: n - n % batch_size].reshape(-1, batch_size)
    least = min(np.mean(full == label, axis=1).min() for label in range(3))
    turns = {
        "the rows are read as they lie": np.array_equal(orders[0], np.arange(n)),
        "batches are shuffled, and not the rows in them: each still holds one class": least == 0 and follows < 0.5,
        "rows change places only inside their batch, or inside a buffer that is small against a class": follows > 0.7,
    }
    # The correlation of two unrelated orders of n rows has a standard deviation of 1 / sqrt(n).
    check.that(
        follows < 6 / np.sqrt(n) and least > 0.05,
        what="the order has nothing to do with that in x",
        call=call,
        expected="each batch with rows of all three classes",
        got=f"a batch with {least:.0%} of one of the classes; places in x and in the epoch correlate by {follows:.2f}",
        turns=turns,
    )
    check.that(
        np.mean(orders[0] == orders[1]) < 0.1,
        what="the next call with the same rng gives another order",
        call=f"{call}, twice",
        turns={"the order is drawn once, or from a seed of its own: each epoch is the same": True},
    )
    pieces = epoch_batches(x.copy(), y.copy(), batch_size, np.random.default_rng(seed))
    again = np.concatenate([np.array(rows)[:, 0] for rows, _ in pieces])
    check.that(
        np.array_equal(again, orders[0]),
        what="equal seeds give equal batches",
        call=f"{call}, with two generators of one seed",
        turns={"something else than rng is drawn from: the run cannot be repeated": True},
    )


def check_shuffling():
    check_spikes(7, epochs=6, length=50)
    check_one_epoch(0, 610, 60)
    check_one_epoch(2, 600, 60)


check.run(check_shuffling)


### BEGIN HIDDEN TESTS
def check_spikes_in_any_order(rng, epochs, length):
    """36 of 40 curves of every kind are judged rightly, one kind now and another then."""
    wrong = dict.fromkeys(SHUFFLING_KINDS, 0)
    order = rng.permutation(list(SHUFFLING_KINDS) * 40).tolist()
    answers = check.each(spikes_repeat, [(epoch_curve(kind, rng, epochs, length).tolist(), length) for kind in order])
    for kind, answer in zip(order, answers):
        wrong[kind] += bool(answer) != SHUFFLING_KINDS[kind]
    for kind, want in SHUFFLING_KINDS.items():
        check.that(
            wrong[kind] <= 4,
            what="jumps at the same places of each epoch are told from all others",
            call=f"spikes_repeat(losses, {length}) on 40 curves of {epochs} epochs: {kind}",
            expected=f"{want} on at least 36 of 40",
            got=f"{want} on {40 - wrong[kind]} of 40",
        )


def check_shuffling_elsewhere():
    rng = check.hidden_rng(71)
    # Lengths that an interval of 29 steps does not fit into.
    lengths = [length for length in range(40, 100) if 6 <= length % 29 <= 23]
    for _ in range(2):
        check_spikes_in_any_order(rng, int(rng.integers(5, 9)), int(rng.choice(lengths)))
        check_one_epoch(int(rng.integers(2**31)), int(rng.integers(400, 900)), int(rng.integers(55, 80)))


check.run(check_shuffling_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# An epoch has 94 steps. At which steps does the loss jump? Divide each by 94 and look at the remainder.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The rows come class by class. Within a class "always say this class" is a fine model, and a step or two suffice to
# learn it. The price is paid where the next class begins. As for the probe: steps that are too long make spikes as
# well, so their height cannot tell. Steps know nothing of the epoch, though.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Lay the losses out as one line an epoch, take each line's trend away, and correlate neighbours. For the batches draw
# one new order of the row numbers each time, and use that one order for x and for y before you cut.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Shuffling problems: Loss very spiky. Fix: Ensure proper shuffling.*
#
# Let $\ell_{e,k}$ be the loss at place $k$ of epoch $e$, its trend within the epoch taken away, and $E$ the number of
# epochs. The probe is
#
# $$\rho=\frac{1}{E-1}\sum_{e=1}^{E-1}\operatorname{corr}_k(\ell_{e,k},\ell_{e+1,k}).$$
#
# A gradient step is an unbiased one only if its batch is drawn from all rows (Robbins & Monro 1951, doi
# 10.1214/aoms/1177729586). A batch of one class has a gradient that points to that class. Over ten seeds the sorted
# rows give $\rho$ of 0.92 to 0.98, mixed rows $-0.18$ to 0.07, and no more at a rate of 2, where the loss is spiky by
# itself. In the second epoch the median loss is 0.03 to 0.06 sorted and 0.11 to 0.34 mixed; the highest is 38 to 145
# times the median against 2 to 5 times. The low loss between the spikes is the same illness as the spikes: the network
# is asked about what it was told a step ago. Its validation accuracy is 0.60 to 0.89, mixed 0.83 to 0.97.
#
# **The cheapest experiment** is none: $\rho$ is read off a log that you have. Changing the rate costs a run and says little. At
# an eighth of it $\rho$ stays at 0.90 to 0.98.
#
# **When the advice misleads.** "Loss very spiky" is neither needed nor enough. In a set of 300 rows with classes further apart,
# read for 20 epochs, sorted rows do no harm. Validation accuracy is 0.93 to 0.98 either way, and the spikes are gone by then;
# $\rho$ is 1.0 all the same. And $\rho$ says "the same order each time", not "a bad order". Rows mixed once and then read in that
# order have $\rho$ of 0.80 to 0.93, because hard batches stay hard, and the same accuracy as rows mixed anew. The harm is in
# batches that are all of one kind, above all in the last ones. So a $\rho$ near one is a reason to look at the labels of three
# batches. A shuffle of x without y ends all spikes too, and all learning: 0.18 to 0.52.
#
# **In PyTorch** `DataLoader(dataset, shuffle=True)` draws a new order each epoch. An iterable dataset takes no `shuffle=True`: a
# stream is mixed by a buffer. A buffer of 100 of these rows, a fifth of a class, helps hardly at all: 0.64 to 0.89. Mix the files
# first.
#
# </details>
