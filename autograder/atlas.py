"""The atlas: each case as a small panel, the broken run and the mended one, in one picture and on a page of links.

A panel is one of the figure's own axes, drawn small. The figures are those that the solved notebooks show while a build
executes them, so nothing here is drawn by hand.
"""

import html
import pickle
import re
import textwrap

import matplotlib.image
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from .cases import CaseError
from .paths import STAGES, notebook_path

PAGE, PICTURE, FOLDER = "atlas.md", "atlas.png", "atlas"  # in course/; the folder holds ID.png, a panel for each case
DPI = 200  # twice what a screen shows, so that small print stays sharp
COLUMNS = 11
WIDTH, HEIGHT = 1.42, 1.66  # inches: of a panel
HEAD, FOOT, SIDE, EDGE = 0.40, 0.25, 0.13, 0.06  # inches: what a panel's axes leave free above, below, left and right
LINES, MARKS = 0.7, 0.6  # line widths and marks of a panel, as multiples of the figure's
COMPLAINT, MENDED = "#C25500", "#0072B2"  # the colours of both codes in a figure, as in course/clinic/plots.py
GREY = "#555555"
GUESS = ("#444444", ":")  # how a figure draws what the learner predicted, which is no part of the sign
# What a figure says of its axes: "X healthy", "○ your code: labels", "complaint: 96".
VERDICT = re.compile(r"^(?:([X✕×]|○) )?(?:(as complained about|complaint|your code): )?(.+)$")
ASIDE = re.compile(r" \(|[,;]| from | of the | on which | with | among ")  # what ends the short form of an axis label
OPENING = re.compile(r"^(?:\d+|One|Two|Three|Four|Five)(?: small)? panels?(?: over [^.;:]*)?\. ")  # of an alternative text

# Runs in a build's kernel before the first cell: keeps each figure that a cell shows, with its alternative text.
KEEP = """
import pathlib, pickle, clinic, clinic.plots
def _keep(fig, caption, alt, show=clinic.plots.show):
    show(fig, caption, alt)
    folder = pathlib.Path({folder!r})
    (folder / f"{{len(list(folder.iterdir())):03}}.pickle").write_bytes(pickle.dumps((fig, alt)))
clinic.show = clinic.plots.show = _keep
"""


def draw_panel(case, kept, path):
    """Draw a case's panel as the PNG file `path`, and return its alternative text.

    kept: for each run cell's id the files that KEEP wrote, in order. The run cell says which axes make the panel, counted
    from 1 over all figures of the case. Raises CaseError where it shows no such axes.
    """
    figures = [pickle.loads(file.read_bytes()) for cell in case.of_kind("run") for file in kept.get(cell.id, [])]
    run = next((cell for cell in case.of_kind("run") if cell.atlas), case.of_kind("run")[0])
    numbered = [(fig, ax, alt) for fig, alt in figures for ax in fig.axes]
    places = run.atlas or (1,)
    if max(places) > len(numbered):
        raise CaseError(case.path, run.line, f'atlas="{max(places)}" needs as many axes, and the case shows {len(numbered)}')
    fig, _, alt = numbered[places[0] - 1]
    axes = [ax for owner, ax, _ in numbered if owner is fig]
    chosen = [numbered[place - 1][1] for place in places]
    if not set(chosen) <= set(axes):
        raise CaseError(case.path, run.line, "atlas names axes of two figures: a panel is made from one")
    told = _one_sentence(alt, [axes.index(ax) for ax in chosen], len(axes))
    alt = f"{case.title}{'' if case.title.endswith('?') else '.'} {told}"
    for ax in set(axes) - set(chosen):
        ax.remove()
    for artist in [*fig.legends, *fig.texts]:
        artist.remove()
    fig.set_layout_engine("none")
    fig.set_size_inches(WIDTH, HEIGHT)
    fig.set_dpi(DPI)
    width = (WIDTH - SIDE) / len(chosen)
    for number, ax in enumerate(chosen):
        _shrink(fig, ax, (SIDE + number * width, FOOT, width - EDGE, HEIGHT - HEAD - FOOT), is_first=number == 0)
    _write(fig, short_title(case), (0.03, HEIGHT - 0.02), WIDTH - 0.05, lines=3, size=6.6, color="black")
    fig.savefig(path, dpi=DPI, metadata={"Software": None})
    return alt


