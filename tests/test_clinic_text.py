"""The text of the cases: a tokenizer that keeps what it knows, and sentences that come from the generator alone."""

import numpy as np
from clinic import Tokenizer, bag_of_words, sentences, vocabulary_of
from clinic.text import BAD, GOOD, plain


def test_what_is_known_survives_the_round_trip():
    texts, _ = sentences(np.random.default_rng(0), 50)
    tokenizer = Tokenizer(vocabulary_of(texts))
    for text in texts:
        assert tokenizer.decode(tokenizer.encode(text)) == " ".join(plain(word) for word in text.split())
    for number, word in enumerate(tokenizer.vocabulary):
        assert tokenizer.encode(word) == [number] and tokenizer.decode([number]) == word


def test_ids_are_places_in_the_vocabulary_and_unknown_words_get_zero():
    tokenizer = Tokenizer(["<unk>", "<pad>", "a", "b"])
    assert tokenizer.encode("b A c, <pad> B!") == [3, 2, 0, 1, 3]
    assert tokenizer.decode([3, 0, 2]) == "b <unk> a"
    assert tokenizer.encode("") == [] and tokenizer.decode([]) == ""


def test_normalise_is_what_is_passed():
    assert Tokenizer(["<unk>", "<pad>", "a"], normalise=str).encode("a A a.") == [2, 0, 0]


def test_a_vocabulary_has_each_word_once_after_the_special_tokens():
    assert vocabulary_of(["b A", "a. <pad> C!"]) == ["<unk>", "<pad>", "a", "b", "c"]


def test_sentences_come_from_the_generator_alone():
    first, again, other = (sentences(np.random.default_rng(seed), 20) for seed in (1, 1, 2))
    assert first[0] == again[0] and np.array_equal(first[1], again[1]) and first[0] != other[0]


def test_the_telling_words_of_a_sentence_agree_with_its_label():
    texts, labels = sentences(np.random.default_rng(3), 100, words=9, telling=2)
    for text, label in zip(texts, labels):
        words = [plain(word) for word in text.split()]
        assert len(words) == 9
        assert (sum(word in GOOD for word in words), sum(word in BAD for word in words)) == ((2, 0) if label else (0, 2))
    assert set(labels.tolist()) == {0, 1}


def test_a_bag_of_words_counts():
    np.testing.assert_array_equal(bag_of_words([[1, 1, 3], []], 4), [[0, 2, 0, 1], [0, 0, 0, 0]])
