package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// serve runs the server until TERM or INT has been obeyed; it returns the exit code.
func serve() int {
	log.SetFlags(log.LUTC | log.Ldate | log.Lmicroseconds)
	s, err := settingsFromEnvironment()
	if err != nil {
		log.Print(err)
		return 2
	}
	if err := serveUntilTold(s); err != nil {
		log.Print(err)
		return 1
	}
	return 0
}

func serveUntilTold(s settings) error {
	told := make(chan os.Signal, 8)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	id := newIdentity()
	var kv *store
	if s.data != "" {
		var err error
		if kv, err = openStore(s.data, id.Boot, s.defects); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", s.port))
	if err != nil {
		return err
	}
	app := newApplication(s, id, kv)
	server := &http.Server{Handler: app, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	log.Printf("specimen %s, boot %s, listens on %s", id.Revision, id.Boot, listener.Addr())
	for {
		select {
		case err := <-failed:
			return err
		case signal := <-told:
			if app.conduct.current().IgnoreTerm {
				log.Printf("%s ignored", signal)
				continue
			}
			log.Printf("%s: draining for %s", signal, s.drain+s.defects.slowDrain)
			return app.drain(server, s)
		}
	}
}

// drain goes unready and asks each client to leave with its next answer, serves on while the
// endpoint is taken out everywhere, and then ends.
func (a *application) drain(server *http.Server, s settings) error {
	a.draining.Store(true)
	time.Sleep(s.drain + s.defects.slowDrain)
	ctx, cancel := context.WithTimeout(context.Background(), s.shutdown)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Printf("requests still open after %s are cut off", s.shutdown)
		err = server.Close()
	}
	if a.store != nil {
		err = errors.Join(err, a.store.Close())
	}
	log.Print("drained")
	return err
}
