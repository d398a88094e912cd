package main

import (
	"bytes"
	"io"
	"math"
	"net"
	"slices"
	"testing"
	"time"
)

// slowestMS is what a delay may have become on a machine with much other work. No delay is ever
// shorter than asked for, no order changed: those bounds are strict. A rate may look a third higher,
// where sender or listener stood still and the bucket had filled meanwhile. How exact all that is on
// a quiet machine, benchmarks measure.
const slowestMS = 500

func delaying(at string, more fields) fields {
	return merged(fields{"label": "slow", "selections": []fields{{"at": at}}}, more)
}

func TestDelayIsKeptAndSoIsTheOrder(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"arriving", "leaving"} {
		t.Run(at, func(t *testing.T) {
			p := servePair(t)
			p.near.inject("delay", delaying(at, fields{"delay_ms": 50}))
			slow, quick := p.toNear, p.toFar
			if at == "leaving" {
				slow, quick = quick, slow
			}
			f := slow(400, 1)
			t.Logf("median %.2f ms", f.medianMS())
			if f.lost() > 0 || f.late() > 0 || f.medianMS() < 50 || f.medianMS() > slowestMS {
				t.Fatalf("%d of 400 lost, %d late, median %g ms", f.lost(), f.late(), f.medianMS())
			}
			if f := quick(100, 1); f.lost() > 0 || f.medianMS() > 40 {
				t.Fatalf("the other way: %d of 100 lost, median %g ms", f.lost(), f.medianMS())
			}
			p.near.heal("delay", fields{"label": "slow"})
			p.mustBeClean()
		})
	}
}

func TestJitterVariesEvenlyAndKeepsTheOrder(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	p.near.inject("delay", delaying("arriving", fields{"delay_ms": 30, "jitter_ms": 20, "seed": 7}))
	f := p.toNear(150, 42) // farther apart than the jitter, so that nobody waits for another
	mean, square := 0.0, 0.0
	for _, ms := range f.delaysMS {
		mean += ms / float64(len(f.delaysMS))
		square += ms * ms / float64(len(f.delaysMS))
	}
	sd := math.Sqrt(square - mean*mean)
	t.Logf("mean %.1f ms, sd %.1f ms; an even spread has 30 and %.1f", mean, sd, 20/math.Sqrt(3))
	if f.lost() > 0 || mean < 26 || mean > slowestMS || sd < 9 {
		t.Fatalf("%d lost, mean %g ms, sd %g ms", f.lost(), mean, sd)
	}
	if f := p.toNear(500, 0.5); f.lost() > 0 || f.late() > 0 {
		t.Fatalf("sent closely: %d of 500 lost, %d late", f.lost(), f.late())
	}
	p.near.heal("delay", fields{"label": "slow"})
	p.mustBeClean()
}

func TestHeldPacketsAreOvertaken(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	parameters := delaying("arriving", fields{"hold_share": 0.25, "hold_ms": 20})
	p.near.inject("delay", parameters)
	f := p.toNear(2000, 1)
	share := float64(f.late()) / 2000
	t.Logf("%.3f late", share)
	// A sender that stands still for a while lets fewer be overtaken.
	if f.lost() > 0 || share < 0.15 || share > 0.25+5*math.Sqrt(0.25*0.75/2000) {
		t.Fatalf("%d lost, %g late instead of 0.25", f.lost(), share)
	}
	p.near.heal("delay", parameters)
	p.mustBeClean()
}

func TestADelayersEndLosesNothingAtTheHeal(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	parameters := delaying("arriving", fields{"delay_ms": 3000})
	p.near.inject("delay", parameters)
	port := p.near.call("listen", nil)["port"]
	p.far.call("send", fields{"address": nearIP, "port": port, "series": 99, "count": 2000})
	answer := p.near.heal("delay", parameters)
	pause(200)
	numbers := p.near.call("heard", fields{"series": 99})["numbers"].([]any)
	if len(numbers) != 2000 || answer["passed"].(float64) < 2000 { // the kernel may send one of its own
		t.Fatalf("%d of 2000 came, the heal says %v", len(numbers), answer["passed"])
	}
	for number, one := range numbers {
		if one != float64(number) {
			t.Fatalf("number %v came as %d", one, number)
		}
	}
	p.mustBeClean()
}

