# %% right="moving mean taken out, places averaged; numpy's permutation"
def spikes_repeat(losses, epoch_length):
    losses = np.array(losses)
    trend = np.convolve(losses, np.ones(epoch_length) / epoch_length, mode="valid")
    start = epoch_length // 2
    rest = losses[start : start + len(trend)] - trend
    a, b = rest[:-epoch_length], rest[epoch_length:]
    return np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b)) > 0.5


def epoch_batches(x, y, batch_size, rng):
    rows = rng.permutation(len(x))
    return [(x[part], y[part]) for part in np.split(rows, range(batch_size, len(rows), batch_size))]


# %% right="share of the variance that the place explains; shuffled row numbers in a list"
def spikes_repeat(losses, epoch_length):
    epochs = np.array(losses).reshape(-1, epoch_length)
    t = np.arange(epoch_length)
    epochs = np.array([epoch - np.polyval(np.polyfit(t, epoch, 1), t) for epoch in epochs])
    by_place = epochs.mean(axis=0)
    return np.var(by_place) / np.var(epochs) > 0.55


def epoch_batches(x, y, batch_size, rng):
    numbers = list(range(len(y)))
    rng.shuffle(numbers)
    result = []
    while numbers:
        now, numbers = numbers[:batch_size], numbers[batch_size:]
        result.append((x[now].astype(np.float32), y[now].tolist()))
    return result


# %% right="differences at the lag of an epoch; random keys sorted"
def spikes_repeat(losses, epoch_length):
    change = np.diff(losses)
    return np.corrcoef(change[:-epoch_length], change[epoch_length:])[0, 1] > 0.35


def epoch_batches(x, y, batch_size, rng):
    order = np.argsort(rng.random(len(y)))
    x, y = x[order], y[order]
    return [(x[i : i + batch_size], y[i : i + batch_size]) for i in range(0, len(y), batch_size)]


# %% right="odd epochs against even ones; every class with its share"
def spikes_repeat(losses, epoch_length):
    epochs = np.asarray(losses, dtype=float).reshape(-1, epoch_length)
    odd, even = epochs[::2].mean(axis=0), epochs[1::2].mean(axis=0)
    t = np.arange(epoch_length)
    odd, even = (a - np.polyval(np.polyfit(t, a, 1), t) for a in (odd, even))
    return int(np.corrcoef(odd, even)[0, 1] > 0.6)


