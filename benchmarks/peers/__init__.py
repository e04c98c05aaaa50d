"""The peers, one a file, each in the fast form that its own users would write.

A file has a class `Peer(work, X, y, start, threads)` for X (m, d) float32, labels y (m,) and the parameters `start`:

    reset()                    back to the first parameters, not timed
    train(epochs, seed, part)  epochs in the orders of `works.orders`; a part of one where that is below 1
    parameters()               {"W1": (d, h), "b1": (h,), …} as NumPy arrays
    predict()                  labels of X
    predict_one(x)             label of x (1, d), which comes and goes as a NumPy array

and, where the library has one, scikit-learn's classifier as `Classifier`.
"""

FILES = {
    "chainrule": "ours",
    "NumPy": "numpy_loop",
    "NumPy, best kernel": "numpy_loop",
    "scikit-learn": "sklearn_mlp",
    "PyTorch": "torch_eager",
    "torch.compile": "torch_compiled",
    "JAX": "jax_scan",
}
BEST_KERNEL = "NumPy, best kernel"
KERNELS = ("SkylakeX", "Zen", "Haswell", "Cooperlake")  # of OpenBLAS, tried for it
