"""Every work that a case or a docstring of the clinic cites is listed in solutions/citations.bib, and nothing else is.

A citation is written "Kingma & Ba 2015", or "Ba et al. 2016" with three authors or more. Where a file cites a work first, its
identifier follows: "Kingma & Ba 2015, arXiv 1412.6980" or "Kingma & Ba 2015 (arXiv 1412.6980)".
"""

import re
from functools import cache
from pathlib import Path

import pytest

from autograder.cases import case_paths
from autograder.paths import COURSE, ROOT, SOLUTIONS, STAGES

BIB = SOLUTIONS / "citations.bib"

NAME = r"[A-ZÄÖÜØÉ][\w’'-]*\w"
MENTION = re.compile(rf"\b(?P<who>{NAME}(?: & {NAME}| et al\.)?)(?P<between>,?(?: \w+){{0,3}} \(| )(?P<year>(?:18|19|20)\d\d)\b")
IDENTIFIERS = {
    "arXiv": re.compile(r"\barXiv\W*(?:org/\w+/)?(\d{4}\.\d{4,5})", re.IGNORECASE),
    "doi": re.compile(r"\b(10\.\d{4,9}/[^\s,;`\"]*[^\s,;`\".:])"),
    "ISBN": re.compile(r"\bISBN ([\d-]+[\dX])"),
    "report": re.compile(r"\breport ([A-Z]{2,}[\w-]*\d)"),
}
NOT_NAMES = {"After", "All", "At", "In", "Of", "Over", "The"}  # words before a number that may look like a year


