"""The mean face descriptor, and the cosine of two faces about it.

Descriptors of dlib's net are not centred: their raw cosine is 0.81 to 0.91 even between different people, so it hardly
tells them apart. Measured from the mean face it is about 0.1 between different people (standard deviation 0.15) and
0.8 between two photographs of one person.

The numbers are the mean over the 90 detected faces of ``skimage.data.lfw_subset`` (100 people, the dataset is LFW);
``python -m experiments.face_mean`` computes them again and measures how well they separate people. They are constant
so that a score never depends on which other pictures a campaign has.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# fmt: off
MEAN_DESCRIPTOR: Floats = np.array([
    -0.0859, 0.0769, 0.0407, -0.0217, -0.0861, -0.0110, -0.0047, -0.1428,
    0.1379, -0.0790, 0.1664, -0.0525, -0.2342, -0.0811, -0.0394, 0.1233,
    -0.1396, -0.1238, -0.1040, -0.0804, 0.0246, 0.0443, 0.0519, 0.0104,
    -0.1417, -0.2964, -0.0666, -0.0919, 0.0426, -0.0664, 0.0199, 0.0831,
    -0.2115, -0.0612, 0.0146, 0.0803, -0.0469, -0.0449, 0.2232, 0.0153,
    -0.1673, 0.0437, 0.0706, 0.2307, 0.2045, -0.0218, 0.0090, -0.0602,
    0.1199, -0.2349, 0.0338, 0.1523, 0.1501, 0.0732, 0.0755, -0.1232,
    0.0191, 0.1330, -0.1847, 0.0775, 0.0708, -0.0890, -0.0313, -0.0012,
    0.1324, 0.0747, -0.0742, -0.1431, 0.1613, -0.1543, -0.0425, 0.0845,
    -0.0910, -0.1502, -0.2771, 0.0304, 0.3413, 0.1169, -0.1776, 0.0113,
    -0.0707, -0.0208, 0.0271, 0.0364, -0.0611, -0.0560, -0.0907, 0.0163,
    0.1793, -0.0183, -0.0301, 0.2302, 0.0282, -0.0171, 0.0288, 0.0399,
    -0.1174, -0.0171, -0.1147, -0.0234, 0.0359, -0.1054, 0.0138, 0.0982,
    -0.1825, 0.1656, -0.0394, -0.0277, -0.0079, -0.0167, -0.0765, 0.0153,
    0.1546, -0.2369, 0.2060, 0.1589, -0.0295, 0.1203, 0.0678, 0.0676,
    -0.0061, 0.0085, -0.1250, -0.1313, 0.0274, -0.0248, 0.0268, 0.0415,
])
# fmt: on
MEAN_DESCRIPTOR.setflags(write=False)


def centred_cosine(one: Floats, other: Floats) -> float:
    """Cosine of two descriptors (128,) about the mean face, -1 to 1; 0 when one of them is the mean face itself.

    >>> round(centred_cosine(MEAN_DESCRIPTOR + 1.0, MEAN_DESCRIPTOR + 3.0), 6)
    1.0
    """
    a, b = one - MEAN_DESCRIPTOR, other - MEAN_DESCRIPTOR
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.clip(a @ b / lengths, -1.0, 1.0)) if lengths > 0 else 0.0