func TestPacketsPassWhenTheDelayerIsKilledAndTheNextAgentDelaysAgain(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	p.near.inject("delay", delaying("arriving", fields{"delay_ms": 40}))
	if f := p.toNear(20, 1); f.medianMS() < 40 {
		t.Fatalf("median %g ms", f.medianMS())
	}
	p.near.killHard()
	p.waitEcho(3 * time.Second)
	p.near = serveIn(t, p.near.runDir)
	if f := p.toNear(20, 1); f.medianMS() < 40 || f.lost() > 0 {
		t.Fatalf("the next agent: %d of 20 lost, median %g ms", f.lost(), f.medianMS())
	}
	p.near.heal("delay", fields{"label": "slow"})
	p.mustBeClean()
}

func TestADeadDelayerIsStartedAgainByTheSameInjection(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	parameters := delaying("arriving", fields{"delay_ms": 40})
	p.near.inject("delay", parameters)
	if again := p.near.inject("delay", parameters); again["already"] != true {
		t.Fatalf("injected again: %v", again)
	}
	if f := p.toNear(20, 1); f.medianMS() < 40 || f.medianMS() > slowestMS {
		t.Fatalf("median %g ms", f.medianMS())
	}
	p.near.heal("delay", parameters)
	p.mustBeClean()
}

func TestTwoDelayersAddUp(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	one := delaying("arriving", fields{"delay_ms": 30})
	other := delaying("arriving", fields{"delay_ms": 20, "label": "other"})
	p.near.inject("delay", one)
	p.near.inject("delay", other)
	if f := p.toNear(50, 1); f.lost() > 0 || f.medianMS() < 50 || f.medianMS() > slowestMS {
		t.Fatalf("%d lost, median %g ms", f.lost(), f.medianMS())
	}
	p.near.heal("delay", one)
	p.near.heal("delay", other)
	p.mustBeClean()
}

// With a table's hooks the kernel drops whatever is queued in that network, in any queue.
func TestADelayerOutlivesWhatItHeldForAnotherThatIsHealed(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	p.near.inject("delay", delaying("arriving", fields{"delay_ms": 300}))
	other := delaying("arriving", fields{"delay_ms": 1, "label": "other"})
	p.near.inject("delay", other)
	if p.echoes() {
		t.Fatal("an echo came undelayed")
	}
	p.near.heal("delay", other)
	pause(300) // until the one that was dropped would have been let go
	if f := p.toNear(20, 1); f.lost() > 0 || f.medianMS() < 300 {
		t.Fatalf("%d of 20 lost, median %g ms", f.lost(), f.medianMS())
	}
	p.near.heal("delay", fields{"label": "slow"})
	p.mustBeClean()
}

func TestAnInjectionLeavesWhatAnotherDelayerHolds(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	p.near.inject("delay", delaying("arriving", fields{"delay_ms": 300}))
	p.holdsAcross(func() {
		p.near.inject("delay", delaying("arriving", fields{"delay_ms": 1, "label": "other"}))
	})
}

// holdsAcross fails if what a delayer holds does not come after that was done.
func (p *pair) holdsAcross(do func()) {
	p.t.Helper()
	conn, err := net.Dial("udp", farAddress)
	must(p.t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("x"))
	must(p.t, err)
	pause(50) // until its answer is held
	do()
	must(p.t, conn.SetDeadline(time.Now().Add(3*time.Second)))
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		p.t.Fatalf("what was held is lost: %v", err)
	}
}

