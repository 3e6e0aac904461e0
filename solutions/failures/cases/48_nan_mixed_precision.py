# %% [markdown]
# ## Case 4.8 · Scaled up, the loss stands still; scaled further, it is NaN
#
# About 15 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** A small head is trained in float16 over float32 parameters. Its loss enters with a weight of
# $10^{-7}$, and its learning rate is large accordingly. The loss does not move: every number of its gradient is
# smaller than the smallest float16, and so zero. Therefore the loss is multiplied by 65 536 before the backward pass,
# and the gradient is divided by it afterwards. The gradient that leaves the backward pass is no longer zero, and the
# loss still does not move. With $2^{50}$ for 65 536 the loss is `nan` after the first step.
#
# **After this case you can** write the loss scaler of mixed-precision training: in which order it treats a gradient,
# and how it finds its own scale.
#
# The guard of stage 2 (case 8) refuses a step because something is wrong. Here a refused step is part of a healthy run, and the
# scaler learns from it.
#
# ### The code

# %% fix="nan-mixed-precision"
class LossScaler:
    """Dynamic loss scaling for gradients that come in float16.

    The caller multiplies the loss by `scale` before the backward pass, and hands the gradients of
    scale * loss to `update`. max_norm: the limit on the global norm of the gradient of the loss
    itself. growth_interval: good steps, 1 or more, after which the scale is doubled.
    """

    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        """One step of SGD. Returns the new parameters, a list like `params`.

        params: list of float32 arrays. grads: list like it, float16: the gradients of
        self.scale * loss; inf or nan where float16 overflowed.
        Graded, where all numbers of grads are finite:
        the new parameters are param - lr * g. g is the gradient of the loss itself, in float32 or
        wider, to 1e-3. Where the norm of all g taken together is above max_norm, every g is
        multiplied by the one factor that makes it max_norm. After growth_interval such steps in a
        row the scale is doubled, for the gradients that come next, and the count begins anew.
        Graded, where any number of grads is inf or nan:
        the parameters come back as they were, the scale is halved, and the count begins anew.
        Where the scale is 1 or below, it is an exception instead, of any type: a loss that is not
        scaled up and still gives inf or nan has another fault.
        Parameters stay float32 or wider. Scalers are independent of each other. Not graded:
        whether you work in place.
        """
        ### BEGIN BROKEN
        # grads = [grad.astype(np.float32) for grad in grads]
        # norm = global_norm(grads) + 1e-12
        # grads = [grad * min(1, self.max_norm / norm) for grad in grads]
        # grads = [grad / self.scale for grad in grads]
        # self.good_steps += 1
        # if self.good_steps == self.growth_interval:
        #     self.scale, self.good_steps = 2 * self.scale, 0
        # return [param - lr * grad for param, grad in zip(params, grads)]
        ### END BROKEN
        ### BEGIN SOLUTION
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError("the gradient is not finite at a scale of 1: the scale is not its fault")
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        # The limit is on the gradient of the loss itself: the scale has to be out before the norm is taken.
        grads = [grad.astype(np.float32) / np.float32(self.scale) for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(grads), 1e-30))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - np.float32(lr * factor) * grad for param, grad in zip(params, grads)]
        ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The largest number of float16 is 65 504. The gradient of this head has numbers up to
# 0.18 before the weight of $10^{-7}$. Which is the largest power of two that it can be multiplied by in float16
# without becoming infinite? Write your guess as `my_guess`: it is the dotted line in the right panel.


# %% scene="nan-mixed-precision"
def train_head(scaler_class, seed, scale, steps=200, weight=1e-7, lr=0.5):
    """Train a HalfMLP on spirals with a loss of this weight. Returns the History: loss and log2_scale."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng, points=30)
    net = HalfMLP((2, 16, 16, 3), rng)
    scaler = scaler_class(scale, growth_interval=20, max_norm=2 * weight)
    history = History()
    with np.errstate(all="ignore"):
        for _ in range(steps):
            loss, grads = net.loss_and_grads(x, y, scale=scaler.scale * weight)
            history.log(loss=loss, log2_scale=np.log2(scaler.scale))
            net.params = [np.array(param, dtype=np.float32) for param in scaler.update(net.params, grads, lr / weight)]
    return history


def first_gradient(seed, log2_scale, weight=1e-7):
    """All numbers of the head's first gradient, in float16, at this scale."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng, points=30)
    grads = HalfMLP((2, 16, 16, 3), rng).loss_and_grads(x, y, scale=2.0**log2_scale * weight)[1]
    return np.concatenate([grad.ravel() for grad in grads])


