package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sys/unix"

	"chaoskit.dev/apps/internal/monotonic"
)

const (
	requestWithinS    = 1.0
	mostRequestWithin = 60.0
)

type httpRequest struct {
	URL      string  `json:"url"`
	Username string  `json:"username"`
	Password string  `json:"password"`
	TimeoutS float64 `json:"timeout_s"`
}

// httpStatus asks a server from inside this node, on a new connection and past any proxy. That
// nobody answers is an answer too; messages name the URL and never the password.
func httpStatus(r httpRequest) (fields, error) {
	address, err := url.Parse(r.URL)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" || address.User != nil {
		return nil, errors.New("url is not of the form http://HOST:PORT/PATH")
	}
	if r.TimeoutS == 0 {
		r.TimeoutS = requestWithinS
	}
	if !(r.TimeoutS > 0 && r.TimeoutS <= mostRequestWithin) {
		return nil, fmt.Errorf("timeout_s is %v; it goes up to %v", r.TimeoutS, mostRequestWithin)
	}
	within := time.Duration(r.TimeoutS * float64(time.Second))
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	asked, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, err
	}
	if r.Username != "" {
		asked.SetBasicAuth(r.Username, r.Password)
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	begun := monotonic.NowNS()
	answer, err := client.Do(asked)
	ended := monotonic.NowNS()
	if err != nil {
		return fields{
			"status": nil, "refused": errors.Is(err, unix.ECONNREFUSED), "said": err.Error(),
			"asked_ns": begun, "answered_ns": ended,
		}, nil
	}
	return fields{
		"status": answer.StatusCode, "refused": false, "said": answer.Status,
		"asked_ns": begun, "answered_ns": ended,
	}, answer.Body.Close()
}
