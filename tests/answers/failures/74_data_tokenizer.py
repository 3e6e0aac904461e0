# %% right="counters in loops"
def verify_tokenizer(encode, decode, vocabulary, texts):
    unknown = total = 0
    for text in texts:
        for number in encode(text):
            total += 1
            unknown += number == 0
    wrong = lost = 0
    for number, word in enumerate(vocabulary):
        if number < 2:
            continue
        try:
            ids = encode(word)
        except (IndexError, KeyError):
            wrong, lost = wrong + 1, lost + 1
            continue
        wrong += list(ids) != [number]
        try:
            lost += decode(ids) != word
        except (IndexError, KeyError):
            lost += 1
    special = sum(list(encode(vocabulary[number])) != [number] for number in (0, 1))
    n = len(vocabulary) - 2
    return {"unknown": unknown / total, "wrong id": wrong / n, "round trip": lost / n, "special": special / 2}


# %% right="arrays, any exception is a failure"
def verify_tokenizer(encode, decode, vocabulary, texts):
    def holds(probe):
        try:
            return bool(probe())
        except Exception:
            return False

    own = np.array([holds(lambda: tuple(encode(word)) == (i,)) for i, word in enumerate(vocabulary)])
    back = np.array([holds(lambda: decode(encode(word)) == word) for word in vocabulary])
    flat = np.concatenate([encode(text) for text in texts])
    wrong, lost, special = 1 - own[2:].mean(), 1 - back[2:].mean(), 1 - own[:2].mean()
    return {"unknown": np.mean(flat == 0), "wrong id": wrong, "round trip": lost, "special": special}


# %% right="a table of what training meant"
def verify_tokenizer(encode, decode, vocabulary, texts):
    meant = {word: number for number, word in enumerate(vocabulary)}
    special, ordinary = vocabulary[:2], vocabulary[2:]

    def failures(words, fails):
        count = 0
        for word in words:
            try:
                count += fails(word)
            except LookupError:
                count += 1
        return count / len(words)

    ids = sum((list(encode(text)) for text in texts), [])
    return {
        "unknown": ids.count(0) / len(ids),
        "wrong id": failures(ordinary, lambda word: list(encode(word)) != [meant[word]]),
        "round trip": failures(ordinary, lambda word: decode(encode(word)) != word),
        "special": failures(special, lambda word: list(encode(word)) != [meant[word]]),
    }


# %% right="float32 shares, sets of the failed"
def verify_tokenizer(encode, decode, vocabulary, texts):
    bad_ids, bad_trips, bad_special = set(), set(), set()
    for i in range(len(vocabulary)):
        word = vocabulary[i]
        try:
            got = encode(word)
        except (KeyError, IndexError):
            got = []
        if len(got) != 1 or got[0] != i:
            (bad_special if i < 2 else bad_ids).add(word)
        if i >= 2:
            try:
                if decode(got) != word:
                    bad_trips.add(word)
            except (KeyError, IndexError):
                bad_trips.add(word)
    zeros = [number == 0 for text in texts for number in encode(text)]
    n = len(vocabulary) - 2
    return {
        "unknown": np.float32(sum(zeros) / len(zeros)),
        "wrong id": np.float32(len(bad_ids) / n),
        "round trip": np.float32(len(bad_trips) / n),
        "special": np.float32(len(bad_special) / 2),
    }


# %% untouched says="the share of unknown words, or a round trip, is trusted"

# %% emptied says="the report is a dict"


# %% wrong="all healthy" says="'unknown' is"
def verify_tokenizer(encode, decode, vocabulary, texts):
    return {"unknown": 0.0, "wrong id": 0.0, "round trip": 0.0, "special": 0.0}


# %% wrong="words put in small letters first" says="the words are put in small letters by the verifier"
def verify_tokenizer(encode, decode, vocabulary, texts):
    words = [word.lower().strip(".,!?") for text in texts for word in text.split()]
    n = len(vocabulary) - 2
    return {
        "unknown": np.mean([word not in vocabulary for word in words]),
        "wrong id": sum(list(encode(word)) != [i] for i, word in enumerate(vocabulary) if i > 1) / n,
        "round trip": sum(decode(encode(word)) != word for word in vocabulary[2:]) / n,
        "special": sum(list(encode(vocabulary[i])) != [i] for i in (0, 1)) / 2,
    }


# %% wrong="the round trip stands for the ids" says="a round trip, is trusted"
def verify_tokenizer(encode, decode, vocabulary, texts):
    ids = [number for text in texts for number in encode(text)]
    trip = np.mean([decode(encode(word)) != word for word in vocabulary[2:]])
    special = np.mean([decode(encode(word)) != word for word in vocabulary[:2]])
    return {"unknown": np.mean(np.equal(ids, 0)), "wrong id": trip, "round trip": trip, "special": special}


# %% wrong="decoded by the vocabulary of the training" says="ids are decoded by the vocabulary of the training"
def verify_tokenizer(encode, decode, vocabulary, texts):
    ids = [number for text in texts for number in encode(text)]
    wrong = np.mean([list(encode(word)) != [i] for i, word in enumerate(vocabulary) if i > 1])
    spare = [*vocabulary, "?"]
    trip = np.mean([spare[encode(word)[0]] != word for word in vocabulary[2:]])
    special = np.mean([list(encode(vocabulary[i])) != [i] for i in (0, 1)])
    return {"unknown": np.mean(np.equal(ids, 0)), "wrong id": wrong, "round trip": trip, "special": special}


