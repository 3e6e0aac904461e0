# %% [markdown]
# ## Case 3.3 · It learned until it was given LayerNorm
#
# About 20 minutes · difficulty 3 of 5 · 5 points
#
# **The complaint.** Sixteen residual blocks on the spirals. With plain gradient descent at 0.03 the loss was `nan`
# within eighty steps, and the advice was "add LayerNorm". There are five drafts of a block with one, by five people.
# Each was tested before the first step: a gradient arrives in all of them. So the first draft was taken. The `nan` is
# gone. But with Adam at 0.03, which had got below 0.03 in eighty steps without any norm, the loss now goes to 1.0986
# and stays.
#
# **After this case you can** find out by one call what a block does to the gradient that goes past its layers, and say why a test
# before the first step did not show it.
#
# In case 3.1 there was no road past the layers, and you built one. Here five are built, and you test them. You need
# not read how they are wired.
#
# ### The code

# %% fix="vanish-normalisation"
def road_verdict(wire):
    """How x and its gradient get past the layers of a block: one of four words.

    wire(x, branch, norm) is a residual block. It returns (y, back): the block's output, and
    back(d), which should turn d loss / d y into d loss / d x. All are float arrays (rows, width).
    branch, the block's layers, and norm, its normalisation, are yours to hand in. Each is a
    function of such an array and returns (out, out_back): what it makes of it, and its way back.
    wire and back call these, add, and multiply by constants from 0.3 to 0.8; nothing else.
    Of x something gets past branch into y, and of d past branch's way back into back(d). It may get
    there as it is; or changed, by a constant or by norm; or not at all.
    Graded: the verdict, whatever branch and norm will do later in training.
    "free": x and d both get past as they are.
    "blocked": both get past, and both are changed.
    "none": neither gets past.
    "mismatch": it is not the same for x and for d, so back is not the gradient of the block.
    """

    ### BEGIN BROKEN
    # # as before the first step: layers and norms keep the size of what they are given
    # def keep(h):
    #     return h, lambda d: d
    #
    # y, back = wire(np.ones((4, 8)), keep, keep)
    # arrives = np.mean(back(np.ones((4, 8)))) > 0.1
    # return "free" if arrives else "none"
    ### END BROKEN
    ### BEGIN SOLUTION
    def silent(h):
        return np.zeros_like(h), np.zeros_like

    def grown(h):
        # What a norm does once its input has grown: it divides.
        return h / 4, lambda d: d / 4

    sent = np.array([[1.0, -2.0, 3.0]])
    y, back = wire(sent.copy(), silent, grown)

    def came(out):
        return "free" if np.allclose(out, sent) else "blocked" if np.any(out) else "none"

    forward, backward = came(y), came(back(sent.copy()))
    return forward if forward == backward else "mismatch"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Before the first step, block 1 of the first draft gets 0.9 times the gradient that
# block 16 gets. How many times is it after forty steps with Adam? Write your guess as `my_guess`: it is the dotted
# line in the right panel.


# %% scene="vanish-normalisation"
def block_of(way, way_back=None, factor=0.5):
    """A block past whose layers x goes in one way, and d in the same way, unless way_back is another.

    "as it is"; "by a factor"; "before": through a norm before the layers; "after": through a norm after the sum; "not at all".
    The layers get the normalised x, but where the norm stands after the sum.
    """

    def wire(x, branch, norm):
        h, h_back = (x, lambda d: d) if way == "after" else norm(x)
        out, out_back = branch(h)
        y = out if way == "not at all" else out + (h if way == "before" else factor * x if way == "by a factor" else x)
        y, y_back = norm(y) if way == "after" else (y, lambda d: d)

        def back(d):
            kind = way_back or way
            at_sum = y_back(d)
            through = out_back(at_sum)
            if kind == "before":
                return h_back(through + at_sum)
            past = {"as it is": d, "by a factor": factor * d, "after": at_sum, "not at all": 0 * d}[kind]
            return h_back(through) + past

        return y, back

    return wire


DRAFTS = {
    "first": block_of("after"),
    "second": block_of("before"),
    "third": block_of("as it is", "before"),
    "fourth": block_of("by a factor", factor=0.7),
    "fifth": block_of("as it is"),
}


def taken_draft(road_verdict):
    """The number of the first draft that is said to be free, or of the first of all."""
    said = [road_verdict(wire) for wire in DRAFTS.values()]
    return list(DRAFTS)[said.index("free") if "free" in said else 0], said


def fresh_adam():
    """An update for `train`: Adam with its usual betas, and means of its own."""
    means = {}

    def update(params, grads, lr):
        if not means:
            means.update(t=0, m=[np.zeros_like(param) for param in params], v=[np.zeros_like(param) for param in params])
        means["t"] += 1
        means["m"] = [0.9 * m + 0.1 * grad for m, grad in zip(means["m"], grads)]
        means["v"] = [0.999 * v + 0.001 * grad**2 for v, grad in zip(means["v"], grads)]
        scale = np.sqrt(1 - 0.999 ** means["t"]) / (1 - 0.9 ** means["t"])
        return [param - lr * scale * m / (np.sqrt(v) + 1e-8) for param, m, v in zip(params, means["m"], means["v"])]

    return update


