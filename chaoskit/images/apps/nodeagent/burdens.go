package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// burden is a process of its own that this agent starts to burden the node; it dies with the agent.
type burden struct {
	command *exec.Cmd
	ended   chan struct{}
}

// burdens are the running ones, by the key of the fault that they hold up.
type burdens struct {
	mu    sync.Mutex
	byKey map[string][]*burden
}

func newBurdens() *burdens { return &burdens{byKey: map[string][]*burden{}} }

// start runs this program again as one of burdenCommands.
func (b *burdens) start(key string, args ...string) (*burden, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	one := &burden{command: exec.Command(program, args...), ended: make(chan struct{})}
	one.command.Stderr = os.Stderr // the agent's log
	one.command.Dir = "/"
	one.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	b.mu.Lock()
	b.byKey[key] = append(b.byKey[key], one)
	b.mu.Unlock()
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // Pdeathsig comes when the thread ends that started the process
		err := one.command.Start()
		started <- err
		if err == nil {
			_ = one.command.Wait() // how it ended is seen by whoever needs it
		}
		b.forget(key, one)
		close(one.ended)
		runtime.UnlockOSThread()
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("burden %v: %w", args, err)
	}
	return one, nil
}

// stop kills the burdens of a fault and returns when they have ended, their memory with them.
func (b *burdens) stop(key string) {
	b.mu.Lock()
	mine := slices.Clone(b.byKey[key])
	delete(b.byKey, key)
	b.mu.Unlock()
	for _, one := range mine {
		_ = one.command.Process.Kill() // fails only if it has ended
		<-one.ended
	}
}

func (b *burdens) forget(key string, ended *burden) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.byKey[key] = slices.DeleteFunc(b.byKey[key], func(one *burden) bool { return one == ended })
}

func (b *burdens) running(key string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.byKey[key])
}

// burdenCommands are what burdens do, by their first argument.
var burdenCommands = map[string]func(args []string) error{
	"fill": fillCgroup,
	"hold": hold,
	"spin": spin,
}

// spin keeps one processor busy for a share of the time.
func spin(args []string) error {
	flags := flag.NewFlagSet("nodeagent spin", flag.ContinueOnError)
	share := flags.Float64("share", 1, "of the time, above 0 and at most 1")
	if err := flags.Parse(args); err != nil {
		return err
	}
	runtime.LockOSThread()
	const period = 20 * time.Millisecond // well below what anybody calls a pause
	for begun := time.Now(); ; begun = begun.Add(period) {
		for time.Since(begun) < time.Duration(*share*float64(period)) {
		}
		time.Sleep(time.Until(begun.Add(period)))
	}
}

// hold takes memory and keeps it.
func hold(args []string) error {
	flags := flag.NewFlagSet("nodeagent hold", flag.ContinueOnError)
	bytes := flags.Int("bytes", 0, "how much")
	if err := flags.Parse(args); err != nil {
		return err
	}
	// Whoever runs out of memory is to kill us, nobody else.
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0); err != nil {
		return err
	}
	memory, err := unix.Mmap(-1, 0, *bytes, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	for at := 0; at < len(memory); at += os.Getpagesize() {
		memory[at] = 1
	}
	for {
		time.Sleep(time.Hour)
		runtime.KeepAlive(memory)
	}
}

// fillCgroup enters a memory cgroup and takes memory there until a process has ended. It takes it
// as a file in memory: that is charged to the cgroup, but does not make this process the largest
// one, which the kernel would kill in place of the other.
func fillCgroup(args []string) error {
	flags := flag.NewFlagSet("nodeagent fill", flag.ContinueOnError)
	most := flags.Int64("bytes", 0, "how much at most")
	cgroup := flags.String("cgroup", "", "the cgroup's folder")
	pid := flags.Int("until-ended", 0, "the process")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(*cgroup, "cgroup.procs"), []byte("0"), 0); err != nil {
		return err
	}
	memory, err := unix.MemfdCreate("chaoskit", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	held, err := unix.PidfdOpen(*pid, 0)
	if err != nil {
		return nil // it has ended
	}
	// Small pieces, and a look before each: what its end sets free is not to be taken as well, as
	// then this process would be killed, too. That would do no harm.
	piece := make([]byte, os.Getpagesize())
	for written := int64(0); written < *most; written += int64(len(piece)) {
		ended := []unix.PollFd{{Fd: int32(held), Events: unix.POLLIN}}
		if count, err := unix.Poll(ended, 0); err != nil || count > 0 {
			return err
		}
		if _, err := unix.Write(memory, piece); err != nil {
			return err
		}
	}
	return fmt.Errorf("process %d lives on after %d bytes", *pid, *most)
}

// burdenMain is the program as a burden.
func burdenMain(command string, args []string) int {
	if err := burdenCommands[command](args); err != nil {
		return report(1, fmt.Errorf("%s: %w", command, err))
	}
	return 0
}
