# %% [markdown]
# ## Case 7.4 · Not one unknown word, and complaints every day
#
# About 20 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** A network that tells praise from blame was right in every sentence of its validation set. Since it
# went into service there are complaints every day. The usual check was made there: which share of the words does the
# tokenizer not know? None. So the tokenizer was declared healthy, and the network is being trained anew.
#
# **After this case you can** verify a tokenizer against the vocabulary that the weights were trained with, by four
# probes that cost no training, and say of each what it cannot see.
#
# Case 7.3 asks that a row become the same numbers at every door. A word becomes a number that measures nothing, so a wrong
# one looks as good as any other: no mean moves, and no range is left.
#
# ### The code

# %% fix="data-tokenizer"
def verify_tokenizer(encode, decode, vocabulary, texts):
    """Probe a tokenizer against the vocabulary that a network was trained with.

    encode(text) returns a list of ids, one for each word of the text; white space tells words
    apart. decode(ids) returns the words, joined by single spaces. On a word of the vocabulary
    either may raise IndexError or KeyError, and encode may return more or fewer ids than one.
    vocabulary: list of words; vocabulary[i] is the word that id i meant in training.
    vocabulary[0] is "<unk>", the id of all unknown words, vocabulary[1] is "<pad>"; the other
    entries are the ordinary words. texts: sentences as users write them, none of them empty.
    Returns a dict of four shares, each from 0 to 1, all of them 0 for a healthy tokenizer.
    Graded (to 1e-6):
    "unknown"     of all ids of all texts together: those that are 0.
    "wrong id"    of the ordinary words: those that encode turns into anything else than a list of
                  one id, their place in the vocabulary. Errors count as wrong.
    "round trip"  of the ordinary words: those that do not come back, as the same string, from
                  decode(encode(word)). Errors count as not come back.
    "special"     of the two special tokens: those that encode does not turn into a list of
                  their one id.
    """
    ### BEGIN BROKEN
    # ids = [number for text in texts for number in encode(text)]
    # unknown = np.mean(np.array(ids) == 0)
    # return {"unknown": unknown, "wrong id": 0.0, "round trip": 0.0, "special": 0.0}
    ### END BROKEN
    ### BEGIN SOLUTION

    def tried(function, *arguments):
        try:
            return function(*arguments)
        except (IndexError, KeyError):
            return None

    def is_own_id(number):
        ids = tried(encode, vocabulary[number])
        return ids is not None and list(ids) == [number]

    def comes_back(word):
        ids = tried(encode, word)
        return ids is not None and tried(decode, ids) == word

    # Weights know ids, not words: what counts is that an id means what it meant in training.
    ids = [number for text in texts for number in encode(text)]
    ordinary = range(2, len(vocabulary))
    return {
        "unknown": float(np.mean(np.array(ids) == 0)),
        "wrong id": float(np.mean([not is_own_id(number) for number in ordinary])),
        "round trip": float(np.mean([not comes_back(vocabulary[number]) for number in ordinary])),
        "special": float(np.mean([not is_own_id(number) for number in (0, 1)])),
    }
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** In the service one entry was added to the tokenizer's list, in third place, after the special
# tokens. Every ordinary word now has an id that is one too high, and every word is still known. In what share of the sentences is
# the network right? By chance it would be 0.5. Write your guess as `my_guess`; it is the dotted line in the left panel.


# %% scene="data-tokenizer"
def tokenizers_at_work(vocabulary):
    """(encode, decode) of five tokenizers by name: the one of the training, and four that a service might run."""
    trained = Tokenizer(vocabulary)
    longer = Tokenizer([*vocabulary[:2], "<new>", *vocabulary[2:]])
    as_written = Tokenizer(vocabulary, normalise=str)
    bare = Tokenizer(vocabulary, normalise=lambda word: "".join(letter for letter in word.lower() if letter.isalpha()))
    backwards = Tokenizer([*vocabulary[:2], *vocabulary[:1:-1]])
    return {
        "as in training": (trained.encode, trained.decode),
        "an entry added": (longer.encode, longer.decode),
        "words as written": (as_written.encode, as_written.decode),
        "letters only": (bare.encode, bare.decode),
        "another list decodes": (trained.encode, backwards.decode),
    }


