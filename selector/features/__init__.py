"""Raw scores as arrays."""

from selector.features.matrix import RECIPE_ORDER, FeatureTable, feature_tables

__all__ = ["RECIPE_ORDER", "FeatureTable", "feature_tables"]
