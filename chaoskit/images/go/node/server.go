package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/kubernetes/cmd/kubeadm/app/constants"
)

const startWithin = 120 * time.Second

func (o *Options) runServer(ctx context.Context, s *Supervisor) error {
	if err := o.writeTokens(); err != nil {
		return err
	}
	runtime := o.startRuntime(ctx, s)
	if err := o.makePKI(); err != nil {
		return err
	}
	if err := o.startControlPlane(ctx, s); err != nil {
		return err
	}
	admin, err := clientFrom(o.KubeconfigOutput)
	if err != nil {
		return err
	}
	if err := until(ctx, "the API server's /readyz", startWithin, func() error {
		return admin.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	}); err != nil {
		return err
	}
	o.startControllers(s)
	go o.approveCertificates(ctx, admin)
	if err := o.allowJoining(ctx, admin); err != nil {
		return err
	}
	logf("k3s is up and running")
	if err := o.writePackagedManifests(); err != nil {
		return err
	}
	go o.applyManifests(ctx)
	if err := <-runtime; err != nil {
		return err
	}
	if err := o.startWorker(ctx, s); err != nil {
		return err
	}
	go o.keepNodeHosts(ctx, admin)
	return o.labelServer(ctx, admin)
}

func (o *Options) writeTokens() error {
	dir := filepath.Join(o.DataDir, "server")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	token := filepath.Join(dir, "token")
	if o.Token == "" {
		secret, err := randomToken(token)
		if err != nil {
			return err
		}
		o.Token = secret
	}
	for _, file := range []string{token, filepath.Join(dir, "node-token")} {
		if err := os.WriteFile(file, []byte(o.Token+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) startControlPlane(ctx context.Context, s *Supervisor) error {
	paths := o.serverPaths()
	pki := func(name string) string { return filepath.Join(paths.pki, name) }
	if err := os.MkdirAll(paths.etcd, 0o700); err != nil {
		return err
	}
	s.Start(component("etcd",
		"--name="+o.NodeName, "--data-dir="+paths.etcd,
		// The data outlives a killed container (the kernel keeps it), and a lost host loses the
		// whole throw-away cluster: waiting for the disk would only slow every request down.
		"--unsafe-no-fsync",
		"--listen-client-urls=https://127.0.0.1:2379", "--advertise-client-urls=https://127.0.0.1:2379",
		"--listen-peer-urls=https://127.0.0.1:2380", "--initial-advertise-peer-urls=https://127.0.0.1:2380",
		"--initial-cluster="+o.NodeName+"=https://127.0.0.1:2380",
		"--listen-metrics-urls=http://127.0.0.1:2381",
		"--client-cert-auth", "--trusted-ca-file="+pki("etcd/ca.crt"),
		"--cert-file="+pki("etcd/server.crt"), "--key-file="+pki("etcd/server.key"),
		"--peer-client-cert-auth", "--peer-trusted-ca-file="+pki("etcd/ca.crt"),
		"--peer-cert-file="+pki("etcd/peer.crt"), "--peer-key-file="+pki("etcd/peer.key"),
	))
	// The API server retries a missing etcd only after a second, so it is started when etcd listens.
	if err := until(ctx, "etcd", startWithin, func() error {
		connection, err := net.Dial("tcp", "127.0.0.1:2379")
		if err == nil {
			_ = connection.Close()
		}
		return err
	}); err != nil {
		return err
	}
	s.Start(component("kube-apiserver", append([]string{
		"--advertise-address=" + o.NodeIP, fmt.Sprintf("--secure-port=%d", apiPort),
		"--allow-privileged", "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--enable-bootstrap-token-auth", "--client-ca-file=" + pki("ca.crt"),
		"--tls-cert-file=" + pki("apiserver.crt"), "--tls-private-key-file=" + pki("apiserver.key"),
		"--etcd-servers=https://127.0.0.1:2379", "--etcd-cafile=" + pki("etcd/ca.crt"),
		"--etcd-certfile=" + pki("apiserver-etcd-client.crt"), "--etcd-keyfile=" + pki("apiserver-etcd-client.key"),
		"--kubelet-certificate-authority=" + pki("ca.crt"),
		"--kubelet-client-certificate=" + pki("apiserver-kubelet-client.crt"),
		"--kubelet-client-key=" + pki("apiserver-kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP,Hostname",
		"--proxy-client-cert-file=" + pki("front-proxy-client.crt"),
		"--proxy-client-key-file=" + pki("front-proxy-client.key"),
		"--requestheader-client-ca-file=" + pki("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group", "--requestheader-username-headers=X-Remote-User",
		"--service-account-issuer=https://kubernetes.default.svc." + o.ClusterDomain,
		"--service-account-key-file=" + pki("sa.pub"), "--service-account-signing-key-file=" + pki("sa.key"),
		"--service-cluster-ip-range=" + o.ServiceCIDR, "--service-node-port-range=" + o.NodePortRange,
	}, dashed(o.APIServerArgs)...)...))
	return nil
}

func (o *Options) startControllers(s *Supervisor) {
	paths := o.serverPaths()
	pki := func(name string) string { return filepath.Join(paths.pki, name) }
	credential := func(name string) string { return filepath.Join(paths.credentials, name) }
	s.Start(component("kube-controller-manager", append([]string{
		"--kubeconfig=" + credential(constants.ControllerManagerKubeConfigFileName),
		"--authentication-kubeconfig=" + credential(constants.ControllerManagerKubeConfigFileName),
		"--authorization-kubeconfig=" + credential(constants.ControllerManagerKubeConfigFileName),
		"--controllers=*,bootstrapsigner,tokencleaner", "--use-service-account-credentials",
		"--leader-elect=false", // one of each; with a lease, a restart would wait 15 s for it to run out
		"--allocate-node-cidrs", "--cluster-cidr=" + o.ClusterCIDR, "--service-cluster-ip-range=" + o.ServiceCIDR,
		"--cluster-signing-cert-file=" + pki("ca.crt"), "--cluster-signing-key-file=" + pki("ca.key"),
		"--client-ca-file=" + pki("ca.crt"), "--root-ca-file=" + pki("ca.crt"),
		"--requestheader-client-ca-file=" + pki("front-proxy-ca.crt"),
		"--service-account-private-key-file=" + pki("sa.key"), "--bind-address=127.0.0.1",
	}, dashed(o.ControllerArgs)...)...))
	s.Start(component("kube-scheduler", append([]string{
		"--kubeconfig=" + credential(constants.SchedulerKubeConfigFileName),
		"--authentication-kubeconfig=" + credential(constants.SchedulerKubeConfigFileName),
		"--authorization-kubeconfig=" + credential(constants.SchedulerKubeConfigFileName),
		"--leader-elect=false", "--bind-address=127.0.0.1",
	}, dashed(o.SchedulerArgs)...)...))
}

// labelServer marks the node as a control plane's, which a kubelet may not do itself.
func (o *Options) labelServer(ctx context.Context, admin kubernetes.Interface) error {
	return until(ctx, "this node's registration", startWithin, func() error {
		return mergePatchNode(ctx, admin, o.NodeName,
			`{"metadata":{"labels":{"node-role.kubernetes.io/control-plane":"true"}}}`)
	})
}
