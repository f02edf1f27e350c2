"""Networks as Keras graphs: cut into blocks, outlined in plain values, with a classifier on top. And the files of their weights."""
