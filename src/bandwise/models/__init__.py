"""Models that are asked: how they are loaded, what they see, what they answer."""
