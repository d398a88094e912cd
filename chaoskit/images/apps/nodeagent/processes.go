package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"

	"chaoskit.dev/apps/internal/monotonic"
)

// container is one of a pod that has at least one live process.
type container struct {
	PodUID      string `json:"pod_uid"`
	ContainerID string `json:"container_id"`
	Processes   int    `json:"processes"`
	Command     string `json:"command"` // of its oldest process; "pause" is the pod's sandbox
}

// Names that the kubelet and the container runtime give to cgroups, with either cgroup driver. The
// UID of a static pod is a hash without dashes.
var (
	podName = regexp.MustCompile(
		`^(?:kubepods-(?:(?:burstable|besteffort)-)?)?pod([0-9a-f_-]{32,36})(?:\.slice)?$`)
	containerName = regexp.MustCompile(`^(?:[a-z-]+-)?([0-9a-f]{64})(?:\.scope)?$`)
)

// processes lists the pods' containers that live on this node, as its kernel sees them.
func (a *agent) processes(nothing) (fields, error) {
	started := monotonic.NowNS()
	roots, err := kubepodsRoots(a.settings.cgroupRoot)
	if err != nil {
		return nil, err
	}
	found := []container{}
	for _, root := range roots {
		err := eachPod(root, func(path, uid string) (err error) {
			found, err = collectContainers(path, uid, found)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return fields{"containers": found, "roots": roots, "scan_started_ns": started}, nil
}

// kubepodsRoots finds the kubelet's cgroups: in the one hierarchy of cgroup v2, or in the first of
// v1 that has them, for all of v1 hold the same containers.
func kubepodsRoots(cgroupRoot string) ([]string, error) {
	if _, err := os.Stat(cgroupRoot); err != nil {
		return nil, fmt.Errorf("cgroups: %w; give -cgroup-root", err)
	}
	for _, hierarchy := range []string{"", "pids", "memory", "cpu", "cpuacct", "systemd", "unified"} {
		var roots []string
		for _, pattern := range []string{"kubepods", "kubepods.slice", "*/kubepods", "*/kubepods.slice"} {
			if hierarchy == "" && strings.HasPrefix(pattern, "*") &&
				!exists(filepath.Join(cgroupRoot, "cgroup.controllers")) {
				continue // a folder of v1 is a hierarchy of its own
			}
			matches, err := filepath.Glob(filepath.Join(cgroupRoot, hierarchy, pattern))
			if err != nil {
				return nil, err
			}
			roots = append(roots, matches...)
		}
		if len(roots) > 0 {
			return roots, nil
		}
	}
	return []string{}, nil // no pod has run yet
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// eachPod goes down to the pods' cgroups; one that vanishes meanwhile has ended.
func eachPod(directory string, do func(path, uid string) error) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return unlessGone(err)
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		path := filepath.Join(directory, entry.Name())
		if pod := podName.FindStringSubmatch(entry.Name()); pod != nil {
			err = do(path, strings.ReplaceAll(pod[1], "_", "-"))
		} else {
			err = eachPod(path, do)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func collectContainers(pod, uid string, found []container) ([]container, error) {
	entries, err := os.ReadDir(pod)
	if err != nil {
		return found, unlessGone(err)
	}
	for _, entry := range entries {
		id := containerName.FindStringSubmatch(entry.Name())
		if !entry.IsDir() || id == nil {
			continue
		}
		pids, err := processesIn(filepath.Join(pod, entry.Name()))
		if err != nil {
			return found, err
		}
		if len(pids) > 0 {
			found = append(found, container{uid, id[1], len(pids), commandOf(pids[0])})
		}
	}
	return found, nil
}

// processesIn are the processes of a cgroup and of those below it.
func processesIn(cgroup string) ([]string, error) {
	var pids []string
	err := filepath.WalkDir(cgroup, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "cgroup.procs" {
			return unlessGone(err)
		}
		listed, err := os.ReadFile(path)
		pids = append(pids, strings.Fields(string(listed))...)
		return unlessGone(err)
	})
	return pids, err
}

// commandOf is empty when the process has ended or lives in a namespace that we do not see.
func commandOf(pid string) string {
	comm, err := os.ReadFile(filepath.Join("/proc", pid, "comm"))
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(comm))
}

// unlessGone forgives what a cgroup that is being removed answers.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || isNoDevice(err) {
		return nil
	}
	return err
}

// isNoDevice: reading a file of a cgroup that was removed after it was opened gives ENODEV.
func isNoDevice(err error) bool { return errors.Is(err, unix.ENODEV) }
