"""Measuring candidates: scores, gates, the shared embedding pass, and the realism of sets."""
