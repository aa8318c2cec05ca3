package main

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"larder/bench/load/wire"
)

const (
	// burstCalls come at once, as from a build that asks for all that it needs.
	burstCalls = 450
	// burstPatience is what the common client gives each call, connection
	// included.
	burstPatience = time.Second
)

// failed counts the calls of bursts that were not answered in time.
var failed atomic.Int64

// burst makes units of burstCalls calls at once, each of a ready entry and on a
// connection of its own, while a core is busy with something else.
func (c *client) burst() (unit, error) {
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	go func() {
		runtime.LockOSThread()
		for {
		}
	}()
	return timed(func(int, int64) error {
		var calls sync.WaitGroup
		for range burstCalls {
			calls.Go(func() {
				if c.once() != nil {
					failed.Add(1)
				}
			})
		}
		calls.Wait()
		return nil
	})
}

// once connects, reads the ready entry and closes, within burstPatience.
func (c *client) once() error {
	conn, err := dial(c.target)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), burstPatience)
	defer cancel()
	var reply wire.RemoteReply
	request := &wire.Get{Namespace: c.namespace, Key: []byte(c.key), Assign: true}
	if err := conn.Invoke(ctx, remoteGet, request, &reply); err != nil {
		return err
	}
	return c.isValue(reply)
}
