# %% right="a ladder from above, in halves of a decade"
def why_flat(probe, chance):
    best = np.inf
    for exponent in np.arange(5, 0.9, -0.5):
        held_out = [loss for loss in probe(10**exponent, 60)[1] if np.isfinite(loss)]
        best = min([best, *held_out])
    return "lr" if best < 0.85 * chance else "labels"


# %% right="the last loss of each rung"
def why_flat(probe, chance):
    ends = np.array([probe(f, 100)[1][-1] for f in (30, 300, 3e3, 3e4, 1e5)])
    return "lr" if (ends < 0.85 * chance).any() else "labels"


# %% right="stops at the first that helps"
def why_flat(probe, chance):
    factor, left = 10, 600
    while left >= 80 and factor <= 3e5:
        _, held_out = probe(factor, 80)
        left -= 80
        if min(held_out) < chance * 0.8:
            return "lr"
        factor *= 5
    return "labels"


# %% right="accuracy of the words: numpy strings"
def why_flat(probe, chance):
    losses = np.concatenate([probe(f, 110)[1] for f in 10.0 ** np.arange(1, 6)])
    return np.array(["labels", "lr"])[int(np.nanmin(losses) / chance < 0.83)]


# %% untouched says="the training loss is believed"

# %% emptied says="the verdict is|None"


# %% wrong="the usual advice: ten times, and the training loss" says="training loss is believed"
def why_flat(probe, chance):
    losses = probe(10, 200)[0]
    return "lr" if losses[-1] < losses[0] - 0.01 else "labels"


# %% wrong="train longer" says="only trained longer"
def why_flat(probe, chance):
    losses = probe(1, 600)[1]
    return "lr" if losses[-1] < 0.8 * chance else "labels"


# %% wrong="flat is always the rate" says="both verdicts need a probe|a verdict is given untried"
def why_flat(probe, chance):
    return "lr"


# %% wrong="a ladder, and the training loss" says="training loss is believed"
def why_flat(probe, chance):
    best = min(np.nanmin(probe(f, 100)[0]) for f in (10, 100, 1e3, 1e4, 1e5))
    return "lr" if best < 0.82 * chance else "labels"


# %% wrong="ten times, held out" says="not raised far enough"
def why_flat(probe, chance):
    return "lr" if min(probe(10, 100)[1]) < 0.75 * chance else "labels"


# %% wrong="a thousand times, held out" says="not raised far enough"
def why_flat(probe, chance):
    return "lr" if min(probe(100, 100)[1]) < 0.82 * chance else "labels"


# %% wrong="the highest rate only" says="only one factor was tried"
def why_flat(probe, chance):
    return "lr" if probe(1e5, 100)[1][-1] < 0.82 * chance else "labels"


# %% wrong="whole runs" says="at most 600 steps|as long as the whole run"
def why_flat(probe, chance):
    best = min(np.nanmin(probe(f, 400)[1]) for f in (10, 100, 1e3, 1e4, 1e5))
    return "lr" if best < 0.82 * chance else "labels"


# %% wrong="True where the rate is to blame" says="the verdict is|True or False is returned"
def why_flat(probe, chance):
    return min(np.nanmin(probe(f, 100)[1]) for f in (10, 100, 1e3, 1e4, 1e5)) < 0.9


# %% wrong="the held-out loss has fallen" says="compared with its own beginning"
def why_flat(probe, chance):
    for factor in (10, 100, 1e3, 1e4, 1e5):
        held_out = probe(factor, 100)[1]
        if held_out[-1] < 0.9 * held_out[0]:
            return "lr"
    return "labels"


# %% wrong="two factors, far apart" says="beside the band that helps"
def why_flat(probe, chance):
    for factor in (1e3, 1e5):
        if np.nanmin(probe(factor, 300)[1]) < 0.8 * chance:
            return "lr"
    return "labels"


# %% wrong="a fixed number" says="what is it compared with"
def why_flat(probe, chance):
    lowest = min(np.nanmin(probe(factor, 100)[1]) for factor in (10, 100, 1e3, 1e4, 1e5))
    return "lr" if lowest < 0.5 else "labels"


# %% sign="of two runs that stand still, those judged wrongly" above=0
def sign(seed):
    causes = {"lr": FlatRun(seed, False), "labels": FlatRun(seed, True)}
    return sum(flat_verdict(why_flat, run) != cause for cause, run in causes.items())
