package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errAnotherRuns says that the lock is held.
var errAnotherRuns = errors.New("another agent runs here")

const codeAnotherRuns = 3

func serve(args []string) int {
	s, err := parseSettings("serve", args)
	if err != nil {
		return report(2, err)
	}
	if s.foreground {
		err = serveForeground(s)
	} else {
		err = serveDetached(s, args)
	}
	if errors.Is(err, errAnotherRuns) {
		return report(codeAnotherRuns, err)
	}
	if err != nil {
		return report(1, err)
	}
	return 0
}

// serveDetached starts the agent in a session of its own, so that neither the end of this process
// nor of the terminal or exec that it belongs to ends the agent, and returns when it answers. If
// one runs already, that is as good.
func serveDetached(s settings, args []string) error {
	if err := os.MkdirAll(filepath.Dir(s.logFile), 0o755); err != nil {
		return err
	}
	logFile, err := os.OpenFile(s.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("the agent's log: %w; give another with -log", err)
	}
	defer logFile.Close()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	agent := exec.Command(program, append([]string{"serve", "-foreground"}, args...)...)
	agent.Stdout, agent.Stderr = logFile, logFile
	agent.Dir = "/"
	agent.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := agent.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- agent.Wait() }()
	const patience = 10 * time.Second
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		select {
		case <-ended:
			if agent.ProcessState.ExitCode() != codeAnotherRuns {
				return fmt.Errorf("the agent ended with %s; its log is %s", agent.ProcessState, s.logFile)
			}
			fmt.Println("already running")
			return nil
		case <-time.After(10 * time.Millisecond):
		}
		if answers(s.socket(), agent.Process.Pid) {
			fmt.Printf("running as process %d\n", agent.Process.Pid)
			return nil
		}
	}
	return fmt.Errorf("the agent does not answer on %s after %s; its log is %s",
		s.socket(), patience, s.logFile)
}

// answers is whether the process behind the socket is the one that was started.
func answers(socket string, pid int) bool {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return false
	}
	var peer *unix.Ucred
	err = raw.Control(func(fd uintptr) {
		peer, _ = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	return err == nil && peer != nil && int(peer.Pid) == pid
}

// serveForeground is the agent. TERM and INT heal what is open before it ends.
func serveForeground(s settings) error {
	log.SetFlags(log.LUTC | log.Ldate | log.Lmicroseconds)
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	if err := os.MkdirAll(s.runDir, 0o700); err != nil {
		return err
	}
	lock, err := lockAgent(s.lockFile())
	if err != nil {
		return err
	}
	defer lock.Close()
	listener, err := listen(s.socket())
	if err != nil {
		return err
	}
	agent, err := newAgent(s)
	if err != nil {
		return err
	}
	log.Printf("nodeagent %s, process %d, serves %s", version, os.Getpid(), s.socket())
	failed := make(chan error, 1)
	go func() { failed <- agent.accept(listener) }()
	select {
	case err = <-failed:
	case signal := <-told:
		log.Printf("%s: healing and ending", signal)
	}
	return errors.Join(err, agent.faults.healAll("the agent was ended"))
}

// lockAgent makes this the only agent of the run directory for as long as the file stays open.
func lockAgent(path string) (*os.File, error) {
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s is locked: %w; use it with nodeagent connect", path, errAnotherRuns)
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return lock, nil
}

// listen takes over the socket's path; the lock has made sure that nobody else serves it.
func listen(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if len(path) > 100 {
		return nil, fmt.Errorf("%s is too long for a socket; give a shorter -run-dir than %s",
			path, filepath.Dir(path))
	}
	return net.Listen("unix", path)
}

// connect joins stdin and stdout to the agent's socket until either side ends.
func connect(args []string) int {
	s, err := parseSettings("connect", args)
	if err != nil {
		return report(2, err)
	}
	conn, err := net.Dial("unix", s.socket())
	if err != nil {
		return report(1, fmt.Errorf("no agent: %w; start one with nodeagent serve", err))
	}
	finished := make(chan struct{})
	go func() {
		_, _ = io.Copy(conn, os.Stdin) // its error is the socket's, which the other copy reports
		close(finished)
		_ = conn.(*net.UnixConn).CloseWrite()
	}()
	if _, err := io.Copy(os.Stdout, conn); err != nil {
		return report(1, err)
	}
	select {
	case <-finished:
		return 0
	default:
		return report(1, errors.New("the agent closed the connection"))
	}
}
