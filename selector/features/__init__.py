"""Raw scores as arrays."""

from selector.features.matrix import FeatureTable, feature_tables

__all__ = ["FeatureTable", "feature_tables"]
