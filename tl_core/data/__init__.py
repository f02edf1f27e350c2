"""Data, once it is read: examples and their labels, and how they are decoded, split, scaled and hashed.

`formats` reads what lies on disk.
"""
