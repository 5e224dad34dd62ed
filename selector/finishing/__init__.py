"""Steps of ``selector.finishing.finishing``: each takes and gives pixels (H, W, 3) uint8."""
