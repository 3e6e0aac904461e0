# %% [markdown]
# ## Case 2.1 · Each suspect was replaced, and it still explodes
#
# About 15 minutes · difficulty 3 of 5 · 5 points
#
# **The complaint.** Since a merge on Tuesday the gradient norm of the first step is near 60, where it used to be near
# 1, and after 15 steps the network guesses for good. Somebody printed the norms layer by layer, took the layer with the
# largest, and drew its weights anew. It exploded as before. The same with the next largest, and the next. All six layers
# cannot be wrong: the merge touched one.
#
# **After this case you can** read a table of gradient norms, name the layer that makes a network explode, and say when no
# layer does and the cause lies outside.
#
# Case 11 of stage 2 asked which layer gets a step that does not suit it. Here nearly every layer gets a step that is too large,
# and the question is which one causes it.
#
# ### The code

# %% fix="diag-layer-norms"
def guilty_layer(norms, usual):
    """The number of the layer whose weights are too large, or None if no single layer is to blame.

    norms: the norm of each layer's weight gradient at the first step, float array (layers,), from
    input to output; layers count from 0. usual: the same for earlier runs of that network with
    other seeds, all of them healthy, (runs, layers), 5 runs or more. All are finite and above 0.
    The networks have 3 to 7 layers, rectified units, He's scale and biases at zero.
    Graded: the guilty layer, any of them, whose weights alone are 20 to 40 times too large. None:
    where all is well; where a batch comes in other units, all inputs 50 to 1000 times too large;
    where every layer is 3 times too large; where the loss is a sum, and not a mean. The loss times
    a constant, in norms but not in usual, changes no verdict.
    """
    ### BEGIN BROKEN
    # # it explodes where the gradient is largest
    # if global_norm(norms) < 10 * np.median([global_norm(run) for run in usual]):
    #     return None
    # return int(np.argmax(norms))
    ### END BROKEN
    ### BEGIN SOLUTION
    # Compared with its own healthy norm each layer feels the weights of all layers but itself.
    growth = norms / np.median(usual, axis=0)
    lowest, second = np.argsort(growth)[:2]
    return int(lowest) if growth[second] > 3 * growth[lowest] else None
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** In the figure the weights of layer 3 are 20 times too large. All norms are divided by
# those of healthy runs. For layers 0, 1, 2, 4 and 5 that gives 37 to 82. What does it give for layer 3? Write your
# guess as `my_guess`: it is the dotted line in the left panel.


# %% scene="diag-layer-norms"
def layered_net(seed, sizes=(2, 32, 32, 32, 32, 32, 3), guilty=None, factor=20, points=60):
    """An MLP, the weights of its layer `guilty` times `factor`, and its data. Returns (net, x, y)."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng, points)
    net = MLP(sizes, rng)
    if guilty is not None:
        net.params[2 * guilty] *= factor
    return net, x, y


def first_norms(net, x, y):
    """The norm of each layer's weight gradient."""
    return np.array([np.linalg.norm(grad) for grad in net.loss_and_grads(x, y)[1][::2]])


def usual_norms(seed, runs=9, **shape):
    """first_norms of `runs` healthy networks, (runs, layers)."""
    return np.array([first_norms(*layered_net([seed, number], **shape)) for number in range(runs)])


def operate(guilty_layer, seed, guilty, steps=120, lr=0.2):
    """Draw the weights of the layer that is named anew, and train. Returns (the layer named, norm by usual norm, History)."""
    net, x, y = layered_net(seed, guilty=guilty)
    norms, usual = first_norms(net, x, y), usual_norms(10_000 + seed)
    named = guilty_layer(norms.copy(), usual.copy())
    if named is not None:
        weight = net.params[2 * named]
        net.params[2 * named] = np.random.default_rng([seed, 1]).normal(0, np.sqrt(2 / len(weight)), weight.shape)
    return named, norms / np.median(usual, axis=0), train(net, lambda: (x, y), steps, lr)


