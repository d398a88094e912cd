package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// flood sends datagrams from the far end as fast as can be, until the test ends.
func (p *pair) flood() {
	port := int(p.near.call("listen", nil)["port"].(float64))
	done := make(chan struct{})
	p.t.Cleanup(func() { close(done) })
	p.inFar(func() {
		conn, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.ParseIP(nearIP), Port: port})
		must(p.t, err)
		go func() {
			defer conn.Close()
			for {
				select {
				case <-done:
					return
				default:
					_, _ = conn.Write([]byte("x")) // one that is lost is as good
				}
			}
		}()
	})
}

// A queue that gets packets while it is being set up cannot be set up.
func TestTheNextAgentDelaysAgainWhilePacketsCome(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	p.near.inject("delay", delaying("arriving", fields{"delay_ms": 300}))
	p.flood()
	for round := range 10 {
		p.near.killHard()
		p.near = serveIn(t, p.near.runDir)
		p.near.call("hello", nil) // answered once faults are taken up
		begun := time.Now()
		if p.echoes() && time.Since(begun) < 300*time.Millisecond {
			t.Fatalf("round %d: an echo came undelayed", round)
		}
	}
	p.near.heal("delay", fields{"label": "slow"})
}

// It is the first injection of its life, so it has to find out the way anew.
func TestAnInjectionByTheNextAgentLeavesWhatAnotherDelayerHolds(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	p.near.inject("delay", delaying("arriving", fields{"delay_ms": 300}))
	p.near.killHard()
	p.near = serveIn(t, p.near.runDir)
	p.near.call("hello", nil) // answered once faults are taken up
	p.holdsAcross(func() {
		p.near.inject("delay", delaying("arriving", fields{"delay_ms": 1, "label": "other"}))
	})
}

func TestTheNextAgentDelaysWhereThePodIsThatHasNotGone(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	root := t.TempDir()
	var pids, uids []string
	for _, last := range []string{"c", "d"} {
		uid := "0f1e2d3c-0000-4000-8000-00000000000" + last
		cgroup := filepath.Join(root, "pids", "kubepods", "pod"+uid, id(last))
		must(t, os.MkdirAll(cgroup, 0o755))
		first := exec.Command("sleep", "60")
		first.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		must(t, first.Start())
		t.Cleanup(func() { _ = first.Process.Kill(); _ = first.Wait() })
		pids, uids = append(pids, strconv.Itoa(first.Process.Pid)), append(uids, uid)
		must(t, os.WriteFile(filepath.Join(cgroup, "cgroup.procs"), []byte(pids[len(pids)-1]), 0o644))
	}
	tool(t, "nsenter", "-t", pids[1], "-n", "ip", "link", "set", "lo", "up")
	directory := shortDir(t)
	s := serveIn(t, directory, "-cgroup-root", root)
	s.inject("delay", fields{"label": "slow", "delay_ms": 100, "selections": []fields{
		{"at": "arriving", "pod": uids[0]}, {"at": "arriving", "pod": uids[1]}}})
	s.killHard()
	must(t, os.RemoveAll(filepath.Join(root, "pids", "kubepods", "pod"+uids[0])))
	next := serveIn(t, directory, "-cgroup-root", root)
	port := next.call("listen", fields{"pod": uids[1]})["port"]
	next.call("send", fields{"pod": uids[1], "address": "127.0.0.1", "port": port, "series": 1, "count": 1})
	heard := func() []any {
		return next.call("heard", fields{"series": 1})["delays_ns"].([]any)
	}
	waitFor(t, "the datagram", 5*time.Second, func() error {
		if len(heard()) == 0 {
			return errors.New("it has not come")
		}
		return nil
	})
	if took := heard()[0].(float64); took < 100e6 {
		t.Fatalf("it took %g ms", took/1e6)
	}
	next.heal("delay", fields{"label": "slow"})
	if left := p.tablesOf(pids[1]); left != "" {
		t.Fatalf("healed, but the pod has %s", left)
	}
}
