package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"
)

func (o *Options) agentFile(elements ...string) string {
	return filepath.Join(append([]string{o.DataDir, "agent"}, elements...)...)
}

func (o *Options) kubeletKubeconfig() string   { return o.agentFile("kubelet.kubeconfig") }
func (o *Options) proxyKubeconfig() string     { return o.agentFile("kubeproxy.kubeconfig") }
func (o *Options) bootstrapKubeconfig() string { return o.agentFile("bootstrap.kubeconfig") }

func (o *Options) clientCA() string {
	if o.Role == "server" {
		return filepath.Join(o.serverPaths().pki, "ca.crt")
	}
	return o.agentFile("client-ca.crt")
}

// startWorker starts what every node runs once its credentials and images are there.
func (o *Options) startWorker(ctx context.Context, s *Supervisor) error {
	config := o.agentFile("etc", "kubelet.yaml")
	dropIns := o.agentFile("etc", "kubelet.conf.d")
	static := o.agentFile("pod-manifests")
	for _, dir := range []string{dropIns, static, filepath.Dir(config)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	content, err := yaml.Marshal(o.kubeletConfiguration(static))
	if err != nil {
		return err
	}
	if err := os.WriteFile(config, content, 0o644); err != nil {
		return err
	}
	args := []string{
		"--config=" + config, "--config-dir=" + dropIns, "--kubeconfig=" + o.kubeletKubeconfig(),
		"--cert-dir=" + o.agentFile("pki"), "--root-dir=/var/lib/kubelet",
		"--hostname-override=" + o.NodeName, "--node-ip=" + o.NodeIP,
	}
	if o.Role == "agent" {
		args = append(args, "--bootstrap-kubeconfig="+o.bootstrapKubeconfig())
	}
	if len(o.NodeLabels) > 0 {
		args = append(args, "--node-labels="+strings.Join(o.NodeLabels, ","))
	}
	if len(o.NodeTaints) > 0 {
		args = append(args, "--register-with-taints="+strings.Join(o.NodeTaints, ","))
	}
	s.Start(component("kubelet", append(args, dashed(o.KubeletArgs)...)...))
	s.Start(component("kube-proxy", append([]string{
		"--kubeconfig=" + o.proxyKubeconfig(), "--hostname-override=" + o.NodeName,
		"--cluster-cidr=" + o.ClusterCIDR,
		// These belong to the whole kernel, and a container may not raise them.
		"--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0",
	}, dashed(o.ProxyArgs)...)...))
	go o.keepNetwork(ctx)
	go o.reportRegistration(ctx)
	return nil
}

func (o *Options) kubeletConfiguration(static string) map[string]any {
	return map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"failCgroupV1": false, "failSwapOn": false, "cgroupDriver": "cgroupfs",
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false},
			"webhook":   map[string]any{"enabled": true},
			"x509":      map[string]any{"clientCAFile": o.clientCA()},
		},
		"authorization":      map[string]any{"mode": "Webhook"},
		"serverTLSBootstrap": true, "rotateCertificates": true,
		"clusterDNS": []string{o.ClusterDNS}, "clusterDomain": o.ClusterDomain,
		"resolvConf":               o.writeResolvConf(),
		"containerRuntimeEndpoint": "unix://" + containerdSocket,
		"staticPodPath":            static,
		// The disk is the host's: its filling up is not this node's failure.
		"imageGCHighThresholdPercent": 100,
		"evictionHard":                map[string]string{"nodefs.available": "0%", "imagefs.available": "0%"},
	}
}

// writeResolvConf leaves out loopback name servers: the engine's own DNS is not reachable from pods.
func (o *Options) writeResolvConf() string {
	if o.ResolvConf != "" {
		return o.ResolvConf
	}
	content, _ := os.ReadFile("/etc/resolv.conf")
	var kept []string
	for _, line := range strings.Split(string(content), "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "nameserver 127.") {
			kept = append(kept, line)
		}
	}
	file := o.agentFile("etc", "resolv.conf")
	if err := os.WriteFile(file, []byte(strings.Join(kept, "\n")), 0o644); err != nil {
		logf("writing %s: %v", file, err)
		return "/etc/resolv.conf"
	}
	return file
}

func (o *Options) reportRegistration(ctx context.Context) {
	client, err := clientFrom(o.proxyKubeconfig())
	if err == nil {
		err = until(ctx, "registration", 5*time.Minute, func() error {
			_, err := client.CoreV1().Nodes().Get(ctx, o.NodeName, metav1.GetOptions{})
			return err
		})
	}
	if err != nil {
		logf("node %s did not register: %v", o.NodeName, err)
		return
	}
	logf("Successfully registered node %s", o.NodeName)
}

func mergePatchNode(ctx context.Context, client kubernetes.Interface, name, patch string) error {
	_, err := client.CoreV1().Nodes().Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("node %s: %w", name, err)
	}
	return nil
}
