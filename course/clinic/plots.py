"""The figures: each one is drawn, then shown with a caption and a text for those who cannot see it.

Colours are from Okabe and Ito's palette, which colour-blind readers tell apart; line style and width differ too. Vermilion is a
little darker than theirs, so that words in it can be read on white.
"""

import base64
import html
import io
import textwrap
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

LABELS = ("as complained about", "your code")
# How the two runs of a case look wherever they are drawn: the dashes lie on the wide line while both are the same run.
BROKEN = {"color": "#C25500", "linestyle": (0, (4, 2)), "linewidth": 1.6, "zorder": 3}
MENDED = {"color": "#0072B2", "linestyle": "-", "linewidth": 3.0, "alpha": 0.75, "zorder": 2}
BAND = {"color": "#e6e6e6", "edgecolor": "#888888", "linewidth": 0.8}  # pale, for marks lie on it, with an edge that is seen


@dataclass(frozen=True)
class _Shown:
    """What a notebook displays: HTML with the picture inside it, and the caption where there is no HTML."""

    page: str
    caption: str

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.page, "text/plain": f"[Figure: {self.caption}]"}


def figure(panels=1, height=3.0, **options):
    """A figure with `panels` axes side by side, 9 inches wide at most. Returns the figure and the list of its axes."""
    fig = Figure(figsize=(min(9.0, 1.2 + 3.9 * panels), height), dpi=100, layout="constrained")
    axes = list(fig.subplots(1, panels, squeeze=False, **options)[0])
    for ax in axes:
        ax.grid(alpha=0.25)
        ax.spines[["top", "right"]].set_visible(False)
    return fig, axes


