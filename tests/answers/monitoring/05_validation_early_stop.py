# %% right="the loop of the document, with a copy"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.patience_counter = patience, float("inf"), None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss < self.best_loss:
            self.best_loss = val_loss
            self.patience_counter = 0
            self.best_params = [np.array(param) for param in params]
            return False
        self.patience_counter += 1
        return self.patience_counter == self.patience


# %% right="deepcopy, and the number of the best evaluation"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params = patience, np.inf, None
        self.now = self.best_at = 0

    def update(self, train_loss, val_loss, params):
        from copy import deepcopy

        self.now += 1
        if not np.isnan(val_loss) and val_loss < self.best_loss:
            self.best_loss, self.best_params, self.best_at = val_loss, deepcopy(params), self.now
        return self.now - self.best_at >= self.patience


# %% right="all losses kept, the best looked up"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.losses, self.copies = patience, [np.inf], [None]

    def update(self, train_loss, val_loss, params):
        self.losses.append(val_loss)
        self.copies.append(tuple(param.copy() for param in params))
        return bool(len(self.losses) - 1 - self.best() >= self.patience)

    def best(self):
        return int(np.nanargmin(self.losses))

    @property
    def best_loss(self):
        return self.losses[self.best()]

    @property
    def best_params(self):
        return self.copies[self.best()]


# %% right="float32, None at the start"
class EarlyStop:
    def __init__(self, patience):
        self.left = self.patience = patience
        self.best_loss = self.best_params = None

    def update(self, train_loss, val_loss, params):
        improves = np.isfinite(val_loss) and (self.best_loss is None or val_loss < self.best_loss)
        if improves:
            self.best_loss = val_loss
            self.best_params = [param.astype(np.float32) for param in params]
        self.left = self.patience if improves else self.left - 1
        return np.bool_(self.left <= 0)


# %% right="the memory of the best is written over in place"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        self.bad += 1
        if val_loss < self.best_loss:
            self.best_loss, self.bad = val_loss, 0
            if self.best_params is None:
                self.best_params = [np.empty_like(param) for param in params]
            for mine, theirs in zip(self.best_params, params):
                mine[...] = theirs
        return self.bad >= self.patience


# %% untouched says="it stops at the patience-th evaluation in a row|the training loss is watched|False at all of them"

# %% emptied says="update says True or False after each evaluation|None"


# %% wrong="the document's fix: it stops, and never restores" says="no copy of the best is held, as in the document's fix|0.75, and the best was 0.67"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.patience_counter = patience, float("inf"), None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss < self.best_loss:
            self.best_loss = val_loss
            self.patience_counter = 0
            # save_checkpoint()
        else:
            self.patience_counter += 1
            if self.patience_counter >= self.patience:
                return True
        return False


# %% wrong="the last parameters" says="the last parameters are held, and not the best"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        self.best_params = [param.copy() for param in params]
        if val_loss < self.best_loss:
            self.best_loss, self.bad = val_loss, 0
        else:
            self.bad += 1
        return self.bad >= self.patience


# %% wrong="a reference" says="a reference is kept, and no copy|have changed since"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss < self.best_loss:
            self.best_loss, self.best_params, self.bad = val_loss, params, 0
        else:
            self.bad += 1
        return self.bad >= self.patience


# %% wrong="a copy of the list only" says="the list is copied, and the arrays in it are still the trainer's"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss < self.best_loss:
            self.best_loss, self.best_params, self.bad = val_loss, list(params), 0
        else:
            self.bad += 1
        return self.bad >= self.patience


# %% wrong="stops at patience + 1" says="True at evaluation 7|one evaluation too many"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss < self.best_loss:
            self.best_loss, self.best_params, self.bad = val_loss, [param.copy() for param in params], 0
        else:
            self.bad += 1
        return self.bad > self.patience


# %% wrong="counts the best evaluation too" says="True at evaluation 5|it stops one evaluation too early"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss < self.best_loss:
            self.best_loss, self.best_params, self.bad = val_loss, [param.copy() for param in params], 0
        self.bad += 1
        return self.bad >= self.patience


# %% wrong="ties count as better" says="equal counts as better"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss <= self.best_loss:
            self.best_loss, self.best_params, self.bad = val_loss, [param.copy() for param in params], 0
        else:
            self.bad += 1
        return self.bad >= self.patience


