"""Kernels: training and prediction in compiled code that is held equal to the passes that are read."""

from chainrule.errors import InputError
from chainrule.network import Network


def accelerate(net: Network) -> Network:
    """Let `net` predict many rows through the kernels, as compiled training does; the same network.

    Raises InputError where one of its rules is not compiled.
    """
    from chainrule.kernels.plan import refusal

    why = refusal(net.structure)
    if why:
        raise InputError(why, "Its predictions stay with NumPy.")
    from chainrule.kernels.inference import predict

    net.fast_predict = predict
    return net
