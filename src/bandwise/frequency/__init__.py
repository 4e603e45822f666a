"""Frequencies of images: the DCT, bands and tables over its plane, and what files make of them."""
