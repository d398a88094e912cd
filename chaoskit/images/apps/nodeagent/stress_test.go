package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestProcessorsAreBusyUntilHealedAndAfterTheAgentsDeath(t *testing.T) {
	directory := shortDir(t)
	s := serveIn(t, directory)
	what := fields{"workers": 1, "share": 0.4}
	s.heals("cpu_stressed", what)
	takes := func(c *served) float64 { // on a busy machine it gets less, and has to wait for it
		state := c.call("stress_state", nil)
		return state["cores"].(float64) + state["waiting_cores"].(float64)
	}
	if idle := takes(s); idle != 0 {
		t.Fatalf("%g cores are taken before", idle)
	}
	s.call("inject", faultOn("cpu_stressed", 60, what))
	s.call("inject", faultOn("cpu_stressed", 60, what))
	s.refused("is broken already", "inject",
		faultOn("cpu_stressed", 60, fields{"workers": 1, "share": 0.3}))
	busy := func(c *served) {
		t.Helper()
		waitFor(t, "0.4 of a processor to be taken", 30*time.Second, func() error {
			if now := takes(c); now < 0.25 || now > 0.5 {
				return fmt.Errorf("%g", now)
			}
			return nil
		})
	}
	busy(s)
	old := burdensOfProcess(s.command.Process.Pid)
	s.killHard()
	for _, pid := range old {
		waitFor(t, "the burden to die with its agent", 10*time.Second, func() error { return gone(pid) })
	}
	next := serveIn(t, directory)
	busy(next)
	next.heals("cpu_stressed", what)
	if left := next.call("stress_state", nil); left["workers"] != 0.0 {
		t.Fatalf("left: %v", left)
	}
	next.heals("cpu_stressed", what)
	next.refused("at most", "inject",
		faultOn("cpu_stressed", 60, fields{"workers": 1000, "share": 1}))
	next.refused("give one or more", "inject",
		faultOn("cpu_stressed", 60, fields{"workers": 0, "share": 1}))
}

func burdensOfProcess(parent int) (pids []string) {
	for _, one := range processesWhere(func(int, []string) bool { return true }) {
		if one.parent == parent {
			pids = append(pids, fmt.Sprint(one.PID))
		}
	}
	return pids
}

func TestMemoryIsHeldUntilHealed(t *testing.T) {
	s := serveIn(t, shortDir(t))
	what := fields{"megabytes": 48}
	held := func() float64 { return s.call("stress_state", nil)["memory_bytes"].(float64) }
	s.call("inject", faultOn("memory_stressed", 60, what))
	s.call("inject", faultOn("memory_stressed", 60, what))
	if now := held(); now < 48<<20 || now > 80<<20 {
		t.Fatalf("%g bytes are held", now)
	}
	s.heals("memory_stressed", what)
	if now := held(); now != 0 {
		t.Fatalf("%g bytes are held after the heal", now)
	}
	available, err := availableMemory()
	must(t, err)
	s.refused("a quarter of what this machine has", "inject",
		faultOn("memory_stressed", 60, fields{"megabytes": available >> 21}))
}

// smallVolume is a file system of its own, in memory.
func smallVolume(t *testing.T, size string) string {
	t.Helper()
	path := t.TempDir()
	must(t, syscall.Mount("none", path, "tmpfs", 0, "size="+size))
	t.Cleanup(func() {
		if err := syscall.Unmount(path, 0); err != nil && !errors.Is(err, syscall.ENOENT) {
			t.Error(err)
		}
	})
	return path
}

func anotherWrites(path string) string {
	said, _ := exec.Command("dd", "if=/dev/zero", "of="+path+"/other", "bs=4096", "count=1").CombinedOutput()
	_ = os.Remove(path + "/other")
	return string(said)
}

