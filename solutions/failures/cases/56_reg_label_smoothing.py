# %% [markdown]
# ## Case 5.6 · All rows right, and a loss worse than guessing
#
# About 15 minutes · difficulty 3 of 5 · 5 points
#
# **The complaint.** Labels were smoothed by 0.1 against overfitting, and the targets written by hand. After 200 steps
# the network has every one of its 150 training rows right, and its training loss stays at 3.3. Guessing among the ten
# classes has 2.3. The validation loss is worse still, so the smoothing was given up. A colleague, with smoothing of the
# right kind, complains that his training loss "does not go to zero either", and doubles the size of his network.
#
# **After this case you can** write smoothed targets, say from two numbers where the training loss has to end, and read
# a validation loss that can be compared with that of other runs.
#
# ### The code

# %% fix="reg-label-smoothing"
def smooth_targets(labels, classes, eps, training):
    """The targets of a classifier with smoothed labels, and how low a loss can go with them.

    labels: int array (n,), each from 0 to classes - 1. eps: from 0 to 0.5, the share that is
    taken from the label and handed out evenly to all classes, the label's own among them.
    training: False in evaluation.
    Returns (targets, floor). targets: float array (n, classes), for each row the shares of the
    classes. floor: the smallest loss, in nats, that any network can have on them; the loss is
    the mean over the rows of -sum(target * log(p)) over the classes, and p is what softmax gives.
    Graded: targets and floor, for any n, 2 to 1000 classes, and any such eps. Each row sums to 1.
    In evaluation nothing is smoothed, and the floor is 0. floor is graded to 1e-4.
    """
    ### BEGIN BROKEN
    # targets = np.full((len(labels), classes), eps)
    # targets[np.arange(len(labels)), labels] = 1 - eps
    # return targets, 0.0
    ### END BROKEN
    ### BEGIN SOLUTION
    one_hot = np.eye(classes)[labels]
    if not training:
        return one_hot, 0.0
    # A cross-entropy is smallest where p is the target itself; then it is the target's entropy.
    shares = np.full(classes, eps / classes)
    shares[0] += 1 - eps
    shares = shares[shares > 0]
    return (1 - eps) * one_hot + eps / classes, -np.sum(shares * np.log(shares))
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Ten classes, labels smoothed by 0.1 in the right way, a network large enough to learn
# all rows by heart. How low can its training loss go? Write your guess as `my_guess`: it is the dotted line in the left
# panel. Below the figure gradient descent answers it: it looks for the ten probabilities that fit one such row best.


