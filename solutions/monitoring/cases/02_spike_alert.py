# %% [markdown]
# ## Case 2 · The loss jumped, and nobody was told
#
# About 25 minutes · difficulty 4 of 5 · 8 points
#
# **The complaint.** A run of 1200 steps has an alarm, and the alarm has been silent. In the log, read afterwards, the loss jumps
# to three times its height, twice within five steps. Later it goes to thirty times, comes back, jumps again, is `nan` once, and
# at last steps up to another level and stays there. "It does check", says the author.
#
# **After this case you can** write an alarm that fires at the first bad step and stays silent at ordinary ones, and say
# what a detector's own memory does to it.
#
# ### The code

# %% fix="spike-alert"
def spike_alert(history, loss):
    """Whether the loss of this step is a spike.

    history: the list of all losses of the run before this step, as they came, spikes, nan and inf
    included; it may be empty, and len(history) is the number of the step. loss: the one of this
    step. Both hold floats.
    Returns True or False. It is called at every step, but in the checks for single steps of other
    runs too, so it keeps nothing between calls.

    The runs: a course that falls slowly, on any scale, positive, negative or through zero, with
    Gaussian noise whose standard deviation is about a twentieth of the level (a fixed number
    through zero). Within 100 steps a course falls by at most six standard deviations. At least 40
    standard deviations above the course stands a spike: that is three times the level, or, where
    the level is negative, twice its size above it.
    Graded: a loss that is nan, inf or -inf is a spike at every step, the first included. From
    step 50 on every spike is found, also one to five steps after another, soon after one of
    thirty times, soon after a nan or inf, and at the first step of a jump that stays. At ordinary
    steps from 50 on there are at most 2 false alarms in 1200. Equal losses are no spike.
    Not graded: finite losses before step 50; all steps after the first of a jump that stays;
    falls; the speed.
    """
    ### BEGIN BROKEN
    # if len(history) % 10000 == 0:  # Only check every 10K steps
    #     return not np.isfinite(loss)
    # return False
    ### END BROKEN
    ### BEGIN SOLUTION
    if not np.isfinite(loss):
        return True
    recent = np.array(history[-100:], dtype=float)
    recent = recent[np.isfinite(recent)]
    if len(recent) < 20:
        return False
    # A few spikes among the hundred move neither median by much; they would move a mean, and a standard deviation far more.
    level = np.median(recent)
    noise = 1.4826 * np.median(np.abs(recent - level))
    return bool(loss > level + 8 * noise)
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The document's cure fires where `loss > 10 * np.mean(history[-100:])`, and it appends
# the loss to the history *before* it asks. The level is 1. How high does a loss have to be for the alarm to fire, when
# the window is full? And at the fifth step of a run? Write the first as `my_guess`. The first figure draws the
# document's limit, wherever it has one, and your guess beside it; the number is printed under it.


# %% scene="spike-alert"
def healthy_course(rng, kind, steps=1200):
    """The losses of a run in which nothing happens, and twice the size of its level at each step: what a spike adds."""
    step = np.arange(steps)
    if kind == "through zero":
        level = 1 - step / 600
        return level + 0.05 * rng.normal(size=steps), np.full(steps, 2.0)
    level = {"falling": 0.5 + 2 * np.exp(-step / 300), "negative": -3 + 2 * np.exp(-step / 600)}[kind]
    return level + 0.05 * np.abs(level) * rng.normal(size=steps), 2 * np.abs(level)


def planted_run(seed, kind, scale=1.0):
    """A run of 1200 steps with nine incidents. Returns its losses as a list, and the incidents by step, in order.

    The last of them is a jump that stays; the run ends 60 steps after it.
    """
    rng = np.random.default_rng([seed, len(kind)])
    losses, rise = healthy_course(rng, kind)
    shift = int(rng.integers(0, 40))
    incidents = {
        80 + shift: "x3",
        300 + shift: "x3",
        304 + shift: "x3",
        600 + shift: "x30",
        620 + shift: "x3",
        850 + shift: "nan",
        880 + shift: "x3",
        950 + shift: "inf",
        1140: "jump",
    }
    for step, name in incidents.items():
        if name == "jump":
            losses[step:] += rise[step:]
        else:
            losses[step] += {"x3": rise[step], "x30": 14.5 * rise[step], "nan": np.nan, "inf": np.inf}[name]
    return (scale * losses).tolist(), incidents


