"""Sources that have become others: what was stored with their names, or stands in an address, means the same as before."""

from tl_core.spec import PartSpec


def renamed(spec: PartSpec) -> PartSpec:
    """Return `spec` under today's names: `mnist` was Keras' copy of MNIST and, with a path, any folder of IDX files."""
    if spec.name != "mnist":
        return spec
    settings = dict(spec.settings)
    path = settings.pop("path", None)
    if path is None:
        return PartSpec(**({"name": "keras_builtin", "which": "mnist"} | settings))  # a run again may name another one
    settings.pop("download", None)
    return PartSpec(name="idx_folder", path=path, **settings)