def short_title(case):
    """The title as the panel has it: "4.1 · The inputs were checked, and there was no NaN in them"."""
    return case.title.removeprefix("Case ")


def draw_picture(cases, panels, path):
    """Put the panels into one picture, the PNG file `path`: for each stage a heading, and its parts in rows.

    cases: for each stage its cases in order. panels: for each id the PNG file; a case without one is left out.
    """
    rows = []  # (the heading of a stage or None, what stands in the row: (column, the heading of a part, cases))
    for stage in STAGES:
        heading, column = cases[stage][0].title, COLUMNS
        for title, group in _parts(cases[stage], panels):
            lines = -(-len(group) // COLUMNS)
            for line in np.array_split(np.arange(len(group)), lines):
                if column + len(line) > COLUMNS:
                    rows.append((heading, []))
                    heading, column = None, 0
                rows[-1][1].append((column, title, [group[place] for place in line]))
                title, column = None, column + len(line)
    margin, top, stage_height, part_height = 0.19, 0.62, 0.34, 0.26
    heights = [HEIGHT + (stage_height if heading else 0) + (part_height if row[0][1] else 0.06) for heading, row in rows]
    width, height = 2 * margin + COLUMNS * WIDTH, top + sum(heights) + 0.1
    fig = Figure(figsize=(width, height), dpi=DPI)

    def write(words, x, y, size, **look):
        fig.text(x / width, y / height, words, fontsize=size, va="center", **look)

    write("Training Clinic · the atlas of its cases", margin, height - 0.22, 15, weight="bold")
    y = height - 0.48
    write("Each panel is one case: a run that goes wrong, and the same run mended.", margin, y, 8.5, color=GREY)
    write("- -  ✕  as complained about", margin + 6.2, y, 8.5, color=COMPLAINT)
    write("━━  ○  mended", margin + 8.1, y, 8.5, color=MENDED)
    y = height - top
    for (heading, row), row_height in zip(rows, heights):
        if heading:
            write(heading, margin, y - 0.19, 12, weight="bold")
        for column, title, group in row:
            x = margin + column * WIDTH
            if title:
                write(title, x + 0.03, y - row_height + HEIGHT + 0.1, 8, color=GREY, weight="bold")
            for number, case in enumerate(group):
                pixels = matplotlib.image.imread(panels[case.id])
                at = (x + number * WIDTH, y - row_height)
                fig.figimage(pixels, *(round(length * DPI) for length in at))
        y -= row_height
    fig.savefig(path, dpi=DPI, metadata={"Software": None})


def write_page(cases, alts):
    """The page's text: for each stage and part a heading, and the panels, each a link that leads to its case."""
    lines = [
        "# The atlas",
        "",
        "<!-- Generated by `autograder build` from the cases: do not edit. -->",
        "",
        "Each panel is one case: a run that goes wrong, and the same run mended. Dashed lines and crosses show it as",
        "complained about, wide lines and rings as mended. A panel leads to its case. It shows what the mended code does, so",
        "predict first, if you want to.",
        "",
        f"All of them in one picture: [{PICTURE}]({PICTURE}).",
    ]
    for stage in STAGES:
        lines += ["", f"## {cases[stage][0].title}"]
        for title, group in _parts(cases[stage], alts):
            lines += ["", *([f"### {title}", ""] if title else [])]
            for case in group:
                image = f'<img src="{FOLDER}/{case.id}.png" width="213" alt="{html.escape(alts[case.id])}">'
                lines.append(f'<a href="{link_to(case, stage)}">{image}</a>')
    return "\n".join(lines) + "\n"


def link_to(case, stage):
    """The case's place in the stage's notebook, from course/. Where a viewer knows no such places, it opens the notebook."""
    return f"{notebook_path('', stage).as_posix()}#cell-id={case.cells[0].id}"


def read_alts(page):
    """For each case's id the alternative text of its panel, as a page holds them."""
    found = re.findall(rf'<img src="{FOLDER}/([\w-]+)\.png"[^>]* alt="([^"]*)">', page)
    return {case_id: html.unescape(alt) for case_id, alt in found}


def _parts(cases, shown):
    """The parts of a stage, (heading, cases), without the cases that are not in `shown`; a heading may be None."""
    parts = [(None, [])]
    for case in cases[1:]:
        if not case.is_graded:
            parts.append((case.title, []))
        elif case.id in shown:
            if len(parts) > 1 and not case.title.startswith("Case "):
                parts.append(("At the end", []))
            parts[-1][1].append(case)
    return [(title, group) for title, group in parts if group]


def _one_sentence(alt, places, count):
    """What an alternative text says of the axes at `places`, from 0, of `count`: the complaint, and then the mended code."""
    sentences = re.split(r"(?<=[^\d ]{2})\. |(?<=\d)\. (?=[^\d])", OPENING.sub("", alt).removesuffix("."))
    each = len(sentences) // count
    by_axes = [sentences[start : start + each] for start in range(0, count * each, each)] if each else []
    if by_axes and each * count == len(sentences) and all(_tells_both("; ".join(group)) for group in by_axes):
        chosen = [sentence for place in places for sentence in by_axes[place]]
    else:
        start = next((n for n, sentence in enumerate(sentences) if "complain" in sentence.lower()), 0)
        ends = range(start + 1, len(sentences) + 1)
        end = next((n for n in ends if len(told := "; ".join(sentences[start:n])) > 80 and _tells_both(told)), len(sentences))
        chosen = sentences[start:end]
    clauses = [clause for clause in "; ".join(chosen).split("; ") if "our guess" not in clause]
    clauses = [clause if len(clause) < 160 else clause[:120].rsplit(", ", 1)[0] for clause in clauses]
    told = clauses[0]
    for clause in clauses[1:]:
        if len(told) + len(clause) > 240 and (_tells_both(told) or not _tells_both("; ".join(clauses))):
            break
        told += f"; {clause}"
    told = re.sub(r"\b[Yy]our code\b|\b[Yy]ours\b", "the mended code", re.sub(r"^(Left|Right)\b[,:]? ", "", told))
    told = re.sub(r"\b[Yy]our\b", "the mended", told)
    return f"{told[0].upper()}{told[1:]}."


def _tells_both(text):
    text = text.lower()
    return ("complain" in text or "before" in text) and ("your" in text.replace("your guess", "") or " now" in text)


def _shrink(fig, ax, box, is_first):
    """Bring one of a figure's axes into `box`, (left, bottom, width, height) in inches, without ticks, legend and words."""
    left, bottom, width, height = box
    ax.set_position((left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT))
    verdicts, in_place = _verdicts(ax)
    labels = _short(ax.get_xlabel()), _short(ax.get_ylabel())
    if ax.get_legend():
        ax.get_legend().remove()
    for text in list(ax.texts):
        if text in in_place and text.get_text() != "0%":
            text.set(text=in_place[text], fontsize=5.2, weight="normal")
        else:
            text.remove()
    lines = list(ax.lines)
    for line in lines:
        if (to_hex(line.get_color()), line.get_linestyle()) == GUESS or (ax.images and line.get_marker() != "None"):
            line.remove()  # the second: squares on a matrix, which would cover it
            continue
        line.set(linewidth=line.get_linewidth() * LINES, markersize=line.get_markersize() * MARKS)
        line.set_markeredgewidth(line.get_markeredgewidth() * LINES)
        if line.get_linestyle() == "None":
            line.set_clip_on(False)
    if len(ax.lines) < len(lines) and not ax.collections and not ax.images:
        ax.relim()
        ax.autoscale_view(scalex=False)  # the horizontal one may be shared with axes that are gone
    for collection in ax.collections:
        collection.set_linewidth([size * LINES for size in collection.get_linewidth()])
        if hasattr(collection, "set_sizes"):
            collection.set_sizes([size * MARKS**2 for size in collection.get_sizes()])
    for patch in ax.patches:
        patch.set_linewidth(patch.get_linewidth() * LINES)
    ax.set(xlabel="", ylabel="")
    for place in ("left", "center"):
        ax.set_title("", loc=place)
    ax.grid(False)
    ax.tick_params(which="both", length=0, labelleft=False, labelbottom=False)
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_offset_text().set_visible(False)
    ax.spines[:].set(linewidth=0.5, color="#888888")
    for row, (words, color) in enumerate(verdicts):
        _write(fig, words, (left, bottom - 0.04 - 0.095 * row), width + EDGE - 0.03, lines=1, size=5.8, color=color)
    if not verdicts:
        _write(fig, labels[0], (left + width / 2, bottom - 0.04), width + EDGE, lines=2, size=5.6, color=GREY, ha="center")
    if is_first:
        look = dict(color=GREY, ha="right", va="center", rotation=90)
        _write(fig, labels[1], (left - 0.02, bottom + height / 2), height + 0.1, lines=1, size=5.6, **look)


def _verdicts(ax):
    """What the figure says of these axes: as lines to stand below them, (words, color); or, where there are more than one for
    each code, as short words for each text that stays in its place.
    """
    colors = {COMPLAINT.lower(), MENDED.lower()}
    texts = {text: text.get_text() for text in ax.texts if to_hex(text.get_color()) in colors}
    if len(texts) > 2:
        in_place = {}
        for text, words in texts.items():
            mark, _, words = VERDICT.match(words).groups()
            in_place[text] = f"{mark or ''} {words.split(',')[0]}".replace("X", "✕").strip()
        return [], in_place
    lines = list(texts.values())
    lines += [line for words in (ax.get_title("left"), ax.get_title(), ax.get_xlabel()) for line in words.splitlines() if line]
    said = {}
    for mark, who, words in (VERDICT.match(line).groups() for line in lines):
        if mark or who:
            said.setdefault(mark == "○" or who == "your code", words.split(",")[0])
    looks = (False, "✕", COMPLAINT), (True, "○", MENDED)
    return [(f"{mark} {said[is_mended]}", color) for is_mended, mark, color in looks if is_mended in said], {}


def _short(label):
    """An axis label without its unit and its asides, such as "loss" for "second run: loss (squared units)"."""
    label = label.replace("\n", " ").split(" (")[0].rsplit(": ", 1)[-1]
    return "" if label == "your code" else ASIDE.split(label)[0]


def _write(fig, words, at, room, lines, size, va="top", **look):
    """Write `words` at a place in inches, over so many lines at most and as large as fits into `room`, `size` points at most."""
    artist = fig.text(at[0] / WIDTH, at[1] / HEIGHT, "", va=va, linespacing=1.1, **look)
    for points in np.arange(size, 3.9, -0.4):
        widest = int(room * 72 / (0.4 * points))  # characters; wider than they are on average
        for wrapped in dict.fromkeys(tuple(textwrap.wrap(words, width)) for width in range(widest, 8, -1)):
            if len(wrapped) > lines:
                break
            artist.set(text="\n".join(wrapped), fontsize=points)
            box = artist.get_window_extent()
            if (box.height if look.get("rotation") else box.width) <= room * DPI:
                return
    raise ValueError(f"{words!r} does not fit into a panel")
