"""A network one of whose processes is killed while it trains, the first time it is tried."""

import os
import signal

from torch import Tensor, nn

from bandwise.frequency.dct_domain import CoefficientBatch
from bandwise.frequency.selection import Frequencies


class Dying(nn.Module):
    """Kills process 1 in the second step, unless torchrun has started it again."""

    def __init__(self, num_classes: int, frequencies: Frequencies) -> None:
        super().__init__()
        self.kept = list(frequencies.luma)
        self.linear = nn.Linear(len(self.kept), num_classes)
        self.steps = 0

    def forward(self, batch: CoefficientBatch) -> Tensor:
        self.steps += self.training
        who = os.environ.get("RANK"), os.environ.get("TORCHELASTIC_RESTART_COUNT"), self.steps
        if who == ("1", "0", 2):
            os.kill(os.getpid(), signal.SIGKILL)
        logits: Tensor = self.linear(batch.luma[:, self.kept].mean((2, 3)) / 1000)
        return logits


def build(*, num_classes: int, frequencies: Frequencies) -> nn.Module:
    return Dying(num_classes, frequencies)


DYING = f"{__name__}:build"
