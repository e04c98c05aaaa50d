"""After which epochs training stops to look at the network: to measure it, to show it, to keep it."""

from dataclasses import dataclass

from chainrule.training.layers import TIMES


@dataclass(frozen=True)
class Stops:
    """The plan of a training of `epochs` epochs, counted from 1.

    every      a row of the history after so many epochs, and after the last
    watched    whether somebody looks at each row while training runs; otherwise several may come in one go
    snapshots  epochs after which the network is kept
    layers     whether the sizes of the layers are recorded, at about `layers.TIMES` of the rows: the first, the last,
               and others at equal distances
    """

    epochs: int
    every: int
    watched: bool
    snapshots: frozenset[int]
    layers: bool

    def has_row(self, epoch: int) -> bool:
        return epoch % self.every == 0 or epoch == self.epochs

    def has_layers(self, epoch: int) -> bool:
        return self.layers and (epoch % self._stride == 0 or epoch in (self.epochs, min(self.every, self.epochs)))

    def ahead(self, done: int, most: int) -> int:
        """How many epochs, at most `most`, can follow the first `done` in one go."""
        ends = [done + most, self.epochs, *(epoch for epoch in self.snapshots if epoch > done)]
        if self.watched:
            ends.append(_next(done, self.every))
        if self.layers:
            ends.append(_next(done, self._stride) if done >= self.every else self.every)
        return min(ends) - done

    @property
    def _stride(self) -> int:
        """Epochs between two records of the layers."""
        rows = -(-self.epochs // self.every)
        return self.every * -(-rows // TIMES)


def _next(done: int, step: int) -> int:
    """The least multiple of `step` above `done`."""
    return (done // step + 1) * step
