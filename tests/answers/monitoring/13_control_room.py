# %% right="a list of words, the step taken first"
def watch_step(room, step, loss, grads, val_loss):
    words = []
    before = list(room.losses)
    taken = room.optimizer.step(loss, grads)
    if taken:
        room.losses.append(loss)
    else:
        words.append("bad batch")
    if room.spike_alert(before, loss):
        words.append("spike")
    if val_loss is None:
        return words
    if len(room.losses) > 0:
        room.shown.append(list(room.smooth(room.losses))[-1])
    words += ["plateau"] if room.is_plateau(list(room.losses)) else []
    words += ["overfit"] if room.early_stop.update(None, val_loss, room.optimizer.params) else []
    return words


# %% right="asked in another order, collected in a dictionary"
def watch_step(room, step, loss, grads, val_loss):
    spike = room.spike_alert(room.losses, loss)
    bad = not room.optimizer.step(loss, grads)
    if not bad:
        room.losses += [loss]
    overfit = plateau = False
    if val_loss is not None:
        overfit = room.early_stop.update(float("nan"), val_loss, [param.copy() for param in room.optimizer.params])
        plateau = room.is_plateau(room.losses)
        room.shown.extend(room.smooth(room.losses)[-1:])
    said = {"bad batch": bad, "spike": spike, "plateau": plateau, "overfit": overfit}
    return {word for word, is_said in said.items() if is_said}


# %% right="a frozen set, by way of a helper"
def hear_trends(room, val_loss):
    if room.losses:
        room.shown.append(room.smooth(room.losses)[-1])
    yield "plateau", room.is_plateau(room.losses)
    yield "overfit", room.early_stop.update(room.losses[-1] if room.losses else 0.0, val_loss, room.optimizer.params)


def watch_step(room, step, loss, grads, val_loss):
    heard = [("spike", room.spike_alert(room.losses.copy(), loss))]
    taken = room.optimizer.step(loss, grads)
    heard.append(("bad batch", not taken))
    if taken:
        room.losses.append(loss)
    if val_loss is not None:
        heard += hear_trends(room, val_loss)
    return frozenset(word for word, said in heard if said)


# %% right="the record is replaced by a longer one"
def watch_step(room, step, loss, grads, val_loss):
    said = {"spike"} if room.spike_alert(room.losses, loss) else set()
    if room.optimizer.step(loss, grads):
        room.losses = room.losses + [loss]
    else:
        said |= {"bad batch"}
    if val_loss is not None:
        room.shown = room.shown + [room.smooth(room.losses)[-1]] if room.losses else room.shown
        if room.is_plateau(room.losses):
            said |= {"plateau"}
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said |= {"overfit"}
    return said


# %% untouched says="the loss stands in its own history|the loss of a refused step is on record too"

# %% emptied says="a set of words comes back|got       None"

# %% wrong="returns at the first alarm" says="one alarm hides the other"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
        room.optimizer.step(loss, grads)
        return said
    if room.optimizer.step(loss, grads):
        room.losses.append(loss)
    else:
        said.add("bad batch")
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="spike or bad batch" says="one alarm hides the other"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    if room.optimizer.step(loss, grads):
        room.losses.append(loss)
    else:
        said = {"bad batch"}
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="the loss in its own history" says="the loss stands in its own history"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses + [loss], loss):
        said.add("spike")
    if room.optimizer.step(loss, grads):
        room.losses.append(loss)
    else:
        said.add("bad batch")
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="the refused step on record" says="the loss of a refused step is on record too"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    taken = room.optimizer.step(loss, grads)
    room.losses.append(loss)
    if not taken:
        said.add("bad batch")
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="the optimizer is not listened to" says="what the optimizer returns is not looked at"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    room.optimizer.step(loss, grads)
    if np.isfinite(loss):
        room.losses.append(loss)
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="a finite loss for a taken step" says="losses are kept because they are finite"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    taken = room.optimizer.step(loss, grads)
    if np.isfinite(loss):
        room.losses.append(loss)
    if not taken:
        said.add("bad batch")
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="the early stop asked before the step" says="before the step is made"
def watch_step(room, step, loss, grads, val_loss):
    stop = val_loss is not None and room.early_stop.update(loss, val_loss, room.optimizer.params)
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    if room.optimizer.step(loss, grads):
        room.losses.append(loss)
    else:
        said.add("bad batch")
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if stop:
            said.add("overfit")
    return said


# %% wrong="the plateau of the smoothed losses" says="it is asked about smoothed losses, which have no noise to measure a change by"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    if room.optimizer.step(loss, grads):
        room.losses.append(loss)
    else:
        said.add("bad batch")
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.shown):
            said.add("plateau")
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="the training loss to the early stop" says="the training loss is told in its place"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    if room.optimizer.step(loss, grads):
        room.losses.append(loss)
    else:
        said.add("bad batch")
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if room.early_stop.update(loss, loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="overfitting only where there is no plateau" says="another alarm keeps it from being asked"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    if room.optimizer.step(loss, grads):
        room.losses.append(loss)
    else:
        said.add("bad batch")
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        elif room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="evaluations of refused steps are dropped" says="a bad batch keeps early_stop from being asked"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    if room.optimizer.step(loss, grads):
        room.losses.append(loss)
    else:
        said.add("bad batch")
        return said
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="asks the early stop at every step" says="nobody is told of a validation loss|early_stop is asked at every step"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    if room.optimizer.step(loss, grads):
        room.losses.append(loss)
    else:
        said.add("bad batch")
    if True:
        if room.losses and step % 10 == 0:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="shows the loss as it came" says="the loss is shown as it came"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    if room.optimizer.step(loss, grads):
        room.losses.append(loss)
    else:
        said.add("bad batch")
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.losses[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="the oldest of the smoothed losses" says="the oldest of the smoothed losses is taken"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    if room.optimizer.step(loss, grads):
        room.losses.append(loss)
    else:
        said.add("bad batch")
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[0])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% wrong="steps twice" says="the optimizer is asked once|the step is made anew"
def watch_step(room, step, loss, grads, val_loss):
    said = set()
    room.optimizer.step(loss, grads)
    # The history is that of the steps before: with the loss itself in it, a spike hides in its own yardstick.
    if room.spike_alert(room.losses, loss):
        said.add("spike")
    if room.optimizer.step(loss, grads):
        room.losses.append(loss)
    else:
        said.add("bad batch")
    if val_loss is not None:
        if room.losses:
            room.shown.append(room.smooth(room.losses)[-1])
        # Noise is what a test for a plateau measures by; in a smoothed loss there is none left.
        if room.is_plateau(room.losses):
            said.add("plateau")
        if room.early_stop.update(loss, val_loss, room.optimizer.params):
            said.add("overfit")
    return said


# %% sign="of nine incidents, those reported" below=8
def sign(seed):
    said = run_the_night(watch_step, hang_instruments(globals())[0], seed)[0]
    return sum(caught_incidents(said)[0].values())
