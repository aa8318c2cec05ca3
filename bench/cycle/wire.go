package main

import (
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
)

// raw hands messages through as bytes: the few fields are coded here by hand,
// which needs no generated code and keeps the generator fast.
type raw struct{}

func (raw) Name() string                             { return "" }
func (raw) Marshal(message any) ([]byte, error)      { return *message.(*[]byte), nil }
func (raw) Unmarshal(data []byte, message any) error { *message.(*[]byte) = data; return nil }

// status is the field number of GetReply's oneof.
type status protowire.Number

const (
	unassigned status = 1
	assigned   status = 2
	loading    status = 3
	ready      status = 4
)

func (s status) String() string {
	switch s {
	case unassigned:
		return "unassigned"
	case assigned:
		return "assign"
	case loading:
		return "loading"
	case ready:
		return "ready"
	}
	return fmt.Sprintf("status %d", int(s))
}

// getReply is what a Get of either service answers; id and path of the assign
// and local ready cases.
type getReply struct {
	status status
	id     uint64
	path   string
}

func getRequest(namespace string, key []byte, assign bool) []byte {
	var b []byte
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendString(b, namespace)
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	b = protowire.AppendBytes(b, key)
	if assign {
		b = protowire.AppendTag(b, 3, protowire.VarintType)
		b = protowire.AppendVarint(b, 1)
	}
	return b
}

func idRequest(id uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), id)
}

func setRequest(id uint64, value []byte) []byte {
	b := make([]byte, 0, len(value)+32)
	b = protowire.AppendTag(b, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, id)
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	return protowire.AppendBytes(b, value)
}

func get(conn *grpc.ClientConn, method string, request []byte) (getReply, error) {
	data, err := invoke(conn, method, request)
	if err != nil {
		return getReply{}, err
	}
	number, kind, n := protowire.ConsumeTag(data)
	if n < 0 || kind != protowire.BytesType {
		return getReply{}, fmt.Errorf("a reply without status: % x", data)
	}
	body, n := protowire.ConsumeBytes(data[n:])
	if n < 0 {
		return getReply{}, protowire.ParseError(n)
	}
	reply := getReply{status: status(number)}
	if method == "/remote.RemoteCache/Get" && reply.status == ready {
		return reply, nil
	}
	for len(body) > 0 {
		number, kind, n := protowire.ConsumeTag(body)
		if n < 0 {
			return reply, protowire.ParseError(n)
		}
		rest := body[n:]
		switch {
		case number == 1 && kind == protowire.VarintType:
			reply.id, n = protowire.ConsumeVarint(rest)
		case number == 2 && kind == protowire.BytesType:
			reply.path, n = protowire.ConsumeString(rest)
		default:
			n = protowire.ConsumeFieldValue(number, kind, rest)
		}
		if n < 0 {
			return reply, protowire.ParseError(n)
		}
		body = rest[n:]
	}
	return reply, nil
}