def show_operation(before, now, seed, guilty, my_guess):
    """The growth of each layer's norm with the layers that are named, and the gradient norm after the operation."""
    fig, (left, right) = figure(2, height=3.4)
    told = []
    for rule, style, label in ((before, BROKEN, "as complained about"), (now, MENDED, "your code")):
        named, growth, history = operate(rule, seed, guilty)
        if rule is before:
            left.plot(growth, "s", color="#444444", markersize=5)
        ring = dict(marker="o", markersize=16, fillstyle="none", markeredgewidth=2.5)
        mark = ring if rule is now else dict(marker="X", markersize=10)
        at = [] if named is None else [named]
        left.plot(at, growth[at], linestyle="none", color=style["color"], label=f"named: {label}", **mark)
        right.plot(np.minimum(history["loss"], 1e6), label=label, **style)
        told.append(f"{label} names layer {named}, and after it was drawn anew the loss ends at {history['loss'][-1]:.1g}")
    mark_guess(left, my_guess, at=0.02)
    left.set(xlabel="layer", ylabel="gradient norm, by its usual norm", yscale="log", ylim=(0.3, 1000), xticks=range(len(growth)))
    left.legend(frameon=False, fontsize="small", loc="lower left", ncols=1)
    right.set(xlabel="step, after the named layer was drawn anew", ylabel="loss (nats)", yscale="log", ylim=(1e-3, 1e5))
    right.axhline(np.log(3), color="#444444", linewidth=1)
    place = dict(xycoords=("axes fraction", "data"), xytext=(0, -4), textcoords="offset points", ha="right", va="top")
    right.annotate("three classes, guessed", (1, np.log(3)), fontsize="small", **place)
    right.legend(frameon=False, fontsize="small")
    rounded = ", ".join(f"{value:.2g}" for value in growth)
    show(
        fig,
        "Left: the first step of the exploding run, layer by layer. Right: the run after the operation.",
        f"Left, the norms by their usual norms from layer 0 on: {rounded}; your guess for layer {guilty} is {my_guess:.3g}. "
        f"Right: {'; '.join(told)}.",
    )
    print(f"Layer {guilty} has {growth[guilty]:.1f} times its usual norm. You said {my_guess:.1f}.")
    for words in told:
        print(f"The code {words}." if words.startswith("as") else f"Y{words[1:]}.")


# %% run="diag-layer-norms"
my_guess = 400.0  # the gradient norm of layer 3, whose weights are 20 times too large, by its usual norm

show_operation(broken.guilty_layer, guilty_layer, seed=0, guilty=3, my_guess=my_guess)


# %% check="diag-layer-norms" points=5
def norms_of_kind(kind, seed, guilty=None):
    """(norms, usual) of a network of random widths with the trouble of that kind."""
    rng = np.random.default_rng(seed)
    layers = int(rng.integers(3, 8)) if guilty is None else {0: 3, 4: 7}.get(guilty, max(4, guilty + 1))
    sizes = (2, *(int(width) for width in rng.integers(20, 40, layers - 1)), 3)
    net, x, y = layered_net([seed, 99], sizes, guilty, factor=rng.uniform(20, 40), points=20)
    if kind == "every layer 3 times too large":
        net.params = [3 * param for param in net.params]
    if kind == "inputs in other units":
        x = x * rng.uniform(50, 1000)
    norms = first_norms(net, x, y) * {"a summed loss": len(y), "the loss / 1000": 1e-3}.get(kind, 1.0)
    return norms, usual_norms(seed, runs=7, sizes=sizes, points=20)


