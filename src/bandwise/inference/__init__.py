"""Trained networks in use: one file that holds a model, JPEG bytes to class probabilities, ONNX."""

from bandwise.inference.model import Model, Reads
from bandwise.inference.onnx import export_onnx

__all__ = ["Model", "Reads", "export_onnx"]
