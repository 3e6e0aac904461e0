# %% [markdown]
# ## Part 3 · The loss does not move, and hardly anything arrives
#
# **What one sees.** The document lists three symptoms: *loss decreases very slowly or not at all*, *gradient norms near
# zero*, *deep layers have no gradient*. The first two are often seen and not always. A loss can also fall for some
# steps and then stand, and the norm of the whole gradient can look well, since it is made by the layers that do get
# something. The third has the ends swapped: on its way back the gradient starts at the output, and it is the *early*
# layers that starve.
#
# **What it can be.** A gradient on its way back is multiplied at each layer. It vanishes when it loses a little at each
# of many layers, since the factors multiply. Or when one layer lets nothing through, since its units are flat on all
# rows. Or when something on the way divides it, and divides by more and more as the training goes on. The plateaus of
# part 1 look the same from outside: there the gradient arrives, and the steps are too small, too large, or have nothing
# left to do.

# %% scene="gradient-vanishing"
def vanishing_run(seed, blocks=6, gain=1.2, bias=0.0, block=3, steps=150, lr=0.05, is_rescued=False):
    """Train plain tanh blocks on spirals; the biases of one block start at `bias`. Returns the History.

    "share": the length of the gradient at the output of block 1, as a multiple of that at the last, at each step. "by_block":
    its length for each block before the first step. "open": for each block, the share of slopes above 0.05 then.
    is_rescued: that one block's biases are put back to zero before the first step.
    """
    rng = np.random.default_rng(seed)
    data, norms, slopes = spirals(rng, points=40), [], []

    def wire(x, branch, norm):
        out, back = branch(x)
        slopes.append(np.mean(1 - out**2 > 0.05))

        def noting(d):
            norms.append(np.linalg.norm(d))
            return back(d)

        return out, noting

    net = DeepNet(2, 16, blocks, 3, rng, wire, gain=gain)
    net.params[net.block_slices()[block - 1].start + 1] += 0.0 if is_rescued else bias
    history = train(net, lambda: data, steps, lr)
    for lengths in np.reshape(norms, (steps, blocks)):
        history.log(share=lengths[-1] / lengths[0])
    for length, share in zip(norms[:blocks][::-1], slopes[:blocks]):
        history.log(by_block=length, open=share)
    return history


# %% run="gradient-vanishing" part="signs"
many = vanishing_run(seed=0, blocks=20, gain=0.5, block=1, steps=50)
shut = vanishing_run(seed=0, bias=8.0, steps=50)
slow = vanishing_run(seed=0, blocks=5, gain=0.8, block=1, steps=50)
well = vanishing_run(seed=0, steps=50)
thumbnails(
    {
        "The loss does not move, or very slowly": (
            {"ill": many["loss"], "slow": slow["loss"], "well": well["loss"]},
            "loss (nats)",
        ),
        "The loss falls a little, and stands": ({"stands": shut["loss"], "well": well["loss"]}, "loss (nats)"),
        "The norm is near zero, at once or soon": (
            {"ill": many["grad_norm"], "stands": shut["grad_norm"], "well": well["grad_norm"]},
            "gradient norm",
        ),
    },
    "Three ill networks beside a well one, on the spirals. A name means the same network in each panel.",
)

# %% [markdown]
# **The way through.** Ask in this order. Each question costs one backward pass, or less.
#
# 1. *Does a gradient arrive at the first layer?* Compare first and last, each against its weights: case 1.3. If it
#    does, you are in the wrong part: go to part 1.
# 2. *Where is it lost?* Take the gradient to each layer's output, not to its weights, and go through the layers from
#    the end. If a little is lost at each: there are too many layers without a road past them, case 3.1, or the weights
#    are too small, case 2.3's question.
# 3. *If it is lost at one layer: what are its units doing?* Look at their slopes on all rows, then at their outputs:
#    too large a scale, or a bias, case 3.2.
# 4. *Is it there before the first step, and gone after fifty?* Then look for what divides: where the norms stand, case
#    3.3. Ask the second question again with the trained weights.
#
# **One diagnosis, worked.** Six blocks of sixteen tanh units, at a rate of 0.05. The loss falls from 1.14 to 1.0986,
# which is three classes guessed, and stands. The norm of the gradient was 1.1 at the first step. First question, does
# it arrive? Second, where is it lost? Third, what do the units do there?

# %% run="gradient-vanishing" part="worked"
ill = vanishing_run(seed=0, bias=8.0, steps=80)
print("block                        " + "".join(f"{number:>8}" for number in range(1, 7)))
print("gradient at its output       " + "".join(f"{length:>8.0e}" for length in ill["by_block"]))
print("slopes above 0.05            " + "".join(f"{share:>8.0%}" for share in ill["open"]))
vitals(
    before=ill,
    now=vanishing_run(seed=0, bias=8.0, steps=80, is_rescued=True),
    labels=("ill", "mended"),
    signs={"loss": "loss (nats)", "share": "gradient at block 1 (multiple of block 6)"},
    caption="The six blocks as they came, and with the biases of block 3 at zero.",
)

# %% [markdown]
# The gradient comes to the output of block 3 at half of what it was at the end, and at the output of block 2 less than a
# millionth is left. So it is lost inside block 3, and nowhere else. None of that block's slopes is above 0.05, of the others all
# are. Its biases were at 8: every unit gives 1 for every row. That also explains the short fall of the loss: the blocks after it
# had nothing but a constant to work with, and learned the frequencies of the classes.
#
# What would have told the twins? Had the layers been too many, the gradient would have shrunk by a similar factor at
# each block. Had the norm been judged alone, 1.1 would have passed as healthy, and the learning rate would have been
# blamed. And a larger rate was of no use: a millionth of the gradient needs a million times the rate, which the last
# block does not bear.
