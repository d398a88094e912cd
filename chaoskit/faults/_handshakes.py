"""Whether somebody serves at an address, asked from this host."""

import socket
import ssl

_ANSWER_WITHIN_S = 0.5


def handshakes(address: str, port: int) -> bool:
    """Whether TLS can be spoken there.

    That a connection stands proves nothing: the kernel alone accepts it, for a process that is
    stopped as well.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=_ANSWER_WITHIN_S) as connection,
            context.wrap_socket(connection),
        ):
            return True
    except OSError:
        return False
