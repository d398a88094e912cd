"""Whether packets come through, asked from this host: a path that injecting does not use."""

import socket

KUBELET_PORT = 10250
#: On one bridge an answer takes well under a millisecond; a busy host may take tens.
ANSWER_WITHIN_S = 0.3


def answers(address: str, port: int = KUBELET_PORT) -> bool:
    """Whether that port accepts or refuses: either takes a packet there and back."""
    try:
        with socket.create_connection((address, port), timeout=ANSWER_WITHIN_S):
            return True
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
