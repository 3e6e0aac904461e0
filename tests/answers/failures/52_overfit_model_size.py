# %% right="ten folds, by a mask"
def choose_degree(x, y, degrees, fit, rng):
    fold = rng.permutation(np.arange(len(x)) % 10)
    best, best_error = None, np.inf
    for d in degrees:
        total = 0.0
        for k in range(10):
            out = fold == k
            total += np.sum((y[out] - fit(x[~out], y[~out], d)(x[out])) ** 2)
        if total < best_error:
            best, best_error = d, total
    return best


# %% right="leave one out"
def choose_degree(x, y, degrees, fit, rng):
    def error(d):
        return sum((fit(np.delete(x, i), np.delete(y, i), d)(x[i : i + 1])[0] - y[i]) ** 2 for i in range(len(x)))

    return min(degrees, key=error)


# %% right="four folds, interleaved instead of shuffled"
def choose_degree(x, y, degrees, fit, rng):
    rows = np.arange(len(x))
    errors = []
    for d in degrees:
        squares = np.zeros(len(x))
        for k in range(4):
            out = rows % 4 == k
            squares[out] = (fit(x[~out], y[~out], d)(x[out]) - y[out]) ** 2
        errors.append(squares.mean())
    return int(np.array(degrees)[np.argmin(errors)])


# %% right="two folds, repeated"
def choose_degree(x, y, degrees, fit, rng):
    table = np.zeros(len(degrees))
    for _ in range(4):
        order = rng.permutation(len(x))
        half = len(x) // 2
        for a, b in ((order[:half], order[half:]), (order[half:], order[:half])):
            table += [np.sum((fit(x[a], y[a], d)(x[b]) - y[b]) ** 2) for d in degrees]
    return degrees[table.argmin()]


# %% right="the smallest degree within one standard error"
def choose_degree(x, y, degrees, fit, rng):
    order, k = rng.permutation(len(x)), 6
    table = []
    for d in degrees:
        row = []
        for j in range(k):
            test = order[j::k]
            keep = np.setdiff1d(order, test)
            row.append(np.mean((fit(x[keep], y[keep], d)(x[test]) - y[test]) ** 2))
        table.append(row)
    table = np.array(table)
    means = table.mean(axis=1)
    best = means.argmin()
    limit = means[best] + table[best].std(ddof=1) / np.sqrt(k)
    return next(d for d, m in zip(degrees, means) if m <= limit)


# %% untouched says="each fit is judged on the rows that it was fitted to"

# %% emptied says="nothing is fitted"


# %% wrong="the document's fix: a smaller model" says="no degree is right for all data, not the smallest either"
def choose_degree(x, y, degrees, fit, rng):
    return degrees[0]


# %% wrong="one split" says="one split is made: on fifteen points five rows decide"
def choose_degree(x, y, degrees, fit, rng):
    order = rng.permutation(len(x))
    val, train_rows = order[: len(x) // 3], order[len(x) // 3 :]
    errors = [np.mean((fit(x[train_rows], y[train_rows], d)(x[val]) - y[val]) ** 2) for d in degrees]
    return degrees[int(np.argmin(errors))]


# %% wrong="folds without shuffling" says="the folds are cut along x"
def choose_degree(x, y, degrees, fit, rng):
    errors = []
    for d in degrees:
        squares = []
        for fold in np.array_split(np.arange(len(x)), 5):
            squares.extend((fit(np.delete(x, fold), np.delete(y, fold), d)(x[fold]) - y[fold]) ** 2)
        errors.append(np.mean(squares))
    return degrees[int(np.argmin(errors))]


# %% wrong="fitted to all rows, scored by folds" says="each fit is judged on the rows that it was fitted to"
def choose_degree(x, y, degrees, fit, rng):
    folds = np.array_split(rng.permutation(len(x)), 5)
    errors = [np.mean([np.mean((fit(x, y, d)(x[f]) - y[f]) ** 2) for f in folds]) for d in degrees]
    return degrees[int(np.argmin(errors))]


# %% wrong="training error within folds" says="each fit is judged on the rows that it was fitted to"
def choose_degree(x, y, degrees, fit, rng):
    folds = np.array_split(rng.permutation(len(x)), 5)
    errors = []
    for d in degrees:
        total = 0
        for f in folds:
            a, b = np.delete(x, f), np.delete(y, f)
            total += np.mean((fit(a, b, d)(a) - b) ** 2)
        errors.append(total)
    return degrees[int(np.argmin(errors))]


# %% wrong="fitted to the fold, judged on the rest" says="the roles are swapped"
def choose_degree(x, y, degrees, fit, rng):
    folds = np.array_split(rng.permutation(len(x)), 5)
    errors = []
    for d in degrees:
        errors.append(np.mean([np.mean((fit(x[f], y[f], d)(np.delete(x, f)) - np.delete(y, f)) ** 2) for f in folds]))
    return degrees[int(np.argmin(errors))]


# %% wrong="the position is returned" says="the position in the list is returned"
def choose_degree(x, y, degrees, fit, rng):
    folds = np.array_split(rng.permutation(len(x)), 5)
    errors = []
    for d in degrees:
        errors.append(np.mean([np.mean((fit(np.delete(x, f), np.delete(y, f), d)(x[f]) - y[f]) ** 2) for f in folds]))
    return int(np.argmin(errors))


# %% wrong="the error is returned" says="the error is returned"
def choose_degree(x, y, degrees, fit, rng):
    folds = np.array_split(rng.permutation(len(x)), 5)
    errors = []
    for d in degrees:
        errors.append(np.mean([np.mean((fit(np.delete(x, f), np.delete(y, f), d)(x[f]) - y[f]) ** 2) for f in folds]))
    return float(np.min(errors))


# %% wrong="errors with their signs" says="errors are added with their signs"
def choose_degree(x, y, degrees, fit, rng):
    folds = np.array_split(rng.permutation(len(x)), 5)
    errors = []
    for d in degrees:
        errors.append(abs(np.mean([np.mean(fit(np.delete(x, f), np.delete(y, f), d)(x[f]) - y[f]) for f in folds])))
    return degrees[int(np.argmin(errors))]


# %% wrong="argmax, as for an accuracy" says="the largest error is looked for"
def choose_degree(x, y, degrees, fit, rng):
    folds = np.array_split(rng.permutation(len(x)), 5)
    errors = []
    for d in degrees:
        errors.append(np.mean([np.mean((fit(np.delete(x, f), np.delete(y, f), d)(x[f]) - y[f]) ** 2) for f in folds]))
    return degrees[int(np.argmax(errors))]


# %% wrong="Akaike's criterion, on the rows themselves" says="each fit is judged on the rows that it was fitted to"
def choose_degree(x, y, degrees, fit, rng):
    n = len(x)
    aic = [n * np.log(np.mean((fit(x, y, d)(x) - y) ** 2)) + 2 * (d + 1) for d in degrees]
    return degrees[int(np.argmin(aic))]


# %% sign="error of the degree chosen, over that of the best" above=6
def sign(seed):
    chosen, _, unseen = sensor_errors(choose_degree, seed)
    return unseen[chosen] / min(unseen)
