"""Train: from a `RunSpec` to a `Result`. `train.py` is the main path, and reads like it."""
