"""Training on one process or on many: what differs between them, and nothing else does.

    whole batch ──→ part of each process ──→ network, normalised over the whole batch
                                                  │
    the same step on every process ←── gradients, averaged over the whole batch

Every process draws the same numbers, takes the same steps and so has the same state: network,
optimiser, generators. Gradients are PyTorch's `DistributedDataParallel`, with gloo on CPUs and NCCL
on GPUs.
"""

from __future__ import annotations

import copy
import hashlib
import os
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from bandwise.data.epochs import BatchRandom as Draws
from bandwise.data.epochs import part_of
from bandwise.errors import ConfigurationError, WorkerError


class Processes:
    """A process that trains alone, to which every batch belongs.

    Attributes
    ----------
    rank, world_size
        Which process this is, from 0, of how many. Process 0 alone writes files.
    """

    rank = 0
    world_size = 1

    def __repr__(self) -> str:
        return f"{type(self).__name__}(rank={self.rank}, world_size={self.world_size})"

    def begin_batch(self, generator: torch.Generator, count: int) -> Draws:
        """Begin a batch of ``count`` images; returns its draws, which know this process's part."""
        return Draws(generator, count)

    def part(self, index: Tensor) -> Tensor:
        """Of a batch's images (n,), those of this process."""
        return index[part_of(len(index), self.rank, self.world_size)]

    def trainable(self, network: nn.Module) -> nn.Module:
        """Network to train in the place of ``network``, normalised over the whole batch."""
        return network

    def replica(self, module: nn.Module) -> nn.Module:
        """What to call in training; the gradients that it leaves are the whole batch's."""
        return module

    def total(self, value: Tensor) -> Tensor:
        """Sum of all processes' values, of any shape."""
        return value

    def agree(self, _state: str) -> bool:
        """Whether all processes say the same."""
        return True

    def first_to_fail(self) -> bool:
        """Whether this process, which has failed, is the first one, whose error is to be shown."""
        return True


ALONE = Processes()


@contextmanager
def joined() -> Iterator[Processes]:
    """The processes that ``torchrun`` has started this one among, or this one alone.

    A context manager. GPUs of a machine go round by ``LOCAL_RANK``: device ``"cuda"`` is this
    process's then.

    Raises
    ------
    ConfigurationError
        When the environment names several processes, but not how they find each other.
    WorkerError
        When another process dies.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    try:
        store, rank, world_size = next(rendezvous("env://"))
    except ValueError as error:
        raise ConfigurationError(
            f"WORLD_SIZE names {os.environ['WORLD_SIZE']} processes ({error}); start them with "
            "torchrun"
        ) from error
    if os.environ.get("GROUP_WORLD_SIZE", "1") == "1":
        # torchrun starts processes again with the store that holds the addresses of dead ones.
        start = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = PrefixStore(f"bandwise/start-{start}/", store)
    backend = "gloo"
    if torch.cuda.is_available():
        backend = "cpu:gloo,cuda:nccl"
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    dist.init_process_group(backend, store=store, rank=rank, world_size=world_size)
    try:
        yield Group(lambda: int(store.add("failed", 1)))
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error):
            raise WorkerError(
                f"another process of the training died ({textwrap.shorten(str(error), 300)}); "
                "the same command goes on from the checkpoint, if there is one"
            ) from error
        raise
    dist.destroy_process_group()  # not after an error: others may be gone, and waiting hang


class Group(Processes):
    """The processes of PyTorch's default group.

    Parameters
    ----------
    count_failure
        Counts one more process that failed; returns of how many.
    """

    def __init__(self, count_failure: Callable[[], int]) -> None:
        self.rank, self.world_size = dist.get_rank(), dist.get_world_size()
        self.batch: Draws | None = None
        self._count_failure = count_failure

    def begin_batch(self, generator: torch.Generator, count: int) -> Draws:
        """As `Processes.begin_batch`."""
        self.batch = _PartDraws(generator, count, self)
        return self.batch

    def trainable(self, network: nn.Module) -> nn.Module:
        """A copy with layers over the whole batch, of the same parameters by the same names."""
        network = copy.deepcopy(network)
        if any(value.is_cuda for value in network.parameters()):
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        for layer in network.modules():
            if type(layer) in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
                layer.__class__ = _BatchNorm
            elif type(layer) is nn.Dropout:
                layer.__class__ = _Dropout
                layer.processes = self  # type: ignore[assignment]
        return network

    def replica(self, module: nn.Module) -> nn.Module:
        """As `Processes.replica`."""
        return DistributedDataParallel(module, static_graph=True)

    def total(self, value: Tensor) -> Tensor:
        """As `Processes.total`."""
        dist.all_reduce(value)
        return value

    def agree(self, state: str) -> bool:
        """As `Processes.agree`."""
        digest = int.from_bytes(hashlib.sha256(state.encode()).digest()[:7])
        bounds = torch.tensor([digest, -digest])
        dist.all_reduce(bounds, dist.ReduceOp.MAX)
        return bool(bounds.tolist() == [digest, -digest])

    def first_to_fail(self) -> bool:
        """As `Processes.first_to_fail`."""
        try:
            return self._count_failure() == 1
        except RuntimeError:  # the store is gone with the process that held it
            return False


class _PartDraws(Draws):
    """Draws of a batch that several processes share."""

    def __init__(self, generator: torch.Generator, count: int, processes: Processes) -> None:
        super().__init__(generator, count)
        self._processes = processes
        self.part = part_of(count, processes.rank, processes.world_size)

    @property
    def weight(self) -> float:
        """So that the mean over processes is the mean over the batch, though parts differ."""
        return self._processes.world_size * (self.part.stop - self.part.start) / self.count

    def shuffle(self) -> Callable[[Tensor], Tensor]:
        """As `Draws.shuffle`; images come from the processes that have them."""
        order = torch.randperm(self.count, generator=self.generator)
        world_size = self._processes.world_size
        parts = [part_of(self.count, rank, world_size) for rank in range(world_size)]
        sent = [_within(order[part], self.part) for part in parts]
        received = [_within(order[self.part], part) for part in parts]
        images = torch.cat([order[part][there] for part, there in zip(parts, sent, strict=True)])
        place = torch.cat(received).argsort()
        counts = ([len(there) for there in received], [len(there) for there in sent])

        def shuffled(values: Tensor) -> Tensor:
            own = values[images - self.part.start]
            exchanged: Tensor = _Exchange.apply(own, *counts)  # type: ignore[no-untyped-call]
            return exchanged[place]

        return shuffled


def _within(index: Tensor, part: slice) -> Tensor:
    """Where an index (n,) is within a part."""
    return torch.nonzero((index >= part.start) & (index < part.stop)).flatten()


class _BatchNorm(nn.BatchNorm2d):
    """What `nn.SyncBatchNorm` is on GPUs, for CPUs, which that refuses; of any number of axes."""

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, ...) to the same shape."""
        if not self.training:
            return super().forward(features)
        weight = self.weight if self.affine else features.new_ones(self.num_features)
        bias = self.bias if self.affine else features.new_zeros(self.num_features)
        normalised: Tensor
        normalised, mean, variance = _Normalise.apply(  # type: ignore[no-untyped-call]
            features, weight, bias, self.eps
        )
        if self.running_mean is not None and self.running_var is not None:
            assert self.num_batches_tracked is not None
            self.num_batches_tracked += 1
            each_alike = 1 / float(self.num_batches_tracked)
            momentum = each_alike if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance, momentum)
        return normalised

    def _check_input_dim(self, input: Tensor) -> None:
        """Any will do."""


