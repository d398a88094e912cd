package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// /proc/self is the first thread's: were that one to enter another network, it could not be ended
// as others are, and the agent would take that network for the node's.
func TestNoVisitToANetworkChangesWhichIsTheNodes(t *testing.T) {
	t.Parallel()
	before, err := os.Readlink("/proc/self/ns/net")
	must(t, err)
	made := make(chan *os.File)
	go func() {
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
		}
		network, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			t.Error(err)
		}
		made <- network
	}()
	network := <-made
	defer network.Close()
	for range 20 {
		var visits sync.WaitGroup
		for range 50 {
			visits.Go(func() {
				if err := within(network, func() error { time.Sleep(time.Millisecond); return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		visits.Wait()
	}
	if after, _ := os.Readlink("/proc/self/ns/net"); after != before {
		t.Fatalf("the process is in %s now, not in %s", after, before)
	}
}

// A process of a pod that is listed may have ended, and one that is being started is in the node's
// network yet: neither hides the pod's own.
func TestAPodsNetworkIsThatOfAnyOfItsProcesses(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	root := t.TempDir()
	uid := "0f1e2d3c-0000-4000-8000-00000000000b"
	cgroup := filepath.Join(root, "pids", "kubepods", "pod"+uid, id("a"))
	must(t, os.MkdirAll(cgroup, 0o755))
	lists := func(pids ...string) {
		t.Helper()
		must(t, os.WriteFile(filepath.Join(cgroup, "cgroup.procs"),
			[]byte(strings.Join(pids, "\n")), 0o644))
	}
	pid := strings.TrimSpace(tool(t, "sh", "-c", "unshare -n sleep 60 >/dev/null 2>&1 & echo $!"))
	t.Cleanup(func() { tool(t, "kill", pid) })
	const ended = "4194999" // beyond what the kernel gives
	starting := strconv.Itoa(p.near.command.Process.Pid)
	waitFor(t, "a network of its own", 3*time.Second, func() error {
		links := tool(t, "nsenter", "-t", pid, "-n", "ip", "-o", "link")
		if strings.Contains(links, "nic0") {
			return errors.New(links)
		}
		return nil
	})
	p.near = serveIn(t, shortDir(t), "-cgroup-root", root)
	for _, first := range []string{ended, starting} {
		lists(first, pid)
		p.near.inject("packets", dropping("arriving", fields{"pod": uid}))
		p.near.heal("packets", fields{"label": "test"})
		lists(pid)
		p.near.inject("packets", dropping("arriving", fields{"pod": uid}))
		lists(first, pid)
		p.near.heal("packets", fields{"label": "test"})
		if left := p.tablesOf(pid); left != "" {
			t.Fatalf("healed, but the pod has %s", left)
		}
	}
	lists(starting)
	p.near.refused("shares the node's network", "inject", fields{"kind": "packets",
		"heal_after_s": 60, "parameters": dropping("arriving", fields{"pod": uid})})
}

// tablesOf are the names of the tables in the network of a process.
func (p *pair) tablesOf(pid string) (names string) {
	p.t.Helper()
	network, err := os.Open(filepath.Join("/proc", pid, "ns", "net"))
	must(p.t, err)
	defer network.Close()
	must(p.t, within(network, func() error { names = tableNames(p.t); return nil }))
	return names
}

// Pods come and go while the agent stays.
func TestAnEarGoesWithItsPod(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	s := serveIn(t, shortDir(t), "-cgroup-root", root)
	s.call("listen", nil)
	descriptors := func() int {
		t.Helper()
		all, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(s.command.Process.Pid), "fd"))
		must(t, err)
		return len(all)
	}
	before := descriptors()
	for number := range 20 {
		uid := fmt.Sprintf("0f1e2d3c-0000-4000-8000-%012d", number)
		cgroup := filepath.Join(root, "pids", "kubepods", "pod"+uid, id("a"))
		must(t, os.MkdirAll(cgroup, 0o755))
		first := exec.Command("sleep", "60")
		first.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		must(t, first.Start())
		must(t, os.WriteFile(filepath.Join(cgroup, "cgroup.procs"),
			[]byte(strconv.Itoa(first.Process.Pid)), 0o644))
		port := s.call("listen", fields{"pod": uid})["port"]
		if again := s.call("listen", fields{"pod": uid})["port"]; again != port {
			t.Fatalf("port %v, and asked again %v", port, again)
		}
		must(t, first.Process.Kill())
		_ = first.Wait()
		must(t, os.RemoveAll(filepath.Join(root, "pids", "kubepods", "pod"+uid)))
	}
	s.call("listen", nil)
	if now := descriptors(); now > before+1 { // the directory itself, or a look at the runtime's own
		t.Fatalf("%d descriptors, %d before any pod came", now, before)
	}
}
