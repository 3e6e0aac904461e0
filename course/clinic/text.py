"""Text that is made, not downloaded: labelled sentences from a generator, a tokenizer to be read in a minute, and word counts."""

import numpy as np

UNKNOWN, PAD = "<unk>", "<pad>"
SPECIAL = (UNKNOWN, PAD)  # the first entries of every vocabulary
GOOD = tuple("good great fine nice lovely superb happy brilliant".split())
BAD = tuple("bad awful poor sad hateful worst boring ugly".split())
NEUTRAL = tuple(
    a + b for a in ("ba", "ce", "di", "fo", "gu", "la", "me", "ni") for b in ("bo", "da", "fe", "gi", "lu", "ma", "ne", "ri")
)


def plain(word):
    """`word` in small letters, without punctuation at its ends. Angle brackets stay: special tokens have them."""
    return word.lower().strip(".,;:!?")


def sentences(rng, count, words=12, telling=3):
    """`count` sentences, half of their words' first letters large, each with a mark at its end.

    telling: how many of the `words` words are from GOOD (label 1) or from BAD (label 0); the others are from NEUTRAL.
    Returns a list of strings and the labels, int array (count,).
    """
    labels = rng.integers(0, 2, count)
    texts = []
    for label in labels:
        chosen = [*rng.choice(GOOD if label else BAD, telling), *rng.choice(NEUTRAL, words - telling)]
        is_large = rng.random(words) < 0.5
        written = [str(chosen[place]).capitalize() if is_large[place] else str(chosen[place]) for place in rng.permutation(words)]
        texts.append(" ".join(written) + str(rng.choice(["!", "."])))
    return texts, labels


def vocabulary_of(texts, normalise=plain):
    """The special tokens, then every normalised word of `texts` once, in alphabetical order."""
    return [*SPECIAL, *sorted({normalise(word) for text in texts for word in text.split()} - set(SPECIAL))]


class Tokenizer:
    """Words to ids and back: the id of a word is its place in `vocabulary`, and 0 that of a word which is not there.

    vocabulary: a list of words without repetition. normalise: what is done to each word of a text before it is looked up.
    """

    def __init__(self, vocabulary, normalise=plain):
        self.vocabulary = list(vocabulary)
        self.normalise = normalise
        self.ids = {word: number for number, word in enumerate(self.vocabulary)}

    def encode(self, text):
        """The ids of the words of `text`, which are told apart by white space: a list of int."""
        return [self.ids.get(self.normalise(word), 0) for word in text.split()]

    def decode(self, ids):
        """The words of `ids`, joined by single spaces."""
        return " ".join(self.vocabulary[number] for number in ids)


def bag_of_words(lists_of_ids, size):
    """How often each id stands in each list: float array (lists, size). Every id is below `size`, the vocabulary's length."""
    return np.array([np.bincount(np.array(ids, dtype=int), minlength=size) for ids in lists_of_ids], dtype=float)
