"""The records of a scene are the domain's."""

from selector.domain.reading import OPPOSITE, Attribute, Kind, Language, Relation, Scene, Thing

__all__ = ["OPPOSITE", "Attribute", "Kind", "Language", "Relation", "Scene", "Thing"]
