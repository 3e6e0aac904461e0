# %% right="any over the rates, lazily"
def smallest_width(train_at, widths, lrs, target):
    ordered = sorted(widths)
    return next(((width, lr) for width in ordered for lr in lrs if train_at(width, lr) <= target), None)


# %% right="pops the smallest, rates from the largest"
def smallest_width(train_at, widths, lrs, target):
    left = list(widths)
    while left:
        width = min(left)
        left.remove(width)
        for lr in sorted(lrs, reverse=True):
            loss = train_at(width, lr)
            if np.isfinite(loss) and not loss > target:
                return [width, lr]


# %% right="begins with the rate that was best at the width before"
def smallest_width(train_at, widths, lrs, target):
    order = list(lrs)
    for width in np.sort(widths):
        losses = {}
        for lr in order:
            losses[lr] = train_at(int(width), lr)
            if losses[lr] <= target:
                return int(width), lr
        order.sort(key=lambda lr: losses[lr] if losses[lr] == losses[lr] else np.inf)
    return None


# %% right="an index over both lists"
def smallest_width(train_at, widths, lrs, target):
    answer = None
    i, widths = 0, sorted(widths)
    while answer is None and i < len(widths) * len(lrs):
        width, lr = widths[i // len(lrs)], lrs[i % len(lrs)]
        if train_at(width, lr) <= target:
            answer = (width, lr)
        i += 1
    return answer


# %% untouched says="all widths are compared at one learning rate"

# %% emptied says="nothing is trained|None"


# %% wrong="one rate, the largest" says="all widths are compared at one learning rate"
def smallest_width(train_at, widths, lrs, target):
    for width in sorted(widths):
        if train_at(width, max(lrs)) <= target:
            return width, max(lrs)


# %% wrong="the rate that is best for the first width" says="a learning rate is chosen at one width and kept"
def smallest_width(train_at, widths, lrs, target):
    widths = sorted(widths)
    losses = [train_at(widths[0], lr) for lr in lrs]
    lr = lrs[int(np.nanargmin(losses))]
    if np.nanmin(losses) <= target:
        return widths[0], lr
    for width in widths[1:]:
        if train_at(width, lr) <= target:
            return width, lr


# %% wrong="a minimum over nan" says="a minimum over nan is nan"
def smallest_width(train_at, widths, lrs, target):
    for width in sorted(widths):
        losses = []
        for lr in lrs:
            losses.append(train_at(width, lr))
            if min(losses) <= target:
                return width, lr
    return None


# %% wrong="leaves the loop at the first diverged run" says="or a loop is left"
def smallest_width(train_at, widths, lrs, target):
    for width in sorted(widths):
        for lr in lrs:
            loss = train_at(width, lr)
            if not np.isfinite(loss):
                break
            if loss <= target:
                return width, lr
    return None


# %% wrong="in the order of the list" says="the list is in no order"
def smallest_width(train_at, widths, lrs, target):
    for width in widths:
        for lr in lrs:
            if train_at(width, lr) <= target:
                return width, lr
    return None


# %% wrong="the lowest loss of all" says="not the smallest width"
def smallest_width(train_at, widths, lrs, target):
    losses = {(width, lr): train_at(width, lr) for width in widths for lr in lrs}
    best = min(losses, key=lambda pair: losses[pair] if losses[pair] == losses[pair] else np.inf)
    return best if losses[best] <= target else None


# %% wrong="trains the whole grid" says="no width larger than the answer is trained|the whole grid is trained"
def smallest_width(train_at, widths, lrs, target):
    losses = {(width, lr): train_at(width, lr) for width in sorted(widths) for lr in lrs}
    good = [pair for pair, loss in losses.items() if loss <= target]
    return min(good) if good else None


# %% wrong="tries all rates of a width" says="once the answer is known|every lr of the width is tried"
def smallest_width(train_at, widths, lrs, target):
    for width in sorted(widths):
        losses = [train_at(width, lr) for lr in lrs]
        if np.nanmin(losses) <= target:
            return width, lrs[int(np.nanargmin(losses))]
    return None


# %% wrong="trains twice" says="once the answer is known|a pair is trained again"
def smallest_width(train_at, widths, lrs, target):
    for width in sorted(widths):
        for lr in lrs:
            if train_at(width, lr) <= target:
                return width, lrs[[train_at(width, each) <= target for each in lrs].index(True)]
    return None


# %% wrong="the largest, where none does" says="the best of what there is"
def smallest_width(train_at, widths, lrs, target):
    for width in sorted(widths):
        for lr in lrs:
            if train_at(width, lr) <= target:
                return width, lr
    return max(widths), lrs[0]


# %% sign="width said to be needed, where 8 are enough; nan: none is" above=8
def sign(seed):
    found = capacity_choice(smallest_width, capacity_losses(seed, widths=(8, 32), lrs=(1.0, 0.1)))
    return np.nan if found is None else found[0]
