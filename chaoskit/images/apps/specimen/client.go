package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// get prints the body of a URL: exit code 0 below status 400, else 1.
func get(args []string) int {
	flags := flag.NewFlagSet("get", flag.ContinueOnError)
	timeoutS := flags.Float64("t", 5, "seconds for the whole request")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		return wrongUsage("get takes one URL")
	}
	client := http.Client{
		Timeout: secondsOf(*timeoutS),
		CheckRedirect: func(*http.Request, []*http.Request) error { // as a probe of Kubernetes sees it
			return http.ErrUseLastResponse
		},
	}
	response, err := client.Get(flags.Arg(0))
	if err != nil {
		return failed(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		return failed(err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return failed(fmt.Errorf("%s: %s", flags.Arg(0), response.Status))
	}
	return 0
}

// resolve prints what the pod's DNS says about a name, one address or "target port" a line.
func resolve(args []string) int {
	flags := flag.NewFlagSet("resolve", flag.ContinueOnError)
	srv := flags.Bool("srv", false, "SRV records instead of addresses")
	timeoutS := flags.Float64("t", 5, "seconds")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		return wrongUsage("resolve takes one name")
	}
	ctx, cancel := context.WithTimeout(context.Background(), secondsOf(*timeoutS))
	defer cancel()
	if *srv {
		_, records, err := net.DefaultResolver.LookupSRV(ctx, "", "", flags.Arg(0))
		if err != nil {
			return failed(err)
		}
		for _, record := range records {
			fmt.Println(record.Target, record.Port)
		}
		return 0
	}
	started := time.Now()
	addresses, err := net.DefaultResolver.LookupHost(ctx, flags.Arg(0))
	if err != nil {
		return failed(fmt.Errorf("%w (after %s)", err, time.Since(started).Round(time.Millisecond)))
	}
	for _, address := range addresses {
		fmt.Println(address)
	}
	return 0
}

func failed(err error) int {
	fmt.Fprintf(os.Stderr, "specimen: %v\n", err)
	return 1
}