def spike_kinds(seed):
    """One incident of each kind, by what it is: the losses up to it, and its own."""
    rng = np.random.default_rng([seed, 7])
    kinds = {}

    def plant(name, course, step, before=(), loss=None):
        losses, rise = healthy_course(rng, course)
        for gap, what in before:
            losses[step - gap] += what if not np.isfinite(what) else what * rise[step]
        kinds[name] = (losses[:step].tolist(), float(losses[step] + rise[step]) if loss is None else loss)

    late = int(rng.integers(200, 1150))
    bad = [np.nan, np.inf, -np.inf][seed % 3]
    plant("x3, alone", "falling", late)
    plant("x3, between steps 50 and 99", "falling", int(rng.integers(50, 100)))
    plant("x3, up to 5 steps after another", "falling", late, before=[(int(rng.integers(1, 6)), 1.0)])
    plant("x3, up to 60 steps after a x30", "falling", late, before=[(int(rng.integers(1, 61)), 14.5)])
    plant("x3, up to 60 steps after a nan or inf", "falling", late, before=[(int(rng.integers(1, 61)), bad)])
    plant("a loss of -2 that jumps to +2", "negative", late)
    plant("a spike while the loss goes through zero", "through zero", late)
    plant("nan or inf, from step 0 to 49", "falling", seed % 50 if seed else 0, loss=bad)
    plant("nan or inf, later", "falling", late, loss=bad)
    return kinds


def alarms_of(spike_alert, losses):
    """The steps at which the alarm fires in a run."""
    with np.errstate(all="ignore"):
        return [step for step, loss in enumerate(losses) if spike_alert(losses[:step], loss)]


def ordinary_steps(losses, incidents):
    """The steps at which an alarm is a false one: from 50 on, before the jump that stays, without the incidents."""
    return [step for step in range(50, max(incidents)) if step not in incidents]


def rates_by_kind(spike_alert, seeds=40):
    """The share of `seeds` curves of each kind on which the alarm fires; the last kinds are ordinary runs."""
    fired = {}
    for seed in range(seeds):
        for kind, (history, loss) in spike_kinds(seed).items():
            with np.errstate(all="ignore"):
                fired.setdefault(kind, []).append(bool(spike_alert(history, loss)))
    for kind in ("falling", "negative"):
        for seed in range(3):
            losses, incidents = planted_run(seed, kind)
            alarms = set(alarms_of(spike_alert, losses)) & set(ordinary_steps(losses, incidents))
            fired.setdefault(f"more than 2 false alarms, {kind} loss", []).append(len(alarms) > 2)
    return {kind: np.mean(answers) for kind, answers in fired.items()}


def documents_limit(losses):
    """How high each loss has to be to exceed ten times a mean of the last hundred that holds it too; nan where none does."""
    limits = []
    for step in range(len(losses)):
        earlier = losses[max(0, step - 99) : step]
        # l > 10 * (sum + l) / n is l > 10 * sum / (n - 10), where n counts the loss itself.
        n = len(earlier) + 1
        limits.append(10 * sum(earlier) / (n - 10) if n > 10 and np.isfinite(earlier).all() else np.nan)
    return limits


