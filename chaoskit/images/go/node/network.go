package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	listers "k8s.io/client-go/listers/core/v1"
)

const cniTemplate = `{"cniVersion":"1.0.0","name":"chaoskit","plugins":[
{"type":"bridge","bridge":"cni0","isGateway":true,"hairpinMode":true,
 "ipam":{"type":"host-local","ranges":[[{"subnet":%q}]],"routes":[{"dst":"0.0.0.0/0"}]}},
{"type":"portmap","capabilities":{"portMappings":true}}]}
`

// Routes lost with a link are put back this soon after it is up again.
const routeEvery = time.Second

func (o *Options) cniConfDir() string { return o.agentFile("etc", "cni", "net.d") }

// keepNetwork writes this node's CNI configuration and keeps a host route to every other node's
// pods, from what the API server last said: it goes on while the API server is out of reach.
func (o *Options) keepNetwork(ctx context.Context) {
	client, err := clientFrom(o.proxyKubeconfig())
	if err != nil {
		logf("network: %v", err)
		return
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	nodes := factory.Core().V1().Nodes().Lister()
	factory.Start(ctx.Done())
	defaultRoute := currentDefaultRoute()
	masqueraded, complaint := false, ""
	wait := 50 * time.Millisecond // until this node has its pod range
	for {
		ready, err := o.network(nodes, defaultRoute)
		if err == nil && ready && !masqueraded {
			err = o.masquerade()
			masqueraded = err == nil
			wait = routeEvery
		}
		if text := fmt.Sprint(err); err != nil && text != complaint {
			complaint = text
			logf("network: %v", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (o *Options) network(nodes listers.NodeLister, defaultRoute *netlink.Route) (ready bool, err error) {
	all, err := nodes.List(labels.Everything())
	if err != nil {
		return false, err
	}
	if defaultRoute != nil && currentDefaultRoute() == nil && linkIsUp(defaultRoute.LinkIndex) {
		if err := netlink.RouteReplace(defaultRoute); err != nil {
			return false, fmt.Errorf("default route: %w", err)
		}
	}
	for _, node := range all {
		if node.Spec.PodCIDR == "" {
			continue
		}
		if node.Name == o.NodeName {
			if err := o.writeCNI(node.Spec.PodCIDR); err != nil {
				return false, err
			}
			ready = true
			continue
		}
		if routeErr := routeTo(node); routeErr != nil {
			err = routeErr // the others still get theirs
		}
	}
	return ready, err
}

// writeCNI writes the configuration once: taking it away is a fault of its own.
func (o *Options) writeCNI(podCIDR string) error {
	stamp := filepath.Join("/run/chaoskit", "cni-written")
	if exists(stamp) {
		return nil
	}
	file := filepath.Join(o.cniConfDir(), "10-chaoskit.conflist")
	if err := os.WriteFile(file, []byte(fmt.Sprintf(cniTemplate, podCIDR)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(stamp, nil, 0o644)
}

func routeTo(node *corev1.Node) error {
	_, pods, err := net.ParseCIDR(node.Spec.PodCIDR)
	if err != nil {
		return fmt.Errorf("node %s: pod range %q: %w", node.Name, node.Spec.PodCIDR, err)
	}
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			route := &netlink.Route{Dst: pods, Gw: net.ParseIP(address.Address)}
			if err := netlink.RouteReplace(route); err != nil {
				return fmt.Errorf("route to the pods of %s (%s via %s): %w", node.Name, pods, address.Address, err)
			}
		}
	}
	return nil
}

func currentDefaultRoute() *netlink.Route {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil
	}
	for _, route := range routes {
		if route.Gw != nil && (route.Dst == nil || route.Dst.IP.IsUnspecified()) {
			return &route
		}
	}
	return nil
}

func linkIsUp(index int) bool {
	link, err := netlink.LinkByIndex(index)
	return err == nil && link.Attrs().Flags&net.FlagUp != 0
}

// masquerade lets pods reach what is outside the cluster; between pods addresses stay their own.
func (o *Options) masquerade() error {
	rule := []string{"POSTROUTING", "-s", o.ClusterCIDR, "!", "-d", o.ClusterCIDR, "-j", "MASQUERADE"}
	table := []string{"-w", "5", "-t", "nat"}
	if exec.Command("iptables", append(append(table, "-C"), rule...)...).Run() == nil {
		return nil
	}
	out, err := exec.Command("iptables", append(append(table, "-A"), rule...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("iptables masquerade rule: %w: %s", err, out)
	}
	return nil
}
