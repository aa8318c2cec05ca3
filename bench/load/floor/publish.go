package main

import (
	"errors"
	"io"

	"google.golang.org/grpc"

	"larder/bench/load/wire"
)

// publish takes a value and keeps nothing of it.
func publish(_ any, stream grpc.ServerStream) error {
	var length uint64
	for {
		var part wire.Part
		err := stream.RecvMsg(&part)
		if errors.Is(err, io.EOF) {
			return stream.SendMsg(&wire.Published{Length: length})
		}
		if err != nil {
			return err
		}
		length += uint64(part.Length)
	}
}
