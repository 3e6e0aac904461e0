# %% [markdown]
# ## Case 2.6 · A loss of a thousand before the first step
#
# About 15 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** Three classes, so a network that knows nothing has a loss of 1.1. This one starts at a thousand or
# more. Its gradient norms go with it, and after a few steps it is `nan`, or stands at 1.1 for good. With weights a
# hundred times smaller it starts at 1.1, and stays there too. "Use a standard scheme" has been tried: the network holds
# a layer that somebody wrote, and for that one the standard scheme is wrong.
#
# **After this case you can** find the right scale for the weights of any layer, by one pass of data through the network, without
# knowing how the layer is made.
#
# Case 2.3 measured what goes through the layers, and named the sick one. Here you make the initialisation, so that
# there is nothing to name.
#
# ### The code

# %% fix="explode-bad-init"
def unit_scales(layers, weights, activation, x):
    """One scale for the weights of each layer, so that a signal keeps its size on the way through.

    layers: a list of functions. layers[k](h, weights[k]) is what layer k makes of its input h, a
    float array (rows, inputs), before the activation. It is linear in the weights. In an ordinary
    layer it is h @ weights[k]; in custom layers it is anything. weights: a list of float arrays,
    drawn from N(0, 1). activation: a function of an array, element by element; it stands between
    two layers, not before the first and not after the last. x: the data (rows, inputs).
    Returns a list of positive numbers, scales, one for each layer.
    Graded: with weights[k] * scales[k] everywhere, the output of each layer, the last one too, has
    a root mean square of 1 over all rows and columns, before the activation, to within 5 %.
    weights and x stay as they were. In the checks the scales lie between 1e-4 and 1e4.
    """
    ### BEGIN BROKEN
    # return [1.0 for _ in layers]  # the weights have a standard deviation of 1 already
    ### END BROKEN
    ### BEGIN SOLUTION
    scales, h = [], x
    for layer, weight in zip(layers, weights):
        out = layer(h, weight)
        scales.append(1 / np.sqrt(np.mean(out**2)))
        # The next layer has to see what it will see: the output at its new scale.
        h = activation(scales[-1] * out)
    return scales
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** An ordinary layer has 64 inputs, and weights with a standard deviation of 1. Rectified
# units set half of what reaches them to zero. By what factor does the size of the signal, its root mean square, grow
# from one such layer to the next? Write your guess as `my_guess`: it is the dotted line in the left panel, and the line
# under the figure answers it.


# %% scene="explode-bad-init"
def dense(h, weight):
    return h @ weight


def tied(h, weight):
    """A custom layer: 16 neighbouring inputs share one weight. weight: (inputs / 16, outputs)."""
    return h.reshape(len(h), -1, 16).sum(axis=2) @ weight


def rectify(h):
    return np.maximum(h, 0)


SIX_LAYERS = [dense, dense, dense, tied, dense, dense]


def sizes_of_signal(layers, weights, scales, activation, x):
    """The root mean square of what each layer makes, before its activation."""
    sizes, h = [], x
    for layer, weight, scale in zip(layers, weights, scales):
        out = layer(h, weight * scale)
        sizes.append(float(np.sqrt(np.mean(out**2))))
        h = activation(out)
    return sizes


