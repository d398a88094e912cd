package main

import (
	"os"
	"runtime"
	"sync"
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
