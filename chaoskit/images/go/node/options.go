package node

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Options are the flags and variables of the k3s contract that this image honours.
type Options struct {
	Role              string
	NodeName          string
	NodeIP            string
	Token             string
	ServerURL         string
	DataDir           string
	Disable           []string
	TLSSANs           []string
	NodeLabels        []string
	NodeTaints        []string
	ClusterCIDR       string
	ServiceCIDR       string
	NodePortRange     string
	ClusterDNS        string
	ClusterDomain     string
	KubeconfigOutput  string
	KubeconfigMode    string
	PauseImage        string
	Snapshotter       string
	ResolvConf        string
	PrivateRegistry   string
	NoDefaultEndpoint bool
	LocalStoragePath  string
	SharedStoragePath string
	APIServerArgs     []string
	ControllerArgs    []string
	SchedulerArgs     []string
	KubeletArgs       []string
	ProxyArgs         []string
}

// Flags of the contract that are taken so that launchers need no special case, and do nothing here.
var withoutEffect = []string{
	"cluster-init", "disable-network-policy", "disable-helm-controller", "disable-cloud-controller",
	"debug",
}
var withoutEffectValued = []string{"flannel-backend", "flannel-iface", "agent-token"}

// ParseOptions reads flags and K3S_* variables; a flag this image does not know is an error.
func ParseOptions(role string, args []string) (*Options, error) {
	o := &Options{Role: role}
	f := pflag.NewFlagSet(role, pflag.ContinueOnError)
	hostname, _ := os.Hostname()
	f.StringVar(&o.NodeName, "node-name", env("K3S_NODE_NAME", hostname), "name of this node")
	f.StringVar(&o.NodeIP, "node-ip", "", "address of this node")
	f.StringVarP(&o.Token, "token", "t", os.Getenv("K3S_TOKEN"), "shared secret")
	tokenFile := f.String("token-file", os.Getenv("K3S_TOKEN_FILE"), "file with the shared secret")
	f.StringVarP(&o.ServerURL, "server", "s", os.Getenv("K3S_URL"), "server to join")
	f.StringVarP(&o.DataDir, "data-dir", "d", env("K3S_DATA_DIR", "/var/lib/rancher/k3s"), "state")
	f.StringSliceVar(&o.Disable, "disable", nil, "packaged components to leave out")
	f.StringSliceVar(&o.TLSSANs, "tls-san", nil, "further names of the API server")
	f.StringSliceVar(&o.NodeLabels, "node-label", nil, "labels at registration")
	f.StringSliceVar(&o.NodeTaints, "node-taint", nil, "taints at registration")
	f.StringVar(&o.ClusterCIDR, "cluster-cidr", "10.42.0.0/16", "pod addresses")
	f.StringVar(&o.ServiceCIDR, "service-cidr", "10.43.0.0/16", "service addresses")
	f.StringVar(&o.NodePortRange, "service-node-port-range", "30000-32767", "node ports")
	f.StringVar(&o.ClusterDNS, "cluster-dns", "10.43.0.10", "address of the cluster's DNS")
	f.StringVar(&o.ClusterDomain, "cluster-domain", "cluster.local", "DNS domain")
	f.StringVar(&o.KubeconfigOutput, "write-kubeconfig", env("K3S_KUBECONFIG_OUTPUT", "/etc/rancher/k3s/k3s.yaml"), "kubeconfig")
	f.StringVar(&o.KubeconfigMode, "write-kubeconfig-mode", env("K3S_KUBECONFIG_MODE", "600"), "its mode")
	f.StringVar(&o.PauseImage, "pause-image", "chaoskit/pause:1", "image of the pods' sandboxes")
	f.StringVar(&o.Snapshotter, "snapshotter", "overlayfs", "containerd's snapshotter")
	f.StringVar(&o.ResolvConf, "resolv-conf", os.Getenv("K3S_RESOLV_CONF"), "resolv.conf of the pods")
	f.StringVar(&o.PrivateRegistry, "private-registry", "/etc/rancher/k3s/registries.yaml", "registries of the nodes")
	f.BoolVar(&o.NoDefaultEndpoint, "disable-default-registry-endpoint", false, "ask a mirrored registry's mirrors only")
	f.StringVar(&o.LocalStoragePath, "default-local-storage-path", "", "folder of class local-path")
	f.StringVar(&o.SharedStoragePath, "shared-storage-path", "/var/lib/chaoskit/shared", "folder of class chaoskit-shared")
	f.StringArrayVar(&o.APIServerArgs, "kube-apiserver-arg", nil, "passed on")
	f.StringArrayVar(&o.ControllerArgs, "kube-controller-manager-arg", nil, "passed on")
	f.StringArrayVar(&o.SchedulerArgs, "kube-scheduler-arg", nil, "passed on")
	f.StringArrayVar(&o.KubeletArgs, "kubelet-arg", nil, "passed on")
	f.StringArrayVar(&o.ProxyArgs, "kube-proxy-arg", nil, "passed on")
	for _, name := range withoutEffect {
		f.Bool(name, false, "accepted, without effect in this image")
	}
	for _, name := range withoutEffectValued {
		f.String(name, "", "accepted, without effect in this image")
	}
	if err := f.Parse(args); err != nil {
		return nil, fmt.Errorf("k3s %s: %w", role, err)
	}
	for _, name := range append(withoutEffect, withoutEffectValued...) {
		if f.Changed(name) {
			logf("flag --%s is accepted and has no effect in this image", name)
		}
	}
	return o, o.complete(*tokenFile)
}