def epoch_batches(x, y, batch_size, rng):
    keys = np.zeros(len(y))
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        keys[rows] = (np.arange(len(rows)) + rng.random(len(rows))) / len(rows)
    order = np.argsort(keys)
    return [(x[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in range(0, len(y), batch_size)]


# %% right="steps that stand out in four epochs of five; indices taken from the front"
def spikes_repeat(losses, epoch_length):
    losses = np.asarray(losses)
    stands_out = (losses > 3 * np.median(losses)).reshape(-1, epoch_length)
    return bool(np.any(stands_out.mean(axis=0) >= 0.8))


def epoch_batches(x, y, batch_size, rng):
    order = list(rng.permutation(len(y)))
    pieces = []
    while order:
        rows, order = order[:batch_size], order[batch_size:]
        pieces.append((x[rows], y[rows]))
    return pieces


# %% untouched says="high spikes are taken for a wrong order"

# %% emptied says="True or False"


# %% wrong="the probe alone is mended" says="the rows are read as they lie"
def spikes_repeat(losses, epoch_length):
    change = np.diff(losses)
    return np.corrcoef(change[:-epoch_length], change[epoch_length:])[0, 1] > 0.35


def epoch_batches(x, y, batch_size, rng):
    return [(x[i : i + batch_size], y[i : i + batch_size]) for i in range(0, len(y), batch_size)]


# %% wrong="autocorrelation of the raw losses" says="a trend is taken for repetition"
def spikes_repeat(losses, epoch_length):
    losses = np.array(losses)
    return np.corrcoef(losses[:-epoch_length], losses[epoch_length:])[0, 1] > 0.5


def epoch_batches(x, y, batch_size, rng):
    order = rng.permutation(len(y))
    return [(x[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in range(0, len(y), batch_size)]


# %% wrong="every epoch has as many spikes" says="high spikes are taken for a wrong order"
def spikes_repeat(losses, epoch_length):
    jumps = np.diff(losses, prepend=0)
    counts = (jumps > 0.3 * jumps.max()).reshape(-1, epoch_length).sum(axis=1)
    return bool(max(losses) > 10 * np.median(losses) and counts.max() - counts.min() <= 2)


def epoch_batches(x, y, batch_size, rng):
    order = rng.permutation(len(y))
    return [(x[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in range(0, len(y), batch_size)]


# %% wrong="the lag of one step" says="jumps at the same two places|only jumps in many places are seen"
def spikes_repeat(losses, epoch_length):
    change = np.array(losses) - np.polyval(np.polyfit(range(len(losses)), losses, 2), range(len(losses)))
    return np.corrcoef(change[:-1], change[1:])[0, 1] > 0.5


def epoch_batches(x, y, batch_size, rng):
    order = rng.permutation(len(y))
    return [(x[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in range(0, len(y), batch_size)]


# %% wrong="always" says="every run is told the same"
def spikes_repeat(losses, epoch_length):
    return True


def epoch_batches(x, y, batch_size, rng):
    order = rng.permutation(len(y))
    return [(x[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in range(0, len(y), batch_size)]


# %% wrong="the place of the highest loss" says="only the highest step of each epoch is looked at"
def spikes_repeat(losses, epoch_length):
    highest = np.reshape(losses, (-1, epoch_length)).argmax(axis=1)
    return bool(len(set(highest.tolist())) <= 2)


def epoch_batches(x, y, batch_size, rng):
    order = rng.permutation(len(y))
    return [(x[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in range(0, len(y), batch_size)]


# %% wrong="the starts are shuffled" says="the smaller one comes in the middle"
def spikes_repeat(losses, epoch_length):
    rest = np.log(losses)
    steps = np.arange(len(rest))
    rest = rest - np.polyval(np.polyfit(steps, rest, 1), steps)
    table = rest.reshape(-1, epoch_length)
    return table.mean(axis=0).var() > 0.5 * table.var()


def epoch_batches(x, y, batch_size, rng):
    starts = list(range(0, len(y), batch_size))
    rng.shuffle(starts)
    return [(x[at : at + batch_size], y[at : at + batch_size]) for at in starts]


# %% wrong="x is shuffled, y is not" says="x and y are each put in an order of their own"
def spikes_repeat(losses, epoch_length):
    change = np.diff(losses)
    return np.corrcoef(change[:-epoch_length], change[epoch_length:])[0, 1] > 0.35


def epoch_batches(x, y, batch_size, rng):
    x = rng.permutation(x)
    return [(x[i : i + batch_size], y[i : i + batch_size]) for i in range(0, len(y), batch_size)]


# %% wrong="shuffled in place" says="they are shuffled in place"
def spikes_repeat(losses, epoch_length):
    change = np.diff(losses)
    return np.corrcoef(change[:-epoch_length], change[epoch_length:])[0, 1] > 0.35


def epoch_batches(x, y, batch_size, rng):
    order = rng.permutation(len(y))
    x[:], y[:] = x[order], y[order]
    return [(x[i : i + batch_size], y[i : i + batch_size]) for i in range(0, len(y), batch_size)]


# %% wrong="a seed of its own" says="the order is drawn once, or from a seed of its own"
def spikes_repeat(losses, epoch_length):
    change = np.diff(losses)
    return np.corrcoef(change[:-epoch_length], change[epoch_length:])[0, 1] > 0.35


def epoch_batches(x, y, batch_size, rng):
    order = np.random.default_rng(42).permutation(len(y))
    return [(x[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in range(0, len(y), batch_size)]


# %% wrong="the global generator" says="something else than rng is drawn from"
def spikes_repeat(losses, epoch_length):
    change = np.diff(losses)
    return np.corrcoef(change[:-epoch_length], change[epoch_length:])[0, 1] > 0.35


def epoch_batches(x, y, batch_size, rng):
    order = np.random.permutation(len(y))
    return [(x[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in range(0, len(y), batch_size)]


# %% wrong="with replacement" says="rows are drawn with replacement"
def spikes_repeat(losses, epoch_length):
    change = np.diff(losses)
    return np.corrcoef(change[:-epoch_length], change[epoch_length:])[0, 1] > 0.35


def epoch_batches(x, y, batch_size, rng):
    order = rng.integers(0, len(y), len(y))
    return [(x[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in range(0, len(y), batch_size)]


# %% wrong="the order of the batches" says="batches are shuffled, and not the rows in them"
def spikes_repeat(losses, epoch_length):
    change = np.diff(losses)
    return np.corrcoef(change[:-epoch_length], change[epoch_length:])[0, 1] > 0.35


def epoch_batches(x, y, batch_size, rng):
    pieces = [(x[i : i + batch_size], y[i : i + batch_size]) for i in range(0, len(y), batch_size)]
    last = [pieces.pop()] if len(y) % batch_size else []
    return [pieces[i] for i in rng.permutation(len(pieces))] + last


# %% wrong="inside a batch" says="rows change places only inside their batch"
def spikes_repeat(losses, epoch_length):
    change = np.diff(losses)
    return np.corrcoef(change[:-epoch_length], change[epoch_length:])[0, 1] > 0.35


def epoch_batches(x, y, batch_size, rng):
    rows = [rng.permutation(np.arange(i, min(i + batch_size, len(y)))) for i in range(0, len(y), batch_size)]
    return [(x[part], y[part]) for part in rows]


# %% wrong="a shuffle buffer of 64 rows" says="inside a buffer that is small against a class"
def spikes_repeat(losses, epoch_length):
    change = np.diff(losses)
    return np.corrcoef(change[:-epoch_length], change[epoch_length:])[0, 1] > 0.35


def epoch_batches(x, y, batch_size, rng):
    buffer, order = [], []
    for row in range(len(y)):
        buffer.append(row)
        if len(buffer) == 64:
            order.append(buffer.pop(int(rng.integers(64))))
    order += [buffer[i] for i in rng.permutation(len(buffer))]
    return [(x[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in range(0, len(y), batch_size)]


# %% wrong="the last batch is dropped" says="the last, smaller batch is dropped"
def spikes_repeat(losses, epoch_length):
    change = np.diff(losses)
    return np.corrcoef(change[:-epoch_length], change[epoch_length:])[0, 1] > 0.35


def epoch_batches(x, y, batch_size, rng):
    order = rng.permutation(len(y))
    return [(x[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in range(0, len(y) - batch_size + 1, batch_size)]


# %% sign="highest loss of the second epoch, over its median" above=15
def sign(seed):
    second = run_epochs(epoch_batches, seed, epochs=2)[0]["loss"][94:188]
    return np.max(second) / np.median(second)
