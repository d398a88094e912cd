package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

const (
	lookEvery = 50 * time.Millisecond
	// A registry that ends by itself is started again, but not in a tight circle.
	restartAfter = 500 * time.Millisecond
)

// port is another one in tests only, which run where others may listen.
var port = cmp.Or(os.Getenv("CHAOSKIT_REGISTRY_PORT"), "5000")

const configurationTemplate = `
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: %q}
  delete: {enabled: true}
  maintenance: {uploadpurging: {enabled: false}}
auth:
  htpasswd: {realm: chaoskit, path: %q}
http:
  addr: ":%s"
  secret: %q
`

// listen is the registry itself, until it is killed.
func listen(ctx context.Context, s State) error {
	accounts, err := s.accounts()
	if err != nil {
		return err
	}
	text := fmt.Sprintf(configurationTemplate, s.images(), s.htpasswd(), port, accounts.Keeper.Password)
	settings, err := configuration.Parse(strings.NewReader(text))
	if err != nil {
		return err
	}
	server, err := registry.NewRegistry(ctx, settings)
	if err != nil {
		return err
	}
	return server.ListenAndServe()
}

// supervisor keeps the registry's process and its password file as the faults of the moment say.
type supervisor struct {
	state    State
	accounts Accounts
	refusing *bool // as the file on the volume was written last
	process  *exec.Cmd
	ended    chan error
	notUntil time.Time
}

func supervise(ctx context.Context, s State) error {
	if err := s.makeAccounts(); err != nil {
		return err
	}
	accounts, err := s.accounts()
	if err != nil {
		return err
	}
	one := &supervisor{state: s, accounts: accounts, ended: make(chan error, 1)}
	for ctx.Err() == nil {
		if err := one.look(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case err := <-one.ended:
			one.process, one.notUntil = nil, time.Now().Add(restartAfter)
			fmt.Fprintln(os.Stderr, "registry: its process ended:", err)
		case <-time.After(lookEvery):
		}
	}
	one.kill()
	return nil
}

func (v *supervisor) look() error {
	refused, err := v.state.broken(refusing)
	if err != nil {
		return err
	}
	if v.refusing == nil || *v.refusing != refused {
		admitted := []Account{v.accounts.Keeper, v.accounts.Puller}
		if refused {
			admitted = admitted[:1]
		}
		if err := v.state.admit(admitted...); err != nil {
			return err
		}
		v.refusing = &refused
	}
	down, err := v.state.broken(stopped)
	if err != nil {
		return err
	}
	switch {
	case down:
		v.kill()
		v.notUntil = time.Time{}
	case v.process == nil && time.Now().After(v.notUntil):
		return v.start()
	}
	return nil
}

func (v *supervisor) start() error {
	v.process = exec.Command("/proc/self/exe", "listen")
	v.process.Stdout, v.process.Stderr = os.Stdout, os.Stderr
	if err := v.process.Start(); err != nil {
		return err
	}
	go func(process *exec.Cmd) { v.ended <- process.Wait() }(v.process)
	return nil
}

// kill ends the registry as a crash does: open connections are reset.
func (v *supervisor) kill() {
	if v.process == nil {
		return
	}
	_ = v.process.Process.Kill() // it may have ended by itself just now
	<-v.ended
	v.process = nil
}

// answer asks the registry as a client does, from beside it.
func answer(ctx context.Context, account Account) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+"/v2/", nil)
	if err != nil {
		return 0, err
	}
	request.SetBasicAuth(account.Username, account.Password)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
