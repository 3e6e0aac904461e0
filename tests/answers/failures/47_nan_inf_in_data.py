# %% right="one table, n - 1"
def standardise(x, y, max_share=0.1):
    table = np.column_stack([x, y])
    bad = [row for row in range(len(table)) if not np.all(np.abs(table[row]) < np.inf)]
    if len(bad) / len(table) > max_share:
        raise ValueError("too many")
    table = np.delete(table, bad, axis=0)
    z = table[:, :-1] - table[:, :-1].mean(axis=0)
    sd = table[:, :-1].std(axis=0, ddof=1)
    for column in range(z.shape[1]):
        if sd[column] < 1e-10 * max(1, np.abs(table[:, column]).max()):
            z[:, column] = 0
        else:
            z[:, column] /= sd[column]
    return z, table[:, -1], bad


# %% right="sums"
def standardise(x, y, max_share=0.1):
    good = (np.isnan(x) | np.isinf(x)).sum(axis=1) + np.isnan(y) + np.isinf(y) == 0
    dropped = np.nonzero(~good)[0]
    if dropped.size > max_share * good.size:
        raise ValueError(dropped)
    kept = x[good]
    mean = kept.sum(axis=0) / len(kept)
    variance = ((kept - mean) ** 2).sum(axis=0) / len(kept)
    is_flat = kept.max(axis=0) == kept.min(axis=0)
    return np.where(is_flat, 0, (kept - mean) / np.sqrt(np.where(is_flat, 1, variance))), y[good], dropped


# %% right="row by row"
def standardise(x, y, max_share=0.1):
    rows, targets, dropped = [], [], []
    for number, (row, target) in enumerate(zip(x.tolist(), y.tolist())):
        if all(abs(value) < float("inf") for value in row + [target]):
            rows.append(row)
            targets.append(target)
        else:
            dropped.append(number)
    if len(dropped) > max_share * len(x):
        raise ValueError("more than max_share of the rows are not finite")
    columns = []
    for column in zip(*rows):
        column = np.array(column)
        flat = len(set(column.tolist())) == 1
        columns.append(0 * column if flat else (column - np.mean(column)) / np.std(column))
    return np.stack(columns, axis=1).tolist(), targets, tuple(dropped)


# %% right="a masked array"
def standardise(x, y, max_share=0.1):
    bad = np.ma.getmaskarray(np.ma.masked_invalid(x)).any(axis=1) | np.ma.getmaskarray(np.ma.masked_invalid(y))
    if np.mean(bad) > max_share + 1e-12:
        raise ValueError
    kept = np.compress(~bad, x, axis=0)
    spread = kept.std(axis=0)
    spread[np.ptp(kept, axis=0) == 0] = 1
    z = (kept - np.average(kept, axis=0)) / spread
    z[:, np.ptp(kept, axis=0) == 0] = 0
    return [z, y[~bad], list(np.where(bad)[0])]


# %% untouched says="inf - inf is nan, and the whole column goes"

# %% emptied says="three things are returned|None"


# %% wrong="zeros for what came out as nan" says="the bad numbers are replaced, silently"
def standardise(x, y, max_share=0.1):
    with np.errstate(all="ignore"):
        z = (x - x.mean(axis=0)) / x.std(axis=0)
    return np.where(np.isfinite(z), z, 0), y, []


# %% wrong="nan_to_num on the raw table" says="the bad numbers are replaced, silently"
def standardise(x, y, max_share=0.1):
    x = np.nan_to_num(x)
    return (x - x.mean(axis=0)) / x.std(axis=0), y, []


# %% wrong="the median for a bad number" says="the bad numbers are replaced, silently"
def standardise(x, y, max_share=0.1):
    x = np.where(np.isfinite(x), x, np.nan)
    x = np.where(np.isnan(x), np.nanmedian(x, axis=0), x)
    return (x - x.mean(axis=0)) / x.std(axis=0), y, []


# %% wrong="isnan" says="the whole column goes"
def standardise(x, y, max_share=0.1):
    good = ~(np.isnan(x).any(axis=1) | np.isnan(y))
    x = x[good]
    with np.errstate(all="ignore"):
        return (x - x.mean(axis=0)) / x.std(axis=0), y[good], np.flatnonzero(~good)


# %% wrong="the inputs only" says="only x is looked at"
def standardise(x, y, max_share=0.1):
    good = np.isfinite(x).all(axis=1)
    if (~good).mean() > max_share:
        raise ValueError
    kept = x[good]
    spread = np.where(np.ptp(kept, axis=0) > 0, kept.std(axis=0), np.inf)
    return (kept - kept.mean(axis=0)) / spread, y[good], np.flatnonzero(~good)


# %% wrong="the targets keep their rows" says="y keeps its rows"
def standardise(x, y, max_share=0.1):
    good = np.isfinite(x).all(axis=1) & np.isfinite(y)
    kept = x[good]
    spread = np.where(np.ptp(kept, axis=0) > 0, kept.std(axis=0), np.inf)
    return (kept - kept.mean(axis=0)) / spread, y, np.flatnonzero(~good)


