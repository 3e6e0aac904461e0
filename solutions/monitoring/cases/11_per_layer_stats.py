# %% [markdown]
# ## Case 11 · The gradient norm is fine, and a layer learns nothing
#
# About 20 minutes · difficulty 3 of 5 · 5 points
#
# **The complaint.** A residual network of seven layers trains, and its loss falls. The gradient norm is watched at every step,
# and has never left the range in which the team's other networks lie. Months later somebody prunes the network and finds that
# one block can be taken out without changing a single prediction: its weights are still those of the first day. The same
# watch has been silent about a network of sigmoids that never learned anything, and it rings for every run of a colleague who
# sums the loss over the rows.
#
# **After this case you can** judge each layer by a number that has no units, tell a dead layer from a run that has converged,
# and keep one broken layer from hiding another.
#
# ### The code

# %% fix="per-layer-stats"
def sick_layers(weights, grads, lr):
    """Which layers are sick, judged from one gradient: {layer: what it has}, and {} where all are
    well.

    weights: the weight matrix of each layer, a list of float arrays from input to output, none of
    them all zeros. grads: the gradient of the loss for each, a list like it. lr: the learning
    rate of plain SGD. Layers count from 0. What a layer has is "not finite", "exploding" or
    "dead". Let r be the length of its step by that of its weights:
    r = lr * norm(grad) / norm(weight).
    Graded: where the gradient holds NaN or inf, the layer is "not finite", and the other layers
    are judged as if it were not there. With r above 1 it is "exploding"; below 0.1 it is not. If
    the gradient is all zeros, or r is below 1e-5 of the median r of the finite layers, it is
    "dead"; above a hundredth of that median it is not. Between these bounds you are free. All
    zeros are "dead" also where most layers have them, or all. But a layer is not dead because
    all gradients are small, and the loss times 1000 with lr / 1000 changes no verdict. Lists of
    different lengths raise an exception, of any type. float32 gradients of 1e25 are finite.
    Not graded: the order of the layers, and whether they come as a dict or as a list of pairs.
    """
    ### BEGIN BROKEN
    # # only the global gradient norm is tracked
    # total_norm = global_norm(grads)
    # if total_norm > 100:
    #     return {layer: "exploding" for layer in range(len(grads))}
    # if total_norm < 1e-7:
    #     return {layer: "dead" for layer in range(len(grads))}
    # return {}
    ### END BROKEN
    ### BEGIN SOLUTION
    if len(weights) != len(grads):
        raise ValueError(f"{len(weights)} weights, but {len(grads)} gradients")
    # In float64 the square of a float32 does not overflow.
    lengths = [[np.linalg.norm(np.asarray(array, dtype=float)) for array in arrays] for arrays in (weights, grads)]
    ratios = lr * np.array(lengths[1]) / np.array(lengths[0])
    finite = np.isfinite(ratios)
    # The median is a neighbour that one broken layer cannot drag along, as it would the mean or the largest.
    usual = np.median(ratios[finite]) if finite.any() else 0.0
    sick = {}
    for layer, ratio in enumerate(ratios):
        if not np.isfinite(ratio):
            sick[layer] = "not finite"
        elif ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio == 0 or ratio < 1e-3 * usual:
            sick[layer] = "dead"
    return sick
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Eleven layers of weights, ten of them followed by a sigmoid. Which layer gets the shorter
# step, the first or the last, and by what factor? Write the factor as `my_guess`. In the right panel it is the dotted
# line, that far below the last layer. In the other panels look for the dead block: layer 3, with a bias of -20.

# %% scene="per-layer-stats"