def show_alarms(before, now, guess, seed=0):
    """Draw one run with its incidents, and under it the steps at which the two alarms fire."""
    losses, incidents = planted_run(seed, "falling")
    fig, (ax,) = figure(1, height=4.0)
    fig.set_figwidth(9)
    values = np.array(losses)
    ax.plot(np.where(np.isfinite(values), values, np.nan), color="#555555", linewidth=1)
    for step, name in incidents.items():
        height = values[step] if np.isfinite(values[step]) else 60
        text = "x3, x3" if step + 4 in incidents else "" if step - 4 in incidents else name
        ax.annotate(text, (step, height), xytext=(0, 4), textcoords="offset points", ha="center", fontsize="small")
    level = 0.5 + 2 * np.exp(-np.arange(1200) / 300)
    ax.plot(guess * level, color="#444444", linestyle=":", linewidth=1.5, label="your guess")
    ax.plot(documents_limit(losses), color="#444444", linestyle="-.", linewidth=1.5, label="the limit of the document's alarm")
    ax.legend(frameon=False, fontsize="small", loc="upper right", ncols=2)
    told = []
    for row, marker, style, label, alert in (
        (0.04, "X", BROKEN, "as complained about", before),
        (0.01, "o", MENDED, "your code", now),
    ):
        alarms = alarms_of(alert, losses)
        ax.plot(alarms, np.full(len(alarms), row), marker, color=style["color"], markersize=7, markerfacecolor="none")
        found = sum(step in alarms for step in incidents)
        false = len(set(alarms) & set(ordinary_steps(losses, incidents)))
        text = f"{label}: {found} of {len(incidents)} found, {false} false alarms"
        ax.annotate(text, (0, row), xytext=(0, 8), textcoords="offset points", fontsize="small", color=style["color"])
        told.append(text)
    ax.set(yscale="log", ylim=(0.006, 1500), xlabel="step", ylabel="loss (nats)")
    caption = (
        "A run with nine incidents. Below it a mark (a cross, or a ring) at each step at which an alarm fires; "
        "after the jump nothing is graded. The document's limit is missing where its alarm cannot fire."
    )
    show(
        fig,
        caption,
        f"The loss over step, with incidents at {', '.join(map(str, incidents))}. The limit of the document's "
        "alarm lies eleven times above the level; it is missing in the first ten steps and for a hundred after nan and inf. "
        + "; ".join(told)
        + ".",
    )
    full = documents_limit([1.0] * 200)[-1]
    print(f"With a full window the document's alarm fires above {full:.1f} times the level. Your guess: {guess:g} times.")


# %% run="spike-alert"
my_guess = 10.0  # how high a loss has to be before the document's alarm fires, as a multiple of the level

show_alarms(broken.spike_alert, spike_alert, guess=my_guess)
before, now = rates_by_kind(broken.spike_alert), rates_by_kind(spike_alert)
alarm_rates(before, now, {kind: "false" not in kind for kind in now}, "40 curves of each kind, and 3 whole runs of each sign.")


# %% check="spike-alert" points=8
def ask_spikes(questions, call):
    """The answers of spike_alert to copies of (history, loss), each proven to be True or False. call: of one question, or a text."""
    answers = check.each(spike_alert, [(history[:], loss) for history, loss in questions])
    for question, answer in zip(questions, answers):
        is_answer = isinstance(answer, (bool, np.bool_)) or (isinstance(answer, (int, float)) and answer in (0, 1))
        said = call if isinstance(call, str) else call(*question)
        is_limit = {"the limit is returned, and not whether the loss lies above it": isinstance(answer, float)}
        check.that(is_answer, what="the answer is True or False", call=said, got=answer, turns=is_limit)
    return [bool(answer) for answer in answers]


def spike_habits():
    """What the alarm says to a few plain questions: each tells one wrong turn from the others."""

    def fires(level, loss, steps=200):
        try:
            return bool(spike_alert([level] * steps, loss))
        except Exception:  # a habit is asked for only after a check has failed
            return False

    noisy = list(1 + 0.05 * np.random.default_rng(0).normal(size=200))
    is_at_three = not spike_alert(list(noisy), 2.7) and spike_alert(list(noisy), 3.4)
    return {
        "the loss is in its own mean, as in the document's cure: it takes more than 11 times the level to get to 10 times that "
        "mean, no height at all in the first 10 steps, and nan never": fires(1.0, 12.0) and not fires(1.0, 10.5),
        "a fixed number is the limit: it fits the scale of one run": fires(1.0, 1e3) and not fires(1e-3, 1.0),
        "only some steps are looked at, such as every hundredth": fires(1.0, 1e6, 200) and not fires(1.0, 1e6, 201),
        "nothing is asked between the ten-thousandth steps": not fires(1.0, 1e6) and not fires(1.0, 1e6, 201),
        "the limit stands at three times the level itself: noise carries half of the spikes below it": is_at_three,
        "the limit stands too high above the level": not fires(1.0, 3.4),
    }


