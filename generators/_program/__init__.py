"""What ``generators.command`` needs to run a program: its arguments, its environment, its process."""
