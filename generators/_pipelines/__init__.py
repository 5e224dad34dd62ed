"""Local pipelines in diffusers' folder format: presets, loading, placement in memory, passes, results."""
