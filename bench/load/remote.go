package main

import (
	"fmt"
	"time"

	"google.golang.org/grpc"

	"larder/bench/load/wire"
)

const (
	remoteGet       = "/remote.RemoteCache/Get"
	remoteHeartbeat = "/remote.RemoteCache/Heartbeat"
	remoteSet       = "/remote.RemoteCache/Set"
)

// read gets the ready entry.
func (c *client) read(conn *grpc.ClientConn) error {
	var reply wire.RemoteReply
	request := &wire.Get{Namespace: c.namespace, Key: []byte(c.key), Assign: true}
	if err := invoke(conn, remoteGet, request, &reply); err != nil {
		return err
	}
	return c.isValue(reply)
}

func (c *client) isValue(reply wire.RemoteReply) error {
	if reply.Status != wire.Ready || len(reply.Value) != c.size {
		return fmt.Errorf("expected a value of %d bytes, got %v of %d", c.size, reply.Status, len(reply.Value))
	}
	return nil
}

// take gets an assignment of a new entry.
func (c *client) take(conn *grpc.ClientConn, number int64) (uint64, error) {
	var reply wire.RemoteReply
	request := &wire.Get{Namespace: c.namespace, Key: c.newKey(number), Assign: true}
	if err := invoke(conn, remoteGet, request, &reply); err != nil {
		return 0, err
	}
	if reply.Status != wire.Assigned {
		return 0, fmt.Errorf("expected an assignment, got %v", reply.Status)
	}
	return reply.ID, nil
}

func (c *client) hit() (unit, error) {
	return timed(func(caller int, _ int64) error { return c.read(c.conn(caller)) })
}

func (c *client) connect() (unit, error) {
	return timed(func(int, int64) error {
		conn, err := dial(c.target)
		if err != nil {
			return err
		}
		defer conn.Close()
		return c.read(conn)
	})
}

func (c *client) heartbeat() (unit, error) {
	id, err := c.take(c.conn(0), 0)
	if err != nil {
		return nil, err
	}
	return c.beat(id)
}

func (c *client) empty() (unit, error) { return c.beat(1) }

func (c *client) beat(id uint64) (unit, error) {
	return timed(func(caller int, _ int64) error {
		return invoke(c.conn(caller), remoteHeartbeat, &wire.ID{ID: id}, &wire.Empty{})
	})
}

func (c *client) miss() (unit, error) {
	return timed(func(caller int, number int64) error {
		_, err := c.setNew(c.conn(caller), number)
		return err
	})
}

func (c *client) set() (unit, error) {
	return func(caller int, number int64) (time.Duration, error) {
		return c.setNew(c.conn(caller), number)
	}, nil
}

// setNew returns how long the Set took.
func (c *client) setNew(conn *grpc.ClientConn, number int64) (time.Duration, error) {
	id, err := c.take(conn, number)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	err = invoke(conn, remoteSet, &wire.Set{ID: id, Value: c.value}, &wire.Empty{})
	return time.Since(begin), err
}
