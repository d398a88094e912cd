package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"

	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// delayParameters of kind delay: which packets are held, and for how long.
type delayParameters struct {
	Label      string      `json:"label"`
	Selections []selection `json:"selections,omitempty"`
	DelayMS    float64     `json:"delay_ms,omitempty"`
	// JitterMS varies the delay, evenly by up to this to either side. The order is kept: a packet
	// that would overtake waits for the one before it.
	JitterMS float64 `json:"jitter_ms,omitempty"`
	// HoldShare of the packets, by chance, is held HoldMS longer, and overtaken.
	HoldShare float64 `json:"hold_share,omitempty"`
	HoldMS    float64 `json:"hold_ms,omitempty"`
	// RateBitPerS lets packets go one after the other at that rate, as a link does. Those that would
	// wait longer than its queue allows are lost.
	RateBitPerS float64 `json:"rate_bit_per_s,omitempty"`
	Seed        uint64  `json:"seed,omitempty"`
}

// queueNumber of the kernel's packet queue that is this fault's alone.
type queueNumber struct {
	Queue uint16 `json:"queue"`
}

// delays are the delayers that run in this process, by label; injecting and healing follow one
// another, but a delayer's end is its own.
type delays struct {
	cgroupRoot string
	mu         sync.Mutex
	running    map[string][]*delayer
	way        int // the one of queueExpressions that this kernel has
}

// packetsDelayed hands packets to this process, which lets each go when its time has come. When
// the process dies the kernel lets them pass.
func packetsDelayed(s settings) kind {
	d := &delays{cgroupRoot: s.cgroupRoot, running: map[string][]*delayer{}}
	return mechanism[delayParameters, queueNumber]{
		key:    func(p delayParameters) (string, error) { return keyOf("delay", p.Label) },
		look:   d.look,
		inject: d.inject,
		heal:   d.heal,
		live:   true,
		named:  true,
	}.kind()
}

const maxDelayMS = 60_000

func (p delayParameters) check() error {
	if err := checkSelections(p.Label, p.Selections); err != nil {
		return err
	}
	switch {
	case !(p.DelayMS >= 0 && p.DelayMS <= maxDelayMS) || !(p.HoldMS >= 0 && p.HoldMS <= maxDelayMS):
		return fmt.Errorf("delay_ms is %g, hold_ms %g; give 0 to %d", p.DelayMS, p.HoldMS, maxDelayMS)
	case !(p.JitterMS >= 0 && p.JitterMS <= p.DelayMS):
		return fmt.Errorf("jitter_ms is %g; give 0 to delay_ms, %g", p.JitterMS, p.DelayMS)
	case !(p.HoldShare >= 0 && p.HoldShare <= 1) || (p.HoldShare > 0) != (p.HoldMS > 0):
		return fmt.Errorf("hold_share is %g and hold_ms %g; give both or none, a share up to 1",
			p.HoldShare, p.HoldMS)
	case p.RateBitPerS != 0 && !(p.RateBitPerS >= minBitPerS && p.RateBitPerS <= maxBitPerS):
		return fmt.Errorf("rate_bit_per_s is %g; give %g to %g", p.RateBitPerS, minBitPerS, maxBitPerS)
	case p.DelayMS == 0 && p.HoldShare == 0 && p.RateBitPerS == 0:
		return errors.New("nothing is delayed; give delay_ms, hold_share and hold_ms, or rate_bit_per_s")
	}
	return nil
}

// look finds a queue that nobody uses in any of the networks.
func (d *delays) look(p delayParameters) (queueNumber, error) {
	var chosen queueNumber
	if err := p.check(); err != nil {
		return chosen, err
	}
	used := map[string]bool{}
	for _, pod := range podsOf(p.Selections) {
		err := withinPod(d.cgroupRoot, pod, func() error {
			return eachQueue(func(row []string) { used[row[0]] = true })
		})
		if err != nil {
			return chosen, fmt.Errorf("packet queues of the kernel (NFQUEUE): %w", err)
		}
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(p.Label))
	const first, count = 1024, 60_000
	for step := range uint32(count) {
		chosen.Queue = uint16(first + (hash.Sum32()+step)%count)
		if !used[fmt.Sprint(chosen.Queue)] {
			return chosen, nil
		}
	}
	return chosen, errors.New("all packet queues of the kernel are in use")
}

