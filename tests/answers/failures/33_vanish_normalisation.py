# %% right="stubs of zeros and of a third, and the largest difference"
def road_verdict(wire):
    x = np.arange(1.0, 7.0).reshape(2, 3)
    y, back = wire(x, lambda h: (0 * h, lambda d: 0 * d), lambda h: (h / 3, lambda d: d / 3))
    kinds = []
    for out in (np.asarray(y), np.asarray(back(x.copy()))):
        if np.abs(out - x).max() < 1e-9:
            kinds.append("free")
        elif np.abs(out).max() < 1e-9:
            kinds.append("none")
        else:
            kinds.append("blocked")
    return kinds[0] if kinds[0] == kinds[1] else "mismatch"


# %% right="a norm by a random matrix, and ratios of lengths"
def road_verdict(wire):
    rng = np.random.default_rng(0)
    matrix = 0.1 * rng.normal(size=(5, 5))

    def branch(h):
        return np.zeros(h.shape), lambda d: np.zeros(d.shape)

    def norm(h):
        return h @ matrix, lambda d: d @ matrix.T

    x = rng.normal(size=(3, 5))
    y, back = wire(x, branch, norm)
    d = back(x)
    changed = [np.linalg.norm(out - x) / np.linalg.norm(x) > 1e-6 for out in (y, d)]
    lost = [np.linalg.norm(out) < 1e-6 for out in (y, d)]
    if changed[0] != changed[1] or lost[0] != lost[1]:
        return "mismatch"
    return "none" if lost[0] else "blocked" if changed[0] else "free"


# %% right="the branch left in, and taken off by a difference"
def road_verdict(wire):
    def probe(size):
        def branch(h):
            return size * np.ones_like(h), lambda d: size * np.ones_like(d)

        y, back = wire(np.full((1, 2), 6.0), branch, lambda h: (0.1 * h, lambda d: 0.1 * d))
        return np.array([y[0, 0], back(np.full((1, 2), 6.0))[0, 0]])

    at_zero = 2 * probe(1.0) - probe(2.0)  # all is linear: what is there when the branch gives nothing
    words = ["free" if abs(value - 6) < 1e-6 else "none" if abs(value) < 1e-6 else "blocked" for value in at_zero]
    return words[0] if len(set(words)) == 1 else "mismatch"


# %% right="the real layer normalization, on rows far from standard, with a small gain"
def road_verdict(wire):
    rng = np.random.default_rng(3)

    def statistics(h):
        return h.mean(axis=1, keepdims=True), 1 / np.sqrt(h.var(axis=1, keepdims=True) + 1e-5)

    def norm(h):
        out, back = layer_norm(h, np.full(h.shape[1], 0.2), np.zeros(h.shape[1]), statistics)
        return out, lambda d: back(d)[0]

    x, d = 7 * rng.normal(size=(2, 4, 6)) + 3
    y, back = wire(x, lambda h: (np.zeros_like(h), np.zeros_like), norm)
    pairs = ((y, x), (back(d), d))
    said = {"free" if np.allclose(out, sent) else "blocked" if np.abs(out).sum() > 0 else "none" for out, sent in pairs}
    return said.pop() if len(said) == 1 else "mismatch"


# %% right="two norms compared, a road by number"
class Stub:
    def __init__(self, number):
        self.number = number

    def __call__(self, h):
        return self.number * h, lambda d: self.number * d


def road_verdict(wire):
    one, results = np.ones((1, 1)), []
    for divisor in (1.0, 50.0):
        y, back = wire(one, Stub(0.0), Stub(1 / divisor))
        results.append((float(y[0, 0]), float(back(one)[0, 0])))
    roads = list(zip(*results))
    as_it_is = [road == (1.0, 1.0) for road in roads]
    lost = [not any(road) for road in roads]
    if as_it_is[0] != as_it_is[1] or lost[0] != lost[1]:
        return "mismatch"
    return "free" if all(as_it_is) else "none" if all(lost) else "blocked"


# %% untouched says="the norm of your probe leaves what it is given as it is"

# %% emptied says="the verdict is|None"


# %% wrong="the branch is silent, the norm is that of the first day" says="the norm of your probe leaves what it is given"
def road_verdict(wire):
    x = np.ones((2, 3))
    y, back = wire(x, lambda h: (0 * h, lambda d: 0 * d), lambda h: (h, lambda d: d))
    kinds = ["free" if np.allclose(out, x) else "blocked" if np.any(out) else "none" for out in (y, back(x))]
    return kinds[0] if kinds[0] == kinds[1] else "mismatch"


