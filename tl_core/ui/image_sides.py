"""How large the images of a draft are: a look that all sessions share, by which the image size follows them."""

from contextlib import suppress

import streamlit as st

from tl_core import datasets
from tl_core.datasets import Dataset
from tl_core.errors import TransferError
from tl_core.spec import PartSpec
from tl_core.system import settings
from tl_core.ui import faults


def image_side(dataset: Dataset) -> int | None:
    """Return `Dataset.image_side` as it was within the last minute; None where the pages may not read the dataset, or cannot."""
    with suppress(TransferError):
        for path in dataset.paths:
            settings.require_allowed(path)
        return _image_side(dataset.spec().content.model_dump_json())
    return None


@st.cache_data(ttl=60, show_spinner=False, max_entries=64)
def _image_side(spec: str) -> int | None:
    with suppress(TransferError), faults.contained("a look at the images"):
        return datasets.build(PartSpec.model_validate_json(spec)).image_side()
    return None
