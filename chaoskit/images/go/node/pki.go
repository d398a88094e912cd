package node

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/component-base/version"
	kubeadmapi "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/v1beta4"
	"k8s.io/kubernetes/cmd/kubeadm/app/constants"
	"k8s.io/kubernetes/cmd/kubeadm/app/phases/certs"
	"k8s.io/kubernetes/cmd/kubeadm/app/phases/kubeconfig"
	kubeadmconfig "k8s.io/kubernetes/cmd/kubeadm/app/util/config"
)

const clientCertificateLife = 365 * 24 * time.Hour

// serverPaths are where a server keeps its keys and credentials.
type serverPaths struct{ pki, credentials, etcd, manifests string }

func (o *Options) serverPaths() serverPaths {
	server := filepath.Join(o.DataDir, "server")
	return serverPaths{
		pki:         filepath.Join(server, "tls"),
		credentials: filepath.Join(server, "cred"),
		etcd:        filepath.Join(server, "db", "etcd"),
		manifests:   filepath.Join(server, "manifests"),
	}
}

// kubeadmConfig describes this server to kubeadm's phases, which make all keys and credentials.
func (o *Options) kubeadmConfig() (*kubeadmapi.InitConfiguration, error) {
	paths := o.serverPaths()
	return kubeadmconfig.DefaultedInitConfiguration(
		&kubeadm.InitConfiguration{
			LocalAPIEndpoint: kubeadm.APIEndpoint{AdvertiseAddress: o.NodeIP, BindPort: apiPort},
			NodeRegistration: kubeadm.NodeRegistrationOptions{
				Name: o.NodeName, CRISocket: "unix://" + containerdSocket,
			},
		},
		&kubeadm.ClusterConfiguration{
			KubernetesVersion:   version.Get().GitVersion,
			ClusterName:         "default",
			CertificatesDir:     paths.pki,
			EncryptionAlgorithm: kubeadm.EncryptionAlgorithmECDSAP256, // RSA keys take seconds to make
			Networking: kubeadm.Networking{
				ServiceSubnet: o.ServiceCIDR, PodSubnet: o.ClusterCIDR, DNSDomain: o.ClusterDomain,
			},
			APIServer: kubeadm.APIServer{
				CertSANs: append([]string{"127.0.0.1", "localhost", o.NodeName}, o.TLSSANs...),
			},
		},
		kubeadmconfig.LoadOrDefaultConfigurationOptions{SkipCRIDetect: true},
	)
}

// makePKI makes what is missing of keys, certificates and kubeconfigs of a server.
func (o *Options) makePKI() error {
	config, err := o.kubeadmConfig()
	if err != nil {
		return fmt.Errorf("describing the cluster to kubeadm: %w", err)
	}
	if err := certs.CreatePKIAssets(config); err != nil {
		return fmt.Errorf("making certificates: %w", err)
	}
	paths := o.serverPaths()
	for _, name := range []string{
		constants.SuperAdminKubeConfigFileName, constants.ControllerManagerKubeConfigFileName,
		constants.SchedulerKubeConfigFileName,
	} {
		if err := kubeconfig.CreateKubeConfigFile(name, paths.credentials, config); err != nil {
			return fmt.Errorf("making %s: %w", name, err)
		}
	}
	for file, who := range map[string]struct {
		user   string
		groups []string
	}{
		o.kubeletKubeconfig(): {"system:node:" + o.NodeName, []string{"system:nodes"}},
		o.proxyKubeconfig():   {"system:kube-proxy", nil},
	} {
		if err := writeOnce(file, func(b *bytes.Buffer) error {
			return kubeconfig.WriteKubeConfigWithClientCert(b, config, who.user, who.groups, time.Now().Add(clientCertificateLife))
		}); err != nil {
			return err
		}
	}
	return o.writeAdminKubeconfig()
}

func writeOnce(path string, write func(*bytes.Buffer) error) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return fmt.Errorf("making %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, content.Bytes(), 0o600)
}

// writeAdminKubeconfig writes the contract's k3s.yaml: loopback server, everything named "default".
func (o *Options) writeAdminKubeconfig() error {
	admin, err := clientcmd.LoadFromFile(filepath.Join(o.serverPaths().credentials, constants.SuperAdminKubeConfigFileName))
	if err != nil {
		return err
	}
	context := admin.Contexts[admin.CurrentContext]
	cluster := admin.Clusters[context.Cluster].DeepCopy()
	cluster.Server = fmt.Sprintf("https://127.0.0.1:%d", apiPort)
	out := clientcmdapi.NewConfig()
	out.Clusters["default"] = cluster
	out.AuthInfos["default"] = admin.AuthInfos[context.AuthInfo]
	out.Contexts["default"] = &clientcmdapi.Context{Cluster: "default", AuthInfo: "default"}
	out.CurrentContext = "default"
	if err := clientcmd.WriteToFile(*out, o.KubeconfigOutput); err != nil {
		return err
	}
	mode, _ := strconv.ParseUint(o.KubeconfigMode, 8, 32) // checked when the options were read
	if err := os.Chmod(o.KubeconfigOutput, os.FileMode(mode)); err != nil {
		return err
	}
	logf("Wrote kubeconfig %s", o.KubeconfigOutput)
	return nil
}

// DefaultKubeconfigEnv lets kubectl inside a server work without being told where its file is.
func DefaultKubeconfigEnv() {
	const file = "/etc/rancher/k3s/k3s.yaml"
	if _, err := os.Stat(file); err == nil && os.Getenv("KUBECONFIG") == "" {
		_ = os.Setenv("KUBECONFIG", file)
	}
}

func clientFrom(file string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}
