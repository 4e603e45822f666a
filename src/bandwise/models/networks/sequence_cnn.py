"""The paper's classifier: a small 1-D CNN on the coefficients, read row by row.

PyTorch's 1-D convolution and pooling on (N, 1, 784) is bound by memory traffic. `SequenceTrunk`
does the convolutions on the CPU as matrix products: both convolution blocks run in chunks of images
that fit the second-level cache, channels last, and the two inputs of each pooling window are two
separate products:

    outputs 2i and 2i+1 of a kernel-3 convolution read samples 2i-1 … 2i+2, that is the pairs
    P[i] = (x[2i-1], x[2i]) and P[i+1] = (x[2i+1], x[2i+2]), hence
        even[i] = P[i] · W[0:2] + P[i+1]₀ · W[2]
        odd[i]  = P[i]₁ · W[0]  + P[i+1] · W[1:3]

so that no window is copied, and ``relu(max(even, odd))`` is the pooled block. (ReLU and maximum
commute.) The backward pass keeps ``odd - even``, whose sign says which of the two was taken; a tie
goes to the first, as in ``max_pool1d``.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.errors import ConfigurationError, ShapeError

FIRST_CHANNELS = 16
SECOND_CHANNELS = 32
HIDDEN = 128

CHUNK = 32
"""Images a chunk: 32 × 784 × 16 floats is 1.6 MB, about the second-level cache."""

_relu_backward_out = torch.ops.aten.threshold_backward.grad_input


class SequenceCNN(nn.Module):
    """Conv1d 16, ReLU, max-pool 2, Conv1d 32, ReLU, max-pool 2, linear 128, ReLU, linear.

    The kernel size is not given in the paper; here it is 3 with padding 1. The features between
    the convolutions and the hidden layer are ordered by position, then channel (PyTorch's
    ``Flatten`` would order them by channel, then position): the same function under a
    permutation of the hidden layer's columns, without a transposition in every step.

    On a CPU and with one channel the convolutions run as :class:`SequenceTrunk`, which computes
    the same values and gradients in about half the time; elsewhere as PyTorch's own.

    Parameters
    ----------
    length
        Coefficients in a plane, H·W; at least 4.
    num_classes
        Number of logits.
    channels
        Planes an image: 1 grey, 3 colour.
    """

    def __init__(self, length: int, num_classes: int, *, channels: int = 1) -> None:
        super().__init__()
        if length < 4:
            raise ConfigurationError(f"two poolings need a sequence of 4 or more, got {length}")
        self.length = length
        self.channels = channels
        self.first = nn.Conv1d(channels, FIRST_CHANNELS, 3, padding=1)
        self.second = nn.Conv1d(FIRST_CHANNELS, SECOND_CHANNELS, 3, padding=1)
        hidden = nn.Linear(length // 4 * SECOND_CHANNELS, HIDDEN)
        self.hidden_weight = nn.Parameter(hidden.weight.detach().T.contiguous())
        self.hidden_bias = nn.Parameter(hidden.bias.detach())
        self.last = nn.Linear(HIDDEN, num_classes)

    def forward(self, coefficients: Tensor) -> Tensor:
        """Logits (N, num_classes) of coefficients (N, channels, H, W) or (N, channels, H·W)."""
        sequence = coefficients.flatten(2)
        if sequence.shape[1:] != (self.channels, self.length):
            raise ShapeError(
                f"this network reads {self.channels} plane(s) of {self.length} coefficients, "
                f"got {tuple(coefficients.shape)}"
            )
        features = self._features(sequence)
        hidden = torch.addmm(self.hidden_bias, features, self.hidden_weight)
        logits: Tensor = self.last(F.relu(hidden))
        return logits

    def _features(self, sequence: Tensor) -> Tensor:
        """Features (N, length // 4 · 32), ordered by position, then channel."""
        if SequenceTrunk.serves(sequence):
            first_bias, second_bias = self.first.bias, self.second.bias
            assert first_bias is not None
            assert second_bias is not None
            return SequenceTrunk.run(
                sequence.flatten(1), self.first.weight, first_bias, self.second.weight, second_bias
            )
        maps = F.max_pool1d(F.relu(self.first(sequence)), 2)
        maps = F.max_pool1d(F.relu(self.second(maps)), 2)
        return maps.transpose(1, 2).flatten(1)


class SequenceTrunk(torch.autograd.Function):
    """Two blocks of convolution (kernel 3, padding 1), ReLU and max-pool 2 on one channel."""

    @staticmethod
    def serves(sequence: Tensor) -> bool:
        """Whether :meth:`run` can take a sequence (N, channels, T)."""
        return (
            sequence.device.type == "cpu"
            and sequence.dtype == torch.float32
            and sequence.shape[1] == 1
            and sequence.shape[2] % 4 == 0
            and sequence.shape[0] > 0
        )

    @staticmethod
    def run(
        sequence: Tensor,
        first_weight: Tensor,
        first_bias: Tensor,
        second_weight: Tensor,
        second_bias: Tensor,
    ) -> Tensor:
        """Features (N, T/4 · C2) of (N, T); weights (C1, 1, 3) and (C2, C1, 3), biases (C,)."""
        features: Tensor = SequenceTrunk.apply(  # type: ignore[no-untyped-call]
            sequence,
            torch.cat([first_weight[:, 0].T, first_bias[None]]),
            second_weight.permute(2, 1, 0).flatten(0, 1),
            second_bias,
        )
        return features

    @staticmethod
    def forward(
        ctx: Any, sequence: Tensor, first: Tensor, second: Tensor, second_bias: Tensor
    ) -> Tensor:
        """See :meth:`run`; ``first`` is (4, C1): taps, then bias; ``second`` is (3·C1, C2)."""
        images, length = sequence.shape
        c1, c2 = first.shape[1], second.shape[1]
        half, quarter = length // 2, length // 4
        windows = _windows(sequence)
        even_taps, odd_taps = _taps(first)
        pairs = sequence.new_empty(images, half + 2, c1)
        pairs[:, 0] = 0
        pairs[:, -1] = 0
        features = sequence.new_empty(images, quarter, c2)
        lead1 = sequence.new_empty(images, half, c1)
        lead2 = sequence.new_empty(images, quarter + 1, c2)
        lead2[:, -1] = 0
        chunk = min(CHUNK, images)
        even1 = sequence.new_empty(chunk * half, c1)
        even2 = sequence.new_zeros(chunk * (quarter + 1), c2)
        for start in range(0, images, CHUNK):
            part = slice(start, min(start + CHUNK, images))
            n = part.stop - part.start
            window = windows[part].flatten(0, 1)
            even, odd = even1[: n * half], lead1[part].view(-1, c1)
            torch.mm(window, even_taps, out=even)
            torch.mm(window, odd_taps, out=odd)
            shape = (n, half, c1)
            torch.maximum(even.view(shape), odd.view(shape), out=pairs[part, 1:-1]).relu_()
            odd -= even

            pair = pairs[part].view(-1, 2 * c1)
            here, after = pair[:-1], pair[1:]
            even, odd = even2[: len(pair)], lead2[part].view(-1, c2)
            torch.addmm(second_bias, here, second[: 2 * c1], out=even[:-1])
            even[:-1].addmm_(after[:, :c1], second[2 * c1 :])
            torch.addmm(second_bias, here[:, c1:], second[:c1], out=odd[:-1])
            odd[:-1].addmm_(after, second[c1:])
            shape = (n, quarter + 1, c2)
            even, odd = even.view(shape)[:, :-1], odd.view(shape)[:, :-1]
            torch.maximum(even, odd, out=features[part]).relu_()
            odd -= even
        ctx.save_for_backward(windows, first, second, pairs, lead1, lead2, features)
        return features.flatten(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """Gradients of :meth:`forward`'s four inputs."""
        windows, first, second, pairs, lead1, lead2, features = ctx.saved_tensors
        images, half, c1 = lead1.shape
        quarter, c2 = features.shape[1:]
        upstream = gradients[0].reshape(images, quarter, c2)
        wants_input = ctx.needs_input_grad[0]
        even_taps, odd_taps = _taps(first)
        grad_even_taps, grad_odd_taps = torch.zeros_like(even_taps), torch.zeros_like(odd_taps)
        grad_second, grad_bias = torch.zeros_like(second), second.new_zeros(c2)
        grad_windows = windows.new_empty(4, images * half) if wants_input else None
        chunk = min(CHUNK, images)
        even2 = second.new_zeros(chunk, quarter + 1, c2)
        odd2 = second.new_empty(chunk * (quarter + 1), c2)
        grad_pairs = second.new_empty(chunk * (quarter + 1), 2 * c1)
        even1, odd1 = second.new_empty(chunk, half, c1), second.new_empty(chunk * half, c1)
        second_t = second.T
        for start in range(0, images, CHUNK):
            part = slice(start, min(start + CHUNK, images))
            n = part.stop - part.start
            even3 = even2[:n]
            even3[:, -1] = 0
            _relu_backward_out(upstream[part], features[part], 0, grad_input=even3[:, :-1])
            even, odd = even3.view(-1, c2), odd2[: n * (quarter + 1)]
            grad_bias += even.sum(0)
            _split(even, lead2[part].view(-1, c2), odd)
            even, odd = even[:-1], odd[:-1]
            pair = pairs[part].view(-1, 2 * c1)
            here, after = pair[:-1], pair[1:]
            grad_second[: 2 * c1].addmm_(here.T, even)
            grad_second[2 * c1 :].addmm_(after[:, :c1].T, even)
            grad_second[:c1].addmm_(here[:, c1:].T, odd)
            grad_second[c1:].addmm_(after.T, odd)
            grad_pair = grad_pairs[: n * (quarter + 1)]
            grad_pair[-1] = 0
            torch.mm(even, second_t[:, : 2 * c1], out=grad_pair[:-1])
            grad_pair[1:, :c1].addmm_(even, second_t[:, 2 * c1 :])
            grad_pair[:-1, c1:].addmm_(odd, second_t[:, :c1])
            grad_pair[1:].addmm_(odd, second_t[:, c1:])

            grad_pooled = grad_pair.view(n, half + 2, c1)[:, 1:-1]
            _relu_backward_out(grad_pooled, pairs[part, 1:-1], 0, grad_input=even1[:n])
            even, odd = even1[:n].view(-1, c1), odd1[: n * half]
            _split(even, lead1[part].view(-1, c1), odd)
            window = windows[part].flatten(0, 1)
            grad_even_taps.addmm_(window.T, even)
            grad_odd_taps.addmm_(window.T, odd)
            if grad_windows is not None:
                grad_window = grad_windows[:, start * half : part.stop * half]
                torch.mm(even_taps[:4], even.T, out=grad_window).addmm_(odd_taps[:4], odd.T)
        grad_first = torch.cat(
            [
                grad_even_taps[:3] + grad_odd_taps[1:4],
                (grad_even_taps[4] + grad_odd_taps[4])[None],
            ]
        )
        grad_sequence = None
        if grad_windows is not None:
            grad_sequence = _fold(grad_windows.view(4, images, half))
        return grad_sequence, grad_first, grad_second, grad_bias


def _windows(sequence: Tensor) -> Tensor:
    """(N, T) to (N, T/2, 5): samples 2i-1 … 2i+2 (zero outside), then a one for the bias."""
    images, length = sequence.shape
    windows = sequence.new_empty(images, length // 2, 5)
    padded = F.pad(sequence, (1, 1))
    windows[..., :4] = padded.unfold(1, 4, 2)
    windows[..., 4] = 1
    return windows


def _fold(windows: Tensor) -> Tensor:
    """Sum (4, N, T/2), by column of the windows, to (N, T): the adjoint of :func:`_windows`.

    Works in place on ``windows``.
    """
    even, odd = windows[1], windows[2]
    even[:, 1:] += windows[3, :, :-1]
    odd[:, :-1] += windows[0, :, 1:]
    # Complex numbers interleave two planes in one vectorised pass; stacking takes four times that.
    return torch.view_as_real(torch.complex(even, odd)).flatten(1)


def _taps(first: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (4, C1) spread over the five window columns for even and for odd outputs."""
    zero = torch.zeros_like(first[:1])
    taps, bias = first[:3], first[3:]
    return torch.cat([taps, zero, bias]), torch.cat([zero, taps, bias])


def _split(gradient: Tensor, lead: Tensor, odd: Tensor) -> None:
    """Move the gradient to ``odd`` where ``lead`` is positive; the rest stays, in place."""
    _relu_backward_out(gradient, lead, 0, grad_input=odd)
    gradient -= odd
