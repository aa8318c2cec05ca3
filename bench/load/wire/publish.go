package wire

import (
	"bytes"

	"google.golang.org/protobuf/encoding/protowire"
)

// Begin is PublishRequest.begin.
type Begin struct{ ID uint64 }

func (m *Begin) Size() int { return overhead }

func (m *Begin) AppendTo(b []byte) []byte {
	return appendBytes(b, 1, appendNumber(nil, 1, m.ID))
}

// Chunk is PublishRequest.chunk.
type Chunk []byte

func (m Chunk) Size() int                { return len(m) + overhead }
func (m Chunk) AppendTo(b []byte) []byte { return appendBytes(b, 2, m) }

// End is PublishRequest.end.
type End struct {
	Length uint64
	Sha256 []byte
}

func (m *End) Size() int { return len(m.Sha256) + overhead }

func (m *End) AppendTo(b []byte) []byte {
	return appendBytes(b, 3, appendBytes(appendNumber(nil, 1, m.Length), 2, m.Sha256))
}

// Part is any PublishRequest, as the floor receives it.
type Part struct {
	Chunk []byte
	End   *End
}

func (m *Part) Parse(data []byte) error {
	var end []byte
	err := each(data, func(field protowire.Number, _ uint64, value []byte) {
		switch field {
		case 2:
			m.Chunk = bytes.Clone(value)
		case 3:
			end = value
		}
	})
	if err != nil || end == nil {
		return err
	}
	m.End = &End{}
	return each(end, func(field protowire.Number, number uint64, value []byte) {
		switch field {
		case 1:
			m.End.Length = number
		case 2:
			m.End.Sha256 = bytes.Clone(value)
		}
	})
}

// Published is PublishReply.
type Published struct {
	Length uint64
	Sha256 []byte
}

func (m *Published) Size() int { return len(m.Sha256) + overhead }

func (m *Published) AppendTo(b []byte) []byte {
	return appendBytes(appendNumber(b, 1, m.Length), 2, m.Sha256)
}

func (m *Published) Parse(data []byte) error {
	return each(data, func(field protowire.Number, number uint64, value []byte) {
		switch field {
		case 1:
			m.Length = number
		case 2:
			m.Sha256 = bytes.Clone(value)
		}
	})
}
