"""The words that carried the decisions on the hardest texts: a button that asks, and the texts with their words shaded."""

import html
from collections.abc import Sequence
from functools import partial

import streamlit as st

from tl_core.data.label_kinds import CLASSES
from tl_core.errors import is_visible
from tl_core.recipe import Recipe
from tl_core.result import Predictions
from tl_core.runs import score
from tl_core.studies._text_words import TextWords
from tl_core.studies.words import TOLD, Words, WordsResult, is_of_texts
from tl_core.ui import formatting, session
from tl_core.ui.charts import theme
from tl_core.ui.study_panel import StudyPanel

ABOUT = (
    "Which words carried these decisions? The model is asked again without each word in turn; the more the probability of the "
    "predicted class, or the predicted number, falls, the more that word spoke for it."
)
PALEST, STRONGEST = 6, 55
"""Percent of the colour behind words with the least and the most effect: a stronger one would leave too little contrast."""
SEEN = 0.1
"""Effects smaller than this share of the text's largest are not shaded."""
LONG, TALL = 1500, 320
"""A text of more characters scrolls in a box of so many pixels."""


def deciding_words(said: Predictions, run_id: str) -> None:
    """Draw the panel of a run, where it is of texts."""
    run = session.run(run_id)
    if not is_of_texts(run):
        return
    with formatting.sentence_for_mistakes():
        recipe, in_percent = Recipe.of(run.spec), score.label_kind(run) == CLASSES
        show = partial(_show, said, session.result(run_id).class_names, in_percent)
        study = Words(run_id=run_id)
        StudyPanel(study, ABOUT, "Show the words that decided", "Compute again", "format_ink_highlighter", show).draw(recipe)


def _show(said: Predictions, names: Sequence[str], in_percent: bool, found: WordsResult) -> None:
    st.markdown("**The words that decided**")
    legend()
    for number, text in enumerate(found.texts, 1):
        true = said.labels[text.example]
        is_what = names[true] if in_percent else f"{true:,.4g}"
        taken = f"taken for {text.predicted}, {100 * text.value:.0f} %" if in_percent else f"predicted {text.value:,.4g}"
        st.markdown(f"{number}\\. is **{formatting.plain(is_what)}**, {formatting.plain(taken)}")
        draw_text(text, in_percent=in_percent)


def legend() -> None:
    """Say what the shades of words mean."""
    either = f"{_mark('for the prediction', 1.0)} or {_mark('against it', -1.0)}"
    st.html(f"<p>Words that spoke {either}; in each text, the stronger the colour, the more.</p>")


def draw_text(text: TextWords, *, in_percent: bool) -> None:
    """Draw a text with its words shaded by their effect, and below it the same in words."""
    is_long = sum(len(words) for words, _ in text.parts) > LONG
    with st.container(height=TALL if is_long else "content", border=is_long):
        st.html(shaded(text))
    st.caption(formatting.plain(in_words(text, in_percent=in_percent)))


def shaded(text: TextWords) -> str:
    """Return a text in HTML, its words shaded by their effect; all that it says is escaped."""
    largest = max((abs(fall) for _, fall in text.parts), default=0.0) or 1.0
    parts = "".join(_mark(words, fall / largest) for words, fall in text.parts)
    rest = f'<span style="opacity: 0.75">{_safe(text.rest)}</span>' if text.rest else ""
    return f'<p dir="auto" style="margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.7">{parts}{rest}</p>'


def _mark(words: str, effect: float) -> str:
    """Return words on a ground that says how much they spoke for the prediction, -1 (against it) to 1. Those against it are also
    underlined, for whoever does not tell the colours apart."""
    safe = _safe(words)
    if abs(effect) < SEEN:
        return safe
    bare = safe.rstrip()
    colour = theme.PURPLE if effect > 0 else theme.GREEN
    line = "" if effect > 0 else "; text-decoration: underline dotted"
    share = PALEST + (STRONGEST - PALEST) * abs(effect)
    style = f"background: color-mix(in srgb, {colour} {share:.0f}%, transparent); color: inherit; border-radius: 0.2em{line}"
    return f'<mark style="{style}">{bare}</mark>{safe[len(bare) :]}'


def _safe(text: str) -> str:
    """Return a text for HTML, without the marks that do not show, such as those that turn the direction of writing around."""
    return html.escape("".join(letter if is_visible(letter) or letter in "\n\t" else " " for letter in text))


def in_words(text: TextWords, *, in_percent: bool) -> str:
    """Return what the shades show in words, and what was not looked at; effects are in percentage points with `in_percent`."""
    told = [f"{' '.join(words.split())} {_effect(fall, in_percent)}" for words, fall in text.strongest(TOLD)]
    most = f"Most change without: {', '.join(told)}." if told else "No word alone changes the prediction."
    notes = [most]
    if text.together > 1:
        notes.append(f"It is long, so {text.together} neighbouring words were left out at a time.")
    if text.untried:
        notes.append(f"{text.untried:,} more words are read and were not left out.")
    if text.unread:
        notes.append(f"The last {text.unread:,} words are not read by the network.")
    return " ".join(notes)


def _effect(fall: float, in_percent: bool) -> str:
    """Return by how much a prediction changes without some words: it falls where they spoke for it."""
    value = f"{-100 * fall:+.1f} points" if in_percent else f"{-fall:+.3g}"
    return value.replace("-", "\N{MINUS SIGN}")