def show_scaler(before, now, seed, my_guess):
    """The loss of runs that begin at a scale of 2**16, and the scale of runs that begin at 2**50, for both classes."""
    fig, (left, right) = figure(2, height=3.3)
    told = []
    for label, scaler, style, marker in zip(("as complained about", "your code"), (before, now), (BROKEN, MENDED), "Xo"):
        losses = np.array(train_head(scaler, seed, 2.0**16, steps=120)["loss"])
        far = train_head(scaler, seed, 2.0**50, steps=120)
        left.plot(losses, label=label, **style)
        good = np.isfinite(far["loss"])
        right.plot(np.where(good, far["log2_scale"], np.nan), label=label, **style)
        if not good.all():  # the scale is drawn as long as the loss is a number
            last = max(int(np.argmin(good)) - 1, 0)
            look = dict(markersize=13, markerfacecolor="none") if marker == "o" else dict(markersize=8)
            right.plot([last], [far["log2_scale"][last]], marker, color=style["color"], **look)
        ends = f"the scale ends at 2**{far['log2_scale'][-1]:.0f}"
        course = ends if good.all() else f"the loss is nan at step {np.argmin(good)}"
        told.append(f"{label}: from 2**16 the loss goes from {losses[0]:.2f} to {losses[-1]:.2f}; from 2**50 {course}")
    largest = max(power for power in range(60) if np.isfinite(first_gradient(seed, power)).all())
    right.axhspan(largest + 0.5, 52, facecolor="#e6e6e6", edgecolor="#888888", linewidth=0.8, zorder=0)
    right.annotate("here the first gradient has an inf", (117, 51.4), ha="right", va="top", fontsize="small")
    mark_guess(right, my_guess)
    left.set(xlabel="step, from a scale of 2**16", ylabel="loss, without its weight (nats)", xlim=(-5, 124), ylim=(0, 1.45))
    right.set(xlabel="step, from a scale of 2**50", ylabel="scale, as a power of two", xlim=(-5, 124), ylim=(None, 52))
    left.legend(frameon=False, fontsize="small", loc="upper right", bbox_to_anchor=(1.0, 0.8))
    told.append(f"the first gradient has no inf up to a scale of 2**{largest}; your guess: 2**{my_guess:g}")
    shares = [np.mean(first_gradient(seed, power) == 0) for power in (0, 16)]
    told.append(f"zeros in it: {shares[0]:.0%} at a scale of 1, {shares[1]:.0%} at 2**16")
    caption = "A head whose loss weighs 1e-7, in float16. A cross or a ring in the right panel: the next loss is nan."
    show(fig, caption, "Two panels. " + "; ".join(told) + ".")
    print("\n".join(f"{line[0].upper()}{line[1:]}." for line in told))


# %% run="nan-mixed-precision"
my_guess = 30  # the largest power of two without an overflow

show_scaler(broken.LossScaler, LossScaler, seed=0, my_guess=my_guess)


# %% check="nan-mixed-precision" points=6
def stepped(scaler, scaled, call, lr=1.0, start=0.0):
    """How far one update moves two parameters, (2,) and (1,), by the gradients `scaled`; copies go in. Checks what comes back."""
    params = [np.full(2, start, np.float32), np.full(1, start, np.float32)]
    grads = [np.array(scaled[:2], dtype=np.float16), np.array(scaled[2:], dtype=np.float16)]
    new = scaler.update([param.copy() for param in params], grads, lr)
    is_list = isinstance(new, (list, tuple)) and len(new) == 2 and all(isinstance(param, np.ndarray) for param in new)
    check.that(is_list, what="update returns a list of arrays like params", call=call, got=new)
    narrow = any(param.dtype == np.float16 for param in new)
    what = "the parameters stay float32: they are the master copy"
    rounded = {"the step is made in float16, where small steps round away": narrow}
    check.that(not narrow, what=what, call=call, got="float16", turns=rounded)
    return np.concatenate([np.array(param, dtype=float).ravel() - start for param in new])


def scale_is(scaler, want, what, call, turns=None):
    check.close(scaler.scale, want, what=what, call=call, turns=turns)


