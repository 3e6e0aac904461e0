# %% right="ten parts, by array_split of a permutation"
def suspicious_rows(x, y, fit, rng):
    own = np.zeros(len(y))
    parts = np.array_split(rng.permutation(len(y)), 10)
    for part in parts:
        rest = np.setdiff1d(np.arange(len(y)), part)
        own[part] = fit(x[rest], y[rest])(x[part])[np.arange(len(part)), y[part]]
    return own.argsort()


# %% right="stratified folds, a loop over rows"
def suspicious_rows(x, y, fit, rng):
    fold = [0] * len(y)
    for label in set(y.tolist()):
        members = [i for i in range(len(y)) if y[i] == label]
        rng.shuffle(members)
        for place, i in enumerate(members):
            fold[i] = place % 4
    score = {}
    for number in range(4):
        train_rows = [i for i in range(len(y)) if fold[i] != number]
        predict = fit(x[train_rows], y[train_rows])
        for i in range(len(y)):
            if fold[i] == number:
                score[i] = predict(x[i : i + 1])[0][y[i]]
    return sorted(score, key=score.get)


# %% right="two rounds of five folds, averaged"
def suspicious_rows(x, y, fit, rng):
    total = np.zeros(len(y))
    for _ in range(2):
        order = rng.permutation(len(y))
        for start in range(5):
            test = order[start::5]
            rest = np.delete(order, np.s_[start::5])
            p = fit(x[rest], y[rest])(x[test])
            total[test] += np.log(np.maximum(p[np.arange(len(test)), y[test]], 1e-12))
    return np.argsort(total)


# %% right="margin: the best other class less its own"
def suspicious_rows(x, y, fit, rng):
    margin = np.zeros(len(y))
    fold = rng.integers(0, 6, len(y))
    for number in range(6):
        test = np.flatnonzero(fold == number)
        rest = np.flatnonzero(fold != number)
        p = np.array(fit(x[rest], y[rest])(x[test]))
        own = p[np.arange(len(test)), y[test]].copy()
        p[np.arange(len(test)), y[test]] = -1
        margin[test] = p.max(axis=1) - own
    return np.argsort(margin)[::-1]


# %% right="ten models on draws with replacement, asked about the rows left out"
def suspicious_rows(x, y, fit, rng):
    n = len(y)
    total, count = np.zeros(n), np.zeros(n)
    for _ in range(10):
        drawn = np.unique(rng.integers(0, n, n))
        out = np.setdiff1d(np.arange(n), drawn)
        total[out] += fit(x[drawn], y[drawn])(x[out])[np.arange(len(out)), y[out]]
        count[out] += 1
    # A row that every draw held was never asked about: nothing is known against it.
    return np.argsort(np.where(count > 0, total / np.maximum(count, 1), 1))


# %% untouched says="rows that it was trained on, which it knows by heart"

# %% emptied says="each of the row numbers is in the answer once"


# %% wrong="folds cut in the order of the rows" says="the folds are cut from rows that stand class by class"
def suspicious_rows(x, y, fit, rng):
    losses = np.zeros(len(y))
    for part in np.array_split(np.arange(len(y)), 5):
        rest = np.setdiff1d(np.arange(len(y)), part)
        losses[part] = -np.log(fit(x[rest], y[rest])(x[part])[np.arange(len(part)), y[part]])
    return np.argsort(-losses)


# %% wrong="by how unsure the model is" says="ranked by how unsure the model is"
def suspicious_rows(x, y, fit, rng):
    fold, score = rng.permutation(len(y)) % 5, np.zeros(len(y))
    for number in range(5):
        out = fold == number
        p = fit(x[~out], y[~out])(x[out])
        score[out] = -(p * np.log(p)).sum(axis=1)
    return np.argsort(-score)


# %% wrong="by the largest probability" says="ranked by the largest probability|not by that of their label"
def suspicious_rows(x, y, fit, rng):
    fold, score = rng.permutation(len(y)) % 5, np.zeros(len(y))
    for number in range(5):
        out = fold == number
        score[out] = fit(x[~out], y[~out])(x[out]).max(axis=1)
    return np.argsort(-score)


# %% wrong="the least suspicious first" says="begins with the least suspicious rows"
def suspicious_rows(x, y, fit, rng):
    fold, losses = rng.permutation(len(y)) % 5, np.zeros(len(y))
    for number in range(5):
        out = fold == number
        p = fit(x[~out], y[~out])(x[out])
        losses[out] = -np.log(p[np.arange(out.sum()), y[out]])
    return np.argsort(losses)


# %% wrong="trains on the part, asks about the rest" says="trained on the small part and asked about the large one"
def suspicious_rows(x, y, fit, rng):
    fold, losses = rng.permutation(len(y)) % 10, np.zeros(len(y))
    for number in range(10):
        part = fold == number
        p = fit(x[part], y[part])(x[~part])
        losses[~part] -= np.log(p[np.arange((~part).sum()), y[~part]])
    return np.argsort(-losses)


# %% wrong="leaves out one row at a time" says="at most 10 models are trained|a model is trained for each row"
def suspicious_rows(x, y, fit, rng):
    rows, own = np.arange(len(y)), np.zeros(len(y))
    for i in rows:
        own[i] = fit(x[rows != i], y[rows != i])(x[[i]])[0, y[i]]
    return np.argsort(own)


# %% wrong="half is held out, and the other half is not ranked" says="the other half never is"
def suspicious_rows(x, y, fit, rng):
    order = rng.permutation(len(y))
    first, second = np.array_split(order, 2)
    p = fit(x[first], y[first])(x[second])
    return second[np.argsort(p[np.arange(len(second)), y[second]])]


# %% wrong="only the rows that are misclassified" says="only the rows that a model gets wrong"
def suspicious_rows(x, y, fit, rng):
    fold, said = rng.permutation(len(y)) % 5, np.zeros(len(y), dtype=int)
    for number in range(5):
        out = fold == number
        said[out] = fit(x[~out], y[~out])(x[out]).argmax(axis=1)
    return np.flatnonzero(said != y)


# %% wrong="the scores" says="the scores are returned"
def suspicious_rows(x, y, fit, rng):
    fold, losses = rng.permutation(len(y)) % 5, np.zeros(len(y))
    for number in range(5):
        out = fold == number
        p = fit(x[~out], y[~out])(x[out])
        losses[out] = -np.log(p[np.arange(out.sum()), y[out]])
    return losses


# %% wrong="relabels while it goes" says="x and y are left as they are|labels are corrected while"
def suspicious_rows(x, y, fit, rng):
    fold, own = rng.permutation(len(y)) % 5, np.zeros(len(y))
    for number in range(5):
        out = fold == number
        p = fit(x[~out], y[~out])(x[out])
        own[out] = p[np.arange(out.sum()), y[out]]
        y[out] = p.argmax(axis=1)
    return np.argsort(own)


# %% sign="share of pairs in which the wrong label stands before the right one" below=0.875
def sign(seed):
    share = np.array(audit(suspicious_rows, seed)["share"])
    found = np.diff(np.round(share * np.arange(1, len(share) + 1)), prepend=0)
    right_behind = np.cumsum((1 - found)[::-1])[::-1]
    return np.sum(found * right_behind) / (found.sum() * (1 - found).sum())