func (o *Options) complete(tokenFile string) error {
	if tokenFile != "" {
		content, err := os.ReadFile(tokenFile)
		if err != nil {
			return fmt.Errorf("token file: %w", err)
		}
		o.Token = strings.TrimSpace(string(content))
	}
	if o.LocalStoragePath == "" {
		o.LocalStoragePath = filepath.Join(o.DataDir, "storage")
	}
	if o.NodeIP == "" {
		address, err := firstAddress()
		if err != nil {
			return err
		}
		o.NodeIP = address
	}
	if net.ParseIP(o.NodeIP) == nil {
		return fmt.Errorf("--node-ip %q is not an address", o.NodeIP)
	}
	if _, err := strconv.ParseUint(o.KubeconfigMode, 8, 32); err != nil {
		return fmt.Errorf("--write-kubeconfig-mode %q is not an octal mode", o.KubeconfigMode)
	}
	if o.Role == "server" {
		return nil
	}
	if o.ServerURL == "" || o.Token == "" {
		return fmt.Errorf("an agent needs K3S_URL (seen %q) and K3S_TOKEN (given: %t)", o.ServerURL, o.Token != "")
	}
	return nil
}

// Disabled says whether a packaged component is left out.
func (o *Options) Disabled(name string) bool {
	for _, disabled := range o.Disable {
		if disabled == name {
			return true
		}
	}
	return false
}

// ServerEndpoint is host:port of the server to join.
func (o *Options) ServerEndpoint() (string, error) {
	u, err := url.Parse(o.ServerURL)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("K3S_URL %q is not of the form https://HOST:6443", o.ServerURL)
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "6443"), nil
	}
	return u.Host, nil
}

// BootstrapToken derives Kubernetes' form of a bootstrap token (6 and 16 characters) from the shared
// secret, which may have any form; a full node token's CA hash in front is cut off.
func (o *Options) BootstrapToken() (id, secret string) {
	shared := o.Token
	if i := strings.LastIndex(shared, "::server:"); i >= 0 {
		shared = shared[i+len("::server:"):]
	}
	sum := sha256.Sum256([]byte("chaoskit bootstrap " + shared))
	text := hex.EncodeToString(sum[:])
	return text[:6], text[6:22]
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func dashed(args []string) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		out[i] = "--" + strings.TrimLeft(arg, "-")
	}
	return out
}

func firstAddress() (string, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", fmt.Errorf("reading this node's addresses: %w", err)
	}
	for _, address := range addresses {
		if ip, ok := address.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() && ip.IP.To4() != nil {
			return ip.IP.String(), nil
		}
	}
	return "", fmt.Errorf("this node has no IPv4 address (seen %v)", addresses)
}
