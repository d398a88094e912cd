package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"
)

// A name is looked up for so long: the client's own deadline lies above it.
const dnsTimeout = 2 * time.Second

// dnsAnswer is what the pod's resolver says about a name; Answers is empty if there is no such name.
type dnsAnswer struct {
	Name    string   `json:"name"`
	Record  string   `json:"record"`
	Answers []string `json:"answers"`
}

// getDNS looks a name up as any application in this pod would: its IPv4 addresses, or with
// ?record=SRV "target:port" of each peer. A name that does not exist is an answer, not an error.
func (a *application) getDNS(w http.ResponseWriter, r *http.Request) {
	name, record := r.PathValue("name"), r.URL.Query().Get("record")
	if record == "" {
		record = "A"
	}
	if record != "A" && record != "SRV" {
		writeError(w, http.StatusBadRequest, fmt.Errorf("record is %q; A or SRV", record))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), dnsTimeout)
	defer cancel()
	answers, err := lookUp(ctx, a.resolver, name, record)
	if err != nil {
		writeError(w, http.StatusBadGateway, err)
		return
	}
	writeJSON(w, http.StatusOK, dnsAnswer{Name: name, Record: record, Answers: answers})
}

// lookUp returns the sorted answers about an absolute name: the search path is not tried.
func lookUp(
	ctx context.Context, resolver *net.Resolver, name, record string,
) ([]string, error) {
	absolute := strings.TrimSuffix(name, ".") + "."
	answers := []string{}
	var err error
	if record == "SRV" {
		var records []*net.SRV
		_, records, err = resolver.LookupSRV(ctx, "", "", absolute)
		for _, each := range records {
			host := strings.TrimSuffix(each.Target, ".")
			answers = append(answers, net.JoinHostPort(host, strconv.Itoa(int(each.Port))))
		}
	} else {
		var addresses []net.IP
		addresses, err = resolver.LookupIP(ctx, "ip4", absolute)
		for _, each := range addresses {
			answers = append(answers, each.String())
		}
	}
	var problem *net.DNSError
	if errors.As(err, &problem) && problem.IsNotFound {
		err = nil
	}
	sort.Strings(answers)
	return answers, err
}
