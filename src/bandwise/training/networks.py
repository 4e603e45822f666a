"""Train an image network, on pixels or coefficients: from scratch, or on from given weights.

for each epoch:
    for each batch:      read (→ companion) → augment → mix → network → cross-entropy, soft targets
                         SGD steps the network; an average follows its weights
    validate the average, write a checkpoint, report

What is kept is the average of the last epoch: nothing is chosen on validation. A companion is
learned with the network: it changes the images first and adds a penalty to the loss. The next batch
is read on another thread meanwhile. Several processes take a part of each batch each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise.checkpoint import Pace
from bandwise.data import LabelledImages
from bandwise.data.epochs import draw_batches, epoch_generator
from bandwise.errors import CheckpointError, DivergenceError
from bandwise.files import remove_temporaries
from bandwise.tasks import logits_of_batches
from bandwise.training.examples import Examples, as_examples
from bandwise.training.network_state import Companion, NetworkConfig, NetworkEpoch, NetworkState
from bandwise.training.processes import ALONE, Processes

NetworkListener = Callable[[NetworkEpoch], None]


def train_network(
    network: nn.Module,
    train: LabelledImages | Examples[Any],
    *,
    validation: LabelledImages | Examples[Any],
    num_classes: int,
    config: NetworkConfig,
    companion: Companion | None = None,
    device: torch.device | str = "cpu",
    processes: Processes = ALONE,
    checkpoint: Path | None = None,
    checkpoint_share: float = 0.01,
    fingerprint: str = "",
    listener: NetworkListener = lambda _: None,
) -> tuple[NetworkEpoch, ...]:
    """Train ``network`` in place and leave it with the averaged weights of the last epoch.

    Parameters
    ----------
    network
        Maps what ``train`` reads, such as pixels (N, C, H, W) in [0, 1], to logits
        (N, num_classes).
    companion
        Learned with the network, in place, on pixels. Validation sees the images through it too.
    processes
        What `joined` gives where several processes train the network. All call this with the same
        arguments and get the same result; batches are of all of them together.
    checkpoint
        A file that is written after every epoch and in the middle of long ones and, where it
        exists, resumed from. Process 0 writes it, all read it.
    checkpoint_share
        Share of the time that writing it in the middle of an epoch may take, above 0.
    fingerprint
        Identity of network, data and settings; a checkpoint with another one is refused.

    Raises
    ------
    CheckpointError
        If ``checkpoint`` is damaged or belongs to another configuration, or processes have
        different ones.
    ConfigurationError
        If a batch has fewer images than there are processes.
    DivergenceError
        If the loss leaves the finite numbers.
    """
    train, validation = as_examples(train), as_examples(validation)
    run = NetworkState(network.to(device), config, companion, processes)
    if checkpoint is not None and checkpoint.exists():
        run.load(checkpoint, fingerprint)
    if not processes.agree(f"{fingerprint} {config} {run.steps}"):
        raise CheckpointError(
            "the processes have different data, settings or checkpoints; all need the same files "
            f"and the same {checkpoint}"
        )
    pace = Pace(checkpoint_share)

    def save() -> None:
        if checkpoint is not None and processes.rank == 0:
            with pace.writing():
                run.save(checkpoint, fingerprint)

    def save_if_due() -> None:
        if pace.due():
            save()

    if checkpoint is not None and processes.rank == 0:
        remove_temporaries(checkpoint.parent, {checkpoint.name})
    while len(run.history) < config.epochs:
        with torch.random.fork_rng(devices=[]):
            loss = _train_epoch(run, train, num_classes, device, processes, save_if_due)
        seconds = run.seconds
        if not math.isfinite(loss):
            raise DivergenceError(
                f"the loss is {loss} in epoch {len(run.history) + 1}; "
                f"use a learning rate below {config.learning_rate}"
            )
        logits = _validate(run, validation, num_classes, device, processes)
        run.leave_epoch(
            NetworkEpoch(
                epoch=len(run.history) + 1,
                epochs=config.epochs,
                train_loss=loss,
                validation_loss=float(F.cross_entropy(logits, validation.labels)),
                validation_accuracy=float((logits.argmax(1) == validation.labels).float().mean()),
                train_seconds=seconds,
                images=len(train),
            )
        )
        save()
        listener(run.history[-1])
    network.load_state_dict(run.average.state_dict())
    network.eval()
    return tuple(run.history)


def _train_epoch(
    run: NetworkState,
    examples: Examples[Any],
    num_classes: int,
    device: torch.device | str,
    processes: Processes,
    after_step: Callable[[], None],
) -> float:
    """One pass, or what is left of it; the mean loss over images."""
    config, epoch = run.config, len(run.history)
    generator = epoch_generator(config.seed, epoch)
    scale = config.small_scale if epoch < config.small_share * config.epochs else 1.0
    batches = draw_batches(
        len(examples), config.batch_size, generator, world_size=processes.world_size
    )
    if run.step >= len(batches):
        raise CheckpointError(
            "the checkpoint is from before a last batch that is too small for "
            f"{processes.world_size} processes; finish the epoch with as many as began it"
        )
    run.enter_epoch(generator, device)
    run.replica.train()
    if run.change is not None:
        run.change.train()
    parts = [processes.part(batch) for batch in batches[run.step :]]
    for index, inputs in _read_ahead(examples, parts):
        draws = processes.begin_batch(generator, len(batches[run.step]))
        run.set_learning_rate(epoch + run.step / len(batches))
        if run.change is not None:
            inputs = run.change(inputs)
        inputs = examples.augment(inputs, config.augmentation, draws, scale=scale)
        targets = F.one_hot(examples.labels[index], num_classes).float()
        targets = targets * (1 - config.label_smoothing) + config.label_smoothing / num_classes
        inputs, targets = examples.mix(inputs, targets, config.augmentation.mix, draws)
        loss = F.cross_entropy(run.replica(inputs.to(device)), targets.to(device))
        if run.companion is not None:
            loss = loss + run.companion.penalty()
        for optimiser in run.optimisers:
            optimiser.zero_grad()
        (loss * draws.weight).backward()
        for optimiser in run.optimisers:
            optimiser.step()
        run.follow()
        run.loss += processes.total(loss.detach() * len(index))
        run.step += 1
        if run.step < len(batches):
            after_step()
    return float(run.loss) / len(examples)


def _validate(
    run: NetworkState,
    examples: Examples[Any],
    num_classes: int,
    device: torch.device | str,
    processes: Processes,
) -> Tensor:
    """Logits (N, num_classes) of all images, each computed by one process."""
    batches = torch.arange(len(examples)).split(run.config.batch_size)
    own = batches[processes.rank :: processes.world_size]
    logits = torch.zeros(len(examples), num_classes)
    if own:
        inputs = (examples.read(index) for index in own)
        logits[torch.cat(own)] = logits_of_batches(
            run.evaluated(), inputs, device=device, num_classes=num_classes
        )
    return processes.total(logits)


def _read_ahead(examples: Examples[Any], parts: Sequence[Tensor]) -> Iterator[tuple[Tensor, Any]]:
    """Each part's index and inputs, read while the one before is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(examples.read, parts[0])
        for index, after in zip(parts, [*parts[1:], None], strict=True):
            inputs = coming.result()
            if after is not None:
                coming = pool.submit(examples.read, after)
            yield index, inputs
