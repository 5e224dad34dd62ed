"""What the program says in another language than English: at the edge, by templates; ``docs/language.md``."""

from selector.language._choice import CHINESE, ENGLISH, spoken
from selector.language._translating import meaning, translated
from selector.language._words import words_of
from selector.language._wrapping import display_width, wrapped

__all__ = ["CHINESE", "ENGLISH", "display_width", "meaning", "spoken", "translated", "words_of", "wrapped"]