def check_unscaling(exponent, clip_at):
    """A true gradient far below what float16 can hold, then one that is clipped, and one that is not."""
    scale = 2.0**exponent
    scaled = np.array([0.5, -0.25, 0.125])
    call = f"2**{exponent} times the step of LossScaler(2**{exponent}).update of [[0.5, -0.25], [0.125]], lr=1"
    got = scale * stepped(LossScaler(scale, 99, max_norm=1.0), scaled, call)
    turns = {
        "the scale is taken out in float16: what is below 6e-8 becomes 0 again": 0 * scaled,
        "the scale is not taken out": -scaled * scale,
        "the scale is multiplied in once more": -scaled * scale**2,
        "short gradients are made as long as the limit too": -scaled * scale / np.linalg.norm(scaled),
        "the step goes up the gradient": scaled,
    }
    check.close(got, -scaled, rtol=1e-3, atol=1e-6, what="the scale is taken out in float32", call=call, turns=turns)

    scale, true = 1024.0, np.array([18.0, 24.0, 40.0])
    name = f"LossScaler(1024, max_norm={clip_at:g}).update of 1024 times"
    got = stepped(LossScaler(scale, 99, max_norm=clip_at), true * scale, f"{name} [[18, 24], [40]]")
    want = -clip_at * true / 50
    turns = {
        "the scaled gradient is clipped, and the scale taken out of what is left": want / scale,
        "each array is clipped by itself": [-0.6 * clip_at, -0.8 * clip_at, -clip_at],
        "nothing is clipped": -true,
        "the limit is on each number, and not on the norm": -np.minimum(true, clip_at),
        "the norm is taken in float16, where the squares are inf: the factor is 0": 0 * true,
    }
    check.close(got, want, rtol=1e-3, what="the gradient of the loss is clipped", call=f"{name} [[18, 24], [40]]", turns=turns)
    small = np.array([0.3, 0.0, 0.4]) * clip_at
    got = stepped(LossScaler(scale, 99, max_norm=clip_at), small * scale, f"{name} a gradient of half that norm")
    turns = {"the scaled gradient is clipped: it is 1024 times as long": -2 * small / scale}
    what = "a gradient below the limit is not clipped"
    check.close(got, -small, rtol=2e-3, what=what, call=f"{name} a gradient of half that norm", turns=turns)
    nothing = stepped(LossScaler(scale, 99, max_norm=clip_at), np.zeros(3), f"{name} zeros")
    check.close(nothing, np.zeros(3), what="a gradient of zeros moves nothing", call=f"{name} zeros")


def check_skipping(exponent, bad):
    """Overflow: nothing moves, the scale is halved, and the next step is taken with the half."""
    scaler, call = LossScaler(2.0**exponent, 3, max_norm=10.0), f"LossScaler(2**{exponent}, 3).update of [[1, 1], [{bad}]]"
    got = stepped(scaler, [1, 1, bad], call, start=0.125)
    turns = {
        "the overflow is not looked for, and nan is in the parameters": ~np.isfinite(got).all(),
        "only the array with the overflow is left out": got[2] == 0 and got[0] != 0,
        "what has overflowed is replaced by a number, and the step taken": got[2] != 0,
    }
    what = "nothing moves where a gradient has overflowed"
    check.that(not got.any(), what=what, call=call, expected="no change", got=got, turns=turns)
    turns = {"the scale stays: the next gradient overflows as well": 2.0**exponent, "the scale is doubled": 2.0 ** (exponent + 1)}
    turns |= {"the scale is set to 1": 1.0}
    scale_is(scaler, 2.0 ** (exponent - 1), "the scale is halved by an overflow", call, turns)
    call = f"2**{exponent - 1} times the step of the same scaler with [[1, 1], [1]], lr=1"
    got = 2.0 ** (exponent - 1) * stepped(scaler, [1, 1, 1], call)
    turns = {"the old scale is taken out": [-0.5] * 3}
    check.close(got, [-1] * 3, rtol=1e-3, atol=1e-6, what="the next step takes the halved scale out", call=call, turns=turns)


