package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"chaoskit.dev/apps/internal/monotonic"
)

// fault is something that is broken on purpose, as it is kept on disk.
type fault struct {
	Kind       string          `json:"kind"`
	Key        string          `json:"key"`
	Parameters json.RawMessage `json:"parameters"`
	Snapshot   json.RawMessage `json:"snapshot"`
	ArmedNS    int64           `json:"armed_ns"`
	InjectedNS int64           `json:"injected_ns"`
	HealAtNS   int64           `json:"heal_at_ns"`
	Life       string          `json:"life"` // see currentLife
}

// openFault is one whose heal timer runs.
type openFault struct {
	fault
	timer     *time.Timer
	lastError string
}

// healed is a fault that is over, and why.
type healed struct {
	Kind       string `json:"kind"`
	Key        string `json:"key"`
	InjectedNS int64  `json:"injected_ns"`
	HealedNS   int64  `json:"healed_ns"`
	Cause      string `json:"cause"`
}

// faults are those of this node; one lock makes injecting and healing follow one another.
type faults struct {
	mu     sync.Mutex
	kinds  map[string]kind
	folder faultFolder
	life   string
	open   map[string]*openFault // by key
	recent []healed
}

const (
	recentKept    = 50
	healAgainWait = time.Second // after a heal that failed
)

