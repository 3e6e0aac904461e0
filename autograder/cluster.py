"""Run a class's submissions on a Dask cluster, whose workers have this package installed and can start the sandbox."""

import contextlib


class NoCluster(Exception):
    """There is no cluster to send work to; the text says what to do."""


@contextlib.contextmanager
def cluster(address):
    """An executor of the cluster whose scheduler listens at `address`, and how many submissions it runs at once."""
    try:
        from distributed import Client
    except ImportError:
        raise NoCluster("--dask needs the optional packages: pip install 'training-clinic[dask]'") from None
    try:
        client = Client(address, timeout="10s", set_as_default=False)
        client.wait_for_workers(1, timeout=30)
    except (OSError, TimeoutError, ValueError) as error:
        raise NoCluster(f"no Dask cluster with a worker answers at {address} ({type(error).__name__})") from error
    # A worker that dies takes its submissions along; they are run again by another one.
    with client, client.get_executor(retries=2) as executor:
        yield executor, sum(client.nthreads().values())
