# %% [markdown]
# ## Case 2.3 · All activations are in range, and it explodes
#
# About 12 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** A network of five layers trains well on its own. Since a colleague draws two of its layers by hand, its
# loss goes from 1.5 nats to 50 in two steps, and after five the network guesses for good. "Verify initialization" was taken
# seriously: the standard deviation of each layer's output was printed, before the first step, and lies between 0.1 and 10
# in all of them.
#
# **After this case you can** find a layer that was drawn with the wrong scale, also among layers of which you cannot
# see the inside, before any gradient is computed.
#
# In case 2.1 the gradients were there, and healthy runs to compare with. Here there are only the layers, and one batch.
#
# ### The code

# %% fix="diag-init"
def badly_scaled(layers, x):
    """The layers with a wrong scale at initialisation: {layer: its gain}, or {} where all are well.

    layers: a list of 3 to 12 functions from input to output. layers[i](h) takes a float array
    (n, width) and returns a new one (n, other width), its nonlinearity included; layers count from
    0. What is inside is unknown: plain or residual, and wider than its input or narrower. If a
    layer's input is multiplied by c > 0, so is its output: none normalises, none has a bias yet.
    x: a batch, (n, features), n >= 50, each column with mean 0.
    The gain of a layer is the size of its output by the size of its input, the size being the root
    mean square or the standard deviation of all numbers in the array.
    Graded: named with its gain, to within a factor of 1.5, is a layer whose gain is above 5 or
    below 1/5, or whose output is all zeros (gain 0); one with a gain from 0.4 to 2.5 is not named.
    This holds for several wrong layers at once, for any unit of x (1e-6 to 1e6 here), and for what
    stands after a wrong layer. Where a layer's input is all zeros it is not named. What lies
    between the bounds is free.
    """
    suspects = {}
    for layer, function in enumerate(layers):
        ### BEGIN BROKEN
        # x = function(x)
        # if not 0.1 < x.std() < 10:
        #     suspects[layer] = x.std()
        ### END BROKEN
        ### BEGIN SOLUTION
        size_in = np.sqrt(np.mean(x**2))
        x = function(x)
        # Each layer is compared with what it was given: it is not to blame for that.
        gain = np.sqrt(np.mean(x**2)) / size_in if size_in > 0 else 1.0
        if not 0.3 < gain < 3.5:
            suspects[layer] = gain
        ### END SOLUTION
    return suspects


# %% [markdown]
# **Predict, before you run it.** Layer 2 of the network is 16 times too large, layer 3 is 16 times too small. Drawn
# well, it has a loss of 1.5 nats before the first step. How much has it with the two wrong layers? Write your guess as
# `my_guess`, in nats: it is the dotted line in the right panel.


