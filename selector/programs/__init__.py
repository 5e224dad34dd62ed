"""Programs of the user as generators and scorers: started without a shell, bounded, and never left behind."""
