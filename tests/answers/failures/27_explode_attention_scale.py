# %% right="sorted, entropy-free"
def attention_verdict(queries, keys, scale, softmax):
    s = queries.astype(np.float64) @ keys.T
    p = np.asarray(softmax(s * scale), dtype=float)
    within = s - s.mean(axis=1, keepdims=True)
    better = float(1 / np.sort(np.sqrt(np.mean(within**2, axis=1)))[len(within) // 2])
    if np.isnan(p).any() or np.isinf(p).any():
        return ["overflow", better]
    top = np.sort(p, axis=1)[:, -1]
    typical = np.sort(top)[len(top) // 2]
    if typical > 0.8:
        return ["saturated", better]
    if typical * p.shape[1] < 1.6:
        return ["flat", better]
    return ["healthy", better]


# %% right="row by row, and shares of rows"
def attention_verdict(queries, keys, scale, softmax):
    weights, spreads = [], []
    for q in queries:
        row = keys @ q
        spreads.append(row.std())
        weights.append(softmax((scale * row)[None])[0])
    better = np.float32(1 / np.median(spreads))
    if not all(np.all(np.isfinite(row)) for row in weights):
        return "overflow", better
    sharp = sum(row.max() > 0.9 for row in weights) / len(weights)
    even = sum(row.max() < 1.4 / len(row) for row in weights) / len(weights)
    return "saturated" if sharp > 0.5 else "flat" if even > 0.5 else "healthy", better


# %% right="the effective number of keys"
def attention_verdict(queries, keys, scale, softmax):
    products = queries @ keys.T
    better = 1 / np.median(np.std(products, axis=1))
    with np.errstate(all="ignore"):
        p = softmax(scale * products).astype(float)
        if not np.isfinite(p.sum()):
            return "overflow", better
        number = np.median(1 / (p**2).sum(axis=1))
    if number < 1.2:
        return "saturated", better
    return ("flat", better) if number > 0.985 * len(keys) else ("healthy", better)


# %% right="the scale by bisection"
def attention_verdict(queries, keys, scale, softmax):
    products = queries @ keys.T
    low, high = 1e-9, 1e9
    for _ in range(80):
        better = (low * high) ** 0.5
        low, high = (low, better) if np.median((better * products).std(axis=1)) > 1 else (better, high)
    top = np.max(softmax(scale * products), axis=1)
    verdict = "healthy"
    if np.median(top) < 1.4 / len(keys):
        verdict = "flat"
    if np.median(top) > 0.9:
        verdict = "saturated"
    if not np.isfinite(top).all():
        verdict = "overflow"
    return verdict, better


# %% untouched says="only nan and inf are looked for"

# %% emptied says="two things come back|None"


# %% wrong="the document's: it overflows, scale by sqrt(d_k)" says="large scores are taken for an overflow"
def attention_verdict(queries, keys, scale, softmax):
    better = 1 / np.sqrt(keys.shape[1])
    scores = scale * queries @ keys.T
    return ("overflow" if np.abs(scores).max() > 11 else "healthy"), better


# %% wrong="the right verdict, and 1 / sqrt(d)" says="the usual 1 / sqrt(d) is returned"
def attention_verdict(queries, keys, scale, softmax):
    weights = softmax(scale * queries @ keys.T)
    better = 1 / np.sqrt(keys.shape[1])
    if not np.isfinite(weights).all():
        return "overflow", better
    largest = np.median(weights.max(axis=1))
    return "saturated" if largest > 0.9 else "flat" if largest < 1.4 / len(keys) else "healthy", better


# %% wrong="1 / d" says="1 / d stands where 1 / sqrt(d) is meant"
def attention_verdict(queries, keys, scale, softmax):
    weights = softmax(scale * queries @ keys.T)
    better = 1 / keys.shape[1]
    if not np.isfinite(weights).all():
        return "overflow", better
    largest = np.median(weights.max(axis=1))
    return "saturated" if largest > 0.9 else "flat" if largest < 1.4 / len(keys) else "healthy", better


# %% wrong="the spread of all scores" says="the spread over all scores is taken"
def attention_verdict(queries, keys, scale, softmax):
    products = queries @ keys.T
    weights = softmax(scale * products)
    better = 1 / products.std()
    if not np.isfinite(weights).all():
        return "overflow", better
    largest = np.median(weights.max(axis=1))
    return "saturated" if largest > 0.9 else "flat" if largest < 1.4 / len(keys) else "healthy", better


# %% wrong="the mean over the rows" says="a few long ones make it"
def attention_verdict(queries, keys, scale, softmax):
    products = queries @ keys.T
    weights = softmax(scale * products)
    better = 1 / products.std(axis=1).mean()
    if not np.isfinite(weights).all():
        return "overflow", better
    largest = np.median(weights.max(axis=1))
    return "saturated" if largest > 0.9 else "flat" if largest < 1.4 / len(keys) else "healthy", better


# %% wrong="the variance" says="the variance stands where its root is meant"
def attention_verdict(queries, keys, scale, softmax):
    products = queries @ keys.T
    weights = softmax(scale * products)
    better = 1 / products.var(axis=1).mean()
    if not np.isfinite(weights).all():
        return "overflow", better
    largest = np.median(weights.max(axis=1))
    return "saturated" if largest > 0.9 else "flat" if largest < 1.4 / len(keys) else "healthy", better


# %% wrong="the spread of the scores as scaled" says="the spread of the scaled scores is taken"
def attention_verdict(queries, keys, scale, softmax):
    scores = scale * queries @ keys.T
    weights = softmax(scores)
    better = 1 / np.median(scores.std(axis=1))
    if not np.isfinite(weights).all():
        return "overflow", better
    largest = np.median(weights.max(axis=1))
    return "saturated" if largest > 0.9 else "flat" if largest < 1.4 / len(keys) else "healthy", better


# %% wrong="nan is compared" says="weights that are not finite are not looked for, or too late"
def attention_verdict(queries, keys, scale, softmax):
    products = queries @ keys.T
    weights = softmax(scale * products)
    better = 1 / np.median(products.std(axis=1))
    largest = np.median(weights.max(axis=1))
    return "saturated" if largest > 0.9 else "flat" if largest < 1.4 / len(keys) else "healthy", better


# %% wrong="the worst row" says="the worst row decides"
def attention_verdict(queries, keys, scale, softmax):
    products = queries @ keys.T
    weights = softmax(scale * products)
    better = 1 / np.median(products.std(axis=1))
    if not np.isfinite(weights).all():
        return "overflow", better
    largest = weights.max()
    return "saturated" if largest > 0.9 else "flat" if largest < 1.4 / len(keys) else "healthy", better


# %% wrong="flat is not known" says="weights that are all the same count as healthy"
def attention_verdict(queries, keys, scale, softmax):
    products = queries @ keys.T
    weights = softmax(scale * products)
    better = 1 / np.median(products.std(axis=1))
    if not np.isfinite(weights).all():
        return "overflow", better
    return "saturated" if np.median(weights.max(axis=1)) > 0.9 else "healthy", better


# %% wrong="a small gradient is saturation" says="a small gradient counts as saturation"
def attention_verdict(queries, keys, scale, softmax):
    products = queries @ keys.T
    weights = softmax(scale * products)
    better = 1 / np.median(products.std(axis=1))
    if not np.isfinite(weights).all():
        return "overflow", better
    jacobian = np.median([np.linalg.norm(scale * (np.diag(p) - np.outer(p, p)) @ keys) for p in weights])
    usual = np.median([np.linalg.norm(better * (np.diag(p) - np.outer(p, p)) @ keys) for p in softmax(better * products)])
    return "saturated" if jacobian < 0.1 * usual else "healthy", better


# %% wrong="large scores are saturation" says="a number that all of a row have in common changes no weight"
def attention_verdict(queries, keys, scale, softmax):
    products = queries @ keys.T
    scores = scale * products
    better = 1 / np.median(products.std(axis=1))
    if not np.isfinite(softmax(scores)).all():
        return "overflow", better
    size = np.median(np.abs(scores).max(axis=1))
    return "saturated" if size > 8 else "flat" if size < 0.3 else "healthy", better


# %% sign="loss after 60 steps (nats)" above=0.6
def sign(seed):
    return find_keys(attention_verdict, seed, steps=60)["loss"][-1]
