package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testPod is a pod's cgroups as the kubelet makes them, in real cgroups of one version, with a
// sandbox and a container that are ordinary processes, and the runtime's notes about them.
type testPod struct {
	t       *testing.T
	uid     string
	root    string // to be given as -cgroup-root
	tasks   string // to be given as -task-root
	folders []string
	sandbox containerOf
	main    containerOf
}

func id(letter string) string { return strings.Repeat(letter, 64) }

// podIn makes the pod in version 1 or in version 2 of the kernel's cgroups.
func podIn(t *testing.T, version string) testPod {
	t.Helper()
	p := testPod{t: t, uid: "0123abcd-0000-4000-8000-00000000000" + strconv.Itoa(os.Getpid()%10),
		tasks: t.TempDir()}
	name := fmt.Sprintf("chaoskit-test-pod-%d", os.Getpid())
	if version == "v2" {
		unified := t.TempDir()
		must(t, syscall.Mount("none", unified, "cgroup2", 0, ""))
		t.Cleanup(func() { must(t, syscall.Unmount(unified, 0)) })
		p.root = filepath.Join(unified, name)
		p.folders = []string{p.root}
	} else {
		p.root = t.TempDir()
		for _, hierarchy := range []string{"pids", "memory"} {
			p.folders = append(p.folders, filepath.Join("/sys/fs/cgroup", hierarchy, name))
			must(t, os.Symlink(p.folders[len(p.folders)-1], filepath.Join(p.root, hierarchy)))
		}
	}
	for _, folder := range p.folders {
		must(t, os.Mkdir(folder, 0o755))
		t.Cleanup(func() {
			waitFor(t, "the cgroup to be free", 3*time.Second, func() error { return removeCgroup(folder) })
		})
	}
	p.sandbox = p.add(id("a"), "sandbox")
	p.main = p.add(id("b"), "container")
	return p
}

func (p testPod) add(id, made string) containerOf {
	p.t.Helper()
	var first int
	for i, folder := range p.folders {
		cgroup := filepath.Join(folder, "kubepods", "besteffort", "pod"+p.uid, id)
		if i == 0 {
			first = runIn(p.t, cgroup).Process.Pid
			continue
		}
		must(p.t, os.MkdirAll(cgroup, 0o755))
		must(p.t, os.WriteFile(filepath.Join(cgroup, "cgroup.procs"), []byte(strconv.Itoa(first)), 0))
	}
	task := filepath.Join(p.tasks, id)
	must(p.t, os.Mkdir(task, 0o755))
	must(p.t, os.WriteFile(filepath.Join(task, "init.pid"), []byte(strconv.Itoa(first)), 0o644))
	must(p.t, os.WriteFile(filepath.Join(task, "config.json"),
		[]byte(fmt.Sprintf(`{"annotations":{"io.kubernetes.cri.container-type":%q}}`, made)), 0o644))
	return containerOf{p.uid, id}
}

func (p testPod) agent(runDir string) *served {
	p.t.Helper()
	return serveIn(p.t, runDir, "-cgroup-root", p.root, "-task-root", p.tasks)
}

func (c containerOf) fields() fields {
	return fields{"pod_uid": c.PodUID, "container_id": c.ContainerID}
}

// seen is the state of the container's processes, in letters.
func (c client) seen(of containerOf) string {
	c.t.Helper()
	text := ""
	for _, one := range c.call("container_state", of.fields())["processes"].([]any) {
		text += one.(map[string]any)["state"].(string)
	}
	return text
}

func onBothVersions(t *testing.T, try func(t *testing.T, p testPod)) {
	for _, version := range []string{"v1", "v2"} {
		t.Run(version, func(t *testing.T) { try(t, podIn(t, version)) })
	}
}

func TestAContainerIsSignalledByItsID(t *testing.T) {
	onBothVersions(t, func(t *testing.T, p testPod) {
		s := p.agent(shortDir(t))
		kill := fields{"pod_uid": p.uid, "container_id": p.main.ContainerID, "signal": "SIGKILL"}
		s.heals("container_signalled", kill)
		if now := s.seen(p.main); now != "S" {
			t.Fatalf("before: %q", now)
		}
		s.call("inject", faultOn("container_signalled", 60, kill))
		waitFor(t, "the container's end", time.Second, func() error {
			if now := s.seen(p.main); now != "" {
				return errors.New(now)
			}
			return nil
		})
		if s.seen(p.sandbox) != "S" {
			t.Fatal("the sandbox was hit as well")
		}
		s.heals("container_signalled", kill)
		s.refused("does not run on this node", "inject", faultOn("container_signalled", 60, kill))
		kill["signal"] = "SIGSTOP"
		s.refused("give one of SIGABRT", "inject", faultOn("container_signalled", 60, kill))
		kill["signal"], kill["container_id"] = "SIGKILL", "b"
		s.refused("64 hexadecimal digits", "inject", faultOn("container_signalled", 60, kill))
	})
}