class ResidualNet:
    """A first layer, five residual blocks x + relu(x @ W + b), and a last layer, with softmax cross-entropy.

    params is [W1, b1, W2, b2, ...] as in MLP. dead: the number of a block whose units are cut off by a bias of -20.
    """

    def __init__(self, rng, width=32, dead=None):
        sizes = [2] + [width] * 6 + [3]
        self.params = MLP(sizes, rng).params
        if dead is not None:
            self.params[2 * dead + 1] -= 20

    def loss_and_grads(self, x, y):
        """Mean cross-entropy in nats over the rows of x (n, 2) with labels y (n,), and its gradient like `params`."""
        weights, biases = self.params[::2], self.params[1::2]
        inputs, is_open = [], []
        for layer in range(6):
            inputs.append(x)
            z = x @ weights[layer] + biases[layer]
            is_open.append(z > 0)
            x = np.maximum(z, 0) + (x if layer else 0)
        inputs.append(x)
        logits = x @ weights[6] + biases[6]
        log_p = logits - logits.max(axis=1, keepdims=True)
        log_p = log_p - np.log(np.exp(log_p).sum(axis=1, keepdims=True))
        rows = np.arange(len(y))
        delta = (np.exp(log_p) - np.eye(3)[y]) / len(y)
        grads = [inputs[6].T @ delta, delta.sum(axis=0)]
        delta = delta @ weights[6].T
        for layer in reversed(range(6)):
            inside = delta * is_open[layer]
            grads = [inputs[layer].T @ inside, inside.sum(axis=0)] + grads
            if layer:
                delta = inside @ weights[layer].T + delta  # the second term is the way around the block
        return float(-log_p[rows, y].mean()), grads


def sigmoid_chain(seed, depth=10, width=32):
    """The weights of a network of `depth` sigmoid layers and a last one, and their gradients on spirals."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng)
    sizes = [2] + [width] * depth + [3]
    weights = [rng.normal(0, 1 / np.sqrt(a), (a, b)) for a, b in zip(sizes[:-1], sizes[1:])]
    inputs = [x]
    for weight in weights[:-1]:
        inputs.append(1 / (1 + np.exp(-inputs[-1] @ weight)))
    p = np.exp(inputs[-1] @ weights[-1])
    delta = (p / p.sum(axis=1, keepdims=True) - np.eye(3)[y]) / len(y)
    grads = []
    for layer in reversed(range(depth + 1)):
        grads.insert(0, inputs[layer].T @ delta)
        delta = (delta @ weights[layer].T) * inputs[layer] * (1 - inputs[layer])
    return weights, grads


def step_ratios(weights, grads, lr):
    """For each layer the length of its step by that of its weights."""
    return np.array([lr * np.linalg.norm(grad) / np.linalg.norm(weight) for weight, grad in zip(weights, grads)])


def residual_run(seed, dead=None, lr=0.01, steps=300):
    """A ResidualNet trained on spirals: its weights and gradients before the first step, and the History."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng)
    net = ResidualNet(rng, dead=dead)
    start = [param.copy() for param in net.params[::2]], net.loss_and_grads(x, y)[1][::2]
    return *start, train(net, lambda: (x, y), steps, lr)


def show_layers(before, now, guess, lr=0.01):
    """Draw the global norm of a healthy and a sick residual network, and the step of each layer, with what is named."""
    fig, (left, middle, right) = figure(3, height=3.6)
    told = []
    nets = {"healthy": residual_run(0, lr=lr), "block 3 dead": residual_run(0, dead=3, lr=lr)}
    looks = ({"color": "#888888", "linestyle": "-"}, {"color": "#222222", "linestyle": "--"})
    for (name, (weights, grads, history)), look, mark in zip(nets.items(), looks, "os"):
        left.plot(history["grad_norm"], label=name, linewidth=1.5, **look)
        told.append(f"{name}: the global norm goes from {history['grad_norm'][0]:.0f} to {history['grad_norm'][-1]:.1g}")
        told.append(_draw_layers(middle, weights, grads, lr, before, now, name, look["color"], mark))
    weights, grads = sigmoid_chain(seed=0)
    told.append(_draw_layers(right, weights, grads, lr, before, now, "ten sigmoids", "#222222", "s"))
    level = step_ratios(weights, grads, lr)[-1] / guess
    mark_guess(right, level, at=0)
    left.set(xlabel="step", ylabel="global gradient norm", yscale="log")
    left.legend(frameon=False, fontsize="small")
    for ax, title in ((middle, "residual network"), (right, "ten layers of sigmoids")):
        ax.set(xlabel="layer", ylabel="length of step / of weights", yscale="log", title=title)
    middle.set(ylim=(1e-7, 1), xticks=range(7))
    middle.legend(frameon=False, fontsize="small", loc=(0.0, 0.22))
    right.set_xticks(range(0, 11, 2))
    for style, mark, label in ((BROKEN, "X", "named as complained about"), (MENDED, "o", "named by your code")):
        hollow = {"markersize": 14, "fillstyle": "none", "markeredgewidth": 2.5} if mark == "o" else {"markersize": 9}
        right.plot([], [], mark, color=style["color"], label=label, **hollow)
    marks = right.get_legend_handles_labels()
    fig.legend(marks[0][1:], marks[1][1:], frameon=False, fontsize="small", loc="outside lower center", ncols=2)
    caption = "The norm over all layers, and the step of each layer before the first update, with the layers that are named sick."
    show(fig, caption, "Three panels. " + "; ".join(told) + ".")


