package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"larder/bench/load/wire"
)

type options struct {
	target, namespace, key     string
	callers, connections, size int
}

// patience is longer than a client's usual second: the bench is to see slow
// replies as slow, not as errors.
const patience = 10 * time.Second

const maxMessageBytes = 64 << 20

// client is what a work has at hand.
type client struct {
	options
	shared []*grpc.ClientConn
	value  []byte
	prefix string
}

// works make their unit; what they do before is not measured.
var works = map[string]func(*client) (unit, error){
	// Get of a ready entry.
	"hit": (*client).hit,
	// The same on a connection that is opened for it and closed after.
	"connect": (*client).connect,
	// Many such calls at once, a second for each; what fails is counted apart.
	"burst": (*client).burst,
	// Heartbeat of one assignment.
	"heartbeat": (*client).heartbeat,
	// A call without a thought: for a server that answers anything.
	"empty": (*client).empty,
	// Get of an absent entry, then Set.
	"miss": (*client).miss,
	// The same; only the Set counts.
	"set": (*client).set,
	// Get, the file, Done, Get, Drop.
	"local": (*client).local,
	// Get and Drop of a file that is there.
	"local_hit": (*client).localHit,
	// A value in pieces, by larder.v1.
	"publish": (*client).publish,
}

func newUnit(work string, o options) (unit, error) {
	begin := works[work]
	if begin == nil {
		return nil, fmt.Errorf("unknown work %q", work)
	}
	c := &client{options: o, value: make([]byte, o.size)}
	// Keys of two runs never meet.
	c.prefix = fmt.Sprintf("%s%x", o.key, time.Now().UnixNano())
	for range o.connections {
		conn, err := dial(o.target)
		if err != nil {
			return nil, err
		}
		c.shared = append(c.shared, conn)
	}
	return begin(c)
}

func dial(target string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(
			grpc.ForceCodecV2(wire.Codec{}), grpc.MaxCallRecvMsgSize(maxMessageBytes)))
}

func (c *client) conn(caller int) *grpc.ClientConn { return c.shared[caller%len(c.shared)] }

func (c *client) newKey(number int64) []byte { return fmt.Appendf(nil, "%s.%d", c.prefix, number) }

func invoke(conn *grpc.ClientConn, method string, request wire.Message, reply wire.Parser) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return conn.Invoke(ctx, method, request, reply)
}

// timed makes a unit of a call of which all counts.
func timed(call func(caller int, number int64) error) (unit, error) {
	return func(caller int, number int64) (time.Duration, error) {
		begin := time.Now()
		err := call(caller, number)
		return time.Since(begin), err
	}, nil
}
