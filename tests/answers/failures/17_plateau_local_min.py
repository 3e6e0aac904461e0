# %% right="progress over patience, in chunks of a tenth"
def train_with_restarts(start, target, budget, patience=400):
    left, seed, seen = budget, 0, []
    while left > 0:
        run, curve = start(seed), []
        while left > 0:
            steps = min(patience // 10, left)
            curve.append(run(steps)[0])
            left -= steps
            if curve[-1] <= target:
                return seed, curve[-1]
            if len(curve) > 10 and curve[-1] > 0.9 * curve[-11]:
                break
        seen.append((min(curve), seed))
        seed += 1
    loss, seed = min(seen)
    return seed, loss


# %% right="looks once every patience steps"
def train_with_restarts(start, target, budget, patience=400):
    results, seed = {}, 0
    run, before = start(0), None
    while budget > 0:
        steps = min(patience, budget)
        loss, _ = run(steps)
        budget -= steps
        results[seed] = loss
        if loss <= target:
            break
        if before is not None and loss / before > 0.95:
            seed += 1
            run, before = start(seed), None
        else:
            before = loss
    winner = min(results, key=results.get)
    return winner, results[winner]


# %% right="step by step"
def train_with_restarts(start, target, budget, patience=400):
    best = [0, float("inf")]
    spent = seed = 0
    while spent < budget:
        run = start(seed)
        mark, waited = float("inf"), 0
        while spent < budget and waited < 1.1 * patience:
            loss, norm = run(5 if budget - spent >= 5 else 1)
            spent += 5 if budget - spent >= 5 else 1
            waited += 5
            if loss < best[1]:
                best = [seed, loss]
            if loss <= target:
                return best
            if loss < mark * 0.95:
                mark, waited = loss, 0
        seed += 1
    return best


# %% right="seeds drawn at random"
def train_with_restarts(start, target, budget, patience=400):
    rng = np.random.default_rng(7)
    tried = []
    while budget > 0:
        seed = int(rng.integers(10**6))
        run, losses = start(seed), [np.inf]
        while budget > 0:
            steps = min(20, budget)
            losses.append(run(steps)[0])
            budget -= steps
            back = patience // 20 + 2
            if losses[-1] <= target or (len(losses) > back and losses[-1] > 0.92 * losses[-back]):
                break
        tried.append((losses[-1], seed))
        if losses[-1] <= target:
            break
    return np.array(min(tried)[::-1])


# %% untouched says="usual rule says very low loss|0 of 6"

# %% emptied says="(seed, loss)|None"


# %% wrong="the same start, longer" says="one start is trained to the end"
def train_with_restarts(start, target, budget, patience=400):
    loss, _ = start(0)(budget)
    return 0, loss


# %% wrong="the same seed again" says="again from the same seed"
def train_with_restarts(start, target, budget, patience=400):
    run, spent, low, since = start(0), 0, np.inf, 0
    best = np.inf
    while spent < budget and best > target:
        steps = min(50, budget - spent)
        loss, _ = run(steps)
        spent, since = spent + steps, since + steps
        best = min(best, loss)
        if loss < 0.9 * low:
            low, since = loss, 0
        if since >= patience:
            run, low, since = start(0), np.inf, 0
    return 0, best


# %% wrong="a small gradient is a local minimum" says="neither a small gradient nor a slow descent"
def train_with_restarts(start, target, budget, patience=400):
    seed, best_seed, best_loss = 0, 0, np.inf
    run, spent, used = start(seed), 0, 0
    while spent < budget and best_loss > target:
        steps = min(50, budget - spent)
        loss, grad_norm = run(steps)
        spent, used = spent + steps, used + steps
        if loss < best_loss:
            best_seed, best_loss = seed, loss
        if used >= patience and grad_norm < 1e-3:
            seed, used = seed + 1, 0
            run = start(seed)
    return best_seed, best_loss


# %% wrong="every start gets the same share" says="a start that still falls is given up"
def train_with_restarts(start, target, budget, patience=400):
    results = []
    for seed in range(5):
        loss, _ = start(seed)(budget // 5)
        results.append((loss, seed))
        if loss <= target:
            break
    return min(results)[::-1]


# %% wrong="five starts in turn" says="dealt out to several starts in turn"
def train_with_restarts(start, target, budget, patience=400):
    runs = [start(seed) for seed in range(5)]
    best, spent, turn = (0, np.inf), 0, 0
    while spent < budget and best[1] > target:
        steps = min(100, budget - spent)
        loss, _ = runs[turn % 5](steps)
        if loss < best[1]:
            best = (turn % 5, loss)
        spent, turn = spent + steps, turn + 1
    return best


# %% wrong="impatient" says="before its `patience` steps"
def train_with_restarts(start, target, budget, patience=400):
    seed, best_seed, best_loss = 0, 0, np.inf
    run, spent, last = start(seed), 0, np.inf
    while spent < budget and best_loss > target:
        steps = min(50, budget - spent)
        loss, _ = run(steps)
        spent += steps
        if loss < best_loss:
            best_seed, best_loss = seed, loss
        if loss > 0.98 * last:
            seed += 1
            run, last = start(seed), np.inf
        else:
            last = loss
    return best_seed, best_loss


# %% wrong="each start has the whole budget" says="each start has a budget of its own"
def train_with_restarts(start, target, budget, patience=400):
    results = [(start(seed)(budget)[0], seed) for seed in range(5)]
    return min(results)[::-1]


# %% wrong="progress in nats" says="and not as a share of the loss"
def train_with_restarts(start, target, budget, patience=400):
    seed, best_seed, best_loss = 0, 0, np.inf
    run, spent, low, since = start(seed), 0, np.inf, 0
    while spent < budget and best_loss > target:
        steps = min(50, budget - spent)
        loss, _ = run(steps)
        spent, since = spent + steps, since + steps
        if loss < best_loss:
            best_seed, best_loss = seed, loss
        if loss < low - 1e-3:
            low, since = loss, 0
        if since >= patience:
            seed += 1
            run, low, since = start(seed), np.inf, 0
    return best_seed, best_loss


# %% wrong="returns the last start" says="the last start is returned"
def train_with_restarts(start, target, budget, patience=400):
    seed, run, spent, low, since, loss = 0, start(0), 0, np.inf, 0, np.inf
    while spent < budget and loss > target:
        if since >= patience:
            seed += 1
            run, low, since = start(seed), np.inf, 0
        steps = min(50, budget - spent)
        loss, _ = run(steps)
        spent, since = spent + steps, since + steps
        if loss < 0.9 * low:
            low, since = loss, 0
    return seed, loss


# %% wrong="waits three times too long" says="too few are left for others"
def train_with_restarts(start, target, budget, patience=400):
    seed, best_seed, best_loss = 0, 0, np.inf
    run, spent, low, since = start(seed), 0, np.inf, 0
    while spent < budget and best_loss > target:
        steps = min(50, budget - spent)
        loss, _ = run(steps)
        spent, since = spent + steps, since + steps
        if loss < best_loss:
            best_seed, best_loss = seed, loss
        if loss < 0.9 * low:
            low, since = loss, 0
        if since >= 5 * patience:
            seed += 1
            run, low, since = start(seed), np.inf, 0
    return best_seed, best_loss


# %% sign="of 16 tasks, those not solved within the budget" above=1
def sign(seed):
    losses, norms = xor_records(100 + seed, tasks=16, starts=5, steps=2000)
    traces = [replay_restarts(train_with_restarts, *task) for task in zip(losses, norms)]
    return sum(trace.min() > 0.05 for trace in traces)
