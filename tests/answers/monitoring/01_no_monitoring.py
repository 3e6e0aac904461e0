# %% right="lists beside the loop, isfinite of every entry"
def watched_run(measure, apply, steps):
    losses, norms = [], []
    stopped_at = why = None
    for step in range(steps):
        loss, grads = measure(step)
        losses.append(loss)
        norms.append(np.sqrt(sum((grad**2).sum() for grad in grads)))
        if not np.isfinite(loss):
            stopped_at, why = step, "loss"
            break
        if not all(np.isfinite(grad).all() for grad in grads):
            stopped_at, why = step, "gradient"
            break
        apply(grads)
    return {"loss": losses, "grad_norm": norms, "stopped_at": stopped_at, "why": why}


# %% right="a while loop that returns early, gradients first"
def watched_run(measure, apply, steps):
    step = 0
    record = dict(loss=[], grad_norm=[], stopped_at=None, why=None)
    while step < steps:
        loss, grads = measure(step)
        norm = np.linalg.norm(np.concatenate([g.ravel() for g in grads]))
        record["loss"] += [loss]
        record["grad_norm"] += [norm]
        if np.isnan(norm) or np.isinf(norm):
            return {**record, "stopped_at": step, "why": "gradient"}
        if np.isnan(loss) or np.isinf(loss):
            return {**record, "stopped_at": np.int64(step), "why": "loss"}
        apply(grads)
        step += 1
    return record


# %% right="a History, a printed line, more in the record"
def watched_run(measure, apply, steps):
    history, stopped_at, why = History(), None, None
    for step in range(steps):
        loss, grads = measure(step)
        history.log(loss=loss, grad_norm=global_norm(grads))
        bad = [name for name, value in (("loss", loss), ("gradient", global_norm(grads))) if not abs(value) < np.inf]
        if bad:
            stopped_at, why = step, bad[0]
            print(f"stopped at {step}: the {why} is not finite")
            break
        apply(grads)
    return {**history.signals, "stopped_at": stopped_at, "why": why, "steps": steps}


# %% right="an exception of its own, caught inside; arrays"
import math


def watched_run(measure, apply, steps):
    loss_at, norm_at = np.full(steps, np.nan), np.full(steps, np.nan)
    try:
        for step in range(steps):
            loss_at[step], grads = measure(step)
            norm_at[step] = math.sqrt(sum(float(np.vdot(grad, grad)) for grad in grads))
            for word, value in (("loss", loss_at[step]), ("gradient", norm_at[step])):
                if not math.isfinite(value):
                    raise FloatingPointError(word)
            apply(grads)
    except FloatingPointError as error:
        return {"loss": loss_at[: step + 1], "grad_norm": norm_at[: step + 1], "stopped_at": step, "why": str(error)}
    return {"loss": loss_at, "grad_norm": norm_at, "stopped_at": None, "why": None}


# %% untouched says="nothing stops the run: the rest of its budget is burnt"

# %% emptied says="every step up to the bad one is measured|nothing is measured at all"

# %% wrong="the document's: isnan after the update, every hundredth step, and it raises" says="isnan is asked after the update, as in the document|one step too late"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        apply(grads)
        if step % 100 == 0:
            record["loss"].append(loss)
            record["grad_norm"].append(global_norm(grads))
            print(f"Step {step}: loss={loss:.4f}, grad_norm={global_norm(grads):.4f}")
        if np.isnan(loss):
            raise ValueError(f"NaN loss at step {step}")
    return record


# %% wrong="raises in time, and loses the record" says="an exception is raised, and the record is lost with it"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        record["loss"].append(loss)
        record["grad_norm"].append(global_norm(grads))
        if not np.isfinite(loss):
            raise ValueError(f"loss is {loss} at step {step}")
        apply(grads)
    return record


# %% wrong="after the update" says="the check comes after the update"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        apply(grads)
        record["loss"].append(loss)
        record["grad_norm"].append(global_norm(grads))
        if not (np.isfinite(loss) and np.isfinite(global_norm(grads))):
            record["stopped_at"], record["why"] = step, "loss" if not np.isfinite(loss) else "gradient"
            break
    return record


