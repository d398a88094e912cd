"""The images of upstream's tests, made here: same programs, same names, on a Debian base.

Upstream publishes them in a registry that not every machine reaches. What cannot be made of the
Kubernetes module and Debian's packages is left out; tests that need it are not selected.
"""

import shutil

import docker

from chaoskit.cluster import debian_base, engine_build
from chaoskit.cluster.engine_build import Progress
from chaoskit.cluster.image_sources import versions
from tests.conformance.programs import Programs

_SUITE = versions().debian_suite
_BASE = f"chaoskit/conformance-base:{_SUITE}-2"
# What upstream's own Dockerfile of agnhost installs, by Debian's names, and a web server.
_PACKAGES = (
    "bind9-dnsutils", "busybox", "curl", "iperf", "iproute2", "netcat-openbsd", "adduser",
    "nginx-light",
)  # fmt: skip
_PAUSE = "chaoskit/pause:1"
_AGNHOST = f"""\
FROM {_BASE}
RUN adduser --uid 1000 --disabled-password --gecos '' user-defined-in-image \\
 && addgroup --gid 50000 group-defined-in-image \\
 && adduser user-defined-in-image group-defined-in-image \\
 && mkdir /uploads
COPY localhost.crt localhost.key agnhost /
RUN ln -s agnhost agnhost-2
ENTRYPOINT ["/agnhost"]
CMD ["pause"]
"""
# Debian's busybox is linked to its C library, which an image of the program alone would lack. Its
# shell (1.35) drops variables whose names no shell can read, such as data-1; upstream's (1.37) and
# bash hand them on to what they start. By its path it is asked for the words of its errors.
_BUSYBOX = f"""\
FROM {_BASE}
RUN mkdir /applets && busybox --install -s /applets \\
 && ln -sf /bin/bash /applets/sh && ln -sf busybox /bin/sh \\
 && ln -s /applets/sysctl /bin/sysctl
ENV PATH=/applets:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["sh"]
"""
# Says as whom it runs: not as root where nobody may gain privileges, though its file says so.
_NONEWPRIVS = f"""\
FROM {_BASE}
COPY nonewprivs /usr/local/bin/nnp
RUN chmod u+s,g+s /usr/local/bin/nnp
CMD ["nnp"]
"""
# Asks DNS through the C library and by dig; the base has both.
_GLIBC_DNS = f"""\
FROM {_BASE}
CMD ["sh"]
"""
_NGINX = f"""\
FROM {_BASE}
CMD ["nginx", "-g", "daemon off;"]
"""
_DOCKERFILES = {
    "agnhost": _AGNHOST,
    "busybox": _BUSYBOX,
    "glibc-dns-testing": _GLIBC_DNS,
    "nginx": _NGINX,
    "nonewprivs": _NONEWPRIVS,
}


def ensure(client: docker.DockerClient, programs: Programs, progress: Progress) -> tuple[str, ...]:
    """Make them under the names that upstream's tests ask for; those names."""
    debian_base.ensure(client, progress, reference=_BASE, suite=_SUITE, packages=_PACKAGES)
    progress.begin("images of upstream's tests")
    made = []
    for name in programs.images():
        repository = name.rpartition(":")[0].rpartition("/")[2]
        if "invalid" in name or "authenticated" in name:
            continue  # names that must not be pulled: what the tests claim
        if repository in _DOCKERFILES:
            _build(client, name, _DOCKERFILES[repository], programs)
        elif repository == "pause":
            client.images.get(_PAUSE).tag(name)
        else:
            continue
        made.append(name)
    progress.end(f"{len(made)} made")
    return tuple(made)


def _build(client: docker.DockerClient, name: str, dockerfile: str, programs: Programs) -> None:
    with engine_build.workspace() as work:
        (work / "Dockerfile").write_text(dockerfile)
        for program in (programs.agnhost, programs.nonewprivs):
            shutil.copy(program, work)
        for each in ("localhost.crt", "localhost.key"):
            shutil.copy(programs.agnhost_files / "porter" / each, work / each)
        engine_build.build(client, work, name, kind="conformance", arguments={})
