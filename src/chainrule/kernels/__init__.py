"""Compiled training: the passes of `network/` and the steps of `optimizers/` as kernels, held equal by tests."""
