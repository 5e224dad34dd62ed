"""What was done to a candidate beside its generator's own work, in the words of variants and effects."""

from __future__ import annotations

PROMPT_STYLE, FINISH = "prompt style", "finish"  # sorts of treatments
JOIN = " + "  # between a recipe's variant and its treatments


def in_words(maker: str, style: str, finish: str) -> str:
    """What made a candidate: "wanx, prompt style suffix, finish sharpen"."""
    return ", ".join(part for part in (maker, *treatments_in_words(style, finish)) if part)


def own_variant(variant: str, style: str, finish: str) -> str:
    """The generator's own variant in a treated recipe's: "warp" of "warp + suffix + sharpen"."""
    for treatment in (finish, style):
        if treatment and variant == treatment:
            return ""
        if treatment:
            variant = variant.removesuffix(f"{JOIN}{treatment}")
    return variant


def treatments_in_words(style: str, finish: str) -> tuple[str, ...]:
    """The treatments of a candidate, such as "finish sharpen"; these words are also their names as effects."""
    return tuple(f"{sort} {name}" for sort, name in ((PROMPT_STYLE, style), (FINISH, finish)) if name)
