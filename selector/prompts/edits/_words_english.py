"""English words of edit instructions, each with the operation that it means and its sign."""

from __future__ import annotations

COLOURS = {
    "red": "red", "crimson": "red", "scarlet": "red", "orange": "orange", "yellow": "yellow", "golden": "yellow",
    "green": "green", "cyan": "cyan", "turquoise": "cyan", "teal": "cyan", "blue": "blue", "purple": "purple",
    "violet": "purple", "pink": "pink", "magenta": "pink", "brown": "brown", "black": "black", "white": "white",
    "gray": "grey", "grey": "grey",
}  # fmt: skip
ADJECTIVES: dict[str, tuple[str, int]] = {
    **dict.fromkeys(("brighter", "bright", "lighter", "light"), ("brightness", 1)),
    **dict.fromkeys(("darker", "dark", "dimmer", "dim"), ("brightness", -1)),
    **dict.fromkeys(("contrasty", "high contrast", "higher contrast", "high-contrast"), ("contrast", 1)),
    **dict.fromkeys(("low contrast", "lower contrast", "low-contrast"), ("contrast", -1)),
    **dict.fromkeys(("warmer", "warm", "warm-toned", "warmer in tone"), ("warmth", 1)),
    **dict.fromkeys(("cooler", "colder", "cool-toned", "cooler in tone"), ("warmth", -1)),
    **dict.fromkeys(("saturated", "vivid", "vibrant", "colorful", "colourful"), ("saturation", 1)),
    **dict.fromkeys(("desaturated", "muted"), ("saturation", -1)),
    **dict.fromkeys(("sharper", "crisper", "sharp", "crisp"), ("sharpen", 1)),
    **dict.fromkeys(("blurry", "blurred", "blurrier", "out of focus"), ("blur", 1)),
}
NOUNS = {
    "brightness": "brightness", "exposure": "brightness", "contrast": "contrast", "warmth": "warmth",
    "color temperature": "warmth", "colour temperature": "warmth", "saturation": "saturation",
    "color saturation": "saturation", "colour saturation": "saturation", "vibrance": "saturation",
    "vibrancy": "saturation", "sharpness": "sharpen", "blur": "blur", "blurriness": "blur",
}  # fmt: skip
STYLES = {
    **dict.fromkeys(("black and white", "grayscale", "greyscale", "gray scale", "monochrome"), "black_white"),
    **dict.fromkeys(("sepia", "sepia tone", "sepia toned", "sepia-toned", "sepia-tone"), "sepia"),
    **dict.fromkeys(("pencil sketch", "pencil drawing", "sketch", "pencil-sketch", "graphite sketch"), "pencil_sketch"),
    **dict.fromkeys(("hand-drawn pencil sketch", "hand drawn pencil sketch", "graphite drawing"), "pencil_sketch"),
}
EFFECTS = {
    **STYLES, "vignette": "vignette", "vignetting": "vignette", "blur": "blur", "gaussian blur": "blur",
    "bokeh": "blur", "lens blur": "blur",
}  # fmt: skip
VERBS: dict[str, tuple[str, int]] = {
    **dict.fromkeys(("brighten", "brighten up", "lighten", "lighten up"), ("brightness", 1)),
    **dict.fromkeys(("darken", "dim"), ("brightness", -1)),
    **dict.fromkeys(("warm", "warm up"), ("warmth", 1)),
    **dict.fromkeys(("cool", "cool down"), ("warmth", -1)),
    "saturate": ("saturation", 1),
    **dict.fromkeys(("sharpen", "sharpen up"), ("sharpen", 1)),
    **dict.fromkeys(("blur", "blur out", "defocus"), ("blur", 1)),
    "desaturate": ("saturation", -1),
}
LONE_VERBS = frozenset({"brighten", "lighten", "darken", "sharpen", "saturate", "desaturate", "blur"})
NUMBERS = {"ninety": 90, "one hundred eighty": 180, "one hundred and eighty": 180, "forty-five": 45, "forty five": 45}
