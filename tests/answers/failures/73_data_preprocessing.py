# %% right="loops over the columns, n - 1"
def fit_preprocessing(x_train):
    stats = []
    for column in np.array(x_train, dtype=float).T:
        there = column[~np.isnan(column)]
        spread = there.std(ddof=1)
        stats.append((there.mean(), spread if spread > 0 else 1.0))

    def prepare(x):
        out = np.zeros(np.shape(x))
        for i, row in enumerate(x):
            for j, value in enumerate(row):
                if not np.isnan(value):
                    out[i, j] = (value - stats[j][0]) / stats[j][1]
        return out

    return prepare


# %% right="missing values are set to the mean first; constant columns become zeros"
def fit_preprocessing(x_train):
    mean = np.nanmean(x_train, axis=0)
    filled = np.where(np.isnan(x_train), mean, x_train)
    std = np.nanstd(x_train, axis=0)
    factor = np.divide(1.0, std, out=np.zeros_like(std), where=std > 0)
    del filled
    return lambda x: (np.where(np.isnan(x), mean, x) - mean) * factor


# %% right="an object with fit and a bound method"
class Standardiser:
    def fit(self, x):
        x = np.ma.masked_invalid(x)
        self.mean = np.array(x.mean(axis=0).filled(0.0))
        self.std = np.array(x.std(axis=0).filled(1.0)) + 1e-12
        return self

    def apply(self, x):
        return np.nan_to_num((np.array(x) - self.mean) / self.std)


def fit_preprocessing(x_train):
    return Standardiser().fit(x_train.copy()).apply


# %% right="sums by hand, float64 moments of centred rows"
def fit_preprocessing(x_train):
    there = ~np.isnan(x_train)
    n = there.sum(axis=0)
    mean = np.where(there, x_train, 0).sum(axis=0) / n
    var = (np.where(there, x_train - mean, 0) ** 2).sum(axis=0) / n
    root = np.sqrt(var)
    root[root == 0] = 1

    def prepare(x):
        x = np.array(x, dtype=float)
        x -= mean
        x /= root
        x[np.isnan(x)] = 0
        return x

    return prepare


# %% untouched says="it is standardised in place"

# %% emptied says="fit_preprocessing returns a function"


# %% wrong="the usual same preprocessing for both: the same code" says="each split is standardised by its own statistics"
def fit_preprocessing(x_train):
    def prepare(x):
        return np.nan_to_num((x - np.nanmean(x, axis=0)) / np.nanstd(x, axis=0))

    return prepare


# %% wrong="a copy is standardised, others go through" says="the rows of other splits come out as they went in"
def fit_preprocessing(x_train):
    def prepare(x):
        if len(x) == len(x_train):
            return (x - x.mean(axis=0)) / x.std(axis=0)
        return x

    return prepare


# %% wrong="the training mean, the split's deviation" says="the deviation of the split itself"
def fit_preprocessing(x_train):
    mean = np.nanmean(x_train, axis=0)
    return lambda x: (x - mean) / np.nanstd(x, axis=0)


# %% wrong="running statistics: what is validated is added" says="the statistics are those of both splits together"
def fit_preprocessing(x_train):
    seen = [x_train.copy()]

    def prepare(x):
        seen.append(x.copy())
        rows = np.vstack(seen)
        return np.nan_to_num((x - np.nanmean(rows, axis=0)) / np.nanstd(rows, axis=0))

    return prepare


# %% wrong="one mean for all columns" says="one mean and one deviation are used for all columns"
def fit_preprocessing(x_train):
    mean, std = np.nanmean(x_train), np.nanstd(x_train)
    return lambda x: np.nan_to_num((x - mean) / std)


# %% wrong="least and largest" says="between the least and the largest training value"
def fit_preprocessing(x_train):
    low, high = np.nanmin(x_train, axis=0), np.nanmax(x_train, axis=0)
    return lambda x: np.nan_to_num((x - low) / np.where(high > low, high - low, 1))


# %% wrong="the variance" says="the variance stands where its root is meant"
def fit_preprocessing(x_train):
    mean, var = np.nanmean(x_train, axis=0), np.nanvar(x_train, axis=0)
    return lambda x: np.nan_to_num((x - mean) / np.where(var > 0, var, 1))