def check_spike_kinds(seeds):
    """Every kind of incident is found, each time.

    Those before step 400, where the course falls fastest, are asked for with each seed, and the later ones with every third.
    """

    def call_of(history, loss):
        return f"spike_alert(history of {len(history)} losses, {loss:.3g})"

    made = [(number, *made) for number, seed in enumerate(seeds) for made in spike_kinds(seed).items()]
    asked = [(kind, question) for number, kind, question in made if number % 3 == 0 or len(question[0]) < 400]
    missed = {}
    for (kind, question), found in zip(asked, ask_spikes([question for _, question in asked], call_of)):
        if not found:
            missed.setdefault(kind, []).append(f"{call_of(*question)}: {kind}")
    if not missed:
        return
    of_kind = {
        "x3, between steps 50 and 99": "the alarm waits for a full window, and is deaf until then",
        "x3, up to 5 steps after another": "the spike before is what this one is compared with, or an alarm shuts out the next",
        "x3, up to 60 steps after a x30": "the spike of thirty times is in the window, and stretches its mean, its standard "
        "deviation or its maximum: one spike hides the next",
        "x3, up to 60 steps after a nan or inf": "a nan or inf is let into the window: the limit is then no number, every "
        "comparison with it is False, and the alarm is blind until it has left",
        "a loss of -2 that jumps to +2": "the limit is a multiple of the level, or of its size: +2 is not above 2 times 2",
        "a spike while the loss goes through zero": "the limit is a multiple of the level, or of its size, which means "
        "nothing where the level is zero",
        "nan or inf, from step 0 to 49": "the loss is asked for nan and inf only after the alarm has waited for its history",
        "nan or inf, later": "nan > limit is False, so nan is not found by comparing; and -inf is below every limit",
    }
    for kind in spike_kinds(0):
        calls, number = missed.get(kind, []), sum(each == kind for each, _ in asked)
        turns = {of_kind[kind]: True} if kind in of_kind else spike_habits()
        if kind == "x3, between steps 50 and 99":
            ordinary = (1 + 0.05 * np.random.default_rng(0).normal(size=60)).tolist()
            is_deaf = not ask_spikes([(ordinary, 1e6)], "1e6 at step 60")[0]
            turns = {of_kind[kind]: is_deaf, "the limit stands too high above the level for some windows": True}
        check.that(
            not calls,
            what=f"every spike is found: {kind}",
            call=calls[0] if calls else None,
            expected=f"{number} of {number}",
            got=f"{number - len(calls)} of {number}",
            turns=turns,
        )


def check_planted_run(seed, kind, scale=1.0):
    """A run asked at its incidents, and at those ordinary steps where an alarm is likely: all found, at most two false alarms.

    Of each thirty ordinary steps these are the one with the highest loss, which stands furthest out of the noise, and the first.
    """
    losses, incidents = planted_run(seed, kind, scale)
    call = f"spike_alert in a run whose loss is {kind}, {losses[50]:.2g} at step 50 and {losses[1139]:.2g} at 1139"
    ordinary = ordinary_steps(losses, incidents)
    blocks = [ordinary[first : first + 30] for first in range(0, len(ordinary), 30)]
    asked = sorted({step for block in blocks for step in (max(block, key=losses.__getitem__), block[0])})
    fired = ask_spikes([(losses[:step], losses[step]) for step in [*asked, *incidents]], call)
    alarms = [step for step, fires in zip(asked, fired) if fires]
    after_nan = [step for step in alarms if not np.isfinite(losses[step - 100 : step]).all()]
    check.that(
        len(alarms) <= 2,
        what="there are at most 2 false alarms",
        call=call,
        expected=f"at most 2 in {len(ordinary)} ordinary steps",
        got=f"{len(alarms)} at the {len(asked)} that were asked about, the first at steps {alarms[:3]}",
        turns={
            "a nan or inf in the window makes every step an alarm until it has left": len(after_nan) == len(alarms),
            "every step is an alarm": len(alarms) == len(asked) and kind == "falling",
            "the limit is a multiple of the level: a multiple of a negative number lies below it": len(alarms) > 0.9 * len(asked),
            "the limit stands inside the noise: one ordinary step in a thousand lies 3 standard deviations above the level": True,
        },
    )
    missed = [f"{name} at {step}" for (step, name), fires in zip(incidents.items(), fired[len(asked) :]) if not fires]
    if missed:
        got = f"missed: {', '.join(missed)}"
        check.that(False, what="every incident of a run is found", call=call, got=got, turns=spike_habits())


def check_equal_losses():
    call = "spike_alert at steps 50, 55, 60, ... 145 of a run whose loss is always -1"
    alarms = sum(ask_spikes([([-1.0] * step, -1.0) for step in range(50, 150, 5)], call))
    turns = {
        "a loss on the limit counts as above it: where all are equal, the limit is their level": ask_spikes([([1.0] * 60, 1.0)], call)[0],
        "a multiple of a negative number is the limit: -1 is above 10 times -1": True,
    }
    check.that(not alarms, what="equal losses are no spike", call=call, got=f"{alarms} alarms in 20 steps", turns=turns)


