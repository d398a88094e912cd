package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"chaoskit.dev/apps/internal/monotonic"
)

// runtimeCondition is one of the container runtime's own: RuntimeReady, NetworkReady …
type runtimeCondition struct {
	Type    string `json:"type"`
	Status  bool   `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// runtimeState is what the container runtime says of itself, as it says it to the kubelet.
func (a *agent) runtimeState(nothing) (fields, error) {
	read := monotonic.NowNS()
	conditions, err := runtimeConditions(a.settings.runtimeSocket, 2*time.Second)
	if err != nil {
		return nil, fmt.Errorf("container runtime: %w", err)
	}
	return fields{"conditions": conditions, "read_ns": read}, nil
}

// runtimeConditions makes one call, Status, of the kubelet's interface to runtimes. It is gRPC: an
// HTTP/2 request whose body is a message with five bytes in front, so the standard library will do.
func runtimeConditions(socket string, within time.Duration) ([]runtimeCondition, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	transport := &http.Transport{
		Protocols: new(http.Protocols),
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	const prefix = 5 // one byte: compressed or not; four: the length
	request, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"http://runtime/runtime.v1.RuntimeService/Status", bytes.NewReader(make([]byte, prefix)))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("Te", "trailers")
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	status := response.Trailer.Get("Grpc-Status") + response.Header.Get("Grpc-Status")
	if status != "0" || len(body) < prefix || body[0] != 0 {
		return nil, fmt.Errorf("it answers HTTP %d, gRPC %q %s", response.StatusCode, status,
			response.Trailer.Get("Grpc-Message")+response.Header.Get("Grpc-Message"))
	}
	return conditionsIn(body[prefix:])
}

// conditionsIn reads StatusResponse{status=1: RuntimeStatus{conditions=1: RuntimeCondition{
// type=1, status=2, reason=3, message=4}}}.
func conditionsIn(response []byte) ([]runtimeCondition, error) {
	found := []runtimeCondition{}
	err := eachField(response, func(number, _ uint64, status []byte) error {
		if number != 1 {
			return nil
		}
		return eachField(status, func(number, _ uint64, condition []byte) error {
			if number != 1 {
				return nil
			}
			var one runtimeCondition
			err := eachField(condition, func(number, value uint64, text []byte) error {
				switch number {
				case 1:
					one.Type = string(text)
				case 2:
					one.Status = value != 0
				case 3:
					one.Reason = string(text)
				case 4:
					one.Message = string(text)
				}
				return nil
			})
			found = append(found, one)
			return err
		})
	})
	if err == nil && len(found) == 0 {
		err = errors.New("an answer without conditions")
	}
	return found, err
}

// eachField walks a protocol buffer message: varints and length-delimited fields are handed out,
// those of fixed length stepped over.
func eachField(message []byte, do func(number, value uint64, content []byte) error) error {
	torn := errors.New("a message that ends in the middle of a field")
	varint := func() (uint64, error) {
		value, size := binary.Uvarint(message)
		if size <= 0 {
			return 0, torn
		}
		message = message[size:]
		return value, nil
	}
	for len(message) > 0 {
		tag, err := varint()
		if err != nil {
			return err
		}
		var value, length uint64
		switch tag & 7 {
		case 0:
			value, err = varint()
		case 1:
			length = 8
		case 2:
			length, err = varint()
		case 5:
			length = 4
		default:
			return fmt.Errorf("a field of unknown make %d", tag&7)
		}
		if err != nil {
			return err
		}
		if length > uint64(len(message)) {
			return torn
		}
		content := message[:length]
		message = message[length:]
		if err := do(tag>>3, value, content); err != nil {
			return err
		}
	}
	return nil
}
