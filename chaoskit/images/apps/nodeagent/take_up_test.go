package main

import (
	"net"
	"testing"
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
