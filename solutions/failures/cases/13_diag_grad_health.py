# %% [markdown]
# ## Case 1.3 · Two still runs, two healthy gradients
#
# About 15 minutes · difficulty 2 of 5 · 6 points
#
# **The complaint.** Two runs with three classes stand still at a loss of 1.1, which is that of guessing. Their gradient
# norms lie between 0.1 and 10, which is called healthy, and so the learning rate was left alone for a day. A colleague's
# loss is a sum over the rows. There the same check raises an alarm at every step, and the run goes well.
#
# **After this case you can** say by a number without units whether a run moves, and tell steps that are too small from a gradient
# that does not arrive.
#
# Case 11 of stage 2 asked *which* layer of a running network is sick. Here the question is whether the run as a whole moves, and
# if not, whether a larger learning rate would help.
#
# ### The code

# %% fix="diag-grad-health"
def gradient_verdict(weights, grads, lr):
    """What the steps of a run are: "healthy", "steps too small", "steps too large" or
    "gradient vanishes".

    weights: the weight matrix of each of 3 to 12 layers, from input to output, a list of float
    arrays. grads: the gradient of the loss for each, a list like it, finite. No array is all
    zeros. lr: the learning rate of plain SGD.
    Let |.| be the root of the sum of squares. Graded are two numbers:
      r = lr * |grads| / |weights|, where all layers are taken as one long vector;
      q = (|grads[0]| / |weights[0]|) / (|grads[-1]| / |weights[-1]|).
    "gradient vanishes": q below 1e-5. This goes before the others, whatever r is.
    For q above 1e-3: "steps too small" where r is below 1e-6, "healthy" where r is 1e-3 to 0.03,
    "steps too large" where r is above 3.
    So the loss times any c > 0 (1e-6 to 1e6 here) with lr / c, or weights and lr * grads both
    times c, which is the same training, gets the same verdict. Not graded: what lies between.
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
# **Predict, before you run it.** Both still runs have a learning rate of $3\cdot10^{-6}$. One is a network of three
# layers of rectified units, the other has eleven layers of sigmoids. Both are now given 100 000 times that rate, 0.3,
# for 300 steps. What loss does the deep one reach? Write your guess as `my_guess`: it is the dotted line in the left
# panel.

# %% scene="diag-grad-health"
from clinic.ward import SigmoidMLP


def still_nets(seed):
    """The two networks of the complaint by name, and their data."""
    rng = np.random.default_rng(seed)
    data = spirals(rng)
    plain, deep = MLP((2, 32, 32, 3), rng), SigmoidMLP([2] + [32] * 10 + [3], rng)
    deep.params = [param / np.sqrt(2) for param in deep.params]  # scale sqrt(1 / inputs), as sigmoids are given it
    return {"3 layers, ReLU": plain, "11 layers, sigmoid": deep}, data


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
    for (name, net), style in zip(nets.items(), (dict(color="#444444"), dict(color="#888888", linewidth=3.5))):
        losses = train(net, lambda: data, steps=300, lr=0.3)["loss"]
        left.plot(losses, label=name, **style)
        ends.append(f"{name}: {losses[-1]:.2f}")
    left.axhline(my_guess, color="#444444", linestyle=":", linewidth=1.5)
    box = dict(facecolor="white", edgecolor="none", alpha=0.8, pad=1)
    place = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "top", "bbox": box}
    left.annotate("your guess", (0.98, my_guess - 0.02), fontsize="small", **place)
    left.set(xlabel="step", ylabel="loss (nats), at 100 000 times the rate", ylim=(0, None))
    above = dict(frameon=False, fontsize="small", loc="lower center", ncols=2)
    left.legend(bbox_to_anchor=(0.5, 1.0), **above)

    cases = {kind: measured_nets(kind, seed) for kind in HEALTH_KINDS}
    rates = [{kind: np.mean([f(*case) == HEALTH_KINDS[kind] for case in cases[kind]]) for kind in cases} for f in (before, now)]
    places = np.arange(len(cases))[::-1]
    right.barh(places, 0.2, left=0.8, height=0.7, color="#e6e6e6", edgecolor="#888888", linewidth=0.8, zorder=0)
    right.plot(list(rates[0].values()), places, "X", color=BROKEN["color"], markersize=9, label="as complained about", zorder=3)
    ring = dict(markersize=13, markerfacecolor="none", markeredgewidth=2.5)
    right.plot(list(rates[1].values()), places, "o", color=MENDED["color"], label="your code", **ring)
    right.set_yticks(places, [f'{kind}:\n"{verdict}"' for kind, verdict in HEALTH_KINDS.items()], fontsize="small")
    right.set(xlim=(-0.05, 1.05), xlabel="share judged rightly (wanted: grey)")
    right.legend(bbox_to_anchor=(0.4, 1.0), **above)
    told = "; ".join(f'{kind}, "{want}": {rates[0][kind]:.0%} and {rates[1][kind]:.0%}' for kind, want in HEALTH_KINDS.items())
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


# %% run="diag-grad-health" atlas="1 2"
my_guess = 0.5  # the loss of the deep network after 300 steps at 100 000 times the rate

show_health(broken.gradient_verdict, gradient_verdict, seed=0, my_guess=my_guess)

# %% check="diag-grad-health" points=6
HEALTH_VERDICTS = ("healthy", "steps too small", "steps too large", "gradient vanishes")


def layers_like(rng, ratio=0.008, fade=1.0, loss_scale=1.0, size=1.0, first=1.0):
    """(weights, grads, lr) of 3 to 8 layers with r = ratio, q = fade; loss_scale and size: the units of loss and weights.

    first: what weights and gradients of the first layer are multiplied by, which leaves q as it is.
    """
    depth = int(rng.integers(3, 9))
    widths = [*rng.integers(16, 40, depth), 8]
    weights = [rng.normal(0, np.sqrt(2 / n), (n, m)) for n, m in zip(widths[:-1], widths[1:])]
    grads = [rng.normal(size=w.shape) for w in weights]
    grads = [g * np.linalg.norm(w) / np.linalg.norm(g) for w, g in zip(weights, grads)]
    grads = [g * fade ** (1 - layer / (depth - 1)) for layer, g in enumerate(grads)]
    scale = rng.uniform(0.5, 2) / global_norm(grads)
    grads = [g * scale * loss_scale / size for g in grads]
    weights = [w * size for w in weights]
    weights[0], grads[0] = first * weights[0], first * grads[0]
    return weights, grads, ratio * global_norm(weights) / global_norm(grads)


def check_health(what, want, seed, turns=None, count=6, **settings):
    """All of `count` networks made by layers_like get the verdict `want`. turns: what leads to a wrong verdict, in words."""
    rng = np.random.default_rng(seed)
    networks = [layers_like(rng, **settings) for _ in range(count)]
    calls = [([w.copy() for w in weights], [g.copy() for g in grads], lr) for weights, grads, lr in networks]
    for (weights, grads, lr), said in zip(networks, check.each(gradient_verdict, calls)):
        norm, r = global_norm(grads), lr * global_norm(grads) / global_norm(weights)
        q = np.linalg.norm(grads[0]) / np.linalg.norm(weights[0]) / (np.linalg.norm(grads[-1]) / np.linalg.norm(weights[-1]))
        call = f"gradient_verdict(weights, grads, lr={lr:.2g}): {len(grads)} layers, norm {norm:.2g}, r = {r:.2g}, q = {q:.1g}"
        turned = {words: True for verdict, words in (turns or {}).items() if said == verdict}
        check.word(said, want, HEALTH_VERDICTS, what=what, call=call, turns=turned)


def check_all_health(seed, c, fade):
    no_lr = "lr is left out: how long a step is depends on it"
    band = "a norm is held against fixed bounds, such as the usual 0.1 to 10: the norm depends on the unit of the loss"
    no_weights = "the step is not compared with the weights: 0.01 is long for small weights, and short for large ones"
    ends = "the first layer is not compared with the last: the last alone makes the norm look well"
    alone = "the first layer is judged by itself: compared with the last, its gradient is not small"
    units = {"steps too large": band, "steps too small": band, "gradient vanishes": alone}
    lengths = {"steps too small": no_weights, "steps too large": no_weights, "gradient vanishes": alone}
    check_health("r near 0.01 is healthy", "healthy", seed)
    what, turns = "r = 1e-8 means steps that are too small, whatever the norm", {**units, "healthy": no_lr}
    check_health(what, "steps too small", seed + 1, turns, ratio=1e-8)
    what, turns = "r = 30 means steps that are too large, whatever the norm", {**units, "healthy": no_lr}
    check_health(what, "steps too large", seed + 2, turns, ratio=30)
    for number, factor in ((3, c), (4, 1 / c)):
        what = f"the loss times {factor:.2g} and lr / {factor:.2g} is the same training"
        check_health(what, "healthy", seed + number, units, ratio=0.004, loss_scale=factor)
    for size in (1e-3, 1e3):
        what = f"weights and steps {size:g} times as large are the same training"
        check_health(what, "healthy", seed + 5, lengths, size=size)
    what = f"r near 0.01, but the first layer gets {fade:g} of the last: the gradient vanishes"
    turns = {"healthy": ends, "steps too small": "an average over the layers is looked at, and not how first and last differ"}
    check_health(what, "gradient vanishes", seed + 6, turns, fade=fade)
    what = "r = 1e-8 and the first layer gets almost nothing: a larger lr would not help"
    turns = {"steps too small": "the size of the steps is asked first: the twin has small steps too", "healthy": ends}
    check_health(what, "gradient vanishes", seed + 7, turns, ratio=1e-8, fade=fade)
    what = "r = 30 and the first layer gets almost nothing"
    turns = {"steps too large": "the size of the steps is asked first, or q has lr in it", "healthy": ends}
    check_health(what, "gradient vanishes", seed + 8, turns, ratio=30, fade=fade)
    what = "the last layer gets a hundred-thousandth of the first: nothing vanishes on the way to the first layer"
    turns = {"gradient vanishes": "first and last are swapped, or any difference counts: layers run from input to output"}
    check_health(what, "healthy", seed + 9, turns, fade=1e5)
    what = "the first layer gets a hundredth of the last: layers differ as much in healthy runs"
    turns = {"gradient vanishes": "the limit on q is too high, or q is made of squares whose root was not taken"}
    check_health(what, "healthy", seed + 10, turns, fade=0.01)
    turns = {"gradient vanishes": alone, "healthy": band}
    check_health("r = 1e-7, the loss in other units", "steps too small", seed + 11, turns, ratio=1e-7, loss_scale=1 / c)
    what = "weights and gradient of the first layer both 1e-6 times as large: q stays 1"
    turns = {"gradient vanishes": "the gradients of first and last are compared, and not each gradient by its weights"}
    check_health(what, "healthy", seed + 12, turns, first=1e-6)


def check_grad_health():
    check_all_health(100, 1e4, 1e-7)


check.run(check_grad_health)


### BEGIN HIDDEN TESTS
def check_grad_health_elsewhere():
    rng = check.hidden_rng(13)

    def near(low, high):
        """A number from low to high, its logarithm evenly drawn."""
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    for _ in range(2):
        c, tiny = near(100, 1e6), near(1e-10, 1e-6)
        well, short, long = (lambda: near(0.0015, 0.02)), (lambda: near(1e-9, 5e-7)), (lambda: near(5, 100))
        cases = [
            ("r in its usual range is healthy", "healthy", dict(ratio=well())),
            ("r very small means steps that are too small, whatever the norm", "steps too small", dict(ratio=short())),
            ("r very large means steps that are too large, whatever the norm", "steps too large", dict(ratio=long())),
            ("the loss times c and lr / c is the same training", "healthy", dict(ratio=well(), loss_scale=c)),
            ("the loss divided by c and lr times c is the same training", "healthy", dict(ratio=well(), loss_scale=1 / c)),
            ("larger weights and steps are the same training", "healthy", dict(ratio=well(), size=near(10, 1e3))),
            ("smaller weights and steps are the same training", "healthy", dict(ratio=well(), size=near(1e-3, 0.1))),
            ("the first layer gets next to nothing", "gradient vanishes", dict(ratio=well(), fade=tiny)),
            ("small steps, and the first layer gets next to nothing", "gradient vanishes", dict(ratio=short(), fade=tiny)),
            ("large steps, and the first layer gets next to nothing", "gradient vanishes", dict(ratio=long(), fade=tiny)),
            ("the last layer gets next to nothing, not the first", "healthy", dict(ratio=near(0.008, 0.02), fade=near(1e4, 1e5))),
            ("the first layer gets somewhat less than the last", "healthy", dict(ratio=well(), fade=near(0.005, 0.1))),
            ("small steps, the loss in other units", "steps too small", dict(ratio=short(), loss_scale=1 / c)),
            ("large steps, the loss in other units", "steps too large", dict(ratio=long(), loss_scale=c)),
            ("weights and gradient of the first layer are both small: q stays 1", "healthy", dict(first=near(1e-7, 1e-5))),
        ]
        for number in rng.permutation(len(cases)):
            what, want, settings = cases[number]
            check_health(what, want, int(rng.integers(2**31)), **settings)


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
# Neither has a unit. $r$ says what part of itself the network changes in a step, often $10^{-3}$ to $10^{-2}$ in runs
# that go well, a rule of thumb. $q$ has no learning rate in it, so no learning rate can change it: that is why it tells
# the twins apart.
#
# Over 20 plain networks with a rate of 0.03 the norm is 0.4 to 1.2 with the mean loss, and 70 to 210 with the sum over
# 180 rows. With the rate changed to match, $r$ is 0.001 to 0.003 both times. In the two still runs the norms are 0.4 to
# 1.2 and 0.1 to 1.8, and $r$ is 1 to 3 times $10^{-7}$ and 0.2 to 3 times $10^{-7}$: neither tells them apart. $q$
# does: 0.05 to 0.14 against $10^{-8}$ to $10^{-7}$. At a rate of 0.3 the plain networks reach a loss of 0.03 to 0.05 in
# 300 steps. The sigmoids have $r$ near 0.01, which looks healthy, and stay at $\ln 3=1.0986$ for all of 20 seeds: the
# last layer moves and has nothing to work with.
#
# **The cheapest experiment** is to compute $q$: one backward pass, no step. The probe of the figure, a short run at a
# much larger rate, costs 300 steps and says the same. That a gradient shrinks on its way back through many layers is an
# old finding (Bengio et al. 1994, doi 10.1109/72.279181). It is the *early* layers that get nothing.
#
# **When the advice misleads.** The band of 0.1 to 10 judges the units, and both still runs lie inside it. It also
# contradicts the usual clipping at 1.0, which would fire on most of what the band calls healthy. $r$ has limits of its
# own. At the end of a good run the gradient goes to zero, and $r$ with it: small steps are a finding only while the
# loss is high. With momentum or Adam the step is not $\eta g$: use the difference of the weights before and after.
#
# **In PyTorch** take `p.grad.norm()` and `p.norm()` over the matrices of `model.parameters()` after `loss.backward()`,
# and the rate from `optimizer.param_groups`. Unscale first where a gradient scaler is used.
#
# </details>
