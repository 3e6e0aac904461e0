# %% [markdown]
# ## Case 3.2 · Only one of the three was found
#
# About 20 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** Three small networks do not get better. A rule looks at what their units give out: near plus or
# minus 1 they are saturated, at 0 on all rows they are dead, otherwise they are open. For the saturated there is a
# cure, standardised inputs; for the dead another, biases back to zero. The first network got well. The second was
# declared open and is as ill as before. The third was declared saturated and got the cure of the first, which changed
# nothing.
#
# **After this case you can** tell a unit that passes no gradient from one that only looks like it, and say from one
# forward pass whether the scale of its inputs or its bias is to blame.
#
# Case 1.3 compared layers. Here the layer is known, and its units are asked one by one.
#
# ### The code

# %% fix="vanish-saturation"
def unit_verdicts(outputs, slopes):
    """What each unit of a layer does over the rows: "open", "saturated" or "dead".

    outputs: float array (rows, units), what came out of the activation, which may be tanh, a
    sigmoid, ReLU or another. slopes: (rows, units), its derivative at the same places, 0 or more:
    what a gradient is multiplied by on its way back through the unit.
    A unit is closed on a row where its slope is below 0.005, and open where it is above 0.05; in
    the checks nothing lies between.
    Returns a list of words, one for each unit. Graded:
    "open": open on a quarter of the rows or more, whatever the outputs.
    "dead": closed on all rows, and its outputs differ by less than 0.02 over all rows.
    "saturated": closed on nine rows of ten or more, and its largest and smallest output are more
    than 0.5 apart: it still says on which side a row lies.
    Other units do not occur. There are 20 to 400 rows and 1 to 60 units.
    """
    ### BEGIN BROKEN
    # verdicts = []
    # for unit in outputs.T:
    #     if np.all(unit == 0):
    #         verdicts.append("dead")
    #     elif np.mean(np.abs(unit) > 0.99) > 0.5:
    #         verdicts.append("saturated")
    #     else:
    #         verdicts.append("open")
    # return verdicts
    ### END BROKEN
    ### BEGIN SOLUTION
    verdicts = []
    for output, slope in zip(outputs.T, slopes.T):
        # Only the slope knows what passes: every activation is flat at other outputs.
        if np.mean(slope > 0.02) > 0.17:
            verdicts.append("open")
        else:
            verdicts.append("saturated" if np.ptp(output) > 0.2 else "dead")
    return verdicts
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The second network is a single sigmoid unit that learns yes or no by the squared
# error. Its bias starts at $-8$, so it says 0.0003 to everything, and in 200 steps its squared error does not leave
# 0.5. Now the loss is changed to the cross-entropy, and the bias stays at $-8$. What squared error does it have after
# 200 steps? Write your guess as `my_guess`: it is the dotted line in the middle panel, and the line under the figure
# answers it.


# %% scene="vanish-saturation"
def straight(x, branch, norm):
    """A block of a DeepNet without anything beside its layers."""
    return branch(x)


def most_common(verdicts):
    words = [str(word) for word in verdicts]
    return max(("open", "saturated", "dead"), key=words.count)


def tanh_run(verdicts_of, seed, scale=1.0, bias=0.0, steps=150, lr=0.2):
    """Spirals, their features standardised and then times `scale`; 32 tanh units whose biases start at `bias`.

    What most units are said to be decides the cure before the first step. Returns the verdict and the losses.
    """
    rng = np.random.default_rng(seed)
    x, y = spirals(rng, points=50)
    x = scale * (x - x.mean(axis=0)) / x.std(axis=0)
    net = DeepNet(2, 32, 1, 3, rng, straight)
    net.params[3] += bias
    out = np.tanh((x @ net.params[0] + net.params[1]) @ net.params[2] + net.params[3])
    verdict = most_common(verdicts_of(out, 1 - out**2))
    if verdict == "saturated":
        x = (x - x.mean(axis=0)) / x.std(axis=0)
    elif verdict == "dead":
        net.params[3] *= 0
    return verdict, train(net, lambda: (x, y), steps, lr)["loss"]


