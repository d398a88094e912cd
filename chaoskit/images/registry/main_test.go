package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// TestMain lets the test's own program be the registry's process, as the supervisor starts it.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "listen" {
		os.Exit(run(os.Args[1:], os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// started is a supervised registry of its own on a free port.
func started(t *testing.T) State {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before := port
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	listener.Close()
	state := State(t.TempDir())
	t.Setenv("CHAOSKIT_REGISTRY_PORT", port)
	t.Setenv("CHAOSKIT_REGISTRY_STATE", string(state))
	t.Setenv("OTEL_TRACES_EXPORTER", "none")
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- supervise(ctx, state) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the supervisor ended with %v", err)
		}
		port = before
	})
	if err := heal(t.Context(), state, stopped); err != nil {
		t.Fatal(err)
	}
	return state
}

func status(t *testing.T, account Account) int {
	t.Helper()
	got, err := answer(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// does runs a command as an exec would; what it printed.
func does(t *testing.T, in []byte, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if code := run(args, bytes.NewReader(in), &out); code != 0 {
		t.Fatalf("%v: exit code %d", args, code)
	}
	return strings.TrimSpace(out.String())
}

func saved(t *testing.T) []byte {
	t.Helper()
	image, err := random.Image(1024, 1)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("saved:1")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := tarball.Write(tag, image, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestOnlyItsAccountsAreLetIn(t *testing.T) {
	state := started(t)
	accounts, err := state.accounts()
	if err != nil {
		t.Fatal(err)
	}
	wrong := Account{Username: "puller", Password: accounts.Keeper.Password}
	for account, want := range map[Account]int{accounts.Puller: 200, accounts.Keeper: 200, wrong: 401, {}: 401} {
		if got := status(t, account); got != want {
			t.Errorf("%s: status %d, not %d", account.Username, got, want)
		}
	}
	for _, file := range []string{"accounts.json", "htpasswd"} {
		if info, err := os.Stat(state.file(file)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
}

func TestTagsAreMovedListedAndTakenAway(t *testing.T) {
	started(t)
	first := does(t, saved(t), "push", "team/app:stable")
	second := does(t, saved(t), "push", "team/app:stable")
	if first == second || does(t, nil, "digest", "team/app:stable") != second {
		t.Errorf("pushed %s, then %s", first, second)
	}
	does(t, saved(t), "push", "team/app:other")
	if got := does(t, nil, "tags", "team/app"); got != "other\nstable" {
		t.Errorf("tags %q", got)
	}
	for range 2 {
		does(t, nil, "delete", "team/app:other")
	}
	if got := does(t, nil, "tags", "team/app"); got != "stable" {
		t.Errorf("tags %q", got)
	}
	if got := does(t, nil, "tags", "team/none"); got != "" {
		t.Errorf("tags %q", got)
	}
	if code := run([]string{"push", "team/app:stable"}, strings.NewReader("no tarball"), os.Stdout); code != 1 {
		t.Errorf("exit code %d", code)
	}
}

func TestEachTagHasContentOfItsOwn(t *testing.T) {
	started(t)
	image := saved(t)
	first := does(t, image, "push", "one/app:v1")
	if again := does(t, image, "push", "one/app:v1"); again != first {
		t.Errorf("pushed %s, then %s", first, again)
	}
	if other := does(t, image, "push", "two/app:v1"); other == first {
		t.Errorf("both tags name %s", first)
	}
}

func TestFaultsShowAreHealedTwiceAndLeaveImagesAlone(t *testing.T) {
	state := started(t)
	accounts, err := state.accounts()
	if err != nil {
		t.Fatal(err)
	}
	digest := does(t, saved(t), "push", "app:1")
	does(t, nil, "inject", refusing, "60")
	if got := status(t, accounts.Puller); got != 401 {
		t.Errorf("status %d", got)
	}
	does(t, saved(t), "push", "app:2") // its keeper is let in
	does(t, nil, "inject", stopped, "60")
	if _, err := answer(t.Context(), accounts.Keeper); err == nil {
		t.Error("it answers though it is stopped")
	}
	if code := run([]string{"digest", "app:1"}, nil, os.Stdout); code != 1 {
		t.Errorf("exit code %d", code)
	}
	for range 2 {
		does(t, nil, "heal", stopped)
	}
	if got := status(t, accounts.Puller); got != 401 {
		t.Errorf("status %d: healing one fault healed the other", got)
	}
	for range 2 {
		does(t, nil, "heal", refusing)
	}
	if got := status(t, accounts.Puller); got != 200 || does(t, nil, "digest", "app:1") != digest {
		t.Errorf("status %d", got)
	}
}

func TestFaultsEndByThemselves(t *testing.T) {
	state := started(t)
	accounts, err := state.accounts()
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		begun := time.Now()
		does(t, nil, "inject", fault, "0.5")
		if err := state.waitFor(t.Context(), fault, false); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < 400*time.Millisecond {
			t.Errorf("%s ended after %s", fault, took)
		}
	}
	if got := status(t, accounts.Puller); got != 200 {
		t.Errorf("status %d", got)
	}
}

func TestAProcessThatEndsIsStartedAgain(t *testing.T) {
	state := started(t)
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	before := processOf(t, state)
	kill(t, before)
	for processOf(t, state) == before || processOf(t, state) == 0 {
		select {
		case <-ctx.Done():
			t.Fatal("it was not started again")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestWrongUsageSaysSo(t *testing.T) {
	for _, args := range [][]string{
		{"sing"}, {"inject", "tired", "3"}, {"inject", stopped, "-1"}, {"heal", "tired"}, {"push", "a"}, {"tags", "A"},
	} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			t.Setenv("CHAOSKIT_REGISTRY_STATE", t.TempDir())
			if code := run(args, nil, os.Stdout); code != 2 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}
