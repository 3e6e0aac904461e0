# %% right="a generator spawns three"
def experiment_rngs(seed):
    return np.random.default_rng(seed).spawn(3)


# %% right="the seed and the number of the place"
def experiment_rngs(seed):
    return tuple(np.random.default_rng([seed, place]) for place in range(3))


# %% right="the number of the place and the seed"
def experiment_rngs(seed):
    return [np.random.default_rng((place, seed)) for place in (1, 2, 3)]


# %% right="one bit generator, jumped"
def experiment_rngs(seed):
    init = np.random.PCG64(seed)
    return [np.random.Generator(bits) for bits in (init, init.jumped(1), init.jumped(2))]


# %% right="Philox, the place in the spawn key"
def experiment_rngs(seed):
    sequences = [np.random.SeedSequence(seed, spawn_key=(place,)) for place in (5, 6, 7)]
    return tuple(np.random.Generator(np.random.Philox(sequence)) for sequence in sequences)


# %% right="the name hashed with sha256"
def experiment_rngs(seed):
    import hashlib

    digests = [hashlib.sha256(f"{seed} {name}".encode()).digest() for name in ("init", "loader", "noise")]
    return tuple(np.random.default_rng(int.from_bytes(digest, "big")) for digest in digests)


# %% right="three numbers of its own for each seed"
def experiment_rngs(seed):
    init, loader, noise = (np.random.default_rng(3 * seed + place) for place in range(3))
    return init, loader, noise


# %% right="a first generator draws the seeds of the three"
def experiment_rngs(seed):
    seeds = np.random.default_rng(seed).integers(2**63, size=3)
    return tuple(np.random.Generator(np.random.MT19937(int(each))) for each in seeds)


# %% untouched says="one seed gives the same three streams at every call|the seed is not what decides"

# %% emptied says="three numpy Generators come back|None"

# %% wrong="the document's set_seed" says="the document's set_seed is used|whose losses differ by up to"
def experiment_rngs(seed):
    import random

    random.seed(seed)
    np.random.seed(seed)
    init = np.random.default_rng()
    loader = np.random.default_rng()
    noise = np.random.default_rng()
    return init, loader, noise


# %% wrong="default_rng(seed) three times" says="copies of one stream|2000 numbers that both draw"
def experiment_rngs(seed):
    return np.random.default_rng(seed), np.random.default_rng(seed), np.random.default_rng(seed)


# %% wrong="one generator in all three places" says="draws from init change nothing in|one generator stands in several places"
def experiment_rngs(seed):
    rng = np.random.default_rng(seed)
    return rng, rng, rng


# %% wrong="three generators around one bit generator" says="several generators share one bit generator"
def experiment_rngs(seed):
    bits = np.random.PCG64(seed)
    return tuple(np.random.Generator(bits) for _ in range(3))


# %% wrong="neighbouring seeds" says="no stream of one seed is a stream of another|seeds counted on from the seed"
def experiment_rngs(seed):
    init = np.random.default_rng(seed)
    loader = np.random.default_rng(seed + 1)
    noise = np.random.default_rng(seed + 2)
    return init, loader, noise


# %% wrong="seeds a thousand apart" says="loader of seed 0|seeds counted on from the seed"
def experiment_rngs(seed):
    return tuple(np.random.default_rng(seed + 1000 * place) for place in range(3))


# %% wrong="the seed is 42" says="the same streams come for every seed"
def experiment_rngs(seed):
    return tuple(np.random.default_rng([42, place]) for place in range(3))


# %% wrong="only the weights are seeded" says="the seed reaches only init"
def experiment_rngs(seed):
    return np.random.default_rng(seed), np.random.default_rng(), np.random.default_rng()


# %% wrong="the generators are kept" says="the generators are kept between calls"
KEPT_RNGS = {}


def experiment_rngs(seed):
    if seed not in KEPT_RNGS:
        KEPT_RNGS[seed] = np.random.default_rng(seed).spawn(3)
    return KEPT_RNGS[seed]


# %% wrong="one sequence goes on spawning" says="the seed is not what decides the streams"
ROOT_SEQUENCE = np.random.SeedSequence(42)


def experiment_rngs(seed):
    return tuple(np.random.default_rng(child) for child in ROOT_SEQUENCE.spawn(3))


# %% wrong="0 is no seed" says="0 is taken for no seed"
def experiment_rngs(seed):
    children = np.random.SeedSequence(seed or None).spawn(3)
    return tuple(np.random.default_rng(child) for child in children)


# %% wrong="seeds drawn from the global state" says="the global states of np.random|by way of the global state"
def experiment_rngs(seed):
    np.random.seed(seed)
    return tuple(np.random.default_rng(np.random.randint(2**31, size=4)) for _ in range(3))


# %% wrong="hash of a text" says="Python salts it in each process anew"
def experiment_rngs(seed):
    return tuple(np.random.default_rng(abs(hash(f"{seed}-{name}"))) for name in ("init", "loader", "noise"))


# %% wrong="one stream, cut in pieces that overlap" says="init and loader have no stretch in common|a few draws further on"
def experiment_rngs(seed):
    starts = [np.random.PCG64(seed) for _ in range(3)]
    return tuple(np.random.Generator(bits.advance(1000 * place)) for place, bits in enumerate(starts))


# %% wrong="RandomState" says="numpy's older RandomState"
def experiment_rngs(seed):
    return tuple(np.random.RandomState((seed + place) % 2**32) for place in range(3))


# %% wrong="one generator" says="one generator is returned for all three"
def experiment_rngs(seed):
    return np.random.default_rng(seed)


# %% wrong="a dictionary" says="three numpy Generators come back, as (init, loader, noise)|a dictionary is returned"
def experiment_rngs(seed):
    return dict(zip(("init", "loader", "noise"), np.random.default_rng(seed).spawn(3)))


# %% sign="share of the losses of a run that are others when it is repeated" above=0
def sign(seed):
    one, other = (spirals_experiment(experiment_rngs(seed), epochs=10)["loss"] for _ in range(2))
    return np.mean(np.array(one) != np.array(other))
