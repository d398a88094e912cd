package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// network is a node's network namespace with one interface, nic0, wired to a far namespace where
// an echo server runs. The test's goroutine stays in it, and so do the processes it starts.
type network struct {
	t   *testing.T
	far chan func()
}

const farAddress = "10.9.0.2:7007"

// enterNetwork needs root. The goroutine's thread is never unlocked, so it ends with the test.
func enterNetwork(t *testing.T) network {
	t.Helper()
	enterNamespace(t)
	n := network{t, make(chan func())}
	far := make(chan net.PacketConn, 1)
	ready := make(chan *os.File, 1)
	wired := make(chan struct{})
	go func() {
		defer close(far)
		enterNamespace(t)
		namespace, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			t.Error(err)
		}
		ready <- namespace
		<-wired
		n.ip("link", "set", "lo", "up")
		n.ip("address", "add", "10.9.0.2/24", "dev", "far0")
		n.ip("link", "set", "far0", "up")
		echo, err := net.ListenPacket("udp", farAddress)
		if err != nil {
			t.Error(err)
		}
		far <- echo
		for do := range n.far {
			do()
		}
	}()
	namespace := <-ready
	defer namespace.Close()
	n.ip("link", "set", "lo", "up")
	n.ip("link", "add", "nic0", "type", "veth", "peer", "name", "far0")
	n.moveFar(namespace)
	close(wired)
	echo := <-far
	go serveEcho(echo)
	t.Cleanup(func() { _ = echo.Close(); close(n.far) })
	n.ip("address", "add", "10.9.0.1/24", "dev", "nic0")
	n.ip("address", "add", "10.9.7.1/28", "dev", "nic0", "label", "nic0:two", "noprefixroute")
	n.ip("link", "set", "nic0", "up")
	n.addSixAndRoutes()
	return n
}

// inFar runs `do` in the far namespace; what it starts stays there.
func (n network) inFar(do func()) {
	done := make(chan struct{})
	n.far <- func() { defer close(done); do() }
	<-done
}

func enterNamespace(t *testing.T) {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Errorf("needs root for a network namespace: %v", err)
	}
}

func (n network) moveFar(namespace *os.File) {
	n.t.Helper()
	link, err := findLink("far0")
	must(n.t, err)
	must(n.t, setNamespace(link, namespace))
}

// addSixAndRoutes makes routes of many kinds, as nodes have them.
func (n network) addSixAndRoutes() {
	n.t.Helper()
	if exists("/proc/sys/net/ipv6") {
		// what duplicate detection costs is a second or two for each change of the link
		must(n.t, os.WriteFile("/proc/sys/net/ipv6/conf/nic0/accept_dad", []byte("0"), 0o644))
		n.ip("-6", "address", "add", "fd00:9::1/64", "dev", "nic0", "nodad")
		n.ip("-6", "route", "add", "default", "via", "fd00:9::2", "dev", "nic0", "metric", "77")
	}
	n.ip("route", "add", "default", "via", "10.9.0.2", "dev", "nic0")
	n.ip("route", "add", "10.42.1.0/24", "via", "10.9.0.2", "metric", "50", "mtu", "1400")
	n.ip("route", "add", "10.42.2.0/24", "via", "10.9.0.2", "src", "10.9.0.1", "proto", "bird")
	n.ip("route", "add", "10.42.3.0/24", "via", "172.20.0.1", "dev", "nic0", "onlink")
	n.ip("route", "add", "10.42.4.0/24", "via", "10.42.9.9", "dev", "nic0", "onlink", "table", "100")
	n.ip("route", "add", "10.42.5.0/24", "nexthop", "via", "10.9.0.2", "weight", "2",
		"nexthop", "via", "10.9.0.3", "weight", "1")
	n.ip("route", "add", "10.42.6.0/24", "dev", "nic0", "scope", "link")
	n.ip("route", "add", "blackhole", "10.99.0.0/16")
}

func serveEcho(conn net.PacketConn) {
	buffer := make([]byte, 64)
	for {
		length, from, err := conn.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			_, _ = conn.WriteTo(buffer[:length], from) // a lost packet is what the tests look for
		}
	}
}

func (n network) ip(args ...string) string {
	n.t.Helper()
	output, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		n.t.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

// picture is all that must be the same after a heal.
func (n network) picture() string {
	n.t.Helper()
	return n.ip("-o", "address", "show", "dev", "nic0") +
		n.ip("route", "show", "table", "all") + n.ip("-6", "route", "show", "table", "all")
}

// echoes is whether a packet goes to the far end and back.
func (n network) echoes() bool {
	conn, err := net.Dial("udp", farAddress)
	if err != nil {
		return false // no route
	}
	defer conn.Close()
	must(n.t, conn.SetDeadline(time.Now().Add(100*time.Millisecond)))
	if _, err := conn.Write([]byte("x")); err != nil {
		return false
	}
	_, err = conn.Read(make([]byte, 1))
	return err == nil
}

func (n network) waitEcho(within time.Duration) {
	n.t.Helper()
	waitFor(n.t, "echo from the far end", within, func() error {
		if n.echoes() {
			return nil
		}
		return errors.New("no echo")
	})
}

func (n network) mustEqualPicture(before string) {
	n.t.Helper()
	var now string
	waitFor(n.t, "the same addresses and routes", 3*time.Second, func() error {
		if now = n.picture(); now == before {
			return nil
		}
		return errors.New("now:\n" + now + "before:\n" + before)
	})
}