def check_spikes():
    check_spike_kinds(range(20))
    check_planted_run(0, "falling")
    check_planted_run(1, "negative")
    check_equal_losses()


check.run(check_spikes)


### BEGIN HIDDEN TESTS
def check_spikes_elsewhere():
    rng = check.hidden_rng(102)
    check_spike_kinds(rng.integers(1, 2**31, 20).tolist())
    check_planted_run(int(rng.integers(2**31)), "through zero", scale=10 ** rng.uniform(-3, 3))
    few, level = int(rng.integers(2, 20)), rng.uniform(1, 3)
    histories = [[], [np.nan], [np.nan] * 60, [level] * few]
    questions = [(history, loss) for loss in (np.nan, np.inf, -np.inf) for history in histories]

    def call_of(history, loss):
        return f"spike_alert({history if len(history) < 9 else f'{len(history)} losses'}, {loss})"

    for question, fires in zip(questions, ask_spikes(questions, call_of)):
        check.that(fires, what="nan and inf are spikes, whatever came before", call=call_of(*question), got=False)


check.run(check_spikes_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# An alarm compares a loss with what it remembers. Ask of your memory: is the loss that is being judged in it? What is
# in it just after a spike of thirty times, and just after a `nan`? And does "three times" mean anything at a loss of
# -2?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# To ask seldom is to miss what passes. To ask often, and compare with a multiple of a mean, is to be fooled by the mean. The
# spike itself is in it, the last one is in it, and a single `nan` ruins it. The limit has to be a level *plus* so many times the
# noise, both taken from numbers that a few wild losses cannot move.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# First the loss that is no finite number: that is an alarm, at any step. Then take the last hundred losses that are
# finite, without this one. Their median is the level. The median of their distances from it, times 1.48, is the
# standard deviation of the noise, and hardly feels a few spikes. Somewhere between five and ten of these above the
# level, ring the bell.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Mistake 2: Checking Loss Too Infrequently.*
#
# A look at every 10 000th step sees step 0 of this run, and nothing else. With the window $x_1,\dots,x_n$ of the last
# finite losses, and $\ell$ the loss of this step:
#
# $$m=\mathrm{med}(x_i),\qquad s=1.4826\;\mathrm{med}\,|x_i-m|,$$
#
# $$\text{alarm where } \ell>m+k\,s \text{ or } \ell \text{ is not finite.}$$
#
# $m$ is the level and $s$ the noise; $1.4826$ makes $s$ the standard deviation where the noise is Gaussian, and $k=8$
# here. Up to half of the window may be wild before the two break down; a mean breaks down with one (Hampel 1974, doi
# 10.1080/01621459.1974.10482962). Measured on 20 runs with nine incidents each: all nine found, and no false alarm.
#
# **When the advice misleads.** The document asks at every step, `loss > 10 * np.mean(history[-100:])`, and has put the
# loss into the history before. With a level of 1 and a loss of $\ell$ the mean is $(99+\ell)/100$, and the alarm needs
# $\ell>11$. In a history of $n$ losses the mean is at least $\ell/n$ where no loss is negative, so that nothing fires
# while $n\le 10$, not a factor of a million. Of the nine incidents it finds one, the spike of thirty times. It finds
# neither `nan` nor `inf`, since `inf > inf` is False, and is blind for the hundred steps that they stay in the window.
# On a constant loss of $-1$ it fires at every step, since $-1>-10$. (Its `if history else float('inf')` does nothing
# either: the history has just been filled.)
#
# **Six standard deviations above the mean**, without the loss itself, is the next thing that one tries. It finds eight
# of the nine, and misses the one that follows the spike of thirty times: the standard deviation of the window is then
# about three times the level.
#
# **What the alarm cannot do.** A rise that takes longer than the window is never a spike: that is a matter for a trend. After a
# jump that stays, this rule rings for about fifty steps, until the new level has the majority. A rule that admits only losses
# that it did not flag rings for ever. And where the loss is heavy-tailed, as in reinforcement learning, $k=8$ is too low. Choose
# it from the false alarms of a run that you know to be healthy.
#
# **What to do when it rings** is another question. In large models a known answer is to go back to a checkpoint before
# the spike and leave out the batches around it (Chowdhery et al. 2022, arXiv 2204.02311, section 5.1).
#
# **In PyTorch** there is no such alarm; `loss.item()` at every step is all that this one needs.
#
# </details>
