"""Which language people are spoken to in."""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH, CHINESE = "en", "zh"
OVER_ALL = "BESTSHOT_LANG"
LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set counts, as for any program


def spoken(environment: Mapping[str, str]) -> str:
    """``zh`` or ``en``: as BESTSHOT_LANG says, else as the locale does; a language that is not known is English."""
    wanted = next((value for name in (OVER_ALL, *LOCALE) if (value := environment.get(name))), "")
    return CHINESE if wanted.lower().startswith(CHINESE) else ENGLISH
