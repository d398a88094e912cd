package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fakeSupervisor speaks the node's protocol and keeps one real process running, under a name that
// no component of this machine bears. What the real one does is tried on a real cluster.
type fakeSupervisor struct {
	mu      sync.Mutex
	name    string
	wanted  bool
	command *exec.Cmd
	starts  int
	heard   []string
}

func superviseIn(t *testing.T, runDir string) *fakeSupervisor {
	t.Helper()
	s := &fakeSupervisor{name: fmt.Sprintf("part-%d", os.Getpid()), wanted: true}
	listener, err := net.Listen("unix", settings{runDir: runDir}.supervisorSocket())
	must(t, err)
	s.run()
	t.Cleanup(func() { _ = listener.Close(); s.say("stop " + s.name) })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			fmt.Fprintln(conn, s.say(strings.TrimSpace(line)))
			_ = conn.Close()
		}
	}()
	return s
}

// run starts the process anew; one that ends by itself is started again after a moment.
func (s *fakeSupervisor) run() {
	command := exec.Command("sleep", "60")
	command.Args[0] = s.name
	if err := command.Start(); err != nil {
		panic(err)
	}
	s.command = command
	s.starts++
	go func() {
		_ = command.Wait()
		s.mu.Lock()
		s.command = nil
		s.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.wanted && s.command == nil {
			s.run()
		}
	}()
}

func (s *fakeSupervisor) say(line string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, line)
	verb, name, _ := strings.Cut(line, " ")
	signals := map[string]syscall.Signal{
		"stop": syscall.SIGKILL, "kill": syscall.SIGKILL, "pause": syscall.SIGSTOP,
		"continue": syscall.SIGCONT,
	}
	switch {
	case verb == "list":
		pid := 0
		if s.command != nil {
			pid = s.command.Process.Pid
		}
		return fmt.Sprintf("%s wanted=%t pid=%d\nok", s.name, s.wanted, pid)
	case name != s.name:
		return "error: no component " + name
	case verb == "start":
		s.wanted = true
		if s.command == nil {
			s.run()
		}
		return "ok"
	case s.command == nil && verb != "stop":
		return "error: not running"
	}
	s.wanted = verb != "stop"
	if s.command == nil {
		return "ok"
	}
	_ = s.command.Process.Signal(signals[verb])
	if verb == "stop" {
		command := s.command
		s.mu.Unlock()
		for command == s.current() {
			time.Sleep(time.Millisecond)
		}
		s.mu.Lock()
	}
	return "ok"
}

func (s *fakeSupervisor) current() *exec.Cmd {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.command
}

func (s *fakeSupervisor) words(verb string) (count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.heard {
		if strings.HasPrefix(line, verb) {
			count++
		}
	}
	return count
}

func faultOn(kind string, healAfterS float64, parameters fields) fields {
	return fields{"kind": kind, "heal_after_s": healAfterS, "parameters": parameters}
}

func (c client) heals(kind string, parameters fields) map[string]any {
	c.t.Helper()
	return c.call("heal", fields{"kind": kind, "parameters": parameters})
}

func states(component string) string {
	text := ""
	for _, one := range processesOf(component) {
		text += one.State
	}
	return text
}

func TestAComponentIsDownUntilItIsHealed(t *testing.T) {
	directory := shortDir(t)
	part := superviseIn(t, directory)
	s := serveIn(t, directory)
	what := fields{"component": part.name}
	if s.heals("component_down", what)["healed"] != false || part.words("start") != 0 {
		t.Fatal("the heal of what runs started it again")
	}
	s.call("inject", faultOn("component_down", 60, what))
	if again := s.call("inject", faultOn("component_down", 60, what)); again["already"] != true {
		t.Fatalf("the second inject answered %v", again)
	}
	time.Sleep(300 * time.Millisecond)
	if now := states(part.name); now != "" {
		t.Fatalf("its process is %q", now)
	}
	s.refused("is broken already", "inject", faultOn("component_paused", 60, what))
	s.heals("component_down", what)
	if now := states(part.name); now != "S" && now != "R" {
		t.Fatalf("healed, but its process is %q", now)
	}
	s.heals("component_down", what)
	s.refused("there are "+part.name, "inject",
		faultOn("component_down", 60, fields{"component": "kubelot"}))
	s.refused("component is missing", "inject",
		faultOn("component_down", 60, fields{"component": ""}))
}

