"""From estimates to picks."""

from selector.ranking.pick import Pick, pick_best

__all__ = ["Pick", "pick_best"]