def asked(kind, seed, guilty=None):
    """What guilty_layer says of one network, as (said, norms, growth, call)."""
    norms, usual = norms_of_kind(kind, seed, guilty)
    growth = norms / np.median(usual, axis=0)
    said = guilty_layer(norms.copy(), usual.copy())
    call = f"guilty_layer(norms, usual), where norms / usual is {', '.join(f'{value:.2g}' for value in growth)}"
    is_layer = isinstance(said, (int, np.integer)) and not isinstance(said, bool)
    check.that(said is None or is_layer, what="a layer's number comes back, or None", call=call, got=repr(said))
    return said, norms, growth, call


def check_guilty_all(seed):
    units = {1: "the loss / 1000", 2: "a summed loss"}
    cases = {layer: asked(units.get(layer, "one layer"), seed + layer, layer) for layer in (0, 5, 1, 2, 3, 4)}

    def is_always(rule):
        """Wherever a layer is named, it is the one that `rule` names."""
        named = [(layer, answer) for layer, answer in cases.items() if answer[0] is not None]
        return len(named) > 1 and all(said == rule(layer, norms, growth) for layer, (said, norms, growth, _) in named)

    turns = {
        "no layer is named, though one of them stands apart from all the others": not any(
            answer[0] is not None for answer in cases.values()
        ),
        "layers are counted from 1": is_always(lambda layer, *_: layer + 1),
        "the layer with the largest norm is blamed. Draw it anew, and it explodes as before: a gradient is large where "
        "something *else* multiplies it": is_always(lambda layer, norms, growth: np.argmax(norms)),
        "the layer whose norm has grown most is blamed. It has grown because of another one": is_always(
            lambda layer, norms, growth: np.argmax(growth)
        ),
        "the first layer from the input that has grown is blamed": is_always(lambda layer, *_: 1 if layer == 0 else 0),
        "the first layer that backpropagation meets, from the output on, is blamed": is_always(
            lambda layer, norms, _: len(norms) - 1 - (layer == len(norms) - 1)
        ),
        "the place is taken where the norms jump, from one layer to the next: the jump lies beside the guilty layer": all(
            answer[0] is not None and abs(answer[0] - layer) <= 1 for layer, answer in cases.items()
        ),
        "a growth is held against a fixed bound, and not against that of the other layers": all(
            answer[0] == layer for layer, answer in cases.items() if layer not in units
        ),
    }
    for layer, (said, _, _, call) in cases.items():
        what = f"layer {layer} is named, whose weights alone are too large"
        where = f" ({units[layer]})" if layer in units else ""
        check.that(said == layer, what=what + where, call=call, expected=layer, got=said, turns=turns)
    for number, kind in enumerate(("all is well", "inputs in other units", "every layer 3 times too large", "a summed loss")):
        said, norms, growth, call = asked(kind, seed + 20 + number)
        check.that(
            said is None,
            what=f"no layer is to blame: {kind}",
            call=call,
            expected=None,
            got=said,
            turns={
                "any large norm is blamed on a layer: here all layers have grown alike, and the cause is outside of them": growth.min()
                > 5,
                "somebody is always blamed": True,
            },
        )


def check_guilty_layer():
    check_guilty_all(350)


check.run(check_guilty_layer)


### BEGIN HIDDEN TESTS
def norms_drawn(rng, kind):
    """(norms, usual, the layer to be named) of a network of random depth and widths. kind: what is wrong with it."""
    layers, seed = int(rng.integers(3, 8)), int(rng.integers(2**31))
    sizes = (2, *rng.integers(20, 40, layers - 1).tolist(), 3)
    guilty = int(rng.integers(layers)) if kind.startswith("one layer") else None
    net, x, y = layered_net([seed, 99], sizes, guilty, factor=rng.uniform(20, 40), points=20)
    if kind == "every layer 3 times too large":
        net.params = [3 * param for param in net.params]
    if kind == "inputs in other units":
        x = x * rng.uniform(50, 1000)
    unit = {"a summed loss": len(y), "one layer, and another unit of the loss": 10 ** rng.uniform(-3, 3)}.get(kind, 1.0)
    return first_norms(net, x, y) * unit, usual_norms(seed, runs=7, sizes=sizes, points=20), guilty