# %% wrong="nobody is told" says="the rows are dropped, and nobody is told which"
def standardise(x, y, max_share=0.1):
    good = np.isfinite(x).all(axis=1) & np.isfinite(y)
    if (~good).mean() > max_share:
        raise ValueError
    kept = x[good]
    spread = np.where(np.ptp(kept, axis=0) > 0, kept.std(axis=0), np.inf)
    return (kept - kept.mean(axis=0)) / spread, y[good], []


# %% wrong="statistics of all finite numbers" says="the finite numbers of dropped rows take part"
def standardise(x, y, max_share=0.1):
    good = np.isfinite(x).all(axis=1) & np.isfinite(y)
    if (~good).mean() > max_share:
        raise ValueError
    finite = np.where(np.isfinite(x), x, np.nan)
    spread = np.nanstd(finite, axis=0)
    return (x[good] - np.nanmean(finite, axis=0)) / np.where(spread > 0, spread, np.inf), y[good], np.flatnonzero(~good)


# %% wrong="outliers go as well" says="good rows are dropped too"
def standardise(x, y, max_share=0.1):
    middle = np.nanmedian(x, axis=0)
    size = np.nanmedian(np.abs(x - middle), axis=0) + 1e-9
    with np.errstate(all="ignore"):
        good = (np.abs(x - middle) < 20 * size + 1e-3).all(axis=1) & np.isfinite(y)
    if (~good).mean() > max_share:
        raise ValueError
    kept = x[good]
    spread = np.where(np.ptp(kept, axis=0) > 0, kept.std(axis=0), np.inf)
    return (kept - kept.mean(axis=0)) / spread, y[good], np.flatnonzero(~good)


# %% wrong="a constant column is divided by zero" says="a column without spread is divided by zero"
def standardise(x, y, max_share=0.1):
    good = np.isfinite(x).all(axis=1) & np.isfinite(y)
    if (~good).mean() > max_share:
        raise ValueError
    kept = x[good]
    with np.errstate(all="ignore"):
        return (
            (kept - kept.mean(axis=0)) / (kept.max(axis=0) > kept.min(axis=0)) / kept.std(axis=0),
            y[good],
            np.flatnonzero(~good),
        )


# %% wrong="no table is refused" says="no table is ever refused"
def standardise(x, y, max_share=0.1):
    good = np.isfinite(x).all(axis=1) & np.isfinite(y)
    kept = x[good]
    spread = np.where(np.ptp(kept, axis=0) > 0, kept.std(axis=0), np.inf)
    return (kept - kept.mean(axis=0)) / spread, y[good], np.flatnonzero(~good)


# %% wrong="any bad row is refused" says="any bad row is refused: one division by zero stops the work"
def standardise(x, y, max_share=0.1):
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("not finite")
    return (x - x.mean(axis=0)) / x.std(axis=0), y, []


# %% wrong="a tenth, whatever is asked" says="0.1 stands where max_share is meant"
def standardise(x, y, max_share=0.1):
    good = np.isfinite(x).all(axis=1) & np.isfinite(y)
    if (~good).mean() > 0.1:
        raise ValueError
    kept = x[good]
    spread = np.where(np.ptp(kept, axis=0) > 0, kept.std(axis=0), np.inf)
    return (kept - kept.mean(axis=0)) / spread, y[good], np.flatnonzero(~good)


# %% wrong="the share of the numbers" says="the share is counted over the numbers of the table"
def standardise(x, y, max_share=0.1):
    good = np.isfinite(x).all(axis=1) & np.isfinite(y)
    if np.mean(~np.isfinite(x)) > max_share:
        raise ValueError
    kept = x[good]
    spread = np.where(np.ptp(kept, axis=0) > 0, kept.std(axis=0), np.inf)
    return (kept - kept.mean(axis=0)) / spread, y[good], np.flatnonzero(~good)


# %% wrong="a spread of exactly 0 is asked for" says="the mean of equal numbers is rounded"
def standardise(x, y, max_share=0.1):
    good = np.isfinite(x).all(axis=1) & np.isfinite(y)
    if len(x) - good.sum() > max_share * len(x):
        raise ValueError("too many bad rows")
    kept = x[good]
    spread = kept.std(axis=0)
    spread[spread == 0] = 1
    z = (kept - kept.mean(axis=0)) / spread
    return z, y[good], np.flatnonzero(~good)


# %% wrong="the spread is 1e-12 at least" says="the mean of equal numbers is rounded"
def standardise(x, y, max_share=0.1):
    good = np.isfinite(x).all(axis=1) & np.isfinite(y)
    if len(x) - good.sum() > max_share * len(x):
        raise ValueError("too many bad rows")
    kept = x[good]
    return (kept - kept.mean(axis=0)) / np.maximum(kept.std(axis=0), 1e-12), y[good], np.flatnonzero(~good)


# %% sign="share of 60 steps whose loss is not finite" above=0
def sign(seed):
    return np.mean(~np.isfinite(fit_table(standardise, seed)[0]))
