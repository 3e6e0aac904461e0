# %% [markdown]
# ## Case 5.4 · Asked twice, it answers twice
#
# About 15 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** A network of 64 hidden units overfits 150 rows of ten classes, so dropout was added: in each step
# three units in ten are set to zero. Since then the same row, evaluated twice, gets two different answers, on more than
# every third row. Somebody turned the mask off for evaluation by hand. The answers were the same then, and the
# validation loss was higher than without dropout.
#
# **After this case you can** write dropout so that training and evaluation see the same activations on average, test a
# random layer, and say how much to expect of it.
#
# ### The code

# %% fix="reg-dropout"
def dropout_mask(shape, p, rng, training):
    """What a layer's output is multiplied by, entry by entry: a float array of the given shape.

    shape: (rows, units). p: the probability that an entry is dropped, 0 <= p < 1. rng: a
    numpy.random.Generator. training: True in training, False in evaluation.
    Graded in training: each entry is 0 with probability p. All others have one value, such that
    an output times its mask is, on average over many masks, that output. Each entry is drawn by
    itself, and each call draws anew. All draws come from rng: the same seed gives the same masks.
    Graded in evaluation, and for p = 0: the layer's output is left exactly as it is.
    Not graded: how you draw, and whether a call that drops nothing draws at all.
    """
    ### BEGIN BROKEN
    # return (rng.random(shape) >= p).astype(float)
    ### END BROKEN
    ### BEGIN SOLUTION
    if not training:
        return np.ones(shape)
    # A share 1 - p stays: what stays is made larger by as much, so that the sum is kept on average.
    return (rng.random(shape) >= p) / (1 - p)
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Without dropout the network gets 53.6 % of the validation rows right, as the mean of four
# seeds. By how many percentage points does the dropout complained about change that? Write your guess as `my_guess`,
# negative if you think that it falls: the last lines under the figure answer it. They also say what your code brings.


# %% scene="reg-dropout"
def few_rows(seed, rows=150, classes=10, features=20):
    """Clouds around ten centres that overlap: x, y to train on, x, y to validate on, and the generator."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 0.5, (classes, features))
    sets = []
    for count in (rows, 1000):
        y = np.arange(count) % classes
        sets += [centres[y] + rng.normal(size=(count, features)), y]
    return *sets, rng


def dropout_run(mask_of, seed, p=0.3, steps=200, lr=0.5):
    """Train MLP(20, 64, 10) with masks from mask_of. Returns the History of the validation, by mask_of's evaluation masks.

    "val_loss" and "accuracy" are noted every ten steps; "same": the share of rows with one answer in two evaluations.
    """
    x, y, val_x, val_y, rng = few_rows(seed)
    net, history = MLP((20, 64, 10), rng), History()
    mask_rng = np.random.default_rng(1000 + seed)
    for step in range(steps):
        mask = mask_of((len(y), 64), p, mask_rng, True)
        grads = net.loss_and_grads(x, y, masks=[np.asarray(mask)])[1]
        net.params = descend(net.params, grads, lr)
        if step % 10 == 9:
            logits = [net.forward(val_x, [np.asarray(mask_of((len(val_y), 64), p, mask_rng, False))])[0] for _ in range(2)]
            answers = [logit.argmax(axis=1) for logit in logits]
            history.log(val_loss=cross_entropy(logits[0], val_y)[0], accuracy=np.mean(answers[0] == val_y))
            history.log(same=np.mean(answers[0] == answers[1]))
    return history


def no_dropout(shape, p, rng, training):
    return np.ones(shape)


# %% run="reg-dropout" atlas="2"
my_guess = 5.0  # percentage points of validation accuracy that the dropout complained about brings

masks = {"without dropout": no_dropout, "as complained about": broken.dropout_mask, "your code": dropout_mask}
runs = {name: [dropout_run(mask_of, seed) for seed in range(4)] for name, mask_of in masks.items()}
vitals(
    before=runs["as complained about"][0],
    now=runs["your code"][0],
    signs={"val_loss": "validation loss (nats)", "same": "share of rows with the same answer in two evaluations"},
    over="evaluation (one every ten steps)",
    caption="Ten classes, 150 rows, dropout of 0.3 on the hidden layer.",
)
accuracy = {}
for name, of_seeds in runs.items():
    accuracy[name], val_loss = (np.mean([run[sign][-1] for run in of_seeds]) for sign in ("accuracy", "val_loss"))
    print(f"{name:<20}accuracy {accuracy[name]:.1%}, validation loss {val_loss:.2f} (means of 4 seeds)")
brings = {name: 100 * (share - accuracy["without dropout"]) for name, share in accuracy.items()}
print(f"The dropout complained about changes the accuracy by {brings['as complained about']:+.1f} points.", end=" ")
print(f"You said {my_guess:+.1f}. Your code: {brings['your code']:+.1f}.")


# %% check="reg-dropout" points=5
def mask_like(shape, p, seed, training=True):
    """The learner's mask from a generator of that seed, as an array, and the call in words."""
    call = f"dropout_mask({shape}, p={p}, rng=np.random.default_rng({seed}), training={training})"
    mask = dropout_mask(shape, p, np.random.default_rng(seed), training)
    check.that(mask is not None, what="a mask comes back", call=call, got="None")
    check.that(np.shape(mask) == shape, what="the mask has the given shape", call=call, expected=shape, got=np.shape(mask))
    return np.array(mask, dtype=float), call


