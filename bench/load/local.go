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
		if err := c.publishFile(conn, key); err != nil {
			return err
		}
		return c.borrow(conn, key)
	})
}

// localHit asks for a file that is there, and drops it.
func (c *client) localHit() (unit, error) {
	key := c.newKey(0)
	if err := c.publishFile(c.conn(0), key); err != nil {
		return nil, err
	}
	return timed(func(caller int, _ int64) error { return c.borrow(c.conn(caller), key) })
}

func (c *client) publishFile(conn *grpc.ClientConn, key []byte) error {
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
	return invoke(conn, "/local.LocalCache/Done", &wire.ID{ID: reply.ID}, &wire.Empty{})
}

func (c *client) borrow(conn *grpc.ClientConn, key []byte) error {
	handle, err := c.await(conn, key)
	if err != nil {
		return err
	}
	return invoke(conn, "/local.LocalCache/Drop", &wire.ID{ID: handle}, &wire.Empty{})
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
