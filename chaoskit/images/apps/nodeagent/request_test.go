package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHTTPStatusTellsWhatAServerAnswers(t *testing.T) {
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, given := r.BasicAuth()
		switch {
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case given && (name != "me" || password != "right"):
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(served.Close)
	s := serveIn(t, shortDir(t))
	for _, each := range []struct {
		path, username, password string
		status                   float64
	}{
		{"/", "", "", 200}, {"/", "me", "right", 200}, {"/", "me", "wrong", 401}, {"/moved", "", "", 302},
	} {
		answer := s.call("http_status", fields{
			"url": served.URL + each.path, "username": each.username, "password": each.password,
		})
		if answer["status"] != each.status || answer["refused"] != false {
			t.Errorf("%v: %v", each, answer)
		}
	}
}

func TestHTTPStatusTellsRefusedFromSilent(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { silent.Close() })
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, gone.Close())
	s := serveIn(t, shortDir(t))
	for address, refused := range map[string]bool{gone.Addr().String(): true, silent.Addr().String(): false} {
		begun := time.Now()
		answer := s.call("http_status", fields{
			"url": "http://" + address, "username": "me", "password": "secret", "timeout_s": 0.3,
		})
		if answer["status"] != nil || answer["refused"] != refused {
			t.Errorf("%v", answer)
		}
		if said := answer["said"].(string); !strings.Contains(said, address) || strings.Contains(said, "secret") {
			t.Errorf("it says %q", said)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("it took %s", took)
		}
	}
}

func TestHTTPStatusRefusesWhatIsNoURLWithoutRepeatingIt(t *testing.T) {
	s := serveIn(t, shortDir(t))
	for _, line := range []string{
		`{"id": 1, "op": "http_status"}`,
		`{"id": 1, "op": "http_status", "url": "ftp://me:secret@host"}`,
		`{"id": 1, "op": "http_status", "url": "http://me:secret@host"}`,
		`{"id": 1, "op": "http_status", "url": "http://host", "timeout_s": -1, "password": "secret"}`,
	} {
		answer := s.say(line)
		if message, _ := answer["error"].(string); answer["ok"] != false || strings.Contains(message, "secret") {
			t.Errorf("%s answered %v", line, answer)
		}
	}
}
