# %% right="a loop, by the shape"
def decay_groups(named_params):
    decay, no_decay = [], []
    for name, param in named_params.items():
        (decay if len(param.shape) > 1 else no_decay).append(name)
    return decay, no_decay


# %% right="sets, with the rest by difference"
def decay_groups(named_params):
    decay = {name for name, param in named_params.items() if np.ndim(param) in (2, 4)}
    return decay, named_params.keys() - decay


# %% right="embeddings left alone, tuples"
def decay_groups(named_params):
    decay = tuple(n for n, p in named_params.items() if p.ndim > 1 and "wte" not in n and "emb" not in n)
    return decay, tuple(n for n in named_params if n not in decay)


# %% right="generators"
def decay_groups(named_params):
    return (
        (n for n, p in named_params.items() if p.ndim >= 2),
        filter(lambda n: named_params[n].ndim < 2, named_params),
    )


# %% right="dictionaries from the names, taken out one by one"
def decay_groups(named_params):
    decay = dict(named_params)
    no_decay = {}
    for name in list(decay):
        if decay[name].shape in [(), (decay[name].size,)]:
            no_decay[name] = decay.pop(name)
    return [decay, no_decay]


# %% untouched says="every parameter decays|biases are in no_decay"

# %% emptied says="two collections of names come back|None"

# %% wrong="the document's filter" says="the document's own filter sorts by name|3 of 4 in decay|h.0.ln_1.weight"
def decay_groups(named_params):
    decay = [n for n in named_params if "bias" not in n and "norm" not in n]
    no_decay = [n for n in named_params if "bias" in n or "norm" in n]
    return decay, no_decay


# %% wrong="a longer list of names" says="gains of norms are in no_decay, whatever they are called|1.weight|names decide"
def decay_groups(named_params):
    words = ("bias", "ln_", "bn", "norm.", "layernorm", "scale")
    no_decay = [n for n in named_params if any(word in n.lower() for word in words) and "proj" not in n]
    return [n for n in named_params if n not in no_decay], no_decay


# %% wrong="a bias by the end of its name, a gain by its axes" says="matrices are in decay, whatever they are called|names decide"
def decay_groups(named_params):
    no_decay = [n for n, p in named_params.items() if n.split(".")[-1].startswith("bias") or p.ndim < 2]
    return [n for n in named_params if n not in no_decay], no_decay


# %% wrong="the groups swapped" says="the two groups are swapped"
def decay_groups(named_params):
    decay = [n for n, p in named_params.items() if p.ndim >= 2]
    no_decay = [n for n, p in named_params.items() if p.ndim < 2]
    return no_decay, decay


# %% wrong="nothing decays" says="nothing decays|matrices are in decay"
def decay_groups(named_params):
    return [], list(named_params)


# %% wrong="the rest forgotten" says="in neither|each group has a rule of its own"
def decay_groups(named_params):
    decay = [n for n, p in named_params.items() if p.ndim >= 2]
    no_decay = [n for n in named_params if "bias" in n]
    return decay, [n for n in no_decay if n not in decay]


# %% wrong="scalars forgotten" says="logit_scale|a scalar has none"
def decay_groups(named_params):
    decay = [n for n, p in named_params.items() if p.ndim >= 2]
    no_decay = [n for n, p in named_params.items() if p.ndim == 1]
    return decay, no_decay


# %% wrong="decay holds all, no_decay what is taken out" says="more than once|all names are in decay"
def decay_groups(named_params):
    return list(named_params), [n for n, p in named_params.items() if p.ndim < 2]


# %% wrong="by size" says="only what has a single entry is taken out"
def decay_groups(named_params):
    decay = [n for n, p in named_params.items() if p.size > 1]
    return decay, [n for n, p in named_params.items() if p.size <= 1]


# %% wrong="whatever is called weight" says="all that is called weight decays"
def decay_groups(named_params):
    decay = [n for n in named_params if n.endswith("weight")]
    return decay, [n for n in named_params if not n.endswith("weight")]


# %% wrong="only biases taken out" says="only the biases are taken out"
def decay_groups(named_params):
    decay = [n for n in named_params if not n.endswith("bias")]
    return decay, [n for n in named_params if n.endswith("bias")]


# %% wrong="only two axes" says="only arrays of two axes decay: a kernel has four|0.weight (8, 3, 3, 3)"
def decay_groups(named_params):
    decay = [n for n, p in named_params.items() if p.ndim == 2]
    return decay, [n for n, p in named_params.items() if p.ndim != 2]


# %% wrong="squeezed" says="axes of length 1 are not counted|head.weight (16, 1)"
def decay_groups(named_params):
    decay = [n for n, p in named_params.items() if p.squeeze().ndim >= 2]
    return decay, [n for n, p in named_params.items() if p.squeeze().ndim < 2]


# %% wrong="arrays" says="the arrays are returned, and not their names"
def decay_groups(named_params):
    decay = [p for p in named_params.values() if p.ndim >= 2]
    return decay, [p for p in named_params.values() if p.ndim < 2]


# %% wrong="pairs" says="pairs of name and array are returned"
def decay_groups(named_params):
    decay = [(n, p) for n, p in named_params.items() if p.ndim >= 2]
    return decay, [(n, p) for n, p in named_params.items() if p.ndim < 2]


# %% wrong="PyTorch's groups" says="the groups are dictionaries as PyTorch takes them"
def decay_groups(named_params):
    decay = [p for p in named_params.values() if p.ndim >= 2]
    no_decay = [p for p in named_params.values() if p.ndim < 2]
    return [{"params": decay, "weight_decay": 0.1}, {"params": no_decay, "weight_decay": 0.0}]


# %% wrong="the first group only" says="two collections of names come back|one group is returned"
def decay_groups(named_params):
    return [n for n, p in named_params.items() if p.ndim >= 2]


# %% sign="bias at the end, where the data ask for 50" below=25
def sign(seed):
    return fit_with_adamw(decay_groups, seed)["bias"][-1]
