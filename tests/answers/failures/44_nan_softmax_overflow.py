# %% right="row by row, over the classes that are open"
def probabilities(logits, temperature=1.0):
    table = np.asarray(logits).astype(np.float64)
    out = np.zeros(table.shape)
    for i in range(len(table)):
        row = table[i]
        if np.isnan(row).any() or np.isposinf(row).any():
            raise ValueError("bad logit")
        is_open = ~np.isneginf(row)
        if is_open.any():
            e = np.exp((row[is_open] - max(row[is_open])) / temperature)
            out[i, is_open] = e / sum(e)
    return out


# %% right="log-sum-exp"
def probabilities(logits, temperature=1.0):
    z = np.array(logits, dtype=np.float64)
    if not (z < np.inf).all():
        raise ValueError(f"{(~(z < np.inf)).sum()} logits are nan or inf")
    open_rows = (z > -np.inf).any(axis=-1)
    p = np.zeros_like(z)
    shifted = (z[open_rows] - np.max(z[open_rows], axis=-1, keepdims=True)) / temperature
    p[open_rows] = np.exp(shifted - np.logaddexp.reduce(shifted, axis=-1, keepdims=True))
    return p


# %% right="in longdouble, zeros where nothing is left"
def probabilities(logits, temperature=1.0):
    if np.isnan(np.sum(np.isnan(logits))) or np.any(np.isnan(logits)) or np.max(logits) == np.inf:
        raise ValueError("not logits")
    z = np.asarray(logits, dtype=np.longdouble)
    top = z.max(axis=1)[:, None]
    e = np.where(z == -np.inf, 0, np.exp((z - np.where(np.isinf(top), 0, top)) / temperature))
    s = e.sum(axis=1)[:, None]
    return np.divide(e, s, out=np.zeros_like(e), where=s != 0).astype(float)


# %% right="the softmax of the package, on the rows that have a choice"
def probabilities(logits, temperature=1.0):
    logits = logits.astype(float)
    if (np.isnan(logits) | (logits == np.inf)).any():
        raise ValueError
    out = np.zeros(logits.shape, dtype=np.float32)
    rows = np.isfinite(logits).any(axis=1)
    some = logits[rows]
    some = some - some.max(axis=1, keepdims=True)
    if len(some):
        out[rows] = softmax(some / temperature)
    return out


# %% right="the type that comes in, float32 at least; empty rows get a top of 0 and a sum of 1"
def probabilities(logits, temperature=1.0):
    z = logits.astype(np.float32 if logits.dtype == np.float16 else logits.dtype)
    if np.isnan(z).any() or (z == np.inf).any():
        raise ValueError("nan or +inf in the logits")
    top = z.max(axis=1, keepdims=True)
    empty = top == -np.inf
    top[empty] = 0
    p = np.exp((z - top) / temperature)
    total = p.sum(axis=1, keepdims=True)
    total[empty] = 1
    return p / total


# %% untouched says="a power has overflowed, and inf is divided by inf"

# %% emptied says="the result is an array like logits"


# %% wrong="the document's: temperature scaling" says="it is another model"
def probabilities(logits, temperature=1.0):
    scale = 20.0 if np.abs(logits).max() > 88 else 1.0
    powers = np.exp(logits / (scale * temperature))
    return powers / powers.sum(axis=1, keepdims=True)


# %% wrong="the logits are cut off" says="cut off at a bound"
def probabilities(logits, temperature=1.0):
    z = np.clip(logits.astype(float), -80, 80) / temperature
    powers = np.exp(z)
    return powers / powers.sum(axis=1, keepdims=True)


# %% wrong="nan to num" says="replaced by a number after the overflow"
def probabilities(logits, temperature=1.0):
    powers = np.exp(logits / temperature)
    return np.nan_to_num(powers / powers.sum(axis=1, keepdims=True))


