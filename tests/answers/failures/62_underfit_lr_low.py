# %% right="both probes first, then a table"
def why_underfit(probe, chance):
    fits = [np.min(probe(factor, 210)) < chance * 0.36 for factor in (1, 10)]
    return {(True, True): "time", (True, False): "time", (False, True): "rate", (False, False): "size"}[tuple(fits)]


# %% right="tenfold first, all decided at the end"
def why_underfit(probe, chance):
    tenfold = sorted(probe(10.0, 200))[0] / chance
    own = sorted(probe(1.0, 200))[0] / chance
    if own < 1 / 3:
        return "time"
    if tenfold < 1 / 3:
        return "rate"
    return "size"


# %% right="any loss below the line, nested"
def why_underfit(probe, chance):
    line = 0.38 * chance
    if not any(loss < line for loss in probe(1, 200)):
        losses = np.array(probe(10, 200))
        return "size" if (losses > line).all() else "rate"
    return "time"


# %% right="stops asking when settled"
def why_underfit(probe, chance):
    answers = iter(["time", "rate"])
    for factor in [1, 10]:
        answer = next(answers)
        lowest = np.inf
        for loss in probe(lr_factor=factor, steps=200):
            lowest = min(lowest, loss)
        if lowest <= 0.33 * chance:
            return answer
    return "size"


# %% right="the loss in the end, and not the lowest"
def why_underfit(probe, chance):
    if probe(1, 200)[-1] < 0.35 * chance:
        return "time"
    return "rate" if probe(10, 200)[-1] < 0.35 * chance else "size"


# %% untouched says="the rate as it is was not given its 200 steps"

# %% emptied says="the verdict is 'rate' or 'size' or 'time'"


# %% wrong="the rate as it is, and nothing else" says="only the rate as it is was tried"
def why_underfit(probe, chance):
    return "time" if min(probe(1, 200)) < 0.35 * chance else "size"


# %% wrong="tenfold comes first" says="the rate as it is was not given its 200 steps"
def why_underfit(probe, chance):
    if min(probe(10, 200)) < 0.35 * chance:
        return "rate"
    return "time" if min(probe(1, 200)) < 0.35 * chance else "size"


# %% wrong="the better of the two factors" says="the tenfold rate is believed over the run's own"
def why_underfit(probe, chance):
    own, tenfold = min(probe(1, 200)), min(probe(10, 200))
    if min(own, tenfold) > 0.35 * chance:
        return "size"
    return "time" if own < tenfold else "rate"


# %% wrong="falls a little at its own rate" says="a loss that falls without fitting the batch is taken for a run that needs time"
def why_underfit(probe, chance):
    losses = probe(1, 200)
    if losses[-1] < 0.9 * losses[0]:
        return "time"
    return "rate" if min(probe(10, 200)) < 0.35 * chance else "size"


# %% wrong="falls a little at ten times the rate" says="a small network"
def why_underfit(probe, chance):
    if min(probe(1, 200)) < 0.35 * chance:
        return "time"
    losses = probe(10, 200)
    return "rate" if min(losses) < losses[0] else "size"


# %% wrong="a fixed number of nats" says="the loss is compared with a fixed number"
def why_underfit(probe, chance):
    for factor, cause in ((1, "time"), (10, "rate")):
        if min(probe(factor, 200)) < 0.4:
            return cause
    return "size"


# %% wrong="thirty steps" says="the probes end too soon"
def why_underfit(probe, chance):
    for factor, cause in ((1, "time"), (10, "rate")):
        if min(probe(factor, 30)) < 0.35 * chance:
            return cause
    return "size"


# %% wrong="a ladder of factors" says="at most 450 steps|one factor after another"
def why_underfit(probe, chance):
    for factor in (1, 10, 100, 1000):
        if min(probe(factor, 200)) < 0.35 * chance:
            return "time" if factor == 1 else "rate"
    return "size"


# %% wrong="two to ten times, the factor 3" says="other factors than 1 and 10 are asked"
def why_underfit(probe, chance):
    for factor, cause in ((1, "time"), (2, "rate")):
        if min(probe(factor, 200)) < 0.35 * chance:
            return cause
    return "size"


# %% sign="of three runs, those whose cause is named wrongly" above=0
def sign(seed):
    return sum(underfit_verdict(why_underfit, BatchProbe(seed, *run)) != cause for cause, run in UNDERFIT_RUNS.items())
