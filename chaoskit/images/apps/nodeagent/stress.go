package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"chaoskit.dev/apps/internal/monotonic"
)

const (
	// The node has no processors of its own: what the whole machine needs to stay alive is left.
	mostOfProcessors = 0.8
	// Of what the machine could still give without swapping.
	mostOfMemory = 0.25
)

type cpuStress struct {
	Workers int     `json:"workers"`
	Share   float64 `json:"share"`
}

// cpuStressed keeps processors busy: each worker one, for a share of the time.
func cpuStressed(workers *burdens) kind {
	const key = "processors"
	return mechanism[cpuStress, nothing]{
		live: true,
		key: func(p cpuStress) (string, error) {
			if p.Workers < 1 || !(p.Share > 0 && p.Share <= 1) {
				return "", fmt.Errorf("%d workers at %g: give one or more, each above 0 and at most 1",
					p.Workers, p.Share)
			}
			return key, nil
		},
		look: func(p cpuStress) (nothing, error) {
			most := mostOfProcessors * float64(runtime.NumCPU())
			if wanted := float64(p.Workers) * p.Share; wanted > most || p.Workers > runtime.NumCPU() {
				return nothing{}, fmt.Errorf("%d workers at %g want %g of %d processors; at most %.2g "+
					"are given, as they are the whole machine's", p.Workers, p.Share, wanted,
					runtime.NumCPU(), most)
			}
			return nothing{}, nil
		},
		inject: func(p cpuStress, _ nothing) (fields, error) {
			for workers.running(key) < p.Workers {
				if _, err := workers.start(key, "spin", "-share", fmt.Sprint(p.Share)); err != nil {
					return nil, err
				}
			}
			return nil, nil
		},
		heal: func(cpuStress, nothing) (fields, error) { workers.stop(key); return nil, nil },
	}.kind()
}

type memoryStress struct {
	Megabytes int `json:"megabytes"`
}

// memoryStressed takes memory and keeps it.
func memoryStressed(holders *burdens) kind {
	const key = "memory"
	return mechanism[memoryStress, nothing]{
		live: true,
		key: func(p memoryStress) (string, error) {
			if p.Megabytes < 1 {
				return "", fmt.Errorf("megabytes is %d; give one or more", p.Megabytes)
			}
			return key, nil
		},
		look: func(p memoryStress) (nothing, error) {
			return nothing{}, mayTake(int64(p.Megabytes) << 20)
		},
		inject: func(p memoryStress, _ nothing) (fields, error) {
			wanted := p.Megabytes << 20
			if holders.running(key) == 0 {
				if _, err := holders.start(key, "hold", "-bytes", fmt.Sprint(wanted)); err != nil {
					return nil, err
				}
			}
			return nil, eventually(8*time.Second, func() error {
				if held := heldBy(burdensOf("hold")); held < int64(wanted) {
					return fmt.Errorf("%d of %d bytes are taken", held, wanted)
				}
				return nil
			})
		},
		heal: func(memoryStress, nothing) (fields, error) { holders.stop(key); return nil, nil },
	}.kind()
}

// mayTake refuses what the machine could miss.
func mayTake(wanted int64) error {
	available, err := availableMemory()
	if err != nil {
		return err
	}
	if most := int64(mostOfMemory * float64(available)); wanted > most {
		return fmt.Errorf("%d MB are wanted, but at most %d MB are taken: a quarter of what this "+
			"machine has available, as it is the whole machine's", wanted>>20, most>>20)
	}
	return nil
}

func availableMemory() (int64, error) {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) == 3 && words[0] == "MemAvailable:" {
			kilobytes, err := strconv.ParseInt(words[1], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/meminfo has no MemAvailable")
}

// burdensOf finds our running burdens as the kernel shows them, not as they were started.
func burdensOf(command string) []process {
	return slices.DeleteFunc(
		processesWhere(func(_ int, line []string) bool { return len(line) > 1 && line[1] == command }),
		func(one process) bool { return one.parent != os.Getpid() },
	)
}

// heldBy is the resident memory of processes.
func heldBy(processes []process) (held int64) {
	for _, one := range processes {
		statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", one.PID))
		if err != nil {
			continue // ended meanwhile
		}
		if words := bytes.Fields(statm); len(words) > 1 {
			pages, _ := strconv.ParseInt(string(words[1]), 10, 64) // a kernel's number
			held += pages * int64(os.Getpagesize())
		}
	}
	return held
}

const cpuMeasuredFor = 250 * time.Millisecond

// stressState is how much our burdens take right now, and for how long they waited to be let, by the
// kernel's account: who has to wait has found the processors busy.
func (a *agent) stressState(nothing) (fields, error) {
	started := monotonic.NowNS()
	workers := burdensOf("spin")
	usedBefore, waitedBefore := timeOf(workers)
	time.Sleep(cpuMeasuredFor)
	used, waited := timeOf(workers)
	took := float64(monotonic.NowNS() - started)
	return fields{
		"workers": len(workers), "cores": float64(used-usedBefore) / took,
		"waiting_cores": float64(waited-waitedBefore) / took, "memory_bytes": heldBy(burdensOf("hold")),
	}, nil
}

// timeOf is how long processes have run, and waited for a processor, in nanoseconds.
func timeOf(processes []process) (used, waited int64) {
	for _, one := range processes {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", one.PID))
		for _, thread := range threads {
			text, err := os.ReadFile(thread)
			if err != nil {
				continue // ended meanwhile
			}
			var ran, stood int64
			if count, _ := fmt.Sscan(string(text), &ran, &stood); count == 2 {
				used, waited = used+ran, waited+stood
			}
		}
	}
	return used, waited
}