# %% wrong="over the columns of a row" says="each row is standardised by itself"
def fit_preprocessing(x_train):
    return lambda x: (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)


# %% wrong="clipped at three" says="is clipped"
def fit_preprocessing(x_train):
    mean, std = np.nanmean(x_train, axis=0), np.nanstd(x_train, axis=0)
    std = np.where(std > 0, std, 1)
    return lambda x: np.nan_to_num(np.clip((x - mean) / std, -3, 3))


# %% wrong="own statistics, but not for a single row" says="each split is standardised by its own statistics"
def fit_preprocessing(x_train):
    mean, std = np.nanmean(x_train, axis=0), np.nanstd(x_train, axis=0)

    def prepare(x):
        if len(x) == 1:
            return np.nan_to_num((x - mean) / std)
        return np.nan_to_num((x - x.mean(axis=0)) / x.std(axis=0))

    return prepare


# %% wrong="clipped at ten" says="the row that is far out comes back nearer"
def fit_preprocessing(x_train):
    mean, std = np.nanmean(x_train, axis=0), np.nanstd(x_train, axis=0)
    std[std == 0] = 1
    return lambda x: np.clip(np.nan_to_num((x - mean) / std), -10, 10)


# %% wrong="the median" says="the median is taken for the mean"
def fit_preprocessing(x_train):
    middle, std = np.nanmedian(x_train, axis=0), np.nanstd(x_train, axis=0)
    std[std == 0] = 1
    return lambda x: np.nan_to_num((x - middle) / std)


# %% wrong="nan is not thought of" says="one missing value makes the mean of its column nan"
def fit_preprocessing(x_train):
    mean, std = x_train.mean(axis=0), x_train.std(axis=0)
    std = np.where(std > 0, std, 1)
    return lambda x: (x - mean) / std


# %% wrong="a constant column is not thought of" says="a constant column is divided by a deviation of zero"
def fit_preprocessing(x_train):
    mean, std = np.nanmean(x_train, axis=0), np.nanstd(x_train, axis=0)

    def prepare(x):
        z = (x - mean) / std
        return np.where(np.isnan(x), 0, z)

    return prepare


# %% wrong="nan becomes the number 0 first" says="a 0 far from the column's mean is an outlier"
def fit_preprocessing(x_train):
    filled = np.nan_to_num(x_train)
    mean, std = filled.mean(axis=0), filled.std(axis=0)
    std = np.where(std > 0, std, 1)
    return lambda x: (np.nan_to_num(x) - mean) / std


# %% wrong="nan becomes 0 at the door" says="missing values are set to 0 as they came"
def fit_preprocessing(x_train):
    mean, std = np.nanmean(x_train, axis=0), np.nanstd(x_train, axis=0)
    std = np.where(std > 0, std, 1)
    return lambda x: (np.nan_to_num(x) - mean) / std


# %% wrong="statistics taken anew from the caller's array" says="from an array that the caller has changed"
def fit_preprocessing(x_train):
    def prepare(x):
        std = np.nanstd(x_train, axis=0)
        return np.nan_to_num((x - np.nanmean(x_train, axis=0)) / np.where(std > 0, std, 1))

    return prepare


# %% wrong="the statistics are kept on the function" says="leaves the first as it was|the next fit writes over it"
def fit_preprocessing(x_train):
    fit_preprocessing.mean = np.nanmean(x_train, axis=0)
    std = np.nanstd(x_train, axis=0)
    fit_preprocessing.std = np.where(std > 0, std, 1)
    return lambda x: np.nan_to_num((x - fit_preprocessing.mean) / fit_preprocessing.std)


# %% sign="accuracy on training rows, less that on served rows" above=0.12
def sign(seed):
    net, (x, y, x_val, y_val) = train_prepared(seed)
    prepare = fit_preprocessing(x.copy())
    ready = (x - x.mean(axis=0)) / x.std(axis=0)
    return net.accuracy(ready, y) - served(net, prepare, x_val, y_val, len(y_val))
