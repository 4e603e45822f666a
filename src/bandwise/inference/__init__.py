"""Trained networks in use: one file that holds a model, JPEG bytes to class probabilities, ONNX."""

from bandwise.inference.model import Model
from bandwise.inference.onnx import export_onnx
from bandwise.tasks import Reads

__all__ = ["Model", "Reads", "export_onnx"]