def check_dropout_at(shape, p, seed):
    mask, call = mask_like(shape, p, seed)
    entries = mask.size
    dropped, tolerance = np.mean(mask == 0), 6 * np.sqrt(p * (1 - p) / entries)
    check.that(
        abs(dropped - p) < tolerance,
        what="in training each entry is dropped with probability p",
        call=call,
        expected=f"a share of {p} at zero, within {tolerance:.2g}",
        got=f"{dropped:.3g}",
        turns={
            "p is taken for the share that stays": abs(dropped - (1 - p)) < tolerance,
            "nothing is dropped in training, and something in evaluation: the two are swapped": dropped == 0
            and np.any(mask_like(shape, p, seed, training=False)[0] == 0),
            "nothing is dropped at all": dropped == 0,
            "one draw is made for each unit, and all rows share it": np.all(mask == mask[0]),
            "one draw is made for each row, and all its units go together": np.all(mask == mask[:, :1]),
        },
    )
    kept = np.unique(np.round(mask[mask != 0], 9))
    one_value = kept.size == 1
    check.that(
        one_value and np.isclose(kept[0], 1 / (1 - p), rtol=1e-4),
        what="what stays is multiplied by the value that keeps the mean",
        call=call,
        expected="a mean of the mask of 1, on average over many draws, by one value for all that stays",
        got=f"{kept[0]:.5g}, a mean of {(1 - p) * kept[0]:.3g}" if one_value else f"{kept.size} values, {kept[0]:.5g} and others",
        turns={
            "what stays is not made larger: in training the next layer gets 1 - p of what it gets in evaluation": one_value
            and np.isclose(kept[0], 1),
            "p stands where 1 - p is meant": one_value and np.isclose(kept[0], 1 / p),
            "the variance is kept and not the mean: the root is too much": one_value and np.isclose(kept[0], 1 / np.sqrt(1 - p)),
            "the mask is multiplied by 1 - p, and not divided": one_value and np.isclose(kept[0], 1 - p),
            "the mask is divided by the share that happened to stay in this draw: p is known, and the draw is noise": np.isclose(
                mask.mean(), 1, rtol=1e-9
            ),
        },
    )
    is_kept = mask != 0
    in_rows, in_columns = (np.ptp(is_kept.sum(axis=axis)) for axis in (1, 0))
    check.that(
        len(np.unique(is_kept, axis=0)) > 0.5 * shape[0]
        and len(np.unique(is_kept, axis=1).T) > 0.5 * shape[1]
        and in_rows > 0
        and in_columns > 0,
        what="each entry is drawn by itself",
        call=call,
        got=f"{len(np.unique(is_kept, axis=0))} different rows, {len(np.unique(is_kept, axis=1).T)} different columns",
        turns={
            "one draw is made for each unit, and all rows share it": np.all(is_kept == is_kept[0]),
            "one draw is made for each row, and all its units go together": np.all(is_kept == is_kept[:, :1]),
            "exactly the same number is dropped in each row, or in each column: then its entries are tied together": in_rows == 0
            or in_columns == 0,
        },
    )
    rng = np.random.default_rng(seed)
    first, second = (np.array(dropout_mask(shape, p, rng, True), dtype=float) for _ in range(2))
    check.that(
        not np.array_equal(first, second),
        what="each call draws anew",
        call="dropout_mask twice with one rng",
        got="the same mask",
        turns={"a generator of your own is made in each call, with one seed: the same units are gone for ever": True},
    )
    again = mask_like(shape, p, seed)[0]
    check.that(
        np.array_equal(mask, again),
        what="all draws come from rng: the same seed gives the same mask",
        call=call + ", twice",
        got="two masks",
        turns={"np.random, or a generator without a seed, is drawn from: nobody can repeat the run": True},
    )
    check.that(
        not np.array_equal(mask, mask_like(shape, p, seed + 1)[0]),
        what="another seed gives another mask",
        call=call + f", and with default_rng({seed + 1})",
        got="the same mask",
    )