func TestARateIsKeptForWhatArrives(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	for _, rate := range []float64{1e6, 10e6} {
		parameters := fields{"label": "slow", "selections": []fields{{"at": "arriving"}}, "rate_bit_per_s": rate}
		p.near.inject("delay", parameters)
		f := p.toNear(int(rate*2/8/1442), 1442*8/rate*1e3/1.1, fields{"size_bytes": 1400})
		span := f.heardMS[len(f.heardMS)-1] - f.heardMS[0]
		seen := float64(len(f.heardMS)-1) * 1442 * 8 / span * 1e3
		t.Logf("asked for %g, seen %.0f bit/s", rate, seen)
		if seen < 0.5*rate || seen > 1.3*rate || f.late() > 0 {
			t.Fatalf("asked for %g, seen %g bit/s, %d late", rate, seen, f.late())
		}
		flood := p.toNear(2000, 0, fields{"size_bytes": 1400})
		if longest := slices.Max(flood.delaysMS); flood.lost() == 0 || longest > 1e3*queueS+slowestMS {
			t.Fatalf("of a flood %d are lost, the longest waited %g ms", flood.lost(), longest)
		}
		p.near.heal("delay", parameters)
	}
	p.mustBeClean()
}

// Segments of TCP travel in one piece of up to 64 KiB between containers; their bytes must arrive
// whole, and at the rate.
func TestTCPComesThroughWholeAtTheRate(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	listener, err := net.Listen("tcp", nearIP+":0")
	must(t, err)
	defer listener.Close()
	p.near.inject("delay", fields{"label": "slow", "selections": []fields{{"at": "arriving"}},
		"rate_bit_per_s": 20e6, "delay_ms": 5})
	sent := make([]byte, 4<<20)
	for i := range sent {
		sent[i] = byte(i * i >> 7)
	}
	p.inFar(func() {
		conn, err := net.Dial("tcp", listener.Addr().String())
		must(t, err)
		go func() { _, _ = conn.Write(sent); _ = conn.Close() }()
	})
	conn, err := listener.Accept()
	must(t, err)
	begun := time.Now()
	got, err := io.ReadAll(conn)
	must(t, err)
	rate := float64(len(got)) * 8 / time.Since(begun).Seconds()
	t.Logf("%d bytes at %.1f Mbit/s", len(got), rate/1e6)
	if !bytes.Equal(got, sent) || rate > 26e6 || rate < 4e6 {
		t.Fatalf("%d of %d bytes at %g bit/s, equal: %t", len(got), len(sent), rate, bytes.Equal(got, sent))
	}
	p.near.heal("delay", fields{"label": "slow"})
	p.mustBeClean()
}

func TestDelaysThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	for text, change := range map[string]fields{
		"delay_ms is -1":     {"delay_ms": -1},
		"jitter_ms is 60":    {"jitter_ms": 60},
		"hold_share is":      {"hold_share": 0.5},
		"nothing is delayed": {"delay_ms": 0},
		"rate_bit_per_s is":  {"rate_bit_per_s": 7},
		"at is":              {"selections": []fields{{"at": ""}}},
	} {
		p.near.refused(text, "inject", fields{"kind": "delay", "heal_after_s": 1,
			"parameters": delaying("arriving", merged(fields{"delay_ms": 50}, change))})
	}
	p.mustBeClean()
}

// Nodes track connections. The first packets of one are all unconfirmed while they are held, and
// each would make an entry of its own.
func TestNewConnectionsLoseNothingWhereTheyAreTracked(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	tool(t, "iptables", "-t", "nat", "-A", "POSTROUTING", "-s", "10.42.0.0/16", "-j", "MASQUERADE")
	for _, at := range []string{"arriving", "leaving", "sent"} {
		p.near.inject("delay", delaying(at, fields{"delay_ms": 100}))
		flow := p.toFar
		if at == "arriving" {
			flow = p.toNear
		}
		if f := flow(200, 0.5); f.lost() > 0 || f.late() > 0 || f.medianMS() < 100 {
			t.Errorf("%s: %d of 200 lost, %d late, median %g ms", at, f.lost(), f.late(), f.medianMS())
		}
		p.near.heal("delay", fields{"label": "slow"})
	}
}
