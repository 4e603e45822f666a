"""Search for the smallest standard JPEG of an image that keeps a model's answer."""
