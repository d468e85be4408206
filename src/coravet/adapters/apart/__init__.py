"""What is kept apart from the database."""