func podsOf(selections []selection) []string {
	var pods []string
	seen := map[string]bool{}
	for _, one := range selections {
		if !seen[one.Pod] {
			seen[one.Pod] = true
			pods = append(pods, one.Pod)
		}
	}
	return pods
}

func (d *delays) tables(label string) tables {
	return tables{name: "chaoskit-delay-" + label, cgroupRoot: d.cgroupRoot}
}

// inject starts the delayers first: a queue that nobody serves lets packets pass. To one that is
// being set up none may come, as it would be taken for the kernel's answer: those of a table that is
// there already, from an earlier agent, are let go on meanwhile.
func (d *delays) inject(p delayParameters, q queueNumber) (fields, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old := d.running[p.Label]; len(old) > 0 && allAlive(old) {
		return fields{"queue": q.Queue}, nil
	}
	d.stop(p.Label)
	if err := d.tables(p.Label).still(p.Selections); err != nil {
		return nil, err
	}
	there := d.present(p.Selections)
	for _, pod := range podsOf(there) {
		one, err := startDelayer(d.cgroupRoot, pod, p, q.Queue)
		if err != nil {
			d.stop(p.Label)
			return nil, err
		}
		d.running[p.Label] = append(d.running[p.Label], one)
	}
	return fields{"queue": q.Queue}, d.put(p.Label, there, q.Queue)
}

// present leaves out pods that have gone since they were looked at, unless all have: the others are
// delayed again by the next agent.
func (d *delays) present(selections []selection) []selection {
	there := slices.DeleteFunc(slices.Clone(selections), func(one selection) bool {
		network, err := networkOf(d.cgroupRoot, one.Pod)
		if err == nil {
			_ = network.Close()
		}
		return errors.Is(err, errPodGone)
	})
	if len(there) == 0 {
		return selections
	}
	return there
}

// put begins with the way that went the last time: a transaction that the kernel refuses has hooks
// for a moment, and with those would go all packets that other delayers hold.
func (d *delays) put(label string, selections []selection, queue uint16) (err error) {
	ways := queueExpressions(queue)
	for way := d.way; way < len(ways); way++ {
		err = d.tables(label).put(selections, [][]expr.Any{{&expr.Counter{}, ways[way]}})
		if !errors.Is(err, unix.ENOENT) { // which says that this kernel has it not
			d.way = way
			break
		}
	}
	return err
}

// queueExpressions hand a packet to a queue: nftables' own way, and, for kernels built without it,
// that of iptables. Both let it pass if nobody serves the queue.
func queueExpressions(number uint16) []expr.Any {
	const revision, bypass = 3, 1
	info := binary.NativeEndian.AppendUint16(nil, number)
	info = binary.NativeEndian.AppendUint16(info, 1) // one queue
	info = binary.NativeEndian.AppendUint16(info, bypass)
	aligned := xt.Unknown(append(info, 0, 0))
	return []expr.Any{
		&expr.Queue{Num: number, Total: 1, Flag: expr.QueueFlagBypass},
		&expr.Target{Name: "NFQUEUE", Rev: revision, Info: &aligned},
	}
}

// heal stops sending packets to the delayers, has them let go at once of what they hold, and only
// then removes the tables: with a hook of netfilter go all packets that are queued in its network.
func (d *delays) heal(p delayParameters, _ queueNumber) (fields, error) {
	if err := d.tables(p.Label).still(p.Selections); err != nil {
		return nil, err
	}
	d.mu.Lock()
	passed := d.stop(p.Label)
	d.mu.Unlock()
	return fields{"passed": passed}, d.tables(p.Label).remove(p.Selections)
}

// stop ends the delayers of a label and says how many packets they let pass; under the lock.
func (d *delays) stop(label string) (passed uint64) {
	for _, one := range d.running[label] {
		one.stop()
		passed += one.passed.Load()
	}
	delete(d.running, label)
	return passed
}

func allAlive(some []*delayer) bool {
	for _, one := range some {
		select {
		case <-one.ended:
			return false
		default:
		}
	}
	return true
}
