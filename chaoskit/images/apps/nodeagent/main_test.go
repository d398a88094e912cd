package main

import (
	"bufio"
	"encoding/json"
	"errors"
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

// The tests run the real program: the test binary becomes it when this variable is set.
const actAsProgram = "NODEAGENT_TEST_ACT_AS"

func TestMain(m *testing.M) {
	switch os.Getenv(actAsProgram) {
	case "agent":
		os.Exit(run(os.Args[1:]))
	case "stubborn":
		actAsStubbornProcess()
	case "init":
		actAsStubbornInit()
	}
	os.Exit(m.Run())
}

func program(role string, args ...string) *exec.Cmd {
	command := exec.Command(os.Args[0], args...)
	command.Env = append(os.Environ(), actAsProgram+"="+role)
	command.Stderr = os.Stderr
	return command
}

// served is an agent in the foreground, and a client of it.
type served struct {
	t       *testing.T
	runDir  string
	command *exec.Cmd
	client
}

// shortDir is a directory whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "agent")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(directory)) })
	return directory
}

func serveIn(t *testing.T, runDir string, options ...string) *served {
	t.Helper()
	s := &served{t: t, runDir: runDir}
	args := append([]string{"serve", "-foreground", "-ttl-s", "0", "-run-dir", runDir}, options...)
	s.command = program("agent", args...)
	must(t, s.command.Start())
	t.Cleanup(func() {
		_ = s.command.Process.Kill()
		_ = s.command.Wait()
	})
	s.client = dial(t, runDir)
	return s
}

func (s *served) killHard() {
	s.t.Helper()
	must(s.t, s.command.Process.Kill())
	if err := s.command.Wait(); err == nil {
		s.t.Fatal("killed, but it says exit 0")
	}
	// A process that it was about to start has its files until it runs a program of its own, and
	// whoever dials meanwhile is heard by nobody.
	waitFor(s.t, "its socket to be closed", 10*time.Second, func() error {
		conn, err := net.Dial("unix", settings{runDir: s.runDir}.socket())
		if err != nil {
			return nil
		}
		return errors.Join(errors.New("somebody holds it"), conn.Close())
	})
}

// client speaks the protocol, one call after the other.
type client struct {
	t     *testing.T
	conn  net.Conn
	lines *bufio.Reader
	mu    *sync.Mutex
}

func dial(t *testing.T, runDir string) client {
	t.Helper()
	socket := settings{runDir: runDir}.socket()
	var conn net.Conn
	waitFor(t, "the agent's socket", 10*time.Second, func() (err error) {
		conn, err = net.Dial("unix", socket)
		return err
	})
	t.Cleanup(func() { _ = conn.Close() })
	return client{t, conn, bufio.NewReader(conn), &sync.Mutex{}}
}

// say sends one line and returns the answer to it.
func (c client) say(line string) map[string]any {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	must(c.t, c.conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err := c.conn.Write([]byte(line + "\n"))
	must(c.t, err)
	raw, err := c.lines.ReadBytes('\n')
	must(c.t, err)
	var answer map[string]any
	must(c.t, json.Unmarshal(raw, &answer))
	return answer
}

// call expects success.
func (c client) call(op string, arguments fields) map[string]any {
	c.t.Helper()
	answer := c.say(request(c.t, op, arguments))
	if answer["ok"] != true {
		c.t.Fatalf("%s %v failed: %v", op, arguments, answer["error"])
	}
	return answer
}

// refused expects an error that holds the text.
func (c client) refused(text, op string, arguments fields) {
	c.t.Helper()
	answer := c.say(request(c.t, op, arguments))
	message, _ := answer["error"].(string)
	if answer["ok"] != false || !strings.Contains(message, text) {
		c.t.Fatalf("%s %v answered %v, no error with %q", op, arguments, answer, text)
	}
}

func request(t *testing.T, op string, arguments fields) string {
	t.Helper()
	whole := fields{"id": 1, "op": op}
	for name, value := range arguments {
		whole[name] = value
	}
	line, err := json.Marshal(whole)
	must(t, err)
	return string(line)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func waitFor(t *testing.T, what string, within time.Duration, attempt func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		if err = attempt(); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: not within %s: %v", what, within, err)
}

// gone is nil once the process has ended; one that nobody has waited for counts as ended.
func gone(pid string) error {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil
	}
	if err == nil && strings.Contains(string(stat), ") Z ") {
		return nil
	}
	return errors.Join(err, errors.New("process "+pid+" lives"))
}
