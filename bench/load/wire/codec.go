// Package wire codes the few messages of the bench by hand: that needs no
// generated code, and keeps load and floor as light as grpc-go itself.
package wire

import (
	"fmt"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// Message is what is sent.
type Message interface {
	// Size is at least what AppendTo adds.
	Size() int
	AppendTo(b []byte) []byte
}

// Parser is what is received; data is valid only until Parse returns.
type Parser interface {
	Parse(data []byte) error
}

// Codec does what grpc-go's codec of generated messages does, its buffer pool
// included.
type Codec struct{}

// Name is empty: the content type is plain application/grpc.
func (Codec) Name() string { return "" }

// Marshal encodes a Message.
func (Codec) Marshal(message any) (mem.BufferSlice, error) {
	sent, ok := message.(Message)
	if !ok {
		return nil, fmt.Errorf("cannot send a %T", message)
	}
	size := sent.Size()
	if mem.IsBelowBufferPoolingThreshold(size) {
		return mem.BufferSlice{mem.SliceBuffer(sent.AppendTo(make([]byte, 0, size)))}, nil
	}
	pool := mem.DefaultBufferPool()
	buffer := pool.Get(size)
	*buffer = sent.AppendTo((*buffer)[:0])
	return mem.BufferSlice{mem.NewBuffer(buffer, pool)}, nil
}

// Unmarshal decodes into a Parser.
func (Codec) Unmarshal(data mem.BufferSlice, message any) error {
	received, ok := message.(Parser)
	if !ok {
		return fmt.Errorf("cannot receive a %T", message)
	}
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	return received.Parse(buffer.ReadOnlyData())
}

// each visits the fields of a message: number where the field is a varint,
// bytes where it has a length.
func each(data []byte, visit func(field protowire.Number, number uint64, bytes []byte)) error {
	for len(data) > 0 {
		field, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		switch kind {
		case protowire.VarintType:
			var number uint64
			number, n = protowire.ConsumeVarint(data)
			visit(field, number, nil)
		case protowire.BytesType:
			var bytes []byte
			bytes, n = protowire.ConsumeBytes(data)
			visit(field, 0, bytes)
		default:
			n = protowire.ConsumeFieldValue(field, kind, data)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
	}
	return nil
}

func appendNumber(b []byte, field protowire.Number, number uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), number)
}

func appendBytes(b []byte, field protowire.Number, bytes []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), bytes)
}

func appendString(b []byte, field protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), text)
}
