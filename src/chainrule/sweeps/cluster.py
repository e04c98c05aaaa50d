"""Dask as one more executor: its scheduler found, its workers counted, and its silence noticed.

Dask's client tries for ever to reach a scheduler that has gone, so it is asked now and then whether it still has one.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from chainrule.errors import InputError
from chainrule.sweeps.pools import Pool

CONNECT_SECONDS = 10.0
LOST_SECONDS = 30.0  # without scheduler or workers, after which the sweep is given up for now


@contextmanager
def cluster(address: str) -> Iterator[Pool]:
    """The workers of the scheduler at `address`, tcp://host:port; raises InputError where there is none in 10 s."""
    try:
        dask: Any = import_module("distributed")
    except ImportError:
        raise InputError("Dask is not installed", "Install it: pip install 'chainrule[dask]'") from None
    if not address.rpartition(":")[2].isdecimal():  # Dask leaves a trace of such a client
        raise _unanswered(address, "it has no port")
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it meets is said here, in words
    try:
        client = dask.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise _unanswered(address, _last_line(error)) from None
    try:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            raise InputError(
                f"the scheduler at {address} has no workers", f"Start some: dask worker {address} --nthreads 1"
            ) from None
        threads = sum(client.nthreads().values())
        executor = client.get_executor(pure=False, retries=0)
        yield Pool(executor, 2 * threads, lost=_Listener(client, address))
    finally:
        client.close(timeout=5)


class _Listener:
    """Says in words when the cluster has been gone for too long."""

    def __init__(self, client: object, address: str) -> None:
        self._client, self._address, self._heard = client, address, time.monotonic()

    def __call__(self) -> str | None:
        if getattr(self._client, "status", "") == "running":
            self._heard = time.monotonic()
        silent = time.monotonic() - self._heard
        return f"the scheduler at {self._address} has been gone for {silent:.0f} s" if silent > LOST_SECONDS else None


def _unanswered(address: str, why: str) -> InputError:
    return InputError(
        f"no scheduler answers at {address}: {why}",
        "Start one with `dask scheduler`, and give the address that it prints: tcp://host:port",
    )


def _last_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]
