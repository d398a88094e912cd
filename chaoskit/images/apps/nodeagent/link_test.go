package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"chaoskit.dev/apps/internal/monotonic"
)

func setNamespace(link netlink.Link, namespace *os.File) error {
	return netlink.LinkSetNsFd(link, int(namespace.Fd()))
}

// settled waits for IPv6's own doings to end before the picture is taken.
func settled(n network) string {
	n.t.Helper()
	n.waitEcho(5 * time.Second)
	waitFor(n.t, "an IPv6 link-local address", 5*time.Second, func() error {
		if exists("/proc/sys/net/ipv6") && strings.Contains(n.picture(), "tentative") {
			return os.ErrDeadlineExceeded
		}
		return nil
	})
	return n.picture()
}

func linkDownOf(name string, healAfterS float64) fields {
	return fields{"kind": "link_down", "heal_after_s": healAfterS,
		"parameters": fields{"interface": name}}
}

func (c client) cut(name string, healAfterS float64) map[string]any {
	c.t.Helper()
	return c.call("inject", linkDownOf(name, healAfterS))
}

func (c client) mend(name string) map[string]any {
	c.t.Helper()
	return c.call("heal", fields{"kind": "link_down", "parameters": fields{"interface": name}})
}

func TestLinkDownCutsAndTheTimerHeals(t *testing.T) {
	t.Parallel()
	n := enterNetwork(t)
	s := serveIn(t, shortDir(t))
	before := settled(n)
	state := s.call("link_state", fields{"interface": "nic0"})
	if state["operstate"] != "up" || state["carrier"] != true || state["default_route"] != true {
		t.Fatalf("before: %v", state)
	}

	asked := monotonic.NowNS()
	answer := s.cut("nic0", 1)
	armed, down := answer["armed_ns"].(float64), answer["injected_ns"].(float64)
	if !(float64(asked)-1e6 <= armed && armed <= down && down <= answer["time_ns"].(float64)) {
		t.Fatalf("times out of order: asked %d, %v", asked, answer)
	}
	if n.echoes() {
		t.Fatal("a packet came through the cut")
	}
	cut := s.call("link_state", fields{"interface": "nic0"})
	if cut["operstate"] != "down" || cut["up"] != false || cut["default_route"] != false ||
		cut["routes"] != 0.0 {
		t.Fatalf("during: %v", cut)
	}
	open := s.call("faults", nil)["open"].([]any)
	if left := open[0].(map[string]any)["left_s"].(float64); left <= 0 || left > 1 {
		t.Fatalf("left_s is %g", left)
	}

	n.waitEcho(12 * time.Second)
	if took := monotonic.NowNS() - asked; took < 1e9 || took > 10e9 {
		t.Fatalf("healed after %d ns, not 1 s", took)
	}
	n.mustEqualPicture(before)
	healed := s.call("link_state", fields{"interface": "nic0"})
	if healed["routes"] != state["routes"] || healed["default_route"] != true {
		t.Fatalf("routes before %v, after %v", state, healed)
	}
	faults := s.call("faults", nil)
	recent := faults["recent"].([]any)[0].(map[string]any)
	if len(faults["open"].([]any)) != 0 || recent["cause"] != "timer" {
		t.Fatalf("after the heal: %v", faults)
	}
}

func TestLinkUpHealsAndIsIdempotent(t *testing.T) {
	t.Parallel()
	n := enterNetwork(t)
	s := serveIn(t, shortDir(t))
	before := settled(n)
	if s.mend("nic0")["healed"] != false {
		t.Fatal("heal healed what was never cut")
	}
	n.mustEqualPicture(before)
	s.cut("nic0", 60)
	again := s.cut("nic0", 120)
	if again["already"] != true || again["heal_at_ns"].(float64) < again["armed_ns"].(float64)+119e9 {
		t.Fatalf("the second inject answered %v", again)
	}
	answer := s.mend("nic0")
	if answer["healed"] != true || answer["routes_restored"].(float64) < 7 {
		t.Fatalf("heal answered %v", answer)
	}
	n.waitEcho(time.Second)
	n.mustEqualPicture(before)
	if s.mend("nic0")["healed"] != false {
		t.Fatal("the second heal healed again")
	}
	n.mustEqualPicture(before)
}