def check_growing(k):
    scaler, other = LossScaler(64.0, k, max_norm=1e3), LossScaler(64.0, k, max_norm=1e3)
    call = f"LossScaler(64, growth_interval={k}), {{}} good steps"
    for step in range(1, 2 * k + 1):
        before = 64.0 if step <= k else 128.0
        got = stepped(scaler, [64.0, 0.0, 64.0], call.format(step))
        turns = {"the scale is doubled first, and the new one taken out": [-32 / before, 0, -32 / before]}
        want = [-64 / before, 0, -64 / before]
        what = "the scale that the gradients were made with is taken out"
        check.close(got, want, rtol=1e-3, what=what, call=call.format(step), turns=turns)
        if step < k:
            early = {"the scale is doubled too early": 128.0, "the scale grows at every good step": 64.0 * 2**step}
            scale_is(scaler, 64.0, f"the scale stays for {k - 1} good steps", call.format(step), early)
        elif step < 2 * k:
            again = "the count does not begin anew when the scale is doubled: each further step doubles it"
            turns = {"it never grows, or a step later": 64.0, again: 64.0 * 2 ** (step - k + 1)}
            scale_is(scaler, 128.0, f"the scale is doubled by the good step number {k}, and once", call.format(step), turns)
    scale_is(scaler, 256.0, "it is doubled again after as many", call.format(2 * k), {"the count does not begin anew": 128.0})
    scale_is(other, 64.0, "another scaler is left alone", "two scalers", {"the state is kept in the class": 256.0})

    scaler, call = LossScaler(64.0, k, max_norm=1e3), f"LossScaler(64, {k}): {k - 1} good, an overflow, {{}} good"
    for _ in range(k - 1):
        stepped(scaler, [1, 1, 1], call)
    stepped(scaler, [1, np.inf, 1], call)
    for step in range(1, k):
        stepped(scaler, [1, 1, 1], call.format(step))
    turns = {"the count goes on over an overflow": 64.0}
    scale_is(scaler, 32.0, "an overflow begins the count anew", call.format(k - 1), turns)
    stepped(scaler, [0, 0, 0], call.format(k))
    turns = {"a gradient of zeros is not counted: it is finite, and asks for a larger scale most of all": 32.0}
    scale_is(scaler, 64.0, "after that it grows again", call.format(k), turns)


def check_last_halving(bad):
    scaler = LossScaler(2.0, 5, max_norm=1.0)
    call = f"LossScaler(2).update of [[{bad}, 0], [0]], twice"
    stepped(scaler, [bad, 0, 0], call)
    scale_is(scaler, 1.0, "from 2 it is halved once more", call)
    try:
        stepped(scaler, [bad, 0, 0], call)
    except check.NotYet:
        raise
    except Exception:
        return
    turns = {
        "it is halved for ever: a nan that no scale has made is skipped at each step, and nobody is told": scaler.scale < 1,
        "the scale is kept at 1 and the step skipped: nobody is told": scaler.scale == 1,
    }
    what = "inf or nan at a scale of 1 raises an exception"
    check.that(False, what=what, call=call, expected="an exception", got=f"a scale of {scaler.scale:g}", turns=turns)


def check_loss_scaler():
    check_unscaling(30, clip_at=1.0)
    check_skipping(20, np.inf)
    check_skipping(20, np.nan)
    check_growing(3)
    check_last_halving(np.nan)


def check_loss_scaler_of_its_own():
    scaler, call = LossScaler(), "LossScaler()"
    scale_is(scaler, 65536.0, "the scale is 2**16 where the caller gives none", call)
    got = stepped(scaler, [18432.0, 24576.0, 40960.0], f"{call}.update of [[18432, 24576], [40960]], which has a norm of 0.78")
    check.close(got, [-0.28125, -0.375, -0.625], rtol=2e-3, what="max_norm is 1 where the caller gives none", call=call)
    got = stepped(scaler, [36864.0, 49152.0, 61440.0], f"{call}.update of [[36864, 49152], [61440]], which has a norm of 1.33")
    check.close(np.linalg.norm(got), 1.0, rtol=2e-3, what="max_norm is 1 where the caller gives none", call=call)
    check.each(scaler.update, [([np.zeros(1, np.float32)], [np.zeros(1, np.float16)], 1.0) for _ in range(197)])
    scale_is(scaler, 65536.0, "the scale stays for 199 good steps where the caller gives no number", call)
    stepped(scaler, [0, 0, 0], call)
    scale_is(scaler, 131072.0, "the scale is doubled after 200 good steps where the caller gives no number", call)


check.run(check_loss_scaler, check_loss_scaler_of_its_own)


