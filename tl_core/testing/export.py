"""What every export keeps to: it says what it needs, and what it writes says in its own runtime what Keras says."""

import ast
import tempfile
from pathlib import Path

import keras
import numpy as np

from tl_core.data.resizing import SquarePixels
from tl_core.exports import Contents, ExportFormat
from tl_core.exports._answers import SCRIPT, answers
from tl_core.exports._script import script
from tl_core.networks.classifier import Classifier
from tl_core.runs.exported import TOLERANCE
from tl_core.testing._toy import SIZE, Known

COARSE = 0.2
"""By how much probabilities of 8 bits may be off: there are 256 of them, and layers add up."""
EXAMPLES = 33
"""One more than a batch: the last one has another size."""


def check_says_what_it_needs(part: type[ExportFormat]) -> None:
    """Check that it names a file, a backend of Keras, and lines of Python that import its runtime and define `predict`."""
    assert Path(part.file).name == part.file
    assert part.converts <= {"tensorflow", "jax", "torch"}
    assert part.converts
    assert part.packages
    assert any(isinstance(line, ast.FunctionDef) and line.name == "predict" for line in ast.parse(part.loads).body)
    assert all(isinstance(line, ast.Import | ast.ImportFrom) for line in ast.parse(part.imports).body)


def check_its_own_runtime_says_what_keras_says(part: type[ExportFormat]) -> None:
    """Check that a network, with a GELU, is loaded back in a process of its own by the script that goes with it, and says there
    what it says in Keras, in batches of any size."""
    network, inputs = Known().load(SIZE, pretrained=True).model, SquarePixels(SIZE)
    features = keras.layers.Dense(6, activation="gelu")(network.output)
    model = Classifier.on(network.input, features, 3).model
    given = np.random.default_rng(0).integers(0, 256, (EXAMPLES, *inputs.shape)).astype(np.float32)
    with tempfile.TemporaryDirectory(prefix="transfer_lab_") as name:
        part().export(Contents(model, given, ("a", "b", "c"), "# Card"), folder := Path(name))
        (folder / SCRIPT).write_text(script(part(), inputs), encoding="utf-8")
        said = answers(part(), folder, given)
    expected = keras.ops.convert_to_numpy(model(given, training=False))
    assert said.outputs.shape == expected.shape
    np.testing.assert_allclose(said.outputs, expected, atol=COARSE if part.quantised else TOLERANCE)
    assert min(said.seconds_alone, said.seconds_in_batch) > 0