# %% wrong="isnan before the update" says="the first bad loss is let through: isnan is False for inf"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        record["loss"].append(loss)
        record["grad_norm"].append(global_norm(grads))
        if np.isnan(loss) or np.isnan(global_norm(grads)):
            record["stopped_at"], record["why"] = step, "loss" if np.isnan(loss) else "gradient"
            break
        apply(grads)
    return record


# %% wrong="looks at the loss only" says="only the loss is looked at"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        record["loss"].append(loss)
        record["grad_norm"].append(global_norm(grads))
        if not np.isfinite(loss):
            record["stopped_at"], record["why"] = step, "loss"
            break
        apply(grads)
    return record


# %% wrong="stops without a word" says="the run stops, and its record does not say so"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        record["loss"].append(loss)
        record["grad_norm"].append(global_norm(grads))
        if not (np.isfinite(loss) and np.isfinite(global_norm(grads))):
            break
        apply(grads)
    return record


# %% wrong="the bad step is not in the record" says="the bad step is left out"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        if not (np.isfinite(loss) and np.isfinite(global_norm(grads))):
            record["stopped_at"], record["why"] = step, "loss" if not np.isfinite(loss) else "gradient"
            break
        record["loss"].append(loss)
        record["grad_norm"].append(global_norm(grads))
        apply(grads)
    return record


# %% wrong="writes down every hundredth step, and the bad one" says="every hundredth step is written down, as the document does"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        is_bad = not (np.isfinite(loss) and np.isfinite(global_norm(grads)))
        if step % 100 == 0 or is_bad:
            record["loss"].append(loss)
            record["grad_norm"].append(global_norm(grads))
        if is_bad:
            record["stopped_at"], record["why"] = step, "loss" if not np.isfinite(loss) else "gradient"
            break
        apply(grads)
    return record


# %% wrong="skips the bad steps and goes on" says="the bad step is skipped and the run goes on"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        record["loss"].append(loss)
        record["grad_norm"].append(global_norm(grads))
        if not (np.isfinite(loss) and np.isfinite(global_norm(grads))):
            record["stopped_at"], record["why"] = step, "loss" if not np.isfinite(loss) else "gradient"
            continue
        apply(grads)
    return record


# %% wrong="looks at every hundredth step" says="nothing stops the run"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        record["loss"].append(loss)
        record["grad_norm"].append(global_norm(grads))
        if step % 100 == 0 and not (np.isfinite(loss) and np.isfinite(global_norm(grads))):
            record["stopped_at"], record["why"] = step, "loss"
            break
        apply(grads)
    return record


# %% wrong="a limit on the loss stands for not finite" says="makes all its steps, large or small|a limit on the size"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        record["loss"].append(loss)
        record["grad_norm"].append(global_norm(grads))
        if not abs(loss) < 1e6:
            record["stopped_at"], record["why"] = step, "loss"
            break
        if not global_norm(grads) < 1e6:
            record["stopped_at"], record["why"] = step, "gradient"
            break
        apply(grads)
    return record


# %% wrong="always blames the loss" says="why names what is not finite|the loss is blamed"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        record["loss"].append(loss)
        record["grad_norm"].append(global_norm(grads))
        if not (np.isfinite(loss) and np.isfinite(global_norm(grads))):
            record["stopped_at"], record["why"] = step, "loss"
            break
        apply(grads)
    return record


# %% wrong="the norms of the arrays are added" says="the norms of the arrays are added"
def watched_run(measure, apply, steps):
    record = {"loss": [], "grad_norm": [], "stopped_at": None, "why": None}
    for step in range(steps):
        loss, grads = measure(step)
        norm = sum(np.linalg.norm(grad) for grad in grads)
        record["loss"].append(loss)
        record["grad_norm"].append(norm)
        if not (np.isfinite(loss) and np.isfinite(norm)):
            record["stopped_at"], record["why"] = step, "loss" if not np.isfinite(loss) else "gradient"
            break
        apply(grads)
    return record


# %% sign="of 8 weights, those finite at the end of the night" below=8
def sign(seed):
    return calibrate_overnight(watched_run, seed)[1][-1]