# %% scene="reg-label-smoothing"
def overlapping(seed, rows=150, classes=10, features=20):
    """Clouds around ten centres that overlap: x, y to train on, x, y to validate on, and the generator."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 0.5, (classes, features))
    sets = []
    for count in (rows, 1000):
        y = np.arange(count) % classes
        sets += [centres[y] + rng.normal(size=(count, features)), y]
    return *sets, rng


def smoothed_run(targets_of, seed, eps=0.1, steps=200, lr=0.5):
    """Train MLP(20, 64, 10) on the targets of `targets_of`. Returns the History and the network's accuracy on new rows.

    "loss" is that on the training targets; "val_loss" that on new rows, by the evaluation targets.
    """
    x, y, val_x, val_y, rng = overlapping(seed)
    net = MLP((20, 64, 10), rng)
    targets, val_targets = (
        np.array(targets_of(labels, 10, eps, training)[0]) for labels, training in ((y, True), (val_y, False))
    )
    history = train(net, lambda: (x, targets), steps, lr, validation=(val_x, val_targets))
    return history, net.accuracy(val_x, val_y)


def lowest_by_descent(targets, steps=1000, lr=2.0):
    """The loss of one row, in nats, when descent may choose its logits freely: no network can be lower."""
    logits = np.zeros((1, len(targets)))
    for _ in range(steps):
        loss, delta = cross_entropy(logits, np.array([targets]))
        logits = logits - lr * delta
    return loss


# %% run="reg-label-smoothing"
my_guess = 0.0  # the smallest training loss with ten classes and eps = 0.1, in nats

vitals(
    before=smoothed_run(broken.smooth_targets, seed=0)[0],
    now=smoothed_run(smooth_targets, seed=0)[0],
    signs={"loss": "training loss (nats)", "val_loss": "validation loss (nats)"},
    guess={"loss": my_guess},
    caption="Ten overlapping classes, 150 rows, labels smoothed by 0.1.",
)
lowest = lowest_by_descent([0.91] + 9 * [0.01])
floor = float(smooth_targets(np.arange(10), 10, 0.1, True)[1])
print(f"Descent on one row finds {lowest:.4f} nats. You guessed {my_guess:.4f}. Your code's floor: {floor:.4f}.")
for eps in (0.0, 0.1):
    runs = [smoothed_run(smooth_targets, seed, eps) for seed in range(4)]
    val_loss, accuracy = np.mean([[history["val_loss"][-1], accuracy] for history, accuracy in runs], axis=0)
    print(f"Your code, eps = {eps}: validation loss {val_loss:.2f}, accuracy {accuracy:.1%} (means of 4 seeds)")


# %% check="reg-label-smoothing" points=5
def targets_and_floor(labels, classes, eps, training, call):
    pair = smooth_targets(labels.copy(), classes, eps, training)
    is_pair = isinstance(pair, (tuple, list)) and len(pair) == 2
    check.that(is_pair, what="what is returned is a pair: targets, and floor", call=call, got=pair)
    return pair


def check_smoothed(labels, classes, eps):
    labels = np.array(labels)
    shown = labels.tolist() if len(labels) < 6 else f"{len(labels)} labels"
    call = f"smooth_targets({shown}, classes={classes}, eps={eps}, training=True)"
    is_label = np.arange(classes) == labels[:, None]
    rest = eps / (classes - 1)
    # Written in both forms: at two classes, or at eps = 0, some wrong turns are the same.
    check.close(
        targets_and_floor(labels, classes, eps, True, call)[0],
        np.where(is_label, 1 - eps + eps / classes, eps / classes),
        rtol=1e-5,
        what="eps is handed out evenly to all classes, the label's own among them",
        call=call,
        turns={
            "each other class gets the whole of eps: the row sums to more than 1": np.where(is_label, 1 - eps, eps),
            "eps is handed out to the other classes only: another convention than the one asked for": np.where(
                is_label, 1 - eps, rest
            ),
            "the label keeps all of its 1 and the others get something on top": np.where(is_label, 1.0, eps / classes),
            "the label keeps 1 - eps and its own share of eps is forgotten: the row sums to less than 1": np.where(
                is_label, 1 - eps, eps / classes
            ),
            "eps is what the label keeps": np.where(is_label, eps + (1 - eps) / classes, (1 - eps) / classes),
            "nothing is smoothed in training": is_label,
            "eps is not divided among the classes": is_label * (1 - eps) + eps,
        },
    )
    in_evaluation = call.replace("True", "False")
    targets, floor = targets_and_floor(labels, classes, eps, False, in_evaluation)
    check.close(
        targets,
        is_label,
        rtol=1e-6,
        what="in evaluation nothing is smoothed, so that losses of different runs can be compared",
        call=in_evaluation,
        turns={
            "evaluation is smoothed as well": np.where(is_label, 1 - eps + eps / classes, eps / classes),
            "evaluation is smoothed over the other classes": np.where(is_label, 1 - eps, rest),
        },
    )
    check.close(
        floor,
        0.0,
        atol=1e-6,
        what="in evaluation the floor is 0: all of p may stand at the label",
        call=in_evaluation,
        turns={"0 * log(0) is computed: a share of 0 adds nothing": np.nan},
    )


def check_floor(classes, eps, floor):
    call = f"smooth_targets([0, 1], classes={classes}, eps={eps}, training=True)[1]"
    uniform = np.log(classes)
    top, low, rest = 1 - eps + eps / classes, eps / classes, eps / (classes - 1)
    check.close(
        targets_and_floor(np.arange(2), classes, eps, True, call)[1],
        floor,
        rtol=1e-4,
        atol=1e-6,
        what="the smallest loss is the one where the network gives exactly the targets",
        call=call,
        turns={
            "a loss is thought to go to zero, whatever its targets: only targets of 0 and 1 allow that": 0.0,
            "only the label's share is counted, and the other classes are left out": -top * np.log(top),
            "the share of the label is left out of the sum's weights": -np.log(top),
            "the floor of the other convention is given, with eps handed out to the other classes": -(1 - eps) * np.log(1 - eps)
            - eps * np.log(max(rest, 1e-300)),
            "logarithms to base 2 are taken: the loss is in nats": floor / np.log(2),
            "one of the other classes is counted, and there are classes - 1 of them": -top * np.log(top)
            - low * np.log(max(low, 1e-300)),
            "0 * log(0) is computed: a share of 0 adds nothing": np.nan,
            "the sign is lost": -floor,
            "the sum over the rows stands in place of their mean": 2 * floor,
            "eps times the loss of a guess is taken, which is not the smallest": eps * uniform,
        },
    )


def check_smoothing():
    check_smoothed([2, 0, 9], classes=10, eps=0.1)
    check_smoothed([1, 0, 1, 1], classes=2, eps=0.4)
    check_smoothed([1, 2], classes=3, eps=0.0)
    check_floor(10, 0.1, 0.50029)
    check_floor(2, 0.5, 0.562335)
    check_floor(5, 0.0, 0.0)


check.run(check_smoothing)


### BEGIN HIDDEN TESTS
def check_smoothing_elsewhere():
    rng = check.hidden_rng(56)

    def floor_of(classes, eps):
        """The entropy of one row of the targets."""
        row = np.full(classes, eps / classes)
        row[0] = 1 - eps + eps / classes
        return float(-np.sum(row * np.log(row)))

    for classes, rows in ((int(rng.integers(500, 1001)), 50), (int(rng.integers(3, 9)), 1), (2, int(rng.integers(2, 9)))):
        check_smoothed(rng.integers(0, classes, rows), classes=classes, eps=round(float(rng.uniform(0.05, 0.5)), 3))
    for classes in (3, int(rng.integers(4, 20)), int(rng.integers(50, 200)), int(rng.integers(500, 1001))):
        eps = round(float(rng.uniform(0.05, 0.5)), 3)
        check_floor(classes, eps, floor_of(classes, eps))
    check_floor(2, 0.0, 0.0)


check.run(check_smoothing_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Print `smooth_targets([2], 10, 0.1, True)[0]` and its sum. Then think of the loss that a perfect network would have on
# that row: which probabilities would it have to give?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Shares sum to 1; these sum to 1.8, so the loss is nearly twice a cross-entropy, of other shares. And what is handed
# out in training must not be handed out when the network is judged. As for the floor: a probability cannot be all at
# the label and partly elsewhere.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Mix two distributions, the one-hot row and the even one, with weights that sum to 1. For the floor, put the target
# itself in the place of `p`: one share of the label, and the same small share of each other class.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Overfitting: Regularization techniques. Label smoothing (0.1 typical).*
#
# With $K$ classes, label $y$ and smoothing $\varepsilon$, the target of class $k$ is
#
# $$q_k=(1-\varepsilon)\,[k=y]+\frac{\varepsilon}{K},\qquad
# \min_p\Bigl(-\sum_k q_k\log p_k\Bigr)=-\sum_k q_k\log q_k ,$$
#
# where $[k=y]$ is 1 for the label and 0 otherwise, and $p_k$ is what the network gives (Szegedy et al. 2016, arXiv
# 1512.00567, section 7). The minimum stands at $p=q$ and is the entropy of the target: 0.5003 for $K=10$ and
# $\varepsilon=0.1$. With targets that sum to $S$ it is $S$ times the entropy of $q/S$: for the shares as complained
# about, $S=1.8$ and the floor is 3.23.
#
# So a loss of 3.3, "worse than guessing", says nothing of the network: on those targets no network comes below 3.23. What
# the mistake does to the network is another matter. It learns $q/S$, which is a right smoothing of 0.56, and over 20 seeds
# it is right on 43 % of new rows, against 49 % with 0.1.
#
# And a training loss near 0.5 is the *end* of this training, and no plateau. Nor can a training loss of 0.55 with
# smoothing be held against 0.01 without, or against a validation loss that is not smoothed: compare accuracies, or the
# unsmoothed loss of both.
#
# **When the advice misleads.** It keeps a network from being sure, and that is what the validation loss rewards. Over 20 seeds it
# ends at 1.92 without smoothing and at 1.57 with it (means), lower in all 20. The accuracy does the opposite here: 54.4 %
# without, 49.2 % with, and lower in all 20. On large image data, where the 0.1 comes from, the accuracy rose by 0.2 points
# (Szegedy et al. 2016). On 150 rows of classes that overlap it does not. Decide which of the two you need. And a network trained
# this way makes a worse teacher for distillation (Müller et al. 2019, arXiv 1906.02629).
#
# **In PyTorch** this is `torch.nn.CrossEntropyLoss(label_smoothing=0.1)`, with the convention above. It smooths in `eval()` too,
# of which a loss module knows nothing: make a second one, without smoothing, for the evaluation.
#
# </details>
