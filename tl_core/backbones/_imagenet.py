"""How networks that PyTorch trained on ImageNet take their pixels: standardised by channel."""

MEANS, DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels by channel, as shares of white."""
FACTORS = tuple(1 / (255 * deviation) for deviation in DEVIATIONS)
OFFSETS = tuple(-mean / deviation for mean, deviation in zip(MEANS, DEVIATIONS, strict=True))
"""By what pixels within 0..255 are multiplied, and what is then added."""