def read_bib(text):
    """The entries of a BibTeX file with one field a line, {key: {field: value}}; `kind` is the entry's."""
    entries = {}
    for kind, key, body in re.findall(r"^@(\w+)\{([^,\s]+),\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        assert key not in entries, f"{key} is listed twice"
        fields = re.findall(r"^  (\w+) = \{(.*)\},$", body, re.MULTILINE)
        assert len(fields) == body.count("\n"), f"{key}: write one field a line, `  name = {{value}},`"
        entries[key] = {"kind": kind, **dict(fields)}
    assert len(entries) == len(re.findall(r"^\s*@", text, re.MULTILINE)), "an entry cannot be read"
    return entries


def label(entry):
    """As the texts name the work: "Kingma & Ba 2015"."""
    names = [name.split(",")[0] for name in entry["author"].split(" and ")]
    who = names[0] if len(names) == 1 else f"{names[0]} & {names[1]}" if len(names) == 2 else f"{names[0]} et al."
    return f"{who.replace(' & others', ' et al.')} {entry['year']}"


def surname(label):
    return re.split(r" & | et al| \d", label)[0]


def identifier(entry):
    """As the texts give it: "arXiv 1412.6980", "doi 10.1109/72.279181", "ISBN ...", "report ...", "JMLR 15, 1929"."""
    for field, before in (("eprint", "arXiv"), ("doi", "doi"), ("isbn", "ISBN"), ("number", "report")):
        if field in entry:
            return f"{before} {entry[field]}"
    return f"{entry.get('series') or entry['journal']} {entry['volume']}, {entry['pages'].split('--')[0]}"


@cache
def citations_in(source):
    """(mentions, identifiers): the mentions as (authors and year, as it is written, what follows), the identifiers as texts."""
    text = re.sub(r"\s*\n[ \t]*(?:#[ \t]*)?", " ", source)  # without the marks of comments: a citation may be broken anywhere
    mentions = []
    for found in MENTION.finditer(text):
        who = re.sub(r"['’]s$", "", found["who"])
        if who not in NOT_NAMES:
            mentions.append((f"{who} {found['year']}", found[0], text[found.end() : found.end() + 100]))
    identifiers = []
    for before, pattern in IDENTIFIERS.items():
        for given in pattern.findall(text):
            unopened = given.count(")") > given.count("(")  # the bracket that the citation stands in
            identifiers.append(f"{before} {given.rsplit(')', 1)[0] if unopened else given}")
    return mentions, identifiers


def complaints(texts, entries):
    """What is wrong, as sentences. texts: {name of the file: its text}. entries: as read_bib returns them."""
    found, cited = [], set()
    labels = {}
    for key, entry in entries.items():
        labels.setdefault(label(entry), []).append(key)
    by_identifier = {identifier(entry): key for key, entry in entries.items()}
    for name, source in texts.items():
        mentions, identifiers = citations_in(source)
        here = set()
        for said, written, after in mentions:
            if said not in labels:
                meant = [known for known in labels if surname(known) == surname(said)]
                if meant or written == said:
                    found.append(f"{name}: {said!r} has no entry" + f", but {meant} has" * bool(meant))
                continue
            if written != said:
                found.append(f"{name}: write {said!r}, not {written!r}")
            for key in labels[said]:
                if re.match(rf"(?:, | \(){re.escape(identifier(entries[key]))}(?![\d/-])", after):
                    here.add(key)
            if not here.intersection(labels[said]):
                wanted = " or ".join(identifier(entries[key]) for key in labels[said])
                found.append(f"{name}: {said!r} is not followed by its identifier, {wanted}")
        for given in identifiers:
            if given not in by_identifier:
                found.append(f"{name}: {given!r} has no entry")
            elif by_identifier[given] not in here:
                found.append(f"{name}: {given!r} does not stand behind {label(entries[by_identifier[given]])!r}")
        cited |= here
    return found + [f"{key} is not cited anywhere" for key in entries if key not in cited]


def cited_texts():
    # Not clinic/broken and the notebooks, which are made from the cases.
    paths = [path for stage in STAGES for path in case_paths(stage)] + sorted((COURSE / "clinic").glob("*.py"))
    return {str(Path(path).relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


def test_every_citation_is_listed_and_every_listed_work_is_cited():
    found = complaints(cited_texts(), read_bib(BIB.read_text(encoding="utf-8")))
    assert not found, "\n".join(found)


def test_the_list_is_sorted_and_its_entries_are_whole():
    entries = read_bib(BIB.read_text(encoding="utf-8"))
    assert list(entries) == sorted(entries)
    for key, entry in entries.items():
        assert {"author", "year", "title"} <= set(entry), key
        name = re.sub(r"[^a-z]", "", surname(label(entry)).lower().replace("ü", "u"))
        assert re.fullmatch(rf"{name}{entry['year']}[a-z]+", key), f"{key} should be named {name}{entry['year']}word"
    assert len({identifier(entry) for entry in entries.values()}) == len(entries), "one work is listed twice"


def test_each_listed_work_would_be_missed():
    """Take any one entry out, and its citations are found to have none."""
    texts, entries = cited_texts(), read_bib(BIB.read_text(encoding="utf-8"))
    for key, entry in entries.items():
        rest = {other: entries[other] for other in entries if other != key}
        found = complaints(texts, rest)
        assert any(label(entry) in each or identifier(entry) in each for each in found), key


LIST = """\
@inproceedings{kingma2015adam,
  author = {Kingma, Diederik P. and Ba, Jimmy},
  year = {2015},
  title = {{Adam}},
  eprint = {1412.6980},
}

@article{polyak1964methods,
  author = {Polyak, Boris T.},
  year = {1964},
  title = {{Some Methods}},
  doi = {10.1016/0041-5553(64)90137-5},
}

@article{srivastava2014dropout,
  author = {Srivastava, Nitish and Hinton, Geoffrey and others},
  year = {2014},
  title = {{Dropout}},
  journal = {JMLR},
  volume = {15},
  pages = {1929--1958},
}
"""
TEXT = """\
# %% [markdown]
# Adam (Kingma & Ba 2015, arXiv
# 1412.6980, section 3) came after the heavy ball of Polyak 1964 (doi 10.1016/0041-5553(64)90137-5). Dropout
# is older (Srivastava et al. 2014, JMLR 15, 1929) than Adam (Kingma & Ba 2015). It ran for 2000 steps.
"""


def test_a_text_whose_citations_are_all_listed_passes():
    assert complaints({"case": TEXT}, read_bib(LIST)) == []


@pytest.mark.parametrize(
    "old, new, complaint",
    [
        ("(Srivastava et al. 2014, JMLR 15, 1929) ", "", "srivastava2014dropout is not cited anywhere"),
        ("It ran", "See Loshchilov & Hutter 2019. It ran", "'Loshchilov & Hutter 2019' has no entry"),
        ("It ran", "See Smith 2017. It ran", "'Smith 2017' has no entry"),
        ("It ran", "See Müller et al. 2019. It ran", "'Müller et al. 2019' has no entry"),
        ("It ran", "See Smith (2017, arXiv 1506.01186). It ran", "'arXiv 1506.01186' has no entry"),
        ("It ran", "See arXiv 1506.01186. It ran", "'arXiv 1506.01186' has no entry"),
        ("It ran", "See https://arxiv.org/abs/1506.01186. It ran", "'arXiv 1506.01186' has no entry"),
        ("It ran", "See doi 10.1109/72.279181. It ran", "'doi 10.1109/72.279181' has no entry"),
        ("It ran", "See (ISBN 978-0-387-31073-2). It ran", "'ISBN 978-0-387-31073-2' has no entry"),
        ("Polyak 1964", "Polyak 1965", "'Polyak 1965' has no entry, but ['Polyak 1964'] has"),
        ("heavy ball of Polyak 1964 (doi", "heavy ball of Polyak (1964, doi", "write 'Polyak 1964', not 'Polyak (1964'"),
        ("heavy ball of Polyak 1964 (doi", "Polyak's ball (1964, doi", "write 'Polyak 1964', not \"Polyak's ball (1964\""),
        ("(Srivastava et al. 2014", "(Srivastava & Hinton 2014", "'Srivastava & Hinton 2014' has no entry"),
        ("Ba 2015, arXiv\n# 1412.6980", "Ba 2015", "'Kingma & Ba 2015' is not followed by its identifier, arXiv 1412.6980"),
        ("1412.6980", "1412.6981", "'arXiv 1412.6981' has no entry"),
        ("JMLR 15, 1929", "JMLR 15", "'Srivastava et al. 2014' is not followed by its identifier, JMLR 15, 1929"),
        (" of Polyak 1964 (doi", " (doi", "does not stand behind 'Polyak 1964'"),
    ],
)
def test_a_citation_that_is_not_listed_or_not_whole_is_found(old, new, complaint):
    assert TEXT.count(old) == 1
    found = complaints({"case": TEXT.replace(old, new)}, read_bib(LIST))
    assert any(complaint in each for each in found), found


def test_an_entry_that_is_taken_out_is_missed():
    without = LIST[LIST.index("@article{polyak") :]
    found = complaints({"case": TEXT}, read_bib(without))
    assert "case: 'Kingma & Ba 2015' has no entry" in found and "case: 'arXiv 1412.6980' has no entry" in found


def test_a_work_that_is_listed_twice_stops_the_test():
    with pytest.raises(AssertionError, match="twice"):
        read_bib(LIST + LIST)
