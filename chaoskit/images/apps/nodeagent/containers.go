package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// containerOf names one container of a pod on this node: a restarted one has another id.
type containerOf struct {
	PodUID      string `json:"pod_uid"`
	ContainerID string `json:"container_id"`
}

func (c containerOf) key() (string, error) {
	if !containerName.MatchString(c.ContainerID) || c.PodUID == "" {
		return "", fmt.Errorf("container %q of pod %q: give the pod's UID and the container's id, "+
			"64 hexadecimal digits", c.ContainerID, c.PodUID)
	}
	return "container " + c.ContainerID, nil
}

// podCgroups finds a pod's cgroups by its UID, in the given hierarchy of v1 or in v2. There is none
// when the pod has ended.
func podCgroups(cgroupRoot, hierarchy, uid string) ([]string, error) {
	if !exists(filepath.Join(cgroupRoot, "cgroup.controllers")) {
		cgroupRoot = filepath.Join(cgroupRoot, hierarchy)
	}
	var found []string
	// A pod of quality Guaranteed lies at the root, the others one folder below.
	for _, pattern := range []string{"kubepods*/*", "kubepods*/*/*", "*/kubepods*/*", "*/kubepods*/*/*"} {
		matches, err := filepath.Glob(filepath.Join(cgroupRoot, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range matches {
			name := podName.FindStringSubmatch(filepath.Base(path))
			if name != nil && strings.ReplaceAll(name[1], "_", "-") == uid {
				found = append(found, path)
			}
		}
	}
	return found, nil
}

// cgroupOf is a container's cgroup in that hierarchy; empty when it has ended.
func (c containerOf) cgroupOf(cgroupRoot, hierarchy string) (string, error) {
	pods, err := podCgroups(cgroupRoot, hierarchy, c.PodUID)
	if err != nil {
		return "", err
	}
	for _, pod := range pods {
		entries, err := os.ReadDir(pod)
		if unlessGone(err) != nil {
			return "", err
		}
		for _, entry := range entries {
			id := containerName.FindStringSubmatch(entry.Name())
			if entry.IsDir() && id != nil && id[1] == c.ContainerID {
				return filepath.Join(pod, entry.Name()), nil
			}
		}
	}
	return "", nil
}

// pids are the container's processes now: none when it has ended.
func (c containerOf) pids(cgroupRoot string) ([]int, error) {
	cgroup, err := c.cgroupOf(cgroupRoot, "pids")
	if err != nil || cgroup == "" {
		return nil, err
	}
	listed, err := processesIn(cgroup)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, text := range listed {
		if pid, err := strconv.Atoi(text); err == nil && pid > 0 { // 0: of another PID namespace
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// initOf is the process whose end is the container's: the runtime keeps its number in a file.
func (c containerOf) initOf(s settings) (int, error) {
	text, err := os.ReadFile(filepath.Join(s.taskRoot, c.ContainerID, "init.pid"))
	if err != nil {
		return 0, c.gone(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("init.pid of container %.12s: %w", c.ContainerID, err)
	}
	alive, err := c.pids(s.cgroupRoot)
	if err != nil {
		return 0, err
	}
	if !slices.Contains(alive, pid) {
		return 0, c.gone(errors.New("its first process has ended"))
	}
	return pid, nil
}

func (c containerOf) gone(why error) error {
	return fmt.Errorf("container %.12s of pod %s does not run on this node: %w; "+
		"it may have been restarted: look it up again", c.ContainerID, c.PodUID, why)
}

// sandboxOf finds the container that holds the pod's namespaces, by what the runtime notes of it.
func sandboxOf(s settings, podUID string) (containerOf, bool, error) {
	pods, err := podCgroups(s.cgroupRoot, "pids", podUID)
	if err != nil {
		return containerOf{}, false, err
	}
	for _, pod := range pods {
		entries, err := os.ReadDir(pod)
		if unlessGone(err) != nil {
			return containerOf{}, false, err
		}
		for _, entry := range entries {
			id := containerName.FindStringSubmatch(entry.Name())
			if id == nil || !isSandbox(s, id[1]) {
				continue
			}
			one := containerOf{podUID, id[1]}
			if pids, err := one.pids(s.cgroupRoot); err != nil || len(pids) > 0 {
				return one, true, err
			}
		}
	}
	return containerOf{}, false, nil
}

func isSandbox(s settings, id string) bool {
	raw, err := os.ReadFile(filepath.Join(s.taskRoot, id, "config.json"))
	if err != nil {
		return false // ended meanwhile
	}
	var config struct {
		Annotations map[string]string `json:"annotations"`
	}
	const made = "io.kubernetes.cri.container-type"
	return json.Unmarshal(raw, &config) == nil && config.Annotations[made] == "sandbox"
}

// containerState is what is seen of a container and of its pod's sandbox right now.
func (a *agent) containerState(c containerOf) (fields, error) {
	if _, err := c.key(); err != nil {
		return nil, err
	}
	pids, err := c.pids(a.settings.cgroupRoot)
	if err != nil {
		return nil, err
	}
	processes := []process{}
	for _, pid := range pids {
		if one, err := processOf(pid); err == nil && one.State != zombie {
			processes = append(processes, one)
		}
	}
	_, sandbox, err := sandboxOf(a.settings, c.PodUID)
	return fields{"processes": processes, "sandbox": sandbox}, err
}

// signalContainer hits the first process, held by a descriptor, and not a later one of its number.
// A container that has ended since it was looked at needs no signal any more.
func signalContainer(s settings, c containerOf, signal unix.Signal) error {
	pid, err := c.initOf(s)
	if err != nil {
		return nil
	}
	err = signalProcess(pid, signal, func() bool {
		again, err := c.initOf(s)
		return err == nil && again == pid
	})
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

type containerSignal struct {
	PodUID      string `json:"pod_uid"`
	ContainerID string `json:"container_id"`
	Signal      string `json:"signal"`
}

func (p containerSignal) container() containerOf { return containerOf{p.PodUID, p.ContainerID} }

// endingSignals are those that are meant to end a process: their effect can be seen.
var endingSignals = []string{"SIGABRT", "SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGTERM"}

// containerSignalled sends one signal to a container's first process. The kernel shields it, as its
// namespace's process 1, from what it does not handle, except KILL.
func containerSignalled(s settings) kind {
	return mechanism[containerSignal, nothing]{
		key: func(p containerSignal) (string, error) {
			if !slices.Contains(endingSignals, p.Signal) {
				return "", fmt.Errorf("signal %q: give one of %s", p.Signal,
					strings.Join(endingSignals, ", "))
			}
			return p.container().key()
		},
		look: func(p containerSignal) (nothing, error) {
			_, err := p.container().initOf(s)
			return nothing{}, err
		},
		inject: func(p containerSignal, _ nothing) (fields, error) {
			return nil, signalContainer(s, p.container(), unix.SignalNum(p.Signal))
		},
		heal: nothingToMend[containerSignal, nothing],
	}.kind()
}

// nothingToMend is the heal of what is over at once: the system recovers by itself.
func nothingToMend[P, S any](P, S) (fields, error) { return nil, nil }

type podOnly struct {
	PodUID string `json:"pod_uid"`
}

// sandboxKilled kills the process that holds a pod's namespaces.
func sandboxKilled(s settings) kind {
	find := func(p podOnly) (containerOf, error) {
		sandbox, found, err := sandboxOf(s, p.PodUID)
		if err == nil && !found {
			err = fmt.Errorf("pod %s has no sandbox on this node; does it run here?", p.PodUID)
		}
		return sandbox, err
	}
	return mechanism[podOnly, containerOf]{
		key: func(p podOnly) (string, error) {
			if p.PodUID == "" {
				return "", errors.New("pod_uid is missing")
			}
			return "sandbox " + p.PodUID, nil
		},
		look: find,
		inject: func(_ podOnly, sandbox containerOf) (fields, error) {
			// Asked again, it spares the one that has come since.
			return fields{"container_id": sandbox.ContainerID},
				signalContainer(s, sandbox, unix.SIGKILL)
		},
		heal: nothingToMend[podOnly, containerOf],
	}.kind()
}

// frozenBefore are processes that somebody else had stopped: they stay so.
type frozenBefore struct {
	PIDs []int `json:"pids"`
}

// stopAgainAfter bounds how long a process that came later (an exec probe) runs before it is
// stopped as well.
const stopAgainAfter = 20 * time.Millisecond

// containerFrozen stops all processes of a container. Not by the cgroup freezer: version 1 of it
// holds even KILL back, and a node with such a container in it can be neither killed nor removed.
func containerFrozen(s settings, running *loops) kind {
	return mechanism[containerOf, frozenBefore]{
		live: true,
		key:  containerOf.key,
		look: func(c containerOf) (frozenBefore, error) {
			var before frozenBefore
			if _, err := c.initOf(s); err != nil {
				return before, err
			}
			states, err := statesOf(s, c)
			for pid, state := range states {
				if state == stopped {
					before.PIDs = append(before.PIDs, pid)
				}
			}
			return before, err
		},
		inject: func(c containerOf, _ frozenBefore) (fields, error) {
			key, _ := c.key() // was asked before
			running.start(key, stopAgainAfter, func() { _ = signalAll(s, c, unix.SIGSTOP, nil) })
			return nil, eventually(2*time.Second, func() error {
				states, err := statesOf(s, c)
				for pid, state := range states {
					if state != stopped && state != zombie {
						return fmt.Errorf("process %d of container %.12s is %s, not stopped", pid,
							c.ContainerID, state)
					}
				}
				return err
			})
		},
		heal: func(c containerOf, before frozenBefore) (fields, error) {
			key, _ := c.key() // was asked before
			running.stop(key)
			if err := signalAll(s, c, unix.SIGCONT, before.PIDs); err != nil {
				return nil, err
			}
			return nil, eventually(2*time.Second, func() error {
				states, err := statesOf(s, c)
				for pid, state := range states {
					if state == stopped && !slices.Contains(before.PIDs, pid) {
						return fmt.Errorf("process %d of container %.12s stays stopped", pid, c.ContainerID)
					}
				}
				return err
			})
		},
	}.kind()
}

// statesOf are the states of the container's processes; none when it has ended.
func statesOf(s settings, c containerOf) (map[int]string, error) {
	pids, err := c.pids(s.cgroupRoot)
	states := map[int]string{}
	for _, pid := range pids {
		if one, err := processOf(pid); err == nil {
			states[pid] = one.State
		}
	}
	return states, err
}

// signalAll signals every process of a container but those excepted.
func signalAll(s settings, c containerOf, signal unix.Signal, except []int) error {
	pids, err := c.pids(s.cgroupRoot)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if slices.Contains(except, pid) {
			continue
		}
		still := func() bool {
			now, err := c.pids(s.cgroupRoot)
			return err == nil && slices.Contains(now, pid)
		}
		if failed := signalProcess(pid, signal, still); failed != nil && !errors.Is(failed, unix.ESRCH) {
			err = errors.Join(err, fmt.Errorf("process %d: %w", pid, failed))
		}
	}
	return err
}
