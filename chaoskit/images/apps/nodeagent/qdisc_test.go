package main

import (
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestBandwidthIsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	for _, rate := range []float64{1e6, 10e6} {
		parameters := fields{"interface": "nic0", "rate_bit_per_s": rate}
		p.near.inject("bandwidth", parameters)
		count := int(rate * 2 / 8 / 1442) // for two seconds
		f := p.toFar(count, 0, fields{"size_bytes": 1400})
		// what goes at once is not part of the rate; the frame has 42 bytes of headers
		skipped := min(40, len(f.heardMS)/2)
		span := f.heardMS[len(f.heardMS)-1] - f.heardMS[skipped]
		seen := float64(len(f.heardMS)-1-skipped) * 1442 * 8 / span * 1e3
		t.Logf("asked for %g, seen %.0f bit/s", rate, seen)
		if seen < 0.5*rate || seen > 1.3*rate {
			t.Fatalf("asked for %g, seen %g bit/s", rate, seen)
		}
		p.near.heal("bandwidth", parameters)
	}
	p.near.heal("bandwidth", fields{"interface": "nic0"})
	p.mustBeClean()
}

func TestBandwidthLeavesTheQueueingOfOthersAlone(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	parameters := fields{"interface": "nic0", "rate_bit_per_s": 1e6}
	asked := fields{"kind": "bandwidth", "heal_after_s": 1, "parameters": parameters}
	tool(t, "tc", "qdisc", "add", "dev", "nic0", "root", "pfifo", "limit", "100")
	p.near.refused("not ours", "inject", asked)
	p.near.heal("bandwidth", parameters)
	if now := tool(t, "tc", "qdisc", "show", "dev", "nic0"); !strings.Contains(now, "pfifo") {
		t.Fatalf("theirs is gone: %s", now)
	}
	tool(t, "tc", "qdisc", "del", "dev", "nic0", "root")
	p.near.refused("rate_bit_per_s is", "inject", fields{"kind": "bandwidth", "heal_after_s": 1,
		"parameters": fields{"interface": "nic0"}})
	p.near.inject("bandwidth", parameters)
	must(t, p.near.command.Process.Signal(syscall.SIGTERM))
	must(t, p.near.command.Wait())
	if left := p.leftovers(); left != "" {
		t.Fatalf("TERM left %s", left)
	}
}

// Where the kernel has netem this proves it, and elsewhere that the agent says so.
func TestNetemWorksWhereTheAgentSaysSo(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	said := p.near.call("hello", nil)["abilities"].([]any)
	parameters := fields{"interface": "nic0", "duplicate_share": 0.5}
	if !slices.Contains(said, any("netem")) {
		p.near.refused("netem on interface nic0", "inject", fields{"kind": "netem", "heal_after_s": 1,
			"parameters": parameters})
		p.mustBeClean()
		return
	}
	p.near.inject("netem", parameters)
	if f := p.toFar(1000, 0.2); len(f.numbers) < 1400 || len(f.numbers) > 1600 {
		t.Fatalf("%d came of 1000, half of them doubled", len(f.numbers))
	}
	p.near.heal("netem", parameters)
	p.mustBeClean()
}
