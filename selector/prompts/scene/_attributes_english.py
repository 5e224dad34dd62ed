"""English attributes with their kind, and what each could be taken for."""

from __future__ import annotations

from selector.prompts.scene._words import words


def _of(kind: str, text: str) -> dict[str, str]:
    return dict.fromkeys(words(text), kind)


ATTRIBUTES: dict[str, str] = {
    **_of(
        "colour",
        "red orange yellow green blue purple violet pink brown black white grey gray cyan turquoise teal magenta golden"
        " gold silver silvery beige crimson scarlet maroon navy indigo lavender ivory tan cream olive amber blonde"
        " ginger colorful colourful multicolored multicoloured rainbow lilac burgundy khaki bronze",
    ),
    **_of(
        "material",
        "wooden wood metal metallic glass plastic stone brick marble leather paper cardboard brass copper iron steel"
        " concrete ceramic porcelain velvet silk cotton wool woolen woollen knitted rubber crystal straw bamboo clay"
        " linen denim lace wicker granite cast-iron",
    ),
    **_of("size", "small big large tiny huge tall short long giant little enormous gigantic miniature massive mini"),
    **_of("shape", "round square rectangular triangular circular oval spherical cubic cylindrical flat curved spiral"),
    **_of("pattern", "striped spotted dotted checkered chequered plaid polka-dot floral patterned plain zigzag"),
    **_of("age", "old young new ancient vintage antique modern elderly rusty weathered"),
    **_of("texture", "fluffy furry smooth rough shiny soft hard curly hairy bald spiky fuzzy glossy transparent"),
    **_of("state", "open closed empty full broken burning wet dry lit unlit steaming sliced peeled folded"),
}
# Another word of the same kind, to compare with when the prompt itself names none. The first that fits is taken.
RIVALS: dict[str, tuple[str, ...]] = {
    "colour": ("red", "blue", "green", "yellow", "black", "white"),
    "material": ("wooden", "metal", "glass", "stone", "plastic"),
    "size": ("small", "large"),
    "shape": ("round", "square"),
    "pattern": ("plain", "striped", "spotted"),
    "age": ("old", "new"),
    "texture": ("smooth", "fluffy"),
    "state": (),
}
ANTONYMS: dict[str, str] = {
    "small": "large",
    "tiny": "huge",
    "little": "big",
    "mini": "giant",
    "miniature": "giant",
    "short": "tall",
    "large": "small",
    "big": "small",
    "huge": "tiny",
    "giant": "tiny",
    "enormous": "tiny",
    "gigantic": "tiny",
    "massive": "tiny",
    "tall": "short",
    "long": "short",
    "old": "young",
    "elderly": "young",
    "young": "old",
    "ancient": "modern",
    "vintage": "modern",
    "antique": "modern",
    "modern": "old",
    "new": "old",
    "fluffy": "smooth",
    "furry": "hairless",
    "smooth": "rough",
    "rough": "smooth",
    "soft": "hard",
    "hard": "soft",
    "shiny": "dull",
    "glossy": "dull",
    "curly": "straight",
    "transparent": "opaque",
    "bald": "hairy",
    "open": "closed",
    "closed": "open",
    "empty": "full",
    "full": "empty",
    "broken": "intact",
    "wet": "dry",
    "dry": "wet",
    "lit": "unlit",
    "unlit": "lit",
    "folded": "unfolded",
    "sliced": "whole",
    "peeled": "unpeeled",
}
SAME: tuple[frozenset[str], ...] = tuple(
    frozenset(words(same))
    for same in (
        "red crimson scarlet maroon burgundy", "grey gray silver silvery", "yellow gold golden amber blonde",
        "purple violet lavender lilac", "white ivory cream", "blue navy indigo", "green olive", "pink magenta",
        "wooden wood bamboo", "metal metallic steel iron brass copper cast-iron", "stone brick marble granite",
        "glass crystal", "cyan turquoise teal", "brown tan beige", "orange ginger",
    )
)  # fmt: skip
SHADES = frozenset(words("light dark bright pale deep vivid pastel neon navy sky hot royal emerald forest mint"))
