# %% right="median and MAD"
def find_outliers(x):
    distance = np.abs(x - np.median(x, axis=0))
    mad = 1.4826 * np.median(distance, axis=0)
    return np.where(np.any((distance > 10 * mad) & (mad > 0), axis=1))[0].tolist()


# %% right="Tukey's fences, in a loop, wide"
def find_outliers(x):
    rows = set()
    for column in x.T:
        q1, q3 = np.quantile(column, 0.25), np.quantile(column, 0.75)
        if q1 == q3:
            continue
        fence = 4 * (q3 - q1)
        for row, value in enumerate(column):
            if value < q1 - fence or value > q3 + fence:
                rows.add(row)
    return list(rows)


# %% right="a mask, from the shortest half"
def find_outliers(x):
    ordered = np.sort(x, axis=0)
    half = len(x) // 2
    lengths = ordered[half:] - ordered[: len(x) - half]
    best = lengths.argmin(axis=0)
    columns = np.arange(x.shape[1])
    low, high = ordered[best, columns], ordered[best + half, columns]
    width = high - low
    far = (x < low - 6 * width) | (x > high + 6 * width)
    return (far & (width > 0)).any(axis=1)


# %% right="mean and std of the middle half"
def find_outliers(x):
    middle = np.sort(x, axis=0)[len(x) // 4 : -(len(x) // 4)]
    centre, spread = middle.mean(axis=0), middle.std(axis=0)
    return [i for i, row in enumerate(x) if any(abs(v - c) > 20 * s > 0 for v, c, s in zip(row, centre, spread))]


# %% right="the shortest stretch that holds 80 %, as np.where gives it"
def find_outliers(x):
    named = np.zeros(len(x), dtype=bool)
    for column in x.T:
        if len(np.unique(column)) <= 2:
            continue
        ordered = np.sort(column)
        count = int(0.8 * len(column))
        stretches = ordered[count:] - ordered[:-count]
        start = stretches.argmin()
        middle, half = (ordered[start] + ordered[start + count]) / 2, stretches[start] / 2
        named |= np.abs(column - middle) > 8 * half / 1.28
    return np.where(named)


# %% untouched says="the farthest hides the others"

# %% emptied says="row numbers come back, or a mask|None"


# %% wrong="six standard deviations" says="sqrt(n - 1)"
def find_outliers(x):
    # 6 sigma never happens in a small table; so ask more
    z = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-12)
    return np.flatnonzero((np.abs(z) > 20).any(axis=1))


# %% wrong="plain z, again and again" says="they hide each other"
def find_outliers(x):
    kept = np.arange(len(x))
    while len(kept) > 2:
        z = (x[kept] - x[kept].mean(axis=0)) / (x[kept].std(axis=0) + 1e-12)
        bad = (np.abs(z) > 4.5).any(axis=1)
        if not bad.any():
            break
        kept = kept[~bad]
    return np.setdiff1d(np.arange(len(x)), kept)


# %% wrong="each by the mean and std of the others" says="the farthest hides the others"
def find_outliers(x):
    rows = []
    for i in range(len(x)):
        others = np.delete(x, i, axis=0)
        if (np.abs(x[i] - others.mean(axis=0)) > 6 * others.std(axis=0) + 1e-9).any():
            rows.append(i)
    return rows


# %% wrong="the median, but the standard deviation" says="the farthest hides the others"
def find_outliers(x):
    z = (x - np.median(x, axis=0)) / (x.std(axis=0) + 1e-12)
    return np.flatnonzero((np.abs(z) > 4).any(axis=1))


# %% wrong="the outer percentiles" says="between percentiles that lie among the outliers"
def find_outliers(x):
    low, high = np.percentile(x, [10, 90], axis=0)
    width = high - low
    return np.flatnonzero((((x < low - 4 * width) | (x > high + 4 * width)) & (width > 0)).any(axis=1))


# %% wrong="a hundredth at each end" says="a fixed share is cut off at the ends"
def find_outliers(x):
    low, high = np.percentile(x, [1, 99], axis=0)
    return np.flatnonzero(((x < low) | (x > high)).any(axis=1))


# %% wrong="the fences of a box plot" says="the bound is too low"
def find_outliers(x):
    low, high = np.percentile(x, [25, 75], axis=0)
    fence = 1.5 * (high - low)
    return np.flatnonzero(((x < low - fence) | (x > high + fence)).any(axis=1))


# %% wrong="the places of the values" says="row numbers come back, or a mask"
def find_outliers(x):
    low, high = np.percentile(x, [25, 75], axis=0)
    fence = 5 * (high - low)
    return np.argwhere((x < low - fence) | (x > high + fence))


# %% wrong="the table without them" says="row numbers come back, or a mask"
def find_outliers(x):
    low, high = np.percentile(x, [25, 75], axis=0)
    fence = 5 * (high - low)
    return x[~((x < low - fence) | (x > high + fence)).any(axis=1)]


# %% wrong="a bound for all columns" says="one bound stands for all columns"
def find_outliers(x):
    return np.flatnonzero((np.abs(x) > 20).any(axis=1))


# %% wrong="one median and one MAD for the whole table" says="all columns share one spread"
def find_outliers(x):
    distance = np.abs(x - np.median(x))
    mad = np.median(distance)
    return np.flatnonzero((distance > 12 * mad).any(axis=1))


# %% wrong="the length of the row" says="all columns share one spread, or a row's length is judged"
def find_outliers(x):
    length = np.linalg.norm(x - np.median(x, axis=0), axis=1)
    return np.flatnonzero(length > 6 * np.median(length))


# %% wrong="MAD of zero" says="the spread of such a column is 0, and whatever differs is infinitely far"
def find_outliers(x):
    distance = np.abs(x - np.median(x, axis=0))
    return np.flatnonzero((distance > 10 * np.median(distance, axis=0)).any(axis=1))


# %% wrong="MAD of zero, with a small number added" says="the spread of such a column is 0, and whatever differs"
def find_outliers(x):
    distance = np.abs(x - np.median(x, axis=0))
    return np.flatnonzero((distance / (np.median(distance, axis=0) + 1e-12) > 10).any(axis=1))


# %% wrong="only above" says="only one side is looked at"
def find_outliers(x):
    low, centre, high = np.percentile(x, [25, 50, 75], axis=0)
    return np.flatnonzero(((x - centre > 8 * (high - low)) & (high > low)).any(axis=1))


# %% sign
def sign(seed):
    """Without the rows that are named, the loss after 120 steps is above 1, or not a number.

    Measured on 20 seeds: broken not finite in 20 of 20, mended 0.003 to 0.018 in 20 of 20.
    """
    return not fit_without(find_outliers, seed)[2]["loss"][-1] < 1