def row_statistics(x):
    """The mean of each row, and one over its standard deviation."""
    return x.mean(axis=1, keepdims=True), 1 / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)


def normed_run(wire, seed, blocks=16, steps=80, lr=0.03, update=None):
    """Train `blocks` blocks of rectified units on spirals, with Adam unless another update is given. Returns the History.

    "arrives": the length of the gradient at the output of the first block, as a multiple of that at the last, at each step.
    """
    rng = np.random.default_rng(seed)
    data, norms = spirals(rng, points=30), []

    def watched(x, branch, norm):
        y, back = wire(x, branch, norm)

        def noting(d):
            norms.append(np.linalg.norm(d))
            return back(d)

        return y, noting

    net = DeepNet(2, 16, blocks, 3, rng, watched, branch="relu", gain=1.2, statistics=row_statistics)
    history = train(net, lambda: data, steps, lr, update or fresh_adam())
    for lengths in np.reshape(norms, (steps, blocks)):
        history.log(arrives=lengths[-1] / lengths[0])
    return history


# %% run="vanish-normalisation" atlas="2"
my_guess = 0.5  # the gradient at block 1 after forty steps, as a multiple of that at block 16

(draft_before, said_before), (draft_now, said_now) = taken_draft(broken.road_verdict), taken_draft(road_verdict)
vitals(
    before=normed_run(DRAFTS[draft_before], seed=0),
    now=normed_run(DRAFTS[draft_now], seed=0),
    signs={"loss": "loss (nats)", "arrives": "gradient at block 1 (multiple of block 16)"},
    guess={"arrives": my_guess},
    caption="Sixteen residual blocks, each wired as the first draft that is called free, trained with Adam.",
)
print("draft                  " + "".join(f"{name:>10}" for name in DRAFTS))
print("as complained about    " + "".join(f"{word!s:>10}" for word in said_before) + f"   taken: the {draft_before}")
print("your code              " + "".join(f"{word!s:>10}" for word in said_now) + f"   taken: the {draft_now}")


# %% check="vanish-normalisation" points=5
ROAD_WORDS = ("free", "blocked", "none", "mismatch")
WAYS_TOLD = {
    "as it is": "as it is",
    "by a factor": "by a factor below 1",
    "before": "through a norm before the layers",
    "after": "through a norm after the sum",
    "not at all": "not at all",
}


def normed_branch_block(x, branch, norm):
    """x is added to norm's version of what the branch makes: the norm stands on no road."""
    out, out_back = branch(x)
    normed, norm_back = norm(out)
    return x + normed, lambda d: d + out_back(norm_back(d))


def unnormed_block(x, branch, norm):
    out, out_back = branch(x)
    return x + out, lambda d: d + out_back(d)


def twice_normed_block(x, branch, norm):
    normed, first_back = norm(x)
    out, out_back = branch(normed)
    y, last_back = norm(x + out)

    def back(d):
        d = last_back(d)
        return d + first_back(out_back(d))

    return y, back


def check_road(name, wire, want, turns):
    call = f"road_verdict(wire), {name}"
    said = road_verdict(wire)
    word = str(said) if isinstance(said, str) else said
    check.word(word, want, ROAD_WORDS, what=f"such a block is {want!r}", call=call, turns=turns(word))


def check_ways(way, way_back=None, factor=0.5):
    """A block of the scene's, by how x and how d get past its layers."""
    verdicts = {"as it is": "free", "not at all": "none"}
    forward, backward = verdicts.get(way, "blocked"), verdicts.get(way_back or way, "blocked")
    told = f"past its layers x goes {WAYS_TOLD[way]}, and d {WAYS_TOLD[way_back] if way_back else 'too'}"

    def turns(said):
        is_normed = way in ("before", "after")
        if forward != backward:
            return {
                "only the way forward is tried: call back too, and compare": said == forward,
                "only the way back is tried: look at y too, and compare": said == backward,
                "the branch of your probe lets something through, which hides the road": said == "blocked",
                "the norm of your probe leaves what it is given as it is": said == "free",
            }
        return {
            "the norm of your probe leaves what it is given as it is, and so does a real one before the first step. "
            "Later it divides: let yours do so": is_normed and said in ("free", "mismatch"),
            "the norm of your probe gives zeros: then a road through it looks like no road": is_normed and said == "none",
            "a road that hands most of x on is called free: in sixteen blocks the factors multiply": want_factor
            and said == "free",
            "a road that hands little of x on is called none: something does get past": want_factor and said == "none",
            "the branch of your probe lets something through, and it is taken for the road: with what branch is there "
            "nothing in y but the road": forward in ("free", "none"),
        }

    want_factor = way == "by a factor"
    check_road(told, block_of(way, way_back, factor), forward if forward == backward else "mismatch", turns)


