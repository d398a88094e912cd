package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	stopped  = "stopped"  // the registry's process is killed and not started again
	refusing = "refusing" // the clients' account is gone from the password file
)

var faults = []string{stopped, refusing}

// A fault is a file with the moment at which it ends by itself, so that it outlives whoever
// injected it, and ends also when nobody heals it.

func (s State) faultFile(fault string) string { return s.file(fault + ".until") }

func (s State) begin(fault string, lasting time.Duration) error {
	until := strconv.FormatInt(int64(now()+lasting), 10)
	return s.write(fault+".until", []byte(until))
}

func (s State) end(fault string) error {
	err := os.Remove(s.faultFile(fault))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// broken says whether a fault is on; one whose time is over is removed.
func (s State) broken(fault string) (bool, error) {
	content, err := os.ReadFile(s.faultFile(fault))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	until, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64)
	if err != nil {
		return false, fmt.Errorf("%s: %w", s.faultFile(fault), err)
	}
	if now() < time.Duration(until) {
		return true, nil
	}
	return false, s.end(fault)
}

// now is the time since the machine's start, which nobody sets; also while it was asleep.
func now() time.Duration {
	var moment unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &moment); err != nil {
		panic(err) // every Linux has this clock
	}
	return time.Duration(moment.Nano())
}

const inEffectWithin = 10 * time.Second

func inject(ctx context.Context, s State, fault string, lasting time.Duration) error {
	if !slices.Contains(faults, fault) {
		return fmt.Errorf("%w: no fault %q, there are %v", errUsage, fault, faults)
	}
	if err := s.begin(fault, lasting); err != nil {
		return err
	}
	return s.waitFor(ctx, fault, true)
}

func heal(ctx context.Context, s State, fault string) error {
	if !slices.Contains(faults, fault) {
		return fmt.Errorf("%w: no fault %q, there are %v", errUsage, fault, faults)
	}
	if err := s.end(fault); err != nil {
		return err
	}
	return s.waitFor(ctx, fault, false)
}

// waitFor waits until the registry's own answer shows the fault, or shows it no more.
func (s State) waitFor(ctx context.Context, fault string, broken bool) error {
	ctx, cancel := context.WithTimeout(ctx, inEffectWithin)
	defer cancel()
	accounts, err := s.accounts()
	if err != nil {
		return err
	}
	for {
		status, err := answer(ctx, accounts.Puller)
		if shows(fault, broken, status, err) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not %s=%t within %s, the registry's answer: %d, %v", fault, broken, inEffectWithin, status, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// shows says whether the registry's answer to a client is that of a fault, or of its absence.
func shows(fault string, broken bool, status int, err error) bool {
	refused := errors.Is(err, unix.ECONNREFUSED)
	switch {
	case fault == stopped && broken:
		return refused
	case fault == stopped:
		return err == nil
	case refused:
		return true // while it is stopped nothing can be said about whom it would turn away
	case broken:
		return err == nil && status == http.StatusUnauthorized
	default:
		return err == nil && status == http.StatusOK
	}
}