def sigmoid_run(verdicts_of, seed, bias=-8.0, steps=200, lr=1.0, cross_entropy_instead=False):
    """One sigmoid unit on 200 rows, by the squared error or by cross-entropy. Returns the verdict and the squared errors."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(200, 2))
    y = (x @ [2.0, -1.0] > 0).astype(float)
    weight, errors, verdict = 0.5 * rng.normal(size=2), [], None
    for _ in range(steps):
        p = 1 / (1 + np.exp(-(x @ weight + bias)))
        if verdict is None:
            verdict = most_common(verdicts_of(p[:, None], (p * (1 - p))[:, None]))
            if verdict == "saturated":
                x = (x - x.mean(axis=0)) / x.std(axis=0)
            elif verdict == "dead":
                bias = 0.0
            p = 1 / (1 + np.exp(-(x @ weight + bias)))
        errors.append(np.mean((p - y) ** 2))
        delta = (p - y) / len(y) if cross_entropy_instead else 2 * (p - y) * p * (1 - p) / len(y)
        weight, bias = weight - lr * x.T @ delta, bias - lr * delta.sum()
    return verdict, errors


def treated(verdicts_of, seed):
    """The three networks, each with the cure that its verdict calls for: the verdicts, and a History of what they reach."""
    runs = {
        "first": tanh_run(verdicts_of, seed, scale=100.0),
        "second": sigmoid_run(verdicts_of, seed),
        "third": tanh_run(verdicts_of, seed, bias=8.0),
    }
    history = History()
    for name, (_, losses) in runs.items():
        for loss in losses:
            history.log(**{name: loss})
    return [verdict for verdict, _ in runs.values()], history


def told_open(outputs, slopes):
    """A verdict that cures nothing."""
    return ["open"] * outputs.shape[1]


# %% run="vanish-saturation" atlas="2"
my_guess = 0.4  # the squared error of the second network after 200 steps with cross-entropy, from a bias of -8

(said_before, before), (said_now, now) = (treated(f, seed=0) for f in (broken.unit_verdicts, unit_verdicts))
vitals(
    before,
    now,
    signs={
        "first": "first: loss (nats); tanh, inputs x 100",
        "second": "second: squared error; sigmoid",
        "third": "third: loss (nats); tanh, biases at 8",
    },
    guess={"second": my_guess},
    caption="Three ill networks, each with the cure that goes with its verdict.",
)
print(f"The verdicts: {', '.join(said_before)} as complained about; {', '.join(said_now)} now.")
by_cross_entropy = sigmoid_run(told_open, seed=0, cross_entropy_instead=True)[1][-1]
print(f"The second, with cross-entropy and its bias at -8, ends at {by_cross_entropy:.2f}. You said {my_guess:.2f}.")

# %% check="vanish-saturation" points=6
UNIT_WORDS = ("open", "saturated", "dead")
ACTIVATIONS = {
    "tanh": lambda z: (np.tanh(z), 1 - np.tanh(z) ** 2),
    "sigmoid": lambda z: (1 / (1 + np.exp(-z)), 1 / (2 + np.exp(z) + np.exp(-z))),
    "ReLU": lambda z: (np.maximum(z, 0), (z > 0).astype(float)),
    "ReLU6": lambda z: (np.clip(z, 0, 6), ((z > 0) & (z < 6)).astype(float)),
    "1.7 tanh(2z/3)": lambda z: (1.7159 * np.tanh(2 * z / 3), 1.1439 * (1 - np.tanh(2 * z / 3) ** 2)),
}


def sums_of(kind, rng, rows):
    """What goes into a unit's activation, for one kind of unit."""
    sides = rng.permutation(np.resize([-1, 1], rows))
    far = rng.uniform(9, 15, rows)
    near = rng.uniform(-1.5, 1.5, rows)
    is_near = rng.permutation(rows)
    return {
        "wide": np.where(is_near < rows // 20, near, sides * far),
        "high": far,
        "low": -far,
        "near": near,
        "tiny": near / 300,
        "above": rng.uniform(0.8, 1.4, rows),
        "third": np.where(is_near < 0.3 * rows, near, sides * far),
    }[kind]


FLAT_ENDS = "outputs near plus or minus 1 are looked for: a sigmoid is flat at 0 too, and its slope says so"
STUCK = (
    "only a unit at exactly 0 is taken for dead: this one gives the same to all rows as well, "
    "so it is its bias that holds it, and not the scale of its inputs"
)
ON_SIDES = "a unit that is closed on all rows is called dead, though its output still changes from row to row"
MEAN = "the mean or the middle of the slopes is asked: a unit that is open on some rows learns from those"
LIKE_TANH = "the slopes are held against those of tanh: a sigmoid's is 1/4 at most, and that is open"
UNIT_KINDS = (
    ("tanh", "wide", "saturated", {"dead": ON_SIDES}),
    ("sigmoid", "low", "dead", {"open": FLAT_ENDS, "saturated": STUCK}),
    ("sigmoid", "wide", "saturated", {"open": FLAT_ENDS, "dead": ON_SIDES}),
    ("tanh", "high", "dead", {"saturated": STUCK, "open": "a unit at 1 on all rows is not found"}),
    ("tanh", "low", "dead", {"saturated": STUCK, "open": "the size of the outputs is not taken: -1 is flat too"}),
    ("ReLU", "low", "dead", {"saturated": STUCK}),
    (
        "ReLU",
        "above",
        "open",
        {"saturated": "an output near 1 is taken for a flat one: a rectified unit has a slope of 1 there"},
    ),
    ("ReLU", "wide", "open", {"saturated": "some closed rows, or large outputs, do: this unit is open on half of its rows"}),
    ("1.7 tanh(2z/3)", "above", "open", {"dead": "slopes that exceed 1 are not expected"}),
    (
        "tanh",
        "tiny",
        "open",
        {
            "dead": "outputs that hardly differ are taken for dead without a look at the slopes, which are 1 here",
            "saturated": "an output near 0 is taken for a flat end: tanh is steepest there",
        },
    ),
    ("sigmoid", "near", "open", {"saturated": LIKE_TANH, "dead": LIKE_TANH}),
    ("tanh", "third", "open", {"saturated": MEAN, "dead": MEAN}),
    ("ReLU6", "wide", "saturated", {"dead": ON_SIDES, "open": "only outputs near 1 count: this one is flat at 0 and at 6"}),
)


def said_of_units(units, call):
    """The learner's verdicts on units, each a pair (outputs, slopes) over the rows."""
    outputs, slopes = (np.array(columns).T for columns in zip(*units))
    said = unit_verdicts(outputs, slopes)
    is_list = said is not None and np.ndim(said) == 1 and len(said) == len(units)
    check.that(
        is_list,
        what="one word for each unit comes back",
        call=call,
        expected=f"{len(units)} words",
        got=said,
        turns={
            "one word is said about the whole layer": isinstance(said, str),
            "rows are judged instead of units: the units are the columns": not isinstance(said, str)
            and np.ndim(said) == 1
            and len(said) == len(outputs),
        },
    )
    return [str(word) if isinstance(word, str) else word for word in said]


def check_units(seed, rows, count):
    rng = np.random.default_rng(seed)
    mixed, wanted = [], []
    for name, kind, want, turns in UNIT_KINDS:
        units = [ACTIVATIONS[name](sums_of(kind, rng, rows)) for _ in range(count)]
        outs, slopes = np.array(units)[:, 0], np.array(units)[:, 1]
        call = (
            f"unit_verdicts(outputs, slopes), {name}: outputs {outs.min():.3g} to {outs.max():.3g}, "
            f"open on {np.mean(slopes > 0.05):.0%} of the rows"
        )
        for word in said_of_units(units, call):
            wrong_turn = {turns[word]: True} if isinstance(word, str) and word in turns else {}
            check.word(word, want, UNIT_WORDS, what=f"such units of {name} are {want!r}", call=call, turns=wrong_turn)
        mixed.append(units[0])
        wanted.append(want)
    order = rng.permutation(len(mixed))
    call = "unit_verdicts(outputs, slopes), all kinds in one layer"
    said = said_of_units([mixed[number] for number in order], call)
    wanted = [wanted[number] for number in order]
    check.that(said == wanted, what="each unit has a verdict of its own, in order", call=call, expected=wanted, got=said)


def check_unit_verdicts():
    check_units(1, rows=60, count=3)


check.run(check_unit_verdicts)


### BEGIN HIDDEN TESTS
def check_unit_verdicts_elsewhere():
    rng = check.hidden_rng(32)
    for rows, count in (((20, 60), 1), ((200, 401), 4)):
        check_units(int(rng.integers(2**31)), rows=int(rng.integers(*rows)), count=count)


check.run(check_unit_verdicts_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# For each of the three networks, print the outputs and the slopes of one unit side by side, for ten rows. At which
# outputs is a tanh flat? A sigmoid? A rectified unit?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Outputs near plus or minus 1 are where *tanh* is flat. A sigmoid is flat at 0 as well, and a rectified unit is not
# flat at 1. What a unit stops is decided by its slope. The output answers another question: does the unit still tell
# one row from another?
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Go through the columns. First count the rows on which the slope is not nearly zero. If they are too few, take the
# range of the outputs: it parts the units that are pushed to both ends from those that stand at one.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Gradient Vanishing: Saturated activations. Sigmoid/tanh outputs near plus or minus 1. Fix: Use ReLU variants,
# better init.*
#
# A unit computes $a=\phi(z)$ with $z=w\cdot x+b$: inputs $x$, weights $w$, bias $b$, activation $\phi$. Backwards it
# hands on
#
# $$\frac{\partial\ell}{\partial z}=\frac{\partial\ell}{\partial a}\,\phi'(z),$$
#
# with $\ell$ the loss. Where $\phi'(z)$ is nearly zero on all rows, neither $w$ nor $b$ learns. There are two ways to
# get there. Either the *spread* of $z$ is large: then rows lie at both ends, the unit is saturated, and the cure is a
# smaller scale, of the inputs or of the weights. Or the *mean* of $z$ is far from where $\phi$ bends: then all rows lie
# at one end, the unit is dead, and no scaling of its inputs helps, only the bias. The outputs tell which, once the
# slopes have told that there is something to tell.
#
# Over 20 seeds: with inputs times 100 the loss ends at 0.85 to 0.89, and at 0.18 to 0.26 when they are standardised.
# With biases at 8 it ends at 1.2; with biases at zero it is the standardised run. The single sigmoid stays at a squared
# error of 0.42 to 0.54, and reaches 0.03 to 0.04 from a bias of 0.
#
# **When the advice misleads.** "Near plus or minus 1" holds for tanh alone. "Gradient norms near zero" misses the first network:
# its gradient starts at a norm of 1.9 to 11, against 0.8 to 2.6 when standardised. The gradient of a weight is multiplied by its
# input, and these are 100. "Use ReLU variants" on those inputs makes it worse: `MLP((2, 32, 3), rng)` at a rate of 0.1 has a loss
# above 1e180 after 200 steps. And "better init": weights that are too large are a poor explanation of a gradient that vanishes.
# In thirty tanh layers with weights of standard deviation 1, two thirds of the outputs are saturated, and the gradient of the
# first layers *explodes*, up to 5e6. What the slopes take away the weights give back with interest.
#
# **The slope is in the loss, too.** For a sigmoid output with squared error, $\partial\ell/\partial z=2(a-y)\,a(1-a)$, with the
# target $y$: wrong and stuck. With cross-entropy the factor $a(1-a)$ cancels and $a-y$ is left, so the same unit with the same
# bias of $-8$ learns, to 0.01 to 0.03. That is why softmax and sigmoid outputs go with cross-entropy (Bishop 2006, ISBN
# 978-0-387-31073-2, section 5.2). A unit is not ill by itself, only with what comes after it.
#
# **In PyTorch** a forward hook gives you a module's outputs; the slope of `torch.tanh` is `1 - out**2`, of `torch.sigmoid`
# `out * (1 - out)`, of `torch.relu` `out > 0`. For the output use `BCEWithLogitsLoss`, not `MSELoss` after a sigmoid.
#
# </details>
