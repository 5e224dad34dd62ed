"""What the words of a task say, read by rules: scenes, edits, texts to be changed; and other wordings of a prompt."""
