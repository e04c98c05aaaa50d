"""JAX: the batches of an epoch as one `lax.scan` inside one jitted call, the parameters donated."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from works import Array, Work, orders

ACTIVATIONS = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}


class Peer:
    def __init__(self, work: Work, X: Array, y: Array, start: dict[str, Array], threads: int) -> None:
        self.work, self.X, self.y, self.start = work, jnp.array(X), jnp.array(y, jnp.int32), start
        self.reset()

    def reset(self) -> None:
        self.P = {name: jnp.array(array) for name, array in self.start.items()}  # copies, which may be given away

    def train(self, epochs: int, seed: int, part: float) -> None:
        settings = (self.work.rate, self.work.activation)
        if self.work.full:
            self.P = full_epochs(self.P, self.X, self.y, epochs, *settings)
        else:
            for order in orders(self.work, epochs, seed, part):
                rows = order.astype(np.int32).reshape(-1, self.work.batch)
                self.P = epoch(self.P, self.X, self.y, rows, *settings)
        jax.block_until_ready(self.P)

    def parameters(self) -> dict[str, Array]:
        return {name: np.asarray(P) for name, P in self.P.items()}

    def predict(self) -> Array:
        return np.asarray(labels(self.P, self.X, self.work.activation))

    def predict_one(self, x: Array) -> Array:
        return np.asarray(labels(self.P, x, self.work.activation))


def logits(P: dict[str, jax.Array], x: jax.Array, activation: str) -> jax.Array:
    depth = len(P) // 2
    for l in range(1, depth):
        x = ACTIVATIONS[activation](x @ P[f"W{l}"] + P[f"b{l}"])
    return x @ P[f"W{depth}"] + P[f"b{depth}"]


def loss(P: dict[str, jax.Array], x: jax.Array, y: jax.Array, activation: str) -> jax.Array:
    scores = jax.nn.log_softmax(logits(P, x, activation))
    return -jnp.take_along_axis(scores, y[:, None], 1).mean()


def step(P: dict[str, jax.Array], x: jax.Array, y: jax.Array, rate: float, activation: str) -> dict[str, jax.Array]:
    return jax.tree.map(lambda p, g: p - rate * g, P, jax.grad(loss)(P, x, y, activation))


@partial(jax.jit, static_argnames=("rate", "activation"), donate_argnums=0)
def epoch(P, X, y, order, rate, activation):
    """One step for each row of `order` (batches, samples of a batch)."""

    def body(P, rows):
        return step(P, X.at[rows].get(mode="promise_in_bounds"), y[rows], rate, activation), None

    return jax.lax.scan(body, P, order)[0]


@partial(jax.jit, static_argnames=("epochs", "rate", "activation"), donate_argnums=0)
def full_epochs(P, X, y, epochs, rate, activation):
    return jax.lax.scan(lambda P, _: (step(P, X, y, rate, activation), None), P, length=epochs)[0]


@partial(jax.jit, static_argnames="activation")
def labels(P, x, activation):
    return jnp.argmax(logits(P, x, activation), 1)
