"""How networks that PyTorch trained on ImageNet take their pixels: standardised by channel."""

Colours = tuple[float, float, float]
MEANS: Colours = (0.485, 0.456, 0.406)
DEVIATIONS: Colours = (0.229, 0.224, 0.225)
"""Of ImageNet's pixels by channel, as shares of white."""
FACTORS: Colours = (1 / (255 * DEVIATIONS[0]), 1 / (255 * DEVIATIONS[1]), 1 / (255 * DEVIATIONS[2]))
OFFSETS: Colours = (-MEANS[0] / DEVIATIONS[0], -MEANS[1] / DEVIATIONS[1], -MEANS[2] / DEVIATIONS[2])
"""By what pixels within 0..255 are multiplied, and what is then added."""