def check_other_roads():
    """Blocks that are not of the scene's."""
    nearby = "a norm somewhere in the block is taken for a norm on the road: here it lies on the branch's way"

    def turns_if_free(said):
        return {nearby: said == "blocked"}

    def turns_if_normed(said):
        return {
            "that there is one norm before the layers is taken for all: another stands after the sum": said == "free",
            "the norm of your probe gives zeros: then a road through it looks like no road": said == "none",
        }

    check_road("the norm stands after the branch, before the sum", normed_branch_block, "free", turns_if_free)
    check_road("norm is never called, and x is added to the branch", unnormed_block, "free", turns_if_free)
    check_road("one norm before the layers, one after the sum", twice_normed_block, "blocked", turns_if_normed)


def check_road_verdict():
    for way in ("after", "as it is", "not at all", "before", "by a factor"):
        check_ways(way)
    check_ways("by a factor", factor=0.8)
    check_ways("as it is", "not at all")
    check_ways("not at all", "as it is")
    check_ways("after", "as it is")
    check_ways("as it is", "before")
    check_ways("as it is", "by a factor")
    check_other_roads()


check.run(check_road_verdict)


### BEGIN HIDDEN TESTS
def check_road_verdict_elsewhere():
    rng = check.hidden_rng(33)
    changed = ["by a factor", "before", "after"]
    pairs = [(way, None) for way in (*changed, "by a factor", "as it is", "not at all")]
    pairs += [(way, "as it is") for way in (*changed, "not at all")] + [(way, "not at all") for way in (*changed, "as it is")]
    pairs += [(way, way_back) for way in ("as it is", "not at all") for way_back in ("by a factor", "before")]
    for number in rng.permutation(len(pairs)):
        check_ways(*pairs[number], factor=rng.uniform(0.3, 0.8))


check.run(check_road_verdict_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Write down what y is in a block with a norm after the sum, and in one with a norm before the layers. Which of the two
# is still x when the layers give nothing? And when the norm divides by 4?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The test as complained about keeps the layers in, and they pass a gradient too, so it cannot see the road. And its norm
# is that of the first day. It divides by the standard deviation of what it gets, which is near 1 there and is not later.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Hand in a branch that gives zeros, with a way back that gives zeros, and a norm that divides by 4, with its way back.
# Then y is what got past of x. Compare it with x and with zero. Do the same with back(d), and compare the two answers.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Gradient Vanishing: Improper normalization. Fix: Add LayerNorm, check placement.*
#
# With $h_l$ the output of block $l$, $f_l$ its branch and $N$ the norm, the first draft and the fifth are
#
# $$h_l=N\bigl(h_{l-1}+f_l(h_{l-1})\bigr),\qquad h_l=h_{l-1}+f_l\bigl(N(h_{l-1})\bigr),$$
#
# called post-LN and pre-LN. In the first, what goes past the block is divided by $\sigma_l$, the standard deviation of a row of
# the sum. After $L$ blocks the road has the factor $\prod_l 1/\sigma_l$, and only the branches can make up for it. In the second
# the factor is 1 (Xiong et al. 2020, arXiv 2002.04745; the norm is that of Ba et al. 2016, arXiv 1607.06450).
#
# Over 6 seeds the product over fifteen blocks is 0.01 to 0.02 before the first step. The branches pass enough to hide it: block 1
# gets 0.1 to 2.5 times what block 16 gets (20 seeds). After thirty steps of Adam $\sigma_l$ is near 4, and the product 4e-10 to
# 3e-8. Over the last sixty steps block 1 gets 1e-9 to 8e-4 of block 16 (medians of 20 runs), against 1 to 10 times in the fifth
# draft. The loss ends at 0.95 to 1.10, against 0.014 at most. So the test before the first step was right, and of no use: this
# gradient vanishes in training. Your probe looks ahead, since it may hand in the norm of a later day. What it does not see is
# whether the branch gets a normalised input: a block without any norm is free as well.
#
# **When the advice misleads.** "Add LayerNorm" without its second half made this network ill: without any norm Adam ends at 0.02
# or less on 15 of 20 seeds, at 0.41 at worst. Yet it is a first step. With plain gradient descent at 0.03 the loss without any
# norm is `nan` in 6 of 6 runs. With the norm after the sum it is 0.04 to 0.84, and with the norm in front of the branch 0.006 to
# 0.016. Nor is post-LN hopeless. With a tenth of the rate it reaches 0.003 to 0.11 in 6 runs, and with four blocks 0 to 0.17. A
# warmup over half the run did not save it here: 0.99 to 1.1. Its usual remedies in large models are a small rate with warmup, or
# branches that start small.
#
# **What pre-LN costs.** The stream is a sum, and grows from block to block: each further block changes it by a smaller
# share. Large models put one more norm before the last layer; these sixteen blocks do without.
#
# **In PyTorch** `nn.TransformerEncoderLayer` has `norm_first=False` as its default, the wiring of this complaint. Set
# `norm_first=True`, and give `nn.TransformerEncoder` a `norm` for the end. To probe a module, set the weights of the
# last linear layer of each branch to zero, with their biases, and `norm.weight` to 0.25. Then compare its output with
# `x`, and `x.grad` with the gradient that you sent in.
#
# </details>