// takeUpFaults arms the timers of the faults that an earlier agent left open. One of an earlier
// life of the node is gone with its namespaces.
func takeUpFaults(directory string, kinds map[string]kind) (*faults, error) {
	life, err := currentLife()
	if err != nil {
		return nil, err
	}
	f := &faults{
		kinds: kinds, folder: faultFolder(directory), life: life, open: map[string]*openFault{},
	}
	kept, err := f.folder.read()
	if err != nil {
		return nil, err
	}
	for _, one := range kept {
		if _, known := kinds[one.Kind]; !known {
			return nil, fmt.Errorf("%s is kept as a fault, but %s is no kind of mine; "+
				"heal by hand and remove it from %s", one.Key, one.Kind, directory)
		}
		if one.Life != life {
			f.remember(one, "the node was restarted")
			if err := f.folder.remove(one.Key); err != nil {
				return nil, err
			}
			continue
		}
		log.Printf("%s: fault of an earlier agent taken up", one.Key)
		f.open[one.Key] = &openFault{fault: one}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.open {
		if f.kinds[one.Kind].live && one.HealAtNS > monotonic.NowNS() {
			if _, err := f.kinds[one.Kind].inject(one.Parameters, one.Snapshot); err != nil {
				log.Printf("%s: not in effect again: %v", one.Key, err)
			}
		}
		f.arm(one)
	}
	return f, nil
}

// arm (re)starts the heal timer; the caller holds the lock.
func (f *faults) arm(one *openFault) {
	if one.timer != nil {
		one.timer.Stop()
	}
	left := time.Duration(max(0, one.HealAtNS-monotonic.NowNS()))
	one.timer = time.AfterFunc(left, func() { f.healByTimer(one) })
}

// healByTimer tries again after a failure: an open fault is never given up.
func (f *faults) healByTimer(one *openFault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[one.Key] != one || monotonic.NowNS() < one.HealAtNS {
		return // healed, or armed anew, while this waited for the lock
	}
	if _, err := f.healOpen(one, "timer"); err != nil {
		if one.lastError != err.Error() {
			log.Printf("%s: %v; trying again every %s", one.Key, err, healAgainWait)
			one.lastError = err.Error()
		}
		one.timer = time.AfterFunc(healAgainWait, func() { f.healByTimer(one) })
	}
}

// healOpen mends an open fault; the caller holds the lock.
func (f *faults) healOpen(one *openFault, cause string) (fields, error) {
	done, err := f.kinds[one.Kind].heal(one.Parameters, one.Snapshot)
	if err != nil {
		return done, err
	}
	if err := f.folder.remove(one.Key); err != nil {
		return done, err // it stays open, and its timer runs
	}
	if one.timer != nil {
		one.timer.Stop()
	}
	delete(f.open, one.Key)
	f.remember(one.fault, cause)
	log.Printf("%s: %s healed by %s", one.Key, one.Kind, cause)
	return done, nil
}

func (f *faults) remember(one fault, cause string) {
	f.recent = append(f.recent, healed{one.Kind, one.Key, one.InjectedNS, monotonic.NowNS(), cause})
	f.recent = f.recent[max(0, len(f.recent)-recentKept):]
}

func (f *faults) healAll(cause string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	for _, one := range f.open {
		_, failure := f.healOpen(one, cause)
		err = errors.Join(err, failure)
	}
	return err
}

// faultArguments name a fault: which kind, of what.
type faultArguments struct {
	Kind       string          `json:"kind"`
	Parameters json.RawMessage `json:"parameters"`
}

// injectArguments of inject: what to break, and when to mend it if nobody asks for it before.
type injectArguments struct {
	faultArguments
	HealAfterS float64 `json:"heal_after_s"`
}

func (f *faults) kindOf(a faultArguments) (kind, string, error) {
	k, known := f.kinds[a.Kind]
	if !known {
		return k, "", fmt.Errorf("kind %q is not known; there are %s",
			a.Kind, strings.Join(slices.Sorted(maps.Keys(f.kinds)), ", "))
	}
	if len(a.Parameters) == 0 {
		return k, "", fmt.Errorf("%s: parameters are missing", a.Kind)
	}
	key, err := k.key(a.Parameters)
	return k, key, err
}

// inject breaks something. What it needs to be mended is on disk, and the heal timer runs, before
// it is broken. Asked again for the same, it sets the new heal time and does what is missing.
func (f *faults) inject(a injectArguments) (fields, error) {
	if err := checkSeconds("heal_after_s", a.HealAfterS); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	k, key, err := f.kindOf(a.faultArguments)
	if err != nil {
		return nil, err
	}
	one, already := f.open[key]
	switch {
	case already && (one.Kind != a.Kind || !sameJSON(one.Parameters, a.Parameters)):
		return nil, fmt.Errorf("%s is broken already, by %s %s; heal that first",
			key, one.Kind, one.Parameters)
	case !already:
		one = &openFault{fault: fault{
			Kind: a.Kind, Key: key, Parameters: a.Parameters, Life: f.life}}
		if one.Snapshot, err = k.look(a.Parameters); err != nil {
			return nil, err
		}
	}
	armed := one.fault // what is open keeps its time, and so its timer, until the new one is kept
	armed.ArmedNS = monotonic.NowNS()
	armed.HealAtNS = armed.ArmedNS + int64(secondsOf(a.HealAfterS))
	if err := f.folder.write(armed); err != nil {
		return nil, fmt.Errorf("%s is left as it is, as its heal could not be kept: %w", key, err)
	}
	one.fault = armed
	f.open[key] = one
	f.arm(one)
	done, err := k.inject(one.Parameters, one.Snapshot)
	if err != nil {
		_, healErr := f.healOpen(one, "inject failed")
		return nil, errors.Join(err, healErr)
	}
	if !already {
		one.InjectedNS = monotonic.NowNS()
		if err := f.folder.write(one.fault); err != nil {
			_, healErr := f.healOpen(one, "inject failed")
			return nil, errors.Join(err, healErr)
		}
	}
	return merged(done, fields{
		"key": key, "already": already, "armed_ns": one.ArmedNS, "injected_ns": one.InjectedNS,
		"heal_at_ns": one.HealAtNS,
	}), nil
}

// heal mends something; what was never broken by us is left, or made, as a whole node has it. What
// another fault holds is left to that one: ours was refused, or is healed.
func (f *faults) heal(a faultArguments) (fields, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, key, err := f.kindOf(a)
	if err != nil {
		return nil, err
	}
	one, taken := f.open[key]
	broken := taken && one.Kind == a.Kind && (k.named || isPart(a.Parameters, one.Parameters))
	var done fields
	switch {
	case !taken:
		done, err = k.heal(a.Parameters, nil)
	case broken:
		done, err = f.healOpen(one, "heal")
	}
	if err != nil {
		return nil, err
	}
	return merged(done, fields{"key": key, "healed": broken, "healed_ns": monotonic.NowNS()}), nil
}

// list tells the open faults and the latest that are over.
func (f *faults) list(nothing) (fields, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	open := make([]fields, 0, len(f.open))
	for _, one := range f.open {
		open = append(open, fields{
			"kind": one.Kind, "key": one.Key, "parameters": one.Parameters,
			"injected_ns": one.InjectedNS, "heal_at_ns": one.HealAtNS,
			"left_s":     float64(one.HealAtNS-monotonic.NowNS()) / 1e9,
			"last_error": strings.TrimSpace(one.lastError),
		})
	}
	return fields{"open": open, "recent": append([]healed{}, f.recent...)}, nil
}

// snapshotOf is what was kept of an open fault, for those who measure its effect.
func (f *faults) snapshotOf(key string) json.RawMessage {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one, open := f.open[key]; open {
		return one.Snapshot
	}
	return nil
}

func merged(into, more fields) fields {
	if into == nil {
		return more
	}
	maps.Copy(into, more)
	return into
}

// sameJSON compares values, not the spelling: the order of members does not matter.
func sameJSON(a, b json.RawMessage) bool {
	var one, other any
	if json.Unmarshal(a, &one) != nil || json.Unmarshal(b, &other) != nil {
		return bytes.Equal(a, b)
	}
	left, leftErr := json.Marshal(one)
	right, rightErr := json.Marshal(other)
	return leftErr == nil && rightErr == nil && bytes.Equal(left, right)
}
