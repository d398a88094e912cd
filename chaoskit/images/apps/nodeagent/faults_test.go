package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// openFaults are those that the agent holds.
func (c client) openFaults() []any {
	c.t.Helper()
	return c.call("faults", nil)["open"].([]any)
}

func (c client) waitHealed(within time.Duration) {
	c.t.Helper()
	waitFor(c.t, "the timer to heal", within, func() error {
		if open := c.openFaults(); len(open) > 0 {
			return fmt.Errorf("open: %v", open)
		}
		return nil
	})
}

// A caller that did not wait for the answer, as of a node that was paused, heals what it asked for.
func TestAHealIsCarriedOutAfterTheInjectionThatWasSentBefore(t *testing.T) {
	s := serveIn(t, shortDir(t))
	what := fields{"workers": 1, "share": 0.1}
	inject := request(t, "inject", faultOn("cpu_stressed", 60, what))
	heal := request(t, "heal", fields{"kind": "cpu_stressed", "parameters": what})
	for round := range 20 {
		_, err := s.conn.Write([]byte(inject + "\n"))
		must(t, err)
		if answer := s.say(heal); answer["ok"] != true {
			t.Fatalf("round %d: %v", round, answer)
		}
		_, err = s.lines.ReadBytes('\n')
		must(t, err)
		if open := s.openFaults(); len(open) > 0 {
			t.Fatalf("round %d: healed before it was injected; open: %v", round, open)
		}
	}
}

// What was refused, because another fault has the same key, is healed all the same by whoever asked
// for it.
func TestAHealOfWhatWasRefusedLeavesTheFaultThatIsThere(t *testing.T) {
	s := serveIn(t, shortDir(t))
	part := superviseIn(t, s.runDir)
	stress, other := fields{"workers": 1, "share": 0.1}, fields{"workers": 1, "share": 0.2}
	s.call("inject", faultOn("cpu_stressed", 60, stress))
	s.refused("is broken already", "inject", faultOn("cpu_stressed", 60, other))
	if answer := s.heals("cpu_stressed", other); answer["healed"] != false {
		t.Fatalf("another fault was healed: %v", answer)
	}
	if now := s.call("stress_state", nil)["workers"]; now != 1.0 {
		t.Fatalf("%v workers", now)
	}
	if answer := s.heals("cpu_stressed", stress); answer["healed"] != true {
		t.Fatalf("not healed: %v", answer)
	}
	what := fields{"component": part.name}
	s.call("inject", faultOn("component_paused", 60, what))
	s.refused("is broken already", "inject", faultOn("component_down", 60, what))
	if answer := s.heals("component_down", what); answer["healed"] != false {
		t.Fatalf("another fault was healed: %v", answer)
	}
	if now := states(part.name); now != stopped {
		t.Fatalf("it is %q", now)
	}
	s.heals("component_paused", what)
}

func TestAnInjectionThatCannotBeKeptLeavesTheEarlierTimer(t *testing.T) {
	s := serveIn(t, shortDir(t))
	what := fields{"workers": 1, "share": 0.1}
	s.call("inject", faultOn("cpu_stressed", 2, what))
	unwritable := faultFolder(filepath.Join(s.runDir, "faults")).path("processors") + ".new"
	must(t, os.Mkdir(unwritable, 0o700))
	s.refused("could not be kept", "inject", faultOn("cpu_stressed", 600, what))
	must(t, os.Remove(unwritable))
	s.waitHealed(10 * time.Second)
}

func TestAHealThatCannotBeKeptIsTriedAgain(t *testing.T) {
	s := serveIn(t, shortDir(t))
	what := fields{"workers": 1, "share": 0.1}
	s.call("inject", faultOn("cpu_stressed", 2, what))
	kept := faultFolder(filepath.Join(s.runDir, "faults")).path("processors")
	must(t, os.Remove(kept))
	must(t, os.MkdirAll(filepath.Join(kept, "x"), 0o700))
	s.refused("not empty", "heal", fields{"kind": "cpu_stressed", "parameters": what})
	must(t, os.RemoveAll(kept))
	s.waitHealed(10 * time.Second)
}
