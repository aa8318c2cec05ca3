package main

import (
	"context"
	"crypto/sha256"
	"fmt"

	"google.golang.org/grpc"

	"larder/bench/load/wire"
)

const pieceBytes = 256 << 10

// publish takes an assignment and publishes its value in pieces.
func (c *client) publish() (unit, error) {
	// The value is the same each time: the digest is none of the server's work.
	digest := sha256.Sum256(c.value)
	return timed(func(caller int, number int64) error {
		conn := c.conn(caller)
		id, err := c.take(conn, number)
		if err != nil {
			return err
		}
		return c.stream(conn, id, digest[:])
	})
}

func (c *client) stream(conn *grpc.ClientConn, id uint64, digest []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), 6*patience)
	defer cancel()
	description := &grpc.StreamDesc{StreamName: "Publish", ClientStreams: true}
	stream, err := conn.NewStream(ctx, description, "/larder.v1.Cache/Publish")
	if err != nil {
		return err
	}
	// Send fails when the server has answered: the reply says why.
	err = stream.SendMsg(&wire.Begin{ID: id})
	for at := 0; err == nil && at < len(c.value); at += pieceBytes {
		err = stream.SendMsg(wire.Chunk(c.value[at:min(at+pieceBytes, len(c.value))]))
	}
	if err == nil {
		err = stream.SendMsg(&wire.End{Length: uint64(len(c.value)), Sha256: digest})
	}
	if err == nil {
		err = stream.CloseSend()
	}
	var published wire.Published
	if replied := stream.RecvMsg(&published); replied != nil {
		return replied
	}
	if published.Length != uint64(len(c.value)) {
		return fmt.Errorf("sent %d bytes, %d were published", len(c.value), published.Length)
	}
	return err
}
