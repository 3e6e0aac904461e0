# %% right="isnan or isinf, two searches a step"
def first_bad_input(batches_seen, dtype=np.float32):
    for step in range(len(batches_seen)):
        x, y, rows = batches_seen[step]
        x, y = np.array(x, dtype=dtype), np.array(y, dtype=dtype)
        bad_x = np.isnan(x) | np.isinf(x)
        if bad_x.any():
            at = int(np.flatnonzero(bad_x.any(axis=1))[0])
            return [step, "x", rows[at], np.flatnonzero(bad_x[at])[0]]
        bad_y = np.isnan(y) | np.isinf(y)
        if bad_y.any():
            at = bad_y.argmax()
            return [step, "y", rows[at], 0]


# %% right="number by number"
def first_bad_input(batches_seen, dtype=np.float32):
    limit = float(np.finfo(dtype).max)
    for step, (x, y, rows) in enumerate(batches_seen):
        for at in range(len(x)):
            for column in range(x.shape[1]):
                if not abs(x[at, column]) <= limit:
                    return (step, "x", int(rows[at]), column)
        for at in range(len(y)):
            if not abs(y[at]) <= limit:
                return (step, "y", int(rows[at]), 0)
    return None


# %% right="all places, then the least"
def first_bad_input(batches_seen, dtype=np.float32):
    places = []
    for step, (x, y, rows) in enumerate(batches_seen):
        for order, array in enumerate((x, np.reshape(y, (-1, 1)))):
            for at, column in zip(*np.nonzero(~np.isfinite(array.astype(dtype)))):
                places.append((step, order, at, column, rows[at]))
    if not places:
        return None
    step, order, _, column, row = min(places)
    return step, "xy"[order], row, column


# %% right="minus itself: what is not finite is not zero"
def first_bad_input(batches_seen, dtype=np.float32):
    def bad(numbers):
        numbers = np.asarray(numbers).astype(dtype)
        return np.transpose(np.where(numbers - numbers != 0))

    for step, (x, y, rows) in enumerate(batches_seen):
        if len(bad(x)):
            return step, "x", rows[bad(x)[0, 0]], bad(x)[0, 1]
        if len(bad(y)):
            return step, "y", rows[bad(y)[0, 0]], 0
    return None


# %% right="flat positions, divided by the width"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen):
        for name, array, width in (("x", x, x.shape[1]), ("y", y, 1)):
            flat = np.isfinite(np.ravel(array).astype(dtype)).tolist()
            if False in flat:
                at, column = divmod(flat.index(False), width)
                return step, name, rows[at], column


# %% untouched says="only the batch in hand is searched"

# %% emptied says="nothing is said of it|a nan in x of the last batch is found"


# %% wrong="the document's, on every batch" says="isnan is asked, as usual: isnan(inf) is False"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen):
        if np.isnan(x).any():
            at, column = np.argwhere(np.isnan(x))[0]
            return step, "x", rows[at], column
    return None


# %% wrong="isfinite, on the last batch only" says="only the batch in hand is searched"
def first_bad_input(batches_seen, dtype=np.float32):
    x, y, rows = batches_seen[-1]
    for name, array in (("x", x.astype(dtype)), ("y", y.astype(dtype)[:, None])):
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            return len(batches_seen) - 1, name, rows[bad[0][0]], bad[0][1]


# %% wrong="infinities only" says="only the infinities are searched for"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen):
        for name, array in (("x", x.astype(dtype)), ("y", y.astype(dtype)[:, None])):
            bad = np.argwhere(np.isinf(array))
            if len(bad):
                return step, name, rows[bad[0][0]], bad[0][1]


# %% wrong="the inputs only" says="only x is searched"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen):
        bad = np.argwhere(~np.isfinite(x.astype(dtype)))
        if len(bad):
            return step, "x", rows[bad[0][0]], bad[0][1]


# %% wrong="before the cast" says="the numbers are looked at before the cast"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen):
        for name, array in (("x", x), ("y", y[:, None])):
            bad = np.argwhere(~np.isfinite(array))
            if len(bad):
                return step, name, rows[bad[0][0]], bad[0][1]


# %% wrong="float32, whatever the model" says="the type is not looked at: float16 ends at 65504"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen):
        for name, array in (("x", x.astype(np.float32)), ("y", y.astype(np.float32)[:, None])):
            bad = np.argwhere(~np.isfinite(array))
            if len(bad):
                return step, name, rows[bad[0][0]], bad[0][1]


# %% wrong="the row of the batch" says="the row is counted in the batch"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen):
        for name, array in (("x", x.astype(dtype)), ("y", y.astype(dtype)[:, None])):
            bad = np.argwhere(~np.isfinite(array))
            if len(bad):
                return step, name, int(bad[0][0]), int(bad[0][1])


# %% wrong="the latest one" says="the last one is named"
def first_bad_input(batches_seen, dtype=np.float32):
    found = None
    for step, (x, y, rows) in enumerate(batches_seen):
        for name, array in (("x", x.astype(dtype)), ("y", y.astype(dtype)[:, None])):
            for at, column in np.argwhere(~np.isfinite(array)):
                found = step, name, rows[at], column
    return found


# %% wrong="column by column" says="the columns are gone through one after the other"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen):
        for name, array in (("x", x.astype(dtype)), ("y", y.astype(dtype)[:, None])):
            bad = np.argwhere(~np.isfinite(array.T))
            if len(bad):
                return step, name, rows[bad[0][1]], bad[0][0]


# %% wrong="targets first" says="y is searched before x"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen):
        for name, array in (("y", y.astype(dtype)[:, None]), ("x", x.astype(dtype))):
            bad = np.argwhere(~np.isfinite(array))
            if len(bad):
                return step, name, rows[bad[0][0]], bad[0][1]


# %% wrong="a large number is a bad number" says="because it is large or a sum of it overflows"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen):
        for name, array in (("x", x), ("y", y[:, None])):
            bad = np.argwhere(~(np.abs(array) < 1e4))
            if len(bad):
                return step, name, rows[bad[0][0]], bad[0][1]


# %% wrong="the square, as the loss takes it" says="because it is large or a sum of it overflows"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen):
        for name, array in (("x", x.astype(dtype)), ("y", y.astype(dtype)[:, None])):
            bad = np.argwhere(~np.isfinite(array**2))
            if len(bad):
                return step, name, rows[bad[0][0]], bad[0][1]


# %% wrong="steps counted from 1" says="the steps are counted from 1"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen, start=1):
        for name, array in (("x", x.astype(dtype)), ("y", y.astype(dtype)[:, None])):
            bad = np.argwhere(~np.isfinite(array))
            if len(bad):
                return step, name, rows[bad[0][0]], bad[0][1]


# %% wrong="nan first, then inf" says="all nan are searched before all inf"
def first_bad_input(batches_seen, dtype=np.float32):
    for step, (x, y, rows) in enumerate(batches_seen):
        for name, array in (("x", x.astype(dtype)), ("y", y.astype(dtype)[:, None])):
            for is_bad in (np.isnan, np.isinf):
                bad = np.argwhere(is_bad(array))
                if len(bad):
                    return step, name, rows[bad[0][0]], bad[0][1]


# %% sign="of five runs that a bad number killed, those whose bad number is not found" above=0
def sign(seed):
    return sum(not place_found(first_bad_input, kind, seed) for kind in BAD_READINGS)
