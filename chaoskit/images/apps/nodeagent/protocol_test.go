package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chaoskit.dev/apps/internal/monotonic"
)

func TestHello(t *testing.T) {
	s := serveIn(t, shortDir(t))
	before := monotonic.NowNS()
	answer := s.call("hello", nil)
	hostname, err := os.Hostname()
	must(t, err)
	if answer["hostname"] != hostname || answer["version"] != version {
		t.Fatalf("hello answered %v", answer)
	}
	if at := int64(answer["time_ns"].(float64)); at < before-1e6 || at > monotonic.NowNS()+1e6 {
		t.Fatalf("time_ns %d is not between the question's %d and now", at, before)
	}
}

func TestBadRequestsAreAnsweredAndDoNotEndTheConnection(t *testing.T) {
	s := serveIn(t, shortDir(t))
	for line, text := range map[string]string{
		`not json`:                                  "send one JSON object",
		`{"id": 3}`:                                 "no op",
		`{"id": 3, "op": "link_dwn"}`:               "faults, heal, heard, heartbeat",
		`{"id": 3, "op": "hello", "x": 1}`:          "unknown field",
		`{"id": 3, "op": "link_state"}`:             "interface is missing",
		`{"id": 3, "op": "heartbeat"}`:              "ttl_s is 0",
		`{"id": 3, "op": "heartbeat", "ttl_s": -1}`: "ttl_s is -1",
	} {
		answer := s.say(line)
		if message, _ := answer["error"].(string); answer["ok"] != false ||
			!strings.Contains(message, text) {
			t.Errorf("%s answered %v, no error with %q", line, answer, text)
		}
	}
	answer := s.say(`{"id": "seven", "op": "hello"}`)
	if answer["id"] != "seven" || answer["ok"] != true {
		t.Fatalf("after bad requests: %v", answer)
	}
}

func TestSeveralClients(t *testing.T) {
	s := serveIn(t, shortDir(t))
	var clients sync.WaitGroup
	for range 8 {
		c := dial(t, s.runDir)
		clients.Go(func() {
			for number := range 50 {
				answer := c.say(fmt.Sprintf(`{"id": %d, "op": "hello"}`, number))
				if answer["id"] != float64(number) {
					t.Errorf("request %d was answered as %v", number, answer["id"])
				}
			}
		})
	}
	clients.Wait()
}

func TestConnectJoinsStdinAndStdout(t *testing.T) {
	s := serveIn(t, shortDir(t))
	bridge := program("agent", "connect", "-run-dir", s.runDir)
	bridge.Stdin = strings.NewReader(`{"id": 5, "op": "hello"}` + "\n" + `{"id": 6, "op": "faults"}` + "\n")
	output, err := bridge.Output()
	must(t, err)
	if bytes.Count(output, []byte("\n")) != 2 || !bytes.Contains(output, []byte(`"id":6`)) {
		t.Fatalf("the bridge printed %s", output)
	}
}

func TestConnectFailsWithoutAgentAndWhenItDies(t *testing.T) {
	directory := shortDir(t)
	if err := quiet(program("agent", "connect", "-run-dir", directory)).Run(); err == nil {
		t.Fatal("connected to nobody")
	}
	s := serveIn(t, directory)
	bridge := quiet(program("agent", "connect", "-run-dir", directory))
	stdin, err := bridge.StdinPipe() // stays open: the bridge must end by itself
	must(t, err)
	defer stdin.Close()
	output, err := bridge.StdoutPipe()
	must(t, err)
	must(t, bridge.Start())
	_, err = stdin.Write([]byte(`{"id": 5, "op": "hello"}` + "\n"))
	must(t, err)
	_, err = output.Read(make([]byte, 1)) // joined
	must(t, err)
	s.killHard()
	ended := make(chan error, 1)
	go func() { ended <- bridge.Wait() }()
	select {
	case err := <-ended:
		if err == nil {
			t.Fatal("the agent died, but the bridge says exit 0")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the bridge outlives the agent")
	}
}

func quiet(command *exec.Cmd) *exec.Cmd {
	command.Stderr = nil
	return command
}

func TestServeDetachesAndIsAloneInItsDirectory(t *testing.T) {
	directory := shortDir(t)
	options := []string{"serve", "-ttl-s", "0", "-run-dir", directory,
		"-log", filepath.Join(directory, "log")}
	starter := program("agent", options...)
	starter.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	output, err := starter.Output()
	must(t, err)
	agent, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(string(output), "running as process ")))
	must(t, err)
	t.Cleanup(func() { must(t, syscall.Kill(agent, syscall.SIGKILL)) })
	must(t, syscall.Kill(agent, syscall.SIGHUP))
	if err := syscall.Kill(-starter.Process.Pid, syscall.SIGKILL); err != syscall.ESRCH {
		t.Fatalf("the agent is left in its starter's process group: %v", err)
	}
	c := dial(t, directory)
	if pid := int(c.call("hello", nil)["pid"].(float64)); pid != agent {
		t.Fatalf("process %d answers, not %d", pid, agent)
	}
	again, err := program("agent", options...).Output()
	must(t, err)
	if string(again) != "already running\n" {
		t.Fatalf("the second start printed %q", again)
	}
	err = quiet(program("agent", append(options, "-foreground")...)).Run()
	if err == nil || err.Error() != "exit status 3" {
		t.Fatalf("a second agent in the foreground ended with %v", err)
	}
	if pid := int(c.call("hello", nil)["pid"].(float64)); pid != agent {
		t.Fatalf("process %d answers, not %d", pid, agent)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"nothing"}, {"serve", "-ttl-s", "-1"}, {"serve", "x"},
		{"serve", "-end-pid", "0"}} {
		err := quiet(program("agent", args...)).Run()
		if err == nil || err.Error() != "exit status 2" {
			t.Errorf("%q ended with %v", args, err)
		}
	}
}
