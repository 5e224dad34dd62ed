"""Instructions that concern the text shown in a picture: which text is replaced, added or deleted."""
