"""How large the examples of a draft are: a look that all sessions share, by which the size of inputs follows them."""

from contextlib import suppress

import streamlit as st

from tl_core import datasets
from tl_core.datasets import Dataset
from tl_core.errors import TransferError
from tl_core.spec import PartSpec
from tl_core.system import settings
from tl_core.ui import faults


def typical_size(dataset: Dataset) -> int | None:
    """Return `Dataset.typical_size` as it was within the last minute; None where the pages may not, or cannot, read it."""
    with suppress(TransferError):
        for path in dataset.paths:
            settings.require_allowed(path)
        return _typical_size(dataset.spec().content.model_dump_json())
    return None


@st.cache_data(ttl=60, show_spinner=False, max_entries=64)
def _typical_size(spec: str) -> int | None:
    with suppress(TransferError), faults.contained("a look at the examples"):
        return datasets.build(PartSpec.model_validate_json(spec)).typical_size()
    return None
