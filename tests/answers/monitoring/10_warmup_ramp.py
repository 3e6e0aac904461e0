# %% right="the document's: from zero, one wasted step"
def warmup_lr(step, warmup_steps, base_lr):
    if step < warmup_steps:
        # Linear warmup
        return base_lr * (step / warmup_steps)
    else:
        # Full LR (or decay)
        return base_lr


# %% right="one line with min"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr * min(1.0, (step + 1) / max(1, warmup_steps))


# %% right="W + 1 equal parts"
def warmup_lr(step, warmup_steps, base_lr):
    return np.float32(base_lr) * np.minimum(1, (step + 1) / (warmup_steps + 1))


# %% right="interpolated between two points"
def warmup_lr(step, warmup_steps, base_lr):
    if warmup_steps == 0:
        return base_lr
    return np.interp(step, [0, warmup_steps], [0.0, base_lr])


# %% right="a list of all the rates of the warmup"
def warmup_lr(step, warmup_steps, base_lr):
    rates = np.linspace(0, base_lr, warmup_steps + 1)[1:]
    return rates[step] if step < len(rates) else np.array(base_lr)


# %% right="from zero to base at the last step of the warmup"
def warmup_lr(step, warmup_steps, base_lr):
    if step >= warmup_steps - 1:
        return base_lr
    return base_lr * step / (warmup_steps - 1)


# %% untouched says="step 0 is at most base_lr / W|base_lr stands in both branches"

# %% emptied says="one finite number|None"

# %% wrong="the document's wrong snippet as it stands: no rate after the warmup" says="UnboundLocalError"
def warmup_lr(step, warmup_steps, base_lr):
    if step < warmup_steps:
        lr = base_lr  # Wrong! Should be ramping up
    return lr


# %% wrong="it climbs for ever" says="from step W on|goes on climbing after the warmup"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr * (step + 1) / max(1, warmup_steps)


# %% wrong="divides by zero without a warmup" says="a warmup of no steps divides by zero|warmup_steps=0"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr * min(1, (step + 1) / warmup_steps)


# %% wrong="max(1, W), and step 0 wasted where no warmup was asked for" says="step 0 is made at zero"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr * min(1, step / max(1, warmup_steps))


# %% wrong="a tenth, then all" says="one smaller learning rate stands for the whole warmup"
def warmup_lr(step, warmup_steps, base_lr):
    return 0.1 * base_lr if step < warmup_steps else base_lr


# %% wrong="base / W, then all" says="is held at one value, and then it jumps"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr / warmup_steps if step < warmup_steps else base_lr


# %% wrong="zero, then all" says="is held at one value, and then it jumps"
def warmup_lr(step, warmup_steps, base_lr):
    return 0.0 if step < warmup_steps else base_lr


# %% wrong="a square" says="the ramp is a square"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr * min(1, (step + 1) / max(1, warmup_steps)) ** 2


# %% wrong="exponential" says="the ramp is exponential"
def warmup_lr(step, warmup_steps, base_lr):
    if step >= warmup_steps:
        return base_lr
    return base_lr * 1e-3 ** (1 - step / warmup_steps)


# %% wrong="half a cosine" says="half a cosine"
def warmup_lr(step, warmup_steps, base_lr):
    if step >= warmup_steps:
        return base_lr
    return base_lr * 0.5 * (1 - np.cos(np.pi * step / warmup_steps))


# %% wrong="a root" says="the ramp climbs like a root"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr * np.sqrt(min(1, (step + 1) / max(1, warmup_steps)))


# %% wrong="a decay" says="the learning rate falls from base_lr on"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr * max(0, 1 - step / max(1, warmup_steps))


# %% wrong="base / (step + 1)" says="the learning rate falls from base_lr on"
def warmup_lr(step, warmup_steps, base_lr):
    if step < warmup_steps:
        return base_lr / (step + 1)
    return base_lr


# %% wrong="two steps late" says="the ramp is too long"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr * min(1, step / (warmup_steps + 2))


# %% wrong="steps counted from 1" says="never below 0|steps are taken to count from 1"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr * min(1, (step - 1) / max(1, warmup_steps))


# %% wrong="a whole number" says="from step W on|the learning rate is 0 at every step"
def warmup_lr(step, warmup_steps, base_lr):
    return int(base_lr * min(1, (step + 1) / max(1, warmup_steps)))


# %% wrong="whole-number division inside the warmup" says="is held at one value, and then it jumps"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr * min(1, step // max(1, warmup_steps))


# %% wrong="min and max swapped" says="min and max are swapped"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr * max(1, step / max(1, warmup_steps))


# %% wrong="PyTorch's default" says="as PyTorch's LinearLR does unless told otherwise"
def warmup_lr(step, warmup_steps, base_lr):
    if step >= warmup_steps:
        return base_lr
    return base_lr * (1 / 3 + 2 / 3 * step / warmup_steps)


# %% wrong="a line to half the height, and then a jump" says="the ramp ends too low, and jumps the rest"
def warmup_lr(step, warmup_steps, base_lr):
    if step < warmup_steps:
        return 0.5 * base_lr * step / warmup_steps
    return base_lr


# %% wrong="the share, not the rate" says="from step W on|the share of base_lr is returned"
def warmup_lr(step, warmup_steps, base_lr):
    return min(1, (step + 1) / max(1, warmup_steps))


# %% wrong="a fixed length" says="warmup_steps=4|the ramp is too long"
def warmup_lr(step, warmup_steps, base_lr):
    return base_lr * min(1, (step + 1) / 30)


# %% sign="of 20 runs with a warmup of 30 steps, those lost" above=10
def sign(seed):
    calls = hourly_calls(np.random.default_rng(seed), steps=120)
    return count_lost(fit_hourly_calls(*calls, lambda step: warmup_lr(step, 30, 0.025))[1])
