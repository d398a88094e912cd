package main

import (
	"math"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
)

func pause(ms int) { time.Sleep(time.Duration(ms) * time.Millisecond) }

// tableNames lists the tables of this thread's namespace by another program's eyes than the agent.
func tableNames(t *testing.T) string {
	t.Helper()
	conn, err := nftables.New()
	must(t, err)
	all, err := conn.ListTables()
	must(t, err)
	names := ""
	for _, one := range all {
		names += one.Name + "\n"
	}
	return names
}

func dropping(at string, more fields) fields {
	return fields{"label": "test", "action": "drop", "share": 1, "selections": []fields{
		merged(fields{"at": at}, more)}}
}

func TestPacketsAreDroppedOneWayOnly(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"arriving", "leaving", "sent"} {
		t.Run(at, func(t *testing.T) {
			p := servePair(t)
			other := fields{"from": []string{farIP}}
			there, back := p.toNear, p.toFar
			if at != "arriving" {
				other = fields{"to": []string{farIP}}
				there, back = p.toFar, p.toNear
			}
			p.near.inject("packets", dropping(at, other))
			if f := there(200, 0.2); len(f.numbers) != 0 {
				t.Fatalf("%d of 200 came through", len(f.numbers))
			}
			if f := back(200, 0.2); f.lost() != 0 {
				t.Fatalf("%d of 200 were lost the other way", f.lost())
			}
			again := p.near.inject("packets", dropping(at, other))
			if again["already"] != true {
				t.Fatalf("injected again: %v", again)
			}
			if p.near.heal("packets", fields{"label": "test"})["healed"] != true {
				t.Fatal("the label alone did not heal")
			}
			p.mustBeClean()
			if p.near.heal("packets", fields{"label": "test"})["healed"] != false {
				t.Fatal("healed twice")
			}
		})
	}
}

func TestOnlyWhatIsSelectedIsDropped(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	for name, one := range map[string]struct {
		selection fields
		lost      bool
	}{
		"the range":           {fields{"from": []string{"10.9.0.0/30"}}, true},
		"one of several":      {fields{"from": []string{"10.7.0.0/16", farIP, "10.9.0.0/24"}}, true},
		"another address":     {fields{"from": []string{"10.9.0.3"}}, false},
		"another destination": {fields{"to": []string{"10.9.0.9"}}, false},
		"IPv6":                {fields{"from": []string{"fd00:9::/64"}}, false},
		"udp":                 {fields{"protocol": "udp"}, true},
		"tcp":                 {fields{"protocol": "tcp"}, false},
		"another port":        {fields{"ports": []int{9}}, false},
		"the interface":       {fields{"interface": "nic0"}, true},
		"another interface":   {fields{"interface": "lo"}, false},
	} {
		p.near.inject("packets", dropping("arriving", one.selection))
		if f := p.toNear(20, 0); (f.lost() == 20) != one.lost || f.lost()%20 != 0 {
			t.Errorf("%s: %d of 20 lost", name, f.lost())
		}
		p.near.heal("packets", fields{"label": "test"})
	}
}

func TestLossIsWithinItsBinomialBounds(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	const sent = 4000
	for _, share := range []float64{0.1, 0.3, 0.5} {
		parameters := dropping("arriving", fields{"from": []string{farIP, "10.9.0.0/24"}})
		parameters["share"] = share
		p.near.inject("packets", parameters)
		f := p.toNear(sent, 0.05)
		seen, sd := float64(f.lost())/sent, math.Sqrt(share*(1-share)/sent)
		t.Logf("asked for %g, seen %.4f (%.1f sd)", share, seen, (seen-share)/sd)
		if math.Abs(seen-share) > 5*sd {
			t.Fatalf("asked for %g, lost %g, sd %g", share, seen, sd)
		}
		p.near.heal("packets", parameters)
	}
	p.mustBeClean()
}

func TestRejectResetsAndTellsAtOnce(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	var listener net.Listener
	p.inFar(func() {
		var err error
		listener, err = net.Listen("tcp", farIP+":0")
		must(t, err)
	})
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	connecting := fields{"address": farIP, "port": port, "count": 10, "timeout_ms": 500}
	if answer := p.near.call("connect", connecting); answer["accepted"] != 10.0 {
		t.Fatalf("before: %v", answer)
	}
	parameters := dropping("arriving", fields{"ports": []int{port}, "protocol": "tcp"})
	parameters["action"] = "reject"
	p.far.inject("packets", parameters)
	if answer := p.near.call("connect", connecting); answer["refused"] != 10.0 {
		t.Fatalf("rejected: %v", answer)
	}
	p.far.heal("packets", parameters)
	p.far.inject("packets", dropping("arriving", fields{"ports": []int{port}}))
	answer := p.near.call("connect", connecting)
	if answer["refused"] != 0.0 || answer["accepted"] != 0.0 {
		t.Fatalf("dropped: %v", answer)
	}
	p.far.heal("packets", parameters)
	if answer := p.near.call("connect", connecting); answer["accepted"] != 10.0 {
		t.Fatalf("after: %v", answer)
	}
}

