"""What the script of a run says of training images that are changed: the very draws of the run."""

from tl_core.features.extractor import DECODE_BATCH
from tl_core.phases.phase import Augmentation, Learning
from tl_core.training.augmentation import PADDING
from tl_core.training.inputs import VIEWS_STREAM

CHANGED = """


CHANGES = [{changes}]
MIXTURES = [{mixtures}]


def changed(images, aims, seed, mixtures=MIXTURES):
    \"\"\"Return a batch as it is learned from; what is drawn follows from the `seed`, as it did in the run.\"\"\"
    drawn = np.random.default_rng(seed)
    for layer in CHANGES:
        images = begun_anew(layer, drawn)(images, training=True)
    if mixtures:
        mix = begun_anew(mixtures[drawn.integers(len(mixtures))], drawn)
        mixed = mix({{"images": images, "labels": aims}}, training=True)
        images, aims = mixed["images"], mixed["labels"]
    return images, aims


def begun_anew(layer, drawn):
    \"\"\"Return the layer, whose random generators begin where `drawn` says.\"\"\"
    for state in layer.non_trainable_variables:
        state.assign(drawn.integers(2**32, size=state.shape, dtype=np.uint32))
    return layer"""
IN_BATCHES = """\
            inputs, aims = changed(inputs, aims, [SEED, number, 1, epoch, step])
"""
BUT_FOR_VIEWS = """\
            if not views:
                inputs, aims = changed(inputs, aims, [SEED, number, 1, epoch, step])
"""
VIEWS = f"""


def view(number):
    \"\"\"Return the training images changed in one of the ways that take turns, {DECODE_BATCH} of them at a time.\"\"\"
    groups = np.split(train.astype("float32"), range({DECODE_BATCH}, len(train), {DECODE_BATCH}))
    made = [changed(group, None, [SEED, {VIEWS_STREAM}, number, place], mixtures=())[0] for place, group in enumerate(groups)]
    return np.concatenate([np.clip(np.rint(keras.ops.convert_to_numpy(each)), 0, 255) for each in made]).astype(np.uint8)


WAYS = [view(number) for number in range({{views}})]"""


def images(learning: Learning, size: int, views: int) -> str:
    """Return what changes images of this `size`, in so many fixed `views`; in none of them but anew in each epoch where that is
    0."""
    if not learning.augments:
        return ""
    mixtures = {"keras.layers.MixUp": learning.mixup, "keras.layers.CutMix": learning.cutmix}
    made = ", ".join(f"{layer}({value})" for layer, value in mixtures.items() if value)
    return CHANGED.format(changes=_changes(learning, size), mixtures=made) + (VIEWS.format(views=views) if views else "")


def _changes(learning: Learning, size: int) -> str:
    flip, border = 'keras.layers.RandomFlip("horizontal")', size // PADDING
    crop = f"keras.layers.ZeroPadding2D({border}), keras.layers.RandomCrop({size}, {size})"
    return {
        Augmentation.NONE: "",
        Augmentation.FLIP: flip,
        Augmentation.FLIP_AND_CROP: f"{flip}, {crop}",
        Augmentation.RAND_AUGMENT: f"{flip}, keras.layers.RandAugment((0, 255), factor=0.3)",
    }[learning.augmentation]
