package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"larder/bench/load/wire"
)

// publish takes a value into memory and checks it, as the service promises;
// what was answered is forgotten.
func publish(_ any, stream grpc.ServerStream) error {
	var value [][]byte
	var length uint64
	var end *wire.End
	digest := sha256.New()
	for {
		var part wire.Part
		err := stream.RecvMsg(&part)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		value = append(value, part.Chunk)
		length += uint64(len(part.Chunk))
		digest.Write(part.Chunk)
		if part.End != nil {
			end = part.End
		}
	}
	if end == nil || end.Length != length || !bytes.Equal(end.Sha256, digest.Sum(nil)) {
		return status.Errorf(codes.DataLoss, "%d pieces are not what the end tells of", len(value))
	}
	return stream.SendMsg(&wire.Published{Length: length, Sha256: end.Sha256})
}
