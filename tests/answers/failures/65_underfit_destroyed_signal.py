# %% right="a loop over rows, all outputs kept"
def find_stage(stages, x, y):
    outputs = [np.array(x, dtype=float)]
    for _, stage in stages:
        outputs.append(np.array(stage(outputs[-1].copy()), dtype=float))

    def share(a):
        a = a[:, a.std(axis=0) > 1e-12]
        a = a / a.std(axis=0)
        right = 0
        for i in range(len(a)):
            away = np.sum((a - a[i]) ** 2, axis=1)
            away[i] = np.inf
            right += y[np.argmin(away)] == y[i]
        return right / len(a)

    shares = [share(a) for a in outputs]
    for i, (name, _) in enumerate(stages):
        if shares[i] - shares[i + 1] > 0.15:
            return name, "information"
    inside = [0.02 <= a.std() <= 20 for a in outputs]
    if inside[-1]:
        return None
    for i in range(len(stages), 0, -1):
        if inside[i - 1]:
            return stages[i - 1][0], "scale"


# %% right="votes of five neighbours"
def find_stage(stages, x, y):
    def read(a):
        a = np.asarray(a, float)
        sd = a.std(0)
        a = np.where(sd > 0, a / np.where(sd > 0, sd, 1), 0)
        gram = a @ a.T
        d = np.diag(gram)[:, None] + np.diag(gram)[None] - 2 * gram
        d[np.arange(len(a)), np.arange(len(a))] = 1e300
        near = y[np.argsort(d, axis=1)[:, :5]]
        votes = np.stack([(near == label).sum(axis=1) for label in np.unique(y)], axis=1)
        return np.mean(np.unique(y)[votes.argmax(axis=1)] == y)

    x, suspect = np.copy(x), None
    for name, stage in stages:
        before, was = read(x), np.std(x)
        x = np.copy(stage(x))
        if read(x) < before - 0.18:
            return name, "information"
        if 0.02 <= was <= 20 and not 0.02 <= np.std(x) <= 20:
            suspect = name, "scale"
    return None if 0.02 <= np.std(x) <= 20 else suspect


# %% right="each output from the start, nearest centroid of the other half"
def find_stage(stages, x, y):
    def output(count):
        a = x.copy()
        for _, stage in stages[:count]:
            a = stage(a)
        return np.array(a, dtype=float)

    def read(a):
        a = (a - a.mean(0)) / np.maximum(a.std(0), 1e-300)
        odd, even = slice(1, None, 2), slice(0, None, 2)
        right = 0
        for here, there in ((odd, even), (even, odd)):
            centres = np.array([a[there][y[there] == label].mean(0) for label in range(y.max() + 1)])
            right += np.sum(((a[here][:, None] - centres) ** 2).sum(2).argmin(1) == y[here])
        return right / len(y)

    arrays = [output(count) for count in range(len(stages) + 1)]
    falls = -np.diff([read(a) for a in arrays])
    if falls.max() > 0.16:
        return [stages[int(np.argmax(falls > 0.16))][0], "information"]
    outside = [not 0.02 <= a.std() <= 20 for a in arrays]
    if outside[-1]:
        left = max(i for i in range(len(stages)) if not outside[i])
        return [stages[left][0], "scale"]


# %% right="standardise, distances by broadcasting in place"
def find_stage(stages, x, y):
    def nn(a):
        a = np.array(a, dtype=np.float64)
        a -= a.mean(0)
        sd = a.std(0)
        a = a[:, sd > 0] / sd[sd > 0]
        d = np.zeros((len(a), len(a))) + np.diag(np.full(len(a), np.inf))
        for column in a.T:
            d += np.subtract.outer(column, column) ** 2
        return (y[d.argmin(1)] == y).mean()

    a = np.array(x)
    trail = []
    level = nn(a)
    for name, stage in stages:
        a = np.array(stage(a))
        now = nn(a)
        trail.append((name, a.std()))
        if level - now >= 0.2:
            return name, "information"
        level = now
    culprit = None
    while trail and not 0.02 <= trail[-1][1] <= 20:
        culprit = trail.pop()[0]
    return culprit and (culprit, "scale")


# %% right="all outputs first, the scale from the end backwards"
def find_stage(stages, x, y):
    def information(a):
        a = (a - a.mean(axis=0)) / (a.std(axis=0) + 1e-12)
        hits = 0
        for row in range(len(a)):
            distance = ((a - a[row]) ** 2).sum(axis=1)
            distance[row] = np.inf
            hits += y[np.argmin(distance)] == y[row]
        return hits / len(a)

    outputs = [np.array(x)]
    for _, stage in stages:
        outputs.append(np.array(stage(outputs[-1].copy())))
    told = [information(a) for a in outputs]
    for k, (name, _) in enumerate(stages):
        if told[k] - told[k + 1] > 0.15:
            return [name, "information"]
    k = len(stages)
    if 0.02 <= np.std(outputs[k]) <= 20:
        return None
    while not 0.02 <= np.std(outputs[k - 1]) <= 20:
        k -= 1
    return [stages[k - 1][0], "scale"]


# %% untouched says="any change of scale is blamed"

# %% emptied says="mean and spread are compared"


# %% wrong="information only" says="information is all that is asked for"
def find_stage(stages, x, y):
    def read(a):
        a = np.asarray(a, float)
        a = a[:, a.std(0) > 0] / a.std(0)[a.std(0) > 0]
        d = ((a[:, None] - a) ** 2).sum(2)
        np.fill_diagonal(d, np.inf)
        return np.mean(y[d.argmin(1)] == y)

    x = x.copy()
    for name, stage in stages:
        before = read(x)
        x = stage(x)
        if read(x) < before - 0.16:
            return name, "information"


