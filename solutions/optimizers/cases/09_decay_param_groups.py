# %% [markdown]
# ## Case 9 · Whatever it is shown, it says ten
#
# About 15 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** A linear model with eight inputs predicts a quantity that lies around 50. It is trained with AdamW, and
# it says about 10. The mean squared error falls for a few hundred steps and then stands near 1600. The team doubled the
# number of steps, then the learning rate: ten again. Plain SGD on the same data gets to 50 at once, so the data are fine.
#
# **After this case you can** say which parameters weight decay is for, compute how far it lets any other one go, and sort
# the parameters of a network that you have never seen.
#
# ### The code

# %% fix="decay-param-groups"
def decay_groups(named_params):
    """Sort the parameters of a network: those that AdamW's weight decay should shrink, and
    those that it should leave alone.

    named_params: a dict from a parameter's name to its float array. Returns (decay, no_decay),
    two collections of names. A matrix has the shape (inputs, outputs), also where one of the two
    is 1; a convolution kernel (outputs, inputs, height, width); a bias or a norm's gain one entry
    for each unit, (units,); a scalar the shape ().
    Graded: every name is in exactly one of the two; matrices and kernels decay; biases, gains of
    norms and scalars do not.
    Names are of all kinds and promise nothing. Not graded: where an embedding goes (in the checks
    "wte" is one), the order of the names, and whether a group is a list, a set or a generator.
    """
    ### BEGIN BROKEN
    # decay = list(named_params)  # all parameters
    # no_decay = []
    ### END BROKEN
    ### BEGIN SOLUTION
    # What multiplies an input has an axis for its inputs and one for its outputs. Biases, gains
    # and scalars have not.
    decay = [name for name, param in named_params.items() if param.ndim >= 2]
    no_decay = [name for name, param in named_params.items() if param.ndim < 2]
    ### END SOLUTION
    return decay, no_decay


# %% [markdown]
# **Predict, before you run it.** The run that was complained about had a weight decay of 0.1. The figure repeats it with
# $\lambda=0.04$. At a learning rate of $\eta$, AdamW changes the bias $b$ at each step by two things: the gradient moves it by
# $\eta$ at most, and the decay takes $\eta\lambda b$ away. Each gradient pulls it up, towards 50. Where does it come to rest?

# %% scene="decay-param-groups"
def fit_with_adamw(decay_groups, seed, steps=1000, lr=0.2, weight_decay=0.1):
    """Fit a linear model to targets around 50 with AdamW, which decays the first group of `decay_groups`.

    lr falls to zero in a straight line. Returns the History: at every step the loss on all 400 rows, and the bias.
    """
    rng = np.random.default_rng(seed)
    x, y, _ = linear_data(rng, rows=400, features=8, noise=0.5)
    y = y[:, None] + 50
    params = {"layer.weight": np.zeros((8, 1)), "layer.bias": np.zeros(1)}
    decay = list(decay_groups(dict(params))[0])
    means = {}
    history = History()
    for step in range(steps):
        error = x @ params["layer.weight"] + params["layer.bias"] - y
        history.log(loss=np.mean(error**2), bias=params["layer.bias"][0])
        rows = rng.integers(0, len(y), 32)
        grads = {"layer.weight": 2 * x[rows].T @ error[rows] / 32, "layer.bias": 2 * error[rows].mean(axis=0)}
        for name, grad in grads.items():
            # Both running means start at the first gradient, so that they are means from the first step on.
            m, v = means.get(name, (grad, grad**2))
            m, v = means[name] = 0.9 * m + 0.1 * grad, 0.99 * v + 0.01 * grad**2
            change = m / (np.sqrt(v) + 1e-8) + weight_decay * params[name] * (name in decay)
            params[name] = params[name] - lr * (1 - step / steps) * change
    return history


