package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// actAsStubbornProcess ignores TERM, as a node's PID 1 may.
func actAsStubbornProcess() {
	signal.Ignore(syscall.SIGTERM)
	fmt.Println("ready")
	time.Sleep(time.Minute)
	os.Exit(0)
}

// actAsStubbornInit is PID 1 of its namespace, starts an agent as a node does, and ignores TERM.
func actAsStubbornInit() {
	signal.Ignore(syscall.SIGTERM)
	if inInitialPIDNamespace() || os.Getpid() != 1 {
		fmt.Println("no PID namespace of its own")
		os.Exit(2)
	}
	agent := program("agent", append([]string{"serve", "-foreground"}, os.Args[1:]...)...)
	if err := agent.Start(); err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	time.Sleep(time.Minute)
	os.Exit(0)
}

// startStubborn returns the process that stands for the node.
func startStubborn(t *testing.T) *exec.Cmd {
	t.Helper()
	stubborn := program("stubborn")
	output, err := stubborn.StdoutPipe()
	must(t, err)
	must(t, stubborn.Start())
	t.Cleanup(func() { _ = stubborn.Process.Kill(); _ = stubborn.Wait() })
	_, err = output.Read(make([]byte, 8)) // it ignores TERM from here on
	must(t, err)
	return stubborn
}

func TestTheNodeEndsWithoutHeartbeat(t *testing.T) {
	stubborn := startStubborn(t)
	pid := strconv.Itoa(stubborn.Process.Pid)
	s := serveIn(t, shortDir(t), "-ttl-s", "1", "-kill-after-s", "0.5", "-end-pid", pid)
	for range 6 {
		s.call("heartbeat", fields{"ttl_s": 1})
		time.Sleep(300 * time.Millisecond)
	}
	if gone(pid) == nil {
		t.Fatal("ended although heartbeats came")
	}
	last := time.Now()
	waitFor(t, "the end", 5*time.Second, func() error { return gone(pid) })
	if took := time.Since(last); took < 900*time.Millisecond {
		t.Fatalf("ended %s after the last heartbeat but one, too early", took)
	}
	err := stubborn.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("ended with %v, not by KILL", err)
	}
}

func TestAKeptNodeStays(t *testing.T) {
	pid := strconv.Itoa(startStubborn(t).Process.Pid)
	s := serveIn(t, shortDir(t), "-ttl-s", "1", "-kill-after-s", "0", "-end-pid", pid)
	s.call("heartbeat", fields{"keep": true})
	s.refused("exclude each other", "heartbeat", fields{"keep": true, "ttl_s": 1})
	time.Sleep(1500 * time.Millisecond)
	if gone(pid) == nil {
		t.Fatal("ended although kept")
	}
	s.call("heartbeat", fields{"ttl_s": 0.1})
	waitFor(t, "the end", 5*time.Second, func() error { return gone(pid) })
}

func TestAnInitThatIgnoresTermIsEnded(t *testing.T) {
	node := program("init", "-ttl-s", "0.5", "-kill-after-s", "0.3", "-run-dir", shortDir(t))
	node.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	must(t, node.Start())
	ended := make(chan error, 1)
	go func() { ended <- node.Wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() {
			t.Fatalf("ended with %v, not by a signal", err)
		}
	case <-time.After(10 * time.Second):
		_ = node.Process.Kill()
		t.Fatal("lives on")
	}
}

func TestTheMachinesOwnPIDOneIsNeverAtStake(t *testing.T) {
	if !inInitialPIDNamespace() {
		t.Log("inside a container: only the refusal of kill can be seen elsewhere")
		return
	}
	if _, err := newHeartbeat(settings{ttl: time.Hour, endPID: 1}); err == nil ||
		!strings.Contains(err.Error(), "whole machine") {
		t.Fatalf("a time to live for the machine: %v", err)
	}
	h, err := newHeartbeat(settings{endPID: 1})
	must(t, err)
	if _, err := h.beat(beatArguments{TTLs: 1}); err == nil {
		t.Fatal("a heartbeat made the machine mortal")
	}
}