# %% scene="diag-init"
def hand_drawn(seed, factors=((2, 16), (3, 1 / 16))):
    """A network of five layers with He's scale, but for the layers in `factors`, and its data. Returns (net, x, y)."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng)
    net = MLP((2, 64, 256, 64, 64, 3), rng)
    for layer, factor in factors:
        net.params[2 * layer] *= factor
    return net, x - x.mean(axis=0), y


def as_functions(net):
    """The layers of an MLP without biases, as functions that hide their weights."""
    weights = net.params[::2]
    hidden = [lambda h, weight=weight: np.maximum(h @ weight, 0) for weight in weights[:-1]]
    return hidden + [lambda h: h @ weights[-1]]


def rescaled_run(badly_scaled, seed, steps=80, lr=0.3):
    """Divide the weights of each layer that is named by its gain, and train.

    Returns the sizes of the layers' outputs before that, the layers named, and the History.
    """
    net, x, y = hand_drawn(seed)
    layers, sizes, h = as_functions(net), [], x
    for function in layers:
        h = function(h)
        sizes.append(float(h.std()))
    named = badly_scaled(layers, x.copy())
    for layer, gain in dict(named or {}).items():
        net.params[2 * layer] = net.params[2 * layer] / max(gain, 1e-12)
    return sizes, named or {}, train(net, lambda: (x, y), steps, lr)


def show_scales(before, now, seed, my_guess):
    """The size of each layer's output, with the layers that are named, and the run after they were rescaled."""
    fig, (left, right) = figure(2, height=3.3)
    told = []
    left.axhspan(0.1, 10, facecolor="#e6e6e6", edgecolor="#888888", linewidth=0.8, zorder=0)
    for rule, style, label in ((before, BROKEN, "as complained about"), (now, MENDED, "your code")):
        sizes, named, history = rescaled_run(rule, seed)
        if rule is before:
            left.plot(sizes, "s", color="#444444", markersize=5)
        ring = dict(marker="o", markersize=15, fillstyle="none", markeredgewidth=2.5)
        mark = ring if rule is now else dict(marker="X", markersize=9)
        heights = [sizes[layer] for layer in named]
        left.plot(list(named), heights, linestyle="none", color=style["color"], label=f"named, {label}", **mark)
        losses = np.array(history["loss"])
        right.plot(np.minimum(losses, 1e6), label=label, **style)
        gains = " and ".join(f"layer {layer} with gain {gain:.2g}" for layer, gain in named.items())
        told.append(f"{label}: names {gains or 'no layer'}; the loss ends at {losses[-1]:.1g}")
        first = losses[0] if rule is before else first
    mark_guess(right, my_guess)
    left.set(xlabel="layer", ylabel="std of the output (in range: grey)", yscale="log", ylim=(0.03, 60), xticks=range(len(sizes)))
    left.legend(frameon=False, fontsize="small", loc="upper left")
    right.set(xlabel="step, after the named layers were rescaled", ylabel="loss (nats)", yscale="log", ylim=(3e-3, 1e4))
    right.legend(frameon=False, fontsize="small")
    show(
        fig,
        "Left: the outputs of the five layers before the first step. Right: training, after the named layers were rescaled.",
        f"Left, the standard deviations from layer 0 on: {', '.join(f'{size:.2g}' for size in sizes)}. "
        f"Right: your guess is {my_guess:.3g} nats. {'; '.join(told)}.",
    )
    print(f"The loss before the first step, nothing rescaled: {first:.1f} nats. You said {my_guess:.1f}.")
    print("\n".join(told))


# %% run="diag-init" atlas="2"
my_guess = 20.0  # the loss before the first step with two wrong layers, in nats

show_scales(broken.badly_scaled, badly_scaled, seed=0, my_guess=my_guess)


# %% check="diag-init" points=5
def custom_layers(seed, count, wrong, unit=1.0):
    """`count` layers of several kinds, those in `wrong` times its factor, and a batch. Returns (layers, x, true gains)."""
    rng = np.random.default_rng(seed)
    width = int(rng.integers(12, 40))
    x = rng.normal(size=(60, width))
    x = unit * (x - x.mean(axis=0))
    layers, gains, h = [], [], x
    for number in range(count):
        is_residual = number % 3 == 2
        wide = width if is_residual else int(rng.integers(30, 100))
        weight = rng.normal(0, np.sqrt(2 / width), (width, wide))
        factor = wrong.get(number, 1.0)

        def layer(h, weight=weight, factor=factor, is_residual=is_residual):
            out = np.maximum(h @ weight, 0)
            return factor * (0.5 * out + 0.8 * h) if is_residual else factor * out

        out = layer(h)
        gains.append(np.sqrt(np.mean(out**2) / np.mean(h**2)) if h.any() else None)
        layers.append(layer)
        h, width = out, wide
    return layers, x, gains


def check_scales(name, seed, count, wrong, what, turns=None, unit=1.0):
    layers, x, gains = custom_layers(seed, count, wrong, unit)
    want = {layer: gains[layer] for layer in wrong if gains[layer] is not None}
    call = f"badly_scaled(layers, x): {count} layers, {name}"
    got = badly_scaled(list(layers), x.copy())
    try:
        said = {int(layer): float(gain) for layer, gain in dict(got).items()}
    except (TypeError, ValueError):
        said = None
    listed = {"the layers are listed, without their gains": isinstance(got, (list, tuple, set, np.ndarray))}
    check.that(said is not None, what="a dict comes back, {layer: its gain}", call=call, got=repr(got), turns=listed)
    blamed, missed = sorted(set(said) - set(want)), sorted(set(want) - set(said))
    first = min(want, default=count)
    facts = {"blamed": blamed, "missed": missed, "said": said, "first": first}
    check.that(
        not blamed and not missed,
        what=what,
        call=call,
        expected=f"layers {sorted(want)}" if want else "no layer",
        got=f"layers {sorted(said)}" if said else "no layer",
        turns={
            "layers are counted from 1": bool(want) and {layer - 1 for layer in said} == set(want),
            "the first wrong layer ends the search": bool(missed) and not blamed and len(said) == 1,
        }
        | {words: is_it(facts) for words, is_it in (turns or {}).items()},
    )
    for layer, gain in want.items():
        fits = gain / 1.5 <= said[layer] <= gain * 1.5 if gain else said[layer] == 0
        check.that(
            fits,
            what=f"the gain of layer {layer} comes with it",
            call=call,
            expected=gain,
            got=said[layer],
            turns={
                "the size of the output is returned, and not its quotient with that of the input": unit != 1.0 or len(want) > 1,
                "the quotient is upside down, input by output": gain > 0 and abs(np.log(said[layer] * gain)) < 0.4,
                "mean squares are divided, and the root is missing": gain > 0 and abs(np.log(said[layer] / gain**2)) < 0.8,
            },
        )