def show_bias(before, now, guess, weight_decay):
    """Draw the bias, with the place that it should reach and the one that decay holds it at, and the loss."""
    fig, (left, right) = figure(2)
    told = []
    for style, history, label in ((BROKEN, before, "as complained about"), (MENDED, now, "your code")):
        left.plot(history["bias"], label=label, **style)
        right.plot(history["loss"], label=label, **style)
        told.append(f"{label}, the bias ends at {history['bias'][-1]:.2g} and the loss at {history['loss'][-1]:.2g}")
    for height, line, label, place in (
        (50, "--", "the bias of the data, 50", 1),
        (1 / weight_decay, "-.", "1 / weight_decay", 1),
        (guess, ":", "your guess", 0.5),
    ):
        left.axhline(height, color="#444444", linestyle=line, linewidth=1.2, zorder=1)
        above = {"xytext": (0, 4), "textcoords": "offset points"}
        left.annotate(label, (place, height), xycoords=("axes fraction", "data"), ha="right", fontsize="small", **above)
    left.set(xlabel="step", ylabel="bias (units of y)", ylim=(min(-2, guess - 5), max(58, 1.15 * guess)))
    right.set(xlabel="step", ylabel="loss (squared units of y)", yscale="log", ylim=(0.1, 1e4))
    right.legend(frameon=False, fontsize="small")
    show(
        fig,
        f"A thousand steps of AdamW with a weight decay of {weight_decay}, on targets that lie around 50.",
        f"Two panels over step: the bias, with lines at 50 and at {1 / weight_decay:.0f}, and the loss. " + "; ".join(told) + ".",
    )


# %% run="decay-param-groups"
my_guess = 35.0  # where the bias comes to rest when it decays by 0.04

show_bias(
    before=fit_with_adamw(broken.decay_groups, seed=0, weight_decay=0.04),
    now=fit_with_adamw(decay_groups, seed=0, weight_decay=0.04),
    guess=my_guess,
    weight_decay=0.04,
)

# %% check="decay-param-groups" points=5
def check_groups_of(network, call):
    """network: for each kind of parameter the names of its members, and their shapes."""
    named = {name: np.full(shape, 0.5) for members in network.values() for name, shape in members.items()}
    groups = decay_groups(dict(named))
    try:
        decay, no_decay = (list(group) for group in groups)
    except (TypeError, ValueError):
        decay = no_decay = None
    check.that(decay is not None, what="two collections of names come back, (decay, no_decay)", call=call, got=groups)
    both = decay + no_decay
    strangers = [entry for entry in both if not (isinstance(entry, str) and entry in named)]
    check.that(
        not strangers,
        what="the two groups hold names, written as in named_params",
        call=call,
        got=strangers[0] if strangers else "",
        turns={
            "the arrays are returned, and not their names": any(isinstance(entry, np.ndarray) for entry in strangers),
            "pairs of name and array are returned, and not the names": any(isinstance(entry, tuple) for entry in strangers),
            "a dictionary is returned, or the groups are dictionaries as PyTorch takes them": isinstance(groups, dict)
            or "params" in [entry for entry in strangers if isinstance(entry, str)],
            "a group is one text, and not a collection": any(isinstance(group, str) for group in groups),
        },
    )
    missing = [name for name in named if name not in both]
    check.that(
        not missing,
        what="every name is in one of the two groups",
        call=call,
        got=f"{len(missing)} of {len(named)} in neither: {', '.join(missing)}",
    )
    doubled = [name for name in named if both.count(name) > 1]
    check.that(
        not doubled,
        what="no name is in both groups, or twice in one",
        call=call,
        got=f"{len(doubled)} of {len(named)} more than once: {', '.join(doubled)}",
    )

    graded = [name for kind in network for name in network[kind] if kind != "embeddings"]
    decays = [name in decay for name in graded]

    def is_rule(rule):
        return [bool(rule(name, named[name])) for name in graded] == decays

    turns = {
        "every parameter decays": is_rule(lambda name, param: True),
        "the two groups are swapped": is_rule(lambda name, param: param.ndim < 2),
        "the document's own filter sorts by name: it decays every gain that is not called norm, "
        "and spares every matrix with bias or norm in its name": is_rule(
            lambda name, param: "bias" not in name and "norm" not in name
        ),
        "only the biases are taken out": is_rule(lambda name, param: not name.endswith("bias"))
        or is_rule(lambda name, param: "bias" not in name),
        "all that is called weight decays: a norm's gain is called so too": is_rule(lambda name, param: name.endswith("weight")),
        "only what has a single entry is taken out: a bias has one for each unit": is_rule(lambda name, param: param.size > 1),
        "only arrays of two axes decay: a kernel has four": is_rule(lambda name, param: param.ndim == 2),
        "axes of length 1 are not counted: a matrix with one output is a matrix": is_rule(
            lambda name, param: sum(length > 1 for length in param.shape) >= 2
        ),
        "nothing decays": not any(decays),
    }
    for kind, group, is_right in (
        ("biases", "no_decay", no_decay),
        ("gains of norms", "no_decay", no_decay),
        ("scalars", "no_decay", no_decay),
        ("matrices", "decay", decay),
        ("kernels", "decay", decay),
    ):
        members = network.get(kind, {})
        wrong = [f"{name} {shape}" for name, shape in members.items() if name not in is_right]
        other = "decay" if group == "no_decay" else "no_decay"
        check.that(
            not wrong,
            what=f"{kind} are in {group}, whatever they are called",
            call=call,
            expected=f"all {len(members)} of them in {group}",
            got=f"{len(wrong)} of {len(members)} in {other}: {', '.join(wrong)}",
            turns=turns,
        )