func TestAVolumeIsFilledForOthersToo(t *testing.T) {
	path := smallVolume(t, "8m")
	s := serveIn(t, shortDir(t))
	what := fields{"path": path}
	s.heals("disk_filled", what)
	must(t, os.WriteFile(path+"/theirs", []byte("kept"), 0o644))
	if said := anotherWrites(path); !strings.Contains(said, "1+0 records out") {
		t.Fatalf("before: %s", said)
	}
	s.call("inject", faultOn("disk_filled", 60, what))
	s.call("inject", faultOn("disk_filled", 60, what))
	if said := anotherWrites(path); !strings.Contains(said, "No space left on device") {
		t.Fatalf("filled: %s", said)
	}
	s.heals("disk_filled", what)
	if said := anotherWrites(path); !strings.Contains(said, "1+0 records out") {
		t.Fatalf("healed: %s", said)
	}
	if kept, err := os.ReadFile(path + "/theirs"); err != nil || string(kept) != "kept" {
		t.Fatalf("what others wrote: %q, %v", kept, err)
	}
	s.call("inject", faultOn("disk_filled", 60, what))
	must(t, syscall.Unmount(path, 0)) // as a volume goes with its pod
	must(t, os.Remove(path))
	s.heals("disk_filled", what)
}

func TestTheMachinesDiskIsNeverFilled(t *testing.T) {
	s := serveIn(t, shortDir(t))
	folder := t.TempDir()
	bound := t.TempDir()
	must(t, syscall.Mount(folder, bound, "", syscall.MS_BIND, ""))
	t.Cleanup(func() { must(t, syscall.Unmount(bound, 0)) })
	large := smallVolume(t, "2g")
	inside := filepath.Join(smallVolume(t, "8m"), "folder")
	must(t, os.Mkdir(inside, 0o755))
	for path, reason := range map[string]string{
		folder: "no file system of its own", inside: "no file system of its own",
		bound: "at most 1024 MB are filled", "/": "at most 1024 MB are filled",
		large: "at most 1024 MB are filled", "relative": "give an absolute one",
		"/nowhere/at/all": "no file system of its own", folder + "/..": "without . and ..",
	} {
		s.refused(reason, "inject", faultOn("disk_filled", 60, fields{"path": path}))
		if exists(filepath.Join(path, filling)) {
			t.Fatalf("%s: refused, but something was written", path)
		}
	}
}

// TestTheRuntimeIsAskedInItsOwnProtocol speaks gRPC with a server that answers as containerd does;
// the real one is asked on a real cluster.
func TestTheRuntimeIsAskedInItsOwnProtocol(t *testing.T) {
	message := "\x0a\x10\x0a\x0cRuntimeReady\x10\x01" +
		"\x0a\x35\x0a\x0cNetworkReady\x10\x00\x1a\x15NetworkPluginNotReady\x22\x0cno such file"
	status := fmt.Sprintf("\x0a%c%s", len(message), message)
	body := fmt.Sprintf("\x00\x00\x00\x00%c%s", len(status), status)
	socket := filepath.Join(shortDir(t), "r.sock")
	listener, err := net.Listen("unix", socket)
	must(t, err)
	server := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/runtime.v1.RuntimeService/Status" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Trailer", "Grpc-Status")
			_, _ = w.Write([]byte(body))
			w.Header().Set("Grpc-Status", "0")
		})}
	server.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	conditions, err := runtimeConditions(socket, 5*time.Second)
	must(t, err)
	expected := []runtimeCondition{
		{Type: "RuntimeReady", Status: true},
		{Type: "NetworkReady", Reason: "NetworkPluginNotReady", Message: "no such file"},
	}
	if !reflect.DeepEqual(conditions, expected) {
		t.Fatalf("read %+v", conditions)
	}
	for cut := range len(status) {
		if found, err := conditionsIn([]byte(status[:cut])); err == nil {
			t.Fatalf("cut after %d bytes: %+v", cut, found)
		}
	}
}

func TestAComponentStateNamesWhatItKnows(t *testing.T) {
	s := serveIn(t, shortDir(t), "-runtime-socket", "/nowhere.sock")
	s.refused("not known", "component_state", fields{"component": "kubelot"})
	s.refused("component is missing", "component_state", fields{"component": ""})
	state := s.call("component_state", fields{"component": "containerd"})
	if state["serving"] != false || !strings.Contains(state["problem"].(string), "/nowhere.sock") {
		t.Fatalf("%v", state)
	}
}
