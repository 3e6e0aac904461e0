# %% right="the memory is used, and filled with zeros"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta = params, lr, beta
        self.velocities = [new_buffer(param) for param in params]
        for velocity in self.velocities:
            velocity.fill(0)

    def step(self, grads):
        for i, grad in enumerate(grads):
            self.velocities[i] = self.beta * self.velocities[i] + grad
            self.params[i] -= self.lr * self.velocities[i]


# %% right="started at a copy of the first gradient, at the first step"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta, self.velocities = params, lr, beta, None

    def step(self, grads):
        if self.velocities is None:
            self.velocities = [grad.copy() for grad in grads]
        else:
            self.velocities = [self.beta * v + grad for v, grad in zip(self.velocities, grads)]
        self.params = [p - self.lr * v for p, v in zip(self.params, self.velocities)]


# %% right="a dict that starts empty, the learning rate inside the velocity"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta = [param.copy() for param in params], lr, beta
        self.velocity = {}

    def step(self, grads):
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity.get(i, 0.0) - self.lr * grad
            self.params[i] += self.velocity[i]


# %% right="heavy ball: the last move is remembered, not a velocity"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.before = [param.copy() for param in params]

    def step(self, grads):
        moved = [
            param - self.lr * grad + self.beta * (param - before)
            for param, before, grad in zip(self.params, self.before, grads)
        ]
        self.before, self.params = self.params, moved


# %% right="all gradients are kept, and summed anew"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta, self.past = params, lr, beta, []

    def step(self, grads):
        self.past.append([np.array(grad) for grad in grads])
        weights = [self.beta**age for age in range(len(self.past))][::-1]
        for i in range(len(grads)):
            self.params[i] = self.params[i] - self.lr * sum(w * past[i] for w, past in zip(weights, self.past))


# %% untouched says="the velocity starts with what its memory held before"

# %% emptied says="optimizer.params is the list of parameters"

# %% wrong="np.empty_like in place of the argument" says="the velocity starts with what its memory held before"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocities = [np.empty(param.shape) for param in params]

    def step(self, grads):
        self.velocities = [self.beta * v + grad for v, grad in zip(self.velocities, grads)]
        self.params = [p - self.lr * v for p, v in zip(self.params, self.velocities)]


# %% wrong="zeros at each step" says="the velocity starts again at zero at each step"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta = list(params), lr, beta

    def step(self, grads):
        velocities = [np.zeros_like(param) for param in self.params]
        velocities = [self.beta * v + grad for v, grad in zip(velocities, grads)]
        self.params = [p - self.lr * v for p, v in zip(self.params, velocities)]


# %% wrong="the first gradient twice" says="the first step adds it again"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta, self.velocities = list(params), lr, beta, None

    def step(self, grads):
        if self.velocities is None:
            self.velocities = [grad.copy() for grad in grads]
        self.velocities = [self.beta * v + grad for v, grad in zip(self.velocities, grads)]
        self.params = [p - self.lr * v for p, v in zip(self.params, self.velocities)]


# %% wrong="a list times the number of parameters" says="the parameters share one velocity"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocities = [np.zeros_like(params[0])] * len(params)

    def step(self, grads):
        for i, grad in enumerate(grads):
            self.velocities[i] *= self.beta
            self.velocities[i] += grad
            self.params[i] = self.params[i] - self.lr * self.velocities[i]


# %% wrong="a default argument that lasts" says="lives on in the class, or in a default argument"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like, velocities=[]):
        self.params, self.lr, self.beta, self.velocities = list(params), lr, beta, velocities
        if not velocities:
            velocities.extend(np.zeros_like(param) for param in params)

    def step(self, grads):
        for i, grad in enumerate(grads):
            self.velocities[i] = self.beta * self.velocities[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocities[i]


# %% wrong="a dict of the class" says="lives on in the class, or in a default argument"
class Momentum:
    velocity = {}

    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta = list(params), lr, beta

    def step(self, grads):
        for i, grad in enumerate(grads):
            self.velocity[i] = self.beta * self.velocity.get(i, 0.0) + grad
            self.params[i] = self.params[i] - self.lr * self.velocity[i]


# %% wrong="the class's velocities, zeroed by each optimizer" says="the optimizers share one velocity"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta = list(params), lr, beta
        Momentum.velocities = [np.zeros_like(param) for param in params]

    def step(self, grads):
        for i, grad in enumerate(grads):
            self.velocities[i] = self.beta * self.velocities[i] + grad
            self.params[i] = self.params[i] - self.lr * self.velocities[i]


# %% wrong="a mean of gradients" says="the gradient is multiplied by 1 - beta"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocities = [np.zeros_like(param) for param in params]

    def step(self, grads):
        self.velocities = [self.beta * v + (1 - self.beta) * grad for v, grad in zip(self.velocities, grads)]
        self.params = [p - self.lr * v for p, v in zip(self.params, self.velocities)]


# %% wrong="dampening, as in a framework" says="all gradients but the first are multiplied by 1 - beta"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta, self.velocities = list(params), lr, beta, None

    def step(self, grads):
        if self.velocities is None:
            self.velocities = [grad.copy() for grad in grads]
        else:
            self.velocities = [self.beta * v + (1 - self.beta) * grad for v, grad in zip(self.velocities, grads)]
        self.params = [p - self.lr * v for p, v in zip(self.params, self.velocities)]


# %% wrong="the caller's array, changed in place" says="the caller's array itself becomes the velocity"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta, self.velocities = list(params), lr, beta, None

    def step(self, grads):
        if self.velocities is None:
            self.velocities = list(grads)
        else:
            for velocity, grad in zip(self.velocities, grads):
                velocity *= self.beta
                velocity += grad
        self.params = [p - self.lr * v for p, v in zip(self.params, self.velocities)]


# %% wrong="the caller's array, kept for a step" says="caller's array itself becomes the velocity|after a step changes nothing"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta, self.velocities = list(params), lr, beta, None

    def step(self, grads):
        if self.velocities is None:
            self.velocities = list(grads)
        else:
            self.velocities = [self.beta * v + grad for v, grad in zip(self.velocities, grads)]
        self.params = [p - self.lr * v for p, v in zip(self.params, self.velocities)]


# %% wrong="Nesterov" says="Nesterov's, which was not asked for"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocities = [np.zeros_like(param) for param in params]

    def step(self, grads):
        self.velocities = [self.beta * v + grad for v, grad in zip(self.velocities, grads)]
        self.params = [p - self.lr * (g + self.beta * v) for p, v, g in zip(self.params, self.velocities, grads)]


# %% wrong="zero times the old contents" says="NaN and infinity times 0 are NaN"
class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocities = [0 * new_buffer(param) for param in params]

    def step(self, grads):
        self.velocities = [self.beta * v + grad for v, grad in zip(self.velocities, grads)]
        self.params = [p - self.lr * v for p, v in zip(self.params, self.velocities)]


# %% wrong="kept by the parameter's id, for all optimizers" says="starts with no velocity|kept outside the optimizer"
velocity_of, kept = {}, []


class Momentum:
    def __init__(self, params, lr, beta=0.9, new_buffer=np.empty_like):
        self.params, self.lr, self.beta = params, lr, beta
        kept.append(params)  # so that no id is given out again

    def step(self, grads):
        for param, grad in zip(self.params, grads):
            velocity_of[id(param)] = self.beta * velocity_of.get(id(param), 0.0) + grad
            param -= self.lr * velocity_of[id(param)]


# %% sign="highest loss, over that at the start" above=5
def sign(seed):
    loss = roll_down(Momentum, seed)["loss"]
    return np.max(loss) / loss[0]
