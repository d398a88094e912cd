package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ours is the handle of the queueing disciplines that faults put on an interface.
var ours = netlink.MakeHandle(0xc4a0, 0)

const minBitPerS, maxBitPerS = 8e3, 100e9

// bandwidthParameters of kind bandwidth: what the interface sends at most.
type bandwidthParameters struct {
	Interface   string  `json:"interface"`
	RateBitPerS float64 `json:"rate_bit_per_s,omitempty"`
}

// bandwidth slows what leaves by an interface, by a token bucket (tbf) as its root.
var bandwidth = mechanism[bandwidthParameters, struct{}]{
	key: func(p bandwidthParameters) (string, error) { return qdiscKey(p.Interface) },
	look: func(p bandwidthParameters) (struct{}, error) {
		if !(p.RateBitPerS >= minBitPerS && p.RateBitPerS <= maxBitPerS) {
			return struct{}{}, fmt.Errorf("rate_bit_per_s is %g; give %g to %g", p.RateBitPerS,
				minBitPerS, maxBitPerS)
		}
		return struct{}{}, lookForOthers(p.Interface)
	},
	inject: func(p bandwidthParameters, _ struct{}) (fields, error) {
		rate := uint64(p.RateBitPerS / 8)
		burst := uint32(max(minBurstBytes, p.RateBitPerS/8*burstS))
		queued := p.RateBitPerS / 8 * queueS
		return fields{"burst_bytes": burst}, putRoot(p.Interface, func(a netlink.QdiscAttrs) netlink.Qdisc {
			return &netlink.Tbf{QdiscAttrs: a, Rate: rate, Buffer: netlink.Xmittime(rate, burst),
				Limit: uint32(min(math.MaxUint32, float64(burst)+max(queued, minQueueBytes)))}
		})
	},
	heal: func(p bandwidthParameters, _ struct{}) (fields, error) {
		return nil, removeRoot(p.Interface)
	},
}.kind()

const (
	minBurstBytes = 4 << 10 // a few packets go at once
	burstS        = 0.01    // or what the rate allows in this time: the kernel's clock ticks less often
	queueS        = 0.2     // as long as a packet waits at most, before others are lost
	minQueueBytes = 16 << 10
)

// netemParameters of kind netem: shares of the packets that leave by the interface.
type netemParameters struct {
	Interface      string  `json:"interface"`
	DuplicateShare float64 `json:"duplicate_share,omitempty"`
	CorruptShare   float64 `json:"corrupt_share,omitempty"`
}

// netem duplicates or corrupts packets, on kernels that have it.
var netem = mechanism[netemParameters, struct{}]{
	key: func(p netemParameters) (string, error) { return qdiscKey(p.Interface) },
	look: func(p netemParameters) (struct{}, error) {
		for _, share := range []float64{p.DuplicateShare, p.CorruptShare} {
			if !(share >= 0 && share <= 1) || p.DuplicateShare+p.CorruptShare == 0 {
				return struct{}{}, fmt.Errorf("duplicate_share is %g, corrupt_share %g; give up to 1, "+
					"and not 0 for both", p.DuplicateShare, p.CorruptShare)
			}
		}
		return struct{}{}, lookForOthers(p.Interface)
	},
	inject: func(p netemParameters, _ struct{}) (fields, error) {
		return nil, putRoot(p.Interface, func(a netlink.QdiscAttrs) netlink.Qdisc {
			return netlink.NewNetem(a, netlink.NetemQdiscAttrs{
				Duplicate:   float32(100 * p.DuplicateShare),
				CorruptProb: float32(100 * p.CorruptShare),
			})
		})
	},
	heal: func(p netemParameters, _ struct{}) (fields, error) {
		return nil, removeRoot(p.Interface)
	},
}.kind()

func qdiscKey(name string) (string, error) {
	if name == "" {
		return "", errNoInterface
	}
	return "qdisc " + name, nil
}

// lookForOthers refuses an interface whose queueing somebody has chosen already.
func lookForOthers(name string) error {
	link, err := findLink(name)
	if err != nil {
		return err
	}
	root, err := rootOf(link)
	if err == nil && root != nil && root.Attrs().Handle != 0 && root.Attrs().Handle != ours {
		err = fmt.Errorf("interface %s has a queueing discipline, %s %s, that is not ours; remove it "+
			"first", name, root.Type(), netlink.HandleStr(root.Attrs().Handle))
	}
	return err
}

func rootOf(link netlink.Link) (netlink.Qdisc, error) {
	all, err := netlink.QdiscList(link)
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", link.Attrs().Name, err)
	}
	for _, one := range all {
		if one.Attrs().Parent == netlink.HANDLE_ROOT {
			return one, nil
		}
	}
	return nil, nil
}

func putRoot(name string, made func(netlink.QdiscAttrs) netlink.Qdisc) error {
	link, err := findLink(name)
	if err != nil {
		return err
	}
	one := made(netlink.QdiscAttrs{
		LinkIndex: link.Attrs().Index, Handle: ours, Parent: netlink.HANDLE_ROOT})
	if err := netlink.QdiscReplace(one); err != nil {
		return fmt.Errorf("%s on interface %s: %w", one.Type(), name, err)
	}
	return nil
}

// removeRoot gives the interface its default back, and leaves alone what is not ours.
func removeRoot(name string) error {
	link, err := findLink(name)
	if err != nil {
		return err
	}
	root, err := rootOf(link)
	if err != nil || root == nil || root.Attrs().Handle != ours {
		return err
	}
	if err := netlink.QdiscDel(root); err != nil {
		return fmt.Errorf("%s on interface %s cannot be removed: %w", root.Type(), name, err)
	}
	if root, err = rootOf(link); err == nil && root != nil && root.Attrs().Handle == ours {
		err = fmt.Errorf("%s is on interface %s although removed", root.Type(), name)
	}
	return err
}

// abilities are what only some kernels can do, found by trying in a network of its own that is
// gone right after.
func abilities() []string {
	can := []string{}
	tried := make(chan bool)
	go func() {
		runtime.LockOSThread() // and never unlocked
		tried <- unix.Unshare(unix.CLONE_NEWNET) == nil && netemWorks() == nil
	}()
	if <-tried {
		can = append(can, "netem")
	}
	return can
}

func netemWorks() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	attributes := netlink.QdiscAttrs{
		LinkIndex: lo.Attrs().Index, Handle: ours, Parent: netlink.HANDLE_ROOT}
	return errors.Join(netlink.LinkSetUp(lo),
		netlink.QdiscAdd(netlink.NewNetem(attributes, netlink.NetemQdiscAttrs{Duplicate: 1})))
}
