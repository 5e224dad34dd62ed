"""Eyes that generators and scorers share: faces, text, fonts, registration, embeddings. Knows no contest."""
