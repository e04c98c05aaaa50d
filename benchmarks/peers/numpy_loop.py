"""NumPy: a loop as good as one writes it by hand, into arrays that are allocated once."""

import numpy as np
from works import Array, Work, orders

ROWS_AT_ONCE = 2_000  # of a prediction: few enough to stay in the cache


class Peer:
    def __init__(self, work: Work, X: Array, y: Array, start: dict[str, Array], threads: int) -> None:
        self.work, self.X, self.start = work, X, start
        self.T = np.eye(work.widths[-1], dtype=np.float32)[y]
        depth = len(work.widths) - 1
        self.P = {name: array.copy() for name, array in start.items()}
        self.W, self.b = ([self.P[f"{kind}{l}"] for l in range(1, depth + 1)] for kind in "Wb")
        self.dW = [np.empty_like(W) for W in self.W]
        self.A = [np.empty((work.batch, width), np.float32) for width in work.widths]
        self.D = [np.empty_like(A) for A in self.A]
        self.ones = np.ones(work.batch, np.float32)

    def reset(self) -> None:
        for name, P in self.P.items():
            P[...] = self.start[name]

    def parameters(self) -> dict[str, Array]:
        return self.P

    def train(self, epochs: int, seed: int, part: float) -> None:
        size = self.work.batch
        if self.work.full:
            for _ in range(epochs):
                self.step(self.X, self.T)
            return
        X, T = self.A[0], np.empty((size, self.T.shape[1]), np.float32)
        for order in orders(self.work, epochs, seed, part):
            if size == 1:
                for i in order:
                    self.step(self.X[i : i + 1], self.T[i : i + 1])
                continue
            for rows in order.reshape(-1, size):  # mode "clip", because "raise" copies through a buffer
                self.step(self.X.take(rows, 0, X, "clip"), self.T.take(rows, 0, T, "clip"))

    def step(self, X: Array, T: Array) -> None:
        """One step of gradient descent on a batch."""
        A, D, W, last = [X, *self.A[1:]], self.D, self.W, len(self.W)
        for l in range(last):
            np.matmul(A[l], W[l], out=A[l + 1])
            A[l + 1] += self.b[l]
            (softmax if l + 1 == last else ACTIVATE[self.work.activation])(A[l + 1])
        np.subtract(A[last], T, out=D[last])
        D[last] *= self.work.rate / len(X)  # here it is few numbers; the gradients below are then the steps
        for l in range(last - 1, -1, -1):
            if len(X) == 1:
                np.einsum("i,j->ij", A[l][0], D[l + 1][0], out=self.dW[l])
            else:
                np.matmul(A[l].T, D[l + 1], out=self.dW[l])
            self.b[l] -= self.ones @ D[l + 1]
            if l:
                np.matmul(D[l + 1], W[l].T, out=D[l])
                DEACTIVATE[self.work.activation](A[l], D[l])
            W[l] -= self.dW[l]

    def predict(self) -> Array:
        starts = range(0, len(self.X), ROWS_AT_ONCE)
        return np.concatenate([self.predict_one(self.X[start : start + ROWS_AT_ONCE]) for start in starts])

    def predict_one(self, x: Array) -> Array:
        for W, b in zip(self.W[:-1], self.b[:-1], strict=True):
            x = x @ W
            x += b
            ACTIVATE[self.work.activation](x)
        return np.argmax(x @ self.W[-1] + self.b[-1], axis=1)


def softmax(Z: Array) -> None:
    """Columns are few: one after the other they take a third of the time of a reduction along short rows."""
    greatest = Z[:, 0].copy()
    for column in Z.T[1:]:
        np.maximum(greatest, column, out=greatest)
    Z -= greatest[:, None]
    np.exp(Z, out=Z)
    Z /= Z @ np.ones((Z.shape[1], 1), Z.dtype)


def relu(Z: Array) -> None:
    np.maximum(Z, 0, out=Z)


def sigmoid(Z: Array) -> None:
    np.negative(Z, out=Z)
    np.exp(Z, out=Z)
    Z += 1
    np.reciprocal(Z, out=Z)


def tanh(Z: Array) -> None:
    np.tanh(Z, out=Z)


# D ← D ∘ f′, from activations A that nothing needs any more.


def relu_backward(A: Array, D: Array) -> None:
    np.greater(A, 0, out=A, casting="unsafe")
    D *= A


def sigmoid_backward(A: Array, D: Array) -> None:
    D *= A
    np.subtract(1, A, out=A)
    D *= A


def tanh_backward(A: Array, D: Array) -> None:
    np.square(A, out=A)
    np.subtract(1, A, out=A)
    D *= A


ACTIVATE = {"relu": relu, "sigmoid": sigmoid, "tanh": tanh}
DEACTIVATE = {"relu": relu_backward, "sigmoid": sigmoid_backward, "tanh": tanh_backward}
