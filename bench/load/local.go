package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"

	"larder/bench/load/wire"
)

// local asks, writes the file, publishes it, asks for it, and drops it.
func (c *client) local() (unit, error) {
	return timed(func(caller int, number int64) error {
		conn, key := c.conn(caller), c.newKey(number)
		reply, err := c.ask(conn, key, true)
		if err != nil {
			return err
		}
		if reply.Status != wire.Assigned {
			return fmt.Errorf("expected an assignment, got %v", reply.Status)
		}
		if err := write(reply.Path, c.value); err != nil {
			return err
		}
		done := &wire.ID{ID: reply.ID}
		if err := invoke(conn, "/local.LocalCache/Done", done, &wire.Empty{}); err != nil {
			return err
		}
		handle, err := c.await(conn, key)
		if err != nil {
			return err
		}
		return invoke(conn, "/local.LocalCache/Drop", &wire.ID{ID: handle}, &wire.Empty{})
	})
}

func (c *client) ask(conn *grpc.ClientConn, key []byte, assign bool) (wire.LocalReply, error) {
	var reply wire.LocalReply
	request := &wire.Get{Namespace: c.namespace, Key: key, Assign: assign}
	err := invoke(conn, "/local.LocalCache/Get", request, &reply)
	return reply, err
}

// await asks until the file may be read, and returns its handle.
func (c *client) await(conn *grpc.ClientConn, key []byte) (uint64, error) {
	for until := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		reply, err := c.ask(conn, key, false)
		if err != nil || reply.Status == wire.Ready {
			return reply.ID, err
		}
		if reply.Status != wire.Loading || time.Now().After(until) {
			return 0, fmt.Errorf("expected a handle, got %v", reply.Status)
		}
	}
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
