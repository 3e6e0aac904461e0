# %% [markdown]
# ## Case 1.3 · Two still runs, two healthy gradients
#
# About 20 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** Two runs stand still at a loss of 1.1, three classes guessed. The gradient norm was checked in
# both: it lies between 0.1 and 10, which is called healthy, and so the learning rate was left alone for a day. The same
# check rings at each step of a colleague's run, whose loss is a sum over the rows. That run goes well.
#
# **After this case you can** say whether a run as a whole moves, by a number that no unit can spoil, and tell steps
# that are too small from a gradient that does not arrive, before you turn at the learning rate.
#
# In the case of the layers in stage 2 the question was *which* layer of a running network is sick. Here it is whether
# the run as a whole moves, and if not, whether a larger learning rate would help. Layers are looked at for that one
# purpose: first against last.
#
# ### The code

# %% fix="diag-grad-health"
def gradient_verdict(weights, grads, lr):
    """What the steps of a run are: "healthy", "steps too small", "steps too large" or
    "gradient vanishes".

    weights: the weight matrix of each layer, a list of float arrays from input to output, none of
    them all zeros. grads: the gradient of the loss for each, a list like it, finite, none all
    zeros. lr: the learning rate of plain SGD. There are 3 to 12 layers.
    Let |.| be the root of the sum of squares; r = lr * |all grads| / |all weights|, all layers as
    one long vector; q = (|grad| / |weight| of the first layer) by (the same of the last layer).
    Graded:
    "gradient vanishes": q is below 1e-5. This goes before the others, whatever r is. Above 1e-3
    it is not this, and then:
    "steps too small": r below 1e-6. "healthy": r from 1e-3 to 0.03. "steps too large": r above 3.
    What lies between these is free, so other averages over the layers than r can do.
    It follows, and is graded: the loss times any c > 0 (1e-6 to 1e6 here) with lr / c, or weights
    and lr * grads both times c, is the same training and gets the same verdict.
    """
    ### BEGIN BROKEN
    # # healthy gradient norms lie between 0.1 and 10
    # grad_norm = global_norm(grads)
    # if grad_norm < 0.1:
    #     return "steps too small"
    # if grad_norm > 10:
    #     return "steps too large"
    # return "healthy"
    ### END BROKEN
    ### BEGIN SOLUTION
    # Without lr: what arrives at the first layer is a question of the network, not of the step.
    first, last = (np.linalg.norm(grads[layer]) / np.linalg.norm(weights[layer]) for layer in (0, -1))
    if first < 1e-4 * last:
        return "gradient vanishes"
    ratio = lr * global_norm(grads) / global_norm(weights)
    if ratio < 1e-5:
        return "steps too small"
    return "steps too large" if ratio > 0.3 else "healthy"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The two still runs have the same learning rate, $3\cdot10^{-6}$. One is a network of
# three layers of rectified units. The other has eleven layers with sigmoids between them. Both are given 100 000 times
# that rate, 0.3, for 300 steps. What loss does the deep one reach, from 1.1? Write your guess as `my_guess`: it is the
# dotted line in the left panel.


# %% scene="diag-grad-health"
class SigmoidNet(MLP):
    """An MLP whose hidden units are sigmoids, its weights drawn with scale sqrt(1 / inputs)."""

    def __init__(self, sizes, rng):
        super().__init__(sizes, rng)
        self.params = [param / np.sqrt(2) for param in self.params]

    def loss_and_grads(self, x, y):
        """Mean cross-entropy in nats, and its gradient like `params`."""
        weights, biases = self.params[::2], self.params[1::2]
        inputs = [x]
        for weight, bias in zip(weights[:-1], biases[:-1]):
            inputs.append(1 / (1 + np.exp(-(inputs[-1] @ weight + bias))))
        logits = inputs[-1] @ weights[-1] + biases[-1]
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        loss = float(-np.log(p[np.arange(len(y)), y]).mean())
        delta = (p - np.eye(p.shape[1])[y]) / len(y)
        grads = []
        for layer in reversed(range(len(weights))):
            grads = [inputs[layer].T @ delta, delta.sum(axis=0)] + grads
            delta = delta @ weights[layer].T * inputs[layer] * (1 - inputs[layer])
        return loss, grads


def still_nets(seed):
    """The two networks of the complaint by name, and their data."""
    rng = np.random.default_rng(seed)
    data = spirals(rng)
    return {"3 layers, ReLU": MLP((2, 32, 32, 3), rng), "11 layers, sigmoid": SigmoidNet([2] + [32] * 10 + [3], rng)}, data


