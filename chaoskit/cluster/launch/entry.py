"""The entry wrapper: makes a container without `privileged` look like one with it.

The engine's API cannot ask for writable /proc/sys, /sys and cgroup mounts; with SYS_ADMIN the
container can do it itself. The same script starts either node image.
"""

SCRIPT = r"""
say() { echo "chaoskit entry: $*" >&2; }
[ -x /bin/k3s ] || { say "no /bin/k3s here: not a node image"; exit 64; }
while read -r _ point _ options _; do
  case ",$options," in *,ro,*) ;; *) continue ;; esac
  case "$point" in
    /sys | /sys/fs/cgroup) mount -o remount,rw "$point" ;;
    /proc/sys | /sys/fs/cgroup/*) mount -o remount,bind,rw "$point" ;;
    *) continue ;;
  esac || { say "$point stays read-only"; exit 65; }
done < /proc/mounts
[ -w /proc/sys/net/ipv4/ip_forward ] || { say "/proc/sys is not writable"; exit 65; }
[ -e /dev/kmsg ] || ln -s /dev/null /dev/kmsg
mount --make-rshared / || { say "/ cannot be shared"; exit 65; }
if [ -n "$CHAOSKIT_KUBELET_CONFIG" ]; then
  folder=/var/lib/rancher/k3s/agent/etc/kubelet.conf.d
  mkdir -p "$folder" && printf '%s\n' "$CHAOSKIT_KUBELET_CONFIG" > "$folder/50-chaoskit.conf" ||
    { say "cannot write into $folder"; exit 66; }
fi
exec /bin/k3s "$@"
"""

#: What the container is started with in front of k3s' own arguments.
ENTRYPOINT = ("/bin/sh", "-c", SCRIPT, "k3s")

#: Exit codes that say that the image cannot be a node.
NOT_A_NODE_IMAGE = {
    64: "not a node image: it has no /bin/k3s",
    126: "not a node image: its /bin/k3s is not a program for this machine",
    127: "not a node image: its /bin/k3s lacks what it needs to run",
}
#: Other exit codes of the script, with what they mean for a reader.
EXIT_CODES = {
    65: "the engine grants the node too few rights",
    66: "the node's disk is full or read-only",
}