# %% wrong="one maximum for all" says="one maximum is taken off all rows"
def probabilities(logits, temperature=1.0):
    z = logits.astype(float)
    powers = np.exp((z - z.max()) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


# %% wrong="the mean is taken off" says="the mean is taken off, and not the largest"
def probabilities(logits, temperature=1.0):
    z = logits.astype(float)
    powers = np.exp((z - z.mean(axis=1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


# %% wrong="the softmax of the package, and no more" says="the digits in which they differ are gone"
def probabilities(logits, temperature=1.0):
    return softmax(logits / temperature)


# %% wrong="float16 divided in float16" says="the division is done in float16"
def probabilities(logits, temperature=1.0):
    if np.isnan(logits).any() or np.isposinf(logits).any():
        raise ValueError("bad")
    z = (logits if logits.dtype == np.float16 else logits.astype(float)) / temperature
    z = z.astype(float)
    top = z.max(axis=1, keepdims=True)
    powers = np.exp(z - np.where(np.isneginf(top), 0, top))
    return powers / np.maximum(powers.sum(axis=1, keepdims=True), 1e-300)


# %% wrong="masked rows forgotten" says="-inf less -inf is computed"
def probabilities(logits, temperature=1.0):
    z = logits.astype(float)
    powers = np.exp((z - z.max(axis=1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


# %% wrong="-1e9 for a mask" says="here that is the highest logit"
def probabilities(logits, temperature=1.0):
    z = np.where(np.isneginf(logits), -1e9, logits.astype(float))
    powers = np.exp((z - z.max(axis=1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


# %% wrong="float32 for all" says="float64 is made float32"
def probabilities(logits, temperature=1.0):
    z = logits.astype(np.float32)
    z = (z - z.max(axis=1, keepdims=True)) / np.float32(temperature)
    powers = np.exp(z)
    return powers / powers.sum(axis=1, keepdims=True)


# %% wrong="the lowest number for a mask" says="chooses among what was forbidden"
def probabilities(logits, temperature=1.0):
    z = np.where(np.isneginf(logits), np.finfo(float).min, logits.astype(float))
    powers = np.exp((z - z.max(axis=1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


# %% wrong="every inf is a fault" says="-inf, a mask, is taken for a fault"
def probabilities(logits, temperature=1.0):
    z = logits.astype(float)
    top = z.max(axis=1, keepdims=True)
    if not np.isfinite(top).all():
        raise ValueError("not finite")
    powers = np.exp((z - top) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


# %% wrong="what is nan at the end is zero" says="replaced by one, and the fault goes on unseen"
def probabilities(logits, temperature=1.0):
    z = logits.astype(float)
    powers = np.exp((z - z.max(axis=1, keepdims=True)) / temperature)
    return np.nan_to_num(powers / powers.sum(axis=1, keepdims=True))


# %% wrong="bad logits go through" says="it is handed on"
def probabilities(logits, temperature=1.0):
    z = logits.astype(float)
    top = z.max(axis=1, keepdims=True)
    powers = np.exp((z - np.where(np.isneginf(top), 0, top)) / temperature)
    total = powers.sum(axis=1, keepdims=True)
    return powers / np.where(total == 0, 1, total)


# %% wrong="all of it in the type that comes in" says="kept in float16, which has three digits"
def probabilities(logits, temperature=1.0):
    if np.isnan(logits).any() or (logits == np.inf).any():
        raise ValueError("bad")
    top = logits.max(axis=1, keepdims=True)
    top = np.where(np.isneginf(top), np.zeros_like(top), top)
    powers = np.exp((logits - top) / temperature)
    total = powers.sum(axis=1, keepdims=True)
    return powers / np.where(total == 0, np.ones_like(total), total)


# %% wrong="in place" says="logits are not changed|it works in place"
def probabilities(logits, temperature=1.0):
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits.astype(float) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


# %% sign="highest loss in 40 further steps (nats)" above=0.1
def sign(seed):
    return np.max(go_on(probabilities, seed)["loss"])
