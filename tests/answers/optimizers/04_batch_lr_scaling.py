# %% right="a power"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    return base_lr * (batch / base_batch) ** {"sgd": 1.0, "adam": 0.5}[optimizer]


# %% right="the same shrinking of the distance in an epoch, exactly"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    if optimizer == "sgd":
        return (1 - (1 - 2 * base_lr) ** (batch / base_batch)) / 2
    return base_lr * batch**0.5 / base_batch**0.5


# %% right="by way of the rate for one row, in float32"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    scale = np.sqrt if optimizer.lower().startswith("adam") else lambda rows: rows
    per_row = np.float32(base_lr) / np.float32(scale(base_batch))
    return np.float32(per_row * scale(batch))


# %% right="doublings, as an array without axes"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    doublings = np.log2(batch) - np.log2(base_batch)
    if optimizer == "adam":
        doublings /= 2
    return np.array(base_lr * 2**doublings)


# %% untouched says="the learning rate is left as it was"

# %% emptied says="one positive number|None"

# %% wrong="the document's: linear for everything" says="the linear rule, which is for SGD, is used for Adam"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    return base_lr * (batch / base_batch)


# %% wrong="the root for everything" says="the root, which is for Adam, is used for SGD"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    return base_lr * np.sqrt(batch / base_batch)


# %% wrong="the two swapped" says="the root, which is for Adam, is used for SGD"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    ratio = batch / base_batch
    return base_lr * (ratio if optimizer == "adam" else ratio**0.5)


# %% wrong="Adam adapts by itself" says="the learning rate is left as it was|adam"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    return base_lr * batch / base_batch if optimizer == "sgd" else base_lr


# %% wrong="the ratio upside down" says="the ratio of the batches is upside down"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    ratio = base_batch / batch
    return base_lr * (ratio if optimizer == "sgd" else ratio**0.5)


# %% wrong="integer division" says="the ratio of the batches is cut to a whole number|48"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    ratio = max(batch // base_batch, 1)
    return base_lr * (ratio if optimizer == "sgd" else np.sqrt(ratio))


# %% wrong="only upwards" says="not lowered for a smaller batch"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    ratio = max(batch / base_batch, 1)
    return base_lr * (ratio if optimizer == "sgd" else np.sqrt(ratio))


# %% wrong="only upwards for Adam" says="not lowered for a smaller batch|adam"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    ratio = batch / base_batch
    return base_lr * (ratio if optimizer == "sgd" else max(1, ratio**0.5))


# %% wrong="the square" says="the ratio of the batches is squared"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    ratio = batch / base_batch
    return base_lr * (ratio**2 if optimizer == "sgd" else ratio)


# %% wrong="the base is always 32, as in the document" says="the base is taken for 32"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    return base_lr * (batch / 32 if optimizer == "sgd" else np.sqrt(batch / 32))


# %% wrong="the rate that ends lowest" says="within a factor of 1.5"
def scaled_lr(base_lr, base_batch, batch, optimizer):
    return 0.12


# %% sign="distance at the end with batches of 256, over that with batches of 32" above=5
def sign(seed):
    small, large = (sgd_course(batch, lr, seed)[-1] for batch, lr in ((32, 0.008), (256, scaled_lr(0.008, 32, 256, "sgd"))))
    return large / small
