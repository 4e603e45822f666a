"""Training on one process, or on several with PyTorch's `DistributedDataParallel`.

    batch ──→ part of each process ──→ network
                                         │
    the same step on every process ←── gradients, averaged over the whole batch

gloo on CPUs, NCCL on GPUs. On GPUs batch normalisation is over the whole batch (`SyncBatchNorm`);
on CPUs each process normalises its part of a batch by itself, and running statistics are those of
process 0. Every process has the same weights and optimisers.
"""

from __future__ import annotations

import copy
import os
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from bandwise.errors import ConfigurationError, WorkerError


@dataclass(frozen=True, kw_only=True)
class Processes:
    """The processes that train together; one that trains alone by default.

    Attributes
    ----------
    rank, world_size
        Which process this is, from 0, of how many. Process 0 alone writes files.
    store
        What the processes share beside tensors; None for one alone.
    """

    rank: int = 0
    world_size: int = 1
    store: Store | None = None

    def trainable(self, network: nn.Module) -> nn.Module:
        """What to train in the place of ``network``: a synchronised copy on several GPUs."""
        if self.world_size == 1 or not any(value.is_cuda for value in network.parameters()):
            return network
        synchronised: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(network))
        return synchronised

    def replica(self, module: nn.Module) -> nn.Module:
        """What to call in training; its gradients are means over processes."""
        return (
            module if self.world_size == 1 else DistributedDataParallel(module, static_graph=True)
        )

    def share_buffers(self, module: nn.Module) -> None:
        """Give every process the buffers of process 0, such as running statistics."""
        if self.world_size > 1:
            for buffer in module.buffers():
                dist.broadcast(buffer, 0)

    def total(self, value: Tensor) -> Tensor:
        """Sum of all processes' values, of any shape, in place."""
        if self.world_size > 1:
            dist.all_reduce(value)
        return value

    def agree(self, state: str) -> bool:
        """Whether all processes give the same state."""
        states = [state] * self.world_size
        if self.world_size > 1:
            dist.all_gather_object(states, state)
        return len(set(states)) == 1

    def first_to_fail(self) -> bool:
        """Whether this process, which has failed, is the first one, whose error is to be shown."""
        try:
            return self.store is None or self.store.add("failed", 1) == 1
        except RuntimeError:  # the store is gone with the process that held it
            return False


ALONE = Processes()


@contextmanager
def joined() -> Iterator[Processes]:
    """The processes that ``torchrun`` has started this one among, or this one alone.

    A context manager. GPUs of a machine go round by ``LOCAL_RANK``: device ``"cuda"`` is this
    process's then. Raises `ConfigurationError` when the environment names several processes, but
    not how they find each other; `WorkerError` when another process dies.
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
        yield Processes(rank=rank, world_size=world_size, store=store)
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error):
            raise WorkerError(
                f"another process of the training died ({textwrap.shorten(str(error), 300)}); "
                "the same command goes on from the checkpoint, if there is one"
            ) from error
        raise
    dist.destroy_process_group()  # not after an error: others may be gone, and waiting hang