def served_sentences(seed, rows=400, length=16):
    """A network trained on padded sentences, and its accuracy on new ones with each tokenizer; vocabulary, new texts."""
    rng = np.random.default_rng(seed)
    (texts, y), (texts_new, y_new) = sentences(rng, rows), sentences(rng, rows)
    vocabulary = vocabulary_of(texts)
    size = len(vocabulary) + 1  # one id to spare

    def counts(encode, texts):
        padding = [" <pad>" * (length - len(text.split())) for text in texts]
        return bag_of_words([encode(text + pad) for text, pad in zip(texts, padding)], size)

    trained = Tokenizer(vocabulary)
    x = counts(trained.encode, texts)
    net = MLP((size, 32, 2), rng)
    steps = batches(rng, rows, 32, epochs=30)
    train(net, lambda: (lambda rows: (x[rows], y[rows]))(next(steps)), steps=300, lr=0.1)
    right = {name: net.accuracy(counts(encode, texts_new), y_new) for name, (encode, _) in tokenizers_at_work(vocabulary).items()}
    return right, vocabulary, texts_new


def show_tokenizers(before, now, seed, my_guess):
    """The accuracy with each tokenizer, and what two verifiers report of it."""
    right, vocabulary, texts = served_sentences(seed)
    pairs = tokenizers_at_work(vocabulary)
    reports = [{name: verify(*pair, vocabulary, texts) for name, pair in pairs.items()} for verify in (before, now)]
    probes = ("unknown", "wrong id", "round trip", "special")
    fig, (left, table) = figure(2, height=3.4, width_ratios=[1, 1.7])
    places = np.arange(len(pairs))[::-1]
    left.barh(places, list(right.values()), height=0.55, color="#e6e6e6", edgecolor="#888888", linewidth=0.8)
    left.axvline(my_guess, color="#444444", linestyle=":", linewidth=2)
    left.annotate("your guess", (my_guess, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize="small")
    left.set_yticks(places, list(pairs), fontsize="small")
    left.set(xlim=(0, 1.02), xlabel="accuracy of the network")
    for place, name in zip(places, pairs):
        for column, probe in enumerate(probes):
            for report, look, height in zip(reports, (BROKEN, MENDED), (0.18, -0.18)):
                share = float(report[name][probe])
                weight = "bold" if share > 0 else "normal"
                table.text(column, place + height, f"{share:.0%}", color=look["color"], weight=weight, ha="center", va="center")
    table.set_xticks(range(4), probes)
    table.set_yticks(places, [])
    table.set(xlim=(-0.6, 3.6), ylim=(-0.5, 4.5), xlabel="upper: as complained about; lower: your code")
    table.grid(False)
    for edge in places[:-1] - 0.5:
        table.axhline(edge, color="#888888", linewidth=0.5)
    shares = {name: ", ".join(f"{p} {reports[0][name][p]:.0%} and {reports[1][name][p]:.0%}" for p in probes) for name in pairs}
    told = "; ".join(f"{name}: accuracy {right[name]:.2f}, {shares[name]}" for name in pairs)
    show(
        fig,
        "Left: one network with five tokenizers. Right: the four shares that are reported of each, bold where above zero.",
        f"For each tokenizer the accuracy, and each share as reported before and now. {told}. Your guess: {my_guess:.2f}.",
    )
    print(f"With an entry added the network is right in {right['an entry added']:.2f} of the sentences. You said {my_guess:.2f}.")


# %% run="data-tokenizer" atlas="1 2"
my_guess = 0.9  # share of sentences judged rightly when every ordinary id is one too high

show_tokenizers(before=broken.verify_tokenizer, now=verify_tokenizer, seed=0, my_guess=my_guess)

# %% check="data-tokenizer" points=6
PROBES = ("unknown", "wrong id", "round trip", "special")


def told_beforehand(encode, texts):
    """`encode`, with what it makes of each of the texts on which it raises nothing."""

    def told(text):
        return encode(text)

    told.foreseen = []
    for text in dict.fromkeys(texts):
        try:
            encode(text)
        except KeyError:
            continue
        told.foreseen.append((text,))
    return told


def check_report(what, pair, vocabulary, texts, want, turns=None):
    """verify_tokenizer reports the four shares `want`. turns: by probe, for a wrong share what leads to it, in words."""
    call = f"verify_tokenizer(encode, decode, vocabulary, texts): {what}"
    kept = list(vocabulary), list(texts)
    encode, decode = pair
    report = verify_tokenizer(told_beforehand(encode, [*vocabulary, *texts]), decode, *kept)
    check.that(
        isinstance(report, dict) and set(report) == set(PROBES),
        what=f"the report is a dict with {', '.join(map(repr, PROBES))}",
        call=call,
        got=report,
    )
    check.that(kept == (list(vocabulary), list(texts)), what="vocabulary and texts stay as they are", call=call)
    for probe, share in zip(PROBES, want):
        check.close(
            report[probe],
            share,
            rtol=1e-6,
            atol=1e-6,
            what=f"{what}: {probe!r} is {share:.3g}",
            call=call,
            turns={
                **(turns or {}).get(probe, {}),
                "the share of what is right is reported, and not of what is wrong": 1 - share,
            },
        )


def check_verifier(words, texts, unknown):
    """Each fault, in a tokenizer of the ordinary `words`. texts: sentences of different lengths; unknown: how many ids are 0.

    The words are in small letters; in `texts` a part of them is not, and none is special.
    """
    vocabulary = ["<unk>", "<pad>", *words]
    n, total = len(words), sum(len(text.split()) for text in texts)
    low = Tokenizer(vocabulary)
    written = Tokenizer(vocabulary, normalise=str)
    zeros = sum(word not in vocabulary for text in texts for word in text.split())
    per_text = np.mean([np.mean(np.array(low.encode(text)) == 0) for text in texts])
    distinct = {word for text in texts for word in text.split()}
    lows = {
        "the share is taken in each text, and then the mean over the texts": per_text,
        "different words are counted, and not how often they come": np.mean([low.encode(word) == [0] for word in distinct]),
        "the number of unknown ids is not divided": unknown,
    }
    check_report(
        "the tokenizer of the training",
        (low.encode, low.decode),
        vocabulary,
        texts,
        [unknown / total, 0, 0, 0],
        {"unknown": lows},
    )
    check_report(
        "a tokenizer that leaves words as they are written",
        (written.encode, written.decode),
        vocabulary,
        texts,
        [zeros / total, 0, 0, 0],
        {
            "unknown": {
                "the words are put in small letters by the verifier: the tokenizer does not": unknown / total,
            }
        },
    )
    longer = Tokenizer([*vocabulary[:2], "<new>", *words])
    check_report(
        "an entry is added after the special tokens, to encoder and decoder alike",
        (longer.encode, longer.decode),
        vocabulary,
        texts,
        [unknown / total, 1, 0, 0],
        {
            "wrong id": {
                "the share of unknown words, or a round trip, is trusted: both know all words here, under other ids than "
                "the weights": 0.0,
                "special tokens are among the words": n / (n + 2),
            },
            "round trip": {"ids are decoded by the vocabulary of the training: that is the second probe, and not the third": 1.0},
        },
    )
    half = n // 2
    cut = Tokenizer(vocabulary[: 2 + half])
    cut_unknown = sum(number == 0 for text in texts for number in cut.encode(text))
    check_report(
        "the list of the tokenizer ends after half of the words",
        (cut.encode, cut.decode),
        vocabulary,
        texts,
        [cut_unknown / total, (n - half) / n, (n - half) / n, 0],
        {
            "wrong id": {
                "the words are counted up to the end of the shorter list": 0.0,
                "it is asked whether all are right, not how many": 1.0,
            }
        },
    )
    turned = Tokenizer([*vocabulary[:2], *words[::-1]])
    middle = n % 2
    check_report(
        "another list decodes",
        (low.encode, turned.decode),
        vocabulary,
        texts,
        [unknown / total, 0, (n - middle) / n, 0],
        {"round trip": {"ids are compared, and decode is not called, or only how many words come back": 0.0}},
    )
    bare = Tokenizer(vocabulary, normalise=lambda word: word.lower().strip(".,!<>"))
    bare_unknown = sum(number == 0 for text in texts for number in bare.encode(text))
    check_report(
        "a tokenizer that strips brackets: '<pad>' is not found, and '<unk>' gets its 0 as any stranger does",
        (bare.encode, bare.decode),
        vocabulary,
        texts,
        [bare_unknown / total, 0, 0, 0.5],
        {
            "special": {
                "special tokens are not asked, or only whether they stand in the list": 0.0,
                "it is asked whether all are right, not how many": 1.0,
            }
        },
    )

    def splitting(text):
        return [number for word in text.split() for number in (low.encode(word) * 2 if word == words[0] else low.encode(word))]

    def strict(text):
        numbers = low.encode(text)
        if words[1] in text.split():
            raise KeyError(words[1])
        return numbers

    check_report(
        "a word in two pieces: encode gives two ids for it",
        (splitting, low.decode),
        vocabulary,
        [words[1], words[2]],
        [0, 1 / n, 1 / n, 0],
        {
            "wrong id": {"only the first id is looked at": 0.0},
            "round trip": {"only the first word that comes back is looked at": 0.0},
        },
    )
    check_report(
        "encode raises KeyError on one of the words",
        (strict, low.decode),
        vocabulary,
        [words[0], words[2]],
        [0, 1 / n, 1 / n, 0],
        {"wrong id": {"a word that raises is left out": 0.0}},
    )

    def short(ids):
        return " ".join(vocabulary[:-1][number] for number in ids)

    check_report(
        "decode raises IndexError on the last word",
        (low.encode, short),
        vocabulary,
        [words[0], words[2]],
        [0, 0, 1 / n, 0],
        {"round trip": {"a word that raises is left out": 0.0}},
    )


def check_tokenizer():
    words = ["bad", "boring", "film", "fine", "good", "is", "this"]
    check_verifier(words, ["This film is good", "Film is FINE!", "boring sequel"], 1)


check.run(check_tokenizer)


### BEGIN HIDDEN TESTS
def check_tokenizer_elsewhere():
    rng = check.hidden_rng(74)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    words = ["".join(rng.choice(letters, rng.integers(2, 8))) + str(number) for number in range(rng.integers(12, 21))]
    texts = [" ".join(word.upper() if rng.random() < 0.4 else word for word in rng.choice(words, n)) for n in range(1, 13)]
    # A number alone is none of the words.
    strangers = [" ".join(rng.choice(["1", "22", "333"], n)) for n in rng.integers(1, 5, 3)]
    texts = [str(text) for text in rng.permutation(texts + strangers)]
    check_verifier(words, texts, sum(len(text.split()) for text in strangers))


check.run(check_tokenizer_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Take one word. Print its id in the service. Then print what stands in the training vocabulary at that id.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# A share of unknown words asks whether a word has *an* id. The rows of the network's first weight matrix are numbered,
# and each belongs to the word that had the number in training. A tokenizer that is at one with itself can still be at
# odds with the weights.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Go through the vocabulary with its numbers. Encode each word by itself and compare the whole list with the one number
# that it should hold. Decode the result and compare the string. Do it for the two special tokens apart. Let an error
# count as a failure of that word alone.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Tokenization issues: OOV tokens, wrong vocab. Fix: Verify tokenizer config.*
#
# Let $e_s$ and $d_s$ encode and decode in the service, and $v_i$ be the word of id $i$ in training. The row $i$ of the
# first layer's weights was fitted to $v_i$, so the demand is
#
# $$e_s(v_i)=[\,i\,]\quad\text{and}\quad d_s([\,i\,])=v_i\qquad\text{for every }i.$$
#
# A share of unknown words near zero says that $e_s(w)\ne[0]$ for the words $w$ that users write. A round trip says that
# $d_s$ undoes $e_s$. Each can hold without the demand.
#
# Over 20 seeds, the network being right in all of its new sentences with the tokenizer of the training:
#
# | in the service | accuracy | the probe that sees it |
# | --- | --- | --- |
# | an entry added | 0.37 to 0.52 | wrong id, 100 % |
# | words as written | 0.55 to 0.94 | unknown, 53 to 56 % |
# | letters only | 0.82 to 1.00 | special, one of the two |
# | another list decodes | 1.00 | round trip, 100 % |
#
# Each is seen by one probe and passed by the other three. In the last row the network is well; what is ill is every
# text that you read to find out why.
#
# **The cheapest experiment** is the one with no data: encode the vocabulary and compare with 0, 1, 2 and so on. It
# takes a second, and a checksum of the list, kept beside the weights, takes less. It cannot see what the vocabulary
# does not show, since its words are normalised already: capitals, punctuation, special tokens. For these you need texts
# as users write them, and the special tokens one by one.
#
# **When the advice misleads.** "OOV tokens", words outside the vocabulary, are the symptom that is easy to count, and no measure
# of the harm. With half of all words unknown the network keeps 0.55 to 0.94; with none unknown and the ids moved by one it is at
# chance. "Verify tokenizer config" compares settings. An entry in the list is no setting, and two lists of one length with other
# contents have equal settings. And a share above zero is not an illness by itself: new words come. What counts is whether it was
# the same on the validation set. That unknown words are rare in tokenizers of word pieces (Sennrich et al. 2016, arXiv
# 1508.07909) makes the first probe blinder: almost nothing is ever unknown, and ids can still be wrong.
#
# **In PyTorch** save the tokenizer with the checkpoint and load both from there. An `nn.Embedding` tells only of ids at
# or above its `num_embeddings`, by an IndexError on a CPU and by an assertion on a graphics card. An id that is
# one too high is just another row.
#
# </details>
