# %% right="the largest size, in place"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = [param.copy() for param in params], lr, beta
        self.velocity = [np.zeros(param.shape, param.dtype) for param in params]
        self.t = self.bad = 0

    def step(self, loss, grads):
        largest = np.max([np.abs(grad).max() for grad in grads])
        if not -np.inf < loss < np.inf or not largest < np.inf:
            self.bad += 1
            if self.bad > 3:
                raise RuntimeError("four in a row")
            return False
        self.bad = 0
        for param, velocity, grad in zip(self.params, self.velocity, grads):
            velocity *= self.beta
            velocity += grad
            param -= self.lr * velocity
        self.t += 1
        return True


# %% right="a norm, added up in float64"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [0 * param for param in self.params]
        self.t = 0
        self.in_a_row = 0

    def step(self, loss, grads):
        norm = np.sqrt(sum(np.sum(grad.astype(np.float64) ** 2) for grad in grads))
        is_good = np.isfinite(loss) & np.isfinite(norm)
        self.in_a_row = 0 if is_good else self.in_a_row + 1
        if self.in_a_row == 4:
            raise ValueError(f"norm {norm}, loss {loss}")
        if is_good:
            self.velocity = [self.beta * v + g for v, g in zip(self.velocity, grads)]
            self.params = [p - self.lr * v for p, v in zip(self.params, self.velocity)]
            self.t += 1
        return is_good


# %% right="the update on copies, kept when all is finite"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        velocity = [self.beta * v + g for v, g in zip(self.velocity, grads)]
        params = [p - self.lr * v for p, v in zip(self.params, velocity)]
        if np.isfinite(loss) and all(np.all(np.isfinite(p)) for p in params):
            self.params, self.velocity, self.t, self.refused = params, velocity, self.t + 1, 0
            return True
        self.refused += 1
        assert self.refused < 4, "four refused steps in a row"
        return False


# %% right="entry by entry, with math"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.last = []

    def step(self, loss, grads):
        import math

        entries = [float(loss)] + [float(entry) for grad in grads for entry in np.ravel(grad)]
        good = not any(math.isnan(entry) or math.isinf(entry) for entry in entries)
        self.last = (self.last + [good])[-4:]
        if len(self.last) == 4 and not any(self.last):
            raise ArithmeticError("the last four steps were refused")
        if good:
            for i in range(len(grads)):
                self.velocity[i] = self.beta * self.velocity[i] + grads[i]
                self.params[i] = self.params[i] - self.lr * self.velocity[i]
            self.t = self.t + 1
        return good


# %% untouched says="a step is taken whose gradients are finite, but whose loss is not|params and velocity and t changed"

# %% emptied says="AttributeError"

# %% wrong="the document's: return None, for ever, by the norm" says="the document's own fix returns None|TypeError"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0

    def step(self, loss, grads):
        if np.isnan(loss) or np.isinf(loss):
            return None
        grad_norm = np.sqrt(sum(np.sum(g**2) for g in grads))
        if np.isnan(grad_norm) or np.isinf(grad_norm):
            return None
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="the document's, with False: skips for ever" says="none in 13 refused steps in a row|skips for ever"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0

    def step(self, loss, grads):
        if np.isnan(loss) or np.isinf(loss):
            return False
        grad_norm = np.sqrt(sum(np.sum(g**2) for g in grads))
        if np.isnan(grad_norm) or np.isinf(grad_norm):
            return False
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="the document's, with False and a count: a norm that overflows" says="around 1e20, in float32|1e20 squared is 1e40"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        grad_norm = np.sqrt(sum(np.sum(g**2) for g in grads))
        if not np.isfinite(loss) or not np.isfinite(grad_norm):
            self.refused += 1
            if self.refused == 4:
                raise RuntimeError
            return False
        self.refused = 0
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="isnan only" says="isnan is asked, which inf passes|loss=inf"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        if np.isnan(loss) or any(np.isnan(grad).any() for grad in grads):
            self.refused += 1
            if self.refused == 4:
                raise RuntimeError
            return False
        self.refused = 0
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="the loss only" says="a bad gradient is taken like any other|grads with a nan in the first array"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        if not np.isfinite(loss):
            self.refused += 1
            if self.refused == 4:
                raise RuntimeError
            return False
        self.refused = 0
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="the gradients only" says="whose gradients are finite, but whose loss is not"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        if not all(np.isfinite(grad).all() for grad in grads):
            self.refused += 1
            if self.refused == 4:
                raise RuntimeError
            return False
        self.refused = 0
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="the first array only" says="with a nan in the last array|only the first array is looked at"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        for grad in grads:
            if not (np.isfinite(loss) and np.isfinite(grad).all()):
                self.refused += 1
                if self.refused == 4:
                    raise RuntimeError
                return False
            break
        self.refused = 0
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="Python's max of the sizes" says="Python's max(1, nan) is 1|nan in the last array"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = [param.copy() for param in params], lr, beta
        self.velocity = [np.zeros(param.shape, param.dtype) for param in params]
        self.t = self.bad = 0

    def step(self, loss, grads):
        largest = max(np.abs(grad).max() for grad in grads)
        if not -np.inf < loss < np.inf or not largest < np.inf:
            self.bad += 1
            if self.bad > 3:
                raise RuntimeError("four in a row")
            return False
        self.bad = 0
        for param, velocity, grad in zip(self.params, self.velocity, grads):
            velocity *= self.beta
            velocity += grad
            param -= self.lr * velocity
        self.t += 1
        return True