func TestAComponentThatOthersStoppedIsLeftAlone(t *testing.T) {
	directory := shortDir(t)
	part := superviseIn(t, directory)
	s := serveIn(t, directory)
	part.say("stop " + part.name)
	for _, kind := range []string{"component_down", "component_paused"} {
		s.refused("not by a fault of ours", "inject",
			faultOn(kind, 60, fields{"component": part.name}))
	}
}

func TestANodeWithoutSupervisorSaysSo(t *testing.T) {
	s := serveIn(t, shortDir(t))
	s.refused("no supervisor of components", "inject",
		faultOn("component_down", 60, fields{"component": "kubelet"}))
}

func TestAPausedComponentIsHealedByTheNextAgent(t *testing.T) {
	directory := shortDir(t)
	part := superviseIn(t, directory)
	s := serveIn(t, directory)
	what := fields{"component": part.name}
	s.call("inject", faultOn("component_paused", 1, what))
	if now := states(part.name); now != stopped {
		t.Fatalf("its process is %q", now)
	}
	s.killHard()
	time.Sleep(200 * time.Millisecond)
	serveIn(t, directory)
	if now := states(part.name); now != stopped {
		t.Fatalf("healed before its time: %q", now)
	}
	waitFor(t, "the timer to continue it", 3*time.Second, func() error {
		if now := states(part.name); now == stopped || now == "" {
			return errors.New(now)
		}
		return nil
	})
	if part.starts != 1 {
		t.Fatalf("started %d times", part.starts)
	}
}

func TestAComponentIsKilledAgainAndAgainAlsoByTheNextAgent(t *testing.T) {
	directory := shortDir(t)
	part := superviseIn(t, directory)
	s := serveIn(t, directory)
	what := fields{"component": part.name, "every_s": 0.2}
	s.call("inject", faultOn("component_killed", 60, what))
	s.call("inject", faultOn("component_killed", 60, what))
	goesOn := func(from int) {
		t.Helper()
		waitFor(t, "three more starts", 4*time.Second, func() error {
			part.mu.Lock()
			defer part.mu.Unlock()
			if part.starts < from+3 {
				return fmt.Errorf("%d starts", part.starts)
			}
			return nil
		})
	}
	goesOn(1)
	s.killHard()
	next := serveIn(t, directory)
	part.mu.Lock()
	before := part.starts
	part.mu.Unlock()
	goesOn(before)
	next.heals("component_killed", what)
	kills := part.words("kill")
	time.Sleep(500 * time.Millisecond)
	if part.words("kill") != kills || states(part.name) == "" {
		t.Fatalf("after the heal: killed %d times more, process %q", part.words("kill")-kills,
			states(part.name))
	}
	next.refused("at least 0.1", "inject",
		faultOn("component_killed", 60, fields{"component": part.name, "every_s": 0.01}))
}

func TestACniConfigurationIsWithdrawnAndPutBack(t *testing.T) {
	directory := filepath.Join(shortDir(t), "net.d")
	must(t, os.Mkdir(directory, 0o755))
	write := func(name, content string) {
		t.Helper()
		must(t, os.WriteFile(filepath.Join(directory, name), []byte(content), 0o644))
	}
	write("10-a.conflist", "a")
	write("notes.txt", "n")
	s := serveIn(t, shortDir(t), "-cni-dir", directory)
	none := fields{}
	s.heals("cni_config_withdrawn", none)
	s.call("inject", faultOn("cni_config_withdrawn", 60, none))
	if left, err := cniConfigs(directory); err != nil || len(left) != 0 ||
		!exists(filepath.Join(directory, "notes.txt")) {
		t.Fatalf("left: %v, %v", left, err)
	}
	s.heals("cni_config_withdrawn", none)
	if back, err := os.ReadFile(filepath.Join(directory, "10-a.conflist")); err != nil || string(back) != "a" {
		t.Fatalf("put back: %q, %v", back, err)
	}
	s.call("inject", faultOn("cni_config_withdrawn", 60, none))
	write("10-a.conflist", "written anew by the node")
	s.heals("cni_config_withdrawn", none)
	if kept, err := os.ReadFile(filepath.Join(directory, "10-a.conflist")); err != nil ||
		string(kept) != "written anew by the node" || exists(directory+".withdrawn") {
		t.Fatalf("kept: %q, %v", kept, err)
	}
	must(t, os.Remove(filepath.Join(directory, "10-a.conflist")))
	s.refused("not by a fault of ours", "inject", faultOn("cni_config_withdrawn", 60, none))
}
