# %% right="one flat vector, in place"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.k, self.max_norm, self.left = scale, growth_interval, max_norm, growth_interval

    def update(self, params, grads, lr):
        flat = np.concatenate([np.ravel(grad) for grad in grads]).astype(float) / self.scale
        if np.isfinite(flat.sum()):
            norm = np.sqrt(flat @ flat)
            if norm > self.max_norm:
                flat *= self.max_norm / norm
            start = 0
            for param in params:
                param -= (lr * flat[start : start + param.size]).reshape(param.shape).astype(np.float32)
                start += param.size
            self.left -= 1
            if self.left == 0:
                self.scale *= 2
                self.left = self.k
        elif self.scale > 1:
            self.scale /= 2
            self.left = self.k
        else:
            raise ValueError("not the scale")
        return params


# %% right="the limit scaled up, the scale taken out with the rate"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.since_change = 0

    def update(self, params, grads, lr):
        norm = global_norm([grad.astype(np.float64) for grad in grads])
        if not np.isfinite(norm):
            assert self.scale > 1, "not finite without a scale"
            self.scale *= 0.5
            self.since_change = 0
            return [param.copy() for param in params]
        limit = self.max_norm * self.scale
        factor = limit / norm if norm > limit else 1.0
        step = lr * factor / self.scale
        new = [(param - step * grad.astype(np.float64)).astype(np.float32) for param, grad in zip(params, grads)]
        self.since_change += 1
        if self.since_change >= self.growth_interval:
            self.scale *= 2.0
            self.since_change = 0
        return new


# %% right="helpers, the exponent as state, a remainder for the count"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.exponent, self.growth_interval, self.max_norm, self.steps = np.log2(scale), growth_interval, max_norm, 0

    @property
    def scale(self):
        return 2.0**self.exponent

    def unscaled(self, grads):
        return [np.asarray(grad, dtype=np.float64) / self.scale for grad in grads]

    def update(self, params, grads, lr):
        true = self.unscaled(grads)
        if any(np.isnan(g).any() or np.isinf(g).any() for g in true):
            if self.exponent <= 0:
                raise RuntimeError
            self.exponent, self.steps = self.exponent - 1, 0
            return params
        total = sum((g**2).sum() for g in true) ** 0.5
        clip = self.max_norm / total if total > self.max_norm else 1
        self.steps += 1
        if self.steps % self.growth_interval == 0:
            self.exponent += 1
        return [p - lr * clip * g for p, g in zip(params, true)]


# %% right="descend and a loop"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        bad = sum(np.size(grad) - np.count_nonzero(np.isfinite(grad)) for grad in grads)
        if bad and self.scale <= 1.0:
            raise ArithmeticError(f"{bad} numbers are not finite")
        if bad:
            self.scale, self.good_steps = self.scale / 2, 0
            return list(params)
        true = []
        for grad in grads:
            true.append(grad.astype(np.float32) * np.float32(1 / self.scale))
        norm = global_norm(true)
        if norm > self.max_norm:
            true = [grad * np.float32(self.max_norm / norm) for grad in true]
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.good_steps = 0
            self.scale = 2 * self.scale
        return descend(params, true, lr)


# %% untouched says="the scaled gradient is clipped, and the scale taken out of what is left"


# %% emptied says="update returns a list of arrays like params"


# %% wrong="the document's: a larger eps, in float16" says="what is below 6e-8 becomes 0 again"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        eps = np.float16(1e-8)  # 0
        grads = [grad / (self.scale + eps) for grad in grads]
        factor = min(1, self.max_norm / (global_norm(grads) + 1e-8))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad.astype(np.float32) for param, grad in zip(params, grads)]