def check_decay_groups():
    transformer = {
        "embeddings": {"wte": (60, 16)},
        "gains of norms": {"h.0.ln_1.weight": (16,), "h.0.ln_2.weight": (16,), "ln_f.weight": (16,), "norm.weight": (16,)},
        "biases": {"h.0.ln_1.bias": (16,), "h.0.attn.bias": (48,), "ln_f.bias": (16,), "head.bias": (1,)},
        "matrices": {
            "h.0.attn.weight": (16, 48),
            "h.0.norm_proj.weight": (16, 16),
            "h.0.debias_proj.weight": (16, 16),
            "head.weight": (16, 1),
        },
        "scalars": {"logit_scale": ()},
    }
    convolutional = {
        "kernels": {"0.weight": (8, 3, 3, 3), "conv2.weight": (16, 8, 1, 1)},
        "gains of norms": {"1.weight": (8,), "bn1.weight": (16,)},
        "biases": {"0.bias": (8,), "1.bias": (8,), "bn1.bias": (16,), "normal_head.bias": (10,)},
        "matrices": {"normal_head.weight": (16, 10)},
    }
    check_groups_of(transformer, "decay_groups of a small transformer's parameters")
    check_groups_of(convolutional, "decay_groups of a small convolutional network's parameters")


check.run(check_decay_groups)
### BEGIN HIDDEN TESTS
def drawn_network(rng, sizes):
    """A network of `sizes` parameters of each kind, in any order. Its names are drawn without a look at the kind."""
    words = ["weight", "bias", "norm", "gamma", "beta", "scale", "kernel", "w", "offset", "proj", "head", "ln", "conv", "p", "k"]

    def length():
        return int(rng.integers(2, 60))

    # Among the matrices and kernels are some with one input or one output, and kernels of one pixel.
    shape_of = {
        "matrices": lambda: tuple(rng.permutation([length(), rng.choice([1, length()])]).tolist()),
        "kernels": lambda: (*rng.integers(2, 9, 2).tolist(), 1, 1) if rng.random() < 0.5 else (1, int(rng.integers(1, 9)), 3, 3),
        "gains of norms": lambda: (length(),),
        "biases": lambda: (int(rng.choice([1, length()])),),
        "scalars": lambda: (),
    }
    kinds = rng.permutation([kind for kind, size in sizes.items() for _ in range(size)]).tolist()
    network = {kind: {} for kind in sizes}
    for number, kind in enumerate(kinds):
        name = ".".join(rng.choice(words, 2)) + str(rng.choice([f"_{number}", f".{number}.weight", f"{number}.bias"]))
        network[kind][name] = shape_of[kind]()
    return network