def _draw_layers(ax, weights, grads, lr, before, now, name, color, mark):
    """One network's layers; a step of zero is drawn at the lower edge. Returns what is seen, in words."""
    ratios = step_ratios(weights, grads, lr)
    shown = np.maximum(ratios, 2e-7) if ratios.min() == 0 else ratios
    ax.plot(shown, linestyle="none", marker=mark, markersize=5, color=color, label=name)
    for layer in np.flatnonzero(ratios == 0):
        ax.annotate("0", (layer, shown[layer]), xytext=(9, 0), textcoords="offset points", va="center", fontsize="small")
    named = [dict(instrument(weights, grads, lr)) for instrument in (before, now)]
    ax.plot(list(named[0]), shown[list(named[0])], "X", color=BROKEN["color"], markersize=9, zorder=4)
    hollow = {"markersize": 14, "fillstyle": "none", "markeredgewidth": 2.5}
    ax.plot(list(named[1]), shown[list(named[1])], "o", color=MENDED["color"], **hollow)
    return f"{name}: first layer {ratios[0]:.0e}, last {ratios[-1]:.0e}; named before {named[0]}, named by your code {named[1]}"


# %% run="per-layer-stats" atlas="1 2"
my_guess = 10  # the step of the last layer of the sigmoids, as a multiple of that of the first

show_layers(broken.sick_layers, sick_layers, my_guess)
ratios = step_ratios(*sigmoid_chain(seed=0), lr=0.01)
print(f"The first layer of the sigmoids gets a step of {ratios[0]:.0e} of its weights, the last one of {ratios[-1]:.0e}.")

# %% check="per-layer-stats" points=5
def healthy_net(rng):
    """The weights and gradients of a plain network of 4 to 8 layers on spirals, and a learning rate that suits each of them."""
    x, y = spirals(rng, points=12)
    net = MLP((2, *rng.integers(8, 32, rng.integers(3, 8)), 3), rng)
    grads = net.loss_and_grads(x, y)[1][::2]
    weights = net.params[::2]
    ratios = step_ratios(weights, grads, 1.0)
    return weights, grads, min(0.01 / np.median(ratios), 0.05 / ratios.max())


