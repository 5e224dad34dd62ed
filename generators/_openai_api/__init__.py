"""Helpers of ``generators.openai_images``: the request, its errors, its answer, and pictures on their way."""
