# The node image without its agent: it honours the contract of rancher/k3s (entrypoint, paths, flags, log lines).
ARG BASE
FROM ${BASE}
COPY bin/k3s /bin/k3s
COPY bin/containerd bin/containerd-shim-runc-v2 bin/ctr /usr/local/bin/
RUN ln -s k3s /bin/kubectl && rm -rf /etc/cni && mkdir -p /etc/rancher/k3s /tmp && chmod 1777 /tmp
COPY images /usr/share/chaoskit/images
ENV CONTAINERD_ADDRESS=/run/k3s/containerd/containerd.sock CONTAINERD_NAMESPACE=k8s.io
VOLUME ["/var/lib/kubelet", "/var/lib/rancher/k3s", "/var/lib/cni", "/var/log"]
ENTRYPOINT ["/bin/k3s"]
CMD ["agent"]
