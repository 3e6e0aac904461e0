# %% right="start at the first value"
def smooth(values, beta=0.99):
    average, shown = None, []
    for value in values:
        if np.isfinite(value):
            average = value if average is None else beta * average + (1 - beta) * value
        shown.append(np.nan if average is None else average)
    return shown


# %% right="start at the first value, an array"
def smooth(values, beta=0.99):
    values = np.asarray(values, dtype=float)
    shown = np.full(len(values), np.nan)
    average = None
    for step, value in enumerate(values):
        if np.isfinite(value):
            average = value if average is None else average + (1 - beta) * (value - average)
        if average is not None:
            shown[step] = average
    return shown


# %% right="sums of weights and of weighted values, in a generator's list"
def smooth(values, beta=0.99):
    def walk():
        weighted, weight = 0.0, 0.0
        for value in values:
            if abs(value) < float("inf"):
                weighted, weight = beta * weighted + value, beta * weight + 1
            yield weighted / weight if weight else float("nan")

    return list(walk())


# %% right="vectorised, a matrix of weights over the finite values"
def smooth(values, beta=0.99):
    values = np.array(values, dtype=np.float64)
    finite = np.isfinite(values)
    kept = values[finite]
    ages = np.arange(len(kept))[:, None] - np.arange(len(kept))
    weights = np.where(ages >= 0, float(beta) ** np.maximum(ages, 0), 0)
    averages = np.append(weights @ kept / np.maximum(weights.sum(axis=1), 1e-300), np.nan)
    return averages[np.cumsum(finite) - 1]


# %% right="float32"
def smooth(values, beta=0.99):
    shown = []
    for value in np.array(values, dtype=np.float32):
        last = shown[-1] if shown else np.float32("nan")
        if not np.isfinite(value):
            shown.append(last)
        elif np.isnan(last):
            shown.append(value)
        else:
            shown.append(np.float32(beta) * last + np.float32(1 - beta) * value)
    return shown


# %% untouched says="half of a jump is seen after 69 steps|50 steps after the jump|the mean of a window"

# %% emptied says="one number comes back for each step|None"


# %% wrong="the document's fix: both starts" says="a constant stays that constant|200 at step 0, 3.14 at step 100|from step 459|as in the document's fix"
def smooth(values, beta=0.99):
    smoothed_loss, shown = None, []
    for step, loss in enumerate(values):
        if smoothed_loss is None:
            smoothed_loss = loss
        else:
            smoothed_loss = beta * smoothed_loss + (1 - beta) * loss
        shown.append(smoothed_loss / (1 - beta ** (step + 1)))
    return shown


# %% wrong="starts at zero, not corrected" says="the average starts at zero and is not corrected"
def smooth(values, beta=0.99):
    average, shown = 0.0, []
    for value in values:
        if np.isfinite(value):
            average = beta * average + (1 - beta) * value
        shown.append(average)
    return shown


# %% wrong="corrected with t from 0" says="a constant stays|t one too small, or too large"
def smooth(values, beta=0.99):
    average, shown = 0.0, []
    for t, value in enumerate(values):
        average = beta * average + (1 - beta) * value
        shown.append(average / (1 - beta**t) if t else value)
    return shown


# %% wrong="beta and 1 - beta swapped" says="1 step after the jump|beta and 1 - beta are swapped"
def smooth(values, beta=0.99):
    shown = []
    for value in values:
        shown.append((1 - beta) * shown[-1] + beta * value if shown else value)
    return shown


# %% wrong="swapped, from zero" says="a constant stays|beta and 1 - beta are swapped"
def smooth(values, beta=0.99):
    average, shown = 0.0, []
    for value in values:
        average = (1 - beta) * average + beta * value
        shown.append(average)
    return shown


# %% wrong="from the end" says="no output looks at later values|from the end to the start"
def smooth(values, beta=0.99):
    shown = []
    for value in values[::-1]:
        shown.append(beta * shown[-1] + (1 - beta) * value if shown else value)
    return shown[::-1]


