# %% right="median and MAD, then tanh"
def fit_scaling(x):
    centre = np.median(x, axis=0)
    spread = 1.4826 * np.median(np.abs(x - centre), axis=0)
    spread[spread == 0] = 1

    def scale(rows):
        return 3 * np.tanh((rows - centre) / (3 * spread))

    return scale


# %% right="bounded in the unit of the data, then mean and standard deviation"
def fit_scaling(x):
    q1, q3 = np.quantile(x, 0.25, axis=0), np.quantile(x, 0.75, axis=0)
    width = q3 - q1
    low = np.where(width > 0, q1 - 2 * width, -2)
    high = np.where(width > 0, q3 + 2 * width, 2)
    bounded = np.minimum(np.maximum(x, low), high)
    mean, std = bounded.mean(axis=0), bounded.std(axis=0)
    std = np.where((std > 0) & (width > 0), std, 1.0)

    def scale(rows):
        return (np.minimum(np.maximum(rows, low), high) - mean) / std

    return scale


# %% right="a class, column by column"
class _Scaling:
    def __init__(self, x):
        self.columns = []
        for column in np.asarray(x, dtype=float).T:
            ordered = sorted(column)
            n = len(ordered)
            middle = ordered[n // 5 : n - n // 5]
            centre = sum(middle) / len(middle)
            width = middle[-1] - middle[0]
            self.columns.append((centre, width / 1.68 if width > 0 else 1.0))

    def __call__(self, rows):
        out = np.empty(np.shape(rows))
        for j, (centre, spread) in enumerate(self.columns):
            for i in range(len(rows)):
                out[i, j] = max(-6.0, min(6.0, (rows[i][j] - centre) / spread))
        return out


def fit_scaling(x):
    return _Scaling(x)


# %% right="the inverse hyperbolic sine of the robust score, bounded"
def fit_scaling(x):
    a, b, c = np.percentile(x, [15, 50, 85], axis=0)
    unit = (c - a) / 2
    unit = np.where(unit > 1e-300, unit, 0.5)
    return lambda rows: np.clip(np.arcsinh((rows - b) / unit), -5, 5)


# %% untouched says="they harm all the others"

# %% emptied says="fit_scaling returns a function|None"


# %% wrong="mean and standard deviation, then bounded" says="they harm all the others"
def fit_scaling(x):
    mean, std = x.mean(axis=0), x.std(axis=0) + 1e-12
    return lambda rows: np.clip((rows - mean) / std, -4, 4)


# %% wrong="from the smallest to the largest" says="they harm all the others"
def fit_scaling(x):
    low, high = x.min(axis=0), x.max(axis=0)
    return lambda rows: 2 * (rows - low) / (high - low + 1e-12) - 1


# %% wrong="median and quartiles, not bounded" says="the far ones are as far as they were"
def fit_scaling(x):
    low, centre, high = np.percentile(x, [25, 50, 75], axis=0)
    spread = np.where(high > low, high - low, 1.0) / 1.35
    return lambda rows: (rows - centre) / spread


# %% wrong="bounded at 15" says="there is a bound|too far out"
def fit_scaling(x):
    low, centre, high = np.percentile(x, [25, 50, 75], axis=0)
    spread = np.where(high > low, high - low, 1.0) / 1.35
    return lambda rows: np.clip((rows - centre) / spread, -15, 15)


# %% wrong="only bounded" says="nothing is scaled, or not by the column's own spread"
def fit_scaling(x):
    return lambda rows: np.clip(rows, -4, 4)


# %% wrong="the outer percentiles" says="the spread is taken where the far rows are"
def fit_scaling(x):
    low, centre, high = np.percentile(x, [5, 50, 95], axis=0)
    spread = np.where(high > low, high - low, 1.0) / 3.3
    return lambda rows: np.clip((rows - centre) / spread, -4, 4)


# %% wrong="each call measures its own rows" says="the rows that come are measured anew"
def fit_scaling(x):
    def scale(rows):
        low, centre, high = np.percentile(rows, [25, 50, 75], axis=0)
        spread = np.where(high > low, high - low, 1.0) / 1.35
        return np.clip((rows - centre) / spread, -4, 4)

    return scale


# %% wrong="quartiles of zero" says="its spread is 0, and something is divided by it"
def fit_scaling(x):
    low, centre, high = np.percentile(x, [25, 50, 75], axis=0)
    return lambda rows: np.clip((rows - centre) / ((high - low) / 1.35), -4, 4)


# %% wrong="bounded at one" says="ordinary values are cut off"
def fit_scaling(x):
    low, centre, high = np.percentile(x, [25, 50, 75], axis=0)
    spread = np.where(high > low, high - low, 1.0) / 1.35
    return lambda rows: np.clip((rows - centre) / spread, -1, 1)


# %% wrong="far values set to the centre, constant columns to zero" says="the rare ones are taken for outliers"
def fit_scaling(x):
    low, centre, high = np.percentile(x, [25, 50, 75], axis=0)
    spread = (high - low) / 1.35

    def scale(rows):
        z = (rows - centre) / np.where(spread > 0, spread, 1.0)
        return np.where((np.abs(z) > 4) | (spread == 0), 0.0, z)

    return scale


# %% wrong="bounds the training rows only" says="only the training rows were shortened"
def fit_scaling(x):
    low, centre, high = np.percentile(x, [25, 50, 75], axis=0)
    spread = np.where(high > low, high - low, 1.0) / 1.35
    known = np.abs(x - centre).max(axis=0) > 4 * spread
    far = x[(np.abs(x - centre) > 4 * spread).any(axis=1)]

    def scale(rows):
        z = (rows - centre) / spread
        is_known = np.array([any(np.array_equal(row, other) for other in far) for row in rows])
        return np.where(is_known[:, None], np.clip(z, -4, 4), z)

    return scale


# %% wrong="the centre stays" says="the centre is not taken off"
def fit_scaling(x):
    low, high = np.percentile(x, [25, 75], axis=0)
    spread = np.where(high > low, high - low, 1.0) / 1.35
    return lambda rows: np.clip(rows / spread, -6, 6)


# %% sign="loss on ordinary rows after 150 steps" above=10
def sign(seed):
    return fit_long_row(fit_scaling, seed)["val_loss"][-1]
