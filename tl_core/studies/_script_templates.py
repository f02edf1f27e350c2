"""The pieces of the script of a run: Python that needs Keras and NumPy, and knows nothing of this package."""

from tl_core.machine.backends import CUBLAS_IN_ORDER, JAX_IN_ORDER

BACKBONE, BLOCKS, ARRAYS, SPLIT = "backbone.keras", "blocks.json", "data.npz", "split.csv"
HEAD_FILE, ADAPTERS_FILE = "head.npz", "adapters.npz"
"""The files that lie beside a script: the network as it was before training, the layers of its blocks, the examples as arrays, or
where each picture is; and the head and the adapters where these began with random weights."""
IMPORTS = """\
{csv}import json
import math
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "{backend}")
{in_order}import keras
import numpy as np
{others}
HERE = Path(__file__).parent
SEED = {seed}
NAMES = {names}
keras.utils.set_random_seed(SEED)"""

IN_ORDER = {
    "tensorflow": """\
import tensorflow

tensorflow.config.experimental.enable_op_determinism()  # the run computed in a fixed order
""",
    "torch": f"""\
os.environ.setdefault("{CUBLAS_IN_ORDER[0]}", "{CUBLAS_IN_ORDER[1]}")
import torch

torch.use_deterministic_algorithms(True)  # the run computed in a fixed order
""",
    "jax": f"""\
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " {JAX_IN_ORDER}"  # the run computed in a fixed order
""",
}
"""What has each backend compute in a fixed order, from before Keras is imported."""

FROM_ARRAYS = f"""\
kept = np.load(HERE / "{ARRAYS}")
(train, train_labels), (validation, validation_labels), (test, test_labels) = (
    (kept[name], kept[name + "_labels"]) for name in ("train", "validation", "test")
)"""

FROM_FILES = f"""\
def picture(path):
    \"\"\"Return the middle square of a picture in RGB, upright, at the size of the run.\"\"\"
    upright = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    side = min(upright.size)
    left, top = (upright.width - side) // 2, (upright.height - side) // 2
    square = upright.crop((left, top, left + side, top + side))
    return np.asarray(square.resize(({{size}}, {{size}}), Image.Resampling.BICUBIC))


def split(name):
    \"\"\"Return the pixels and the labels of a split.\"\"\"
    with (HERE / "{SPLIT}").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == name]
    pixels = np.array([picture(row["path"]) for row in rows], np.uint8).reshape(-1, {{size}}, {{size}}, 3)
    return pixels, np.array([{{label}} for row in rows])


train, train_labels = split("train")
validation, validation_labels = split("validation")
test, test_labels = split("test")"""

LOADED = f"""\
backbone = keras.saving.load_model(HERE / "{BACKBONE}", compile=False)
BLOCKS = json.loads((HERE / "{BLOCKS}").read_text())  # the layers of each block, from the input upward"""

ADAPTERS = f"""\
drawn = np.load(HERE / "{ADAPTERS_FILE}")  # each kernel has A and B beside it (`layer.enable_lora`); B is 0, and A was drawn
for name in drawn.files:
    backbone.get_layer(name).lora_kernel_a.assign(drawn[name])"""

NEW_HEAD = f"""\
head = keras.layers.Dense(len(NAMES), activation="{{activation}}", dtype="float32", name="head")
model = keras.Model(backbone.input, head(backbone.output))
first = np.load(HERE / "{HEAD_FILE}")  # the random weights with which the run began
head.set_weights([first["kernel"], first["bias"]])"""

FEATURES = """\
points = backbone.predict(train, batch_size=32, verbose=0).astype(np.float64)"""
NORMALISED = """
centre = points.mean(axis=0)
points = points - centre
points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)"""
WEIGHTS = """
weights = len(train_labels) / (len(NAMES) * np.bincount(train_labels))  # of each class, the rarer the more"""
SHARES = """
shares = np.bincount(train_labels) / len(train_labels)  # of each class, whose logarithms adjust the logits"""
BIAS_ADJUSTED = """
bias = bias - np.log(shares)"""
SOLVED_HEAD = """
head = keras.layers.Dense(len(NAMES), activation="{activation}", dtype="float32", name="head")
{normalised}model = keras.Model(backbone.input, head({below}))
head.set_weights([kernel, bias])"""
CENTRED = """\
centred = keras.layers.Rescaling(1.0, offset=-centre.astype(np.float32))(backbone.output)
unit = keras.layers.UnitNormalization()(centred)
"""