def show(fig, caption, alt):
    """Display `fig` under its caption. alt: what there is to see in it, in words, for a screen reader."""
    from IPython.display import display

    picture = io.BytesIO()
    fig.savefig(picture, format="png", metadata={"Software": None})
    page = (
        f'<figure style="margin: 0"><img alt="{html.escape(alt)}" style="max-width: 100%" '
        f'src="data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )
    display(_Shown(page, caption))


def mark_guess(ax, value, at=1.0, va="bottom"):
    """Draw what the learner predicted as a dotted line across `ax`, at `value` on its vertical axis.

    at: where along the line its name stands, from 0, left, to 1, right. va: "bottom" for above the line, "top" for below.
    """
    ax.axhline(value, color="#444444", linestyle=":", linewidth=1.5)
    place = {"xycoords": ("axes fraction", "data"), "ha": "left" if at < 0.5 else "right", "va": va}
    ax.annotate("your guess", (at, value), fontsize="small", **place)


def vitals(before, now, signs, caption, over="step", labels=LABELS, guess=None):
    """Draw the vital signs of two runs over each other, one panel a sign, and show them.

    before, now: a History each, or a list of histories, one a random seed. signs: for each name in the histories the
    label of its axis, with its unit. over: what the entries count. guess: for a sign, the value that the learner predicted,
    drawn as a dotted line. A panel is logarithmic where its values span more than a factor of 50; a run that leaves the
    numbers is marked with a cross where it does.
    """
    runs = [_as_list(before), _as_list(now)]
    fig, axes = figure(len(signs))
    told = []
    for ax, (name, label) in zip(axes, signs.items()):
        curves = [[np.array(history[name], dtype=float) for history in histories] for histories in runs]
        for style, group, run_label in zip((BROKEN, MENDED), curves, labels):
            for number, curve in enumerate(group):
                _draw(ax, curve, style, run_label if number == 0 else None)
        _scale(ax, [curve for group in curves for curve in group])
        ax.set(xlabel=over, ylabel=textwrap.fill(label, 32))
        if name in (guess or {}):
            mark_guess(ax, guess[name])
        told.append(f"{label}: " + "; ".join(f"{text}, {_tell(group)}" for text, group in zip(labels, curves)) + ".")
    axes[0].legend(frameon=False, fontsize="small")
    show(fig, caption, f"{len(signs)} panel{'s' if len(signs) > 1 else ''} over {over}. " + " ".join(told))


def alarm_rates(before, now, wanted, caption, action="fires", guess=None, of="curves"):
    """Draw how often two rules fire on kinds of curves that should, or should not, set them off, and show it.

    before, now: for each kind, in words, the share of its curves (0 to 1) on which the detector fires. wanted: for each kind
    whether it should fire. action: what it does when it fires, as the axis says it. The grey bands are a tenth wide.
    guess: for a kind, the share that the learner predicted, drawn as a dotted stroke. of: what the kinds are kinds of, in the
    plural.
    """
    fig, (ax,) = figure(1, height=1.3 + 0.42 * len(wanted))
    fig.set_figwidth(8)
    places = np.arange(len(wanted))[::-1]
    for place, (kind, should) in zip(places, wanted.items()):
        ax.barh(place, 0.1, left=0.9 if should else 0.0, height=0.7, zorder=0, **BAND)
        ax.plot([before[kind]], [place], "X", color=BROKEN["color"], markersize=9, zorder=3)
        ax.plot([now[kind]], [place], "o", color=MENDED["color"], markersize=13, markerfacecolor="none", markeredgewidth=2.5)
    for kind, share in (guess or {}).items():
        place = places[list(wanted).index(kind)]
        ax.plot([share, share], [place - 0.45, place + 0.45], color="#444444", linestyle=":", linewidth=2)
        ax.annotate("your guess", (share, place + 0.45), ha="center", va="bottom", fontsize="small")
    ax.set_yticks(places, [textwrap.fill(kind, 34) for kind in wanted])
    ax.set(xlim=(-0.05, 1.05), xlabel=f"share of {of} on which it {action} (wanted: grey)")
    ax.plot([], [], "X", color=BROKEN["color"], label=LABELS[0])
    ax.plot([], [], "o", color=MENDED["color"], markerfacecolor="none", markeredgewidth=2.5, label=LABELS[1])
    ax.legend(frameon=False, fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    told = [
        f"{kind} (it should{'' if should else ' not'}): {LABELS[0]} {before[kind]:.0%}, {LABELS[1]} {now[kind]:.0%}"
        for kind, should in wanted.items()
    ]
    show(fig, caption, f"How often it {action}, by kind of {of}. " + "; ".join(told) + ".")


def thumbnails(panels, caption, over="step"):
    """Draw a row of small panels, one a symptom, at most five, and show them.

    panels: for each title a pair (curves, label): for each curve its name and its values, at most three of them, and the label of
    the vertical axis with its unit. A panel is logarithmic where its values span more than a factor of 50.
    """
    fig, axes = figure(len(panels), height=2.3)
    styles = [
        dict(color=MENDED["color"]),
        dict(color=BROKEN["color"], linestyle="--"),
        dict(color="#444444", linestyle=":", linewidth=2),
    ]
    told = []
    for ax, (title, (curves, label)) in zip(axes, panels.items()):
        curves = {name: np.asarray(values, dtype=float) for name, values in curves.items()}
        for style, (name, values) in zip(styles, curves.items()):
            _draw(ax, values, style, name)
        _scale(ax, list(curves.values()))
        seen = np.concatenate([values[np.isfinite(values)] for values in curves.values()])
        if not seen.size:
            ax.text(0.5, 0.62, "never a number", transform=ax.transAxes, ha="center", va="bottom", fontsize="small")
            ax.set(yticks=[], xlim=(-1, max(map(len, curves.values()))))
        elif ax.get_yscale() == "linear" and seen.min() >= 0:
            ax.set_ylim(0, 1.08 * seen.max())  # else a curve that hardly moves would look as if it fell
        ax.set_title(textwrap.fill(title, 24), fontsize="small")
        ax.set_xlabel(over, fontsize="small")
        ax.set_ylabel(label, fontsize="small")
        ax.tick_params(labelsize="x-small")
        if len(curves) > 1:
            ax.legend(frameon=False, fontsize="x-small")
        told.append(f"{title}: " + "; ".join(f"{name}, {_tell([values])}" for name, values in curves.items()) + ".")
    show(fig, caption, f"{len(panels)} small panels over {over}. " + " ".join(told))


def _as_list(histories):
    return list(histories) if isinstance(histories, (list, tuple)) else [histories]


def _draw(ax, curve, style, label):
    with np.errstate(all="ignore"):
        finite = np.isfinite(curve) & (np.abs(curve) < 1e60)
    ax.plot(np.where(finite, curve, np.nan), label=label, **style)
    if not finite.all():
        first = int(np.argmin(finite))
        last_good = curve[first - 1] if first else np.min(curve[finite], initial=1.0)
        ax.plot([max(first - 1, 0)], [last_good], marker="X", markersize=9, linestyle="none", color=style["color"], zorder=4)


def _scale(ax, curves):
    values = np.concatenate(curves)
    values = np.abs(values[np.isfinite(values) & (values != 0)])
    if values.size and np.min([curve[np.isfinite(curve)].min(initial=1.0) for curve in curves]) >= 0:
        if values.max() > 50 * max(values.min(), values.max() * 1e-12):
            ax.set_yscale("log")


def _tell(group):
    """The course of a run in words: where it starts, its peak, where it ends, to two digits; several runs by their medians."""
    curve = group[0] if len(group) == 1 else _median(group)
    bad = ~np.isfinite(curve)
    if bad.any():
        first = int(np.argmax(bad))
        return "not a finite number from the start" if first == 0 else f"from {curve[0]:.2g} to not a finite number at {first}"
    text = f"from {curve[0]:.2g} to {curve[-1]:.2g}"
    peak = int(np.argmax(curve))
    is_told = curve[peak] - max(curve[0], curve[-1]) > 0.02 * abs(curve[peak])
    return text + (f" with a peak of {curve[peak]:.2g} at {peak}" if is_told else "")


def _median(group):
    length = min(len(curve) for curve in group)
    with np.errstate(all="ignore"):
        return np.median([curve[:length] for curve in group], axis=0)
