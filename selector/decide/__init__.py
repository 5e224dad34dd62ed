"""What a campaign knows, and what follows from it: estimates, picks, plans and their explanations."""
