package main

import (
	"container/heap"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/florianl/go-nfqueue/v2"
	"golang.org/x/sys/unix"
)

const (
	// As many packets as 64,000/s make in a second; those beyond are lost, as in any full queue.
	maxHeldPackets  = 1 << 16
	queueReadBuffer = 8 << 20
)

// held is a packet in the kernel's hands that waits for its verdict.
type held struct {
	id     uint32
	due    time.Time
	number uint64 // in the order of arrival
}

// heldPackets is a heap: the next one due is first, and of those due together the one that came
// first.
type heldPackets []held

func (h heldPackets) Len() int { return len(h) }
func (h heldPackets) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].number < h[j].number
	}
	return h[i].due.Before(h[j].due)
}
func (h heldPackets) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heldPackets) Push(x any)   { *h = append(*h, x.(held)) }
func (h *heldPackets) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// delayer serves one queue of one network.
type delayer struct {
	parameters delayParameters
	queue      *nfqueue.Nfqueue
	cancel     context.CancelFunc
	chance     *rand.Rand
	wake       chan struct{}
	network    *os.File
	number     uint16
	end        func()        // no longer serves, for whatever reason
	ended      chan struct{} // closed then
	passed     atomic.Uint64

	mu       sync.Mutex
	waiting  heldPackets
	arrived  uint64
	lastDue  time.Time
	free     time.Time // when the link of the given rate has sent all that came before
	stopping bool
}

