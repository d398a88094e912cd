// Command nodeagent is chaoskit's resident agent inside a node container: it injects and heals
// faults of the node, measures their effect, and ends the node when its starter is gone for good.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// version of the protocol and program; `hello` tells it.
const version = "1"

const usage = `usage: nodeagent serve [options]     start the agent in a session of its own, if none runs
       nodeagent connect [options]   join stdin and stdout to the running agent
       nodeagent version
Options are listed by "nodeagent serve -h".
`

// The first thread stays main's: goroutines that enter other network namespaces end their threads
// with them, which this one cannot, and it is the one that /proc/self shows.
func init() { runtime.LockOSThread() }

func main() { os.Exit(run(os.Args[1:])) }

// run is main with an exit code: 0 done, 1 failed, 2 wrong usage, 3 another agent runs.
func run(args []string) int {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch command {
	case "serve":
		return serve(args[1:])
	case "connect":
		return connect(args[1:])
	case "version":
		fmt.Println(version)
		return 0
	}
	if _, known := burdenCommands[command]; known {
		return burdenMain(command, args[1:])
	}
	fmt.Fprint(os.Stderr, usage)
	return 2
}

// settings of one agent.
type settings struct {
	runDir        string
	logFile       string
	cgroupRoot    string
	taskRoot      string
	cniDir        string
	runtimeSocket string
	ttl           time.Duration
	endPID        int
	killAfter     time.Duration
	foreground    bool
}

func (s settings) socket() string   { return filepath.Join(s.runDir, "agent.sock") }
func (s settings) lockFile() string { return filepath.Join(s.runDir, "agent.lock") }
func (s settings) supervisorSocket() string {
	return filepath.Join(s.runDir, "supervisor.sock")
}
func (s settings) faultsDir() string {
	return filepath.Join(s.runDir, "faults")
}

func parseSettings(command string, args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("nodeagent "+command, flag.ContinueOnError)
	flags.StringVar(&s.runDir, "run-dir", "/run/chaoskit", "holds the socket, lock and open faults")
	ttlS := flags.Float64("ttl-s", 300,
		"seconds without a heartbeat after which the node is ended; 0: never")
	killAfterS := flags.Float64("kill-after-s", 10, "seconds between TERM and KILL at that end")
	flags.StringVar(&s.logFile, "log", "/var/log/chaoskit-agent.log", "where the agent logs to")
	flags.StringVar(&s.cgroupRoot, "cgroup-root", "/sys/fs/cgroup", "where the cgroups are mounted")
	flags.StringVar(&s.taskRoot, "task-root", "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io",
		"where the container runtime keeps a folder for each container")
	flags.StringVar(&s.runtimeSocket, "runtime-socket", "/run/k3s/containerd/containerd.sock",
		"the container runtime's socket")
	flags.StringVar(&s.cniDir, "cni-dir", "/var/lib/rancher/k3s/agent/etc/cni/net.d",
		"where the network plug-in's configuration lies")
	flags.IntVar(&s.endPID, "end-pid", 1, "process whose end ends the node")
	flags.BoolVar(&s.foreground, "foreground", false, "serve in this process, log to stderr")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	s.ttl, s.killAfter = secondsOf(*ttlS), secondsOf(*killAfterS)
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("argument %q is not known", flags.Arg(0))
	case !(*ttlS >= 0 && *ttlS <= maxSeconds) || !(*killAfterS >= 0 && *killAfterS <= maxSeconds):
		return s, fmt.Errorf("-ttl-s and -kill-after-s are from 0 to %d", maxSeconds)
	case s.endPID < 1:
		return s, errors.New("-end-pid is a process id")
	}
	return s, nil
}

// maxSeconds bounds all times given to the agent: a fault or a node that is kept longer than a
// week is a mistake.
const maxSeconds = 7 * 24 * 3600

func secondsOf(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// report prints an error as the command line's last word.
func report(code int, err error) int {
	fmt.Fprintf(os.Stderr, "nodeagent: %v\n", err)
	return code
}
