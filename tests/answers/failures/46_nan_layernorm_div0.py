# %% right="mean and variance of numpy, in float64"
def statistics(x, eps=1e-5):
    x = np.asarray(x, dtype=np.float64)
    return x.mean(axis=1, keepdims=True), (x.var(axis=1, keepdims=True) + eps) ** -0.5


# %% right="row by row, Welford"
def statistics(x, eps=1e-5):
    means, inverses = [], []
    for row in x:
        mean = squares = 0.0
        for count, value in enumerate(map(float, row), start=1):
            delta = value - mean
            mean += delta / count
            squares += delta * (value - mean)
        means.append([mean])
        inverses.append([1 / (squares / len(row) + eps) ** 0.5])
    return np.array(means), np.array(inverses)


# %% right="shifted by the first entry, then one pass, then exact lists"
def statistics(x, eps=1e-5):
    wide = x.astype(np.float64)
    first = wide[:, :1].copy()
    shifted = wide - first
    m = shifted.mean(axis=1)[:, None]
    var = np.maximum((shifted * shifted).mean(axis=1)[:, None] - m * m, 0)
    return [first + m, 1 / np.sqrt(var + eps)]


# %% right="the length of the centred row, longdouble"
def statistics(x, eps=1e-5):
    x = x.astype(np.longdouble)
    width = x.shape[-1]
    mean = x.sum(axis=-1, keepdims=True) / width
    length = np.linalg.norm((x - mean).astype(float), axis=-1, keepdims=True)
    return mean.astype(float), 1 / np.hypot(length / np.sqrt(width), np.sqrt(eps))


# %% untouched says="eps is left out"

# %% emptied says="the result is (mean, inverse_std)"


# %% wrong="eps beside the root" says="eps is added to the std, after the root"
def statistics(x, eps=1e-5):
    x = x.astype(float)
    return x.mean(axis=1, keepdims=True), 1 / (x.std(axis=1, keepdims=True) + eps)


# %% wrong="the std bounded" says="eps bounds the std from below"
def statistics(x, eps=1e-5):
    x = x.astype(float)
    return x.mean(axis=1, keepdims=True), 1 / np.maximum(x.std(axis=1, keepdims=True), eps)


# %% wrong="the variance bounded" says="eps bounds the variance from below, and is not added"
def statistics(x, eps=1e-5):
    x = x.astype(float)
    return x.mean(axis=1, keepdims=True), 1 / np.sqrt(np.maximum(x.var(axis=1, keepdims=True), eps))


# %% wrong="eps inside, the old variance" says="the variance is the difference of two means of squares"
def statistics(x, eps=1e-5):
    mean = x.mean(axis=1, keepdims=True)
    variance = (x**2).mean(axis=1, keepdims=True) - mean**2
    return mean, 1 / np.sqrt(variance + eps)


# %% wrong="the old variance, in float64" says="the variance is the difference of two means of squares"
def statistics(x, eps=1e-5):
    x = x.astype(float)
    mean = x.mean(axis=1, keepdims=True)
    variance = (x**2).mean(axis=1, keepdims=True) - mean**2
    return mean, 1 / np.sqrt(np.maximum(variance, 0) + eps)


# %% wrong="the old variance, kept from below zero" says="the variance is the difference of two means of squares"
def statistics(x, eps=1e-5):
    mean = x.mean(axis=1, keepdims=True)
    variance = (x**2).mean(axis=1, keepdims=True) - mean**2
    return mean, 1 / np.sqrt(np.maximum(variance, 0) + eps)


# %% wrong="two passes in the type of x" says="or the mean is rounded: their digits are gone"
def statistics(x, eps=1e-5):
    mean = x.mean(axis=1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=1, keepdims=True)
    return mean, 1 / np.sqrt(variance + eps)


# %% wrong="a mean in the type of x" says="the mean is rounded to float32 or float16"
def statistics(x, eps=1e-5):
    wide = x.astype(float)
    mean = wide.mean(axis=1, keepdims=True)
    return mean.astype(np.float32), 1 / np.sqrt(((wide - mean) ** 2).mean(axis=1, keepdims=True) + eps)


# %% wrong="the mean in float64, the squares in float32" says="a square does not fit the type of x"
def statistics(x, eps=1e-5):
    mean = x.mean(axis=1, keepdims=True, dtype=float)
    centred = (x - mean).astype(x.dtype)
    variance = (centred**2).mean(axis=1, keepdims=True, dtype=float)
    return mean, 1 / np.sqrt(variance + eps)


# %% wrong="width - 1" says="the sum of squares is divided by width - 1"
def statistics(x, eps=1e-5):
    x = x.astype(float)
    return x.mean(axis=1, keepdims=True), 1 / np.sqrt(x.var(axis=1, keepdims=True, ddof=1) + eps)


# %% wrong="down the columns" says="the mean is taken down the columns"
def statistics(x, eps=1e-5):
    x = x.astype(float)
    return x.mean(axis=0, keepdims=True), 1 / np.sqrt(x.var(axis=0, keepdims=True) + eps)


# %% wrong="an eps of its own" says="1e-5 stands where eps is meant"
def statistics(x, eps=1e-5):
    x = x.astype(float)
    return x.mean(axis=1, keepdims=True), 1 / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)


# %% wrong="zeros are replaced" says="eps is left out"
def statistics(x, eps=1e-5):
    x = x.astype(float)
    std = x.std(axis=1, keepdims=True)
    return x.mean(axis=1, keepdims=True), 1 / np.where(std == 0, 1, std)


# %% wrong="the std" says="the std is returned, and not 1 over it"
def statistics(x, eps=1e-5):
    x = x.astype(float)
    return x.mean(axis=1, keepdims=True), np.sqrt(x.var(axis=1, keepdims=True) + eps)


# %% wrong="nan to num" says="eps is left out"
def statistics(x, eps=1e-5):
    x = x.astype(float)
    return x.mean(axis=1, keepdims=True), np.nan_to_num(1 / x.std(axis=1, keepdims=True))


# %% sign="share of the steps of six epochs whose loss is not finite" above=0
def sign(seed):
    return np.mean(~np.isfinite(train_padded(statistics, seed)))
