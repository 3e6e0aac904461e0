# %% right="plain loops, counts"
def width_sweep(train_at, widths, seeds, target):
    table = {}
    for width in widths:
        table[width] = [train_at(width, seed) for seed in seeds]
    for width in sorted(table):
        hits = 0
        for loss in table[width]:
            if loss <= target:
                hits += 1
        if hits / len(seeds) >= 0.8:
            return "enough", width
    second, widest = sorted(table)[-2:]
    pairs = [(a, b) for a, b in zip(table[second], table[widest]) if np.isfinite(a) and np.isfinite(b)]
    fall = 1 - sum(b for _, b in pairs) / sum(a for a, _ in pairs)
    return ("wider", None) if fall > 0.06 else ("not width", None)


# %% right="lazy: the widest are compared only if need be, by the mean of the ratios"
def width_sweep(train_at, widths, seeds, target):
    def losses(width):
        return np.array([train_at(width, seed) for seed in seeds], dtype=float)

    ordered = sorted(widths)
    for width in ordered:
        if np.count_nonzero(losses(width) <= target) * 5 >= 4 * len(seeds):
            return ["enough", width]
    ratio = losses(ordered[-1]) / losses(ordered[-2])
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    return ["wider", None] if np.mean(ratio) < 0.95 else ["not width", None]


# %% right="the twentieth percentile from above"
def width_sweep(train_at, widths, seeds, target):
    need = -(-8 * len(seeds) // 10)
    table = {w: np.nan_to_num([train_at(w, s) for s in seeds], nan=np.inf, posinf=np.inf) for w in sorted(widths)}
    for w, row in table.items():
        if np.sort(row)[need - 1] <= target:
            return "enough", w
    a, b = list(table.values())[-2:]
    ok = np.isfinite(a + b)
    return ("not width" if np.sum(a[ok] - b[ok]) < 0.05 * np.sum(a[ok]) else "wider"), None


# %% right="from the widest down, numpy masks"
def width_sweep(train_at, widths, seeds, target):
    widths = np.sort(widths)[::-1]
    table = np.array([[train_at(int(w), s) for s in seeds] for w in widths])
    enough = (table <= target).sum(axis=1) >= 0.8 * len(seeds) - 1e-9
    if enough.any():
        return "enough", int(widths[np.flatnonzero(enough)[-1]])
    top = np.ma.masked_invalid(table[:2])
    top = np.ma.array(table[:2], mask=top.mask.any(axis=0)[None].repeat(2, 0))
    return ("wider" if top[0].mean() / top[1].mean() < 0.94 else "not width"), None


# %% right="the last widening has to pay with every seed"
def width_sweep(train_at, widths, seeds, target):
    ordered = sorted(widths)
    losses = {w: np.array([train_at(w, s) for s in seeds]) for w in ordered}
    for w in ordered:
        if np.sum(losses[w] <= target) >= 0.8 * len(seeds):
            return ("enough", w)
    a, b = losses[ordered[-2]], losses[ordered[-1]]
    ok = np.isfinite(a) & np.isfinite(b)
    return ("wider", None) if np.all(b[ok] <= 0.9 * a[ok]) else ("not width", None)


# %% untouched says="one start decides"

# %% emptied says="the answer is a pair"


# %% wrong="the best of the starts" says="the best of the starts decides"
def width_sweep(train_at, widths, seeds, target):
    for width in sorted(widths):
        if np.nanmin([train_at(width, seed) for seed in seeds]) <= target:
            return "enough", width
    return "wider", None


# %% wrong="the mean" says="the mean decides"
def width_sweep(train_at, widths, seeds, target):
    table = {width: np.array([train_at(width, seed) for seed in seeds]) for width in sorted(widths)}
    for width in table:
        if table[width].mean() <= target:
            return "enough", width
    a, b = list(table.values())[-2:]
    return ("wider" if b.mean() < 0.95 * a.mean() else "not width"), None


# %% wrong="the median" says="half of the starts are enough"
def width_sweep(train_at, widths, seeds, target):
    for width in sorted(widths):
        if np.nanmedian([train_at(width, seed) for seed in seeds]) <= target:
            return "enough", width
    return "wider", None


# %% wrong="all starts" says="every start has to reach the target"
def width_sweep(train_at, widths, seeds, target):
    for width in sorted(widths):
        if all(train_at(width, seed) <= target for seed in seeds):
            return "enough", width
    return "wider", None


# %% wrong="increase parameters: the largest" says="the largest width is taken"
def width_sweep(train_at, widths, seeds, target):
    if np.mean([train_at(max(widths), seed) <= target for seed in seeds]) >= 0.8:
        return "enough", max(widths)
    return "wider", None


# %% wrong="in the order of the list" says="the list is in no order"
def width_sweep(train_at, widths, seeds, target):
    table = np.array([[train_at(width, seed) for seed in seeds] for width in widths])
    for width, row in zip(widths, table):
        if np.mean(row <= target) >= 0.8:
            return "enough", width
    a, b = table[-2:, np.isfinite(table[-2:]).all(axis=0)].mean(axis=1)
    return ("wider" if b < 0.95 * a else "not width"), None


# %% wrong="counts, and then always wider" says="whether width still lowers the loss is never asked"
def width_sweep(train_at, widths, seeds, target):
    for width in sorted(widths):
        if np.mean([train_at(width, seed) <= target for seed in seeds]) >= 0.8:
            return "enough", width
    return "wider", None


# %% wrong="the widest against the narrowest" says="compared with the narrowest"
def width_sweep(train_at, widths, seeds, target):
    widths = sorted(widths)
    table = np.array([[train_at(width, seed) for seed in seeds] for width in widths])
    for width, row in zip(widths, table):
        if np.mean(row <= target) >= 0.8:
            return "enough", width
    keep = np.isfinite(table).all(axis=0)
    return ("wider" if table[-1, keep].mean() < 0.95 * table[0, keep].mean() else "not width"), None


# %% wrong="a mean over inf" says="a diverged run spoils the mean"
def width_sweep(train_at, widths, seeds, target):
    widths = sorted(widths)
    table = np.array([[train_at(width, seed) for seed in seeds] for width in widths])
    for width, row in zip(widths, table):
        if np.mean(row <= target) >= 0.8:
            return "enough", width
    return ("wider" if table[-1].mean() < 0.95 * table[-2].mean() else "not width"), None


# %% wrong="says only the width" says="the answer is a pair|the width is returned alone"
def width_sweep(train_at, widths, seeds, target):
    for width in sorted(widths):
        if np.mean([train_at(width, seed) <= target for seed in seeds]) >= 0.8:
            return width


# %% wrong="each width's mean over its own finite seeds" says="the two means are of different seeds"
def width_sweep(train_at, widths, seeds, target):
    means = []
    for width in sorted(widths):
        losses = np.array([train_at(width, seed) for seed in seeds])
        if np.mean(losses <= target) >= 0.8:
            return "enough", width
        means.append(losses[np.isfinite(losses)].mean())
    return ("wider" if means[-1] < 0.95 * means[-2] else "not width"), None


# %% sign="of three sweeps on random labels, those that ask for a wider network" above=1
def sign(seed):
    sweeps = [sweep_losses(3 * seed + number, 0.4, widths=(16, 32)) for number in range(3)]
    return [sweep_said(width_sweep, losses)[0] for losses in sweeps].count("wider")