# %% wrong="the spread at the end only" says="mean and spread are compared"
def find_stage(stages, x, y):
    x, left = x.copy(), None
    for name, stage in stages:
        was = 0.02 <= np.std(x) <= 20
        x = stage(x)
        if was and not 0.02 <= np.std(x) <= 20:
            left = name
    return None if 0.02 <= np.std(x) <= 20 else (left, "scale")


# %% wrong="each row is its own neighbour" says="each row is its own neighbour"
def find_stage(stages, x, y):
    def read(a):
        a = np.asarray(a, float)
        a = a[:, a.std(0) > 0] / a.std(0)[a.std(0) > 0]
        return np.mean(y[((a[:, None] - a) ** 2).sum(2).argmin(1)] == y)

    x, left = x.copy(), None
    for name, stage in stages:
        before, was = read(x), 0.02 <= np.std(x) <= 20
        x = stage(x)
        if read(x) < before - 0.16:
            return name, "information"
        if was and not 0.02 <= np.std(x) <= 20:
            left = name
    return None if 0.02 <= np.std(x) <= 20 else (left, "scale")


# %% wrong="columns as they are" says="columns are not divided by their standard deviation"
def find_stage(stages, x, y):
    def read(a):
        d = ((a[:, None] - a) ** 2).sum(2)
        np.fill_diagonal(d, np.inf)
        return np.mean(y[d.argmin(1)] == y)

    x, left = x.copy(), None
    for name, stage in stages:
        before, was = read(x), 0.02 <= np.std(x) <= 20
        x = stage(x)
        if read(x) < before - 0.16:
            return name, "information"
        if was and not 0.02 <= np.std(x) <= 20:
            left = name
    return None if 0.02 <= np.std(x) <= 20 else (left, "scale")


# %% wrong="divides by a spread of zero" says="a constant column is divided by its spread"
def find_stage(stages, x, y):
    def read(a):
        a = (a - a.mean(0)) / a.std(0)
        d = ((a[:, None] - a) ** 2).sum(2)
        np.fill_diagonal(d, np.inf)
        return np.mean(y[d.argmin(1)] == y)

    x, left = x.copy(), None
    for name, stage in stages:
        before, was = read(x), 0.02 <= np.std(x) <= 20
        x = stage(x)
        if read(x) < before - 0.16:
            return name, "information"
        if was and not 0.02 <= np.std(x) <= 20:
            left = name
    return None if 0.02 <= np.std(x) <= 20 else (left, "scale")


# %% wrong="blames the scale at once" says="though a later stage mends it"
def find_stage(stages, x, y):
    def read(a):
        a = a[:, a.std(0) > 0] / a.std(0)[a.std(0) > 0]
        d = ((a[:, None] - a) ** 2).sum(2)
        np.fill_diagonal(d, np.inf)
        return np.mean(y[d.argmin(1)] == y)

    x = x.copy()
    for name, stage in stages:
        before, was = read(x), 0.02 <= np.std(x) <= 20
        x = stage(x)
        if read(x) < before - 0.16:
            return name, "information"
        if was and not 0.02 <= np.std(x) <= 20:
            return name, "scale"
    return None


# %% wrong="blames the last stage for the scale" says="the last stage is blamed for the scale"
def find_stage(stages, x, y):
    def read(a):
        a = a[:, a.std(0) > 0] / a.std(0)[a.std(0) > 0]
        d = ((a[:, None] - a) ** 2).sum(2)
        np.fill_diagonal(d, np.inf)
        return np.mean(y[d.argmin(1)] == y)

    x = x.copy()
    for name, stage in stages:
        before = read(x)
        x = stage(x)
        if read(x) < before - 0.16:
            return name, "information"
    return None if 0.02 <= np.std(x) <= 20 else (stages[-1][0], "scale")


# %% wrong="scale before information" says="what is gone is taken for a scale"
def find_stage(stages, x, y):
    def read(a):
        a = a[:, a.std(0) > 0] / a.std(0)[a.std(0) > 0]
        d = ((a[:, None] - a) ** 2).sum(2)
        np.fill_diagonal(d, np.inf)
        return np.mean(y[d.argmin(1)] == y)

    x = x.copy()
    for name, stage in stages:
        before, was = read(x), 0.02 <= np.std(x) <= 20
        x = stage(x)
        if was and not 0.02 <= np.std(x) <= 20:
            return name, "scale"
        if read(x) < before - 0.16:
            return name, "information"
    return None


# %% wrong="works on x itself" says="x is left as it is|x itself is rescaled"
def find_stage(stages, x, y):
    def read(a):
        a = a[:, a.std(0) > 0] / a.std(0)[a.std(0) > 0]
        d = ((a[:, None] - a) ** 2).sum(2)
        np.fill_diagonal(d, np.inf)
        return np.mean(y[d.argmin(1)] == y)

    for i, (name, stage) in enumerate(stages):
        before = read(x)
        x /= 1
        x[:] = stage(x)[:, : x.shape[1]]
        if read(x) < before - 0.16:
            return name, "information"
    return None


# %% wrong="only the name" says="the answer is a pair|the stage is named"
def find_stage(stages, x, y):
    spreads = []
    for name, stage in stages:
        x = stage(x.copy())
        spreads.append(np.std(x))
    return stages[int(np.argmin(spreads))][0]


# %% sign="of four pipelines, those answered wrongly" above=0
def sign(seed):
    x, y = pixel_rows(seed)
    return sum(find_stage(stages, x.copy(), y) != DESTROYED_BY[name] for name, stages in PIPELINES.items())
