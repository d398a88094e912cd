// Command registry is the private registry beside chaoskit's nodes: the distribution project's
// registry under a supervisor that can stop it and withdraw its clients' password, and a client
// that fills it. Run it as process 1; the other commands are for execs beside it.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const usage = `usage: registry [serve]              supervise the registry (process 1)
       registry push NAME:TAG < TARBALL   push a tarball of one image; print its digest
       registry digest NAME:TAG           print the digest behind a tag
       registry tags NAME                 print the tags, one a line
       registry delete NAME:TAG           take a tag away
       registry account                   print the account of clients as JSON
       registry inject FAULT SECONDS      stopped or refusing, healed by itself after SECONDS
       registry heal FAULT                put back what was broken, whenever asked
`

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout)) }

var errUsage = errors.New("wrong usage")

// run is main with an exit code: 0 done, 1 failed, 2 wrong usage.
func run(args []string, in io.Reader, out io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err := command(ctx, args, in, out)
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintf(os.Stderr, "registry: %v\n%s", err, usage)
		return 2
	case err != nil:
		fmt.Fprintf(os.Stderr, "registry: %v\n", err)
		return 1
	}
	return 0
}

func command(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		args = []string{"serve"}
	}
	state := State(cmp.Or(os.Getenv("CHAOSKIT_REGISTRY_STATE"), "/var/lib/registry"))
	switch name, rest := args[0], args[1:]; {
	case name == "serve" && len(rest) == 0:
		return supervise(ctx, state)
	case name == "listen" && len(rest) == 0: // by the supervisor only
		return listen(ctx, state)
	case name == "account" && len(rest) == 0:
		return printAccount(state, out)
	case name == "push" && len(rest) == 1:
		return push(ctx, state, rest[0], in, out)
	case name == "digest" && len(rest) == 1:
		return printDigest(ctx, state, rest[0], out)
	case name == "tags" && len(rest) == 1:
		return printTags(ctx, state, rest[0], out)
	case name == "delete" && len(rest) == 1:
		return deleteTag(ctx, state, rest[0])
	case name == "inject" && len(rest) == 2:
		seconds, err := strconv.ParseFloat(rest[1], 64)
		if err != nil || !(seconds > 0) {
			return fmt.Errorf("%w: inject takes seconds, not %q", errUsage, rest[1])
		}
		return inject(ctx, state, rest[0], time.Duration(seconds*float64(time.Second)))
	case name == "heal" && len(rest) == 1:
		return heal(ctx, state, rest[0])
	}
	return fmt.Errorf("%w: arguments %q are not known", errUsage, args)
}