def check_decay_groups_elsewhere():
    rng = check.hidden_rng(9)
    each = {"matrices": 4, "gains of norms": 4, "biases": 4, "scalars": 3, "kernels": 4}
    for _ in range(2):
        check_groups_of(drawn_network(rng, each), "decay_groups of a network that names its parameters in other words")
    shapes = {kind: list(members.values()) for kind, members in drawn_network(rng, each).items()}
    numbers = iter(rng.permutation(100).tolist())
    numbered = {kind: {f"p{next(numbers)}": shape for shape in of_kind} for kind, of_kind in shapes.items()}
    check_groups_of(numbered, "decay_groups of a network that numbers its parameters")
    check_groups_of(drawn_network(rng, {"matrices": 2}), "decay_groups of two matrices")
    check_groups_of(drawn_network(rng, {"biases": 1, "scalars": 1}), "decay_groups of a bias and a scalar")


check.run(check_decay_groups_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Follow the bias in the figure, not the loss. Something holds it, at the same place for every learning rate and however long you
# train. Which of the two terms of the update knows a place?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The bias is decayed like a weight. The same happens to every gain and every scalar. A name does not tell you which ones
# those are: `ln_1.weight` is a gain, `norm_proj.weight` is a matrix.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# The arrays themselves say it. What multiplies a layer's inputs has one axis for them and another for the outputs; a bias
# or a gain has one entry for each unit. Sort by the number of axes, and see that both groups together hold every name once.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Mistake 9: Weight Decay on Wrong Parameters.*
#
# AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) takes the decay out of the gradient and subtracts it by itself:
#
# $$\theta \leftarrow \theta-\eta\left(\frac{\hat m}{\sqrt{\hat v}+\epsilon}+\lambda\,\theta\right),$$
#
# with the parameter $\theta$, the learning rate $\eta$, the decay $\lambda$, the running means $\hat m$ of the gradient and
# $\hat v$ of its square, and a small $\epsilon$. While the gradient keeps its sign the fraction is about $\pm 1$, however
# large the gradient is. The two terms cancel at $|\theta|=1/\lambda$. That is a cap, and not a mild pull: AdamW solves the
# problem under the constraint $\max_i|\theta_i|\le 1/\lambda$ (Xie & Li 2024, arXiv 2404.04454). Neither $\eta$ nor more
# steps move it.
#
# Weights in a matrix are small and many; a decay of 0.1 allows them 10, and they never ask for it. A bias has to go where
# the data are, and a gain where the scale is. In these runs the bias ends at 9.97 with $\lambda=0.1$ (loss 1560 to 1600,
# over 20 seeds), and within 0.1 of 50 without (loss 0.2 to 0.3).
#
# **When the advice misleads.** The document sorts by name: `'bias' not in n and 'norm' not in n`. That decays
# `ln_1.weight`, `ln_f.weight`, `bn1.weight`, and the norm in an unnamed `Sequential`, which is called `1.weight`; and it
# spares the matrices of `normal_head`, `norm_proj` and `debias_proj`. The number of axes does not depend on what somebody
# called a layer.
#
# The harm depends on where the parameter has to go. With targets around 5, inside the cap, the decayed bias ends at 4.9 and the
# loss 2 % above what it is without decay. With targets around 50 and $\lambda=0.01$ the cap is 100, and a thousand steps still
# end at 46 (loss 14). Decayed gains of a LayerNorm did no harm that could be measured. On spirals, with a decay of 0.5, the loss
# ended at 0.002 against 0.000, and the gains at 0.4 instead of 1.5. The next matrix makes up for a smaller gain. Leaving them out
# is a convention; leaving out a bias with somewhere to go is not. The other cure is to standardise the targets, so that no bias
# has far to go.
#
# With L2 regularisation in the gradient and plain SGD there is no cap: the bias ends at 47.6, which is $50/(1+\lambda/2)$.
#
# **In PyTorch** pass `torch.optim.AdamW` two groups, `{"params": ..., "weight_decay": 0.1}` and
# `{"params": ..., "weight_decay": 0.0}`, sorted by `p.ndim >= 2` over `model.named_parameters()`. Left to itself it decays
# everything, by 0.01.
#
# </details>