FREEZING = '''\
NORMS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.RMSNormalization,
)


def infer(layer):
    """Have a layer compute in training as it does in use: BatchNorm keeps its statistics, and nothing is dropped out."""
    usual = layer.call
    if getattr(layer, "_call_has_training_arg", False):
        vars(layer)["call"] = lambda *inputs, training=None, **more: usual(*inputs, **more, training=False)


def release(blocks, trains, statistics):
    """Let the head train, and of these blocks what `trains`; `statistics` says whether those of BatchNorm follow."""
    for block, names in BLOCKS.items():
        for layer in map(model.get_layer, names):
            vars(layer).pop("call", None)
            layer.trainable = block in blocks and any(trains(layer, variable) for variable in layer.variables)
            for variable in layer.trainable_variables:
                variable.trainable = bool(trains(layer, variable))
            if block not in blocks or (isinstance(layer, keras.layers.BatchNormalization) and not statistics):
                infer(layer)


def fit(number, epochs, batch_size, *, best, patience=None{views}):
    """Train for so many epochs, and with a `best` validation loss, go back in the end to what had the lowest one."""
    kept, since = model.get_weights(), 0
    for epoch in range(epochs):
        order = {order}
        for step, start in enumerate(range(0, len(order), batch_size)):
            part = order[start : start + batch_size]
            inputs, aims = {inputs}, targets(train_labels[part])
{changed}            model.train_on_batch(inputs, aims{weighted})
        loss = validation_loss()
        print(f"epoch {{epoch + 1}} of {{epochs}}: validation loss {{loss:.4f}}")
        if best is not None and loss < best:
            best, kept, since = loss, model.get_weights(), 0
        else:
            since += 1
        if patience is not None and since >= patience:
            break
    if best is not None and math.isfinite(best):
        model.set_weights(kept)


def targets(labels):
    """Return what the loss takes."""
    return {targets}


def validation_loss():
    """Return the loss on the validation examples, without penalties and smoothing; not a number where there are none."""
    if not len(validation):
        return math.nan
    told = model.evaluate(validation, targets(validation_labels), batch_size=32, verbose=0, return_dict=True)
    return told["{measure}"]{images}{balance}'''
IN_ANY_ORDER = "np.random.default_rng([SEED, number, epoch]).permutation(len(train))"
IN_EVEN_DRAWS = "drawn_evenly(np.random.default_rng([SEED, number, epoch]))"
DRAWN_EVENLY = '''


def drawn_evenly(rng):
    """Return as many places as there are training examples, with each class as often, to one."""
    present, parts = rng.permutation(np.unique(train_labels)), []
    for label, many in zip(present, np.diff(np.linspace(0, len(train), len(present) + 1).astype(int)), strict=True):
        own = np.flatnonzero(train_labels == label)
        rounds = max(1, -(-many // len(own)))
        parts.append(np.concatenate([rng.permutation(own) for _ in range(rounds)])[:many])
    return rng.permutation(np.concatenate(parts))'''
ADJUSTED = '''


class Adjusted(keras.losses.Loss):
    """A loss of probabilities whose logits have the logarithm of their class's share added (Menon et al. 2021)."""

    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def call(self, y_true, y_pred):
        weighted = y_pred * keras.ops.convert_to_tensor(shares.astype("float32"))
        return self.loss.call(y_true, weighted / keras.ops.maximum(keras.ops.sum(weighted, axis=-1, keepdims=True), 1e-30))'''

PHASE = """\
release({blocks}, {trains}, statistics={statistics})
trainable = sum(math.prod(variable.shape) for variable in model.trainable_variables)
assert trainable == {parameters}, trainable  # as many as trained in the run
optimizer = {optimizer}
{penalty}model.compile(optimizer=optimizer, loss={loss}, metrics=["{measure}"])
fit({number}, epochs={epochs}, batch_size={batch_size}, best={best}, patience={patience}{views})"""

BY_RATE = '''\
def by_rate(make, rates, head):
    """Return an optimizer that moves each block at a rate of its own, and the head at another one."""
    optimizers = {rate: make(rate) for rate in {*rates.values(), head}}
    of_variables = {
        variable.path: optimizers[rates[block]]
        for block in rates
        for layer in map(model.get_layer, BLOCKS[block])
        for variable in layer.trainable_variables
    }
    return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(optimizers[head], of_variables))


'''
SPARING = '''\
def sparing(optimizer):
    """Return the optimizer, whose weight decay spares norms and biases."""
    spared = [each for each in model.trainable_variables if len(each.shape) < 2 or each.name == "bias"]
    optimizer.exclude_from_weight_decay(spared)
    return optimizer


'''

SCHEDULE = '''\
class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that goes from piece to piece: until which share of the steps, from which factor, to which, and how."""

    def __init__(self, peak, steps):
        self.peak, self.steps = peak, steps

    def __call__(self, step):
        share, begin, factor = (keras.ops.cast(step, "float32") + 0.5) / self.steps, 0.0, 0.0
        for until, start, end, way in {pieces}:
            along = keras.ops.clip((share - begin) / (until - begin), 0.0, 1.0)
            if way == "cosine":
                along = (1.0 - keras.ops.cos(math.pi * along)) / 2.0
            factor = keras.ops.where((share >= begin) & (share <= until), start + (end - start) * along, factor)
            begin = until
        return self.peak * factor


'''