func TestAKilledAgentsFilterIsHealedByTheNext(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	p.near.call("inject", fields{"kind": "packets", "heal_after_s": 1.5,
		"parameters": dropping("arriving", nil)})
	p.near.killHard()
	if !strings.Contains(p.leftovers(), "chaoskit-packets-test") {
		t.Fatalf("no table of the name: %s", p.leftovers())
	}
	p.near = serveIn(t, p.near.runDir)
	if f := p.toNear(10, 0); len(f.numbers) != 0 {
		t.Fatal("healed before its time")
	}
	p.waitEcho(5 * time.Second)
	p.mustBeClean()
	p.near.inject("packets", dropping("leaving", nil))
	must(t, p.near.command.Process.Signal(syscall.SIGTERM))
	must(t, p.near.command.Wait())
	if left := p.leftovers(); left != "" {
		t.Fatalf("TERM left %s", left)
	}
}

func TestFiltersStack(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	one, other := dropping("arriving", fields{"from": []string{farIP}}), dropping("leaving", nil)
	other["label"] = "other"
	p.near.inject("packets", one)
	p.near.inject("packets", other)
	p.near.heal("packets", one)
	if f := p.toNear(10, 0); f.lost() != 0 {
		t.Fatal("the first one is not healed")
	}
	if f := p.toFar(10, 0); f.lost() != 10 || f.refused != 10 {
		t.Fatalf("%d of 10 lost, %d refused, after another was healed", f.lost(), f.refused)
	}
	p.near.heal("packets", other)
	p.mustBeClean()
}

func TestPacketsThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	for text, change := range map[string]fields{
		"label is":         {"label": "A b"},
		"action is":        {"action": "burn"},
		"share is 1.1":     {"share": 1.1},
		"share is 0":       {"share": 0},
		"selections are":   {"selections": []fields{}},
		"at is":            {"selections": []fields{{"at": "somewhere"}}},
		"protocol is":      {"selections": []fields{{"at": "sent", "protocol": "icmp"}}},
		"no address":       {"selections": []fields{{"at": "sent", "to": []string{"nowhere"}}}},
		"ports are":        {"selections": []fields{{"at": "sent", "ports": []int{0}}}},
		"not rejected":     {"action": "reject", "selections": []fields{{"at": "leaving"}}},
		"no process of it": {"selections": []fields{{"at": "sent", "pod": "0-0"}}},
	} {
		p.near.refused(text, "inject", fields{"kind": "packets", "heal_after_s": 1,
			"parameters": merged(dropping("arriving", nil), change)})
	}
	p.mustBeClean()
}

func TestAPodsNetworkIsFoundByItsUID(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	root := t.TempDir()
	uid := "0f1e2d3c-0000-4000-8000-00000000000a"
	cgroup := root + "/pids/kubepods/pod" + uid + "/" + strings.Repeat("a", 64)
	must(t, os.MkdirAll(cgroup, 0o755))
	pid := strings.TrimSpace(tool(t, "sh", "-c", "unshare -n sleep 60 >/dev/null 2>&1 & echo $!"))
	t.Cleanup(func() { tool(t, "kill", pid) })
	must(t, os.WriteFile(cgroup+"/cgroup.procs", []byte(pid+"\n"), 0o644))
	pause(200)
	tool(t, "nsenter", "-t", pid, "-n", "ip", "link", "set", "lo", "up")
	p.near = serveIn(t, shortDir(t), "-cgroup-root", root)

	port := p.near.call("listen", fields{"pod": uid})["port"]
	sending := fields{"pod": uid, "address": "127.0.0.1", "port": port, "series": 1, "count": 5}
	p.near.call("send", sending)
	p.near.inject("packets", dropping("arriving", fields{"pod": uid}))
	p.near.call("send", merged(sending, fields{"series": 2}))
	if got := len(p.near.call("heard", fields{"series": 1})["numbers"].([]any)); got != 5 {
		t.Fatalf("%d of 5 before", got)
	}
	if got := len(p.near.call("heard", fields{"series": 2})["numbers"].([]any)); got != 0 {
		t.Fatalf("%d during", got)
	}
	if left := p.leftovers(); left != "" {
		t.Fatalf("the node is touched: %s", left)
	}
	p.near.heal("packets", fields{"label": "test"})
	p.near.call("send", merged(sending, fields{"series": 3}))
	if got := len(p.near.call("heard", fields{"series": 3})["numbers"].([]any)); got != 5 {
		t.Fatalf("%d of 5 after", got)
	}
}
