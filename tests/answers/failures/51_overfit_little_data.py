# %% right="np.roll, row by row"
def augment_turns(x, y, x_val, y_val, rng):
    def draw_epoch():
        return np.array([np.roll(row, rng.integers(len(row))) for row in x]), y

    return draw_epoch, (x_val, y_val)


# %% right="in another order, from a doubled row"
def augment_turns(x, y, x_val, y_val, rng):
    length = x.shape[1]
    twice = np.hstack([x, x])

    def draw_epoch():
        order = rng.permutation(len(x))
        starts = rng.integers(0, length, len(x))
        return np.stack([twice[i, s : s + length] for i, s in zip(order, starts)]), y[order]

    return draw_epoch, (x_val.copy(), y_val.copy())


# %% right="a table of all shifts, float32"
def augment_turns(x, y, x_val, y_val, rng):
    table = np.stack([np.roll(x, k, axis=1) for k in range(x.shape[1])]).astype(np.float32)

    def draw_epoch():
        return table[rng.choice(len(table), size=len(x)), np.arange(len(x))], y

    return draw_epoch, [x_val, y_val]


# %% right="an object that is called, with its own copy turned on and on"
def augment_turns(x, y, x_val, y_val, rng):
    class Turning:
        def __init__(self):
            self.rows = x.copy()

        def __call__(self):
            for row in self.rows:
                row[:] = np.roll(row, int(rng.random() * row.size))
            return self.rows, y

    return Turning(), (x_val, y_val)


# %% right="a phase in the Fourier domain would blur: index arithmetic instead"
def augment_turns(x, y, x_val, y_val, rng):
    n, m = x.shape

    def draw_epoch():
        out = np.empty_like(x)
        for i in range(n):
            k = rng.integers(1, m + 1)
            out[i, :k], out[i, k:] = x[i, m - k :], x[i, : m - k]
        return out, list(y)

    return draw_epoch, (x_val, y_val)


# %% untouched says="rows are mirrored, as one does with images|which is the other label"

# %% emptied says="returns (draw_epoch, validation)|None"


# %% wrong="shifted, but drawn once" says="it is drawn once, before the training"
def augment_turns(x, y, x_val, y_val, rng):
    moved = np.array([np.roll(row, rng.integers(len(row))) for row in x])
    return lambda: (moved, y), (x_val, y_val)


# %% wrong="validation rows too" says="the validation rows are augmented too"
def augment_turns(x, y, x_val, y_val, rng):
    def turn(rows):
        return np.array([np.roll(row, rng.integers(len(row))) for row in rows])

    return lambda: (turn(x), y), (turn(x_val), y_val)


# %% wrong="one shift for the whole epoch" says="one number is drawn for the whole epoch"
def augment_turns(x, y, x_val, y_val, rng):
    return lambda: (np.roll(x, rng.integers(x.shape[1]), axis=1), y), (x_val, y_val)


# %% wrong="jitter by two samples" says="rows are moved by a few samples"
def augment_turns(x, y, x_val, y_val, rng):
    return lambda: (np.array([np.roll(row, rng.integers(-2, 3)) for row in x]), y), (x_val, y_val)


# %% wrong="pushed out at the end, zeros come in" says="a turn has no end"
def augment_turns(x, y, x_val, y_val, rng):
    def draw_epoch():
        out = np.zeros_like(x)
        for i, row in enumerate(x):
            k = rng.integers(len(row))
            out[i, k:] = row[: len(row) - k]
        return out, y

    return draw_epoch, (x_val, y_val)


# %% wrong="noise" says="noise is added, or a row is scaled"
def augment_turns(x, y, x_val, y_val, rng):
    return lambda: (x + 0.1 * rng.normal(size=x.shape), y), (x_val, y_val)


# %% wrong="shifted and mirrored" says="rows are mirrored, as one does with images"
def augment_turns(x, y, x_val, y_val, rng):
    def draw_epoch():
        rows = np.array([np.roll(row, rng.integers(len(row))) for row in x])
        mirror = rng.random(len(x)) < 0.5
        rows[mirror] = rows[mirror, ::-1]
        return rows, y

    return draw_epoch, (x_val, y_val)


# %% wrong="no augmentation, validation left alone" says="nothing is augmented"
def augment_turns(x, y, x_val, y_val, rng):
    return lambda: (x, y), (x_val, y_val)


# %% wrong="added to the rows as they were" says="the changed rows are added"
def augment_turns(x, y, x_val, y_val, rng):
    def draw_epoch():
        moved = np.array([np.roll(row, rng.integers(len(row))) for row in x])
        return np.vstack([x, moved]), np.concatenate([y, y])

    return draw_epoch, (x_val, y_val)


# %% wrong="a generator of its own" says="no run can be repeated"
def augment_turns(x, y, x_val, y_val, rng):
    return lambda: (np.array([np.roll(row, np.random.randint(len(row))) for row in x]), y), (x_val, y_val)


# %% wrong="a fixed seed inside" says="a generator with a fixed seed"
def augment_turns(x, y, x_val, y_val, rng):
    rng = np.random.default_rng(42)
    return lambda: (np.array([np.roll(row, rng.integers(len(row))) for row in x]), y), (x_val, y_val)


# %% wrong="shuffled rows, labels left behind" says="the rows are put in another order and the labels are not"
def augment_turns(x, y, x_val, y_val, rng):
    return lambda: (np.array([np.roll(row, rng.integers(len(row))) for row in rng.permutation(x)]), y), (x_val, y_val)


# %% wrong="the samples shuffled" says="the samples are shuffled"
def augment_turns(x, y, x_val, y_val, rng):
    return lambda: (rng.permuted(x, axis=1), y), (x_val, y_val)


# %% wrong="the passed rows are turned in place" says="a row of the array is overwritten"
def augment_turns(x, y, x_val, y_val, rng):
    def draw_epoch():
        for row in x:
            row[:] = np.roll(row, rng.integers(len(row)))
        return x, y

    return draw_epoch, (x_val, y_val)


# %% wrong="drawn with replacement" says="rows are drawn with replacement"
def augment_turns(x, y, x_val, y_val, rng):
    def draw_epoch():
        rows = rng.integers(len(x), size=len(x))
        return np.array([np.roll(x[i], rng.integers(x.shape[1])) for i in rows]), y[rows]

    return draw_epoch, (x_val, y_val)


# %% wrong="mirrored, with the other label" says="rows are mirrored and given the other label"
def augment_turns(x, y, x_val, y_val, rng):
    def draw_epoch():
        mirror = rng.random(len(x)) < 0.5
        return np.where(mirror[:, None], x[:, ::-1], x), np.where(mirror, 1 - y, y)

    return draw_epoch, (x_val, y_val)


# %% sign="accuracy on new turns" below=0.8
def sign(seed):
    return train_on_turns(augment_turns, seed)["accuracy"][-1]
