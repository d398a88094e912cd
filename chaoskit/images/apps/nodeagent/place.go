package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// errPodGone: no process of the pod runs here, so its network namespace is gone, or never was.
var errPodGone = errors.New("no process of it runs on this node")

// networkOf opens the network namespace of a pod of this node, or of the node for "". All of a pod's
// containers share one, but a process of it may end meanwhile, and one that is being started is in
// the node's still.
func networkOf(cgroupRoot, pod string) (*os.File, error) {
	if pod == "" {
		return os.Open("/proc/self/ns/net")
	}
	pids, err := processesOfPod(cgroupRoot, pod)
	if err != nil {
		return nil, err
	}
	reason := fmt.Errorf("pod %s: %w", pod, errPodGone)
	for _, pid := range pids {
		network, err := os.Open(filepath.Join("/proc", pid, "ns", "net"))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !sameFile(network, "/proc/self/ns/net") {
			return network, nil
		}
		_ = network.Close()
		reason = fmt.Errorf("pod %s shares the node's network; name the node", pod)
	}
	return nil, reason
}

func processesOfPod(cgroupRoot, pod string) (pids []string, err error) {
	roots, err := kubepodsRoots(cgroupRoot)
	for _, root := range roots {
		err = errors.Join(err, eachPod(root, func(path, uid string) error {
			if uid != pod {
				return nil
			}
			found, err := processesIn(path)
			pids = append(pids, found...)
			return err
		}))
	}
	return pids, err
}

func sameFile(one *os.File, path string) bool {
	here, err := os.Stat(path)
	there, thereErr := one.Stat()
	return err == nil && thereErr == nil && os.SameFile(here, there)
}

// within runs `do` in that network namespace, on a thread that ends with it: sockets opened there
// stay there, and no other goroutine ever sees the thread.
func within(network *os.File, do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked
		if err := unix.Setns(int(network.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("entering a network namespace: %w", err)
			return
		}
		done <- do()
	}()
	return <-done
}

// withinPod runs `do` in the network of a pod, or in the node's for "".
func withinPod(cgroupRoot, pod string, do func() error) error {
	if pod == "" {
		return do()
	}
	network, err := networkOf(cgroupRoot, pod)
	if err != nil {
		return err
	}
	defer network.Close()
	return within(network, do)
}