# %% wrong="special tokens counted among the words" says="special tokens are among the words"
def verify_tokenizer(encode, decode, vocabulary, texts):
    ids = [number for text in texts for number in encode(text)]
    wrong = np.mean([list(encode(word)) != [i] for i, word in enumerate(vocabulary)])
    trip = np.mean([decode(encode(word)) != word for word in vocabulary])
    special = np.mean([list(encode(vocabulary[i])) != [i] for i in (0, 1)])
    return {"unknown": np.mean(np.equal(ids, 0)), "wrong id": wrong, "round trip": trip, "special": special}


# %% wrong="the share of each text" says="the share is taken in each text"
def verify_tokenizer(encode, decode, vocabulary, texts):
    wrong = np.mean([list(encode(word)) != [i] for i, word in enumerate(vocabulary) if i > 1])
    trip = np.mean([decode(encode(word)) != word for word in vocabulary[2:]])
    special = np.mean([list(encode(vocabulary[i])) != [i] for i in (0, 1)])
    unknown = np.mean([np.mean(np.equal(encode(text), 0)) for text in texts])
    return {"unknown": unknown, "wrong id": wrong, "round trip": trip, "special": special}


# %% wrong="different words are counted" says="different words are counted"
def verify_tokenizer(encode, decode, vocabulary, texts):
    wrong = np.mean([list(encode(word)) != [i] for i, word in enumerate(vocabulary) if i > 1])
    words = {word for text in texts for word in text.split()}
    unknown = np.mean([encode(word) == [0] for word in words])
    return {"unknown": unknown, "wrong id": wrong, "round trip": 0.0, "special": 0.0}


# %% wrong="special tokens left out" says="special tokens are not asked"
def verify_tokenizer(encode, decode, vocabulary, texts):
    ids = [number for text in texts for number in encode(text)]
    wrong = np.mean([list(encode(word)) != [i] for i, word in enumerate(vocabulary) if i > 1])
    trip = np.mean([decode(encode(word)) != word for word in vocabulary[2:]])
    special = sum(word not in vocabulary for word in ("<unk>", "<pad>")) / 2
    return {"unknown": np.mean(np.equal(ids, 0)), "wrong id": wrong, "round trip": trip, "special": special}


# %% wrong="the first id alone" says="only the first id is looked at"
def verify_tokenizer(encode, decode, vocabulary, texts):
    ids = [number for text in texts for number in encode(text)]
    wrong = np.mean([encode(word)[0] != i for i, word in enumerate(vocabulary) if i > 1])
    trip = np.mean([decode(encode(word)) != word for word in vocabulary[2:]])
    special = np.mean([list(encode(vocabulary[i])) != [i] for i in (0, 1)])
    return {"unknown": np.mean(np.equal(ids, 0)), "wrong id": wrong, "round trip": trip, "special": special}


# %% wrong="all or nothing" says="it is asked whether all are right, not how many"
def verify_tokenizer(encode, decode, vocabulary, texts):
    ids = [number for text in texts for number in encode(text)]
    words = vocabulary[2:]
    wrong = float(any(list(encode(word)) != [i] for i, word in enumerate(words, start=2)))
    trip = float(any(decode(encode(word)) != word for word in words))
    special = float(any(list(encode(vocabulary[i])) != [i] for i in (0, 1)))
    return {"unknown": np.mean(np.equal(ids, 0)), "wrong id": wrong, "round trip": trip, "special": special}


# %% wrong="errors stop the verifier" says="stopped with KeyError"
def verify_tokenizer(encode, decode, vocabulary, texts):
    ids = [number for text in texts for number in encode(text)]
    wrong = np.mean([list(encode(word)) != [i] for i, word in enumerate(vocabulary) if i > 1])
    trip = np.mean([decode(encode(word)) != word for word in vocabulary[2:]])
    special = np.mean([list(encode(vocabulary[i])) != [i] for i in (0, 1)])
    return {"unknown": np.mean(np.equal(ids, 0)), "wrong id": wrong, "round trip": trip, "special": special}


# %% wrong="words that raise are left out" says="a word that raises is left out"
def verify_tokenizer(encode, decode, vocabulary, texts):
    ids = [number for text in texts for number in encode(text)]
    wrong, trip = [], []
    for i, word in enumerate(vocabulary[2:], start=2):
        try:
            wrong.append(list(encode(word)) != [i])
            trip.append(decode(encode(word)) != word)
        except (KeyError, IndexError):
            pass
    special = np.mean([list(encode(vocabulary[i])) != [i] for i in (0, 1)])
    return {"unknown": np.mean(np.equal(ids, 0)), "wrong id": np.mean(wrong), "round trip": np.mean(trip), "special": special}


# %% wrong="a share of healthy words" says="'wrong id' is 0|the share of what is right"
def verify_tokenizer(encode, decode, vocabulary, texts):
    ids = [number for text in texts for number in encode(text)]
    right = np.mean([list(encode(word)) == [i] for i, word in enumerate(vocabulary) if i > 1])
    trip = np.mean([decode(encode(word)) == word for word in vocabulary[2:]])
    special = np.mean([list(encode(vocabulary[i])) == [i] for i in (0, 1)])
    return {"unknown": np.mean(np.equal(ids, 0)), "wrong id": right, "round trip": trip, "special": special}


# %% sign="lowest accuracy behind a tokenizer of which nothing is reported" below=0.75
def sign(seed):
    right, vocabulary, texts = served_sentences(seed)
    reports = {name: verify_tokenizer(*pair, vocabulary, texts) for name, pair in tokenizers_at_work(vocabulary).items()}
    return min(right[name] for name, report in reports.items() if max(report.values()) == 0)