def check_scales_all(seed, count, large, unit):
    band = "the size of the output is held against fixed bounds: it has the unit of the batch in it"
    behind = "the layers after a wrong one are blamed: they hand on what they were given"
    check_scales("all well", seed, count, {}, "where all is well nobody is named")
    for each in (unit, 1 / unit):
        check_scales(
            f"all well, x in units of {each:g}",
            seed + 1,
            count,
            {},
            "the unit of the batch changes nothing",
            {band: lambda facts: True},
            unit=each,
        )
    check_scales(
        f"layer 1 is {large:g} times too large",
        seed + 2,
        count,
        {1: large},
        "the wrong layer is named, and not those after it",
        {
            behind: lambda facts: bool(facts["blamed"]) and min(facts["blamed"]) > facts["first"],
            "the layers are compared with each other or with the first, and not each with its own input": lambda facts: True,
        },
    )
    check_scales(
        f"layer 1 is {large:g} times too small",
        seed + 3,
        count,
        {1: 1 / large},
        "a layer that is too small is named, and not those after it",
        {
            behind: lambda facts: bool(facts["blamed"]) and min(facts["blamed"]) > facts["first"],
            "only layers that are too large are looked for": lambda facts: not facts["said"],
        },
    )
    check_scales(
        f"layer 0 is {large:g} times too large, and x in units of 1000",
        seed + 4,
        count,
        {0: large},
        "the first layer is compared with the batch",
        {
            band: lambda facts: len(facts["blamed"]) > 1,
            "the first layer has no layer before it, and is left out": lambda facts: bool(facts["missed"]),
        },
        unit=1e3,
    )
    check_scales(
        f"layer {count - 1}, the last, is {large:g} times too large",
        seed + 5,
        count,
        {count - 1: large},
        "the last layer is looked at too",
        {"the last layer is left out, which has a size like any other": lambda facts: not facts["blamed"]},
    )
    check_scales(
        f"layer 1 is {large:g} times too large, layer 2 as much too small",
        seed + 6,
        count,
        {1: large, 2: 1 / large},
        "two wrong layers that make up for each other are both named",
        {"the second brings the output back to its usual size, and only that size is looked at": lambda facts: True},
    )
    check_scales(
        f"layers 0 and {count - 1} are {large:g} times too large",
        seed + 7,
        count,
        {0: large, count - 1: large},
        "every wrong layer is named",
        {behind: lambda facts: bool(facts["blamed"])},
    )
    check_scales(
        "layer 2 gives all zeros",
        seed + 8,
        count,
        {2: 0.0},
        "a layer whose output is all zeros is named, and not those after it",
        {behind + ", and 0 / 0 is no gain": lambda facts: bool(facts["blamed"])},
    )


def check_init():
    check_scales_all(seed=20, count=5, large=12.0, unit=1e4)


check.run(check_init)


