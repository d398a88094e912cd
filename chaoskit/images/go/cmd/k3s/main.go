// Command k3s is the node image's one binary: the supervisor of a server or agent node, every
// Kubernetes component, etcd and kubectl, chosen by the name it is called by or its first argument.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"chaoskit.dev/images/node"
)

const reaper = "/usr/bin/tini"

var components = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
}

func main() {
	name := filepath.Base(os.Args[0])
	if _, known := components[name]; !known && name != "etcd" {
		if len(os.Args) < 2 {
			os.Args = append(os.Args, "agent") // the image's default argument
		}
		name = os.Args[1]
		os.Args = os.Args[1:]
	}
	switch name {
	case "server", "agent":
		reapOrphans()
		os.Exit(node.Main(name, os.Args[1:]))
	case "component":
		os.Exit(node.ComponentMain(os.Args[1:]))
	case "etcd":
		etcdmain.Main(os.Args)
		return
	}
	command, known := components[name]
	if !known {
		fmt.Fprintf(os.Stderr, "k3s: %q is neither server, agent, component nor a component's name\n", name)
		os.Exit(2)
	}
	if name == "kubectl" {
		node.DefaultKubeconfigEnv()
	}
	os.Exit(cli.Run(command()))
}

// reapOrphans puts an init process above us when we are process 1: containerd's shims leave their
// children to process 1, which must wait for them.
func reapOrphans() {
	if os.Getpid() != 1 {
		return
	}
	argv := append([]string{reaper, "--", "/bin/k3s"}, os.Args...)
	if err := syscall.Exec(reaper, argv, os.Environ()); err != nil {
		fmt.Fprintf(os.Stderr, "k3s: cannot start %s: %v; orphans will not be reaped\n", reaper, err)
	}
}
