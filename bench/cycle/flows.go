package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// cycle is one unit of work: the number-th of a caller.
type cycle func(caller, number int) error

type cycleOptions struct {
	target, namespace, key string
	value                  []byte
}

// patience is longer than a client's usual second: the bench is to see slow
// replies as slow, not as errors.
const patience = 10 * time.Second

func newCycle(work string, connections int, options cycleOptions) (cycle, error) {
	if work == "connect" {
		return options.connect, nil
	}
	shared := make([]*grpc.ClientConn, connections)
	for i := range shared {
		var err error
		if shared[i], err = dial(options.target); err != nil {
			return nil, err
		}
	}
	// Keys of two runs never meet.
	prefix := fmt.Sprintf("%s%x", options.key, time.Now().UnixNano())
	key := func(caller, number int) []byte {
		return fmt.Appendf(nil, "%s.%d.%d", prefix, caller, number)
	}
	switch work {
	case "miss":
		return func(caller, number int) error {
			return options.miss(shared[caller%connections], key(caller, number))
		}, nil
	case "local":
		return func(caller, number int) error {
			return options.local(shared[caller%connections], key(caller, number))
		}, nil
	}
	return nil, fmt.Errorf("unknown work %q: miss, local or connect", work)
}

func dial(target string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(
			grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(64<<20)))
}

func invoke(conn *grpc.ClientConn, method string, request []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var reply []byte
	err := conn.Invoke(ctx, method, &request, &reply)
	return reply, err
}

// miss asks, is assigned, and sets the value.
func (o cycleOptions) miss(conn *grpc.ClientConn, key []byte) error {
	reply, err := get(conn, "/remote.RemoteCache/Get", getRequest(o.namespace, key, true))
	if err != nil {
		return err
	}
	if reply.status != assigned {
		return fmt.Errorf("miss: expected an assignment, got %v", reply.status)
	}
	_, err = invoke(conn, "/remote.RemoteCache/Set", setRequest(reply.id, o.value))
	return err
}

// local asks, writes the file, publishes it, asks for it, and drops it.
func (o cycleOptions) local(conn *grpc.ClientConn, key []byte) error {
	reply, err := get(conn, "/local.LocalCache/Get", getRequest(o.namespace, key, true))
	if err != nil {
		return err
	}
	if reply.status != assigned {
		return fmt.Errorf("local: expected an assignment, got %v", reply.status)
	}
	if err := write(reply.path, o.value); err != nil {
		return err
	}
	if _, err = invoke(conn, "/local.LocalCache/Done", idRequest(reply.id)); err != nil {
		return err
	}
	for until := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		reply, err = get(conn, "/local.LocalCache/Get", getRequest(o.namespace, key, false))
		if err != nil || reply.status == ready {
			break
		}
		if reply.status != loading || time.Now().After(until) {
			return fmt.Errorf("local: expected a handle, got %v", reply.status)
		}
	}
	if err != nil {
		return err
	}
	_, err = invoke(conn, "/local.LocalCache/Drop", idRequest(reply.id))
	return err
}

// write does what the common client does: parent folder first, then the file.
func write(path string, value []byte) error {
	err := os.WriteFile(path, value, 0o644)
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, value, 0o644)
}

// connect opens a connection for one Get of a ready entry, and closes it.
func (o cycleOptions) connect(_, _ int) error {
	conn, err := dial(o.target)
	if err != nil {
		return err
	}
	defer conn.Close()
	reply, err := get(conn, "/remote.RemoteCache/Get", getRequest(o.namespace, []byte(o.key), true))
	if err == nil && reply.status != ready {
		err = fmt.Errorf("connect: expected a value, got %v", reply.status)
	}
	return err
}
