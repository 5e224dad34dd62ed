"""A scorer that runs anywhere: how steep the brightness is, of numpy and Pillow alone.

[scorers.sharp]
kind = "command"
command = ["python", "score_sharpness.py"]
columns = [{ name = "sharpness", low = 0.0, high = 1.0, better = "up", axis = "pq" }]
"""

import numpy as np
from bestshot_lines import serve
from PIL import Image

STEEP = 32.0  # mean step between neighbours, in levels of 0 to 255, that counts as 1


def sharpness(item):
    try:
        with Image.open(item["picture"]) as picture:
            levels = np.asarray(picture.convert("L"), dtype=np.float64)
    except OSError as error:
        return f"the picture cannot be read ({type(error).__name__})"
    if min(levels.shape) < 2:
        return "the picture is too small"
    steps = (np.abs(np.diff(levels, axis=axis)).mean() for axis in (0, 1))
    return {"sharpness": float(min(sum(steps) / 2 / STEEP, 1.0))}


if __name__ == "__main__":
    serve(lambda items: [sharpness(item) for item in items])
