"""Datasets that come as four arrays, with a test set of their own."""

import numpy as np
from pydantic import Field

from tl_core.data.arrays import Arrays
from tl_core.data.scaling import as_bytes
from tl_core.data.splitting import hold_out
from tl_core.datasets import ArrayImages, Data, Dataset


class ArraysDataset(Dataset):
    """A source of four arrays: the test set is theirs, and a share of each class of the training images is for validation."""

    validation_share: float = Field(
        0.05,
        ge=0,
        le=0.5,
        title="Validation share",
        description="Which share of the training images is held out for validation; 0 for none.",
        json_schema_extra={"more": True},
    )

    def fixed(self, arrays: Arrays, class_names: tuple[str, ...]) -> Data:
        """Return the dataset of the arrays."""
        pixels, notes = as_bytes({"the training images": arrays.x_train, "the test images": arrays.x_test})
        train_pixels, test_pixels = pixels.values()
        known = ArrayImages(train_pixels, arrays.y_train.astype(np.int64))
        test = ArrayImages(test_pixels, arrays.y_test.astype(np.int64))
        kept, held = hold_out(known.labels, self.validation_share, class_names, "validation")
        return Data(class_names, known.take(kept), known.take(held), test, tuple(notes))