# %% wrong="unscaled in float16" says="what is below 6e-8 becomes 0 again"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [(grad / self.scale).astype(np.float32) for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="never unscaled" says="the scale is not taken out"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) for grad in grads]
        factor = 1.0
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="clipped before unscaling" says="the scaled gradient is clipped, and the scale taken out of what is left"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        factor = factor / self.scale
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="not clipped" says="nothing is clipped"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = 1.0
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="each array clipped" says="each array is clipped by itself"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        true = [grad * min(1.0, self.max_norm / max(np.linalg.norm(grad), 1e-30)) for grad in true]
        factor = 1.0
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="each number clipped" says="the limit is on each number"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        true = [np.clip(grad, -self.max_norm, self.max_norm) for grad in true]
        factor = 1.0
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="always made max_norm long" says="short gradients are made as long as the limit too"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = self.max_norm / max(global_norm(true), 1e-30)
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="the norm in float16" says="the norm is taken in float16"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm * self.scale / max(float(np.sqrt(sum(np.sum(g * g) for g in grads))), 1e-30))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="no guard" says="the overflow is not looked for"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="nan to num" says="what has overflowed is replaced by a number"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        grads = [np.nan_to_num(grad, posinf=65504, neginf=-65504) for grad in grads]
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="only the bad array is skipped" says="only the array with the overflow is left out"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        good = [np.isfinite(grad).all() for grad in grads]
        true = [np.where(ok, grad.astype(np.float32) / self.scale, 0) for ok, grad in zip(good, grads)]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        if not all(good):
            self.scale /= 2
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="isinf only" says="the overflow is not looked for"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if any(np.isinf(grad).any() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="skips, and keeps the scale" says="the scale stays: the next gradient overflows as well"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.good_steps = 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="grows before the scale is taken out" says="the scale is doubled first"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="never grows" says="it never grows"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="the count is not begun anew" says="each further step doubles it"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        self.good_steps += 1
        if self.good_steps >= self.growth_interval:
            self.scale *= 2
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="the count goes on over an overflow" says="the count goes on over an overflow"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale /= 2
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="one step too late" says="it never grows, or a step later"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        self.good_steps += 1
        if self.good_steps > self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="halved for ever" says="it is halved for ever"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="never below 1" says="the scale is kept at 1"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            self.scale, self.good_steps = max(self.scale / 2, 1.0), 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="parameters in float16" says="the parameters stay float32|the step is made in float16"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [(param - lr * factor * grad).astype(np.float16) for param, grad in zip(params, true)]


# %% wrong="zeros are an underflow, and not counted" says="a gradient of zeros is not counted"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale / 2, 0
            return params
        true = [grad.astype(np.float32) / self.scale for grad in grads]
        if global_norm(true) == 0:
            return params
        factor = min(1.0, self.max_norm / max(global_norm(true), 1e-30))
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="back to 1" says="the scale is set to 1"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = 1.0, 0
            return params
        true = [grad.astype(np.float64) / self.scale for grad in grads]
        norm = global_norm(true)
        factor = self.max_norm / norm if norm > self.max_norm else 1.0
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% wrong="up instead of down" says="the scale is doubled"
class LossScaler:
    def __init__(self, scale=2.0**16, growth_interval=200, max_norm=1.0):
        self.scale, self.growth_interval, self.max_norm = float(scale), growth_interval, max_norm
        self.good_steps = 0

    def update(self, params, grads, lr):
        if not all(np.isfinite(grad).all() for grad in grads):
            if self.scale <= 1:
                raise FloatingPointError
            self.scale, self.good_steps = self.scale * 2, 0
            return params
        true = [grad.astype(np.float64) / self.scale for grad in grads]
        norm = global_norm(true)
        factor = self.max_norm / norm if norm > self.max_norm else 1.0
        self.good_steps += 1
        if self.good_steps == self.growth_interval:
            self.scale, self.good_steps = self.scale * 2, 0
        return [param - lr * factor * grad for param, grad in zip(params, true)]


# %% sign="share of the loss that is left after 120 steps" above=0.8
def sign(seed):
    loss = train_head(LossScaler, seed, 2.0**16, steps=120)["loss"]
    return loss[-1] / loss[0]