# %% wrong="each array is looked at when its turn comes" says="up to the one that is bad"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        is_good = bool(np.isfinite(loss))
        for i, grad in enumerate(grads):
            is_good = is_good and bool(np.isfinite(grad).all())
            if is_good:
                self.velocity[i] = self.beta * self.velocity[i] + grad
                self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.refused = 0 if is_good else self.refused + 1
        if self.refused == 4:
            raise RuntimeError
        self.t += is_good
        return is_good


# %% wrong="t goes on" says="t counts the batches|t changed"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        self.t += 1
        if not (np.isfinite(loss) and all(np.isfinite(grad).all() for grad in grads)):
            self.refused += 1
            if self.refused == 4:
                raise RuntimeError
            return False
        self.refused = 0
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        return True


# %% wrong="the velocity is updated before the check" says="the velocity has taken in the gradient"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        self.velocity = [self.beta * v + g for v, g in zip(self.velocity, grads)]
        if not (np.isfinite(loss) and all(np.isfinite(v).all() for v in self.velocity)):
            self.refused += 1
            if self.refused == 4:
                raise RuntimeError
            return False
        self.refused = 0
        self.params = [p - self.lr * v for p, v in zip(self.params, self.velocity)]
        self.t += 1
        return True


# %% wrong="the parameters are put back, and the velocity is not" says="the velocity has taken in the gradient|velocity"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        kept = [param.copy() for param in self.params]
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        if not (np.isfinite(loss) and all(np.isfinite(param).all() for param in self.params)):
            self.params = kept
            self.refused += 1
            if self.refused == 4:
                raise RuntimeError
            return False
        self.refused = 0
        self.t += 1
        return True


# %% wrong="raises at once" says="FloatingPointError|the exception comes at the first refusal already"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0

    def step(self, loss, grads):
        if not (np.isfinite(loss) and all(np.isfinite(grad).all() for grad in grads)):
            raise FloatingPointError(f"not finite at step {self.t}")
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="raises at the third" says="the exception comes one refusal too early|refused step 3 of 3"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        if not (np.isfinite(loss) and all(np.isfinite(grad).all() for grad in grads)):
            self.refused += 1
            if self.refused >= 3:
                raise RuntimeError
            return False
        self.refused = 0
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="raises at the fifth" says="the exception comes at the 5th|the count goes on to five"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        if not (np.isfinite(loss) and all(np.isfinite(grad).all() for grad in grads)):
            self.refused += 1
            if self.refused > 4:
                raise RuntimeError
            return False
        self.refused = 0
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="the count is never reset" says="the count is not set back where a step is taken"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        if not (np.isfinite(loss) and all(np.isfinite(grad).all() for grad in grads)):
            self.refused += 1
            if self.refused == 4:
                raise RuntimeError("four bad steps")
            return False
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="one count for all optimizers" says="the refusals of all optimizers are counted together"
class GuardedMomentum:
    refused = 0

    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0

    def step(self, loss, grads):
        if not (np.isfinite(loss) and all(np.isfinite(grad).all() for grad in grads)):
            GuardedMomentum.refused += 1
            if GuardedMomentum.refused == 4:
                GuardedMomentum.refused = 0
                raise RuntimeError("four bad steps")
            return False
        self.refused = 0
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="nan_to_num" says="the bad entries are replaced by numbers"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0

    def step(self, loss, grads):
        if not np.isfinite(loss):
            return False
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + np.nan_to_num(grad, posinf=0, neginf=0)
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="what is too large counts as infinite" says="whose loss and gradients are finite is taken|1e20"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        if not (abs(loss) < 1e10 and all((np.abs(grad) < 1e10).all() for grad in grads)):
            self.refused += 1
            if self.refused == 4:
                raise RuntimeError("four bad steps")
            return False
        self.refused = 0
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="nothing is ever taken" says="is taken, and returns True"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0

    def step(self, loss, grads):
        return False


# %% wrong="the velocity starts anew after a refusal" says="velocity changed|starts anew"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        if not (np.isfinite(loss) and all(np.isfinite(grad).all() for grad in grads)):
            self.velocity = [np.zeros_like(param) for param in self.params]
            self.refused += 1
            if self.refused == 4:
                raise RuntimeError("four bad steps")
            return False
        self.refused = 0
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% wrong="the sum is looked at" says="two entries of 3e38|the entries are added up before they are looked at"
class GuardedMomentum:
    def __init__(self, params, lr=0.1, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [np.zeros_like(param) for param in self.params]
        self.t = 0
        self.refused = 0

    def step(self, loss, grads):
        if not (np.isfinite(loss) and all(np.isfinite(grad.sum()) for grad in grads)):
            self.refused += 1
            if self.refused == 4:
                raise RuntimeError
            return False
        self.refused = 0
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]
        self.t += 1
        return True


# %% sign="last loss on the intact points (nats)" above=0.5
def sign(seed):
    return train_on_sensors(GuardedMomentum, seed)[0]["loss"][-1]
