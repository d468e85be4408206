"""Whether a port can be listened on."""

import socket

from coravet.entrypoints.cli.refusals import CommandError


def refuse_busy(host: str, port: int, remedy: str) -> None:
    """See that `port` on `host` is free before anything is started.

    Raises:
        CommandError: it is not, or only root may listen on it; the sentence ends with `remedy`.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As the servers themselves do: a port whose last connections are being buried is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise CommandError(f"Port {port} is for root only; {remedy}.") from error
        except OSError as error:
            raise CommandError(f"{host}:{port} cannot be listened on ({error.strerror}); {remedy}.") from error