func TestAnEarlierTimerDoesNotHealALaterFault(t *testing.T) {
	t.Parallel()
	n := enterNetwork(t)
	s := serveIn(t, shortDir(t))
	settled(n)
	s.cut("nic0", 0.3)
	s.cut("nic0", 60)
	time.Sleep(600 * time.Millisecond)
	if n.echoes() {
		t.Fatal("the first heal time was kept")
	}
	s.mend("nic0")
	s.cut("nic0", 0.2)
	n.waitEcho(2 * time.Second)
}

func TestAKilledAgentsFaultIsHealedByTheNext(t *testing.T) {
	t.Parallel()
	for name, healAfterS := range map[string]float64{"in time": 1.5, "overdue": 0.2} {
		t.Run(name, func(t *testing.T) {
			n := enterNetwork(t)
			first := serveIn(t, shortDir(t))
			before := settled(n)
			healAt := first.cut("nic0", healAfterS)["heal_at_ns"].(float64)
			first.killHard()
			time.Sleep(400 * time.Millisecond)
			if n.echoes() {
				t.Fatal("healed although nobody was there")
			}
			second := serveIn(t, first.runDir)
			if second.call("hello", nil)["ok"] != true {
				t.Fatal("no hello")
			}
			n.waitEcho(5 * time.Second)
			if early := healAt - float64(monotonic.NowNS()); early > 0 {
				t.Fatalf("healed %g ns early", early)
			}
			n.mustEqualPicture(before)
		})
	}
}

func TestTermHeals(t *testing.T) {
	t.Parallel()
	n := enterNetwork(t)
	s := serveIn(t, shortDir(t))
	before := settled(n)
	s.cut("nic0", 60)
	must(t, s.command.Process.Signal(syscall.SIGTERM))
	must(t, s.command.Wait())
	n.mustEqualPicture(before)
	left, err := filepath.Glob(filepath.Join(s.runDir, "faults", "*"))
	must(t, err)
	if len(left) != 0 {
		t.Fatalf("left behind: %v", left)
	}
}

func TestAFaultOfAnEarlierLifeIsDropped(t *testing.T) {
	t.Parallel()
	n := enterNetwork(t)
	directory := shortDir(t)
	folder := faultFolder(filepath.Join(directory, "faults"))
	must(t, folder.write(fault{Kind: "link_down", Key: "link nic0", HealAtNS: 1, Life: "an earlier one",
		Parameters: []byte(`{"interface":"nic0"}`), Snapshot: []byte("null")}))
	before := settled(n)
	s := serveIn(t, directory)
	faults := s.call("faults", nil)
	if cause := faults["recent"].([]any)[0].(map[string]any)["cause"]; cause != "the node was restarted" ||
		len(faults["open"].([]any)) != 0 || exists(folder.path("link nic0")) {
		t.Fatalf("taken up: %v", faults)
	}
	n.mustEqualPicture(before)
}

func TestLinkOperationsThatCannotWork(t *testing.T) {
	t.Parallel()
	n := enterNetwork(t)
	s := serveIn(t, shortDir(t))
	s.refused("there are lo, nic0", "inject", linkDownOf("eth9", 1))
	s.refused("heal_after_s is 0", "inject", linkDownOf("nic0", 0))
	s.refused("heal_after_s is", "inject", linkDownOf("nic0", 1e9))
	s.refused("link_down", "inject", fields{"kind": "link_dwn", "heal_after_s": 1})
	s.refused("parameters are missing", "heal", fields{"kind": "link_down"})
	s.refused("unknown field", "inject", fields{"kind": "link_down", "heal_after_s": 1,
		"parameters": fields{"interface": "nic0", "x": 1}})
	n.ip("link", "set", "nic0", "down")
	s.refused("not by a fault of ours", "inject", linkDownOf("nic0", 1))
	if len(s.call("faults", nil)["open"].([]any)) != 0 {
		t.Fatal("a refused fault is open")
	}
	s.mend("nic0")
	n.waitEcho(2 * time.Second)
}