def measured_nets(kind, seed, count=20):
    """(weights, grads, lr) of `count` networks of one kind, each measured before its first step."""
    lrs = {"plain, lr 3e-6": 3e-6, "plain, lr 300": 300, "sigmoids, lr 3e-6": 3e-6, "sigmoids, lr 0.3": 0.3}
    cases = []
    for number in range(count):
        nets, (x, y) = still_nets([seed, number])
        net = nets["11 layers, sigmoid" if "sigmoids" in kind else "3 layers, ReLU"]
        scale = {"plain, summed loss": len(y), "plain, loss / 1000": 1e-3}.get(kind, 1.0)
        grads = [scale * grad for grad in net.loss_and_grads(x, y)[1][::2]]
        cases.append((net.params[::2], grads, lrs.get(kind, 0.03) / scale))
    return cases


HEALTH_KINDS = {
    "plain, lr 0.03": "healthy",
    "plain, summed loss": "healthy",
    "plain, loss / 1000": "healthy",
    "plain, lr 3e-6": "steps too small",
    "plain, lr 300": "steps too large",
    "sigmoids, lr 3e-6": "gradient vanishes",
    "sigmoids, lr 0.3": "gradient vanishes",
}


def show_health(before, now, seed, my_guess):
    """The probe with 100 000 times the learning rate, and how often both functions judge rightly."""
    fig, (left, right) = figure(2, height=3.8)
    nets, data = still_nets(seed)
    ends = []
    for (name, net), style in zip(nets.items(), (dict(color="#444444"), dict(color="#999999", linewidth=3.5))):
        losses = train(net, lambda: data, steps=300, lr=0.3)["loss"]
        left.plot(losses, label=name, **style)
        ends.append(f"{name}: {losses[-1]:.2f}")
    left.axhline(my_guess, color="#444444", linestyle=":", linewidth=1.5)
    left.annotate("your guess", (0.98, my_guess), xycoords=("axes fraction", "data"), ha="right", va="top", fontsize="small")
    left.set(xlabel="step", ylabel="loss (nats), at 100 000 times the rate", ylim=(0, None))
    left.legend(frameon=False, fontsize="small")

    cases = {kind: measured_nets(kind, seed) for kind in HEALTH_KINDS}
    rates = [{kind: np.mean([f(*case) == HEALTH_KINDS[kind] for case in cases[kind]]) for kind in cases} for f in (before, now)]
    places = np.arange(len(cases))[::-1]
    right.barh(places, 0.2, left=0.8, height=0.7, color="#bbbbbb", alpha=0.4, zorder=0)
    right.plot(list(rates[0].values()), places, "X", color=BROKEN["color"], markersize=9, label="as complained about", zorder=3)
    ring = dict(markersize=13, markerfacecolor="none", markeredgewidth=2.5)
    right.plot(list(rates[1].values()), places, "o", color=MENDED["color"], label="your code", **ring)
    right.set_yticks(places, [f'{kind}:\n"{verdict}"' for kind, verdict in HEALTH_KINDS.items()], fontsize="small")
    right.set(xlim=(-0.05, 1.05), xlabel="share judged rightly (wanted: grey)")
    right.legend(frameon=False, fontsize="small", loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2)
    told = "; ".join(f"{kind}, {want}: {rates[0][kind]:.0%} and {rates[1][kind]:.0%}" for kind, want in HEALTH_KINDS.items())
    show(
        fig,
        "Left: the two still networks at 100 000 times their learning rate. Right: twenty networks of each kind, judged before "
        "their first step.",
        f"Left, the losses of two networks over 300 steps; they end at {', '.join(ends)}; "
        f"your guess for the second is {my_guess:.3g}. Right, the share judged rightly, before and now: {told}.",
    )
    print(f"At 100 000 times the rate the loss ends at: {', '.join(ends)}. You said {my_guess:.1f} for the second.")
    for kind in ("plain, lr 0.03", "plain, summed loss"):
        norm = np.median([global_norm(grads) for _, grads, _ in cases[kind]])
        print(f"{kind}: the gradient norm is {float(f'{norm:.2g}'):g} (median of 20).")


# %% run="diag-grad-health"
my_guess = 0.5  # the loss of the deep network after 300 steps at 100 000 times the rate

show_health(broken.gradient_verdict, gradient_verdict, seed=0, my_guess=my_guess)

# %% check="diag-grad-health" points=6
HEALTH_VERDICTS = ("healthy", "steps too small", "steps too large", "gradient vanishes")


