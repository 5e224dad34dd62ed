"""A closed world of coloured shapes: its pictures, captions and truth; small models are trained and measured on it."""
