"""Plots of the calibration as PNG bytes with their words: pure drawing functions, nothing heavy at import."""
