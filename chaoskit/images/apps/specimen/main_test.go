package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The tests run the real program: the test binary becomes it when this variable is set.
const actAsProgram = "SPECIMEN_TEST_ACT_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(actAsProgram) != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// specimen is a running child process.
type specimen struct {
	t       *testing.T
	command *exec.Cmd
	url     string
	exited  chan error
}

var listensOn = regexp.MustCompile(`listens on .*:(\d+)`)

// start runs the program with a free port of its own and waits until it listens.
func start(t *testing.T, environment ...string) *specimen {
	t.Helper()
	s := &specimen{t: t, command: exec.Command(os.Args[0]), exited: make(chan error, 1)}
	s.command.Env = append([]string{
		actAsProgram + "=1", "SPECIMEN_PORT=0", "SPECIMEN_DRAIN_S=0",
		"POD_NAME=web-0", "POD_UID=uid-1", "NODE_NAME=node-1", "SPECIMEN_VERSION=v2",
	}, environment...)
	stderr, err := s.command.StderrPipe()
	must(t, err)
	must(t, s.command.Start())
	port := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if match := listensOn.FindStringSubmatch(lines.Text()); match != nil {
				port <- match[1]
			}
		}
		s.exited <- s.command.Wait()
	}()
	t.Cleanup(func() { _ = s.command.Process.Kill() })
	select {
	case number := <-port:
		s.url = "http://127.0.0.1:" + number
	case err := <-s.exited:
		t.Fatalf("the program ended before it listened: %v", err)
	case <-time.After(20 * time.Second):
		t.Fatal("the program did not listen within 20 s")
	}
	return s
}

// waitExit returns the exit error once the process has ended.
func (s *specimen) waitExit(within time.Duration) error {
	s.t.Helper()
	select {
	case err := <-s.exited:
		return err
	case <-time.After(within):
		s.t.Fatalf("the program has not ended within %s", within)
		return nil
	}
}

func (s *specimen) killHard() {
	s.t.Helper()
	must(s.t, s.command.Process.Kill())
	if err := s.waitExit(5 * time.Second); err == nil {
		s.t.Fatal("killed, but it says exit 0")
	}
}

// reply is an answer with its body read.
type reply struct {
	status int
	header http.Header
	body   string
}

func (s *specimen) try(method, path, body string) (reply, error) {
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(text)}, err
}

func (s *specimen) do(method, path, body string) reply {
	s.t.Helper()
	r, err := s.try(method, path, body)
	must(s.t, err)
	return r
}

func (s *specimen) expect(status int, method, path, body string) reply {
	s.t.Helper()
	r := s.do(method, path, body)
	if r.status != status {
		s.t.Fatalf("%s %s answered %d %s, not %d", method, path, r.status, r.body, status)
	}
	return r
}

// waitStatus polls a path until it answers with the status.
func (s *specimen) waitStatus(path string, status int, within time.Duration) {
	s.t.Helper()
	var seen string
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		r, err := s.try("GET", path, "")
		if err == nil && r.status == status {
			return
		}
		seen = fmt.Sprint(r.status, r.body, err)
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("%s did not answer %d within %s: %s", path, status, within, seen)
}

func (s *specimen) entries() []entry {
	s.t.Helper()
	var all []entry
	decoder := json.NewDecoder(strings.NewReader(s.expect(200, "GET", "/kv", "").body))
	for decoder.More() {
		var e entry
		must(s.t, decoder.Decode(&e))
		all = append(all, e)
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustEqual[T comparable](t *testing.T, what string, got, wanted T) {
	t.Helper()
	if got != wanted {
		t.Fatalf("%s is %v, not %v", what, got, wanted)
	}
}

// keptConnection is one HTTP/1.1 connection, spoken by hand to see how it ends.
type keptConnection struct {
	t      *testing.T
	conn   net.Conn
	reader *bufio.Reader
}

func (s *specimen) keepConnection() *keptConnection {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() })
	return &keptConnection{s.t, conn, bufio.NewReader(conn)}
}

func (k *keptConnection) get(path string) *http.Response {
	k.t.Helper()
	must(k.t, k.conn.SetDeadline(time.Now().Add(5*time.Second)))
	_, err := fmt.Fprintf(k.conn, "GET %s HTTP/1.1\r\nHost: specimen\r\n\r\n", path)
	must(k.t, err)
	response, err := http.ReadResponse(k.reader, nil)
	must(k.t, err)
	_, err = io.Copy(io.Discard, response.Body)
	must(k.t, err)
	return response
}
