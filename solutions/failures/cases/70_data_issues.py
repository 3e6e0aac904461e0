# %% [markdown]
# ## Part 7 · Data issues that look like model issues
#
# **What one sees.** The document lists four, each under the name of its cause: *Loss very spiky*; *Suspiciously good
# performance*; *Train/validation gap*; *OOV tokens, wrong vocab* (out of vocabulary: words that the tokenizer does not know). As
# you meet them they look like a learning rate that is too high, a triumph, a model that is too large, and a service with bad
# luck.
#
# **What it can be.** The order of the rows, labels that have found a way into the inputs, preprocessing that differs between the
# *doors* by which rows come in (training, validation, service), ids that no longer mean what they meant. In none of them is a
# line of the model wrong, and every change of the model moves the curves a little. So the experiments of this part change the
# *data* and leave the model alone.

# %% scene="data-issues"
def same_door(x):
    """Rows come to the network as they come to the training."""
    return x


def turned_door(x):
    """A service whose export writes the columns in another order: each is one place too far to the right."""
    return np.roll(x, 1, axis=1)


def issue_data(issue, rng):
    """Rows and labels of three classes by name, "train", "validation" and "work", and the code before the network at work.

    issue: "none", "order" (rows sorted by class), "leak" (column 9 was filled in from the label, and at work is not), "gap"
    (validation rows come in other units) or "moved" (the service turns the columns).
    """
    centres = rng.normal(size=(3, 10))
    data = {}
    for name, rows in (("train", 600), ("validation", 200), ("work", 200)):
        y = rng.integers(0, 3, rows)
        y = np.sort(y) if issue == "order" and name == "train" else y
        x = centres[y] + rng.normal(size=(rows, 10))
        if issue == "leak":
            x = 0.4 * x
            x[:, 9] = rng.normal(1, 1, rows) if name == "work" else y + rng.normal(0, 0.1, rows)
        if issue == "gap" and name != "train":
            x = x * np.geomspace(0.2, 5, 10) + 2
        data[name] = x, y
    return data, turned_door if issue == "moved" else same_door


def issue_net(data, seed, epochs=4, lr=0.1):
    """Train on data["train"], in order where it is sorted. Yields after each step the network and the History of its loss."""
    x, y = data["train"]
    rng = np.random.default_rng(seed)
    is_sorted = np.all(np.diff(y) >= 0)
    steps = [np.arange(at, min(at + 16, len(y))) for at in range(0, len(y), 16)] * epochs
    steps = steps if is_sorted else list(batches(rng, len(y), 16, epochs))
    net = MLP((10, 32, 3), rng)
    history = History()
    for rows in steps:
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        history.log(loss=loss)
        net.params = descend(net.params, grads, lr)
        yield net, history


def issue_run(issue, seed):
    """The network, its History of loss, val_loss and work_loss, the data, and the door, for one issue."""
    data, door = issue_data(issue, np.random.default_rng(seed))
    for net, history in issue_net(data, seed):
        x, y = data["work"]
        history.log(val_loss=net.loss(*data["validation"]), work_loss=net.loss(door(x), y))
    return net, history, data, door


def issue_panel(issue, seed, *names):
    """The curves of a run, for thumbnails."""
    words = {"loss": "training", "val_loss": "validation", "work_loss": "at work"}
    history = issue_run(issue, seed)[1]
    return {words[name]: history[name] for name in names}, "loss (nats)"


def likeness_of_epochs(losses, length=38):
    """The correlation of each epoch's losses with the next one's, on average."""
    epochs = np.reshape(losses, (-1, length))[1:]
    return np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(epochs, epochs[1:])])


def shuffled_score(data, seed, count=3):
    """The validation accuracy of networks trained and judged on labels in a random order."""
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(count):
        mixed = {name: (x, rng.permutation(y)) for name, (x, y) in data.items()}
        *_, (net, _) = issue_net(mixed, seed, epochs=2)
        scores.append(net.accuracy(*mixed["validation"]))
    return np.mean(scores)


# %% run="data-issues" part="signs"
thumbnails(
    {
        "very spiky": issue_panel("order", 0, "loss"),
        "suspiciously good, until it goes to work": issue_panel("leak", 0, "val_loss", "work_loss"),
        "a gap": issue_panel("gap", 0, "loss", "val_loss"),
        "good, until it goes to work": issue_panel("moved", 0, "val_loss", "work_loss"),
    },
    "Four runs of one network at one learning rate. Nothing is wrong with the network.",
)

# %% [markdown]
# **The way through.** Ask in this order; each question costs more than the one before.
#
# 1. *Does the loss go the same way through every epoch?* Read it off the log. If so, look at the labels of three batches:
#    case 7.1. If it is spiky and does not repeat, it is the steps: cases 1.6 and 2.4.
# 2. *Does each row give the same numbers at each door?* Send training rows, a few at a time, through the code before the
#    validation and the code of the service. If they do worse there, it is the door: case 7.3. Where rows are texts,
#    verify the ids first: case 7.4.
# 3. *What does the pipeline score if there is nothing to learn?* Put the labels in a random order and run all of it. If it
#    scores above chance, it leaks: case 7.2.
# 4. *Does the network do as well on rows that came later?* This costs new labels. If it does not, and the doors are alike,
#    a column was made from the label: case 7.2 again. Or the source has changed, which is no leak.
# 5. If all four acquit the data, it is the model: parts 5 and 6.
#
# **One diagnosis, worked.** A network does well on validation rows and badly at work. It might be a leaking column;
# that was the first guess in the team. It might be the service. The questions, in their order:

# %% run="data-issues" part="worked"
ill_net, ill_log, ill_data, ill_door = issue_run("moved", seed=1)
x_issue, y_issue = ill_data["train"]
x_work, y_work = ill_data["work"]
seen, at_work = ill_net.accuracy(*ill_data["validation"]), ill_net.accuracy(ill_door(x_work), y_work)
print(f"Right on validation rows: {seen:.2f}, at work: {at_work:.2f}.")
repeats = "yes" if likeness_of_epochs(ill_log["loss"]) > 0.5 else "no"
print(f"1. Does the loss repeat with the epoch? {repeats}.")
own, other = (ill_net.accuracy(door(x_issue), y_issue) for door in (same_door, ill_door))
print(f"2. Right on training rows, by the training's door: {own:.2f}, by the service's door: {other:.2f}.")
print(f"3. Right on validation rows, labels in a random order: {shuffled_score(ill_data, seed=1):.1f}, where chance is 0.3.")
vitals(
    before=ill_log,
    now=issue_run("none", seed=1)[1],
    signs={"val_loss": "validation loss (nats)", "work_loss": "loss at work (nats)"},
    labels=("ill", "mended"),
    caption="One training run, and the loss of its network at work, before and after the service was mended.",
)

# %% [markdown]
# **What was found.** The second question settles it. The *training* rows, which the network knows, are lost when they
# come in by the service's door, so no row of the data is to blame. The export writes its columns in another order, and
# each number meets weights that were fitted to its neighbour. The validation curve is the same before and after:
# nothing in the training was wrong, and no longer training could have helped.
#
# **What would have told its twin.** With a column made from the label, training rows do well by both doors, because the label is
# still in them: 0.97 to 1.00 by either, over ten seeds. At work it is 0.66 to 0.85. With the turned columns it is 0.92 to 0.99 by
# one door and 0.04 to 0.49 by the other. The third question passes the column too, and only the fourth shows it. That is why the
# second is asked first. It needs no labels that one does not have, and it takes a minute.