# %% wrong="both ways, so that nothing lags" says="no output looks at later values|both ways"
def smooth(values, beta=0.99):
    for _ in range(2):
        shown = []
        for value in values:
            shown.append(beta * shown[-1] + (1 - beta) * value if shown else value)
        values = shown[::-1]
    return values


# %% wrong="a centred window" says="no output looks at later values|or both ways"
def smooth(values, beta=0.99):
    half = int(1 / (1 - beta)) // 2
    return [np.mean(values[max(0, step - half) : step + half + 1]) for step in range(len(values))]


# %% wrong="one nan poisons it" says="a nan or inf is left out|one nan stays in the average for ever"
def smooth(values, beta=0.99):
    shown = []
    for value in values:
        shown.append(beta * shown[-1] + (1 - beta) * value if shown else value)
    return shown


# %% wrong="isnan only" says="only nan is left out"
def smooth(values, beta=0.99):
    average, shown = None, []
    for value in values:
        if not np.isnan(value):
            average = value if average is None else beta * average + (1 - beta) * value
        shown.append(np.nan if average is None else average)
    return shown


# %% wrong="nan as zero" says="what is not finite is taken for 0"
def smooth(values, beta=0.99):
    shown = []
    for value in np.nan_to_num(values, posinf=0, neginf=0):
        shown.append(beta * shown[-1] + (1 - beta) * value if shown else value)
    return shown


# %% wrong="a gap where the value is not finite" says="the step is left as a gap"
def smooth(values, beta=0.99):
    average, shown = None, []
    for value in values:
        if np.isfinite(value):
            average = value if average is None else beta * average + (1 - beta) * value
            shown.append(average)
        else:
            shown.append(np.nan)
    return shown


# %% wrong="the steps left out are counted" says="are counted in the correction"
def smooth(values, beta=0.99):
    average, last, shown = 0.0, np.nan, []
    for t, value in enumerate(values, start=1):
        if np.isfinite(value):
            average = beta * average + (1 - beta) * value
            last = average / (1 - beta**t)
        shown.append(last)
    return shown


# %% wrong="0 before the first finite value" says="before the first finite value|0 is shown where nothing is known yet"
def smooth(values, beta=0.99):
    average, count, shown = 0.0, 0, []
    for value in values:
        if np.isfinite(value):
            average, count = beta * average + (1 - beta) * value, count + 1
        shown.append(average / (1 - beta**count) if count else 0.0)
    return shown


# %% wrong="starts at the first value, nan or not" says="before the first finite value|even where that is nan or inf"
def smooth(values, beta=0.99):
    average, shown = values[0], [values[0]]
    for value in values[1:]:
        if np.isfinite(value):
            average = beta * average + (1 - beta) * value
        shown.append(average)
    return shown


# %% wrong="only the last value" says="only the last smoothed value is returned"
def smooth(values, beta=0.99):
    average = None
    for value in values:
        if np.isfinite(value):
            average = value if average is None else beta * average + (1 - beta) * value
    return average


# %% wrong="2 / (n + 1)" says="2 / (n + 1) is taken for the new value's share"
def smooth(values, beta=0.99):
    alpha = 2 / (1 / (1 - beta) + 1)
    average, shown = None, []
    for value in values:
        if np.isfinite(value):
            average = value if average is None else average + alpha * (value - average)
        shown.append(np.nan if average is None else average)
    return shown


# %% wrong="0.99, whatever is passed" says="beta is not read"
def smooth(values, beta=0.99):
    average, shown = None, []
    for value in values:
        if np.isfinite(value):
            average = value if average is None else 0.99 * average + 0.01 * value
        shown.append(np.nan if average is None else average)
    return shown


# %% wrong="the mean of all so far" says="all values from the start on are averaged"
def smooth(values, beta=0.99):
    return list(np.cumsum(values) / np.arange(1, len(values) + 1))


# %% wrong="the loss itself" says="1 step after the jump|or nothing is smoothed"
def smooth(values, beta=0.99):
    return list(values)


# %% sign="largest fall of the curve in one step, 100 steps after a bad batch, over its rise at it" above=0.5
def sign(seed):
    change = np.diff(smooth(losses_with_a_bad_batch(seed), beta=0.99))
    return -change[350:].min() / change[349]