def check_guilty_layer_elsewhere():
    rng = check.hidden_rng(21)
    kinds = ["one layer"] * 8 + ["one layer, and another unit of the loss"] * 4
    kinds += ["all is well", "inputs in other units", "every layer 3 times too large", "a summed loss"] * 2
    for kind in rng.permutation(kinds).tolist():
        norms, usual, guilty = norms_drawn(rng, kind)
        said = guilty_layer(norms.copy(), usual.copy())
        growth = ", ".join(f"{value:.2g}" for value in norms / np.median(usual, axis=0))
        call = f"guilty_layer(norms, usual), where norms / usual is {growth}"
        is_layer = isinstance(said, (int, np.integer)) and not isinstance(said, bool)
        check.that(said is None or is_layer, what="a layer's number comes back, or None", call=call, got=repr(said))
        what = "no layer is to blame" if guilty is None else "the layer is named whose weights alone are too large"
        check.that(said == guilty, what=what, call=call, expected=guilty, got=said)


check.run(check_guilty_layer_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Look at the left panel. Five layers have grown together. Which one has something of its own?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Backpropagation multiplies by the weights of all layers above, and the layer's input was multiplied by those of all layers
# below. The gradient of a layer's weights holds every layer's weights but its own.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Divide each norm by what it usually is, the median over the healthy runs. If one quotient lies far below all others,
# its layer is the one. Compare it with the second lowest. If the quotients lie together, however high, no layer is to
# blame.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Gradient Explosion, diagnostic step 1: Print gradient norms per layer.*
#
# Let $W_l$ be the weights of layer $l$, $G_l$ their gradient, $z$ the logits and $L$ the loss. With rectified units and
# biases at zero, multiplying any one $W_l$ by $c>0$ multiplies $z$ by $c$. Euler's theorem on homogeneous functions
# then gives, for every layer,
#
# $$\langle W_l,G_l\rangle=\Big\langle z,\frac{\partial L}{\partial z}\Big\rangle,$$
#
# where $\langle\cdot,\cdot\rangle$ is the sum of the products of the entries. The right side is the same for all
# layers. So where $W_l$ is 20 times too large, its gradient is 20 times *smaller* than its neighbours'. (That this
# product is the same for all layers is well known; see Du et al. 2018, arXiv 1806.00900, where it keeps the layers of a
# network in balance all through training.)
#
# Measured on 120 networks of 4 to 7 layers, each with one layer 10 or 30 times too large: the guilty layer had the largest growth
# in none, and the smallest in all. In the figure's network the other layers have the same norms whichever is guilty: to the
# explosion it makes no difference where the factor sits.
#
# **When the advice misleads.** The table is worth printing, and the usual way of reading it convicts the innocent. A
# large gradient tells where something *arrives*. The guilty layer's own norm was 0.5 to 8 times its usual one (median
# 1.8), so it looked like the only healthy one. A layer with the largest gradient *is* guilty in the opposite case: its
# weights are too small.
#
# **The twins.** If the quotients lie together, leave the layers alone. A batch in other units, a summed loss and a
# scheme that is wrong in every layer look alike in this table. Take another batch: if the norms are usual again, it was
# the batch (case 2.2). If not, count the rows in the loss, then look at the activations (case 2.3). A step size that is
# too large cannot show at the first step at all: the gradient of step 0 does not know the learning rate.
#
# **Where it ends.** A factor that is not in $W_l$, such as a forgotten `* 20` in the forward pass, multiplies all
# weight gradients alike, that of its own layer too. Then compare the gradients of the *biases*: from its layer to the
# one below they jump.
#
# **In PyTorch** go through `model.named_parameters()` after `loss.backward()` and print `p.grad.norm()`; keep the table
# of a healthy run.
#
# </details>
