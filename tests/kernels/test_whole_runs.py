"""Whole runs from one seed: the same shuffles, the same masks, and after ten epochs the same network but for rounding.

Rounding grows along a run as the training itself magnifies any small change. These runs are stable: up to three hidden
layers of up to 40 units, inputs of unit variance, rates at which the loss falls in every epoch or nearly so (up to 0.1
for sgd, 0.02 with momentum, 0.003 for the adaptive methods), smooth activations or the relu family. In them 1e-16
becomes no more than 1e-9, and 1e-7 no more than 1e-3.
"""

import numpy as np
import pytest

import chainrule as cr
from kernels.problems import gaps, network, samples, weights

pytestmark = pytest.mark.xdist_group("kernels")

M, EPOCHS = 203, 10

RUNS = {
    "one layer, single samples": ([9, 4], {}, {"batch_size": 1, "learning_rate": 0.02}),
    "softmax regression with a penalty": ([9, 4], {}, {"l2": 0.1, "schedule": "exponential(0.9)"}),
    "single samples, many zeros": (
        [40, 17, 4],
        {"activation": "sigmoid"},
        {"batch_size": 1, "learning_rate": 0.05, "l2": 1e-4, "schedule": "step(every=3, factor=0.5)"},
    ),
    "tanh, full batch, cosine": (
        [5, 24, 3],
        {"activation": "tanh"},
        {"batch_size": "full", "schedule": "cosine(warmup=2)"},
    ),
    "relu in file order": ([9, 40, 20, 4], {"activation": "relu"}, {"shuffle": False, "learning_rate": 0.05}),
    "dropout and momentum": (
        [9, 33, 17, 4],
        {"activation": ["gelu", "tanh"], "dropout": [0.2, 0.4]},
        {"optimizer": "momentum", "learning_rate": 0.01},
    ),
    "several labels, nesterov": (
        [9, 20, 6],
        {"activation": "swish(1.2)", "output": "sigmoid"},
        {"optimizer": "nesterov", "learning_rate": 0.02, "clip": 1.0},
    ),
    "regression, adam, clipped": (
        [6, 30, 15, 2],
        {"activation": "elu(0.8)", "output": "identity"},
        {"optimizer": "adam", "clip": 0.5, "schedule": "cosine"},
    ),
    "three layers, adamw, dropout": (
        [12, 40, 31, 18, 5],
        {"activation": ["softplus", "leaky_relu(0.1)", "tanh"], "dropout": [0.1, 0.0, 0.3]},
        {"optimizer": "adamw(weight_decay=0.1)", "learning_rate": 0.003},
    ),
    "rmsprop": ([7, 21, 3], {"activation": "tanh"}, {"optimizer": "rmsprop", "schedule": "step(every=4)"}),
    "batch normalisation": (
        [9, 24, 12, 4],
        {"activation": "relu", "batch_norm": [True, False], "dropout": 0.1},
        {"optimizer": "momentum", "learning_rate": 0.01},
    ),
}


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-9), ("float32", 1e-3)])
@pytest.mark.parametrize("name", RUNS)
def test_ten_epochs_end_at_the_same_weights_and_losses(name, dtype, limit):
    layers, rules, settings = RUNS[name]
    ended = []
    for engine in ("reference", "compiled"):
        net = network(layers, dtype=dtype, **rules)
        X, y = samples(net, M, zeros=0.5)
        part = slice(0, 180)  # 180 = 5 · 32 + 20
        history = cr.train(
            net,
            (X[part], y[part]),
            validation=(X[180:], y[180:]),
            engine=engine,
            epochs=EPOCHS,
            seed=5,
            record_batches=True,
            **settings,
        )
        assert history.engine == engine
        assert history["train_loss"][-1] < history["train_loss"][0]
        columns = {key: history[key] for key in history.rows[0] if "accuracy" not in key}
        ended.append({**weights(net), **columns, "batches": np.array(history.batch_losses)})
    assert gaps(ended[1], ended[0], limit) == {}


def test_early_stopping_stops_both_at_the_same_epoch_with_the_same_best_weights():
    ended = []
    for engine in ("reference", "compiled"):
        net = network([9, 40, 4], activation="tanh", dtype="float64")
        X, y = samples(net, 120)  # labels without sense: the validation loss soon rises
        history = cr.train(
            net,
            (X[:80], y[:80]),
            validation=(X[80:], y[80:]),
            engine=engine,
            epochs=60,
            early_stopping=3,
            optimizer="adam",
            learning_rate=0.01,
        )
        assert history.stopped == "early stopping"
        ended.append((len(history), history.best_epoch, weights(net)))
    assert ended[0][:2] == ended[1][:2]
    assert gaps(ended[1][2], ended[0][2], 1e-9) == {}