def layers_like(rng, ratio, fade=1.0, loss_scale=1.0, size=1.0):
    """(weights, grads, lr) of 3 to 8 layers with r = ratio, q = fade; loss_scale and size: the units of loss and weights."""
    depth = int(rng.integers(3, 9))
    widths = [*rng.integers(16, 40, depth), 8]
    weights = [rng.normal(0, np.sqrt(2 / n), (n, m)) for n, m in zip(widths[:-1], widths[1:])]
    grads = [rng.normal(size=w.shape) for w in weights]
    grads = [g * np.linalg.norm(w) / np.linalg.norm(g) for w, g in zip(weights, grads)]
    grads = [g * fade ** (1 - layer / (depth - 1)) for layer, g in enumerate(grads)]
    scale = rng.uniform(0.5, 2) / global_norm(grads)
    grads = [g * scale * loss_scale / size for g in grads]
    weights = [w * size for w in weights]
    return weights, grads, ratio * global_norm(weights) / global_norm(grads)


def check_health(what, want, seed, turns=None, count=6, **settings):
    """All of `count` networks made by layers_like get the verdict `want`. turns: what leads to a wrong verdict, in words."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        weights, grads, lr = layers_like(rng, **settings)
        norm, r = global_norm(grads), lr * global_norm(grads) / global_norm(weights)
        q = np.linalg.norm(grads[0]) / np.linalg.norm(weights[0]) / (np.linalg.norm(grads[-1]) / np.linalg.norm(weights[-1]))
        said = gradient_verdict([w.copy() for w in weights], [g.copy() for g in grads], lr)
        call = f"gradient_verdict(weights, grads, lr={lr:.2g}): {len(grads)} layers, norm {norm:.2g}, r = {r:.2g}, q = {q:.1g}"
        check.that(
            isinstance(said, str) and said in HEALTH_VERDICTS,
            what="each verdict is one of the four of the docstring",
            call=call,
            expected=" or ".join(map(repr, HEALTH_VERDICTS)),
            got=repr(said),
        )
        check.that(
            said == want,
            what=what,
            call=call,
            expected=repr(want),
            got=repr(said),
            turns={words: True for verdict, words in (turns or {}).items() if said == verdict},
        )


def check_all_health(seed, c, fade):
    no_lr = "the gradient alone is judged, or the gradient by the weights: how long a step is depends on lr"
    band = (
        "a norm is held against fixed bounds, such as the usual 0.1 to 10: the same network has a norm near 0.8 with a "
        "mean loss, and near 140 with a sum over 180 rows"
    )
    no_weights = "the step is not compared with the weights: 0.01 is long for small weights, and short for large ones"
    ends = "the first layer is not compared with the last: the last alone makes the norm look well"
    alone = (
        "the first layer is judged by itself: it has to be compared with the last, or small units look like a gradient "
        "that vanishes"
    )
    check_health("r near 0.01 is healthy", "healthy", seed, ratio=0.008)
    check_health(
        "r = 1e-8 means steps that are too small, whatever the norm",
        "steps too small",
        seed + 1,
        {"healthy": no_lr, "gradient vanishes": alone, "steps too large": band},
        ratio=1e-8,
    )
    check_health(
        "r = 30 means steps that are too large, whatever the norm",
        "steps too large",
        seed + 2,
        {"healthy": no_lr, "gradient vanishes": alone},
        ratio=30,
    )
    check_health(
        f"the loss times {c:g} and lr / {c:g} is the same training",
        "healthy",
        seed + 3,
        {"steps too large": band, "steps too small": band, "gradient vanishes": alone},
        ratio=0.004,
        loss_scale=c,
    )
    check_health(
        f"the loss times {1 / c:g} and lr / {1 / c:g} is the same training",
        "healthy",
        seed + 4,
        {"steps too small": band, "steps too large": band, "gradient vanishes": alone},
        ratio=0.004,
        loss_scale=1 / c,
    )
    for size in (1e-3, 1e3):
        check_health(
            f"weights and steps {size:g} times as large are the same training",
            "healthy",
            seed + 5,
            {"steps too small": no_weights, "steps too large": no_weights, "gradient vanishes": alone},
            ratio=0.008,
            size=size,
        )
    check_health(
        f"r near 0.01, but the first layer gets {fade:g} of the last: the gradient vanishes",
        "gradient vanishes",
        seed + 6,
        {"healthy": ends, "steps too small": "an average over the layers is looked at, and not how first and last differ"},
        ratio=0.008,
        fade=fade,
    )
    check_health(
        "r = 1e-8 and the first layer gets almost nothing: a larger lr would not help",
        "gradient vanishes",
        seed + 7,
        {"steps too small": "the size of the steps is asked first: the twin has small steps too", "healthy": ends},
        ratio=1e-8,
        fade=fade,
    )
    check_health(
        "r = 30 and the first layer gets almost nothing",
        "gradient vanishes",
        seed + 8,
        {"steps too large": "the size of the steps is asked first, or q has lr in it", "healthy": ends},
        ratio=30,
        fade=fade,
    )
    check_health(
        "the last layer gets a hundred-thousandth of the first: nothing vanishes on the way to the first layer",
        "healthy",
        seed + 9,
        {"gradient vanishes": "first and last are swapped, or any difference counts: layers run from input to output"},
        ratio=0.008,
        fade=1e5,
    )
    check_health(
        "the first layer gets a hundredth of the last: layers differ as much in healthy runs",
        "healthy",
        seed + 10,
        {"gradient vanishes": "the limit on q is too high"},
        ratio=0.008,
        fade=0.01,
    )
    check_health(
        "r = 1e-7, the loss in other units",
        "steps too small",
        seed + 11,
        {"gradient vanishes": alone, "healthy": band},
        ratio=1e-7,
        loss_scale=1 / c,
    )


def check_grad_health():
    check_all_health(100, 1e4, 1e-7)


check.run(check_grad_health)


### BEGIN HIDDEN TESTS
def check_grad_health_elsewhere():
    check_all_health(900, 1e6, 1e-9)
    check_all_health(700, 180, 3e-7)


check.run(check_grad_health_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Multiply the loss by 180 and divide the learning rate by 180. Which weights change? Which verdicts do?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# A gradient has the units of the loss by those of the weights, so no fixed band fits it. And the norm does not know the
# learning rate. What moves is the step, and whether it is long can only be said against what it moves. One number for
# all layers is also made by the last ones alone, when the first ones get nothing.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Ask the network first, without the learning rate: gradient by weight in the first layer, over the same in the last. If
# something arrives, ask the step: learning rate times the norm of the gradients, by the norm of the weights. The bounds
# may lie anywhere in the gaps.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Loss Plateau, diagnostic step 3: Check gradient norms - are they healthy (0.1-10)?*
#
# With all weights $W$, their gradient $g$, the learning rate $\eta$, and $W_1,g_1$ and $W_L,g_L$ those of the first and
# the last layer,
#
# $$r=\frac{\eta\,\lVert g\rVert}{\lVert W\rVert},\qquad
# q=\frac{\lVert g_1\rVert/\lVert W_1\rVert}{\lVert g_L\rVert/\lVert W_L\rVert}.$$
#
# Neither has a unit. $r$ says by what part of itself the network changes in a step, often $10^{-3}$ to $10^{-2}$ in
# runs that go well, a rule of thumb. $q$ has no learning rate in it, so none can change it: that is why it tells the
# twins apart.
#
# Over 20 plain networks with a rate of 0.03 the norm is 0.4 to 1.2 with the mean loss, 70 to 210 with the sum over 180
# rows, and a thousandth of the first with the loss divided by 1000. With the rate changed to match, $r$ is 0.001 to
# 0.003 each time. The two still runs: norms of 0.4 to 1.2 and of 0.1 to 1.8, $r$ of 1 to 3 times $10^{-7}$ and of 0.2
# to 3 times $10^{-7}$. Neither number tells them apart. $q$ does: 0.05 to 0.14, and $10^{-8}$ to $10^{-7}$. At a rate
# of 0.3 the plain networks reach a loss of 0.03 to 0.05 in 300 steps. The sigmoids have $r$ near 0.01, healthy to look
# at, and stay at $\ln 3=1.0986$ in all of 20 seeds: the last layer moves and has nothing to work with.
#
# **The cheapest number** for the twins is $q$: one backward pass, no step. The next cheapest is the probe of the
# figure, a short run at a much larger rate. It costs 300 steps and says the same. That a gradient shrinks on its way
# back through many layers is an old finding (Bengio et al. 1994, doi 10.1109/72.279181; Glorot & Bengio 2010, PMLR 9);
# note that it is the *early* layers that starve.
#
# **When the advice misleads.** The band of 0.1 to 10 judges the units. It also gives false comfort: both still runs lie
# inside it. And it contradicts the usual clipping at 1.0, which would fire on most of what the band calls healthy. The
# ratio has limits of its own. At the end of a good run the gradient goes to zero and $r$ with it: small steps are a
# finding only while the loss is high. With momentum or Adam the step is not $\eta g$; use the difference of the weights
# before and after. And layers without a scale of their own, before a normalisation, grow until $r$ is small by itself.
#
# **In PyTorch** take `p.grad.norm()` and `p.norm()` over the matrices of `model.parameters()` after `loss.backward()`,
# and the rate from `optimizer.param_groups`. Unscale first where a gradient scaler is used.
#
# </details>