# %% wrong="a nan is better" says="a nan counts as better, or sets the count back"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss >= self.best_loss:
            self.bad += 1
        else:
            self.best_loss, self.best_params, self.bad = val_loss, [param.copy() for param in params], 0
        return self.bad >= self.patience


# %% wrong="a nan is passed over" says="a nan is passed over, and not counted"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        if np.isnan(val_loss):
            return False
        if val_loss < self.best_loss:
            self.best_loss, self.best_params, self.bad = val_loss, [param.copy() for param in params], 0
        else:
            self.bad += 1
        return self.bad >= self.patience


# %% wrong="a nan poisons the best" says="a nan becomes the best, and nothing is below it"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss < self.best_loss:
            self.best_params, self.bad = [param.copy() for param in params], 0
        else:
            self.bad += 1
        self.best_loss = float(np.minimum(self.best_loss, val_loss))
        return self.bad >= self.patience


# %% wrong="the first evaluation is the best, nan or not" says="a nan becomes the best, and nothing is below it"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, None, None, 0

    def update(self, train_loss, val_loss, params):
        if self.best_loss is None or val_loss < self.best_loss:
            self.best_loss, self.best_params, self.bad = val_loss, [param.copy() for param in params], 0
        else:
            self.bad += 1
        return self.bad >= self.patience


# %% wrong="bad evaluations in all" says="all evaluations without an improvement are added up"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss < self.best_loss:
            self.best_loss, self.best_params = val_loss, [param.copy() for param in params]
        else:
            self.bad += 1
        return self.bad >= self.patience


# %% wrong="compares with the last" says="each loss is compared with the one before it"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad, self.last = patience, np.inf, None, 0, np.inf

    def update(self, train_loss, val_loss, params):
        if val_loss < self.last:
            self.bad = 0
        else:
            self.bad += 1
        self.last = val_loss
        if val_loss < self.best_loss:
            self.best_loss, self.best_params = val_loss, [param.copy() for param in params]
        return self.bad >= self.patience


# %% wrong="the best starts at 0" says="no loss is taken for an improvement: the best starts at 0"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, 0.0, None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss < self.best_loss:
            self.best_loss, self.best_params, self.bad = val_loss, [param.copy() for param in params], 0
        else:
            self.bad += 1
        return self.bad >= self.patience


# %% wrong="the highest is the best" says="the highest loss is taken for the best"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, -np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss > self.best_loss:
            self.best_loss, self.best_params, self.bad = val_loss, [param.copy() for param in params], 0
        else:
            self.bad += 1
        return self.bad >= self.patience


# %% wrong="an improvement of at least 0.01" says="a small improvement does not count"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad = patience, np.inf, None, 0

    def update(self, train_loss, val_loss, params):
        if val_loss < self.best_loss - 0.01:
            self.best_loss, self.best_params, self.bad = val_loss, [param.copy() for param in params], 0
        else:
            self.bad += 1
        return self.bad >= self.patience


# %% wrong="stops where the losses part" says="the gap between the two losses is watched"
class EarlyStop:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_params, self.bad, self.gap = patience, np.inf, None, 0, np.inf

    def update(self, train_loss, val_loss, params):
        self.bad = self.bad + 1 if val_loss > 1.5 * train_loss else 0
        if val_loss < self.best_loss:
            self.best_loss, self.best_params = val_loss, [param.copy() for param in params]
        return self.bad > self.patience


# %% wrong="one count for all watchers" says="each watcher counts for itself|belongs to the class"
class EarlyStop:
    seen = {"best": np.inf, "bad": 0}  # shared by all

    def __init__(self, patience):
        self.patience, self.best_params = patience, None
        if self.seen["bad"] or patience > 3 or np.isfinite(self.seen["best"]):
            self.seen.update(best=np.inf, bad=0)

    @property
    def best_loss(self):
        return self.seen["best"]

    def update(self, train_loss, val_loss, params):
        if val_loss < self.seen["best"]:
            self.seen.update(best=val_loss, bad=0)
            self.best_params = [param.copy() for param in params]
        else:
            self.seen["bad"] += 1
        return self.seen["bad"] >= self.patience


# %% sign="validation loss handed over, over the lowest of the full run" above=1.1
def sign(seed):
    class NeverStop(EarlyStop):
        def update(self, train_loss, val_loss, params):
            return False

    full = overfit_with_watcher(NeverStop, seed)["val_loss"]
    return overfit_with_watcher(EarlyStop, seed)["kept"][0] / min(full)
