# %% right="textbook, in one line"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad * grad
    return param - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


# %% right="in place"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m *= beta1
    m += (1 - beta1) * grad
    v *= beta2
    v += (1 - beta2) * np.square(grad)
    param -= lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return param, m, v


# %% right="the corrections folded into the learning rate (Kingma & Ba, end of section 2)"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = m + (1 - beta1) * (grad - m)
    v = v + (1 - beta2) * (grad**2 - v)
    lr_t = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return param - lr_t * m / (np.sqrt(v) + eps), m, v


# %% right="a loop over the entries, eps inside the root"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    param, m, v = param.copy(), m.copy(), v.copy()
    for i in range(param.size):
        m.flat[i] = beta1 * m.flat[i] + (1 - beta1) * grad.flat[i]
        v.flat[i] = beta2 * v.flat[i] + (1 - beta2) * grad.flat[i] ** 2
        step = (m.flat[i] / (1 - beta1**t)) / (v.flat[i] / (1 - beta2**t) + eps**2) ** 0.5
        param.flat[i] -= lr * step
    return param, m, v


# %% untouched says="neither mean is corrected"

# %% emptied says="stopped with TypeError"

# %% wrong="only m" says="only m is corrected"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (1 - beta1**t) / (np.sqrt(v) + eps), m, v


# %% wrong="only v" says="only v is corrected"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


# %% wrong="counts from t + 1" says="t + 1 stands where t is meant"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    t = t + 1
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


# %% wrong="1 - beta, without the power" says="1 - beta stands where 1 - beta**t is meant"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * (m / (1 - beta1)) / (np.sqrt(v / (1 - beta2)) + eps), m, v


# %% wrong="returns the corrected means" says="the corrected means are returned, and corrected again"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = (beta1 * m + (1 - beta1) * grad) / (1 - beta1**t)
    v = (beta2 * v + (1 - beta2) * grad**2) / (1 - beta2**t)
    return param - lr * m / (np.sqrt(v) + eps), m, v


# %% wrong="the betas swapped in the correction" says="the two betas are swapped"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (1 - beta2**t) / (np.sqrt(v / (1 - beta1**t)) + eps), m, v


# %% wrong="divides by v without the root's share" says="the root of 1 - beta2**t is missing"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (1 - beta1**t) / (np.sqrt(v) / (1 - beta2**t) + eps), m, v


# %% wrong="the means start at the first gradient" says="the running means start at the first gradient, and not at zero"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    if t == 1:
        m, v = grad, grad**2
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (np.sqrt(v) + eps), m, v


# %% wrong="the sign of the gradient" says="the step is the sign of m, or of the gradient"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * np.sign(grad), m, v


# %% wrong="the default betas, whatever is passed" says="0.9 and 0.999 stand where beta1 and beta2 are meant"
def adam_step(param, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    return param - lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + eps), m, v


# %% sign="highest loss in the first ten steps, over that before them" above=4
def sign(seed):
    loss = fine_tune(adam_step, seed, steps=10)["loss"]
    return np.max(loss) / loss[0]