def spirals_from(unit_scales, seed, steps=150, lr=0.1):
    """Train six layers, initialised by unit_scales, on spirals. Returns the sizes of the signal at the start, and the losses."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng)
    shapes = [(2, 64), (64, 64), (64, 64), (4, 64), (64, 64), (64, 3)]
    weights = [rng.normal(size=shape) for shape in shapes]
    scales = unit_scales(SIX_LAYERS, [weight.copy() for weight in weights], rectify, x.copy())
    net = MLP((2, 64, 64, 64, 64, 64, 3), rng)
    for number, (layer, weight, scale) in enumerate(zip(SIX_LAYERS, weights, scales)):
        # The tied layer as a plain matrix: it begins as its author meant it, and is trained as any other.
        net.params[2 * number] = scale * (np.repeat(weight, 16, axis=0) if layer is tied else weight)
    sizes = sizes_of_signal(SIX_LAYERS, weights, scales, rectify, x)
    with np.errstate(all="ignore"):
        return sizes, train(net, lambda: (x, y), steps, lr)["loss"]


def show_initialisations(before, now, guess):
    """Draw the size of the signal layer by layer, and the losses, of two initialisations."""
    fig, (left, right) = figure(2, height=3.3)
    told = []
    for style, (sizes, losses), label in ((BROKEN, before, "as complained about"), (MENDED, now, "your code")):
        losses = np.array(losses)
        left.plot(range(1, 7), sizes, marker="X" if style is BROKEN else "o", markersize=7, label=label, **style)
        finite = np.isfinite(losses)
        right.plot(np.where(finite, losses, np.nan), **style)
        end = f"the loss goes from {losses[0]:.2g} to {losses[-1]:.2g}"
        if not finite.all():
            last = max(int(np.argmin(finite)) - 1, 0)
            right.plot([last], [losses[last]], "X", color=style["color"], markersize=10, zorder=4)
            end = f"the loss starts at {losses[0]:.2g} and is no number from step {last + 1} on"
        told.append(f"{label}: the size goes from {sizes[0]:.2g} in the first layer to {sizes[-1]:.2g} in the last, and {end}")
    start = before[0][0]
    left.plot(range(1, 7), start * guess ** np.arange(6.0), color="#444444", linestyle=":", linewidth=1.5, label="your guess")
    left.set(xlabel="layer (the fourth is a custom one)", ylabel="root mean square of its output", yscale="log")
    right.set(xlabel="step", ylabel="loss (nats)", yscale="log", ylim=(0.01, 3e4))
    left.legend(frameon=False, fontsize="small")
    show(
        fig,
        "Six layers, the second to the fifth with 64 inputs. Left: the signal before the first step. Right: training. "
        "A line may leave the panel at the top; a cross: no number after it.",
        "Left, the size of the signal by layer; right, the loss. " + "; ".join(told) + f". Your guess: {guess:g} a layer.",
    )
    print(f"Weights with a standard deviation of 1: from layer 1 to 2 the signal grows {before[0][1] / before[0][0]:.1f} times.")


# %% run="explode-bad-init"
my_guess = 8.0  # the factor by which an ordinary layer with 64 inputs and N(0, 1) weights makes the signal larger

show_initialisations(
    before=spirals_from(broken.unit_scales, seed=0),
    now=spirals_from(unit_scales, seed=0),
    guess=my_guess,
)


# %% check="explode-bad-init" points=6
def flipped(h, weight):
    return h @ weight.T


def doubled(h, weight):
    return 3 * (h @ weight[0] + h @ weight[1])


def same_for_all(h, weight):
    """Every weight is multiplied by the sum of the inputs of its row."""
    return h.sum(axis=1, keepdims=True) * weight[None, :]


def check_scales_of(name, seed, activation, kinds, width=48, scale=1.0, last=4):
    """kinds: the layers, each one of the functions above, between `width` inputs and outputs; `last`: outputs of the last."""
    rng = np.random.default_rng(seed)
    x = scale * rng.normal(size=(200, width))
    weights = []
    for number, kind in enumerate(kinds):
        out = last if number == len(kinds) - 1 else width
        weights.append(
            rng.normal(
                size={tied: (width // 16, out), flipped: (out, width), doubled: (2, width, out), same_for_all: (out,)}.get(
                    kind, (width, out)
                )
            )
        )
    given, given_x = [weight.copy() for weight in weights], x.copy()
    got = unit_scales(list(kinds), given, activation, given_x)
    call = f"unit_scales(layers, weights, activation, x) for {name}"
    untouched = all(np.array_equal(a, b) for a, b in zip(given, weights)) and np.array_equal(given_x, x)
    check.that(untouched, what="weights and x stay as they were", call=call)
    is_list = got is not None and np.ndim(got) == 1 and len(got) == len(kinds)
    check.that(is_list, what="a list comes back, one number for each layer", call=call, got=got)
    scales = np.array(got, dtype=float)
    positive = np.isfinite(scales).all() and (scales > 0).all()
    check.that(
        positive,
        what="all scales are positive finite numbers",
        call=call,
        got=scales,
        turns={"weights of zero: all units of a layer are then the same, and stay so": (scales == 0).any()},
    )
    sizes = np.array(sizes_of_signal(kinds, weights, scales, activation, x))
    # What the scales would be, had the one or the other been believed.
    fan_in = np.array([w.shape[0] for w in weights], dtype=float)
    fan_out = np.array([w.shape[-1] for w in weights], dtype=float)
    grid = np.linspace(-8, 8, 4001)
    bell = np.exp(-(grid**2) / 2) / np.exp(-(grid**2) / 2).sum()
    gain = 1 / np.sqrt((activation(grid) ** 2 * bell).sum())
    raw, h_raw, squares, h_squares = [], x, [], x
    behind, h_behind, spread, h_spread, first, h_first = [], x, [], x, [], x
    with np.errstate(all="ignore"):
        for layer, weight in zip(kinds, weights):
            raw.append(1 / np.sqrt(np.mean(layer(h_raw, weight) ** 2)))
            h_raw = activation(layer(h_raw, weight))
            squares.append(1 / np.mean(layer(h_squares, weight) ** 2))
            h_squares = activation(squares[-1] * layer(h_squares, weight))
            behind.append(1 / np.sqrt(np.mean(activation(layer(h_behind, weight)) ** 2)))
            h_behind = activation(behind[-1] * layer(h_behind, weight))
            spread.append(1 / layer(h_spread, weight).std())
            h_spread = activation(spread[-1] * layer(h_spread, weight))
            first.append(1 / np.sqrt(np.mean(layer(h_first, weight) ** 2)))
            h_first = first[-1] * layer(h_first, weight)
    beliefs = {
        "the weights are left as they were drawn: each layer of n inputs makes the signal grow like the root of n": 1
        + 0 * fan_in,
        "He's scale is taken for every layer and every activation: sqrt(2 / n) is right for rectified units, and n is not "
        "always the first number of the shape": np.sqrt(2 / fan_in),
        "LeCun's scale is taken for every layer: the root of 1 / n knows neither the activation nor the layer": np.sqrt(
            1 / fan_in
        ),
        "Xavier's scale is taken for every layer: it knows neither the activation nor the layer": np.sqrt(2 / (fan_in + fan_out)),
        "the gain of the activation is right, and the shape is trusted: run the layer, and measure": gain / np.sqrt(fan_in),
        "the gain of the activation is right, the shape is trusted, and the first layer has no activation before it": np.append(
            1, np.full(len(kinds) - 1, gain)
        )
        / np.sqrt(fan_in),
        "each layer is measured with the weights before it as they were drawn: its input changes when they are scaled": raw,
        "the mean of the squares stands where its root is meant": squares,
        "the signal is measured after the activation: what is asked for is the output before it": behind,
        "the standard deviation is taken, and not the root mean square": spread,
        "the activation between two layers is left out": first,
    }
    small = "the weights are small, the same in all layers: the signal fades from layer to layer, and with it the gradient"
    worst = int(np.argmax(np.abs(np.log(np.maximum(sizes, 1e-300)))))
    check.that(
        (np.abs(sizes - 1) <= 0.05).all(),
        what="the output of each layer has a root mean square of 1",
        call=call,
        expected=np.ones(len(kinds)),
        got=sizes,
        turns={
            **{words: np.allclose(scales, value, rtol=0.01) for words, value in beliefs.items()},
            small: len(set(scales)) == 1,
            f"a custom layer is taken for an ordinary one: layer {worst + 1} is off by {sizes[worst]:.2g}": kinds[worst]
            is not dense
            and (np.abs(sizes[:worst] - 1) < 0.3).all(),
            "the last layer is left out": (np.abs(sizes[:-1] - 1) <= 0.05).all(),
        },
    )


def check_unit_scales():
    check_scales_of("four ordinary layers with tanh, x of size 1", 1, np.tanh, [dense] * 4)
    check_scales_of("five ordinary layers with rectified units, x of size 20", 2, rectify, [dense] * 5, scale=20)
    check_scales_of("the square of rectified units, six layers", 3, lambda h: rectify(h) ** 2, [dense] * 6)
    check_scales_of("a tied layer among ordinary ones, rectified units", 4, rectify, [dense, dense, tied, dense])
    check_scales_of("layers of four kinds, with sines", 5, np.sin, [dense, flipped, doubled, tied, dense])
    check_scales_of("sigmoids, which are never zero", 6, lambda h: 1 / (1 + np.exp(-h)), [dense, dense, same_for_all, dense])


check.run(check_unit_scales)


### BEGIN HIDDEN TESTS
def check_unit_scales_elsewhere():
    rng = check.hidden_rng(26)
    steep = rng.uniform(0.5, 3)
    activations = [
        ("soft signs", lambda h: steep * h / (1 + np.abs(h))),
        ("tanh at another slope", lambda h: 3 * np.tanh(h / steep)),
        ("rectified units", rectify),
        ("absolute values", np.abs),
        ("leaky units", lambda h: np.where(h > 0, h, 0.1 * steep * h)),
    ]
    custom = [flipped, doubled, tied, same_for_all]
    for number in rng.permutation(len(activations)):
        name, activation = activations[number]
        kinds = [dense] * int(rng.integers(1, 5)) + [custom[place] for place in rng.integers(len(custom), size=rng.integers(4))]
        check_scales_of(
            name,
            int(rng.integers(2**31)),
            activation,
            [kinds[place] for place in rng.permutation(len(kinds))],
            width=16 * int(rng.integers(1, 6)),
            scale=10 ** rng.uniform(-1.5, 1.5),
            last=int(rng.integers(2, 9)),
        )
    check_scales_of("one layer", int(rng.integers(2**31)), np.tanh, [doubled], width=16, scale=10 ** rng.uniform(0, 2))


check.run(check_unit_scales_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# One output is a sum of $n$ products. If each product has the size 1 and a random sign, how large is the sum? And by
# how much does it shrink when the inputs were made half zero? Do it for five layers.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# No scheme knows the layer that somebody wrote, nor the activation that you are given. But the layer is linear in its
# weights: twice the weights, twice the output. So a scale need not be derived. It can be read off.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Send the data through the first layer and take the root mean square of what comes out. One over it is the scale. Then
# go on to the second layer with what it will really get: the first output at its new scale, through the activation.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Gradient Explosion: Bad initialization. Fix: Use standard init schemes. Check custom layers.*
#
# For an ordinary layer with $n$ inputs $h_i$ and independent weights $w_i$ of mean 0 and variance $\sigma^2$, the
# output $z=\sum_i w_ih_i$ has the mean square $n\sigma^2\,\overline{h^2}$, with $\overline{h^2}$ the mean square of the
# inputs. Where these are $f(z')$ with $z'$ of variance 1, for the activation $f$, the size is kept when
#
# $$\sigma=\frac{\gamma}{\sqrt n},\qquad \gamma=\frac{1}{\sqrt{\mathbb{E}\,f(z')^2}},\quad z'\sim N(0,1).$$
#
# For rectified units half of the square is left, $\gamma=\sqrt2$: He's scale (He et al. 2015, arXiv 1502.01852). For
# tanh $\gamma$ is 1.59. With $\sigma=1$ and $n=64$ each layer multiplies by $\sqrt{64/2}=5.7$. The probe is LSUV,
# layer-sequential unit variance, without its orthogonal start (Mishkin & Matas 2016, arXiv 1511.06422).
#
# **The measured ends** (six ordinary layers, rate 0.05, 200 steps, four seeds). With N(0, 1) the loss starts at 1200 to 4200 and
# ends at 1.1 or `nan`. With a hundredth of that, or zeros, it is 1.1 from the first step to the last, with a gradient norm of
# 0.004, or $10^{-16}$. With He's scale it ends at 0.04 to 0.06. *Too large explodes, too small vanishes*: one probe sees both.
#
# **When the advice misleads.** "Use standard init schemes" holds for standard layers. In the tied layer the shape says four
# inputs, and each is a sum of sixteen that are never negative. With He's scale the signal jumps 8 to 12 times there, and the loss
# starts at 2.8 to 5.8 (six seeds). One of the six is back at 1.1 after 150 steps; the others survive, so nobody looks.
#
# And no $\gamma$ helps the *square* of rectified units: a layer that is 10 % too large makes the next 21 % too large. By the
# formula the signal of ten such layers of 64 units overflowed. The probe puts every layer right before it goes on, and keeps them
# all at 1, for these data and at the start.
#
# The size of the signal on the way out does not say all of the gradient on the way back: where the widths differ much,
# the two ask for different scales (Glorot & Bengio 2010, PMLR 9, 249).
#
# **In PyTorch** `torch.nn.init.kaiming_normal_` takes the fan from the shape, which is (outputs, inputs) there. For a
# layer of your own put a forward hook on it, or call it, and look.
#
# </details>
