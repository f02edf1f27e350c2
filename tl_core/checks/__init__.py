"""What is wrong with a dataset, and what is only worth knowing: every image looked at once, without a network.

`pictures` looks at one image, `looking` at all of them, `twins` finds those that are alike, `report` says what was found, and
`advice` what to do about it. `image_map` and `shift` judge by what a network makes of the images.
"""