### BEGIN HIDDEN TESTS
def check_init_elsewhere():
    rng = check.hidden_rng(23)
    what_behind = "the wrong layer is named, and not those after it"
    for counts in ((3, 6), (6, 13)):
        count = int(rng.integers(*counts))
        unit = 10 ** rng.uniform(2, 6)

        def wrong(number):
            """`number` layers somewhere, each too large or too small."""
            places = rng.choice(count, number, replace=False).tolist()
            return {place: float(rng.uniform(9, 35) ** rng.choice([-1, 1])) for place in places}

        first, second = rng.choice(count - 1, 2, replace=False).tolist()
        large = rng.uniform(9, 35)
        cases = [
            ("all well", {}, "where all is well nobody is named", 1.0),
            ("all well, a batch in larger units", {}, "the unit of the batch changes nothing", unit),
            ("all well, a batch in smaller units", {}, "the unit of the batch changes nothing", 1 / unit),
            ("a layer that is too large", {first: large}, what_behind, 1.0),
            ("a layer that is too small", {second: 1 / large}, what_behind, 1.0),
            ("one wrong layer", wrong(1), what_behind, 1.0),
            ("the first layer, and another unit", {0: large}, "the first layer is compared with the batch", unit),
            ("the last layer", {count - 1: large}, "the last layer is looked at too", 1.0),
            ("two, of which one makes up for the other", {first: large, second: 1 / large}, "both wrong layers are named", 1.0),
            ("two wrong layers", wrong(2), "every wrong layer is named", 1 / unit),
            ("all zeros", {first: 0.0}, "a layer whose output is all zeros is named, and not those after it", 1.0),
        ]
        for number in rng.permutation(len(cases)):
            name, layers, what, scale = cases[number]
            check_scales(name, int(rng.integers(2**31)), count, layers, what, unit=scale)


check.run(check_init_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Look at the squares in the left panel, from one to the next. Where does the size change most?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The size of an output is the product of the gains of all layers up to there, and the size of the batch. A wrong factor
# stays in all that follow, until another one takes it out. The bounds 0.1 and 10 leave room for a factor of 100.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Measure the size before and after each layer, and judge the quotient. Mind a layer that is given nothing but zeros.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Gradient Explosion, diagnostic step 3: Verify initialization.* And of the causes: *Gradient Explosion: Bad
# initialization. Check custom layers.*
#
# Let a layer of rectified units have $n$ inputs and weights with standard deviation $s$. With $q_l$ the mean square of
# its outputs, and symmetric weights,
#
# $$q_{l+1}=\tfrac{1}{2}\,n\,s^2\,q_l ,$$
#
# so the gain is $s\sqrt{n/2}$, and 1 for $s=\sqrt{2/n}$ (He et al. 2015, arXiv 1502.01852). A single draw scatters around that.
# In 300 networks with hidden widths from 8 to 256 the gains of hidden layers were 0.5 to 1.9, and that of the last, which has no
# rectifier, 0.4 to 2.8. The classic errors by hand are a forgotten root or a forgotten $n$: with $n=256$ and $s=\sqrt 2$ the gain
# is 16.
#
# **Why it explodes though the loss is right.** The two factors cancel in the forward pass: the network is the same *function*,
# and its first loss is the same to the last digits. The gradients are not: that of a weight holds all factors but its own (case
# 2.1). So layer 3, which is 16 times too small, gets a gradient 16 times larger, and relative to its weights a step 256 times
# longer. The gradient norm at the first step is 7 to 18, in the well-drawn networks 1.4 to 3 (5 seeds).
#
# **When the advice misleads.** "Verify" is often done by the first loss: $\ln 3\approx1.1$ for three classes, plus a little. It
# catches the scheme that is wrong everywhere: six layers of 64 with $s=1$ have a first loss of 800 to 4400 in 20 seeds, where
# He's scale has 1.0 to 1.4. It is blind to errors that cancel, and to a first layer that is off where the last is drawn near 0.
# Fixed bounds on a standard deviation judge the units of your batch.
#
# **The twin, a bad batch.** A batch in other units multiplies all outputs, and no gain. A single row a hundred times
# too long hardly moves a gain either: look at the rows (case 2.2).
#
# **Where it ends.** Tanh and sigmoid layers squeeze what is large: their gain depends on the size of the input, so
# measure it at the size that they will get. A layer that normalises has the gain 1 / size by design. Dead units are
# seen unit by unit, not in an average.
#
# **In PyTorch** use `register_forward_hook` on each module: the hook is given the inputs and the output. The idea of
# measuring on a batch and rescaling is LSUV (Mishkin & Matas 2016, arXiv 1511.06422). `nn.Linear` draws with
# $s=\sqrt{1/(3n)}$ by default, a gain of 0.41 with rectified units.
#
# </details>
