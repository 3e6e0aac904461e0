# %% right="where, and a binomial draw"
def dropout_mask(shape, p, rng, training):
    if training and p > 0:
        return np.where(rng.binomial(1, p, size=shape), 0.0, 1 / (1 - p))
    return np.ones(shape)


# %% right="float32, in place"
def dropout_mask(shape, p, rng, training):
    mask = np.ones(shape, dtype=np.float32)
    if training:
        mask /= 1 - p
        mask[rng.random(shape) < p] = 0
    return mask


# %% right="entry by entry, as lists"
def dropout_mask(shape, p, rng, training):
    rows, units = shape
    if not training:
        return [[1.0] * units for _ in range(rows)]
    return [[0.0 if rng.uniform() < p else 1 / (1 - p) for _ in range(units)] for _ in range(rows)]


# %% right="a choice of two values"
def dropout_mask(shape, p, rng, training):
    p = p if training else 0.0
    return rng.choice([0.0, 1 / (1 - p)], size=shape, p=[p, 1 - p])


# %% right="uniform draws, compared the other way"
def dropout_mask(shape, p, rng, training):
    if not training or p == 0:
        return np.ones(shape)
    keep = rng.uniform(size=shape) > p
    return keep / (1 - p)


# %% untouched says="what stays is not made larger"

# %% emptied says="a mask comes back|None"


# %% wrong="evaluation drops too" says="in evaluation units are dropped too"
def dropout_mask(shape, p, rng, training):
    return (rng.random(shape) >= p) / (1 - p)


# %% wrong="off in evaluation, and not scaled" says="what stays is not made larger"
def dropout_mask(shape, p, rng, training):
    if not training:
        return np.ones(shape)
    return (rng.random(shape) >= p).astype(float)


# %% wrong="the first paper's scaling" says="what stays is not made larger"
def dropout_mask(shape, p, rng, training):
    if not training:
        return np.full(shape, 1 - p)
    return (rng.random(shape) >= p).astype(float)


# %% wrong="both scalings at once" says="as in the paper of its authors: here training does it"
def dropout_mask(shape, p, rng, training):
    if not training:
        return np.full(shape, 1 - p)
    return (rng.random(shape) >= p) / (1 - p)


# %% wrong="p is the share that stays" says="p is taken for the share that stays"
def dropout_mask(shape, p, rng, training):
    if not training:
        return np.ones(shape)
    return (rng.random(shape) < p) / p


# %% wrong="divided by p" says="p stands where 1 - p is meant"
def dropout_mask(shape, p, rng, training):
    if not training:
        return np.ones(shape)
    return (rng.random(shape) >= p) / p


# %% wrong="multiplied by 1 - p" says="multiplied by 1 - p, and not divided"
def dropout_mask(shape, p, rng, training):
    if not training:
        return np.ones(shape)
    return (rng.random(shape) >= p) * (1 - p)


# %% wrong="the root, to keep the variance" says="the variance is kept and not the mean"
def dropout_mask(shape, p, rng, training):
    if not training:
        return np.ones(shape)
    return (rng.random(shape) >= p) / np.sqrt(1 - p)


# %% wrong="one draw a unit" says="all rows share it"
def dropout_mask(shape, p, rng, training):
    if not training:
        return np.ones(shape)
    keep = rng.random(shape[1]) >= p
    return np.tile(keep / (1 - p), (shape[0], 1))


# %% wrong="one draw a row" says="all its units go together"
def dropout_mask(shape, p, rng, training):
    if not training:
        return np.ones(shape)
    keep = rng.random((shape[0], 1)) >= p
    return np.repeat(keep / (1 - p), shape[1], axis=1)


# %% wrong="a fixed seed" says="a generator of your own"
def dropout_mask(shape, p, rng, training):
    if not training:
        return np.ones(shape)
    rng = np.random.default_rng(0)
    return (rng.random(shape) >= p) / (1 - p)


# %% wrong="np.random" says="nobody can repeat the run"
def dropout_mask(shape, p, rng, training):
    if not training:
        return np.ones(shape)
    return (np.random.random(shape) >= p) / (1 - p)


# %% wrong="by the share that stayed" says="happened to stay"
def dropout_mask(shape, p, rng, training):
    if not training:
        return np.ones(shape)
    keep = rng.random(shape) >= p
    return keep / keep.mean()


# %% wrong="training and evaluation swapped" says="the two are swapped"
def dropout_mask(shape, p, rng, training):
    if training:
        return np.ones(shape)
    return (rng.random(shape) >= p) / (1 - p)


# %% wrong="never drops" says="nothing is dropped at all"
def dropout_mask(shape, p, rng, training):
    return np.ones(shape)


# %% wrong="exactly so many a row" says="exactly the same number is dropped in each row"
def dropout_mask(shape, p, rng, training):
    mask = np.ones(shape)
    if not training or p == 0:
        return mask
    for row in range(shape[0]):
        mask[row, rng.choice(shape[1], int(round(p * shape[1])), replace=False)] = 0
    return mask / (1 - p)


# %% sign="share of rows on which two evaluations agree" below=0.95
def sign(seed):
    return dropout_run(dropout_mask, seed)["same"][-1]
