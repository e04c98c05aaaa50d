"""A test of one's own back-propagation: `pytest examples/doctor`, with network.py in the same folder."""

from pathlib import Path

NETWORK = Path(__file__).with_name("network.py")


def test_the_gradients_of_my_network_are_right(assert_gradients):
    assert_gradients(NETWORK)
