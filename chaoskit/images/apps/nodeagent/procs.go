package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is one of this node as /proc shows it.
type process struct {
	PID    int     `json:"pid"`
	State  string  `json:"state"` // a letter, see proc(5)
	AgeS   float64 `json:"age_s"`
	parent int
}

const (
	stopped = "T"
	zombie  = "Z"
	// The unit of times in /proc: USER_HZ, which is 100 on every Linux that runs containers.
	clockTick = 10 * time.Millisecond
)

// processOf reads one process; it fails when there is none of that number.
func processOf(pid int) (process, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	// The command in brackets may hold anything; after it, fields are numbered from state, 3.
	after := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const state, parent, startTime = 3 - 3, 4 - 3, 22 - 3
	if len(after) <= startTime {
		return process{}, fmt.Errorf("/proc/%d/stat has %d fields after the command", pid, len(after))
	}
	numbers := map[int]int64{}
	for _, field := range []int{parent, startTime} {
		if numbers[field], err = strconv.ParseInt(after[field], 10, 64); err != nil {
			return process{}, err
		}
	}
	var sinceBoot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &sinceBoot); err != nil {
		return process{}, err
	}
	age := time.Duration(sinceBoot.Nano()) - time.Duration(numbers[startTime])*clockTick
	return process{
		PID: pid, State: after[state], AgeS: age.Seconds(), parent: int(numbers[parent]),
	}, nil
}

// commandLine is empty for a process that has ended.
func commandLine(pid int) []string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(raw) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(raw), "\x00"), "\x00")
}

// processesWhere lists what matches; one that ends meanwhile is left out.
func processesWhere(matches func(pid int, command []string) bool) []process {
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		panic(err) // only a malformed pattern fails
	}
	found := []process{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		if err != nil {
			continue
		}
		if command := commandLine(pid); len(command) > 0 && matches(pid, command) {
			if one, err := processOf(pid); err == nil && one.State != zombie {
				found = append(found, one)
			}
		}
	}
	return found
}

// processesOf are those of a component of this node. A pod's process may bear its name, too.
func processesOf(component string) []process {
	return processesWhere(func(pid int, command []string) bool {
		return filepath.Base(command[0]) == component && !isInPod(pid)
	})
}

func isInPod(pid int) bool {
	cgroups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	return err == nil && bytes.Contains(cgroups, []byte("kubepods"))
}

// signalProcess refuses to hit a later bearer of the number: `still` is asked once it is held.
func signalProcess(pid int, signal unix.Signal, still func() bool) error {
	held, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	defer unix.Close(held)
	if !still() {
		return unix.ESRCH
	}
	return unix.PidfdSendSignal(held, signal, nil, 0)
}
