# %% right="two deques"
class LastNorms:
    def __init__(self, names, keep=200):
        import collections

        self.names = names
        self.rows = collections.deque(maxlen=keep)

    def record(self, step, grads):
        if self.rows and not np.isfinite(self.rows[-1][1]).all():
            return
        self.rows.append((step, [np.linalg.norm(np.asarray(grad, dtype=float)) for grad in grads]))

    def dump(self):
        rows = list(self.rows)
        first, half = None, [norms for _, norms in rows[: (len(rows) + 1) // 2]]
        for _, norms in rows:
            out = [name for name, norm, past in zip(self.names, norms, zip(*half)) if not norm <= 10 * np.median(past)]
            if out:
                first = out[0]
                break
        return {"steps": [step for step, _ in rows], "norms": [norms for _, norms in rows], "first": first}


# %% right="a ring in one array, scaled before it is squared"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep = names, keep
        self.ring, self.at = np.zeros((keep, len(names) + 1)), 0
        self.done = False

    def record(self, step, grads):
        if self.done:
            return
        row = self.ring[self.at % self.keep]
        row[0] = step
        for i, grad in enumerate(grads, 1):
            top = float(np.max(np.abs(grad)))
            row[i] = top * float(np.sqrt(np.sum((grad / top) ** 2))) if 0 < top < np.inf else top
        self.at += 1
        self.done = not np.isfinite(row[1:].sum())

    def dump(self):
        count = min(self.at, self.keep)
        rows = self.ring[[i % self.keep for i in range(self.at - count, self.at)]]
        norms, first = rows[:, 1:], None
        if count >= 2:
            over = np.where(np.isfinite(norms), norms, np.inf) / np.median(norms[: count // 2], axis=0) > 10
            for row in over:
                if row.any() and first is None:
                    first = self.names[np.argmax(row)]
        return {"steps": rows[:, 0].astype(int), "norms": norms, "first": first, "failed": self.done}


# %% right="a dict by step"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep, self.log, self.alive = names, keep, {}, True

    def record(self, step, grads):
        if not self.alive:
            return
        self.log[step] = np.array([np.sqrt((grad.astype(np.float64) ** 2).sum()) for grad in grads])
        if len(self.log) > self.keep:
            del self.log[min(self.log)]
        self.alive = bool(np.isfinite(self.log[step]).all())

    def dump(self):
        steps = sorted(self.log)
        norms = np.array([self.log[step] for step in steps])
        times = {}
        for name, column in zip(self.names, norms.T):
            left = [i for i, norm in enumerate(column) if np.isnan(norm) or norm > 10 * np.median(column[: len(column) // 2])]
            if left:
                times[name] = left[0]
        return {"steps": steps, "norms": norms, "first": min(times, key=times.get) if times else None}


# %% right="all is kept, and the last are shown"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep = names, keep
        self.told = []

    def record(self, step, grads):
        self.told.append((step, [float(np.sum(np.abs(g.astype(float)) ** 2)) ** 0.5 for g in grads]))

    def dump(self):
        end = next((i + 1 for i, (_, norms) in enumerate(self.told) if not np.isfinite(norms).all()), len(self.told))
        rows = self.told[:end][-self.keep :]
        norms = np.array([norms for _, norms in rows])
        usual = np.median(norms[: max(1, len(rows) // 2)], axis=0)
        layer_left = [next((i for i, norm in enumerate(column) if not norm <= 10 * u), None) for column, u in zip(norms.T, usual)]
        gone = sorted((i, name) for i, name in zip(layer_left, self.names) if i is not None)
        return {"steps": [step for step, _ in rows], "norms": norms, "first": gone[0][1] if gone else None}


# %% right="a deque of pairs, the first row that holds one that left"
class LastNorms:
    def __init__(self, names, keep=200):
        from collections import deque

        self.names, self.dead = names, False
        self.pairs = deque(maxlen=keep)

    def record(self, step, grads):
        if self.dead:
            return
        norms = [float(np.linalg.norm(np.asarray(grad, dtype=np.float64))) for grad in grads]
        self.pairs.append((step, norms))
        self.dead = not np.all(np.isfinite(norms))

    def dump(self):
        norms, first = np.array([norms for _, norms in self.pairs]), None
        if len(norms):
            usual = np.median(norms[: len(norms) // 2], axis=0)
            for row in (norms > 10 * usual) | ~np.isfinite(norms):
                if row.any():
                    first = self.names[int(np.argmax(row))]
                    break
        return {"steps": [step for step, _ in self.pairs], "norms": norms, "first": first}


# %% untouched says="every hundredth step is written down"

# %% emptied says="dump returns a dict|None"


# %% wrong="a ring that goes on turning" says="the steps after the failure are recorded too"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep, self.rows = names, keep, []

    def record(self, step, grads):
        self.rows = (self.rows + [(step, [np.linalg.norm(g.astype(float)) for g in grads])])[-self.keep :]

    def dump(self):
        norms = np.array([n for _, n in self.rows])
        left = ~(norms <= 10 * np.median(norms[: len(norms) // 2], axis=0))
        when = np.where(left.any(axis=0), left.argmax(axis=0), 10**9)
        return {"steps": [s for s, _ in self.rows], "norms": norms, "first": self.names[when.argmin()] if left.any() else None}


# %% wrong="only what is finite is written down" says="the failure itself is left out"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep, self.rows, self.dead = names, keep, [], False

    def record(self, step, grads):
        norms = [np.linalg.norm(g.astype(float)) for g in grads]
        self.dead = self.dead or not np.isfinite(norms).all()
        if not self.dead:
            self.rows = (self.rows + [(step, norms)])[-self.keep :]

    def dump(self):
        norms = np.array([n for _, n in self.rows])
        left = ~(norms <= 10 * np.median(norms[: len(norms) // 2], axis=0))
        when = np.where(left.any(axis=0), left.argmax(axis=0), 10**9)
        return {"steps": [s for s, _ in self.rows], "norms": norms, "first": self.names[when.argmin()] if left.any() else None}


# %% wrong="the largest norm of the last finite step is blamed" says="no layer has left its range, and one is named all the same"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep, self.rows, self.dead = names, keep, [], False

    def record(self, step, grads):
        if not self.dead:
            self.rows = (self.rows + [(step, [np.linalg.norm(g.astype(float)) for g in grads])])[-self.keep :]
            self.dead = not np.isfinite(self.rows[-1][1]).all()

    def dump(self):
        norms = np.array([n for _, n in self.rows])
        finite = norms[np.isfinite(norms).all(axis=1)]
        return {"steps": [s for s, _ in self.rows], "norms": norms, "first": self.names[finite[-1].argmax()]}


# %% wrong="one limit for all layers" says="the largest norm is blamed, as usual"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep, self.rows, self.dead = names, keep, [], False

    def record(self, step, grads):
        if not self.dead:
            self.rows = (self.rows + [(step, [np.linalg.norm(g.astype(float)) for g in grads])])[-self.keep :]
            self.dead = not np.isfinite(self.rows[-1][1]).all()

    def dump(self):
        norms = np.array([n for _, n in self.rows])
        usual = np.median(norms[: len(norms) // 2])
        left = ~(norms <= 1000 * usual)
        when = np.where(left.any(axis=0), left.argmax(axis=0), 10**9)
        return {"steps": [s for s, _ in self.rows], "norms": norms, "first": self.names[when.argmin()] if left.any() else None}


# %% wrong="the one that has grown most" says="the layer that has grown most at the end is blamed"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep, self.rows, self.dead = names, keep, [], False

    def record(self, step, grads):
        if not self.dead:
            self.rows = (self.rows + [(step, [np.linalg.norm(g.astype(float)) for g in grads])])[-self.keep :]
            self.dead = not np.isfinite(self.rows[-1][1]).all()

    def dump(self):
        norms = np.array([n for _, n in self.rows])
        finite = norms[np.isfinite(norms).all(axis=1)]
        grown = finite[-1] / np.median(finite[: len(norms) // 2], axis=0)
        first = self.names[grown.argmax()] if grown.max() > 10 else None
        return {"steps": [s for s, _ in self.rows], "norms": norms, "first": first}


# %% wrong="the first that is not finite" says="the first layer that is not finite is named"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep, self.rows, self.dead = names, keep, [], False

    def record(self, step, grads):
        if not self.dead:
            self.rows = (self.rows + [(step, [np.linalg.norm(g.astype(float)) for g in grads])])[-self.keep :]
            self.dead = not np.isfinite(self.rows[-1][1]).all()

    def dump(self):
        norms = np.array([n for _, n in self.rows])
        bad = ~np.isfinite(norms[-1])
        return {"steps": [s for s, _ in self.rows], "norms": norms, "first": self.names[bad.argmax()] if bad.any() else None}


# %% wrong="squares in the gradient's own type" says="its squares are added up in float32"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep, self.rows, self.dead = names, keep, [], False

    def record(self, step, grads):
        if not self.dead:
            self.rows = (self.rows + [(step, [float(np.sqrt(np.sum(g**2))) for g in grads])])[-self.keep :]
            self.dead = not np.isfinite(self.rows[-1][1]).all()

    def dump(self):
        norms = np.array([n for _, n in self.rows])
        left = ~(norms <= 10 * np.median(norms[: len(norms) // 2], axis=0))
        when = np.where(left.any(axis=0), left.argmax(axis=0), 10**9)
        return {"steps": [s for s, _ in self.rows], "norms": norms, "first": self.names[when.argmin()] if left.any() else None}


# %% wrong="the gradients are kept, and measured at the dump" says="the arrays are kept, and not their norms"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep, self.rows = names, keep, []

    def record(self, step, grads):
        if not self.rows or all(np.isfinite(g).all() for g in self.rows[-1][1]):
            self.rows = (self.rows + [(step, grads)])[-self.keep :]

    def dump(self):
        norms = np.array([[np.linalg.norm(g.astype(float)) for g in grads] for _, grads in self.rows])
        left = ~(norms <= 10 * np.median(norms[: len(norms) // 2], axis=0))
        when = np.where(left.any(axis=0), left.argmax(axis=0), 10**9)
        return {"steps": [s for s, _ in self.rows], "norms": norms, "first": self.names[when.argmin()] if left.any() else None}


# %% wrong="isnan, so inf is no failure" says="the steps after the failure are recorded too"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep, self.rows, self.dead = names, keep, [], False

    def record(self, step, grads):
        if not self.dead:
            self.rows = (self.rows + [(step, [np.linalg.norm(g.astype(float)) for g in grads])])[-self.keep :]
            self.dead = np.isnan(self.rows[-1][1]).any()

    def dump(self):
        norms = np.array([n for _, n in self.rows])
        left = ~(norms <= 10 * np.median(norms[: len(norms) // 2], axis=0))
        when = np.where(left.any(axis=0), left.argmax(axis=0), 10**9)
        return {"steps": [s for s, _ in self.rows], "norms": norms, "first": self.names[when.argmin()] if left.any() else None}


# %% wrong="everything since the start" says="nothing is ever dropped"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.rows, self.dead = names, [], False

    def record(self, step, grads):
        if not self.dead:
            self.rows.append((step, [np.linalg.norm(g.astype(float)) for g in grads]))
            self.dead = not np.isfinite(self.rows[-1][1]).all()

    def dump(self):
        norms = np.array([n for _, n in self.rows])
        left = ~(norms <= 10 * np.median(norms[: len(norms) // 2], axis=0))
        when = np.where(left.any(axis=0), left.argmax(axis=0), 10**9)
        return {"steps": [s for s, _ in self.rows], "norms": norms, "first": self.names[when.argmin()] if left.any() else None}


# %% wrong="the first steps are kept, and no more" says="the first steps are kept, and not the last"
class LastNorms:
    def __init__(self, names, keep=200):
        self.names, self.keep, self.rows, self.dead = names, keep, [], False

    def record(self, step, grads):
        if not self.dead and len(self.rows) < self.keep:
            self.rows.append((step, [np.linalg.norm(g.astype(float)) for g in grads]))
            self.dead = not np.isfinite(self.rows[-1][1]).all()

    def dump(self):
        norms = np.array([n for _, n in self.rows]).reshape(-1, len(self.names))
        return {"steps": [s for s, _ in self.rows], "norms": norms, "first": None}


# %% sign="of three crashes, those blamed on another layer, or on none" above=0
def sign(seed):
    return sum(fly_and_crash(LastNorms(LAYER_NAMES), [seed, run])[0]["first"] != "calendar" for run in range(3))
