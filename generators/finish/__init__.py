"""Steps of ``generators.finishing``: each takes and gives pixels (H, W, 3) uint8."""
