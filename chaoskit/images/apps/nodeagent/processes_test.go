package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// realCgroup makes a cgroup of the kernel's to stand for a node's root.
func realCgroup(t *testing.T) string {
	t.Helper()
	root := "/sys/fs/cgroup"
	if !exists(root + "/cgroup.controllers") {
		root += "/pids"
	}
	directory := filepath.Join(root, fmt.Sprintf("chaoskit-test-%d", os.Getpid()))
	must(t, os.Mkdir(directory, 0o755))
	t.Cleanup(func() { must(t, removeCgroup(directory)) })
	return directory
}

// removeCgroup goes bottom up: the files of a cgroup cannot be removed, its directory can.
func removeCgroup(directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeCgroup(filepath.Join(directory, entry.Name())); err != nil {
				return err
			}
		}
	}
	return syscall.Rmdir(directory)
}

func runIn(t *testing.T, cgroup string) *exec.Cmd {
	t.Helper()
	must(t, os.MkdirAll(cgroup, 0o755))
	command := exec.Command("sleep", "60")
	must(t, command.Start())
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	must(t, os.WriteFile(filepath.Join(cgroup, "cgroup.procs"),
		[]byte(strconv.Itoa(command.Process.Pid)), 0o644))
	return command
}

func TestProcessesListsLiveContainersOnly(t *testing.T) {
	root := realCgroup(t)
	s := serveIn(t, shortDir(t), "-cgroup-root", root)
	if found := s.call("processes", nil)["containers"].([]any); len(found) != 0 {
		t.Fatalf("before any pod: %v", found)
	}
	id := strings.Repeat("0123456789abcdef", 4)
	const uid = "6f5902ac-1df8-4e2a-8b54-1a2b3c4d5e6f"
	burstable := runIn(t, root+"/kubepods/burstable/pod"+uid+"/"+id)
	runIn(t, root+"/kubepods/besteffort/pod"+strings.Repeat("a1", 16)+"/"+id) // a static pod
	slice := root + "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" +
		strings.ReplaceAll(uid, "-", "_") + ".slice/cri-containerd-" + id + ".scope/nested"
	runIn(t, slice)
	must(t, os.MkdirAll(root+"/kubepods/pod"+uid+"/"+id, 0o755)) // empty: it has ended

	waitFor(t, "three live containers", 2*time.Second, func() error {
		return expectContainers(s, uid, uid, strings.Repeat("a1", 16))
	})
	must(t, burstable.Process.Kill())
	waitFor(t, "two live containers", 2*time.Second, func() error {
		return expectContainers(s, uid, strings.Repeat("a1", 16))
	})
}

func expectContainers(s *served, uids ...string) error {
	seen := map[string]int{}
	answer := s.call("processes", nil)
	for _, one := range answer["containers"].([]any) {
		c := one.(map[string]any)
		if c["processes"] != 1.0 || c["command"] != "sleep" {
			return fmt.Errorf("container %v", c)
		}
		seen[c["pod_uid"].(string)]++
	}
	for _, uid := range uids {
		seen[uid]--
	}
	for uid, surplus := range seen {
		if surplus != 0 {
			return fmt.Errorf("%s is listed %+d times: %v", uid, surplus, answer)
		}
	}
	return nil
}