def check_nothing_dropped(shape, p, seed, training):
    mask, call = mask_like(shape, p, seed, training)
    check.that(
        np.allclose(mask, 1, atol=1e-9),
        what="nothing changes " + ("with p = 0" if training else "in evaluation"),
        call=call,
        expected="ones",
        got=mask,
        turns={
            "in evaluation units are dropped too: the answer depends on the draw": np.any(mask == 0),
            "what was dropped in training is made good in evaluation, as in the paper of its authors: here training does it": np.allclose(
                mask, 1 - p
            ),
            "the mask is made larger in evaluation as well": np.allclose(mask, 1 / (1 - p)) and p > 0,
        },
    )


def check_dropout():
    check_dropout_at((60, 50), 0.3, seed=1)
    check_nothing_dropped((60, 50), 0.3, seed=1, training=False)
    check_nothing_dropped((5, 4), 0.0, seed=2, training=True)


check.run(check_dropout)


### BEGIN HIDDEN TESTS
def check_dropout_elsewhere():
    rng = check.hidden_rng(54)

    def seed():
        return int(rng.integers(2**31))

    # Columns are long where much is kept or much is dropped, so that each still has both.
    for least, most, shape in ((0.1, 0.2, (60, 100)), (0.3, 0.6, (80, 60)), (0.7, 0.85, (200, 60))):
        p, shape = round(float(rng.uniform(least, most)), 3), tuple(int(side) for side in rng.integers(40, shape))
        check_dropout_at(shape, p, seed())
        check_nothing_dropped(shape, p, seed(), training=False)
    shape = tuple(int(side) for side in rng.integers(2, 9, 2))
    check_nothing_dropped(shape, 0.0, seed(), training=True)
    check_nothing_dropped(shape, 0.0, seed(), training=False)


check.run(check_dropout_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Make a mask for 1000 rows and print its mean, with `training=True` and with `training=False`. Which of the two numbers
# should be 1?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Two things. `training` is never asked, so evaluation is random too. And with three units in ten gone, the next layer
# gets seven tenths of the sum that it gets when none is gone.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# In evaluation give back what changes nothing. In training make what stays larger, by one over the share that stays.
# Ask for the expected share, not for the one that came out.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Overfitting: Regularization techniques. Dropout (0.1-0.3 typical).*
#
# Let $h$ be a unit's output, $m$ its mask, $p$ the probability of a drop. With $m=0$ at probability $p$ and $m=1/(1-p)$
# otherwise,
#
# $$\mathbb E[m\,h]=(1-p)\,\frac{h}{1-p}+p\cdot 0=h ,$$
#
# where $\mathbb E$ is the mean over draws. So the next layer sees in training, on average, what it sees in evaluation, where
# $m=1$. This is called *inverted dropout*. The authors of dropout left the mask at 0 and 1 and multiplied the weights by $1-p$ in
# evaluation (Srivastava et al. 2014, JMLR 15, 1929): as right, and never to be mixed with the other.
#
# Only the mean is kept. The variance of $m$ is $p/(1-p)$, which is why dropout before a batch normalisation makes its
# running variance wrong for evaluation (Li et al. 2018, arXiv 1801.05134).
#
# **Measured,** over 20 seeds. As complained about, two evaluations agree on 60 to 70 % of the rows, and the dropout *costs* 3.3
# points of accuracy on average, between 0.4 and 5.4. Each answer is that of a network with three units in ten missing. With the
# mask turned off by hand it brings 1.8 points, and the validation loss goes from 1.92 to 2.09. The logits are larger than in
# training, so the network is too sure. A right dropout brings 1.3 points, between -0.6 and 3.7, and a loss of 1.81.
#
# **When the advice misleads.** That is little: a stop at the best step, without dropout, gives a loss of 1.38. On other
# small tasks dropout did nothing, or made the loss a little worse. And "0.1-0.3" says nothing about which layer, or
# about how much longer the training has to be. More data, as in case 5.1, does more.
#
# **In PyTorch** this is `torch.nn.Dropout(p)`, inverted, with `p` the share dropped. `model.train()` and `model.eval()` set
# `training`; whoever forgets `eval()` has this complaint.
#
# </details>
