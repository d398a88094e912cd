package node

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Where launchers and people find the components' logs, pid files and control socket.
const (
	LogDir     = "/var/log/chaoskit"
	pidDir     = "/run/chaoskit/components"
	socketPath = "/run/chaoskit/supervisor.sock"
)

const (
	restartAfter    = 500 * time.Millisecond
	restartAtMost   = 10 * time.Second
	healthyAfter    = 10 * time.Second // ran so long: the next restart waits restartAfter again
	terminateWithin = 10 * time.Second
)

// Component is one supervised process.
type Component struct {
	Name string
	Path string
	Args []string
	Env  []string
}

type supervised struct {
	Component
	wanted  bool
	process *os.Process
	ended   chan struct{} // closed when the current process has ended
	wake    chan struct{}
}

// Supervisor keeps each component running until it is told to stop it.
type Supervisor struct {
	mu         sync.Mutex
	components map[string]*supervised
}

// NewSupervisor makes the folders and listens on the control socket.
func NewSupervisor() (*Supervisor, error) {
	for _, dir := range []string{LogDir, pidDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	s := &Supervisor{components: map[string]*supervised{}}
	_ = os.Remove(socketPath)
	listener, err := net.Listen("unix", socketPath)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	go s.serve(listener)
	return s, nil
}

// Start runs a component and restarts it whenever it ends by itself.
func (s *Supervisor) Start(c Component) {
	sup := &supervised{Component: c, wanted: true, wake: make(chan struct{}, 1)}
	s.mu.Lock()
	s.components[c.Name] = sup
	s.mu.Unlock()
	logf("Running %s %s", c.Name, strings.Join(c.Args, " "))
	go s.keep(sup)
}

func (s *Supervisor) keep(sup *supervised) {
	pause := restartAfter
	for {
		s.mu.Lock()
		wanted := sup.wanted
		s.mu.Unlock()
		if !wanted {
			<-sup.wake
			continue
		}
		started := time.Now()
		err := s.runOnce(sup)
		s.mu.Lock()
		wanted = sup.wanted
		s.mu.Unlock()
		if !wanted {
			continue
		}
		if time.Since(started) > healthyAfter {
			pause = restartAfter
		}
		logf("component %s ended (%v), restarting in %s; see %s/%s.log", sup.Name, err, pause, LogDir, sup.Name)
		select {
		case <-time.After(pause):
		case <-sup.wake:
		}
		pause = min(2*pause, restartAtMost)
	}
}

func (s *Supervisor) runOnce(sup *supervised) error {
	log, err := os.OpenFile(filepath.Join(LogDir, sup.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	command := &exec.Cmd{
		Path: sup.Path, Args: append([]string{sup.Name}, sup.Args...), Stdout: log, Stderr: log,
		Env: append(os.Environ(), sup.Env...), SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	s.mu.Lock()
	if err := command.Start(); err != nil {
		s.mu.Unlock()
		return err
	}
	sup.process, sup.ended = command.Process, make(chan struct{})
	s.mu.Unlock()
	pidFile := filepath.Join(pidDir, sup.Name+".pid")
	if err := os.WriteFile(pidFile, []byte(fmt.Sprint(command.Process.Pid)), 0o644); err != nil {
		logf("pid file of %s: %v", sup.Name, err)
	}
	err = command.Wait()
	s.mu.Lock()
	sup.process = nil
	close(sup.ended)
	s.mu.Unlock()
	_ = os.Remove(pidFile)
	return err
}

// Stop ends a component (TERM, then KILL) and keeps it down.
func (s *Supervisor) Stop(name string) error { return s.end(name, false) }

// Resume starts a stopped component again.
func (s *Supervisor) Resume(name string) error {
	return s.with(name, func(sup *supervised) error {
		sup.wanted = true
		nudge(sup)
		return nil
	})
}

// Signal sends one signal to a running component; after a deadly one it is restarted.
func (s *Supervisor) Signal(name string, signal syscall.Signal) error {
	return s.with(name, func(sup *supervised) error {
		if sup.process == nil {
			return fmt.Errorf("component %s is not running", name)
		}
		return sup.process.Signal(signal)
	})
}

func (s *Supervisor) end(name string, wantedAfter bool) error {
	var process *os.Process
	var ended chan struct{}
	err := s.with(name, func(sup *supervised) error {
		sup.wanted = wantedAfter
		process, ended = sup.process, sup.ended
		nudge(sup)
		return nil
	})
	if err != nil || process == nil {
		return err
	}
	// A paused process takes TERM only once it runs again.
	_ = process.Signal(syscall.SIGTERM)
	_ = process.Signal(syscall.SIGCONT)
	select {
	case <-ended:
	case <-time.After(terminateWithin):
		_ = process.Kill()
		<-ended
	}
	return nil
}

// StopAll ends every component, the given ones first and in their order.
func (s *Supervisor) StopAll(first ...string) {
	for _, name := range first {
		_ = s.Stop(name)
	}
	var all sync.WaitGroup
	for _, name := range s.names() {
		all.Go(func() { _ = s.Stop(name) })
	}
	all.Wait()
}

func (s *Supervisor) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.components))
	for name := range s.components {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (s *Supervisor) with(name string, do func(*supervised) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sup, known := s.components[name]
	if !known {
		return fmt.Errorf("no component %q on this node", name)
	}
	return do(sup)
}

func nudge(sup *supervised) {
	select {
	case sup.wake <- struct{}{}:
	default:
	}
}

var signals = map[string]syscall.Signal{
	"kill": syscall.SIGKILL, "pause": syscall.SIGSTOP, "continue": syscall.SIGCONT,
}

func (s *Supervisor) obey(words []string) (string, error) {
	if len(words) == 1 && words[0] == "list" {
		return s.list(), nil
	}
	if len(words) != 2 {
		return "", fmt.Errorf("usage: list | stop NAME | start NAME | restart NAME | kill NAME | pause NAME | continue NAME")
	}
	verb, name := words[0], words[1]
	switch verb {
	case "stop":
		return "", s.Stop(name)
	case "start":
		return "", s.Resume(name)
	case "restart":
		return "", s.end(name, true)
	}
	signal, known := signals[verb]
	if !known {
		return "", fmt.Errorf("unknown verb %q", verb)
	}
	return "", s.Signal(name, signal)
}

func (s *Supervisor) list() string {
	var lines []string
	for _, name := range s.names() {
		_ = s.with(name, func(sup *supervised) error {
			pid := 0
			if sup.process != nil {
				pid = sup.process.Pid
			}
			lines = append(lines, fmt.Sprintf("%s wanted=%t pid=%d", name, sup.wanted, pid))
			return nil
		})
	}
	return strings.Join(lines, "\n")
}

func (s *Supervisor) serve(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			logf("control socket: %v", err)
			return
		}
		go func() {
			defer connection.Close()
			line, _ := bufio.NewReader(connection).ReadString('\n')
			answer, err := s.obey(strings.Fields(line))
			if err != nil {
				fmt.Fprintf(connection, "error: %v\n", err)
				return
			}
			if answer != "" {
				fmt.Fprintln(connection, answer)
			}
			fmt.Fprintln(connection, "ok")
		}()
	}
}

// ComponentMain is `k3s component VERB NAME`: it asks the supervisor of this node.
func ComponentMain(args []string) int {
	connection, err := net.Dial("unix", socketPath)
	if err != nil {
		fmt.Fprintf(os.Stderr, "k3s component: no supervisor answers on this node: %v\n", err)
		return 1
	}
	defer connection.Close()
	fmt.Fprintln(connection, strings.Join(args, " "))
	status := 1
	for scanner := bufio.NewScanner(connection); scanner.Scan(); {
		if line := scanner.Text(); line == "ok" {
			status = 0
		} else {
			fmt.Println(line)
		}
	}
	return status
}