func startDelayer(cgroupRoot, pod string, p delayParameters, number uint16) (*delayer, error) {
	network, err := networkOf(cgroupRoot, pod)
	if err != nil {
		return nil, err
	}
	d := &delayer{
		parameters: p, network: network, number: number, chance: rand.New(rand.NewPCG(p.Seed, 0)),
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	d.end = sync.OnceFunc(func() { close(d.ended) })
	if err := d.serve(); err != nil {
		return nil, errors.Join(fmt.Errorf("packet queue %d: %w", number, err), network.Close())
	}
	go d.release()
	return d, nil
}

func (d *delayer) serve() (err error) {
	config := nfqueue.Config{
		NetNS: int(d.network.Fd()), NfQueue: d.number, MaxQueueLen: maxHeldPackets,
		Copymode: nfqueue.NfQnlCopyMeta, AfFamily: unix.AF_UNSPEC, Flags: nfqueue.NfQaCfgFlagGSO,
	}
	if d.parameters.RateBitPerS > 0 { // then lengths matter: of packets as they are on the wire
		config.Copymode, config.MaxPacketLen, config.Flags = nfqueue.NfQnlCopyPacket, headerBytes, 0
	}
	d.queue, err = nfqueue.Open(&config)
	if err != nil {
		return err
	}
	if err := d.queue.Con.SetReadBuffer(queueReadBuffer); err != nil {
		log.Printf("packet queue %d: its buffer stays small: %v", d.number, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	err = d.queue.RegisterWithErrorFunc(ctx, d.take, func(err error) int {
		if ctx.Err() == nil {
			if isOverrun(err) || isGone(err) {
				return 0 // some were lost, as in any queue that is full; those held go on
			}
			log.Printf("packet queue %d: %v; packets pass undelayed", d.number, err)
		}
		d.end()
		return 1
	})
	if err != nil {
		cancel()
		err = errors.Join(err, d.queue.Close())
	}
	return err
}

// take gives a packet the time at which it may go.
func (d *delayer) take(packet nfqueue.Attribute) int {
	if packet.PacketID == nil {
		return 0
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	due, full := d.sentAt(now, packet)
	if full {
		if err := d.queue.SetVerdict(*packet.PacketID, nfqueue.NfDrop); err != nil {
			log.Printf("delay %s: %v", d.parameters.Label, err)
		}
		return 0
	}
	due = due.Add(milliseconds(d.parameters.DelayMS +
		d.parameters.JitterMS*(2*d.chance.Float64()-1)))
	if due.Before(d.lastDue) {
		due = d.lastDue
	}
	d.lastDue = due
	if d.parameters.HoldShare > 0 && d.chance.Float64() < d.parameters.HoldShare {
		due = due.Add(milliseconds(d.parameters.HoldMS))
	}
	d.arrived++
	heap.Push(&d.waiting, held{id: *packet.PacketID, due: due, number: d.arrived})
	if d.waiting[0].number == d.arrived {
		d.nudge()
	}
	return 0
}

// sentAt is when a link of the given rate has sent the packet; it is full when the packet would
// have to wait too long for its turn.
func (d *delayer) sentAt(now time.Time, packet nfqueue.Attribute) (sent time.Time, full bool) {
	if d.parameters.RateBitPerS == 0 || packet.Payload == nil {
		return now, false
	}
	begins := now
	if d.free.After(now) {
		begins = d.free
	}
	if begins.Sub(now).Seconds() > queueS {
		return now, true
	}
	bits := 8 * float64(lengthOf(*packet.Payload)+ethernetBytes)
	d.free = begins.Add(secondsOf(bits / d.parameters.RateBitPerS))
	return d.free, false
}

const (
	headerBytes   = 40 // of a packet, enough to know its length
	ethernetBytes = 14
)

// lengthOf a packet, as its IP header says.
func lengthOf(packet []byte) int {
	const fixedSix = 40
	switch {
	case len(packet) >= 4 && packet[0]>>4 == 4:
		return int(binary.BigEndian.Uint16(packet[2:]))
	case len(packet) >= 6 && packet[0]>>4 == 6:
		return fixedSix + int(binary.BigEndian.Uint16(packet[4:]))
	}
	return len(packet)
}

func (d *delayer) nudge() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// release lets packets go when they are due; when the delayer stops, at once and in order.
func (d *delayer) release() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if next, some := d.releaseDue(); some {
			timer.Reset(time.Until(next))
		}
		select {
		case <-timer.C:
		case <-d.wake:
		case <-d.ended:
			return
		}
	}
}

// releaseDue lets go of what is due, and says when the next one is.
func (d *delayer) releaseDue() (next time.Time, some bool) {
	for {
		d.mu.Lock()
		if len(d.waiting) == 0 {
			d.mu.Unlock()
			return next, false
		}
		if first := d.waiting[0]; first.due.After(time.Now()) && !d.stopping {
			d.mu.Unlock()
			return first.due, true
		}
		packet := heap.Pop(&d.waiting).(held)
		d.mu.Unlock()
		if err := d.queue.SetVerdict(packet.id, nfqueue.NfAccept); err != nil {
			log.Printf("delay %s: a packet is lost: %v", d.parameters.Label, err)
		}
		d.passed.Add(1)
	}
}

// stop lets go of everything, held here or still on its way to us, and then of the queue: when a
// queue goes, the kernel loses what is in it.
func (d *delayer) stop() {
	d.mu.Lock()
	d.stopping = true
	d.mu.Unlock()
	d.nudge()
	const patience = 2 * time.Second
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		left, err := queued(d.network, d.number)
		if err == nil && left == 0 {
			break
		}
		if time.Now().After(deadline) {
			log.Printf("delay %s: %d packets lost with queue %d (%v)", d.parameters.Label, left, d.number, err)
			break
		}
	}
	d.cancel()
	d.end()
	if err := errors.Join(d.queue.Close(), d.network.Close()); err != nil {
		log.Printf("delay %s: %v", d.parameters.Label, err)
	}
}

// queued is how many packets the kernel has in that queue.
func queued(network *os.File, number uint16) (packets int, err error) {
	err = within(network, func() error {
		return eachQueue(func(row []string) {
			if row[0] == fmt.Sprint(number) {
				packets, _ = strconv.Atoi(row[2])
			}
		})
	})
	return packets, err
}

// eachQueue shows the kernel's packet queues: number, port, packets, copy mode, copy range, …
func eachQueue(do func(row []string)) error {
	listed, err := os.ReadFile("/proc/thread-self/net/netfilter/nfnetlink_queue")
	for line := range strings.Lines(string(listed)) {
		if row := strings.Fields(line); len(row) > 2 {
			do(row)
		}
	}
	return err
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// isGone: the packet of a verdict was dropped meanwhile, as the kernel does with all that is queued
// in a network when somebody's hook of netfilter goes there.
func isGone(err error) bool { return errors.Is(err, unix.ENOENT) }

// isOverrun: the kernel had more to hand over than the socket's buffer holds.
func isOverrun(err error) bool { return errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ENOMEM) }
