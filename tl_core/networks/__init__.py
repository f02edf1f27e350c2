"""Networks as Keras graphs: cut into blocks, outlined in plain values, with a classifier on top; and files of weights."""
