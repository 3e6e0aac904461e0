# %% right="an interval on the fall"
def more_data_helps(train_on, sizes, draws=8):
    best = {n: [min(train_on(n, draw)[1]) for draw in range(draws)] for n in sizes}
    a, b = np.array(best[sizes[-2]]), np.array(best[sizes[-1]])
    fall = (a.mean() - b.mean()) / a.mean()
    half_width = 2 * (a.var(ddof=1) / draws + b.var(ddof=1) / draws) ** 0.5 / a.mean()
    if half_width > 0.1:
        return "cannot tell"
    if fall - half_width > 0.04:
        return "more data"
    return "not the data"


# %% right="logarithms"
def more_data_helps(train_on, sizes, draws=8):
    half = np.log([np.min(train_on(sizes[-2], i)[1]) for i in range(draws)])
    full = np.log([np.min(train_on(sizes[-1], i)[1]) for i in range(draws)])
    pooled = np.sqrt((half.var(ddof=1) + full.var(ddof=1)) / 2)
    if pooled > 0.15:
        return "cannot tell"
    return "more data" if half.mean() - full.mean() > 0.08 else "not the data"


# %% right="medians and quartiles"
def more_data_helps(train_on, sizes, draws=8):
    half, full = ([float(np.nanmin(train_on(n, i)[1])) for i in range(draws)] for n in sizes[-2:])
    scatter = max(np.std(half) / np.mean(half), np.std(full) / np.mean(full))
    if scatter > 0.16:
        return "cannot tell"
    if np.median(full) < 0.92 * np.median(half):
        return "more data"
    return "not the data"


# %% right="a bootstrap"
def more_data_helps(train_on, sizes, draws=8):
    rng = np.random.default_rng(0)
    half, full = (np.array([min(train_on(n, i)[1]) for i in range(draws)]) for n in sizes[-2:])
    rows = rng.integers(draws, size=(2, 300, draws))
    ratios = full[rows[0]].mean(axis=1) / half[rows[1]].mean(axis=1)
    if ratios.std() > 0.06:
        return "cannot tell"
    return "more data" if ratios.mean() < 0.925 else "not the data"


# %% right="first whether two errors reach from nothing to 15 %, then a paired comparison"
def more_data_helps(train_on, sizes, draws=8):
    falls = np.array([np.log(min(train_on(sizes[-2], k)[1]) / min(train_on(sizes[-1], k)[1])) for k in range(draws)])
    error = falls.std(ddof=1) / np.sqrt(draws)
    if error > 0.06:
        return "cannot tell"
    return "more data" if falls.mean() > 0.08 else "not the data"


# %% right="an interval of two errors, wherever it lies"
def more_data_helps(train_on, sizes, draws=8):
    half, full = (np.array([min(train_on(n, i)[1]) for i in range(draws)]) for n in sizes[-2:])
    fall = 1 - full.mean() / half.mean()
    error = np.hypot(half.std(ddof=1), full.std(ddof=1)) / np.sqrt(draws) / half.mean()
    if fall - 2 * error > 0.03:
        return "more data"
    if fall + 2 * error < 0.15:
        return "not the data"
    return "cannot tell"


# %% untouched says="the training loss decides, at one size"

# %% emptied says="one of the three verdicts|None"


# %% wrong="memorised at every size" says="the training loss decides"
def more_data_helps(train_on, sizes, draws=8):
    gaps = [train_on(n, 0)[0][-1] / min(train_on(n, 0)[1]) for n in sizes]
    return "more data" if max(gaps) < 0.2 else "not the data"


# %% wrong="always more" says="the same verdict"
def more_data_helps(train_on, sizes, draws=8):
    return "more data"


# %% wrong="always unsure" says="the same verdict"
def more_data_helps(train_on, sizes, draws=8):
    return "cannot tell"


# %% wrong="the first size against the last" says="the first size is compared with the last"
def more_data_helps(train_on, sizes, draws=8):
    small, full = (np.array([min(train_on(n, i)[1]) for i in range(draws)]) for n in (sizes[0], sizes[-1]))
    if max(small.std() / small.mean(), full.std() / full.mean()) > 0.16:
        return "cannot tell"
    return "more data" if full.mean() < 0.9 * small.mean() else "not the data"


# %% wrong="no error bar" says="there is no error bar"
def more_data_helps(train_on, sizes, draws=8):
    half, full = (np.mean([min(train_on(n, i)[1]) for i in range(draws)]) for n in sizes[-2:])
    return "more data" if full < 0.92 * half else "not the data"


# %% wrong="the same draw eight times" says="there is no error bar"
def more_data_helps(train_on, sizes, draws=8):
    half, full = (np.array([min(train_on(n, 0)[1]) for _ in range(draws)]) for n in sizes[-2:])
    if max(half.std() / half.mean(), full.std() / full.mean()) > 0.16:
        return "cannot tell"
    return "more data" if full.mean() < 0.9 * half.mean() else "not the data"


# %% wrong="the last validation loss" says="the last validation loss is looked at"
def more_data_helps(train_on, sizes, draws=8):
    half, full = (np.array([train_on(n, i)[1][-1] for i in range(draws)]) for n in sizes[-2:])
    if max(half.std() / half.mean(), full.std() / full.mean()) > 0.15:
        return "cannot tell"
    return "more data" if full.mean() < 0.925 * half.mean() else "not the data"


# %% wrong="any fall" says="any fall counts"
def more_data_helps(train_on, sizes, draws=8):
    half, full = (np.array([min(train_on(n, i)[1]) for i in range(draws)]) for n in sizes[-2:])
    if half.std() / half.mean() > 0.16:
        return "cannot tell"
    return "more data" if full.mean() < half.mean() else "not the data"


# %% wrong="a line through all sizes" says="the first size is compared with the last"
def more_data_helps(train_on, sizes, draws=8):
    lowest = np.array([[min(train_on(n, i)[1]) for i in range(draws)] for n in sizes])
    if (lowest.std(axis=1) / lowest.mean(axis=1)).max() > 0.2:
        return "cannot tell"
    slope = np.polyfit(np.log(sizes), np.log(lowest.mean(axis=1)), 1)[0]
    return "more data" if slope < -0.12 else "not the data"


# %% wrong="one error of the mean, and the fall first" says="before the scatter is looked at"
def more_data_helps(train_on, sizes, draws=8):
    half, full = (np.array([min(train_on(n, i)[1]) for i in range(draws)]) for n in sizes[-2:])
    error = np.sqrt((half.var(ddof=1) + full.var(ddof=1)) / draws)
    if half.mean() - full.mean() > max(error, 0.07 * half.mean()):
        return "more data"
    return "cannot tell" if error > 0.06 * half.mean() else "not the data"


# %% sign="of data sets A and B, those judged wrongly" above=0
def sign(seed):
    truth = {"A": "more data", "B": "not the data"}
    return sum(more_data_helps(data_runs(name, seed), list(DATA_SIZES[name]), 8) != said for name, said in truth.items())
