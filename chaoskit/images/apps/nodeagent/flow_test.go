package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	nearIP = "10.9.0.1"
	farIP  = "10.9.0.2"
)

// pair is an agent in either namespace: faults are injected by one, their effect seen by both.
type pair struct {
	network
	near, far *served
	series    int
}

func servePair(t *testing.T) *pair {
	n := enterNetwork(t)
	p := &pair{network: n, near: serveIn(t, shortDir(t))}
	directory := shortDir(t)
	n.inFar(func() { p.far = serveIn(t, directory) })
	n.waitEcho(5e9)
	return p
}

// flow is what became of a series of datagrams.
type flow struct {
	sent, refused int
	numbers       []int
	delaysMS      []float64
	heardMS       []float64
	bytes         float64
}

func (f flow) lost() int { return f.sent - len(f.numbers) }

// late counts the datagrams that came after one that was sent later.
func (f flow) late() (count int) {
	highest := -1
	for _, number := range f.numbers {
		if number < highest {
			count++
		}
		highest = max(highest, number)
	}
	return count
}

func (f flow) medianMS() float64 {
	sorted := slices.Sorted(slices.Values(f.delaysMS))
	if len(sorted) == 0 {
		return -1
	}
	return sorted[len(sorted)/2]
}

// toFar sends from here to there, toNear the other way.
func (p *pair) toFar(count int, spacingMS float64, more ...fields) flow {
	return p.flow(p.near, p.far, farIP, count, spacingMS, more...)
}

func (p *pair) toNear(count int, spacingMS float64, more ...fields) flow {
	return p.flow(p.far, p.near, nearIP, count, spacingMS, more...)
}

func (p *pair) flow(from, to *served, address string, count int, spacingMS float64, more ...fields) flow {
	p.t.Helper()
	p.series++
	port := to.call("listen", fields{})["port"]
	arguments := fields{"address": address, "port": port, "series": p.series, "count": count,
		"spacing_ms": spacingMS}
	for _, some := range more {
		merged(arguments, some)
	}
	answer := from.call("send", arguments)
	f := flow{sent: count, refused: int(answer["refused"].(float64))}
	for last := -1; last != len(f.numbers); { // until nothing more comes
		last = len(f.numbers)
		pause(400)
		heard := to.call("heard", fields{"series": p.series})
		f.numbers, f.delaysMS, f.heardMS = nil, nil, nil
		f.bytes = heard["bytes"].(float64)
		for i, number := range heard["numbers"].([]any) {
			f.numbers = append(f.numbers, int(number.(float64)))
			f.delaysMS = append(f.delaysMS, heard["delays_ns"].([]any)[i].(float64)/1e6)
			f.heardMS = append(f.heardMS, heard["heard_ns"].([]any)[i].(float64)/1e6)
		}
	}
	return f
}

// inject and heal of any kind, with a time to heal that no test reaches.
func (s *served) inject(kind string, parameters fields) map[string]any {
	s.t.Helper()
	return s.call("inject", fields{"kind": kind, "parameters": parameters, "heal_after_s": 300})
}

func (s *served) heal(kind string, parameters fields) map[string]any {
	s.t.Helper()
	return s.call("heal", fields{"kind": kind, "parameters": parameters})
}

// leftovers of faults in the namespace of this test: tables, queues and queueing disciplines.
func (p *pair) leftovers() string {
	p.t.Helper()
	qdiscs := tool(p.t, "tc", "qdisc", "show", "dev", "nic0")
	if strings.HasPrefix(qdiscs, "qdisc noqueue") {
		qdiscs = ""
	}
	queues, err := os.ReadFile("/proc/thread-self/net/netfilter/nfnetlink_queue")
	must(p.t, err)
	return tableNames(p.t) + string(queues) + qdiscs
}

func (p *pair) mustBeClean() {
	p.t.Helper()
	if left := p.leftovers(); left != "" {
		p.t.Fatalf("left behind: %s", left)
	}
	if f := p.toFar(50, 0.2); f.lost()+f.late() > 0 || f.medianMS() > 25 { // a busy machine takes some ms
		p.t.Fatalf("after the heal %d of %d are lost, %d late, %g ms", f.lost(), f.sent, f.late(), f.medianMS())
	}
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	output, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, output)
	}
	return string(output)
}
