"""Parts of ``faceswap``: geometry and blending."""
