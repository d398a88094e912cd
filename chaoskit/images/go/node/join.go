package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/cluster-bootstrap/token/jws"
	bootstrap "k8s.io/kubernetes/cmd/kubeadm/app/apis/bootstraptoken/v1"
	kubeadmapi "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm"
	"k8s.io/kubernetes/cmd/kubeadm/app/constants"
	"k8s.io/kubernetes/cmd/kubeadm/app/discovery/token"
	"k8s.io/kubernetes/cmd/kubeadm/app/phases/bootstraptoken/clusterinfo"
	bootstrapnode "k8s.io/kubernetes/cmd/kubeadm/app/phases/bootstraptoken/node"
)

// allowJoining publishes what a node with the shared secret needs: the signed cluster-info, the
// bootstrap token, and the rights to ask for its certificates.
func (o *Options) allowJoining(ctx context.Context, admin *kubernetes.Clientset) error {
	id, secret := o.BootstrapToken()
	parsed, err := bootstrap.NewBootstrapTokenStringFromIDAndSecret(id, secret)
	if err != nil {
		return err
	}
	config, err := clientcmd.LoadFromFile(filepath.Join(o.serverPaths().credentials, constants.SuperAdminKubeConfigFileName))
	if err != nil {
		return err
	}
	steps := []func() error{
		func() error {
			return bootstrapnode.UpdateOrCreateTokens(admin, false, []bootstrap.BootstrapToken{{
				Token: parsed, TTL: &metav1.Duration{}, // it lives as long as the cluster
				Usages: []string{"signing", "authentication"}, Groups: []string{constants.NodeBootstrapTokenAuthGroup},
			}})
		},
		func() error { return bootstrapnode.AllowBootstrapTokensToGetNodes(admin) },
		func() error { return bootstrapnode.AllowBootstrapTokensToPostCSRs(admin) },
		func() error { return bootstrapnode.AutoApproveNodeBootstrapTokens(admin) },
		func() error { return bootstrapnode.AutoApproveNodeCertificateRotation(admin) },
		func() error { return bootstrapnode.AllowAPIServerToAccessKubeletAPI(admin) },
		func() error { return clusterinfo.CreateBootstrapConfigMapIfNotExists(admin, config) },
		func() error { return clusterinfo.CreateClusterInfoRBACRules(admin) },
		func() error { return signClusterInfo(ctx, admin, id, secret) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("preparing for agents to join: %w", err)
		}
	}
	return nil
}

// signClusterInfo does at once what the bootstrap signer would do a second later.
func signClusterInfo(ctx context.Context, admin kubernetes.Interface, id, secret string) error {
	maps := admin.CoreV1().ConfigMaps(metav1.NamespacePublic)
	info, err := maps.Get(ctx, "cluster-info", metav1.GetOptions{})
	if err != nil {
		return err
	}
	signature, err := jws.ComputeDetachedSignature(info.Data["kubeconfig"], id, secret)
	if err != nil {
		return err
	}
	patch := fmt.Sprintf(`{"data":{"jws-kubeconfig-%s":%q}}`, id, signature)
	_, err = maps.Patch(ctx, "cluster-info", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	return err
}

// discover finds the cluster's CA by the shared secret and writes the kubelet's bootstrap kubeconfig.
func (o *Options) discover(ctx context.Context) (*clientcmdapi.Config, error) {
	endpoint, err := o.ServerEndpoint()
	if err != nil {
		return nil, err
	}
	id, secret := o.BootstrapToken()
	// kubeadm's discovery retries each 5 s; it is asked only when the answer is there.
	insecure, err := clientcmd.NewDefaultClientConfig(*token.BuildInsecureBootstrapKubeConfig(endpoint), nil).ClientConfig()
	if err != nil {
		return nil, err
	}
	insecure.Timeout = 2 * time.Second
	public, err := kubernetes.NewForConfig(insecure)
	if err != nil {
		return nil, err
	}
	if err := until(ctx, "a server at "+endpoint+" that knows our token", startWithin, func() error {
		info, err := public.CoreV1().ConfigMaps(metav1.NamespacePublic).Get(ctx, "cluster-info", metav1.GetOptions{})
		if err == nil && info.Data["jws-kubeconfig-"+id] == "" {
			return fmt.Errorf("the server does not know our token (is K3S_TOKEN the server's?)")
		}
		return err
	}); err != nil {
		return nil, err
	}
	config, err := token.RetrieveValidatedConfigInfo(nil, &kubeadmapi.Discovery{
		BootstrapToken: &kubeadmapi.BootstrapTokenDiscovery{
			Token: id + "." + secret, APIServerEndpoint: endpoint, UnsafeSkipCAVerification: true,
		},
	}, 30*time.Second)
	if err != nil {
		return nil, fmt.Errorf("joining %s: %w", endpoint, err)
	}
	for _, cluster := range config.Clusters {
		cluster.Server = "https://" + endpoint
		out := clientcmdapi.NewConfig()
		out.Clusters["default"] = cluster
		out.AuthInfos["default"] = &clientcmdapi.AuthInfo{Token: id + "." + secret}
		out.Contexts["default"] = &clientcmdapi.Context{Cluster: "default", AuthInfo: "default"}
		out.CurrentContext = "default"
		return out, os.WriteFile(filepath.Join(o.DataDir, "agent", "client-ca.crt"), cluster.CertificateAuthorityData, 0o644)
	}
	return nil, fmt.Errorf("joining %s: its cluster-info names no cluster", endpoint)
}

func (o *Options) runAgent(ctx context.Context, s *Supervisor) error {
	runtime := o.startRuntime(ctx, s)
	if err := os.MkdirAll(filepath.Join(o.DataDir, "agent"), 0o755); err != nil {
		return err
	}
	if !exists(o.kubeletKubeconfig()) || !exists(o.proxyKubeconfig()) {
		bootstrapConfig, err := o.discover(ctx)
		if err != nil {
			return err
		}
		if err := clientcmd.WriteToFile(*bootstrapConfig, o.bootstrapKubeconfig()); err != nil {
			return err
		}
		if err := o.requestProxyCertificate(ctx, bootstrapConfig); err != nil {
			return err
		}
	}
	if err := <-runtime; err != nil {
		return err
	}
	return o.startWorker(ctx, s)
}

func randomToken(file string) (string, error) {
	if content, err := os.ReadFile(file); err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	return hex.EncodeToString(random), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