func TestASandboxIsKilledAndNothingElse(t *testing.T) {
	onBothVersions(t, func(t *testing.T, p testPod) {
		s := p.agent(shortDir(t))
		if s.call("container_state", p.main.fields())["sandbox"] != true {
			t.Fatal("no sandbox before")
		}
		s.call("inject", faultOn("sandbox_killed", 60, fields{"pod_uid": p.uid}))
		waitFor(t, "the sandbox's end", time.Second, func() error {
			if s.call("container_state", p.main.fields())["sandbox"] == true {
				return errors.New("it lives")
			}
			return nil
		})
		if s.seen(p.main) != "S" {
			t.Fatal("the container was hit as well")
		}
		p.add(id("c"), "sandbox")
		s.call("inject", faultOn("sandbox_killed", 60, fields{"pod_uid": p.uid}))
		if s.call("container_state", p.main.fields())["sandbox"] != true {
			t.Fatal("asked again, it killed the next sandbox as well")
		}
		s.heals("sandbox_killed", fields{"pod_uid": p.uid})
		other := fields{"pod_uid": "ffffffff-0000-4000-8000-000000000000"}
		s.refused("has no sandbox on this node", "inject", faultOn("sandbox_killed", 60, other))
		s.heals("sandbox_killed", other)
	})
}

func TestAContainerIsFrozenWithWhatComesLater(t *testing.T) {
	onBothVersions(t, func(t *testing.T, p testPod) {
		s := p.agent(shortDir(t))
		s.heals("container_frozen", p.main.fields())
		s.call("inject", faultOn("container_frozen", 60, p.main.fields()))
		s.call("inject", faultOn("container_frozen", 60, p.main.fields()))
		if now := s.seen(p.main); now != stopped {
			t.Fatalf("its process is %q", now)
		}
		runIn(t, filepath.Join(p.folders[0], "kubepods", "besteffort", "pod"+p.uid, p.main.ContainerID))
		waitFor(t, "the newcomer to be stopped", time.Second, func() error {
			if now := s.seen(p.main); now != stopped+stopped {
				return errors.New(now)
			}
			return nil
		})
		s.heals("container_frozen", p.main.fields())
		if now := s.seen(p.main); strings.Contains(now, stopped) || len(now) != 2 {
			t.Fatalf("healed: %q", now)
		}
	})
}

func TestAFrozenContainerIsHealedByTheNextAgentAndAfterItsEnd(t *testing.T) {
	p := podIn(t, "v1")
	directory := shortDir(t)
	s := p.agent(directory)
	s.call("inject", faultOn("container_frozen", 1, p.main.fields()))
	s.killHard()
	next := p.agent(directory)
	if now := next.seen(p.main); now != stopped {
		t.Fatalf("after the agent's death: %q", now)
	}
	waitFor(t, "the timer", 3*time.Second, func() error {
		if now := next.seen(p.main); now == stopped {
			return errors.New(now)
		}
		return nil
	})
	next.call("inject", faultOn("container_frozen", 60, p.main.fields()))
	first, err := p.main.initOf(settings{cgroupRoot: p.root, taskRoot: p.tasks})
	must(t, err)
	must(t, syscall.Kill(first, syscall.SIGKILL)) // a stopped process can be killed, a frozen one not
	waitFor(t, "its end", time.Second, func() error { return gone(strconv.Itoa(first)) })
	if next.heals("container_frozen", p.main.fields())["healed"] != true {
		t.Fatal("not healed after its end")
	}
}

func TestAContainerRunsOutOfMemoryAndNotTheBurden(t *testing.T) {
	p := podIn(t, "v1")
	s := p.agent(shortDir(t))
	s.refused("has a memory limit of", "inject",
		faultOn("container_out_of_memory", 60, p.main.fields()))
	memory := filepath.Join(p.folders[1], "kubepods", "besteffort", "pod"+p.uid, p.main.ContainerID)
	must(t, os.WriteFile(filepath.Join(memory, "memory.limit_in_bytes"), []byte("33554432"), 0))
	s.call("inject", faultOn("container_out_of_memory", 60, p.main.fields()))
	if now := s.seen(p.main); now != "" {
		t.Fatalf("its process is %q", now)
	}
	control, err := os.ReadFile(filepath.Join(memory, "memory.oom_control"))
	must(t, err)
	if !strings.Contains(string(control), "oom_kill ") || strings.Contains(string(control), "oom_kill 0") {
		t.Fatalf("it was not the kernel that killed for memory: %s", control)
	}
	if left, err := processesIn(memory); err != nil || len(left) != 0 {
		t.Fatalf("left in the cgroup: %v, %v", left, err)
	}
	s.heals("container_out_of_memory", p.main.fields())
	if s.seen(p.sandbox) != "S" {
		t.Fatal("the sandbox was hit as well")
	}
}
