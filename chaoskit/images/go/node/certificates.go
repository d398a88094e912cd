package node

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	certificates "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/certificate/csr"
	"k8s.io/client-go/util/keyutil"
)

const proxyUser = "system:kube-proxy"

// approveCertificates approves the two kinds of request that Kubernetes leaves to the installer: a
// kubelet's serving certificate for its own name and addresses, and a joining node's kube-proxy.
func (o *Options) approveCertificates(ctx context.Context, admin kubernetes.Interface) {
	factory := informers.NewSharedInformerFactory(admin, time.Minute)
	informer := factory.Certificates().V1().CertificateSigningRequests().Informer()
	approve := func(object any) {
		request, ok := object.(*certificates.CertificateSigningRequest)
		if !ok || len(request.Status.Conditions) > 0 {
			return
		}
		if reason := o.refusal(request); reason != "" {
			return
		}
		request = request.DeepCopy()
		request.Status.Conditions = append(request.Status.Conditions, certificates.CertificateSigningRequestCondition{
			Type: certificates.CertificateApproved, Status: corev1.ConditionTrue,
			Reason: "NodeIdentity", Message: "the request names only the requesting node",
		})
		_, err := admin.CertificatesV1().CertificateSigningRequests().UpdateApproval(ctx, request.Name, request, metav1.UpdateOptions{})
		if err != nil {
			logf("approving %s: %v", request.Name, err)
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: approve, UpdateFunc: func(_, object any) { approve(object) },
	})
	if err != nil {
		logf("watching certificate requests: %v", err)
		return
	}
	factory.Start(ctx.Done())
}

// refusal says why a request is not ours to approve; empty when it is.
func (o *Options) refusal(request *certificates.CertificateSigningRequest) string {
	block, _ := pem.Decode(request.Spec.Request)
	if block == nil {
		return "not PEM"
	}
	parsed, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return err.Error()
	}
	switch request.Spec.SignerName {
	case certificates.KubeletServingSignerName:
		node, isNode := strings.CutPrefix(request.Spec.Username, "system:node:")
		if !isNode || parsed.Subject.CommonName != request.Spec.Username {
			return "not requested by the node it names"
		}
		if slices.ContainsFunc(parsed.DNSNames, func(name string) bool { return name != node }) {
			return "names another host"
		}
		return ""
	case certificates.KubeAPIServerClientSignerName:
		joining := strings.HasPrefix(request.Spec.Username, "system:bootstrap:")
		if !joining || parsed.Subject.CommonName != proxyUser || len(parsed.Subject.Organization) > 0 {
			return "not a joining node's kube-proxy"
		}
		return ""
	}
	return "another signer's"
}

// requestProxyCertificate asks the server for kube-proxy's client certificate.
func (o *Options) requestProxyCertificate(ctx context.Context, joining *clientcmdapi.Config) error {
	rest, err := clientcmd.NewDefaultClientConfig(*joining, nil).ClientConfig()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return err
	}
	key, request, err := newRequest(proxyUser)
	if err != nil {
		return err
	}
	name, uid, err := csr.RequestCertificate(client, request, "", certificates.KubeAPIServerClientSignerName, nil,
		[]certificates.KeyUsage{certificates.UsageDigitalSignature, certificates.UsageClientAuth}, key)
	if err != nil {
		return fmt.Errorf("requesting kube-proxy's certificate: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	certificate, err := csr.WaitForCertificate(ctx, client, name, uid)
	if err != nil {
		return fmt.Errorf("waiting for kube-proxy's certificate %s: %w", name, err)
	}
	keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	config := joining.DeepCopy()
	config.AuthInfos["default"] = &clientcmdapi.AuthInfo{ClientCertificateData: certificate, ClientKeyData: keyPEM}
	return clientcmd.WriteToFile(*config, o.proxyKubeconfig())
}

func newRequest(user string) (crypto.Signer, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: user},
	}, key)
	if err != nil {
		return nil, nil, err
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}