def planted(kind, rng):
    """A network with the trouble of that kind: (weights, grads, lr), and what sick_layers should say."""
    weights, grads, lr = healthy_net(rng)
    layers = rng.permutation(len(grads))
    want = {}

    def plant(trouble):
        layer = int(layers[len(want)])
        grad = grads[layer]
        if trouble in ("NaN", "inf"):
            grad.flat[rng.integers(grad.size)] = np.nan if trouble == "NaN" else -np.inf
        elif trouble == "exploding":
            grad *= {"one explodes by far": 1e6, "one just explodes": 1.2}.get(kind, 30) * np.linalg.norm(weights[layer]) / np.linalg.norm(grad) / lr
        elif trouble == "zero":
            grad *= 0
        else:  # nearly zero
            grad *= 1e-9
        want[layer] = {"exploding": trouble, "NaN": "not finite", "inf": "not finite"}.get(trouble, "dead")

    for trouble in {
        "one dead": ["zero"],
        "one nearly dead": ["nearly zero"],
        "most zero": ["zero"] * (len(grads) // 2 + 1),
        "all zero": ["zero"] * len(grads),
        "one explodes": ["exploding"],
        "one explodes by far": ["exploding"],
        "one just explodes": ["exploding"],
        "NaN": ["NaN"],
        "inf": ["inf"],
        "NaN and dead": ["NaN", "nearly zero"],
        "exploding and dead": ["exploding", "zero"],
        "three at once": ["NaN", "exploding", "nearly zero"],
        "nearly dead, summed loss": ["nearly zero"],
    }.get(kind, []):
        plant(trouble)
    scale = {"summed loss": 1e5, "nearly dead, summed loss": 1e5, "at the end": 1e-9}.get(kind, 1.0)
    grads = [grad * scale for grad in grads]
    if "summed loss" in kind:
        lr = lr / scale
    if kind == "float32":
        grads, lr = [(grad * 1e25).astype(np.float32) for grad in grads], lr / 1e25
    return (weights, grads, lr), want


def check_layers_of(kind, call, what, turns, seed, nets=3, misses=0):
    """Of `nets` random networks of that kind at most `misses` get a verdict that is not exactly right."""
    rng = np.random.default_rng(seed)
    right, first = 0, None
    cases = [planted(kind, rng) for _ in range(nets)]
    copies = [([w.copy() for w in weights], [g.copy() for g in grads], lr) for (weights, grads, lr), _ in cases]
    for ((_, grads, _), want), got in zip(cases, check.each(sick_layers, copies)):
        try:
            said = {int(layer): str(trouble) for layer, trouble in dict(got).items()}
        except (TypeError, ValueError):
            said = None
        check.that(
            said is not None,
            what="the sick layers come back as {layer: what it has}",
            call=call,
            got=got,
            turns={"layers are named without saying what they have": np.ndim(got) == 1 and len(got) > 0},
        )
        right += said == want
        if said != want and first is None:
            first = said, want, len(grads)
    if right >= nets - misses:
        return
    said, want, layers = first
    false = sorted(set(said) - set(want))
    is_all = len(said) == layers
    shifted = {layer - 1: trouble for layer, trouble in said.items()} == want
    naming = {
        "layers are counted from 1: the first is layer 0": bool(want) and shifted,
        "layers are counted from the output: the first is at the input": bool(want)
        and {layers - 1 - layer: trouble for layer, trouble in said.items()} == want,
    }
    first_only = {
        "only the first sick layer is named, and the others wait behind a return": len(want) > 1 and len(said) == 1 and not false
    }
    general = {
        "the layer is found, and what it has is called by another name": set(said) == set(want),
        "one number for all layers judges them all": is_all and len(set(said.values())) == 1 and not want,
    }
    facts = {"false": false, "said": said, "want": want}
    check.that(
        False,
        what=what,
        call=call,
        expected=f"{want} for the first of them that went wrong, of {layers} layers",
        got=f"{said}; right in {right} of {nets} networks",
        turns=naming | first_only | {words: is_it(facts) for words, is_it in turns.items()} | general,
    )


def names_false(trouble):
    """Whether a layer that is well is said to have that trouble."""
    return lambda facts: any(facts["said"][layer] == trouble for layer in facts["false"])


def check_lengths():
    weights, grads, lr = healthy_net(np.random.default_rng(11))
    for fewer, call in (
        ((weights, grads[:-1]), f"{len(weights)} weights and {len(grads) - 1} gradients"),
        ((weights[1:], grads), f"{len(weights) - 1} weights and {len(grads)} gradients"),
    ):
        try:
            got = sick_layers(*fewer, lr)
        except Exception:
            continue
        check.that(
            False,
            what="lists of different lengths raise an exception",
            call=f"sick_layers with {call}",
            got=got,
            turns={"zip stops at the end of the shorter list, and drops layers without a word": True},
        )


def check_kinds(seed):
    check_layers_of(
        "one dead",
        "sick_layers of networks in which one layer's gradient is all zeros",
        "a layer whose gradient is zero is named, however healthy the rest looks",
        {
            "the global norm decides: one layer of several does not move it": lambda facts: not facts["said"],
            "the mean of a gradient's entries is taken for its size: positive and negative cancel": names_false("dead"),
            "the gradient is not compared with the weights, or not multiplied by lr": names_false("exploding"),
        },
        seed,
    )
    check_layers_of(
        "summed loss",
        "sick_layers of healthy networks, their loss multiplied by 1e5 and lr divided by it",
        "the scale of the loss changes no verdict: the training is the same",
        {
            "the norms are held against fixed bounds, as the document does with 1e-7 and 100: one network has a norm of "
            "0.7 with a mean loss and 129 with a summed one": names_false("exploding"),
            "a small learning rate is taken for a dead layer": names_false("dead"),
        },
        seed + 1,
    )
    check_layers_of(
        "one nearly dead",
        "sick_layers of networks in which one layer's gradient is 1e9 times too small",
        "a layer whose step is below 1e-5 of the median is named, also when it is not quite zero",
        {"only exact zeros count as dead": lambda facts: not facts["said"]},
        seed + 2,
    )
    check_layers_of(
        "at the end",
        "sick_layers of healthy networks, all gradients 1e9 times smaller: the run has converged",
        "a layer is dead against the others, not because all gradients are small",
        {"a fixed bound says which gradient is dead": names_false("dead")},
        seed + 3,
    )
    check_layers_of(
        "one explodes",
        "sick_layers of networks in which one layer's step is 30 times as long as its weights",
        "the layer with the long step is named, and no other",
        {
            "the others are held against the largest, or the mean, which the exploding layer drags along": names_false("dead"),
            "nothing is said about a layer whose step is too long": lambda facts: not facts["said"],
        },
        seed + 4,
    )
    check_layers_of(
        "one explodes by far",
        "sick_layers of networks in which one layer's step is a million times as long as its weights",
        "the layer with the long step is named, and no other",
        {"the others are held against the mean, which one long step drags along; the median stays": names_false("dead")},
        seed + 7,
    )
    for kind, which in (("most zero", "more than half of the layers"), ("all zero", "all layers")):
        check_layers_of(
            kind,
            f"sick_layers of networks in which the gradients of {which} are all zeros",
            "a layer whose gradient is zero is dead, also where most are",
            {
                "zero is only held against the median: that is zero itself here, and nothing is below it": lambda facts: not facts[
                    "said"
                ],
                "all that is not above the median counts as dead": names_false("dead"),
            },
            seed + 8,
        )
    check_layers_of(
        "float32",
        "sick_layers of healthy networks in float32, with gradients around 1e25",
        "a gradient of large finite numbers is finite, and a small lr makes its step a short one",
        {"their squares overflow in float32, and a norm of inf is held against the bounds": lambda facts: bool(facts["said"])},
        seed + 9,
    )
    check_layers_of(
        "NaN",
        "sick_layers of networks in which one entry of one gradient is NaN",
        "a layer with NaN in its gradient is not finite",
        {
            "NaN is compared with bounds: it is neither below one nor above the other": lambda facts: not facts["said"],
            "one NaN spreads to layers that have none": lambda facts: len(facts["said"]) > len(facts["want"]),
        },
        seed + 5,
    )
    check_layers_of(
        "inf",
        "sick_layers of networks in which one entry of one gradient is -inf",
        "a layer with inf in its gradient is not finite",
        {"isnan is asked, and inf is no NaN": lambda facts: facts["said"] != facts["want"]},
        seed + 10,
    )
    check_layers_of(
        "exploding and dead",
        "sick_layers of networks in which one layer explodes and another is dead",
        "both are named, and no other",
        {"one reference, dragged along by the exploding layer, makes the others dead": names_false("dead")},
        seed + 11,
    )
    check_layers_of(
        "three at once",
        "sick_layers of networks with NaN in one layer, one that explodes, and one nearly dead",
        "a layer that is not finite hides no other: all three are named",
        {
            "the NaN is in the median too, and what is compared with NaN is never below it": lambda facts: "dead"
            not in facts["said"].values()
        },
        seed + 12,
    )
    check_layers_of(
        "NaN and dead",
        "sick_layers of networks with NaN in one layer, and another layer nearly dead",
        "a layer that is not finite hides no other",
        {
            "the NaN is in the median too, and what is compared with NaN is never below it": lambda facts: "dead"
            not in facts["said"].values()
        },
        seed + 6,
    )


def check_per_layer():
    check_kinds(8)
    check_lengths()


check.run(check_per_layer)
### BEGIN HIDDEN TESTS
def check_per_layer_elsewhere():
    seeds = [int(seed) for seed in check.hidden_rng(111).integers(2**31, size=4)]
    check_kinds(seeds[0])
    check_layers_of(
        "nearly dead, summed loss",
        "sick_layers of networks with one layer nearly dead, the loss multiplied by 1e5 and lr divided by it",
        "the scale of the loss changes no verdict: the training is the same",
        {},
        seeds[1],
    )
    check_layers_of(
        "float32",
        "sick_layers of healthy networks with float32 gradients near 1e25 and a learning rate to match",
        "float32 gradients of 1e25 are finite",
        {"their squares overflow in float32: the norm needs float64": names_false("not finite")},
        seeds[2],
    )
    check_layers_of("healthy", "sick_layers of healthy networks", "a healthy network is {}", {}, seeds[3])
    check_layers_of(
        "one just explodes",
        "sick_layers of networks in which one layer's step is a little longer than its weights",
        "a layer with r above 1 is exploding",
        {"nothing is said about a layer whose step is too long": lambda facts: not facts["said"]},
        seeds[0],
        nets=6,
        misses=1,  # so close to the bound a norm of another kind may lie below it
    )


check.run(check_per_layer_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# The norm over all layers is the root of a sum of squares, and the largest layer has most of it. What does the sum say about a
# term that is zero? Compute the norm of each layer by itself.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# There is one number for all layers, and it is held against bounds that belong to one loss and one network. A layer has to be
# compared with two things: its step with its own weights, and its ratio with that of the other layers. NaN answers no to
# every comparison.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Compare the lengths of the lists first. Compute the ratio of the docstring for each layer, in float64. Take out the layers
# that are not finite, then take the median of the others: it does not follow one layer that explodes. Then go through the layers
# with three questions, and ask first whether the ratio is a number.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Mistake 11: Not Tracking Per-Layer Statistics.*
#
# With $W_l$ the weights of layer $l$, $g_l$ their gradient, $\eta$ the learning rate and $\lVert\cdot\rVert$ the root of the
# sum of squares, the step in units of the weights is
#
# $$r_l=\frac{\eta\,\lVert g_l\rVert}{\lVert W_l\rVert}.$$
#
# It has no unit. The loss times a constant, the learning rate divided by it: the same training, the same $r_l$. In runs that
# go well it is often between $10^{-3}$ and $10^{-2}$; that is a rule of thumb. That layers differ in this ratio by a lot is the
# starting point of LARS (You et al. 2017, arXiv 1708.03888), which gives each layer a rate of its own.
#
# **The dead block.** A bias of -20 closes every unit of block 3. Its gradient is exactly zero in 20 of 20 seeds. The way
# around it carries the signal (He et al. 2016, arXiv 1512.03385), so the network learns: after 1000 steps its loss is 0.016 to
# 0.029, and that of a healthy one 0.007 to 0.016. The global norm starts between 6 and 20 (median 13), where the healthy ones
# have 18 to 41 (24). At step 20 it is 0.7 to 9, and 0.8 to 10 in the healthy ones: no bound on this number tells the two apart.
#
# **The sigmoids.** Each one multiplies what comes back by at most 1/4. It is the *early* layers that starve, not the "deep" ones.
# The gradient has a norm near $10^{-7}$ in the first layer and 0.3 to 0.8 in the last, which alone decides the global norm. It
# was so in recurrent networks, with time for depth (Bengio et al. 1994, doi 10.1109/72.279181). The first layer lies at $10^{-4}$
# of the median here, which is between the bounds: your code may name it or not.
#
# **When the advice misleads.** The document's fix does compute the norm of every layer, and holds it against bounds of $10^{-7}$
# and 100. A plain network on these spirals has a global norm of 0.7 to 1.9 with the mean loss, and of 124 to 342 with the sum
# over its 180 rows (20 seeds). In the healthy residual networks, with the summed loss, the document's code calls 140 of 140
# layers exploding; with the learning rate divided by 180 it is the same training. NaN is neither below the one bound nor above
# the other, so the worst layer passes as healthy, and `zip` drops the layers at the end of the longer list. A fixed lower bound
# also calls every converged run dead.
#
# The ratio has limits of its own. With Adam the step is not $\eta g$: use the update that is really made. Biases and gains
# that start at zero have no ratio worth the name, which is why only matrices are judged here. A block that is dead on
# *this* batch may live on the next: ask a few batches before you operate. And if most layers are dead, the median is dead
# too, and only exact zeros are found.
#
# **In PyTorch** go through `model.named_parameters()` after `loss.backward()`, and compare `p.grad` with `p`. `p.grad` is
# `None` for a parameter that took no part in the loss: that is a kind of dead, too.
#
# </details>
