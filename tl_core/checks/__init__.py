"""What is wrong with a dataset, and what is only worth knowing: every image looked at once, without a network.

`image_checks` looks at one image, `scan` at all of them, `near_duplicates` finds those that are alike, `report` says what was
found, and `advice` what to do about it. `projection` and `domain_shift` judge by what a network makes of the images.
"""
