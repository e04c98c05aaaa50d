"""PyTorch as most people write it: a module, an optimiser, and batches taken from tensors that are loaded before."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from works import Array, Work, orders

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class Peer:
    def __init__(self, work: Work, X: Array, y: Array, start: dict[str, Array], threads: int) -> None:
        torch.set_num_threads(threads)
        self.work, self.X, self.y, self.start = work, torch.from_numpy(X), torch.from_numpy(y), start
        self.linear = [nn.Linear(d, h) for d, h in zip(work.widths, work.widths[1:], strict=False)]
        hidden = [module for linear in self.linear[:-1] for module in (linear, ACTIVATIONS[work.activation]())]
        self.net = nn.Sequential(*hidden, self.linear[-1])
        self.optimizer = torch.optim.SGD(self.net.parameters(), work.rate, fused=True)

    def reset(self) -> None:
        with torch.no_grad():
            for name, P in self.named().items():
                P.copy_(torch.from_numpy(self.start[name]))

    def train(self, epochs: int, seed: int, part: float) -> None:
        if self.work.full:
            for _ in range(epochs):
                self.step(self.X, self.y)
            return
        for order in orders(self.work, epochs, seed, part):
            for rows in torch.from_numpy(order).split(self.work.batch):
                self.step(self.X.index_select(0, rows), self.y.index_select(0, rows))

    def step(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        cross_entropy(self.net(x), y).backward()
        self.optimizer.step()

    def named(self) -> dict[str, torch.Tensor]:
        """Views of the parameters as W (d, h) and b (h,)."""
        weights = {f"W{l}": linear.weight.T for l, linear in enumerate(self.linear, 1)}
        return weights | {f"b{l}": linear.bias for l, linear in enumerate(self.linear, 1)}

    def parameters(self) -> dict[str, Array]:
        return {name: P.detach().numpy() for name, P in self.named().items()}

    @torch.inference_mode()
    def predict(self) -> Array:
        return self.net(self.X).argmax(1).numpy()

    @torch.inference_mode()
    def predict_one(self, x: Array) -> Array:
        return self.net(torch.from_numpy(x)).argmax(1).numpy()
