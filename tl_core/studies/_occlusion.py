"""The model of a finished run on texts of its own test from which words are left out: by how much its prediction falls."""

from collections.abc import Iterator, Sequence
from typing import Any

from tl_core.data.preprocessor import Preprocessor
from tl_core.data.text_parts import WithoutEach, grouped, together, words_in, words_read
from tl_core.data.texts import EXCERPT
from tl_core.datasets import Data
from tl_core.errors import DataError
from tl_core.events import Activity, Reporter, Stage
from tl_core.features.inputs import EncodedInputs
from tl_core.features.predict import predict
from tl_core.machine import backends
from tl_core.recipe import Recipe
from tl_core.runs import artifacts
from tl_core.runs.evaluations import Testable
from tl_core.studies._saved_model import own_data, preprocessor_of
from tl_core.studies._text_words import TextWords
from tl_core.training.trained_model import loaded

MOST_PARTS = 128
"""So many parts of a text are left out at most, so that no text takes longer than so many others: where it has more words, a part
is several of them."""
MOST_WORDS = 2048
"""Words from the beginning of a text that are looked at."""


def occluded(asked: Testable, most: int, report: Reporter) -> Iterator[tuple[tuple[TextWords, ...], float]]:
    """Yield the hardest texts of a run's test, at first one of them and in the end `most`, with how much is done. Raises
    `DataError` where they are not there as they were, `RunError` where the model cannot be loaded, and what `report` raises."""
    report(Stage(Activity.READING_DATASET, 0.0))
    own = _unchanged_data(asked)
    preprocessor = preprocessor_of(asked, own)
    texts: Any = own.test
    report(Stage(Activity.LOADING_MODEL, 0.0))
    backends.compute_in(asked.result.precision)
    model = loaded(asked.folder / artifacts.MODEL)
    hardest = artifacts.read_predictions(asked.folder).hardest[:most].tolist()
    found: tuple[TextWords, ...] = ()
    report(Stage(Activity.LEAVING_OUT_WORDS, 0.0))
    for example in hardest:
        found += (words_of(texts.read(example), example, preprocessor, model, asked.result.class_names),)
        yield found, len(found) / len(hardest)


def _unchanged_data(asked: Testable) -> Data:
    own, notes = own_data(asked)
    if own is None or notes:
        raise DataError(
            "The texts of this run are not there as they were, so no word can be left out of them.",
            "Put them back where they were, and try again.",
            received=Recipe.of(asked.run.spec).dataset.location(),
        )
    return own


def words_of(text: str, example: int, preprocessor: Preprocessor, model: Any, names: Sequence[str]) -> TextWords:
    """Return what carried what `model` says of a text, of which `preprocessor` makes its inputs.

    Args:
        text, example: It and its number.
        preprocessor: Makes inputs.
        model: A saved Keras model.
        names: Those of its outputs.
    """
    words = words_in(text)
    read = words_read(preprocessor, text, words)
    size = together(min(read, MOST_WORDS), MOST_PARTS)
    parts = grouped(words[: min(read, MOST_WORDS)], size)
    # What the network does not read would move up where something is left out.
    seen = text[: words[read - 1][1]] if read else text
    said = predict(model, EncodedInputs(WithoutEach.of(seen, parts), preprocessor), lambda _: None)
    output = int(said[0].argmax())
    falls = said[0, output] - said[1:, output]
    end = parts[-1][1] if parts else 0
    return TextWords(
        example=example,
        predicted=names[output],
        value=float(said[0, output]),
        parts=tuple((text[begin:stop], float(fall)) for (begin, stop), fall in zip(parts, falls, strict=True)),
        together=size,
        untried=max(0, read - MOST_WORDS),
        unread=len(words) - read,
        rest=text[end : end + EXCERPT],
    )
