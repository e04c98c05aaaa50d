"""torch.compile of a whole step: taking the batch, forward, backward and the update of the parameters as one graph."""

import torch
from torch.func import functional_call, grad
from torch.nn.functional import cross_entropy
from works import Array, Work, orders

from peers import torch_eager


class Peer(torch_eager.Peer):
    def __init__(self, work: Work, X: Array, y: Array, start: dict[str, Array], threads: int) -> None:
        super().__init__(work, X, y, start, threads)
        net, rate = self.net, work.rate
        self.P = {name: P.detach() for name, P in net.named_parameters()}

        def loss(P: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return cross_entropy(functional_call(net, P, x), y)

        def descend(P: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> None:
            for name, gradient in grad(loss)(P, x, y).items():
                P[name].sub_(gradient, alpha=rate)

        def step_of(P: dict[str, torch.Tensor], X: torch.Tensor, y: torch.Tensor, rows: torch.Tensor) -> None:
            descend(P, X.index_select(0, rows), y.index_select(0, rows))

        self.descend, self.step_of = (torch.compile(function, dynamic=False) for function in (descend, step_of))
        self.label = torch.compile(lambda x: net(x).argmax(1), dynamic=False)

    def train(self, epochs: int, seed: int, part: float) -> None:
        if self.work.full:
            for _ in range(epochs):
                self.descend(self.P, self.X, self.y)
            return
        for order in orders(self.work, epochs, seed, part):
            for rows in torch.from_numpy(order).split(self.work.batch):
                self.step_of(self.P, self.X, self.y, rows)

    @torch.inference_mode()
    def predict(self) -> Array:
        return self.label(self.X).numpy()

    @torch.inference_mode()
    def predict_one(self, x: Array) -> Array:
        return self.label(torch.from_numpy(x)).numpy()
