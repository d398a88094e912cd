// Package node is what runs in a node's container: it makes or joins a cluster, supervises each
// component as its own process, and keeps routes, manifests and certificates in order.
package node

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	apiPort          = 6443
	self             = "/bin/k3s"
	containerdSocket = "/run/k3s/containerd/containerd.sock"
)

// Main runs a server or an agent until it gets TERM or INT; it returns the exit status.
func Main(role string, args []string) int {
	options, err := ParseOptions(role, args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	supervisor, err := NewSupervisor()
	if err != nil {
		fmt.Fprintln(os.Stderr, "k3s:", err)
		return 1
	}
	if role == "server" {
		err = options.runServer(ctx, supervisor)
	} else {
		err = options.runAgent(ctx, supervisor)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "k3s %s: %v\n", role, err)
		return 1
	}
	<-ctx.Done()
	logf("stopping")
	supervisor.StopAll("kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager", "kube-apiserver")
	return 0
}

// component describes one of the multi-call binary's own components.
func component(name string, args ...string) Component {
	return Component{Name: name, Path: self, Args: args}
}

// until polls every 50 ms: start-up is a chain of such waits, so coarser steps would add up.
func until(ctx context.Context, what string, within time.Duration, done func() error) error {
	started := time.Now()
	for {
		err := done()
		if err == nil {
			return nil
		}
		if time.Since(started) > within {
			return fmt.Errorf("%s: not within %s: %w", what, within, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
