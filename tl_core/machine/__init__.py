"""This computer and its devices: what they are, what they do now, and who may use them."""