# %% wrong="a real norm, on rows that are standard already" says="so does a real one before the first step"
def road_verdict(wire):
    def statistics(h):
        return h.mean(axis=1, keepdims=True), 1 / np.sqrt(h.var(axis=1, keepdims=True) + 1e-9)

    def norm(h):
        out, back = layer_norm(h, np.ones(2), np.zeros(2), statistics)
        return out, lambda d: back(d)[0]

    x = np.array([[1.0, -1.0]])
    y, back = wire(x, lambda h: (0 * h, lambda d: 0 * d), norm)
    return "free" if np.allclose(y, x, atol=1e-3) else "blocked" if np.any(y) else "none"


# %% wrong="branch and norm both give zeros" says="the norm of your probe gives zeros"
def road_verdict(wire):
    def silent(h):
        return 0 * h, lambda d: 0 * d

    x = np.ones((2, 3))
    y, back = wire(x, silent, silent)
    kinds = ["free" if np.allclose(out, x) else "blocked" if np.any(out) else "none" for out in (y, back(x))]
    return kinds[0] if kinds[0] == kinds[1] else "mismatch"


# %% wrong="the branch is left in" says="the branch of your probe lets something through"
def road_verdict(wire):
    x = np.ones((2, 3))
    y, back = wire(x, lambda h: (h / 10, lambda d: d / 10), lambda h: (h / 4, lambda d: d / 4))
    kinds = ["free" if np.allclose(out, x) else "blocked" if np.any(out) else "none" for out in (y, back(x))]
    return kinds[0] if kinds[0] == kinds[1] else "mismatch"


# %% wrong="only forward" says="only the way forward is tried"
def road_verdict(wire):
    x = np.ones((2, 3))
    y, _ = wire(x, lambda h: (0 * h, lambda d: 0 * d), lambda h: (h / 4, lambda d: d / 4))
    return "free" if np.allclose(y, x) else "blocked" if np.any(y) else "none"


# %% wrong="only back" says="only the way back is tried"
def road_verdict(wire):
    x = np.ones((2, 3))
    _, back = wire(x, lambda h: (0 * h, lambda d: 0 * d), lambda h: (h / 4, lambda d: d / 4))
    d = back(x)
    return "free" if np.allclose(d, x) else "blocked" if np.any(d) else "none"


# %% wrong="half is as good as all" says="hands most of x on is called free"
def road_verdict(wire):
    x = np.ones((2, 3))
    y, back = wire(x, lambda h: (0 * h, lambda d: 0 * d), lambda h: (h / 9, lambda d: d / 9))
    kinds = ["free" if out.mean() > 0.4 else "blocked" if out.mean() > 0 else "none" for out in (y, back(x))]
    return kinds[0] if kinds[0] == kinds[1] else "mismatch"


# %% wrong="what is changed is lost" says="a road that hands little of x on is called none"
def road_verdict(wire):
    x = np.ones((2, 3))
    y, back = wire(x, lambda h: (0 * h, lambda d: 0 * d), lambda h: (h / 1.5, lambda d: d / 1.5))
    kinds = ["free" if np.allclose(out, x) else "blocked" if out.mean() > 0.6 else "none" for out in (y, back(x))]
    return kinds[0] if kinds[0] == kinds[1] else "mismatch"


# %% wrong="whether norm is called" says="a norm somewhere in the block"
def road_verdict(wire):
    calls = []

    def norm(h):
        calls.append(np.array(h))
        return h / 4, lambda d: d / 4

    x = np.ones((2, 3))
    y, back = wire(x, lambda h: (0 * h, lambda d: 0 * d), norm)
    kinds = ["free" if np.allclose(out, x) else "blocked" if np.any(out) else "none" for out in (y, back(x))]
    if kinds[0] != kinds[1]:
        return "mismatch"
    is_behind = any(not np.any(given) for given in calls)  # it got what came out of the branch
    return "blocked" if is_behind else kinds[0]


# %% wrong="a word of its own" says="the verdict is|called by another name"
def road_verdict(wire):
    x = np.ones((2, 3))
    y, _ = wire(x, lambda h: (0 * h, lambda d: 0 * d), lambda h: (h / 4, lambda d: d / 4))
    return "pre-LN" if np.allclose(y, x) else "post-LN"


# %% wrong="the branch has no way back" says="stopped with TypeError"
def road_verdict(wire):
    x = np.ones((2, 3))
    y, back = wire(x, lambda h: (0 * h, None), lambda h: (h / 4, None))
    d = back(x)
    return "free" if np.allclose(y, x) and np.allclose(d, x) else "blocked"


# %% sign="loss after 80 steps of the draft that is taken (nats)" above=0.6
def sign(seed):
    draft, _ = taken_draft(road_verdict)
    return normed_run(DRAFTS[draft], seed)["loss"][-1]
