"""Edit instructions: what is to be done to the picture, and captions of it before and after."""
