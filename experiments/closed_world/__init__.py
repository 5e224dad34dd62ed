"""A closed world of coloured shapes: pictures, captions and a truth, to train small models on and to measure against."""
