"""What a few images of a dataset tell at once, before anybody examines all of them."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from tl_core.checks.brightness import remarks, values_of
from tl_core.checks.image_checks import Repair, Seen, see
from tl_core.data.preprocessor import Preprocessor
from tl_core.datasets import Data, Images
from tl_core.errors import DataError
from tl_core.notes import Note, NoteKind

LOOKED_AT, ENDS = 12, 1000
"""Images of each split, and training examples for their ends, drawn evenly."""


def with_notes(data: Data[Any]) -> Data[Any]:
    """Return the same data, with notes on images that are nearly black, nearly constant or transparent."""
    if not isinstance(data.train, Images):
        return data
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="look") as pool:
        seen = {split: list(pool.map(_seen, _few(images))) for split, images in data.splits.items()}
    looks = {split: [each.look for each in found if each.look is not None] for split, found in seen.items()}
    notes = remarks({split: values_of(np.stack(found)) for split, found in looks.items() if found})
    clear = sum(Repair.CLEAR in each.repaired for found in seen.values() for each in found)
    if clear:
        notes.append(Note(NoteKind.IMAGES_TRANSPARENT, (clear, sum(map(len, seen.values())))))
    return replace(data, notes=(*data.notes, *notes))


def with_note_on_ends(data: Data[Any], preprocessor: Preprocessor) -> Data[Any]:
    """Return the same data, with a note where `preprocessor` cuts off the end of training examples."""
    some = data.train.subsample(ENDS)
    if not (cut := preprocessor.truncated(some)):
        return data
    return replace(data, notes=(*data.notes, Note(NoteKind.TEXTS_TRUNCATED, (cut, len(some), preprocessor.shape[0]))))


def _few(images: Images) -> list[tuple[Images, int]]:
    """Return where a few of the images are, drawn evenly."""
    few = images.subsample(LOOKED_AT)
    return [(few, index) for index in range(len(few))]


def _seen(place: tuple[Images, int]) -> Seen:
    """Look at an image. One that is gone or damaged hides nothing of the others; whoever reads it says so."""
    try:
        return see(*place)
    except DataError as error:
        return Seen(broken=str(error))
