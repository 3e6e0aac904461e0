# %% [markdown]
# ## Case 3 · Fine until it was fine-tuned
#
# About 15 minutes · difficulty 2 of 5 · 6 points
#
# **The complaint.** A network that already works, loss 0.01, is to be fine-tuned on a few new points with a hand-written
# Adam at a learning rate of 0.006. Within a dozen steps its loss is ten to forty times what it was. It comes most of the way back
# in thirty more, and nobody trusts it any longer: in a large model what was lost in those steps may not come back. Trained from
# scratch, the same optimizer looks fine, even quick.
#
# **After this case you can** say in which direction an optimizer's first steps err and by how much, see it in a run, and
# write the update so that it holds for every $\beta_1$ and $\beta_2$.
#
# ### The code

# %% fix="adam-bias-correction"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """One Adam update (Kingma & Ba 2015, arXiv 1412.6980, Algorithm 1).

    param, grad, m, v: float arrays of one shape. t: the number of this step; the caller counts,
    and the first is t = 1.
    Returns (param, m, v): the new parameters and the two running means *as stored*, ready for the
    next step.
    Graded: the length of each step for any beta1 and beta2, the stored means, and that zero
    gradients move nothing.
    Not graded: where eps stands (the gradients in the checks are 1 or more in size), and whether
    you work in place.
    """
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    ### BEGIN BROKEN
    # return param - lr * m / (np.sqrt(v) + eps), m, v
    ### END BROKEN
    ### BEGIN SOLUTION
    # A running mean that starts at zero is too small by the weight not yet handed out, beta**t.
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return param - lr * m_hat / (np.sqrt(v_hat) + eps), m, v
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Both means start at zero, so at first both are too *small*. Is the first step then too short
# or too long, and by what factor? Write your guess as `my_guess`: it is not graded, and the figure answers it.

# %% scene="adam-bias-correction"
def fine_tune(adam_step, seed, steps=40, lr=0.006):
    """Train a network on spirals, turn the spirals by 0.05 rad, and go on with `adam_step` on 150 of the turned points.

    Returns the History of the fine-tuning: the loss on all turned points, in nats, and the mean size of a parameter's step,
    in units of lr.
    """
    rng = np.random.default_rng(seed)
    x, y = spirals(rng, points=100)
    net = MLP((2, 32, 32, 3), rng)
    train(net, lambda: (x, y), steps=600, lr=0.5)

    turn = 0.05
    x = x @ [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    few = rng.choice(len(x), 150, replace=False)
    means = [(np.zeros_like(param), np.zeros_like(param)) for param in net.params]
    history = History()
    history.log(loss=net.loss(x, y))
    for t in range(1, steps + 1):
        rows = rng.choice(few, 60, replace=False)
        grads = net.loss_and_grads(x[rows], y[rows])[1]
        moved = [adam_step(*each, *mean, t, lr=lr) for *each, mean in zip(net.params, grads, means)]
        lengths = [np.abs(new - old)[grad != 0] for (new, _, _), old, grad in zip(moved, net.params, grads)]
        net.params, means = [new for new, _, _ in moved], [mean for _, *mean in moved]
        history.log(loss=net.loss(x, y), step_length=np.concatenate(lengths).mean() / lr)
    return history


# %% run="adam-bias-correction"
my_guess = 1.0  # the length of the first step, in units of lr

vitals(
    before=fine_tune(broken.adam_step, seed=0),
    now=fine_tune(adam_step, seed=0),
    signs={"loss": "loss (nats)", "step_length": "mean step of a parameter (lr)"},
    guess={"step_length": my_guess},
    caption="Forty steps of fine-tuning a network that already works.",
)

# %% check="adam-bias-correction" points=6
def walk(grads, **settings):
    """Where adam_step has gone after each of `grads`, starting from zero; it gets copies, and is free to change them."""
    param, m, v = (np.zeros_like(grads[0]) for _ in range(3))
    path = []
    for t, grad in enumerate(grads, start=1):
        param, m, v = (np.array(a, dtype=float) for a in adam_step(param, grad.copy(), m, v, t, **settings))
        path.append(param.copy())
    return np.array(path), m, v


def check_adam():
    gradient = np.array([3.0, -7.0, 40.0])
    sign = np.sign(gradient)
    path, m, v = walk([gradient] * 12, lr=0.01)
    check.close(
        path[0],
        -0.01 * sign,
        rtol=1e-5,
        what="the first step is lr long, however large the gradient",
        call="adam_step(0, [3, -7, 40], m=0, v=0, t=1, lr=0.01)",
        turns={
            "neither mean is corrected": -0.0316228 * sign,
            "only m is corrected": -0.316228 * sign,
            "only v is corrected": -0.001 * sign,
            "t + 1 stands where t is meant": -0.0074431 * sign,
            "the two betas are swapped": -10.0 * sign,
            "the root of 1 - beta2**t is missing": -0.000316228 * sign,
            "the step goes up the gradient": 0.01 * sign,
            "nothing moves": 0 * sign,
        },
    )
    check.close(
        path[11],
        -0.12 * sign,
        rtol=1e-5,
        what="twelve equal gradients move twelve times lr",
        call="adam_step twelve times with [3, -7, 40], t = 1 ... 12, lr=0.01",
        turns={
            "1 - beta stands where 1 - beta**t is meant": -0.2163204 * sign,
            "the corrected means are returned, and corrected again": -0.0128763 * sign,
            "the corrected m is returned, and corrected again": -64.24205 * sign,
        },
    )
    check.close(
        m,
        (1 - 0.9**12) * gradient,
        rtol=1e-6,
        what="the returned m is the running mean as stored, so that the next step can go on from it",
        call="the same twelve steps",
        turns={"the running means start at the first gradient, and not at zero": gradient},
    )
    check.close(
        v,
        (1 - 0.999**12) * gradient**2,
        rtol=1e-6,
        what="the returned v is the running mean of squares as stored",
        call="the same twelve steps",
    )
    check.close(
        walk([gradient], lr=0.01, beta1=0.8, beta2=0.99)[0][0],
        -0.01 * sign,
        rtol=1e-5,
        what="the first step is lr long with other betas too",
        call="adam_step(0, [3, -7, 40], m=0, v=0, t=1, lr=0.01, beta1=0.8, beta2=0.99)",
        turns={"0.9 and 0.999 stand where beta1 and beta2 are meant": -0.00632456 * sign},
    )
    check.close(
        walk([gradient])[0][0],
        -0.001 * sign,
        rtol=1e-5,
        what="without a learning rate of the caller's the first step is 0.001 long",
        call="adam_step(0, [3, -7, 40], m=0, v=0, t=1)",
    )
    check.close(
        walk([np.zeros(2)])[0][0],
        [0, 0],
        what="a zero gradient moves nothing",
        call="adam_step(0, [0, 0], m=0, v=0, t=1)",
    )
    alternating = walk([np.array([1.0]), np.array([-1.0])], lr=0.01)[0][1]
    check.close(
        alternating,
        [-0.0094737],
        rtol=1e-3,
        what="after +1 and -1 the two nearly cancel: the step follows the mean, not the last sign",
        call="adam_step with [1], then with [-1], lr=0.01",
        turns={"the step is the sign of m, or of the gradient": [0.0]},
    )


check.run(check_adam)
### BEGIN HIDDEN TESTS
def check_adam_elsewhere():
    rng = check.hidden_rng(2015)
    for _ in range(2):
        beta1, beta2, lr = rng.uniform(0.6, 0.95), 1 - 10 ** rng.uniform(-3, -1.5), 10 ** rng.uniform(-4, -1)
        grads = list(rng.choice([-1, 1], (24, 4)) * (1 + rng.random((24, 4))) * 10 ** np.array([0, *rng.uniform(0, 3, 3)]))
        p, m, v = np.zeros(4), np.zeros(4), np.zeros(4)
        for t, g in enumerate(grads, start=1):
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
            p = p - lr * (m / (1 - beta1**t)) / np.sqrt(v / (1 - beta2**t))
        path, stored_m, stored_v = walk(grads, lr=lr, beta1=beta1, beta2=beta2)
        # What is small by cancelling is known as well as the steps, and the stored means, that it comes from.
        check.close(path[-1], p, rtol=1e-5, atol=1e-4 * lr, what="other betas, changing gradients")
        check.close(
            stored_m, m, rtol=1e-5, atol=1e-6, what="the returned m is the running mean as stored, with other betas"
        )
        check.close(stored_v, v, rtol=1e-5, what="the returned v is the running mean as stored, with other betas")
    steps = int(rng.integers(2, 9))
    check.close(walk([np.zeros(2)] * steps)[0], np.zeros((steps, 2)), what="zero gradients move nothing")


check.run(check_adam_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Feed the step a gradient that never changes. A mean of equal numbers should be that number from the first step on. Is it?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# After $t$ steps the weights in `m` add up to $1-\beta_1^t$, not to $1$; those in `v` to $1-\beta_2^t$.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Divide each mean by the sum of its weights, and use the two quotients in the update only. What you return has to stay
# undivided, or the next step divides it again.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Mistake 3: Forgetting Bias Correction in Adam.*
#
# With gradients $g_1,\dots,g_t$ the stored mean is $m_t=(1-\beta_1)\sum_{i=1}^{t}\beta_1^{t-i}g_i$, and its weights sum to
# $1-\beta_1^t$. Dividing by that sum makes it an average: $\hat m_t=m_t/(1-\beta_1^t)$, and $\hat v_t$ likewise
# (Kingma & Ba 2015, arXiv 1412.6980, section 3).
#
# **The direction.** The step is $m/\sqrt v$. With $\beta_1=0.9$ and $\beta_2=0.999$ the mean is short by a factor $0.1$, but the
# root of the mean square by $\sqrt{0.001}\approx 0.032$. So the first step is $3.16$ times too *long* and the twelfth $6.57$
# times; it takes until $t=2375$ to come within 5 %. With $\beta_2=\beta_1$ it would have been too short.
#
# **When the advice misleads.** Trained from scratch, a run *without* correction can end lower. On these spirals, at $\eta=0.003$,
# it has a loss of 0.006 against 0.05 after 300 steps: steps three to six times longer are a larger learning rate in disguise. The
# harm shows where the start is already good: BERT's first Adam had no correction, and fine-tuning it on small data was unstable
# (Zhang et al. 2020, arXiv 2006.05987). And correction does not rescue a rare embedding whose first gradient comes at step 1000:
# its step is still 2.5 times too long.
#
# **In PyTorch** this is `torch.optim.Adam`; its `step` counts from 1 for you.
#
# </details>
