"""Eyes that generators and scorers share: faces, text, fonts, registration, instructions. Knows only the domain.

Two rooms need to find the same face or read the same sign, and they may not import each other; so the finding lives
here, once, with its results cached by picture id.
"""
