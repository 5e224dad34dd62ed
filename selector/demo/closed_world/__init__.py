"""A closed world of coloured shapes: its scenes, captions, pictures, and a checker that reads the truth back.

``bestshot demo --play`` plays a contest in it; the two embedded models were trained on it
(``experiments.closed_world`` in the repository).
"""
