"""Parts of ``textedit``: find the ink, fill the hole, fit the font, draw the new text."""
