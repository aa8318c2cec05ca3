package wire

import (
	"bytes"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// overhead is more than the tags, lengths and numbers of any message here.
const overhead = 64

// Empty is google.protobuf.Empty.
type Empty struct{}

func (Empty) Size() int                { return 0 }
func (Empty) AppendTo(b []byte) []byte { return b }
func (*Empty) Parse([]byte) error      { return nil }

// Get is GetRequest of either service.
type Get struct {
	Namespace string
	Key       []byte
	Assign    bool
}

func (m *Get) Size() int { return len(m.Namespace) + len(m.Key) + overhead }

func (m *Get) AppendTo(b []byte) []byte {
	b = appendString(b, 1, m.Namespace)
	b = appendBytes(b, 2, m.Key)
	if m.Assign {
		b = appendNumber(b, 3, 1)
	}
	return b
}

func (m *Get) Parse(data []byte) error {
	return each(data, func(field protowire.Number, number uint64, value []byte) {
		switch field {
		case 1:
			m.Namespace = string(value)
		case 2:
			m.Key = bytes.Clone(value)
		case 3:
			m.Assign = number != 0
		}
	})
}

// ID is HeartbeatRequest, DoneRequest and DropRequest.
type ID struct{ ID uint64 }

func (m *ID) Size() int                { return overhead }
func (m *ID) AppendTo(b []byte) []byte { return appendNumber(b, 1, m.ID) }

func (m *ID) Parse(data []byte) error {
	return each(data, func(field protowire.Number, number uint64, _ []byte) {
		if field == 1 {
			m.ID = number
		}
	})
}

// Set is SetRequest.
type Set struct {
	ID    uint64
	Value []byte
}

func (m *Set) Size() int                { return len(m.Value) + overhead }
func (m *Set) AppendTo(b []byte) []byte { return appendBytes(appendNumber(b, 1, m.ID), 2, m.Value) }

func (m *Set) Parse(data []byte) error {
	return each(data, func(field protowire.Number, number uint64, value []byte) {
		switch field {
		case 1:
			m.ID = number
		case 2:
			m.Value = bytes.Clone(value)
		}
	})
}

// Status is the field of GetReply's oneof.
type Status protowire.Number

const (
	Unassigned Status = 1
	Assigned   Status = 2
	Loading    Status = 3
	Ready      Status = 4
)

func (s Status) String() string {
	switch s {
	case Unassigned:
		return "unassigned"
	case Assigned:
		return "assign"
	case Loading:
		return "loading"
	case Ready:
		return "ready"
	}
	return fmt.Sprintf("status %d", int(s))
}

// heartbeatIntervalMs is what the floor names to whoever gets an assignment.
const heartbeatIntervalMs = 2000

// RemoteReply is GetReply of RemoteCache.
type RemoteReply struct {
	Status Status
	ID     uint64
	Value  []byte
}

func (m *RemoteReply) Size() int { return len(m.Value) + overhead }

func (m *RemoteReply) AppendTo(b []byte) []byte {
	body := m.Value
	if m.Status == Assigned {
		body = appendNumber(appendNumber(nil, 1, m.ID), 2, heartbeatIntervalMs)
	}
	return appendBytes(b, protowire.Number(m.Status), body)
}

func (m *RemoteReply) Parse(data []byte) error {
	var body []byte
	err := each(data, func(field protowire.Number, _ uint64, value []byte) {
		m.Status, body = Status(field), value
	})
	if err != nil {
		return err
	}
	if m.Status != Assigned {
		m.Value = bytes.Clone(body)
		return nil
	}
	var id ID
	err = id.Parse(body)
	m.ID = id.ID
	return err
}

// LocalReply is GetReply of LocalCache.
type LocalReply struct {
	Status Status
	ID     uint64
	Path   string
}

func (m *LocalReply) Parse(data []byte) error {
	var body []byte
	err := each(data, func(field protowire.Number, _ uint64, value []byte) {
		m.Status, body = Status(field), value
	})
	if err != nil {
		return err
	}
	return each(body, func(field protowire.Number, number uint64, value []byte) {
		switch field {
		case 1:
			m.ID = number
		case 2:
			m.Path = string(value)
		}
	})
}