class _Normalise(torch.autograd.Function):
    """Batch normalisation over all processes; also the mean and the unbiased variance, (C,).

    PyTorch's own kernels do it with the statistics given, to which the gradient through these is
    added (Ioffe and Szegedy, "Batch normalization", ICML 2015).
    """

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        own, variance = (
            each.double() for each in torch.batch_norm_update_stats(features, None, None, 0.0)
        )
        moments = torch.stack([torch.ones_like(own), own, variance + own.square()])
        moments *= features.numel() // features.shape[1]
        dist.all_reduce(moments)
        mean, square = moments[1:] / moments[0]
        variance = square - mean.square()
        unbiased = variance * moments[0] / (moments[0] - 1)
        count, mean, variance = (each.to(weight) for each in (moments[0], mean, variance))
        ctx.save_for_backward(features, weight, mean, variance, count)
        ctx.eps = eps
        normalised = F.batch_norm(features, mean, variance, weight, bias, training=False, eps=eps)
        return normalised, mean, unbiased.to(weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        features, weight, mean, variance, count = ctx.saved_tensors
        of_features, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradient, features, weight, mean, variance, None, None, False, ctx.eps, [True] * 3
        )
        sums = torch.stack([of_bias, of_weight])
        dist.all_reduce(sums)
        scale = (variance + ctx.eps).rsqrt() * weight / count
        through_mean, through_variance = -scale * sums
        of_features += F.batch_norm(
            features, mean, variance, through_variance, through_mean, training=False, eps=ctx.eps
        )
        return of_features, of_weight, of_bias, None


class _Dropout(nn.Dropout):
    """Draws the mask of the whole batch and takes its part, where images are the first axis."""

    processes: Group

    def forward(self, features: Tensor) -> Tensor:
        """(N, ...) to the same shape."""
        batch = self.processes.batch
        of_part = batch is not None and len(features) == batch.part.stop - batch.part.start
        if not (self.training and self.p and batch and of_part):
            return super().forward(features)
        ones = features.new_ones(batch.count, *features.shape[1:])
        return features * F.dropout(ones, self.p)[batch.part]


class _Exchange(torch.autograd.Function):
    """Values (n, ...) to other processes and theirs to this one, so many each, in order of rank."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, received: Sequence[int], sent: Sequence[int]) -> Tensor:
        ctx.counts = (sent, received)
        exchanged = values.new_empty(sum(received), *values.shape[1:])
        dist.all_to_all_single(exchanged, values.contiguous(), [*received], [*sent])
        return exchanged

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _Exchange.forward(ctx, gradient, *ctx.counts), None, None
