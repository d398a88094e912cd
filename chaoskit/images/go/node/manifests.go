package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
)

//go:embed packaged/*.yaml
var packaged embed.FS

const manifestsEvery = time.Second

// writePackagedManifests lays down our own manifests at each start, as k3s does.
func (o *Options) writePackagedManifests() error {
	if err := os.MkdirAll(o.serverPaths().manifests, 0o755); err != nil {
		return err
	}
	upstream := false
	if content, err := os.ReadFile(o.writeResolvConf()); err == nil {
		upstream = bytes.Contains(content, []byte("nameserver "))
	}
	values := map[string]any{
		"ClusterDNS": o.ClusterDNS, "ClusterDomain": o.ClusterDomain, "Upstream": upstream,
		"LocalStoragePath": o.LocalStoragePath, "SharedStoragePath": o.SharedStoragePath,
	}
	return fs.WalkDir(packaged, "packaged", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := strings.TrimSuffix(entry.Name(), ".yaml")
		if o.Disabled(name) {
			return nil
		}
		content, err := packaged.ReadFile(path)
		if err != nil {
			return err
		}
		parsed, err := template.New(name).Parse(string(content))
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := parsed.Execute(&out, values); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(o.serverPaths().manifests, entry.Name()), out.Bytes(), 0o644)
	})
}

// applyManifests applies every file of the manifests folder at start and whenever it changes.
func (o *Options) applyManifests(ctx context.Context) {
	apply, err := newApplier(o.KubeconfigOutput)
	if err != nil {
		logf("manifests: %v", err)
		return
	}
	applied := map[string][32]byte{}
	for {
		err := filepath.WalkDir(o.serverPaths().manifests, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !isManifest(path) {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(content)
			if applied[path] == sum {
				return nil
			}
			if err := apply.all(ctx, content); err != nil {
				logf("Failed to apply manifest %s: %v", path, err) // tried again next time
				return nil
			}
			applied[path] = sum
			logf("Applied manifest %s", path)
			return nil
		})
		if err != nil {
			logf("manifests: %v", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(manifestsEvery):
		}
	}
}

func isManifest(path string) bool {
	switch filepath.Ext(path) {
	case ".yaml", ".yml", ".json":
		return !exists(path + ".skip")
	}
	return false
}

type applier struct {
	dynamic dynamic.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper
}

func newApplier(kubeconfig string) (*applier, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return &applier{client, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))}, nil
}

func (a *applier) all(ctx context.Context, content []byte) error {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	var failed []error
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return errors.Join(failed...)
		} else if err != nil {
			return err
		}
		if len(object.Object) == 0 {
			continue
		}
		if err := a.one(ctx, object); err != nil {
			failed = append(failed, fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err))
		}
	}
}

func (a *applier) one(ctx context.Context, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		a.mapper.Reset() // the kind may be defined by another manifest
		return err
	}
	var resource dynamic.ResourceInterface = a.dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == "namespace" {
		namespace := object.GetNamespace()
		if namespace == "" {
			namespace = metav1.NamespaceDefault
		}
		resource = a.dynamic.Resource(mapping.Resource).Namespace(namespace)
	}
	_, err = resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: "deploy", Force: true})
	return err
}

// nodeHostsEvery is short because the launcher waits for the last node's name.
const nodeHostsEvery = time.Second

// keepNodeHosts keeps the nodes' names in CoreDNS's host file.
func (o *Options) keepNodeHosts(ctx context.Context, admin kubernetes.Interface) {
	written := ""
	for {
		hosts, err := nodeHosts(ctx, admin)
		if err == nil && hosts != written && !o.Disabled("coredns") {
			patch := fmt.Sprintf(`{"data":{"NodeHosts":%q}}`, hosts)
			_, err = admin.CoreV1().ConfigMaps(metav1.NamespaceSystem).
				Patch(ctx, "coredns", types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "node-hosts"})
			if err == nil {
				written = hosts
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(nodeHostsEvery):
		}
	}
}

func nodeHosts(ctx context.Context, admin kubernetes.Interface) (string, error) {
	nodes, err := admin.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	var lines strings.Builder
	for _, node := range nodes.Items {
		for _, address := range node.Status.Addresses {
			if address.Type == corev1.NodeInternalIP && net.ParseIP(address.Address) != nil {
				fmt.Fprintf(&lines, "%s %s\n", address.Address, node.Name)
			}
		}
	}
	return lines.String(), nil
}
