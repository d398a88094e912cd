// Command specimen is chaoskit's test application: an HTTP server that says who answers, keeps a
// key-value store on its volume, drains when told to end, and has defects that can be switched on.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// version is the revision baked in at build time (-ldflags "-X main.version=v2"); the environment
// variable SPECIMEN_VERSION overrides it.
var version = "unversioned"

const usage = `usage: specimen [serve]              serve HTTP (see README.md for the environment)
       specimen sleep SECONDS       wait, then exit 0 (preStop hooks: the image has no shell)
       specimen exit CODE           exit with CODE at once
       specimen get [-t SECONDS] URL     print the body; exit 0 below status 400, else 1
       specimen resolve [-srv] NAME      print the addresses (or SRV records) of NAME
       specimen version             print the revision
`

func main() { os.Exit(run(os.Args[1:])) }

// run is main with an exit code: 0 done, 1 failed, 2 wrong usage.
func run(args []string) int {
	if len(args) == 0 {
		return serve()
	}
	switch command, rest := args[0], args[1:]; {
	case command == "serve" && len(rest) == 0:
		return serve()
	case command == "sleep" && len(rest) == 1:
		return sleep(rest[0])
	case command == "exit" && len(rest) == 1:
		return exitWith(rest[0])
	case command == "get":
		return get(rest)
	case command == "resolve":
		return resolve(rest)
	case command == "version" && len(rest) == 0:
		fmt.Println(revision())
		return 0
	}
	return wrongUsage(fmt.Sprintf("arguments %q are not known", args))
}

func wrongUsage(problem string) int {
	fmt.Fprintf(os.Stderr, "specimen: %s\n%s", problem, usage)
	return 2
}

func sleep(seconds string) int {
	s, err := strconv.ParseFloat(seconds, 64)
	if err != nil || !(s >= 0) {
		return wrongUsage(fmt.Sprintf("sleep takes seconds, not %q", seconds))
	}
	time.Sleep(secondsOf(s))
	return 0
}

func exitWith(code string) int {
	c, err := strconv.Atoi(code)
	if err != nil || c < 0 || c > 255 {
		return wrongUsage(fmt.Sprintf("exit takes a code from 0 to 255, not %q", code))
	}
	return c
}

func secondsOf(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
