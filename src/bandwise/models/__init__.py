"""Networks: built in or of one's own, what they read, their outputs, and trained ones as files."""
