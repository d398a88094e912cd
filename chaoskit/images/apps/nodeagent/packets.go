package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// packetsParameters of kind packets: which are lost, and how. The label names the fault: its heal
// needs no more than that.
type packetsParameters struct {
	Label      string      `json:"label"`
	Selections []selection `json:"selections,omitempty"`
	// Action: "drop" (nobody is told) or "reject" (a reset for TCP, unreachable for others).
	Action string  `json:"action,omitempty"`
	Share  float64 `json:"share,omitempty"` // of the packets, each by chance; above 0, up to 1
}

// packetsLost loses packets, by nftables.
func packetsLost(s settings) kind {
	tablesOf := func(p packetsParameters) tables {
		return tables{name: "chaoskit-packets-" + p.Label, cgroupRoot: s.cgroupRoot}
	}
	return mechanism[packetsParameters, struct{}]{
		key: func(p packetsParameters) (string, error) { return keyOf("packets", p.Label) },
		look: func(p packetsParameters) (struct{}, error) {
			return struct{}{}, p.check()
		},
		inject: func(p packetsParameters, _ struct{}) (fields, error) {
			return nil, tablesOf(p).put(p.Selections, p.act())
		},
		heal: func(p packetsParameters, _ struct{}) (fields, error) {
			return nil, tablesOf(p).remove(p.Selections)
		},
		named: true,
	}.kind()
}

func keyOf(kind, label string) (string, error) {
	if !labelForm.MatchString(label) {
		return "", fmt.Errorf("label is %q; give up to 48 of a-z, 0-9, _ and -", label)
	}
	return kind + " " + label, nil
}

func (p packetsParameters) check() error {
	if err := checkSelections(p.Label, p.Selections); err != nil {
		return err
	}
	switch {
	case p.Action != "drop" && p.Action != "reject":
		return fmt.Errorf("action is %q; give drop or reject", p.Action)
	case p.Action == "reject" && slices.ContainsFunc(p.Selections, isLeaving):
		return errors.New("what is leaving can be dropped, not rejected; the kernel has it so")
	case !(p.Share > 0 && p.Share <= 1):
		return fmt.Errorf("share is %g; give more than 0 and at most 1", p.Share)
	}
	return nil
}

func isLeaving(one selection) bool { return one.At == "leaving" }

// act are the rules of the packets that are meant. What is not lost comes to the end of the chain
// and goes on.
func (p packetsParameters) act() [][]expr.Any {
	var chance []expr.Any
	if p.Share < 1 {
		chance = byChance(p.Share)
	}
	lose := func(last ...expr.Any) []expr.Any {
		return append(append([]expr.Any{}, chance...), last...)
	}
	if p.Action == "drop" {
		return [][]expr.Any{lose(&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop})}
	}
	tcp := []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
	}
	return [][]expr.Any{
		append(tcp, lose(&expr.Counter{}, &expr.Reject{Type: unix.NFT_REJECT_TCP_RST})...),
		append(notTCP(), lose(&expr.Counter{}, &expr.Reject{
			Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_PORT_UNREACH})...),
	}
}

func notTCP() []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
	}
}

// byChance goes on with that share of the packets: the kernel draws from the whole range of 32 bit
// for each. Numbers of its comparison are in network order, those drawn are the host's.
func byChance(share float64) []expr.Any {
	const modulus = math.MaxUint32
	below := make([]byte, 4)
	binary.BigEndian.PutUint32(below, uint32(share*modulus))
	return []expr.Any{
		&expr.Numgen{Register: 1, Modulus: modulus, Type: unix.NFT_NG_RANDOM},
		&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 4, Size: 4},
		&expr.Cmp{Op: expr.CmpOpLt, Register: 1, Data: below},
	}
}