### BEGIN HIDDEN TESTS
def check_loss_scaler_on_the_way():
    """Forty steps with drawn gradients, some of which have overflowed, against the same steps in float64."""
    rng = check.hidden_rng(482)
    scale, k, max_norm = 2.0 ** rng.integers(14, 30), int(rng.integers(2, 8)), float(10.0 ** rng.uniform(-1, 1))
    scaler, good = LossScaler(scale, k, max_norm=max_norm), 0
    for step in range(40):
        call = f"LossScaler({scaler.scale:g}, {k}, {max_norm:.3g}), step {step} of forty"
        lr = float(10.0 ** rng.uniform(-2, 1))
        # Norms from a tenth to ten times the limit, as far as float16 holds them.
        size = min(max_norm * scale * 10.0 ** rng.uniform(-1, 1), 6e4)
        scaled = (size * rng.uniform(0.1, 1, 3) * rng.choice([-1, 1], 3)).astype(np.float16)
        is_bad = rng.random() < 0.15 and scale > 2
        if is_bad:
            scaled[rng.integers(3)] = [np.nan, np.inf, -np.inf][rng.integers(3)]
        true = scaled.astype(float) / scale
        length = np.sqrt(np.sum(true**2))
        want = np.zeros(3) if is_bad else -lr * true * min(1, max_norm / length)
        good = 0 if is_bad else good + 1
        scale *= 0.5 if is_bad else 1
        if good == k:
            scale, good = 2 * scale, 0
        got = stepped(scaler, scaled, call, lr=lr)
        what = "nothing moves where a gradient has overflowed" if is_bad else "param - lr * g, and g is clipped to max_norm"
        check.close(got, want, rtol=2e-3, what=what, call=call)
        scale_is(scaler, scale, "the scale is halved by an overflow, and doubled by growth_interval good steps in a row", call)


def check_loss_scaler_elsewhere():
    rng = check.hidden_rng(48)
    check_unscaling(int(rng.integers(24, 46)), clip_at=float(rng.uniform(0.5, 10)))
    check_skipping(int(rng.integers(5, 15)), np.nan)
    check_skipping(int(rng.integers(20, 40)), -np.inf)
    for k in (1, 2, int(rng.integers(4, 8))):
        check_growing(k)
    check_last_halving(np.inf)


check.run(check_loss_scaler_elsewhere, check_loss_scaler_on_the_way)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Take a gradient of norm 1 and a `max_norm` of 1, at a scale of 65 536. Follow its norm through the lines of `update`.
# What is the norm of what is taken off the parameters? Then follow one `inf`.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Two things, one for each half of the title. The limit is held against the scaled gradient, and the scale is taken
# out of what is left. And an overflow goes straight into the parameters: nothing looks for it, and the scale never
# learns of it.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# The order is: look for `inf` and `nan`; convert; take out the scale; clip; step; count. The scale changes last, for the
# gradients to come. On overflow there is no step, only the halving, or an exception where there is nothing to halve.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *NaN Loss: Mixed precision issues.*
#
# float16 holds numbers from $6\cdot10^{-8}$ to 65 504. With a scale $S$ and a loss $L$ the backward pass yields
# $\nabla(SL)=S\,\nabla L$, every number of it $S$ times as large, and the step is
#
# $$g=\frac{1}{S}\,\nabla(SL),\qquad w\leftarrow w-\eta\,g\cdot\min\!\left(1,\frac{c}{\lVert g\rVert}\right)$$
#
# with the limit $c$, the rate $\eta$ and the float32 parameters $w$ (Micikevicius et al. 2018, arXiv 1710.03740). $S$
# is halved when it was too much, and doubled after some good steps: it stays just below the overflow and costs one
# step now and then. In the figure it ends its fall at $2^{41}$, since $65504/(0.18\cdot10^{-7})=2^{41.7}$.
#
# **When the advice misleads.** *Fix: Use GradScaler, increase eps.* The first half is right, if the order is. Clipped before the
# scale is out, a gradient of norm 1 scaled by 65 536 is cut to 1. What is left of it after the division is 65 536 times too
# short: no `nan`, no error, a run that stands still. That is `clip_grad_norm_` without `unscale_` before it. The division belongs
# in float32: a float16 divided by a Python number stays float16, and what was saved from zero goes back there. And an eps of
# $10^{-8}$ is a remedy only in a type that has it: `np.float16(1e-8)` is 0.
#
# **A scaler hides things.** It skips every step that is not finite, whatever the reason. A `nan` in the data becomes
# a scale that is halved again and again; in a log of the scale you see it, in the loss you may not. So log it, and
# stop when it is below 1.
#
# **The twin.** A learning rate that is too small gives a flat loss too (part 1). There the gradients are not zero.
# Print the share of exact zeros in them.
#
# **In PyTorch** `torch.amp.GradScaler` begins at 65 536 and grows after 2000 good steps; call
# `scaler.unscale_(optimizer)` before you clip. It has no lower end for the scale, and refuses float16 gradients: the
# parameters stay float32, and `torch.autocast` casts inside the model. bfloat16 has the range of float32, in two to three
# digits, and mostly does without a scaler.
#
# </details>
