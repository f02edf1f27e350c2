"""Background answers that are no run: the map of the images, what-ifs, and the learning-rate finder."""
